"""The C interface of pcml as ctypes sees it; include/pcml.h is the manual of every function. The package has it in Python's own way.

Generated from include/pcml.h by `cargo xtask bindings`; do not edit.

Pointers are c_void_p, which takes the bytes of a struct, `byref`, an address or None; text that a function reads is c_char_p.
"""

from __future__ import annotations

from ctypes import CDLL, CFUNCTYPE, Structure, c_char_p, c_double, c_float, c_int32, c_int64, c_void_p
from enum import IntEnum, IntFlag

VERSION = (0, 1, 0)
#: Integers of an exact sum (pcml_sum_bins).
SUM_BINS = 69
#: Largest rank of an array.
MAX_RANK = 8


class Status(IntEnum):
    """What a call returns. 0 is success; every other number keeps its meaning for ever."""

    #: Success.
    OK = 0
    #: An argument that must not be NULL is NULL (also the handle of a create call that failed).
    NULL_ARGUMENT = 1
    #: A value lies outside its stated range.
    INVALID_ARGUMENT = 2
    #: An array has the wrong rank or extent.
    SHAPE = 3
    #: Strides, alignment or overlap of arrays make the access impossible or ambiguous.
    STRIDE = 4
    #: An array's dtype is not one that the call takes.
    DTYPE = 5
    #: An input holds NaN or infinity, or finite inputs lead to a result that does.
    NON_FINITE = 6
    #: Quadrature points are not strictly increasing.
    NOT_SORTED = 7
    #: A variance is negative, or zero where that was not allowed.
    VARIANCE = 8
    #: The noise variance of a row is negative.
    NOISE = 9
    #: No cell can move a row: all its weights times variances are zero, or too small to divide by.
    SINGULAR = 10
    #: A row could not be made to hold within the tolerance of the storage type.
    NOT_CONVERGED = 11
    #: A file could not be read.
    IO = 12
    #: The bytes are not a model file, or the file is truncated or damaged.
    FILE_FORMAT = 13
    #: The file's format version is not one that this library reads.
    FILE_VERSION = 14
    #: The file's description is incomplete, contradictory or has an unknown field.
    FILE_DESCRIPTION = 15
    #: A weight is missing, unread, of the wrong shape or type, or not finite.
    WEIGHTS = 16
    #: The model does not reproduce the outputs stored with it.
    SELF_TEST = 17
    #: A size is beyond what this library or the address space allows.
    TOO_LARGE = 18
    #: Memory could not be allocated.
    OUT_OF_MEMORY = 19
    #: Objects that do not belong together, or a struct from another version of the header.
    MISMATCH = 20
    #: A handle is not of the expected kind, was freed, or is in use by another thread.
    HANDLE = 21
    #: The model has no such ability, or the call comes before the one that prepares it.
    STATE = 22
    #: A defect in the library: a panic was caught.
    PANIC = 23
    #: The host's reduction failed, or gave sums that no set of parts has.
    REDUCTION = 24
    #: No state within the bounds or sets obeys the rows, and the policy is to refuse.
    INFEASIBLE = 25
    #: A row contradicts other rows: it depends on them and its right-hand side does not.
    CONTRADICTION = 26


class Dtype(IntEnum):
    """The storage type of an array."""

    #: IEEE binary32.
    F32 = 1
    #: IEEE binary64.
    F64 = 2


class Rule(IntEnum):
    """A quadrature rule: which weights turn cell values at points `x_0 < ... < x_(n-1)` into the integral over `[x_0, x_(n-1)]`."""

    #: Half of both neighbouring spacings.
    TRAPEZOID = 1
    #: The spacing to the right; the last point has weight 0.
    LEFT = 2
    #: The spacing to the left; the first point has weight 0.
    RIGHT = 3
    #: Parabolas over pairs of intervals of any spacing.
    SIMPSON = 4


