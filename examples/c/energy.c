/* A velocity field made to keep momentum and kinetic energy.

       energy

   A periodic velocity is damped, as by a diffusive surrogate, and gets back the momentum sum m u and the kinetic energy
   sum m u^2 / 2 that it had, with the least change. Exits with 1 unless both hold. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include <pcml.h>

#include "common.h"

enum { CELLS = 256 };

static void totals(const double *m, const double *u, double *momentum, double *energy) {
  *momentum = *energy = 0.0;
  for (int i = 0; i < CELLS; i++) {
    *momentum += m[i] * u[i];
    *energy += 0.5 * m[i] * u[i] * u[i];
  }
}

static int print(const char *name, const double *m, const double *u, double p, double e) {
  double momentum, energy;
  totals(m, u, &momentum, &energy);
  printf("%-10s momentum error %9.2e  energy error %9.2e\n", name, momentum / p - 1.0, energy / e - 1.0);
  return fabs(momentum / p - 1.0) < 1e-13 && fabs(energy / e - 1.0) < 1e-13;
}

int main(void) {
  static double mass[CELLS], half[CELLS], u[CELLS];
  for (int i = 0; i < CELLS; i++) {
    double x = 6.283185307179586 * i / CELLS;
    mass[i] = (1.0 + 0.3 * cos(x)) / CELLS;
    half[i] = 0.5 * mass[i];
    u[i] = 1.0 + sin(x) + 0.3 * sin(7.0 * x);
  }
  double momentum, energy;
  totals(mass, u, &momentum, &energy);
  for (int i = 0; i < CELLS; i++) {
    double x = 6.283185307179586 * i / CELLS;
    u[i] = 1.01 + 0.9 * sin(x) + 0.15 * sin(7.0 * x);
  }
  print("predicted", mass, u, momentum, energy);

  pcml_constraints *laws = NULL;
  pcml_projector *projector = NULL;
  pcml_workspace *workspace = NULL;
  pcml_const_array weights = input(mass, CELLS), energies = input(half, CELLS);
  pcml_const_array mean = input(u, CELLS), b = input(&momentum, 1), level = input(&energy, 1);
  pcml_array posterior = output(u, CELLS);

  check(pcml_constraints_create(CELLS, &laws));
  check(pcml_constraints_add_row(laws, &weights, 0.0));
  check(pcml_constraints_add_energy(laws, &energies));
  check(pcml_projector_create(laws, PCML_PRIOR_IDENTITY, NULL, &projector));
  check(pcml_nonlinear_workspace(projector, 1, &workspace));
  check(pcml_nonlinear_project(projector, workspace, &mean, NULL, &b, &level, &posterior, NULL));
  int lawful = print("projected", mass, u, momentum, energy);
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_constraints_free(laws);
  return lawful ? 0 : 1;
}
