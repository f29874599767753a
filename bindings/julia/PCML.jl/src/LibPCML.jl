# The C interface of pcml as it is. Module PCML around it is the comfortable way; include/pcml.h is the manual of every function.
#
# Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
#
# Enums       Each number as a constant of its C name, and all of an enum by their short names in a named tuple of the enum's name.
# Handles     Ptr{pcml_model} and so on; what creates one takes a Ref to such a pointer. Free each once.
# Structs     Isbits; where C writes one, pass a Ref. Without arguments they are all zero but for struct_size.
# Addresses   Each function is called through an address that `find!` looks up when the library is opened, so that no path is fixed
#             when the package is compiled.
# Numbering   Cells, rows, slices, axes count from 0, as in C. Axis 0 is the first index of a Julia array given with its own strides.
module LibPCML

using Libdl: dlsym

const PCML_VERSION_MAJOR = 0
const PCML_VERSION_MINOR = 1
const PCML_VERSION_PATCH = 0
# Integers of an exact sum (pcml_sum_bins).
const PCML_SUM_BINS = 69
# Largest rank of an array.
const PCML_MAX_RANK = 8

# What a call returns. 0 is success; every other number keeps its meaning for ever.
const PCML_STATUS_OK = Int32(0)
const PCML_STATUS_NULL_ARGUMENT = Int32(1)
const PCML_STATUS_INVALID_ARGUMENT = Int32(2)
const PCML_STATUS_SHAPE = Int32(3)
const PCML_STATUS_STRIDE = Int32(4)
const PCML_STATUS_DTYPE = Int32(5)
const PCML_STATUS_NON_FINITE = Int32(6)
const PCML_STATUS_NOT_SORTED = Int32(7)
const PCML_STATUS_VARIANCE = Int32(8)
const PCML_STATUS_NOISE = Int32(9)
const PCML_STATUS_SINGULAR = Int32(10)
const PCML_STATUS_NOT_CONVERGED = Int32(11)
const PCML_STATUS_IO = Int32(12)
const PCML_STATUS_FILE_FORMAT = Int32(13)
const PCML_STATUS_FILE_VERSION = Int32(14)
const PCML_STATUS_FILE_DESCRIPTION = Int32(15)
const PCML_STATUS_WEIGHTS = Int32(16)
const PCML_STATUS_SELF_TEST = Int32(17)
const PCML_STATUS_TOO_LARGE = Int32(18)
const PCML_STATUS_OUT_OF_MEMORY = Int32(19)
const PCML_STATUS_MISMATCH = Int32(20)
const PCML_STATUS_HANDLE = Int32(21)
const PCML_STATUS_STATE = Int32(22)
const PCML_STATUS_PANIC = Int32(23)
const PCML_STATUS_REDUCTION = Int32(24)
const PCML_STATUS_INFEASIBLE = Int32(25)
const PCML_STATUS_CONTRADICTION = Int32(26)
const pcml_status = (
    ok = PCML_STATUS_OK,
    null_argument = PCML_STATUS_NULL_ARGUMENT,
    invalid_argument = PCML_STATUS_INVALID_ARGUMENT,
    shape = PCML_STATUS_SHAPE,
    stride = PCML_STATUS_STRIDE,
    dtype = PCML_STATUS_DTYPE,
    non_finite = PCML_STATUS_NON_FINITE,
    not_sorted = PCML_STATUS_NOT_SORTED,
    variance = PCML_STATUS_VARIANCE,
    noise = PCML_STATUS_NOISE,
    singular = PCML_STATUS_SINGULAR,
    not_converged = PCML_STATUS_NOT_CONVERGED,
    io = PCML_STATUS_IO,
    file_format = PCML_STATUS_FILE_FORMAT,
    file_version = PCML_STATUS_FILE_VERSION,
    file_description = PCML_STATUS_FILE_DESCRIPTION,
    weights = PCML_STATUS_WEIGHTS,
    self_test = PCML_STATUS_SELF_TEST,
    too_large = PCML_STATUS_TOO_LARGE,
    out_of_memory = PCML_STATUS_OUT_OF_MEMORY,
    mismatch = PCML_STATUS_MISMATCH,
    handle = PCML_STATUS_HANDLE,
    state = PCML_STATUS_STATE,
    panic = PCML_STATUS_PANIC,
    reduction = PCML_STATUS_REDUCTION,
    infeasible = PCML_STATUS_INFEASIBLE,
    contradiction = PCML_STATUS_CONTRADICTION,
)

# The storage type of an array.
const PCML_DTYPE_F32 = Int32(1)
const PCML_DTYPE_F64 = Int32(2)
const pcml_dtype = (
    f32 = PCML_DTYPE_F32,
    f64 = PCML_DTYPE_F64,
)

# A quadrature rule: which weights turn cell values at points `x_0 < ... < x_(n-1)` into the integral over `[x_0, x_(n-1)]`.
const PCML_RULE_TRAPEZOID = Int32(1)
const PCML_RULE_LEFT = Int32(2)
const PCML_RULE_RIGHT = Int32(3)
const PCML_RULE_SIMPSON = Int32(4)
const pcml_rule = (
    trapezoid = PCML_RULE_TRAPEZOID,
    left = PCML_RULE_LEFT,
    right = PCML_RULE_RIGHT,
    simpson = PCML_RULE_SIMPSON,
)

# The prior covariance Sigma, which is the metric of the correction, and the data of it that come with each call.
const PCML_PRIOR_IDENTITY = Int32(1)
const PCML_PRIOR_DIAGONAL = Int32(2)
const PCML_PRIOR_SCALAR = Int32(3)
const PCML_PRIOR_COVARIANCE_BAND = Int32(4)
const PCML_PRIOR_PRECISION_BAND = Int32(5)
const PCML_PRIOR_LOW_RANK = Int32(6)
const PCML_PRIOR_ENSEMBLE = Int32(7)
const PCML_PRIOR_DENSE = Int32(8)
const PCML_PRIOR_SMOOTHED = Int32(9)
const pcml_prior = (
    identity = PCML_PRIOR_IDENTITY,
    diagonal = PCML_PRIOR_DIAGONAL,
    scalar = PCML_PRIOR_SCALAR,
    covariance_band = PCML_PRIOR_COVARIANCE_BAND,
    precision_band = PCML_PRIOR_PRECISION_BAND,
    low_rank = PCML_PRIOR_LOW_RANK,
    ensemble = PCML_PRIOR_ENSEMBLE,
    dense = PCML_PRIOR_DENSE,
    smoothed = PCML_PRIOR_SMOOTHED,
)

# A value of a report, with mu the prior mean and u the posterior mean as stored: of a row (1 to 4, 10), or of the whole slice.
const PCML_REPORT_ITEM_RESIDUAL_BEFORE = Int32(1)
const PCML_REPORT_ITEM_RESIDUAL_AFTER = Int32(2)
const PCML_REPORT_ITEM_TOLERANCE = Int32(3)
const PCML_REPORT_ITEM_MULTIPLIER = Int32(4)
const PCML_REPORT_ITEM_CORRECTION_NORM = Int32(5)
const PCML_REPORT_ITEM_LARGEST_CORRECTION = Int32(6)
const PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL = Int32(7)
const PCML_REPORT_ITEM_REPAIRS = Int32(8)
const PCML_REPORT_ITEM_UNCHANGED = Int32(9)
const PCML_REPORT_ITEM_DROPPED = Int32(10)
const PCML_REPORT_ITEM_ITERATIONS = Int32(11)
const PCML_REPORT_ITEM_ACTIVE_LOWER = Int32(12)
const PCML_REPORT_ITEM_ACTIVE_UPPER = Int32(13)
const PCML_REPORT_ITEM_RELAXED = Int32(14)
const PCML_REPORT_ITEM_RELAXATION = Int32(15)
const pcml_report_item = (
    residual_before = PCML_REPORT_ITEM_RESIDUAL_BEFORE,
    residual_after = PCML_REPORT_ITEM_RESIDUAL_AFTER,
    tolerance = PCML_REPORT_ITEM_TOLERANCE,
    multiplier = PCML_REPORT_ITEM_MULTIPLIER,
    correction_norm = PCML_REPORT_ITEM_CORRECTION_NORM,
    largest_correction = PCML_REPORT_ITEM_LARGEST_CORRECTION,
    largest_correction_cell = PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL,
    repairs = PCML_REPORT_ITEM_REPAIRS,
    unchanged = PCML_REPORT_ITEM_UNCHANGED,
    dropped = PCML_REPORT_ITEM_DROPPED,
    iterations = PCML_REPORT_ITEM_ITERATIONS,
    active_lower = PCML_REPORT_ITEM_ACTIVE_LOWER,
    active_upper = PCML_REPORT_ITEM_ACTIVE_UPPER,
    relaxed = PCML_REPORT_ITEM_RELAXED,
    relaxation = PCML_REPORT_ITEM_RELAXATION,
)

# How the potentials of a correction were found.
const PCML_FLUX_METHOD_NONE = Int32(0)
const PCML_FLUX_METHOD_ELIMINATION = Int32(1)
const PCML_FLUX_METHOD_CONJUGATE_GRADIENTS = Int32(2)
const pcml_flux_method = (
    none = PCML_FLUX_METHOD_NONE,
    elimination = PCML_FLUX_METHOD_ELIMINATION,
    conjugate_gradients = PCML_FLUX_METHOD_CONJUGATE_GRADIENTS,
)

# How cells are brought within their bounds while the rows hold.
const PCML_BOUNDS_METHOD_NEAREST = Int32(1)
const PCML_BOUNDS_METHOD_SPREAD = Int32(2)
const pcml_bounds_method = (
    nearest = PCML_BOUNDS_METHOD_NEAREST,
    spread = PCML_BOUNDS_METHOD_SPREAD,
)

# What becomes of bounds that no lawful state meets.
const PCML_BOUNDS_POLICY_REFUSE = Int32(1)
const PCML_BOUNDS_POLICY_RELAX_LEAST = Int32(2)
const PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES = Int32(3)
const pcml_bounds_policy = (
    refuse = PCML_BOUNDS_POLICY_REFUSE,
    relax_least = PCML_BOUNDS_POLICY_RELAX_LEAST,
    relax_to_extremes = PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES,
)

