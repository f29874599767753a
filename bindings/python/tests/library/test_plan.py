"""Predictions: perceptrons, operators, processes, ensembles."""

import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import laws
import numpy as np

import pcml


def load(name):
    return pcml.Model.load(laws.MODELS / f"{name}.safetensors")


class Perceptrons(unittest.TestCase):
    def test_rows(self):
        plan = pcml.Plan(load("porous"), batch=6)
        rows = laws.state(6, 9)
        found = plan.predict(rows)
        self.assertEqual(found.shape, (6, 1))
        np.testing.assert_array_equal(plan.predict(rows.reshape(2, 3, 9)).ravel(), found.ravel())
        np.testing.assert_array_equal(plan.predict(rows[3]), found[3])
        out = np.empty((6, 2))[:, 1:]
        self.assertIs(plan.predict(rows, out=out), out)
        np.testing.assert_array_equal(out, found)
        self.assertEqual(plan.predict(rows.astype(np.float32)).dtype, np.float32)
        self.assertEqual((plan.members, plan.regularised), (0, 0))

    def test_several_fields(self):
        plan = pcml.Plan(load("porous"), batch=6)
        rows = laws.state(6, 9)
        out = np.empty((6, 2))[:, :1]
        fields = [rows[:, :4], rows[:, 4].copy(), rows[:, 5:].astype(np.float32).astype(np.float64)]
        joined = np.concatenate([fields[0], fields[1][:, None], fields[2]], axis=1)
        plan.predict_fields(fields, [out])
        np.testing.assert_array_equal(out, plan.predict(joined))
        with self.assertRaisesRegex(pcml.ShapeError, "9 channels together"):
            plan.predict_fields(fields[:2], [out])

    def test_what_does_not_fit(self):
        plan = pcml.Plan(load("porous"), np.float32, batch=6)
        for rows, error in (
            (laws.state(7, 9), pcml.ShapeError),
            (laws.state(6, 8), pcml.ShapeError),
            (np.zeros((6, 9), int), pcml.DtypeError),
            (np.full((6, 9), np.nan), pcml.NonFiniteError),
            (np.zeros(()), pcml.ShapeError),
        ):
            with self.assertRaises(error):
                plan.predict(rows)
        with self.assertRaises(pcml.MismatchError):
            plan.predict(laws.state(6, 9), [1.0])
        with self.assertRaises(pcml.StateError):
            plan.vjp(laws.state(6, 9), laws.state(6, 1))
        for dtype in np.float16, int, "text":
            with self.assertRaises(pcml.DtypeError):
                pcml.Plan(load("porous"), dtype)

    def test_an_ensemble_and_what_its_members_disagree_on(self):
        model = load("columns")
        plan = pcml.Plan(model, batch=3)
        rows = np.array([channel["offset"] for channel in model.description["inputs"]]) + laws.state(3, 26)
        mean, variance = plan.predict_moments(rows)
        np.testing.assert_array_equal(plan.predict(rows), mean)
        also, factors = plan.predict_factors(rows)
        np.testing.assert_array_equal(also, mean)
        self.assertEqual(factors.shape, (3, 1 + plan.members, 24))
        np.testing.assert_allclose(factors[:, 0] + (factors[:, 1:] ** 2).sum(axis=1), variance, rtol=1e-10)
        projector = laws.projector(pcml.Prior.LOW_RANK, cells=24, prior_size=plan.members)
        lawful = projector.project(mean, np.ones(3), factors)
        self.assertLess(np.abs(projector.residual(lawful, np.ones(3))).max(), 1e-14)


class Operators(unittest.TestCase):
    def setUp(self):
        self.shape = (16, 5)
        self.model = load("insulated")
        self.plan = pcml.Plan(self.model, shape=self.shape, batch=2)
        self.input, self.walls = laws.state(2, *self.shape, 1), [laws.state(2, 5, 1, seed=k) for k in (1, 2)]

    def test_fields(self):
        found = self.plan.predict(self.input, self.walls)
        self.assertEqual(found.shape, (2, *self.shape, 1))
        swapped = self.input.transpose(0, 2, 1, 3).copy().transpose(0, 2, 1, 3)
        np.testing.assert_array_equal(self.plan.predict(swapped, self.walls), found)
        one = self.plan.predict(self.input[0], [wall[0] for wall in self.walls])
        np.testing.assert_array_equal(one, found[0])
        two = pcml.Plan(self.model, shape=self.shape, batch=2, threads=2)
        np.testing.assert_array_equal(two.predict(self.input, self.walls), found)

    def test_a_prediction_made_lawful(self):
        projector = laws.projector(cells=80)
        report = projector.report(2)
        found = self.plan.predict_lawful(projector, self.input, [3.0, 4.0], self.walls, report=report)
        expected = projector.project(self.plan.predict(self.input, self.walls), [3.0, 4.0])
        np.testing.assert_array_equal(found, expected)
        self.assertEqual(report.slices, 2)

    def test_derivatives(self):
        tangents = laws.state(2, *self.shape, 1, seed=5), [laws.state(2, 5, 1, seed=k) for k in (6, 7)]
        bar = laws.state(2, *self.shape, 1, seed=8)
        forward = self.plan.jvp(self.input, self.walls, input_tangent=tangents[0], value_tangents=tangents[1])
        of_input, of_walls = self.plan.vjp(self.input, bar, self.walls)
        right = (tangents[0] * of_input).sum() + sum((t * g).sum() for t, g in zip(tangents[1], of_walls))
        self.assertAlmostEqual((bar * forward).sum(), right, delta=1e-10 * abs(right))
        with self.assertRaises(pcml.MismatchError):
            self.plan.jvp(self.input, self.walls, value_tangents=tangents[1][:1])

    def test_boundary_conditions_of_the_plan(self):
        h = 1.0 / 15
        walls = [pcml.neumann(0, -1, [-1.5, 2.0, -0.5], h), pcml.neumann(0, 1, [-1.0, 1.0], h)]
        plan = pcml.Plan(self.model, shape=self.shape, batch=2, boundary=pcml.Boundary(walls))
        found = plan.predict(self.input, self.walls)
        slope = (-1.5 * found[:, 0] + 2.0 * found[:, 1] - 0.5 * found[:, 2]) / h
        np.testing.assert_allclose(slope, self.walls[0], rtol=1e-11)
        with self.assertRaises(pcml.MismatchError):
            pcml.Plan(self.model, shape=self.shape, boundary=pcml.Boundary([pcml.dirichlet(0, -1)]))

    def test_what_does_not_fit(self):
        with self.assertRaises(pcml.InvalidArgumentError):
            pcml.Plan(self.model)
        with self.assertRaises(pcml.ShapeError):
            pcml.Plan(self.model, shape=(4, 5))
        with self.assertRaises(pcml.MismatchError):
            self.plan.predict(self.input, self.walls[:1])
        with self.assertRaises(pcml.MismatchError):
            self.plan.condition(self.input, self.input)

    def test_a_grid_in_parts(self):
        barrier, table = threading.Barrier(2, timeout=60), {}

        def part(k):
            def add(values):
                table[k] = values.copy()
                barrier.wait()
                values[:] = table[0] + table[1]
                barrier.wait()

            own = pcml.OperatorPart(self.model, shape=self.shape, block=40, owned=[k])
            field = self.input[0].reshape(80, 1)[40 * k : 40 * (k + 1)]
            return own.predict(pcml.Reduction(add), field, [wall[0] for wall in self.walls])

        with ThreadPoolExecutor(2) as pool:
            found = np.concatenate(list(pool.map(part, range(2))))
        expected = self.plan.predict(self.input[0], [wall[0] for wall in self.walls])
        np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-9, atol=1e-9)


