use super::array::{optional_view, optional_view_mut, view, view_mut};
use super::inference::gradient;
use super::workspace::{create_workspace, lease};
use super::{
    Object, borrow, call, create, free, pcml_array, pcml_const_array, pcml_options, pcml_workspace, size, values,
};
use crate::constraint::{
    FLUX_GRADIENTS, FluxBalance, FluxOptions, FluxReport, FluxScratch, LimitReport, Tangent, UpdateBounds,
};
use crate::error::{Result, fail};

const CREATOR: &str = "pcml_flux_workspace";

/// A mesh whose face fluxes are to close every cell's balance. Immutable: any number of threads may use it at once, each with a
/// workspace of its own.
pub struct pcml_flux {
    balance: FluxBalance,
}

impl Object for pcml_flux {
    const TAG: u64 = 0x7063_6d6c_666c_7801;
    const NAME: &'static str = "pcml_flux";
}

/// What a correction of fluxes did; D F is the outflow less inflow of each cell, s its source. The caller sets struct_size; all
/// else is written on success only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct pcml_flux_report {
    /// sizeof(pcml_flux_report), so that a struct from another header is told
    pub struct_size: i64,
    /// the largest |D F - s| of the predicted fluxes, in their unit
    pub residual_before: f64,
    /// the first cell (from 0) with it
    pub residual_before_cell: i64,
    /// the largest |D F' - s| of the corrected fluxes as stored
    pub residual_after: f64,
    /// the first cell with it
    pub residual_after_cell: i64,
    /// the largest |D F' - s| in units of what is allowed in its cell, 0 to 1
    pub closeness: f64,
    /// sqrt(sum (F' - F)^2 / w) over the faces that are not held: in standard deviations, without a unit
    pub correction_norm: f64,
    /// max |F' - F|, in the unit of the fluxes
    pub largest_correction: f64,
    /// the first face (from 0) with it; 0 when nothing changed
    pub largest_correction_face: i64,
    /// conjugate gradient iterations; 0 with elimination
    pub iterations: i64,
    /// solutions for the potentials: 1, and one more for each refinement; 0 when the fluxes obeyed already
    pub rounds: i32,
    /// a number of enum pcml_flux_method
    pub method: i32,
    /// 1 when rounding or extreme variances made the exact last step along trees of faces necessary, else 0
    pub repaired: i32,
    /// 1 when the fluxes obeyed already and came back as they were, else 0
    pub unchanged: i32,
}

/// What bounds did to an update. The caller sets struct_size; all else is written on success only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct pcml_flux_limits {
    /// sizeof(pcml_flux_limits)
    pub struct_size: i64,
    /// faces whose flux was limited
    pub limited_faces: i64,
    /// the smallest limiter, 0 to 1; 1 where no face was limited
    pub least_limiter: f64,
    /// the first face (from 0) with it; 0 where no face was limited
    pub least_limiter_face: i64,
}

/// A public struct that the caller may ask to be filled.
///
/// # Safety
/// NULL, or a T that begins with its struct_size and is readable and writable.
unsafe fn check_struct<T>(out: *mut T, name: &str) -> Result<()> {
    if out.is_null() {
        return Ok(());
    }
    let expected = size_of::<T>() as i64;
    // SAFETY: not NULL; the caller promises the struct. C may place it unaligned.
    let found = unsafe { out.cast::<i64>().read_unaligned() };
    if found != expected {
        return fail!(Mismatch, "{name}.struct_size is {found}, expected {expected}");
    }
    Ok(())
}

/// # Safety
/// As [`check_struct`], which admitted it.
unsafe fn fill<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller promises a writable struct.
        unsafe { out.write_unaligned(value) };
    }
}