# The direction of a monotone profile.
const PCML_DIRECTION_INCREASING = Int32(1)
const PCML_DIRECTION_DECREASING = Int32(2)
const pcml_direction = (
    increasing = PCML_DIRECTION_INCREASING,
    decreasing = PCML_DIRECTION_DECREASING,
)

# A condition.
const PCML_BOUNDARY_KIND_DIRICHLET = Int32(1)
const PCML_BOUNDARY_KIND_NEUMANN = Int32(2)
const PCML_BOUNDARY_KIND_PERIODIC = Int32(3)
const pcml_boundary_kind = (
    dirichlet = PCML_BOUNDARY_KIND_DIRICHLET,
    neumann = PCML_BOUNDARY_KIND_NEUMANN,
    periodic = PCML_BOUNDARY_KIND_PERIODIC,
)

# A stationary covariance function: the correlation of two points whose scaled distance is r, r^2 = sum_k ((x_k - x'_k) / length_k)^2.
const PCML_KERNEL_RBF = Int32(1)
const PCML_KERNEL_MATERN12 = Int32(2)
const PCML_KERNEL_MATERN32 = Int32(3)
const PCML_KERNEL_MATERN52 = Int32(4)
const pcml_kernel = (
    rbf = PCML_KERNEL_RBF,
    matern12 = PCML_KERNEL_MATERN12,
    matern32 = PCML_KERNEL_MATERN32,
    matern52 = PCML_KERNEL_MATERN52,
)

# What a fit of a Gaussian process moves: a sum of these.
const PCML_FITTED_SIGNAL_VARIANCE = Int32(1)
const PCML_FITTED_LENGTH_SCALES = Int32(2)
const PCML_FITTED_NOISE_VARIANCE = Int32(4)
const PCML_FITTED_MEANS = Int32(8)
const pcml_fitted = (
    signal_variance = PCML_FITTED_SIGNAL_VARIANCE,
    length_scales = PCML_FITTED_LENGTH_SCALES,
    noise_variance = PCML_FITTED_NOISE_VARIANCE,
    means = PCML_FITTED_MEANS,
)

# How neural operators go from points to kept modes and back, axis by axis.
const PCML_TRANSFORMS_AUTO = Int32(1)
const PCML_TRANSFORMS_MATRIX = Int32(2)
const PCML_TRANSFORMS_FFT = Int32(3)
const pcml_transforms = (
    auto = PCML_TRANSFORMS_AUTO,
    matrix = PCML_TRANSFORMS_MATRIX,
    fft = PCML_TRANSFORMS_FFT,
)

struct pcml_boundary end
struct pcml_constraints end
struct pcml_flux end
struct pcml_model end
struct pcml_operator_part end
struct pcml_options end
struct pcml_plan end
struct pcml_projector end
struct pcml_reduction end
struct pcml_report end
struct pcml_workspace end

# An array that the library writes.
struct pcml_array
    # sizeof(pcml_array), so that a struct from another header is told
    struct_size::Int64
    # the element with index (0, ..., 0), aligned to the dtype
    data::Ptr{Cvoid}
    # PCML_DTYPE_F32 or PCML_DTYPE_F64
    dtype::Int32
    # number of axes, 1 to PCML_MAX_RANK
    rank::Int32
    # extents, first axis first, each at least 1; entries from `rank` on are not read
    shape::NTuple{8, Int64}
    # steps in elements, negative or in any order; no two indices may name one element
    strides::NTuple{8, Int64}
end
pcml_array() =
    pcml_array(sizeof(pcml_array), C_NULL, zero(Int32), zero(Int32), ntuple(_ -> zero(Int64), 8), ntuple(_ -> zero(Int64), 8))

# An array that the library reads.
struct pcml_const_array
    # sizeof(pcml_const_array)
    struct_size::Int64
    # the element with index (0, ..., 0), aligned to the dtype
    data::Ptr{Cvoid}
    # PCML_DTYPE_F32 or PCML_DTYPE_F64
    dtype::Int32
    # number of axes, 1 to PCML_MAX_RANK
    rank::Int32
    # extents, first axis first, each at least 1; entries from `rank` on are not read
    shape::NTuple{8, Int64}
    # steps in elements, of any sign and order
    strides::NTuple{8, Int64}
end
pcml_const_array() =
    pcml_const_array(sizeof(pcml_const_array), C_NULL, zero(Int32), zero(Int32), ntuple(_ -> zero(Int64), 8), ntuple(_ -> zero(Int64), 8))

# What a correction of fluxes did; D F is the outflow less inflow of each cell, s its source.
struct pcml_flux_report
    # sizeof(pcml_flux_report), so that a struct from another header is told
    struct_size::Int64
    # the largest |D F - s| of the predicted fluxes, in their unit
    residual_before::Float64
    # the first cell (from 0) with it
    residual_before_cell::Int64
    # the largest |D F' - s| of the corrected fluxes as stored
    residual_after::Float64
    # the first cell with it
    residual_after_cell::Int64
    # the largest |D F' - s| in units of what is allowed in its cell, 0 to 1
    closeness::Float64
    # sqrt(sum (F' - F)^2 / w) over the faces that are not held: in standard deviations, without a unit
    correction_norm::Float64
    # max |F' - F|, in the unit of the fluxes
    largest_correction::Float64
    # the first face (from 0) with it; 0 when nothing changed
    largest_correction_face::Int64
    # conjugate gradient iterations; 0 with elimination
    iterations::Int64
    # solutions for the potentials: 1, and one more for each refinement; 0 when the fluxes obeyed already
    rounds::Int32
    # a number of enum pcml_flux_method
    method::Int32
    # 1 when rounding or extreme variances made the exact last step along trees of faces necessary, else 0
    repaired::Int32
    # 1 when the fluxes obeyed already and came back as they were, else 0
    unchanged::Int32
end
pcml_flux_report() =
    pcml_flux_report(sizeof(pcml_flux_report), zero(Float64), zero(Int64), zero(Float64), zero(Int64), zero(Float64), zero(Float64),
        zero(Float64), zero(Int64), zero(Int64), zero(Int32), zero(Int32), zero(Int32), zero(Int32))

# What bounds did to an update.
struct pcml_flux_limits
    # sizeof(pcml_flux_limits)
    struct_size::Int64
    # faces whose flux was limited
    limited_faces::Int64
    # the smallest limiter, 0 to 1; 1 where no face was limited
    least_limiter::Float64
    # the first face (from 0) with it; 0 where no face was limited
    least_limiter_face::Int64
end
pcml_flux_limits() =
    pcml_flux_limits(sizeof(pcml_flux_limits), zero(Int64), zero(Float64), zero(Int64))

# What pcml_model_fit tells.
struct pcml_fit_report
    # sizeof(pcml_fit_report)
    struct_size::Int64
    # log N(y; m, K + noise) of the raw values at the end, summed over functions and outputs
    log_likelihood::Float64
    # the same at the model's own hyperparameters; NaN where their kernel matrix is singular
    log_likelihood_before::Float64
    # added to the kernel matrix's diagonal at the end, as a part of the signal variance; 0: nothing
    jitter::Float64
    # iterations of the search that won
    iterations::Int64
    # evaluations of likelihood and gradient in all searches
    evaluations::Int64
    # which search won: 0 is that from the model's own hyperparameters, the others are restarts
    search::Int64
    # 1: its gradient vanished, but against bounds, or no step beyond rounding raised the likelihood; 0: the iterations ran out
    converged::Int64
end
pcml_fit_report() =
    pcml_fit_report(sizeof(pcml_fit_report), zero(Float64), zero(Float64), zero(Float64), zero(Int64), zero(Int64), zero(Int64),
        zero(Int64))

# Creates boundary conditions without faces.
const pcml_boundary_create_address = Ref(C_NULL)
@inline pcml_boundary_create(boundary) =
    ccall(pcml_boundary_create_address[], Int32,
        (Ptr{Ptr{pcml_boundary}},),
        boundary)

# Frees boundary conditions.
const pcml_boundary_free_address = Ref(C_NULL)
@inline pcml_boundary_free(boundary) =
    ccall(pcml_boundary_free_address[], Cvoid,
        (Ptr{pcml_boundary},),
        boundary)

# Adds the condition of a face: u = value (Dirichlet), sum_k stencil[k] u_k / spacing = value (Neumann), or that the first point of the axis
# is the last (periodic; once an axis, for either side).
const pcml_boundary_add_face_address = Ref(C_NULL)
@inline pcml_boundary_add_face(boundary, axis, side, kind, stencil, count, spacing) =
    ccall(pcml_boundary_add_face_address[], Int32,
        (Ptr{pcml_boundary}, Int64, Int32, Int32, Ptr{Float64}, Int64, Float64),
        boundary, axis, side, kind, stencil, count, spacing)

# Makes a field obey the conditions: any surrogate's output, or a state of the host's.
const pcml_boundary_enforce_address = Ref(C_NULL)
@inline pcml_boundary_enforce(boundary, field, rank, values, value_count) =
    ccall(pcml_boundary_enforce_address[], Int32,
        (Ptr{pcml_boundary}, Ptr{pcml_array}, Int64, Ptr{pcml_const_array}, Int64),
        boundary, field, rank, values, value_count)

# Creates a workspace for the pcml_bounded_* calls of a projector: projections within bounds, on simplices and along monotone runs.
const pcml_bounded_workspace_address = Ref(C_NULL)
@inline pcml_bounded_workspace(projector, slices, workspace) =
    ccall(pcml_bounded_workspace_address[], Int32,
        (Ptr{pcml_projector}, Int64, Ptr{Ptr{pcml_workspace}}),
        projector, slices, workspace)

# Makes every slice obey all rows and stay within its bounds and sets: the u with least sum of (u - mu)^2 / v, such that G u = b, lower <= u
# <= upper, and the sets of pcml_constraints_add_simplex and pcml_constraints_add_monotone hold.
const pcml_bounded_project_address = Ref(C_NULL)
@inline pcml_bounded_project(projector, workspace, mean, variance, b, lower, upper, posterior_mean, report) =
    ccall(pcml_bounded_project_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_report}),
        projector, workspace, mean, variance, b, lower, upper, posterior_mean, report)

# Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else.
const pcml_bounded_check_address = Ref(C_NULL)
@inline pcml_bounded_check(projector, workspace, mean, b, lower, upper, report) =
    ccall(pcml_bounded_check_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_report}),
        projector, workspace, mean, b, lower, upper, report)

# The derivative of pcml_bounded_project's mean, of one slice, in a direction.
const pcml_bounded_jvp_address = Ref(C_NULL)
@inline pcml_bounded_jvp(projector, workspace, mean, variance, b, lower, upper, tangent_mean, tangent_variance, tangent_b, tangent) =
    ccall(pcml_bounded_jvp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_array}),
        projector, workspace, mean, variance, b, lower, upper, tangent_mean, tangent_variance, tangent_b, tangent)

# The derivatives of <cotangent, u>, u of pcml_bounded_project, of one slice: the transpose of pcml_bounded_jvp.
const pcml_bounded_vjp_address = Ref(C_NULL)
@inline pcml_bounded_vjp(projector, workspace, mean, variance, b, lower, upper, cotangent, gradient_mean, gradient_variance, gradient_b) =
    ccall(pcml_bounded_vjp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        projector, workspace, mean, variance, b, lower, upper, cotangent, gradient_mean, gradient_variance, gradient_b)

# Creates constraints without rows.
const pcml_constraints_create_address = Ref(C_NULL)
@inline pcml_constraints_create(cells, constraints) =
    ccall(pcml_constraints_create_address[], Int32,
        (Int64, Ptr{Ptr{pcml_constraints}}),
        cells, constraints)

# Frees constraints.
const pcml_constraints_free_address = Ref(C_NULL)
@inline pcml_constraints_free(constraints) =
    ccall(pcml_constraints_free_address[], Cvoid,
        (Ptr{pcml_constraints},),
        constraints)

# Adds the row whose weights are a quadrature over points: b is the integral of the field from the first point to the last.
const pcml_constraints_add_quadrature_address = Ref(C_NULL)
@inline pcml_constraints_add_quadrature(constraints, rule, points, noise_variance) =
    ccall(pcml_constraints_add_quadrature_address[], Int32,
        (Ptr{pcml_constraints}, Int32, Ptr{pcml_const_array}, Float64),
        constraints, rule, points, noise_variance)

# Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance.
const pcml_constraints_add_row_address = Ref(C_NULL)
@inline pcml_constraints_add_row(constraints, weights, noise_variance) =
    ccall(pcml_constraints_add_row_address[], Int32,
        (Ptr{pcml_constraints}, Ptr{pcml_const_array}, Float64),
        constraints, weights, noise_variance)

# Adds a row of a field in parts that has no weight on this part's cells, so that rows have the same numbers on all parts
# (pcml_part_project).
const pcml_constraints_add_absent_row_address = Ref(C_NULL)
@inline pcml_constraints_add_absent_row(constraints, noise_variance) =
    ccall(pcml_constraints_add_absent_row_address[], Int32,
        (Ptr{pcml_constraints}, Float64),
        constraints, noise_variance)

# How many rows the constraints have; the next one gets this number.
const pcml_constraints_rows_address = Ref(C_NULL)
@inline pcml_constraints_rows(constraints, rows) =
    ccall(pcml_constraints_rows_address[], Int32,
        (Ptr{pcml_constraints}, Ptr{Int64}),
        constraints, rows)

# Adds the row whose weights are the tensor product of one quadrature rule along each axis of a grid: b is the integral of the grid's field
# over its box.
const pcml_constraints_add_grid_quadrature_address = Ref(C_NULL)
@inline pcml_constraints_add_grid_quadrature(constraints, rule, axes, rank, first, noise_variance) =
    ccall(pcml_constraints_add_grid_quadrature_address[], Int32,
        (Ptr{pcml_constraints}, Int32, Ptr{pcml_const_array}, Int64, Int64, Float64),
        constraints, rule, axes, rank, first, noise_variance)

# Adds rows in compressed sparse form: row k has the weights starts[k] to starts[k + 1] - 1, on the cells of the same places.
const pcml_constraints_add_sparse_rows_address = Ref(C_NULL)
@inline pcml_constraints_add_sparse_rows(constraints, rows, starts, cells, weights, noise_variance) =
    ccall(pcml_constraints_add_sparse_rows_address[], Int32,
        (Ptr{pcml_constraints}, Int64, Ptr{Int64}, Ptr{Int64}, Ptr{Float64}, Ptr{Float64}),
        constraints, rows, starts, cells, weights, noise_variance)

# Adds a row for each node on a face, an edge or a corner of a grid, in C order of the nodes: value u + slope du/dn = b there, n the outward
# normal.
const pcml_constraints_add_boundary_address = Ref(C_NULL)
@inline pcml_constraints_add_boundary(constraints, axes, rank, first, sides, axis, value, slope, order, noise_variance) =
    ccall(pcml_constraints_add_boundary_address[], Int32,
        (Ptr{pcml_constraints}, Ptr{pcml_const_array}, Int64, Int64, Ptr{Int32}, Int64, Float64, Float64, Int32, Float64),
        constraints, axes, rank, first, sides, axis, value, slope, order, noise_variance)

# Adds a row u_last - u_first = b for each node of the first face across an axis of a grid, in C order: with b = 0 the field is periodic
# along it.
const pcml_constraints_add_periodic_address = Ref(C_NULL)
@inline pcml_constraints_add_periodic(constraints, shape, rank, first, axis, noise_variance) =
    ccall(pcml_constraints_add_periodic_address[], Int32,
        (Ptr{pcml_constraints}, Ptr{Int64}, Int64, Int64, Int64, Float64),
        constraints, shape, rank, first, axis, noise_variance)

# Adds a row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k width + j]] = b.
const pcml_constraints_add_stencils_address = Ref(C_NULL)
@inline pcml_constraints_add_stencils(constraints, rows, width, cells, coefficients, shared, noise_variance) =
    ccall(pcml_constraints_add_stencils_address[], Int32,
        (Ptr{pcml_constraints}, Int64, Int64, Ptr{Int64}, Ptr{Float64}, Int32, Float64),
        constraints, rows, width, cells, coefficients, shared, noise_variance)

# Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells are the
# same, products of two fields of the concatenated state where they differ.
const pcml_constraints_add_quadratic_address = Ref(C_NULL)
@inline pcml_constraints_add_quadratic(constraints, terms, cells_i, cells_j, weights) =
    ccall(pcml_constraints_add_quadratic_address[], Int32,
        (Ptr{pcml_constraints}, Int64, Ptr{Int64}, Ptr{Int64}, Ptr{Float64}),
        constraints, terms, cells_i, cells_j, weights)

# Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the volumes.
const pcml_constraints_add_energy_address = Ref(C_NULL)
@inline pcml_constraints_add_energy(constraints, weights) =
    ccall(pcml_constraints_add_energy_address[], Int32,
        (Ptr{pcml_constraints}, Ptr{pcml_const_array}),
        constraints, weights)

# Chooses how pcml_bounded_project brings cells within their bounds, and what it does where no lawful state is within them.
const pcml_constraints_set_bounds_address = Ref(C_NULL)
@inline pcml_constraints_set_bounds(constraints, method, policy) =
    ccall(pcml_constraints_set_bounds_address[], Int32,
        (Ptr{pcml_constraints}, Int32, Int32),
        constraints, method, policy)

# Adds that at each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions do.
const pcml_constraints_add_simplex_address = Ref(C_NULL)
@inline pcml_constraints_add_simplex(constraints, first, components, points, total) =
    ccall(pcml_constraints_add_simplex_address[], Int32,
        (Ptr{pcml_constraints}, Int64, Int64, Int64, Float64),
        constraints, first, components, points, total)

# Adds that `count` cells from `first` on increase or decrease, not strictly, as a cumulative quantity or a stable density profile does.
const pcml_constraints_add_monotone_address = Ref(C_NULL)
@inline pcml_constraints_add_monotone(constraints, first, count, direction) =
    ccall(pcml_constraints_add_monotone_address[], Int32,
        (Ptr{pcml_constraints}, Int64, Int64, Int32),
        constraints, first, count, direction)

# Mean over the cells of log N(truth; mean, variance): how probable a truth is under marginals, in nats a cell.
const pcml_log_density_address = Ref(C_NULL)
@inline pcml_log_density(truth, mean, variance, density) =
    ccall(pcml_log_density_address[], Int32,
        (Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{Float64}),
        truth, mean, variance, density)

# Copies the text of this thread's last failed call into `buffer`: one line that names the function, the culprit and the expected value.
const pcml_error_message_address = Ref(C_NULL)
@inline pcml_error_message(buffer, capacity, length) =
    ccall(pcml_error_message_address[], Int32,
        (Ptr{UInt8}, Int64, Ptr{Int64}),
        buffer, capacity, length)

# The name of a status number, as "PCML_STATUS_SHAPE"; "unknown status" for a number that is none.
const pcml_status_name_address = Ref(C_NULL)
@inline pcml_status_name(status) =
    ccall(pcml_status_name_address[], Cstring,
        (Int32,),
        status)

# Creates a flux balance for a mesh.
const pcml_flux_create_address = Ref(C_NULL)
@inline pcml_flux_create(faces, owner, neighbour, volumes, options, flux) =
    ccall(pcml_flux_create_address[], Int32,
        (Int64, Ptr{Int64}, Ptr{Int64}, Ptr{pcml_const_array}, Ptr{pcml_options}, Ptr{Ptr{pcml_flux}}),
        faces, owner, neighbour, volumes, options, flux)

# Frees a flux balance.
const pcml_flux_free_address = Ref(C_NULL)
@inline pcml_flux_free(flux) =
    ccall(pcml_flux_free_address[], Cvoid,
        (Ptr{pcml_flux},),
        flux)

# Creates a workspace for calls of this flux balance.
const pcml_flux_workspace_address = Ref(C_NULL)
@inline pcml_flux_workspace(flux, workspace) =
    ccall(pcml_flux_workspace_address[], Int32,
        (Ptr{pcml_flux}, Ptr{Ptr{pcml_workspace}}),
        flux, workspace)

