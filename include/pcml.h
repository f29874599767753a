/* pcml: physics-constrained machine learning that simulation codes can link.

   Generated from the Rust sources by `cargo xtask header`; do not edit.

   Status    Functions return 0 or a pinned number of enum pcml_status; pcml_error_message has the text.
   Outputs   Arrays are written only on success. Create functions leave NULL behind on failure.
   Handles   Opaque; created by *_create, *_load, *_workspace or *_report, freed by *_free; freeing NULL is fine,
             freeing twice is misuse.
   Threads   A `const T *` argument may be used by many threads at once; a `T *` argument by one at a time.
             No function prints or ends the process (one exception: Memory). None starts a thread, but for pcml_plan_create
             with pcml_options_set_threads. A defect inside is PCML_STATUS_PANIC.
   Memory    The system's malloc, by create and set-up calls. Where it refuses they return PCML_STATUS_OUT_OF_MEMORY; 4 MiB of
             reserved memory, untouched before, let them report it. The exception: a plan with
             pcml_options_set_threads starts threads, and where memory runs out while one starts, the process may end.
   Sizes     int64_t, strides in elements. */

#ifndef PCML_H
#define PCML_H

#include <stdint.h>

#define PCML_VERSION_MAJOR 0
#define PCML_VERSION_MINOR 1
#define PCML_VERSION_PATCH 0

/**
 * Integers of an exact sum (pcml_sum_bins).
 */
#define PCML_SUM_BINS 69

/**
 * Largest rank of an array.
 */
#define PCML_MAX_RANK 8

/**
 * What a call returns. 0 is success; every other number keeps its meaning for ever.
 */
enum pcml_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Success.
   */
  PCML_STATUS_OK = 0,
  /**
   * An argument that must not be NULL is NULL (also the handle of a create call that failed).
   */
  PCML_STATUS_NULL_ARGUMENT = 1,
  /**
   * A value lies outside its stated range.
   */
  PCML_STATUS_INVALID_ARGUMENT = 2,
  /**
   * An array has the wrong rank or extent.
   */
  PCML_STATUS_SHAPE = 3,
  /**
   * Strides, alignment or overlap of arrays make the access impossible or ambiguous.
   */
  PCML_STATUS_STRIDE = 4,
  /**
   * An array's dtype is not one that the call takes.
   */
  PCML_STATUS_DTYPE = 5,
  /**
   * An input holds NaN or infinity, or finite inputs lead to a result that does.
   */
  PCML_STATUS_NON_FINITE = 6,
  /**
   * Quadrature points are not strictly increasing.
   */
  PCML_STATUS_NOT_SORTED = 7,
  /**
   * A variance is negative, or zero where that was not allowed.
   */
  PCML_STATUS_VARIANCE = 8,
  /**
   * The noise variance of a row is negative.
   */
  PCML_STATUS_NOISE = 9,
  /**
   * No cell can move a row: all its weights times variances are zero, or too small to divide by.
   */
  PCML_STATUS_SINGULAR = 10,
  /**
   * A row could not be made to hold within the tolerance of the storage type.
   */
  PCML_STATUS_NOT_CONVERGED = 11,
  /**
   * A file could not be read.
   */
  PCML_STATUS_IO = 12,
  /**
   * The bytes are not a model file, or the file is truncated or damaged.
   */
  PCML_STATUS_FILE_FORMAT = 13,
  /**
   * The file's format version is not one that this library reads.
   */
  PCML_STATUS_FILE_VERSION = 14,
  /**
   * The file's description is incomplete, contradictory or has an unknown field.
   */
  PCML_STATUS_FILE_DESCRIPTION = 15,
  /**
   * A weight is missing, unread, of the wrong shape or type, or not finite.
   */
  PCML_STATUS_WEIGHTS = 16,
  /**
   * The model does not reproduce the outputs stored with it.
   */
  PCML_STATUS_SELF_TEST = 17,
  /**
   * A size is beyond what this library or the address space allows.
   */
  PCML_STATUS_TOO_LARGE = 18,
  /**
   * Memory could not be allocated.
   */
  PCML_STATUS_OUT_OF_MEMORY = 19,
  /**
   * Objects that do not belong together, or a struct from another version of the header.
   */
  PCML_STATUS_MISMATCH = 20,
  /**
   * A handle is not of the expected kind, was freed, or is in use by another thread.
   */
  PCML_STATUS_HANDLE = 21,
  /**
   * The model has no such ability, or the call comes before the one that prepares it.
   */
  PCML_STATUS_STATE = 22,
  /**
   * A defect in the library: a panic was caught. The objects of the call should be freed, not used.
   */
  PCML_STATUS_PANIC = 23,
  /**
   * The host's reduction failed, or gave sums that no set of parts has.
   */
  PCML_STATUS_REDUCTION = 24,
  /**
   * No state within the bounds or sets obeys the rows, and the policy is to refuse.
   */
  PCML_STATUS_INFEASIBLE = 25,
  /**
   * A row contradicts other rows: it depends on them and its right-hand side does not.
   */
  PCML_STATUS_CONTRADICTION = 26,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_status pcml_status;
#else
typedef int32_t pcml_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The storage type of an array. Constraint algebra is f64 whatever the storage.
 */
enum pcml_dtype
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * IEEE binary32.
   */
  PCML_DTYPE_F32 = 1,
  /**
   * IEEE binary64.
   */
  PCML_DTYPE_F64 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_dtype pcml_dtype;
#else
typedef int32_t pcml_dtype;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A quadrature rule: which weights turn cell values at points `x_0 < ... < x_(n-1)` into the integral over `[x_0, x_(n-1)]`.
 */
enum pcml_rule
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Half of both neighbouring spacings.
   */
  PCML_RULE_TRAPEZOID = 1,
  /**
   * The spacing to the right; the last point has weight 0.
   */
  PCML_RULE_LEFT = 2,
  /**
   * The spacing to the left; the first point has weight 0.
   */
  PCML_RULE_RIGHT = 3,
  /**
   * Parabolas over pairs of intervals of any spacing. With an even number of points the last interval takes the parabola
   * through the last three points (Cartwright 2017); two points are the trapezoid.
   */
  PCML_RULE_SIMPSON = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_rule pcml_rule;
#else
typedef int32_t pcml_rule;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The prior covariance Sigma, which is the metric of the correction, and the data of it that come with each call. A shape is that of
 * one slice; data without a slice axis serve all slices. C order of axes, any strides.
 */
enum pcml_prior
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Sigma = I: every cell yields alike (HardC). Takes no data.
   */
  PCML_PRIOR_IDENTITY = 1,
  /**
   * Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv): `[cells]`.
   */
  PCML_PRIOR_DIAGONAL = 2,
  /**
   * Sigma = v I: one variance, `[1]`.
   */
  PCML_PRIOR_SCALAR = 3,
  /**
   * A banded covariance of `size` off-diagonals: `[size + 1, cells]`, entry `(d, i)` is Sigma_(i, i+d); the last `d` of row `d`
   * are not read.
   */
  PCML_PRIOR_COVARIANCE_BAND = 4,
  /**
   * A banded precision Sigma^-1, laid out in the same way.
   */
  PCML_PRIOR_PRECISION_BAND = 5,
  /**
   * Sigma = diag(d) + F'F of rank `size`: `[size + 1, cells]`, d first, then the rows of F.
   */
  PCML_PRIOR_LOW_RANK = 6,
  /**
   * The covariance of `size` samples, `[size, cells]`: sum (x - mean x)(x - mean x)' / (size - 1).
   */
  PCML_PRIOR_ENSEMBLE = 7,
  /**
   * Sigma itself, `[cells, cells]`, symmetric and positive definite: samples check the whole of that, other calls what the rows
   * see of it.
   */
  PCML_PRIOR_DENSE = 8,
  /**
   * A diagonal Sigma after the soft second differences of ProbConserv's diffusion: `u_(i-1) - 2 u_i + u_(i+1) = 0` with noise
   * variance `v0 + 4 v1 + v2 - 4 a s0 s1 + 2 a^2 s0 s2 - 4 a s1 s2` (s^2 = v at the three cells), which smooths the mean too.
   */
  PCML_PRIOR_SMOOTHED = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_prior pcml_prior;
#else
typedef int32_t pcml_prior;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A value of a report, with mu the prior mean and u the posterior mean as stored: of a row (1 to 4, 10), or of the whole slice.
 */
enum pcml_report_item
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Of a row: `g mu - b`, in the unit of b.
   */
  PCML_REPORT_ITEM_RESIDUAL_BEFORE = 1,
  /**
   * Of a row: `g u - b`, in the unit of b.
   */
  PCML_REPORT_ITEM_RESIDUAL_AFTER = 2,
  /**
   * Of a row: the most that `|g u - b|` may be: 4 eps sum |g u|, eps of the posterior mean's dtype, plus a smallest subnormal
   * number a cell; infinite for a row with noise; 1e-13 sum |g u| and the rounding of other rows' b for a dropped row.
   */
  PCML_REPORT_ITEM_TOLERANCE = 3,
  /**
   * Of a row: its `lambda` in `u = mu - Sigma G' lambda`; 0 when nothing changed.
   */
  PCML_REPORT_ITEM_MULTIPLIER = 4,
  /**
   * `sqrt((u - mu)' Sigma^-1 (u - mu))`: the correction in prior standard deviations, without a unit.
   */
  PCML_REPORT_ITEM_CORRECTION_NORM = 5,
  /**
   * `max |u - mu|`, in the unit of the field.
   */
  PCML_REPORT_ITEM_LARGEST_CORRECTION = 6,
  /**
   * The first cell (from 0) with the largest correction.
   */
  PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL = 7,
  /**
   * Steps that rounding made necessary after the answer was found; almost always 0.
   */
  PCML_REPORT_ITEM_REPAIRS = 8,
  /**
   * 1 when the prior mean obeyed already and came back as it was, else 0.
   */
  PCML_REPORT_ITEM_UNCHANGED = 9,
  /**
   * Of a row: 1 when it depends on rows before it and holds because they do, else 0.
   */
  PCML_REPORT_ITEM_DROPPED = 10,
  /**
   * Newton or root-finding steps; 0 where the answer is a formula.
   */
  PCML_REPORT_ITEM_ITERATIONS = 11,
  /**
   * Cells at their lower bound.
   */
  PCML_REPORT_ITEM_ACTIVE_LOWER = 12,
  /**
   * Cells at their upper bound.
   */
  PCML_REPORT_ITEM_ACTIVE_UPPER = 13,
  /**
   * Cells whose bounds had to yield.
   */
  PCML_REPORT_ITEM_RELAXED = 14,
  /**
   * The furthest that a cell lies outside its bounds, in the unit of the field.
   */
  PCML_REPORT_ITEM_RELAXATION = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_report_item pcml_report_item;
#else
typedef int32_t pcml_report_item;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the potentials of a correction were found.
 */
enum pcml_flux_method
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The fluxes obeyed already.
   */
  PCML_FLUX_METHOD_NONE = 0,
  /**
   * Elimination of cell after cell.
   */
  PCML_FLUX_METHOD_ELIMINATION = 1,
  /**
   * Conjugate gradients with agglomeration multigrid.
   */
  PCML_FLUX_METHOD_CONJUGATE_GRADIENTS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_flux_method pcml_flux_method;
#else
typedef int32_t pcml_flux_method;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How cells are brought within their bounds while the rows hold.
 */
enum pcml_bounds_method
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The nearest state in the prior's metric.
   */
  PCML_BOUNDS_METHOD_NEAREST = 1,
  /**
   * Clip, then spread what the row lacks over the room that is left, in proportion to it (clip and assured sum, CAAS; Bradley et
   * al. 2019): one pass more than clipping, not nearest. Takes one row and finite bounds.
   */
  PCML_BOUNDS_METHOD_SPREAD = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_bounds_method pcml_bounds_method;
#else
typedef int32_t pcml_bounds_method;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What becomes of bounds that no lawful state meets.
 */
enum pcml_bounds_policy
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call fails.
   */
  PCML_BOUNDS_POLICY_REFUSE = 1,
  /**
   * Cells leave their bounds by the least, in the prior's metric: `sum (distance to the bounds)^2 / v` is smallest; with
   * several rows to 1e-6 of it. Not beside sets.
   */
  PCML_BOUNDS_POLICY_RELAX_LEAST = 2,
  /**
   * Every cell may reach the least lower and the largest upper bound of its slice; where that is not enough, the call fails.
   */
  PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_bounds_policy pcml_bounds_policy;
#else
typedef int32_t pcml_bounds_policy;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The direction of a monotone profile.
 */
enum pcml_direction
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No cell is below the one before it.
   */
  PCML_DIRECTION_INCREASING = 1,
  /**
   * No cell is above the one before it.
   */
  PCML_DIRECTION_DECREASING = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_direction pcml_direction;
#else
typedef int32_t pcml_direction;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A condition.
 */
enum pcml_boundary_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The value itself is given.
   */
  PCML_BOUNDARY_KIND_DIRICHLET = 1,
  /**
   * A one-sided difference quotient is given.
   */
  PCML_BOUNDARY_KIND_NEUMANN = 2,
  /**
   * The first point is the last.
   */
  PCML_BOUNDARY_KIND_PERIODIC = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_boundary_kind pcml_boundary_kind;
