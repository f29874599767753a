"""Laws as layers of PyTorch: what is trained is what is deployed. Forward passes are the library's own, to the bit, and so are the derivatives.

Tensors lie on the CPU, in float32 or float64. Layers have no parameters and no state: any number of threads may use them at once.
"""

from __future__ import annotations

from typing import Any, Optional, Union

import torch
from torch.autograd.function import once_differentiable

from ._c import BoundaryKind, Prior
from .boundary import Boundary
from .error import InvalidArgumentError, ShapeError
from .plan import Plan
from .projector import Projector
from .slices import DIFFERENTIABLE

Tensor = torch.Tensor


class Projection(torch.nn.Module):
    """Makes every slice of a prediction obey the rows of a projector, and its bounds and sets, differentiably.

    `projection(mean, b, variance)`: mean [slices, ...] with as many values a slice as the projector has cells; b [slices, rows], or [rows]
    for all slices; variance as the projector's prior takes it, for one slice or with a slice axis. Returns the lawful prediction, of
    the mean's shape and dtype, differentiable by mean, b, and with Prior.DIAGONAL and SCALAR by variance.
    """

    def __init__(
        self,
        projector: Projector,
        *,
        bounded: bool = False,
        lower: Union[Tensor, float, None] = None,
        upper: Union[Tensor, float, None] = None,
    ) -> None:
        """bounded: bounds and the constraints' sets hold too; implied by lower or upper, which are numbers, or have the shape of a slice or
        of the mean, infinite where there is none. They are constants."""
        super().__init__()
        self.projector = projector
        self.bounded = bounded or lower is not None or upper is not None
        self.lower, self.upper = (
            torch.full((projector.cells,), bound, dtype=torch.float64) if isinstance(bound, (int, float)) else bound
            for bound in (lower, upper)
        )

    def forward(self, mean: Tensor, b: Tensor, variance: Optional[Tensor] = None) -> Tensor:
        """The lawful prediction."""
        projector = self.projector
        cells = projector.cells
        slices = 1 if mean.numel() == cells else mean.shape[0]
        if mean.numel() != slices * cells:
            raise ShapeError(f"mean has shape {tuple(mean.shape)}, expected [slices, ...] with {cells} values a slice")
        # What serves all slices is repeated without a copy: autograd sums what comes back.
        b = _of_slices("b", b, slices, projector.rows)
        if variance is not None and projector.prior in DIFFERENTIABLE:
            variance = _of_slices("variance", variance, slices, cells if projector.prior == Prior.DIAGONAL else 1)
        lower, upper = (
            None if bound is None else _of_slices("bounds", bound, slices, cells) for bound in (self.lower, self.upper)
        )
        flat = mean.reshape(slices, cells)
        found: Tensor = _Projection.apply(flat, b, variance, projector, self.bounded, lower, upper)
        return found.reshape(mean.shape)


def _of_slices(name: str, tensor: Tensor, slices: int, size: int) -> Tensor:
    """[slices, size] of a tensor that has that, or [size]."""
    if tensor.numel() not in (size, slices * size):
        raise ShapeError(f"{name} has shape {tuple(tensor.shape)}, expected {size} values, or as many for each of {slices} slices")
    return tensor.reshape(-1, size).expand(slices, size)


class _Projection(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        mean: Tensor,
        b: Tensor,
        variance: Optional[Tensor],
        projector: Projector,
        bounded: bool,
        lower: Optional[Tensor],
        upper: Optional[Tensor],
    ) -> Tensor:
        if ctx.needs_input_grad[2] and projector.prior not in DIFFERENTIABLE:
            raise InvalidArgumentError(f"variance requires a gradient, which Prior.{projector.prior.name} has not")
        ctx.save_for_backward(mean, b, variance, lower, upper)
        ctx.projector, ctx.bounded = projector, bounded
        found = torch.empty_like(mean, memory_format=torch.contiguous_format)
        arrays = [_array(tensor) for tensor in (mean, b, variance)]
        if bounded:
            projector.project_bounded(*arrays, lower=_array(lower), upper=_array(upper), out=_array(found))
        else:
            projector.project(*arrays, out=_array(found))
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Optional[Tensor], ...]:
        mean, b, variance, lower, upper = ctx.saved_tensors
        needed = ctx.needs_input_grad
        gradients = [
            torch.empty(tensor.shape, dtype=tensor.dtype) if need else None
            for tensor, need in zip((mean, b, variance), needed)
        ]
        # The library takes derivatives slice by slice, with the prior's data of one slice.
        arrays = [_array(tensor) for tensor in (mean, b, variance, cotangent, lower, upper)]
        outputs = [_array(gradient) for gradient in gradients]
        prior = ctx.projector.prior
        shared = variance is not None and prior not in DIFFERENTIABLE and variance.ndim == (1 if prior == Prior.SMOOTHED else 2)
        for k in range(len(mean)):
            u, rows, v, bar, low, high = (
                array if array is None or (i == 2 and shared) else array[k] for i, array in enumerate(arrays)
            )
            of_mean, of_b, of_variance = (None if output is None else output[k] for output in outputs)
            out = {"gradient_mean": of_mean, "gradient_variance": of_variance, "gradient_b": of_b}
            if ctx.bounded:
                ctx.projector.vjp_bounded(u, rows, bar, v, lower=low, upper=high, **out)
            else:
                ctx.projector.vjp(u, rows, bar, v, **out)
        return (*gradients, None, None, None, None)