# The nearest fluxes that close every cell's balance: of all F' whose outflow less inflow is s in each cell, the one with the least sum (F'
# - F)^2 / w.
const pcml_flux_correct_address = Ref(C_NULL)
@inline pcml_flux_correct(flux, workspace, fluxes, variance, source, corrected, report) =
    ccall(pcml_flux_correct_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array},
            Ptr{pcml_flux_report}),
        flux, workspace, fluxes, variance, source, corrected, report)

# How far every cell's balance is from closing: D F - s, with sums in twice the precision of f64.
const pcml_flux_residual_address = Ref(C_NULL)
@inline pcml_flux_residual(flux, workspace, fluxes, source, residual) =
    ccall(pcml_flux_residual_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}),
        flux, workspace, fluxes, source, residual)

# The derivative of pcml_flux_correct's fluxes in a direction.
const pcml_flux_jvp_address = Ref(C_NULL)
@inline pcml_flux_jvp(flux, workspace, fluxes, variance, source, tangent_fluxes, tangent_variance, tangent_source, tangent) =
    ccall(pcml_flux_jvp_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}),
        flux, workspace, fluxes, variance, source, tangent_fluxes, tangent_variance, tangent_source, tangent)

# The derivatives of <cotangent, F'>, F' of pcml_flux_correct: the transpose of pcml_flux_jvp.
const pcml_flux_vjp_address = Ref(C_NULL)
@inline pcml_flux_vjp(flux, workspace, fluxes, variance, source, cotangent, gradient_fluxes, gradient_variance, gradient_source) =
    ccall(pcml_flux_vjp_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        flux, workspace, fluxes, variance, source, cotangent, gradient_fluxes, gradient_variance, gradient_source)

# The new value of each cell, u' = u - dt / V (sum_out F - sum_in F - q).
const pcml_flux_update_address = Ref(C_NULL)
@inline pcml_flux_update(flux, workspace, dt, state, fluxes, source, new_state) =
    ccall(pcml_flux_update_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Float64, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_array}),
        flux, workspace, dt, state, fluxes, source, new_state)

# pcml_flux_update with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport, Zalesak 1979): each
# face's flux F is drawn towards its low-order flux G by one factor for both its cells, F'' = G + a (F - G) with 0 <= a <= 1.
const pcml_flux_update_bounded_address = Ref(C_NULL)
@inline pcml_flux_update_bounded(flux, workspace, dt, state, fluxes, source, lower, upper, low_order, new_state, limited, limits) =
    ccall(pcml_flux_update_bounded_address[], Int32,
        (Ptr{pcml_flux}, Ptr{pcml_workspace}, Float64, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_flux_limits}),
        flux, workspace, dt, state, fluxes, source, lower, upper, low_order, new_state, limited, limits)

# Creates a workspace for the pcml_inference_* calls of a projector: samples, the probability of right-hand sides, covariances of chosen
# cells, derivatives.
const pcml_inference_workspace_address = Ref(C_NULL)
@inline pcml_inference_workspace(projector, max_samples, workspace) =
    ccall(pcml_inference_workspace_address[], Int32,
        (Ptr{pcml_projector}, Int64, Ptr{Ptr{pcml_workspace}}),
        projector, max_samples, workspace)

# Draws samples of the posterior of one slice, every one lawful: Matheron's rule, a draw from the prior projected on the rows, whose noise
# is drawn too.
const pcml_inference_sample_address = Ref(C_NULL)
@inline pcml_inference_sample(projector, workspace, mean, variance, b, seed, first, samples) =
    ccall(pcml_inference_sample_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Int64,
            Ptr{pcml_array}),
        projector, workspace, mean, variance, b, seed, first, samples)

# log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part.
const pcml_inference_log_likelihood_address = Ref(C_NULL)
@inline pcml_inference_log_likelihood(projector, workspace, mean, variance, b, log_likelihood) =
    ccall(pcml_inference_log_likelihood_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{Float64}),
        projector, workspace, mean, variance, b, log_likelihood)

# Posterior covariances between the cells of two lists, of one slice.
const pcml_inference_covariance_address = Ref(C_NULL)
@inline pcml_inference_covariance(projector, workspace, variance, rows, row_count, columns, column_count, covariance) =
    ccall(pcml_inference_covariance_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{Int64}, Int64, Ptr{Int64}, Int64, Ptr{pcml_array}),
        projector, workspace, variance, rows, row_count, columns, column_count, covariance)

# The derivative of the posterior mean of one slice in a direction.
const pcml_inference_jvp_address = Ref(C_NULL)
@inline pcml_inference_jvp(projector, workspace, mean, variance, b, tangent_mean, tangent_variance, tangent_b, tangent) =
    ccall(pcml_inference_jvp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}),
        projector, workspace, mean, variance, b, tangent_mean, tangent_variance, tangent_b, tangent)

# The derivatives of <cotangent, posterior mean> of one slice.
const pcml_inference_vjp_address = Ref(C_NULL)
@inline pcml_inference_vjp(projector, workspace, mean, variance, b, cotangent, gradient_mean, gradient_variance, gradient_b) =
    ccall(pcml_inference_vjp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        projector, workspace, mean, variance, b, cotangent, gradient_mean, gradient_variance, gradient_b)

# Loads a model file and runs its self-test.
const pcml_model_load_address = Ref(C_NULL)
@inline pcml_model_load(path, model) =
    ccall(pcml_model_load_address[], Int32,
        (Cstring, Ptr{Ptr{pcml_model}}),
        path, model)

# Loads a model from the bytes of a model file, so that one rank may read and broadcast.
const pcml_model_load_bytes_address = Ref(C_NULL)
@inline pcml_model_load_bytes(bytes, size, model) =
    ccall(pcml_model_load_bytes_address[], Int32,
        (Ptr{Cvoid}, Int64, Ptr{Ptr{pcml_model}}),
        bytes, size, model)

# Makes a Gaussian process without a file.
const pcml_model_gaussian_process_address = Ref(C_NULL)
@inline pcml_model_gaussian_process(kernel, inputs, outputs, options, model) =
    ccall(pcml_model_gaussian_process_address[], Int32,
        (Int32, Int64, Int64, Ptr{pcml_options}, Ptr{Ptr{pcml_model}}),
        kernel, inputs, outputs, options, model)

# Makes an ensemble of loaded models: its plans predict the mean, and the variance, of the members' equal-weight mixture.
const pcml_model_ensemble_address = Ref(C_NULL)
@inline pcml_model_ensemble(members, count, model) =
    ccall(pcml_model_ensemble_address[], Int32,
        (Ptr{Ptr{pcml_model}}, Int64, Ptr{Ptr{pcml_model}}),
        members, count, model)

# Gaussian processes: makes a model with the hyperparameters of the greatest marginal likelihood of some points, by a quasi-Newton search on
# their logarithms within bounds, from the model's own values and from restarts.
const pcml_model_fit_address = Ref(C_NULL)
@inline pcml_model_fit(model, context_x, context_y, noise, options, fitted, report) =
    ccall(pcml_model_fit_address[], Int32,
        (Ptr{pcml_model}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_options}, Ptr{Ptr{pcml_model}},
            Ptr{pcml_fit_report}),
        model, context_x, context_y, noise, options, fitted, report)

# Gaussian processes: copies the hyperparameters, network units: signal variance, noise variance, the length scales (1 or one an input), the
# mean of each output.
const pcml_model_hyperparameters_address = Ref(C_NULL)
@inline pcml_model_hyperparameters(model, capacity, values, count) =
    ccall(pcml_model_hyperparameters_address[], Int32,
        (Ptr{pcml_model}, Int64, Ptr{Float64}, Ptr{Int64}),
        model, capacity, values, count)

# Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
const pcml_model_description_address = Ref(C_NULL)
@inline pcml_model_description(model, buffer, capacity, length) =
    ccall(pcml_model_description_address[], Int32,
        (Ptr{pcml_model}, Ptr{UInt8}, Int64, Ptr{Int64}),
        model, buffer, capacity, length)

# Frees a model; plans made from it live on.
const pcml_model_free_address = Ref(C_NULL)
@inline pcml_model_free(model) =
    ccall(pcml_model_free_address[], Cvoid,
        (Ptr{pcml_model},),
        model)

# Creates a workspace for pcml_nonlinear_project of this projector.
const pcml_nonlinear_workspace_address = Ref(C_NULL)
@inline pcml_nonlinear_workspace(projector, slices, workspace) =
    ccall(pcml_nonlinear_workspace_address[], Int32,
        (Ptr{pcml_projector}, Int64, Ptr{Ptr{pcml_workspace}}),
        projector, slices, workspace)

# Makes every slice obey all rows and all quadratic invariants: the state u nearest to mu, with least sum of (u - mu)^2 / v, such that G u =
# b and q(u) = e.
const pcml_nonlinear_project_address = Ref(C_NULL)
@inline pcml_nonlinear_project(projector, workspace, mean, variance, b, levels, posterior_mean, report) =
    ccall(pcml_nonlinear_project_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_report}),
        projector, workspace, mean, variance, b, levels, posterior_mean, report)

# Fills the report with how every slice stands to its rows and invariants; changes nothing else.
const pcml_nonlinear_check_address = Ref(C_NULL)
@inline pcml_nonlinear_check(projector, workspace, mean, b, levels, report) =
    ccall(pcml_nonlinear_check_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_report}),
        projector, workspace, mean, b, levels, report)

# The derivative of pcml_nonlinear_project's mean, of one slice, in a direction: along the rows and the tangents of the invariants, with
# their curvature.
const pcml_nonlinear_jvp_address = Ref(C_NULL)
@inline pcml_nonlinear_jvp(projector, workspace, mean, variance, b, levels, tangent_mean, tangent_variance, tangent_b, tangent) =
    ccall(pcml_nonlinear_jvp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}),
        projector, workspace, mean, variance, b, levels, tangent_mean, tangent_variance, tangent_b, tangent)

