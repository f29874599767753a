"""Fourier neural operator (Li et al., ICLR 2021), optionally with boundary conditions that it obeys itself (BOON, Saad et al., ICLR 2023).

    lifting      pointwise, input channels and grid coordinates -> width
    blocks       v = spectral(v) + skip(v), then the activation (not after the last one)
    projection   pointwise, width -> output channels

The grid has one axis, or two of which the second may be time; faces lie on the first. Module names are those of the model file
(see docs/model-file.md, whose rule "exact" this is), so a state dict is the file's tensor list.

    python fno.py        # checks the layers in f64 against FFTs and against dense linear algebra
"""

import functools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@functools.cache
def transforms(points: int, count: int, last: bool, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Truncated transforms along an axis, complex: forward [count, points], inverse [points, count].

    The last axis keeps frequencies 0 to count - 1 of real data: the real part of its inverse stands for the others too.
    """
    assert count <= (points // 2 + 1 if last else points), f"{count} modes on {points} points"
    frequencies = torch.arange(count) - (0 if last else count // 2)
    # Whole turns are taken off as integers: the angle is then exact to rounding.
    turns = torch.outer(frequencies, torch.arange(points)).remainder(points)
    angle = 2 * math.pi / points * turns.double()
    forward = torch.complex(angle.cos(), -angle.sin())
    weight = torch.ones(count, dtype=torch.float64)
    if last:
        weight[(frequencies > 0) & (2 * frequencies != points)] = 2.0
    inverse = (forward.conj() * weight[:, None]).T / points
    complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
    return forward.to(complex_dtype), inverse.to(complex_dtype).contiguous()


class Spectral(nn.Module):
    """K: multiplies the kept modes by a complex matrix each. With `regularisation`, corrected for a pair of faces on the first axis."""

    def __init__(self, width: int, modes: list[int], regularisation: float | None):
        super().__init__()
        self.modes, self.regularisation = modes, regularisation
        # Zero-mean, so that the kernel among the nodes of faces is well conditioned before training.
        self.weight = nn.Parameter(torch.randn(width, width, *modes, 2) / (2 * width))

    def forward(self, x: Tensor) -> Tensor:
        """x [batch, width, n_1, (n_2)]."""
        # One axis is the case of a second one with a single point and its frequency 0, but for who holds the half spectrum.
        single = len(self.modes) == 1
        if single:
            x = x.unsqueeze(-1)
        normal = transforms(x.shape[2], self.modes[0], single, x.dtype)
        tangential = transforms(x.shape[3], 1 if single else self.modes[1], True, x.dtype)
        weight = torch.view_as_complex(self.weight)
        weight = weight.reshape(*weight.shape[:2], self.modes[0], -1).permute(2, 3, 0, 1)  # [normal, tangential, in, out]

        lines = along_last(x, tangential[0])
        modes = torch.einsum("kn,binf->kfbi", normal[0], lines)
        result = modes @ weight
        if self.regularisation is not None:
            ends = [0, x.shape[2] - 1]
            among = normal[0][:, ends], normal[1][ends]
            # Along the faces, frequencies whose negative is themselves: there real fields see the real part alone.
            real = (2 * torch.arange(tangential[0].shape[0])) % x.shape[3] == 0
            result = result + self.change(lines[:, :, ends], result, weight, among, real)
        result = torch.einsum("nk,kfbo->bonf", normal[1], result)
        # The real part of the inverse as one real product.
        inverse = torch.stack([tangential[1].real.T, -tangential[1].imag.T], dim=1).flatten(0, 1)
        result = torch.view_as_real(result).flatten(-2) @ inverse
        return result.squeeze(-1) if single else result

    def change(self, x: Tensor, result: Tensor, weight: Tensor, among: tuple[Tensor, Tensor], real: Tensor) -> Tensor:
        """What delta adds to the modes of K x. x [batch, width, face, tangential]; result [normal, tangential, batch, width]."""
        forward, inverse = among  # of the faces' nodes: [normal, face], [face, normal]
        keep = (~real).to(x.real.dtype)

        def symmetric(a: Tensor) -> Tensor:
            """a [tangential, ..]: without what real fields do not see."""
            return torch.complex(a.real, a.imag * keep.view(-1, *[1] * (a.dim() - 1)))

        kernel = symmetric(torch.einsum("pk,kq,kfio->fpoqi", inverse, forward, weight).flatten(3).flatten(1, 2))
        found = symmetric(torch.einsum("pk,kfbo->fbpo", inverse, result).flatten(2))
        adjoint = kernel.mH
        gram = adjoint @ kernel
        size = gram.diagonal(dim1=-2, dim2=-1).real.mean(-1)
        shift = self.regularisation**2 * size
        gram = gram + torch.diag_embed(shift[:, None].expand(-1, gram.shape[-1])).to(gram.dtype)
        inverse_kernel = torch.linalg.solve(gram, adjoint)
        delta = x.permute(3, 0, 2, 1).flatten(2) - found @ inverse_kernel.mT
        delta = delta.unflatten(2, (2, -1))
        return torch.einsum("kq,fbqi->kfbi", forward, delta) @ weight


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
    def __init__(self, width: int, modes: list[int], regularisation: float | None):
        super().__init__()
        self.spectral = Spectral(width, modes, regularisation)
        self.skip = Pointwise(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.spectral(x) + self.skip(x)


def pointwise(widths: list[int]) -> nn.ModuleList:
    return nn.ModuleList(Pointwise(a, b) for a, b in zip(widths, widths[1:]))


def identity(x: Tensor) -> Tensor:
    return x


class FNO(nn.Module):
    """input [batch, n_1, (n_2), inputs] -> [batch, n_1, (n_2), outputs], in the units of network values.

    `bounds`: first and last coordinate of each axis, for the grid channels and the spacing of the faces' stencils; `padding`: zero cells
    after each axis; `faces`: as in the model file, both of the first axis, or a periodic one that stands for both, or none.
    """

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, modes: list[int], projection: list[int],
                 bounds: list[list[float]], padding: list[int], faces: list[dict] = (), regularisation: float = 0.01):
        super().__init__()
        assert len(modes) == len(bounds) == len(padding) and len(modes) in (1, 2)
        self.arguments = {"inputs": inputs, "outputs": outputs, "width": width, "blocks": blocks, "modes": modes,
                          "projection": projection, "bounds": bounds, "padding": padding, "faces": list(faces),
                          "regularisation": regularisation}
        self.bounds, self.padding, self.faces = bounds, padding, list(faces)
        # Faces that have a value; a periodic pair is corrected by its mean alone.
        self.valued = [face for face in self.faces if face["kind"] != "periodic"]
        if self.faces:
            assert all(face["axis"] == 0 for face in self.faces) and padding[0] == 0
            assert not self.valued or sorted(face["side"] for face in self.faces) == [-1, 1] and len(self.valued) == 2
        self.lifting = pointwise([inputs + len(modes), width])
        self.blocks = nn.ModuleList(Block(width, modes, regularisation if self.valued else None) for _ in range(blocks))
        self.projection = pointwise([width, *projection, outputs])

    def numbers(self) -> dict:
        """The model file's field `fno`."""
        a = self.arguments
        return {"width": a["width"], "blocks": a["blocks"], "modes": a["modes"], "lifting": [], "projection": a["projection"],
                "activation": "gelu", "coordinates": {"bounds": self.bounds, "span": "closed"},
                "padding": {"sides": "after", "cells": self.padding}, "skip": "linear", "skip_bias": True}

    def boon(self) -> dict:
        """The model file's field `boon`."""
        return {"rule": "exact", "regularisation": self.arguments["regularisation"], "faces": self.faces}

    def set_faces(self, x: Tensor, values: list[Tensor], activation=identity) -> Tensor:
        """x [batch, channels, n_1, ..] with the nodes of faces set from what it was before the activation, which spares nodes with
        values; values [batch, outputs, ..], one a face."""
        if not self.faces:
            return activation(x)
        if not self.valued:
            mean = (0.5 * (x[:, :, 0] + x[:, :, -1])).unsqueeze(2)
            return activation(torch.cat([mean, x[:, :, 1:-1], mean], dim=2))
        ends = {}
        for face, value in zip(self.faces, values):
            output = torch.arange(x.shape[1]) % value.shape[1]
            node = value[:, output]
            if face["kind"] == "neumann":
                lower, upper = self.bounds[0]
                spacing = face.get("spacing", (upper - lower) / (x.shape[2] - 1))
                stencil = face["stencil"]
                own = 0 if face["side"] < 0 else len(stencil) - 1
                first = 0 if face["side"] < 0 else x.shape[2] - len(stencil)
                others = sum(c * x[:, :, first + k] for k, c in enumerate(stencil) if k != own)
                node = (spacing * node - others) / stencil[own]
            ends[face["side"]] = node.unsqueeze(2)
        return torch.cat([ends[-1], activation(x[:, :, 1:-1]), ends[1]], dim=2)

    def project(self, x: Tensor, activation=F.gelu) -> Tensor:
        for i, layer in enumerate(self.projection):
            x = layer(activation(x) if i > 0 else x)
        return x

    def forward(self, x: Tensor, values: list[Tensor] = ()) -> Tensor:
        """values [batch, (n_2), outputs]: for each face that has one, in the order of `faces`."""
        grid = x.shape[1:-1]
        values = [value.movedim(-1, 1) for value in values]
        assert len(values) == len(self.valued)
        axes = [torch.linspace(low, high, n, dtype=x.dtype) for (low, high), n in zip(self.bounds, grid)]
        coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(x.shape[0], -1, *grid)
        v = self.lifting[0](torch.cat([x.movedim(-1, 1), coordinates], dim=1))
        cells = [c for n in reversed(self.padding) for c in (0, n)]
        v = F.pad(v, cells)
        # Values are zero in the padding.
        inside = [F.pad(value, cells[:-2]) for value in values]
        for b, block in enumerate(self.blocks):
            last = b + 1 == len(self.blocks)
            v = self.set_faces(block(v), inside, identity if last else F.gelu)
        for axis, n in enumerate(grid):
            v = v.narrow(2 + axis, 0, n)
        if self.valued:
            ends = [self.project(end, identity) for end in (v[:, :, :1], v[:, :, -1:])]
            v = torch.cat([ends[0], self.project(v[:, :, 1:-1]), ends[1]], dim=2)
        else:
            v = self.project(v)
        return self.set_faces(v, values).movedim(1, -1)


def quotients(u: Tensor, faces: list[dict], spacing: float) -> list[Tensor]:
    """The difference quotients of Neumann faces, of u [batch, n_1, ..]."""
    found = []
    for face in faces:
        stencil = torch.tensor(face["stencil"], dtype=u.dtype)
        nodes = u[:, : len(stencil)] if face["side"] < 0 else u[:, -len(stencil):]
        found.append(torch.einsum("k,bk...->b...", stencil, nodes) / spacing)
    return found


def fft_layer(layer: Spectral, x: Tensor) -> Tensor:
    """K x by FFTs of the whole spectrum."""
    axes = tuple(range(2, x.dim()))
    full = torch.fft.rfftn(x, dim=axes)
    kept = torch.view_as_complex(layer.weight)
    out = torch.zeros(x.shape[0], kept.shape[1], *full.shape[2:], dtype=full.dtype)
    if len(axes) == 1:
        k = slice(layer.modes[0])
        out[:, :, k] = torch.einsum("bik,iok->bok", full[:, :, k], kept)
    else:
        c, t = layer.modes[0], slice(layer.modes[1])
        for place, k in enumerate(range(-(c // 2), c - c // 2)):
            out[:, :, k, t] = torch.einsum("bit,iot->bot", full[:, :, k, t], kept[:, :, place])
    return torch.fft.irfftn(out, s=x.shape[2:], dim=axes)


def dense_correction(layer: Spectral, x: Tensor) -> Tensor:
    """K x' from K as a matrix, built column by column; x [1, width, n_1, n_2]."""
    width, n, m = x.shape[1:]
    unit = torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape[1:])
    columns = fft_layer(layer, unit if len(layer.modes) == 2 else unit.squeeze(-1)).view(unit.shape)
    matrix = columns.flatten(1).T
    field = x.flatten()
    # Both faces, [face, width], over the second axis, in real space; then in its frequencies.
    nodes = torch.arange(x.numel()).view(width, n, m)[:, [0, n - 1]].transpose(0, 1).flatten(0, 1)
    x_hat = torch.fft.fft(field[nodes], dim=1)
    found_hat = torch.fft.fft((matrix @ field)[nodes], dim=1)
    kernel_hat = torch.fft.fft(matrix[nodes.T][:, :, nodes[:, 0]], dim=0)
    delta_hat = torch.zeros_like(x_hat)
    kept = layer.modes[1] if len(layer.modes) == 2 else 1
    for f in {k % m for k in range(1 - kept, kept)}:
        u, s, vh = torch.linalg.svd(kernel_hat[f])
        shift = layer.regularisation**2 * (s**2).mean()
        inverse = vh.mH @ torch.diag(s / (s**2 + shift)).to(u.dtype) @ u.mH
        delta_hat[:, f] = x_hat[:, f] - inverse @ found_hat[:, f]
    delta = torch.fft.ifft(delta_hat, dim=1)
    assert delta.imag.abs().max() < 1e-12 * delta.abs().max()
    changed = field.clone()
    changed[nodes] += delta.real
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
    cases = [([9], [5]), ([8], [5]), ([12], [4]), ([8, 7], [8, 4]), ([7, 8], [7, 5]), ([12, 10], [5, 3]), ([10, 9], [4, 2])]
    for grid, modes in cases:
        x = torch.randn(2, width, *grid)
        layer = Spectral(width, modes, None)
        close(layer(x), fft_layer(layer, x), f"FFT, {modes} modes of {grid} points")
        layer.regularisation = 0.01
        wide = x if len(grid) == 2 else x.unsqueeze(-1)
        dense = torch.cat([dense_correction(layer, one[None]) for one in wide])
        close(layer(x), dense.view(x.shape), f"dense, {modes} modes of {grid} points")

    # Whole networks: the output obeys its conditions.
    dirichlet = [{"axis": 0, "side": side, "kind": "dirichlet"} for side in (1, -1)]
    neumann = [{"axis": 0, "side": -1, "kind": "neumann", "stencil": [-1.0, 1.0]},
               {"axis": 0, "side": 1, "kind": "neumann", "stencil": [-1 / 3, 3 / 2, -3.0, 11 / 6]}]
    periodic = [{"axis": 0, "side": -1, "kind": "periodic"}]
    for grid, modes, padding in ([12], [4], [0]), ([12, 7], [5, 3], [0, 4]):
        bounds = [[0.0, 2.0]] * len(grid)
        build = lambda faces: FNO(1, 2, 4, 2, modes, [5], bounds, padding, faces)
        x, values = torch.randn(2, *grid, 1), [torch.randn(2, *grid[1:], 2) for _ in range(2)]
        u = build(dirichlet)(x, values)
        close(torch.stack([u[:, -1], u[:, 0]]), torch.stack(values), f"Dirichlet, {grid} points")
        u = build(neumann)(x, values)
        close(torch.stack(quotients(u, neumann, 2.0 / 11)), torch.stack(values), f"Neumann, {grid} points")
        u = build(periodic)(x)
        close(u[:, 0], u[:, -1], f"periodic, {grid} points")


if __name__ == "__main__":
    check()
