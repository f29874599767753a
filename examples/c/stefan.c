/* A trained neural process made lawful: the Stefan problem of ProbConserv (Hansen et al., ICML 2023).

       stefan MODEL

   Draws 50 new context sets for u* = 0.6 (inside the training range) and 0.5 (outside it), predicts u(0.05, x) at 201 points
   as a mixture over 100 latents, projects on the known mass, in the identity metric (HardC) and in the predicted variance
   (ProbConserv), and prints a table. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pcml.h>

#include "common.h"

enum { FUNCTIONS = 50, SIDE = 10, POINTS = SIDE * SIDE, CELLS = 201, LATENTS = 100 };

static const double PI = 3.14159265358979323846;
static const double T_MAX = 0.1, TIME = 0.05;

/* The problem: u = 1 - c1 erf(x / (2 sqrt t)) left of the front a sqrt t, 0 right of it; a = 2 z with
   u* erf(z) z exp(z^2) = (1 - u*) / sqrt(pi), c1 = (1 - u*) / erf(a / 2), mass 2 c1 sqrt(t / pi). */
typedef struct {
  double u_star, a, c1;
} stefan;

static stefan stefan_of(double u_star) {
  double low = 0.0, high = 10.0;
  for (int i = 0; i < 100; i++) {
    double z = 0.5 * (low + high);
    if (u_star * erf(z) * z * exp(z * z) > (1.0 - u_star) / sqrt(PI))
      high = z;
    else
      low = z;
  }
  stefan s = {u_star, low + high, 0.0};
  s.c1 = (1.0 - u_star) / erf(0.5 * s.a);
  return s;
}

static double front(const stefan *s, double t) { return s->a * sqrt(t); }

static double mass(const stefan *s, double t) { return 2.0 * s->c1 * sqrt(t / PI); }

static double solution(const stefan *s, double t, double x) {
  return x <= front(s, t) ? 1.0 - s->c1 * erf(x / (2.0 * sqrt(t))) : 0.0;
}

