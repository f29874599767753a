/* Ten thousand calls through views of every kind: not one allocation, whoever would make it.

       allocations <columns.safetensors> */
#include <array>
#include <cstdlib>

#include "claims.hpp"

static long allocations = 0;

// glibc's own, so that what the library asks for is counted as well as operator new.
extern "C" {
void *__libc_malloc(std::size_t);
void *__libc_calloc(std::size_t, std::size_t);
void *__libc_realloc(void *, std::size_t);
void *__libc_memalign(std::size_t, std::size_t);
void *malloc(std::size_t size) {
  allocations++;
  return __libc_malloc(size);
}
void *calloc(std::size_t count, std::size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}
void *realloc(void *old, std::size_t size) {
  allocations++;
  return __libc_realloc(old, size);
}
int posix_memalign(void **to, std::size_t alignment, std::size_t size) {
  allocations++;
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : 12;
}
}

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
  CLAIM(allocations > 0);

  const long before = allocations;
  for (int k = 0; k < 10000; k++) {
    pcml::status code;
    plan.predict_moments(network, {x.data(), inputs, 2}, {}, mean, variance);
    law.project(algebra, mean, variance, b, {u.data(), layers, 3}, {}, &report, code);
    law.bounded_project(within, mean, variance, b, lower, nullptr, u_bounded);
    law.residual(algebra, u_bounded, b, residual);
    total += pcml::sum(u, {}, &one_part) + report.value(pcml::report_item::multiplier);
    CLAIM(code == pcml::status::ok);
  }
  CLAIM(allocations == before);
  CLAIM(reductions == 10000 && total > 0.0);
  return failures;
}
