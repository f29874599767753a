/* No memory: every call that may allocate, with the k-th of its requests refused, for all k, in processes of their own.

       failures <source tree> [--stays] [--list] [--short]

   What may come of it: success all the same; PCML_STATUS_OUT_OF_MEMORY or another status, with a text, no handle, as many blocks as
   before and the same call good afterwards. Anything else is wrong, the end of the process too, but where the threads of a plan start:
   Rust's standard library takes what a thread needs from the system itself. Calls on large objects, whose names say so, have the k-th of
   those requests refused that are beyond what the library's reserve serves. --stays refuses all later requests as well, --list tells
   each k, --short takes fewer of the many. Exits with 1 when something is wrong. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pcml.h>

#include "heap.h"

/* Every call: a name, and what is done. Objects that are made before are named by what they are; `slot` receives a new one. */
#define CALLS(X)                                                                                                                         \
  X(options_create, pcml_options_create((pcml_options **)&slot))                                                                         \
  X(options_set_shape, pcml_options_set_shape(options, 2, shape))                                                                        \
  X(options_set_length_scales, pcml_options_set_length_scales(options, 1, ones))                                                         \
  X(options_set_means, pcml_options_set_means(options, 1, ones))                                                                         \
  X(options_set_boundary, pcml_options_set_boundary(other_options, boundary))                                                            \
  X(boundary_create, pcml_boundary_create((pcml_boundary **)&slot))                                                                      \
  X(boundary_add_face, pcml_boundary_add_face(boundary, 0, 1, PCML_BOUNDARY_KIND_NEUMANN, ones, 3, 0.1))                                 \
  X(constraints_create, pcml_constraints_create(N, (pcml_constraints **)&slot))                                                          \
  X(constraints_add_quadrature, pcml_constraints_add_quadrature(rows, PCML_RULE_SIMPSON, &rising, 0.0))                                  \
  X(constraints_add_row, pcml_constraints_add_row(rows, &weights, 0.0))                                                                  \
  X(constraints_add_absent_row, pcml_constraints_add_absent_row(rows, 0.0))                                                              \
  X(constraints_add_grid_quadrature, pcml_constraints_add_grid_quadrature(rows, PCML_RULE_TRAPEZOID, axes, 2, 0, 0.0))                   \
  X(constraints_add_sparse_rows, pcml_constraints_add_sparse_rows(rows, 2, starts, cells, ones, NULL))                                   \
  X(constraints_add_boundary, pcml_constraints_add_boundary(rows, axes, 2, 0, sides, 0, 1.0, 1.0, 2, 0.0))                               \
  X(constraints_add_periodic, pcml_constraints_add_periodic(rows, shape, 2, 0, 0, 0.0))                                                  \
  X(constraints_add_stencils, pcml_constraints_add_stencils(rows, 2, 2, cells, ones, 0, 0.0))                                            \
  X(constraints_add_quadratic, pcml_constraints_add_quadratic(rows, 4, cells, cells, ones))                                              \
  X(constraints_add_energy, pcml_constraints_add_energy(rows, &weights))                                                                 \
  X(constraints_add_simplex, pcml_constraints_add_simplex(rows, 0, 2, N / 2, 1.0))                                                       \
  X(constraints_add_monotone, pcml_constraints_add_monotone(rows, 0, N, PCML_DIRECTION_INCREASING))                                      \
  X(projector_create, pcml_projector_create(law, PCML_PRIOR_DIAGONAL, NULL, (pcml_projector **)&slot))                                   \
  X(projector_create_banded, pcml_projector_create(law, PCML_PRIOR_COVARIANCE_BAND, options, (pcml_projector **)&slot))                  \
  X(projector_create_dense, pcml_projector_create(law, PCML_PRIOR_DENSE, NULL, (pcml_projector **)&slot))                                \
  X(projector_create_invariant, pcml_projector_create(invariant, PCML_PRIOR_DIAGONAL, NULL, (pcml_projector **)&slot))                   \
  X(projector_workspace, pcml_projector_workspace(projector, 2, (pcml_workspace **)&slot))                                               \
  X(projector_workspace_dense, pcml_projector_workspace(dense, 2, (pcml_workspace **)&slot))                                             \
  X(projector_report, pcml_projector_report(projector, 2, (pcml_report **)&slot))                                                        \
  X(bounded_workspace, pcml_bounded_workspace(projector, 2, (pcml_workspace **)&slot))                                                   \
  X(nonlinear_workspace, pcml_nonlinear_workspace(nonlinear, 2, (pcml_workspace **)&slot))                                               \
  X(inference_workspace, pcml_inference_workspace(projector, 2, (pcml_workspace **)&slot))                                               \
  X(inference_workspace_dense, pcml_inference_workspace(dense, 2, (pcml_workspace **)&slot))                                             \
  X(part_workspace, pcml_part_workspace(projector, (pcml_workspace **)&slot))                                                            \
  X(reduction_create, pcml_reduction_create(reduce, NULL, (pcml_reduction **)&slot))                                                     \
  X(flux_create, pcml_flux_create(N, left, right, &volumes, NULL, (pcml_flux **)&slot))                                                  \
  X(flux_create_gradients, pcml_flux_create(N, left, right, &volumes, iterative, (pcml_flux **)&slot))                                   \
  X(flux_workspace, pcml_flux_workspace(mesh, (pcml_workspace **)&slot))                                                                 \
  X(flux_workspace_gradients, pcml_flux_workspace(other_mesh, (pcml_workspace **)&slot))                                                 \
  X(model_load, pcml_model_load(paths[MLP], (pcml_model **)&slot))                                                                       \
  X(model_load_bytes_mlp, load(MLP))                                                                                                     \
  X(model_load_bytes_ensemble, load(ENSEMBLE))                                                                                           \
  X(model_load_bytes_anp, load(ANP))                                                                                                     \
  X(model_load_bytes_deeponet, load(DEEPONET))                                                                                           \
  X(model_load_bytes_fno2, load(FNO))                                                                                                    \
  X(model_load_bytes_boon2, load(BOON))                                                                                                  \
  X(model_load_bytes_gp, load(GP))                                                                                                       \
  X(model_gaussian_process, pcml_model_gaussian_process(PCML_KERNEL_RBF, 1, 1, options, (pcml_model **)&slot))                           \
  X(model_ensemble, pcml_model_ensemble(members, 2, (pcml_model **)&slot))                                                               \
  X(model_fit, pcml_model_fit(models[GP], &points, &values, NULL, other_options, (pcml_model **)&slot, NULL))                            \
  X(plan_create_mlp, plan(MLP))                                                                                                          \
  X(plan_create_ensemble, plan(ENSEMBLE))                                                                                                \
  X(plan_create_anp, plan(ANP))                                                                                                          \
  X(plan_create_deeponet, plan(DEEPONET))                                                                                                \
  X(plan_create_fno2, plan(FNO))                                                                                                         \
  X(plan_create_boon2, plan(BOON))                                                                                                       \
  X(plan_create_gp, plan(GP))                                                                                                            \
  X(plan_create_threads, pcml_plan_create(models[FNO], PCML_DTYPE_F64, with_threads, (pcml_plan **)&slot))                               \
  X(plan_workspace_mlp, workspace(MLP))                                                                                                  \
  X(plan_workspace_ensemble, workspace(ENSEMBLE))                                                                                        \
  X(plan_workspace_anp, workspace(ANP))                                                                                                  \
  X(plan_workspace_deeponet, workspace(DEEPONET))                                                                                        \
  X(plan_workspace_fno2, workspace(FNO))                                                                                                 \
  X(plan_workspace_boon2, workspace(BOON))                                                                                               \
  X(plan_workspace_gp, workspace(GP))                                                                                                    \
  X(plan_derivative_workspace, pcml_plan_derivative_workspace(plans[BOON], (pcml_workspace **)&slot))                                    \
  X(operator_part_create, pcml_operator_part_create(models[FNO], PCML_DTYPE_F64, options, 32, owned, 2, (pcml_operator_part **)&slot))   \
  X(operator_part_workspace, pcml_operator_part_workspace(part, (pcml_workspace **)&slot))                                               \
  X(large_constraints_add_row, pcml_constraints_add_row(large_rows, &large_weights, 0.0))                                                 \
  X(large_constraints_add_stencils, pcml_constraints_add_stencils(large_rows, LARGE, 1, large_cells, ones, 1, 0.0))                       \
  X(large_constraints_add_energy, pcml_constraints_add_energy(large_rows, &large_weights))                                                \
  X(large_constraints_add_quadratic, pcml_constraints_add_quadratic(large_rows, LARGE, large_cells, large_cells, large_values))           \
  X(large_projector_create, pcml_projector_create(large_law, PCML_PRIOR_DIAGONAL, NULL, (pcml_projector **)&slot))                        \
  X(large_projector_create_runs, pcml_projector_create(large_runs, PCML_PRIOR_SCALAR, NULL, (pcml_projector **)&slot))                    \
  X(large_projector_create_sets, pcml_projector_create(large_sets, PCML_PRIOR_DIAGONAL, NULL, (pcml_projector **)&slot))                  \
  X(large_projector_create_banded, pcml_projector_create(large_runs, PCML_PRIOR_COVARIANCE_BAND, options, (pcml_projector **)&slot))      \
  X(large_projector_create_invariant, pcml_projector_create(large_invariant, PCML_PRIOR_DIAGONAL, NULL, (pcml_projector **)&slot))        \
  X(large_projector_workspace, pcml_projector_workspace(large_projector, 1, (pcml_workspace **)&slot))                                    \
  X(large_projector_report, pcml_projector_report(large_projector, 1, (pcml_report **)&slot))                                             \
  X(large_bounded_workspace, pcml_bounded_workspace(large_projector, 1, (pcml_workspace **)&slot))                                        \
  X(large_nonlinear_workspace, pcml_nonlinear_workspace(large_nonlinear, 1, (pcml_workspace **)&slot))                                    \
  X(large_inference_workspace, pcml_inference_workspace(large_projector, 1, (pcml_workspace **)&slot))                                    \
  X(large_flux_create, pcml_flux_create(LARGE, large_left, large_right, &large_weights, NULL, (pcml_flux **)&slot))                       \
  X(large_flux_create_gradients, pcml_flux_create(LARGE, large_left, large_right, &large_weights, iterative, (pcml_flux **)&slot))        \
  X(large_flux_workspace, pcml_flux_workspace(large_mesh, (pcml_workspace **)&slot))                                                      \
  X(large_flux_workspace_gradients, pcml_flux_workspace(other_large_mesh, (pcml_workspace **)&slot))                                      \
  X(large_plan_create_mlp, large_plan(MLP))                                                                                               \
  X(large_plan_create_ensemble, large_plan(ENSEMBLE))                                                                                     \
  X(large_plan_create_anp, large_plan(ANP))                                                                                               \
  X(large_plan_create_deeponet, large_plan(DEEPONET))                                                                                     \
  X(large_plan_create_fno2, large_plan(FNO))                                                                                              \
  X(large_plan_create_boon2, large_plan(BOON))                                                                                            \
  X(large_plan_create_gp, large_plan(GP))                                                                                                 \
  X(large_plan_workspace_mlp, large_workspace(MLP))                                                                                       \
  X(large_plan_workspace_ensemble, large_workspace(ENSEMBLE))                                                                             \
  X(large_plan_workspace_anp, large_workspace(ANP))                                                                                       \
  X(large_plan_workspace_deeponet, large_workspace(DEEPONET))                                                                             \
  X(large_plan_workspace_fno2, large_workspace(FNO))                                                                                      \
  X(large_plan_workspace_boon2, large_workspace(BOON))                                                                                    \
  X(large_plan_workspace_gp, large_workspace(GP))                                                                                         \
  X(large_plan_derivative_workspace, pcml_plan_derivative_workspace(large_plans[BOON], (pcml_workspace **)&slot))                         \
  X(large_operator_part_create_fno2, large_part_of(FNO))                                                                                  \
  X(large_operator_part_create_boon2, large_part_of(BOON))                                                                                \
  X(large_operator_part_workspace, pcml_operator_part_workspace(large_part, (pcml_workspace **)&slot))                                    \
  X(a_refusal, pcml_version(NULL, NULL, NULL))                                                                                           \
  X(a_refused_model, pcml_model_load_bytes("not a model", 11, (pcml_model **)&slot))

