"""The heat problem of BOON (Saad et al., ICLR 2023): a bar, insulated on the left, heated on the right.

    u_t = 0.01 u_xx on [0, 1], u_x(0, t) = 0, u_x(1, t) = 5 sin(pi t), u(x, 0) = cos(w pi x), w in [2.01, 3.99]

An operator maps u(., 0), repeated over time, to u at 100 points x and 25 times t = 0.08, 0.16, .. 2.

    python heat.py       # checks the order of the solver against an exact solution
"""

import math

import torch
from torch import Tensor

DIFFUSIVITY = 0.01
FLUX = 5.0
RANGE = (2.01, 3.99)
POINTS, TIMES, LAST = 100, 25, 2.0
SPACING = 1.0 / (POINTS - 1)
# sum_k stencil_k u_k / spacing = u_x over the nodes next to a face, in the order of their coordinates: first and third order.
FACES = [{"axis": 0, "side": -1, "kind": "neumann", "stencil": [-1.0, 1.0]},
         {"axis": 0, "side": 1, "kind": "neumann", "stencil": [-1 / 3, 3 / 2, -3.0, 11 / 6]}]


def times() -> Tensor:
    return LAST / TIMES * torch.arange(1, TIMES + 1, dtype=torch.float64)


def fluxes(t: Tensor) -> list[Tensor]:
    """u_x on the left and on the right."""
    return [torch.zeros_like(t), FLUX * torch.sin(math.pi * t)]


def solve(initial: Tensor, steps: int) -> Tensor:
    """u [functions, cells + 1, TIMES] from u(., 0) [functions, cells + 1], f64: Crank-Nicolson, `steps` of them between two outputs.

    Second order in x up to the ends: u_x there gives the value of a ghost node beyond. The first step is four quarter steps of implicit
    Euler, which damp what a u(., 0) without the flux 0 on the right excites.
    """
    cells = initial.shape[1] - 1
    eye = torch.eye(cells + 1, dtype=torch.float64)
    laplace = torch.zeros_like(eye)
    laplace.diagonal().fill_(-2.0)
    laplace.diagonal(1).fill_(1.0)
    laplace.diagonal(-1).fill_(1.0)
    laplace[0, 1] = laplace[-1, -2] = 2.0
    laplace *= DIFFUSIVITY * cells**2
    step = LAST / (TIMES * steps)
    source = lambda t: 2 * cells * DIFFUSIVITY * fluxes(torch.tensor(t, dtype=torch.float64))[1]
    # The right end alone has a flux: its column of the inverse is the answer to it.
    euler = torch.linalg.inv(eye - 0.25 * step * laplace)
    inverse = torch.linalg.inv(eye - 0.5 * step * laplace)
    whole = (inverse @ (eye + 0.5 * step * laplace)).T
    u, out = initial, []
    for i in range(4):
        u = u @ euler.T + 0.25 * step * source(0.25 * (i + 1) * step) * euler[:, -1]
    for i in range(1, TIMES * steps + 1):
        if i > 1:
            u = u @ whole + 0.5 * step * (source((i - 1) * step) + source(i * step)) * inverse[:, -1]
        if i % steps == 0:
            out.append(u)
    return torch.stack(out, dim=-1)


def functions(w: Tensor, refinement: int = 8, steps: int = 20) -> tuple[Tensor, Tensor]:
    """Input and solution, both [functions, POINTS, TIMES, 1], of these w; solved on a finer grid."""
    x = torch.linspace(0, 1, refinement * (POINTS - 1) + 1, dtype=torch.float64)
    initial = torch.cos(math.pi * w[:, None] * x)
    solution = solve(initial, steps)[:, ::refinement]
    return initial[:, ::refinement, None].expand(-1, -1, TIMES).unsqueeze(-1), solution.unsqueeze(-1)


def data(train: int = 500, test: int = 100, seed: int = 0) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Training and test functions with w uniform in RANGE."""
    low, high = RANGE
    w = low + (high - low) * torch.rand(train + test, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x, u = functions(w)
    return (x[:train], u[:train]), (x[train:], u[train:])


def face_values(batch: int) -> list[Tensor]:
    """The fluxes [batch, TIMES, 1], left and right."""
    return [flux[None, :, None].expand(batch, -1, -1) for flux in fluxes(times())]


def check():
    """cos(3 pi x) decays under zero flux; Re(-5 i e^(i pi t) cosh(s x) / (s sinh(s))), s^2 = i pi / 0.01, has the flux on the right."""
    s = torch.sqrt(torch.tensor(1j * math.pi / DIFFUSIVITY, dtype=torch.complex128))

    def exact(x: Tensor, t: Tensor) -> Tensor:
        decay = torch.exp(-DIFFUSIVITY * (3 * math.pi) ** 2 * t) * torch.cos(3 * math.pi * x)
        return decay + (-FLUX * 1j * torch.exp(1j * math.pi * t) * torch.cosh(s * x) / (s * torch.sinh(s))).real

    errors = []
    for refinement, steps in ((1, 5), (2, 10), (4, 20)):
        x = torch.linspace(0, 1, refinement * (POINTS - 1) + 1, dtype=torch.float64)[:, None]
        found = solve(exact(x, torch.zeros(1, dtype=torch.float64)).T, steps)[0]
        errors.append((found - exact(x, times())).abs().max().item())
    orders = [math.log2(a / b) for a, b in zip(errors, errors[1:])]
    print(f"errors {errors}, orders {orders}")
    assert all(order > 1.9 for order in orders)
    # The training data: a finer solution moves it little.
    w = torch.tensor(RANGE, dtype=torch.float64)
    _, u = functions(w)
    _, finer = functions(w, 16, 40)
    moved = ((u - finer).norm() / finer.norm()).item()
    print(f"training data against a finer solution: {moved:.1e}")
    assert moved < 1e-3


if __name__ == "__main__":
    check()