class Prior(IntEnum):
    """The prior covariance Sigma, which is the metric of the correction, and the data of it that come with each call."""

    #: Sigma = I: every cell yields alike (HardC).
    IDENTITY = 1
    #: Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv): `[cells]`.
    DIAGONAL = 2
    #: Sigma = v I: one variance, `[1]`.
    SCALAR = 3
    #: A banded covariance of `size` off-diagonals: `[size + 1, cells]`, entry `(d, i)` is Sigma_(i, i+d); the last `d` of row `d` are not
    #: read.
    COVARIANCE_BAND = 4
    #: A banded precision Sigma^-1, laid out in the same way.
    PRECISION_BAND = 5
    #: Sigma = diag(d) + F'F of rank `size`: `[size + 1, cells]`, d first, then the rows of F.
    LOW_RANK = 6
    #: The covariance of `size` samples, `[size, cells]`: sum (x - mean x)(x - mean x)' / (size - 1).
    ENSEMBLE = 7
    #: Sigma itself, `[cells, cells]`, symmetric and positive definite: samples check the whole of that, other calls what the rows see of
    #: it.
    DENSE = 8
    #: A diagonal Sigma after the soft second differences of ProbConserv's diffusion: `u_(i-1) - 2 u_i + u_(i+1) = 0` with noise variance
    #: `v0 + 4 v1 + v2 - 4 a s0 s1 + 2 a^2 s0 s2 - 4 a s1 s2` (s^2 = v at the three cells), which smooths the mean too.
    SMOOTHED = 9


class ReportItem(IntEnum):
    """A value of a report, with mu the prior mean and u the posterior mean as stored: of a row (1 to 4, 10), or of the whole slice."""

    #: Of a row: `g mu - b`, in the unit of b.
    RESIDUAL_BEFORE = 1
    #: Of a row: `g u - b`, in the unit of b.
    RESIDUAL_AFTER = 2
    #: Of a row: the most that `|g u - b|` may be: 4 eps sum |g u|, eps of the posterior mean's dtype, plus a smallest subnormal number a
    #: cell; infinite for a row with noise; 1e-13 sum |g u| and the rounding of other rows' b for a dropped row.
    TOLERANCE = 3
    #: Of a row: its `lambda` in `u = mu - Sigma G' lambda`; 0 when nothing changed.
    MULTIPLIER = 4
    #: `sqrt((u - mu)' Sigma^-1 (u - mu))`: the correction in prior standard deviations, without a unit.
    CORRECTION_NORM = 5
    #: `max |u - mu|`, in the unit of the field.
    LARGEST_CORRECTION = 6
    #: The first cell (from 0) with the largest correction.
    LARGEST_CORRECTION_CELL = 7
    #: Steps that rounding made necessary after the answer was found; almost always 0.
    REPAIRS = 8
    #: 1 when the prior mean obeyed already and came back as it was, else 0.
    UNCHANGED = 9
    #: Of a row: 1 when it depends on rows before it and holds because they do, else 0.
    DROPPED = 10
    #: Newton or root-finding steps; 0 where the answer is a formula.
    ITERATIONS = 11
    #: Cells at their lower bound.
    ACTIVE_LOWER = 12
    #: Cells at their upper bound.
    ACTIVE_UPPER = 13
    #: Cells whose bounds had to yield.
    RELAXED = 14
    #: The furthest that a cell lies outside its bounds, in the unit of the field.
    RELAXATION = 15


class FluxMethod(IntEnum):
    """How the potentials of a correction were found."""

    #: The fluxes obeyed already.
    NONE = 0
    #: Elimination of cell after cell.
    ELIMINATION = 1
    #: Conjugate gradients with agglomeration multigrid.
    CONJUGATE_GRADIENTS = 2


class BoundsMethod(IntEnum):
    """How cells are brought within their bounds while the rows hold."""

    #: The nearest state in the prior's metric.
    NEAREST = 1
    #: Clip, then spread what the row lacks over the room that is left, in proportion to it (clip and assured sum, CAAS; Bradley et al.
    #: 2019): one pass more than clipping, not nearest.
    SPREAD = 2


class BoundsPolicy(IntEnum):
    """What becomes of bounds that no lawful state meets."""

    #: The call fails.
    REFUSE = 1
    #: Cells leave their bounds by the least, in the prior's metric: `sum (distance to the bounds)^2 / v` is smallest; with several rows to
    #: 1e-6 of it.
    RELAX_LEAST = 2
    #: Every cell may reach the least lower and the largest upper bound of its slice; where that is not enough, the call fails.
    RELAX_TO_EXTREMES = 3


class Direction(IntEnum):
    """The direction of a monotone profile."""

    #: No cell is below the one before it.
    INCREASING = 1
    #: No cell is above the one before it.
    DECREASING = 2


class BoundaryKind(IntEnum):
    """A condition."""

    #: The value itself is given.
    DIRICHLET = 1
    #: A one-sided difference quotient is given.
    NEUMANN = 2
    #: The first point is the last.
    PERIODIC = 3


