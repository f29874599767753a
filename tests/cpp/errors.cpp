/* Errors: a status and a text for each, by exception or by value; empty objects are refused; exceptions of the host do not enter the
   library.

       errors <insulated.safetensors> */
#include <fstream>
#include <limits>

#include "claims.hpp"

using pcml::status;

/** Whether the call throws an error of that status whose text has all of that. */
template <class F> static bool throws(status code, const char *text, F &&call) {
  try {
    call();
  } catch (const pcml::error &e) {
    const bool found = std::strstr(e.message(), text) != nullptr && std::strstr(e.what(), e.message()) != nullptr;
    if (e.code() != code || !found || std::strstr(e.what(), pcml::status_name(code)) != e.what())
      std::fprintf(stderr, "%s\n", e.what());
    return e.code() == code && found && std::strcmp(e.name(), pcml::status_name(code)) == 0;
  }
  return false;
}

struct Law {
  std::vector<double> weights = numbers(6, 1), mean = numbers(6, 2), b = {1.0}, u = std::vector<double>(6, -7.0);
  pcml::constraints rows{6};
  pcml::projector projector;
  pcml::workspace scratch;
  Law() {
    rows.add_row(weights);
    projector = pcml::projector(rows, pcml::prior::identity);
    scratch = projector.make_workspace(1);
  }
  bool untouched() const { return u == std::vector<double>(6, -7.0); }
};

static void arguments(const char *insulated) {
  Law law;
  const auto &p = law.projector;
  auto nan = law.mean;
  nan[3] = std::numeric_limits<double>::quiet_NaN();
  CLAIM(throws(status::io, "/nowhere/model.safetensors", [] { pcml::model::load("/nowhere/model.safetensors"); }));
  CLAIM(throws(status::file_format, "pcml_model_load_bytes", [] { pcml::model::load_bytes("no model", 8); }));
  CLAIM(throws(status::shape, "mean", [&] { p.project(law.scratch, numbers(5, 1), nullptr, law.b, law.u); }));
  CLAIM(throws(status::non_finite, "mean", [&] { p.project(law.scratch, nan, nullptr, law.b, law.u); }));
  CLAIM(throws(status::invalid_argument, "variance", [&] { p.project(law.scratch, law.mean, law.mean, law.b, law.u); }));
  CLAIM(throws(status::null_argument, "", [&] { p.project(law.scratch, law.mean, nullptr, nullptr, law.u); }));
  CLAIM(throws(status::shape, "", [&] { p.project(law.scratch, {law.mean.data(), {6, 1}, 1}, nullptr, law.b, law.u); }));
  CLAIM(throws(status::shape, "", [&] {
    p.project(law.scratch, {law.mean.data(), std::vector<int>(9, 1)}, nullptr, law.b, law.u);
  }));
  CLAIM(throws(status::stride, "", [&] { p.project(law.scratch, law.mean, nullptr, law.b, {law.u.data(), 6, 0}); }));
  CLAIM(throws(status::not_sorted, "", [&] { law.rows.add_quadrature(pcml::rule::simpson, std::vector<double>{0, 1, 2, 2, 3, 4}); }));
  CLAIM(throws(status::noise, "", [&] { law.rows.add_row(law.weights, -1.0); }));
  CLAIM(throws(status::singular, "", [&] { law.rows.add_row(std::vector<double>(6)); }));
  CLAIM(throws(status::mismatch, "workspace", [&] {
    auto other = Law().scratch;
    p.project(other, law.mean, nullptr, law.b, law.u);
  }));
  CLAIM(throws(status::state, "", [] { pcml::projector(pcml::constraints(3), pcml::prior::identity); }));
  CLAIM(throws(status::infeasible, "row", [&] {
    auto scratch = p.make_bounded_workspace(1);
    p.bounded_project(scratch, law.mean, nullptr, law.b, std::vector<double>(6, 10.0), nullptr, law.u);
  }));
  CLAIM(law.untouched());

  CLAIM(throws(status::shape, "add_sparse_rows", [&] {
    law.rows.add_sparse_rows({0, 7}, {0, 1}, {1.0, 1.0});
  }));
  CLAIM(throws(status::shape, "add_stencils", [&] { law.rows.add_stencils(2, {0, 1, 2}, {1.0, 1.0}); }));
  CLAIM(throws(status::shape, "add_stencils", [&] { law.rows.add_stencils(0, {}, {}); }));
  CLAIM(throws(status::shape, "add_quadratic", [&] { law.rows.add_quadratic({0, 1}, {0}, {1.0, 1.0}); }));
  CLAIM(throws(status::shape, "add_boundary", [&] { law.rows.add_boundary({law.mean}, 0, {1, 1}, 0, 1.0, 0.0, 1); }));
  CLAIM(throws(status::shape, "flux", [&] { pcml::flux({0, 1}, {1}, law.weights); }));
  CLAIM(throws(status::shape, "residual", [&] { p.residual(law.scratch, law.mean, law.b, law.u); }));
  CLAIM(law.rows.rows() == 1);

  const auto model = pcml::model::load(insulated);
  CLAIM(throws(status::invalid_argument, "shape", [&] { pcml::plan(model, pcml::dtype::f64); }));
  const pcml::plan plan(model, pcml::dtype::f64, pcml::options().set_shape({100, 25}));
  auto scratch = plan.make_workspace();
  std::vector<double> output(2500, -7.0), walls(25);
  const double point = 0.0;
  const pcml::const_array input(&point, {100, 25}, {0, 0});
  CLAIM(throws(status::mismatch, "values", [&] { plan.predict(scratch, input, {}, {output.data(), {100, 25}}); }));
  CLAIM(throws(status::shape, "input", [&] { plan.predict(scratch, walls, {walls, walls}, output); }));
  CLAIM(throws(status::mismatch, "workspace", [&] { plan.predict(law.scratch, input, {walls, walls}, output); }));
  CLAIM(throws(status::shape, "jvp", [&] {
    auto derivative = plan.make_derivative_workspace();
    plan.jvp(derivative, input, {walls, walls}, input, {walls}, {output.data(), {100, 25}});
  }));
  CLAIM(output == std::vector<double>(2500, -7.0));
  plan.predict(scratch, input, {walls, walls}, {output.data(), {1, 100, 25, 1}});
  CLAIM(output[0] != -7.0);
}

