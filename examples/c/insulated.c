/* A heat equation with an insulated wall, by an operator that knows its walls.

       insulated <insulated.safetensors>

   u_t = 0.01 u_xx on [0, 1], from u0 = cos(3.1 pi x): the left wall is insulated, through the right one comes the flux u_x = 5 sin(pi t).
   A Fourier neural operator with boundary corrections (BOON) predicts 25 times in one call, the wall conditions exact. A solver of the
   same equation says how good that is. The prediction still gains or loses heat: a chain of prediction, walls and balance in one call
   mends both together, and the same walls are put on a field that comes from elsewhere. Exits with 1 unless all that holds.

   Examples in other languages print the same to the bit: cosines by recurrence, sums in the order written, no function but sqrt and fabs, and no
   a * b + c in one rounding (-ffp-contract=off). */
#include <float.h>
#include <math.h>

#include "common.h"

enum { POINTS = 100, TIMES = 25, CELLS = POINTS * TIMES, LEFT = 2, RIGHT = 4, LAWS = 3 * TIMES };
enum { FINER = 4, FINE = FINER * (POINTS - 1) + 1, STEPS = 80, HALF = 500 };

static const double pi = 3.14159265358979323846, conductivity = 0.01;
static const double left_stencil[LEFT] = {-1.0, 1.0};
static const double right_stencil[RIGHT] = {-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0};
static const double h = 1.0 / (POINTS - 1), step = 2.0 / (TIMES * STEPS);

/* cos(3.1 pi x) at the solver's points, and cos(pi t) at its times. */
static double wave[FINE], beat[TIMES * STEPS + 1];

/* cos(i a) for all i, from cos(a). */
static void cosines(double first, int count, double *c) {
  c[0] = 1.0;
  c[1] = first;
  for (int i = 2; i < count; i++)
    c[i] = 2.0 * first * c[i - 1] - c[i - 2];
}

/* 5 sin(pi t) at the solver's time k, as the cosine half a unit of time away. */
static double flux(int k) { return 5.0 * beat[k < HALF ? HALF - k : k - HALF]; }

static double weight(int i) { return i == 0 || i == POINTS - 1 ? 0.5 * h : h; }

/* Crank-Nicolson on a finer grid, half cells at the walls; u[point][time]. */
static void solve(double *u) {
  static double state[FINE], right[FINE], upper[FINE];
  const double fine = h / FINER, r = 0.5 * conductivity * step / (fine * fine);
  for (int i = 0; i < FINE; i++)
    state[i] = wave[i];
  for (int k = 0; k < TIMES * STEPS; k++) {
    const double through = 0.5 * (flux(k) + flux(k + 1));
    for (int i = 0; i < FINE; i++) {
      const double before = state[i == 0 ? 1 : i - 1], after = state[i == FINE - 1 ? FINE - 2 : i + 1];
      right[i] = state[i] + r * (before - 2.0 * state[i] + after);
    }
    right[FINE - 1] += 2.0 * conductivity * step * through / fine;
    double pivot = 1.0 + 2.0 * r;
    upper[0] = -2.0 * r / pivot;
    state[0] = right[0] / pivot;
    for (int i = 1; i < FINE; i++) {
      const double lower = i == FINE - 1 ? -2.0 * r : -r;
      pivot = 1.0 + 2.0 * r - lower * upper[i - 1];
      upper[i] = -r / pivot;
      state[i] = (right[i] - lower * state[i - 1]) / pivot;
    }
    for (int i = FINE - 2; i >= 0; i--)
      state[i] -= upper[i] * state[i + 1];
    if ((k + 1) % STEPS == 0)
      for (int i = 0; i < POINTS; i++)
        u[i * TIMES + k / STEPS] = state[FINER * i];
  }
}

static double relative(const double *u, const double *truth) {
  double apart = 0.0, size = 0.0;
  for (int i = 0; i < CELLS; i++) {
    apart += (u[i] - truth[i]) * (u[i] - truth[i]);
    size += truth[i] * truth[i];
  }
  return sqrt(apart / size);
}