class Kernel(IntEnum):
    """A stationary covariance function: the correlation of two points whose scaled distance is r, r^2 = sum_k ((x_k - x'_k) /
    length_k)^2."""

    #: exp(-r^2 / 2), the squared exponential.
    RBF = 1
    #: exp(-r), of the Ornstein-Uhlenbeck process.
    MATERN12 = 2
    #: (1 + a) exp(-a), a = sqrt(3) r.
    MATERN32 = 3
    #: (1 + a + a^2 / 3) exp(-a), a = sqrt(5) r.
    MATERN52 = 4


class Fitted(IntFlag):
    """What a fit of a Gaussian process moves: a sum of these."""

    #: The signal variance.
    SIGNAL_VARIANCE = 1
    #: The length scales.
    LENGTH_SCALES = 2
    #: The noise variance; where it is 0 it stays 0.
    NOISE_VARIANCE = 4
    #: The means; one function only.
    MEANS = 8


class Transforms(IntEnum):
    """How neural operators go from points to kept modes and back, axis by axis."""

    #: Whichever is faster: matrices, or fast Fourier transforms on axes that keep many modes of many points.
    AUTO = 1
    #: Matrices on all axes.
    MATRIX = 2
    #: Fast Fourier transforms on all axes; not for models with boundary conditions inside, nor for parts.
    FFT = 3


