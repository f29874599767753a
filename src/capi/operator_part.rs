use super::array::{dtype, pcml_array, pcml_const_array, view, view_mut};
use super::workspace::{create_workspace, lease};
use super::{
    Object, borrow, borrow_mut, call, create, free, output, pcml_model, pcml_reduction, pcml_workspace, size, values,
};
use crate::error::{Result, fail};
use crate::kernels::strided::{View, ViewMut};
use crate::model::fno::MOST_AXES;
use crate::model::{OperatorPart, OperatorScratch, Options};
use crate::reduce::abstain;

/// One part of a neural operator on a grid that lies in parts, one in each process: immutable, to be shared by threads. The model may
/// be freed before it.
pub struct pcml_operator_part {
    part: OperatorPart,
}

impl Object for pcml_operator_part {
    const TAG: u64 = 0x7063_6d6c_6f70_7001;
    const NAME: &'static str = "pcml_operator_part";
}

const CREATOR: &str = "pcml_operator_part_workspace";

/// Most faces of a grid.
const FACES: usize = 2 * MOST_AXES;

/// Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be
/// shorter, and this part has some of them. All other arguments are the same on all parts, and each block is some part's.
///
/// Blocks as large as the split allows are fastest: each costs about as much as so many points as the model has modes on all axes but
/// the last. The padding around the grid needs no owner.
///
/// @param model        a neural operator without norm; not needed any more after the call
/// @param dtype        PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either
/// @param shape        `rank` extents of the whole grid
/// @param rank         as many as the model has axes
/// @param block        points of a block, at least 1
/// @param owned        `owned_count` numbers of blocks, from 0, in any order, none twice
/// @param owned_count  at least 1
/// @param part         receives the object, NULL on failure; to be freed with pcml_operator_part_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT for a rank, an extent, a block or blocks that
///         are none, twice there or beyond the grid (named); PCML_STATUS_SHAPE for fewer points than modes or than the
///         conditions of the model need; PCML_STATUS_STATE for another model or one with norm; PCML_STATUS_TOO_LARGE (more than
///         2^30 blocks); PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the packed weights, and the lines of the grid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_create(
    model: *const pcml_model,
    dtype: i32,
    shape: *const i64,
    rank: i64,
    block: i64,
    owned: *const i64,
    owned_count: i64,
    part: *mut *mut pcml_operator_part,
) -> i32 {
    unsafe {
        create("pcml_operator_part_create", part, "part", || {
            let model = borrow(model, "model")?;
            let dtype = self::dtype(dtype, "part")?;
            let list = |data: *const i64, count: i64, name: &str, least: i64| -> Result<Vec<usize>> {
                let values = values(data, size(count, &format!("{name}'s length"), 0)?, name)?;
                values.iter().enumerate().map(|(i, v)| size(*v, &format!("{name}[{i}]"), least)).collect()
            };
            let shape = list(shape, rank, "shape", 1)?;
            let owned = list(owned, owned_count, "owned", 0)?;
            let options = Options { shape: Some(shape), ..Options::default() };
            let part = OperatorPart::new(&model.model, dtype, &options, size(block, "block", 1)?, &owned)?;
            Ok(pcml_operator_part { part })
        })
    }
}

/// Frees a part; its workspaces are to be freed on their own. NULL is fine; freeing twice is misuse.
///
/// Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_free(part: *mut pcml_operator_part) {
    unsafe { free("pcml_operator_part_free", part) }
}

/// Creates the scratch memory of a part: one a thread.
///
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: all that later calls need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_workspace(
    part: *const pcml_operator_part,
    workspace: *mut *mut pcml_workspace,
) -> i32 {
    unsafe { create_workspace(CREATOR, part, "part", workspace, |part| part.part.scratch()) }
}

/// The arrays that a call reads.
struct Fields<'a> {
    input: View<'a>,
    /// As many as are given; the rest is filler.
    faces: [View<'a>; FACES],
    count: usize,
}

impl<'a> Fields<'a> {
    fn faces(&self) -> &[View<'a>] {
        &self.faces[..self.count]
    }
}

unsafe fn fields<'a>(
    input: *const pcml_const_array,
    faces: *const pcml_const_array,
    face_count: i64,
) -> Result<Fields<'a>> {
    let input = unsafe { view(input, "input") }?;
    let count = size(face_count, "face_count", 0)?;
    if count > FACES {
        return fail!(Mismatch, "face_count is {count}, expected at most {FACES}, the faces of a grid");
    }
    if count > 0 && faces.is_null() {
        return fail!(NullArgument, "faces is NULL, expected {count} arrays");
    }
    let mut fields = Fields { input, faces: [input; FACES], count };
    for (i, face) in fields.faces[..count].iter_mut().enumerate() {
        const NAMES: [&str; FACES] = ["faces[0]", "faces[1]", "faces[2]", "faces[3]", "faces[4]", "faces[5]"];
        *face = unsafe { view(faces.add(i), NAMES[i]) }?;
    }
    Ok(fields)
}

