/* Atmospheric columns made to keep water and energy, with a condition at the ground.

       columns

   Eight columns of 24 levels hold temperature, vapour and condensate. A surrogate's step is wrong by a little everywhere. Water and
   moist energy must be what they were plus what came through top and ground, and the temperature must leave the ground with a
   given slope; the surrogate's variance says where the correction goes. Then humidity and condensate are also kept from falling
   below 0. Last, what a caller gets whose laws contradict each other. Exits with 1 unless all that is printed was found to be so. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pcml.h>

#include "common.h"

enum { COLUMNS = 8, LEVELS = 24, FIELDS = 3, CELLS = FIELDS * LEVELS, ROWS = 3, TERMS = 2 };
enum { TEMPERATURE = 0, VAPOUR = LEVELS, CONDENSATE = 2 * LEVELS };

static const char *const row_names[ROWS] = {"water, kg/m2", "moist energy, J/m2", "slope at ground, K/km"};
static const char *const field_names[FIELDS] = {"temperature, K", "vapour, kg/kg", "condensate, kg/kg"};
static const double gravity = 9.80665, heat = 1004.6, latent = 2.501e6, lapse = 6.5, dt = 1800.0;

/* Uniform in (-1, 1). */
static double noise(void) {
  static uint64_t state = 24;
  return random_integer(&state) / 4503599627370496.0 - 1.0;
}

static pcml_const_array table(const double *data, int64_t count) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 2, {COLUMNS, count}, {count, 1}};
  return a;
}

static pcml_array out(double *data, int64_t count) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 2, {COLUMNS, count}, {count, 1}};
  return a;
}

static double value(const pcml_report *report, int32_t item, int64_t column, int64_t row) {
  double v;
  check(pcml_report_value(report, item, column, row, &v));
  return v;
}

static double depth[LEVELS];
static double weights[ROWS][CELLS];

/* Row by row, in long double and by this program's own weights. */
static void residuals(const double *u, const double *b, double *r) {
  for (int c = 0; c < COLUMNS; c++)
    for (int k = 0; k < ROWS; k++) {
      long double sum = -(long double)b[c * ROWS + k];
      for (int i = 0; i < CELLS; i++)
        sum += (long double)weights[k][i] * u[c * CELLS + i];
      r[c * ROWS + k] = (double)sum;
    }
}

static double largest(const double *values, int count, int stride) {
  double most = 0.0;
  for (int i = 0; i < count; i++)
    most = fmax(most, fabs(values[i * stride]));
  return most;
}

/* What a call did to each row over all columns; every number of the report against this program's own. */
static void print_rows(const pcml_report *report, const double *mean, const double *u, const double *b) {
  double before[COLUMNS * ROWS], after[COLUMNS * ROWS];
  residuals(mean, b, before);
  residuals(u, b, after);
  printf("%-24s %-18s %s\n", "row", "largest before", "largest after");
  for (int k = 0; k < ROWS; k++) {
    double told_before = 0.0, told_after = 0.0;
    for (int c = 0; c < COLUMNS; c++) {
      double tolerance = value(report, PCML_REPORT_ITEM_TOLERANCE, c, k);
      told_before = fmax(told_before, fabs(value(report, PCML_REPORT_ITEM_RESIDUAL_BEFORE, c, k)));
      told_after = fmax(told_after, fabs(value(report, PCML_REPORT_ITEM_RESIDUAL_AFTER, c, k)));
      claim(value(report, PCML_REPORT_ITEM_DROPPED, c, k) == 0.0, "every row takes part");
      claim(fabs(value(report, PCML_REPORT_ITEM_RESIDUAL_AFTER, c, k)) <= tolerance, "rows hold by the report");
      claim(fabs(after[c * ROWS + k]) <= 10.0 * tolerance, "rows hold by this program's sums");
    }
    claim(fabs(largest(before + k, COLUMNS, ROWS) - told_before) <= 1e-9 * told_before, "residuals before are right");
    printf("%-24s %-18.3e %.3e\n", row_names[k], told_before, told_after);
  }
  for (int f = 0; f < FIELDS; f++) {
    double most = 0.0;
    for (int c = 0; c < COLUMNS; c++)
      for (int i = f * LEVELS; i < (f + 1) * LEVELS; i++)
        most = fmax(most, fabs(u[c * CELLS + i] - mean[c * CELLS + i]));
    printf("largest correction of %-18s %.3e\n", field_names[f], most);
  }
  for (int c = 0; c < COLUMNS; c++) {
    int cell = (int)value(report, PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL, c, 0);
    double told = value(report, PCML_REPORT_ITEM_LARGEST_CORRECTION, c, 0);
    double own = fabs(u[c * CELLS + cell] - mean[c * CELLS + cell]);
    claim(fabs(told - own) <= 1e-12 * own, "the largest correction is where the report says");
  }
}