/* Uniform in (0, 1). */
static double uniform(uint64_t *state) {
  return (random_integer(state) + 0.5) / 9007199254740992.0;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* One context set: a grid of points (t, x), one t in each interval of the duration, x uniform and sorted, and u there. */
static void draw_context(const stefan *s, uint64_t *state, double points[POINTS][2], double values[POINTS]) {
  double t[SIDE], x[SIDE];
  for (int i = 0; i < SIDE; i++) {
    t[i] = T_MAX * (i + uniform(state)) / SIDE;
    x[i] = uniform(state);
  }
  qsort(x, SIDE, sizeof x[0], ascending);
  for (int i = 0; i < POINTS; i++) {
    points[i][0] = t[i / SIDE];
    points[i][1] = x[i % SIDE];
    values[i] = solution(s, points[i][0], points[i][1]);
  }
}

/* Where a profile last falls through a level, linearly between points; 0 where it never does. */
static double front_position(const double *x, const double *u, double level) {
  for (int i = CELLS - 1; i > 0; i--)
    if (u[i - 1] >= level && u[i] < level)
      return x[i - 1] + (x[i] - x[i - 1]) * (u[i - 1] - level) / (u[i - 1] - u[i]);
  return 0.0;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double context_x[FUNCTIONS][POINTS][2], context_y[FUNCTIONS][POINTS], target[CELLS][2], x[CELLS];
static double mean[FUNCTIONS][CELLS], variance[FUNCTIONS][CELLS];
static double lawful[FUNCTIONS][CELLS], lawful_variance[FUNCTIONS][CELLS];

/* Prints one line of the table; returns the mean absolute conservation error. */
static double print_scores(const stefan *s, const char *method, const pcml_projector *projector,
                           pcml_workspace *workspace, double u[FUNCTIONS][CELLS], double v[FUNCTIONS][CELLS],
                           const double b[FUNCTIONS], double microseconds) {
  double residual[FUNCTIONS], conservation = 0.0, log_density = 0.0, mse = 0.0, front_error = 0.0;
  pcml_const_array fields = {sizeof fields, u, PCML_DTYPE_F64, 2, {FUNCTIONS, CELLS}, {CELLS, 1}};
  pcml_const_array masses = {sizeof masses, b, PCML_DTYPE_F64, 1, {FUNCTIONS}, {1}};
  check(pcml_projector_residual(projector, workspace, &fields, &masses, residual));
  for (int f = 0; f < FUNCTIONS; f++) {
    conservation += fabs(residual[f]) / FUNCTIONS;
    front_error += fabs(front_position(x, u[f], 0.5 * s->u_star) - front(s, TIME)) / FUNCTIONS;
    for (int i = 0; i < CELLS; i++) {
      double error = solution(s, TIME, x[i]) - u[f][i];
      mse += error * error / (FUNCTIONS * CELLS);
      log_density -= 0.5 * (error * error / v[f][i] + log(2.0 * PI * v[f][i])) / (FUNCTIONS * CELLS);
    }
  }
  printf("%4.1f  %-12s %18.2e %12.2f %9.2e %12.2e %11.1f\n", s->u_star, method, conservation, log_density, mse,
         front_error, microseconds);
  return conservation;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: stefan MODEL\n");
    return 2;
  }

  /* Plan once: sizes, arithmetic and sampling are fixed here, and all memory is allocated. */
  pcml_model *model;
  check(pcml_model_load(argv[1], &model));
  pcml_options *options;
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, FUNCTIONS));
  check(pcml_options_set_context(options, POINTS));
  check(pcml_options_set_targets(options, CELLS));
  check(pcml_options_set_latents(options, LATENTS));
  check(pcml_options_set_seed(options, 2023));
  pcml_plan *plan;
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  pcml_workspace *workspace;
  check(pcml_plan_workspace(plan, &workspace));

  /* The law: the integral of u over x, by the trapezoid rule, is the mass. */
  for (int i = 0; i < CELLS; i++) {
    x[i] = (double)i / (CELLS - 1);
    target[i][0] = TIME;
    target[i][1] = x[i];
  }
  pcml_constraints *constraints;
  check(pcml_constraints_create(CELLS, &constraints));
  pcml_const_array points = {sizeof points, x, PCML_DTYPE_F64, 1, {CELLS}, {1}};
  check(pcml_constraints_add_quadrature(constraints, PCML_RULE_TRAPEZOID, &points, 0.0));
  pcml_projector *hardc, *probconserv;
  check(pcml_projector_create(constraints, PCML_PRIOR_IDENTITY, NULL, &hardc));
  check(pcml_projector_create(constraints, PCML_PRIOR_DIAGONAL, NULL, &probconserv));
  pcml_workspace *hardc_workspace, *probconserv_workspace;
  check(pcml_projector_workspace(hardc, FUNCTIONS, &hardc_workspace));
  check(pcml_projector_workspace(probconserv, FUNCTIONS, &probconserv_workspace));

  printf(" u*   method       conservation error  log-density       MSE  front error  us a slice\n");
  uint64_t state = 7;
  double before = 0.0, after = 0.0;
  for (int round = 0; round < 2; round++) {
    stefan s = stefan_of(round == 0 ? 0.6 : 0.5);
    double b[FUNCTIONS];
    for (int f = 0; f < FUNCTIONS; f++) {
      draw_context(&s, &state, context_x[f], context_y[f]);
      b[f] = mass(&s, TIME);
    }

    pcml_const_array cx = {sizeof cx, context_x, PCML_DTYPE_F64, 3, {FUNCTIONS, POINTS, 2}, {2 * POINTS, 2, 1}};
    pcml_const_array cy = {sizeof cy, context_y, PCML_DTYPE_F64, 3, {FUNCTIONS, POINTS, 1}, {POINTS, 1, 1}};
    pcml_const_array tx = {sizeof tx, target, PCML_DTYPE_F64, 2, {CELLS, 2}, {2, 1}};
    pcml_array m = {sizeof m, mean, PCML_DTYPE_F64, 3, {FUNCTIONS, CELLS, 1}, {CELLS, 1, 1}};
    pcml_array v = {sizeof v, variance, PCML_DTYPE_F64, 3, {FUNCTIONS, CELLS, 1}, {CELLS, 1, 1}};
    double start = seconds();
    check(pcml_plan_condition(plan, workspace, &cx, &cy));
    check(pcml_plan_query(plan, workspace, &tx, NULL, &m, &v));
    double spent = 1e6 * (seconds() - start) / FUNCTIONS;
    before += print_scores(&s, "ANP", hardc, hardc_workspace, mean, variance, b, spent);

    start = seconds();
    check(pcml_projector_project_f64(hardc, hardc_workspace, FUNCTIONS, mean[0], NULL, b, lawful[0], NULL, NULL));
    spent = 1e6 * (seconds() - start) / FUNCTIONS;
    after += print_scores(&s, "HardC", hardc, hardc_workspace, lawful, variance, b, spent);

    start = seconds();
    check(pcml_projector_project_f64(probconserv, probconserv_workspace, FUNCTIONS, mean[0], variance[0], b, lawful[0],
                                     lawful_variance[0], NULL));
    spent = 1e6 * (seconds() - start) / FUNCTIONS;
    after += print_scores(&s, "ProbConserv", hardc, hardc_workspace, lawful, lawful_variance, b, spent);
  }

  pcml_workspace_free(probconserv_workspace);
  pcml_workspace_free(hardc_workspace);
  pcml_projector_free(probconserv);
  pcml_projector_free(hardc);
  pcml_constraints_free(constraints);
  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_options_free(options);
  pcml_model_free(model);

  if (after > 1e-15 * 4 || after > before) {
    fprintf(stderr, "the projected profiles miss the mass by %g\n", after);
    return 1;
  }
  return 0;
}
