/* The border as C sees it: versions, messages, handles that are NULL or of another kind. Prints nothing; returns the number of
   the first check that fails. */
#include <stddef.h>
#include <string.h>

#include <pcml.h>

#define CHECK(number, condition) \
  do {                           \
    if (!(condition))            \
      return number;             \
  } while (0)

int main(void) {
  int32_t major, minor, patch;
  CHECK(1, pcml_version(&major, &minor, &patch) == PCML_STATUS_OK);
  CHECK(2, major == PCML_VERSION_MAJOR && minor == PCML_VERSION_MINOR && patch == PCML_VERSION_PATCH);
  CHECK(3, pcml_version(NULL, &minor, &patch) == PCML_STATUS_NULL_ARGUMENT);
  CHECK(4, strlen(pcml_version_string()) >= 5);

  char text[256];
  int64_t length = 0;
  CHECK(10, pcml_error_message(text, sizeof text, &length) == PCML_STATUS_OK);
  CHECK(11, strstr(text, "major") != NULL && (size_t)length == strlen(text));
  CHECK(12, pcml_error_message(text, 5, &length) == PCML_STATUS_OK && strlen(text) == 4 && length > 4);
  CHECK(13, pcml_error_message(NULL, 0, &length) == PCML_STATUS_OK && length > 4);
  CHECK(14, pcml_error_message(NULL, 0, NULL) == PCML_STATUS_NULL_ARGUMENT);
  CHECK(15, pcml_error_message(text, 0, NULL) == PCML_STATUS_INVALID_ARGUMENT);
  CHECK(16, strcmp(pcml_status_name(PCML_STATUS_SHAPE), "PCML_STATUS_SHAPE") == 0);
  CHECK(17, strcmp(pcml_status_name(-1), "unknown status") == 0);

  pcml_options_free(NULL);
  pcml_model_free(NULL);
  pcml_plan_free(NULL);
  pcml_workspace_free(NULL);
  pcml_constraints_free(NULL);
  pcml_projector_free(NULL);
  pcml_report_free(NULL);

  pcml_model *model = (pcml_model *)text;
  CHECK(30, pcml_model_load("/nowhere", &model) == PCML_STATUS_IO && model == NULL);
  pcml_plan *plan = NULL;
  CHECK(31, pcml_plan_create(model, PCML_DTYPE_F64, NULL, &plan) == PCML_STATUS_NULL_ARGUMENT && plan == NULL);

  pcml_options *options = NULL;
  CHECK(40, pcml_options_create(&options) == PCML_STATUS_OK && options != NULL);
  CHECK(41, pcml_plan_create((const pcml_model *)options, PCML_DTYPE_F64, NULL, &plan) == PCML_STATUS_HANDLE);
  CHECK(42, pcml_options_set_dropout(options, 2.0) == PCML_STATUS_INVALID_ARGUMENT);
  pcml_constraints_free((pcml_constraints *)options);
  CHECK(43, pcml_options_set_seed(options, 1) == PCML_STATUS_OK);

  double stencil[3] = {-1.5, 2.0, -0.5}, field[5] = {9.0, 1.0, 1.0, 1.0, 9.0}, values[2] = {0.0, 4.0};
  pcml_boundary *boundary = NULL;
  CHECK(50, pcml_boundary_create(&boundary) == PCML_STATUS_OK);
  CHECK(51, pcml_boundary_add_face(boundary, 0, -1, PCML_BOUNDARY_KIND_NEUMANN, stencil, 3, 0.5) == PCML_STATUS_OK);
  CHECK(52, pcml_boundary_add_face(boundary, 0, 1, PCML_BOUNDARY_KIND_DIRICHLET, NULL, 0, 0.0) == PCML_STATUS_OK);
  CHECK(53, pcml_boundary_add_face(boundary, 0, 1, PCML_BOUNDARY_KIND_PERIODIC, NULL, 0, 0.0) == PCML_STATUS_INVALID_ARGUMENT);
  pcml_array u = {sizeof u, field, PCML_DTYPE_F64, 3, {1, 5, 1}, {5, 1, 1}};
  pcml_const_array faces[2] = {{sizeof u, values, PCML_DTYPE_F64, 1, {1}, {1}},
                               {sizeof u, values + 1, PCML_DTYPE_F64, 1, {1}, {1}}};
  CHECK(54, pcml_boundary_enforce(boundary, &u, 1, faces, 2) == PCML_STATUS_OK);
  CHECK(55, field[0] > 0.999 && field[0] < 1.001 && field[1] == 1.0 && field[3] == 1.0 && field[4] == 4.0);
  CHECK(56, pcml_options_set_boundary(options, boundary) == PCML_STATUS_OK);
  pcml_boundary_free(boundary);
  pcml_options_free(options);
  return 0;
}
