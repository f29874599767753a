/* A surrogate's face fluxes made lawful on a small mesh, then an update that conserves.

       flux

   A channel of 12 x 4 cells carries a tracer from an inlet to an outlet between two walls. The "surrogate" is the right flow with
   errors of a few percent, and knows how unsure of each face it is; the walls it must not touch. The corrected flow closes every
   cell's balance. Then the tracer is carried for a while: by fluxes that a surrogate might predict for it, limited so that it stays
   between 0 and 1, and nothing is lost or made on the way. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <pcml.h>

#include "common.h"

enum { NX = 12, NY = 4, CELLS = NX * NY, MOST_FACES = 2 * CELLS + NX + NY, STEPS = 60 };

/* Uniform in (-1, 1). */
static double noise(void) {
  static uint64_t state = 7;
  return random_integer(&state) / 4503599627370496.0 - 1.0;
}

static int64_t owner[MOST_FACES], neighbour[MOST_FACES];
static double flow[MOST_FACES], variance[MOST_FACES];
static int faces;

/* A face from cell `from` (positive flux leaves it) to `to`, or to the outside (-1). */
static void add_face(int64_t from, int64_t to, double rate, double deviation) {
  owner[faces] = from;
  neighbour[faces] = to;
  flow[faces] = rate + deviation * noise();
  variance[faces] = deviation * deviation;
  faces++;
}

int main(void) {
  static double volumes[CELLS], tracer[CELLS], residual[CELLS], zero[CELLS], one[CELLS];
  static double predicted[MOST_FACES], upwind[MOST_FACES], limited[MOST_FACES];

  /* The right flow is 1 a face from left to right; between walls of which the surrogate is sure. */
  for (int64_t c = 0; c < CELLS; c++) {
    int64_t x = c % NX, y = c / NX;
    volumes[c] = 1.0;
    one[c] = 1.0;
    if (x == 0)
      add_face(c, -1, -1.0, 0.01);
    add_face(c, x + 1 < NX ? c + 1 : -1, 1.0, 0.05);
    if (y == 0)
      add_face(c, -1, 0.0, 0.0);
    add_face(c, y + 1 < NY ? c + NX : -1, 0.0, y + 1 < NY ? 0.03 : 0.0);
  }

  pcml_options *options;
  check(pcml_options_create(&options));
  check(pcml_options_set_held_faces(options, 1));
  pcml_const_array volume_array = input(volumes, CELLS);
  pcml_flux *flux;
  check(pcml_flux_create(faces, owner, neighbour, &volume_array, options, &flux));
  pcml_workspace *workspace;
  check(pcml_flux_workspace(flux, &workspace));

  /* In place: the flow closes every balance, with the least change in the metric of the surrogate's variance. */
  pcml_const_array flow_array = input(flow, faces), variance_array = input(variance, faces);
  pcml_array corrected = output(flow, faces), residuals = output(residual, CELLS);
  pcml_flux_report report = {.struct_size = sizeof report};
  check(pcml_flux_correct(flux, workspace, &flow_array, &variance_array, NULL, &corrected, &report));
  check(pcml_flux_residual(flux, workspace, &flow_array, NULL, &residuals));
  printf("largest residual    %9.2e -> %9.2e (cell %d)\n", report.residual_before, report.residual_after,
         (int)report.residual_after_cell);
  printf("correction          %9.2f standard deviations, at most %.3f (face %d)\n", report.correction_norm,
         report.largest_correction, (int)report.largest_correction_face);
  int walls = 1, balanced = 1;
  for (int f = 0; f < faces; f++)
    walls &= variance[f] != 0.0 || flow[f] == 0.0;
  for (int c = 0; c < CELLS; c++)
    balanced &= fabs(residual[c]) <= fabs(report.residual_after);

  /* A tracer in the flow: 1 at the inlet, none inside. Upwind fluxes keep it between 0 and 1; central ones, here with errors as a
     surrogate has them, do not, and are limited towards them. */
  double dt = 0.3, inside = 0.0, crossed = 0.0, least = 1.0, most = 0.0;
  int64_t limited_faces = 0;
  pcml_const_array state = input(tracer, CELLS), fluxes = input(predicted, faces), low = input(upwind, faces);
  pcml_const_array lower = input(zero, CELLS), upper = input(one, CELLS);
  pcml_array new_state = output(tracer, CELLS), limited_array = output(limited, faces);
  for (int step = 0; step < STEPS; step++) {
    for (int f = 0; f < faces; f++) {
      double here = tracer[owner[f]];
      double there = neighbour[f] >= 0 ? tracer[neighbour[f]] : flow[f] < 0.0 ? 1.0 : here;
      upwind[f] = flow[f] * (flow[f] > 0.0 ? here : there);
      predicted[f] = neighbour[f] >= 0 ? flow[f] * (0.5 * (here + there) + 0.05 * noise()) : upwind[f];
    }
    pcml_flux_limits limits = {.struct_size = sizeof limits};
    check(pcml_flux_update_bounded(flux, workspace, dt, &state, &fluxes, NULL, &lower, &upper, &low, &new_state,
                                   &limited_array, &limits));
    limited_faces += limits.limited_faces;
    for (int f = 0; f < faces; f++)
      if (neighbour[f] < 0)
        crossed -= dt * limited[f];
    for (int c = 0; c < CELLS; c++) {
      least = fmin(least, tracer[c]);
      most = fmax(most, tracer[c]);
    }
  }
  for (int c = 0; c < CELLS; c++)
    inside += volumes[c] * tracer[c];
  printf("tracer inside       %.15f\n", inside);
  printf("tracer that entered %.15f\n", crossed);
  printf("range               %.3f to %.3f, %d limited fluxes\n", least, most, (int)limited_faces);

  pcml_workspace_free(workspace);
  pcml_flux_free(flux);
  pcml_options_free(options);

  int lawful = balanced && report.closeness <= 1.0 && fabs(inside - crossed) <= 1e-12 && least >= 0.0 && most <= 1.0;
  if (!walls || !lawful || report.residual_before < 1e-3 || limited_faces == 0) {
    fprintf(stderr, "a balance, a wall, a bound or the tracer's mass does not hold\n");
    return 1;
  }
  return 0;
}
