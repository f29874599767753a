"""The Stefan problem of ProbConserv: u_t = (k(u) u_x)_x on [0, 1], k = 1 where u >= u*, else 0; u(0, t) = 1.

Left of the front a sqrt(t) the solution is 1 - c1 erf(x / (2 sqrt(t))), right of it 0, with c1 = (1 - u*) / erf(a / 2) and
a = 2 z, where u* erf(z) z exp(z^2) = (1 - u*) / sqrt(pi). The mass over x is b(t) = 2 c1 sqrt(t / pi).
"""

import math

import torch
from torch import Tensor

T_MAX = 0.1
TRAIN_RANGE = (0.55, 0.7)
TEST_VALUES = (0.6, 0.5)


def front_constant(u_star: Tensor) -> Tensor:
    """a = 2 z, by bisection (the left side grows with z)."""
    low, high = torch.zeros_like(u_star), torch.full_like(u_star, 10.0)
    for _ in range(80):
        z = 0.5 * (low + high)
        above = u_star * torch.erf(z) * z * torch.exp(z * z) > (1 - u_star) / math.sqrt(math.pi)
        low, high = torch.where(above, low, z), torch.where(above, z, high)
    return low + high


class Stefan:
    """Functions with parameters u_star [B] (f64)."""

    def __init__(self, u_star: Tensor):
        self.u_star = u_star.double()
        self.a = front_constant(self.u_star)
        self.c1 = (1 - self.u_star) / torch.erf(0.5 * self.a)

    def solution(self, tx: Tensor) -> Tensor:
        """u [B, n, 1] at points (t, x) [B, n, 2]."""
        t, x = tx.double().unbind(-1)
        root = torch.sqrt(t)
        u = 1 - self.c1[:, None] * torch.erf(x / (2 * root).clamp_min(1e-300))
        return torch.where(x <= self.a[:, None] * root, u, 0.0).unsqueeze(-1)

    def mass(self, t: float) -> Tensor:
        return 2 * self.c1 * math.sqrt(t / math.pi)

    def front(self, t: float) -> Tensor:
        return self.a * math.sqrt(t)


def draw_points(n: int, side: int, stratified: bool, generator: torch.Generator) -> Tensor:
    """n tensor grids of side x side points (t, x), sorted: [n, side^2, 2]. Contexts take one t an interval."""
    t = torch.rand(n, side, generator=generator, dtype=torch.float64)
    t = (t + torch.arange(side)) / side if stratified else t.sort(dim=1).values
    x = torch.rand(n, side, generator=generator, dtype=torch.float64).sort(dim=1).values
    grid = torch.stack([(T_MAX * t)[:, :, None].expand(-1, -1, side), x[:, None, :].expand(-1, side, -1)], dim=-1)
    return grid.flatten(1, 2)


def draw_batch(n: int, generator: torch.Generator):
    """context_x, context_y, target_x, target_y of n new functions, 10 x 10 points each (f64)."""
    low, high = TRAIN_RANGE
    functions = Stefan(low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64))
    context_x = draw_points(n, 10, True, generator)
    target_x = draw_points(n, 10, False, generator)
    return context_x, functions.solution(context_x), target_x, functions.solution(target_x)
