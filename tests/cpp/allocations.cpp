/* Ten thousand calls through views of every kind: not one allocation, whoever would make it.

       allocations <columns.safetensors> */
#include <array>
#include <cstdint>

#include "claims.hpp"

/** Requests for memory so far, the library's too: bindings/tests/c/allocations.c. */
extern "C" std::int64_t allocations(void);

int main(int, char **argv) {
  constexpr std::size_t inputs = 26, layers = 24;
  const pcml::plan plan(pcml::model::load(argv[1]), pcml::dtype::f32);
  pcml::constraints heat(layers);
  heat.add_row(numbers(layers, 1));
  const pcml::projector law(heat, pcml::prior::diagonal);
  auto network = plan.make_workspace(), algebra = law.make_workspace(1), within = law.make_bounded_workspace(1);
  auto report = law.make_report(1);
  int reductions = 0;
  pcml::reduction one_part([&](int64_t *, int64_t) { reductions++; });

  auto x = numbers(2 * inputs, 2);
  for (double &value : x)
    value += 290.0;
  std::vector<double> u(3 * layers), u_bounded(layers), lower(layers, 280.0), b = {4500.0};
  std::array<std::array<double, layers>, 1> mean;
  float variance[layers];
  double residual[1], total = 0.0;
  CLAIM(allocations() > 0);

  const std::int64_t before = allocations();
  for (int k = 0; k < 10000; k++) {
    pcml::status code;
    plan.predict_moments(network, {x.data(), inputs, 2}, {}, mean, variance);
    law.project(algebra, mean, variance, b, {u.data(), layers, 3}, {}, &report, code);
    law.bounded_project(within, mean, variance, b, lower, nullptr, u_bounded);
    law.residual(algebra, u_bounded, b, residual);
    total += pcml::sum(u, {}, &one_part) + report.value(pcml::report_item::multiplier);
    CLAIM(code == pcml::status::ok);
  }
  CLAIM(allocations() == before);
  CLAIM(reductions == 10000 && total > 0.0);
  return failures;
}