static void by_value() {
  Law law;
  status code = status::panic;
  const auto none = pcml::model::load("/nowhere", code);
  CLAIM(code == status::io && !none && pcml::error_message().find("/nowhere") != std::string::npos);
  law.projector.project(law.scratch, numbers(5, 1), nullptr, law.b, law.u, {}, nullptr, code);
  CLAIM(code == status::shape && law.untouched());
  law.projector.project(law.scratch, law.mean, nullptr, law.b, law.u, {}, nullptr, code);
  CLAIM(code == status::ok && !law.untouched());
  const pcml::plan no_plan(none, pcml::dtype::f64, code);
  CLAIM(code == status::null_argument && !no_plan);
  const pcml::constraints no_cells(0, code);
  CLAIM(code == status::invalid_argument && !no_cells);
}

static void empty_objects() {
  Law law;
  auto moved = std::move(law.scratch);
  CLAIM(!law.scratch && moved);
  CLAIM(throws(status::null_argument, "", [&] { law.projector.project(law.scratch, law.mean, nullptr, law.b, law.u); }));
  law.scratch = std::move(moved);
  law.projector.project(law.scratch, law.mean, nullptr, law.b, law.u);

  auto filled = law.projector.make_report(1);
  auto kept = std::move(filled);
  CLAIM(throws(status::null_argument, "", [&] { law.projector.project(law.scratch, law.mean, nullptr, law.b, law.u, {}, &filled); }));
  CLAIM(throws(status::null_argument, "", [&] { filled.slices(); }));
  CLAIM(kept.slices() == 0);
  CLAIM(throws(status::invalid_argument, "", [&] { kept.value(pcml::report_item::tolerance); }));

  pcml::options settings;
  const auto others = std::move(settings);
  CLAIM(throws(status::null_argument, "", [&] { settings.set_batch(2); }));
  CLAIM(throws(status::null_argument, "", [&] { pcml::projector(law.rows, pcml::prior::identity, settings); }));

  auto rows = std::move(law.rows);
  CLAIM(throws(status::null_argument, "", [&] { law.rows.add_row(law.weights); }));
  CLAIM(throws(status::null_argument, "", [&] { pcml::projector(law.rows, pcml::prior::identity); }));
  CLAIM(throws(status::null_argument, "", [] { pcml::plan().make_workspace(); }));
  CLAIM(throws(status::null_argument, "", [] { pcml::model().description(); }));
  CLAIM(throws(status::null_argument, "", [] { pcml::model().hyperparameters(); }));
  CLAIM(throws(status::null_argument, "", [] { pcml::model::ensemble({nullptr}); }));
  CLAIM(throws(status::null_argument, "", [&] {
    pcml::reduction empty;
    pcml::sum(law.weights, {}, &empty);
  }));
  pcml::workspace adopted(moved.release());
  CLAIM(!adopted);
}

struct Broken {};

static void reductions() {
  const auto values = numbers(100, 3);
  const double alone = pcml::sum(values);
  int calls = 0;
  pcml::reduction one_part([&](int64_t *, int64_t count) { calls += count > PCML_SUM_BINS; });
  CLAIM(pcml::sum(values, {}, &one_part) == alone && calls == 1);
  pcml::reduction twice([](int64_t *bins, int64_t count) {
    for (int64_t i = 0; i < count; i++)
      bins[i] *= 2;
    return 0;
  });
  pcml::reduction moved = std::move(twice);
  CLAIM(pcml::sum(values, {}, &moved) == 2.0 * alone);

  pcml::reduction fails([](int64_t *, int64_t) { return 5; });
  CLAIM(throws(status::reduction, "", [&] { pcml::sum(values, {}, &fails); }));

  bool broken = true;
  pcml::reduction breaks([&](int64_t *, int64_t) {
    if (broken)
      throw Broken();
  });
  bool arrived = false;
  try {
    pcml::sum(values, {}, &breaks);
  } catch (const Broken &) {
    arrived = true;
  }
  CLAIM(arrived);
  status code = status::ok;
  pcml::sum(values, {}, &breaks, code);
  CLAIM(code == status::reduction);
  broken = false;
  CLAIM(pcml::sum(values, {}, &breaks) == alone);
  CLAIM(throws(status::shape, "", [&] { pcml::sum(values, numbers(3, 1), &breaks); }));
}

int main(int, char **argv) {
  arguments(argv[1]);
  by_value();
  empty_objects();
  reductions();
  CLAIM(pcml::version().major == PCML_VERSION_MAJOR && pcml::version().minor == PCML_VERSION_MINOR);
  return failures;
}
