/* Views: every kind of array is described as it lies, nothing is copied, results arrive in place. */
#include <array>
#include <cmath>
#include <limits>
#if __cplusplus >= 202002L
#include <span>
#endif
#if __has_include(<eigen3/Eigen/Core>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <eigen3/Eigen/Core>
#pragma GCC diagnostic pop
#define HAVE_EIGEN
#endif

#include "claims.hpp"

/** What std::mdspan with layout_stride and Kokkos::View have in common; one has data_handle(), the other data(). */
struct Handle {
  float *p;
  static constexpr std::size_t rank() { return 3; }
  std::size_t extent(std::size_t i) const { return std::array<std::size_t, 3>{2, 3, 4}[i]; }
  int stride(std::size_t i) const { return std::array<int, 3>{1, 2, 6}[i]; }
  float *data_handle() const { return p; }
};
struct Data {
  const double *p;
  static constexpr int rank() { return 1; }
  int extent(std::size_t) const { return 5; }
  int stride(std::size_t) const { return -1; }
  const double *data() const { return p; }
};

template <class View>
static bool is(const View &view, const void *data, int32_t dtype, std::vector<int64_t> shape, std::vector<int64_t> strides) {
  const auto *d = view.get();
  bool same = d && d->struct_size == sizeof(pcml_array) && d->data == data && d->dtype == dtype &&
              d->rank == static_cast<int32_t>(shape.size());
  for (std::size_t i = 0; same && i < shape.size(); i++)
    same = d->shape[i] == shape[i] && d->strides[i] == strides[i];
  return same;
}

