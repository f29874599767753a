/* A heat equation with an insulated wall, by an operator that knows its walls.

       insulated <insulated.safetensors>

   What ../c/insulated.c tells, and the same bits: cosines by recurrence, sums in the order written, and no a * b + c in one rounding
   (-ffp-contract=off). */
#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <vector>

#include "common.hpp"

constexpr int POINTS = 100, TIMES = 25, CELLS = POINTS * TIMES, RIGHT = 4, LAWS = 3 * TIMES;
constexpr int FINER = 4, FINE = FINER * (POINTS - 1) + 1, STEPS = 80, HALF = 500;
constexpr double pi = 3.14159265358979323846, conductivity = 0.01;
constexpr double h = 1.0 / (POINTS - 1), step = 2.0 / (TIMES * STEPS);

using Field = std::array<std::array<double, TIMES>, POINTS>;
using Times = std::array<double, TIMES>;

// A Neumann condition across the ends of the slab: which points it reads, and its coefficients at unit spacing.
struct Wall {
  int first;
  std::vector<double> stencil;
};
static const Wall left_wall = {0, {-1.0, 1.0}}, right_wall = {POINTS - RIGHT, {-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0}};

// cos(i a) for all i, from cos(a).
template <std::size_t N> std::array<double, N> cosines(double first) {
  std::array<double, N> c = {1.0, first};
  for (std::size_t i = 2; i < N; i++)
    c[i] = 2.0 * first * c[i - 1] - c[i - 2];
  return c;
}

// cos(3.1 pi x) at the solver's points, and cos(pi t) at its times.
static const auto wave = cosines<FINE>(0.9996976006342584);
static const auto beat = cosines<TIMES * STEPS + 1>(0.9999950652018582);

// 5 sin(pi t) at the solver's time k, as the cosine half a unit of time away.
static double flux(int k) { return 5.0 * beat[k < HALF ? HALF - k : k - HALF]; }

static double weight(int i) { return i == 0 || i == POINTS - 1 ? 0.5 * h : h; }

// Crank-Nicolson on a finer grid, half cells at the walls.
static Field solve() {
  Field u;
  std::array<double, FINE> state = wave, right, upper;
  const double fine = h / FINER, r = 0.5 * conductivity * step / (fine * fine);
  for (int k = 0; k < TIMES * STEPS; k++) {
    const double through = 0.5 * (flux(k) + flux(k + 1));
    for (int i = 0; i < FINE; i++) {
      const double before = state[i == 0 ? 1 : i - 1], after = state[i == FINE - 1 ? FINE - 2 : i + 1];
      right[i] = state[i] + r * (before - 2.0 * state[i] + after);
    }
    right[FINE - 1] += 2.0 * conductivity * step * through / fine;
    double pivot = 1.0 + 2.0 * r;
    upper[0] = -2.0 * r / pivot;
    state[0] = right[0] / pivot;
    for (int i = 1; i < FINE; i++) {
      const double lower = i == FINE - 1 ? -2.0 * r : -r;
      pivot = 1.0 + 2.0 * r - lower * upper[i - 1];
      upper[i] = -r / pivot;
      state[i] = (right[i] - lower * state[i - 1]) / pivot;
    }
    for (int i = FINE - 2; i >= 0; i--)
      state[i] -= upper[i] * state[i + 1];
    if ((k + 1) % STEPS == 0)
      for (int i = 0; i < POINTS; i++)
        u[i][k / STEPS] = state[FINER * i];
  }
  return u;
}

static double relative(const Field &u, const Field &truth) {
  double apart = 0.0, size = 0.0;
  for (int i = 0; i < POINTS; i++)
    for (int t = 0; t < TIMES; t++) {
      apart += (u[i][t] - truth[i][t]) * (u[i][t] - truth[i][t]);
      size += truth[i][t] * truth[i][t];
    }
  return std::sqrt(apart / size);
}

// The largest residual of a wall's condition, in eps of the largest term.
static double off(const Field &u, const Wall &wall, const Times &values) {
  double most = 0.0;
  for (int t = 0; t < TIMES; t++) {
    double sum = -values[t], scale = std::fabs(values[t]);
    for (std::size_t k = 0; k < wall.stencil.size(); k++) {
      const double term = wall.stencil[k] * u[wall.first + k][t] / h;
      sum += term;
      scale = std::max(scale, std::fabs(term));
    }
    most = std::max(most, std::fabs(sum) / scale);
  }
  return most / DBL_EPSILON;
}

