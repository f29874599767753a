/* Every function hands its arguments on in their places: the same call through pcml.h gives the same bits.

       calls <folder of the examples' models> */
#include <string>

#include "claims.hpp"

using Values = std::vector<double>;

static pcml_const_array in(const Values &v) {
  return {sizeof(pcml_const_array), v.data(), PCML_DTYPE_F64, 1, {static_cast<int64_t>(v.size())}, {1}};
}

/** Three arrays that a call may fill. */
struct Results {
  Values a, b, c;
  pcml_array to_a, to_b, to_c;
  explicit Results(std::size_t size) : a(size, -7.0), b(a), c(a), to_a(out(a)), to_b(out(b)), to_c(out(c)) {}
  static pcml_array out(Values &v) {
    return {sizeof(pcml_array), v.data(), PCML_DTYPE_F64, 1, {static_cast<int64_t>(v.size())}, {1}};
  }
};

/** Whether the call in C succeeds, writes, and that in C++ writes the same. */
template <class C, class Cpp> static bool agree(std::size_t size, C &&in_c, Cpp &&in_cpp) {
  Results expected(size), got(size);
  if (in_c(expected) != PCML_STATUS_OK) {
    std::fprintf(stderr, "%s\n", pcml::error_message().c_str());
    return false;
  }
  in_cpp(got);
  return !same_bits(expected.a, Values(size, -7.0)) && same_bits(expected.a, got.a) && same_bits(expected.b, got.b) &&
         same_bits(expected.c, got.c);
}

/** The same arguments in both languages. */
struct Arguments {
  Values mean, variance, b, lower, upper, levels, tangent_mean, tangent_variance, tangent_b;
  pcml_const_array m, v, r, l, h, e, tm, tv, tb;
  explicit Arguments(std::size_t n)
      : mean(numbers(n, 2)), variance(numbers(n, 3)), b{0.55 * static_cast<double>(n) * 0.6}, lower(n, 0.3), upper(n, 0.8), levels{1.0},
        tangent_mean(numbers(n, 4)), tangent_variance(numbers(n, 5)), tangent_b{0.7}, m(in(mean)), v(in(variance)), r(in(b)), l(in(lower)),
        h(in(upper)), e(in(levels)), tm(in(tangent_mean)), tv(in(tangent_variance)), tb(in(tangent_b)) {}
};