enum { N = 8, LARGE = 100000, LINES = 40000, RESERVED = 1 << 18 };
enum { MLP = 0, ENSEMBLE, ANP, DEEPONET, FNO, BOON, GP, MODELS };
static const char *const files[MODELS] = {"mlp", "mlp-ensemble", "anp", "deeponet", "fno2", "boon2-exact", "gp"};
static char paths[MODELS][512], *bytes[MODELS];
static int64_t sizes[MODELS];

static void *slot;
static pcml_options *options, *other_options, *iterative, *with_threads;
static pcml_boundary *boundary;
static pcml_constraints *rows, *law, *invariant;
static pcml_projector *projector, *dense, *nonlinear;
static pcml_flux *mesh, *other_mesh;
static pcml_model *models[MODELS];
static const pcml_model *members[2];
static pcml_plan *plans[MODELS];
static pcml_operator_part *part;
static pcml_options *large_options, *large_batches;
static pcml_constraints *large_rows, *large_law, *large_runs, *large_sets, *large_invariant;
static pcml_projector *large_projector, *large_nonlinear;
static pcml_flux *large_mesh, *other_large_mesh;
static pcml_plan *large_plans[MODELS];
static pcml_operator_part *large_part;
static const int64_t shape[2] = {N, N}, starts[3] = {0, 2, 4}, cells[4] = {0, 1, 1, 2}, owned[2] = {0, 1};
static const int32_t sides[2] = {-1, 0};
static int64_t left[N], right[N];
static int64_t large_left[LARGE], large_right[LARGE], large_cells[LARGE], large_owned[LINES];
static double ones[N * N], steps[N], large_values[LARGE];
static const int64_t large_shape[2] = {LINES, 4};
static pcml_const_array large_weights, run;
static pcml_const_array weights, volumes, rising, axes[2], points, values;

