/* A host of the time of a release: compiled against that release's header, run with today's library. It passes every public struct and
   reads what comes back. Prints nothing; returns the number of the first check that fails. */
#include <math.h>
#include <string.h>

#include <pcml.h>

#define CHECK(number, condition) \
  do {                           \
    if (!(condition))            \
      return number;             \
  } while (0)

enum { CELLS = 4 };

static int projected(void) {
  double mean[CELLS] = {1.0, 2.0, 3.0, 4.0}, weights[CELLS] = {1.0, 1.0, 1.0, 1.0}, total[1] = {12.0}, after[CELLS], sum = 0.0, largest;
  pcml_const_array w = {sizeof w, weights, PCML_DTYPE_F64, 1, {CELLS}, {1}}, m = {sizeof m, mean, PCML_DTYPE_F64, 2, {1, CELLS}, {CELLS, 1}};
  pcml_const_array b = {sizeof b, total, PCML_DTYPE_F64, 2, {1, 1}, {1, 1}};
  pcml_array u = {sizeof u, after, PCML_DTYPE_F64, 2, {1, CELLS}, {CELLS, 1}};
  pcml_constraints *rows;
  pcml_projector *projector;
  pcml_workspace *workspace;
  pcml_report *report;
  CHECK(10, pcml_constraints_create(CELLS, &rows) == PCML_STATUS_OK);
  CHECK(11, pcml_constraints_add_row(rows, &w, 0.0) == PCML_STATUS_OK);
  CHECK(12, pcml_projector_create(rows, PCML_PRIOR_IDENTITY, NULL, &projector) == PCML_STATUS_OK);
  CHECK(13, pcml_projector_workspace(projector, 1, &workspace) == PCML_STATUS_OK);
  CHECK(14, pcml_projector_report(projector, 1, &report) == PCML_STATUS_OK);
  CHECK(15, pcml_projector_project(projector, workspace, &m, NULL, &b, &u, NULL, report) == PCML_STATUS_OK);
  CHECK(16, after[0] == 1.5 && after[1] == 2.5 && after[2] == 3.5 && after[3] == 4.5);
  CHECK(17, pcml_report_value(report, PCML_REPORT_ITEM_LARGEST_CORRECTION, 0, 0, &largest) == PCML_STATUS_OK && largest == 0.5);
  CHECK(18, pcml_sum((const pcml_const_array *)&u, NULL, NULL, &sum) == PCML_STATUS_OK && sum == 12.0);
  u.struct_size = 8;
  CHECK(19, pcml_projector_project(projector, workspace, &m, NULL, &b, &u, NULL, report) == PCML_STATUS_MISMATCH);
  pcml_report_free(report);
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_constraints_free(rows);
  return 0;
}

/* A channel, closed at its left end and open at its right one. */
static int balanced(void) {
  int64_t owner[CELLS] = {0, 1, 2, 3}, neighbour[CELLS] = {1, 2, 3, -1};
  double volumes[CELLS] = {1.0, 1.0, 1.0, 1.0}, flux[CELLS] = {0.1, 0.2, -0.1, 0.3}, state[CELLS] = {0.5, 0.5, 0.5, 0.5}, to_faces[CELLS], to_cells[CELLS];
  pcml_const_array v = {sizeof v, volumes, PCML_DTYPE_F64, 1, {CELLS}, {1}}, f = v, u = v;
  pcml_array c = {sizeof c, to_faces, PCML_DTYPE_F64, 1, {CELLS}, {1}}, n = c;
  pcml_flux_report report = {0};
  pcml_flux_limits limits = {0};
  pcml_flux *mesh;
  pcml_workspace *workspace;
  f.data = flux;
  u.data = state;
  n.data = to_cells;
  report.struct_size = sizeof report;
  limits.struct_size = sizeof limits;
  report.unchanged = report.method = -7;
  limits.least_limiter_face = -7;
  CHECK(30, pcml_flux_create(CELLS, owner, neighbour, &v, NULL, &mesh) == PCML_STATUS_OK);
  CHECK(31, pcml_flux_workspace(mesh, &workspace) == PCML_STATUS_OK);
  CHECK(32, pcml_flux_correct(mesh, workspace, &f, NULL, NULL, &c, &report) == PCML_STATUS_OK);
  CHECK(33, fabs(to_faces[0]) < 1e-15 && fabs(to_faces[3]) < 1e-15);
  CHECK(34, report.struct_size == sizeof report && fabs(report.residual_before - 0.4) < 1e-15 && report.residual_before_cell == 3);
  CHECK(35, fabs(report.largest_correction - 0.3) < 1e-15 && report.largest_correction_face == 3 && report.residual_after < 1e-15);
  CHECK(36, report.method == PCML_FLUX_METHOD_ELIMINATION && report.unchanged == 0);
  CHECK(37, pcml_flux_update_bounded(mesh, workspace, 1.0, &u, &f, NULL, NULL, NULL, NULL, &n, NULL, &limits) == PCML_STATUS_OK);
  CHECK(38, limits.limited_faces == 0 && limits.least_limiter == 1.0 && limits.least_limiter_face != -7);
  pcml_workspace_free(workspace);
  pcml_flux_free(mesh);
  return 0;
}