static void projections() {
  constexpr std::size_t n = 6;
  const Arguments a(n);
  pcml::constraints rows(n);
  rows.add_row(numbers(n, 1));
  const pcml::projector p(rows, pcml::prior::diagonal);
  auto w = p.make_workspace(1), bounded = p.make_bounded_workspace(1), inference = p.make_inference_workspace(2);
  auto report = p.make_report(1);
  const auto item = [&](pcml::report_item i) { return report.value(i); };
  CLAIM(agree(n, [&](auto &o) { return pcml_projector_project(p.get(), w.get(), &a.m, &a.v, &a.r, &o.to_a, &o.to_b, nullptr); },
              [&](auto &o) { p.project(w, a.mean, a.variance, a.b, o.a, o.b, &report); }));
  CLAIM(item(pcml::report_item::residual_before) != 0.0 && item(pcml::report_item::correction_norm) > 0.0);
  CLAIM(agree(n, [&](auto &o) { return pcml_projector_project(p.get(), w.get(), &a.m, &a.v, &a.r, &o.to_a, &o.to_b, nullptr); },
              [&](auto &o) { p.project(w, 1, a.mean.data(), a.variance.data(), a.b.data(), o.a.data(), o.b.data(), &report); }));
  const std::vector<float> narrow_mean(n, 0.5f), narrow_variance(n, 0.25f);
  std::vector<float> u(n), v(n);
  p.project(w, 1, narrow_mean.data(), narrow_variance.data(), a.b.data(), u.data(), v.data());
  CLAIM(agree(n,
              [&](auto &o) {
                const Values wide_mean(n, 0.5), wide_variance(n, 0.25);
                const auto m = in(wide_mean), s = in(wide_variance);
                const int32_t code = pcml_projector_project(p.get(), w.get(), &m, &s, &a.r, &o.to_a, &o.to_b, nullptr);
                for (std::size_t i = 0; i < n; i++) {
                  CLAIM(std::abs(o.a[i] - static_cast<double>(u[i])) < 1e-6);
                  CLAIM(std::abs(o.b[i] - static_cast<double>(v[i])) < 1e-6);
                }
                return code;
              },
              [&](auto &o) { p.project(w, Values(n, 0.5), Values(n, 0.25), a.b, o.a, o.b); }));
  CLAIM(agree(1, [&](auto &o) { return pcml_projector_residual(p.get(), w.get(), &a.m, &a.r, o.a.data()); },
              [&](auto &o) { p.residual(w, a.mean, a.b, o.a); }));
  p.check(w, a.mean, a.b, report);
  CLAIM(item(pcml::report_item::unchanged) == 0.0 && item(pcml::report_item::largest_correction) == 0.0);
  CLAIM(agree(1, [&](auto &o) { return pcml_projector_budget(p.get(), w.get(), &a.m, &a.r, 0.1, &o.to_a); },
              [&](auto &o) { p.budget(w, a.mean, a.b, 0.1, o.a); }));
  CLAIM(agree(n * n,
              [&](auto &o) {
                pcml_array square = o.to_a;
                square.rank = 2, square.shape[0] = square.shape[1] = n, square.strides[0] = n, square.strides[1] = 1;
                return pcml_projector_covariance(p.get(), w.get(), &a.v, &square);
              },
              [&](auto &o) { p.covariance(w, a.variance, {o.a.data(), {n, n}}); }));

  CLAIM(agree(n, [&](auto &o) { return pcml_bounded_project(p.get(), bounded.get(), &a.m, &a.v, &a.r, &a.l, &a.h, &o.to_a, nullptr); },
              [&](auto &o) { p.bounded_project(bounded, a.mean, a.variance, a.b, a.lower, a.upper, o.a, &report); }));
  CLAIM(item(pcml::report_item::active_lower) + item(pcml::report_item::active_upper) > 0.0);
  p.bounded_check(bounded, Values(n, 0.2), a.b, a.lower, a.upper, report);
  CLAIM(item(pcml::report_item::relaxed) == 6.0 && item(pcml::report_item::relaxation) == 0.3 - 0.2);
  CLAIM(agree(n,
              [&](auto &o) {
                return pcml_bounded_jvp(p.get(), bounded.get(), &a.m, &a.v, &a.r, &a.l, &a.h, &a.tm, &a.tv, &a.tb, &o.to_a);
              },
              [&](auto &o) {
                p.bounded_jvp(bounded, a.mean, a.variance, a.b, a.lower, a.upper, a.tangent_mean, a.tangent_variance, a.tangent_b, o.a);
              }));
  const auto one = [](double *to) { return pcml_array{sizeof(pcml_array), to, PCML_DTYPE_F64, 1, {1}, {1}}; };
  CLAIM(agree(n,
              [&](auto &o) {
                const auto c = one(o.c.data());
                return pcml_bounded_vjp(p.get(), bounded.get(), &a.m, &a.v, &a.r, &a.l, &a.h, &a.tm, &o.to_a, &o.to_b, &c);
              },
              [&](auto &o) {
                p.bounded_vjp(bounded, a.mean, a.variance, a.b, a.lower, a.upper, a.tangent_mean, o.a, o.b, {o.c.data(), 1});
              }));

  CLAIM(agree(2 * n,
              [&](auto &o) {
                pcml_array table = o.to_a;
                table.rank = 2, table.shape[0] = 2, table.shape[1] = n, table.strides[0] = n, table.strides[1] = 1;
                return pcml_inference_sample(p.get(), inference.get(), &a.m, &a.v, &a.r, 11, 3, &table);
              },
              [&](auto &o) { p.inference_sample(inference, a.mean, a.variance, a.b, 11, 3, {o.a.data(), {2, n}}); }));
  CLAIM(agree(1, [&](auto &o) { return pcml_inference_log_likelihood(p.get(), inference.get(), &a.m, &a.v, &a.r, o.a.data()); },
              [&](auto &o) { o.a[0] = p.inference_log_likelihood(inference, a.mean, a.variance, a.b); }));
  CLAIM(agree(2,
              [&](auto &o) {
                const int64_t some[] = {1, 4}, other[] = {2};
                pcml_array block = o.to_a;
                block.rank = 2, block.shape[1] = 1, block.strides[1] = 1;
                return pcml_inference_covariance(p.get(), inference.get(), &a.v, some, 2, other, 1, &block);
              },
              [&](auto &o) { p.inference_covariance(inference, a.variance, {1, 4}, {2}, {o.a.data(), {2, 1}}); }));
  CLAIM(agree(n, [&](auto &o) { return pcml_inference_jvp(p.get(), inference.get(), &a.m, &a.v, &a.r, &a.tm, &a.tv, &a.tb, &o.to_a); },
              [&](auto &o) { p.inference_jvp(inference, a.mean, a.variance, a.b, a.tangent_mean, a.tangent_variance, a.tangent_b, o.a); }));
  CLAIM(agree(n,
              [&](auto &o) {
                const auto c = one(o.c.data());
                return pcml_inference_vjp(p.get(), inference.get(), &a.m, &a.v, &a.r, &a.tm, &o.to_a, &o.to_b, &c);
              },
              [&](auto &o) { p.inference_vjp(inference, a.mean, a.variance, a.b, a.tangent_mean, o.a, o.b, {o.c.data(), 1}); }));

  auto part = p.make_part_workspace();
  pcml::reduction alone([](int64_t *, int64_t) {});
  CLAIM(agree(n,
              [&](auto &o) {
                return pcml_part_project(p.get(), part.get(), alone.get(), &a.m, &a.v, &a.r, &a.l, &a.h, &o.to_a, nullptr, nullptr);
              },
              [&](auto &o) { p.part_project(part, alone, a.mean, a.variance, a.b, a.lower, a.upper, o.a); }));
  CLAIM(agree(n,
              [&](auto &o) {
                return pcml_part_project(p.get(), part.get(), alone.get(), &a.m, &a.v, &a.r, nullptr, nullptr, &o.to_a, &o.to_b, nullptr);
              },
              [&](auto &o) {
                auto said = p.part_begin(part, a.mean, a.variance, a.b, {}, {}, o.a, o.b, &report);
                int times = 0;
                for (; !said.empty(); times++)
                  said = p.part_continue(part, a.mean, a.variance, a.b, {}, {}, o.a, o.b, &report);
                CLAIM(times > 1);
              }));

  rows.add_energy(numbers(n, 6));
  const pcml::projector q(rows, pcml::prior::diagonal);
  auto nonlinear = q.make_nonlinear_workspace(1);
  auto both = q.make_report(1);
  CLAIM(agree(n, [&](auto &o) { return pcml_nonlinear_project(q.get(), nonlinear.get(), &a.m, &a.v, &a.r, &a.e, &o.to_a, nullptr); },
              [&](auto &o) { q.nonlinear_project(nonlinear, a.mean, a.variance, a.b, a.levels, o.a, &both); }));
  q.nonlinear_check(nonlinear, a.mean, a.b, a.levels, both);
  CLAIM(both.value(pcml::report_item::residual_after, 0, 1) != 0.0);
  CLAIM(agree(n,
              [&](auto &o) {
                return pcml_nonlinear_jvp(q.get(), nonlinear.get(), &a.m, &a.v, &a.r, &a.e, &a.tm, &a.tv, nullptr, &o.to_a);
              },
              [&](auto &o) {
                q.nonlinear_jvp(nonlinear, a.mean, a.variance, a.b, a.levels, a.tangent_mean, a.tangent_variance, {}, o.a);
              }));
  CLAIM(agree(n,
              [&](auto &o) {
                return pcml_nonlinear_vjp(q.get(), nonlinear.get(), &a.m, &a.v, &a.r, &a.e, &a.tm, &o.to_a, &o.to_b, nullptr);
              },
              [&](auto &o) { q.nonlinear_vjp(nonlinear, a.mean, a.variance, a.b, a.levels, a.tangent_mean, o.a, o.b); }));
}

