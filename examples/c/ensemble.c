/* A forecast ensemble as the metric: cells that vary together are corrected together, without a matrix of cells by cells.

       ensemble

   Forty forecasts of a temperature profile differ in a smooth way. Their mean gets the column's heat content that was measured, and
   readings at three levels with their error. With the ensemble as prior the readings spread to the levels that vary with theirs; with
   the members' variances alone they stay where they are. Exits with 1 unless both laws hold and the ensemble's answer is the nearer to the truth. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pcml.h>

#include "common.h"

enum { CELLS = 120, MEMBERS = 40, READINGS = 3 };

/* A forecast: amplitudes of a few smooth patterns, drawn anew for each member. */
static void forecast(double *u, uint64_t *state) {
  double amplitude[4];
  for (int k = 0; k < 4; k++) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    amplitude[k] = (double)(*state >> 11) / 9007199254740992.0 - 0.5;
  }
  for (int i = 0; i < CELLS; i++) {
    double x = (i + 0.5) / CELLS;
    u[i] = 285.0 - 60.0 * x + 6.0 * amplitude[0] + 8.0 * amplitude[1] * cos(3.0 * x) + 6.0 * amplitude[2] * sin(7.0 * x) +
           4.0 * amplitude[3] * cos(12.0 * x);
  }
}

int main(void) {
  static double members[MEMBERS][CELLS], mean[CELLS], variance[CELLS], truth[CELLS], weights[CELLS];
  static double u[CELLS], posterior_variance[CELLS];
  uint64_t state = 4;
  for (int k = 0; k < MEMBERS; k++)
    forecast(members[k], &state);
  forecast(truth, &state);
  const int64_t levels[READINGS] = {20, 60, 100};
  double b[1 + READINGS] = {0.0};
  for (int k = 0; k < READINGS; k++)
    b[1 + k] = truth[levels[k]];
  for (int i = 0; i < CELLS; i++) {
    for (int k = 0; k < MEMBERS; k++)
      mean[i] += members[k][i] / MEMBERS;
    for (int k = 0; k < MEMBERS; k++)
      variance[i] += (members[k][i] - mean[i]) * (members[k][i] - mean[i]) / (MEMBERS - 1);
    weights[i] = exp(-1.5 * i / CELLS) / CELLS;
    b[0] += weights[i] * truth[i];
  }

  pcml_constraints *laws;
  check(pcml_constraints_create(CELLS, &laws));
  pcml_const_array g = input(weights, CELLS);
  check(pcml_constraints_add_row(laws, &g, 0.0));
  double one = 1.0, noise_variance = 0.01;
  check(pcml_constraints_add_stencils(laws, READINGS, 1, levels, &one, 1, noise_variance));
  pcml_options *options;
  check(pcml_options_create(&options));
  check(pcml_options_set_prior_size(options, MEMBERS));

  const int32_t priors[2] = {PCML_PRIOR_DIAGONAL, PCML_PRIOR_ENSEMBLE};
  const char *names[2] = {"variances", "ensemble"};
  double error[2], before = 0.0, deviation_before = 0.0;
  int good = 1;
  for (int i = 0; i < CELLS; i++) {
    before += (mean[i] - truth[i]) * (mean[i] - truth[i]) / CELLS;
    deviation_before += sqrt(variance[i]) / CELLS;
  }
  printf("forecast   error %.3f K, deviation %.3f K\n", sqrt(before), deviation_before);
  pcml_const_array forecasts = {sizeof forecasts, members, PCML_DTYPE_F64, 2, {MEMBERS, CELLS}, {CELLS, 1}};
  for (int k = 0; k < 2; k++) {
    pcml_projector *projector;
    pcml_workspace *workspace;
    pcml_report *report;
    check(pcml_projector_create(laws, priors[k], options, &projector));
    check(pcml_projector_workspace(projector, 1, &workspace));
    check(pcml_projector_report(projector, 1, &report));
    pcml_const_array a = input(mean, CELLS), values = input(b, 1 + READINGS);
    pcml_const_array v = k == 0 ? input(variance, CELLS) : forecasts;
    pcml_array to = output(u, CELLS), to_variance = output(posterior_variance, CELLS);
    check(pcml_projector_project(projector, workspace, &a, &v, &values, &to, &to_variance, report));
    double heat, deviation = 0.0, square = 0.0;
    check(pcml_report_value(report, PCML_REPORT_ITEM_RESIDUAL_AFTER, 0, 0, &heat));
    for (int i = 0; i < CELLS; i++) {
      square += (u[i] - truth[i]) * (u[i] - truth[i]) / CELLS;
      deviation += sqrt(posterior_variance[i]) / CELLS;
      good &= posterior_variance[i] <= variance[i] * (1.0 + 1e-12);
    }
    error[k] = sqrt(square);
    printf("%-10s error %.3f K, deviation %.3f K; heat content off by %.1e\n", names[k], error[k], deviation, heat);
    good &= fabs(heat) < 1e-12;
    for (int j = 0; j < READINGS; j++)
      good &= fabs(u[levels[j]] - truth[levels[j]]) < 0.3;
    pcml_report_free(report);
    pcml_workspace_free(workspace);
    pcml_projector_free(projector);
  }
  pcml_options_free(options);
  pcml_constraints_free(laws);
  good &= error[1] < 0.5 * error[0];
  printf(good ? "what varies together was corrected together\n" : "something does not hold\n");
  return good ? 0 : 1;
}
