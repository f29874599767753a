use super::array::view;
use super::{Object, borrow_mut, call, create, free, pcml_const_array, size};
use crate::constraint::{Constraints, Rule};
use crate::error::{Result, fail};

/// What must hold: linear rows `g u = b + noise` over the cells of a field. The right-hand sides b come with each projection.
pub struct pcml_constraints {
    pub(super) constraints: Constraints,
}

impl Object for pcml_constraints {
    const TAG: u64 = 0x7063_6d6c_636f_6e01;
    const NAME: &'static str = "pcml_constraints";
}

fn rule(value: i32) -> Result<Rule> {
    match value {
        1 => Ok(Rule::Trapezoid),
        2 => Ok(Rule::Left),
        3 => Ok(Rule::Right),
        4 => Ok(Rule::Simpson),
        _ => fail!(InvalidArgument, "rule is {value}, expected PCML_RULE_TRAPEZOID (1) to PCML_RULE_SIMPSON (4)"),
    }
}

/// Creates constraints without rows.
///
/// @param cells        values of one field, at least 1; several fields are concatenated
/// @param constraints  receives the object, NULL on failure; to be freed with pcml_constraints_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when cells < 1
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_create(cells: i64, constraints: *mut *mut pcml_constraints) -> i32 {
    unsafe {
        create("pcml_constraints_create", constraints, "constraints", || {
            let constraints = Constraints::new(size(cells, "cells", 1)?)?;
            Ok(pcml_constraints { constraints })
        })
    }
}

/// Frees constraints. NULL is fine; freeing twice is misuse. Projectors made from them stay whole. Threads: nobody else uses
/// the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_free(constraints: *mut pcml_constraints) {
    unsafe { free("pcml_constraints_free", constraints) }
}

/// Adds the row whose weights are a quadrature over points: b is the integral of the field from the first point to the last.
/// This version takes one row. The points are copied.
///
/// @param constraints     the object that gets the row
/// @param rule            a number of enum pcml_rule
/// @param points          one coordinate a cell (any shape with that many values), strictly increasing, any spacing
/// @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown rule, PCML_STATUS_SHAPE,
///         PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED (the text names the point), PCML_STATUS_NOISE,
///         PCML_STATUS_STATE when there is a row already, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor;
///         after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_quadrature(
    constraints: *mut pcml_constraints,
    rule: i32,
    points: *const pcml_const_array,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_quadrature", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let rule = self::rule(rule)?;
        object.constraints.add_quadrature(rule, unsafe { view(points, "points") }?, noise_variance)
    })
}

/// Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance. This version takes one
/// row. The weights are copied.
///
/// @param constraints     the object that gets the row
/// @param weights         one weight a cell (any shape with that many values), of any sign, not all 0
/// @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are
///         0, PCML_STATUS_NOISE, PCML_STATUS_STATE when there is a row already, PCML_STATUS_OUT_OF_MEMORY, or those of an
///         array descriptor; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_row(
    constraints: *mut pcml_constraints,
    weights: *const pcml_const_array,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_row", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        object.constraints.add_row(unsafe { view(weights, "weights") }?, noise_variance)
    })
}
