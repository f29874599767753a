/* Jobs that two threads, or two processes, do at once: a projection of 10^6 cells, an operator on 64 x 64 points, a perceptron on 256 rows.
   Projector and plans are shared by all workers of a process; a worker has a workspace and arrays of its own. */
#ifndef TOGETHER_H
#define TOGETHER_H

#include <pcml.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROJECTION, OPERATOR, PERCEPTRON, JOBS };
enum { CELLS = 1000000, SIDE = 64, ROWS = 256, WIDTH = 60 };

static const char *const names[JOBS] = {"projection, 1000000 cells", "fno_2d_64x64", "perceptron, 256 rows"};
/* Of one measurement, so that it takes some 20 ms. */
static const int calls[JOBS] = {8, 10, 150};

typedef struct {
  int kind;
  pcml_projector *projector;
  pcml_plan *plan;
} job;

typedef struct {
  pcml_workspace *workspace;
  void *from, *variance, *to, *to_variance;
} worker;

static void check(int32_t status) {
  if (status != PCML_STATUS_OK) {
    fprintf(stderr, "%s\n", pcml_status_name(status));
    exit(1);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *numbers(int32_t dtype, int64_t count) {
  double *d = malloc((size_t)count * sizeof *d);
  float *f = (float *)d;
  if (d == NULL)
    exit(1);
  for (int64_t i = 0; i < count; i++) {
    const double value = 0.1 + (double)(i % 977) / 977.0;
    if (dtype == PCML_DTYPE_F64)
      d[i] = value;
    else
      f[i] = (float)value;
  }
  return d;
}

static pcml_const_array cells(const void *data) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {CELLS}, {1}};
  return a;
}

static pcml_array cells_mut(void *data) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {CELLS}, {1}};
  return a;
}

static job job_new(int kind, const char *operator_path, const char *perceptron_path) {
  job made = {kind, NULL, NULL};
  if (kind == PROJECTION) {
    double *x = malloc(CELLS * sizeof *x);
    pcml_constraints *law;
    if (x == NULL)
      exit(1);
    for (int i = 0; i < CELLS; i++)
      x[i] = (double)i / CELLS;
    const pcml_const_array points = cells(x);
    check(pcml_constraints_create(CELLS, &law));
    check(pcml_constraints_add_quadrature(law, PCML_RULE_TRAPEZOID, &points, 0.0));
    check(pcml_projector_create(law, PCML_PRIOR_DIAGONAL, NULL, &made.projector));
    pcml_constraints_free(law);
    free(x);
    return made;
  }
  const int64_t shape[2] = {SIDE, SIDE};
  pcml_model *model;
  pcml_options *options;
  check(pcml_model_load(kind == OPERATOR ? operator_path : perceptron_path, &model));
  check(pcml_options_create(&options));
  if (kind == OPERATOR)
    check(pcml_options_set_shape(options, 2, shape));
  else
    check(pcml_options_set_batch(options, ROWS));
  check(pcml_plan_create(model, PCML_DTYPE_F32, options, &made.plan));
  pcml_options_free(options);
  pcml_model_free(model);
  return made;
}

static void job_free(job *of) {
  pcml_projector_free(of->projector);
  pcml_plan_free(of->plan);
}

static worker worker_new(const job *of) {
  worker made = {NULL, NULL, NULL, NULL, NULL};
  if (of->kind == PROJECTION) {
    check(pcml_projector_workspace(of->projector, 1, &made.workspace));
    made.from = numbers(PCML_DTYPE_F64, CELLS);
    made.variance = numbers(PCML_DTYPE_F64, CELLS);
    made.to = numbers(PCML_DTYPE_F64, CELLS);
    made.to_variance = numbers(PCML_DTYPE_F64, CELLS);
    return made;
  }
  const int64_t count = of->kind == OPERATOR ? SIDE * SIDE : ROWS * WIDTH;
  check(pcml_plan_workspace(of->plan, &made.workspace));
  made.from = numbers(PCML_DTYPE_F32, count);
  made.to = numbers(PCML_DTYPE_F32, count);
  return made;
}

static void worker_free(worker *w) {
  pcml_workspace_free(w->workspace);
  free(w->from);
  free(w->variance);
  free(w->to);
  free(w->to_variance);
}

static void work(const job *of, const worker *w) {
  if (of->kind == PROJECTION) {
    const double level = 0.6;
    const pcml_const_array from = cells(w->from), variance = cells(w->variance);
    const pcml_const_array b = {sizeof b, &level, PCML_DTYPE_F64, 1, {1}, {1}};
    const pcml_array to = cells_mut(w->to), to_variance = cells_mut(w->to_variance);
    for (int k = 0; k < calls[PROJECTION]; k++)
      check(pcml_projector_project(of->projector, w->workspace, &from, &variance, &b, &to, &to_variance, NULL));
    return;
  }
  const pcml_const_array field = {sizeof field, w->from, PCML_DTYPE_F32, 4, {1, SIDE, SIDE, 1}, {SIDE * SIDE, SIDE, 1, 1}};
  const pcml_const_array rows = {sizeof rows, w->from, PCML_DTYPE_F32, 2, {ROWS, WIDTH}, {WIDTH, 1}};
  const pcml_array to_field = {sizeof to_field, w->to, PCML_DTYPE_F32, 4, {1, SIDE, SIDE, 1}, {SIDE * SIDE, SIDE, 1, 1}};
  const pcml_array to_rows = {sizeof to_rows, w->to, PCML_DTYPE_F32, 2, {ROWS, WIDTH}, {WIDTH, 1}};
  const int of_field = of->kind == OPERATOR;
  for (int k = 0; k < calls[of->kind]; k++)
    check(pcml_plan_predict(of->plan, w->workspace, of_field ? &field : &rows, NULL, 0, of_field ? &to_field : &to_rows));
}

/* A line of JSON: seconds a call in each round, of one worker by itself and of each of two at once. */
static void tell(int kind, int rounds, const double *alone, const double *together) {
  const double *const lists[2] = {alone, together};
  printf("{\"case\": \"%s\"", names[kind]);
  for (int l = 0; l < 2; l++) {
    printf(", \"%s\": [", l == 0 ? "alone" : "together");
    for (int r = 0; r < rounds; r++)
      printf("%s%.9g", r == 0 ? "" : ", ", lists[l][r] / calls[kind]);
    printf("]");
  }
  printf("}\n");
}

#endif
