/* pcml: physics-constrained machine learning that simulation codes can link.

   Generated from the Rust sources by `cargo xtask header`; do not edit.

   Status    Functions return 0 or a pinned number of enum pcml_status; pcml_error_message has the text.
   Outputs   Arrays are written only on success. Create functions leave NULL behind on failure.
   Handles   Opaque; created by *_create or *_load, freed by *_free; freeing NULL is fine.
   Threads   A `const T *` argument may be used by many threads at once; a `T *` argument by one at a time.
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
 * The format that this version reads.
 */
#define FORMAT 1

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
 * A checked model: its description and weights, immutable. Loading it ran its self-test.
 */
struct Model;

/**
 * An immutable plan. The model it was made from may go.
 */
struct Plan;

/**
 * What was set.
 */
struct Settings;

/**
 * Scratch memory of a plan or a projector: the only thing that changes in a hot call. One per thread; it serves the object
 * that created it and no other. Calls that find it in use by another thread return PCML_STATUS_HANDLE.
 */
struct pcml_workspace;

/**
 * A trained surrogate from a model file: immutable, to be shared by any number of plans and threads.
 */
struct pcml_model {
  uint64_t tag;
  struct Model model;
};

/**
 * Settings for create functions: sizes of a plan, sampling, what a projector admits. Every setting starts unset; a create
 * function reads those that concern it, names the one it lacks, and keeps no reference to the object.
 */
struct pcml_options {
  uint64_t tag;
  struct Settings settings;
};

/**
 * A model bound to sizes, arithmetic and sampling: immutable, to be shared by threads. The model may be freed before it.
 */
struct pcml_plan {
  uint64_t tag;
  uint64_t owner;
  struct Plan plan;
};

/**
 * An array that the library reads. As pcml_array, but strides may also repeat elements.
 */
struct pcml_const_array {
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
};

/**
 * An array that the library writes. The memory stays the caller's; nothing is copied or kept after the call.
 *
 * The fields map one to one to a DLPack `DLTensor` on the CPU (its `byte_offset` added to `data`).
 * In C: `pcml_array a = {sizeof a, x, PCML_DTYPE_F64, 2, {50, 201}, {201, 1}};`
 */
struct pcml_array {
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
};

/**
 * Every status, in order of its number.
 */
#define pcml_status_ALL { pcml_status_Ok, pcml_status_NullArgument, pcml_status_InvalidArgument, pcml_status_Shape, pcml_status_Stride, pcml_status_Dtype, pcml_status_NonFinite, pcml_status_NotSorted, pcml_status_Variance, pcml_status_Noise, pcml_status_Singular, pcml_status_NotConverged, pcml_status_Io, pcml_status_FileFormat, pcml_status_FileVersion, pcml_status_FileDescription, pcml_status_Weights, pcml_status_SelfTest, pcml_status_TooLarge, pcml_status_OutOfMemory, pcml_status_Mismatch, pcml_status_Handle, pcml_status_State, pcml_status_Panic, }

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

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
