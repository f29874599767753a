"""Projections against the textbook, formula by formula."""

import unittest

import laws
import numpy as np

import pcml
from pcml import BoundsMethod, BoundsPolicy, Prior, ReportItem, Rule

CELLS = laws.CELLS


def weights(projector):
    """The rows, read off as residuals of unit states."""
    return projector.residual(np.eye(projector.cells), np.zeros((projector.cells, projector.rows))).T


class Equality(unittest.TestCase):
    def test_the_textbook(self):
        for prior in Prior.IDENTITY, Prior.DIAGONAL, Prior.SCALAR, Prior.DENSE:
            projector = laws.projector(prior, rows=2)
            g, mean, b = weights(projector), laws.state(CELLS), np.array([3.0, 5.0])
            data, sigma = {
                Prior.IDENTITY: (None, np.eye(CELLS)),
                Prior.DIAGONAL: (laws.state(CELLS, seed=1), np.diag(laws.state(CELLS, seed=1))),
                Prior.SCALAR: (np.array([0.3]), 0.3 * np.eye(CELLS)),
                Prior.DENSE: (np.cov(laws.state(CELLS, 40)),) * 2,
            }[prior]
            gain = sigma @ g.T @ np.linalg.inv(g @ sigma @ g.T)
            spread = np.empty(CELLS)
            found = projector.project(mean, b, data, out_variance=spread)
            covariance = sigma - gain @ g @ sigma
            np.testing.assert_allclose(found, mean - gain @ (g @ mean - b), rtol=1e-10)
            np.testing.assert_allclose(spread, np.diag(covariance), rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(projector.covariance(data), covariance, rtol=1e-8, atol=1e-12)
            block = projector.covariance_between([0, 3], [1, 2, 5], data)
            np.testing.assert_allclose(block, covariance[np.ix_([0, 3], [1, 2, 5])], rtol=1e-8, atol=1e-12)
            self.assertLess(np.abs(projector.residual(found, b)).max(), 1e-14)
            likelihood = -0.5 * (
                (g @ mean - b) @ np.linalg.solve(g @ sigma @ g.T, g @ mean - b)
                + np.linalg.slogdet(2 * np.pi * g @ sigma @ g.T)[1]
            )
            self.assertAlmostEqual(projector.log_likelihood(mean, b, data), likelihood, delta=1e-9 * abs(likelihood))

    def test_what_obeys_comes_back_as_it_was(self):
        projector, b = laws.projector(rows=2), np.array([3.0, 5.0])
        lawful = projector.project(laws.state(CELLS), b)
        np.testing.assert_array_equal(projector.project(lawful, b), lawful)
        report = projector.check(lawful, b)
        self.assertEqual(report.value(ReportItem.UNCHANGED), 1.0)

    def test_reports(self):
        projector = laws.projector(Prior.DIAGONAL, rows=2)
        mean, b, report = laws.state(3, CELLS), laws.state(3, 2), projector.report(5)
        self.assertEqual(report.slices, 0)
        before = projector.residual(mean, b)
        found = projector.project(mean, b, laws.state(3, CELLS, seed=1), report=report)
        self.assertEqual(report.slices, 3)
        np.testing.assert_allclose(report.values(ReportItem.RESIDUAL_BEFORE), before, rtol=1e-12)
        largest = np.abs(found - mean).max(axis=1)
        np.testing.assert_allclose(report.values(ReportItem.LARGEST_CORRECTION), largest, rtol=1e-12)
        for item, slice, row in (99, 0, 0), (ReportItem.MULTIPLIER, 3, 0), (ReportItem.MULTIPLIER, 0, 2):
            with self.assertRaises(pcml.InvalidArgumentError):
                report.value(item, slice, row)

    def test_budgets(self):
        projector = laws.projector(rows=2)
        previous, rates = laws.state(3, CELLS), laws.state(3, 2, 4)
        expected = projector.residual(previous, np.zeros((3, 2))) + 0.1 * rates.sum(axis=2)
        np.testing.assert_allclose(projector.budget(previous, rates, 0.1), expected, rtol=1e-14)

    def test_samples(self):
        projector, b = laws.projector(Prior.DIAGONAL), np.ones(1)
        mean, variance = laws.state(CELLS), laws.state(CELLS, seed=1)
        samples = projector.sample(mean, b, variance, count=5, seed=3)
        np.testing.assert_array_equal(projector.sample(mean, b, variance, count=2, seed=3, first=3), samples[3:])
        self.assertLess(np.abs(projector.residual(samples, np.ones(5))).max(), 1e-14)
        for count in -1, 0:
            with self.assertRaises((pcml.Error, ValueError)):
                projector.sample(mean, b, variance, count=count)

    def test_derivatives(self):
        projector, b = laws.projector(Prior.DIAGONAL, rows=2), np.ones(2)
        mean, variance, bar = (laws.state(CELLS, seed=k) for k in range(3))
        tangents = [laws.state(CELLS, seed=5), laws.state(CELLS, seed=6), laws.state(2, seed=7)]
        forward = projector.jvp(
            mean, b, variance, tangent_mean=tangents[0], tangent_variance=tangents[1], tangent_b=tangents[2]
        )
        backward = projector.vjp(mean, b, bar, variance)
        self.assertAlmostEqual(bar @ forward, sum(t @ g for t, g in zip(tangents, backward)), delta=1e-12)
        alone = np.empty(2)
        self.assertEqual(projector.vjp(mean, b, bar, variance, gradient_b=alone)[:2], (None, None))
        np.testing.assert_array_equal(alone, backward[2])

    def test_contradictions_and_dependent_rows(self):
        constraints = pcml.Constraints(CELLS)
        for factor in 1.0, 2.0:
            constraints.add_row(np.full(CELLS, factor))
        projector = pcml.Projector(constraints)
        report = projector.report()
        projector.project(laws.state(CELLS), [3.0, 6.0], report=report)
        np.testing.assert_array_equal(report.values(ReportItem.DROPPED), [[0.0, 1.0]])
        with self.assertRaises(pcml.ContradictionError):
            projector.project(laws.state(CELLS), [3.0, 7.0])

    def test_held_cells(self):
        variance = np.ones(CELLS)
        variance[2] = 0.0
        with self.assertRaises(pcml.VarianceError):
            laws.projector(Prior.DIAGONAL).project(laws.state(CELLS), 1.0, variance)
        mean = laws.state(CELLS)
        found = laws.projector(Prior.DIAGONAL, held_cells=True).project(mean, 1.0, variance)
        self.assertEqual(found[2], mean[2])

    def test_a_prior_without_its_data(self):
        with self.assertRaises(pcml.NullArgumentError):
            laws.projector(Prior.DIAGONAL).project(laws.state(CELLS), 1.0)
        with self.assertRaises(pcml.InvalidArgumentError):
            laws.projector().project(laws.state(CELLS), 1.0, np.ones(CELLS))


class Rows(unittest.TestCase):
    def rows(self, cells, add, count):
        constraints = pcml.Constraints(cells)
        add(constraints)
        self.assertEqual(constraints.rows, count)
        return weights(pcml.Projector(constraints))

    def test_quadratures(self):
        x = np.sort(laws.state(CELLS))
        g = self.rows(CELLS, lambda c: c.add_quadrature(Rule.TRAPEZOID, x), 1)
        np.testing.assert_allclose(g[0], np.gradient(np.r_[x[0], x, x[-1]])[1:-1], rtol=1e-13)
        y = np.array([0.0, 0.5, 2.0])
        g = self.rows(2 + 4 * 3, lambda c: c.add_grid_quadrature(Rule.RIGHT, [np.arange(4.0), y], first=2), 1)
        np.testing.assert_allclose(g[0], np.r_[0, 0, np.outer([0, 1, 1, 1], [0, 0.5, 1.5]).ravel()], atol=1e-15)

    def test_sparse_rows(self):
        dense = np.array([[1.0, 0, 2.0], [0, 3.0, 0]])
        g = self.rows(3, lambda c: c.add_sparse_rows([0, 2, 3], [0, 2, 1], [1.0, 2.0, 3.0], [0.1, 0.0]), 2)
        np.testing.assert_array_equal(g, dense)
        for starts, cells, factors, noise in (
            ([0, 2, 4], [0, 2, 1], [1.0, 2.0, 3.0], None),
            ([0, 2, 3], [0, 2], [1.0, 2.0, 3.0], None),
            ([0, 2, 3], [0, 2, 1], [1.0, 2.0], None),
            ([0, 2, 3], [0, 2, 1], [1.0, 2.0, 3.0], [0.1]),
            ([], [], [], None),
            ([0], [], [], None),
        ):
            with self.assertRaises((pcml.MismatchError, pcml.DtypeError)):
                pcml.Constraints(3).add_sparse_rows(starts, cells, factors, noise)
        with self.assertRaises(pcml.DtypeError):
            pcml.Constraints(3).add_sparse_rows([0.0, 1.0], [0], [1.0])
        with self.assertRaises(pcml.InvalidArgumentError):
            pcml.Constraints(3).add_sparse_rows([0, 1], [3], [1.0])

    def test_boundaries(self):
        axes = [np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0])]
        g = self.rows(6, lambda c: c.add_boundary(axes, [-1, 0], 0, slope=1.0), 2)
        np.testing.assert_allclose(g, [[2, 0, -2, 0, 0, 0], [0, 2, 0, -2, 0, 0]])
        g = self.rows(6, lambda c: c.add_periodic([3, 2], 0), 2)
        np.testing.assert_array_equal(g, [[-1, 0, 0, 0, 1, 0], [0, -1, 0, 0, 0, 1]])
        for sides in [0, 0], [2, 0], [-1], [2**33 + 1, 0]:
            with self.assertRaises(pcml.Error):
                pcml.Constraints(6).add_boundary(axes, sides, 0, value=1.0)

    def test_stencils(self):
        g = self.rows(4, lambda c: c.add_stencils([[0, 1], [2, 3]], [-1.0, 1.0]), 2)
        np.testing.assert_array_equal(g, [[-1, 1, 0, 0], [0, 0, -1, 1]])
        g = self.rows(4, lambda c: c.add_stencils([3, 1], [2.0, 5.0]), 2)
        np.testing.assert_array_equal(g, [[0, 0, 0, 2], [0, 5, 0, 0]])
        with self.assertRaises(pcml.MismatchError):
            pcml.Constraints(4).add_stencils([[0, 1], [2, 3]], [1.0, 2.0, 3.0])

    def test_failures_leave_the_rows_as_they_were(self):
        constraints = pcml.Constraints(3)
        for call in (
            lambda: constraints.add_row([0.0, 0.0, 0.0]),
            lambda: constraints.add_row([1.0, 1.0]),
            lambda: constraints.add_row([1.0, 1.0, 1.0], -1.0),
            lambda: constraints.add_quadrature(Rule.TRAPEZOID, [0.0, 2.0, 1.0]),
            lambda: constraints.add_quadrature(17, [0.0, 1.0, 2.0]),
        ):
            with self.assertRaises(pcml.Error):
                call()
        self.assertEqual(constraints.rows, 0)
        with self.assertRaises(pcml.StateError):
            pcml.Projector(constraints)