static double lowest_humidity(const double *u) {
  double least = INFINITY;
  for (int c = 0; c < COLUMNS; c++)
    for (int i = VAPOUR; i < CELLS; i++)
      least = fmin(least, u[c * CELLS + i]);
  return least;
}

int main(void) {
  static double previous[COLUMNS * CELLS], predicted[COLUMNS * CELLS], variance[COLUMNS * CELLS];
  static double posterior[COLUMNS * CELLS], narrowed[COLUMNS * CELLS], bounded[COLUMNS * CELLS];
  static double rates[COLUMNS * ROWS * TERMS], b[COLUMNS * ROWS], lower[CELLS], untouched[COLUMNS * CELLS];

  /* Levels from top to ground, closer near the ground; mass of a level from its thickness in pressure. */
  double pressure[LEVELS + 1];
  for (int i = 0; i <= LEVELS; i++) {
    double s = (double)i / LEVELS;
    pressure[i] = 1e4 + 9e4 * s * (1.5 - 0.5 * s);
  }
  for (int i = 0; i < LEVELS; i++) {
    double middle = 0.5 * (pressure[i] + pressure[i + 1]), mass = (pressure[i + 1] - pressure[i]) / gravity;
    depth[i] = 18.0 + 7.5 * log(middle / 1e5);
    weights[0][VAPOUR + i] = weights[0][CONDENSATE + i] = mass;
    weights[1][TEMPERATURE + i] = mass * heat;
    weights[1][VAPOUR + i] = mass * latent;
    lower[TEMPERATURE + i] = -INFINITY;
  }
  /* The slope through the last three levels, this program's own for the comparison. */
  double h1 = depth[LEVELS - 1] - depth[LEVELS - 2], h2 = depth[LEVELS - 1] - depth[LEVELS - 3];
  weights[2][LEVELS - 1] = 1.0 / h1 + 1.0 / h2;
  weights[2][LEVELS - 2] = -h2 / (h1 * (h2 - h1));
  weights[2][LEVELS - 3] = h1 / (h2 * (h2 - h1));

  for (int c = 0; c < COLUMNS; c++) {
    double warm = 300.0 - 3.0 * c;
    for (int i = 0; i < LEVELS; i++) {
      double s = (depth[i] - depth[0]) / (depth[LEVELS - 1] - depth[0]);
      double *u = previous + c * CELLS, *p = predicted + c * CELLS, *v = variance + c * CELLS;
      u[TEMPERATURE + i] = fmax(210.0, warm - lapse * (depth[LEVELS - 1] - depth[i]));
      u[VAPOUR + i] = 0.016 * exp(-0.07 * (300.0 - u[TEMPERATURE + i])) * (0.4 + 0.5 * s);
      u[CONDENSATE + i] = s > 0.5 && s < 0.8 ? 2e-4 * (1.0 + 0.1 * c) : 0.0;
      double sigma[FIELDS] = {0.4 + 0.3 * s, 0.03 * u[VAPOUR + i] + 2e-6, 0.2 * u[CONDENSATE + i] + 1e-6};
      for (int f = 0; f < FIELDS; f++) {
        v[f * LEVELS + i] = sigma[f] * sigma[f];
        p[f * LEVELS + i] = u[f * LEVELS + i] + 1.5 * sigma[f] * noise() + 0.2 * sigma[f];
      }
    }
    /* Evaporation and rain, kg/m2/s; what energy they and radiation bring, W/m2; the slope is not a balance. */
    double *r = rates + c * ROWS * TERMS, evaporation = 4e-5 * (1.0 - 0.05 * c), rain = 3e-5;
    r[0 * TERMS + 0] = evaporation;
    r[0 * TERMS + 1] = -rain;
    r[1 * TERMS + 0] = latent * evaporation;
    r[1 * TERMS + 1] = 20.0 - 110.0;
  }

  pcml_constraints *laws = NULL;
  pcml_projector *projector = NULL;
  pcml_workspace *workspace = NULL, *bounded_workspace = NULL;
  pcml_report *report = NULL;
  pcml_const_array water = input(weights[0], CELLS), energy = input(weights[1], CELLS), axis = input(depth, LEVELS);
  pcml_const_array before = table(previous, CELLS), mean = table(predicted, CELLS), spread = table(variance, CELLS);
  pcml_const_array gains = {sizeof gains, rates, PCML_DTYPE_F64, 3, {COLUMNS, ROWS, TERMS}, {ROWS * TERMS, TERMS, 1}};
  pcml_const_array level = table(b, ROWS), result = table(posterior, CELLS), floor_of = input(lower, CELLS);
  pcml_array level_out = out(b, ROWS), mean_out = out(posterior, CELLS), spread_out = out(narrowed, CELLS);
  pcml_array bounded_out = out(bounded, CELLS);
  int32_t ground = 1;
  check(pcml_constraints_create(CELLS, &laws));
  check(pcml_constraints_add_row(laws, &water, 0.0));
  check(pcml_constraints_add_row(laws, &energy, 0.0));
  check(pcml_constraints_add_boundary(laws, &axis, 1, TEMPERATURE, &ground, 0, 0.0, 1.0, 2, 0.0));
  check(pcml_projector_create(laws, PCML_PRIOR_DIAGONAL, NULL, &projector));
  pcml_constraints_free(laws);
  check(pcml_projector_workspace(projector, COLUMNS, &workspace));
  check(pcml_projector_report(projector, COLUMNS, &report));

  check(pcml_projector_budget(projector, workspace, &before, &gains, dt, &level_out));
  double moved[COLUMNS * ROWS];
  residuals(previous, b, moved);
  for (int c = 0; c < COLUMNS; c++) {
    double rain_and_evaporation = dt * (rates[c * ROWS * TERMS] + rates[c * ROWS * TERMS + 1]);
    claim(fabs(moved[c * ROWS] + rain_and_evaporation) < 1e-12, "the water budget is the old water and the fluxes");
    b[c * ROWS + 2] = lapse + 0.1 * c;
  }

  printf("%d columns of %d levels: %d cells, %d rows each\n\n", COLUMNS, LEVELS, CELLS, ROWS);
  check(pcml_projector_project(projector, workspace, &mean, &spread, &level, &mean_out, &spread_out, report));
  print_rows(report, predicted, posterior, b);
  for (int i = 0; i < COLUMNS * CELLS; i++)
    claim(narrowed[i] <= variance[i], "no variance grows");
  check(pcml_projector_check(projector, workspace, &result, &level, report));
  int holding = 0;
  for (int c = 0; c < COLUMNS; c++)
    holding += value(report, PCML_REPORT_ITEM_UNCHANGED, c, 0) == 1.0;
  claim(holding == COLUMNS, "the check finds that all columns hold");
  printf("check: %d of %d columns hold\n", holding, COLUMNS);

  claim(lowest_humidity(predicted) < 0.0 && lowest_humidity(posterior) < 0.0, "there is something to bound");
  check(pcml_bounded_workspace(projector, COLUMNS, &bounded_workspace));
  check(pcml_bounded_project(projector, bounded_workspace, &mean, &spread, &level, &floor_of, NULL, &bounded_out, report));
  printf("\nvapour and condensate kept at 0 or above: lowest %.1e predicted, %.1e lawful, %.1e lawful and bounded\n",
         lowest_humidity(predicted), lowest_humidity(posterior), lowest_humidity(bounded));
  print_rows(report, predicted, bounded, b);
  printf("cells at their bound, by column:");
  for (int c = 0; c < COLUMNS; c++) {
    int at_bound = 0;
    for (int i = VAPOUR; i < CELLS; i++)
      at_bound += bounded[c * CELLS + i] == 0.0;
    claim(value(report, PCML_REPORT_ITEM_ACTIVE_LOWER, c, 0) == at_bound, "active bounds are the cells at 0");
    claim(value(report, PCML_REPORT_ITEM_RELAXED, c, 0) == 0.0, "no bound yields");
    printf(" %d", at_bound);
  }
  claim(lowest_humidity(bounded) >= 0.0, "nothing is below 0");
  pcml_const_array kept = table(bounded, CELLS);
  check(pcml_bounded_check(projector, bounded_workspace, &kept, &level, &floor_of, NULL, report));
  holding = 0;
  for (int c = 0; c < COLUMNS; c++)
    holding += value(report, PCML_REPORT_ITEM_UNCHANGED, c, 0) == 1.0;
  claim(holding == COLUMNS, "the check finds that all columns hold within their bounds");
  printf("\ncheck: %d of %d columns hold within their bounds\n", holding, COLUMNS);
  pcml_workspace_free(bounded_workspace);
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_report_free(report);

  /* Water in all, and vapour and condensate apart: the third row follows from the others, and in column 5 it does not. */
  static double vapour[CELLS], condensate[CELLS];
  memcpy(vapour + VAPOUR, weights[0] + VAPOUR, LEVELS * sizeof *vapour);
  memcpy(condensate + CONDENSATE, weights[0] + CONDENSATE, LEVELS * sizeof *condensate);
  pcml_const_array vapour_row = input(vapour, CELLS), condensate_row = input(condensate, CELLS);
  check(pcml_constraints_create(CELLS, &laws));
  check(pcml_constraints_add_row(laws, &vapour_row, 0.0));
  check(pcml_constraints_add_row(laws, &condensate_row, 0.0));
  check(pcml_constraints_add_row(laws, &water, 0.0));
  check(pcml_projector_create(laws, PCML_PRIOR_DIAGONAL, NULL, &projector));
  pcml_constraints_free(laws);
  check(pcml_projector_workspace(projector, COLUMNS, &workspace));
  check(pcml_projector_report(projector, COLUMNS, &report));
  memset(rates, 0, sizeof rates);
  check(pcml_projector_budget(projector, workspace, &before, &gains, dt, &level_out));
  b[5 * ROWS + 2] += 1.0;
  for (int i = 0; i < COLUMNS * CELLS; i++)
    posterior[i] = narrowed[i] = untouched[i] = -777.0;
  int32_t status =
    pcml_projector_project(projector, workspace, &mean, &spread, &level, &mean_out, &spread_out, report);
  char text[512];
  int64_t slices;
  check(pcml_error_message(text, sizeof text, NULL));
  check(pcml_report_slices(report, &slices));
  int same = memcmp(posterior, untouched, sizeof untouched) == 0 && memcmp(narrowed, untouched, sizeof untouched) == 0;
  claim(status == PCML_STATUS_CONTRADICTION, "the contradiction is told");
  claim(strstr(text, "slice 5") != NULL, "the text names the column");
  claim(same && slices == 0, "outputs and report are as before");
  printf("\n1 kg/m2 too much in column 5: %s\n  %s\n", pcml_status_name(status), text);
  printf("outputs %s\n", same ? "untouched" : "WRITTEN");

  b[5 * ROWS + 2] -= 1.0;
  check(pcml_projector_project(projector, workspace, &mean, &spread, &level, &mean_out, &spread_out, report));
  for (int c = 0; c < COLUMNS; c++)
    claim(value(report, PCML_REPORT_ITEM_DROPPED, c, 2) == 1.0, "a row that agrees is dropped");
  printf("without it: lawful, the third row dropped as dependent\n");
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_report_free(report);
  return failures ? 1 : 0;
}