/// Predicts one function on a grid in parts: every part calls it with its own points and gets the results there. They differ from those
/// of a plan for the whole grid by rounding.
///
/// A point's bits do not depend on which part has which block, nor on the order of the parts (1 to 2^20): all that parts share are sums
/// of integers. Boundary values are exact where Dirichlet conditions are.
///
/// The reduction is called for 52 integers; where conditions read other nodes (periodic and Neumann ones, and the published smoothing)
/// for the input near the faces; then for each layer of the model for some hundreds and for one integer a component of the kept
/// modes; last for five. All parts are called equally often with the same counts. A part whose arguments or values are refused takes
/// part in the first call all the same, and all parts return its status; only a reduction that is itself NULL or no reduction keeps
/// a part away, and then the others wait.
///
/// @param part        the part
/// @param workspace   one of pcml_operator_part_workspace of this part
/// @param reduction   the host's sum over the parts; not NULL
/// @param input       [own points, inputs], the points in C order of the grid, raw units
/// @param faces       `face_count` arrays one after the other, of the whole faces and the same on all parts: for each face of the
///                    model's conditions that has a value, in their order, [grid without the face's axis, outputs], raw units;
///                    NULL for none
/// @param face_count  how many
/// @param output      [own points, outputs]: receives the results, raw units (axes of extent 1 may be left out of all arrays)
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
///         NaN or infinity in the arrays, or an overflow in the network; PCML_STATUS_MISMATCH for a workspace of another part, a wrong
///         number of faces, a model, grid, block or boundary values that differ between parts, or blocks that do not make the grid;
///         PCML_STATUS_HANDLE; on all parts alike. PCML_STATUS_REDUCTION when the host's sum failed or is none. After any failure
///         the output is as before, for the last reduction comes before the first write; where a reduction fails on some parts
///         only, the others may have written.
///
/// Threads: any, one workspace and reduction each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_predict(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    reduction: *mut pcml_reduction,
    input: *const pcml_const_array,
    faces: *const pcml_const_array,
    face_count: i64,
    output: *const pcml_array,
) -> i32 {
    call("pcml_operator_part_predict", || unsafe {
        let reduction = borrow_mut(reduction, "reduction")?;
        let mut sum = |values: &mut [i64]| reduction.sum(values);
        let arguments = || -> Result<(_, Fields, ViewMut)> {
            Ok((
                lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?,
                fields(input, faces, face_count)?,
                view_mut(output, "output")?,
            ))
        };
        match arguments() {
            Err(error) => Err(abstain(error, &mut sum)),
            Ok(((part, mut scratch), fields, mut output)) => {
                part.part.predict(&mut scratch, &fields.input, fields.faces(), &mut output, &mut sum)
            }
        }
    })
}

/// pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message. As
/// long as `count` is not 0 the host replaces the values by their sums over all parts and calls pcml_operator_part_continue, then
/// pcml_operator_part_finish.
///
/// What is wrong with this part's values and shapes is told by the next call, to all parts at once. After a failure here, of a
/// handle or a descriptor, this part has no message and the host must stop the other parts.
///
/// @param part        as in pcml_operator_part_predict
/// @param workspace   one of pcml_operator_part_workspace of this part
/// @param input       this part's input; not read after the call
/// @param faces       `face_count` arrays of boundary values; not read after the call
/// @param face_count  how many
/// @param dtype       PCML_DTYPE_F32 or PCML_DTYPE_F64: of the output
/// @param values      receives the message, `count` integers that belong to the workspace until the next call with it
/// @param count       receives their number
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH, PCML_STATUS_HANDLE, PCML_STATUS_DTYPE, or those of an array descriptor
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_begin(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    faces: *const pcml_const_array,
    face_count: i64,
    dtype: i32,
    values: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_operator_part_begin", || unsafe {
        let (values, count) = (output(values, "values")?, output(count, "count")?);
        (*values, *count) = (std::ptr::null_mut(), 0);
        let (part, mut scratch) = lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?;
        let fields = fields(input, faces, face_count)?;
        part.part.begin(&mut scratch, &fields.input, fields.faces(), self::dtype(dtype, "output")?)?;
        let message = scratch.message();
        (*values, *count) = (message.as_mut_ptr(), message.len() as i64);
        Ok(())
    })
}

/// Reads the sums over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message, or
/// gives a count of 0 when the results wait for pcml_operator_part_finish.
///
/// @param part       the part
/// @param workspace  the one that it began with
/// @param values     receives the next message, as in pcml_operator_part_begin
/// @param count      receives its length; 0: all is said
/// @return 0, or as pcml_operator_part_predict; PCML_STATUS_STATE when nothing is under way. After a failure the prediction is over.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_continue(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    values: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_operator_part_continue", || unsafe {
        let (values, count) = (output(values, "values")?, output(count, "count")?);
        (*values, *count) = (std::ptr::null_mut(), 0);
        let (part, mut scratch) = lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?;
        if part.part.advance(&mut scratch)? {
            let message = scratch.message();
            (*values, *count) = (message.as_mut_ptr(), message.len() as i64);
        }
        Ok(())
    })
}

/// Writes the results at this part's points, once pcml_operator_part_continue gave a count of 0.
///
/// @param part       the part
/// @param workspace  the one that it began with
/// @param output     [own points, outputs], of the dtype that it began with: receives the results, raw units
/// @return 0, PCML_STATUS_STATE before that or for another dtype, PCML_STATUS_SHAPE, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH,
///         PCML_STATUS_HANDLE, or those of an array descriptor
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_finish(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    output: *const pcml_array,
) -> i32 {
    call("pcml_operator_part_finish", || unsafe {
        let (part, mut scratch) = lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?;
        part.part.finish(&mut scratch, &mut view_mut(output, "output")?)
    })
}