# The derivatives of <cotangent, u>, u of pcml_nonlinear_project, of one slice: the transpose of pcml_nonlinear_jvp.
const pcml_nonlinear_vjp_address = Ref(C_NULL)
@inline pcml_nonlinear_vjp(projector, workspace, mean, variance, b, levels, cotangent, gradient_mean, gradient_variance, gradient_b) =
    ccall(pcml_nonlinear_vjp_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        projector, workspace, mean, variance, b, levels, cotangent, gradient_mean, gradient_variance, gradient_b)

# Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be shorter, and
# this part has some of them.
const pcml_operator_part_create_address = Ref(C_NULL)
@inline pcml_operator_part_create(model, dtype, options, block, owned, owned_count, part) =
    ccall(pcml_operator_part_create_address[], Int32,
        (Ptr{pcml_model}, Int32, Ptr{pcml_options}, Int64, Ptr{Int64}, Int64, Ptr{Ptr{pcml_operator_part}}),
        model, dtype, options, block, owned, owned_count, part)

# Frees a part; its workspaces are to be freed on their own.
const pcml_operator_part_free_address = Ref(C_NULL)
@inline pcml_operator_part_free(part) =
    ccall(pcml_operator_part_free_address[], Cvoid,
        (Ptr{pcml_operator_part},),
        part)

# Creates the scratch memory of a part: one a thread.
const pcml_operator_part_workspace_address = Ref(C_NULL)
@inline pcml_operator_part_workspace(part, workspace) =
    ccall(pcml_operator_part_workspace_address[], Int32,
        (Ptr{pcml_operator_part}, Ptr{Ptr{pcml_workspace}}),
        part, workspace)

# Predicts one function on a grid in parts: every part calls it with its own points and gets the results there.
const pcml_operator_part_predict_address = Ref(C_NULL)
@inline pcml_operator_part_predict(part, workspace, reduction, input, values, value_count, output) =
    ccall(pcml_operator_part_predict_address[], Int32,
        (Ptr{pcml_operator_part}, Ptr{pcml_workspace}, Ptr{pcml_reduction}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64,
            Ptr{pcml_array}),
        part, workspace, reduction, input, values, value_count, output)

# pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message.
const pcml_operator_part_begin_address = Ref(C_NULL)
@inline pcml_operator_part_begin(part, workspace, input, values, value_count, dtype, message, count) =
    ccall(pcml_operator_part_begin_address[], Int32,
        (Ptr{pcml_operator_part}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Int32, Ptr{Ptr{Int64}},
            Ptr{Int64}),
        part, workspace, input, values, value_count, dtype, message, count)

# Reads the sum over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message, or gives a
# count of 0 when the results wait for pcml_operator_part_finish.
const pcml_operator_part_continue_address = Ref(C_NULL)
@inline pcml_operator_part_continue(part, workspace, message, count) =
    ccall(pcml_operator_part_continue_address[], Int32,
        (Ptr{pcml_operator_part}, Ptr{pcml_workspace}, Ptr{Ptr{Int64}}, Ptr{Int64}),
        part, workspace, message, count)

# Writes the results at this part's points, once pcml_operator_part_continue gave a count of 0.
const pcml_operator_part_finish_address = Ref(C_NULL)
@inline pcml_operator_part_finish(part, workspace, output) =
    ccall(pcml_operator_part_finish_address[], Int32,
        (Ptr{pcml_operator_part}, Ptr{pcml_workspace}, Ptr{pcml_array}),
        part, workspace, output)

# Creates settings, all unset.
const pcml_options_create_address = Ref(C_NULL)
@inline pcml_options_create(options) =
    ccall(pcml_options_create_address[], Int32,
        (Ptr{Ptr{pcml_options}},),
        options)

# Frees settings.
const pcml_options_free_address = Ref(C_NULL)
@inline pcml_options_free(options) =
    ccall(pcml_options_free_address[], Cvoid,
        (Ptr{pcml_options},),
        options)

# Plans: most functions (independent samples) in one call, of perceptrons most rows.
const pcml_options_set_batch_address = Ref(C_NULL)
@inline pcml_options_set_batch(options, batch) =
    ccall(pcml_options_set_batch_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, batch)

# Plans of neural processes, and of Gaussian ones whose model stores no points: most context points of a function.
const pcml_options_set_context_address = Ref(C_NULL)
@inline pcml_options_set_context(options, context) =
    ccall(pcml_options_set_context_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, context)

# Plans of neural and Gaussian processes and of DeepONets: most target points of a function.
const pcml_options_set_targets_address = Ref(C_NULL)
@inline pcml_options_set_targets(options, targets) =
    ccall(pcml_options_set_targets_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, targets)

# Plans of Gaussian processes: most target points of pcml_plan_covariance, at most those of pcml_options_set_targets.
const pcml_options_set_covariance_address = Ref(C_NULL)
@inline pcml_options_set_covariance(options, targets) =
    ccall(pcml_options_set_covariance_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, targets)

# Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent.
const pcml_options_set_latents_address = Ref(C_NULL)
@inline pcml_options_set_latents(options, latents) =
    ccall(pcml_options_set_latents_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, latents)

# Seed of the counter-based generator behind latent draws, dropout and the restarts of fits.
const pcml_options_set_seed_address = Ref(C_NULL)
@inline pcml_options_set_seed(options, seed) =
    ccall(pcml_options_set_seed_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, seed)

# Plans of models with dropout: the rate kept on while predicting (Monte Carlo dropout), in [0, 1).
const pcml_options_set_dropout_address = Ref(C_NULL)
@inline pcml_options_set_dropout(options, rate) =
    ccall(pcml_options_set_dropout_address[], Int32,
        (Ptr{pcml_options}, Float64),
        options, rate)

# Plans of neural operators and of networks in ONNX with a grid: extents of the grid, first axis first.
const pcml_options_set_shape_address = Ref(C_NULL)
@inline pcml_options_set_shape(options, rank, shape) =
    ccall(pcml_options_set_shape_address[], Int32,
        (Ptr{pcml_options}, Int64, Ptr{Int64}),
        options, rank, shape)

# Plans of neural operators: steps of a roll-out in one call, each fed with the outputs before it as its newest input channels.
const pcml_options_set_steps_address = Ref(C_NULL)
@inline pcml_options_set_steps(options, steps) =
    ccall(pcml_options_set_steps_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, steps)

# Plans of neural operators: threads of a call, the calling one among them.
const pcml_options_set_threads_address = Ref(C_NULL)
@inline pcml_options_set_threads(options, threads) =
    ccall(pcml_options_set_threads_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, threads)

# Plans of neural operators: how fields go from points to kept modes and back.
const pcml_options_set_transforms_address = Ref(C_NULL)
@inline pcml_options_set_transforms(options, transforms) =
    ccall(pcml_options_set_transforms_address[], Int32,
        (Ptr{pcml_options}, Int32),
        options, transforms)

# Plans of models that obey boundary conditions themselves: conditions instead of the model's own, on the same faces and of the same kinds,
# with other stencils, spacings or order.
const pcml_options_set_boundary_address = Ref(C_NULL)
@inline pcml_options_set_boundary(options, boundary) =
    ccall(pcml_options_set_boundary_address[], Int32,
        (Ptr{pcml_options}, Ptr{pcml_boundary}),
        options, boundary)

# Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as PCML_STATUS_VARIANCE.
const pcml_options_set_held_cells_address = Ref(C_NULL)
@inline pcml_options_set_held_cells(options, admit) =
    ccall(pcml_options_set_held_cells_address[], Int32,
        (Ptr{pcml_options}, Int32),
        options, admit)

# Projectors: off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble.
const pcml_options_set_prior_size_address = Ref(C_NULL)
@inline pcml_options_set_prior_size(options, prior_size) =
    ccall(pcml_options_set_prior_size_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, prior_size)

# Projectors with PCML_PRIOR_SMOOTHED: a, the correlation of neighbouring cells, 0 <= a < 1; the published experiments take 0.9.
const pcml_options_set_smoothing_address = Ref(C_NULL)
@inline pcml_options_set_smoothing(options, smoothing) =
    ccall(pcml_options_set_smoothing_address[], Int32,
        (Ptr{pcml_options}, Float64),
        options, smoothing)

# Flux balances: 1 admits a variance of zero, which prescribes that face's flux; 0 refuses it as PCML_STATUS_VARIANCE.
const pcml_options_set_held_faces_address = Ref(C_NULL)
@inline pcml_options_set_held_faces(options, admit) =
    ccall(pcml_options_set_held_faces_address[], Int32,
        (Ptr{pcml_options}, Int32),
        options, admit)

# Flux balances: meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients; 0: all by conjugate
# gradients.
const pcml_options_set_direct_cells_address = Ref(C_NULL)
@inline pcml_options_set_direct_cells(options, cells) =
    ccall(pcml_options_set_direct_cells_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, cells)

# Gaussian processes: length scales of the inputs, in their raw units.
const pcml_options_set_length_scales_address = Ref(C_NULL)
@inline pcml_options_set_length_scales(options, count, length_scales) =
    ccall(pcml_options_set_length_scales_address[], Int32,
        (Ptr{pcml_options}, Int64, Ptr{Float64}),
        options, count, length_scales)

# Gaussian processes: the signal variance, in the outputs' raw unit squared.
const pcml_options_set_signal_variance_address = Ref(C_NULL)
@inline pcml_options_set_signal_variance(options, variance) =
    ccall(pcml_options_set_signal_variance_address[], Int32,
        (Ptr{pcml_options}, Float64),
        options, variance)

# Gaussian processes: the noise variance of every value, in the outputs' raw unit squared.
const pcml_options_set_noise_variance_address = Ref(C_NULL)
@inline pcml_options_set_noise_variance(options, variance) =
    ccall(pcml_options_set_noise_variance_address[], Int32,
        (Ptr{pcml_options}, Float64),
        options, variance)

# Gaussian processes: the constant mean of each output, raw units.
const pcml_options_set_means_address = Ref(C_NULL)
@inline pcml_options_set_means(options, count, means) =
    ccall(pcml_options_set_means_address[], Int32,
        (Ptr{pcml_options}, Int64, Ptr{Float64}),
        options, count, means)

