"""The five conservation problems of ProbConserv (Hansen et al., ICML 2023): one family of functions u(t, x) each.

    stefan     u_t = (k(u) u_x)_x, k = 1 where u >= u*, else 0; u(0, t) = 1        parameter u*
    pme        u_t = (u^m u_x)_x                                                   parameter m
    heat       u_t = k u_xx, u = exp(-k t) sin x                                   parameter k
    advection  u_t + a u_x = 0, u(x, 0) = 1 where x <= 1/2, else 0                  parameter a
    burgers    u_t + u u_x = 0, a ramp that steepens into a shock at t = 1 / a      parameter a
"""

import math
from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor


def front_constant(u_star: Tensor) -> Tensor:
    """a = 2 z with u* erf(z) z exp(z^2) = (1 - u*) / sqrt(pi), by bisection (the left side grows with z)."""
    low, high = torch.zeros_like(u_star), torch.full_like(u_star, 10.0)
    for _ in range(80):
        z = 0.5 * (low + high)
        above = u_star * torch.erf(z) * z * torch.exp(z * z) > (1 - u_star) / math.sqrt(math.pi)
        low, high = torch.where(above, low, z), torch.where(above, z, high)
    return low + high


def stefan_constants(u_star: Tensor) -> tuple[Tensor, Tensor]:
    """The front constant a (the front is at a sqrt(t)) and c1 = (1 - u*) / erf(a / 2)."""
    a = front_constant(u_star)
    return a, (1 - u_star) / torch.erf(0.5 * a)