static int fitted(void) {
  double x[6] = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}, y[6] = {0.0, 0.9, 0.3, -0.8, -0.7, 0.1}, one = 1.0, mean;
  pcml_const_array points = {sizeof points, x, PCML_DTYPE_F64, 3, {1, 6, 1}, {6, 1, 1}}, values = points, at = points;
  pcml_array to = {sizeof to, &mean, PCML_DTYPE_F64, 3, {1, 1, 1}, {1, 1, 1}};
  pcml_fit_report report = {0};
  pcml_options *options;
  pcml_model *prior, *model;
  pcml_plan *plan;
  pcml_workspace *workspace;
  values.data = y;
  at.shape[1] = 1;
  report.struct_size = sizeof report;
  report.converged = -7;
  CHECK(50, pcml_options_create(&options) == PCML_STATUS_OK);
  CHECK(51, pcml_options_set_length_scales(options, 1, &one) == PCML_STATUS_OK);
  CHECK(52, pcml_options_set_noise_variance(options, 1e-4) == PCML_STATUS_OK);
  CHECK(53, pcml_model_gaussian_process(PCML_KERNEL_RBF, 1, 1, options, &prior) == PCML_STATUS_OK);
  CHECK(54, pcml_model_fit(prior, &points, &values, NULL, NULL, &model, &report) == PCML_STATUS_OK);
  CHECK(55, report.struct_size == sizeof report && report.log_likelihood > report.log_likelihood_before);
  CHECK(56, report.evaluations > 0 && report.converged != -7);
  CHECK(57, pcml_options_set_batch(options, 1) == PCML_STATUS_OK && pcml_options_set_context(options, 6) == PCML_STATUS_OK);
  CHECK(58, pcml_options_set_targets(options, 1) == PCML_STATUS_OK);
  CHECK(59, pcml_plan_create(model, PCML_DTYPE_F64, options, &plan) == PCML_STATUS_OK);
  CHECK(60, pcml_plan_workspace(plan, &workspace) == PCML_STATUS_OK);
  CHECK(61, pcml_plan_condition(plan, workspace, &points, &values) == PCML_STATUS_OK);
  CHECK(62, pcml_plan_query(plan, workspace, &at, NULL, &to, NULL) == PCML_STATUS_OK && fabs(mean) < 0.1);
  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_model_free(model);
  pcml_model_free(prior);
  pcml_options_free(options);
  return 0;
}

int main(void) {
  int32_t major, minor, patch;
  char text[256];
  int failed;
  CHECK(1, pcml_version(&major, &minor, &patch) == PCML_STATUS_OK && major == PCML_VERSION_MAJOR);
  CHECK(2, minor > PCML_VERSION_MINOR || (minor == PCML_VERSION_MINOR && patch >= PCML_VERSION_PATCH));
  CHECK(3, pcml_version(NULL, NULL, NULL) == PCML_STATUS_NULL_ARGUMENT);
  CHECK(4, pcml_error_message(text, sizeof text, NULL) == PCML_STATUS_OK && strncmp(text, "pcml_version: ", 14) == 0);
  if ((failed = projected()) != 0 || (failed = balanced()) != 0)
    return failed;
  return fitted();
}
