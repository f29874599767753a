/* pcml: physics-constrained machine learning that simulation codes can link.

   Generated from the Rust sources by `cargo xtask header`; do not edit.

   Status    Functions return 0 or a pinned number of enum pcml_status; pcml_error_message has the text.
   Outputs   Arrays are written only on success. Create functions leave NULL behind on failure.
   Handles   Opaque; created by *_create, *_load, *_workspace or *_report, freed by *_free; freeing NULL is fine,
             freeing twice is misuse.
   Threads   A `const T *` argument may be used by many threads at once; a `T *` argument by one at a time.
             No function starts a thread, prints, or ends the process; a defect inside is PCML_STATUS_PANIC.
   Sizes     int64_t, strides in elements. */

#ifndef PCML_H
#define PCML_H

#include <stdint.h>

#define PCML_VERSION_MAJOR 0
#define PCML_VERSION_MINOR 1
#define PCML_VERSION_PATCH 0

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
 * The prior covariance, which is the metric of the correction: a cell yields in proportion to its variance times its weight.
 */
enum pcml_prior
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Sigma = I: every cell yields alike (HardC). Takes no prior variance.
   */
  PCML_PRIOR_IDENTITY = 1,
  /**
   * Sigma = diag(v), v the surrogate's variance of each cell (ProbConserv).
   */
  PCML_PRIOR_DIAGONAL = 2,
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
   * number a cell; infinite for a row with noise.
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
 * What must hold: linear rows `g u = b + noise` over the cells of a field. The right-hand sides b come with each projection.
 */
typedef struct pcml_constraints pcml_constraints;

/**
 * A trained surrogate from a model file: immutable, to be shared by any number of plans and threads.
 */
typedef struct pcml_model pcml_model;

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
 * What a projection did, slice by slice; filled by each successful projection that is given it. One for each thread.
 */
typedef struct pcml_report pcml_report;

/**
 * Scratch memory of a plan or a projector: the only thing that changes in a hot call. One per thread; it serves the object
 * that created it and no other. Calls that find it in use by another thread return PCML_STATUS_HANDLE.
 */
typedef struct pcml_workspace pcml_workspace;

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

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates constraints without rows.
 *
 * @param cells        values of one field, at least 1; several fields are concatenated
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
 * This version takes one row. The points are copied.
 *
 * @param constraints     the object that gets the row
 * @param rule            a number of enum pcml_rule
 * @param points          one coordinate a cell (any shape with that many values), strictly increasing, any spacing
 * @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown rule, PCML_STATUS_SHAPE,
 *         PCML_STATUS_NON_FINITE, PCML_STATUS_NOT_SORTED (the text names the point), PCML_STATUS_NOISE,
 *         PCML_STATUS_STATE when there is a row already, PCML_STATUS_OUT_OF_MEMORY, or those of an array descriptor;
 *         after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the row.
 */
int32_t pcml_constraints_add_quadrature(struct pcml_constraints *constraints,
                                        int32_t rule,
                                        const struct pcml_const_array *points,
                                        double noise_variance);

/**
 * Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance. This version takes one
 * row. The weights are copied.
 *
 * @param constraints     the object that gets the row
 * @param weights         one weight a cell (any shape with that many values), of any sign, not all 0
 * @param noise_variance  s^2 >= 0 in the unit of b squared; 0: the row holds exactly
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_SHAPE, PCML_STATUS_NON_FINITE, PCML_STATUS_SINGULAR when all weights are
 *         0, PCML_STATUS_NOISE, PCML_STATUS_STATE when there is a row already, PCML_STATUS_OUT_OF_MEMORY, or those of an
 *         array descriptor; after a failure the constraints are as before
 *
 * Threads: one at a time for one object. Allocation: the row.
 */
int32_t pcml_constraints_add_row(struct pcml_constraints *constraints,
                                 const struct pcml_const_array *weights,
                                 double noise_variance);

/**
 * Copies the text of this thread's last failed call into `buffer`: one line that names the function, the culprit and the
 * expected value. A later success leaves the text as it is.
 *
 * @param buffer    room for `capacity` bytes, or NULL to ask for the length only; always closed by a NUL, cut where too small
 * @param capacity  bytes at `buffer`, at least 1
 * @param length    receives the whole text's length without the NUL; may be NULL when `buffer` is not
 * @return 0, or PCML_STATUS_NULL_ARGUMENT when both are NULL, PCML_STATUS_INVALID_ARGUMENT when capacity < 1
 *
 * Threads: each thread has its own text. Allocation: none on success.
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
 * Loads a model file and runs its self-test.
 *
 * @param path   the file's path, closed by a NUL, UTF-8 or the system's own bytes
 * @param model  receives the object, NULL on failure; to be freed with pcml_model_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_IO when the file cannot be read; PCML_STATUS_FILE_FORMAT when it is no
 *         model file, truncated or damaged; PCML_STATUS_FILE_VERSION; PCML_STATUS_FILE_DESCRIPTION; PCML_STATUS_WEIGHTS when
 *         one is missing, unread, misshapen or not finite; PCML_STATUS_SELF_TEST; PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the file's size a few times over while it is checked.
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
 * Threads: any. Allocation: `size` a few times over while it is checked.
 */
