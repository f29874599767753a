! The C interface of pcml as Fortran 2018 sees it: module pcml_types has constants and structs, module pcml_c has these and all
! functions. Module pcml (pcml.f90) is the comfortable way; include/pcml.h is the manual of every function.
!
! Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
!
! Handles     type(c_ptr), value. What creates one has type(c_ptr), intent(out), c_null_ptr after a failure. Free each once.
! Structs     By reference, optional: an argument left out is NULL. Components struct_size are set by default initialisation.
! Numbers     By value, or by reference and optional like structs. What a call writes is intent(inout): a failed call leaves it.
! Arrays      Of numbers or structs: assumed size, optional, without gaps (a compiler may copy a section with gaps to make it so).
! Memory      const void * and void *: type(c_ptr), value, as c_loc gives.
! Text        char *: character(c_char), closed by c_null_char. Returned text is a type(c_ptr) to such.
! Functions   type(c_funptr), value, as c_funloc gives, of a procedure with the abstract interface of the argument's name.
! Numbering   Cells, rows, slices, axes count from 0, as in C. Axis 0 is a Fortran array's first index.
! Names       Case does not tell a constant from a function here: such a constant has the suffix _COUNT.
module pcml_types
  use, intrinsic :: iso_c_binding
  implicit none
  public
  integer(c_int32_t), parameter :: PCML_VERSION_MAJOR = 0
  integer(c_int32_t), parameter :: PCML_VERSION_MINOR = 1
  integer(c_int32_t), parameter :: PCML_VERSION_PATCH = 0
  ! Integers of an exact sum (pcml_sum_bins).
  integer(c_int32_t), parameter :: PCML_SUM_BINS_COUNT = 69
  ! Largest rank of an array.
  integer(c_int32_t), parameter :: PCML_MAX_RANK = 8

  ! What a call returns. 0 is success; every other number keeps its meaning for ever.
  ! Success.
  integer(c_int32_t), parameter :: PCML_STATUS_OK = 0
  ! An argument that must not be NULL is NULL (also the handle of a create call that failed).
  integer(c_int32_t), parameter :: PCML_STATUS_NULL_ARGUMENT = 1
  ! A value lies outside its stated range.
  integer(c_int32_t), parameter :: PCML_STATUS_INVALID_ARGUMENT = 2
  ! An array has the wrong rank or extent.
  integer(c_int32_t), parameter :: PCML_STATUS_SHAPE = 3
  ! Strides, alignment or overlap of arrays make the access impossible or ambiguous.
  integer(c_int32_t), parameter :: PCML_STATUS_STRIDE = 4
  ! An array's dtype is not one that the call takes.
  integer(c_int32_t), parameter :: PCML_STATUS_DTYPE = 5
  ! An input holds NaN or infinity, or finite inputs lead to a result that does.
  integer(c_int32_t), parameter :: PCML_STATUS_NON_FINITE = 6
  ! Quadrature points are not strictly increasing.
  integer(c_int32_t), parameter :: PCML_STATUS_NOT_SORTED = 7
  ! A variance is negative, or zero where that was not allowed.
  integer(c_int32_t), parameter :: PCML_STATUS_VARIANCE = 8
  ! The noise variance of a row is negative.
  integer(c_int32_t), parameter :: PCML_STATUS_NOISE = 9
  ! No cell can move a row: all its weights times variances are zero, or too small to divide by.
  integer(c_int32_t), parameter :: PCML_STATUS_SINGULAR = 10
  ! A row could not be made to hold within the tolerance of the storage type.
  integer(c_int32_t), parameter :: PCML_STATUS_NOT_CONVERGED = 11
  ! A file could not be read.
  integer(c_int32_t), parameter :: PCML_STATUS_IO = 12
  ! The bytes are not a model file, or the file is truncated or damaged.
  integer(c_int32_t), parameter :: PCML_STATUS_FILE_FORMAT = 13
  ! The file's format version is not one that this library reads.
  integer(c_int32_t), parameter :: PCML_STATUS_FILE_VERSION = 14
  ! The file's description is incomplete, contradictory or has an unknown field.
  integer(c_int32_t), parameter :: PCML_STATUS_FILE_DESCRIPTION = 15
  ! A weight is missing, unread, of the wrong shape or type, or not finite.
  integer(c_int32_t), parameter :: PCML_STATUS_WEIGHTS = 16
  ! The model does not reproduce the outputs stored with it.
  integer(c_int32_t), parameter :: PCML_STATUS_SELF_TEST = 17
  ! A size is beyond what this library or the address space allows.
  integer(c_int32_t), parameter :: PCML_STATUS_TOO_LARGE = 18
  ! Memory could not be allocated.
  integer(c_int32_t), parameter :: PCML_STATUS_OUT_OF_MEMORY = 19
  ! Objects that do not belong together, or a struct from another version of the header.
  integer(c_int32_t), parameter :: PCML_STATUS_MISMATCH = 20
  ! A handle is not of the expected kind, was freed, or is in use by another thread.
  integer(c_int32_t), parameter :: PCML_STATUS_HANDLE = 21
  ! The model has no such ability, or the call comes before the one that prepares it.
  integer(c_int32_t), parameter :: PCML_STATUS_STATE = 22
  ! A defect in the library: a panic was caught.
  integer(c_int32_t), parameter :: PCML_STATUS_PANIC = 23
  ! The host's reduction failed, or gave sums that no set of parts has.
  integer(c_int32_t), parameter :: PCML_STATUS_REDUCTION = 24
  ! No state within the bounds or sets obeys the rows, and the policy is to refuse.
  integer(c_int32_t), parameter :: PCML_STATUS_INFEASIBLE = 25
  ! A row contradicts other rows: it depends on them and its right-hand side does not.
  integer(c_int32_t), parameter :: PCML_STATUS_CONTRADICTION = 26

  ! The storage type of an array.
  ! IEEE binary32.
  integer(c_int32_t), parameter :: PCML_DTYPE_F32 = 1
  ! IEEE binary64.
  integer(c_int32_t), parameter :: PCML_DTYPE_F64 = 2

  ! A quadrature rule: which weights turn cell values at points `x_0 < ... < x_(n-1)` into the integral over `[x_0, x_(n-1)]`.
  ! Half of both neighbouring spacings.
  integer(c_int32_t), parameter :: PCML_RULE_TRAPEZOID = 1
  ! The spacing to the right; the last point has weight 0.
  integer(c_int32_t), parameter :: PCML_RULE_LEFT = 2
  ! The spacing to the left; the first point has weight 0.
  integer(c_int32_t), parameter :: PCML_RULE_RIGHT = 3
  ! Parabolas over pairs of intervals of any spacing.
  integer(c_int32_t), parameter :: PCML_RULE_SIMPSON = 4

  ! The prior covariance Sigma, which is the metric of the correction, and the data of it that come with each call.
  ! Sigma = I: every cell yields alike (HardC).
  integer(c_int32_t), parameter :: PCML_PRIOR_IDENTITY = 1
  ! Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv): `[cells]`.
  integer(c_int32_t), parameter :: PCML_PRIOR_DIAGONAL = 2
  ! Sigma = v I: one variance, `[1]`.
  integer(c_int32_t), parameter :: PCML_PRIOR_SCALAR = 3
  ! A banded covariance of `size` off-diagonals: `[size + 1, cells]`, entry `(d, i)` is Sigma_(i, i+d); the last `d` of row `d` are
  ! not read.
  integer(c_int32_t), parameter :: PCML_PRIOR_COVARIANCE_BAND = 4
  ! A banded precision Sigma^-1, laid out in the same way.
  integer(c_int32_t), parameter :: PCML_PRIOR_PRECISION_BAND = 5
  ! Sigma = diag(d) + F'F of rank `size`: `[size + 1, cells]`, d first, then the rows of F.
  integer(c_int32_t), parameter :: PCML_PRIOR_LOW_RANK = 6
  ! The covariance of `size` samples, `[size, cells]`: sum (x - mean x)(x - mean x)' / (size - 1).
  integer(c_int32_t), parameter :: PCML_PRIOR_ENSEMBLE = 7
  ! Sigma itself, `[cells, cells]`, symmetric and positive definite: samples check the whole of that, other calls what the rows see
  ! of it.
  integer(c_int32_t), parameter :: PCML_PRIOR_DENSE = 8
  ! A diagonal Sigma after the soft second differences of ProbConserv's diffusion: `u_(i-1) - 2 u_i + u_(i+1) = 0` with noise
  ! variance `v0 + 4 v1 + v2 - 4 a s0 s1 + 2 a^2 s0 s2 - 4 a s1 s2` (s^2 = v at the three cells), which smooths the mean too.
  integer(c_int32_t), parameter :: PCML_PRIOR_SMOOTHED = 9

  ! A value of a report, with mu the prior mean and u the posterior mean as stored: of a row (1 to 4, 10), or of the whole slice.
  ! Of a row: `g mu - b`, in the unit of b.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_RESIDUAL_BEFORE = 1
  ! Of a row: `g u - b`, in the unit of b.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_RESIDUAL_AFTER = 2
  ! Of a row: the most that `|g u - b|` may be: 4 eps sum |g u|, eps of the posterior mean's dtype, plus a smallest subnormal number
  ! a cell; infinite for a row with noise; 1e-13 sum |g u| and the rounding of other rows' b for a dropped row.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_TOLERANCE = 3
  ! Of a row: its `lambda` in `u = mu - Sigma G' lambda`; 0 when nothing changed.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_MULTIPLIER = 4
  ! `sqrt((u - mu)' Sigma^-1 (u - mu))`: the correction in prior standard deviations, without a unit.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_CORRECTION_NORM = 5
  ! `max |u - mu|`, in the unit of the field.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_LARGEST_CORRECTION = 6
  ! The first cell (from 0) with the largest correction.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL = 7
  ! Steps that rounding made necessary after the answer was found; almost always 0.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_REPAIRS = 8
  ! 1 when the prior mean obeyed already and came back as it was, else 0.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_UNCHANGED = 9
  ! Of a row: 1 when it depends on rows before it and holds because they do, else 0.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_DROPPED = 10
  ! Newton or root-finding steps; 0 where the answer is a formula.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_ITERATIONS = 11
  ! Cells at their lower bound.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_ACTIVE_LOWER = 12
  ! Cells at their upper bound.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_ACTIVE_UPPER = 13
  ! Cells whose bounds had to yield.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_RELAXED = 14
  ! The furthest that a cell lies outside its bounds, in the unit of the field.
  integer(c_int32_t), parameter :: PCML_REPORT_ITEM_RELAXATION = 15

  ! How the potentials of a correction were found.
  ! The fluxes obeyed already.
  integer(c_int32_t), parameter :: PCML_FLUX_METHOD_NONE = 0
  ! Elimination of cell after cell.
  integer(c_int32_t), parameter :: PCML_FLUX_METHOD_ELIMINATION = 1
  ! Conjugate gradients with agglomeration multigrid.
  integer(c_int32_t), parameter :: PCML_FLUX_METHOD_CONJUGATE_GRADIENTS = 2

  ! How cells are brought within their bounds while the rows hold.
  ! The nearest state in the prior's metric.
  integer(c_int32_t), parameter :: PCML_BOUNDS_METHOD_NEAREST = 1
  ! Clip, then spread what the row lacks over the room that is left, in proportion to it (clip and assured sum, CAAS; Bradley et al.
  ! 2019): one pass more than clipping, not nearest.
  integer(c_int32_t), parameter :: PCML_BOUNDS_METHOD_SPREAD = 2

  ! What becomes of bounds that no lawful state meets.
  ! The call fails.
  integer(c_int32_t), parameter :: PCML_BOUNDS_POLICY_REFUSE = 1
  ! Cells leave their bounds by the least, in the prior's metric: `sum (distance to the bounds)^2 / v` is smallest; with several
  ! rows to 1e-6 of it.
  integer(c_int32_t), parameter :: PCML_BOUNDS_POLICY_RELAX_LEAST = 2
  ! Every cell may reach the least lower and the largest upper bound of its slice; where that is not enough, the call fails.
  integer(c_int32_t), parameter :: PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES = 3

  ! The direction of a monotone profile.
  ! No cell is below the one before it.
  integer(c_int32_t), parameter :: PCML_DIRECTION_INCREASING = 1
  ! No cell is above the one before it.
  integer(c_int32_t), parameter :: PCML_DIRECTION_DECREASING = 2

  ! A condition.
  ! The value itself is given.
  integer(c_int32_t), parameter :: PCML_BOUNDARY_KIND_DIRICHLET = 1
  ! A one-sided difference quotient is given.
  integer(c_int32_t), parameter :: PCML_BOUNDARY_KIND_NEUMANN = 2
  ! The first point is the last.
  integer(c_int32_t), parameter :: PCML_BOUNDARY_KIND_PERIODIC = 3

  ! A stationary covariance function: the correlation of two points whose scaled distance is r, r^2 = sum_k ((x_k - x'_k) /
  ! length_k)^2.
  ! exp(-r^2 / 2), the squared exponential.
  integer(c_int32_t), parameter :: PCML_KERNEL_RBF = 1
  ! exp(-r), of the Ornstein-Uhlenbeck process.
  integer(c_int32_t), parameter :: PCML_KERNEL_MATERN12 = 2
  ! (1 + a) exp(-a), a = sqrt(3) r.
  integer(c_int32_t), parameter :: PCML_KERNEL_MATERN32 = 3
  ! (1 + a + a^2 / 3) exp(-a), a = sqrt(5) r.
  integer(c_int32_t), parameter :: PCML_KERNEL_MATERN52 = 4

  ! What a fit of a Gaussian process moves: a sum of these.
  ! The signal variance.
  integer(c_int32_t), parameter :: PCML_FITTED_SIGNAL_VARIANCE = 1
  ! The length scales.
  integer(c_int32_t), parameter :: PCML_FITTED_LENGTH_SCALES = 2
  ! The noise variance; where it is 0 it stays 0.
  integer(c_int32_t), parameter :: PCML_FITTED_NOISE_VARIANCE = 4
  ! The means; one function only.
  integer(c_int32_t), parameter :: PCML_FITTED_MEANS = 8

  ! How neural operators go from points to kept modes and back, axis by axis.
  ! Whichever is faster: matrices, or fast Fourier transforms on axes that keep many modes of many points.
  integer(c_int32_t), parameter :: PCML_TRANSFORMS_AUTO = 1
  ! Matrices on all axes.
  integer(c_int32_t), parameter :: PCML_TRANSFORMS_MATRIX = 2
  ! Fast Fourier transforms on all axes; not for models with boundary conditions inside, nor for parts.
  integer(c_int32_t), parameter :: PCML_TRANSFORMS_FFT = 3

  ! An array that the library writes.
  type, bind(C) :: pcml_array
    ! sizeof(pcml_array), so that a struct from another header is told
    integer(c_int64_t) :: struct_size = 152
    ! the element with index (0, ..., 0), aligned to the dtype
    type(c_ptr) :: data
    ! PCML_DTYPE_F32 or PCML_DTYPE_F64
    integer(c_int32_t) :: dtype
    ! number of axes, 1 to PCML_MAX_RANK
    integer(c_int32_t) :: rank
    ! extents, first axis first, each at least 1; entries from `rank` on are not read
    integer(c_int64_t) :: shape(8)
    ! steps in elements, negative or in any order; no two indices may name one element
    integer(c_int64_t) :: strides(8)
  end type pcml_array

  ! An array that the library reads.
  type, bind(C) :: pcml_const_array
    ! sizeof(pcml_const_array)
    integer(c_int64_t) :: struct_size = 152
    ! the element with index (0, ..., 0), aligned to the dtype
    type(c_ptr) :: data
    ! PCML_DTYPE_F32 or PCML_DTYPE_F64
    integer(c_int32_t) :: dtype
    ! number of axes, 1 to PCML_MAX_RANK
    integer(c_int32_t) :: rank
    ! extents, first axis first, each at least 1; entries from `rank` on are not read
    integer(c_int64_t) :: shape(8)
    ! steps in elements, of any sign and order
    integer(c_int64_t) :: strides(8)
  end type pcml_const_array

  ! What a correction of fluxes did; D F is the outflow less inflow of each cell, s its source.
  type, bind(C) :: pcml_flux_report
    ! sizeof(pcml_flux_report), so that a struct from another header is told
    integer(c_int64_t) :: struct_size = 96
    ! the largest |D F - s| of the predicted fluxes, in their unit
    real(c_double) :: residual_before
    ! the first cell (from 0) with it
    integer(c_int64_t) :: residual_before_cell
    ! the largest |D F' - s| of the corrected fluxes as stored
    real(c_double) :: residual_after
    ! the first cell with it
    integer(c_int64_t) :: residual_after_cell
    ! the largest |D F' - s| in units of what is allowed in its cell, 0 to 1
    real(c_double) :: closeness
    ! sqrt(sum (F' - F)^2 / w) over the faces that are not held: in standard deviations, without a unit
    real(c_double) :: correction_norm
    ! max |F' - F|, in the unit of the fluxes
    real(c_double) :: largest_correction
    ! the first face (from 0) with it; 0 when nothing changed
    integer(c_int64_t) :: largest_correction_face
    ! conjugate gradient iterations; 0 with elimination
    integer(c_int64_t) :: iterations
    ! solutions for the potentials: 1, and one more for each refinement; 0 when the fluxes obeyed already
    integer(c_int32_t) :: rounds
    ! a number of enum pcml_flux_method
    integer(c_int32_t) :: method
    ! 1 when rounding or extreme variances made the exact last step along trees of faces necessary, else 0
    integer(c_int32_t) :: repaired
    ! 1 when the fluxes obeyed already and came back as they were, else 0
    integer(c_int32_t) :: unchanged
  end type pcml_flux_report

  ! What bounds did to an update.
  type, bind(C) :: pcml_flux_limits
    ! sizeof(pcml_flux_limits)
    integer(c_int64_t) :: struct_size = 32
    ! faces whose flux was limited
    integer(c_int64_t) :: limited_faces
    ! the smallest limiter, 0 to 1; 1 where no face was limited
    real(c_double) :: least_limiter
    ! the first face (from 0) with it; 0 where no face was limited
    integer(c_int64_t) :: least_limiter_face
  end type pcml_flux_limits

  ! What pcml_model_fit tells.
  type, bind(C) :: pcml_fit_report
    ! sizeof(pcml_fit_report)
    integer(c_int64_t) :: struct_size = 64
    ! log N(y; m, K + noise) of the raw values at the end, summed over functions and outputs
    real(c_double) :: log_likelihood
    ! the same at the model's own hyperparameters; NaN where their kernel matrix is singular
    real(c_double) :: log_likelihood_before
    ! added to the kernel matrix's diagonal at the end, as a part of the signal variance; 0: nothing
    real(c_double) :: jitter
    ! iterations of the search that won
    integer(c_int64_t) :: iterations
    ! evaluations of likelihood and gradient in all searches
    integer(c_int64_t) :: evaluations
    ! which search won: 0 is that from the model's own hyperparameters, the others are restarts
    integer(c_int64_t) :: search
    ! 1: its gradient vanished, but against bounds, or no step beyond rounding raised the likelihood; 0: the iterations ran out
    integer(c_int64_t) :: converged
  end type pcml_fit_report
end module pcml_types

module pcml_c
  use pcml_types
  implicit none
  public

  abstract interface
    function pcml_sum_function(context, values, count) bind(C)
      import
      type(c_ptr), value :: context
      integer(c_int64_t), intent(inout), optional :: values(*)
      integer(c_int64_t), value :: count
      integer(c_int32_t) :: pcml_sum_function
    end function pcml_sum_function

  end interface

  interface
    ! Creates boundary conditions without faces.
    function pcml_boundary_create(boundary) bind(C)
      import
      type(c_ptr), intent(out), optional :: boundary
      integer(c_int32_t) :: pcml_boundary_create
    end function pcml_boundary_create

    ! Frees boundary conditions.
    subroutine pcml_boundary_free(boundary) bind(C)
      import
      type(c_ptr), value :: boundary
    end subroutine pcml_boundary_free

    ! Adds the condition of a face: u = value (Dirichlet), sum_k stencil[k] u_k / spacing = value (Neumann), or that the first point
    ! of the axis is the last (periodic; once an axis, for either side).
    function pcml_boundary_add_face(boundary, axis, side, kind, stencil, count, spacing) bind(C)
      import
      type(c_ptr), value :: boundary
      integer(c_int64_t), value :: axis
      integer(c_int32_t), value :: side
      integer(c_int32_t), value :: kind
      real(c_double), intent(in), optional :: stencil(*)
      integer(c_int64_t), value :: count
      real(c_double), value :: spacing
      integer(c_int32_t) :: pcml_boundary_add_face
    end function pcml_boundary_add_face

    ! Makes a field obey the conditions: any surrogate's output, or a state of the host's.
    function pcml_boundary_enforce(boundary, field, rank, values, value_count) bind(C)
      import
      type(c_ptr), value :: boundary
      type(pcml_array), intent(in), target, optional :: field
      integer(c_int64_t), value :: rank
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      integer(c_int32_t) :: pcml_boundary_enforce
    end function pcml_boundary_enforce

    ! Creates a workspace for the pcml_bounded_* calls of a projector: projections within bounds, on simplices and along monotone
    ! runs.
    function pcml_bounded_workspace(projector, slices, workspace) bind(C)
      import
      type(c_ptr), value :: projector
      integer(c_int64_t), value :: slices
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_bounded_workspace
    end function pcml_bounded_workspace

    ! Makes every slice obey all rows and stay within its bounds and sets: the u with least sum of (u - mu)^2 / v, such that G u =
    ! b, lower <= u <= upper, and the sets of pcml_constraints_add_simplex and pcml_constraints_add_monotone hold.
    function pcml_bounded_project(projector, workspace, mean, variance, b, lower, upper, posterior_mean, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_bounded_project
    end function pcml_bounded_project

    ! Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else.
    function pcml_bounded_check(projector, workspace, mean, b, lower, upper, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_bounded_check
    end function pcml_bounded_check

    ! The derivative of pcml_bounded_project's mean, of one slice, in a direction.
    function pcml_bounded_jvp(projector, workspace, mean, variance, b, lower, upper, tangent_mean, tangent_variance, tangent_b, &
        tangent) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_const_array), intent(in), optional :: tangent_mean
      type(pcml_const_array), intent(in), optional :: tangent_variance
      type(pcml_const_array), intent(in), optional :: tangent_b
      type(pcml_array), intent(in), target, optional :: tangent
      integer(c_int32_t) :: pcml_bounded_jvp
    end function pcml_bounded_jvp

    ! The derivatives of <cotangent, u>, u of pcml_bounded_project, of one slice: the transpose of pcml_bounded_jvp.
    function pcml_bounded_vjp(projector, workspace, mean, variance, b, lower, upper, cotangent, gradient_mean, gradient_variance, &
        gradient_b) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_const_array), intent(in), optional :: cotangent
      type(pcml_array), intent(in), target, optional :: gradient_mean
      type(pcml_array), intent(in), target, optional :: gradient_variance
      type(pcml_array), intent(in), target, optional :: gradient_b
      integer(c_int32_t) :: pcml_bounded_vjp
    end function pcml_bounded_vjp

    ! Creates constraints without rows.
    function pcml_constraints_create(cells, constraints) bind(C)
      import
      integer(c_int64_t), value :: cells
      type(c_ptr), intent(out), optional :: constraints
      integer(c_int32_t) :: pcml_constraints_create
    end function pcml_constraints_create

    ! Frees constraints.
    subroutine pcml_constraints_free(constraints) bind(C)
      import
      type(c_ptr), value :: constraints
    end subroutine pcml_constraints_free

    ! Adds the row whose weights are a quadrature over points: b is the integral of the field from the first point to the last.
    function pcml_constraints_add_quadrature(constraints, rule, points, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int32_t), value :: rule
      type(pcml_const_array), intent(in), optional :: points
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_quadrature
    end function pcml_constraints_add_quadrature

    ! Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance.
    function pcml_constraints_add_row(constraints, weights, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      type(pcml_const_array), intent(in), optional :: weights
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_row
    end function pcml_constraints_add_row

    ! Adds a row of a field in parts that has no weight on this part's cells, so that rows have the same numbers on all parts
    ! (pcml_part_project).
    function pcml_constraints_add_absent_row(constraints, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_absent_row
    end function pcml_constraints_add_absent_row

    ! How many rows the constraints have; the next one gets this number.
    function pcml_constraints_rows(constraints, rows) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), intent(inout), optional :: rows
      integer(c_int32_t) :: pcml_constraints_rows
    end function pcml_constraints_rows

    ! Adds the row whose weights are the tensor product of one quadrature rule along each axis of a grid: b is the integral of the
    ! grid's field over its box.
    function pcml_constraints_add_grid_quadrature(constraints, rule, axes, rank, first, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int32_t), value :: rule
      type(pcml_const_array), intent(in), optional :: axes(*)
      integer(c_int64_t), value :: rank
      integer(c_int64_t), value :: first
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_grid_quadrature
    end function pcml_constraints_add_grid_quadrature

    ! Adds rows in compressed sparse form: row k has the weights starts[k] to starts[k + 1] - 1, on the cells of the same places.
    function pcml_constraints_add_sparse_rows(constraints, rows, starts, cells, weights, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), value :: rows
      integer(c_int64_t), intent(in), optional :: starts(*)
      integer(c_int64_t), intent(in), optional :: cells(*)
      real(c_double), intent(in), optional :: weights(*)
      real(c_double), intent(in), optional :: noise_variance(*)
      integer(c_int32_t) :: pcml_constraints_add_sparse_rows
    end function pcml_constraints_add_sparse_rows

    ! Adds a row for each node on a face, an edge or a corner of a grid, in C order of the nodes: value u + slope du/dn = b there, n
    ! the outward normal.
    function pcml_constraints_add_boundary(constraints, axes, rank, first, sides, axis, value, slope, order, &
        noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      type(pcml_const_array), intent(in), optional :: axes(*)
      integer(c_int64_t), value :: rank
      integer(c_int64_t), value :: first
      integer(c_int32_t), intent(in), optional :: sides(*)
      integer(c_int64_t), value :: axis
      real(c_double), value :: value
      real(c_double), value :: slope
      integer(c_int32_t), value :: order
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_boundary
    end function pcml_constraints_add_boundary

    ! Adds a row u_last - u_first = b for each node of the first face across an axis of a grid, in C order: with b = 0 the field is
    ! periodic along it.
    function pcml_constraints_add_periodic(constraints, shape, rank, first, axis, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), intent(in), optional :: shape(*)
      integer(c_int64_t), value :: rank
      integer(c_int64_t), value :: first
      integer(c_int64_t), value :: axis
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_periodic
    end function pcml_constraints_add_periodic

    ! Adds a row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k width + j]] = b.
    function pcml_constraints_add_stencils(constraints, rows, width, cells, coefficients, shared, noise_variance) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), value :: rows
      integer(c_int64_t), value :: width
      integer(c_int64_t), intent(in), optional :: cells(*)
      real(c_double), intent(in), optional :: coefficients(*)
      integer(c_int32_t), value :: shared
      real(c_double), value :: noise_variance
      integer(c_int32_t) :: pcml_constraints_add_stencils
    end function pcml_constraints_add_stencils

    ! Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells
    ! are the same, products of two fields of the concatenated state where they differ.
    function pcml_constraints_add_quadratic(constraints, terms, cells_i, cells_j, weights) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), value :: terms
      integer(c_int64_t), intent(in), optional :: cells_i(*)
      integer(c_int64_t), intent(in), optional :: cells_j(*)
      real(c_double), intent(in), optional :: weights(*)
      integer(c_int32_t) :: pcml_constraints_add_quadratic
    end function pcml_constraints_add_quadratic

    ! Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the
    ! volumes.
    function pcml_constraints_add_energy(constraints, weights) bind(C)
      import
      type(c_ptr), value :: constraints
      type(pcml_const_array), intent(in), optional :: weights
      integer(c_int32_t) :: pcml_constraints_add_energy
    end function pcml_constraints_add_energy

    ! Chooses how pcml_bounded_project brings cells within their bounds, and what it does where no lawful state is within them.
    function pcml_constraints_set_bounds(constraints, method, policy) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int32_t), value :: method
      integer(c_int32_t), value :: policy
      integer(c_int32_t) :: pcml_constraints_set_bounds
    end function pcml_constraints_set_bounds

    ! Adds that at each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions
    ! do.
    function pcml_constraints_add_simplex(constraints, first, components, points, total) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), value :: first
      integer(c_int64_t), value :: components
      integer(c_int64_t), value :: points
      real(c_double), value :: total
      integer(c_int32_t) :: pcml_constraints_add_simplex
    end function pcml_constraints_add_simplex

    ! Adds that `count` cells from `first` on increase or decrease, not strictly, as a cumulative quantity or a stable density
    ! profile does.
    function pcml_constraints_add_monotone(constraints, first, count, direction) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int64_t), value :: first
      integer(c_int64_t), value :: count
      integer(c_int32_t), value :: direction
      integer(c_int32_t) :: pcml_constraints_add_monotone
    end function pcml_constraints_add_monotone

    ! Mean over the cells of log N(truth; mean, variance): how probable a truth is under marginals, in nats a cell.
    function pcml_log_density(truth, mean, variance, density) bind(C)
      import
      type(pcml_const_array), intent(in), optional :: truth
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      real(c_double), intent(inout), optional :: density
      integer(c_int32_t) :: pcml_log_density
    end function pcml_log_density

    ! Copies the text of this thread's last failed call into `buffer`: one line that names the function, the culprit and the
    ! expected value.
    function pcml_error_message(buffer, capacity, length) bind(C)
      import
      character(kind=c_char), intent(inout), optional :: buffer(*)
      integer(c_int64_t), value :: capacity
      integer(c_int64_t), intent(inout), optional :: length
      integer(c_int32_t) :: pcml_error_message
    end function pcml_error_message

    ! The name of a status number, as "PCML_STATUS_SHAPE"; "unknown status" for a number that is none.
    function pcml_status_name(status) bind(C)
      import
      integer(c_int32_t), value :: status
      type(c_ptr) :: pcml_status_name
    end function pcml_status_name

    ! Creates a flux balance for a mesh.
    function pcml_flux_create(faces, owner, neighbour, volumes, options, flux) bind(C)
      import
      integer(c_int64_t), value :: faces
      integer(c_int64_t), intent(in), optional :: owner(*)
      integer(c_int64_t), intent(in), optional :: neighbour(*)
      type(pcml_const_array), intent(in), optional :: volumes
      type(c_ptr), value :: options
      type(c_ptr), intent(out), optional :: flux
      integer(c_int32_t) :: pcml_flux_create
    end function pcml_flux_create

    ! Frees a flux balance.
    subroutine pcml_flux_free(flux) bind(C)
      import
      type(c_ptr), value :: flux
    end subroutine pcml_flux_free

    ! Creates a workspace for calls of this flux balance.
    function pcml_flux_workspace(flux, workspace) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_flux_workspace
    end function pcml_flux_workspace

    ! The nearest fluxes that close every cell's balance: of all F' whose outflow less inflow is s in each cell, the one with the
    ! least sum (F' - F)^2 / w.
    function pcml_flux_correct(flux, workspace, fluxes, variance, source, corrected, report) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_array), intent(in), target, optional :: corrected
      type(pcml_flux_report), intent(inout), optional :: report
      integer(c_int32_t) :: pcml_flux_correct
    end function pcml_flux_correct

    ! How far every cell's balance is from closing: D F - s, with sums in twice the precision of f64.
    function pcml_flux_residual(flux, workspace, fluxes, source, residual) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_array), intent(in), target, optional :: residual
      integer(c_int32_t) :: pcml_flux_residual
    end function pcml_flux_residual

    ! The derivative of pcml_flux_correct's fluxes in a direction.
    function pcml_flux_jvp(flux, workspace, fluxes, variance, source, tangent_fluxes, tangent_variance, tangent_source, &
        tangent) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_const_array), intent(in), optional :: tangent_fluxes
      type(pcml_const_array), intent(in), optional :: tangent_variance
      type(pcml_const_array), intent(in), optional :: tangent_source
      type(pcml_array), intent(in), target, optional :: tangent
      integer(c_int32_t) :: pcml_flux_jvp
    end function pcml_flux_jvp

    ! The derivatives of <cotangent, F'>, F' of pcml_flux_correct: the transpose of pcml_flux_jvp.
    function pcml_flux_vjp(flux, workspace, fluxes, variance, source, cotangent, gradient_fluxes, gradient_variance, &
        gradient_source) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_const_array), intent(in), optional :: cotangent
      type(pcml_array), intent(in), target, optional :: gradient_fluxes
      type(pcml_array), intent(in), target, optional :: gradient_variance
      type(pcml_array), intent(in), target, optional :: gradient_source
      integer(c_int32_t) :: pcml_flux_vjp
    end function pcml_flux_vjp

    ! The new value of each cell, u' = u - dt / V (sum_out F - sum_in F - q).
    function pcml_flux_update(flux, workspace, dt, state, fluxes, source, new_state) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      real(c_double), value :: dt
      type(pcml_const_array), intent(in), optional :: state
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_array), intent(in), target, optional :: new_state
      integer(c_int32_t) :: pcml_flux_update
    end function pcml_flux_update

    ! pcml_flux_update with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport, Zalesak
    ! 1979): each face's flux F is drawn towards its low-order flux G by one factor for both its cells, F'' = G + a (F - G) with 0
    ! <= a <= 1.
    function pcml_flux_update_bounded(flux, workspace, dt, state, fluxes, source, lower, upper, low_order, new_state, limited, &
        limits) bind(C)
      import
      type(c_ptr), value :: flux
      type(c_ptr), value :: workspace
      real(c_double), value :: dt
      type(pcml_const_array), intent(in), optional :: state
      type(pcml_const_array), intent(in), optional :: fluxes
      type(pcml_const_array), intent(in), optional :: source
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_const_array), intent(in), optional :: low_order
      type(pcml_array), intent(in), target, optional :: new_state
      type(pcml_array), intent(in), target, optional :: limited
      type(pcml_flux_limits), intent(inout), optional :: limits
      integer(c_int32_t) :: pcml_flux_update_bounded
    end function pcml_flux_update_bounded

    ! Creates a workspace for the pcml_inference_* calls of a projector: samples, the probability of right-hand sides, covariances
    ! of chosen cells, derivatives.
    function pcml_inference_workspace(projector, max_samples, workspace) bind(C)
      import
      type(c_ptr), value :: projector
      integer(c_int64_t), value :: max_samples
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_inference_workspace
    end function pcml_inference_workspace

    ! Draws samples of the posterior of one slice, every one lawful: Matheron's rule, a draw from the prior projected on the rows,
    ! whose noise is drawn too.
    function pcml_inference_sample(projector, workspace, mean, variance, b, seed, first, samples) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      integer(c_int64_t), value :: seed
      integer(c_int64_t), value :: first
      type(pcml_array), intent(in), target, optional :: samples
      integer(c_int32_t) :: pcml_inference_sample
    end function pcml_inference_sample

    ! log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part.
    function pcml_inference_log_likelihood(projector, workspace, mean, variance, b, log_likelihood) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      real(c_double), intent(inout), optional :: log_likelihood
      integer(c_int32_t) :: pcml_inference_log_likelihood
    end function pcml_inference_log_likelihood

    ! Posterior covariances between the cells of two lists, of one slice.
    function pcml_inference_covariance(projector, workspace, variance, rows, row_count, columns, column_count, covariance) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: variance
      integer(c_int64_t), intent(in), optional :: rows(*)
      integer(c_int64_t), value :: row_count
      integer(c_int64_t), intent(in), optional :: columns(*)
      integer(c_int64_t), value :: column_count
      type(pcml_array), intent(in), target, optional :: covariance
      integer(c_int32_t) :: pcml_inference_covariance
    end function pcml_inference_covariance

    ! The derivative of the posterior mean of one slice in a direction.
    function pcml_inference_jvp(projector, workspace, mean, variance, b, tangent_mean, tangent_variance, tangent_b, &
        tangent) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: tangent_mean
      type(pcml_const_array), intent(in), optional :: tangent_variance
      type(pcml_const_array), intent(in), optional :: tangent_b
      type(pcml_array), intent(in), target, optional :: tangent
      integer(c_int32_t) :: pcml_inference_jvp
    end function pcml_inference_jvp

    ! The derivatives of <cotangent, posterior mean> of one slice.
    function pcml_inference_vjp(projector, workspace, mean, variance, b, cotangent, gradient_mean, gradient_variance, &
        gradient_b) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: cotangent
      type(pcml_array), intent(in), target, optional :: gradient_mean
      type(pcml_array), intent(in), target, optional :: gradient_variance
      type(pcml_array), intent(in), target, optional :: gradient_b
      integer(c_int32_t) :: pcml_inference_vjp
    end function pcml_inference_vjp

    ! Loads a model file and runs its self-test.
    function pcml_model_load(path, model) bind(C)
      import
      character(kind=c_char), intent(in), optional :: path(*)
      type(c_ptr), intent(out), optional :: model
      integer(c_int32_t) :: pcml_model_load
    end function pcml_model_load

    ! Loads a model from the bytes of a model file, so that one rank may read and broadcast.
    function pcml_model_load_bytes(bytes, size, model) bind(C)
      import
      type(c_ptr), value :: bytes
      integer(c_int64_t), value :: size
      type(c_ptr), intent(out), optional :: model
      integer(c_int32_t) :: pcml_model_load_bytes
    end function pcml_model_load_bytes

    ! Makes a Gaussian process without a file.
    function pcml_model_gaussian_process(kernel, inputs, outputs, options, model) bind(C)
      import
      integer(c_int32_t), value :: kernel
      integer(c_int64_t), value :: inputs
      integer(c_int64_t), value :: outputs
      type(c_ptr), value :: options
      type(c_ptr), intent(out), optional :: model
      integer(c_int32_t) :: pcml_model_gaussian_process
    end function pcml_model_gaussian_process

    ! Makes an ensemble of loaded models: its plans predict the mean, and the variance, of the members' equal-weight mixture.
    function pcml_model_ensemble(members, count, model) bind(C)
      import
      type(c_ptr), intent(in), optional :: members(*)
      integer(c_int64_t), value :: count
      type(c_ptr), intent(out), optional :: model
      integer(c_int32_t) :: pcml_model_ensemble
    end function pcml_model_ensemble

    ! Gaussian processes: makes a model with the hyperparameters of the greatest marginal likelihood of some points, by a
    ! quasi-Newton search on their logarithms within bounds, from the model's own values and from restarts.
    function pcml_model_fit(model, context_x, context_y, noise, options, fitted, report) bind(C)
      import
      type(c_ptr), value :: model
      type(pcml_const_array), intent(in), optional :: context_x
      type(pcml_const_array), intent(in), optional :: context_y
      type(pcml_const_array), intent(in), optional :: noise
      type(c_ptr), value :: options
      type(c_ptr), intent(out), optional :: fitted
      type(pcml_fit_report), intent(inout), optional :: report
      integer(c_int32_t) :: pcml_model_fit
    end function pcml_model_fit

    ! Gaussian processes: copies the hyperparameters, network units: signal variance, noise variance, the length scales (1 or one an
    ! input), the mean of each output.
    function pcml_model_hyperparameters(model, capacity, values, count) bind(C)
      import
      type(c_ptr), value :: model
      integer(c_int64_t), value :: capacity
      real(c_double), intent(inout), optional :: values(*)
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_model_hyperparameters
    end function pcml_model_hyperparameters

    ! Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
    function pcml_model_description(model, buffer, capacity, length) bind(C)
      import
      type(c_ptr), value :: model
      character(kind=c_char), intent(inout), optional :: buffer(*)
      integer(c_int64_t), value :: capacity
      integer(c_int64_t), intent(inout), optional :: length
      integer(c_int32_t) :: pcml_model_description
    end function pcml_model_description

    ! Frees a model; plans made from it live on.
    subroutine pcml_model_free(model) bind(C)
      import
      type(c_ptr), value :: model
    end subroutine pcml_model_free

    ! Creates a workspace for pcml_nonlinear_project of this projector.
    function pcml_nonlinear_workspace(projector, slices, workspace) bind(C)
      import
      type(c_ptr), value :: projector
      integer(c_int64_t), value :: slices
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_nonlinear_workspace
    end function pcml_nonlinear_workspace

    ! Makes every slice obey all rows and all quadratic invariants: the state u nearest to mu, with least sum of (u - mu)^2 / v,
    ! such that G u = b and q(u) = e.
    function pcml_nonlinear_project(projector, workspace, mean, variance, b, levels, posterior_mean, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: levels
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_nonlinear_project
    end function pcml_nonlinear_project

    ! Fills the report with how every slice stands to its rows and invariants; changes nothing else.
    function pcml_nonlinear_check(projector, workspace, mean, b, levels, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: levels
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_nonlinear_check
    end function pcml_nonlinear_check

    ! The derivative of pcml_nonlinear_project's mean, of one slice, in a direction: along the rows and the tangents of the
    ! invariants, with their curvature.
    function pcml_nonlinear_jvp(projector, workspace, mean, variance, b, levels, tangent_mean, tangent_variance, tangent_b, &
        tangent) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: levels
      type(pcml_const_array), intent(in), optional :: tangent_mean
      type(pcml_const_array), intent(in), optional :: tangent_variance
      type(pcml_const_array), intent(in), optional :: tangent_b
      type(pcml_array), intent(in), target, optional :: tangent
      integer(c_int32_t) :: pcml_nonlinear_jvp
    end function pcml_nonlinear_jvp

    ! The derivatives of <cotangent, u>, u of pcml_nonlinear_project, of one slice: the transpose of pcml_nonlinear_jvp.
    function pcml_nonlinear_vjp(projector, workspace, mean, variance, b, levels, cotangent, gradient_mean, gradient_variance, &
        gradient_b) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: levels
      type(pcml_const_array), intent(in), optional :: cotangent
      type(pcml_array), intent(in), target, optional :: gradient_mean
      type(pcml_array), intent(in), target, optional :: gradient_variance
      type(pcml_array), intent(in), target, optional :: gradient_b
      integer(c_int32_t) :: pcml_nonlinear_vjp
    end function pcml_nonlinear_vjp

    ! Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be
    ! shorter, and this part has some of them.
    function pcml_operator_part_create(model, dtype, options, block, owned, owned_count, part) bind(C)
      import
      type(c_ptr), value :: model
      integer(c_int32_t), value :: dtype
      type(c_ptr), value :: options
      integer(c_int64_t), value :: block
      integer(c_int64_t), intent(in), optional :: owned(*)
      integer(c_int64_t), value :: owned_count
      type(c_ptr), intent(out), optional :: part
      integer(c_int32_t) :: pcml_operator_part_create
    end function pcml_operator_part_create

    ! Frees a part; its workspaces are to be freed on their own.
    subroutine pcml_operator_part_free(part) bind(C)
      import
      type(c_ptr), value :: part
    end subroutine pcml_operator_part_free

    ! Creates the scratch memory of a part: one a thread.
    function pcml_operator_part_workspace(part, workspace) bind(C)
      import
      type(c_ptr), value :: part
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_operator_part_workspace
    end function pcml_operator_part_workspace

    ! Predicts one function on a grid in parts: every part calls it with its own points and gets the results there.
    function pcml_operator_part_predict(part, workspace, reduction, input, values, value_count, output) bind(C)
      import
      type(c_ptr), value :: part
      type(c_ptr), value :: workspace
      type(c_ptr), value :: reduction
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_array), intent(in), target, optional :: output
      integer(c_int32_t) :: pcml_operator_part_predict
    end function pcml_operator_part_predict

    ! pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message.
    function pcml_operator_part_begin(part, workspace, input, values, value_count, dtype, message, count) bind(C)
      import
      type(c_ptr), value :: part
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      integer(c_int32_t), value :: dtype
      type(c_ptr), intent(out), optional :: message
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_operator_part_begin
    end function pcml_operator_part_begin

    ! Reads the sum over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message,
    ! or gives a count of 0 when the results wait for pcml_operator_part_finish.
    function pcml_operator_part_continue(part, workspace, message, count) bind(C)
      import
      type(c_ptr), value :: part
      type(c_ptr), value :: workspace
      type(c_ptr), intent(out), optional :: message
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_operator_part_continue
    end function pcml_operator_part_continue

    ! Writes the results at this part's points, once pcml_operator_part_continue gave a count of 0.
    function pcml_operator_part_finish(part, workspace, output) bind(C)
      import
      type(c_ptr), value :: part
      type(c_ptr), value :: workspace
      type(pcml_array), intent(in), target, optional :: output
      integer(c_int32_t) :: pcml_operator_part_finish
    end function pcml_operator_part_finish

    ! Creates settings, all unset.
    function pcml_options_create(options) bind(C)
      import
      type(c_ptr), intent(out), optional :: options
      integer(c_int32_t) :: pcml_options_create
    end function pcml_options_create

    ! Frees settings.
    subroutine pcml_options_free(options) bind(C)
      import
      type(c_ptr), value :: options
    end subroutine pcml_options_free

    ! Plans: most functions (independent samples) in one call, of perceptrons most rows.
    function pcml_options_set_batch(options, batch) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: batch
      integer(c_int32_t) :: pcml_options_set_batch
    end function pcml_options_set_batch

    ! Plans of neural processes, and of Gaussian ones whose model stores no points: most context points of a function.
    function pcml_options_set_context(options, context) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: context
      integer(c_int32_t) :: pcml_options_set_context
    end function pcml_options_set_context

    ! Plans of neural and Gaussian processes and of DeepONets: most target points of a function.
    function pcml_options_set_targets(options, targets) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: targets
      integer(c_int32_t) :: pcml_options_set_targets
    end function pcml_options_set_targets

    ! Plans of Gaussian processes: most target points of pcml_plan_covariance, at most those of pcml_options_set_targets.
    function pcml_options_set_covariance(options, targets) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: targets
      integer(c_int32_t) :: pcml_options_set_covariance
    end function pcml_options_set_covariance

    ! Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent.
    function pcml_options_set_latents(options, latents) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: latents
      integer(c_int32_t) :: pcml_options_set_latents
    end function pcml_options_set_latents

    ! Seed of the counter-based generator behind latent draws, dropout and the restarts of fits.
    function pcml_options_set_seed(options, seed) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: seed
      integer(c_int32_t) :: pcml_options_set_seed
    end function pcml_options_set_seed

    ! Plans of models with dropout: the rate kept on while predicting (Monte Carlo dropout), in [0, 1).
    function pcml_options_set_dropout(options, rate) bind(C)
      import
      type(c_ptr), value :: options
      real(c_double), value :: rate
      integer(c_int32_t) :: pcml_options_set_dropout
    end function pcml_options_set_dropout

    ! Plans of neural operators and of networks in ONNX with a grid: extents of the grid, first axis first.
    function pcml_options_set_shape(options, rank, shape) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: rank
      integer(c_int64_t), intent(in), optional :: shape(*)
      integer(c_int32_t) :: pcml_options_set_shape
    end function pcml_options_set_shape

    ! Plans of neural operators: steps of a roll-out in one call, each fed with the outputs before it as its newest input channels.
    function pcml_options_set_steps(options, steps) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: steps
      integer(c_int32_t) :: pcml_options_set_steps
    end function pcml_options_set_steps

    ! Plans of neural operators: threads of a call, the calling one among them.
    function pcml_options_set_threads(options, threads) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: threads
      integer(c_int32_t) :: pcml_options_set_threads
    end function pcml_options_set_threads

    ! Plans of neural operators: how fields go from points to kept modes and back.
    function pcml_options_set_transforms(options, transforms) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int32_t), value :: transforms
      integer(c_int32_t) :: pcml_options_set_transforms
    end function pcml_options_set_transforms

    ! Plans of models that obey boundary conditions themselves: conditions instead of the model's own, on the same faces and of the
    ! same kinds, with other stencils, spacings or order.
    function pcml_options_set_boundary(options, boundary) bind(C)
      import
      type(c_ptr), value :: options
      type(c_ptr), value :: boundary
      integer(c_int32_t) :: pcml_options_set_boundary
    end function pcml_options_set_boundary

    ! Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as PCML_STATUS_VARIANCE.
    function pcml_options_set_held_cells(options, admit) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int32_t), value :: admit
      integer(c_int32_t) :: pcml_options_set_held_cells
    end function pcml_options_set_held_cells

    ! Projectors: off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble.
    function pcml_options_set_prior_size(options, prior_size) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: prior_size
      integer(c_int32_t) :: pcml_options_set_prior_size
    end function pcml_options_set_prior_size

    ! Projectors with PCML_PRIOR_SMOOTHED: a, the correlation of neighbouring cells, 0 <= a < 1; the published experiments take 0.9.
    function pcml_options_set_smoothing(options, smoothing) bind(C)
      import
      type(c_ptr), value :: options
      real(c_double), value :: smoothing
      integer(c_int32_t) :: pcml_options_set_smoothing
    end function pcml_options_set_smoothing

    ! Flux balances: 1 admits a variance of zero, which prescribes that face's flux; 0 refuses it as PCML_STATUS_VARIANCE.
    function pcml_options_set_held_faces(options, admit) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int32_t), value :: admit
      integer(c_int32_t) :: pcml_options_set_held_faces
    end function pcml_options_set_held_faces

    ! Flux balances: meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients; 0: all by
    ! conjugate gradients.
    function pcml_options_set_direct_cells(options, cells) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: cells
      integer(c_int32_t) :: pcml_options_set_direct_cells
    end function pcml_options_set_direct_cells

    ! Gaussian processes: length scales of the inputs, in their raw units.
    function pcml_options_set_length_scales(options, count, length_scales) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: count
      real(c_double), intent(in), optional :: length_scales(*)
      integer(c_int32_t) :: pcml_options_set_length_scales
    end function pcml_options_set_length_scales

    ! Gaussian processes: the signal variance, in the outputs' raw unit squared.
    function pcml_options_set_signal_variance(options, variance) bind(C)
      import
      type(c_ptr), value :: options
      real(c_double), value :: variance
      integer(c_int32_t) :: pcml_options_set_signal_variance
    end function pcml_options_set_signal_variance

    ! Gaussian processes: the noise variance of every value, in the outputs' raw unit squared.
    function pcml_options_set_noise_variance(options, variance) bind(C)
      import
      type(c_ptr), value :: options
      real(c_double), value :: variance
      integer(c_int32_t) :: pcml_options_set_noise_variance
    end function pcml_options_set_noise_variance

    ! Gaussian processes: the constant mean of each output, raw units.
    function pcml_options_set_means(options, count, means) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: count
      real(c_double), intent(in), optional :: means(*)
      integer(c_int32_t) :: pcml_options_set_means
    end function pcml_options_set_means

    ! Fits of Gaussian processes: what they move.
    function pcml_options_set_fitted(options, fitted) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int32_t), value :: fitted
      integer(c_int32_t) :: pcml_options_set_fitted
    end function pcml_options_set_fitted

    ! Fits of Gaussian processes: every hyperparameter stays within this factor of where the model has it, both ways.
    function pcml_options_set_fit_range(options, factor) bind(C)
      import
      type(c_ptr), value :: options
      real(c_double), value :: factor
      integer(c_int32_t) :: pcml_options_set_fit_range
    end function pcml_options_set_fit_range

    ! Fits of Gaussian processes: searches after the first, from places drawn by option seed around the model's hyperparameters.
    function pcml_options_set_restarts(options, restarts) bind(C)
      import
      type(c_ptr), value :: options
      integer(c_int64_t), value :: restarts
      integer(c_int32_t) :: pcml_options_set_restarts
    end function pcml_options_set_restarts

    ! Creates a workspace for the pcml_part_* calls of a projector: the projection of a field whose cells lie in parts, one in each
    ! process.
    function pcml_part_workspace(projector, workspace) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_part_workspace
    end function pcml_part_workspace

    ! pcml_projector_project for one slice whose cells lie in parts, one in each process: every part calls it with its own cells,
    ! and the whole field obeys afterwards.
    function pcml_part_project(projector, workspace, reduction, mean, variance, b, lower, upper, posterior_mean, &
        posterior_variance, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(c_ptr), value :: reduction
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(pcml_array), intent(in), target, optional :: posterior_variance
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_part_project
    end function pcml_part_project

    ! pcml_part_project in steps, for a host that sums between calls: begins, and hands out this part's message.
    function pcml_part_begin(projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, report, &
        values, count) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(pcml_array), intent(in), target, optional :: posterior_variance
      type(c_ptr), value :: report
      type(c_ptr), intent(out), optional :: values
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_part_begin
    end function pcml_part_begin

    ! Reads the sums over all parts where pcml_part_begin, or the call before, left its message; hands out the next message, or
    ! writes the posterior and gives a count of 0.
    function pcml_part_continue(projector, workspace, mean, variance, b, lower, upper, posterior_mean, posterior_variance, &
        report, values, count) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_const_array), intent(in), optional :: lower
      type(pcml_const_array), intent(in), optional :: upper
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(pcml_array), intent(in), target, optional :: posterior_variance
      type(c_ptr), value :: report
      type(c_ptr), intent(out), optional :: values
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_part_continue
    end function pcml_part_continue

    ! Creates a plan: packs the weights for the arithmetic; draws the latent samples of neural processes; makes the transforms of
    ! neural operators for the grid, and the corrections of those that obey boundary conditions; factors the kernel matrix of the
    ! points that a Gaussian process stores.
    function pcml_plan_create(model, dtype, options, plan) bind(C)
      import
      type(c_ptr), value :: model
      integer(c_int32_t), value :: dtype
      type(c_ptr), value :: options
      type(c_ptr), intent(out), optional :: plan
      integer(c_int32_t) :: pcml_plan_create
    end function pcml_plan_create

    ! Frees a plan; its workspaces are to be freed on their own.
    subroutine pcml_plan_free(plan) bind(C)
      import
      type(c_ptr), value :: plan
    end subroutine pcml_plan_free

    ! Creates the scratch memory of a plan: one a thread.
    function pcml_plan_workspace(plan, workspace) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_plan_workspace
    end function pcml_plan_workspace

    ! Neural and Gaussian processes and DeepONets: encodes the context points of one or more functions into the workspace.
    function pcml_plan_condition(plan, workspace, context_x, context_y) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: context_x
      type(pcml_const_array), intent(in), optional :: context_y
      integer(c_int32_t) :: pcml_plan_condition
    end function pcml_plan_condition

    ! Gaussian processes: pcml_plan_condition on points whose values have noise variances of their own, beside the model's.
    function pcml_plan_condition_noisy(plan, workspace, context_x, context_y, noise) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: context_x
      type(pcml_const_array), intent(in), optional :: context_y
      type(pcml_const_array), intent(in), optional :: noise
      integer(c_int32_t) :: pcml_plan_condition_noisy
    end function pcml_plan_condition_noisy

    ! Gaussian processes: the variance that the last conditioning added to the diagonal of kernel matrices so that they could be
    ! factored, the largest over functions (else that of the stored points).
    function pcml_plan_jitter(plan, workspace, jitter) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      real(c_double), intent(inout), optional :: jitter
      integer(c_int32_t) :: pcml_plan_jitter
    end function pcml_plan_jitter

    ! Neural processes: mean and log variance of the latent density of each function conditioned on, network units.
    function pcml_plan_latent(plan, workspace, mu, log_variance) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_array), intent(in), target, optional :: mu
      type(pcml_array), intent(in), target, optional :: log_variance
      integer(c_int32_t) :: pcml_plan_latent
    end function pcml_plan_latent

    ! Neural and Gaussian processes and DeepONets: predicts at target points of the functions conditioned on; a Gaussian process
    ! that is not conditioned and stores points predicts from those.
    function pcml_plan_query(plan, workspace, target_x, eps, mean, variance) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: target_x
      type(pcml_const_array), intent(in), optional :: eps
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: variance
      integer(c_int32_t) :: pcml_plan_query
    end function pcml_plan_query

    ! Gaussian processes: the whole posterior covariance at target points, k(x, x) - k(x, X) (k(X, X) + noise)^-1 k(X, x), and the
    ! mean.
    function pcml_plan_covariance(plan, workspace, target_x, mean, covariance) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: target_x
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: covariance
      integer(c_int32_t) :: pcml_plan_covariance
    end function pcml_plan_covariance

    ! Neural operators and networks in ONNX: predicts fields on the plan's grid from fields; where such a network has no grid,
    ! values at points, each point a function.
    function pcml_plan_predict(plan, workspace, input, values, value_count, output) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_array), intent(in), target, optional :: output
      integer(c_int32_t) :: pcml_plan_predict
    end function pcml_plan_predict

    ! Predicts as pcml_plan_predict from and to several fields of the host, such as temperature, humidity and winds: the channels of
    ! the model are those of the first field, then those of the second and so on.
    function pcml_plan_predict_fields(plan, workspace, inputs, input_count, values, value_count, outputs, output_count) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: inputs(*)
      integer(c_int64_t), value :: input_count
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_array), intent(in), target, optional :: outputs(*)
      integer(c_int64_t), value :: output_count
      integer(c_int32_t) :: pcml_plan_predict_fields
    end function pcml_plan_predict_fields

    ! Perceptrons with a variance head and ensembles: predicts as pcml_plan_predict, with variances.
    function pcml_plan_predict_moments(plan, workspace, input, values, value_count, mean, variance) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: variance
      integer(c_int32_t) :: pcml_plan_predict_moments
    end function pcml_plan_predict_moments

    ! Ensembles: predicts as pcml_plan_predict, with the covariance of the members' mixture as diag(d) + F'F of rank `members`.
    function pcml_plan_predict_factors(plan, workspace, input, values, value_count, mean, low_rank) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: low_rank
      integer(c_int32_t) :: pcml_plan_predict_factors
    end function pcml_plan_predict_factors

    ! Ensembles of processes or DeepONets: predicts at target points as pcml_plan_query, with the covariance of the members' mixture
    ! as pcml_plan_predict_factors has it.
    function pcml_plan_query_factors(plan, workspace, target_x, eps, mean, low_rank) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: target_x
      type(pcml_const_array), intent(in), optional :: eps
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: low_rank
      integer(c_int32_t) :: pcml_plan_query_factors
    end function pcml_plan_query_factors

    ! How many members a plan's predictions are made of: those of an ensemble, or the draws of dropout; 0 for a single model.
    function pcml_plan_members(plan, count) bind(C)
      import
      type(c_ptr), value :: plan
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_plan_members
    end function pcml_plan_members

    ! Neural operators: predicts as pcml_plan_predict and makes the prediction lawful as pcml_projector_project, in one call.
    function pcml_plan_predict_lawful(plan, workspace, input, values, value_count, projector, projector_workspace, variance, b, &
        mean, posterior_variance, report) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(c_ptr), value :: projector
      type(c_ptr), value :: projector_workspace
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_array), intent(in), target, optional :: mean
      type(pcml_array), intent(in), target, optional :: posterior_variance
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_plan_predict_lawful
    end function pcml_plan_predict_lawful

    ! Creates the scratch memory of derivatives of a plan's predictions (pcml_plan_jvp, pcml_plan_vjp): one a thread, apart from
    ! pcml_plan_workspace, since it takes a field for each block of the network beside, and of a roll-out the input of each step.
    function pcml_plan_derivative_workspace(plan, workspace) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_plan_derivative_workspace
    end function pcml_plan_derivative_workspace

    ! Neural operators: the derivative of pcml_plan_predict in a direction (jvp), at an input and boundary values.
    function pcml_plan_jvp(plan, workspace, input, values, value_count, input_tangent, value_tangents, output_tangent) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_const_array), intent(in), optional :: input_tangent
      type(pcml_const_array), intent(in), optional :: value_tangents(*)
      type(pcml_array), intent(in), target, optional :: output_tangent
      integer(c_int32_t) :: pcml_plan_jvp
    end function pcml_plan_jvp

    ! Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at an input and
    ! boundary values: the transpose of pcml_plan_jvp, and so the gradient of a function of the prediction from its gradient with
    ! respect to that.
    function pcml_plan_vjp(plan, workspace, input, values, value_count, output_cotangent, input_cotangent, &
        value_cotangents) bind(C)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: input
      type(pcml_const_array), intent(in), optional :: values(*)
      integer(c_int64_t), value :: value_count
      type(pcml_const_array), intent(in), optional :: output_cotangent
      type(pcml_array), intent(in), target, optional :: input_cotangent
      type(pcml_array), intent(in), target, optional :: value_cotangents(*)
      integer(c_int32_t) :: pcml_plan_vjp
    end function pcml_plan_vjp

    ! How many kernel matrices of boundary corrections were singular or nearly so, and were regularised when the plan was created:
    ! the corrections of such frequencies do less than they were trained for.
    function pcml_plan_regularised(plan, count) bind(C)
      import
      type(c_ptr), value :: plan
      integer(c_int64_t), intent(inout), optional :: count
      integer(c_int32_t) :: pcml_plan_regularised
    end function pcml_plan_regularised

    ! Creates a projector.
    function pcml_projector_create(constraints, prior, options, projector) bind(C)
      import
      type(c_ptr), value :: constraints
      integer(c_int32_t), value :: prior
      type(c_ptr), value :: options
      type(c_ptr), intent(out), optional :: projector
      integer(c_int32_t) :: pcml_projector_create
    end function pcml_projector_create

    ! Frees a projector.
    subroutine pcml_projector_free(projector) bind(C)
      import
      type(c_ptr), value :: projector
    end subroutine pcml_projector_free

    ! Creates a workspace for calls of this projector.
    function pcml_projector_workspace(projector, slices, workspace) bind(C)
      import
      type(c_ptr), value :: projector
      integer(c_int64_t), value :: slices
      type(c_ptr), intent(out), optional :: workspace
      integer(c_int32_t) :: pcml_projector_workspace
    end function pcml_projector_workspace

    ! Creates a report for projections of at most so many slices, by projectors with as many rows.
    function pcml_projector_report(projector, slices, report) bind(C)
      import
      type(c_ptr), value :: projector
      integer(c_int64_t), value :: slices
      type(c_ptr), intent(out), optional :: report
      integer(c_int32_t) :: pcml_projector_report
    end function pcml_projector_report

    ! Makes every slice obey the rows.
    function pcml_projector_project(projector, workspace, mean, variance, b, posterior_mean, posterior_variance, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_const_array), intent(in), optional :: b
      type(pcml_array), intent(in), target, optional :: posterior_mean
      type(pcml_array), intent(in), target, optional :: posterior_variance
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_projector_project
    end function pcml_projector_project

    ! pcml_projector_project for f64 arrays in C order without gaps: mean, variance and the posterior [slices, cells], b [slices,
    ! rows].
    function pcml_projector_project_f64(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, &
        report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      integer(c_int64_t), value :: slices
      real(c_double), intent(in), optional :: mean(*)
      real(c_double), intent(in), optional :: variance(*)
      real(c_double), intent(in), optional :: b(*)
      real(c_double), intent(inout), optional :: posterior_mean(*)
      real(c_double), intent(inout), optional :: posterior_variance(*)
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_projector_project_f64
    end function pcml_projector_project_f64

    ! pcml_projector_project for f32 arrays in C order without gaps: mean, variance and the posterior [slices, cells]; b [slices,
    ! rows] is f64.
    function pcml_projector_project_f32(projector, workspace, slices, mean, variance, b, posterior_mean, posterior_variance, &
        report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      integer(c_int64_t), value :: slices
      real(c_float), intent(in), optional :: mean(*)
      real(c_float), intent(in), optional :: variance(*)
      real(c_double), intent(in), optional :: b(*)
      real(c_float), intent(inout), optional :: posterior_mean(*)
      real(c_float), intent(inout), optional :: posterior_variance(*)
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_projector_project_f32
    end function pcml_projector_project_f32

    ! How far every slice is from obeying: G u - b, with sums in twice the precision of f64.
    function pcml_projector_residual(projector, workspace, mean, b, residual) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: b
      real(c_double), intent(inout), optional :: residual(*)
      integer(c_int32_t) :: pcml_projector_residual
    end function pcml_projector_residual

    ! Fills the report with how every slice stands to its rows; changes nothing else.
    function pcml_projector_check(projector, workspace, mean, b, report) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: mean
      type(pcml_const_array), intent(in), optional :: b
      type(c_ptr), value :: report
      integer(c_int32_t) :: pcml_projector_check
    end function pcml_projector_check

    ! Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since, b = G u + dt sum_j
    ! rates_j, with sums in twice the precision of f64, rounded once.
    function pcml_projector_budget(projector, workspace, previous, rates, dt, b) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: previous
      type(pcml_const_array), intent(in), optional :: rates
      real(c_double), value :: dt
      type(pcml_array), intent(in), target, optional :: b
      integer(c_int32_t) :: pcml_projector_budget
    end function pcml_projector_budget

    ! The whole posterior covariance of one slice, Sigma - Sigma G' S^-1 G Sigma: symmetric to the bit, its diagonal equal to the
    ! posterior variances of the projection.
    function pcml_projector_covariance(projector, workspace, variance, covariance) bind(C)
      import
      type(c_ptr), value :: projector
      type(c_ptr), value :: workspace
      type(pcml_const_array), intent(in), optional :: variance
      type(pcml_array), intent(in), target, optional :: covariance
      integer(c_int32_t) :: pcml_projector_covariance
    end function pcml_projector_covariance

    ! Creates a reduction from a function of the host.
    function pcml_reduction_create(sum, context, reduction) bind(C)
      import
      type(c_funptr), value :: sum
      type(c_ptr), value :: context
      type(c_ptr), intent(out), optional :: reduction
      integer(c_int32_t) :: pcml_reduction_create
    end function pcml_reduction_create

    ! Frees a reduction; its context stays the caller's.
    subroutine pcml_reduction_free(reduction) bind(C)
      import
      type(c_ptr), value :: reduction
    end subroutine pcml_reduction_free

    ! How many slices the last successful projection had; 0 before the first.
    function pcml_report_slices(report, slices) bind(C)
      import
      type(c_ptr), value :: report
      integer(c_int64_t), intent(inout), optional :: slices
      integer(c_int32_t) :: pcml_report_slices
    end function pcml_report_slices

    ! One value of the last successful projection.
    function pcml_report_value(report, item, slice, row, value) bind(C)
      import
      type(c_ptr), value :: report
      integer(c_int32_t), value :: item
      integer(c_int64_t), value :: slice
      integer(c_int64_t), value :: row
      real(c_double), intent(inout), optional :: value
      integer(c_int32_t) :: pcml_report_value
    end function pcml_report_value

    ! Frees a report.
    subroutine pcml_report_free(report) bind(C)
      import
      type(c_ptr), value :: report
    end subroutine pcml_report_free

    ! The sum of an array's values, or of the products of two arrays' values, over all parts of a field: exact, then rounded once.
    function pcml_sum(array, second, reduction, sum) bind(C)
      import
      type(pcml_const_array), intent(in), optional :: array
      type(pcml_const_array), intent(in), optional :: second
      type(c_ptr), value :: reduction
      real(c_double), intent(inout), optional :: sum
      integer(c_int32_t) :: pcml_sum
    end function pcml_sum

    ! The first half of pcml_sum, for a host that sums between calls: the exact sum of this part as integers.
    function pcml_sum_bins(array, second, bins) bind(C)
      import
      type(pcml_const_array), intent(in), optional :: array
      type(pcml_const_array), intent(in), optional :: second
      integer(c_int64_t), intent(inout), optional :: bins(*)
      integer(c_int32_t) :: pcml_sum_bins
    end function pcml_sum_bins

    ! The second half of pcml_sum: the double nearest to the sum that the bins hold.
    function pcml_sum_round(bins, sum) bind(C)
      import
      integer(c_int64_t), intent(in), optional :: bins(*)
      real(c_double), intent(inout), optional :: sum
      integer(c_int32_t) :: pcml_sum_round
    end function pcml_sum_round

    ! The version of the library that is linked; compare with PCML_VERSION_MAJOR, _MINOR, _PATCH of the header.
    function pcml_version(major, minor, patch) bind(C)
      import
      integer(c_int32_t), intent(inout), optional :: major
      integer(c_int32_t), intent(inout), optional :: minor
      integer(c_int32_t), intent(inout), optional :: patch
      integer(c_int32_t) :: pcml_version
    end function pcml_version

    ! The version as text, as "0.1.0": static, never NULL, not to be freed.
    function pcml_version_string() bind(C)
      import
      type(c_ptr) :: pcml_version_string
    end function pcml_version_string

    ! Frees a workspace.
    subroutine pcml_workspace_free(workspace) bind(C)
      import
      type(c_ptr), value :: workspace
    end subroutine pcml_workspace_free

  end interface
end module pcml_c