static void rows() {
  constexpr std::size_t n = 24;
  const Values x = {0.0, 1.0, 3.0, 4.0}, y = {0.0, 0.5, 2.0};
  const pcml_const_array axes[] = {in(x), in(y)};
  const int64_t shape[] = {4, 3}, starts[] = {0, 2, 3}, cells[] = {1, 5, 2}, stencil[] = {0, 1, 4, 5};
  const int64_t firsts[] = {0, 1}, seconds[] = {3, 2};
  const int32_t sides[] = {0, 1};
  const double weights[] = {1.0, -2.0, 3.0}, noise[] = {0.1, 0.2}, coefficients[] = {1.0, -1.0}, four[] = {1.0, -1.0, 2.0, -3.0};
  const auto all = numbers(n, 1);
  const auto whole = in(all);
  pcml::constraints c(n), cpp(n);
  CLAIM(pcml_constraints_add_quadrature(c.get(), PCML_RULE_SIMPSON, &whole, 0.5) == PCML_STATUS_NOT_SORTED);
  Values points(n);
  for (std::size_t i = 0; i < n; i++)
    points[i] = static_cast<double>(i * i);
  const auto at = in(points);
  CLAIM(pcml_constraints_add_quadrature(c.get(), PCML_RULE_SIMPSON, &at, 0.5) == 0);
  CLAIM(pcml_constraints_add_row(c.get(), &whole, 0.25) == 0);
  CLAIM(pcml_constraints_add_grid_quadrature(c.get(), PCML_RULE_LEFT, axes, 2, 12, 0.3) == 0);
  CLAIM(pcml_constraints_add_sparse_rows(c.get(), 2, starts, cells, weights, noise) == 0);
  CLAIM(pcml_constraints_add_boundary(c.get(), axes, 2, 12, sides, 1, 0.5, 2.0, 2, 0.4) == 0);
  CLAIM(pcml_constraints_add_periodic(c.get(), shape, 2, 6, 0, 0.6) == 0);
  CLAIM(pcml_constraints_add_stencils(c.get(), 2, 2, stencil, coefficients, 1, 0.7) == 0);
  CLAIM(pcml_constraints_add_stencils(c.get(), 2, 2, stencil, four, 0, 0.7) == 0);
  cpp.add_quadrature(pcml::rule::simpson, points, 0.5);
  cpp.add_row(all, 0.25);
  cpp.add_grid_quadrature(pcml::rule::left, {x, y}, 12, 0.3);
  cpp.add_sparse_rows(starts, cells, weights, noise);
  cpp.add_boundary({x, y}, 12, sides, 1, 0.5, 2.0, 2, 0.4);
  cpp.add_periodic({4, 3}, 6, 0, 0.6);
  cpp.add_stencils(2, stencil, coefficients, 0.7);
  cpp.add_stencils(2, stencil, four, 0.7);
  const auto count = static_cast<std::size_t>(cpp.rows());
  CLAIM(c.rows() == cpp.rows() && count == 1 + 1 + 1 + 2 + 4 + 3 + 2 + 2);
  const auto project = [&](const pcml::constraints &of, Values &u, Values &left) {
    const pcml::projector p(of, pcml::prior::identity);
    auto w = p.make_workspace(1);
    p.project(w, all, {}, {numbers(count, 2).data(), {std::size_t{1}, count}}, u);
    p.residual(w, u, {numbers(count, 2).data(), {std::size_t{1}, count}}, {left.data(), {std::size_t{1}, count}});
    return PCML_STATUS_OK;
  };
  CLAIM(agree(n, [&](auto &o) { return project(c, o.a, o.b); }, [&](auto &o) { project(cpp, o.a, o.b); }));

  const auto quadratic = [&](auto &&add) {
    pcml::constraints of(n);
    of.add_row(all);
    add(of);
    return pcml::projector(of, pcml::prior::identity);
  };
  const auto level = [&](const pcml::projector &p, Values &u) {
    auto w = p.make_nonlinear_workspace(1);
    p.nonlinear_project(w, all, {}, Values{6.0}, Values{0.3}, u);
    return PCML_STATUS_OK;
  };
  CLAIM(agree(n,
              [&](auto &o) {
                const auto add = [&](auto &of) { CLAIM(!pcml_constraints_add_quadratic(of.get(), 2, firsts, seconds, coefficients)); };
                return level(quadratic(add), o.a);
              },
              [&](auto &o) { level(quadratic([&](auto &of) { of.add_quadratic({0, 1}, {3, 2}, {1.0, -1.0}); }), o.a); }));

  const auto sets = [&](auto &&add, Values &u) {
    pcml::constraints of(n);
    of.add_row(all);
    add(of);
    const pcml::projector p(of, pcml::prior::identity);
    auto w = p.make_bounded_workspace(1);
    p.bounded_project(w, all, {}, Values{6.0}, {}, {}, u);
    return PCML_STATUS_OK;
  };
  CLAIM(agree(n,
              [&](auto &o) {
                return sets(
                    [&](auto &of) {
                      CLAIM(!pcml_constraints_add_simplex(of.get(), 4, 2, 3, 0.9));
                      CLAIM(!pcml_constraints_add_monotone(of.get(), 12, 5, PCML_DIRECTION_DECREASING));
                    },
                    o.a);
              },
              [&](auto &o) {
                sets(
                    [](auto &of) {
                      of.add_simplex(4, 2, 3, 0.9);
                      of.add_monotone(12, 5, pcml::direction::decreasing);
                    },
                    o.a);
              }));
  pcml::constraints spread(n), absent(n);
  spread.add_row(all);
  spread.set_bounds(pcml::bounds_method::spread, pcml::bounds_policy::relax_to_extremes);
  absent.add_absent_row(0.5);
  CLAIM(absent.rows() == 1 && pcml::projector(absent, pcml::prior::identity).make_part_workspace());
  const pcml::projector p(spread, pcml::prior::identity);
  auto w = p.make_bounded_workspace(1);
  Values u(n);
  p.bounded_project(w, all, {}, Values{8.0}, Values(n, 0.0), Values(n, 1.0), u);
  CLAIM(std::abs(pcml::sum(u, all) - 8.0) < 1e-12);
}