static int32_t reduce(void *context, int64_t *sums, int64_t count) {
  (void)context;
  (void)sums;
  return count < 0;
}

static int32_t load(int k) { return pcml_model_load_bytes(bytes[k], sizes[k], (pcml_model **)&slot); }

static int32_t plan(int k) { return pcml_plan_create(models[k], PCML_DTYPE_F64, options, (pcml_plan **)&slot); }

static int32_t workspace(int k) { return pcml_plan_workspace(plans[k], (pcml_workspace **)&slot); }

static int32_t large_plan(int k) {
  const pcml_options *of = k == MLP || k == ENSEMBLE ? large_batches : large_options;
  return pcml_plan_create(models[k], PCML_DTYPE_F64, of, (pcml_plan **)&slot);
}

static int32_t large_workspace(int k) { return pcml_plan_workspace(large_plans[k], (pcml_workspace **)&slot); }

static int32_t large_part_of(int k) {
  return pcml_operator_part_create(models[k], PCML_DTYPE_F64, large_options, 4, large_owned, LINES, (pcml_operator_part **)&slot);
}

#define DO(name, call) \
  static int32_t do_##name(void) { return call; }
CALLS(DO)
#define ENTRY(name, call) {#name, do_##name},
static const struct {
  const char *name;
  int32_t (*call)(void);
} calls[] = {CALLS(ENTRY)};