static void descriptions() {
  using pcml::array;
  using pcml::array_view;
  using pcml::const_array;
  std::vector<double> v(12);
  const std::vector<float> f(3);
  double a[2][3] = {};
  std::array<std::array<double, 4>, 2> nested = {};
  std::vector<std::array<float, 3>> velocities(5);
  const std::size_t n = 3;
  CLAIM(is(array(v), v.data(), PCML_DTYPE_F64, {12}, {1}));
  CLAIM(is(const_array(f), f.data(), PCML_DTYPE_F32, {3}, {1}));
  CLAIM(is(array(a), a, PCML_DTYPE_F64, {2, 3}, {3, 1}));
  CLAIM(is(array(a[1]), a[1], PCML_DTYPE_F64, {3}, {1}));
  CLAIM(is(array(nested), &nested, PCML_DTYPE_F64, {2, 4}, {4, 1}));
  CLAIM(is(array(velocities), velocities.data(), PCML_DTYPE_F32, {5, 3}, {3, 1}));
  CLAIM(is(array(v.data(), {n, 4}), v.data(), PCML_DTYPE_F64, {3, 4}, {4, 1}));
  CLAIM(is(array(&v[11], {2, n}, {-6, -2}), &v[11], PCML_DTYPE_F64, {2, 3}, {-6, -2}));
  CLAIM(is(const_array(v.data(), std::vector<int>{6, 2}, std::array<long, 2>{1, 6}), v.data(), PCML_DTYPE_F64, {6, 2}, {1, 6}));
  CLAIM(is(const_array(array_view(v)), v.data(), PCML_DTYPE_F64, {12}, {1}));
  float cube[24];
  CLAIM(is(array(Handle{cube}), cube, PCML_DTYPE_F32, {2, 3, 4}, {1, 2, 6}));
  CLAIM(is(const_array(Data{&v[4]}), &v[4], PCML_DTYPE_F64, {5}, {-1}));
#if __cplusplus >= 202002L
  CLAIM(is(array(std::span(v).subspan(2, 5)), &v[2], PCML_DTYPE_F64, {5}, {1}));
  CLAIM(is(const_array(std::span<const double, 12>(v)), v.data(), PCML_DTYPE_F64, {12}, {1}));
#endif
#ifdef HAVE_EIGEN
  Eigen::MatrixXd m(5, 4);
  const Eigen::Matrix<float, 5, 4, Eigen::RowMajor> r = Eigen::Matrix<float, 5, 4, Eigen::RowMajor>::Zero();
  Eigen::VectorXd x(7);
  CLAIM(is(array(m), m.data(), PCML_DTYPE_F64, {5, 4}, {1, 5}));
  CLAIM(is(array(m.block(1, 2, 3, 2)), &m(1, 2), PCML_DTYPE_F64, {3, 2}, {1, 5}));
  CLAIM(is(array(m.row(2)), &m(2, 0), PCML_DTYPE_F64, {4}, {5}));
  CLAIM(is(array(m.transpose()), m.data(), PCML_DTYPE_F64, {4, 5}, {5, 1}));
  CLAIM(is(const_array(r), r.data(), PCML_DTYPE_F32, {5, 4}, {4, 1}));
  CLAIM(is(const_array(r.col(1)), &r(0, 1), PCML_DTYPE_F32, {5}, {4}));
  CLAIM(is(array(x.segment(2, 3)), &x(2), PCML_DTYPE_F64, {3}, {1}));
  CLAIM(is(array(Eigen::Map<Eigen::VectorXd, 0, Eigen::InnerStride<3>>(v.data(), 4)), v.data(), PCML_DTYPE_F64, {4}, {3}));
#endif
  CLAIM(array().get() == nullptr && const_array(nullptr).get() == nullptr);
  CLAIM(const_array(array()).get() == nullptr);
  CLAIM(const_array(std::vector<double>()).get() != nullptr);
  CLAIM(array_view(a).count() == 6 && array_view(a).data() == &a[0][0]);

  static_assert(std::is_same_v<decltype(array_view(v)), array_view<double>>);
  static_assert(std::is_same_v<decltype(array_view(f)), array_view<const float>>);
  static_assert(std::is_convertible_v<array_view<double>, array_view<const double>>);
  static_assert(!std::is_constructible_v<array, const std::vector<double> &>, "what is const is not written");
  static_assert(!std::is_constructible_v<array, const double *, pcml::extents>);
  static_assert(!std::is_constructible_v<array, const_array>);
  static_assert(!std::is_constructible_v<const_array, std::vector<int> &>, "no dtype for it");
  static_assert(!std::is_constructible_v<const_array, std::vector<std::vector<double>> &>, "not contiguous");
  static_assert(!std::is_constructible_v<array_view<double>, std::vector<float> &>);
}

/** A column of a table, every second value of it, from below: written in place, and nothing else is. */
static void in_place() {
  constexpr std::size_t cells = 8, columns = 3;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  double table[2 * cells][columns];
  for (auto &row : table)
    for (double &value : row)
      value = nan;
  const auto mean = numbers(cells, 1);
  for (std::size_t i = 0; i < cells; i++)
    table[2 * (cells - 1 - i)][1] = mean[i];
  const pcml::array_view<double> section(&table[2 * (cells - 1)][1], cells, -2 * static_cast<int>(columns));
  CLAIM(section.data() == &table[2 * (cells - 1)][1]);

  pcml::constraints law(cells);
  law.add_row(numbers(cells, 2));
  const pcml::projector projector(law, pcml::prior::identity);
  auto scratch = projector.make_workspace(1);
  const std::vector<double> mass = {3.0};
  std::vector<double> expected(cells);
  projector.project(scratch, mean, nullptr, mass, expected);
  projector.project(scratch, section, nullptr, mass, section);
  for (std::size_t i = 0; i < 2 * cells; i++)
    for (std::size_t j = 0; j < columns; j++)
      if (j == 1 && i % 2 == 0)
        CLAIM(table[i][j] == expected[cells - 1 - i / 2]);
      else
        CLAIM(std::isnan(table[i][j]));
}

int main() {
  descriptions();
  in_place();
  return failures;
}