# Fits of Gaussian processes: what they move.
const pcml_options_set_fitted_address = Ref(C_NULL)
@inline pcml_options_set_fitted(options, fitted) =
    ccall(pcml_options_set_fitted_address[], Int32,
        (Ptr{pcml_options}, Int32),
        options, fitted)

# Fits of Gaussian processes: every hyperparameter stays within this factor of where the model has it, both ways.
const pcml_options_set_fit_range_address = Ref(C_NULL)
@inline pcml_options_set_fit_range(options, factor) =
    ccall(pcml_options_set_fit_range_address[], Int32,
        (Ptr{pcml_options}, Float64),
        options, factor)

# Fits of Gaussian processes: searches after the first, from places drawn by option seed around the model's hyperparameters.
const pcml_options_set_restarts_address = Ref(C_NULL)
@inline pcml_options_set_restarts(options, restarts) =
    ccall(pcml_options_set_restarts_address[], Int32,
        (Ptr{pcml_options}, Int64),
        options, restarts)

# Creates a workspace for the pcml_part_* calls of a projector: the projection of a field whose cells lie in parts, one in each process.
const pcml_part_workspace_address = Ref(C_NULL)
@inline pcml_part_workspace(projector, workspace) =
    ccall(pcml_part_workspace_address[], Int32,
        (Ptr{pcml_projector}, Ptr{Ptr{pcml_workspace}}),
        projector, workspace)

# pcml_projector_project for one slice whose cells lie in parts, one in each process: every part calls it with its own cells, and the whole
# field obeys afterwards.
const pcml_part_project_address = Ref(C_NULL)
@inline pcml_part_project(projector, workspace, reduction, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report) =
    ccall(pcml_part_project_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_reduction}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_report}),
        projector, workspace, reduction, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report)

# pcml_part_project in steps, for a host that sums between calls: begins, and hands out this part's message.
const pcml_part_begin_address = Ref(C_NULL)
@inline pcml_part_begin(projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report, values, count) =
    ccall(pcml_part_begin_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_report}, Ptr{Ptr{Int64}}, Ptr{Int64}),
        projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report, values, count)

# Reads the sums over all parts where pcml_part_begin, or the call before, left its message; hands out the next message, or writes the
# posterior and gives a count of 0.
const pcml_part_continue_address = Ref(C_NULL)
@inline pcml_part_continue(projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report, values,
    count) =
    ccall(pcml_part_continue_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_report}, Ptr{Ptr{Int64}}, Ptr{Int64}),
        projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report, values, count)

# Creates a plan: packs the weights for the arithmetic; draws the latent samples of neural processes; makes the transforms of neural
# operators for the grid, and the corrections of those that obey boundary conditions; factors the kernel matrix of the points that a
# Gaussian process stores.
const pcml_plan_create_address = Ref(C_NULL)
@inline pcml_plan_create(model, dtype, options, plan) =
    ccall(pcml_plan_create_address[], Int32,
        (Ptr{pcml_model}, Int32, Ptr{pcml_options}, Ptr{Ptr{pcml_plan}}),
        model, dtype, options, plan)

# Frees a plan; its workspaces are to be freed on their own.
const pcml_plan_free_address = Ref(C_NULL)
@inline pcml_plan_free(plan) =
    ccall(pcml_plan_free_address[], Cvoid,
        (Ptr{pcml_plan},),
        plan)

# Creates the scratch memory of a plan: one a thread.
const pcml_plan_workspace_address = Ref(C_NULL)
@inline pcml_plan_workspace(plan, workspace) =
    ccall(pcml_plan_workspace_address[], Int32,
        (Ptr{pcml_plan}, Ptr{Ptr{pcml_workspace}}),
        plan, workspace)

# Neural and Gaussian processes and DeepONets: encodes the context points of one or more functions into the workspace.
const pcml_plan_condition_address = Ref(C_NULL)
@inline pcml_plan_condition(plan, workspace, context_x, context_y) =
    ccall(pcml_plan_condition_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}),
        plan, workspace, context_x, context_y)

# Gaussian processes: pcml_plan_condition on points whose values have noise variances of their own, beside the model's.
const pcml_plan_condition_noisy_address = Ref(C_NULL)
@inline pcml_plan_condition_noisy(plan, workspace, context_x, context_y, noise) =
    ccall(pcml_plan_condition_noisy_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}),
        plan, workspace, context_x, context_y, noise)

# Gaussian processes: the variance that the last conditioning added to the diagonal of kernel matrices so that they could be factored, the
# largest over functions (else that of the stored points).
const pcml_plan_jitter_address = Ref(C_NULL)
@inline pcml_plan_jitter(plan, workspace, jitter) =
    ccall(pcml_plan_jitter_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{Float64}),
        plan, workspace, jitter)

# Neural processes: mean and log variance of the latent density of each function conditioned on, network units.
const pcml_plan_latent_address = Ref(C_NULL)
@inline pcml_plan_latent(plan, workspace, mu, log_variance) =
    ccall(pcml_plan_latent_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, mu, log_variance)

# Neural and Gaussian processes and DeepONets: predicts at target points of the functions conditioned on; a Gaussian process that is not
# conditioned and stores points predicts from those.
const pcml_plan_query_address = Ref(C_NULL)
@inline pcml_plan_query(plan, workspace, target_x, eps, mean, variance) =
    ccall(pcml_plan_query_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, target_x, eps, mean, variance)

# Gaussian processes: the whole posterior covariance at target points, k(x, x) - k(x, X) (k(X, X) + noise)^-1 k(X, x), and the mean.
const pcml_plan_covariance_address = Ref(C_NULL)
@inline pcml_plan_covariance(plan, workspace, target_x, mean, covariance) =
    ccall(pcml_plan_covariance_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, target_x, mean, covariance)

# Neural operators and networks in ONNX: predicts fields on the plan's grid from fields; where such a network has no grid, values at points,
# each point a function.
const pcml_plan_predict_address = Ref(C_NULL)
@inline pcml_plan_predict(plan, workspace, input, values, value_count, output) =
    ccall(pcml_plan_predict_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_array}),
        plan, workspace, input, values, value_count, output)

# Predicts as pcml_plan_predict from and to several fields of the host, such as temperature, humidity and winds: the channels of the model
# are those of the first field, then those of the second and so on.
const pcml_plan_predict_fields_address = Ref(C_NULL)
@inline pcml_plan_predict_fields(plan, workspace, inputs, input_count, values, value_count, outputs, output_count) =
    ccall(pcml_plan_predict_fields_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Int64, Ptr{pcml_const_array}, Int64, Ptr{pcml_array}, Int64),
        plan, workspace, inputs, input_count, values, value_count, outputs, output_count)

# Perceptrons with a variance head and ensembles: predicts as pcml_plan_predict, with variances.
const pcml_plan_predict_moments_address = Ref(C_NULL)
@inline pcml_plan_predict_moments(plan, workspace, input, values, value_count, mean, variance) =
    ccall(pcml_plan_predict_moments_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, input, values, value_count, mean, variance)

# Ensembles: predicts as pcml_plan_predict, with the covariance of the members' mixture as diag(d) + F'F of rank `members`.
const pcml_plan_predict_factors_address = Ref(C_NULL)
@inline pcml_plan_predict_factors(plan, workspace, input, values, value_count, mean, low_rank) =
    ccall(pcml_plan_predict_factors_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, input, values, value_count, mean, low_rank)

# Ensembles of processes or DeepONets: predicts at target points as pcml_plan_query, with the covariance of the members' mixture as
# pcml_plan_predict_factors has it.
const pcml_plan_query_factors_address = Ref(C_NULL)
@inline pcml_plan_query_factors(plan, workspace, target_x, eps, mean, low_rank) =
    ccall(pcml_plan_query_factors_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, target_x, eps, mean, low_rank)

# How many members a plan's predictions are made of: those of an ensemble, or the draws of dropout; 0 for a single model.
const pcml_plan_members_address = Ref(C_NULL)
@inline pcml_plan_members(plan, count) =
    ccall(pcml_plan_members_address[], Int32,
        (Ptr{pcml_plan}, Ptr{Int64}),
        plan, count)

# Neural operators: predicts as pcml_plan_predict and makes the prediction lawful as pcml_projector_project, in one call.
const pcml_plan_predict_lawful_address = Ref(C_NULL)
@inline pcml_plan_predict_lawful(plan, workspace, input, values, value_count, projector, projector_workspace, variance, b, mean,
    posterior_variance, report) =
    ccall(pcml_plan_predict_lawful_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_projector},
            Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array}, Ptr{pcml_array}, Ptr{pcml_report}),
        plan, workspace, input, values, value_count, projector, projector_workspace, variance, b, mean, posterior_variance, report)

# Creates the scratch memory of derivatives of a plan's predictions (pcml_plan_jvp, pcml_plan_vjp): one a thread, apart from
# pcml_plan_workspace, since it takes a field for each block of the network beside, and of a roll-out the input of each step.
const pcml_plan_derivative_workspace_address = Ref(C_NULL)
@inline pcml_plan_derivative_workspace(plan, workspace) =
    ccall(pcml_plan_derivative_workspace_address[], Int32,
        (Ptr{pcml_plan}, Ptr{Ptr{pcml_workspace}}),
        plan, workspace)

# Neural operators: the derivative of pcml_plan_predict in a direction (jvp), at an input and boundary values.
const pcml_plan_jvp_address = Ref(C_NULL)
@inline pcml_plan_jvp(plan, workspace, input, values, value_count, input_tangent, value_tangents, output_tangent) =
    ccall(pcml_plan_jvp_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_const_array},
            Ptr{pcml_const_array}, Ptr{pcml_array}),
        plan, workspace, input, values, value_count, input_tangent, value_tangents, output_tangent)

# Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at an input and boundary values:
# the transpose of pcml_plan_jvp, and so the gradient of a function of the prediction from its gradient with respect to that.
const pcml_plan_vjp_address = Ref(C_NULL)
@inline pcml_plan_vjp(plan, workspace, input, values, value_count, output_cotangent, input_cotangent, value_cotangents) =
    ccall(pcml_plan_vjp_address[], Int32,
        (Ptr{pcml_plan}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Int64, Ptr{pcml_const_array},
            Ptr{pcml_array}, Ptr{pcml_array}),
        plan, workspace, input, values, value_count, output_cotangent, input_cotangent, value_cotangents)

