/* What layout.f90 prints, as C sees it. */
#include <stddef.h>
#include <stdio.h>

#include <pcml.h>

#define PRINT(type, last) printf("%s %zu %zu %zu\n", #type, sizeof(type), offsetof(type, last), sizeof(type))

int main(void) {
  PRINT(pcml_array, strides);
  PRINT(pcml_const_array, strides);
  PRINT(pcml_flux_report, unchanged);
  PRINT(pcml_flux_limits, least_limiter_face);
  PRINT(pcml_fit_report, converged);
  return 0;
}
