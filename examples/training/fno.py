"""Fourier neural operator (Li et al., ICLR 2021), optionally with boundary conditions that it obeys itself (BOON, Saad et al., ICLR 2023).

    lifting      pointwise, input channels and grid coordinates -> width
    blocks       v = spectral(v) + skip(v), then the activation (not after the last one)
    projection   pointwise, width -> output channels

The grid has one to three axes; faces lie on all but the last (on one axis, on that). Module names are those of the model file
(see docs/model-file.md, which has the rules too: "seed" is the published code's algebra), so a state dict is the file's tensor list.

    python fno.py        # checks the layers in f64 against FFTs and against dense linear algebra
"""

import functools
import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faces import misses


@functools.cache
def transforms(points: int, count: int, last: bool, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Truncated transforms along an axis, complex: forward [count, points], inverse [points, count].

    The last axis keeps frequencies 0 to count - 1 of real data: the real part of its inverse stands for the others too.
    """
    assert count <= (points // 2 + 1 if last else points), f"{count} modes on {points} points"
    frequencies = kept(count, last)
    # Whole turns are taken off as integers: the angle is then exact to rounding.
    turns = torch.outer(frequencies, torch.arange(points)).remainder(points)
    angle = 2 * math.pi / points * turns.double()
    forward = torch.complex(angle.cos(), -angle.sin())
    weight = torch.ones(count, dtype=torch.float64)
    if last:
        weight[(frequencies > 0) & (2 * frequencies != points)] = 2.0
    inverse = (forward.conj() * weight[:, None]).T / points
    complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
    return forward.to(device, complex_dtype), inverse.to(device, complex_dtype).contiguous()


def kept(count: int, last: bool) -> Tensor:
    return torch.arange(count) - (0 if last else count // 2)


class Spectral(nn.Module):
    """K: multiplies the kept modes by a complex matrix each; corrected for a pair of faces on each axis of `pairs`. Rule seed: by the
    published code's algebra for two and three axes."""

    def __init__(self, width: int, modes: list[int], pairs: list[int] = (), regularisation: float = 0.01, rule: str = "exact"):
        super().__init__()
        self.modes, self.pairs, self.regularisation, self.rule = modes, pairs, regularisation, rule
        if rule == "seed":
            # Positive, as published: it divides by sums of the kernel's entries.
            weight = torch.rand(width, width, *modes, 2) / width**2
        else:
            # Zero-mean, so that the kernel among the nodes of faces is well conditioned before training.
            weight = torch.randn(width, width, *modes, 2) / (2 * width)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        """x [batch, width, n_1, .., n_d]."""
        # One axis is the case of a second one with a single point and its frequency 0, but for who holds the half spectrum.
        single = len(self.modes) == 1
        # [k_1, .., k_d, in, out]; without gaps, for products of batches of matrices with them are done one by one.
        weight = torch.view_as_complex(self.weight).movedim((0, 1), (-2, -1)).contiguous()
        if single:
            x, weight = x.unsqueeze(-1), weight.unsqueeze(1)
        leading, last = range(x.dim() - 3), x.dim() - 3
        tables = [transforms(n, c, single or axis == last, x.dtype, x.device)
                  for axis, (n, c) in enumerate(zip(x.shape[2:], weight.shape))]

        lines = along_last(x, tables[last][0])
        modes = lines
        for axis in leading:
            modes = along(modes, tables[axis][0], 2 + axis)
        modes = modes.movedim((0, 1), (-2, -1)).contiguous()  # [k_1, .., k_d, batch, in]
        result = modes @ weight
        if self.pairs:
            # Every pair starts from the input as it came.
            delta = sum(self.delta(axis, lines, result, weight, tables) for axis in self.pairs)
            result = result + delta @ weight
        result = result.movedim((-2, -1), (0, 1))
        for axis in leading:
            result = along(result, tables[axis][1], 2 + axis)
        # The real part of the inverse as one real product.
        inverse = tables[last][1]
        inverse = torch.stack([inverse.real.T, -inverse.imag.T], dim=1).flatten(0, 1)
        result = torch.view_as_real(result.contiguous()).flatten(-2) @ inverse
        return result.squeeze(-1) if single else result

    def delta(self, axis: int, lines: Tensor, result: Tensor, weight: Tensor, tables: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Modes [k_1, .., k_d, batch, in] of what changes at the nodes of both faces of an axis.

        lines [batch, in, n_1, .., k_d], result [k_1, .., k_d, batch, out]: of the input and of K x. The others are the tangential axes.
        """
        ends = torch.tensor([0, lines.shape[2 + axis] - 1], device=lines.device)
        forward, inverse = tables[axis][0][:, ends], tables[axis][1][ends]  # [k, face], [face, k]
        others = [a for a in range(lines.dim() - 3) if a != axis]
        grid = [tables[a][0].shape[1] for a in (*others, -1)]

        x = lines.index_select(2 + axis, ends)
        for a in others:
            x = along(x, tables[a][0], 2 + a)
        x = x.movedim((0, 2 + axis, 1), (-3, -2, -1)).flatten(-2)
        among = torch.einsum("pk,kq->kpq", inverse, forward)
        kernel = torch.einsum("kpq,k...io->...poqi", among, weight.movedim(axis, 0))
        kernel = seen(kernel.flatten(-2).flatten(-3, -2), grid)
        found = seen(torch.einsum("pk,k...bo->...bpo", inverse, result.movedim(axis, 0)).flatten(-2), grid)
        if self.rule == "seed":
            zero = tuple(kept(self.modes[a], False).tolist().index(0) for a in others) + (0,)
            delta = self.seed(x, found, kernel, zero)
        else:
            adjoint = kernel.mH
            gram = adjoint @ kernel
            shift = self.regularisation**2 * gram.diagonal(dim1=-2, dim2=-1).real.mean(-1, keepdim=True)
            gram = gram + torch.diag_embed(shift.expand(gram.shape[:-1])).to(gram.dtype)
            delta = x - found @ torch.linalg.solve(gram, adjoint).mT
        return torch.einsum("kq,...bqi->k...bi", forward, delta.unflatten(-1, (2, -1))).movedim(0, axis)

    def seed(self, x: Tensor, found: Tensor, kernel: Tensor, zero: tuple[int, ...]) -> Tensor:
        """delta of the published code; x and found [.., batch, (face, channel)], kernel [.., (face, out), (face, in)]. The kernel's three
        entries are sums over the channels that enter the first channel, in the tangential frequency `zero`."""
        width = self.weight.shape[0]
        (x0, xn), (k0, kn) = (a.split(width, dim=-1) for a in (x, found))
        entry = lambda to, of: kernel[zero][to * width, of * width : (of + 1) * width].real.sum()
        # Of two axes the published code takes every negative entry for a small one.
        guard = lambda v: torch.where((v if len(self.modes) == 2 else v.abs()) < 1e-4, 1e-4, v)
        k00, k0n, kn0 = guard(entry(0, 0)), entry(0, 1), entry(1, 0)
        pivot = guard(k00 - kn0 * k0n / k00)
        d0 = x0 - (k0 - kn * (k0n / k00) + k0n * xn) / pivot
        across = d0 @ kernel[..., width:, :width].mT
        return torch.cat([d0, 2 * (x0 + d0) - (kn + across) / k00 - xn], dim=-1)


def seen(a: Tensor, grid: list[int]) -> Tensor:
    """a [tangential frequencies.., any, any] on a grid of so many points, as real fields see it: where the last frequency is its own
    negative, its mean with the conjugate at the negative of the others, which counts 0 where that is not kept."""
    place = len(grid) - 1
    real = [f for f in range(a.shape[place]) if 2 * f % grid[-1] == 0]
    real = torch.tensor(real, device=a.device)
    chosen = a.index_select(place, real)
    mirror = chosen.conj()
    for axis, n in enumerate(grid[:-1]):
        frequencies = kept(a.shape[axis], False)
        opposite = (frequencies[:, None] + frequencies) % n == 0
        there = opposite.any(1).to(a.device, a.real.dtype).view(-1, *[1] * (a.dim() - axis - 1))
        mirror = mirror.index_select(axis, opposite.int().argmax(1).to(a.device)) * there
    return a.index_copy(place, real, 0.5 * (chosen + mirror))


def along(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """Complex x [.., n, ..] times a matrix [count, n] along an axis."""
    return torch.tensordot(matrix, x, dims=([1], [axis])).movedim(0, axis)


def along_last(x: Tensor, matrix: Tensor) -> Tensor:
    """Real x [.., n] times a complex matrix [count, n]: [.., count]."""
    # Columns (re, im) of each frequency next to each other: one real product.
    both = torch.view_as_real(matrix.T.contiguous()).flatten(1)
    return torch.view_as_complex((x @ both).unflatten(-1, (-1, 2)))


class Pointwise(nn.Linear):
    """A dense layer over the channels of [batch, channels, ..]."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.expand(x.shape[0], -1, -1)
        return torch.baddbmm(self.bias[:, None], weight, x.flatten(2)).unflatten(2, x.shape[2:])


class Block(nn.Module):
    def __init__(self, width: int, modes: list[int], pairs: list[int], regularisation: float, rule: str, share: float):
        super().__init__()
        self.share = share
        self.spectral = Spectral(width, modes, pairs, regularisation, rule)
        self.skip = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        v = self.spectral(x) + self.skip(x)
        return v if self.share == 1.0 else self.share * v


def pointwise(widths: list[int]) -> nn.ModuleList:
    return nn.ModuleList(Pointwise(a, b) for a, b in zip(widths, widths[1:]))


class SetFaces(torch.autograd.Function):
    """Nodes of faces set one after the other, in place: a copy of the field for each would cost more than all layers.

    Conditions are (kind, axis, own node, [(other node, coefficient)], value): value - sum coefficient x other; periodic the mean of both ends.
    """

    @staticmethod
    def forward(ctx, x: Tensor, conditions: list[tuple]) -> Tensor:
        ctx.mark_dirty(x)
        ctx.conditions = conditions
        for kind, axis, own, others, value in conditions:
            if kind == "periodic":
                mean = 0.5 * (x.select(axis, 0) + x.select(axis, -1))
                x.select(axis, 0).copy_(mean)
                x.select(axis, -1).copy_(mean)
                continue
            node = x.select(axis, own).copy_(value)
            for other, coefficient in others:
                node.sub_(x.select(axis, other), alpha=coefficient)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        grad = grad.clone()
        for kind, axis, own, others, _ in reversed(ctx.conditions):
            if kind == "periodic":
                mean = 0.5 * (grad.select(axis, 0) + grad.select(axis, -1))
                grad.select(axis, 0).copy_(mean)
                grad.select(axis, -1).copy_(mean)
                continue
            node = grad.select(axis, own)
            for other, coefficient in others:
                grad.select(axis, other).sub_(node, alpha=coefficient)
            node.zero_()
        return grad, None


def smoothed(x: Tensor) -> Tensor:
    """Nodes 1 to 4 from either end of the first axis: the means of themselves and both neighbours."""
    assert x.shape[2] >= 12
    mean = (x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]) / 3
    return torch.cat([x[:, :, :1], mean[:, :, :4], x[:, :, 5:-5], mean[:, :, -4:], x[:, :, -1:]], dim=2)


class SparingGelu(torch.autograd.Function):
    """The activation but at some (axis, node), which stay."""

    @staticmethod
    def forward(ctx, x: Tensor, spared: list[tuple[int, int]]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.spared = spared
        y = F.gelu(x)
        for axis, node in spared:
            y.select(axis, node).copy_(x.select(axis, node))
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        result = torch.ops.aten.gelu_backward(grad, x)
        for axis, node in ctx.spared:
            result.select(axis, node).copy_(grad.select(axis, node))
        return result, None


class FNO(nn.Module):
    """input [batch, n_1, .., n_d, inputs] -> [batch, n_1, .., n_d, outputs], in the units of network values.

    `bounds`: first and last coordinate of each axis, for the grid channels and the spacing of the faces' stencils; `padding`: zero cells
    after each axis; `faces`: as in the model file, both of an axis, or a periodic one that stands for both.
    """

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, modes: list[int], projection: list[int],
                 bounds: list[list[float]], padding: list[int], faces: list[dict] = (), regularisation: float = 0.01,
                 rule: str = "exact"):
        super().__init__()
        assert len(modes) == len(bounds) == len(padding) and len(modes) in (1, 2, 3)
        self.arguments = {"inputs": inputs, "outputs": outputs, "width": width, "blocks": blocks, "modes": modes,
                          "projection": projection, "bounds": bounds, "padding": padding, "faces": list(faces),
                          "regularisation": regularisation, "rule": rule}
        self.bounds, self.padding, self.faces = bounds, padding, list(faces)
        # Faces that have a value; a periodic pair is corrected by its mean alone.
        self.valued = [face for face in self.faces if face["kind"] != "periodic"]
        axes = sorted({face["axis"] for face in self.faces})
        assert axes == list(range(len(axes))) and len(axes) <= max(1, len(modes) - 1) and not any(padding[a] for a in axes)
        pairs = sorted({face["axis"] for face in self.valued})
        for axis in pairs:
            assert sorted(face["side"] for face in self.faces if face["axis"] == axis) == [-1, 1]
        self.seed = rule == "seed"
        # Beyond the first axis the published code sets values alone.
        pairs = [axis for axis in pairs if axis == 0 or not self.seed]
        kinds = {face["kind"] for face in self.faces}
        assert not self.seed or len(kinds) == 1 and (len(modes), len(axes)) in ((2, 1), (3, 2)) and (len(modes), kinds) != (3, {"neumann"})
        # The published code halves a block's result between Neumann faces.
        share = 0.5 if self.seed and kinds == {"neumann"} else 1.0
        self.smooth = self.seed and len(modes) == 2 and kinds == {"dirichlet"}
        self.lifting = pointwise([inputs + len(modes), width])
        self.blocks = nn.ModuleList(Block(width, modes, pairs, regularisation, rule, share) for _ in range(blocks))
        self.projection = pointwise([width, *projection, outputs])

    def numbers(self) -> dict:
        """The model file's field `fno`."""
        a = self.arguments
        return {"width": a["width"], "blocks": a["blocks"], "modes": a["modes"], "lifting": [], "projection": a["projection"],
                "activation": "gelu", "coordinates": {"bounds": self.bounds, "span": "closed"},
                "padding": {"sides": "after", "cells": self.padding}, "skip": "linear", "skip_bias": True}

    def boon(self) -> dict:
        """The model file's field `boon`."""
        regularisation = {} if self.seed else {"regularisation": self.arguments["regularisation"]}
        return {"rule": self.arguments["rule"], **regularisation, "faces": self.faces}

    def set_faces(self, x: Tensor, values: list[Tensor]) -> Tensor:
        """x [batch, channels, n_1, ..] with the nodes of faces set; values [batch, outputs, ..], one a face that has one. Overwrites x."""
        conditions, of = [], iter(values)
        for face in self.faces:
            axis = 2 + face["axis"]
            n, lower = x.shape[axis], face["side"] < 0
            stencil, spacing, value = [1.0], 1.0, None
            if face["kind"] != "periodic":
                value = next(of)
                value = value[:, torch.arange(x.shape[1]) % value.shape[1]]
            if face["kind"] == "neumann":
                low, high = self.bounds[face["axis"]]
                spacing, stencil = face.get("spacing", (high - low) / (n - 1)), face["stencil"]
            first = 0 if lower else n - len(stencil)
            own = first if lower else n - 1
            others = [(first + k, c / stencil[own - first]) for k, c in enumerate(stencil) if first + k != own]
            conditions.append((face["kind"], axis, own, others, None if value is None else spacing / stencil[own - first] * value))
        # Stated values hold at corners.
        conditions.sort(key=lambda condition: ["periodic", "neumann", "dirichlet"].index(condition[0]))
        x = SetFaces.apply(x, conditions) if conditions else x
        return smoothed(x) if self.smooth else x

    def activate(self, x: Tensor) -> Tensor:
        """The activation, which spares nodes with values."""
        return SparingGelu.apply(x, [(2 + face["axis"], 0 if face["side"] < 0 else -1) for face in self.valued])

    def forward(self, x: Tensor, values: list[Tensor] = ()) -> Tensor:
        """values [batch, the grid without the face's axis, outputs]: for each face that has one, in the order of `faces`."""
        grid = x.shape[1:-1]
        values = [value.movedim(-1, 1) for value in values]
        assert len(values) == len(self.valued)
        axes = [torch.linspace(low, high, n, dtype=x.dtype, device=x.device) for (low, high), n in zip(self.bounds, grid)]
        coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(x.shape[0], -1, *grid)
        v = self.lifting[0](torch.cat([x.movedim(-1, 1), coordinates], dim=1))
        cells = lambda padding: [c for n in reversed(padding) for c in (0, n)]
        v = F.pad(v, cells(self.padding))
        # Values are zero in the padding.
        inside = [F.pad(value, cells([n for a, n in enumerate(self.padding) if a != face["axis"]]))
                  for face, value in zip(self.valued, values)]
        if self.seed:
            inside = [2 * value if face["kind"] == "dirichlet" else value for face, value in zip(self.valued, inside)]
        for b, block in enumerate(self.blocks):
            v = self.set_faces(block(v), inside)
            if b + 1 < len(self.blocks):
                v = self.activate(v)
        for axis, n in enumerate(grid):
            v = v.narrow(2 + axis, 0, n)
        # The nodes with values, whose activations the library spares here too, are set anew.
        for i, layer in enumerate(self.projection):
            v = layer(F.gelu(v) if i > 0 else v)
        return self.set_faces(v, values).movedim(1, -1)


def fft_layer(layer: Spectral, x: Tensor) -> Tensor:
    """K x by FFTs of the whole spectrum."""
    axes = tuple(range(2, x.dim()))
    full = torch.fft.rfftn(x, dim=axes)
    weight = torch.view_as_complex(layer.weight)
    out = torch.zeros(x.shape[0], weight.shape[1], *full.shape[2:], dtype=full.dtype)
    places = [kept(c, axis == axes[-1]) % n for axis, n, c in zip(axes, full.shape[2:], layer.modes)]
    at = (slice(None), slice(None), *torch.meshgrid(*places, indexing="ij"))
    out[at] = torch.einsum("bi...,io...->bo...", full[at], weight)
    return torch.fft.irfftn(out, s=x.shape[2:], dim=axes)


def dense_correction(layer: Spectral, x: Tensor) -> Tensor:
    """K x' from K as a matrix, built column by column; x [1, width, n_1, .., n_d]."""
    width, *grid = x.shape[1:]
    unit = torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape[1:])
    matrix = fft_layer(layer, unit).flatten(1).T
    field = x.flatten()
    changed = field.clone()
    for axis in layer.pairs:
        # Both faces, [face, width], over the tangential axes, in real space; then in their frequencies.
        nodes = torch.arange(x.numel()).view(width, *grid).movedim(1 + axis, 0)[[0, -1]].flatten(0, 1)
        over = list(range(1, nodes.dim()))
        fft = lambda a, dims: torch.fft.fftn(a, dim=dims) if dims else a + 0j
        x_hat, found_hat = fft(field[nodes], over), fft((matrix @ field)[nodes], over)
        origin = nodes[(slice(None), *[0] * len(over))]
        kernel_hat = fft(matrix[nodes][..., origin], over).movedim(0, -2)
        delta_hat = torch.zeros_like(x_hat)
        ranges = [kept(c, a + 1 == len(grid)).tolist() for a, c in enumerate(layer.modes) if a != axis]
        for frequencies in itertools.product(*ranges):
            for sign in (1, -1):
                place = tuple((sign * k) % n for k, n in zip(frequencies, nodes.shape[1:]))
                u, s, vh = torch.linalg.svd(kernel_hat[place])
                shift = layer.regularisation**2 * (s**2).mean()
                inverse = vh.mH @ torch.diag(s / (s**2 + shift)).to(u.dtype) @ u.mH
                at = (slice(None), *place)
                delta_hat[at] = x_hat[at] - inverse @ found_hat[at]
        delta = torch.fft.ifftn(delta_hat, dim=over) if over else delta_hat
        assert delta.imag.abs().max() < 1e-12 * delta.abs().max()
        changed.index_add_(0, nodes.flatten(), delta.real.flatten())
    return (matrix @ changed).view(x.shape)