impl pcml_flux_report {
    fn new(r: &FluxReport) -> Self {
        pcml_flux_report {
            struct_size: size_of::<pcml_flux_report>() as i64,
            residual_before: r.residual_before,
            residual_before_cell: r.residual_before_cell as i64,
            residual_after: r.residual_after,
            residual_after_cell: r.residual_after_cell as i64,
            closeness: r.closeness,
            correction_norm: r.correction_norm,
            largest_correction: r.largest_correction,
            largest_correction_face: r.largest_correction_face as i64,
            iterations: r.iterations as i64,
            rounds: r.rounds as i32,
            method: r.method as i32,
            repaired: i32::from(r.repaired),
            unchanged: i32::from(r.unchanged),
        }
    }
}

impl pcml_flux_limits {
    fn new(r: &LimitReport) -> Self {
        pcml_flux_limits {
            struct_size: size_of::<pcml_flux_limits>() as i64,
            limited_faces: r.limited_faces as i64,
            least_limiter: r.least_limiter,
            least_limiter_face: r.least_limiter_face as i64,
        }
    }
}

/// Creates a flux balance for a mesh. The lists and volumes are copied. A positive flux goes from owner to neighbour. Two cells
/// may share several faces; the mesh may fall into parts; a cell need not have a face.
///
/// Meshes on which it is the faster way (of up to about 10^6 cells in two dimensions, 5000 in three) are solved by elimination,
/// whose order and pattern are found here; others by conjugate gradients with agglomeration multigrid, whose time grows nearly
/// with the cells. See pcml_options_set_direct_cells.
///
/// @param faces      number of faces, at least 1
/// @param owner      [faces], the cell (from 0) on one side of each face
/// @param neighbour  [faces], the cell on the other side, or -1 for a boundary face
/// @param volumes    one a cell (any shape), above 0, in any unit; their number is the number of cells
/// @param options    held faces and direct cells are read from it; NULL: all unset
/// @param flux       receives the object, NULL on failure; to be freed with pcml_flux_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for faces < 1, a cell out of range, a face whose cells are
///         the same, a volume not above 0 (all named), PCML_STATUS_NON_FINITE, PCML_STATUS_TOO_LARGE,
///         PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor
///
/// Threads: any. Allocation: the object, about 60 bytes a face; with elimination the pattern of its factors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_create(
    faces: i64,
    owner: *const i64,
    neighbour: *const i64,
    volumes: *const pcml_const_array,
    options: *const pcml_options,
    flux: *mut *mut pcml_flux,
) -> i32 {
    unsafe {
        create("pcml_flux_create", flux, "flux", || {
            let faces = size(faces, "faces", 1)?;
            if faces > isize::MAX as usize / size_of::<i64>() {
                return fail!(TooLarge, "faces is {faces}, beyond the address space");
            }
            let (owner, neighbour) = (values(owner, faces, "owner")?, values(neighbour, faces, "neighbour")?);
            let mut chosen = FluxOptions::default();
            if !options.is_null() {
                let settings = &borrow(options, "options")?.settings;
                chosen.held_faces = settings.held_faces.unwrap_or_default();
                chosen.direct_cells = settings.direct_cells;
            }
            let balance = FluxBalance::new(owner, neighbour, view(volumes, "volumes")?, &chosen)?;
            Ok(pcml_flux { balance })
        })
    }
}

/// Frees a flux balance. NULL is fine; freeing twice is misuse. Its workspaces stay to be freed. Threads: nobody else uses the
/// object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_free(flux: *mut pcml_flux) {
    unsafe { free("pcml_flux_free", flux) }
}

/// Creates a workspace for calls of this flux balance.
///
/// @param flux       the flux balance, and the only one that takes the workspace
/// @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
///
/// Threads: any. Allocation: the object, about 150 bytes a cell and 24 a face, and the factors of the elimination or the levels of
/// the multigrid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_workspace(flux: *const pcml_flux, workspace: *mut *mut pcml_workspace) -> i32 {
    unsafe { create_workspace(CREATOR, flux, "flux", workspace, |flux| flux.balance.scratch()) }
}

