/* What the campaign calls with and how it judges: a functions' table with the statuses that pcml.h promises, an arena between pages that may
   not be touched, array descriptors that are good until they are spoiled, and what must hold after each call. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include <pcml.h>

#include "heap.h"

/* Sets of statuses, in the order of enum pcml_status. */
enum {
  N = 1 << 1, I = 1 << 2, SH = 1 << 3, ST = 1 << 4, DT = 1 << 5, NF = 1 << 6, NS = 1 << 7, VA = 1 << 8, NO = 1 << 9, SI = 1 << 10,
  NC = 1 << 11, IO = 1 << 12, FF = 1 << 13, FV = 1 << 14, FD = 1 << 15, WE = 1 << 16, SE = 1 << 17, TL = 1 << 18, OM = 1 << 19,
  MI = 1 << 20, HA = 1 << 21, SA = 1 << 22, PANIC = 1 << 23, RE = 1 << 24, IN = 1 << 25, CO = 1 << 26,
  /* An array descriptor; a projection; one within bounds, with invariants, in parts; a prediction; rows; the loader; flux balances. */
  ARRAY = N | MI | DT | SH | ST | TL,
  PROJECTION = ARRAY | HA | SA | I | NF | VA | SI | CO | NC,
  BOUNDED = PROJECTION | IN,
  NONLINEAR = PROJECTION | SA | IN,
  PARTS = PROJECTION | BOUNDED | RE,
  PREDICTION = ARRAY | I | NF | HA,
  PROCESS = PREDICTION | SA,
  ROWS = ARRAY | I | NF | NO | OM,
  LOADER = N | IO | FF | FV | FD | WE | SE | TL | OM | SA | CO | SI,
  FLUX = ARRAY | HA | NF | VA | IN | NC,
  STEPPED = ARRAY | HA | DT,
  PLAN = N | DT | I | CO | SH | SA | WE | FD | MI | SI | TL | HA | OM
};

/* Every function of pcml.h and what it may return beside 0. A handle of another kind is PCML_STATUS_HANDLE, and a misaligned place for a
   result PCML_STATUS_STRIDE, everywhere. */