static void check(int32_t status) {
  char text[512];
  if (status != PCML_STATUS_OK) {
    pcml_error_message(text, sizeof text, NULL);
    fprintf(stderr, "%s\n", text);
    exit(2);
  }
}

static pcml_const_array array(const double *data, int64_t n, int64_t m) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 2, {n, m}, {m, 1}};
  return a;
}

/* Objects with sizes of some 100,000, which ask for more at once than the reserve of the library serves. */
static void make_large_objects(void) {
  for (int k = 0; k < LARGE; k++) {
    large_values[k] = 1.0 + 0.001 * k;
    large_cells[k] = large_left[k] = k;
    large_right[k] = k + 1 < LARGE ? k + 1 : -1;
  }
  for (int k = 0; k < LINES; k++)
    large_owned[k] = k;
  large_weights = array(large_values, 1, LARGE);
  run = array(large_values, 1, 20);
  pcml_constraints **const all[] = {&large_rows, &large_law, &large_runs, &large_sets, &large_invariant};
  for (int k = 0; k < 5; k++)
    check(pcml_constraints_create(LARGE, all[k]));
  check(pcml_constraints_add_stencils(large_law, LARGE, 1, large_cells, ones, 1, 0.0));
  check(pcml_constraints_add_row(large_law, &large_weights, 0.0));
  for (int k = 0; k < LARGE / 20; k++) {
    check(pcml_constraints_add_grid_quadrature(large_runs, PCML_RULE_TRAPEZOID, &run, 1, 20 * k, 0.0));
    check(pcml_constraints_add_monotone(large_sets, 20 * k, 10, PCML_DIRECTION_INCREASING));
    check(pcml_constraints_add_simplex(large_sets, 20 * k + 10, 2, 5, 1.0));
  }
  check(pcml_constraints_add_row(large_sets, &large_weights, 0.0));
  check(pcml_constraints_add_row(large_invariant, &large_weights, 0.0));
  check(pcml_constraints_add_energy(large_invariant, &large_weights));
  check(pcml_projector_create(large_law, PCML_PRIOR_DIAGONAL, NULL, &large_projector));
  check(pcml_projector_create(large_invariant, PCML_PRIOR_DIAGONAL, NULL, &large_nonlinear));
  check(pcml_flux_create(LARGE, large_left, large_right, &large_weights, NULL, &large_mesh));
  check(pcml_flux_create(LARGE, large_left, large_right, &large_weights, iterative, &other_large_mesh));
  check(pcml_options_create(&large_options));
  check(pcml_options_set_shape(large_options, 2, large_shape));
  check(pcml_options_set_context(large_options, 4));
  check(pcml_options_set_targets(large_options, LARGE));
  check(pcml_options_create(&large_batches));
  check(pcml_options_set_batch(large_batches, LARGE));
  for (int k = 0; k < MODELS; k++) {
    check(large_plan(k));
    large_plans[k] = slot;
  }
  check(large_part_of(BOON));
  large_part = slot;
}