static void fluxes() {
  const std::vector<int64_t> owner = {0, 1, 2, 0, 2}, neighbour = {1, 2, 0, -1, -1};
  const std::size_t faces = owner.size(), cells = 3;
  const auto volumes = numbers(cells, 1), f = numbers(faces, 2), w = numbers(faces, 3), s = numbers(cells, 4), df = numbers(faces, 5),
             dw = numbers(faces, 6), ds = numbers(cells, 7), state = numbers(cells, 8), low = Values(cells, -5.0),
             high = Values(cells, 0.9), slow = Values(faces, 0.0);
  const auto cf = in(f), cw = in(w), cs = in(s), cdf = in(df), cdw = in(dw), cds = in(ds), cu = in(state), cl = in(low), ch = in(high),
             cg = in(slow);
  const pcml::flux mesh(owner, neighbour, volumes, pcml::options().set_direct_cells(0));
  auto scratch = mesh.make_workspace();
  const auto *m = mesh.get();
  auto *x = scratch.get();
  pcml::flux_report told;
  CLAIM(agree(faces, [&](auto &o) { return pcml_flux_correct(m, x, &cf, &cw, &cs, &o.to_a, nullptr); },
              [&](auto &o) { mesh.correct(scratch, f, w, s, o.a, &told); }));
  CLAIM(told.method == PCML_FLUX_METHOD_CONJUGATE_GRADIENTS && told.residual_before > told.residual_after);
  CLAIM(pcml::flux(owner, neighbour, volumes).make_workspace());
  CLAIM(agree(cells, [&](auto &o) { return pcml_flux_residual(m, x, &cf, &cs, &o.to_a); },
              [&](auto &o) { mesh.residual(scratch, f, s, o.a); }));
  CLAIM(agree(faces, [&](auto &o) { return pcml_flux_jvp(m, x, &cf, &cw, &cs, &cdf, &cdw, &cds, &o.to_a); },
              [&](auto &o) { mesh.jvp(scratch, f, w, s, df, dw, ds, o.a); }));
  CLAIM(agree(faces,
              [&](auto &o) {
                pcml_array c = o.to_c;
                c.shape[0] = 3;
                return pcml_flux_vjp(m, x, &cf, &cw, &cs, &cdf, &o.to_a, &o.to_b, &c);
              },
              [&](auto &o) { mesh.vjp(scratch, f, w, s, df, o.a, o.b, {o.c.data(), cells}); }));
  CLAIM(agree(cells, [&](auto &o) { return pcml_flux_update(m, x, 0.01, &cu, &cf, &cs, &o.to_a); },
              [&](auto &o) { mesh.update(scratch, 0.01, state, f, s, o.a); }));
  pcml::flux_limits limits;
  const Values still(cells, 0.5);
  const auto cstill = in(still);
  CLAIM(agree(faces,
              [&](auto &o) {
                pcml_array u = o.to_a;
                u.shape[0] = 3;
                return pcml_flux_update_bounded(m, x, 10.0, &cstill, &cf, nullptr, &cl, &ch, &cg, &u, &o.to_b, nullptr);
              },
              [&](auto &o) { mesh.update_bounded(scratch, 10.0, still, f, {}, low, high, slow, {o.a.data(), cells}, o.b, &limits); }));
  CLAIM(limits.limited_faces > 0 && limits.least_limiter < 1.0);
}

