"""Layers of PyTorch: forward passes are the library's to the bit, derivatives are right."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import laws
import numpy as np

import pcml

if laws.TORCH:
    import torch

    from pcml.torch import BoundaryCorrection, Operator, Projection


def tensor(*shape, seed=3, dtype=np.float64, grad=False):
    return torch.from_numpy(laws.state(*shape, seed=seed, dtype=dtype)).requires_grad_(grad)


@unittest.skipUnless(laws.TORCH, "no PyTorch")
class Projections(unittest.TestCase):
    def test_forward_is_the_projector_to_the_bit(self):
        for dtype in np.float32, np.float64:
            projector = laws.projector(pcml.Prior.DIAGONAL, rows=2)
            mean, b, variance = laws.state(5, 2, 4, dtype=dtype), laws.state(5, 2), laws.state(5, 2, 4, seed=1, dtype=dtype)
            found = Projection(projector)(*map(torch.from_numpy, (mean, b, variance)))
            np.testing.assert_array_equal(found.numpy(), projector.project(mean, b, variance))
            self.assertEqual(found.numpy().dtype, dtype)
            lower, upper = 0.9, torch.full((laws.CELLS,), 1.2, dtype=torch.float64)
            b = projector.residual(laws.state(5, laws.CELLS, seed=2) * 0.1 + 0.95, np.zeros((5, 2)))
            found = Projection(projector, lower=lower, upper=upper)(*map(torch.from_numpy, (mean, b, variance)))
            expected = projector.project_bounded(mean, b, variance, lower=np.full(laws.CELLS, lower), upper=upper)
            np.testing.assert_array_equal(found.numpy(), expected)

    def test_gradients(self):
        for prior, shapes in (
            (pcml.Prior.IDENTITY, [None]),
            (pcml.Prior.DIAGONAL, [(laws.CELLS,), (3, laws.CELLS)]),
            (pcml.Prior.SCALAR, [(1,), (3, 1)]),
        ):
            layer = Projection(laws.projector(prior, rows=2))
            for shape in shapes:
                for of_b in (2,), (3, 2):
                    variance = None if shape is None else tensor(*shape, seed=1, grad=True)
                    torch.autograd.gradcheck(layer, (tensor(3, 2, 4, grad=True), tensor(*of_b, seed=2, grad=True), variance))
        torch.autograd.gradcheck(Projection(laws.projector()), (tensor(laws.CELLS, grad=True), tensor(1, grad=True)))

    def test_gradients_within_bounds(self):
        projector = laws.projector(pcml.Prior.DIAGONAL)
        layer = Projection(projector, lower=0.7)
        mean, variance = tensor(3, laws.CELLS, grad=True), tensor(3, laws.CELLS, seed=1, grad=True)
        b = torch.tensor([7.0, 6.5, 8.0], dtype=torch.float64, requires_grad=True)
        report = projector.report(3)
        lower = np.full(laws.CELLS, 0.7)
        projector.project_bounded(mean.detach(), b.detach(), variance.detach(), lower=lower, report=report)
        self.assertTrue((report.values(pcml.ReportItem.ACTIVE_LOWER) > 0).any())
        torch.autograd.gradcheck(layer, (mean, b, variance))
        torch.autograd.gradcheck(layer, (mean, b.detach(), variance.detach()))

    def test_gradients_on_simplices(self):
        constraints = pcml.Constraints(6)
        constraints.add_simplex(0, 2, 3)
        constraints.add_row(np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]))
        layer = Projection(pcml.Projector(constraints), bounded=True)
        found = layer(tensor(2, 2, 3), torch.full((2, 1), 1.3, dtype=torch.float64))
        np.testing.assert_allclose(found.sum(1).numpy(), 1.0, rtol=1e-15)
        torch.autograd.gradcheck(layer, (tensor(2, 2, 3, grad=True), torch.full((2, 1), 1.3, dtype=torch.float64)))

    def test_a_correlated_metric_has_gradients_of_the_mean_alone(self):
        factor = laws.state(laws.CELLS, laws.CELLS)
        dense = torch.from_numpy(factor @ factor.T + np.eye(laws.CELLS))
        layer = Projection(laws.projector(pcml.Prior.DENSE))
        for data in dense, torch.stack([dense, 2 * dense]):
            torch.autograd.gradcheck(layer, (tensor(2, laws.CELLS, grad=True), tensor(2, grad=True), data))
        with self.assertRaises(pcml.InvalidArgumentError):
            layer(tensor(2, laws.CELLS), tensor(2), dense.requires_grad_())

    def test_gradients_in_single_precision_are_those_of_the_library(self):
        projector = laws.projector(pcml.Prior.DIAGONAL)
        mean, variance = (tensor(2, laws.CELLS, seed=k, dtype=np.float32, grad=True) for k in (1, 2))
        b, bar = tensor(2, grad=True), tensor(2, laws.CELLS, seed=4, dtype=np.float32)
        Projection(projector)(mean, b, variance).backward(bar)
        self.assertEqual(mean.grad.dtype, torch.float32)
        for k in range(2):
            of = projector.vjp(*(t[k].detach() for t in (mean, b[:, None], bar, variance)))
            for expected, found in zip(of, (mean.grad[k], variance.grad[k], b.grad[k : k + 1])):
                np.testing.assert_array_equal(found.numpy(), expected)

    def test_what_does_not_fit_is_refused(self):
        layer = Projection(laws.projector(pcml.Prior.DIAGONAL))
        good = tensor(2, laws.CELLS), tensor(2), tensor(2, laws.CELLS)
        for k, wrong in (
            (0, tensor(2, laws.CELLS + 1)),
            (1, tensor(3)),
            (2, tensor(2, laws.CELLS - 1)),
            (0, tensor(2, laws.CELLS).to(torch.int64)),
            (0, tensor(2, laws.CELLS).to(torch.float16)),
            (0, torch.full((2, laws.CELLS), float("nan"))),
            (2, -tensor(2, laws.CELLS)),
            (2, None),
        ):
            with self.assertRaises(pcml.Error):
                layer(*good[:k], wrong, *good[k + 1 :])

    def test_threads(self):
        layer = Projection(laws.projector(pcml.Prior.DIAGONAL))

        def work(seed):
            mean = tensor(4, laws.CELLS, seed=seed, grad=True)
            for _ in range(20):
                mean.grad = None
                layer(mean, tensor(4), tensor(4, laws.CELLS, seed=seed)).square().sum().backward()
            return mean.grad

        with ThreadPoolExecutor(4) as pool:
            for seed, found in enumerate(pool.map(work, range(4))):
                np.testing.assert_array_equal(found, work(seed))


@unittest.skipUnless(laws.TORCH, "no PyTorch")
class Operators(unittest.TestCase):
    def test_an_operator_with_walls(self):
        shape, times = (16, 5), 5
        model = pcml.Model.load(laws.MODELS / "insulated.safetensors")
        plan = pcml.Plan(model, shape=shape, batch=2)
        layer = Operator(plan)
        field, walls = tensor(2, *shape, 1, grad=True), [tensor(2, times, 1, seed=k, grad=True) for k in (1, 2)]
        found = layer(field, *walls)
        np.testing.assert_array_equal(found.detach().numpy(), plan.predict(field.detach(), [w.detach() for w in walls]))
        torch.autograd.gradcheck(layer, (field, *walls), eps=1e-5, atol=1e-6)


@unittest.skipUnless(laws.TORCH, "no PyTorch")
class Boundaries(unittest.TestCase):
    def setUp(self):
        stencil = [-11 / 6, 3.0, -1.5, 1 / 3]
        self.boundary = pcml.Boundary(
            [
                pcml.neumann(0, -1, stencil, 0.1),
                pcml.dirichlet(1, 1),
                pcml.dirichlet(0, 1),
                pcml.neumann(1, -1, [-1.0, 1.0], 0.2),
                pcml.periodic(2),
            ]
        )
        self.field = tensor(2, 5, 4, 3, 2, grad=True)
        self.values = [
            tensor(*shape, seed=k, grad=True)
            for k, shape in enumerate([(2, 4, 3, 2), (2, 5, 3, 2), (2, 4, 3, 2), (2, 5, 3, 2)])
        ]

    def test_forward_is_the_library_to_the_bit(self):
        for dtype in torch.float32, torch.float64:
            field, values = self.field.detach().to(dtype), [value.detach().to(dtype) for value in self.values]
            found = BoundaryCorrection(self.boundary)(field, *values)
            expected = field.numpy().copy()
            self.boundary.enforce(expected, values)
            np.testing.assert_array_equal(found.numpy(), expected)
            np.testing.assert_array_equal(found.numpy()[:, -1, :-1, 1], values[2].numpy()[:, :-1, 1])

    def test_gradients(self):
        layer = BoundaryCorrection(self.boundary)
        torch.autograd.gradcheck(layer, (self.field, *self.values))
        torch.autograd.gradgradcheck(layer, (self.field, *self.values))

    def test_the_derivative_is_the_transpose_of_what_the_library_does(self):
        """<A x, y> = <x, A' y> with A by the library alone."""
        y = tensor(*self.field.shape, seed=9)
        whole = [self.field, *self.values]
        BoundaryCorrection(self.boundary)(*whole).backward(y)
        mapped = self.field.detach().clone().numpy()
        self.boundary.enforce(mapped, [value.detach() for value in self.values])
        left = pcml.sum(mapped, y)
        right = sum(pcml.sum(x.detach(), x.grad) for x in whole)
        self.assertAlmostEqual(left, right, delta=1e-12 * abs(left))

    def test_one_value_for_a_face(self):
        layer = BoundaryCorrection(pcml.Boundary([pcml.dirichlet(0, -1)]))
        value = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
        layer(tensor(2, 5, 1), value).sum().backward()
        self.assertEqual(value.grad, 2.0)
        with self.assertRaises(pcml.ShapeError):
            layer(tensor(2, 5, 1))


if __name__ == "__main__":
    unittest.main()