static void make_objects(const char *tree) {
  for (int k = 0; k < N * N; k++)
    ones[k] = 1.0 + 0.01 * k * k;
  for (int k = 0; k < N; k++) {
    steps[k] = k;
    left[k] = k;
    right[k] = k + 1 < N ? k + 1 : -1;
  }
  weights = array(ones, 1, N * N);
  rising = array(ones, 1, N * N);
  axes[0] = axes[1] = array(steps, 1, N);
  points = array(ones, 4, 2);
  values = array(ones + 8, 4, 2);
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, 1));
  check(pcml_options_set_context(options, 4));
  check(pcml_options_set_targets(options, 4));
  check(pcml_options_set_shape(options, 2, shape));
  check(pcml_options_set_length_scales(options, 1, ones));
  check(pcml_options_set_prior_size(options, 1));
  check(pcml_options_create(&other_options));
  check(pcml_options_set_restarts(other_options, 1));
  check(pcml_options_create(&iterative));
  check(pcml_options_set_direct_cells(iterative, 0));
  check(pcml_options_create(&with_threads));
  check(pcml_options_set_shape(with_threads, 2, shape));
  check(pcml_options_set_threads(with_threads, 2));
  check(pcml_boundary_create(&boundary));
  check(pcml_boundary_add_face(boundary, 0, -1, PCML_BOUNDARY_KIND_NEUMANN, ones, 3, 0.1));
  check(pcml_constraints_create(N * N, &rows));
  check(pcml_constraints_create(N * N, &law));
  check(pcml_constraints_add_row(law, &weights, 0.0));
  check(pcml_constraints_create(N * N, &invariant));
  check(pcml_constraints_add_row(invariant, &weights, 0.0));
  check(pcml_constraints_add_energy(invariant, &weights));
  check(pcml_projector_create(law, PCML_PRIOR_DIAGONAL, NULL, &projector));
  check(pcml_projector_create(law, PCML_PRIOR_DENSE, NULL, &dense));
  check(pcml_projector_create(invariant, PCML_PRIOR_DIAGONAL, NULL, &nonlinear));
  volumes = array(ones, 1, N);
  check(pcml_flux_create(N, left, right, &volumes, NULL, &mesh));
  check(pcml_flux_create(N, left, right, &volumes, iterative, &other_mesh));
  for (int k = 0; k < MODELS; k++) {
    snprintf(paths[k], sizeof paths[k], "%s/fuzz/corpus/model_file/seed-%s.safetensors", tree, files[k]);
    FILE *f = fopen(paths[k], "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
      exit(2);
    sizes[k] = ftell(f);
    bytes[k] = malloc((size_t)sizes[k]);
    rewind(f);
    if (fread(bytes[k], 1, (size_t)sizes[k], f) != (size_t)sizes[k])
      exit(2);
    fclose(f);
    check(pcml_model_load(paths[k], &models[k]));
    check(pcml_plan_create(models[k], PCML_DTYPE_F64, options, &plans[k]));
  }
  members[0] = members[1] = models[MLP];
  check(pcml_operator_part_create(models[FNO], PCML_DTYPE_F64, options, 32, owned, 2, &part));
  make_large_objects();
}

