"""Face fluxes, sums and densities."""

import math
import unittest
from fractions import Fraction

import laws
import numpy as np

import pcml


class Fluxes(unittest.TestCase):
    """Cells in a row, walls at both ends held."""

    def setUp(self):
        n = laws.CELLS
        owner, neighbour = np.r_[0, 0 : n - 1, n - 1], np.r_[-1, 1:n, -1]
        self.mesh = pcml.Flux(owner, neighbour, np.full(n, 0.5), held_faces=True)
        self.fluxes, self.variance = laws.state(n + 1), laws.state(n + 1, seed=1)
        self.fluxes[0] = self.fluxes[-1] = self.variance[0] = self.variance[-1] = 0.0
        self.source = laws.state(n, seed=2)
        self.source -= self.source.mean()

    def test_balances_close(self):
        report = pcml.FluxReport()
        found = self.mesh.correct(self.fluxes, self.variance, self.source, report=report)
        self.assertLess(np.abs(self.mesh.residual(found, self.source)).max(), 1e-14)
        self.assertEqual((found[0], found[-1]), (0.0, 0.0))
        self.assertEqual(report.method, pcml.FluxMethod.ELIMINATION)
        np.testing.assert_array_equal(self.mesh.correct(found, self.variance, self.source), found)
        with self.assertRaises(pcml.InfeasibleError):
            self.mesh.correct(self.fluxes, self.variance, self.source + 1.0)

    def test_updates(self):
        state = laws.state(laws.CELLS)
        new = self.mesh.update(0.01, state, self.fluxes)
        self.assertAlmostEqual(new.sum(), state.sum(), delta=1e-14)
        limits, lower = pcml.FluxLimits(), np.full(laws.CELLS, state.min())
        new, limited = self.mesh.update_bounded(1.0, state, self.fluxes, lower=lower, limits=limits)
        self.assertTrue((new >= lower).all())
        self.assertGreater(limits.limited_faces, 0)
        self.assertTrue((np.abs(limited) <= np.abs(self.fluxes)).all())

    def test_derivatives(self):
        tangents = [laws.state(laws.CELLS + 1, seed=5), laws.state(laws.CELLS + 1, seed=6), laws.state(laws.CELLS, seed=7)]
        for tangent in tangents[:2]:
            tangent[0] = tangent[-1] = 0.0
        tangents[2] -= tangents[2].mean()
        bar = laws.state(laws.CELLS + 1, seed=8)
        forward = self.mesh.jvp(
            self.fluxes,
            self.variance,
            self.source,
            tangent_fluxes=tangents[0],
            tangent_variance=tangents[1],
            tangent_source=tangents[2],
        )
        backward = self.mesh.vjp(self.fluxes, bar, self.variance, self.source)
        self.assertAlmostEqual(bar @ forward, sum(t @ g for t, g in zip(tangents, backward)), delta=1e-12)

    def test_meshes_that_are_none(self):
        for owner, neighbour, volumes in (
            ([], [], [1.0]),
            ([0], [0], [1.0]),
            ([0], [5], [1.0, 1.0]),
            ([0], [1, 2], [1.0, 1.0, 1.0]),
            ([0.0], [1.0], [1.0, 1.0]),
            ([0], [1], [1.0, -1.0]),
            ([0], [1], []),
        ):
            with self.assertRaises(pcml.Error):
                pcml.Flux(owner, neighbour, volumes)


class Sums(unittest.TestCase):
    def test_they_are_exact(self):
        values = np.array([1e300, 1.0, -1e300, 1e-300, 3.0])
        self.assertEqual(pcml.sum(values), 4.0)
        self.assertEqual(pcml.sum(values[::-1]), 4.0)
        spread = laws.state(600) * 10.0 ** np.arange(-300.0, 300.0)
        self.assertEqual(pcml.sum(spread), math.fsum(spread))
        self.assertEqual(pcml.sum(np.full(3, 0.1), np.full(3, 0.2)), float(3 * Fraction(0.1) * Fraction(0.2)))

    def test_parts(self):
        values = laws.state(50)
        bins = [pcml.sum_bins(part) for part in (values[:7], values[7:])]
        self.assertEqual(pcml.sum_round(bins[0] + bins[1]), pcml.sum(values))
        self.assertEqual(pcml.sum(values, reduction=pcml.Reduction()), pcml.sum(values))
        for wrong in bins[0][:5], np.zeros(pcml.SUM_BINS):
            with self.assertRaises(pcml.Error):
                pcml.sum_round(wrong)

    def test_what_a_reduction_raises_is_the_cause(self):
        def fail(_):
            raise KeyError("rank 3")

        reduction = pcml.Reduction(fail)
        for _ in range(2):
            with self.assertRaises(pcml.ReductionError) as raised:
                pcml.sum([1.0], reduction=reduction)
            self.assertIsInstance(raised.exception.__cause__, KeyError)

    def test_what_a_reduction_keeps_is_its_own(self):
        kept = []
        reduction = pcml.Reduction(kept.append)
        pcml.sum([1.0], reduction=reduction)
        before = kept[0].copy()
        pcml.sum([2.0], reduction=reduction)
        np.testing.assert_array_equal(kept[0], before)

    def test_densities(self):
        truth, mean, variance = (laws.state(CELLS, seed=k) for k, CELLS in enumerate([laws.CELLS] * 3))
        expected = np.mean(-0.5 * ((truth - mean) ** 2 / variance + np.log(2 * np.pi * variance)))
        self.assertAlmostEqual(pcml.log_density(truth, mean, variance), expected, delta=1e-14)
        with self.assertRaises(pcml.VarianceError):
            pcml.log_density(truth, mean, -variance)


if __name__ == "__main__":
    unittest.main()
