use super::array::view;
use super::{Object, borrow, borrow_mut, call, create, free, output, pcml_const_array, size, values};
use crate::constraint::{Condition, Constraints, Direction, MAX_ORDER, Method, Policy, Rule};
use crate::error::{Result, fail};
use crate::field::MAX_RANK;
use crate::kernels::strided::View;

/// What must hold: linear rows `G u = b + noise` over the cells of a state, numbered from 0 in the order in which they are added.
/// The right-hand sides b come with each projection.
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
/// @param cells        values of one state, at least 1; several fields, or several times, are concatenated
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
/// The points are copied.
///
/// @param constraints     the object that gets the row
/// @param rule            a number of enum pcml_rule
/// @param points          one coordinate a cell (any shape with that many values), strictly increasing, any spacing
/// @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown rule, PCML_STATUS_SHAPE,
///         PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED (the text names the point), PCML_STATUS_SINGULAR when all weights
///         underflow to 0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
///         are as before
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

/// Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance. The weights are copied.
///
/// @param constraints     the object that gets the row
/// @param weights         one weight a cell (any shape with that many values), of any sign, not all 0
/// @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are
///         0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
///         are as before
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

/// Adds a row of a field in parts that has no weight on this part's cells, so that rows have the same numbers on all parts
/// (pcml_part_project). Only pcml_part_* calls take constraints with such a row.
///
/// @param constraints     the object that gets the row
/// @param noise_variance  s^2 >= 0, as on the other parts
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_NON_FINITE, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the
///         constraints are as before
///
/// Threads: one at a time for one object. Allocation: a few bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_absent_row(
    constraints: *mut pcml_constraints,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_absent_row", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        object.constraints.add_absent_row(noise_variance)
    })
}

/// How many rows the constraints have; the next one gets this number.
///
/// @param constraints  the object
/// @param rows         receives the number
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any, while nobody adds rows. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_rows(constraints: *const pcml_constraints, rows: *mut i64) -> i32 {
    call("pcml_constraints_rows", || {
        let object = unsafe { borrow(constraints, "constraints") }?;
        *unsafe { output(rows, "rows") }? = object.constraints.len() as i64;
        Ok(())
    })
}

/// # Safety
/// `axes` is NULL or names `rank` descriptors whose elements are readable during `'a`.
unsafe fn axes<'a>(axes: *const pcml_const_array, rank: i64) -> Result<Vec<View<'a>>> {
    let rank = size(rank, "rank", 1)?;
    if rank > MAX_RANK {
        return fail!(Shape, "rank is {rank}, expected 1 to {MAX_RANK}");
    }
    if axes.is_null() {
        return fail!(NullArgument, "axes is NULL, expected {rank} arrays");
    }
    // SAFETY: the caller promises so many descriptors.
    (0..rank).map(|axis| unsafe { view(axes.add(axis), &format!("axes[{axis}]")) }).collect()
}

/// Adds the row whose weights are the tensor product of one quadrature rule along each axis of a grid: b is the integral of the
/// grid's field over its box. The grid's values lie in C order from cell `first` on, so that every field, or every time, of a
/// state can have a row. The coordinates are copied.
///
/// @param constraints     the object that gets the row
/// @param rule            a number of enum pcml_rule
/// @param axes            `rank` arrays, the coordinates of each axis, strictly increasing; an axis of one point has weight 1
/// @param rank            number of axes, 1 to PCML_MAX_RANK
/// @param first           cell of the grid's first value
/// @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
/// @return 0, or as pcml_constraints_add_quadrature; PCML_STATUS_SHAPE where the grid leaves the state; after a failure the
///         constraints are as before
///
/// Threads: one at a time for one object. Allocation: the row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_grid_quadrature(
    constraints: *mut pcml_constraints,
    rule: i32,
    axes: *const pcml_const_array,
    rank: i64,
    first: i64,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_grid_quadrature", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let rule = self::rule(rule)?;
        let axes = unsafe { self::axes(axes, rank) }?;
        object.constraints.add_grid_quadrature(rule, &axes, size(first, "first", 0)?, noise_variance)
    })
}

/// Adds rows in compressed sparse form: row k has the weights starts[k] to starts[k + 1] - 1, on the cells of the same places.
/// The arrays are copied.
///
/// @param constraints     the object that gets the rows
/// @param rows            how many, at least 1
/// @param starts          rows + 1 places, from 0 to the number of weights, not decreasing
/// @param cells           one cell a weight, 0 to cells - 1, in any order, none twice in a row
/// @param weights         of any sign, not all 0 in a row
/// @param noise_variance  one s^2 >= 0 a row; NULL: the rows hold exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (a cell out of range or twice in a row, decreasing starts),
///         PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR (a row without weights), PCML_STATUS_NOISE,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_sparse_rows(
    constraints: *mut pcml_constraints,
    rows: i64,
    starts: *const i64,
    cells: *const i64,
    weights: *const f64,
    noise_variance: *const f64,
) -> i32 {
    call("pcml_constraints_add_sparse_rows", || unsafe {
        let object = borrow_mut(constraints, "constraints")?;
        let rows = size(rows, "rows", 1)?;
        let starts = values(starts, rows.saturating_add(1), "starts")?;
        let count = size(starts[rows], "starts[rows]", 0)?;
        let (cells, weights) = (values(cells, count, "cells")?, values(weights, count, "weights")?);
        let noise = if noise_variance.is_null() { None } else { Some(values(noise_variance, rows, "noise_variance")?) };
        object.constraints.add_sparse_rows(starts, cells, weights, noise)
    })
}

