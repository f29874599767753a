"""What the calls of a projector share."""

from __future__ import annotations

from typing import Optional

import numpy as np

from ._c import Prior
from .arrays import NDArray, Writable, int64, writable
from .handle import Handle, Pointer, Scratch, create
from .library import lib
from .report import Report

#: Priors whose data the posterior mean can be differentiated by.
DIFFERENTIABLE = (Prior.DIAGONAL, Prior.SCALAR)


class Slices(Handle):
    """A projector as its parts know it."""

    cells: int
    rows: int
    invariants: int
    prior: Prior
    _scratch: Scratch

    def report(self, slices: int = 1) -> Report:
        """A report for projections of at most so many slices."""
        made = create(lib.pcml_projector_report, lib.pcml_report_free, self.pointer, int64("slices", slices))
        return Report(made, self.rows + self.invariants)

    def slices_of(self, mean: NDArray) -> int:
        """Slices of an array; 1 for a shape that fits none, which the call refuses."""
        size, cells = mean.size, self.cells
        return mean.shape[0] if size != cells and mean.ndim > 1 and size == mean.shape[0] * cells else 1

    def workspace(self, mean: NDArray) -> Pointer:
        """The calling thread's workspace for `project`, with room for the slices of an array."""
        return self._workspace("pcml_projector_workspace", mean)

    def _workspace(self, function: str, mean: NDArray) -> Pointer:
        return self._scratch.of(function, self, self.slices_of(mean))

    def _gradients(
        self, mean: NDArray, variance: Optional[NDArray], b: int, out: tuple[Optional[Writable], ...]
    ) -> list[Optional[NDArray]]:
        """Where derivatives by mean, variance and b go: where the caller says, or to new arrays if there is no word of any."""
        if any(given is not None for given in out):
            names = "gradient_mean", "gradient_variance", "gradient_b"
            return [None if given is None else writable(name, given) for name, given in zip(names, out)]
        spread = variance if self.prior in DIFFERENTIABLE else None
        return [
            np.empty(mean.shape, mean.dtype),
            None if spread is None else np.empty(spread.shape, spread.dtype),
            np.empty(b) if b else None,
        ]
