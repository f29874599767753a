/* A few noisy measurements become a profile with its uncertainty, and the profile a lawful one: no file, no training beforehand.

       calibrate

   A tracer was released in a channel; how much is known exactly, where it is only from twelve samples with noise. A Gaussian process is
   made from the host's arrays, its hyperparameters are fitted to the samples, and the whole covariance of its posterior is the metric in
   which the profile gets its mass: the same as conditioning the process on samples and mass together. At last no cell is below zero.
   Exits with 1 unless mass and bound hold, nothing lost by it, and the fit raised the likelihood. */
#include <math.h>

#include "common.h"

enum { CELLS = 80, SAMPLES = 12 };

static const double length = 40.0, error = 0.03;

static double concentration(double x) {
  return exp(-0.5 * (x - 13.0) * (x - 13.0) / 9.0) + 0.5 * exp(-0.5 * (x - 24.0) * (x - 24.0) / 16.0);
}

static double amount(const double *u) {
  double sum = 0.0;
  for (int i = 0; i < CELLS; i++)
    sum += u[i] * length / CELLS;
  return sum;
}

/* A row of the table; the error against the truth. */
static double row(const char *name, const double *u, const double *variance, double mass, const double *truth) {
  double square = 0.0, least = INFINITY, deviation = 0.0;
  for (int i = 0; i < CELLS; i++) {
    square += (u[i] - truth[i]) * (u[i] - truth[i]) / CELLS;
    least = fmin(least, u[i]);
    if (variance)
      deviation += sqrt(variance[i]) / CELLS;
  }
  printf("%-22s %11.2e %9.4f %9.4f", name, amount(u) - mass, least, sqrt(square));
  if (variance)
    printf(" %10.4f", deviation);
  printf("\n");
  return sqrt(square);
}

int main(void) {
  double x[SAMPLES], y[SAMPLES], cells[CELLS], truth[CELLS], weights[CELLS], lower[CELLS];
  static double mean[CELLS], covariance[CELLS * CELLS], variance[CELLS], u[CELLS], v[CELLS], positive[CELLS];
  uint64_t state = 1;
  for (int i = 0; i < SAMPLES; i++) {
    double noise = 0.0;
    for (int k = 0; k < 12; k++)
      noise += random_integer(&state) / 9007199254740992.0 - 0.5;
    x[i] = length * (i + 0.5) / SAMPLES;
    y[i] = concentration(x[i]) + error * noise;
  }
  for (int i = 0; i < CELLS; i++) {
    cells[i] = length * (i + 0.5) / CELLS;
    truth[i] = concentration(cells[i]);
    weights[i] = length / CELLS;
    lower[i] = 0.0;
  }
  const double mass = amount(truth);

  /* The process: where it starts from, and the fit. The instrument's error is known and stays. */
  pcml_options *options;
  pcml_model *start, *model;
  const double first_guess = 5.0;
  check(pcml_options_create(&options));
  check(pcml_options_set_length_scales(options, 1, &first_guess));
  check(pcml_options_set_noise_variance(options, error * error));
  check(pcml_options_set_fitted(options, PCML_FITTED_SIGNAL_VARIANCE | PCML_FITTED_LENGTH_SCALES));
  check(pcml_options_set_context(options, SAMPLES));
  check(pcml_options_set_targets(options, CELLS));
  check(pcml_options_set_covariance(options, CELLS));
  check(pcml_model_gaussian_process(PCML_KERNEL_MATERN52, 1, 1, options, &start));
  pcml_const_array at = input(x, SAMPLES), values = input(y, SAMPLES), centres = input(cells, CELLS);
  pcml_fit_report told = {sizeof told, 0.0, 0.0, 0.0, 0, 0, 0, 0};
  check(pcml_model_fit(start, &at, &values, NULL, options, &model, &told));
  double hyper[4];
  check(pcml_model_hyperparameters(model, 4, hyper, NULL));
  printf("log-likelihood %.2f, fitted %.2f in %d iterations: signal deviation %.2f, length %.2f m\n", told.log_likelihood_before,
         told.log_likelihood, (int)told.iterations, sqrt(hyper[0]), hyper[2]);
  claim(told.converged && told.log_likelihood > told.log_likelihood_before, "the fit raises the likelihood");

  /* Conditioned on the samples: mean and covariance of the profile. */
  pcml_plan *plan;
  pcml_workspace *workspace;
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  check(pcml_plan_workspace(plan, &workspace));
  check(pcml_plan_condition(plan, workspace, &at, &values));
  pcml_array to_mean = output(mean, CELLS);
  pcml_array to_covariance = {sizeof to_covariance, covariance, PCML_DTYPE_F64, 2, {CELLS, CELLS}, {CELLS, 1}};
  check(pcml_plan_covariance(plan, workspace, &centres, &to_mean, &to_covariance));
  for (int i = 0; i < CELLS; i++)
    variance[i] = covariance[i * CELLS + i];

  /* The mass, in the metric of that covariance. */
  pcml_constraints *law;
  pcml_projector *dense, *diagonal;
  pcml_workspace *scratch, *bounded;
  pcml_const_array g = input(weights, CELLS), b = input(&mass, 1), prior_mean = input(mean, CELLS);
  pcml_const_array prior = {sizeof prior, covariance, PCML_DTYPE_F64, 2, {CELLS, CELLS}, {CELLS, 1}};
  check(pcml_constraints_create(CELLS, &law));
  check(pcml_constraints_add_row(law, &g, 0.0));
  check(pcml_projector_create(law, PCML_PRIOR_DENSE, NULL, &dense));
  check(pcml_projector_workspace(dense, 1, &scratch));
  pcml_array to_u = output(u, CELLS), to_v = output(v, CELLS);
  check(pcml_projector_project(dense, scratch, &prior_mean, &prior, &b, &to_u, &to_v, NULL));

  /* No cell below zero, with the variances that are left as the metric, the mass kept. */
  pcml_const_array lawful = input(u, CELLS), left = input(v, CELLS), zero = input(lower, CELLS);
  pcml_array to_positive = output(positive, CELLS);
  check(pcml_projector_create(law, PCML_PRIOR_DIAGONAL, NULL, &diagonal));
  check(pcml_bounded_workspace(diagonal, 1, &bounded));
  check(pcml_bounded_project(diagonal, bounded, &lawful, &left, &b, &zero, NULL, &to_positive, NULL));

  printf("%-22s %11s %9s %9s %10s\n", "profile", "mass off", "lowest", "error", "deviation");
  double errors[3];
  errors[0] = row("process", mean, variance, mass, truth);
  errors[1] = row("and mass", u, v, mass, truth);
  errors[2] = row("and not below zero", positive, NULL, mass, truth);
  claim(fabs(amount(mean) - mass) > 1e-3, "there was a mass to mend");
  claim(fabs(amount(u) - mass) < 1e-13 * mass && fabs(amount(positive) - mass) < 1e-13 * mass, "the mass is kept");
  for (int i = 0; i < CELLS; i++) {
    claim(positive[i] >= 0.0, "no cell is below zero");
    claim(v[i] <= variance[i] * (1.0 + 1e-12), "no variance grows");
  }
  claim(errors[1] <= errors[0] && errors[2] <= errors[1], "here the laws help");
  printf(failures ? "something does not hold\n" : "mass and bound hold\n");

  pcml_workspace_free(bounded);
  pcml_workspace_free(scratch);
  pcml_projector_free(diagonal);
  pcml_projector_free(dense);
  pcml_constraints_free(law);
  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_model_free(model);
  pcml_model_free(start);
  pcml_options_free(options);
  return failures ? 1 : 0;
}
