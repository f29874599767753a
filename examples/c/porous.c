/* Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.

       porous <porous.safetensors>

   u_t = (u u_x)_x on [0, 1] between closed walls: the integral of u never changes, and u >= 0. The solver takes 64 explicit steps of
   finite volumes where the surrogate takes one: a perceptron that sees each cell among its neighbours and gives its change
   (examples/training/porous.py). It knows of no law: what it makes or loses adds up. In the lawful run each step ends in a projection
   onto the mass and u >= 0. What that does to the error is printed, and promised by nobody. Exits with 1 unless the lawful run keeps mass and sign at every step.

   Examples in other languages print the same to the bit: sums in the order written, no function but sqrt, and no a * b + c in one rounding
   (-ffp-contract=off). */
#include <float.h>
#include <math.h>

#include "common.h"

enum { CELLS = 64, SIDE = 4, WINDOW = 2 * SIDE + 1, STEPS = 40, PARTS = 64, TOLD = 8 };

static const double dx = 1.0 / CELLS, ratio = 1.0 / 32.0; /* of a small step to dx^2 */
static double weights[CELLS], zeros[CELLS];

/* Two parabolas over empty ground. */
static void fill(double *u) {
  for (int i = 0; i < CELLS; i++) {
    const double x = (i + 0.5) * dx;
    u[i] = larger(0.0, 0.9 - 40.0 * (x - 0.35) * (x - 0.35)) + larger(0.0, 0.5 - 50.0 * (x - 0.75) * (x - 0.75));
  }
}

static void solve(double *u) {
  for (int part = 0; part < PARTS; part++) {
    double left = 0.0;
    for (int i = 0; i < CELLS; i++) {
      const double right = i + 1 < CELLS ? -0.5 * (u[i] + u[i + 1]) * (u[i + 1] - u[i]) : 0.0;
      u[i] += ratio * (left - right);
      left = right;
    }
  }
}

/* A step of the surrogate. The state lies in an array with room for its mirror images beyond the walls, and row i of the input is that
   array from i on: the rows overlap, and nothing is copied. */
static void predict(const pcml_plan *plan, pcml_workspace *workspace, double *padded) {
  double *u = padded + SIDE, change[CELLS];
  for (int k = 0; k < SIDE; k++) {
    padded[SIDE - 1 - k] = u[k];
    padded[SIDE + CELLS + k] = u[CELLS - 1 - k];
  }
  const pcml_const_array windows = {sizeof windows, padded, PCML_DTYPE_F64, 2, {CELLS, WINDOW}, {1, 1}};
  const pcml_array changes = {sizeof changes, change, PCML_DTYPE_F64, 2, {CELLS, 1}, {1, 1}};
  check(pcml_plan_predict(plan, workspace, &windows, NULL, 0, &changes));
  for (int i = 0; i < CELLS; i++)
    u[i] += change[i];
}

static double mass(const double *u) {
  const pcml_const_array a = input(u, CELLS), w = input(weights, CELLS);
  double sum;
  check(pcml_sum(&a, &w, NULL, &sum));
  return sum;
}

static double error(const double *u, const double *truth) {
  double apart = 0.0, size = 0.0;
  for (int i = 0; i < CELLS; i++) {
    apart += (u[i] - truth[i]) * (u[i] - truth[i]);
    size += truth[i] * truth[i];
  }
  return 100.0 * sqrt(apart / size);
}

static double least(const double *u) {
  double found = u[0];
  for (int i = 1; i < CELLS; i++)
    found = u[i] < found ? u[i] : found;
  return found;
}

int main(int argc, char **argv) {
  double truth[CELLS], padded_alone[SIDE + CELLS + SIDE], padded_lawful[SIDE + CELLS + SIDE];
  double *alone = padded_alone + SIDE, *lawful = padded_lawful + SIDE;
  uint64_t bits = 0;
  if (argc != 2) {
    fprintf(stderr, "usage: %s <porous.safetensors>\n", argv[0]);
    return 2;
  }
  for (int i = 0; i < CELLS; i++)
    weights[i] = dx;
  fill(truth);
  fill(alone);
  fill(lawful);
  const double held = mass(truth);

  pcml_model *model;
  pcml_options *options;
  pcml_plan *plan;
  pcml_workspace *scratch, *projection;
  pcml_constraints *constraints;
  pcml_projector *projector;
  check(pcml_model_load(argv[1], &model));
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, CELLS));
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  check(pcml_plan_workspace(plan, &scratch));

  const pcml_const_array volumes = input(weights, CELLS);
  check(pcml_constraints_create(CELLS, &constraints));
  check(pcml_constraints_add_row(constraints, &volumes, 0.0));
  check(pcml_projector_create(constraints, PCML_PRIOR_IDENTITY, NULL, &projector));
  check(pcml_bounded_workspace(projector, 1, &projection));
  const pcml_const_array mean = input(lawful, CELLS), b = input(&held, 1), lower = input(zeros, CELLS);
  const pcml_array posterior = output(lawful, CELLS);

  printf("      surrogate alone                 lawful\n");
  printf("step  error %%   mass %%      least    error %%  mass eps     least\n");
  for (int step = 1; step <= STEPS; step++) {
    solve(truth);
    predict(plan, scratch, padded_alone);
    predict(plan, scratch, padded_lawful);
    check(pcml_bounded_project(projector, projection, &mean, NULL, &b, &lower, NULL, &posterior, NULL));
    const double off = fabs(mass(lawful) - held) / (DBL_EPSILON * held);
    claim(off <= 4.0, "the mass");
    claim(least(lawful) >= 0.0, "no negative value");
    if (step % TOLD == 0)
      printf("%4d %8.3f %8.4f %10.6f   %8.3f %9d %10.6f\n", step, error(alone, truth), 100.0 * (mass(alone) - held) / held, least(alone),
             error(lawful, truth), (int)(off + 0.5), least(lawful));
  }
  mix(&bits, truth, CELLS);
  mix(&bits, alone, CELLS);
  mix(&bits, lawful, CELLS);

  pcml_workspace_free(projection);
  pcml_projector_free(projector);
  pcml_constraints_free(constraints);
  pcml_workspace_free(scratch);
  pcml_plan_free(plan);
  pcml_options_free(options);
  pcml_model_free(model);
  printf("bits %016llX\n", (unsigned long long)bits);
  return failures != 0;
}
