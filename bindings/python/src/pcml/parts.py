"""Fields whose cells lie in parts, one in each process."""

from __future__ import annotations

from typing import Optional

import numpy as np

from .arrays import NDArray, Readable, Writable, describe, given, given_or_none, writable, writable_or_none
from .library import lib
from .report import Report, filled
from .slices import Slices
from .sums import Reduction


class Parts(Slices):
    """What a projector of one part does together with those of the other parts: at most 16 rows, Prior.IDENTITY, DIAGONAL or SCALAR."""

    def project_part(
        self,
        reduction: Reduction,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        out: Optional[Writable] = None,
        out_variance: Optional[Writable] = None,
        report: Optional[Report] = None,
    ) -> NDArray:
        """`project` of one slice whose cells lie in parts; with bounds, for one row, `project_bounded`. Every part calls it with its own
        cells and the same b, and the whole field obeys afterwards; a cell's bits depend on no partition.

        What the library refuses it refuses on all parts alike. What is no array of float32 or float64 raises on this part before it takes
        part, and the others wait.
        """
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        lower, upper = given_or_none("lower", lower), given_or_none("upper", upper)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        spread = writable_or_none("out_variance", out_variance)
        pointer, lock = filled(report)
        with lock, reduction.exclusive:
            reduction.check(
                lib.pcml_part_project(
                    self.pointer,
                    self._scratch.of("pcml_part_workspace", self),
                    reduction.pointer,
                    describe("mean", mean),
                    describe("variance", variance),
                    describe("b", b),
                    describe("lower", lower),
                    describe("upper", upper),
                    describe("out", target),
                    describe("out_variance", spread),
                    pointer,
                )
            )
        return target
