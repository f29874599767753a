/* Gradients through a projection: what an optimiser needs to train, or to assimilate data, with the law in the loop.

       gradient

   A profile of saturations between 0 and 1 keeps its mass. The misfit with observations of the lawful profile is differentiated with
   respect to the prediction, its variances and the mass, bounds active; differences of misfits confirm it, and steps down the gradient
   lower the misfit while every profile on the way is lawful. Exits with 1 unless all of that holds. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include <pcml.h>

#include "common.h"

enum { CELLS = 60, STEPS = 40 };

static pcml_projector *projector;
static pcml_workspace *workspace;
static double observed[CELLS], lower[CELLS], upper[CELLS];

/* Half the squared misfit of the lawful profile u; its derivative with respect to u goes to cotangent. */
static double misfit(const double *mean, const double *variance, double mass, double *u, double *cotangent) {
  pcml_const_array a = input(mean, CELLS), v = input(variance, CELLS), b = input(&mass, 1);
  pcml_const_array l = input(lower, CELLS), h = input(upper, CELLS);
  pcml_array to = output(u, CELLS);
  check(pcml_bounded_project(projector, workspace, &a, &v, &b, &l, &h, &to, NULL));
  double sum = 0.0;
  for (int i = 0; i < CELLS; i++) {
    cotangent[i] = u[i] - observed[i];
    sum += 0.5 * cotangent[i] * cotangent[i];
  }
  return sum;
}

int main(void) {
  static double weights[CELLS], mean[CELLS], variance[CELLS], u[CELLS], ubar[CELLS];
  static double of_mean[CELLS], of_variance[CELLS], of_mass[1], spare[CELLS], unused[CELLS];
  double mass = 0.0;
  for (int i = 0; i < CELLS; i++) {
    double x = (i + 0.5) / CELLS;
    weights[i] = (1.0 + 0.5 * sin(9.0 * x)) / CELLS;
    observed[i] = 1.0 / (1.0 + exp(30.0 * (x - 0.45)));
    mean[i] = 1.15 - 1.4 * x;
    variance[i] = 0.02 + 0.1 * x * (1.0 - x);
    lower[i] = 0.0;
    upper[i] = 1.0;
    mass += weights[i] * observed[i];
  }
  pcml_constraints *laws;
  check(pcml_constraints_create(CELLS, &laws));
  pcml_const_array g = input(weights, CELLS);
  check(pcml_constraints_add_row(laws, &g, 0.0));
  check(pcml_projector_create(laws, PCML_PRIOR_DIAGONAL, NULL, &projector));
  check(pcml_bounded_workspace(projector, 1, &workspace));
  pcml_constraints_free(laws);

  pcml_const_array a = input(mean, CELLS), v = input(variance, CELLS), b = input(&mass, 1);
  pcml_const_array l = input(lower, CELLS), h = input(upper, CELLS), bar = input(ubar, CELLS);
  pcml_array to_mean = output(of_mean, CELLS), to_variance = output(of_variance, CELLS), to_mass = output(of_mass, 1);
  double first = misfit(mean, variance, mass, u, ubar);
  check(pcml_bounded_vjp(projector, workspace, &a, &v, &b, &l, &h, &bar, &to_mean, &to_variance, &to_mass));

  /* Against differences of misfits, one input moved at a time. */
  double worst = 0.0;
  const double step = 1e-6;
  for (int i = 0; i <= CELLS; i++) {
    double *moved = i < CELLS ? &mean[i] : &mass, gradient = i < CELLS ? of_mean[i] : of_mass[0], kept = *moved;
    *moved = kept + step;
    double above = misfit(mean, variance, mass, spare, unused);
    *moved = kept - step;
    double below = misfit(mean, variance, mass, spare, unused);
    *moved = kept;
    worst = fmax(worst, fabs((above - below) / (2.0 * step) - gradient));
  }
  for (int i = 0; i < CELLS; i++) {
    double kept = variance[i];
    variance[i] = kept + step;
    double above = misfit(mean, variance, mass, spare, unused);
    variance[i] = kept - step;
    double below = misfit(mean, variance, mass, spare, unused);
    variance[i] = kept;
    worst = fmax(worst, fabs((above - below) / (2.0 * step) - of_variance[i]));
  }
  printf("gradient of the misfit by %d inputs: differs from differences by %.1e\n", 2 * CELLS + 1, worst);

  double last = first, off = 0.0;
  for (int k = 0; k < STEPS; k++) {
    last = misfit(mean, variance, mass, u, ubar);
    double found = 0.0;
    for (int i = 0; i < CELLS; i++) {
      found += weights[i] * u[i];
      if (u[i] < 0.0 || u[i] > 1.0)
        off = HUGE_VAL;
    }
    off = fmax(off, fabs(found - mass));
    check(pcml_bounded_vjp(projector, workspace, &a, &v, &b, &l, &h, &bar, &to_mean, NULL, NULL));
    for (int i = 0; i < CELLS; i++)
      mean[i] -= 0.5 * of_mean[i];
  }
  printf("misfit %.3e, after %d steps down the gradient %.3e; mass off by %.1e at most, bounds kept\n", first, STEPS, last, off);

  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  return worst < 1e-6 && last < 0.1 * first && off < 1e-14 ? 0 : 1;
}