#define FUNCTIONS(X)                                                                                                                     \
  X(boundary_create, N) X(boundary_free, 0) X(boundary_add_face, N | ST | I | NF | SI) X(boundary_enforce, ARRAY | I | NF | SI)              \
  X(bounded_workspace, N | I | SA | TL | OM) X(bounded_project, BOUNDED) X(bounded_check, BOUNDED) X(bounded_jvp, BOUNDED | SA)          \
  X(bounded_vjp, BOUNDED | SA) X(constraints_create, N | I) X(constraints_free, 0) X(constraints_add_quadrature, ROWS | NS | SI)         \
  X(constraints_add_row, ROWS | SI) X(constraints_add_absent_row, N | NF | NO | OM) X(constraints_rows, N)                               \
  X(constraints_add_grid_quadrature, ROWS | NS | SI) X(constraints_add_sparse_rows, ROWS | SI) X(constraints_add_boundary, ROWS | NS | SI) \
  X(constraints_add_periodic, ROWS) X(constraints_add_stencils, ROWS | SI) X(constraints_add_quadratic, N | I | ST | NF | SI | TL | OM)  \
  X(constraints_add_energy, ARRAY | NF | SI | OM) X(constraints_set_bounds, N | I) X(constraints_add_simplex, N | I)                     \
  X(constraints_add_monotone, N | I) X(log_density, ARRAY | NF | VA) X(error_message, N | I) X(status_name, 0)                           \
  X(flux_create, ARRAY | I | NF | OM) X(flux_free, 0) X(flux_workspace, N | TL | OM) X(flux_correct, FLUX) X(flux_residual, FLUX)        \
  X(flux_jvp, FLUX) X(flux_vjp, FLUX | I) X(flux_update, FLUX | I) X(flux_update_bounded, FLUX | I) X(inference_workspace, N | I | OM | SA)   \
  X(inference_sample, PROJECTION) X(inference_log_likelihood, PROJECTION) X(inference_covariance, PROJECTION)                            \
  X(inference_jvp, PROJECTION) X(inference_vjp, PROJECTION) X(model_load, LOADER) X(model_load_bytes, LOADER | I)                        \
  X(model_gaussian_process, N | I | FD) X(model_ensemble, N | I | MI | TL)                                                                    \
  X(model_fit, N | SA | SH | ST | DT | NF | NO | I | CO | SI | MI | OM | TL) X(model_hyperparameters, N | ST | I | SA)                   \
  X(model_description, N | I) X(model_free, 0) X(nonlinear_workspace, N | I | SA | TL | OM) X(nonlinear_project, NONLINEAR)              \
  X(nonlinear_check, NONLINEAR) X(nonlinear_jvp, NONLINEAR) X(nonlinear_vjp, NONLINEAR) X(operator_part_create, PLAN)                    \
  X(operator_part_free, 0) X(operator_part_workspace, N | OM) X(operator_part_predict, PREDICTION | RE) X(operator_part_begin, STEPPED | I)  \
  X(operator_part_continue, PREDICTION | RE | SA) X(operator_part_finish, ARRAY | SA) X(options_create, N) X(options_free, 0)            \
  X(options_set_batch, N | I) X(options_set_context, N | I) X(options_set_targets, N | I) X(options_set_covariance, N | I)               \
  X(options_set_latents, N | I) X(options_set_seed, N) X(options_set_dropout, N | I) X(options_set_shape, N | ST | I | SH)               \
  X(options_set_steps, N | I) X(options_set_threads, N | I) X(options_set_transforms, N | I) X(options_set_boundary, N)                  \
  X(options_set_held_cells, N | I) X(options_set_prior_size, N | I) X(options_set_smoothing, N | I) X(options_set_held_faces, N | I)     \
  X(options_set_direct_cells, N | I) X(options_set_length_scales, N | ST | I) X(options_set_signal_variance, N | I)                      \
  X(options_set_noise_variance, N | NO | I) X(options_set_means, N | ST | I | NF) X(options_set_fitted, N | I)                           \
  X(options_set_fit_range, N | I) X(options_set_restarts, N | I) X(part_workspace, N | I | SA | TL | OM) X(part_project, PARTS)          \
  X(part_begin, ARRAY) X(part_continue, PARTS | SA) X(plan_create, PLAN) X(plan_free, 0) X(plan_workspace, N | OM)                       \
  X(plan_condition, PREDICTION | SI | CO | SA) X(plan_condition_noisy, PREDICTION | SI | CO | SA | NO) X(plan_jitter, N | SA | MI)       \
  X(plan_latent, PROCESS) X(plan_query, PROCESS) X(plan_covariance, PROCESS) X(plan_predict, PREDICTION)                                 \
  X(plan_predict_fields, PREDICTION) X(plan_predict_moments, PREDICTION) X(plan_predict_factors, PREDICTION)                             \
  X(plan_query_factors, PROCESS) X(plan_members, N) X(plan_predict_lawful, PREDICTION | PROJECTION)                                      \
  X(plan_derivative_workspace, N | OM | SA) X(plan_jvp, PREDICTION) X(plan_vjp, PREDICTION) X(plan_regularised, N)                       \
  X(projector_create, N | I | SA | NF | TL | OM) X(projector_free, 0) X(projector_workspace, N | I | OM) X(projector_report, N | I | OM | TL) \
  X(projector_project, PROJECTION) X(projector_project_f64, PROJECTION) X(projector_project_f32, PROJECTION)                             \
  X(projector_residual, PROJECTION) X(projector_check, PROJECTION) X(projector_budget, PROJECTION) X(projector_covariance, PROJECTION)   \
  X(reduction_create, N) X(reduction_free, 0) X(report_slices, N) X(report_value, N | I) X(report_free, 0) X(sum, ARRAY | RE | MI)            \
  X(sum_bins, ARRAY) X(sum_round, N) X(version, N) X(version_string, 0) X(workspace_free, 0)

#define NAME(name, set) #name,
#define NUMBER(name, set) F_##name,
#define SET(name, set) set,
enum { FUNCTIONS(NUMBER) COUNT, STATUSES = 27 };
static const char *const names[COUNT] = {FUNCTIONS(NAME)};
static const int promised[COUNT] = {FUNCTIONS(SET)};