#else
typedef int32_t pcml_boundary_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A stationary covariance function: the correlation of two points whose scaled distance is r,
 * r^2 = sum_k ((x_k - x'_k) / length_k)^2. Matern functions of smoothness nu are nu - 1/2 times differentiable (Rasmussen and Williams,
 * "Gaussian processes for machine learning", 2006, section 4.2).
 */
enum pcml_kernel
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * exp(-r^2 / 2), the squared exponential.
   */
  PCML_KERNEL_RBF = 1,
  /**
   * exp(-r), of the Ornstein-Uhlenbeck process.
   */
  PCML_KERNEL_MATERN12 = 2,
  /**
   * (1 + a) exp(-a), a = sqrt(3) r.
   */
  PCML_KERNEL_MATERN32 = 3,
  /**
   * (1 + a + a^2 / 3) exp(-a), a = sqrt(5) r.
   */
  PCML_KERNEL_MATERN52 = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_kernel pcml_kernel;
#else
typedef int32_t pcml_kernel;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a fit of a Gaussian process moves: a sum of these.
 */
enum pcml_fitted
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The signal variance.
   */
  PCML_FITTED_SIGNAL_VARIANCE = 1,
  /**
   * The length scales.
   */
  PCML_FITTED_LENGTH_SCALES = 2,
  /**
   * The noise variance; where it is 0 it stays 0.
   */
  PCML_FITTED_NOISE_VARIANCE = 4,
  /**
   * The means; one function only.
   */
  PCML_FITTED_MEANS = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_fitted pcml_fitted;
#else
typedef int32_t pcml_fitted;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How neural operators go from points to kept modes and back, axis by axis. Both ways give the same but for rounding.
 */
enum pcml_transforms
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Whichever is faster: matrices, or fast Fourier transforms on axes that keep many modes of many points.
   */
  PCML_TRANSFORMS_AUTO = 1,
  /**
   * Matrices on all axes.
   */
  PCML_TRANSFORMS_MATRIX = 2,
  /**
   * Fast Fourier transforms on all axes; not for models with boundary conditions inside, nor for parts.
   */
  PCML_TRANSFORMS_FFT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum pcml_transforms pcml_transforms;
#else
typedef int32_t pcml_transforms;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Boundary conditions of a field on a grid, a face each: they set the nodes on the faces, exactly, and no other node. Where a value
 * belongs to a face, it comes with each call.
 */
typedef struct pcml_boundary pcml_boundary;

/**
 * What must hold: linear rows `G u = b + noise` over the cells of a state, numbered from 0 in the order in which they are added.
 * The right-hand sides b come with each projection.
 */
typedef struct pcml_constraints pcml_constraints;

/**
 * A mesh whose face fluxes are to close every cell's balance. Immutable: any number of threads may use it at once, each with a
 * workspace of its own.
 */
typedef struct pcml_flux pcml_flux;

/**
 * A trained surrogate from a model file: immutable, to be shared by any number of plans and threads.
 */
typedef struct pcml_model pcml_model;

/**
 * One part of a neural operator on a grid that lies in parts, one in each process: immutable, to be shared by threads. The model may
 * be freed before it.
 */
typedef struct pcml_operator_part pcml_operator_part;

/**
 * Settings for create functions: sizes of a plan, sampling, what a projector admits. Every setting starts unset; a create
 * function reads those that concern it, names the one it lacks, and keeps no reference to the object.
 */
typedef struct pcml_options pcml_options;

/**
 * A model bound to sizes, arithmetic and sampling: immutable, to be shared by threads. The model may be freed before it.
 */
typedef struct pcml_plan pcml_plan;

/**
 * Constraints joined with a prior kind, ready to project. Immutable: any number of threads may use it at once, each with a
 * workspace of its own.
 */
typedef struct pcml_projector pcml_projector;

/**
 * The host's sum over all parts of a field, which may lie in several processes: a function of the host, so that the library needs
 * no message passing of its own.
 */
typedef struct pcml_reduction pcml_reduction;

/**
 * What a projection did, slice by slice; filled by each successful projection that is given it. One for each thread.
 */
typedef struct pcml_report pcml_report;

/**
 * Scratch memory of a plan or a projector: the only thing that changes in a hot call. One per thread; it serves the object
 * that created it and no other. Calls that find it in use by another thread return PCML_STATUS_HANDLE.
 */
typedef struct pcml_workspace pcml_workspace;

/**
 * An array that the library writes. The memory stays the caller's; nothing is copied or kept after the call.
 *
 * The fields map one to one to a DLPack `DLTensor` on the CPU (its `byte_offset` added to `data`).
 * In C: `pcml_array a = {sizeof a, x, PCML_DTYPE_F64, 2, {50, 201}, {201, 1}};`
 */
typedef struct pcml_array {
  /**
   * sizeof(pcml_array), so that a struct from another header is told
   */
  int64_t struct_size;
  /**
   * the element with index (0, ..., 0), aligned to the dtype
   */
  void *data;
  /**
   * PCML_DTYPE_F32 or PCML_DTYPE_F64
   */
  int32_t dtype;
  /**
   * number of axes, 1 to PCML_MAX_RANK
   */
  int32_t rank;
  /**
   * extents, first axis first, each at least 1; entries from `rank` on are not read
   */
  int64_t shape[PCML_MAX_RANK];
  /**
   * steps in elements, negative or in any order; no two indices may name one element
   */
  int64_t strides[PCML_MAX_RANK];
} pcml_array;

/**
 * An array that the library reads. As pcml_array, but strides may also repeat elements.
 */
typedef struct pcml_const_array {
  /**
   * sizeof(pcml_const_array)
   */
  int64_t struct_size;
  /**
   * the element with index (0, ..., 0), aligned to the dtype
   */
  const void *data;
  /**
   * PCML_DTYPE_F32 or PCML_DTYPE_F64
   */
  int32_t dtype;
  /**
   * number of axes, 1 to PCML_MAX_RANK
   */
  int32_t rank;
  /**
   * extents, first axis first, each at least 1; entries from `rank` on are not read
   */
  int64_t shape[PCML_MAX_RANK];
  /**
   * steps in elements, of any sign and order
   */
  int64_t strides[PCML_MAX_RANK];
} pcml_const_array;

/**
 * What a correction of fluxes did; D F is the outflow less inflow of each cell, s its source. The caller sets struct_size; all
 * else is written on success only.
 */
typedef struct pcml_flux_report {
  /**
   * sizeof(pcml_flux_report), so that a struct from another header is told
   */
  int64_t struct_size;
  /**
   * the largest |D F - s| of the predicted fluxes, in their unit
   */
  double residual_before;
  /**
   * the first cell (from 0) with it
   */
  int64_t residual_before_cell;
  /**
   * the largest |D F' - s| of the corrected fluxes as stored
   */
  double residual_after;
  /**
   * the first cell with it
   */
  int64_t residual_after_cell;
  /**
   * the largest |D F' - s| in units of what is allowed in its cell, 0 to 1
   */
  double closeness;
  /**
   * sqrt(sum (F' - F)^2 / w) over the faces that are not held: in standard deviations, without a unit
   */
  double correction_norm;
  /**
   * max |F' - F|, in the unit of the fluxes
   */
  double largest_correction;
  /**
   * the first face (from 0) with it; 0 when nothing changed
   */
  int64_t largest_correction_face;
  /**
   * conjugate gradient iterations; 0 with elimination
   */
  int64_t iterations;
  /**
   * solutions for the potentials: 1, and one more for each refinement; 0 when the fluxes obeyed already
   */
  int32_t rounds;
  /**
   * a number of enum pcml_flux_method
   */
  int32_t method;
  /**
   * 1 when rounding or extreme variances made the exact last step along trees of faces necessary, else 0
   */
  int32_t repaired;
  /**
   * 1 when the fluxes obeyed already and came back as they were, else 0
   */
  int32_t unchanged;
} pcml_flux_report;

/**
 * What bounds did to an update. The caller sets struct_size; all else is written on success only.
 */
typedef struct pcml_flux_limits {
  /**
   * sizeof(pcml_flux_limits)
   */
  int64_t struct_size;
  /**
   * faces whose flux was limited
   */
  int64_t limited_faces;
  /**
   * the smallest limiter, 0 to 1; 1 where no face was limited
   */
  double least_limiter;
  /**
   * the first face (from 0) with it; 0 where no face was limited
   */
  int64_t least_limiter_face;
} pcml_flux_limits;

/**
 * What pcml_model_fit tells. The caller sets `struct_size`.
 */
typedef struct pcml_fit_report {
  /**
   * sizeof(pcml_fit_report)
   */
  int64_t struct_size;
  /**
   * log N(y; m, K + noise) of the raw values at the end, summed over functions and outputs
   */
  double log_likelihood;
  /**
   * the same at the model's own hyperparameters; NaN where their kernel matrix is singular
   */
  double log_likelihood_before;
  /**
   * added to the kernel matrix's diagonal at the end, as a part of the signal variance; 0: nothing
   */
  double jitter;
  /**
   * iterations of the search that won
   */
  int64_t iterations;
  /**
   * evaluations of likelihood and gradient in all searches
   */
  int64_t evaluations;
  /**
   * which search won: 0 is that from the model's own hyperparameters, the others are restarts
   */
  int64_t search;
  /**
   * 1: its gradient vanished, but against bounds, or no step beyond rounding raised the likelihood; 0: the iterations ran out
   */
  int64_t converged;
} pcml_fit_report;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates boundary conditions without faces.
 *
 * @param boundary  receives the object, NULL on failure; to be freed with pcml_boundary_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_boundary_create(struct pcml_boundary **boundary);

/**
 * Frees boundary conditions. NULL is fine; freeing twice is misuse. Options that copied them stay whole. Threads: nobody else uses
 * the object.
 */
void pcml_boundary_free(struct pcml_boundary *boundary);

/**
 * Adds the condition of a face: u = value (Dirichlet), sum_k stencil[k] u_k / spacing = value (Neumann), or that the first point of
 * the axis is the last (periodic; once an axis, for either side). The order of the faces is that of their values in later calls.
 * The stencil is copied.
 *
 * @param boundary  the object that gets the face
 * @param axis      the grid's axis that the face is normal to, 0 to PCML_MAX_RANK - 1
 * @param side      -1: its first point; 1: its last
 * @param kind      a number of enum pcml_boundary_kind
 * @param stencil   Neumann: coefficients at unit spacing of the nodes next to the face, in the order of their coordinates: the
 *                  face's own node is the first of side -1 and the last of side 1. Otherwise not read, NULL
 * @param count     how many, 2 to 16; otherwise 0
 * @param spacing   Neumann: the distance of neighbouring points, > 0; 0: that of the model's grid, where a plan has the conditions.
 *                  Otherwise 0
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for the stencil's alignment, PCML_STATUS_INVALID_ARGUMENT (axis, side,
 *         kind, count, spacing, a face that has a condition already, a face beside a periodic one), PCML_STATUS_NON_FINITE,
 *         PCML_STATUS_SINGULAR when the coefficient of the face's own node is 0 or too small to divide by; after a failure the
 *         conditions are as before
 *
 * Threads: one at a time for one object. Allocation: the face.
 */
int32_t pcml_boundary_add_face(struct pcml_boundary *boundary,
                               int64_t axis,
                               int32_t side,
                               int32_t kind,
                               const double *stencil,
                               int64_t count,
                               double spacing);

/**
 * Makes a field obey the conditions: any surrogate's output, or a state of the host's. Nodes off the faces are not touched. Periodic
 * pairs get their mean first, then Neumann faces what stencil and value ask for, then Dirichlet faces their values: each kind in the
 * order in which the faces were added, so that stated values hold at edges and corners, and of two the later one.
 *
 * @param boundary     the conditions; every Neumann face with a spacing of its own
 * @param field        [batch, n_1, .., n_rank, channels], any strides; is changed at the faces
 * @param rank         axes of the grid, at least 1
 * @param values       an array for each Dirichlet and Neumann face in their order, [batch, the grid without the face's axis, channels]
 *                     (axes of extent 1 may be left out, strides of 0 repeat a value); apart from the field. NULL with a count of 0
 * @param value_count  how many
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE (also fewer points than a stencil reads), PCML_STATUS_DTYPE,
 *         PCML_STATUS_STRIDE also where values overlap the field, PCML_STATUS_MISMATCH for another number of arrays,
 *         PCML_STATUS_INVALID_ARGUMENT (an axis that the grid lacks, a Neumann face without spacing), PCML_STATUS_NON_FINITE for
 *         values, and where a face's node would not be finite, PCML_STATUS_SINGULAR for a stencil whose own coefficient is 0. The field is
 *         written only on success.
 *
 * Threads: any, for fields of their own. Allocation: none on success.
 */
int32_t pcml_boundary_enforce(const struct pcml_boundary *boundary,
                              const struct pcml_array *field,
                              int64_t rank,
                              const struct pcml_const_array *values,
                              int64_t value_count);

/**
 * Creates a workspace for the pcml_bounded_* calls of a projector: projections within bounds, on simplices and along monotone runs.
 *
 * @param projector  the projector, with PCML_PRIOR_IDENTITY, PCML_PRIOR_DIAGONAL or PCML_PRIOR_SCALAR, and the only one that takes
 *                   the workspace
 * @param slices     most slices of one call, at least 1
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, for a prior that correlates cells, or for
 *         PCML_BOUNDS_METHOD_SPREAD with more than one row or with sets, PCML_STATUS_STATE beside invariants,
 *         PCML_STATUS_TOO_LARGE for more than 256 rows beside sets or 2^32 cells, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 80 bytes a cell, 8 more a cell and slice, and what the rows' system takes.
 */
int32_t pcml_bounded_workspace(const struct pcml_projector *projector,
                               int64_t slices,
                               struct pcml_workspace **workspace);

/**
 * Makes every slice obey all rows and stay within its bounds and sets: the u with least sum of (u - mu)^2 / v, such that G u = b,
 * lower <= u <= upper, and the sets of pcml_constraints_add_simplex and pcml_constraints_add_monotone hold. With
 * PCML_BOUNDS_METHOD_SPREAD clipping and spreading instead.
 *
 * Bounds hold with tolerance zero for u as it is stored (one that the dtype of u cannot hold is rounded inwards), rows without noise
 * to 4 eps sum |g u|; a mean that obeys and lies within comes back bit for bit. A cell whose variance is 0 stays. Where no state
 * within the bounds obeys, the policy of pcml_constraints_set_bounds decides; the report has the cells whose bounds yielded, and by how
 * much at most.
 *
 * Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
 * posterior may be the mean's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
 *
 * @param projector       the projector
 * @param workspace       one of pcml_bounded_workspace of this projector with room for the slices
 * @param mean            mu, in the unit of the field
 * @param variance        v, that unit squared; NULL with PCML_PRIOR_IDENTITY
 * @param b               one value a slice and row, [slices, rows]
 * @param lower           least values, of the mean's shape or that of one slice, -infinity where there is none; NULL: none
 * @param upper           largest values, likewise, +infinity where there is none; NULL: none
 * @param posterior_mean  receives u
 * @param report          is filled on success, needs room for the slices; NULL: not asked for
 * @return as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT also where a lower bound is above its upper bound (the text names
 *         slice and cell), or infinite with PCML_BOUNDS_METHOD_SPREAD; PCML_STATUS_INFEASIBLE when no state within the bounds obeys
 *         (slice and row are named); PCML_STATUS_NOT_CONVERGED (the text has the residual). After any failure the arrays and the
 *         report are as before.
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_bounded_project(const struct pcml_projector *projector,
                             struct pcml_workspace *workspace,
                             const struct pcml_const_array *mean,
                             const struct pcml_const_array *variance,
                             const struct pcml_const_array *b,
                             const struct pcml_const_array *lower,
                             const struct pcml_const_array *upper,
                             const struct pcml_array *posterior_mean,
                             struct pcml_report *report);

/**
 * Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else. As pcml_projector_check, with
 * PCML_REPORT_ITEM_UNCHANGED only where bounds and sets hold too, active bounds counted, PCML_REPORT_ITEM_RELAXED the cells outside
 * their bounds (below 0 in a simplex, out of order in a run), and PCML_REPORT_ITEM_RELAXATION the furthest of these or of a simplex's
 * sum.
 *
 * @param projector  the projector
 * @param workspace  one of pcml_bounded_workspace of this projector with room for the slices
 * @param mean       u, shaped as in pcml_bounded_project
 * @param b          one value a slice and row, [slices, rows]
 * @param lower      as in pcml_bounded_project; NULL: none
 * @param upper      as in pcml_bounded_project; NULL: none
 * @param report     is filled on success, needs room for the slices; not NULL
 * @return 0, or as pcml_bounded_project where it concerns these arguments; after a failure the report is as before
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_bounded_check(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *lower,
                           const struct pcml_const_array *upper,
                           struct pcml_report *report);

/**
 * The derivative of pcml_bounded_project's mean, of one slice, in a direction. Cells at a bound stay there, components at 0 too, a
 * pool of a monotone run moves as one; bounds are constants. Where a cell is about to reach or leave a bound it is one of
 * the one-sided derivatives. Takes and returns what pcml_inference_jvp does, with the bounds.
 *
 * @param projector         the projector
 * @param workspace         from pcml_bounded_workspace
 * @param mean              mu, `cells` values
 * @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                 one value a row
 * @param lower             `cells` values; NULL: none
 * @param upper             `cells` values; NULL: none
 * @param tangent_mean      dmu, `cells` values; NULL: 0
 * @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0
 * @param tangent_b         db, one value a row; NULL: 0
 * @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
 * @return 0, or as pcml_bounded_project; PCML_STATUS_STATE where bounds yielded by the least; PCML_STATUS_INVALID_ARGUMENT for a
 *         tangent_variance that the prior has not
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_bounded_jvp(const struct pcml_projector *projector,
                         struct pcml_workspace *workspace,
                         const struct pcml_const_array *mean,
                         const struct pcml_const_array *variance,
                         const struct pcml_const_array *b,
                         const struct pcml_const_array *lower,
                         const struct pcml_const_array *upper,
                         const struct pcml_const_array *tangent_mean,
                         const struct pcml_const_array *tangent_variance,
                         const struct pcml_const_array *tangent_b,
                         const struct pcml_array *tangent);

/**
 * The derivatives of <cotangent, u>, u of pcml_bounded_project, of one slice: the transpose of pcml_bounded_jvp. Takes and returns
 * what pcml_inference_vjp does, with the bounds.
 *
 * @param projector          the projector
 * @param workspace          from pcml_bounded_workspace
 * @param mean               mu, `cells` values
 * @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                  one value a row
 * @param lower              `cells` values; NULL: none
 * @param upper              `cells` values; NULL: none
 * @param cotangent          ubar, `cells` values
 * @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
 * @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
 *                           for, and with PCML_PRIOR_IDENTITY
 * @param gradient_b         receives bbar, one value a row; NULL: not asked for
 * @return 0, or as pcml_bounded_jvp; PCML_STATUS_INVALID_ARGUMENT also when no gradient is asked for; after a failure the
 *         gradients are as before
 *
 * The gradients lie apart from each other and from the inputs.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_bounded_vjp(const struct pcml_projector *projector,
                         struct pcml_workspace *workspace,
                         const struct pcml_const_array *mean,
                         const struct pcml_const_array *variance,
                         const struct pcml_const_array *b,
                         const struct pcml_const_array *lower,
                         const struct pcml_const_array *upper,
                         const struct pcml_const_array *cotangent,
                         const struct pcml_array *gradient_mean,
                         const struct pcml_array *gradient_variance,
                         const struct pcml_array *gradient_b);

/**
 * Creates constraints without rows.
 *
 * @param cells        values of one state, at least 1; several fields, or several times, are concatenated
 * @param constraints  receives the object, NULL on failure; to be freed with pcml_constraints_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when cells < 1
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_constraints_create(int64_t cells, struct pcml_constraints **constraints);

/**
 * Frees constraints. NULL is fine; freeing twice is misuse. Projectors made from them stay whole. Threads: nobody else uses
 * the object.
 */
void pcml_constraints_free(struct pcml_constraints *constraints);

/**
 * Adds the row whose weights are a quadrature over points: b is the integral of the field from the first point to the last.
 * The points are copied.
 *
 * @param constraints     the object that gets the row
 * @param rule            a number of enum pcml_rule
 * @param points          one coordinate a cell (any shape with that many values), strictly increasing, any spacing
 * @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown rule, PCML_STATUS_SHAPE,
 *         PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED (the text names the point), PCML_STATUS_SINGULAR when all weights
 *         underflow to 0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
 *         are as before
 *
 * Threads: one at a time for one object. Allocation: the row.
 */
int32_t pcml_constraints_add_quadrature(struct pcml_constraints *constraints,
                                        int32_t rule,
                                        const struct pcml_const_array *points,
                                        double noise_variance);

/**
 * Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance. The weights are copied.
 *
 * @param constraints     the object that gets the row
 * @param weights         one weight a cell (any shape with that many values), of any sign, not all 0
 * @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are
 *         0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
 *         are as before
 *
 * Threads: one at a time for one object. Allocation: the row.
 */
int32_t pcml_constraints_add_row(struct pcml_constraints *constraints,
                                 const struct pcml_const_array *weights,
                                 double noise_variance);

/**
 * Adds a row of a field in parts that has no weight on this part's cells, so that rows have the same numbers on all parts
 * (pcml_part_project). Only pcml_part_* calls take constraints with such a row.
 *
 * @param constraints     the object that gets the row
 * @param noise_variance  s^2 >= 0, as on the other parts
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_NON_FINITE, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the
 *         constraints are as before
 *
 * Threads: one at a time for one object. Allocation: a few bytes.
 */
int32_t pcml_constraints_add_absent_row(struct pcml_constraints *constraints,
                                        double noise_variance);

/**
 * How many rows the constraints have; the next one gets this number.
 *
 * @param constraints  the object
 * @param rows         receives the number
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any, while nobody adds rows. Allocation: none.
 */
int32_t pcml_constraints_rows(const struct pcml_constraints *constraints, int64_t *rows);

/**
 * Adds the row whose weights are the tensor product of one quadrature rule along each axis of a grid: b is the integral of the
 * grid's field over its box. The grid's values lie in C order from cell `first` on, so that every field, or every time, of a
 * state can have a row. The coordinates are copied.
 *
 * @param constraints     the object that gets the row
 * @param rule            a number of enum pcml_rule
 * @param axes            `rank` arrays, the coordinates of each axis, strictly increasing; an axis of one point has weight 1
 * @param rank            number of axes, 1 to PCML_MAX_RANK
 * @param first           cell of the grid's first value
 * @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
 * @return 0, or as pcml_constraints_add_quadrature; PCML_STATUS_SHAPE where the grid leaves the state; after a failure the
 *         constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the row.
 */
int32_t pcml_constraints_add_grid_quadrature(struct pcml_constraints *constraints,
                                             int32_t rule,
                                             const struct pcml_const_array *axes,
                                             int64_t rank,
                                             int64_t first,
                                             double noise_variance);

/**
 * Adds rows in compressed sparse form: row k has the weights starts[k] to starts[k + 1] - 1, on the cells of the same places.
 * The arrays are copied.
 *
 * @param constraints     the object that gets the rows
 * @param rows            how many, at least 1
 * @param starts          rows + 1 places, from 0 to the number of weights, not decreasing
 * @param cells           one cell a weight, 0 to cells - 1, in any order, none twice in a row
 * @param weights         of any sign, not all 0 in a row
 * @param noise_variance  one s^2 >= 0 a row; NULL: the rows hold exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (a cell out of range or twice in a row, decreasing starts),
 *         PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR (a row without weights), PCML_STATUS_NOISE,
 *         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the rows.
 */
int32_t pcml_constraints_add_sparse_rows(struct pcml_constraints *constraints,
                                         int64_t rows,
                                         const int64_t *starts,
                                         const int64_t *cells,
                                         const double *weights,
                                         const double *noise_variance);

/**
 * Adds a row for each node on a face, an edge or a corner of a grid, in C order of the nodes:
 * value u + slope du/dn = b there, n the outward normal. Dirichlet is (1, 0), Neumann (0, 1), Robin both. They hold together with
 * all other rows; time may be an axis, so that b varies with it. Nodes on two faces may get two rows: dependent rows are dropped
 * and reported, contradictory ones refused, by the projection.
 *
 * @param constraints     the object that gets the rows
 * @param axes            `rank` arrays, the coordinates of each axis, strictly increasing, any spacing
 * @param rank            number of axes, 1 to PCML_MAX_RANK; the grid's values lie in C order
 * @param first           cell of the grid's first value
 * @param sides           for each axis -1 (its first point), 1 (its last) or 0 (all): a face has one side, an edge two
 * @param axis            whose direction the normal has, one with a side
 * @param value           factor of u
 * @param slope           factor of du/dn, in the unit of length
 * @param order           of the one-sided derivative, 1 to 4 (order + 1 points); not read when slope is 0
 * @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (sides, axis, order), PCML_STATUS_SHAPE (the grid leaves
 *         the state, too few points for the order), PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED, PCML_STATUS_SINGULAR when
 *         value and slope are 0, PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the rows.
 */
int32_t pcml_constraints_add_boundary(struct pcml_constraints *constraints,
                                      const struct pcml_const_array *axes,
                                      int64_t rank,
                                      int64_t first,
                                      const int32_t *sides,
                                      int64_t axis,
                                      double value,
                                      double slope,
                                      int32_t order,
                                      double noise_variance);

/**
 * Adds a row u_last - u_first = b for each node of the first face across an axis of a grid, in C order: with b = 0 the field is
 * periodic along it.
 *
 * @param constraints     the object that gets the rows
 * @param shape           `rank` extents; the grid's values lie in C order
 * @param rank            number of axes, 1 to PCML_MAX_RANK
 * @param first           cell of the grid's first value
 * @param axis            the periodic axis, of at least 2 points
 * @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE,
 *         PCML_STATUS_NOISE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the rows.
 */
int32_t pcml_constraints_add_periodic(struct pcml_constraints *constraints,
                                      const int64_t *shape,
                                      int64_t rank,
                                      int64_t first,
                                      int64_t axis,
                                      double noise_variance);

/**
 * Adds a row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k width + j]] = b. A width of 1 and a
 * coefficient of 1 set values; a one-sided stencil of the caller's sets a derivative. The arrays are copied.
 *
 * @param constraints     the object that gets the rows
 * @param rows            how many, at least 1
 * @param width           terms a row, at least 1
 * @param cells           rows * width cells, 0 to cells - 1, none twice in a row
 * @param coefficients    rows * width of them, or only `width` for all rows where `shared` is not 0
 * @param shared          0 or 1
 * @param noise_variance  s^2 >= 0 of each row in the unit of b squared; 0: the rows hold exactly
 * @return 0, or as pcml_constraints_add_sparse_rows; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the rows.
 */
int32_t pcml_constraints_add_stencils(struct pcml_constraints *constraints,
                                      int64_t rows,
                                      int64_t width,
                                      const int64_t *cells,
                                      const double *coefficients,
                                      int32_t shared,
                                      double noise_variance);

/**
 * Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells
 * are the same, products of two fields of the concatenated state where they differ. Its level comes with each projection. The
 * lists are copied.
 *
 * @param constraints  the object that gets the invariant
 * @param terms        number of terms, at least 1
 * @param cells_i      the first cell of each term, 0 to cells - 1
 * @param cells_j      the second cell of each term, 0 to cells - 1
 * @param weights      one weight a term, of any sign, not all 0
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when terms < 1 or a cell is out of range (the text names the
 *         term), PCML_STATUS_STRIDE for alignment, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
 *         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the invariant.
 */
int32_t pcml_constraints_add_quadratic(struct pcml_constraints *constraints,
                                       int64_t terms,
                                       const int64_t *cells_i,
                                       const int64_t *cells_j,
                                       const double *weights);

/**
 * Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the
 * volumes. Its level comes with each projection. The weights are copied.
 *
 * @param constraints  the object that gets the invariant
 * @param weights      one weight a cell (any shape with that many values), of any sign, not all 0
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are 0,
 *         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor; after a failure the constraints
 *         are as before
 *
 * Threads: one at a time for one object. Allocation: the invariant.
 */
int32_t pcml_constraints_add_energy(struct pcml_constraints *constraints,
                                    const struct pcml_const_array *weights);

/**
 * Chooses how pcml_bounded_project brings cells within their bounds, and what it does where no lawful state is within them. Without
 * this call: PCML_BOUNDS_METHOD_NEAREST, PCML_BOUNDS_POLICY_REFUSE. The bounds themselves come with each projection.
 *
 * @param constraints  the object
 * @param method       a number of enum pcml_bounds_method
 * @param policy       a number of enum pcml_bounds_policy
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for unknown numbers; after a failure the constraints are as
 *         before
 *
 * Threads: one at a time for one object. Allocation: none.
 */
int32_t pcml_constraints_set_bounds(struct pcml_constraints *constraints,
                                    int32_t method,
                                    int32_t policy);

/**
 * Adds that at each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions do.
 * Component c at point p is cell first + c points + p: component after component. Bounds of these cells are not read. Holds in
 * pcml_bounded_project, jointly with the rows (a mass of each component).
 *
 * @param constraints  the object that gets the set
 * @param first        its first cell, from 0
 * @param components   how many, at least 2
 * @param points       how many, at least 1
 * @param total        above 0, in the unit of the field
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (sizes, total, cells out of range or in another set); after a
 *         failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: a few bytes.
 */
int32_t pcml_constraints_add_simplex(struct pcml_constraints *constraints,
                                     int64_t first,
                                     int64_t components,
                                     int64_t points,
                                     double total);

/**
 * Adds that `count` cells from `first` on increase or decrease, not strictly, as a cumulative quantity or a stable density
 * profile does. Bounds of these cells are not read. Holds in pcml_bounded_project, jointly with the rows.
 *
 * @param constraints  the object that gets the run
 * @param first        its first cell, from 0
 * @param count        how many cells, at least 2
 * @param direction    a number of enum pcml_direction
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT (an unknown direction, cells out of range or in another set);
 *         after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: a few bytes.
 */
int32_t pcml_constraints_add_monotone(struct pcml_constraints *constraints,
                                      int64_t first,
                                      int64_t count,
                                      int32_t direction);

/**
 * Mean over the cells of log N(truth; mean, variance): how probable a truth is under marginals, in nats a cell.
 *
 * @param truth     the values to be judged, in the unit of the field
 * @param mean      of truth's shape
 * @param variance  above 0, of truth's shape, that unit squared
 * @param density   receives the mean log-density
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_VARIANCE (array and cell are
 *         named), or those of an array descriptor
 *
 * Threads: any. Allocation: none on success.
 */
int32_t pcml_log_density(const struct pcml_const_array *truth,
                         const struct pcml_const_array *mean,
                         const struct pcml_const_array *variance,
                         double *density);

/**
 * Copies the text of this thread's last failed call into `buffer`: one line that names the function, the culprit and the
 * expected value. A later success leaves the text as it is.
 *
 * @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
 * @param capacity  bytes at `buffer`, at least 1
 * @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
 * @return 0, or PCML_STATUS_NULL_ARGUMENT when both are NULL, PCML_STATUS_INVALID_ARGUMENT when capacity < 1
 *
 * Threads: each thread has its own text, which may be gone, and empty, for what a thread runs as it ends. Allocation: none on success.
 */
int32_t pcml_error_message(char *buffer,
                           int64_t capacity,
                           int64_t *length);

/**
 * The name of a status number, as "PCML_STATUS_SHAPE"; "unknown status" for a number that is none.
 *
 * @return a static text, never NULL, not to be freed
 *
 * Threads: any. Allocation: none.
 */
const char *pcml_status_name(int32_t status);

/**
 * Creates a flux balance for a mesh. The lists and volumes are copied. A positive flux goes from owner to neighbour. Two cells
 * may share several faces; the mesh may fall into parts; a cell need not have a face.
 *
 * Meshes on which it is the faster way (of up to about 10^6 cells in two dimensions, 5000 in three) are solved by elimination,
 * whose order and pattern are found here; others by conjugate gradients with agglomeration multigrid, whose time grows nearly
 * with the cells. See pcml_options_set_direct_cells.
 *
 * @param faces      number of faces, at least 1
 * @param owner      [faces], the cell (from 0) on one side of each face
 * @param neighbour  [faces], the cell on the other side, or -1 for a boundary face
 * @param volumes    one a cell (any shape), above 0, in any unit; their number is the number of cells
 * @param options    held faces and direct cells are read from it; NULL: all unset
 * @param flux       receives the object, NULL on failure; to be freed with pcml_flux_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for faces < 1, a cell out of range, a face whose cells are
 *         the same, a volume not above 0 (all named), PCML_STATUS_NON_FINITE, PCML_STATUS_TOO_LARGE,
 *         PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor
 *
 * Threads: any. Allocation: the object, about 60 bytes a face; with elimination the pattern of its factors.
 */
int32_t pcml_flux_create(int64_t faces,
                         const int64_t *owner,
                         const int64_t *neighbour,
                         const struct pcml_const_array *volumes,
                         const struct pcml_options *options,
                         struct pcml_flux **flux);

/**
 * Frees a flux balance. NULL is fine; freeing twice is misuse. Its workspaces stay to be freed. Threads: nobody else uses the
 * object.
 */
void pcml_flux_free(struct pcml_flux *flux);

/**
 * Creates a workspace for calls of this flux balance.
 *
 * @param flux       the flux balance, and the only one that takes the workspace
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 150 bytes a cell and 24 a face, and the factors of the elimination or the levels of
 * the multigrid.
 */
int32_t pcml_flux_workspace(const struct pcml_flux *flux,
                            struct pcml_workspace **workspace);

/**
 * The nearest fluxes that close every cell's balance: of all F' whose outflow less inflow is s in each cell, the one with the
 * least sum (F' - F)^2 / w.
 *
 * |D F' - s| <= 4 eps (sum |F'| + |s|) over the faces of each cell holds for the fluxes as stored, eps of their dtype, plus a
 * smallest subnormal number a face. Fluxes that obey so already come back bit for bit. A bigger variance yields more; with held
 * faces admitted a variance of 0 prescribes that face's flux, such as a wall's. The bits depend on the values and the mesh alone.
 *
 * A part of the mesh without a free boundary face (all its boundary held, or none) must have sources whose sum is the net outflow
 * through its held faces, up to 2 eps of its sum (sum |F'| + |s|).
 *
 * Arrays have one value a face or a cell, any shape and strides; dtypes may differ. The corrected fluxes may be the predicted
 * ones' own array (same data, dtype, shape and strides) or lie apart from all other arrays.
 *
 * @param flux       the flux balance
 * @param workspace  a workspace of this flux balance
 * @param fluxes     F, one a face
 * @param variance   w > 0 (or >= 0 with held faces), one a face, the unit of the fluxes squared; NULL: 1 everywhere
 * @param source     s, one a cell, in the unit of the fluxes: what leaves the cell in all, less what enters; NULL: 0 everywhere
 * @param corrected  receives F', one a face
 * @param report     is filled on success; NULL: not asked for
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_MISMATCH for the workspace of another object or a wrong
 *         struct_size, PCML_STATUS_SHAPE, PCML_STATUS_DTYPE, PCML_STATUS_STRIDE for strides, alignment or overlap,
 *         PCML_STATUS_TOO_LARGE; PCML_STATUS_NON_FINITE (array and place are named; also where a sum or a result overflows),
 *         PCML_STATUS_VARIANCE (the face is named), PCML_STATUS_INFEASIBLE (a cell of the part without outlet is named, and by how
 *         much its sources do not fit), PCML_STATUS_NOT_CONVERGED when variances are too far apart (conjugate gradients may give up
 *         from about 10 decades on, elimination bears 16 and more). After any failure the arrays and the report are as before.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_correct(const struct pcml_flux *flux,
                          struct pcml_workspace *workspace,
                          const struct pcml_const_array *fluxes,
                          const struct pcml_const_array *variance,
                          const struct pcml_const_array *source,
                          const struct pcml_array *corrected,
                          struct pcml_flux_report *report);

/**
 * How far every cell's balance is from closing: D F - s, with sums in twice the precision of f64. Checks only: no flux changes.
 *
 * @param flux       the flux balance
 * @param workspace  a workspace of this flux balance
 * @param fluxes     F, one a face
 * @param source     s, one a cell; NULL: 0 everywhere
 * @param residual   receives one value a cell, in the unit of the fluxes; lies apart from the other arrays
 * @return 0, or as pcml_flux_correct where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_residual(const struct pcml_flux *flux,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *fluxes,
                           const struct pcml_const_array *source,
                           const struct pcml_array *residual);

/**
 * The derivative of pcml_flux_correct's fluxes in a direction. With q = (F - F') / w: the correction of dF - dw q with sources ds.
 *
 * @param flux              the flux balance
 * @param workspace         a workspace of this flux balance
 * @param fluxes            F, one a face
 * @param variance          w, one a face; NULL: 1 everywhere
 * @param source            s, one a cell; NULL: 0 everywhere
 * @param tangent_fluxes    dF, one a face; NULL: 0
 * @param tangent_variance  dw, one a face; NULL: 0
 * @param tangent_source    ds, one a cell; NULL: 0. In a part of the mesh without a free boundary face it sums to its net outflow
 *                          through held faces, as sources do, but for 1e-8 of its terms
 * @param tangent           receives dF', one a face; may be tangent_fluxes' own array, else lies apart
 * @return 0, or as pcml_flux_correct: PCML_STATUS_INFEASIBLE also for such sums of ds, and PCML_STATUS_NOT_CONVERGED where a balance of
 *         dF' would miss by more than 1e-8 of the largest terms
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_jvp(const struct pcml_flux *flux,
                      struct pcml_workspace *workspace,
                      const struct pcml_const_array *fluxes,
                      const struct pcml_const_array *variance,
                      const struct pcml_const_array *source,
                      const struct pcml_const_array *tangent_fluxes,
                      const struct pcml_const_array *tangent_variance,
                      const struct pcml_const_array *tangent_source,
                      const struct pcml_array *tangent);

/**
 * The derivatives of <cotangent, F'>, F' of pcml_flux_correct: the transpose of pcml_flux_jvp.
 *
 * @param flux               the flux balance
 * @param workspace          a workspace of this flux balance
 * @param fluxes             F, one a face
 * @param variance           w, one a face; NULL: 1 everywhere
 * @param source             s, one a cell; NULL: 0 everywhere
 * @param cotangent          one a face
 * @param gradient_fluxes    receives one a face; NULL: not asked for
 * @param gradient_variance  receives one a face; NULL: not asked for
 * @param gradient_source    receives one a cell, up to a constant in a part of the mesh without a free boundary face; NULL: not asked
 *                           for
 * @return 0, or as pcml_flux_jvp; PCML_STATUS_INVALID_ARGUMENT when no gradient is asked for; after a failure the gradients
 *         are as before
 *
 * The gradients lie apart from each other and from the inputs.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_vjp(const struct pcml_flux *flux,
                      struct pcml_workspace *workspace,
                      const struct pcml_const_array *fluxes,
                      const struct pcml_const_array *variance,
                      const struct pcml_const_array *source,
                      const struct pcml_const_array *cotangent,
                      const struct pcml_array *gradient_fluxes,
                      const struct pcml_array *gradient_variance,
                      const struct pcml_array *gradient_source);

/**
 * The new value of each cell, u' = u - dt / V (sum_out F - sum_in F - q). What leaves a cell through a face enters its neighbour:
 * the integral sum V u changes by dt times sources less net boundary outflow. Sums are in twice the precision of f64 and each new
 * value is rounded once, so that a cell's balance closes up to half an eps of V |u'|, eps of the new state's dtype.
 *
 * @param flux       the flux balance
 * @param workspace  a workspace of this flux balance
 * @param dt         the time step, above 0, in the unit of volume times state over flux
 * @param state      u, one a cell
 * @param fluxes     F, one a face
 * @param source     q, one a cell, in the unit of the fluxes; NULL: 0 everywhere
 * @param new_state  receives u', one a cell; may be the state's own array, or lies apart from all other arrays
 * @return 0, PCML_STATUS_INVALID_ARGUMENT when dt is not above 0, or as pcml_flux_correct where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_update(const struct pcml_flux *flux,
                         struct pcml_workspace *workspace,
                         double dt,
                         const struct pcml_const_array *state,
                         const struct pcml_const_array *fluxes,
                         const struct pcml_const_array *source,
                         const struct pcml_array *new_state);

/**
 * pcml_flux_update with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport, Zalesak
 * 1979): each face's flux F is drawn towards its low-order flux G by one factor for both its cells, F'' = G + a (F - G) with
 * 0 <= a <= 1. A flux that needs no limiting stays bit for bit (rounded towards G where the limited fluxes are of a narrower
 * dtype).
 *
 * lower <= u' <= upper holds for the values as stored, without tolerance. u' is the update with F'' as stored, so that what
 * leaves a cell enters its neighbour, with one exception: low-order fluxes are rounded as well, so their update may leave the
 * bounds by up to 4 eps (|u| + dt / V (sum |G| + |q|)), the larger eps of the two storage types. A cell that they carry over its
 * bound so, is put on the bound, and its balance misses by as much at most. Where they stay within, it misses by 2^-90 of such
 * terms at most.
 *
 * @param flux       the flux balance
 * @param workspace  a workspace of this flux balance
 * @param dt         the time step, as in pcml_flux_update
 * @param state      u, one a cell
 * @param fluxes     F, one a face
 * @param source     q, one a cell; NULL: 0 everywhere
 * @param lower      the least value of each cell, or -infinity; NULL: no bounds below
 * @param upper      the largest value of each cell, or infinity; NULL: no bounds above
 * @param low_order  G, one a face, whose update stays within the bounds, such as a first-order upwind flux; NULL: 0 everywhere
 * @param new_state  receives u'; may be the state's own array, or lies apart from all other arrays
 * @param limited    receives F''; may be the fluxes' own array, or lies apart from all other arrays; NULL: not asked for
 * @param limits     is filled on success; NULL: not asked for
 * @return 0, PCML_STATUS_INVALID_ARGUMENT when a lower bound lies above the upper one (the cell is named),
 *         PCML_STATUS_INFEASIBLE when the update with the low-order fluxes leaves the bounds by more than
 *         that (the cell is named) or no number of
 *         the new state's dtype lies within them, PCML_STATUS_NOT_CONVERGED near underflow only, or as pcml_flux_update. After
 *         any failure the arrays and the limits are as before.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_flux_update_bounded(const struct pcml_flux *flux,
                                 struct pcml_workspace *workspace,
                                 double dt,
                                 const struct pcml_const_array *state,
                                 const struct pcml_const_array *fluxes,
                                 const struct pcml_const_array *source,
                                 const struct pcml_const_array *lower,
                                 const struct pcml_const_array *upper,
                                 const struct pcml_const_array *low_order,
                                 const struct pcml_array *new_state,
                                 const struct pcml_array *limited,
                                 struct pcml_flux_limits *limits);

/**
 * Creates a workspace for the pcml_inference_* calls of a projector: samples, the probability of right-hand sides, covariances of
 * chosen cells, derivatives. They take one slice a call.
 *
 * @param projector    the projector, and the only one that takes the workspace
 * @param max_samples  most samples of one call, 0 or more
 * @param workspace    receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT, PCML_STATUS_STATE for constraints with invariants or sets,
 *         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, a few states, one state a sample, and for PCML_PRIOR_DENSE with samples one matrix.
 */
int32_t pcml_inference_workspace(const struct pcml_projector *projector,
                                 int64_t max_samples,
                                 struct pcml_workspace **workspace);

/**
 * Draws samples of the posterior of one slice, every one lawful: Matheron's rule, a draw from the prior projected on the rows,
 * whose noise is drawn too. Sample k is a function of the seed and of first + k alone: not of the call, the count or the thread.
 *
 * @param projector  the projector
 * @param workspace  from pcml_inference_workspace, with room for the samples
 * @param mean       mu, `cells` values
 * @param variance   the prior's data of one slice, as enum pcml_prior states; NULL with PCML_PRIOR_IDENTITY
 * @param b          one value a row
 * @param seed       any
 * @param first      number of the first sample, at least 0
 * @param samples    receives [count, cells]; lies apart from the other arrays
 * @return 0, or as pcml_projector_project, for the draw that fails; PCML_STATUS_VARIANCE for a covariance that is not positive
 *         definite; after a failure the samples are as before
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_inference_sample(const struct pcml_projector *projector,
                              struct pcml_workspace *workspace,
                              const struct pcml_const_array *mean,
                              const struct pcml_const_array *variance,
                              const struct pcml_const_array *b,
                              int64_t seed,
                              int64_t first,
                              const struct pcml_array *samples);

/**
 * log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part.
 *
 * @param projector       the projector
 * @param workspace       from pcml_inference_workspace
 * @param mean            mu, `cells` values
 * @param variance        the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b               one value a row
 * @param log_likelihood  receives the value
 * @return 0, or as pcml_projector_project where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_inference_log_likelihood(const struct pcml_projector *projector,
                                      struct pcml_workspace *workspace,
                                      const struct pcml_const_array *mean,
                                      const struct pcml_const_array *variance,
                                      const struct pcml_const_array *b,
                                      double *log_likelihood);

/**
 * Posterior covariances between the cells of two lists, of one slice. Work grows with the lists, never with the square of the
 * state.
 *
 * @param projector   the projector
 * @param workspace   from pcml_inference_workspace
 * @param variance    the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param rows        cells of the block's rows
 * @param row_count   how many, at least 1
 * @param columns     cells of the block's columns
 * @param column_count  how many, at least 1
 * @param covariance  receives [row_count, column_count], the field's unit squared; lies apart from
 *                    `variance`, `rows` and `columns`
 * @return 0, or as pcml_projector_project where it concerns these arguments; PCML_STATUS_INVALID_ARGUMENT for a cell out of range
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_inference_covariance(const struct pcml_projector *projector,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *variance,
                                  const int64_t *rows,
                                  int64_t row_count,
                                  const int64_t *columns,
                                  int64_t column_count,
                                  const struct pcml_array *covariance);

/**
 * The derivative of the posterior mean of one slice in a direction. With S lambda = G mu - b:
 * S dlambda = G dmu - db - G (dv G'lambda) and du = dmu - dv G'lambda - Sigma G' dlambda.
 *
 * @param projector         the projector
 * @param workspace         from pcml_inference_workspace
 * @param mean              mu, `cells` values
 * @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                 one value a row
 * @param tangent_mean      dmu, `cells` values; NULL: 0
 * @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0, and with other priors
 * @param tangent_b         db, one value a row; NULL: 0
 * @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
 * @return 0, or as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT for a tangent_variance that the prior has not
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_inference_jvp(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *variance,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *tangent_mean,
                           const struct pcml_const_array *tangent_variance,
                           const struct pcml_const_array *tangent_b,
                           const struct pcml_array *tangent);

/**
 * The derivatives of <cotangent, posterior mean> of one slice. With w = S^-1 G Sigma ubar: mubar = ubar - G'w, bbar = w,
 * vbar = -(G'lambda) (ubar - G'w).
 *
 * @param projector          the projector
 * @param workspace          from pcml_inference_workspace
 * @param mean               mu, `cells` values
 * @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                  one value a row
 * @param cotangent          ubar, `cells` values
 * @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
 * @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
 *                           for, and with other priors
 * @param gradient_b         receives bbar, one value a row; NULL: not asked for
 * @return 0, or as pcml_projector_project; PCML_STATUS_INVALID_ARGUMENT for a gradient_variance that the prior has not, or when
 *         no gradient is asked for; after a failure the gradients are as before
 *
 * The gradients lie apart from each other and from the inputs.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_inference_vjp(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *variance,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *cotangent,
                           const struct pcml_array *gradient_mean,
                           const struct pcml_array *gradient_variance,
                           const struct pcml_array *gradient_b);

/**
 * Loads a model file and runs its self-test.
 *
 * @param path   the file's path, closed by a NUL, UTF-8 or the system's own bytes
 * @param model  receives the object, NULL on failure; to be freed with pcml_model_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_IO when the file cannot be read; PCML_STATUS_FILE_FORMAT when it is no
 *         model file, truncated or damaged; PCML_STATUS_FILE_VERSION; PCML_STATUS_FILE_DESCRIPTION; PCML_STATUS_WEIGHTS when
 *         one is missing, unread, misshapen or not finite; PCML_STATUS_SELF_TEST; PCML_STATUS_TOO_LARGE when the self-test would
 *         cost far more than a file of this size may ask for; PCML_STATUS_OUT_OF_MEMORY; PCML_STATUS_STATE for a network in ONNX
 *         where the library was built without cargo feature onnx; for stored points of a Gaussian process
 *         PCML_STATUS_CONTRADICTION or PCML_STATUS_SINGULAR, as pcml_plan_condition
 *
 * Threads: any. Allocation: while it is checked at most 64 bytes for each of the file and 256 MiB besides; networks in ONNX: whatever is
 *          inside.
 */
int32_t pcml_model_load(const char *path,
                        struct pcml_model **model);

/**
 * Loads a model from the bytes of a model file, so that one rank may read and broadcast. The bytes are not kept.
 *
 * @param bytes  `size` bytes
 * @param size   at least 1
 * @param model  receives the object, NULL on failure; to be freed with pcml_model_free
 * @return as pcml_model_load, and PCML_STATUS_INVALID_ARGUMENT when size < 1
 *
 * Threads: any. Allocation: as pcml_model_load.
 */
int32_t pcml_model_load_bytes(const void *bytes,
                              int64_t size,
                              struct pcml_model **model);

/**
 * Makes a Gaussian process without a file. Its channels have no units of their own: raw values are the process's. Outputs are
 * independent processes that share the hyperparameters; plans are conditioned by pcml_plan_condition.
 *
 * @param kernel   a number of enum pcml_kernel
 * @param inputs   coordinates of a point, 1 to 64
 * @param outputs  values at a point, 1 to 1024
 * @param options  length_scales (required), signal_variance, noise_variance, means
 * @param model    receives the object, NULL on failure; to be freed with pcml_model_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_INVALID_ARGUMENT for an unknown kernel, counts out of range or option
 *         length_scales not set; PCML_STATUS_FILE_DESCRIPTION when length scales or means do not fit the counts; PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_model_gaussian_process(int32_t kernel,
                                    int64_t inputs,
                                    int64_t outputs,
                                    const struct pcml_options *options,
                                    struct pcml_model **model);

/**
 * Makes an ensemble of loaded models: its plans predict the mean, and the variance, of the members' equal-weight mixture. The members are shared,
 * not copied, and may be freed before it.
 *
 * @param members  `count` models of one architecture, with the same names and units of channels and the same boundary conditions; their
 *                 sizes and scalings may differ
 * @param count    1 to 1024
 * @param model    receives the object, NULL on failure; to be freed with pcml_model_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_INVALID_ARGUMENT for a count out of range or a member that is an ensemble;
 *         PCML_STATUS_MISMATCH when members differ in architecture, channels or conditions; PCML_STATUS_TOO_LARGE; PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_model_ensemble(const struct pcml_model *const *members,
                            int64_t count,
                            struct pcml_model **model);

/**
 * Gaussian processes: makes a model with the hyperparameters of the greatest marginal likelihood of some points, by a quasi-Newton search on
 * their logarithms within bounds, from the model's own values and from restarts. The same points, options and seed give the same bits.
 * The new model has the channels of the old one, and stores no points.
 *
 * @param model      the process to start from; it is not changed
 * @param context_x  [functions, points, inputs]: coordinates, raw units
 * @param context_y  [functions, points, outputs]: values, raw units (an axis of extent 1 may be left out); functions are independent
 *                   draws that share the hyperparameters
 * @param noise      NULL, or variances of the points' values beside the model's, as in pcml_plan_condition_noisy
 * @param options    fitted, fit_range, restarts, seed; NULL: none set
 * @param fitted     receives the new model, NULL on failure; to be freed with pcml_model_free
 * @param report     is filled on success; NULL: not asked for
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_STATE for a model that is no Gaussian process; PCML_STATUS_SHAPE;
 *         PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE; PCML_STATUS_NOISE; PCML_STATUS_INVALID_ARGUMENT for means of
 *         several functions; PCML_STATUS_CONTRADICTION for two values at one point without noise, and PCML_STATUS_SINGULAR, where no search
 *         finds a regular kernel matrix; PCML_STATUS_MISMATCH for a wrong struct_size; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: a few matrices of points by points, freed at the end. One evaluation takes 2 points^3 operations.
 */
int32_t pcml_model_fit(const struct pcml_model *model,
                       const struct pcml_const_array *context_x,
                       const struct pcml_const_array *context_y,
                       const struct pcml_const_array *noise,
                       const struct pcml_options *options,
                       struct pcml_model **fitted,
                       struct pcml_fit_report *report);

/**
 * Gaussian processes: copies the hyperparameters, network units: signal variance, noise variance, the length scales (1 or one an input), the
 * mean of each output.
 *
 * @param capacity  values that fit, at least 0; fewer than there are: the first ones are copied
 * @param values    receives them; may be NULL with a capacity of 0
 * @param count     receives how many there are; NULL: not asked for
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_STRIDE for alignment; PCML_STATUS_INVALID_ARGUMENT when capacity < 0; PCML_STATUS_STATE
 *         for a model that is no Gaussian process; PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_model_hyperparameters(const struct pcml_model *model,
                                   int64_t capacity,
                                   double *values,
                                   int64_t *count);

/**
 * Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
 *
 * @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
 * @param capacity  bytes at `buffer`, at least 1
 * @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when capacity < 1, PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_model_description(const struct pcml_model *model,
                               char *buffer,
                               int64_t capacity,
                               int64_t *length);

/**
 * Frees a model; plans made from it live on. NULL is fine; freeing twice is misuse.
 *
 * Threads: nobody else uses the object.
 */
void pcml_model_free(struct pcml_model *model);

/**
 * Creates a workspace for pcml_nonlinear_project of this projector.
 *
 * @param projector  the projector, with an invariant, and the only one that takes the workspace
 * @param slices     most slices of one call, at least 1
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1 or for a prior that correlates cells,
 *         PCML_STATUS_STATE without an invariant or with sets, PCML_STATUS_TOO_LARGE above 256 rows and invariants, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 8 bytes a cell for each slice, row and invariant, and 80 bytes a cell.
 */
int32_t pcml_nonlinear_workspace(const struct pcml_projector *projector,
                                 int64_t slices,
                                 struct pcml_workspace **workspace);

/**
 * Makes every slice obey all rows and all quadratic invariants: the state u nearest to mu, with least sum of (u - mu)^2 / v, such
 * that G u = b and q(u) = e.
 *
 * |g u - b| <= 4 eps sum |g u| and |q(u) - e| <= 4 eps sum |w u_i u_j| hold for u as it is stored, eps of its dtype; a mean that
 * obeys so already comes back bit for bit. The bits of a slice depend on its own values alone. A lawful prediction is not always
 * a better one. The report's rows are the linear rows, then the invariants.
 *
 * Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
 * posterior may be the mean's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
 *
 * @param projector       the projector
 * @param workspace       one of pcml_nonlinear_workspace of this projector with room for the slices
 * @param mean            mu, in the unit of the field
 * @param variance        v > 0 (or >= 0 with held cells), that unit squared; NULL with PCML_PRIOR_IDENTITY, where v = 1
 * @param b               [slices, rows], or [slices] for one row; NULL when there are no linear rows
 * @param levels          e, [slices, invariants], or [slices] for one invariant, in the unit of weight times field squared
 * @param posterior_mean  receives u
 * @param report          is filled on success, needs room for the slices; NULL: not asked for
 * @return as pcml_projector_project; PCML_STATUS_STATE for a row with noise, PCML_STATUS_INFEASIBLE when no state obeys (slice
 *         and invariant are named, where that can be told), PCML_STATUS_SINGULAR when no cell can move an invariant or many
 *         states are equally near, as from mu = 0, PCML_STATUS_NOT_CONVERGED (the text has the residual). After any failure
 *         the arrays and the report are as before.
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_nonlinear_project(const struct pcml_projector *projector,
                               struct pcml_workspace *workspace,
                               const struct pcml_const_array *mean,
                               const struct pcml_const_array *variance,
                               const struct pcml_const_array *b,
                               const struct pcml_const_array *levels,
                               const struct pcml_array *posterior_mean,
                               struct pcml_report *report);

/**
 * Fills the report with how every slice stands to its rows and invariants; changes nothing else. As pcml_projector_check; residuals
 * of invariants, q(u) - e, follow those of the rows.
 *
 * @param projector  the projector
 * @param workspace  one of pcml_nonlinear_workspace of this projector with room for the slices
 * @param mean       u, shaped as in pcml_nonlinear_project
 * @param b          as in pcml_nonlinear_project; NULL when there are no linear rows
 * @param levels     e, as in pcml_nonlinear_project
 * @param report     is filled on success, needs room for the slices; not NULL
 * @return 0, or as pcml_nonlinear_project where it concerns these arguments; after a failure the report is as before
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_nonlinear_check(const struct pcml_projector *projector,
                             struct pcml_workspace *workspace,
                             const struct pcml_const_array *mean,
                             const struct pcml_const_array *b,
                             const struct pcml_const_array *levels,
                             struct pcml_report *report);

/**
 * The derivative of pcml_nonlinear_project's mean, of one slice, in a direction: along the rows and the tangents of the invariants,
 * with their curvature.
 *
 * @param projector         the projector
 * @param workspace         from pcml_nonlinear_workspace
 * @param mean              mu, `cells` values
 * @param variance          the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                 one value a row; NULL when there are no linear rows
 * @param levels            one value an invariant
 * @param tangent_mean      dmu, `cells` values; NULL: 0
 * @param tangent_variance  dv, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: 0
 * @param tangent_b         one value a row, then one an invariant, for its level; NULL: 0
 * @param tangent           receives du, `cells` values; may be tangent_mean's own array, else lies apart
 * @return 0, or as pcml_nonlinear_project; PCML_STATUS_SINGULAR where rows and invariants have no gradient;
 *         PCML_STATUS_INVALID_ARGUMENT for a tangent_variance that the prior has not
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_nonlinear_jvp(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *variance,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *levels,
                           const struct pcml_const_array *tangent_mean,
                           const struct pcml_const_array *tangent_variance,
                           const struct pcml_const_array *tangent_b,
                           const struct pcml_array *tangent);

/**
 * The derivatives of <cotangent, u>, u of pcml_nonlinear_project, of one slice: the transpose of pcml_nonlinear_jvp.
 *
 * @param projector          the projector
 * @param workspace          from pcml_nonlinear_workspace
 * @param mean               mu, `cells` values
 * @param variance           the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param b                  one value a row; NULL when there are no linear rows
 * @param levels             one value an invariant
 * @param cotangent          ubar, `cells` values
 * @param gradient_mean      receives mubar, `cells` values; NULL: not asked for
 * @param gradient_variance  receives vbar, `cells` values with PCML_PRIOR_DIAGONAL, one with PCML_PRIOR_SCALAR; NULL: not asked
 *                           for, and with PCML_PRIOR_IDENTITY
 * @param gradient_b         receives one value a row, then one an invariant, for its level; NULL: not asked for
 * @return 0, or as pcml_nonlinear_jvp; PCML_STATUS_INVALID_ARGUMENT also when no gradient is asked for; after a failure the
 *         gradients are as before
 *
 * The gradients lie apart from each other and from the inputs.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_nonlinear_vjp(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *variance,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *levels,
                           const struct pcml_const_array *cotangent,
                           const struct pcml_array *gradient_mean,
                           const struct pcml_array *gradient_variance,
                           const struct pcml_array *gradient_b);

/**
 * Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be
 * shorter, and this part has some of them. All other arguments are the same on all parts, and each block is some part's.
 *
 * Blocks as large as the split allows are fastest: each costs about as much as so many points as the model has modes on all axes but
 * the last. The padding around the grid needs no owner.
 *
 * @param model        a neural operator without norm; not needed any more after the call
 * @param dtype        PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either
 * @param options      shape of the whole grid; boundary and threads, which serve the kept modes alone, if they are set; transforms
 *                     as anything but fft
 * @param block        points of a block, at least 1
 * @param owned        `owned_count` numbers of blocks, from 0, in any order, none twice
 * @param owned_count  at least 1
 * @param part         receives the object, NULL on failure; to be freed with pcml_operator_part_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT for a block of no points, for blocks that are
 *         none, twice there or beyond the grid (named), for a shape that is not set or does not fit, and for more than one function
 *         or step; PCML_STATUS_STATE for another model or one with norm; PCML_STATUS_TOO_LARGE also for more than 2^30 blocks; and
 *         those of pcml_plan_create
 *
 * Threads: any. Allocation: the packed weights, and the lines of the grid.
 */
int32_t pcml_operator_part_create(const struct pcml_model *model,
                                  int32_t dtype,
                                  const struct pcml_options *options,
                                  int64_t block,
                                  const int64_t *owned,
                                  int64_t owned_count,
                                  struct pcml_operator_part **part);

/**
 * Frees a part; its workspaces are to be freed on their own. NULL is fine; freeing twice is misuse.
 *
 * Threads: nobody else uses the object.
 */
void pcml_operator_part_free(struct pcml_operator_part *part);

/**
 * Creates the scratch memory of a part: one a thread.
 *
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: all that later calls need.
 */
int32_t pcml_operator_part_workspace(const struct pcml_operator_part *part,
                                     struct pcml_workspace **workspace);

/**
 * Predicts one function on a grid in parts: every part calls it with its own points and gets the results there. They differ from those
 * of a plan for the whole grid by rounding.
 *
 * A point's bits do not depend on which part has which block, nor on the order of the parts (1 to 2^20): all that parts share are sums
 * of integers. Boundary values are exact where Dirichlet conditions are.
 *
 * The reduction is called for 52 integers; where conditions read other nodes (periodic and Neumann ones, and the published smoothing)
 * for the input near the faces; then for each layer of the model for some hundreds and for one integer a component of the kept
 * modes; last for five. All parts are called equally often with the same counts. A part whose arguments or values are refused takes
 * part in the first call all the same, and all parts return its status; only a reduction that is itself NULL or no reduction keeps
 * a part away, and then the others wait.
 *
 * @param part         the part
 * @param workspace    one of pcml_operator_part_workspace of this part
 * @param reduction    the host's sum over the parts; not NULL
 * @param input        [own points, inputs], the points in C order of the grid, raw units
 * @param values       as in pcml_plan_predict for one function, of the whole faces and the same on all parts; NULL with a count of 0
 * @param value_count  how many
 * @param output       [own points, outputs]: receives the results, raw units (axes of extent 1 may be left out of all arrays)
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
 *         NaN or infinity in the arrays, or an overflow in the network; PCML_STATUS_MISMATCH for a workspace of another part, a wrong
 *         number of values, a model, grid, block or boundary values that differ between parts, or blocks that do not make the grid;
 *         PCML_STATUS_HANDLE; on all parts alike. PCML_STATUS_REDUCTION when the host's sum failed or is none. After any failure
 *         the output is as before, for the last reduction comes before the first write; where a reduction fails on some parts
 *         only, the others may have written.
 *
 * Threads: any, one workspace and reduction each. Allocation: none on success.
 */
int32_t pcml_operator_part_predict(const struct pcml_operator_part *part,
                                   struct pcml_workspace *workspace,
                                   struct pcml_reduction *reduction,
                                   const struct pcml_const_array *input,
                                   const struct pcml_const_array *values,
                                   int64_t value_count,
                                   const struct pcml_array *output);

/**
 * pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message. As
 * long as `count` is not 0 the host replaces the message by its sum over all parts and calls pcml_operator_part_continue, then
 * pcml_operator_part_finish.
 *
 * What is wrong with this part's values and shapes is told by the next call, to all parts at once. After a failure here, of a
 * handle or a descriptor, this part has no message and the host must stop the other parts.
 *
 * @param part         as in pcml_operator_part_predict
 * @param workspace    one of pcml_operator_part_workspace of this part
 * @param input        this part's input; not read after the call
 * @param values       boundary values; not read after the call
 * @param value_count  how many arrays
 * @param dtype        PCML_DTYPE_F32 or PCML_DTYPE_F64: of the output
 * @param message      receives the message, `count` integers that belong to the workspace until the next call with it
 * @param count        receives their number
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH, PCML_STATUS_HANDLE, PCML_STATUS_DTYPE, PCML_STATUS_INVALID_ARGUMENT for a
 *         count < 0, or those of an array descriptor; after a failure `message` is NULL and `count` 0
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_operator_part_begin(const struct pcml_operator_part *part,
                                 struct pcml_workspace *workspace,
                                 const struct pcml_const_array *input,
                                 const struct pcml_const_array *values,
                                 int64_t value_count,
                                 int32_t dtype,
                                 int64_t **message,
                                 int64_t *count);

/**
 * Reads the sum over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message, or
 * gives a count of 0 when the results wait for pcml_operator_part_finish.
 *
 * @param part       the part
 * @param workspace  the one that it began with
 * @param message    receives the next message, as in pcml_operator_part_begin
 * @param count      receives its length; 0: all is said
 * @return 0, or as pcml_operator_part_predict; PCML_STATUS_STATE when nothing is under way. After a failure the prediction is over.
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_operator_part_continue(const struct pcml_operator_part *part,
                                    struct pcml_workspace *workspace,
                                    int64_t **message,
                                    int64_t *count);

/**
 * Writes the results at this part's points, once pcml_operator_part_continue gave a count of 0.
 *
 * @param part       the part
 * @param workspace  the one that it began with
 * @param output     [own points, outputs], of the dtype that it began with: receives the results, raw units
 * @return 0, PCML_STATUS_STATE before that or for another dtype, PCML_STATUS_SHAPE, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH,
 *         PCML_STATUS_HANDLE, or those of an array descriptor
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_operator_part_finish(const struct pcml_operator_part *part,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_array *output);

/**
 * Creates settings, all unset.
 *
 * @param options  receives the object, NULL on failure; to be freed with pcml_options_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_options_create(struct pcml_options **options);

/**
 * Frees settings. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
 */
void pcml_options_free(struct pcml_options *options);

/**
 * Plans: most functions (independent samples) in one call, of perceptrons most rows. Unset: 1.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when batch < 1
 */
int32_t pcml_options_set_batch(struct pcml_options *options, int64_t batch);

/**
 * Plans of neural processes, and of Gaussian ones whose model stores no points: most context points of a function. Required there.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when context < 1
 */
int32_t pcml_options_set_context(struct pcml_options *options,
                                 int64_t context);

/**
 * Plans of neural and Gaussian processes and of DeepONets: most target points of a function. Required there.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when targets < 1
 */
int32_t pcml_options_set_targets(struct pcml_options *options, int64_t targets);

/**
 * Plans of Gaussian processes: most target points of pcml_plan_covariance, at most those of pcml_options_set_targets. The workspace gets
 * one row of as many values as context points for each. Unset: 0, no covariances.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when targets < 0
 */
int32_t pcml_options_set_covariance(struct pcml_options *options,
                                    int64_t targets);

/**
 * Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent. Plans of perceptrons and DeepONets: draws of
 * dropout, members of a mixture as those of an ensemble are, each with packed weights of its own; only beside option dropout. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when latents < 0
 */
int32_t pcml_options_set_latents(struct pcml_options *options,
                                 int64_t latents);

/**
 * Seed of the counter-based generator behind latent draws, dropout and the restarts of fits. Any value; unset: 0. The draws depend on the seed
 * alone: every function of a batch sees the same ones, whatever its position and the number of threads.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 */
int32_t pcml_options_set_seed(struct pcml_options *options,
                              int64_t seed);

/**
 * Plans of models with dropout: the rate kept on while predicting (Monte Carlo dropout), in [0, 1). Needs latents >= 1.
 * Unset: 0, none.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside [0, 1)
 */
int32_t pcml_options_set_dropout(struct pcml_options *options,
                                 double rate);

/**
 * Plans of neural operators and of networks in ONNX with a grid: extents of the grid, first axis first. Required there. They are copied.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when an extent is < 1,
 *         PCML_STATUS_SHAPE when rank is not 1 to PCML_MAX_RANK
 */
int32_t pcml_options_set_shape(struct pcml_options *options,
                               int64_t rank,
                               const int64_t *shape);

/**
 * Plans of neural operators: steps of a roll-out in one call, each fed with the outputs before it as its newest input channels.
 * Unset: 1.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when steps < 1
 */
int32_t pcml_options_set_steps(struct pcml_options *options,
                               int64_t steps);

/**
 * Plans of neural operators: threads of a call, the calling one among them. The plan starts the others when it is created and ends
 * them when it is freed; calls that find them at work for another thread do without. They are awake during a call and some 100 us
 * longer, and not waited for when the system does not let them run. Results do not depend on it. Unset: 1, no thread is started.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside 1 to 1024
 */
int32_t pcml_options_set_threads(struct pcml_options *options,
                                 int64_t threads);

/**
 * Plans of neural operators: how fields go from points to kept modes and back. Both ways give the same but for rounding. Fast Fourier
 * transforms, by two factors of the number of points, pay on axes that keep many modes of a thousand points and more; a number that is prime
 * gains nothing. Models that obey boundary conditions themselves, parts and derivatives do without. Unset: PCML_TRANSFORMS_AUTO, on each
 * axis whichever has less to do; what is chosen depends on its points and its modes alone.
 *
 * @param options     the settings
 * @param transforms  a number of enum pcml_transforms; PCML_TRANSFORMS_FFT is refused for models that obey boundary conditions
 *                    themselves, and for parts
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for another number
 */
int32_t pcml_options_set_transforms(struct pcml_options *options,
                                    int32_t transforms);

/**
 * Plans of models that obey boundary conditions themselves: conditions instead of the model's own, on the same faces and of the same
 * kinds, with other stencils, spacings or order. Unset: the model's own.
 *
 * @param options   the settings
 * @param boundary  is copied, and may be freed or changed afterwards; NULL: unset again
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
 */
int32_t pcml_options_set_boundary(struct pcml_options *options,
                                  const struct pcml_boundary *boundary);

/**
 * Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as
 * PCML_STATUS_VARIANCE. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor 1
 */
int32_t pcml_options_set_held_cells(struct pcml_options *options, int32_t admit);

/**
 * Projectors: off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when size < 0
 */
int32_t pcml_options_set_prior_size(struct pcml_options *options, int64_t prior_size);

/**
 * Projectors with PCML_PRIOR_SMOOTHED: a, the correlation of neighbouring cells, 0 <= a < 1; the published experiments take 0.9.
 * Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for a value out of range
 */
int32_t pcml_options_set_smoothing(struct pcml_options *options,
                                   double smoothing);

/**
 * Flux balances: 1 admits a variance of zero, which prescribes that face's flux; 0 refuses it as PCML_STATUS_VARIANCE.
 * Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor 1
 */
int32_t pcml_options_set_held_faces(struct pcml_options *options,
                                    int32_t admit);

/**
 * Flux balances: meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients; 0: all by
 * conjugate gradients. Unset: whichever is faster on the mesh.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when cells < 0
 */
int32_t pcml_options_set_direct_cells(struct pcml_options *options,
                                      int64_t cells);

/**
 * Gaussian processes: length scales of the inputs, in their raw units. Required there.
 *
 * @param count          1 for one length for all inputs, or the number of inputs
 * @param length_scales  so many positive values; they are copied
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when count is not 1 to 64 or a value
 *         not in 1e-100 to 1e100
 */
int32_t pcml_options_set_length_scales(struct pcml_options *options,
                                       int64_t count,
                                       const double *length_scales);

/**
 * Gaussian processes: the signal variance, in the outputs' raw unit squared. Unset: 1.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when not in 1e-100 to 1e100
 */
int32_t pcml_options_set_signal_variance(struct pcml_options *options, double variance);

/**
 * Gaussian processes: the noise variance of every value, in the outputs' raw unit squared. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_NOISE when negative, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor in 1e-100 to 1e100
 */
int32_t pcml_options_set_noise_variance(struct pcml_options *options,
                                        double variance);

/**
 * Gaussian processes: the constant mean of each output, raw units. Unset: 0.
 *
 * @param count  the number of outputs
 * @param means  so many values; they are copied
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_STRIDE for alignment, PCML_STATUS_INVALID_ARGUMENT when count is not 1 to 1024,
 *         PCML_STATUS_NON_FINITE
 */
int32_t pcml_options_set_means(struct pcml_options *options,
                               int64_t count,
                               const double *means);

/**
 * Fits of Gaussian processes: what they move. Unset: signal variance, length scales and noise variance.
 *
 * @param fitted  a sum of numbers of enum pcml_fitted; 0 moves nothing and tells the likelihood
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when outside 0 to 15
 */
int32_t pcml_options_set_fitted(struct pcml_options *options, int32_t fitted);

/**
 * Fits of Gaussian processes: every hyperparameter stays within this factor of where the model has it, both ways. Unset: 1e5.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when not in 1 to 1e50
 */
int32_t pcml_options_set_fit_range(struct pcml_options *options,
                                   double factor);

/**
 * Fits of Gaussian processes: searches after the first, from places drawn by option seed around the model's hyperparameters. Unset: 4.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when restarts is not 0 to 10000
 */
int32_t pcml_options_set_restarts(struct pcml_options *options,
                                  int64_t restarts);

/**
 * Creates a workspace for the pcml_part_* calls of a projector: the projection of a field whose cells lie in parts, one in each process.
 *
 * @param projector  the projector of this part, with the part's weights and an absent row (pcml_constraints_add_absent_row) for each
 *                   row of the whole field that has none here; PCML_PRIOR_IDENTITY, PCML_PRIOR_DIAGONAL or PCML_PRIOR_SCALAR; at
 *                   most 16 rows
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for another prior, PCML_STATUS_STATE beside invariants, sets,
 *         spreading or relaxed bounds, PCML_STATUS_TOO_LARGE for more rows, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 10 kB a row and 600 bytes a pair of rows.
 */
int32_t pcml_part_workspace(const struct pcml_projector *projector,
                            struct pcml_workspace **workspace);

/**
 * pcml_projector_project for one slice whose cells lie in parts, one in each process: every part calls it with its own cells, and
 * the whole field obeys afterwards. With bounds, for one row, as pcml_bounded_project.
 *
 * A cell's bits do not depend on how the field is split (1 to 2^20 parts of any sizes), nor on the order of the parts: all that
 * parts share are exact sums. They may differ from those of pcml_projector_project in the last bits. Residuals, tolerances,
 * multipliers and norm of the report are those of the whole field; the largest correction and active bounds are those of this part.
 *
 * Ownership, units and arrays as in pcml_projector_project; each array holds the `cells` values of this part. A part without cells
 * brings one of any mean that no row weighs: absent rows only.
 *
 * The reduction is called for 52 integers, then for some hundreds, then once for each step that is tried, nearly always one: equally
 * often on all parts with the same counts. A part whose arguments or values are refused takes part in the first call all the same,
 * and all parts return its status; only a reduction that is itself NULL or no reduction keeps a part away, and then the others wait.
 *
 * @param projector           the projector of this part
 * @param workspace           one of pcml_part_workspace of this projector
 * @param reduction           the host's sum over the parts; not NULL
 * @param mean                mu of this part
 * @param variance            v of this part (one value with PCML_PRIOR_SCALAR); NULL with PCML_PRIOR_IDENTITY, where v = 1
 * @param b                   the values of the whole field's rows, the same on all parts, as are noise, prior and dtypes
 * @param lower               least values of this part, with one row; NULL on all parts: none
 * @param upper               largest values of this part, with one row; NULL on all parts: none
 * @param posterior_mean      receives the posterior mean of this part
 * @param posterior_variance  receives the posterior variances of this part; NULL: not asked for, and within bounds
 * @param report              is filled on success; NULL: not asked for
 * @return 0, or as pcml_projector_project and pcml_bounded_project, on all parts alike; PCML_STATUS_MISMATCH also where b, noise,
 *         prior or dtypes differ between parts; PCML_STATUS_REDUCTION when the host's sum failed or is none. After any failure the
 *         arrays and the report are as before, for the last reduction comes before the first write; where a reduction fails on
 *         some parts only, the others may have written.
 *
 * Threads: any, one workspace, reduction and report each. Allocation: none on success.
 */
int32_t pcml_part_project(const struct pcml_projector *projector,
                          struct pcml_workspace *workspace,
                          struct pcml_reduction *reduction,
                          const struct pcml_const_array *mean,
                          const struct pcml_const_array *variance,
                          const struct pcml_const_array *b,
                          const struct pcml_const_array *lower,
                          const struct pcml_const_array *upper,
                          const struct pcml_array *posterior_mean,
                          const struct pcml_array *posterior_variance,
                          struct pcml_report *report);

/**
 * pcml_part_project in steps, for a host that sums between calls: begins, and hands out this part's message. As long as `count` is not
 * 0 the host replaces the values by their sums over all parts and calls pcml_part_continue with the same arrays.
 *
 * What is wrong with this part's values and shapes is told by the next call, to all parts at once. After a failure here, of a
 * handle or a descriptor, this part has no message and the host must stop the other parts.
 *
 * @param projector           as in pcml_part_project, and so the arrays
 * @param workspace           one of pcml_part_workspace of this projector
 * @param mean                mu of this part
 * @param variance            v of this part
 * @param b                   the values of the whole field's rows
 * @param lower               least values of this part; NULL: none
 * @param upper               largest values of this part; NULL: none
 * @param posterior_mean      will receive the posterior mean of this part
 * @param posterior_variance  will receive the posterior variances; NULL: not asked for
 * @param report              will be filled; NULL: not asked for
 * @param values              receives the message, `count` integers that belong to the workspace until the next call with it
 * @param count               receives their number
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_MISMATCH, PCML_STATUS_HANDLE, or those of an array descriptor
 *
 * Threads: any, one workspace and report each. Allocation: none on success.
 */
int32_t pcml_part_begin(const struct pcml_projector *projector,
                        struct pcml_workspace *workspace,
                        const struct pcml_const_array *mean,
                        const struct pcml_const_array *variance,
                        const struct pcml_const_array *b,
                        const struct pcml_const_array *lower,
                        const struct pcml_const_array *upper,
                        const struct pcml_array *posterior_mean,
                        const struct pcml_array *posterior_variance,
                        struct pcml_report *report,
                        int64_t **values,
                        int64_t *count);

/**
 * Reads the sums over all parts where pcml_part_begin, or the call before, left its message; hands out the next message, or writes the
 * posterior and gives a count of 0.
 *
 * @param projector           as in pcml_part_begin, and so all arrays
 * @param workspace           the one that it began with
 * @param mean                mu of this part
 * @param variance            v of this part
 * @param b                   the values of the whole field's rows
 * @param lower               least values of this part; NULL: none
 * @param upper               largest values of this part; NULL: none
 * @param posterior_mean      receives the posterior mean of this part
 * @param posterior_variance  receives the posterior variances; NULL: not asked for
 * @param report              is filled on success; NULL: not asked for
 * @param values              receives the next message, as in pcml_part_begin
 * @param count               receives its length; 0: done
 * @return 0, or as pcml_part_project; PCML_STATUS_STATE when nothing is under way, or the arrays are not those it began with. After a
 *         failure the projection is over, outputs and report are as before.
 *
 * Threads: any, one workspace and report each. Allocation: none on success.
 */
int32_t pcml_part_continue(const struct pcml_projector *projector,
                           struct pcml_workspace *workspace,
                           const struct pcml_const_array *mean,
                           const struct pcml_const_array *variance,
                           const struct pcml_const_array *b,
                           const struct pcml_const_array *lower,
                           const struct pcml_const_array *upper,
                           const struct pcml_array *posterior_mean,
                           const struct pcml_array *posterior_variance,
                           struct pcml_report *report,
                           int64_t **values,
                           int64_t *count);

/**
 * Creates a plan: packs the weights for the arithmetic; draws the latent samples of neural processes; makes the transforms of neural
 * operators for the grid, and the corrections of those that obey boundary conditions; factors the kernel matrix of the points that a
 * Gaussian process stores.
 *
 * @param model    the surrogate; not needed any more after the call
 * @param dtype    PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either. Gaussian
 *                 processes are evaluated in f64 alone, networks in ONNX in their own type
 * @param options  neural processes: batch, context, targets, latents, seed, dropout; Gaussian processes: batch, context (not needed
 *                 where the model stores points), targets, covariance; neural operators: batch, shape, steps, boundary, threads,
 *                 transforms; perceptrons: batch, dropout, latents, seed; DeepONets: batch, targets, dropout, latents, seed; networks
 *                 in ONNX: batch, and shape where they have a grid; ensembles: those of their members; NULL for none set
 * @param plan     receives the object, NULL on failure; to be freed with pcml_plan_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT when an option that the model needs
 *         is not set or does not fit it; PCML_STATUS_CONTRADICTION for two values at one stored point without noise; PCML_STATUS_SHAPE for a grid with too few points for the model's modes or a stencil;
 *         PCML_STATUS_STATE for boundary conditions where the model has none, and for a network in ONNX where the library was built without
 *         cargo feature onnx; PCML_STATUS_WEIGHTS for an ONNX file that is damaged or can't be evaluated,
 *         PCML_STATUS_FILE_DESCRIPTION for one that is not as described; PCML_STATUS_MISMATCH for other faces or kinds than
 *         the model's; PCML_STATUS_SINGULAR, PCML_STATUS_TOO_LARGE; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any; with option threads the plan has its own. Allocation: the packed weights, and what the transforms take.
 */
int32_t pcml_plan_create(const struct pcml_model *model,
                         int32_t dtype,
                         const struct pcml_options *options,
                         struct pcml_plan **plan);

/**
 * Frees a plan; its workspaces are to be freed on their own. NULL is fine; freeing twice is misuse.
 *
 * Threads: nobody else uses the object.
 */
void pcml_plan_free(struct pcml_plan *plan);

/**
 * Creates the scratch memory of a plan: one a thread.
 *
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: all that later calls need.
 */
int32_t pcml_plan_workspace(const struct pcml_plan *plan, struct pcml_workspace **workspace);

/**
 * Neural and Gaussian processes and DeepONets: encodes the context points of one or more functions into the workspace. Queries use the encoding
 * until the next successful call. A Gaussian process factors the kernel matrix of each function, points^3 / 3 multiply-adds; where it is
 * singular as far as rounding tells, some variance is added to its diagonal, which pcml_plan_jitter tells.
 *
 * @param context_x  [functions, points, inputs]: coordinates, raw units; NULL for a DeepONet, whose model knows its sensors
 * @param context_y  [functions, points, outputs]: values, raw units; of a DeepONet [functions, sensors, channels]: the input functions
 *                   (an axis of extent 1 may be left out; functions <= option batch, points <= option context)
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
 *         NaN or infinity in the arrays, or an overflow in the network (then the workspace is left unconditioned);
 *         PCML_STATUS_MISMATCH for a workspace of another plan; PCML_STATUS_HANDLE; Gaussian processes: PCML_STATUS_SINGULAR when the
 *         kernel matrix stays singular, PCML_STATUS_CONTRADICTION for two values at one point without noise (both leave the workspace
 *         unconditioned), PCML_STATUS_STATE for a plan without option context
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_condition(const struct pcml_plan *plan,
                            struct pcml_workspace *workspace,
                            const struct pcml_const_array *context_x,
                            const struct pcml_const_array *context_y);

/**
 * Gaussian processes: pcml_plan_condition on points whose values have noise variances of their own, beside the model's.
 *
 * @param context_x  as in pcml_plan_condition
 * @param context_y  as in pcml_plan_condition
 * @param noise      [points] for all functions or [functions, points]: variances >= 0, in the square of the outputs' network units (raw
 *                   ones where a channel's scale is 1)
 * @return as pcml_plan_condition, and PCML_STATUS_NOISE for a value < 0
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_condition_noisy(const struct pcml_plan *plan,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *context_x,
                                  const struct pcml_const_array *context_y,
                                  const struct pcml_const_array *noise);

/**
 * Gaussian processes: the variance that the last conditioning added to the diagonal of kernel matrices so that they could be factored, the
 * largest over functions (else that of the stored points). A pivot must exceed n eps of its diagonal; where one does not, 10 n eps of the
 * signal variance are added, then ten times as much, five times over.
 *
 * @param jitter  receives it as a part of the signal variance; 0: none was needed
 * @return 0; PCML_STATUS_STATE before pcml_plan_condition where the model stores no points; PCML_STATUS_NULL_ARGUMENT;
 *         PCML_STATUS_MISMATCH; PCML_STATUS_HANDLE
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_jitter(const struct pcml_plan *plan,
                         struct pcml_workspace *workspace,
                         double *jitter);

/**
 * Neural processes: mean and log variance of the latent density of each function conditioned on, network units.
 *
 * @param mu            [functions, hidden]
 * @param log_variance  [functions, hidden]
 * @return 0; PCML_STATUS_STATE before pcml_plan_condition, or with dropout; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE;
 *         PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_MISMATCH; PCML_STATUS_HANDLE
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_latent(const struct pcml_plan *plan,
                         struct pcml_workspace *workspace,
                         const struct pcml_array *mu,
                         const struct pcml_array *log_variance);

/**
 * Neural and Gaussian processes and DeepONets: predicts at target points of the functions conditioned on; a Gaussian process that is not
 * conditioned and stores points predicts from those. Variances of a Gaussian process are of the process itself, without noise, from 0 to
 * the signal variance. Neural processes: the mean of a mixture is the mean of the draws' means; its variance, by the law of total
 * variance, the mean of their variances plus the unbiased variance of their means. A DeepONet has a variance in an ensemble or with draws
 * of dropout only. Results do not depend on the batch, the position in it, or the number of targets.
 *
 * @param target_x  [targets, inputs] for all functions, or [functions, targets, inputs]; raw units; targets <= option targets
 * @param eps       NULL, or standard normal draws [latents, functions, hidden] or [latents, hidden] instead of the
 *                  seeded ones; NULL for Gaussian processes and DeepONets
 * @param mean      receives [functions, targets, outputs], raw units (an axis of extent 1 may be left out)
 * @param variance  receives the same shape, raw units squared; NULL when it is not wanted, and for a single DeepONet
 * @return 0; PCML_STATUS_STATE before pcml_plan_condition; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE;
 *         PCML_STATUS_STRIDE also when mean and variance overlap; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for NaN or infinity
 *         in the arrays or an overflow; PCML_STATUS_INVALID_ARGUMENT for eps at the mean latent; PCML_STATUS_MISMATCH;
 *         PCML_STATUS_HANDLE. The arrays are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_query(const struct pcml_plan *plan,
                        struct pcml_workspace *workspace,
                        const struct pcml_const_array *target_x,
                        const struct pcml_const_array *eps,
                        const struct pcml_array *mean,
                        const struct pcml_array *variance);

/**
 * Gaussian processes: the whole posterior covariance at target points, k(x, x) - k(x, X) (k(X, X) + noise)^-1 k(X, x), and the mean. With one
 * output the two are what pcml_projector_project takes for `mean` and `variance` of PCML_PRIOR_DENSE, functions as slices; a noisy or exact
 * row then gives the process conditioned on that integral too. With several outputs the mean can be written with its outputs before its
 * targets through strides.
 *
 * @param target_x    as in pcml_plan_query, at most option covariance targets
 * @param mean        receives [functions, targets, outputs], raw units; NULL when it is not wanted
 * @param covariance  receives [functions, outputs, targets, targets], raw units squared: symmetric bit for bit, the diagonal as
 *                    pcml_plan_query has it, without noise (axes of extent 1 may be left out)
 * @return 0; PCML_STATUS_STATE before pcml_plan_condition where the model stores no points, and for a plan without option covariance;
 *         PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE also when mean and covariance overlap;
 *         PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE; PCML_STATUS_MISMATCH also for a plan of another kind; PCML_STATUS_HANDLE. The
 *         arrays are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_covariance(const struct pcml_plan *plan,
                             struct pcml_workspace *workspace,
                             const struct pcml_const_array *target_x,
                             const struct pcml_array *mean,
                             const struct pcml_array *covariance);

/**
 * Neural operators and networks in ONNX: predicts fields on the plan's grid from fields; where such a network has no grid, values at points,
 * each point a function. Multilayer perceptrons: predicts rows of outputs from rows of inputs, each row on its own, such as the columns of an
 * atmosphere. Ensembles of any of these: the mean of their members. Models with boundary conditions obey them: the results have
 * exactly the values of Dirichlet faces, as they are stored.
 *
 * @param input        [functions, n_1, .., n_d, inputs], raw units; functions <= option batch. Perceptrons: [.., inputs], the axes before
 *                     the channels together at most option batch rows
 * @param values       models with boundary conditions: an array for each Dirichlet and Neumann face, in the order of the model's faces
 *                     (of option boundary, where it is set), [functions, (steps,) the grid without the face's axis, outputs], raw units;
 *                     a stride of 0 repeats a value. Others: NULL with a count of 0
 * @param value_count  how many
 * @param output       receives [functions, (steps,) n_1, .., n_d, outputs], perceptrons: [.., outputs], raw units; may share memory with the
 *                     arrays that are read: it is written last. (Axes of extent 1 may be left out everywhere; `steps` is an axis where that option is > 1)
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT for a
 *         count < 0; PCML_STATUS_NON_FINITE for NaN or infinity in the arrays, or an overflow; PCML_STATUS_MISMATCH for another number
 *         of values, a workspace of another plan, or a plan of another kind; PCML_STATUS_HANDLE; PCML_STATUS_PANIC where the
 *         evaluation of a network in ONNX fails. The output is written only on success.
 *
 * Threads: one workspace a thread. Allocation: none; networks in ONNX: arrays inside the network, and some locks.
 */
int32_t pcml_plan_predict(const struct pcml_plan *plan,
                          struct pcml_workspace *workspace,
                          const struct pcml_const_array *input,
                          const struct pcml_const_array *values,
                          int64_t value_count,
                          const struct pcml_array *output);

/**
 * Predicts as pcml_plan_predict from and to several fields of the host, such as temperature, humidity and winds: the channels of the model
 * are those of the first field, then those of the second and so on. The fields are read and written where they lie; nothing needs to be
 * packed into one array. No more than 64 fields each way.
 *
 * @param plan          the plan
 * @param workspace     a workspace of the plan
 * @param inputs        the fields that are read, each [.., channels] or, of a single channel, [..]; the axes before the channels are those of
 *                      pcml_plan_predict and the same in all; dtypes and strides may differ; raw units
 * @param input_count   how many
 * @param values        as in pcml_plan_predict
 * @param value_count   how many
 * @param outputs       the fields that receive the prediction, likewise, of one dtype; they lie apart from each other and may share memory
 *                      with the arrays that are read: they are written last
 * @param output_count  how many
 * @return 0, or as pcml_plan_predict; PCML_STATUS_SHAPE also where the fields together have another number of channels than the model,
 *         PCML_STATUS_DTYPE where outputs differ in dtype, PCML_STATUS_STRIDE where they overlap. They are written only on success.
 *
 * Threads: one workspace a thread. Allocation: as pcml_plan_predict.
 */
int32_t pcml_plan_predict_fields(const struct pcml_plan *plan,
                                 struct pcml_workspace *workspace,
                                 const struct pcml_const_array *inputs,
                                 int64_t input_count,
                                 const struct pcml_const_array *values,
                                 int64_t value_count,
                                 const struct pcml_array *outputs,
                                 int64_t output_count);

/**
 * Perceptrons with a variance head and ensembles: predicts as pcml_plan_predict, with variances. Of an ensemble they are those of the equal-weight
 * mixture of its members, by the law of total variance: the mean of their variances (none of a member without) plus the mean square of
 * their means' departures from the mean. Draws of dropout (option dropout) are members too.
 *
 * @param plan         the plan
 * @param workspace    a workspace of the plan
 * @param input        as in pcml_plan_predict
 * @param values       as in pcml_plan_predict
 * @param value_count  how many
 * @param mean         receives what pcml_plan_predict gives
 * @param variance     receives the same shape, raw units squared; lies apart from `mean`
 * @return 0, or as pcml_plan_predict; PCML_STATUS_MISMATCH also for a model without variances; PCML_STATUS_STRIDE when the results
 *         overlap. They are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_predict_moments(const struct pcml_plan *plan,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *input,
                                  const struct pcml_const_array *values,
                                  int64_t value_count,
                                  const struct pcml_array *mean,
                                  const struct pcml_array *variance);

/**
 * Ensembles: predicts as pcml_plan_predict, with the covariance of the members' mixture as diag(d) + F'F of rank `members`. The result is what
 * pcml_projector_project takes for `variance` of PCML_PRIOR_LOW_RANK with option prior_size = members, functions as slices: no matrix of
 * cells by cells is made. Where members have no variances of their own d is 0, for which the projector wants option held_cells.
 *
 * @param plan         the plan
 * @param workspace    a workspace of the plan
 * @param input        as in pcml_plan_predict
 * @param values       as in pcml_plan_predict
 * @param value_count  how many
 * @param mean         receives what pcml_plan_predict gives
 * @param low_rank     receives [functions, 1 + members, cells], cells the values of a function (of a perceptron: of a row) in the order of
 *                     `mean`, as one axis or as many as there: d, the mean of the members' variances, then F, their means' departures
 *                     from the mean over the root of their number; raw units squared, raw units. Lies apart from `mean`
 * @return 0, or as pcml_plan_predict; PCML_STATUS_MISMATCH also for a single model; PCML_STATUS_STRIDE when the results overlap. They
 *         are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_predict_factors(const struct pcml_plan *plan,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *input,
                                  const struct pcml_const_array *values,
                                  int64_t value_count,
                                  const struct pcml_array *mean,
                                  const struct pcml_array *low_rank);

/**
 * Ensembles of processes or DeepONets: predicts at target points as pcml_plan_query, with the covariance of the members' mixture as
 * pcml_plan_predict_factors has it.
 *
 * @param plan       the plan
 * @param workspace  a workspace of the plan
 * @param target_x   as in pcml_plan_query
 * @param eps        as in pcml_plan_query
 * @param mean       receives [functions, targets, outputs], raw units
 * @param low_rank   receives [functions, 1 + members, targets, outputs], as in pcml_plan_predict_factors
 * @return 0, or as pcml_plan_query; PCML_STATUS_MISMATCH also for a single model. The arrays are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_query_factors(const struct pcml_plan *plan,
                                struct pcml_workspace *workspace,
                                const struct pcml_const_array *target_x,
                                const struct pcml_const_array *eps,
                                const struct pcml_array *mean,
                                const struct pcml_array *low_rank);

/**
 * How many members a plan's predictions are made of: those of an ensemble, or the draws of dropout; 0 for a single model.
 *
 * @param plan   the plan
 * @param count  receives the number
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_plan_members(const struct pcml_plan *plan,
                          int64_t *count);

/**
 * Neural operators: predicts as pcml_plan_predict and makes the prediction lawful as pcml_projector_project, in one call. The prediction
 * stays in the plan's workspace, rounded to the dtype of `mean`; each function of the batch (with all its steps) is a slice.
 *
 * Where the model obeys boundary conditions, the projector should hold them as rows beside its conservation laws
 * (pcml_constraints_add_boundary, pcml_constraints_add_sparse_rows), so that the result obeys both: rows that hold already cost no
 * accuracy, and keep their faces where they are.
 *
 * @param plan                 the plan
 * @param workspace            a workspace of the plan
 * @param input                as in pcml_plan_predict
 * @param values               as in pcml_plan_predict
 * @param value_count          how many
 * @param projector            the projector, whose cells are the values of one function: (steps,) n_1, .., n_d, outputs in C order
 * @param projector_workspace  a workspace of the projector with room for the functions
 * @param variance             the prior's data, as in pcml_projector_project; NULL with PCML_PRIOR_IDENTITY
 * @param b                    one value a function and row, [functions, rows]
 * @param mean                 receives the lawful prediction, shaped as the output of pcml_plan_predict; lies apart from the other arrays
 *                             but `input` and `values`, whose memory it may share
 * @param posterior_variance   receives the posterior variances; NULL: not asked for
 * @param report               is filled on success, needs room for the functions; NULL: not asked for
 * @return 0, or as pcml_plan_predict and pcml_projector_project, which calls the prediction `mean` in its messages. The arrays and the
 *         report are written only on success of both.
 *
 * Threads: one of each workspace and one report a thread. Allocation: none on success; networks in ONNX as pcml_plan_predict.
 */
int32_t pcml_plan_predict_lawful(const struct pcml_plan *plan,
                                 struct pcml_workspace *workspace,
                                 const struct pcml_const_array *input,
                                 const struct pcml_const_array *values,
                                 int64_t value_count,
                                 const struct pcml_projector *projector,
                                 struct pcml_workspace *projector_workspace,
                                 const struct pcml_const_array *variance,
                                 const struct pcml_const_array *b,
                                 const struct pcml_array *mean,
                                 const struct pcml_array *posterior_variance,
                                 struct pcml_report *report);

/**
 * Creates the scratch memory of derivatives of a plan's predictions (pcml_plan_jvp, pcml_plan_vjp): one a thread, apart from
 * pcml_plan_workspace, since it takes a field for each block of the network beside, and of a roll-out the input of each step. The first
 * call gives the plan its transposed weights, and matrices where it has fast Fourier transforms.
 *
 * @param plan       a plan of a neural operator
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_OUT_OF_MEMORY, PCML_STATUS_STATE for a model that is no single
 *         neural operator
 *
 * Threads: any. Allocation: all that later calls need.
 */
int32_t pcml_plan_derivative_workspace(const struct pcml_plan *plan,
                                       struct pcml_workspace **workspace);

/**
 * Neural operators: the derivative of pcml_plan_predict in a direction (jvp), at an input and boundary values. Corrections and conditions of
 * boundaries are differentiated too: tangents of Dirichlet values arrive at their faces as they are. Where an activation has a kink it
 * is one of the one-sided derivatives. A roll-out is linearised at the states that it takes into f64 arrays, at the cost of one more
 * evaluation a step.
 *
 * @param plan            the plan
 * @param workspace       made by pcml_plan_derivative_workspace
 * @param input           as in pcml_plan_predict
 * @param values          as in pcml_plan_predict
 * @param value_count     how many
 * @param input_tangent   the direction of the input, shaped as it, raw units; NULL: 0
 * @param value_tangents  the direction of the values, `value_count` arrays shaped as they are, raw units; NULL: 0
 * @param output_tangent  receives [functions, (steps,) n_1, .., n_d, outputs], raw units; may share memory with the arrays that are read: it is
 *                        written last
 * @return 0, or as pcml_plan_predict; PCML_STATUS_NON_FINITE also for tangents and where the derivative overflows;
 *         PCML_STATUS_MISMATCH also for a workspace of pcml_plan_workspace. The tangent is written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_jvp(const struct pcml_plan *plan,
                      struct pcml_workspace *workspace,
                      const struct pcml_const_array *input,
                      const struct pcml_const_array *values,
                      int64_t value_count,
                      const struct pcml_const_array *input_tangent,
                      const struct pcml_const_array *value_tangents,
                      const struct pcml_array *output_tangent);

/**
 * Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at an input and boundary values:
 * the transpose of pcml_plan_jvp, and so the gradient of a function of the prediction from its gradient with respect to that.
 *
 * @param plan              the plan
 * @param workspace         made by pcml_plan_derivative_workspace
 * @param input             as in pcml_plan_predict
 * @param values            as in pcml_plan_predict
 * @param value_count       how many
 * @param output_cotangent  [functions, (steps,) n_1, .., n_d, outputs], per raw unit
 * @param input_cotangent   receives the cotangent of the input, shaped as it, per raw unit; NULL: not asked for
 * @param value_cotangents  receive those of the values, `value_count` arrays shaped as they are, per raw unit; NULL: not asked for. A value
 *                          that was repeated by a stride of 0 has a cotangent for each time it was read
 * @return 0, or as pcml_plan_jvp; PCML_STATUS_STRIDE also when results overlap each other; they may share memory with the arrays that
 *         are read. The cotangents are written only on success.
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_vjp(const struct pcml_plan *plan,
                      struct pcml_workspace *workspace,
                      const struct pcml_const_array *input,
                      const struct pcml_const_array *values,
                      int64_t value_count,
                      const struct pcml_const_array *output_cotangent,
                      const struct pcml_array *input_cotangent,
                      const struct pcml_array *value_cotangents);

/**
 * How many kernel matrices of boundary corrections were singular or nearly so, and were regularised when the plan was created: the
 * corrections of such frequencies do less than they were trained for. Conditions hold whatever the number; 0 for models without them.
 *
 * @param plan   the plan
 * @param count  receives the number
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_plan_regularised(const struct pcml_plan *plan,
                              int64_t *count);

/**
 * Creates a projector. The rows are copied: the constraints may be freed or changed afterwards.
 *
 * @param constraints  constraints with at least one row
 * @param prior        a number of enum pcml_prior
 * @param options      held cells, prior size and smoothing are read from it; NULL: all unset
 * @param projector    receives the object, NULL on failure; to be freed with pcml_projector_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown prior or a size or smoothing that
 *         does not fit it, PCML_STATUS_STATE when there is no row, PCML_STATUS_NON_FINITE when squares of weights overflow,
 *         PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object.
 */
int32_t pcml_projector_create(const struct pcml_constraints *constraints,
                              int32_t prior,
                              const struct pcml_options *options,
                              struct pcml_projector **projector);

/**
 * Frees a projector. NULL is fine; freeing twice is misuse. Its workspaces and reports stay to be freed. Threads: nobody else
 * uses the object.
 */
void pcml_projector_free(struct pcml_projector *projector);

/**
 * Creates a workspace for calls of this projector.
 *
 * @param projector  the projector, and the only one that takes the workspace
 * @param slices     most slices of one call, at least 1
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object: about 150 bytes a slice for one row over all cells in the identity or a diagonal prior;
 * otherwise about 16 bytes a cell and slice, and what a slice's system takes.
 */
int32_t pcml_projector_workspace(const struct pcml_projector *projector,
                                 int64_t slices,
                                 struct pcml_workspace **workspace);

/**
 * Creates a report for projections of at most so many slices, by projectors with as many rows.
 *
 * @param projector  the projector
 * @param slices     most slices of one call, at least 1
 * @param report     receives the object, NULL on failure; to be freed with pcml_report_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_TOO_LARGE, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 80 bytes a slice and 40 a row.
 */
int32_t pcml_projector_report(const struct pcml_projector *projector,
                              int64_t slices,
                              struct pcml_report **report);

/**
 * Makes every slice obey the rows. With S = G Sigma G' + diag(s^2) and S lambda = G mu - b, the posterior mean is
 * mu - Sigma G' lambda, its covariance Sigma - Sigma G' S^-1 G Sigma.
 *
 * A row without noise holds for the posterior mean u as it is stored: |g u - b| <= 4 eps sum |g u|, eps of its dtype; a mean that
 * obeys so already comes back bit for bit (but PCML_PRIOR_SMOOTHED smooths it). Variances never grow. The bits of a slice depend
 * on its own values alone. Rows that depend on others, whatever the prior, take no part and are marked in the report; they hold
 * because the others do, or are refused by number. A lawful prediction is not always a better one.
 *
 * Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
 * posterior may be the prior's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
 *
 * @param projector           the projector
 * @param workspace           a workspace of this projector with room for the slices
 * @param mean                mu, in the unit of the field
 * @param variance            the prior's data, in that unit squared where they are variances: enum pcml_prior states their shape for
 *                            one slice; with a slice axis before it, or without one for all slices. Variances are above 0 (or at
 *                            least 0 with held cells). NULL with PCML_PRIOR_IDENTITY
 * @param b                   one value a slice and row, [slices, rows] ([slices] for one row), in the unit of weight times field
 * @param posterior_mean      receives the posterior mean
 * @param posterior_variance  receives the posterior variances; NULL: not asked for
 * @param report              is filled on success, needs room for the slices; NULL: not asked for
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_STATE for constraints with invariants or sets, which have calls of
 *         their own, PCML_STATUS_MISMATCH for the workspace or report of another projector
 *         or a wrong struct_size, PCML_STATUS_INVALID_ARGUMENT for data with the identity prior or too many slices,
 *         PCML_STATUS_SHAPE, PCML_STATUS_DTYPE, PCML_STATUS_STRIDE for strides, alignment or overlap, PCML_STATUS_TOO_LARGE;
 *         PCML_STATUS_NON_FINITE (array, slice and cell are named; also where a result would overflow), PCML_STATUS_VARIANCE
 *         (slice and cell are named; also for data that no covariance has), PCML_STATUS_SINGULAR when no cell can move a row,
 *         PCML_STATUS_CONTRADICTION when a row contradicts rows on which it depends, PCML_STATUS_NOT_CONVERGED when rounding
 *         keeps a row from holding (extreme scales only). After any failure the arrays and the report are as before.
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_projector_project(const struct pcml_projector *projector,
                               struct pcml_workspace *workspace,
                               const struct pcml_const_array *mean,
                               const struct pcml_const_array *variance,
                               const struct pcml_const_array *b,
                               const struct pcml_array *posterior_mean,
                               const struct pcml_array *posterior_variance,
                               struct pcml_report *report);

/**
 * pcml_projector_project for f64 arrays in C order without gaps: mean, variance and the posterior [slices, cells], b [slices, rows].
 * For the identity, the diagonal and the smoothed prior; others take the descriptors of pcml_projector_project, and their data are
 * PCML_STATUS_INVALID_ARGUMENT here.
 * Ownership, NULL, units, errors, threads and allocation as there; slices < 1 is PCML_STATUS_INVALID_ARGUMENT.
 */
int32_t pcml_projector_project_f64(const struct pcml_projector *projector,
                                   struct pcml_workspace *workspace,
                                   int64_t slices,
                                   const double *mean,
                                   const double *variance,
                                   const double *b,
                                   double *posterior_mean,
                                   double *posterior_variance,
                                   struct pcml_report *report);

/**
 * pcml_projector_project for f32 arrays in C order without gaps: mean, variance and the posterior [slices, cells]; b [slices, rows] is
 * f64. For the priors of pcml_projector_project_f64, and as there.
 */
int32_t pcml_projector_project_f32(const struct pcml_projector *projector,
                                   struct pcml_workspace *workspace,
                                   int64_t slices,
                                   const float *mean,
                                   const float *variance,
                                   const double *b,
                                   float *posterior_mean,
                                   float *posterior_variance,
                                   struct pcml_report *report);

/**
 * How far every slice is from obeying: G u - b, with sums in twice the precision of f64. Checks only: no field changes.
 *
 * @param projector  the projector
 * @param workspace  a workspace of this projector with room for the slices
 * @param mean       u, shaped as in pcml_projector_project
 * @param b          one value a slice and row, [slices, rows]
 * @param residual   receives one value a slice and row, in the unit of b; lies apart from the other arrays
 * @return 0, or as pcml_projector_project where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_projector_residual(const struct pcml_projector *projector,
                                struct pcml_workspace *workspace,
                                const struct pcml_const_array *mean,
                                const struct pcml_const_array *b,
                                double *residual);

/**
 * Fills the report with how every slice stands to its rows; changes nothing else. Residuals before and after are both g u - b, the
 * tolerance is that of the mean's own dtype, and PCML_REPORT_ITEM_UNCHANGED says that all rows hold, those with noise to the bit.
 *
 * @param projector  the projector
 * @param workspace  a workspace of this projector with room for the slices
 * @param mean       u, shaped as in pcml_projector_project
 * @param b          one value a slice and row, [slices, rows]
 * @param report     is filled on success, needs room for the slices; not NULL
 * @return 0, or as pcml_projector_project where it concerns these arguments; after a failure the report is as before
 *
 * Threads: any, one workspace and one report each. Allocation: none on success.
 */
int32_t pcml_projector_check(const struct pcml_projector *projector,
                             struct pcml_workspace *workspace,
                             const struct pcml_const_array *mean,
                             const struct pcml_const_array *b,
                             struct pcml_report *report);

/**
 * Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since,
 * b = G u + dt sum_j rates_j, with sums in twice the precision of f64, rounded once. Fills b for every row; that of a boundary row
 * is no balance, and is the caller's to set afterwards.
 *
 * @param projector  the projector
 * @param workspace  a workspace of this projector with room for the slices
 * @param previous   u, shaped as the mean in pcml_projector_project
 * @param rates      [slices, rows, terms] or [slices, rows]: what each row gains per unit of time, as fluxes through boundaries times
 *                   their areas and sources times volumes; negative where it loses
 * @param dt         the time that has passed
 * @param b          receives one value a slice and row, [slices, rows]; lies apart from the other arrays
 * @return 0, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, or as pcml_projector_project where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_projector_budget(const struct pcml_projector *projector,
                              struct pcml_workspace *workspace,
                              const struct pcml_const_array *previous,
                              const struct pcml_const_array *rates,
                              double dt,
                              const struct pcml_array *b);

/**
 * The whole posterior covariance of one slice, Sigma - Sigma G' S^-1 G Sigma: symmetric to the bit, its diagonal equal to the
 * posterior variances of the projection. For inspection; a projection never needs it.
 *
 * @param projector   the projector
 * @param workspace   a workspace of this projector
 * @param variance    the prior's data of one slice; NULL with PCML_PRIOR_IDENTITY
 * @param covariance  receives [cells, cells], the field's unit squared; lies apart from `variance`
 * @return 0, or as pcml_projector_project where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_projector_covariance(const struct pcml_projector *projector,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *variance,
                                  const struct pcml_array *covariance);

/**
 * Creates a reduction from a function of the host.
 *
 * The function replaces each of `count` values by its sum over all parts, in place, and gives all parts the same sums; with MPI it
 * is one MPI_Allreduce of MPI_INT64_T with MPI_SUM, in place. It returns 0, or another number when it failed. Sums of integers
 * have no rounding, so any order of addition gives the same. One part alone returns 0 and leaves the values as they are. All parts
 * are called equally often with equal counts.
 *
 * @param sum        the function; it must return (no longjmp, no exception) and may not use the objects of the call that calls it
 * @param context    goes to the function as it is, may be NULL; stays the caller's
 * @param reduction  receives the object, NULL on failure; to be freed with pcml_reduction_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any; the function runs on the thread of the call that needs it. Allocation: the object.
 */
int32_t pcml_reduction_create(int32_t (*sum)(void *context, int64_t *values, int64_t count),
                              void *context,
                              struct pcml_reduction **reduction);

/**
 * Frees a reduction; its context stays the caller's. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
 */
void pcml_reduction_free(struct pcml_reduction *reduction);

/**
 * How many slices the last successful projection had; 0 before the first.
 *
 * @param report  the report
 * @param slices  receives the number
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any, while no projection fills the report. Allocation: none.
 */
int32_t pcml_report_slices(const struct pcml_report *report, int64_t *slices);

/**
 * One value of the last successful projection.
 *
 * @param report  the report
 * @param item    a number of enum pcml_report_item, which states the units
 * @param slice   0 to pcml_report_slices - 1
 * @param row     0 to rows - 1; not read into items of the whole slice, but checked
 * @param value   receives the value
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown item, slice or row
 *
 * Threads: any, while no projection fills the report. Allocation: none.
 */
int32_t pcml_report_value(const struct pcml_report *report,
                          int32_t item,
                          int64_t slice,
                          int64_t row,
                          double *value);

/**
 * Frees a report. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
 */
void pcml_report_free(struct pcml_report *report);

/**
 * The sum of an array's values, or of the products of two arrays' values, over all parts of a field: exact, then rounded once. Its bits
 * depend on no order, on no partition and on no thread count.
 *
 * @param array      values, of any shape, strides and dtype
 * @param second     as many values, to be multiplied with those of `array` one by one, in exact products; NULL: the sum of `array`
 * @param reduction  the host's sum over the parts, which is called once; NULL: this array is all
 * @param sum        receives the sum; NaN or infinite where a value is
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_REDUCTION, PCML_STATUS_MISMATCH where some parts have a second
 *         array and some not, or those of an array descriptor; `sum` is as before. What one part's arguments are refused for is the
 *         status of all parts.
 *
 * Threads: any, one reduction each. Allocation: none on success.
 */
int32_t pcml_sum(const struct pcml_const_array *array,
                 const struct pcml_const_array *second,
                 struct pcml_reduction *reduction,
                 double *sum);

/**
 * The first half of pcml_sum, for a host that sums between calls: the exact sum of this part as integers. Bins of up to 2^30 parts are
 * added as integers, in any order, and rounded by pcml_sum_round.
 *
 * @param array   values, of any shape, strides and dtype
 * @param second  as many values, to be multiplied with those of `array`; NULL: the sum of `array`
 * @param bins    receives PCML_SUM_BINS integers
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, or those of an array descriptor
 *
 * Threads: any. Allocation: none on success.
 */
int32_t pcml_sum_bins(const struct pcml_const_array *array,
                      const struct pcml_const_array *second,
                      int64_t *bins);

/**
 * The second half of pcml_sum: the double nearest to the sum that the bins hold.
 *
 * @param bins  PCML_SUM_BINS integers, of pcml_sum_bins or the sums of such
 * @param sum   receives the sum
 * @return 0, PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_sum_round(const int64_t *bins, double *sum);

/**
 * The version of the library that is linked; compare with PCML_VERSION_MAJOR, _MINOR, _PATCH of the header.
 *
 * @return 0, or PCML_STATUS_NULL_ARGUMENT
 *
 * Threads: any. Allocation: none.
 */
int32_t pcml_version(int32_t *major, int32_t *minor, int32_t *patch);

/**
 * The version as text, as "0.1.0": static, never NULL, not to be freed.
 *
 * Threads: any. Allocation: none.
 */
const char *pcml_version_string(void);

/**
 * Frees a workspace. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
 */
void pcml_workspace_free(struct pcml_workspace *workspace);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PCML_H */
