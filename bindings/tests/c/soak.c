/* A long run: good calls of many kinds from several threads on shared plans and projectors, a workspace each, and now and then all that a
   host does at its start and its end.

       soak <source tree> [--calls n] [--threads n]

   Every result has the bits of the first one. After each tenth of the calls, with all threads at rest: blocks and bytes in use, the
   resident set and open files, which stay as they were after the first two tenths. Exits with 1 when they do not. */
#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcml.h>

#include "heap.h"

enum { PERCEPTRON, PROJECTION, BOUNDS, INVARIANT, BALANCE, OPERATOR, GAUSSIAN, PROCESS, SUM, SET_UP, WORKS };
static const char *const works[WORKS] = {"perceptron", "projection", "bounds", "invariant", "balance", "operator", "Gaussian process", "neural process",
                                         "sum", "set-up and end"};
enum { ROWS = 4, CELLS = 48, FEW = 8, POINTS = 5, TARGETS = 4, GRID = 8, MOST_THREADS = 64, TENTHS = 10, ROOM = 256 };

static const char *tree;
static pcml_plan *perceptron, *operator_plan, *gaussian, *process;
static pcml_projector *law, *energy;
static pcml_flux *mesh;
static double numbers[ROOM], positive[ROOM], zero[ROOM];
static int64_t left[FEW], right[FEW];
static uint64_t expected[WORKS];
static long failures;

typedef struct {
  pthread_t thread;
  int number;
  long calls, asked;
  pcml_workspace *of_perceptron, *of_operator, *of_gaussian, *of_process, *of_law, *of_bounds, *of_energy, *of_mesh;
  pcml_report *report;
  pcml_reduction *reduction;
  double out[ROOM];
} worker;

static void failed(const char *what, const char *text) {
  fprintf(stderr, "does not hold: %s %s\n", what, text);
  __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void check(int32_t status) {
  char text[512] = "";
  if (status != PCML_STATUS_OK) {
    pcml_error_message(text, sizeof text, NULL);
    failed(pcml_status_name(status), text);
    exit(1);
  }
}

static pcml_const_array in(const double *data, int64_t n, int64_t m, int64_t l) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 3, {n, m, l}, {m * l, l, 1}};
  return a;
}

static pcml_array out(double *data, int64_t n, int64_t m, int64_t l) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 3, {n, m, l}, {m * l, l, 1}};
  return a;
}

static pcml_model *load(const char *folder, const char *name) {
  char path[512];
  pcml_model *model;
  snprintf(path, sizeof path, "%s/%s%s.safetensors", tree, folder, name);
  check(pcml_model_load(path, &model));
  return model;
}

static int32_t one_part(void *context, int64_t *values, int64_t count) {
  (void)context;
  (void)values;
  (void)count;
  return 0;
}

static pcml_plan *plan_of(const char *folder, const char *name, int64_t batch) {
  pcml_model *model = load(folder, name);
  pcml_options *options;
  pcml_plan *plan;
  int64_t shape[2] = {GRID, GRID};
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, batch));
  check(pcml_options_set_context(options, POINTS));
  check(pcml_options_set_targets(options, TARGETS));
  check(pcml_options_set_shape(options, strcmp(name, "seed-fno1") == 0 ? 1 : 2, shape));
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  pcml_options_free(options);
  pcml_model_free(model);
  return plan;
}

/* A row that keeps an integral, over all cells or few; with an energy. */
static pcml_projector *projector_of(int64_t cells, int with_energy) {
  pcml_constraints *rows;
  pcml_projector *projector;
  pcml_const_array weights = in(positive, 1, 1, cells);
  check(pcml_constraints_create(cells, &rows));
  check(pcml_constraints_add_row(rows, &weights, 0.0));
  if (with_energy)
    check(pcml_constraints_add_energy(rows, &weights));
  check(pcml_projector_create(rows, PCML_PRIOR_DIAGONAL, NULL, &projector));
  pcml_constraints_free(rows);
  return projector;
}

static void begin(worker *w) {
  check(pcml_plan_workspace(perceptron, &w->of_perceptron));
  check(pcml_plan_workspace(operator_plan, &w->of_operator));
  check(pcml_plan_workspace(gaussian, &w->of_gaussian));
  check(pcml_plan_workspace(process, &w->of_process));
  check(pcml_projector_workspace(law, 1, &w->of_law));
  check(pcml_bounded_workspace(law, 1, &w->of_bounds));
  check(pcml_nonlinear_workspace(energy, 1, &w->of_energy));
  check(pcml_flux_workspace(mesh, &w->of_mesh));
  check(pcml_projector_report(law, 1, &w->report));
  check(pcml_reduction_create(one_part, NULL, &w->reduction));
  pcml_const_array x = in(numbers, 1, POINTS, 2), y = in(numbers + 20, 1, POINTS, 2);
  check(pcml_plan_condition(gaussian, w->of_gaussian, &x, &y));
}