int32_t pcml_model_load_bytes(const void *bytes,
                              int64_t size,
                              struct pcml_model **model);

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
 * Creates a workspace for pcml_projector_project_nonlinear of this projector.
 *
 * @param projector  the projector, with an invariant, and the only one that takes the workspace
 * @param slices     most slices of one call, at least 1
 * @param workspace  receives the object, NULL on failure; to be freed with pcml_workspace_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_STATE without an invariant,
 *         PCML_STATUS_TOO_LARGE above 256 rows and invariants, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 8 bytes a cell for each slice, row and invariant, and 80 bytes a cell.
 */
int32_t pcml_projector_workspace_nonlinear(const struct pcml_projector *projector,
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
 * @param workspace       one of pcml_projector_workspace_nonlinear of this projector with room for the slices
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
int32_t pcml_projector_project_nonlinear(const struct pcml_projector *projector,
                                         struct pcml_workspace *workspace,
                                         const struct pcml_const_array *mean,
                                         const struct pcml_const_array *variance,
                                         const struct pcml_const_array *b,
                                         const struct pcml_const_array *levels,
                                         const struct pcml_array *posterior_mean,
                                         struct pcml_report *report);

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
 * Plans: most functions (independent samples) in one call. Unset: 1.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when batch < 1
 */
int32_t pcml_options_set_batch(struct pcml_options *options, int64_t batch);

/**
 * Plans of neural processes: most context points of a function. Required there.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when context < 1
 */
int32_t pcml_options_set_context(struct pcml_options *options, int64_t context);

/**
 * Plans of neural processes: most target points of a function. Required there.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when targets < 1
 */
int32_t pcml_options_set_targets(struct pcml_options *options, int64_t targets);

/**
 * Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when latents < 0
 */
int32_t pcml_options_set_latents(struct pcml_options *options, int64_t latents);

/**
 * Seed of the counter-based generator behind latent draws and dropout. Any value; unset: 0. The draws depend on the seed
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
 * Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as
 * PCML_STATUS_VARIANCE. Unset: 0.
 *
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when neither 0 nor 1
 */
int32_t pcml_options_set_held_cells(struct pcml_options *options, int32_t admit);

/**
 * Creates a plan: packs the weights for the arithmetic and draws the latent samples.
 *
 * @param model    the surrogate; not needed any more after the call
 * @param dtype    PCML_DTYPE_F32 or PCML_DTYPE_F64: the type in which the network is evaluated; arrays may have either
 * @param options  batch, context, targets, latents, seed, dropout; NULL for none set
 * @param plan     receives the object, NULL on failure; to be freed with pcml_plan_free
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_DTYPE; PCML_STATUS_INVALID_ARGUMENT when an option that the model needs
 *         is not set; PCML_STATUS_HANDLE; PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the packed weights.
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
 * Neural processes: encodes the context points of one or more functions into the workspace. Queries use the encoding until
 * the next successful call.
 *
 * @param context_x  [functions, points, inputs]: coordinates, raw units
 * @param context_y  [functions, points, outputs]: values, raw units
 *                   (an axis of extent 1 may be left out; functions <= option batch, points <= option context)
 * @return 0; PCML_STATUS_NULL_ARGUMENT; PCML_STATUS_SHAPE; PCML_STATUS_STRIDE; PCML_STATUS_DTYPE; PCML_STATUS_NON_FINITE for
 *         NaN or infinity in the arrays, or an overflow in the network (then the workspace is left unconditioned);
 *         PCML_STATUS_MISMATCH for a workspace of another plan; PCML_STATUS_HANDLE
 *
 * Threads: one workspace a thread. Allocation: none.
 */
int32_t pcml_plan_condition(const struct pcml_plan *plan,
                            struct pcml_workspace *workspace,
                            const struct pcml_const_array *context_x,
                            const struct pcml_const_array *context_y);

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
 * Neural processes: predicts at target points of the functions conditioned on. The mean of a mixture is the mean of the
 * draws' means; its variance, by the law of total variance, the mean of their variances plus the unbiased variance of their
 * means. Results do not depend on the batch, the position in it, or the number of targets.
 *
 * @param target_x  [targets, inputs] for all functions, or [functions, targets, inputs]; raw units; targets <= option targets
 * @param eps       NULL, or standard normal draws [latents, functions, hidden] or [latents, hidden] for the seeded ones
 * @param mean      receives [functions, targets, outputs], raw units (an axis of extent 1 may be left out)
 * @param variance  receives the same shape, raw units squared; NULL when it is not wanted
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
 * Creates a projector. The rows are copied: the constraints may be freed or changed afterwards.
 *
 * @param constraints  constraints with a row
 * @param prior        a number of enum pcml_prior
 * @param options      held cells are read from it; NULL: all unset
 * @param projector    receives the object, NULL on failure; to be freed with pcml_projector_free
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT for an unknown prior, PCML_STATUS_STATE when there is no
 *         row, PCML_STATUS_OUT_OF_MEMORY
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
 * Threads: any. Allocation: the object, about 150 bytes a slice.
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
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_INVALID_ARGUMENT when slices < 1, PCML_STATUS_OUT_OF_MEMORY
 *
 * Threads: any. Allocation: the object, about 80 bytes a slice and 40 a row.
 */
int32_t pcml_projector_report(const struct pcml_projector *projector,
                              int64_t slices,
                              struct pcml_report **report);

/**
 * Makes every slice obey the row. With S = sum g^2 v + s^2 and lambda = (g mu - b) / S, the posterior mean is
 * mu - v g lambda, its variance v - v^2 g^2 / S.
 *
 * Without noise |g u - b| <= 4 eps sum |g u| holds for the posterior mean u as it is stored, eps of its dtype; a mean that
 * obeys so already comes back bit for bit. Variances never grow. The bits of a slice depend on its own values alone. A lawful
 * prediction is not always a better one.
 *
 * Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; any strides; dtypes may differ. The
 * posterior may be the prior's own array (same data, dtype, shape and strides) or lie apart from all other arrays.
 *
 * @param projector           the projector
 * @param workspace           a workspace of this projector with room for the slices
 * @param mean                mu, in the unit of the field
 * @param variance            v > 0 (or >= 0 with held cells), that unit squared; NULL with PCML_PRIOR_IDENTITY, where v = 1
 * @param b                   one value a slice, [slices] or [slices, 1], in the unit of weight times field
 * @param posterior_mean      receives the posterior mean
 * @param posterior_variance  receives the posterior variances; NULL: not asked for
 * @param report              is filled on success, needs room for the slices; NULL: not asked for
 * @return 0, PCML_STATUS_NULL_ARGUMENT, PCML_STATUS_HANDLE, PCML_STATUS_MISMATCH for the workspace of another projector or a
 *         wrong struct_size, PCML_STATUS_INVALID_ARGUMENT for a variance with the identity prior or too many slices,
 *         PCML_STATUS_SHAPE, PCML_STATUS_DTYPE, PCML_STATUS_STRIDE for strides, alignment or overlap, PCML_STATUS_TOO_LARGE;
 *         PCML_STATUS_NON_FINITE (array, slice and cell are named; also where a result would overflow), PCML_STATUS_VARIANCE
 *         (slice and cell are named), PCML_STATUS_SINGULAR when no cell can move the row, PCML_STATUS_NOT_CONVERGED when
 *         rounding keeps the row from holding (extreme scales only). After any failure the arrays and the report are as before.
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
 * pcml_projector_project for f64 arrays in C order without gaps: mean, variance and the posterior [slices, cells], b [slices].
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
 * pcml_projector_project for f32 arrays in C order without gaps: mean, variance and the posterior [slices, cells]; b [slices]
 * is f64. Ownership, NULL, units, errors, threads and allocation as there; slices < 1 is PCML_STATUS_INVALID_ARGUMENT.
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
 * How far every slice is from obeying: g u - b, with sums in twice the precision of f64. Checks only: no field changes.
 *
 * @param projector  the projector
 * @param workspace  a workspace of this projector with room for the slices
 * @param mean       u, shaped as in pcml_projector_project
 * @param b          one value a slice, [slices] or [slices, 1]
 * @param residual   receives one value a slice, in the unit of b; lies apart from the other arrays
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
 * The whole posterior covariance of one slice, diag(v) - (v g)(v g)' / S: symmetric to the bit, its diagonal equal to the
 * posterior variances of the projection. For inspection; a projection never needs it.
 *
 * @param projector   the projector
 * @param workspace   a workspace of this projector
 * @param variance    v, `cells` values; NULL with PCML_PRIOR_IDENTITY, where v = 1
 * @param covariance  receives [cells, cells], in the unit of v; lies apart from `variance`
 * @return 0, or as pcml_projector_project where it concerns these arguments
 *
 * Threads: any, one workspace each. Allocation: none on success.
 */
int32_t pcml_projector_covariance(const struct pcml_projector *projector,
                                  struct pcml_workspace *workspace,
                                  const struct pcml_const_array *variance,
                                  const struct pcml_array *covariance);

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