/* What comes of one refused request: a status, or one of these. */
enum { UNTOUCHED = 60, CARRIED_ON, ENDED, NO_TEXT = 70, A_HANDLE, BLOCKS_LEFT, BAD_AFTERWARDS };

/* The end of the process is caught, and what it had in hand is lost. */
static sigjmp_buf before_the_end;

static void ended(int number) { siglongjmp(before_the_end, number); }

static int grows(int k) { return strstr(calls[k].name, "_add_") || strstr(calls[k].name, "_set_"); }

/* Calls that leave blocks: the system keeps what belongs to a stack of a thread, and the first derivative makes what its plan keeps. */
static int keeps(int k) { return grows(k) || strstr(calls[k].name, "threads") || strstr(calls[k].name, "derivative"); }

static int in_child(int k, long fuse, int stays) {
  char text[600];
  int64_t length = 0;
  long before = atomic_load(&heap_blocks);
  slot = NULL;
  heap_refused = 0;
  if (sigsetjmp(before_the_end, 1) != 0) {
    heap_fuse = -1;
    return ENDED;
  }
  heap_stays = stays;
  heap_least = strncmp(calls[k].name, "large_", 6) == 0 ? RESERVED + 1 : 0;
  heap_fuse = fuse;
  int32_t status = calls[k].call();
  heap_fuse = -1;
  if (heap_refused == 0)
    return UNTOUCHED;
  if (status == PCML_STATUS_OK)
    return CARRIED_ON;
  if (pcml_error_message(text, sizeof text, &length) != PCML_STATUS_OK || length == 0)
    return NO_TEXT;
  if (slot)
    return A_HANDLE;
  /* Objects that grow may keep room that they asked for. */
  if (atomic_load(&heap_blocks) != before && !keeps(k))
    return BLOCKS_LEFT;
  int32_t again = calls[k].call();
  return again == PCML_STATUS_OK || strncmp(calls[k].name, "a_", 2) == 0 ? status : BAD_AFTERWARDS;
}