# How many kernel matrices of boundary corrections were singular or nearly so, and were regularised when the plan was created: the
# corrections of such frequencies do less than they were trained for.
const pcml_plan_regularised_address = Ref(C_NULL)
@inline pcml_plan_regularised(plan, count) =
    ccall(pcml_plan_regularised_address[], Int32,
        (Ptr{pcml_plan}, Ptr{Int64}),
        plan, count)

# Creates a projector.
const pcml_projector_create_address = Ref(C_NULL)
@inline pcml_projector_create(constraints, prior, options, projector) =
    ccall(pcml_projector_create_address[], Int32,
        (Ptr{pcml_constraints}, Int32, Ptr{pcml_options}, Ptr{Ptr{pcml_projector}}),
        constraints, prior, options, projector)

# Frees a projector.
const pcml_projector_free_address = Ref(C_NULL)
@inline pcml_projector_free(projector) =
    ccall(pcml_projector_free_address[], Cvoid,
        (Ptr{pcml_projector},),
        projector)

# Creates a workspace for calls of this projector.
const pcml_projector_workspace_address = Ref(C_NULL)
@inline pcml_projector_workspace(projector, slices, workspace) =
    ccall(pcml_projector_workspace_address[], Int32,
        (Ptr{pcml_projector}, Int64, Ptr{Ptr{pcml_workspace}}),
        projector, slices, workspace)

# Creates a report for projections of at most so many slices, by projectors with as many rows.
const pcml_projector_report_address = Ref(C_NULL)
@inline pcml_projector_report(projector, slices, report) =
    ccall(pcml_projector_report_address[], Int32,
        (Ptr{pcml_projector}, Int64, Ptr{Ptr{pcml_report}}),
        projector, slices, report)

# Makes every slice obey the rows.
const pcml_projector_project_address = Ref(C_NULL)
@inline pcml_projector_project(projector, workspace, mean, variance, b, posterior_mean, posterior_variance, report) =
    ccall(pcml_projector_project_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_array},
            Ptr{pcml_array}, Ptr{pcml_report}),
        projector, workspace, mean, variance, b, posterior_mean, posterior_variance, report)

# pcml_projector_project for f64 arrays in C order without gaps: mean, variance and the posterior [slices, cells], b [slices, rows].
const pcml_projector_project_f64_address = Ref(C_NULL)
@inline pcml_projector_project_f64(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report) =
    ccall(pcml_projector_project_f64_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Int64, Ptr{Float64}, Ptr{Float64}, Ptr{Float64}, Ptr{Float64}, Ptr{Float64},
            Ptr{pcml_report}),
        projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report)

# pcml_projector_project for f32 arrays in C order without gaps: mean, variance and the posterior [slices, cells]; b [slices, rows] is f64.
const pcml_projector_project_f32_address = Ref(C_NULL)
@inline pcml_projector_project_f32(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report) =
    ccall(pcml_projector_project_f32_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Int64, Ptr{Float32}, Ptr{Float32}, Ptr{Float64}, Ptr{Float32}, Ptr{Float32},
            Ptr{pcml_report}),
        projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, report)

# How far every slice is from obeying: G u - b, with sums in twice the precision of f64.
const pcml_projector_residual_address = Ref(C_NULL)
@inline pcml_projector_residual(projector, workspace, mean, b, residual) =
    ccall(pcml_projector_residual_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{Float64}),
        projector, workspace, mean, b, residual)

# Fills the report with how every slice stands to its rows; changes nothing else.
const pcml_projector_check_address = Ref(C_NULL)
@inline pcml_projector_check(projector, workspace, mean, b, report) =
    ccall(pcml_projector_check_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_report}),
        projector, workspace, mean, b, report)

# Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since, b = G u + dt sum_j rates_j, with sums
# in twice the precision of f64, rounded once.
const pcml_projector_budget_address = Ref(C_NULL)
@inline pcml_projector_budget(projector, workspace, previous, rates, dt, b) =
    ccall(pcml_projector_budget_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_const_array}, Float64, Ptr{pcml_array}),
        projector, workspace, previous, rates, dt, b)

# The whole posterior covariance of one slice, Sigma - Sigma G' S^-1 G Sigma: symmetric to the bit, its diagonal equal to the posterior
# variances of the projection.
const pcml_projector_covariance_address = Ref(C_NULL)
@inline pcml_projector_covariance(projector, workspace, variance, covariance) =
    ccall(pcml_projector_covariance_address[], Int32,
        (Ptr{pcml_projector}, Ptr{pcml_workspace}, Ptr{pcml_const_array}, Ptr{pcml_array}),
        projector, workspace, variance, covariance)

# Creates a reduction from a function of the host.
const pcml_reduction_create_address = Ref(C_NULL)
@inline pcml_reduction_create(sum, context, reduction) =
    ccall(pcml_reduction_create_address[], Int32,
        (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Ptr{pcml_reduction}}),
        sum, context, reduction)

# Frees a reduction; its context stays the caller's.
const pcml_reduction_free_address = Ref(C_NULL)
@inline pcml_reduction_free(reduction) =
    ccall(pcml_reduction_free_address[], Cvoid,
        (Ptr{pcml_reduction},),
        reduction)

# How many slices the last successful projection had; 0 before the first.
const pcml_report_slices_address = Ref(C_NULL)
@inline pcml_report_slices(report, slices) =
    ccall(pcml_report_slices_address[], Int32,
        (Ptr{pcml_report}, Ptr{Int64}),
        report, slices)

# One value of the last successful projection.
const pcml_report_value_address = Ref(C_NULL)
@inline pcml_report_value(report, item, slice, row, value) =
    ccall(pcml_report_value_address[], Int32,
        (Ptr{pcml_report}, Int32, Int64, Int64, Ptr{Float64}),
        report, item, slice, row, value)

# Frees a report.
const pcml_report_free_address = Ref(C_NULL)
@inline pcml_report_free(report) =
    ccall(pcml_report_free_address[], Cvoid,
        (Ptr{pcml_report},),
        report)

# The sum of an array's values, or of the products of two arrays' values, over all parts of a field: exact, then rounded once.
const pcml_sum_address = Ref(C_NULL)
@inline pcml_sum(array, second, reduction, sum) =
    ccall(pcml_sum_address[], Int32,
        (Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{pcml_reduction}, Ptr{Float64}),
        array, second, reduction, sum)

# The first half of pcml_sum, for a host that sums between calls: the exact sum of this part as integers.
const pcml_sum_bins_address = Ref(C_NULL)
@inline pcml_sum_bins(array, second, bins) =
    ccall(pcml_sum_bins_address[], Int32,
        (Ptr{pcml_const_array}, Ptr{pcml_const_array}, Ptr{Int64}),
        array, second, bins)

# The second half of pcml_sum: the double nearest to the sum that the bins hold.
const pcml_sum_round_address = Ref(C_NULL)
@inline pcml_sum_round(bins, sum) =
    ccall(pcml_sum_round_address[], Int32,
        (Ptr{Int64}, Ptr{Float64}),
        bins, sum)

# The version of the library that is linked; compare with PCML_VERSION_MAJOR, _MINOR, _PATCH of the header.
const pcml_version_address = Ref(C_NULL)
@inline pcml_version(major, minor, patch) =
    ccall(pcml_version_address[], Int32,
        (Ptr{Int32}, Ptr{Int32}, Ptr{Int32}),
        major, minor, patch)

# The version as text, as "0.1.0": static, never NULL, not to be freed.
const pcml_version_string_address = Ref(C_NULL)
@inline pcml_version_string() =
    ccall(pcml_version_string_address[], Cstring,
        ())

# Frees a workspace.
const pcml_workspace_free_address = Ref(C_NULL)
@inline pcml_workspace_free(workspace) =
    ccall(pcml_workspace_free_address[], Cvoid,
        (Ptr{pcml_workspace},),
        workspace)