class Processes(unittest.TestCase):
    def test_a_neural_process(self):
        plan = pcml.Plan(load("stefan"), batch=2, context=10, targets=7, latents=4, seed=1)
        x, y, t = laws.state(2, 10, 2, seed=1), laws.state(2, 10, 1), laws.state(7, 2, seed=2)
        conditioned = plan.condition(x, y)
        mean, variance = conditioned.query(t)
        self.assertEqual((mean.shape, variance.shape), ((2, 7, 1), (2, 7, 1)))
        self.assertTrue((variance > 0).all())
        other = plan.condition(x[::-1], y[::-1])
        np.testing.assert_array_equal(other.query_mean(t), mean[::-1])
        np.testing.assert_array_equal(conditioned.query_mean(t), mean)
        np.testing.assert_array_equal(conditioned.condition(x[1], y[1]).query_mean(t), mean[1:])
        self.assertEqual(other.latent()[0].shape, (2, 64))
        with self.assertRaises(pcml.StateError):
            plan.condition().query(t)

    def test_a_gaussian_process_against_the_textbook(self):
        model = pcml.Model.gaussian_process(pcml.Kernel.RBF, 1, length_scales=0.4, signal_variance=2.0, noise_variance=0.01)
        np.testing.assert_allclose(model.hyperparameters, [2.0, 0.01, 0.4, 0.0])
        plan = pcml.Plan(model, context=6, targets=5, covariance=5)
        x, y, t = np.linspace(0, 1, 6), laws.state(6), np.linspace(0.1, 0.9, 5)

        def kernel(a, b):
            return 2.0 * np.exp(-0.5 * ((a[:, None] - b) / 0.4) ** 2)

        k = kernel(x, x) + 0.01 * np.eye(6)
        conditioned = plan.condition(x[:, None], y[:, None])
        mean, variance = conditioned.query(t[:, None])
        covariance = kernel(t, t) - kernel(t, x) @ np.linalg.solve(k, kernel(x, t))
        np.testing.assert_allclose(mean.ravel(), kernel(t, x) @ np.linalg.solve(k, y), rtol=1e-9)
        np.testing.assert_allclose(variance.ravel(), np.diag(covariance), rtol=1e-6, atol=1e-12)
        mean, found = conditioned.covariance(t[:, None])
        np.testing.assert_allclose(found[0, 0], covariance, rtol=1e-6, atol=1e-10)
        self.assertEqual(conditioned.jitter, 0.0)
        noisy = plan.condition(x[:, None], y[:, None], np.full(6, 0.1)).query_mean(t[:, None])
        k += 0.1 * np.eye(6)
        np.testing.assert_allclose(noisy.ravel(), kernel(t, x) @ np.linalg.solve(k, y), rtol=1e-9)
        report = pcml.FitReport()
        fitted = model.fit(x[:, None], y[:, None], restarts=1, report=report)
        self.assertGreaterEqual(report.log_likelihood, report.log_likelihood_before)
        self.assertEqual(fitted.hyperparameters.shape, (4,))

    def test_what_does_not_fit(self):
        with self.assertRaises(pcml.InvalidArgumentError):
            pcml.Model.gaussian_process(9, 1, length_scales=[1.0])
        with self.assertRaises(pcml.Error):
            pcml.Model.gaussian_process(pcml.Kernel.RBF, 1, length_scales=[])
        with self.assertRaises(pcml.InvalidArgumentError):
            pcml.Model.ensemble([])
        with self.assertRaises(pcml.MismatchError):
            pcml.Model.ensemble([load("porous"), load("insulated")])


if __name__ == "__main__":
    unittest.main()
