/* What a call costs through pcml.hpp: the cases of overhead.c.

       c++ -std=c++17 -O2 overhead.cpp $(pkg-config --cflags --libs pcml) -o overhead && ./overhead */
#include <array>

#include <pcml.hpp>

#include "overhead.h"

int main() {
  const std::array<double, 1> one = {0.5}, b = {1.0};
  std::array<double, CELLS> x, mean, u;
  double sum = 0.0, rounds[ROUNDS];
  for (int i = 0; i < CELLS; i++) {
    x[i] = i;
    mean[i] = 0.25 * i;
  }
  pcml::constraints law(CELLS);
  law.add_quadrature(pcml::rule::trapezoid, x);
  const pcml::projector projector(law, pcml::prior::identity);
  auto workspace = projector.make_workspace(1);

  for (double &round : rounds) {
    const double start = now();
    for (int k = 0; k < CALLS; k++)
      sum += pcml::sum(one);
    round = (now() - start) / CALLS;
  }
  tell("sum", rounds);
  for (double &round : rounds) {
    const double start = now();
    for (int k = 0; k < CALLS; k++)
      projector.project(workspace, mean, {}, b, u);
    round = (now() - start) / CALLS;
  }
  tell("project", rounds);
  return sum > 0.0 ? 0 : 1;
}