def stefan(u_star: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """1 - c1 erf(x / (2 sqrt(t))) left of the front, 0 right of it."""
    a, c1 = stefan_constants(u_star)
    root = torch.sqrt(t)
    return torch.where(x <= a * root, 1 - c1 * torch.erf(x / (2 * root).clamp_min(1e-300)), 0.0)


def burgers(a: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """a left of the ramp, which falls to 0 at x = 0; after t = 1 / a a shock at (a t - 1) / 2."""
    ramp = torch.where(x <= a * t - 1, a, torch.where(x <= 0, a * x / torch.clamp_max(a * t - 1, -1e-12), 0.0))
    return torch.where(a * t < 1, ramp, torch.where(x <= 0.5 * (a * t - 1), a, 0.0))


def slope(a: Tensor, tx: Tensor) -> Tensor:
    """a_t and a_x [.., 2] of a [..], each element of which depends on its own point of tx [.., 2] alone."""
    return torch.autograd.grad(a.sum(), tx, create_graph=True)[0]


def diffusion(conductivity: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """residual(p, u, tx) of u_t = (k u_x)_x with k = conductivity(p, u)."""

    def residual(parameter: Tensor, u: Tensor, tx: Tensor) -> Tensor:
        u_t, u_x = slope(u, tx).unbind(-1)
        return u_t - slope(conductivity(parameter, u) * u_x, tx)[..., 1]

    return residual


@dataclass(frozen=True)
class Problem:
    """solution(p, t, x) and mass(p, t) broadcast over tensors; mass is the integral of u over x; residual of the equation, by autograd."""

    name: str
    parameter: str
    train_range: tuple[float, float]
    test_values: tuple[float, ...]
    x_range: tuple[float, float]
    t_max: float
    metric_time: float
    solution: Callable[[Tensor, Tensor, Tensor], Tensor]
    mass: Callable[[Tensor, float], Tensor]
    residual: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None

    def time_unit(self, raw: bool) -> float:
        """What a network's unit of t stands for."""
        return 1.0 if raw else self.t_max

    def sample(self, parameter: Tensor, tx: Tensor) -> Tensor:
        """u [B, n, 1] of functions with parameters [B] at points (t, x) [B, n, 2]."""
        t, x = tx.double().unbind(-1)
        return self.solution(parameter.double()[:, None], t, x).unsqueeze(-1)

    def points(self, n: int, side: int, stratified: bool, generator: torch.Generator) -> Tensor:
        """n tensor grids of side x side points (t, x), sorted: [n, side^2, 2]. Contexts take one t an interval."""
        t = torch.rand(n, side, generator=generator, dtype=torch.float64)
        t = (t + torch.arange(side)) / side if stratified else t.sort(dim=1).values
        x = torch.rand(n, side, generator=generator, dtype=torch.float64).sort(dim=1).values
        low, high = self.x_range
        t, x = self.t_max * t, low + (high - low) * x
        return torch.stack([t[:, :, None].expand(-1, -1, side), x[:, None, :].expand(-1, side, -1)], dim=-1).flatten(1, 2)

    def batch(self, n: int, generator: torch.Generator):
        """parameter, context_x, context_y, target_x, target_y of n new functions, 10 x 10 points each (f64)."""
        low, high = self.train_range
        parameter = low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)
        context_x = self.points(n, 10, True, generator)
        target_x = self.points(n, 10, False, generator)
        return parameter, context_x, self.sample(parameter, context_x), target_x, self.sample(parameter, target_x)

    def tests(self, seed: int = 12345, n: int = 50) -> dict:
        """For each test value context_x, context_y, target_x, truth and mass of n contexts; targets are 201 points at the metric time."""
        generator = torch.Generator().manual_seed(seed)
        sets = {}
        x = torch.linspace(*self.x_range, 201, dtype=torch.float64)
        target = torch.stack([torch.full_like(x, self.metric_time), x], -1).expand(n, -1, -1)
        for value in self.test_values:
            parameter = torch.full((n,), value, dtype=torch.float64)
            context_x = self.points(n, 10, True, generator)
            truth = self.sample(parameter, target)
            mass = self.mass(parameter, self.metric_time)
            sets[value] = (context_x, self.sample(parameter, context_x), target, truth, mass)
        return sets

    @staticmethod
    def scores(sets: dict, predict: Callable) -> dict:
        """MSE of the mean before and after the ProbConserv projection (trapezoid rule, no noise) and more; predict(context_x, context_y,
        target_x) gives mean and sigma [n, 201]."""
        scores = {}
        for value, (cx, cy, tx, truth, mass) in sets.items():
            mean, sigma = (a.double().cpu() for a in predict(cx, cy, tx))
            x = tx[0, :, 1]
            g = torch.zeros_like(x)
            g[:-1] += 0.5 * x.diff()
            g[1:] += 0.5 * x.diff()
            residual = mean @ g - mass
            gain = sigma**2 * g / (sigma**2 @ g**2)[:, None]
            truth = truth.squeeze(-1)
            scores[f"mse_{value}"] = ((mean - truth) ** 2).mean().item()
            scores[f"mse_projected_{value}"] = ((mean - gain * residual[:, None] - truth) ** 2).mean().item()
            scores[f"conservation_{value}"] = residual.mean().item()
            z = (truth - mean) / sigma
            scores[f"log_density_{value}"] = (-0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)).mean().item()
        return scores


PROBLEMS = {
    p.name: p
    for p in (
        Problem("stefan", "u_star", (0.55, 0.7), (0.6, 0.5), (0.0, 1.0), 0.1, 0.05, stefan,
                lambda p, t: 2 * stefan_constants(p)[1] * math.sqrt(t / math.pi),
                # The jump of k has no derivative but at the front, where u itself has none.
                diffusion(lambda u_star, u: (u >= u_star).to(u.dtype))),
        Problem("pme", "m", (1.0, 6.0), (1.0, 3.0, 6.0), (0.0, 1.0), 1.0, 0.5,
                lambda m, t, x: (m * (t - x).clamp_min(0.0)) ** (1 / m),
                lambda m, t: m ** (1 + 1 / m) / (m + 1) * t ** (1 + 1 / m),
                # Off 0, where the derivatives of powers are not finite.
                diffusion(lambda m, u: u.clamp_min(1e-3) ** m)),
        Problem("heat", "k", (1.0, 5.0), (1.0, 5.0), (0.0, 2 * math.pi), 1.0, 0.5,
                lambda k, t, x: torch.exp(-k * t) * torch.sin(x),
                lambda k, t: torch.zeros_like(k),
                diffusion(lambda k, u: k)),
        Problem("advection", "a", (1.0, 5.0), (1.0, 3.0), (0.0, 1.0), 1.0, 0.1,
                lambda a, t, x: (x - a * t <= 0.5).double(),
                lambda a, t: 0.5 + (a * t).clamp_max(0.5)),
        Problem("burgers", "a", (1.0, 4.0), (1.0, 3.0), (-1.0, 1.0), 1.0, 0.5, burgers,
                lambda a, t: 0.5 * a * (1 + a * t)),
    )
}


def check_masses(points: int = 20_001):
    """Every mass is the integral of its solution, up to the width of a cell at the jumps."""
    for p in PROBLEMS.values():
        x = torch.linspace(*p.x_range, points, dtype=torch.float64)
        for value in p.test_values:
            parameter = torch.tensor([value], dtype=torch.float64)
            for t in (0.2 * p.metric_time, p.metric_time):
                u = p.sample(parameter, torch.stack([torch.full_like(x, t), x], -1)[None])[0, :, 0]
                found, expected = torch.trapezoid(u, x).item(), p.mass(parameter, t).item()
                tolerance = u.abs().max().item() * (x[1] - x[0]).item()
                assert abs(found - expected) <= tolerance, f"{p.name} {value} at {t}: {found}, expected {expected}"


def check_residuals():
    """Smooth parts of the solutions leave none, and another parameter's leave some."""
    for p in PROBLEMS.values():
        if p.residual is None:
            continue
        generator = torch.Generator().manual_seed(1)
        parameter, _, _, tx, _ = p.batch(20, generator)
        # From a tenth of the time on, and where there is something: fronts and their neighbourhood are left out.
        tx = tx * torch.tensor([0.9, 1.0]) + torch.tensor([0.1 * p.t_max, 0.0])
        tx.requires_grad_()
        u = p.sample(parameter, tx).squeeze(-1)
        inside = (u.abs() > 0.05).double()
        own, other = (p.residual(q[:, None], u, tx) * inside for q in (parameter, 0.5 * parameter))
        assert own.abs().max() < 1e-9 * other.abs().max() or p.name == "stefan" and own.abs().max() < 1e-9, (p.name, own.abs().max())


if __name__ == "__main__":
    check_residuals()
    check_masses()