/// The nearest fluxes that close every cell's balance: of all F' whose outflow less inflow is s in each cell, the one with the
/// least sum (F' - F)^2 / w.
///
/// |D F' - s| <= 4 eps (sum |F'| + |s|) over the faces of each cell holds for the fluxes as stored, eps of their dtype, plus a
/// smallest subnormal number a face. Fluxes that obey so already come back bit for bit. A bigger variance yields more; with held
/// faces admitted a variance of 0 prescribes that face's flux, such as a wall's. The bits depend on the values and the mesh alone.
///
/// A part of the mesh without a free boundary face (all its boundary held, or none) must have sources whose sum is the net outflow
/// through its held faces, up to 2 eps of its sum (sum |F'| + |s|).
///
/// Arrays have one value a face or a cell, any shape and strides; dtypes may differ. The corrected fluxes may be the predicted
/// ones' own array (same data, dtype, shape and strides) or lie apart from all other arrays.
///
/// @param flux       the flux balance
/// @param workspace  a workspace of this flux balance
/// @param fluxes     F, one a face
/// @param variance   w > 0 (or >= 0 with held faces), one a face, the unit of the fluxes squared; NULL: 1 everywhere
/// @param source     s, one a cell, in the unit of the fluxes: what leaves the cell in all, less what enters; NULL: 0 everywhere
/// @param corrected  receives F', one a face
/// @param report     is filled on success; NULL: not asked for
/// @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_MISMATCH for the workspace of another object or a wrong
///         struct_size, PCML_STATUS_SHAPE, PCML_STATUS_DTYPE, PCML_STATUS_STRIDE for strides, alignment or overlap,
///         PCML_STATUS_TOO_LARGE; PCML_STATUS_NON_FINITE (array and place are named; also where a sum or a result overflows),
///         PCML_STATUS_VARIANCE (the face is named), PCML_STATUS_INFEASIBLE (a cell of the part without outlet is named, and by how
///         much its sources do not fit), PCML_STATUS_NOT_CONVERGED when variances are too far apart (conjugate gradients may give up
///         from about 10 decades on, elimination bears 16 and more). After any failure the arrays and the report are as before.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_correct(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    fluxes: *const pcml_const_array,
    variance: *const pcml_const_array,
    source: *const pcml_const_array,
    corrected: *const pcml_array,
    report: *mut pcml_flux_report,
) -> i32 {
    call("pcml_flux_correct", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        check_struct(report, "report")?;
        let (fluxes, variance) = (view(fluxes, "fluxes")?, optional_view(variance, "variance")?);
        let (source, corrected) = (optional_view(source, "source")?, view_mut(corrected, "corrected")?);
        let done = flux.balance.correct(&mut scratch, fluxes, variance, source, corrected)?;
        fill(report, pcml_flux_report::new(&done));
        Ok(())
    })
}

/// How far every cell's balance is from closing: D F - s, with sums in twice the precision of f64. Checks only: no flux changes.
///
/// @param flux       the flux balance
/// @param workspace  a workspace of this flux balance
/// @param fluxes     F, one a face
/// @param source     s, one a cell; NULL: 0 everywhere
/// @param residual   receives one value a cell, in the unit of the fluxes; lies apart from the other arrays
/// @return 0, or as pcml_flux_correct where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_residual(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    fluxes: *const pcml_const_array,
    source: *const pcml_const_array,
    residual: *const pcml_array,
) -> i32 {
    call("pcml_flux_residual", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        let (fluxes, source) = (view(fluxes, "fluxes")?, optional_view(source, "source")?);
        flux.balance.residual(&mut scratch, fluxes, source, view_mut(residual, "residual")?)
    })
}