class Operator(torch.nn.Module):
    """A neural operator of a model file, boundary corrections (BOON, either rule) included, as a layer whose weights are fixed.

    `operator(input, *values)` as `Plan.predict` takes them, channels last: [functions, n_1, .., n_d, inputs], and an array for each
    Dirichlet and Neumann face. Differentiable by input and values.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def forward(self, input: Tensor, *values: Tensor) -> Tensor:
        """The prediction."""
        found: Tensor = _Operator.apply(self.plan, input, *values)
        return found


class _Operator(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plan: Plan, input: Tensor, *values: Tensor) -> Tensor:
        ctx.plan = plan
        ctx.save_for_backward(input, *values)
        return torch.from_numpy(plan.predict(_array(input), [_array(value) for value in values]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Optional[Tensor], ...]:
        input, *values = (_array(tensor) for tensor in ctx.saved_tensors)
        of_input, of_values = ctx.plan.vjp(input, _array(cotangent), values)
        return (None, torch.from_numpy(of_input), *map(torch.from_numpy, of_values))


class BoundaryCorrection(torch.nn.Module):
    """Makes any field obey boundary conditions: sets the nodes on the faces, exactly, and no other node. The last layer of a surrogate.

    `correction(field, *values)`: field [batch, n_1, .., n_d, channels], and an array for each Dirichlet and Neumann face,
    [batch, the grid without the face's axis, channels] or what expands to that. Differentiable by all of them, twice too.
    """

    def __init__(self, boundary: Boundary) -> None:
        super().__init__()
        self.boundary = boundary

    def forward(self, field: Tensor, *values: Tensor) -> Tensor:
        """The field with its boundary set."""
        faces = [face for face in self.boundary.faces if face.kind != BoundaryKind.PERIODIC]
        if len(values) != len(faces):
            raise ShapeError(f"{len(values)} arrays of boundary values, expected {len(faces)}")
        whole = []
        for face, value in zip(faces, values):
            shape = list(field.shape)
            del shape[face.axis + 1]
            whole.append(value.expand(shape))
        found: Tensor = _BoundaryCorrection.apply(self.boundary, field, *whole)
        return found


class _BoundaryCorrection(torch.autograd.Function):
    """A linear map of field and values."""

    @staticmethod
    def forward(ctx: Any, boundary: Boundary, field: Tensor, *values: Tensor) -> Tensor:
        ctx.boundary = boundary
        found = field.detach().clone()
        boundary.enforce(_array(found), [_array(value) for value in values])
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Optional[Tensor], ...]:
        return (None, *_transposed(ctx.boundary, cotangent))


def _transposed(boundary: Boundary, cotangent: Tensor) -> list[Tensor]:
    """The transpose of `Boundary.enforce`: from a cotangent of its result to those of field and values. Its steps, last one first."""
    bar = cotangent.clone()
    of_values: dict[int, Tensor] = {}
    order = [BoundaryKind.PERIODIC, BoundaryKind.NEUMANN, BoundaryKind.DIRICHLET]
    steps = sorted(range(len(boundary.faces)), key=lambda k: order.index(boundary.faces[k].kind))
    for k in reversed(steps):
        face = boundary.faces[k]
        axis, size = face.axis + 1, cotangent.shape[face.axis + 1]
        first, last = bar.select(axis, 0), bar.select(axis, size - 1)
        own = first if face.side < 0 else last
        if face.kind == BoundaryKind.PERIODIC:
            mean = 0.5 * (first + last)
            first.copy_(mean)
            last.copy_(mean)
            continue
        of_own = own.clone()
        own.zero_()
        if face.kind == BoundaryKind.DIRICHLET:
            of_values[k] = of_own
            continue
        width = len(face.stencil)
        begin, pivot = (0, 0) if face.side < 0 else (size - width, width - 1)
        of_own /= face.stencil[pivot]
        of_values[k] = of_own * face.spacing
        for i, coefficient in enumerate(face.stencil):
            if i != pivot:
                bar.select(axis, begin + i).sub_(coefficient * of_own)
    return [bar, *(of_values[k] for k in sorted(of_values))]


def _array(tensor: Optional[Tensor]) -> Any:
    """The tensor's memory; DLPack takes three times as long."""
    return None if tensor is None else tensor.detach().numpy()