/* The largest residual of a wall's condition, in eps of the largest term. */
static double wall(const double *u, const double *values, int right) {
  const int width = right ? RIGHT : LEFT, first = right ? POINTS - RIGHT : 0;
  const double *stencil = right ? right_stencil : left_stencil;
  double most = 0.0;
  for (int t = 0; t < TIMES; t++) {
    double sum = -values[t], scale = fabs(values[t]);
    for (int k = 0; k < width; k++) {
      const double term = stencil[k] * u[(first + k) * TIMES + t] / h;
      sum += term;
      scale = larger(scale, fabs(term));
    }
    most = larger(most, fabs(sum) / scale);
  }
  return most / DBL_EPSILON;
}

/* The largest difference between the heat in the slab and what it should be, by the trapezoid rule, in eps of the sum of magnitudes. */
static double heat(const double *u, const double *expected) {
  double most = 0.0;
  for (int t = 0; t < TIMES; t++) {
    double sum = -expected[t], scale = 0.0;
    for (int i = 0; i < POINTS; i++) {
      const double term = weight(i) * u[i * TIMES + t];
      sum += term;
      scale += fabs(term);
    }
    most = larger(most, fabs(sum) / scale);
  }
  return most / DBL_EPSILON;
}

static void row(const char *name, const double *u, const double *truth, const double *walls, const double *content) {
  printf("%-28s %8.3f %18lld %18lld %18lld\n", name, 100.0 * relative(u, truth), (long long)(wall(u, walls, 0) + 0.5),
         (long long)(wall(u, walls + TIMES, 1) + 0.5), (long long)(heat(u, content) + 0.5));
}

/* Rows of the laws: heat at each time, then the left wall, then the right one. */
static pcml_projector *laws(void) {
  static double weights[CELLS], coefficients[RIGHT];
  static int64_t cells[TIMES * RIGHT];
  pcml_constraints *constraints;
  pcml_projector *projector;
  check(pcml_constraints_create(CELLS, &constraints));
  for (int t = 0; t < TIMES; t++) {
    for (int i = 0; i < CELLS; i++)
      weights[i] = i % TIMES == t ? weight(i / TIMES) : 0.0;
    const pcml_const_array w = input(weights, CELLS);
    check(pcml_constraints_add_row(constraints, &w, 0.0));
  }
  for (int right = 0; right < 2; right++) {
    const int width = right ? RIGHT : LEFT, first = right ? POINTS - RIGHT : 0;
    for (int k = 0; k < width; k++) {
      coefficients[k] = (right ? right_stencil : left_stencil)[k] / h;
      for (int t = 0; t < TIMES; t++)
        cells[t * width + k] = (first + k) * TIMES + t;
    }
    check(pcml_constraints_add_stencils(constraints, TIMES, width, cells, coefficients, 1, 0.0));
  }
  check(pcml_projector_create(constraints, PCML_PRIOR_IDENTITY, NULL, &projector));
  pcml_constraints_free(constraints);
  return projector;
}