/// The derivative of pcml_flux_correct's fluxes in a direction. With q = (F - F') / w: the correction of dF - dw q with sources ds.
///
/// @param flux              the flux balance
/// @param workspace         a workspace of this flux balance
/// @param fluxes            F, one a face
/// @param variance          w, one a face; NULL: 1 everywhere
/// @param source            s, one a cell; NULL: 0 everywhere
/// @param tangent_fluxes    dF, one a face; NULL: 0
/// @param tangent_variance  dw, one a face; NULL: 0
/// @param tangent_source    ds, one a cell; NULL: 0. In a part of the mesh without a free boundary face it sums to its net outflow
///                          through held faces, as sources do, but for 1e-8 of its terms
/// @param tangent           receives dF', one a face; may be tangent_fluxes' own array, else lies apart
/// @return 0, or as pcml_flux_correct: PCML_STATUS_INFEASIBLE also for such sums of ds, and PCML_STATUS_NOT_CONVERGED where a balance of
///         dF' would miss by more than 1e-8 of the largest terms
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_jvp(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    fluxes: *const pcml_const_array,
    variance: *const pcml_const_array,
    source: *const pcml_const_array,
    tangent_fluxes: *const pcml_const_array,
    tangent_variance: *const pcml_const_array,
    tangent_source: *const pcml_const_array,
    tangent: *const pcml_array,
) -> i32 {
    call("pcml_flux_jvp", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        let direction = Tangent {
            mean: optional_view(tangent_fluxes, "tangent_fluxes")?,
            variance: optional_view(tangent_variance, "tangent_variance")?,
            b: optional_view(tangent_source, "tangent_source")?,
        };
        let (fluxes, variance) = (view(fluxes, "fluxes")?, optional_view(variance, "variance")?);
        let (source, tangent) = (optional_view(source, "source")?, view_mut(tangent, "tangent")?);
        flux.balance.jvp(&mut scratch, fluxes, variance, source, direction, tangent)
    })
}

/// The derivatives of <cotangent, F'>, F' of pcml_flux_correct: the transpose of pcml_flux_jvp.
///
/// @param flux               the flux balance
/// @param workspace          a workspace of this flux balance
/// @param fluxes             F, one a face
/// @param variance           w, one a face; NULL: 1 everywhere
/// @param source             s, one a cell; NULL: 0 everywhere
/// @param cotangent          one a face
/// @param gradient_fluxes    receives one a face; NULL: not asked for
/// @param gradient_variance  receives one a face; NULL: not asked for
/// @param gradient_source    receives one a cell, up to a constant in a part of the mesh without a free boundary face; NULL: not asked
///                           for
/// @return 0, or as pcml_flux_jvp; PCML_STATUS_INVALID_ARGUMENT when no gradient is asked for; after a failure the gradients
///         are as before
///
/// The gradients lie apart from each other and from the inputs.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_vjp(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    fluxes: *const pcml_const_array,
    variance: *const pcml_const_array,
    source: *const pcml_const_array,
    cotangent: *const pcml_const_array,
    gradient_fluxes: *const pcml_array,
    gradient_variance: *const pcml_array,
    gradient_source: *const pcml_array,
) -> i32 {
    call("pcml_flux_vjp", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        let (fluxes, variance) = (view(fluxes, "fluxes")?, optional_view(variance, "variance")?);
        let (source, cotangent) = (optional_view(source, "source")?, view(cotangent, "cotangent")?);
        let gradient = gradient([gradient_fluxes, gradient_variance, gradient_source], FLUX_GRADIENTS)?;
        flux.balance.vjp(&mut scratch, fluxes, variance, source, cotangent, gradient)
    })
}

/// The new value of each cell, u' = u - dt / V (sum_out F - sum_in F - q). What leaves a cell through a face enters its neighbour:
/// the integral sum V u changes by dt times sources less net boundary outflow. Sums are in twice the precision of f64 and each new
/// value is rounded once, so that a cell's balance closes up to half an eps of V |u'|, eps of the new state's dtype.
///
/// @param flux       the flux balance
/// @param workspace  a workspace of this flux balance
/// @param dt         the time step, above 0, in the unit of volume times state over flux
/// @param state      u, one a cell
/// @param fluxes     F, one a face
/// @param source     q, one a cell, in the unit of the fluxes; NULL: 0 everywhere
/// @param new_state  receives u', one a cell; may be the state's own array, or lies apart from all other arrays
/// @return 0, PCML_STATUS_INVALID_ARGUMENT when dt is not above 0, or as pcml_flux_correct where it concerns these arguments
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_update(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    dt: f64,
    state: *const pcml_const_array,
    fluxes: *const pcml_const_array,
    source: *const pcml_const_array,
    new_state: *const pcml_array,
) -> i32 {
    call("pcml_flux_update", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        let (state, fluxes) = (view(state, "state")?, view(fluxes, "fluxes")?);
        let source = optional_view(source, "source")?;
        flux.balance.update(&mut scratch, dt, state, fluxes, source, view_mut(new_state, "new_state")?)
    })
}

