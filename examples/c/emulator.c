/* A learned scheme for the mixing of air in columns, that loses no heat: a deep ensemble in place of a solver.

       emulator columns.safetensors

   A host calls its column physics for many columns at once. Here five networks stand in for it (examples/training/columns.py says what they
   learned). What they disagree on is a covariance of rank five beside their own variances; in that metric the change of temperature is
   projected onto the heat that came in through the ground, so that layers of which the ensemble is sure move least. Compared with the
   solver itself, in this file. Exits with 1 unless every column keeps its heat and the law costs no accuracy. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "common.h"

enum { LAYERS = 24, INPUTS = LAYERS + 2, MEMBERS = 5, COLUMNS = 2000, PARTS = 10 };

static const double step = 900.0, rho_cp = 1200.0;
static double thickness[LAYERS], centre[LAYERS], top[LAYERS];

static double uniform(uint64_t *state, double low, double high) {
  return low + (high - low) * random_integer(state) / 9007199254740992.0;
}

/* The columns' layers, from the ground up. */
static void lay(void) {
  double height = 0.0;
  for (int k = 0; k < LAYERS; k++) {
    thickness[k] = 20.0 * pow(1.12, k);
    height += thickness[k];
    top[k] = height;
    centre[k] = height - 0.5 * thickness[k];
  }
}

/* Columns of the kind that the ensemble has learned: theta, wind, flux. */
static void draw(uint64_t *state, double *x) {
  const double depth = uniform(state, 50.0, 900.0), jump = uniform(state, 0.0, 6.0), lapse = uniform(state, 0.001, 0.008);
  const double near = uniform(state, -3.0, 4.0), scale = uniform(state, 20.0, 150.0), base = uniform(state, 285.0, 295.0);
  for (int k = 0; k < LAYERS; k++) {
    const double above = fmax(centre[k] - depth, 0.0);
    double noise = 0.0;
    for (int i = 0; i < 12; i++)
      noise += uniform(state, -0.5, 0.5);
    x[k] = base + near * exp(-centre[k] / scale) + jump * (1.0 - exp(-above / 60.0)) + lapse * above + 0.05 * noise;
  }
  x[LAYERS] = uniform(state, 0.5, 15.0);
  x[LAYERS + 1] = uniform(state, -80.0, 350.0);
}

/* The solver: implicit steps in flux form. */
static void solve(const double *x, double *change) {
  double theta[LAYERS], lower[LAYERS], upper[LAYERS], diagonal[LAYERS];
  const double dt = step / PARTS;
  memcpy(theta, x, sizeof theta);
  for (int part = 0; part < PARTS; part++) {
    lower[0] = upper[LAYERS - 1] = 0.0;
    for (int k = 0; k + 1 < LAYERS; k++) {
      const double apart = centre[k + 1] - centre[k], slope = (theta[k + 1] - theta[k]) / apart / 0.005;
      const double shape = slope > 0.0 ? 1.0 / ((1.0 + slope) * (1.0 + slope)) : 1.0 + 4.0 * fmin(-slope, 4.0);
      const double mixing = 0.1 + x[LAYERS] * 0.4 * top[k] * exp(-top[k] / 250.0) / 10.0 * shape;
      const double exchange = mixing / apart * dt;
      lower[k + 1] = -exchange / thickness[k + 1];
      upper[k] = -exchange / thickness[k];
    }
    theta[0] += x[LAYERS + 1] / rho_cp * dt / thickness[0];
    for (int k = 0; k < LAYERS; k++)
      diagonal[k] = 1.0 - lower[k] - upper[k];
    for (int k = 1; k < LAYERS; k++) {
      const double factor = lower[k] / diagonal[k - 1];
      diagonal[k] -= factor * upper[k - 1];
      theta[k] -= factor * theta[k - 1];
    }
    theta[LAYERS - 1] /= diagonal[LAYERS - 1];
    for (int k = LAYERS - 2; k >= 0; k--)
      theta[k] = (theta[k] - upper[k] * theta[k + 1]) / diagonal[k];
  }
  for (int k = 0; k < LAYERS; k++)
    change[k] = theta[k] - x[k];
}

/* A row of the table; the root mean square error. */
static double row(const char *name, const double *u, const double *truth, const double *heat, double *worst) {
  double square = 0.0;
  *worst = 0.0;
  for (int c = 0; c < COLUMNS; c++) {
    double sum = 0.0;
    for (int k = 0; k < LAYERS; k++) {
      const double off = u[c * LAYERS + k] - truth[c * LAYERS + k];
      square += off * off / (COLUMNS * LAYERS);
      sum += thickness[k] * u[c * LAYERS + k];
    }
    *worst = fmax(*worst, fabs(sum - heat[c]));
  }
  printf("%-28s %14.2e %12.5f\n", name, *worst * rho_cp / step, sqrt(square));
  return sqrt(square);
}

static pcml_const_array input_of(const double *data, int64_t rows, int64_t columns) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 2, {rows, columns}, {columns, 1}};
  return a;
}

