/* What a call costs in C: the floor for the other languages.

       cc -O2 overhead.c $(pkg-config --cflags --libs pcml) -o overhead && ./overhead

   Prints a line `case ns_per_call` for each: the exact sum of one value, and the projection of a slice of 8 cells onto one quadrature
   row, both by descriptors that are filled for each call. */
#define _POSIX_C_SOURCE 199309L
#include <pcml.h>

#include "overhead.h"

static void check(int32_t status) {
  if (status != PCML_STATUS_OK) {
    fprintf(stderr, "%s\n", pcml_status_name(status));
    exit(1);
  }
}

static pcml_const_array input(const double *data, int64_t count) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {count}, {1}};
  return a;
}

static pcml_array output(double *data, int64_t count) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {count}, {1}};
  return a;
}

int main(void) {
  double one = 0.5, sum = 0.0, rounds[ROUNDS], x[CELLS], mean[CELLS], u[CELLS], b = 1.0;
  pcml_constraints *law;
  pcml_projector *projector;
  pcml_workspace *workspace;
  for (int i = 0; i < CELLS; i++) {
    x[i] = i;
    mean[i] = 0.25 * i;
  }
  const pcml_const_array points = input(x, CELLS);
  check(pcml_constraints_create(CELLS, &law));
  check(pcml_constraints_add_quadrature(law, PCML_RULE_TRAPEZOID, &points, 0.0));
  check(pcml_projector_create(law, PCML_PRIOR_IDENTITY, NULL, &projector));
  check(pcml_projector_workspace(projector, 1, &workspace));

  for (int r = 0; r < ROUNDS; r++) {
    const double start = now();
    for (int k = 0; k < CALLS; k++) {
      const pcml_const_array value = input(&one, 1);
      check(pcml_sum(&value, NULL, NULL, &sum));
    }
    rounds[r] = (now() - start) / CALLS;
  }
  tell("sum", rounds);
  for (int r = 0; r < ROUNDS; r++) {
    const double start = now();
    for (int k = 0; k < CALLS; k++) {
      const pcml_const_array from = input(mean, CELLS), level = input(&b, 1);
      const pcml_array to = output(u, CELLS);
      check(pcml_projector_project(projector, workspace, &from, NULL, &level, &to, NULL, NULL));
    }
    rounds[r] = (now() - start) / CALLS;
  }
  tell("project", rounds);

  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_constraints_free(law);
  return 0;
}