class Bounds(unittest.TestCase):
    def test_bounds_hold_without_tolerance(self):
        projector = laws.projector(Prior.DIAGONAL)
        mean, variance = laws.state(2, CELLS) * 2 - 1, laws.state(2, CELLS, seed=1)
        report = projector.report(2)
        found = projector.project_bounded(mean, [1.0, 5.0], variance, lower=np.zeros(CELLS), upper=np.ones(CELLS), report=report)
        self.assertTrue(((found >= 0) & (found <= 1)).all())
        self.assertLess(np.abs(projector.residual(found, [1.0, 5.0])).max(), 1e-14)
        np.testing.assert_array_equal(report.values(ReportItem.ACTIVE_LOWER), (found == 0).sum(axis=1))
        told = projector.check_bounded(found, [1.0, 5.0], lower=np.zeros(CELLS), upper=np.ones(CELLS))
        np.testing.assert_array_equal(told.values(ReportItem.UNCHANGED), [1, 1])

    def test_what_no_state_obeys(self):
        mean, upper = laws.state(CELLS), np.ones(CELLS)
        with self.assertRaises(pcml.InfeasibleError):
            laws.projector().project_bounded(mean, 100.0, upper=upper)
        constraints = pcml.Constraints(CELLS)
        constraints.add_row(np.ones(CELLS))
        constraints.set_bounds(BoundsMethod.NEAREST, BoundsPolicy.RELAX_LEAST)
        found = pcml.Projector(constraints).project_bounded(mean, 2.0 * CELLS, upper=upper)
        np.testing.assert_allclose(found, 2.0)

    def test_sets(self):
        constraints = pcml.Constraints(7)
        constraints.add_simplex(0, 2, 2)
        constraints.add_monotone(4, 3, pcml.Direction.DECREASING)
        constraints.add_row(np.ones(7))
        found = pcml.Projector(constraints).project_bounded(laws.state(7), 5.0)
        np.testing.assert_allclose(found[:2] + found[2:4], 1.0, rtol=1e-15)
        self.assertTrue((np.diff(found[4:]) <= 0).all())

    def test_derivatives(self):
        projector, b, lower = laws.projector(Prior.DIAGONAL), np.array([7.0]), np.full(CELLS, 0.8)
        mean, variance, bar = (laws.state(CELLS, seed=k) for k in range(3))
        tangents = [laws.state(CELLS, seed=5), laws.state(CELLS, seed=6), laws.state(1, seed=7)]
        forward = projector.jvp_bounded(
            mean, b, variance, lower=lower, tangent_mean=tangents[0], tangent_variance=tangents[1], tangent_b=tangents[2]
        )
        backward = projector.vjp_bounded(mean, b, bar, variance, lower=lower)
        self.assertAlmostEqual(bar @ forward, sum(t @ g for t, g in zip(tangents, backward)), delta=1e-12)


