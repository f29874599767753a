use super::array::{Views, dtype, pcml_array, pcml_const_array, view, view_mut, views};
use super::options::pcml_options;
use super::plan::plan_options;
use super::workspace::{create_workspace, lease};
use super::{
    Object, borrow, borrow_mut, call, create, free, output, pcml_model, pcml_reduction, pcml_workspace, size, values,
};
use crate::error::{Result, reserved};
use crate::kernels::strided::{View, ViewMut};
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

/// Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be
/// shorter, and this part has some of them. All other arguments are the same on all parts, and each block is some part's.
///
/// Blocks as large as the split allows are fastest: each costs about as much as so many points as the model has modes on all axes but
/// the last. The padding around the grid needs no owner.
///
/// @param model        a neural operator without norm; not needed any more after the call
/// @param dtype        PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either
/// @param options      shape of the whole grid; boundary and threads, which serve the kept modes alone, if they are set; transforms
///                     as anything but fft
/// @param block        points of a block, at least 1
/// @param owned        `owned_count` numbers of blocks, from 0, in any order, none twice
/// @param owned_count  at least 1
/// @param part         receives the object, NULL on failure; to be freed with pcml_operator_part_free
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT for a block of no points, for blocks that are
///         none, twice there or beyond the grid (named), for a shape that is not set or does not fit, and for more than one function
///         or step; PCML_STATUS_STATE for another model or one with norm; PCML_STATUS_TOO_LARGE also for more than 2^30 blocks; and
///         those of pcml_plan_create
///
/// Threads: any. Allocation: the packed weights, and the lines of the grid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_create(
    model: *const pcml_model,
    dtype: i32,
    options: *const pcml_options,
    block: i64,
    owned: *const i64,
    owned_count: i64,
    part: *mut *mut pcml_operator_part,
) -> i32 {
    unsafe {
        create("pcml_operator_part_create", part, "part", || {
            let model = borrow(model, "model")?;
            let dtype = self::dtype(dtype, "part")?;
            let options = match options.is_null() {
                true => Options::default(),
                false => plan_options(&borrow(options, "options")?.settings),
            };
            let owned = values(owned, size(owned_count, "owned_count", 0)?, "owned")?.iter().enumerate();
            let mut blocks = reserved(owned.len(), "owned")?;
            for (i, b) in owned {
                blocks.push(size(*b, &format!("owned[{i}]"), 0)?);
            }
            let part = OperatorPart::new(&model.model, dtype, &options, size(block, "block", 1)?, &blocks)?;
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
/// @param part         the part
/// @param workspace    one of pcml_operator_part_workspace of this part
/// @param reduction    the host's sum over the parts; not NULL
/// @param input        [own points, inputs], the points in C order of the grid, raw units
/// @param values       as in pcml_plan_predict for one function, of the whole faces and the same on all parts; NULL with a count of 0
/// @param value_count  how many
/// @param output       [own points, outputs]: receives the results, raw units (axes of extent 1 may be left out of all arrays)
/// @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
///         NaN or infinity in the arrays, or an overflow in the network; PCML_STATUS_MISMATCH for a workspace of another part, a wrong
///         number of values, a model, grid, block or boundary values that differ between parts, or blocks that do not make the grid;
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
    values: *const pcml_const_array,
    value_count: i64,
    output: *const pcml_array,
) -> i32 {
    call("pcml_operator_part_predict", || unsafe {
        let reduction = borrow_mut(reduction, "reduction")?;
        let mut sum = |values: &mut [i64]| reduction.sum(values);
        let room = &mut Views::room();
        let arguments = move || -> Result<(_, View, &[View], ViewMut)> {
            let room = room;
            Ok((
                lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?,
                view(input, "input")?,
                views(room, values, value_count, "values")?,
                view_mut(output, "output")?,
            ))
        };
        match arguments() {
            Err(error) => Err(abstain(error, &mut sum)),
            Ok(((part, mut scratch), input, values, mut output)) => {
                part.part.predict(&mut scratch, &input, values, &mut output, &mut sum)
            }
        }
    })
}

/// pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message. As
/// long as `count` is not 0 the host replaces the message by its sum over all parts and calls pcml_operator_part_continue, then
/// pcml_operator_part_finish.
///
/// What is wrong with this part's values and shapes is told by the next call, to all parts at once. After a failure here, of a
/// handle or a descriptor, this part has no message and the host must stop the other parts.
///
/// @param part         as in pcml_operator_part_predict
/// @param workspace    one of pcml_operator_part_workspace of this part
/// @param input        this part's input; not read after the call
/// @param values       boundary values; not read after the call
/// @param value_count  how many arrays
/// @param dtype        PCML_DTYPE_F32 or PCML_DTYPE_F64: of the output
/// @param message      receives the message, `count` integers that belong to the workspace until the next call with it
/// @param count        receives their number
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH, PCML_STATUS_HANDLE, PCML_STATUS_DTYPE, PCML_STATUS_INVALID_ARGUMENT for a
///         count < 0, or those of an array descriptor; after a failure `message` is NULL and `count` 0
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_begin(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    input: *const pcml_const_array,
    values: *const pcml_const_array,
    value_count: i64,
    dtype: i32,
    message: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_operator_part_begin", || unsafe {
        let (message, count) = (output(message, "message")?, output(count, "count")?);
        (*message, *count) = (std::ptr::null_mut(), 0);
        let (part, mut scratch) = lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?;
        let mut room = Views::room();
        let (input, values) = (view(input, "input")?, views(&mut room, values, value_count, "values")?);
        part.part.begin(&mut scratch, &input, values, self::dtype(dtype, "output")?)?;
        let own = scratch.message();
        (*message, *count) = (own.as_mut_ptr(), own.len() as i64);
        Ok(())
    })
}

/// Reads the sum over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message, or
/// gives a count of 0 when the results wait for pcml_operator_part_finish.
///
/// @param part       the part
/// @param workspace  the one that it began with
/// @param message    receives the next message, as in pcml_operator_part_begin
/// @param count      receives its length; 0: all is said
/// @return 0, or as pcml_operator_part_predict; PCML_STATUS_STATE when nothing is under way. After a failure the prediction is over.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_operator_part_continue(
    part: *const pcml_operator_part,
    workspace: *mut pcml_workspace,
    message: *mut *mut i64,
    count: *mut i64,
) -> i32 {
    call("pcml_operator_part_continue", || unsafe {
        let (message, count) = (output(message, "message")?, output(count, "count")?);
        (*message, *count) = (std::ptr::null_mut(), 0);
        let (part, mut scratch) = lease::<_, OperatorScratch>(part, "part", workspace, CREATOR)?;
        if part.part.advance(&mut scratch)? {
            let own = scratch.message();
            (*message, *count) = (own.as_mut_ptr(), own.len() as i64);
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
