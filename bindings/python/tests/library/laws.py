"""What the tests share: a small law and its arrays."""

import importlib.util
import os
from pathlib import Path

import numpy as np

import pcml

MODELS = Path(__file__).parents[4] / "examples/models"
CELLS = 8
#: In CI nothing may be skipped that can be installed.
TORCH, JAX = ("CI" in os.environ or importlib.util.find_spec(name) is not None for name in ("torch", "jax"))


def projector(prior=pcml.Prior.IDENTITY, rows=1, cells=CELLS, **settings):
    """Rows over all cells with weights of no pattern."""
    constraints = pcml.Constraints(cells)
    for row in range(rows):
        constraints.add_row(np.random.default_rng(row).uniform(0.5, 1.5, cells))
    return pcml.Projector(constraints, prior, **settings)


def state(*shape, seed=7, dtype=np.float64):
    """Positive values."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(dtype)
