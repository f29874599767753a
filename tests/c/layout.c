/* Prints name, size and offsets of the public structs, for comparison with the library's own. */
#include <stddef.h>
#include <stdio.h>

#include <pcml.h>

#define DESCRIBE(t)                                                                                              \
  printf("%s %zu %zu %zu %zu %zu %zu %zu\n", #t, sizeof(t), offsetof(t, struct_size), offsetof(t, data),         \
         offsetof(t, dtype), offsetof(t, rank), offsetof(t, shape), offsetof(t, strides))

#define FIELD(t, field) printf(" %zu", offsetof(t, field))

int main(void) {
  DESCRIBE(pcml_array);
  DESCRIBE(pcml_const_array);
  printf("pcml_flux_report %zu", sizeof(pcml_flux_report));
  FIELD(pcml_flux_report, struct_size);
  FIELD(pcml_flux_report, residual_before);
  FIELD(pcml_flux_report, residual_before_cell);
  FIELD(pcml_flux_report, residual_after);
  FIELD(pcml_flux_report, residual_after_cell);
  FIELD(pcml_flux_report, closeness);
  FIELD(pcml_flux_report, correction_norm);
  FIELD(pcml_flux_report, largest_correction);
  FIELD(pcml_flux_report, largest_correction_face);
  FIELD(pcml_flux_report, iterations);
  FIELD(pcml_flux_report, rounds);
  FIELD(pcml_flux_report, method);
  FIELD(pcml_flux_report, repaired);
  FIELD(pcml_flux_report, unchanged);
  printf("\npcml_flux_limits %zu", sizeof(pcml_flux_limits));
  FIELD(pcml_flux_limits, struct_size);
  FIELD(pcml_flux_limits, limited_faces);
  FIELD(pcml_flux_limits, least_limiter);
  FIELD(pcml_flux_limits, least_limiter_face);
  printf("\npcml_fit_report %zu", sizeof(pcml_fit_report));
  FIELD(pcml_fit_report, struct_size);
  FIELD(pcml_fit_report, log_likelihood);
  FIELD(pcml_fit_report, log_likelihood_before);
  FIELD(pcml_fit_report, jitter);
  FIELD(pcml_fit_report, iterations);
  FIELD(pcml_fit_report, evaluations);
  FIELD(pcml_fit_report, search);
  FIELD(pcml_fit_report, converged);
  printf("\n");
  return 0;
}
