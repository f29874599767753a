/* Eight threads predict and project with one plan and one projector, a workspace each: every call gives the bits of the serial one.
   With OpenMP in the compiler the threads are OpenMP's.

       threads <columns.safetensors> <calls of a thread> */
#include <atomic>
#include <cstdlib>
#include <thread>

#include "claims.hpp"

constexpr std::size_t INPUTS = 26, LAYERS = 24, COLUMNS = 64, THREADS = 8;

struct Step {
  pcml::plan plan;
  pcml::projector law;
  std::vector<std::vector<double>> columns;

  explicit Step(const char *path) : plan(pcml::model::load(path), pcml::dtype::f32) {
    pcml::constraints heat(LAYERS);
    heat.add_row(numbers(LAYERS, 1));
    law = pcml::projector(heat, pcml::prior::diagonal);
    for (unsigned c = 0; c < COLUMNS; c++) {
      columns.push_back(numbers(INPUTS, c + 2));
      for (double &value : columns.back())
        value += 290.0;
    }
  }
  void operator()(pcml::workspace &network, pcml::workspace &algebra, std::size_t column, std::vector<double> &u) const {
    const double heat = 290.0;
    double mean[LAYERS], variance[LAYERS];
    plan.predict_moments(network, columns[column], {}, mean, variance);
    law.project(algebra, mean, variance, {&heat, 1}, u);
  }
};

int main(int, char **argv) {
  const Step step(argv[1]);
  const long calls = std::atol(argv[2]);
  std::vector<std::vector<double>> expected(COLUMNS, std::vector<double>(LAYERS));
  {
    auto network = step.plan.make_workspace(), algebra = step.law.make_workspace(1);
    for (std::size_t c = 0; c < COLUMNS; c++)
      step(network, algebra, c, expected[c]);
  }
  std::atomic<long> done = 0;
  const auto work = [&](std::size_t thread) {
    auto network = step.plan.make_workspace(), algebra = step.law.make_workspace(1);
    std::vector<double> u(LAYERS);
    for (long k = 0; k < calls; k++) {
      const std::size_t column = (thread + static_cast<std::size_t>(k)) % COLUMNS;
      step(network, algebra, column, u);
      done += same_bits(u, expected[column]);
    }
  };
#ifdef _OPENMP
#pragma omp parallel for num_threads(8) schedule(static, 1)
  for (int t = 0; t < static_cast<int>(THREADS); t++)
    work(static_cast<std::size_t>(t));
#else
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < THREADS; t++)
    threads.emplace_back(work, t);
  for (auto &thread : threads)
    thread.join();
#endif
  CLAIM(done == static_cast<long>(THREADS) * calls);
  return failures;
}