class Invariants(unittest.TestCase):
    def setUp(self):
        constraints = pcml.Constraints(CELLS)
        constraints.add_row(np.ones(CELLS))
        constraints.add_energy(np.full(CELLS, 0.5))
        constraints.add_quadratic([0, 1], [1, 2], [1.0, -2.0])
        self.projector = pcml.Projector(constraints)
        reference = laws.state(CELLS, seed=2)
        self.b = np.array([reference.sum()])
        self.levels = np.array([0.5 * reference @ reference, reference[0] * reference[1] - 2 * reference[1] * reference[2]])
        self.mean = reference + 0.05 * laws.state(CELLS, seed=3)

    def test_rows_and_invariants_hold(self):
        report = self.projector.report()
        found = self.projector.project_nonlinear(self.mean, self.levels, self.b, report=report)
        self.assertAlmostEqual(found.sum(), self.b[0], delta=1e-13)
        self.assertAlmostEqual(0.5 * found @ found, self.levels[0], delta=1e-13)
        self.assertAlmostEqual(found[0] * found[1] - 2 * found[1] * found[2], self.levels[1], delta=1e-13)
        self.assertEqual(report.values(ReportItem.RESIDUAL_AFTER).shape, (1, 3))
        self.assertEqual(self.projector.check_nonlinear(found, self.levels, self.b).value(ReportItem.UNCHANGED), 1.0)

    def test_derivatives(self):
        tangent_mean, tangent_b, bar = laws.state(CELLS, seed=5), laws.state(3, seed=6), laws.state(CELLS, seed=7)
        forward = self.projector.jvp_nonlinear(
            self.mean, self.levels, self.b, tangent_mean=tangent_mean, tangent_b=tangent_b
        )
        of_mean, of_variance, of_b = self.projector.vjp_nonlinear(self.mean, self.levels, bar, self.b)
        self.assertIsNone(of_variance)
        self.assertAlmostEqual(bar @ forward, tangent_mean @ of_mean + tangent_b @ of_b, delta=1e-12)