# Looks up all functions in an opened library; an error names the one that it lacks.
function find!(library)
    pcml_boundary_create_address[] = dlsym(library, :pcml_boundary_create)
    pcml_boundary_free_address[] = dlsym(library, :pcml_boundary_free)
    pcml_boundary_add_face_address[] = dlsym(library, :pcml_boundary_add_face)
    pcml_boundary_enforce_address[] = dlsym(library, :pcml_boundary_enforce)
    pcml_bounded_workspace_address[] = dlsym(library, :pcml_bounded_workspace)
    pcml_bounded_project_address[] = dlsym(library, :pcml_bounded_project)
    pcml_bounded_check_address[] = dlsym(library, :pcml_bounded_check)
    pcml_bounded_jvp_address[] = dlsym(library, :pcml_bounded_jvp)
    pcml_bounded_vjp_address[] = dlsym(library, :pcml_bounded_vjp)
    pcml_constraints_create_address[] = dlsym(library, :pcml_constraints_create)
    pcml_constraints_free_address[] = dlsym(library, :pcml_constraints_free)
    pcml_constraints_add_quadrature_address[] = dlsym(library, :pcml_constraints_add_quadrature)
    pcml_constraints_add_row_address[] = dlsym(library, :pcml_constraints_add_row)
    pcml_constraints_add_absent_row_address[] = dlsym(library, :pcml_constraints_add_absent_row)
    pcml_constraints_rows_address[] = dlsym(library, :pcml_constraints_rows)
    pcml_constraints_add_grid_quadrature_address[] = dlsym(library, :pcml_constraints_add_grid_quadrature)
    pcml_constraints_add_sparse_rows_address[] = dlsym(library, :pcml_constraints_add_sparse_rows)
    pcml_constraints_add_boundary_address[] = dlsym(library, :pcml_constraints_add_boundary)
    pcml_constraints_add_periodic_address[] = dlsym(library, :pcml_constraints_add_periodic)
    pcml_constraints_add_stencils_address[] = dlsym(library, :pcml_constraints_add_stencils)
    pcml_constraints_add_quadratic_address[] = dlsym(library, :pcml_constraints_add_quadratic)
    pcml_constraints_add_energy_address[] = dlsym(library, :pcml_constraints_add_energy)
    pcml_constraints_set_bounds_address[] = dlsym(library, :pcml_constraints_set_bounds)
    pcml_constraints_add_simplex_address[] = dlsym(library, :pcml_constraints_add_simplex)
    pcml_constraints_add_monotone_address[] = dlsym(library, :pcml_constraints_add_monotone)
    pcml_log_density_address[] = dlsym(library, :pcml_log_density)
    pcml_error_message_address[] = dlsym(library, :pcml_error_message)
    pcml_status_name_address[] = dlsym(library, :pcml_status_name)
    pcml_flux_create_address[] = dlsym(library, :pcml_flux_create)
    pcml_flux_free_address[] = dlsym(library, :pcml_flux_free)
    pcml_flux_workspace_address[] = dlsym(library, :pcml_flux_workspace)
    pcml_flux_correct_address[] = dlsym(library, :pcml_flux_correct)
    pcml_flux_residual_address[] = dlsym(library, :pcml_flux_residual)
    pcml_flux_jvp_address[] = dlsym(library, :pcml_flux_jvp)
    pcml_flux_vjp_address[] = dlsym(library, :pcml_flux_vjp)
    pcml_flux_update_address[] = dlsym(library, :pcml_flux_update)
    pcml_flux_update_bounded_address[] = dlsym(library, :pcml_flux_update_bounded)
    pcml_inference_workspace_address[] = dlsym(library, :pcml_inference_workspace)
    pcml_inference_sample_address[] = dlsym(library, :pcml_inference_sample)
    pcml_inference_log_likelihood_address[] = dlsym(library, :pcml_inference_log_likelihood)
    pcml_inference_covariance_address[] = dlsym(library, :pcml_inference_covariance)
    pcml_inference_jvp_address[] = dlsym(library, :pcml_inference_jvp)
    pcml_inference_vjp_address[] = dlsym(library, :pcml_inference_vjp)
    pcml_model_load_address[] = dlsym(library, :pcml_model_load)
    pcml_model_load_bytes_address[] = dlsym(library, :pcml_model_load_bytes)
    pcml_model_gaussian_process_address[] = dlsym(library, :pcml_model_gaussian_process)
    pcml_model_ensemble_address[] = dlsym(library, :pcml_model_ensemble)
    pcml_model_fit_address[] = dlsym(library, :pcml_model_fit)
    pcml_model_hyperparameters_address[] = dlsym(library, :pcml_model_hyperparameters)
    pcml_model_description_address[] = dlsym(library, :pcml_model_description)
    pcml_model_free_address[] = dlsym(library, :pcml_model_free)
    pcml_nonlinear_workspace_address[] = dlsym(library, :pcml_nonlinear_workspace)
    pcml_nonlinear_project_address[] = dlsym(library, :pcml_nonlinear_project)
    pcml_nonlinear_check_address[] = dlsym(library, :pcml_nonlinear_check)
    pcml_nonlinear_jvp_address[] = dlsym(library, :pcml_nonlinear_jvp)
    pcml_nonlinear_vjp_address[] = dlsym(library, :pcml_nonlinear_vjp)
    pcml_operator_part_create_address[] = dlsym(library, :pcml_operator_part_create)
    pcml_operator_part_free_address[] = dlsym(library, :pcml_operator_part_free)
    pcml_operator_part_workspace_address[] = dlsym(library, :pcml_operator_part_workspace)
    pcml_operator_part_predict_address[] = dlsym(library, :pcml_operator_part_predict)
    pcml_operator_part_begin_address[] = dlsym(library, :pcml_operator_part_begin)
    pcml_operator_part_continue_address[] = dlsym(library, :pcml_operator_part_continue)
    pcml_operator_part_finish_address[] = dlsym(library, :pcml_operator_part_finish)
    pcml_options_create_address[] = dlsym(library, :pcml_options_create)
    pcml_options_free_address[] = dlsym(library, :pcml_options_free)
    pcml_options_set_batch_address[] = dlsym(library, :pcml_options_set_batch)
    pcml_options_set_context_address[] = dlsym(library, :pcml_options_set_context)
    pcml_options_set_targets_address[] = dlsym(library, :pcml_options_set_targets)
    pcml_options_set_covariance_address[] = dlsym(library, :pcml_options_set_covariance)
    pcml_options_set_latents_address[] = dlsym(library, :pcml_options_set_latents)
    pcml_options_set_seed_address[] = dlsym(library, :pcml_options_set_seed)
    pcml_options_set_dropout_address[] = dlsym(library, :pcml_options_set_dropout)
    pcml_options_set_shape_address[] = dlsym(library, :pcml_options_set_shape)
    pcml_options_set_steps_address[] = dlsym(library, :pcml_options_set_steps)
    pcml_options_set_threads_address[] = dlsym(library, :pcml_options_set_threads)
    pcml_options_set_transforms_address[] = dlsym(library, :pcml_options_set_transforms)
    pcml_options_set_boundary_address[] = dlsym(library, :pcml_options_set_boundary)
    pcml_options_set_held_cells_address[] = dlsym(library, :pcml_options_set_held_cells)
    pcml_options_set_prior_size_address[] = dlsym(library, :pcml_options_set_prior_size)
    pcml_options_set_smoothing_address[] = dlsym(library, :pcml_options_set_smoothing)
    pcml_options_set_held_faces_address[] = dlsym(library, :pcml_options_set_held_faces)
    pcml_options_set_direct_cells_address[] = dlsym(library, :pcml_options_set_direct_cells)
    pcml_options_set_length_scales_address[] = dlsym(library, :pcml_options_set_length_scales)
    pcml_options_set_signal_variance_address[] = dlsym(library, :pcml_options_set_signal_variance)
    pcml_options_set_noise_variance_address[] = dlsym(library, :pcml_options_set_noise_variance)
    pcml_options_set_means_address[] = dlsym(library, :pcml_options_set_means)
    pcml_options_set_fitted_address[] = dlsym(library, :pcml_options_set_fitted)
    pcml_options_set_fit_range_address[] = dlsym(library, :pcml_options_set_fit_range)
    pcml_options_set_restarts_address[] = dlsym(library, :pcml_options_set_restarts)
    pcml_part_workspace_address[] = dlsym(library, :pcml_part_workspace)
    pcml_part_project_address[] = dlsym(library, :pcml_part_project)
    pcml_part_begin_address[] = dlsym(library, :pcml_part_begin)
    pcml_part_continue_address[] = dlsym(library, :pcml_part_continue)
    pcml_plan_create_address[] = dlsym(library, :pcml_plan_create)
    pcml_plan_free_address[] = dlsym(library, :pcml_plan_free)
    pcml_plan_workspace_address[] = dlsym(library, :pcml_plan_workspace)
    pcml_plan_condition_address[] = dlsym(library, :pcml_plan_condition)
    pcml_plan_condition_noisy_address[] = dlsym(library, :pcml_plan_condition_noisy)
    pcml_plan_jitter_address[] = dlsym(library, :pcml_plan_jitter)
    pcml_plan_latent_address[] = dlsym(library, :pcml_plan_latent)
    pcml_plan_query_address[] = dlsym(library, :pcml_plan_query)
    pcml_plan_covariance_address[] = dlsym(library, :pcml_plan_covariance)
    pcml_plan_predict_address[] = dlsym(library, :pcml_plan_predict)
    pcml_plan_predict_fields_address[] = dlsym(library, :pcml_plan_predict_fields)
    pcml_plan_predict_moments_address[] = dlsym(library, :pcml_plan_predict_moments)
    pcml_plan_predict_factors_address[] = dlsym(library, :pcml_plan_predict_factors)
    pcml_plan_query_factors_address[] = dlsym(library, :pcml_plan_query_factors)
    pcml_plan_members_address[] = dlsym(library, :pcml_plan_members)
    pcml_plan_predict_lawful_address[] = dlsym(library, :pcml_plan_predict_lawful)
    pcml_plan_derivative_workspace_address[] = dlsym(library, :pcml_plan_derivative_workspace)
    pcml_plan_jvp_address[] = dlsym(library, :pcml_plan_jvp)
    pcml_plan_vjp_address[] = dlsym(library, :pcml_plan_vjp)
    pcml_plan_regularised_address[] = dlsym(library, :pcml_plan_regularised)
    pcml_projector_create_address[] = dlsym(library, :pcml_projector_create)
    pcml_projector_free_address[] = dlsym(library, :pcml_projector_free)
    pcml_projector_workspace_address[] = dlsym(library, :pcml_projector_workspace)
    pcml_projector_report_address[] = dlsym(library, :pcml_projector_report)
    pcml_projector_project_address[] = dlsym(library, :pcml_projector_project)
    pcml_projector_project_f64_address[] = dlsym(library, :pcml_projector_project_f64)
    pcml_projector_project_f32_address[] = dlsym(library, :pcml_projector_project_f32)
    pcml_projector_residual_address[] = dlsym(library, :pcml_projector_residual)
    pcml_projector_check_address[] = dlsym(library, :pcml_projector_check)
    pcml_projector_budget_address[] = dlsym(library, :pcml_projector_budget)
    pcml_projector_covariance_address[] = dlsym(library, :pcml_projector_covariance)
    pcml_reduction_create_address[] = dlsym(library, :pcml_reduction_create)
    pcml_reduction_free_address[] = dlsym(library, :pcml_reduction_free)
    pcml_report_slices_address[] = dlsym(library, :pcml_report_slices)
    pcml_report_value_address[] = dlsym(library, :pcml_report_value)
    pcml_report_free_address[] = dlsym(library, :pcml_report_free)
    pcml_sum_address[] = dlsym(library, :pcml_sum)
    pcml_sum_bins_address[] = dlsym(library, :pcml_sum_bins)
    pcml_sum_round_address[] = dlsym(library, :pcml_sum_round)
    pcml_version_address[] = dlsym(library, :pcml_version)
    pcml_version_string_address[] = dlsym(library, :pcml_version_string)
    pcml_workspace_free_address[] = dlsym(library, :pcml_workspace_free)
    return
end

end
