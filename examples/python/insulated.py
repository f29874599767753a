"""A heat equation with an insulated wall, by an operator that knows its walls.

    python insulated.py insulated.safetensors

u_t = 0.01 u_xx on [0, 1], from u0 = cos(3.1 pi x): the left wall is insulated, through the right one comes the flux u_x = 5 sin(pi t). A
Fourier neural operator with boundary corrections (BOON) predicts 25 times in one call, the wall conditions exact. A solver of the same
equation says how good that is. The prediction still gains or loses heat: prediction, walls and balance in one call mend both together,
and the same walls are put on a field that comes from elsewhere. Exits with 1 unless all that holds.

The same as examples/c/insulated.c, and to the bit: cosines by recurrence, sums in the order written, no function but the root.
"""

import math
import sys

import numpy as np
from common import claim, failures, mix

import pcml

POINTS, TIMES, FINER, STEPS, HALF = 100, 25, 4, 80, 500
FINE = FINER * (POINTS - 1) + 1
CONDUCTIVITY, H, STEP = 0.01, 1.0 / (POINTS - 1), 2.0 / (TIMES * STEPS)
EPS = sys.float_info.epsilon
LEFT, RIGHT = (-1.0, 1.0), (-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0)
#: Of the trapezoid rule.
WEIGHTS = np.array([0.5 * H, *[H] * (POINTS - 2), 0.5 * H])


def cosines(first, count):
    """cos(i a) for all i, from cos(a)."""
    c = [1.0, first]
    for i in range(2, count):
        c.append(2.0 * first * c[i - 1] - c[i - 2])
    return c


#: cos(3.1 pi x) at the solver's points, and cos(pi t) at its times.
WAVE, BEAT = cosines(0.9996976006342584, FINE), cosines(0.9999950652018582, TIMES * STEPS + 1)


def flux(k):
    """5 sin(pi t) at the solver's time k, as the cosine half a unit of time away."""
    return 5.0 * BEAT[abs(k - HALF)]