class Parts(unittest.TestCase):
    def test_two_parts_are_one_field(self):
        """The parts run in threads, and the host's sum is a table that both write to."""
        import threading
        from concurrent.futures import ThreadPoolExecutor

        weight, mean, variance = laws.state(CELLS, seed=1), laws.state(CELLS), laws.state(CELLS, seed=2)

        def run(cuts):
            edges = [0, *cuts, CELLS]
            barrier, table = threading.Barrier(len(edges) - 1, timeout=60), {}

            def part(k):
                own = slice(edges[k], edges[k + 1])

                def add(values):
                    table[k] = values.copy()
                    barrier.wait()
                    values[:] = np.sum(list(table.values()), axis=0)
                    barrier.wait()

                reduction = pcml.Reduction(add)
                constraints = pcml.Constraints(edges[k + 1] - edges[k])
                constraints.add_row(weight[own])
                projector = pcml.Projector(constraints, Prior.DIAGONAL)
                upper = np.full(constraints.cells, 1.1)
                found = projector.project_part(reduction, mean[own], 6.0, variance[own], upper=upper)
                return found, pcml.sum(found, weight[own], reduction)

            with ThreadPoolExecutor(len(edges) - 1) as pool:
                found = list(pool.map(part, range(len(edges) - 1)))
            return np.concatenate([u for u, _ in found]), {mass for _, mass in found}

        whole, mass = run([])
        self.assertLessEqual(abs(mass.pop() - 6.0), 2e-15)
        for cuts in [3], [1, 2, 6]:
            parts, masses = run(cuts)
            np.testing.assert_array_equal(parts, whole)
            self.assertEqual(len(masses), 1)


if __name__ == "__main__":
    unittest.main()