static void processes(const std::string &models) {
  constexpr std::size_t points = 6, targets = 4;
  Values x(points), at(targets);
  for (std::size_t i = 0; i < points; i++)
    x[i] = static_cast<double>(i);
  for (std::size_t i = 0; i < targets; i++)
    at[i] = 0.3 + static_cast<double>(i);
  const auto y = numbers(points, 1), noise = numbers(points, 2);
  const auto cx = in(x), cy = in(y), cn = in(noise), ct = in(at);
  pcml::options settings;
  settings.set_length_scales({1.5}).set_signal_variance(2.0).set_noise_variance(0.01).set_means({0.4}).set_context(points);
  settings.set_targets(targets).set_covariance(targets).set_restarts(1).set_seed(3).set_fit_range(100.0);
  settings.set_fitted(pcml::fitted::signal_variance | pcml::fitted::length_scales);
  const auto process = pcml::model::gaussian_process(pcml::kernel::matern32, 1, 1, settings);
  CLAIM(process.hyperparameters() == (Values{2.0, 0.01, 1.5, 0.4}));
  CLAIM(process.description().find("matern32") != std::string::npos);
  pcml::fit_report told;
  const auto better = process.fit(x, y, {}, &settings, &told);
  CLAIM(agree(4,
              [&](auto &o) {
                pcml::model made;
                pcml_model *object = nullptr;
                const int32_t code = pcml_model_fit(process.get(), &cx, &cy, nullptr, settings.get(), &object, nullptr);
                made = pcml::model(object);
                o.a = made.hyperparameters();
                return code;
              },
              [&](auto &o) { o.a = better.hyperparameters(); }));
  CLAIM(told.log_likelihood >= told.log_likelihood_before && better.hyperparameters()[1] == 0.01);

  const pcml::plan plan(process, pcml::dtype::f64, settings);
  auto w = plan.make_workspace();
  CLAIM(agree(targets,
              [&](auto &o) {
                const int32_t code = pcml_plan_condition(plan.get(), w.get(), &cx, &cy);
                return code ? code : pcml_plan_query(plan.get(), w.get(), &ct, nullptr, &o.to_a, &o.to_b);
              },
              [&](auto &o) {
                plan.condition(w, x, y);
                plan.query(w, at, {}, o.a, o.b);
              }));
  CLAIM(plan.jitter(w) == 0.0 && plan.members() == 0 && plan.regularised() == 0);
  CLAIM(agree(targets * targets,
              [&](auto &o) {
                pcml_array mean = o.to_a, square = o.to_b;
                mean.shape[0] = targets;
                square.rank = 2, square.shape[0] = square.shape[1] = targets, square.strides[0] = targets, square.strides[1] = 1;
                const int32_t code = pcml_plan_condition_noisy(plan.get(), w.get(), &cx, &cy, &cn);
                return code ? code : pcml_plan_covariance(plan.get(), w.get(), &ct, &mean, &square);
              },
              [&](auto &o) {
                plan.condition_noisy(w, x, y, noise);
                plan.covariance(w, at, {o.a.data(), targets}, {o.b.data(), {targets, targets}});
              }));

  const auto shock = pcml::model::load(models + "/stefan.safetensors");
  const auto pair = pcml::model::ensemble({&shock, &shock});
  const auto context = numbers(2 * points, 3), where = numbers(2 * targets, 4);
  pcml::options sizes;
  sizes.set_context(points).set_targets(targets).set_batch(1).set_latents(2).set_seed(5);
  const pcml::plan single(shock, pcml::dtype::f64, sizes), twofold(pair, pcml::dtype::f64, sizes);
  auto one = single.make_workspace(), two = twofold.make_workspace();
  const pcml::const_array cc(context.data(), {points, 2}), to(where.data(), {targets, 2});
  single.condition(one, cc, y);
  twofold.condition(two, cc, y);
  constexpr std::size_t hidden = 64;
  const pcml::const_array cy2(y.data(), {points, 1});
  CLAIM(agree(hidden,
              [&](auto &o) {
                pcml_array mu = o.to_a, log_variance = o.to_b;
                mu.rank = log_variance.rank = 2, mu.shape[0] = log_variance.shape[0] = 1, mu.shape[1] = log_variance.shape[1] = hidden;
                mu.strides[1] = log_variance.strides[1] = 1;
                return pcml_plan_latent(single.get(), one.get(), &mu, &log_variance);
              },
              [&](auto &o) { single.latent(one, {o.a.data(), {std::size_t{1}, hidden}}, {o.b.data(), {std::size_t{1}, hidden}}); }));
  const auto draws = numbers(2 * hidden, 5);
  const pcml::const_array eps(draws.data(), {2, hidden});
  CLAIM(agree(targets, [&](auto &o) { return pcml_plan_query(single.get(), one.get(), to.get(), eps.get(), &o.to_a, &o.to_b); },
              [&](auto &o) { single.query(one, to, eps, o.a, o.b); }));
  CLAIM(twofold.members() == 2);
  CLAIM(agree(3 * targets,
              [&](auto &o) {
                pcml_array mean = o.to_a, factors = o.to_b;
                mean.shape[0] = targets;
                factors.rank = 2, factors.shape[0] = 3, factors.shape[1] = targets, factors.strides[0] = targets, factors.strides[1] = 1;
                return pcml_plan_query_factors(twofold.get(), two.get(), to.get(), eps.get(), &mean, &factors);
              },
              [&](auto &o) { twofold.query_factors(two, to, eps, {o.a.data(), targets}, {o.b.data(), {std::size_t{3}, targets}}); }));
}

