/* Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.

       porous <porous.safetensors>

   What ../c/porous.c tells, and the same bits: sums in the order written, and no a * b + c in one rounding (-ffp-contract=off). */
#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>

#include "common.hpp"

constexpr int CELLS = 64, SIDE = 4, WINDOW = 2 * SIDE + 1, STEPS = 40, PARTS = 64, TOLD = 8;
constexpr double dx = 1.0 / CELLS, ratio = 1.0 / 32.0;  // of a small step to dx^2

using Field = std::array<double, CELLS>;

// Two parabolas over empty ground.
static Field start() {
  Field u;
  for (int i = 0; i < CELLS; i++) {
    const double x = (i + 0.5) * dx;
    u[i] = std::max(0.0, 0.9 - 40.0 * (x - 0.35) * (x - 0.35)) + std::max(0.0, 0.5 - 50.0 * (x - 0.75) * (x - 0.75));
  }
  return u;
}

static void solve(Field &u) {
  for (int part = 0; part < PARTS; part++) {
    double left = 0.0;
    for (int i = 0; i < CELLS; i++) {
      const double right = i + 1 < CELLS ? -0.5 * (u[i] + u[i + 1]) * (u[i + 1] - u[i]) : 0.0;
      u[i] += ratio * (left - right);
      left = right;
    }
  }
}

// Steps of the surrogate. Row i of its input is the array of the state and its mirror images beyond the walls, from i on: the rows
// overlap, and nothing is copied.
class Surrogate {
 public:
  explicit Surrogate(const char *path)
      : plan_(pcml::model::load(path), pcml::dtype::f64, pcml::options().set_batch(CELLS)), scratch_(plan_.make_workspace()) {}

  void step(Field &u) {
    std::copy(u.begin(), u.end(), padded_.begin() + SIDE);
    std::reverse_copy(u.begin(), u.begin() + SIDE, padded_.begin());
    std::reverse_copy(u.end() - SIDE, u.end(), padded_.end() - SIDE);
    plan_.predict(scratch_, {padded_.data(), {CELLS, WINDOW}, {1, 1}}, {}, {change_.data(), {CELLS, 1}});
    for (int i = 0; i < CELLS; i++)
      u[i] += change_[i];
  }

 private:
  pcml::plan plan_;
  pcml::workspace scratch_;
  std::array<double, SIDE + CELLS + SIDE> padded_ = {};
  Field change_ = {};
};

static double error(const Field &u, const Field &truth) {
  double apart = 0.0, size = 0.0;
  for (int i = 0; i < CELLS; i++) {
    apart += (u[i] - truth[i]) * (u[i] - truth[i]);
    size += truth[i] * truth[i];
  }
  return 100.0 * std::sqrt(apart / size);
}

static std::uint64_t run(const char *path) {
  Field weights, truth = start(), alone = truth, lawful = truth;
  weights.fill(dx);
  const Field lower = {};
  const auto mass = [&](const Field &u) { return pcml::sum(u, weights); };
  const std::array<double, 1> held = {mass(truth)};

  Surrogate surrogate(path);
  pcml::constraints law(CELLS);
  law.add_row(weights);
  const pcml::projector projector(law, pcml::prior::identity);
  auto projection = projector.make_bounded_workspace(1);

  std::printf("      surrogate alone                 lawful\n");
  std::printf("step  error %%   mass %%      least    error %%  mass eps     least\n");
  for (int step = 1; step <= STEPS; step++) {
    solve(truth);
    surrogate.step(alone);
    surrogate.step(lawful);
    projector.bounded_project(projection, lawful, {}, held, lower, {}, lawful);
    const double off = std::fabs(mass(lawful) - held[0]) / (DBL_EPSILON * held[0]);
    const double least = *std::min_element(lawful.begin(), lawful.end());
    claim(off <= 4.0, "the mass");
    claim(least >= 0.0, "no negative value");
    if (step % TOLD == 0)
      std::printf("%4d %8.3f %8.4f %10.6f   %8.3f %9d %10.6f\n", step, error(alone, truth), 100.0 * (mass(alone) - held[0]) / held[0],
                  *std::min_element(alone.begin(), alone.end()), error(lawful, truth), static_cast<int>(off + 0.5), least);
  }
  std::uint64_t bits = 0;
  mix(bits, truth);
  mix(bits, alone);
  mix(bits, lawful);
  return bits;
}

int main(int argc, char **argv) { return tell(argc, argv, run); }