/// Adds a row for each node on a face, an edge or a corner of a grid, in C order of the nodes:
/// value u + slope du/dn = b there, n the outward normal. Dirichlet is (1, 0), Neumann (0, 1), Robin both. They hold together with
/// all other rows; time may be an axis, so that b varies with it. Nodes on two faces may get two rows: dependent rows are dropped
/// and reported, contradictory ones refused, by the projection.
///
/// @param constraints     the object that gets the rows
/// @param axes            `rank` arrays, the coordinates of each axis, strictly increasing, any spacing
/// @param rank            number of axes, 1 to PCML_MAX_RANK; the grid's values lie in C order
/// @param first           cell of the grid's first value
/// @param sides           for each axis -1 (its first point), 1 (its last) or 0 (all): a face has one side, an edge two
/// @param axis            whose direction the normal has, one with a side
/// @param value           factor of u
/// @param slope           factor of du/dn, in the unit of length
/// @param order           of the one-sided derivative, 1 to 4 (order + 1 points); not read when slope is 0
/// @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (sides, axis, order), PCML_STATUS_SHAPE (the grid leaves
///         the state, too few points for the order), PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED, PCML_STATUS_SINGULAR when
///         value and slope are 0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_boundary(
    constraints: *mut pcml_constraints,
    axes: *const pcml_const_array,
    rank: i64,
    first: i64,
    sides: *const i32,
    axis: i64,
    value: f64,
    slope: f64,
    order: i32,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_boundary", || unsafe {
        let object = borrow_mut(constraints, "constraints")?;
        let axes = self::axes(axes, rank)?;
        let sides = values(sides, axes.len(), "sides")?;
        if order < 0 && slope != 0.0 {
            return fail!(InvalidArgument, "order is {order}, expected 1 to {MAX_ORDER}");
        }
        let condition = Condition { value, slope, order: order.max(0) as usize };
        let (first, axis) = (size(first, "first", 0)?, size(axis, "axis", 0)?);
        object.constraints.add_boundary(&axes, first, sides, axis, condition, noise_variance)
    })
}

/// Adds a row u_last - u_first = b for each node of the first face across an axis of a grid, in C order: with b = 0 the field is
/// periodic along it.
///
/// @param constraints     the object that gets the rows
/// @param shape           `rank` extents; the grid's values lie in C order
/// @param rank            number of axes, 1 to PCML_MAX_RANK
/// @param first           cell of the grid's first value
/// @param axis            the periodic axis, of at least 2 points
/// @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE,
///         PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_periodic(
    constraints: *mut pcml_constraints,
    shape: *const i64,
    rank: i64,
    first: i64,
    axis: i64,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_periodic", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let rank = size(rank, "rank", 1)?;
        if rank > MAX_RANK {
            return fail!(Shape, "rank is {rank}, expected 1 to {MAX_RANK}");
        }
        let mut extents = [1; MAX_RANK];
        for (axis, n) in unsafe { values(shape, rank, "shape") }?.iter().enumerate() {
            extents[axis] = size(*n, &format!("shape[{axis}]"), 1)?;
        }
        let (first, axis) = (size(first, "first", 0)?, size(axis, "axis", 0)?);
        object.constraints.add_periodic(&extents[..rank], first, axis, noise_variance)
    })
}

/// Adds a row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k width + j]] = b. A width of 1 and a
/// coefficient of 1 set values; a one-sided stencil of the caller's sets a derivative. The arrays are copied.
///
/// @param constraints     the object that gets the rows
/// @param rows            how many, at least 1
/// @param width           terms a row, at least 1
/// @param cells           rows * width cells, 0 to cells - 1, none twice in a row
/// @param coefficients    rows * width of them, or only `width` for all rows where `shared` is not 0
/// @param shared          0 or 1
/// @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
/// @return 0, or as pcml_constraints_add_sparse_rows; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_stencils(
    constraints: *mut pcml_constraints,
    rows: i64,
    width: i64,
    cells: *const i64,
    coefficients: *const f64,
    shared: i32,
    noise_variance: f64,
) -> i32 {
    call("pcml_constraints_add_stencils", || unsafe {
        let object = borrow_mut(constraints, "constraints")?;
        let (rows, width) = (size(rows, "rows", 1)?, size(width, "width", 1)?);
        let all = rows.saturating_mul(width);
        if shared != 0 && shared != 1 {
            return fail!(InvalidArgument, "shared is {shared}, expected 0 or 1");
        }
        let coefficients = values(coefficients, if shared == 0 { all } else { width }, "coefficients")?;
        object.constraints.add_stencils(values(cells, all, "cells")?, coefficients, width, noise_variance)
    })
}

/// Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells
/// are the same, products of two fields of the concatenated state where they differ. Its level comes with each projection. The
/// lists are copied.
///
/// @param constraints  the object that gets the invariant
/// @param terms        number of terms, at least 1
/// @param cells_i      the first cell of each term, 0 to cells - 1
/// @param cells_j      the second cell of each term, 0 to cells - 1
/// @param weights      one weight a term, of any sign, not all 0
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when terms < 1 or a cell is out of range (the text names the
///         term), PCML_STATUS_STRIDE for alignment, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: the invariant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_quadratic(
    constraints: *mut pcml_constraints,
    terms: i64,
    cells_i: *const i64,
    cells_j: *const i64,
    weights: *const f64,
) -> i32 {
    call("pcml_constraints_add_quadratic", || unsafe {
        let object = borrow_mut(constraints, "constraints")?;
        let count = size(terms, "terms", 1)?;
        let (i, j) = (values(cells_i, count, "cells_i")?, values(cells_j, count, "cells_j")?);
        object.constraints.add_quadratic(i, j, values(weights, count, "weights")?)
    })
}

/// Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the
/// volumes. Its level comes with each projection. The weights are copied.
///
/// @param constraints  the object that gets the invariant
/// @param weights      one weight a cell (any shape with that many values), of any sign, not all 0
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
///         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
///         are as before
///
/// Threads: one at a time for one object. Allocation: the invariant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_energy(
    constraints: *mut pcml_constraints,
    weights: *const pcml_const_array,
) -> i32 {
    call("pcml_constraints_add_energy", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        object.constraints.add_energy(unsafe { view(weights, "weights") }?)
    })
}

/// Chooses how pcml_bounded_project brings cells within their bounds, and what it does where no lawful state is within them. Without
/// this call: PCML_BOUNDS_METHOD_NEAREST, PCML_BOUNDS_POLICY_REFUSE. The bounds themselves come with each projection.
///
/// @param constraints  the object
/// @param method       a number of enum pcml_bounds_method
/// @param policy       a number of enum pcml_bounds_policy
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for unknown numbers; after a failure the constraints are as
///         before
///
/// Threads: one at a time for one object. Allocation: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_set_bounds(
    constraints: *mut pcml_constraints,
    method: i32,
    policy: i32,
) -> i32 {
    call("pcml_constraints_set_bounds", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let method = match method {
            1 => Method::Nearest,
            2 => Method::Spread,
            _ => {
                return fail!(
                    InvalidArgument,
                    "method is {method}, expected PCML_BOUNDS_METHOD_NEAREST (1) or PCML_BOUNDS_METHOD_SPREAD (2)"
                );
            }
        };
        let policy = match policy {
            1 => Policy::Refuse,
            2 => Policy::RelaxLeast,
            3 => Policy::RelaxToExtremes,
            _ => {
                return fail!(
                    InvalidArgument,
                    "policy is {policy}, expected PCML_BOUNDS_POLICY_REFUSE (1) to PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES (3)"
                );
            }
        };
        object.constraints.set_bounds(method, policy);
        Ok(())
    })
}

/// Adds that at each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions do.
/// Component c at point p is cell first + c points + p: component after component. Bounds of these cells are not read. Holds in
/// pcml_bounded_project, jointly with the rows (a mass of each component).
///
/// @param constraints  the object that gets the set
/// @param first        its first cell, from 0
/// @param components   how many, at least 2
/// @param points       how many, at least 1
/// @param total        above 0, in the unit of the field
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (sizes, total, cells out of range or in another set); after a
///         failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: a few bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_simplex(
    constraints: *mut pcml_constraints,
    first: i64,
    components: i64,
    points: i64,
    total: f64,
) -> i32 {
    call("pcml_constraints_add_simplex", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let (first, components) = (size(first, "first", 0)?, size(components, "components", 2)?);
        object.constraints.add_simplex(first, components, size(points, "points", 1)?, total)
    })
}

/// Adds that `count` cells from `first` on increase or decrease, not strictly, as a cumulative quantity or a stable density
/// profile does. Bounds of these cells are not read. Holds in pcml_bounded_project, jointly with the rows.
///
/// @param constraints  the object that gets the run
/// @param first        its first cell, from 0
/// @param count        how many cells, at least 2
/// @param direction    a number of enum pcml_direction
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (an unknown direction, cells out of range or in another set);
///         after a failure the constraints are as before
///
/// Threads: one at a time for one object. Allocation: a few bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_constraints_add_monotone(
    constraints: *mut pcml_constraints,
    first: i64,
    count: i64,
    direction: i32,
) -> i32 {
    call("pcml_constraints_add_monotone", || {
        let object = unsafe { borrow_mut(constraints, "constraints") }?;
        let direction = match direction {
            1 => Direction::Increasing,
            2 => Direction::Decreasing,
            _ => {
                return fail!(
                    InvalidArgument,
                    "direction is {direction}, expected PCML_DIRECTION_INCREASING (1) or PCML_DIRECTION_DECREASING (2)"
                );
            }
        };
        object.constraints.add_monotone(size(first, "first", 0)?, size(count, "count", 2)?, direction)
    })
}