static long counts[COUNT][STATUSES], unlisted[COUNT][STATUSES], errnos[COUNT], findings;
static double slowest[COUNT];
static uint64_t seed;
static long sequence, calls_made;
static int now, tracing;

/* Good calls alone, and the bits of all results by function; how many times a slice of a batch was called alone, and had other bits. */
static int of_bits;
static uint64_t bits[COUNT];
static long alone[COUNT];

static void found(const char *what) {
  printf("found: seed %llu, sequence %ld, call %ld, pcml_%s: %s\n", (unsigned long long)seed, sequence, calls_made, names[now], what);
  findings++;
}

/* Only what a signal handler may do. */
static void died(int number) {
  char text[200];
  int length = snprintf(text, sizeof text, "found: signal %d, seed %llu, sequence %ld, call %ld, pcml_%s\n", number, (unsigned long long)seed,
                        sequence, calls_made, names[now]);
  if (write(1, text, (size_t)length) != length)
    _exit(3);
  signal(number, SIG_DFL);
  raise(number);
}

/* What is called with what, and where it lies in memory: of two runs that differ in the latter the results are the same. */
static uint64_t state, layout_state, layout_seed;

static uint64_t word_of(uint64_t *stream) {
  uint64_t z = (*stream += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static uint64_t word(void) { return word_of(&state); }

static int below(int n) { return (int)(word() % (uint64_t)n); }
static int one_in(int n) { return below(n) == 0; }
static int place_below(int n) { return (int)(word_of(&layout_state) % (uint64_t)n); }
static double uniform(double a, double b) { return a + (b - a) * ((double)(word() >> 11) / 9007199254740992.0); }

/* Whether arguments of the call at hand may be wrong. */
static int hostile;

static const int64_t odd_integers[] = {0, -1, -2, INT64_MIN, INT64_MAX, INT64_MAX - 1, INT64_C(1) << 62, (INT64_C(1) << 61) + 1,
                                       INT64_C(1) << 48, INT64_C(1) << 40, INT64_C(1) << 33};
static const double odd_numbers[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 4.9e-324, -4.9e-324, 1e-310, 1e308, -1e308, 1e-300, -1.0, 1e39, 1e-45,
                                     1.7976931348623157e308, 1e154, -1e-154};
#define ANY(list) (list)[below((int)(sizeof(list) / sizeof *(list)))]

/* A size, a count of a plain array (never more than there is, but where no memory could hold it), a number, a choice. */
static int64_t size(int64_t good) { return hostile && one_in(6) ? ANY(odd_integers) : good; }
static int64_t count(int64_t good) {
  return hostile && one_in(6) ? one_in(4) ? good - 1 - below(3) : odd_integers[below(8)] : good;
}
static double number(double good) { return hostile && one_in(5) ? ANY(odd_numbers) : good; }
static int32_t choice(int32_t good) {
  static const int32_t odd[] = {0, -1, 5, 10, 17, 1000, INT32_MAX, INT32_MIN};
  return hostile && one_in(6) ? ANY(odd) : good;
}

/* The arena. Arrays and places of one call lie one after the other in its middle, so that small steps over an edge stay inside. */
enum { ARENA = 131072, EDGE = 8192, ARRAYS = 48, PLACES = 8 };
static char *arena, shadow[ARENA], arena_before[ARENA], arena_after[ARENA];
static int64_t used;

static pcml_array arrays[ARRAYS];
static pcml_const_array as_const[ARRAYS];
static char arrays_before[sizeof arrays], consts_before[sizeof as_const];
static int array_count, is_output[ARRAYS], is_null[ARRAYS], is_plain[ARRAYS], is_shared[ARRAYS], was_passed[ARRAYS];
static void *places[PLACES];
static int place_count, place_is_handle[PLACES];
/* Most elements of an array whose extents the call itself gives a meaning; 0: other extents are refused. */
static int64_t most;
static const pcml_report *watched_report;
static const pcml_constraints *watched_rows;
static uint64_t report_before;
static int64_t rows_before;

static void arena_create(void) {
  char *pages = mmap(NULL, ARENA + 2 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + 65536, ARENA, PROT_READ | PROT_WRITE) != 0)
    exit(2);
  arena = pages + 65536;
  for (int i = 0; i < ARENA; i += 8) {
    double value = uniform(-1.0, 1.0);
    memcpy(arena + i, &value, 8);
  }
}

static void fresh(int hostility) {
  hostile = below(100) < hostility;
  used = EDGE + 64 * place_below(8);
  array_count = place_count = 0;
  most = 0;
  watched_report = NULL;
  watched_rows = NULL;
}

static void *take(int64_t bytes) {
  used = (used + 7) & ~INT64_C(7);
  if (used + bytes > ARENA - EDGE) {
    printf("the arena is too small for pcml_%s\n", names[now]);
    exit(2);
  }
  void *at = arena + used;
  used += bytes;
  return at;
}

/* A place for one number, or for a handle; holds what no call leaves there. */
static void *place(void) {
  void *at = take(8);
  memset(at, 0x5a, 8);
  place_is_handle[place_count] = 0;
  places[place_count++] = at;
  return hostile && one_in(12) ? NULL : at;
}

static void *handle(void) {
  void *at = place();
  place_is_handle[place_count - 1] = 1;
  return at;
}

/* A place for a message or its length, which a failure clears. */
static void *message_place(void) {
  void *at = place();
  place_is_handle[place_count - 1] = 2;
  return at;
}

enum fill { NICE, POSITIVE, UNIT, RISING, ZERO, LOW, HIGH };

static double filled(enum fill fill, int64_t i) {
  switch (fill) {
  case POSITIVE: return uniform(0.1, 3.0);
  case UNIT: return uniform(0.0, 1.0);
  case RISING: return (double)i + uniform(0.0, 0.5);
  case ZERO: return 0.0;
  case LOW: return one_in(8) ? -INFINITY : uniform(-3.0, 0.0);
  case HIGH: return one_in(8) ? INFINITY : uniform(0.0, 3.0);
  default: return uniform(-1.0, 1.0);
  }
}

static void store(char *at, int32_t dtype, double value) {
  float narrow = (float)value;
  if (dtype == PCML_DTYPE_F32)
    memcpy(at, &narrow, 4);
  else
    memcpy(at, &value, 8);
}

static int64_t elements(const pcml_array *a) {
  int64_t n = 1;
  for (int k = 0; k < a->rank; k++)
    n *= a->shape[k];
  return n;
}

/* The element that comes i-th in C order; of a spoiled array it may lie anywhere. */
static char *element(const pcml_array *a, int64_t i) {
  uint64_t at = (uint64_t)(uintptr_t)a->data;
  for (int k = a->rank; k-- > 0; i /= a->shape[k])
    at += (uint64_t)(i % a->shape[k]) * (uint64_t)a->strides[k] * (a->dtype == PCML_DTYPE_F32 ? 4 : 8);
  return (char *)(uintptr_t)at;
}

/* Axes of extent 1 may come and go, as may the order of axes in memory, gaps and directions. */
static pcml_array *array_of(int rank, const int64_t *shape, enum fill fill, int32_t dtype, int plain) {
  pcml_array *a = &arrays[array_count];
  a->struct_size = (int64_t)sizeof *a;
  a->dtype = dtype;
  a->rank = rank;
  for (int k = 0; k < PCML_MAX_RANK; k++)
    a->shape[k] = a->strides[k] = INT64_MIN;
  int order[PCML_MAX_RANK];
  for (int k = 0; k < rank; k++) {
    order[k] = k;
    a->shape[k] = shape[k];
  }
  if (!plain && place_below(2) == 0)
    for (int k = rank - 1; k > 0; k--) {
      int other = place_below(k + 1), kept = order[k];
      order[k] = order[other];
      order[other] = kept;
    }
  int64_t step = !plain && place_below(4) == 0 ? 1 + place_below(2) : 1, start = 0;
  for (int k = rank; k-- > 0;) {
    int axis = order[k];
    a->strides[axis] = step;
    step *= shape[axis];
    if (!plain && place_below(5) == 0) {
      start += (shape[axis] - 1) * a->strides[axis];
      a->strides[axis] = -a->strides[axis];
    }
  }
  int64_t width = dtype == PCML_DTYPE_F32 ? 4 : 8;
  a->data = (char *)take(step * width) + start * width;
  for (int64_t i = 0; i < elements(a); i++)
    store(element(a, i), dtype, filled(fill, i));
  is_output[array_count] = is_null[array_count] = is_shared[array_count] = was_passed[array_count] = 0;
  is_plain[array_count++] = plain;
  return a;
}

static int32_t any_dtype(void) { return one_in(3) ? PCML_DTYPE_F32 : PCML_DTYPE_F64; }

static pcml_array *array(int rank, const int64_t *shape, enum fill fill) { return array_of(rank, shape, fill, any_dtype(), 0); }

static pcml_array *vector(int64_t n, enum fill fill) { return array(1, (int64_t[]){n}, fill); }

static pcml_array *matrix(int64_t n, int64_t m, enum fill fill) { return array(2, (int64_t[]){n, m}, fill); }

static pcml_array *cube(int64_t n, int64_t m, int64_t l, enum fill fill) { return array(3, (int64_t[]){n, m, l}, fill); }

static pcml_array *output(pcml_array *a) {
  is_output[a - arrays] = 1;
  return a;
}

/* Doubles, floats, integers behind plain pointers. */
static pcml_array *plain(int64_t n, enum fill fill) { return array_of(1, (int64_t[]){n}, fill, PCML_DTYPE_F64, 1); }

static pcml_array *integers(int64_t n, const int64_t *values) {
  pcml_array *a = plain(n, ZERO);
  memcpy(a->data, values, (size_t)n * 8);
  return a;
}

/* What a struct of a report holds behind its struct_size, which is set. */
static void *report_of_calls(int64_t bytes) {
  char *at = take(bytes);
  int64_t struct_size = size(bytes);
  memcpy(at, &struct_size, 8);
  pcml_array *rest = plain(1, ZERO);
  rest->data = at + 8;
  rest->shape[0] = bytes / 8 - 1;
  is_output[rest - arrays] = 1;
  is_plain[rest - arrays] = 2;
  if (one_in(3))
    return NULL;
  was_passed[rest - arrays] = 1;
  return at;
}

__extension__ typedef __int128 wide;

/* Whether a descriptor is refused whatever the call, or lies in the arena; else a caller might not use it. */
static int within_contract(const pcml_array *a) {
  if (a->struct_size != (int64_t)sizeof *a || !a->data || a->dtype < 1 || a->dtype > 2 || a->rank < 1 || a->rank > PCML_MAX_RANK)
    return 1;
  int width = a->dtype == PCML_DTYPE_F32 ? 4 : 8;
  wide low = 0, high = 0, all = 1;
  for (int k = 0; k < a->rank; k++) {
    if (a->shape[k] < 1)
      return 1;
    wide span = (wide)(a->shape[k] - 1) * a->strides[k];
    if (span > INT64_MAX / 8 || span < INT64_MIN / 8)
      return 1;
    span *= width;
    *(span < 0 ? &low : &high) += span;
    all = all > INT64_MAX ? all : all * a->shape[k];
  }
  if ((intptr_t)a->data % width != 0 || high - low > INT64_MAX || all > INT64_MAX / width)
    return 1;
  if (most > 0 && all > most)
    return 0;
  wide at = (char *)a->data - arena;
  return at + low >= 0 && at + high + width <= ARENA;
}

static void spoil_one(void) {
  int k = below(array_count);
  if (is_plain[k] == 2)
    return;
  pcml_array *a = &arrays[k], kept = *a;
  int kind = below(is_plain[k] ? 5 : 16), axis = below(a->rank > 0 && a->rank <= PCML_MAX_RANK ? a->rank : 1);
  switch (kind) {
  case 0: is_null[k] = 1; return;
  case 1: case 2: case 3: {
    int64_t n = a->dtype >= 1 && a->dtype <= 2 && a->rank >= 1 && a->rank <= PCML_MAX_RANK;
    for (int i = 0; n > 0 && i < a->rank; i++)
      n = a->shape[i] < 1 || a->shape[i] > 4096 ? 0 : n * a->shape[i] > 65536 ? 0 : n * a->shape[i];
    if (n > 0) {
      char *to = element(a, below((int)n));
      if ((uintptr_t)to - (uintptr_t)arena <= ARENA - 8 && (uintptr_t)to % 4 == 0)
        store(to, a->dtype, ANY(odd_numbers));
    }
    return;
  }
  case 4: a->data = (char *)a->data + 1 + below(3); break;
  case 5: a->struct_size = ANY(odd_integers); break;
  case 6: a->data = NULL; break;
  case 7: a->dtype = choice(3); break;
  case 8: a->dtype = a->dtype == PCML_DTYPE_F32 ? PCML_DTYPE_F64 : PCML_DTYPE_F32; break;
  case 9: a->rank = one_in(2) ? choice(9) : 1 + below(PCML_MAX_RANK); break;
  case 10: a->shape[axis] = one_in(2) ? (int64_t)((uint64_t)a->shape[axis] + (uint64_t)below(5) - 2) : ANY(odd_integers); break;
  case 11: a->strides[axis] = one_in(2) ? below(5) - 2 : ANY(odd_integers); break;
  case 12: case 13: a->data = (char *)arrays[below(array_count)].data + 4 * below(6); break;
  case 14:
    if (a->rank >= 1 && a->rank < PCML_MAX_RANK) {
      a->shape[a->rank] = 1 + below(2);
      a->strides[a->rank++] = ANY(odd_integers);
    }
    break;
  default:
    if (a->rank == 2) {
      int64_t n = a->shape[0];
      a->shape[0] = a->shape[1];
      a->shape[1] = n;
    }
  }
  if (!within_contract(a))
    *a = kept;
}

static void mix(uint64_t *bits, uint64_t more) { *bits = (*bits << 1 | *bits >> 63) ^ more; }

static uint64_t bits_of_slice(const pcml_report *report, int64_t s) {
  uint64_t all = 0, one;
  for (int64_t row = 0; row < 3; row++)
    for (int item = 1; item <= 15; item++) {
      double value;
      if (pcml_report_value(report, item, s, row, &value) == PCML_STATUS_OK) {
        memcpy(&one, &value, 8);
        mix(&all, one);
      }
    }
  return all;
}

static uint64_t bits_of(const pcml_report *report) {
  int64_t slices = 0;
  uint64_t all = 0;
  if (pcml_report_slices(report, &slices) != PCML_STATUS_OK)
    return 0;
  for (int64_t s = 0; s < slices; s++)
    mix(&all, bits_of_slice(report, s) ^ (uint64_t)slices);
  return all;
}

/* What surrounds a call: taken when all its arguments are there. */
static unsigned control;
static struct timespec started;

static unsigned float_control(void) {
#ifdef __x86_64__
  unsigned short x87;
  __asm__ volatile("fnstcw %0" : "=m"(x87));
  return (_mm_getcsr() & ~0x3fu) << 16 | x87;
#else
  return (unsigned)fegetround();
#endif
}

static void ready(void) {
  if (hostile && array_count > 0)
    for (int n = below(3); n >= 0; n--)
      spoil_one();
  for (int k = 0; k < array_count; k++) {
    memcpy(&as_const[k], &arrays[k], sizeof as_const[k]);
    was_passed[k] &= is_plain[k] == 2;
  }
  memcpy(arrays_before, arrays, sizeof arrays);
  memcpy(consts_before, as_const, sizeof as_const);
  memcpy(shadow, arena, ARENA);
  memcpy(arena_before, arena, ARENA);
  control = float_control();
  clock_gettime(CLOCK_MONOTONIC, &started);
  errno = 0;
}

/* Arguments of the call: descriptors to read and to write (NULL where there is none), plain pointers. */
static const pcml_const_array *R(const pcml_array *a) { return a && !is_null[a - arrays] ? &as_const[a - arrays] : NULL; }

static const pcml_array *W(const pcml_array *a) {
  if (!a || is_null[a - arrays])
    return NULL;
  was_passed[a - arrays] = 1;
  return a;
}

static void *P(const pcml_array *a) {
  if (!a || is_null[a - arrays])
    return NULL;
  was_passed[a - arrays] = 1;
  return a->data;
}

/* Whether a result of that many arrays, in a list, may be written. */
static const pcml_array *W_all(const pcml_array *a, int64_t n) {
  a = W(a);
  for (int64_t k = 1; k < n && a; k++)
    was_passed[a - arrays + k] = 1;
  return a;
}

static void differences(int32_t status) {
  long after_errno = errno;
  struct timespec ended;
  clock_gettime(CLOCK_MONOTONIC, &ended);
  double took = (double)(ended.tv_sec - started.tv_sec) + 1e-9 * (double)(ended.tv_nsec - started.tv_nsec);
  slowest[now] = took > slowest[now] ? took : slowest[now];
  errnos[now] += after_errno != 0;
  if (float_control() != control)
    found("the floating-point control words have changed");
  if (memcmp(arrays_before, arrays, sizeof arrays) != 0 || memcmp(consts_before, as_const, sizeof as_const) != 0)
    found("a descriptor has changed");
  for (int k = 0; k < place_count; k++) {
    int64_t at = (char *)places[k] - arena;
    void *value;
    memcpy(&value, arena + at, sizeof value);
    int untouched = memcmp(arena + at, shadow + at, 8) == 0;
    if (place_is_handle[k]) {
      if (!untouched && place_is_handle[k] == 1 && (status == PCML_STATUS_OK) != (value != NULL))
        found(value ? "a failure left a handle behind" : "a success left no handle behind");
      if (place_is_handle[k] == 2 && status != PCML_STATUS_OK && !untouched && value != NULL)
        found("a failure left a message behind");
      memcpy(shadow + at, arena + at, 8);
    } else if (status == PCML_STATUS_OK)
      memcpy(shadow + at, arena + at, 8);
  }
  if (status == PCML_STATUS_OK)
    for (int k = 0; k < array_count; k++)
      if (is_output[k] && was_passed[k])
        for (int64_t i = 0; i < elements(&arrays[k]); i++) {
          char *at = element(&arrays[k], i);
          if (at < arena || at >= arena + ARENA) {
            found("a success with a result that has no place");
            break;
          }
          memcpy(shadow + (at - arena), at, arrays[k].dtype == PCML_DTYPE_F32 ? 4 : 8);
        }
  /* A panic comes in the middle of a call. */
  if (memcmp(arena, shadow, ARENA) != 0)
    found(status == PCML_STATUS_OK ? "memory beside the results has changed" : "a failure changed the caller's memory");
}

/* The results of a call, in the order of their indices wherever they lie. */
static void keep_bits(int32_t status) {
  mix(&bits[now], (uint64_t)status);
  if (status != PCML_STATUS_OK)
    return;
  uint64_t value = 0;
  for (int k = 0; k < array_count; k++)
    for (int64_t i = 0; is_output[k] && was_passed[k] && i < elements(&arrays[k]); i++) {
      value = 0;
      memcpy(&value, element(&arrays[k], i), arrays[k].dtype == PCML_DTYPE_F32 ? 4 : 8);
      mix(&bits[now], value);
    }
  for (int k = 0; k < place_count; k++)
    if (!place_is_handle[k]) {
      memcpy(&value, places[k], 8);
      mix(&bits[now], value);
    }
  if (watched_report)
    mix(&bits[now], bits_of(watched_report));
}

static int32_t judged(int32_t status) {
  differences(status);
  if (of_bits)
    keep_bits(status);
  calls_made++;
  char text[512] = "";
  int64_t length = 0;
  if (status < 0 || status >= STATUSES)
    found("a status that is none");
  else
    counts[now][status]++;
  if (status != PCML_STATUS_OK) {
    char name[64];
    int begins = snprintf(name, sizeof name, "pcml_%s: ", names[now]);
    if (pcml_error_message(text, sizeof text, &length) != PCML_STATUS_OK || length <= begins || strncmp(text, name, (size_t)begins) != 0)
      found("a failure without its text");
    if (strchr(text, '\n'))
      found("a text of two lines");
    /* Sums that no parts have may tell any refusal of another part. */
    if (status > 0 && status < STATUSES && !((promised[now] | HA | ST) >> status & 1) && unlisted[now][status]++ == 0 &&
        !strstr(text, ": another part of the field was refused with ")) {
      char what[640];
      snprintf(what, sizeof what, "%s, which the header does not list: %s", pcml_status_name(status), text);
      found(what);
    }
    if (watched_report && bits_of(watched_report) != report_before)
      found("a failure changed the report");
    int64_t rows = 0;
    if (watched_rows && pcml_constraints_rows(watched_rows, &rows) == PCML_STATUS_OK && rows != rows_before)
      found("a failure changed the constraints");
  }
  if (tracing)
    printf("%ld %ld pcml_%s: %s\n", sequence, calls_made, names[now], status ? text : "ok");
  return status;
}

/* The number of the slice, from 1, that is called alone. */
static int64_t lone;

/* Every array of the call becomes its k-th slice; memory is as it was before the call of all. */
static uint64_t report_of_all[8];

static int begin_alone(int32_t status, int64_t k, int64_t n) {
  if (!of_bits || status != PCML_STATUS_OK || n < 2)
    return 0;
  if (k == 0) {
    memcpy(arena_after, arena, ARENA);
    for (int64_t s = 0; s < n && s < 8; s++)
      report_of_all[s] = watched_report ? bits_of_slice(watched_report, s) : 0;
  }
  memcpy(arrays, arrays_before, sizeof arrays);
  memcpy(arena, k < n ? arena_before : arena_after, ARENA);
  for (int a = 0; a < array_count; a++) {
    int64_t width = arrays[a].dtype == PCML_DTYPE_F32 ? 4 : 8, *extent = arrays[a].shape;
    if (k == n || is_shared[a] || is_plain[a] == 2)
      continue;
    if (is_plain[a] && extent[0] % n == 0) {
      extent[0] /= n;
      arrays[a].data = (char *)arrays[a].data + k * extent[0] * width;
    } else if (arrays[a].rank > 1 && extent[0] == n) {
      extent[0] = 1;
      arrays[a].data = (char *)arrays[a].data + k * arrays[a].strides[0] * width;
    }
  }
  for (int a = 0; a < array_count; a++)
    memcpy(&as_const[a], &arrays[a], sizeof as_const[a]);
  lone = k < n ? k + 1 : 0;
  return lone > 0;
}

static void end_alone(int32_t status, int64_t k) {
  alone[now]++;
  if (status != PCML_STATUS_OK) {
    char text[320], what[400];
    pcml_error_message(text, sizeof text, NULL);
    snprintf(what, sizeof what, "slice %ld alone is refused: %s", (long)k, text);
    found(what);
  }
  if (status == PCML_STATUS_OK && watched_report && k < 8 && bits_of_slice(watched_report, 0) != report_of_all[k])
    found("another report of a slice alone");
  for (int a = 0; status == PCML_STATUS_OK && a < array_count; a++)
    for (int64_t i = 0; is_output[a] && was_passed[a] && i < elements(&arrays[a]); i++) {
      char *at = element(&arrays[a], i);
      if (memcmp(at, arena_after + (at - arena), arrays[a].dtype == PCML_DTYPE_F32 ? 4 : 8) != 0) {
        char what[80];
        snprintf(what, sizeof what, "other bits of slice %ld alone, array %d, element %ld", (long)k, a, (long)i);
        found(what);
        break;
      }
    }
}

#define CALL(name, ...) (now = F_##name, ready(), judged(pcml_##name(__VA_ARGS__)))
/* A call of n slices, and then of each of them alone, with the bits that it had among the others. */
#define CALL_EACH(n, name, ...)                                     \
  do {                                                              \
    int32_t status_of_all = CALL(name, __VA_ARGS__);                \
    for (int64_t k_ = 0, n_ = (n); begin_alone(status_of_all, k_, n_); k_++) \
      end_alone(pcml_##name(__VA_ARGS__), k_);                      \
  } while (0)
#define FREE(name, object) (now = F_##name, ready(), pcml_##name(object), differences(PCML_STATUS_INVALID_ARGUMENT), counts[now][0]++, calls_made++)

#endif