static void networks(const std::string &models) {
  constexpr std::size_t inputs = 26, layers = 24;
  const pcml::plan columns(pcml::model::load(models + "/columns.safetensors"), pcml::dtype::f64);
  auto scratch = columns.make_workspace();
  auto air = numbers(inputs, 1);
  for (double &value : air)
    value += 290.0;
  const auto ca = in(air);
  CLAIM(columns.members() == 5);
  CLAIM(agree(layers, [&](auto &o) { return pcml_plan_predict_moments(columns.get(), scratch.get(), &ca, nullptr, 0, &o.to_a, &o.to_b); },
              [&](auto &o) { columns.predict_moments(scratch, air, {}, o.a, o.b); }));
  const Values profile(air.begin(), air.begin() + 24), surface(air.begin() + 24, air.end());
  const pcml_const_array fields[] = {in(profile), in(surface)};
  CLAIM(agree(layers - 4,
              [&](auto &o) {
                pcml_array parts[] = {o.to_a, o.to_b};
                parts[1].shape[0] = 4;
                return pcml_plan_predict_fields(columns.get(), scratch.get(), fields, 2, nullptr, 0, parts, 2);
              },
              [&](auto &o) { columns.predict_fields(scratch, {profile, surface}, {}, {o.a, {o.b.data(), 4}}); }));
  CLAIM(agree(6 * layers,
              [&](auto &o) {
                pcml_array mean = o.to_a, factors = o.to_b;
                mean.shape[0] = layers;
                factors.rank = 2, factors.shape[0] = 6, factors.shape[1] = layers, factors.strides[0] = layers, factors.strides[1] = 1;
                return pcml_plan_predict_factors(columns.get(), scratch.get(), &ca, nullptr, 0, &mean, &factors);
              },
              [&](auto &o) { columns.predict_factors(scratch, air, {}, {o.a.data(), layers}, {o.b.data(), {std::size_t{6}, layers}}); }));

  constexpr std::size_t nx = 100, nt = 25, cells = nx * nt;
  const auto insulated = pcml::model::load(models + "/insulated.safetensors");
  const double third = 1.0 / 3.0, right[] = {-third, 1.5, -3.0, 11.0 / 6.0};
  pcml::boundary faces;
  faces.add_face(0, -1, pcml::boundary_kind::neumann, {-1.0, 1.0}, 0.01);
  faces.add_face(0, 1, pcml::boundary_kind::neumann, right, 0.01);
  pcml::options settings;
  settings.set_shape({nx, nt}).set_boundary(&faces).set_threads(1).set_transforms(pcml::transforms::matrix);
  const pcml::plan plan(insulated, pcml::dtype::f64, settings);
  auto w = plan.make_workspace(), d = plan.make_derivative_workspace();
  const auto u0 = numbers(cells, 1), du = numbers(cells, 2), left_wall = numbers(nt, 3), right_wall = numbers(nt, 4);
  const pcml::const_array u(u0.data(), {nx, nt}), tangent(du.data(), {nx, nt});
  const pcml_const_array walls[] = {in(left_wall), in(right_wall)};
  const std::vector<pcml::const_array> faced = {left_wall, right_wall};
  const auto grid = [](pcml_array to) {
    to.rank = 2, to.shape[0] = nx, to.shape[1] = nt, to.strides[0] = nt, to.strides[1] = 1;
    return to;
  };
  CLAIM(agree(cells,
              [&](auto &o) {
                const auto a = grid(o.to_a);
                return pcml_plan_predict(plan.get(), w.get(), u.get(), walls, 2, &a);
              },
              [&](auto &o) { plan.predict(w, u, faced, {o.a.data(), {nx, nt}}); }));
  CLAIM(agree(cells,
              [&](auto &o) {
                const auto a = grid(o.to_a);
                return pcml_plan_jvp(plan.get(), d.get(), u.get(), walls, 2, tangent.get(), walls, &a);
              },
              [&](auto &o) { plan.jvp(d, u, {left_wall, right_wall}, tangent, {left_wall, right_wall}, {o.a.data(), {nx, nt}}); }));
  CLAIM(agree(cells,
              [&](auto &o) {
                const auto a = grid(o.to_a);
                pcml_array parts[] = {o.to_b, o.to_c};
                parts[0].shape[0] = parts[1].shape[0] = nt;
                return pcml_plan_vjp(plan.get(), d.get(), u.get(), walls, 2, tangent.get(), &a, parts);
              },
              [&](auto &o) {
                plan.vjp(d, u, {left_wall, right_wall}, tangent, {o.a.data(), {nx, nt}}, {{o.b.data(), nt}, {o.c.data(), nt}});
              }));

  pcml::constraints mass(cells);
  mass.add_row(Values(cells, 0.01));
  const pcml::projector law(mass, pcml::prior::diagonal);
  auto algebra = law.make_workspace(1);
  auto report = law.make_report(1);
  const Values b = {3.0};
  const auto cb = in(b);
  const pcml::const_array variance(du.data(), {nx, nt});
  CLAIM(agree(cells,
              [&](auto &o) {
                const auto a = grid(o.to_a), v = grid(o.to_b);
                return pcml_plan_predict_lawful(plan.get(), w.get(), u.get(), walls, 2, law.get(), algebra.get(), variance.get(), &cb, &a,
                                                &v, nullptr);
              },
              [&](auto &o) {
                plan.predict_lawful(w, u, faced, law, algebra, variance, b, {o.a.data(), {nx, nt}}, {o.b.data(), {nx, nt}}, &report);
              }));
  CLAIM(report.slices() == 1);

  CLAIM(agree(cells,
              [&](auto &o) {
                o.a = u0;
                pcml_array field = o.to_a;
                field.data = o.a.data();
                field.rank = 4, field.shape[0] = field.shape[3] = 1, field.shape[1] = nx, field.shape[2] = nt;
                field.strides[0] = cells, field.strides[1] = nt, field.strides[2] = field.strides[3] = 1;
                return pcml_boundary_enforce(faces.get(), &field, 2, walls, 2);
              },
              [&](auto &o) {
                o.a = u0;
                faces.enforce({o.a.data(), {std::size_t{1}, nx, nt, std::size_t{1}}}, 2, {left_wall, right_wall});
              }));

  const pcml::operator_part part(insulated, pcml::dtype::f64, pcml::options().set_shape({nx, nt}), 10 * nt, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  auto own = part.make_workspace();
  pcml::reduction alone([](int64_t *, int64_t) {});
  CLAIM(agree(cells, [&](auto &o) {
    const auto flat = in(u0);
    return pcml_operator_part_predict(part.get(), own.get(), alone.get(), &flat, walls, 2, &o.to_a);
  }, [&](auto &o) { part.predict(own, alone, u0, faced, o.a); }));
  CLAIM(agree(cells, [&](auto &o) {
    const auto flat = in(u0);
    return pcml_operator_part_predict(part.get(), own.get(), alone.get(), &flat, walls, 2, &o.to_a);
  }, [&](auto &o) {
    auto said = part.begin(own, u0, faced, pcml::dtype::f64);
    while (!said.empty())
      said = part.proceed(own);
    part.finish(own, o.a);
  }));
}

static void sums() {
  const auto x = numbers(50, 1), y = numbers(50, 2), v = numbers(50, 3);
  const auto cx = in(x), cy = in(y), cv = in(v);
  CLAIM(agree(1, [&](auto &o) { return pcml_log_density(&cx, &cy, &cv, o.a.data()); },
              [&](auto &o) { o.a[0] = pcml::log_density(x, y, v); }));
  CLAIM(agree(1, [&](auto &o) { return pcml_sum(&cx, &cy, nullptr, o.a.data()); }, [&](auto &o) { o.a[0] = pcml::sum(x, y); }));
  CLAIM(pcml::sum_round(pcml::sum_bins(x, y)) == pcml::sum(x, y));
  CLAIM(std::string(pcml::version_string()) == std::to_string(pcml::version().major) + "." + std::to_string(pcml::version().minor) + "." +
                                                   std::to_string(pcml::version().patch));
}

int main(int, char **argv) {
  projections();
  rows();
  fluxes();
  processes(argv[1]);
  networks(argv[1]);
  sums();
  return failures;
}
