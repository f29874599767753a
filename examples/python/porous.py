"""Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.

    python porous.py porous.safetensors

u_t = (u u_x)_x on [0, 1] between closed walls: the integral of u never changes, and u >= 0. The solver takes 64 explicit steps of finite
volumes where the surrogate takes one: a perceptron that sees each cell among its neighbours and gives its change
(examples/training/porous.py). It knows of no law: what it makes or loses adds up. In the lawful run each step ends in a projection onto the
mass and u >= 0. What that does to the error is printed, and promised by nobody. Exits with 1 unless the lawful run keeps mass and sign.

The same as examples/c/porous.c, and to the bit: sums in the order written (numpy's own take another), no function but the root.
"""

import math
import sys

import numpy as np
from common import claim, failures, mix

import pcml

CELLS, SIDE, STEPS, PARTS, TOLD = 64, 4, 40, 64, 8
DX, RATIO = 1.0 / CELLS, 1.0 / 32.0
WEIGHTS = np.full(CELLS, DX)


def fill(u):
    """Two parabolas over empty ground."""
    x = (np.arange(CELLS) + 0.5) * DX
    left, right = 0.9 - 40.0 * (x - 0.35) * (x - 0.35), 0.5 - 50.0 * (x - 0.75) * (x - 0.75)
    u[:] = np.maximum(0.0, left) + np.maximum(0.0, right)


def solve(u):
    right = np.zeros(CELLS)
    left = np.zeros(CELLS)
    for _ in range(PARTS):
        right[:-1] = -0.5 * (u[:-1] + u[1:]) * (u[1:] - u[:-1])
        left[1:] = right[:-1]
        u += RATIO * (left - right)


def predict(plan, padded):
    """A step of the surrogate. The state has room for its mirror images beyond the walls, and row i of the input is that array from i on:
    the rows overlap, and nothing is copied."""
    u = padded[SIDE:-SIDE]
    padded[:SIDE], padded[-SIDE:] = u[SIDE - 1 :: -1], u[: -SIDE - 1 : -1]
    u += plan.predict(np.lib.stride_tricks.sliding_window_view(padded, 2 * SIDE + 1))[:, 0]


def mass(u):
    return pcml.sum(u, WEIGHTS)


def error(u, truth):
    apart = size = 0.0
    for a, b in zip(u.tolist(), truth.tolist()):
        apart += (a - b) * (a - b)
        size += b * b
    return 100.0 * math.sqrt(apart / size)


def main(path):
    truth, padded_alone, padded_lawful = np.zeros(CELLS), np.zeros(SIDE + CELLS + SIDE), np.zeros(SIDE + CELLS + SIDE)
    alone, lawful = padded_alone[SIDE:-SIDE], padded_lawful[SIDE:-SIDE]
    for u in truth, alone, lawful:
        fill(u)
    held, lower = mass(truth), np.zeros(CELLS)

    plan = pcml.Plan(pcml.Model.load(path), batch=CELLS)
    constraints = pcml.Constraints(CELLS)
    constraints.add_row(WEIGHTS)
    projector = pcml.Projector(constraints)

    print("      surrogate alone                 lawful")
    print("step  error %   mass %      least    error %  mass eps     least")
    for step in range(1, STEPS + 1):
        solve(truth)
        predict(plan, padded_alone)
        predict(plan, padded_lawful)
        projector.project_bounded(lawful, held, lower=lower, out=lawful)
        off = abs(mass(lawful) - held) / (sys.float_info.epsilon * held)
        claim(off <= 4.0, "the mass")
        claim(lawful.min() >= 0.0, "no negative value")
        if step % TOLD == 0:
            gained = 100.0 * (mass(alone) - held) / held
            print(
                f"{step:4d} {error(alone, truth):8.3f} {gained:8.4f} {alone.min():10.6f}   "
                f"{error(lawful, truth):8.3f} {int(off + 0.5):9d} {lawful.min():10.6f}"
            )
    bits = 0
    for u in truth, alone, lawful:
        bits = mix(bits, u)
    print(f"bits {bits:016X}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
