"""Constraints joined with a metric: what makes predictions lawful."""

from __future__ import annotations

from typing import Optional

import numpy as np

from ._c import Prior
from .arrays import NDArray, Readable, Writable, address, describe, given, given_or_none, int32, writable, writable_or_none
from .bounded import Bounded
from .constraints import Constraints
from .error import check
from .handle import Scratch, create, expect
from .inference import Inference
from .library import lib
from .nonlinear import Nonlinear
from .options import options
from .parts import Parts
from .report import Report, filled


class Projector(Bounded, Inference, Nonlinear, Parts):
    """Constraints and a prior kind, whose covariance Sigma is the metric of the correction. Immutable: any number of threads may use it at
    once; each has workspaces of its own, made when it first needs them.

    Arrays hold `cells` values, or have shape [slices, ...] with `cells` values a slice; float32 or float64, any strides; dtypes may differ.
    `variance` is the prior's data as `Prior` states, for one slice or with a slice axis before it; None with Prior.IDENTITY. `b` has one
    value a slice and row, [slices, rows], [slices] for one row. Results are new arrays of the mean's shape and dtype, or written to `out`,
    which may be the mean itself. After any failure arrays and reports are as before.
    """

    def __init__(
        self,
        constraints: Constraints,
        prior: Prior = Prior.IDENTITY,
        *,
        held_cells: bool = False,
        prior_size: Optional[int] = None,
        smoothing: Optional[float] = None,
    ) -> None:
        """The constraints are copied.

        held_cells: admits a variance of 0, which holds that cell where it is. prior_size: off-diagonals of a banded prior, rank of a
        low-rank one, samples of an ensemble. smoothing: the correlation of neighbouring cells with Prior.SMOOTHED.
        """
        expect(Constraints, "constraints", constraints)
        settings = options(held_cells=int(held_cells), prior_size=prior_size, smoothing=smoothing)
        with constraints.exclusive:
            super().__init__(
                create(
                    lib.pcml_projector_create,
                    lib.pcml_projector_free,
                    constraints.pointer,
                    int32("prior", prior),
                    settings,
                )
            )
            self.cells, self.invariants = constraints.cells, constraints.invariants
        # Rows that another thread adds meanwhile are not this projector's.
        self.rows = constraints.rows
        self.prior = Prior(prior)
        self._scratch = Scratch()

    def project(
        self,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        out_variance: Optional[Writable] = None,
        report: Optional[Report] = None,
    ) -> NDArray:
        """Makes every slice obey the rows: mu - Sigma G' lambda with (G Sigma G' + diag(s^2)) lambda = G mu - b.

        A mean that obeys already comes back bit for bit. out_variance receives the posterior variances.
        """
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        spread = writable_or_none("out_variance", out_variance)
        pointer, lock = filled(report)
        with lock:
            check(
                lib.pcml_projector_project(
                    self.pointer,
                    self._workspace("pcml_projector_workspace", mean),
                    describe("mean", mean),
                    describe("variance", variance),
                    describe("b", b),
                    describe("out", target),
                    describe("out_variance", spread),
                    pointer,
                )
            )
        return target

    def residual(self, mean: Readable, b: Readable) -> NDArray:
        """How far every slice is from obeying, G u - b, [slices, rows], in the unit of b. Checks only."""
        mean, b = given("mean", mean), given("b", b)
        found = np.empty((self.slices_of(mean), self.rows))
        check(
            lib.pcml_projector_residual(
                self.pointer,
                self._workspace("pcml_projector_workspace", mean),
                describe("mean", mean),
                describe("b", b),
                address(found),
            )
        )
        return found

    def check(self, mean: Readable, b: Readable, report: Optional[Report] = None) -> Report:
        """Fills a report with how every slice stands to its rows; changes nothing else."""
        mean, b = given("mean", mean), given("b", b)
        report = report or self.report(self.slices_of(mean))
        with report.exclusive:
            check(
                lib.pcml_projector_check(
                    self.pointer,
                    self._workspace("pcml_projector_workspace", mean),
                    describe("mean", mean),
                    describe("b", b),
                    report.pointer,
                )
            )
        return report

    def budget(self, previous: Readable, rates: Readable, dt: float, out: Optional[Writable] = None) -> NDArray:
        """Right-hand sides of a balance, b = G u + dt sum_j rates_j, [slices, rows]: what the rows hold of an earlier state, plus what has
        come in since. rates: [slices, rows, terms] or [slices, rows], what each row gains per unit of time."""
        previous, rates = given("previous", previous), given("rates", rates)
        target = np.empty((self.slices_of(previous), self.rows)) if out is None else writable("out", out)
        check(
            lib.pcml_projector_budget(
                self.pointer,
                self._workspace("pcml_projector_workspace", previous),
                describe("previous", previous),
                describe("rates", rates),
                dt,
                describe("out", target),
            )
        )
        return target

    def covariance(self, variance: Optional[Readable] = None, out: Optional[Writable] = None) -> NDArray:
        """The whole posterior covariance of one slice, [cells, cells]. For inspection; a projection never needs it."""
        variance = given_or_none("variance", variance)
        target = np.empty((self.cells, self.cells)) if out is None else writable("out", out)
        check(
            lib.pcml_projector_covariance(
                self.pointer,
                self._scratch.of("pcml_projector_workspace", self, 1),
                describe("variance", variance),
                describe("out", target),
            )
        )
        return target