/// pcml_flux_update with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport, Zalesak
/// 1979): each face's flux F is drawn towards its low-order flux G by one factor for both its cells, F'' = G + a (F - G) with
/// 0 <= a <= 1. A flux that needs no limiting stays bit for bit (rounded towards G where the limited fluxes are of a narrower
/// dtype).
///
/// lower <= u' <= upper holds for the values as stored, without tolerance. u' is the update with F'' as stored, so that what
/// leaves a cell enters its neighbour, with one exception: low-order fluxes are rounded as well, so their update may leave the
/// bounds by up to 4 eps (|u| + dt / V (sum |G| + |q|)), the larger eps of the two storage types. A cell that they carry over its
/// bound so, is put on the bound, and its balance misses by as much at most. Where they stay within, it misses by 2^-90 of such
/// terms at most.
///
/// @param flux       the flux balance
/// @param workspace  a workspace of this flux balance
/// @param dt         the time step, as in pcml_flux_update
/// @param state      u, one a cell
/// @param fluxes     F, one a face
/// @param source     q, one a cell; NULL: 0 everywhere
/// @param lower      the least value of each cell, or -infinity; NULL: no bounds below
/// @param upper      the largest value of each cell, or infinity; NULL: no bounds above
/// @param low_order  G, one a face, whose update stays within the bounds, such as a first-order upwind flux; NULL: 0 everywhere
/// @param new_state  receives u'; may be the state's own array, or lies apart from all other arrays
/// @param limited    receives F''; may be the fluxes' own array, or lies apart from all other arrays; NULL: not asked for
/// @param limits     is filled on success; NULL: not asked for
/// @return 0, PCML_STATUS_INVALID_ARGUMENT when a lower bound lies above the upper one (the cell is named),
///         PCML_STATUS_INFEASIBLE when the update with the low-order fluxes leaves the bounds by more than
///         that (the cell is named) or no number of
///         the new state's dtype lies within them, PCML_STATUS_NOT_CONVERGED near underflow only, or as pcml_flux_update. After
///         any failure the arrays and the limits are as before.
///
/// Threads: any, one workspace each. Allocation: none on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_flux_update_bounded(
    flux: *const pcml_flux,
    workspace: *mut pcml_workspace,
    dt: f64,
    state: *const pcml_const_array,
    fluxes: *const pcml_const_array,
    source: *const pcml_const_array,
    lower: *const pcml_const_array,
    upper: *const pcml_const_array,
    low_order: *const pcml_const_array,
    new_state: *const pcml_array,
    limited: *const pcml_array,
    limits: *mut pcml_flux_limits,
) -> i32 {
    call("pcml_flux_update_bounded", || unsafe {
        let (flux, mut scratch) = lease::<_, FluxScratch>(flux, "flux", workspace, CREATOR)?;
        check_struct(limits, "limits")?;
        let bounds = UpdateBounds {
            lower: optional_view(lower, "lower")?,
            upper: optional_view(upper, "upper")?,
            low_order: optional_view(low_order, "low_order")?,
        };
        let done = flux.balance.update_bounded(
            &mut scratch,
            dt,
            view(state, "state")?,
            view(fluxes, "fluxes")?,
            optional_view(source, "source")?,
            bounds,
            view_mut(new_state, "new_state")?,
            optional_view_mut(limited, "limited")?,
        )?;
        fill(limits, pcml_flux_limits::new(&done));
        Ok(())
    })
}
