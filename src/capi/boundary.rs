use super::array::{Views, view_mut, views};
use super::{Object, borrow, borrow_mut, call, create, free, pcml_array, pcml_const_array, size, values};
use crate::error::{Result, fail};
use crate::model::boundary::{Boundary, Face, Kind, MOST_STENCIL};

/// Boundary conditions of a field on a grid, a face each: they set the nodes on the faces, exactly, and no other node. Where a value
/// belongs to a face, it comes with each call.
pub struct pcml_boundary {
    pub(super) boundary: Boundary,
}

impl Object for pcml_boundary {
    const TAG: u64 = 0x7063_6d6c_626f_7501;
    const NAME: &'static str = "pcml_boundary";
}

fn kind(value: i32) -> Result<Kind> {
    match value {
        1 => Ok(Kind::Dirichlet),
        2 => Ok(Kind::Neumann),
        3 => Ok(Kind::Periodic),
        _ => fail!(
            InvalidArgument,
            "kind is {value}, expected PCML_BOUNDARY_KIND_DIRICHLET (1) to PCML_BOUNDARY_KIND_PERIODIC (3)"
        ),
    }
}

/// Creates boundary conditions without faces.
///
/// @param boundary  receives the object, NULL on failure; to be freed with pcml_boundary_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT
///
/// Threads: any. Allocation: the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_boundary_create(boundary: *mut *mut pcml_boundary) -> i32 {
    unsafe { create("pcml_boundary_create", boundary, "boundary", || Ok(pcml_boundary { boundary: Boundary::new() })) }
}

/// Frees boundary conditions. NULL is fine; freeing twice is misuse. Options that copied them stay whole. Threads: nobody else uses
/// the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_boundary_free(boundary: *mut pcml_boundary) {
    unsafe { free("pcml_boundary_free", boundary) }
}

/// Adds the condition of a face: u = value (Dirichlet), sum_k stencil[k] u_k / spacing = value (Neumann), or that the first point of
/// the axis is the last (periodic; once an axis, for either side). The order of the faces is that of their values in later calls.
/// The stencil is copied.
///
/// @param boundary  the object that gets the face
/// @param axis      the grid's axis that the face is normal to, 0 to PCML_MAX_RANK - 1
/// @param side      -1: its first point; 1: its last
/// @param kind      a number of enum pcml_boundary_kind
/// @param stencil   Neumann: coefficients at unit spacing of the nodes next to the face, in the order of their coordinates: the
///                  face's own node is the first of side -1 and the last of side 1. Otherwise not read, NULL
/// @param count     how many, 2 to 16; otherwise 0
/// @param spacing   Neumann: the distance of neighbouring points, > 0; 0: that of the model's grid, where a plan has the conditions.
///                  Otherwise 0
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for the stencil's alignment, PCML_STATUS_INVALID_ARGUMENT (axis, side,
///         kind, count, spacing, a face that has a condition already, a face beside a periodic one), PCML_STATUS_NON_FINITE,
///         PCML_STATUS_SINGULAR when the coefficient of the face's own node is 0 or too small to divide by; after a failure the
///         conditions are as before
///
/// Threads: one at a time for one object. Allocation: the face.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_boundary_add_face(
    boundary: *mut pcml_boundary,
    axis: i64,
    side: i32,
    kind: i32,
    stencil: *const f64,
    count: i64,
    spacing: f64,
) -> i32 {
    call("pcml_boundary_add_face", || unsafe {
        let object = borrow_mut(boundary, "boundary")?;
        let (axis, kind) = (size(axis, "axis", 0)?, self::kind(kind)?);
        let stencil = match size(count, "count", 0)? {
            0 => &[],
            // The conditions refuse longer ones, which are not read.
            count => values(stencil, count.min(MOST_STENCIL + 1), "stencil")?,
        };
        let spacing = (spacing != 0.0).then_some(spacing);
        object.boundary.add_face(Face { axis, side, kind, stencil: stencil.to_vec(), spacing })
    })
}

/// Makes a field obey the conditions: any surrogate's output, or a state of the host's. Nodes off the faces are not touched. Periodic
/// pairs get their mean first, then Neumann faces what stencil and value ask for, then Dirichlet faces their values: each kind in the
/// order in which the faces were added, so that stated values hold at edges and corners, and of two the later one.
///
/// @param boundary     the conditions; every Neumann face with a spacing of its own
/// @param field        [batch, n_1, .., n_rank, channels], any strides; is changed at the faces
/// @param rank         axes of the grid, at least 1
/// @param values       an array for each Dirichlet and Neumann face in their order, [batch, the grid without the face's axis, channels]
///                     (axes of extent 1 may be left out, strides of 0 repeat a value); apart from the field. NULL with a count of 0
/// @param value_count  how many
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE (also fewer points than a stencil reads), PCML_STATUS_DTYPE,
///         PCML_STATUS_STRIDE also where values overlap the field, PCML_STATUS_MISMATCH for another number of arrays,
///         PCML_STATUS_INVALID_ARGUMENT (an axis that the grid lacks, a Neumann face without spacing), PCML_STATUS_NON_FINITE for
///         values, and where a face's node would not be finite, PCML_STATUS_SINGULAR for a stencil whose own coefficient is 0. The field is
///         written only on success.
///
/// Threads: any, for fields of their own. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_boundary_enforce(
    boundary: *const pcml_boundary,
    field: *const pcml_array,
    rank: i64,
    values: *const pcml_const_array,
    value_count: i64,
) -> i32 {
    call("pcml_boundary_enforce", || unsafe {
        let boundary = &borrow(boundary, "boundary")?.boundary;
        let mut field = view_mut(field, "field")?;
        boundary.enforce(&mut field, size(rank, "rank", 1)?, views(&mut Views::room(), values, value_count, "values")?)
    })
}