// The largest difference between the heat in the slab and what it should be, by the trapezoid rule, in eps of the sum of magnitudes.
static double heat(const Field &u, const Times &expected) {
  double most = 0.0;
  for (int t = 0; t < TIMES; t++) {
    double sum = -expected[t], scale = 0.0;
    for (int i = 0; i < POINTS; i++) {
      const double term = weight(i) * u[i][t];
      sum += term;
      scale += std::fabs(term);
    }
    most = std::max(most, std::fabs(sum) / scale);
  }
  return most / DBL_EPSILON;
}


// Rows of the laws: heat at each time, then the left wall, then the right one.
static pcml::projector laws() {
  pcml::constraints rows(CELLS);
  for (int t = 0; t < TIMES; t++) {
    Field weights = {};
    for (int i = 0; i < POINTS; i++)
      weights[i][t] = weight(i);
    rows.add_row(weights);
  }
  for (const Wall *wall : {&left_wall, &right_wall}) {
    const auto width = wall->stencil.size();
    std::vector<double> coefficients(width);
    std::vector<std::int64_t> cells(TIMES * width);
    for (std::size_t k = 0; k < width; k++) {
      coefficients[k] = wall->stencil[k] / h;
      for (int t = 0; t < TIMES; t++)
        cells[t * width + k] = (wall->first + static_cast<int>(k)) * TIMES + t;
    }
    rows.add_stencils(static_cast<std::int64_t>(width), cells, coefficients);
  }
  return pcml::projector(rows, pcml::prior::identity);
}

static std::uint64_t run(const char *path) {
  Field u0, u, lawful;
  std::array<Times, 3> b;
  Times &content = b[0], &left = b[1], &right = b[2];
  double initial = 0.0;
  for (int i = 0; i < POINTS; i++) {
    initial += weight(i) * wave[FINER * i];
    u0[i].fill(wave[FINER * i]);
  }
  for (int t = 0; t < TIMES; t++) {
    const int k = (t + 1) * STEPS;
    left[t] = 0.0;
    right[t] = flux(k);
    // What was there, and what came through the right wall since.
    content[t] = initial + conductivity * 5.0 * (1.0 - beat[k]) / pi;
  }
  const Field truth = solve();

  std::uint64_t bits = 0;
  const auto row = [&](const char *name, const Field &of) {
    std::printf("%-28s %8.3f %18lld %18lld %18lld\n", name, 100.0 * relative(of, truth),
                static_cast<long long>(off(of, left_wall, left) + 0.5), static_cast<long long>(off(of, right_wall, right) + 0.5),
                static_cast<long long>(heat(of, content) + 0.5));
  };
  const auto add = [&](const Field &of) {
    for (const Times &point : of)
      mix(bits, point);
  };
  const auto walls_within = [&](const Field &of, double eps) {
    return off(of, left_wall, left) <= eps && off(of, right_wall, right) <= eps;
  };

  const pcml::plan plan(pcml::model::load(path), pcml::dtype::f64, pcml::options().set_shape({POINTS, TIMES}));
  auto scratch = plan.make_workspace();
  std::printf("%-28s %8s %18s %18s %18s\n", "100 points, 25 times", "error, %", "left wall, eps", "right wall, eps", "heat, eps");
  row("Crank-Nicolson", truth);
  add(truth);
  plan.predict(scratch, u0, {left, right}, u);
  row("operator", u);
  add(u);
  claim(relative(u, truth) < 0.02, "the operator's error is below 2%");
  claim(walls_within(u, 4.0), "the operator's walls");

  const auto projector = laws();
  auto projection = projector.make_workspace(1);
  plan.predict_lawful(scratch, u0, {left, right}, projector, projection, {}, {b[0].data(), {1, LAWS}}, lawful);
  row("operator, walls and balance", lawful);
  add(lawful);
  claim(walls_within(lawful, 8.0), "the lawful walls");
  claim(heat(lawful, content) <= 16.0, "the heat");

  // The same walls for a field of any origin: here the solver's, disturbed.
  for (int i = 0; i < CELLS; i++)
    u[i / TIMES][i % TIMES] = truth[i / TIMES][i % TIMES] + 0.01 * (i * 37 % 101 - 50) / 50.0;
  row("a field from elsewhere", u);
  pcml::boundary walls;
  walls.add_face(0, -1, pcml::boundary_kind::neumann, left_wall.stencil, h);
  walls.add_face(0, 1, pcml::boundary_kind::neumann, right_wall.stencil, h);
  walls.enforce({u[0].data(), {1, POINTS, TIMES, 1}}, 2, {left, right});
  row("its walls set", u);
  add(u);
  claim(walls_within(u, 4.0), "the walls that were set");
  if (failures == 0)
    std::printf("all held\n");
  return bits;
}

int main(int argc, char **argv) { return tell(argc, argv, run); }