def solve(u):
    """Crank-Nicolson on a finer grid, half cells at the walls; u[point, time]."""
    fine = H / FINER
    r = 0.5 * CONDUCTIVITY * STEP / (fine * fine)
    state, upper, pivots = np.array(WAVE), [0.0] * FINE, [1.0 + 2.0 * r] * FINE
    upper[0] = -2.0 * r / pivots[0]
    lowers = [-r] * (FINE - 1) + [-2.0 * r]
    for i in range(1, FINE):
        pivots[i] = 1.0 + 2.0 * r - lowers[i] * upper[i - 1]
        upper[i] = -r / pivots[i]
    for k in range(TIMES * STEPS):
        through = 0.5 * (flux(k) + flux(k + 1))
        before, after = np.concatenate([state[1:2], state[:-1]]), np.concatenate([state[1:], state[-2:-1]])
        right = (state + r * (before - 2.0 * state + after)).tolist()
        right[FINE - 1] += 2.0 * CONDUCTIVITY * STEP * through / fine
        last = right[0] = right[0] / pivots[0]
        for i in range(1, FINE):
            last = right[i] = (right[i] - lowers[i] * last) / pivots[i]
        for i in range(FINE - 2, -1, -1):
            last = right[i] = right[i] - upper[i] * last
        state = np.array(right)
        if (k + 1) % STEPS == 0:
            u[:, k // STEPS] = state[::FINER]


def total(terms):
    """The sum in the order written."""
    found = 0.0
    for term in terms.ravel().tolist():
        found += term
    return found


def relative(u, truth):
    return math.sqrt(total((u - truth) * (u - truth)) / total(truth * truth))


def wall(u, values, stencil, first):
    """The largest residual of a wall's condition, in eps of the largest term."""
    sums, scale = -values, np.abs(values)
    for k, coefficient in enumerate(stencil):
        term = coefficient * u[first + k] / H
        sums, scale = sums + term, np.maximum(scale, np.abs(term))
    return float((np.abs(sums) / scale).max()) / EPS


def left_wall(u, walls):
    return wall(u, walls[0], LEFT, 0)


def right_wall(u, walls):
    return wall(u, walls[1], RIGHT, POINTS - len(RIGHT))


def heat(u, expected):
    """The largest difference between the heat in the slab and what it should be, in eps of the sum of magnitudes."""
    sums, scale = -expected, np.zeros(TIMES)
    for i in range(POINTS):
        term = WEIGHTS[i] * u[i]
        sums, scale = sums + term, scale + np.abs(term)
    return float((np.abs(sums) / scale).max()) / EPS


def row(name, u, truth, walls, content):
    rounded = [int(value + 0.5) for value in (left_wall(u, walls), right_wall(u, walls), heat(u, content))]
    print(f"{name:28s} {100.0 * relative(u, truth):8.3f} {rounded[0]:18d} {rounded[1]:18d} {rounded[2]:18d}")


def laws():
    """Rows of the laws: heat at each time, then the left wall, then the right one."""
    constraints = pcml.Constraints(POINTS * TIMES)
    for t in range(TIMES):
        weights = np.zeros((POINTS, TIMES))
        weights[:, t] = WEIGHTS
        constraints.add_row(weights)
    cells = np.arange(POINTS * TIMES).reshape(POINTS, TIMES)
    for stencil, nodes in (LEFT, cells[: len(LEFT)]), (RIGHT, cells[-len(RIGHT) :]):
        constraints.add_stencils(nodes.T, [coefficient / H for coefficient in stencil])
    return pcml.Projector(constraints)


def main(path):
    u0 = np.repeat(np.array(WAVE[::FINER])[:, np.newaxis], TIMES, axis=1)
    initial = total(WEIGHTS * WAVE[::FINER])
    times = [(t + 1) * STEPS for t in range(TIMES)]
    walls = np.array([[0.0] * TIMES, [flux(k) for k in times]])
    # What was there, and what came through the right wall since.
    content = np.array([initial + CONDUCTIVITY * 5.0 * (1.0 - BEAT[k]) / math.pi for k in times])
    truth, bits = np.empty((POINTS, TIMES)), 0
    solve(truth)

    plan = pcml.Plan(pcml.Model.load(path), shape=(POINTS, TIMES))
    print(f"{'100 points, 25 times':28s} {'error, %':>8s} {'left wall, eps':>18s} {'right wall, eps':>18s} {'heat, eps':>18s}")
    row("Crank-Nicolson", truth, truth, walls, content)
    bits = mix(bits, truth)
    u = np.empty((POINTS, TIMES))
    plan.predict(u0, walls, out=u)
    row("operator", u, truth, walls, content)
    bits = mix(bits, u)
    claim(relative(u, truth) < 0.02, "the operator's error is below 2%")
    claim(left_wall(u, walls) <= 4.0 and right_wall(u, walls) <= 4.0, "the operator's walls")

    lawful = np.empty((1, POINTS, TIMES))
    plan.predict_lawful(laws(), u0, np.concatenate([content, *walls])[np.newaxis], walls, out=lawful)
    row("operator, walls and balance", lawful[0], truth, walls, content)
    bits = mix(bits, lawful)
    claim(left_wall(lawful[0], walls) <= 8.0 and right_wall(lawful[0], walls) <= 8.0, "the lawful walls")
    claim(heat(lawful[0], content) <= 16.0, "the heat")

    # The same walls for a field of any origin: here the solver's, disturbed.
    u[:] = truth + (0.01 * (np.arange(truth.size) * 37 % 101 - 50) / 50.0).reshape(truth.shape)
    row("a field from elsewhere", u, truth, walls, content)
    boundary = pcml.Boundary([pcml.neumann(0, -1, LEFT, H), pcml.neumann(0, 1, RIGHT, H)])
    boundary.enforce(u[np.newaxis, ..., np.newaxis], walls)
    row("its walls set", u, truth, walls, content)
    bits = mix(bits, u)
    claim(left_wall(u, walls) <= 4.0 and right_wall(u, walls) <= 4.0, "the walls that were set")
    if not failures:
        print("all held")
    print(f"bits {bits:016X}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
