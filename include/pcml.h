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
 * What was set.
 */
struct Settings;

/**
 * Scratch memory of a plan or a projector: the only thing that changes in a hot call. One per thread; it serves the object
 * that created it and no other. Calls that find it in use by another thread return PCML_STATUS_HANDLE.
 */
struct pcml_workspace;

/**
 * Settings for create functions: sizes of a plan, sampling, what a projector admits. Every setting starts unset; a create
 * function reads those that concern it, names the one it lacks, and keeps no reference to the object.
 */
struct pcml_options {
  uint64_t tag;
  struct Settings settings;
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