static pcml_array output_of(double *data, int64_t rows, int64_t columns) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 2, {rows, columns}, {columns, 1}};
  return a;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: emulator MODEL\n");
    return 2;
  }
  static double x[COLUMNS * INPUTS], truth[COLUMNS * LAYERS], mean[COLUMNS * LAYERS], u[COLUMNS * LAYERS], plain[COLUMNS * LAYERS];
  static double low_rank[COLUMNS * (1 + MEMBERS) * LAYERS], heat[COLUMNS];
  uint64_t state = 7;
  lay();
  for (int c = 0; c < COLUMNS; c++) {
    draw(&state, x + c * INPUTS);
    heat[c] = x[c * INPUTS + LAYERS + 1] * step / rho_cp;
  }
  const clock_t start = clock();
  for (int c = 0; c < COLUMNS; c++)
    solve(x + c * INPUTS, truth + c * LAYERS);
  const clock_t solved = clock();

  /* The ensemble, for all columns in one call. */
  pcml_model *model;
  pcml_options *options;
  pcml_plan *plan;
  pcml_workspace *workspace;
  int64_t members;
  check(pcml_model_load(argv[1], &model));
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, COLUMNS));
  check(pcml_plan_create(model, PCML_DTYPE_F32, options, &plan));
  check(pcml_plan_workspace(plan, &workspace));
  check(pcml_plan_members(plan, &members));
  if (!claim(members == MEMBERS, "an ensemble of five"))
    return 1;
  pcml_const_array columns = input_of(x, COLUMNS, INPUTS);
  pcml_array to_mean = output_of(mean, COLUMNS, LAYERS);
  pcml_array to_low_rank = {sizeof to_low_rank, low_rank, PCML_DTYPE_F64, 3, {COLUMNS, 1 + MEMBERS, LAYERS}, {(1 + MEMBERS) * LAYERS, LAYERS, 1}};

  /* One law for all columns: their layers, weighted by thickness, sum to the heat. */
  pcml_constraints *law;
  pcml_projector *by_ensemble, *by_identity;
  pcml_workspace *scratch, *other;
  pcml_const_array g = input(thickness, LAYERS), b = input(heat, COLUMNS);
  check(pcml_constraints_create(LAYERS, &law));
  check(pcml_constraints_add_row(law, &g, 0.0));
  check(pcml_options_set_prior_size(options, MEMBERS));
  check(pcml_projector_create(law, PCML_PRIOR_LOW_RANK, options, &by_ensemble));
  check(pcml_projector_workspace(by_ensemble, COLUMNS, &scratch));
  check(pcml_projector_create(law, PCML_PRIOR_IDENTITY, NULL, &by_identity));
  check(pcml_projector_workspace(by_identity, COLUMNS, &other));
  pcml_const_array prior = {sizeof prior, low_rank, PCML_DTYPE_F64, 3, {COLUMNS, 1 + MEMBERS, LAYERS}, {(1 + MEMBERS) * LAYERS, LAYERS, 1}};
  pcml_const_array from_mean = input_of(mean, COLUMNS, LAYERS);
  pcml_array to_u = output_of(u, COLUMNS, LAYERS), to_plain = output_of(plain, COLUMNS, LAYERS);

  const clock_t planned = clock();
  check(pcml_plan_predict_factors(plan, workspace, &columns, NULL, 0, &to_mean, &to_low_rank));
  const clock_t predicted = clock();
  check(pcml_projector_project(by_ensemble, scratch, &from_mean, &prior, &b, &to_u, NULL, NULL));
  const clock_t done = clock();
  check(pcml_projector_project(by_identity, other, &from_mean, NULL, &b, &to_plain, NULL, NULL));

  /* Hosts keep temperature, wind and flux apart: fields are read where they lie, here in sections of x. */
  static double from_fields[COLUMNS * LAYERS];
  const pcml_const_array fields[3] = {
      {sizeof *fields, x, PCML_DTYPE_F64, 2, {COLUMNS, LAYERS}, {INPUTS, 1}},
      {sizeof *fields, x + LAYERS, PCML_DTYPE_F64, 1, {COLUMNS}, {INPUTS}},
      {sizeof *fields, x + LAYERS + 1, PCML_DTYPE_F64, 1, {COLUMNS}, {INPUTS}},
  };
  const pcml_array to_fields = output_of(from_fields, COLUMNS, LAYERS);
  check(pcml_plan_predict_fields(plan, workspace, fields, 3, NULL, 0, &to_fields, 1));
  claim(memcmp(from_fields, mean, sizeof mean) == 0, "separate fields give the same");

  printf("%-28s %14s %12s\n", "change of temperature", "heat off W/m2", "error K");
  double worst[3];
  const double before = row("ensemble", mean, truth, heat, worst);
  row("and heat, every layer alike", plain, truth, heat, worst + 1);
  const double after = row("and heat, where unsure", u, truth, heat, worst + 2);
  int inside = 0;
  for (int c = 0; c < COLUMNS; c++)
    for (int k = 0; k < LAYERS; k++) {
      double variance = low_rank[c * (1 + MEMBERS) * LAYERS + k];
      for (int m = 1; m <= MEMBERS; m++)
        variance += pow(low_rank[(c * (1 + MEMBERS) + m) * LAYERS + k], 2.0);
      const double off = mean[c * LAYERS + k] - truth[c * LAYERS + k];
      inside += off * off < 4.0 * variance;
    }
  printf("the truth is within two deviations in %.1f%% of the layers\n", 100.0 * inside / (COLUMNS * LAYERS));
  const double us = 1e6 / CLOCKS_PER_SEC / COLUMNS;
  printf("us a column: solver %.2f, ensemble %.2f, law %.2f\n", (double)(solved - start) * us, (double)(predicted - planned) * us,
         (double)(done - predicted) * us);
  claim(worst[0] > 1.0, "there was heat to mend");
  claim(worst[2] < 1e-9, "every column keeps its heat");
  claim(after <= before, "the law costs no accuracy here");
  printf(failures ? "something does not hold\n" : "every column keeps its heat\n");

  pcml_workspace_free(other);
  pcml_workspace_free(scratch);
  pcml_projector_free(by_identity);
  pcml_projector_free(by_ensemble);
  pcml_constraints_free(law);
  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_options_free(options);
  pcml_model_free(model);
  return failures ? 1 : 0;
}