class Array(Structure):
    """An array that the library writes."""

    #: sizeof(pcml_array), so that a struct from another header is told
    struct_size: int
    #: the element with index (0, ..., 0), aligned to the dtype
    data: int | None
    #: PCML_DTYPE_F32 or PCML_DTYPE_F64
    dtype: int
    #: number of axes, 1 to PCML_MAX_RANK
    rank: int
    _fields_ = [
        ("struct_size", c_int64),
        ("data", c_void_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", c_int64 * 8),
        ("strides", c_int64 * 8),
    ]


class ConstArray(Structure):
    """An array that the library reads."""

    #: sizeof(pcml_const_array)
    struct_size: int
    #: the element with index (0, ..., 0), aligned to the dtype
    data: int | None
    #: PCML_DTYPE_F32 or PCML_DTYPE_F64
    dtype: int
    #: number of axes, 1 to PCML_MAX_RANK
    rank: int
    _fields_ = [
        ("struct_size", c_int64),
        ("data", c_void_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", c_int64 * 8),
        ("strides", c_int64 * 8),
    ]


class FluxReport(Structure):
    """What a correction of fluxes did; D F is the outflow less inflow of each cell, s its source."""

    #: sizeof(pcml_flux_report), so that a struct from another header is told
    struct_size: int
    #: the largest |D F - s| of the predicted fluxes, in their unit
    residual_before: float
    #: the first cell (from 0) with it
    residual_before_cell: int
    #: the largest |D F' - s| of the corrected fluxes as stored
    residual_after: float
    #: the first cell with it
    residual_after_cell: int
    #: the largest |D F' - s| in units of what is allowed in its cell, 0 to 1
    closeness: float
    #: sqrt(sum (F' - F)^2 / w) over the faces that are not held: in standard deviations, without a unit
    correction_norm: float
    #: max |F' - F|, in the unit of the fluxes
    largest_correction: float
    #: the first face (from 0) with it; 0 when nothing changed
    largest_correction_face: int
    #: conjugate gradient iterations; 0 with elimination
    iterations: int
    #: solutions for the potentials: 1, and one more for each refinement; 0 when the fluxes obeyed already
    rounds: int
    #: a number of enum pcml_flux_method
    method: int
    #: 1 when rounding or extreme variances made the exact last step along trees of faces necessary, else 0
    repaired: int
    #: 1 when the fluxes obeyed already and came back as they were, else 0
    unchanged: int
    _fields_ = [
        ("struct_size", c_int64),
        ("residual_before", c_double),
        ("residual_before_cell", c_int64),
        ("residual_after", c_double),
        ("residual_after_cell", c_int64),
        ("closeness", c_double),
        ("correction_norm", c_double),
        ("largest_correction", c_double),
        ("largest_correction_face", c_int64),
        ("iterations", c_int64),
        ("rounds", c_int32),
        ("method", c_int32),
        ("repaired", c_int32),
        ("unchanged", c_int32),
    ]


class FluxLimits(Structure):
    """What bounds did to an update."""

    #: sizeof(pcml_flux_limits)
    struct_size: int
    #: faces whose flux was limited
    limited_faces: int
    #: the smallest limiter, 0 to 1; 1 where no face was limited
    least_limiter: float
    #: the first face (from 0) with it; 0 where no face was limited
    least_limiter_face: int
    _fields_ = [
        ("struct_size", c_int64),
        ("limited_faces", c_int64),
        ("least_limiter", c_double),
        ("least_limiter_face", c_int64),
    ]


class FitReport(Structure):
    """What pcml_model_fit tells."""

    #: sizeof(pcml_fit_report)
    struct_size: int
    #: log N(y; m, K + noise) of the raw values at the end, summed over functions and outputs
    log_likelihood: float
    #: the same at the model's own hyperparameters; NaN where their kernel matrix is singular
    log_likelihood_before: float
    #: added to the kernel matrix's diagonal at the end, as a part of the signal variance; 0: nothing
    jitter: float
    #: iterations of the search that won
    iterations: int
    #: evaluations of likelihood and gradient in all searches
    evaluations: int
    #: which search won: 0 is that from the model's own hyperparameters, the others are restarts
    search: int
    #: 1: its gradient vanished, but against bounds, or no step beyond rounding raised the likelihood; 0: the iterations ran out
    converged: int
    _fields_ = [
        ("struct_size", c_int64),
        ("log_likelihood", c_double),
        ("log_likelihood_before", c_double),
        ("jitter", c_double),
        ("iterations", c_int64),
        ("evaluations", c_int64),
        ("search", c_int64),
        ("converged", c_int64),
    ]


Sum = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_int64)
FUNCTIONS = {
    "pcml_boundary_create": (c_int32, (c_void_p,)),
    "pcml_boundary_free": (None, (c_void_p,)),
    "pcml_boundary_add_face": (c_int32, (c_void_p, c_int64, c_int32, c_int32, c_void_p, c_int64, c_double)),
    "pcml_boundary_enforce": (c_int32, (c_void_p, c_void_p, c_int64, c_void_p, c_int64)),
    "pcml_bounded_workspace": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_bounded_project": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_bounded_check": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_bounded_jvp": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_bounded_vjp": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_constraints_create": (c_int32, (c_int64, c_void_p)),
    "pcml_constraints_free": (None, (c_void_p,)),
    "pcml_constraints_add_quadrature": (c_int32, (c_void_p, c_int32, c_void_p, c_double)),
    "pcml_constraints_add_row": (c_int32, (c_void_p, c_void_p, c_double)),
    "pcml_constraints_add_absent_row": (c_int32, (c_void_p, c_double)),
    "pcml_constraints_rows": (c_int32, (c_void_p, c_void_p)),
    "pcml_constraints_add_grid_quadrature": (c_int32, (c_void_p, c_int32, c_void_p, c_int64, c_int64, c_double)),
    "pcml_constraints_add_sparse_rows": (c_int32, (c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_constraints_add_boundary": (
        c_int32,
        (c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_int64, c_double, c_double, c_int32, c_double),
    ),
    "pcml_constraints_add_periodic": (c_int32, (c_void_p, c_void_p, c_int64, c_int64, c_int64, c_double)),
    "pcml_constraints_add_stencils": (c_int32, (c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_int32, c_double)),
    "pcml_constraints_add_quadratic": (c_int32, (c_void_p, c_int64, c_void_p, c_void_p, c_void_p)),
    "pcml_constraints_add_energy": (c_int32, (c_void_p, c_void_p)),
    "pcml_constraints_set_bounds": (c_int32, (c_void_p, c_int32, c_int32)),
    "pcml_constraints_add_simplex": (c_int32, (c_void_p, c_int64, c_int64, c_int64, c_double)),
    "pcml_constraints_add_monotone": (c_int32, (c_void_p, c_int64, c_int64, c_int32)),
    "pcml_log_density": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_error_message": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_status_name": (c_char_p, (c_int32,)),
    "pcml_flux_create": (c_int32, (c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_free": (None, (c_void_p,)),
    "pcml_flux_workspace": (c_int32, (c_void_p, c_void_p)),
    "pcml_flux_correct": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_residual": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_jvp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_vjp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_update": (c_int32, (c_void_p, c_void_p, c_double, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_flux_update_bounded": (
        c_int32,
        (c_void_p, c_void_p, c_double, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_inference_workspace": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_inference_sample": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int64, c_void_p)),
    "pcml_inference_log_likelihood": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_inference_covariance": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p)),
    "pcml_inference_jvp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_inference_vjp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_model_load": (c_int32, (c_char_p, c_void_p)),
    "pcml_model_load_bytes": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_model_gaussian_process": (c_int32, (c_int32, c_int64, c_int64, c_void_p, c_void_p)),
    "pcml_model_ensemble": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_model_fit": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_model_hyperparameters": (c_int32, (c_void_p, c_int64, c_void_p, c_void_p)),
    "pcml_model_description": (c_int32, (c_void_p, c_void_p, c_int64, c_void_p)),
    "pcml_model_free": (None, (c_void_p,)),
    "pcml_nonlinear_workspace": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_nonlinear_project": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_nonlinear_check": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_nonlinear_jvp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_nonlinear_vjp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_operator_part_create": (c_int32, (c_void_p, c_int32, c_void_p, c_int64, c_void_p, c_int64, c_void_p)),
    "pcml_operator_part_free": (None, (c_void_p,)),
    "pcml_operator_part_workspace": (c_int32, (c_void_p, c_void_p)),
    "pcml_operator_part_predict": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p)),
    "pcml_operator_part_begin": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int32, c_void_p, c_void_p)),
    "pcml_operator_part_continue": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_operator_part_finish": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "pcml_options_create": (c_int32, (c_void_p,)),
    "pcml_options_free": (None, (c_void_p,)),
    "pcml_options_set_batch": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_context": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_targets": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_covariance": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_latents": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_seed": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_dropout": (c_int32, (c_void_p, c_double)),
    "pcml_options_set_shape": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_options_set_steps": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_threads": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_transforms": (c_int32, (c_void_p, c_int32)),
    "pcml_options_set_boundary": (c_int32, (c_void_p, c_void_p)),
    "pcml_options_set_held_cells": (c_int32, (c_void_p, c_int32)),
    "pcml_options_set_prior_size": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_smoothing": (c_int32, (c_void_p, c_double)),
    "pcml_options_set_held_faces": (c_int32, (c_void_p, c_int32)),
    "pcml_options_set_direct_cells": (c_int32, (c_void_p, c_int64)),
    "pcml_options_set_length_scales": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_options_set_signal_variance": (c_int32, (c_void_p, c_double)),
    "pcml_options_set_noise_variance": (c_int32, (c_void_p, c_double)),
    "pcml_options_set_means": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_options_set_fitted": (c_int32, (c_void_p, c_int32)),
    "pcml_options_set_fit_range": (c_int32, (c_void_p, c_double)),
    "pcml_options_set_restarts": (c_int32, (c_void_p, c_int64)),
    "pcml_part_workspace": (c_int32, (c_void_p, c_void_p)),
    "pcml_part_project": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_part_begin": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_part_continue": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_plan_create": (c_int32, (c_void_p, c_int32, c_void_p, c_void_p)),
    "pcml_plan_free": (None, (c_void_p,)),
    "pcml_plan_workspace": (c_int32, (c_void_p, c_void_p)),
    "pcml_plan_condition": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_condition_noisy": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_jitter": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "pcml_plan_latent": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_query": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_covariance": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_predict": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p)),
    "pcml_plan_predict_fields": (c_int32, (c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p, c_int64)),
    "pcml_plan_predict_moments": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p)),
    "pcml_plan_predict_factors": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p)),
    "pcml_plan_query_factors": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_members": (c_int32, (c_void_p, c_void_p)),
    "pcml_plan_predict_lawful": (
        c_int32,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    ),
    "pcml_plan_derivative_workspace": (c_int32, (c_void_p, c_void_p)),
    "pcml_plan_jvp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_vjp": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p)),
    "pcml_plan_regularised": (c_int32, (c_void_p, c_void_p)),
    "pcml_projector_create": (c_int32, (c_void_p, c_int32, c_void_p, c_void_p)),
    "pcml_projector_free": (None, (c_void_p,)),
    "pcml_projector_workspace": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_projector_report": (c_int32, (c_void_p, c_int64, c_void_p)),
    "pcml_projector_project": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_projector_project_f64": (c_int32, (c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_projector_project_f32": (c_int32, (c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_projector_residual": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_projector_check": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_projector_budget": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_double, c_void_p)),
    "pcml_projector_covariance": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_reduction_create": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "pcml_reduction_free": (None, (c_void_p,)),
    "pcml_report_slices": (c_int32, (c_void_p, c_void_p)),
    "pcml_report_value": (c_int32, (c_void_p, c_int32, c_int64, c_int64, c_void_p)),
    "pcml_report_free": (None, (c_void_p,)),
    "pcml_sum": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "pcml_sum_bins": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "pcml_sum_round": (c_int32, (c_void_p, c_void_p)),
    "pcml_version": (c_int32, (c_void_p, c_void_p, c_void_p)),
    "pcml_version_string": (c_char_p, ()),
    "pcml_workspace_free": (None, (c_void_p,)),
}


def declare(library: CDLL) -> None:
    """Gives the functions their types; AttributeError names one that the library lacks."""
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