int main(int argc, char **argv) {
  static double u0[CELLS], truth[CELLS], u[CELLS], lawful[CELLS], walls[2 * TIMES], b[LAWS];
  if (argc != 2) {
    fprintf(stderr, "usage: %s <insulated.safetensors>\n", argv[0]);
    return 2;
  }

  cosines(0.9996976006342584, FINE, wave);
  cosines(0.9999950652018582, TIMES * STEPS + 1, beat);
  double initial = 0.0;
  for (int i = 0; i < POINTS; i++) {
    initial += weight(i) * wave[FINER * i];
    for (int t = 0; t < TIMES; t++)
      u0[i * TIMES + t] = wave[FINER * i];
  }
  for (int t = 0; t < TIMES; t++) {
    const int k = (t + 1) * STEPS;
    walls[t] = b[TIMES + t] = 0.0;
    walls[TIMES + t] = b[2 * TIMES + t] = flux(k);
    /* What was there, and what came through the right wall since. */
    b[t] = initial + conductivity * 5.0 * (1.0 - beat[k]) / pi;
  }
  solve(truth);

  uint64_t bits = 0;
  pcml_model *model;
  pcml_options *options;
  pcml_plan *plan;
  pcml_workspace *scratch, *projection;
  const int64_t shape[2] = {POINTS, TIMES};
  check(pcml_model_load(argv[1], &model));
  check(pcml_options_create(&options));
  check(pcml_options_set_shape(options, 2, shape));
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  check(pcml_plan_workspace(plan, &scratch));

  const pcml_const_array in = {sizeof in, u0, PCML_DTYPE_F64, 2, {POINTS, TIMES}, {TIMES, 1}};
  const pcml_array out = {sizeof out, u, PCML_DTYPE_F64, 2, {POINTS, TIMES}, {TIMES, 1}};
  const pcml_const_array values[2] = {input(walls, TIMES), input(walls + TIMES, TIMES)};
  printf("%-28s %8s %18s %18s %18s\n", "100 points, 25 times", "error, %", "left wall, eps", "right wall, eps", "heat, eps");
  row("Crank-Nicolson", truth, truth, walls, b);
  mix(&bits, truth, CELLS);
  check(pcml_plan_predict(plan, scratch, &in, values, 2, &out));
  row("operator", u, truth, walls, b);
  mix(&bits, u, CELLS);
  claim(relative(u, truth) < 0.02, "the operator's error is below 2%");
  claim(wall(u, walls, 0) <= 4.0 && wall(u, walls + TIMES, 1) <= 4.0, "the operator's walls");

  pcml_projector *projector = laws();
  const pcml_const_array right_sides = {sizeof right_sides, b, PCML_DTYPE_F64, 2, {1, LAWS}, {LAWS, 1}};
  const pcml_array mean = {sizeof mean, lawful, PCML_DTYPE_F64, 3, {1, POINTS, TIMES}, {CELLS, TIMES, 1}};
  check(pcml_projector_workspace(projector, 1, &projection));
  check(pcml_plan_predict_lawful(plan, scratch, &in, values, 2, projector, projection, NULL, &right_sides, &mean, NULL, NULL));
  row("operator, walls and balance", lawful, truth, walls, b);
  mix(&bits, lawful, CELLS);
  claim(wall(lawful, walls, 0) <= 8.0 && wall(lawful, walls + TIMES, 1) <= 8.0, "the lawful walls");
  claim(heat(lawful, b) <= 16.0, "the heat");

  /* The same walls for a field of any origin: here the solver's, disturbed. */
  pcml_boundary *boundary;
  for (int i = 0; i < CELLS; i++)
    u[i] = truth[i] + 0.01 * (i * 37 % 101 - 50) / 50.0;
  row("a field from elsewhere", u, truth, walls, b);
  const pcml_array field = {sizeof field, u, PCML_DTYPE_F64, 4, {1, POINTS, TIMES, 1}, {CELLS, TIMES, 1, 1}};
  check(pcml_boundary_create(&boundary));
  check(pcml_boundary_add_face(boundary, 0, -1, PCML_BOUNDARY_KIND_NEUMANN, left_stencil, LEFT, h));
  check(pcml_boundary_add_face(boundary, 0, 1, PCML_BOUNDARY_KIND_NEUMANN, right_stencil, RIGHT, h));
  check(pcml_boundary_enforce(boundary, &field, 2, values, 2));
  row("its walls set", u, truth, walls, b);
  mix(&bits, u, CELLS);
  claim(wall(u, walls, 0) <= 4.0 && wall(u, walls + TIMES, 1) <= 4.0, "the walls that were set");

  pcml_boundary_free(boundary);
  pcml_workspace_free(projection);
  pcml_projector_free(projector);
  pcml_workspace_free(scratch);
  pcml_plan_free(plan);
  pcml_options_free(options);
  pcml_model_free(model);
  if (failures == 0)
    printf("all held\n");
  printf("bits %016llX\n", (unsigned long long)bits);
  return failures != 0;
}