static const char *told(int outcome) {
  switch (outcome) {
  case CARRIED_ON: return "success";
  case NO_TEXT: return "WRONG: no text";
  case A_HANDLE: return "WRONG: a handle after a failure";
  case BLOCKS_LEFT: return "WRONG: blocks are left";
  case BAD_AFTERWARDS: return "WRONG: the same call fails afterwards";
  case ENDED: return "the process ends";
  default: return outcome > 0 ? pcml_status_name(outcome) : "WRONG: another signal";
  }
}

int main(int argc, char **argv) {
  int stays = 0, list = 0, brief = 0;
  for (int k = 2; k < argc; k++) {
    stays |= strcmp(argv[k], "--stays") == 0;
    list |= strcmp(argv[k], "--list") == 0;
    brief |= strcmp(argv[k], "--short") == 0;
  }
  if (argc < 2) {
    fprintf(stderr, "usage: failures <source tree> [--stays] [--list] [--short]\n");
    return 2;
  }
  /* The end of a process is quicker without. */
  setenv("RUST_BACKTRACE", "0", 1);
  make_objects(argv[1]);
  /* The text of a thread has its room before. */
  char path[500];
  memset(path, 'n', sizeof path);
  path[sizeof path - 1] = 0;
  pcml_model *none;
  if (pcml_model_load(path, &none) == PCML_STATUS_OK)
    return 2;
  int wrong = 0;
  enum { MOST = 100000 };
  int *outcomes = mmap(NULL, MOST * sizeof *outcomes + sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (outcomes == MAP_FAILED)
    return 2;
  long *told_to = (long *)(outcomes + MOST);
  long all[3] = {0};
  printf("%-34s %8s %8s %8s %8s\n", "call", "requests", "refused", "ended", "success");
  for (size_t f = 0; f < sizeof calls / sizeof *calls; f++) {
    long sums[3] = {0}, since = 0, k = 0;
    int last = 0, outcome = 0;
    char lines[8192] = "";
    for (;; k += 1 + brief * k / 12) {
      /* One process for many k, up to an end that may leave an object half changed. */
      if (k == *told_to) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
          if (!freopen("/dev/null", "w", stderr))
            _exit(2);
          signal(SIGABRT, ended);
          alarm(300);
          for (long next = k; next < MOST; next += 1 + brief * next / 12) {
            outcomes[next] = in_child((int)f, next, stays);
            *told_to = next + 1 + brief * next / 12;
            if (outcomes[next] == UNTOUCHED || grows((int)f))
              break;
          }
          _exit(0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child)
          return 2;
        if (WIFSIGNALED(status)) {
          outcomes[*told_to] = -WTERMSIG(status);
          *told_to += 1 + brief * *told_to / 12;
        }
      }
      outcome = outcomes[k];
      if (outcome != last && k > since && strlen(lines) < sizeof lines - 200)
        snprintf(lines + strlen(lines), 200, "    %ld to %ld: %s\n", since + 1, k, told(last));
      since = outcome != last ? k : since;
      last = outcome;
      if (outcome == UNTOUCHED)
        break;
      wrong += strncmp(told(outcome), "WRONG", 5) == 0 || outcome == PCML_STATUS_PANIC ||
               (outcome == ENDED && !strstr(calls[f].name, "threads"));
      sums[outcome == ENDED ? 1 : outcome == CARRIED_ON ? 2 : 0]++;
    }
    *told_to = 0;
    printf("%-34s %8ld %8ld %8ld %8ld\n", calls[f].name, k, sums[0], sums[1], sums[2]);
    if (list || strstr(lines, "WRONG"))
      printf("%s", lines);
    for (int i = 0; i < 3; i++)
      all[i] += sums[i];
  }
  printf("%ld refused, %ld ended the process, %ld succeeded all the same; %d wrong\n", all[0], all[1], all[2], wrong);
  return wrong > 0;
}
