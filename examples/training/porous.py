"""The porous-medium equation between closed walls: what a surrogate of one step of its solver learns.

    u_t = (u u_x)_x on [0, 1], u u_x = 0 at both walls; u >= 0, and the integral of u does not change

64 cells, explicit finite volumes: through the face between two cells goes -(u_i + u_{i+1}) / 2 (u_{i+1} - u_i) / dx. A step of the host is 64 small
ones, dt = 1/2048 in all. A sample is the window of 9 cells around one cell, mirrored at the walls, and the change of u in its middle over one step.

    python porous.py      # checks that the solver keeps the mass, signs and fronts
"""

import numpy as np

CELLS, SIDE, PARTS, STEPS = 64, 4, 64, 40
RATIO = 1.0 / 32.0  # small step over dx^2
CENTRE = (np.arange(CELLS) + 0.5) / CELLS


def step(u):
    """[samples, CELLS] one step of the host later. |u| for u changes nothing where u >= 0, and spreads what a disturbance put below."""
    u = u.copy()
    for _ in range(PARTS):
        inward = 0.5 * RATIO * (np.abs(u[:, :-1]) + np.abs(u[:, 1:])) * (u[:, 1:] - u[:, :-1])
        u[:, :-1] += inward
        u[:, 1:] -= inward
    return u


def bumps(count, rng):
    """One to three parabolas each, half of them over a thin layer."""
    u = np.where(rng.random((count, 1)) < 0.5, 0.0, rng.uniform(0.0, 0.3, (count, 1))) * np.ones(CELLS)
    for number in range(3):
        height, width = rng.uniform(0.1, 1.0, (count, 1)), rng.uniform(0.05, 0.35, (count, 1))
        middle = rng.uniform(0.0, 1.0, (count, 1))
        there = number == 0 or rng.random((count, 1)) < 0.5
        u = np.maximum(u, there * height * (1.0 - ((CENTRE - middle) / width) ** 2))
    return u


def windows(u):
    """[samples, CELLS, 9]: every cell among its neighbours."""
    padded = np.concatenate([u[:, SIDE - 1::-1], u, u[:, :-SIDE - 1:-1]], axis=1)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * SIDE + 1, axis=1)


def samples(count, seed, noise=2e-3):
    """Windows [rows, 9] and changes [rows, 1] along `count` runs. A surrogate's own states are never clean: each state is disturbed before it is
    stepped from."""
    rng = np.random.default_rng(seed)
    u, x, y = bumps(count, rng), [], []
    for _ in range(STEPS):
        disturbed = u + noise * rng.random((count, 1)) * rng.normal(size=u.shape)
        x.append(windows(disturbed).reshape(-1, 2 * SIDE + 1))
        y.append((step(disturbed) - disturbed).reshape(-1, 1))
        u = step(u)
    return np.concatenate(x), np.concatenate(y)


def main():
    first = u = bumps(100, np.random.default_rng(1))
    for _ in range(STEPS):
        u = step(u)
    lost = np.abs(u.mean(1) - first.mean(1)).max()
    assert lost < 1e-14, lost
    assert u.min() >= 0.0 and (u.max(1) <= first.max(1)).all()
    print(f"mass kept to {lost:.1e}; largest value from {first.max():.2f} to {u.max():.2f}")


if __name__ == "__main__":
    main()