def check():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    width = 3

    def close(a: Tensor, b: Tensor, what: str):
        error = ((a - b).abs().max() / b.abs().max()).item()
        assert error < 1e-11, f"{what}: {error}"
        print(f"{what}: {error:.1e}")

    # Even and odd extents, all frequencies and a few of them.
    cases = [([9], [5]), ([8], [5]), ([12], [4]), ([8, 7], [8, 4]), ([7, 8], [7, 5]), ([12, 10], [5, 3]), ([10, 9], [4, 2]),
             ([4, 5, 6], [4, 5, 4]), ([6, 4, 5], [3, 4, 3]), ([6, 5, 4], [4, 3, 2])]
    for grid, modes in cases:
        x = torch.randn(2, width, *grid)
        layer = Spectral(width, modes)
        close(layer(x), fft_layer(layer, x), f"FFT, {modes} modes of {grid} points")
        for pairs in [[0]] if len(grid) < 3 else [[0], [0, 1]]:
            layer.pairs = pairs
            dense = torch.cat([dense_correction(layer, one[None]) for one in x])
            close(layer(x), dense, f"dense, {modes} modes of {grid} points, faces on axes {pairs}")

    # Whole networks: the output obeys its conditions.
    stencils = {-1: [-1.0, 1.0], 1: [-1 / 3, 3 / 2, -3.0, 11 / 6]}
    of = lambda kind, axis: [{"axis": axis, "side": side, "kind": kind} | ({"stencil": stencils[side]} if kind == "neumann" else {})
                             for side in (1, -1)]
    for grid, modes, padding in ([12], [4], [0]), ([12, 7], [5, 3], [0, 4]), ([8, 9, 5], [5, 4, 3], [0, 0, 4]):
        bounds = [[0.0, 2.0]] * len(grid)
        build = lambda faces, rule: FNO(1, 2, 4, 2, modes, [5], bounds, padding, faces, rule=rule)
        kinds = ["dirichlet", "neumann"]
        lists = [of(kind, 0) for kind in kinds]
        if len(grid) == 3:
            lists = [of(a, 0) + of(b, 1) for a in kinds for b in kinds]
        known = [of("dirichlet", 0) + of("dirichlet", 1)] if len(grid) == 3 else lists if len(grid) == 2 else []
        every = lists + [[{"axis": 0, "side": -1, "kind": "periodic"}]]
        for rule, faces in [("exact", faces) for faces in every] + [("seed", faces) for faces in known]:
            values = [torch.randn(2, *[n for a, n in enumerate(grid) if a != face["axis"]], 2)
                      for face in faces if face["kind"] != "periodic"]
            u = build(faces, rule)(torch.randn(2, *grid, 1), values)
            error = max(misses(u, values, faces, bounds))
            assert error < 1e-12, error
            print(f"{', '.join(face['kind'] for face in faces)}, rule {rule}, on {grid} points: {error:.1e}")


if __name__ == "__main__":
    check()