static void end(worker *w) {
  pcml_workspace *all[] = {w->of_perceptron, w->of_operator, w->of_gaussian, w->of_process, w->of_law, w->of_bounds, w->of_energy, w->of_mesh};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++)
    pcml_workspace_free(all[k]);
  pcml_report_free(w->report);
  pcml_reduction_free(w->reduction);
}

static void set_up(void) {
  static const char *const names[] = {"seed-mlp", "seed-gp", "seed-anp", "seed-deeponet", "seed-fno1", "seed-boon1-exact"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    pcml_model_free(load("fuzz/corpus/model_file/", names[k]));
  pcml_plan *plan = plan_of("fuzz/corpus/model_file/", "seed-fno1", 1);
  pcml_workspace *workspace;
  pcml_report *report;
  check(pcml_plan_workspace(plan, &workspace));
  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_projector *projector = projector_of(CELLS, 0);
  check(pcml_projector_workspace(projector, 2, &workspace));
  check(pcml_projector_report(projector, 2, &report));
  pcml_projector_free(projector);
  pcml_workspace_free(workspace);
  pcml_report_free(report);
}

/* The bits of a result. */
static uint64_t work(worker *w, int kind) {
  pcml_const_array mean = in(numbers, 1, 1, CELLS), variance = in(positive, 1, 1, CELLS), b = in(zero, 1, 1, 1);
  pcml_array u = out(w->out, 1, 1, CELLS);
  int n = CELLS;
  b.rank = 2;
  switch (kind) {
  case PERCEPTRON: {
    pcml_const_array x = in(positive, 1, ROWS, 9);
    pcml_array y = out(w->out, 1, ROWS, 1);
    check(pcml_plan_predict(perceptron, w->of_perceptron, &x, NULL, 0, &y));
    n = ROWS;
    break;
  }
  case PROJECTION: check(pcml_projector_project(law, w->of_law, &mean, &variance, &b, &u, NULL, w->report)); break;
  case BOUNDS: {
    pcml_const_array lower = in(zero, 1, 1, CELLS);
    lower.data = numbers + 100;
    check(pcml_bounded_project(law, w->of_bounds, &mean, &variance, &b, &lower, NULL, &u, w->report));
    break;
  }
  case INVARIANT: {
    pcml_const_array few = in(numbers, 1, 1, FEW), v = in(positive, 1, 1, FEW), level = in(positive, 1, 1, 1);
    pcml_array to = out(w->out, 1, 1, FEW);
    level.rank = 2;
    check(pcml_nonlinear_project(energy, w->of_energy, &few, &v, &b, &level, &to, NULL));
    n = FEW;
    break;
  }
  case BALANCE: {
    pcml_const_array f = in(numbers, 1, 1, FEW);
    pcml_array to = out(w->out, 1, 1, FEW);
    pcml_flux_report report = {.struct_size = sizeof report};
    check(pcml_flux_correct(mesh, w->of_mesh, &f, NULL, NULL, &to, &report));
    n = FEW;
    break;
  }
  case OPERATOR: {
    pcml_const_array field = in(numbers, 1, GRID, GRID);
    pcml_array to = out(w->out, 1, GRID, GRID);
    check(pcml_plan_predict(operator_plan, w->of_operator, &field, NULL, 0, &to));
    n = GRID * GRID;
    break;
  }
  case GAUSSIAN: {
    pcml_const_array at = in(numbers + 40, 1, TARGETS, 2);
    pcml_array m = out(w->out, 1, TARGETS, 2), v = out(w->out + 2 * TARGETS, 1, TARGETS, 2);
    check(pcml_plan_query(gaussian, w->of_gaussian, &at, NULL, &m, &v));
    n = 4 * TARGETS;
    break;
  }
  case PROCESS: {
    pcml_const_array x = in(numbers, 1, POINTS, 2), y = in(numbers + 20, 1, POINTS, 1), at = in(numbers + 40, 1, TARGETS, 2);
    pcml_array m = out(w->out, 1, TARGETS, 1), v = out(w->out + TARGETS, 1, TARGETS, 1);
    check(pcml_plan_condition(process, w->of_process, &x, &y));
    check(pcml_plan_query(process, w->of_process, &at, NULL, &m, &v));
    n = 2 * TARGETS;
    break;
  }
  case SUM:
    check(pcml_sum(&mean, &variance, w->reduction, w->out));
    n = 1;
    break;
  default:
    set_up();
    n = 0;
  }
  uint64_t bits = 0, value;
  for (int k = 0; k < n; k++) {
    memcpy(&value, w->out + k, sizeof value);
    bits = (bits << 1 | bits >> 63) ^ value;
  }
  return bits;
}

/* Cheap calls are the many. */
static int kind_of(long k) {
  static const int many[] = {PERCEPTRON, PROJECTION, BALANCE, SUM, GAUSSIAN, PROJECTION, SUM, INVARIANT, PERCEPTRON, BOUNDS, SUM, BALANCE};
  return k % 499 == 498 ? SET_UP : k % 97 == 96 ? PROCESS : k % 101 == 100 ? OPERATOR : many[k % 12];
}

static long calls_of[WORKS];

static void *run(void *of) {
  worker *w = of;
  long counts[WORKS] = {0};
  for (long k = 0; k < w->calls; k++) {
    int kind = kind_of(k + 7 * w->number);
    long asked = heap_asked;
    if (work(w, kind) != expected[kind])
      failed("the same bits:", works[kind]);
    if (kind != SET_UP)
      w->asked += heap_asked - asked;
    counts[kind]++;
  }
  for (int k = 0; k < WORKS; k++)
    __atomic_fetch_add(&calls_of[k], counts[k], __ATOMIC_RELAXED);
  return NULL;
}

static long resident(void) {
  long all = 0, pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%ld %ld", &all, &pages) != 2)
    exit(2);
  fclose(f);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static long open_files(void) {
  long n = 0;
  DIR *d = opendir("/proc/self/fd");
  while (d && readdir(d))
    n++;
  closedir(d);
  return n;
}

int main(int argc, char **argv) {
  long calls = 200000, threads = 8;
  for (int k = 2; k + 1 < argc; k += 2) {
    if (strcmp(argv[k], "--calls") == 0)
      calls = atol(argv[k + 1]);
    else if (strcmp(argv[k], "--threads") == 0)
      threads = atol(argv[k + 1]);
  }
  if (argc < 2 || threads < 1 || threads > MOST_THREADS) {
    fprintf(stderr, "usage: soak <source tree> [--calls n] [--threads n]\n");
    return 2;
  }
  tree = argv[1];
  for (int k = 0; k < ROOM; k++) {
    numbers[k] = sin(0.7 * k + 0.1);
    positive[k] = 0.3 + 0.2 * cos(0.31 * k);
  }
  for (int k = 100; k < 100 + CELLS; k++)
    numbers[k] = -0.5;
  for (int k = 0; k < FEW; k++)
    left[k] = k, right[k] = k + 1 < FEW ? k + 1 : -1;
  perceptron = plan_of("examples/models/", "porous", ROWS);
  operator_plan = plan_of("fuzz/corpus/model_file/", "seed-fno2", 1);
  gaussian = plan_of("fuzz/corpus/model_file/", "seed-gp", 1);
  process = plan_of("fuzz/corpus/model_file/", "seed-anp", 1);
  law = projector_of(CELLS, 0);
  energy = projector_of(FEW, 1);
  pcml_const_array volumes = in(positive, 1, 1, FEW);
  check(pcml_flux_create(FEW, left, right, &volumes, NULL, &mesh));

  static worker workers[MOST_THREADS];
  for (int k = 0; k < threads; k++) {
    begin(&workers[k]);
    workers[k].number = k;
    workers[k].calls = calls / threads / TENTHS;
  }
  for (int kind = 0; kind < WORKS; kind++)
    expected[kind] = work(&workers[0], kind);
  printf("%8s %9s %12s %12s %6s\n", "calls", "blocks", "bytes", "resident, kB", "files");
  long blocks = 0, resident_before = 0, files = 0;
  size_t bytes = 0;
  for (int tenth = 1; tenth <= TENTHS; tenth++) {
    for (int k = 0; k < threads; k++)
      if (pthread_create(&workers[k].thread, NULL, run, &workers[k]) != 0)
        return 2;
    for (int k = 0; k < threads; k++)
      pthread_join(workers[k].thread, NULL);
    struct mallinfo2 heap = mallinfo2();
    long blocks_now = atomic_load(&heap_blocks), resident_now = resident(), files_now = open_files();
    printf("%8ld %9ld %12zu %12ld %6ld\n", tenth * (calls / TENTHS), blocks_now, heap.uordblks + heap.hblkhd, resident_now, files_now);
    fflush(stdout);
    if (tenth > 2) {
      if (blocks_now != blocks)
        failed("as many blocks as before", "");
      if (heap.uordblks + heap.hblkhd > bytes + 65536)
        failed("as many bytes as before", "");
      if (resident_now > resident_before + 4096)
        failed("a resident set as before", "");
      if (files_now != files)
        failed("as many open files as before", "");
    } else
      blocks = blocks_now, bytes = heap.uordblks + heap.hblkhd, resident_before = resident_now, files = files_now;
  }
  for (int kind = 0; kind < WORKS; kind++) {
    printf("%-18s %9ld\n", works[kind], calls_of[kind]);
    if (work(&workers[0], kind) != expected[kind])
      failed("the same bits at the end:", works[kind]);
  }
  for (int k = 0; k < threads; k++) {
    if (workers[k].asked != 0)
      failed("no allocation in a hot call", "");
    end(&workers[k]);
  }
  pcml_plan_free(perceptron);
  pcml_plan_free(operator_plan);
  pcml_plan_free(gaussian);
  pcml_plan_free(process);
  pcml_projector_free(law);
  pcml_projector_free(energy);
  pcml_flux_free(mesh);
  printf("%ld failures\n", failures);
  return failures > 0;
}
