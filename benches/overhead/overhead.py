"""What a call costs from Python, beside benches/overhead/overhead.c: the same calls with the same values.

    python benches/overhead/overhead.py

Prints a line `case ns_per_call` for each: the exact sum of one value, and the projection of a slice of 8 cells onto one quadrature row, into
an array that is there. Medians of 21 rounds.
"""

import statistics
import time

import numpy as np

import pcml

CELLS, ROUNDS, CALLS = 8, 21, 10000


def tell(name, call):
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for _ in range(CALLS):
            call()
        rounds.append((time.perf_counter_ns() - start) / CALLS)
    print(f"{name} {statistics.median(rounds):.0f}")


law = pcml.Constraints(CELLS)
law.add_quadrature(pcml.Rule.TRAPEZOID, np.arange(float(CELLS)))
projector = pcml.Projector(law)
one, mean, b, u = np.array([0.5]), 0.25 * np.arange(CELLS), np.array([1.0]), np.empty(CELLS)
tell("sum", lambda: pcml.sum(one))
tell("project", lambda: projector.project(mean, b, out=u))
