"""Projections onto quadratic invariants together with linear rows."""

from __future__ import annotations

from typing import Optional

import numpy as np

from .arrays import NDArray, Readable, Writable, describe, given, given_or_none, writable
from .error import check
from .library import lib
from .report import Report, filled
from .slices import Slices


class Nonlinear(Slices):
    """What a projector of constraints with invariants does. `levels`: [slices, invariants], [slices] for one invariant, in the unit of weight
    times field squared. `b` is None where there are no linear rows."""

    def project_nonlinear(
        self,
        mean: Readable,
        levels: Readable,
        b: Optional[Readable] = None,
        variance: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        report: Optional[Report] = None,
    ) -> NDArray:
        """Makes every slice obey all rows and all invariants: the nearest such state in the metric. The report's rows are the linear ones,
        then the invariants."""
        mean, levels = given("mean", mean), given("levels", levels)
        b, variance = given_or_none("b", b), given_or_none("variance", variance)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        pointer, lock = filled(report)
        with lock:
            check(
                lib.pcml_nonlinear_project(
                    self.pointer,
                    self._workspace("pcml_nonlinear_workspace", mean),
                    describe("mean", mean),
                    describe("variance", variance),
                    describe("b", b),
                    describe("levels", levels),
                    describe("out", target),
                    pointer,
                )
            )
        return target

    def check_nonlinear(
        self, mean: Readable, levels: Readable, b: Optional[Readable] = None, report: Optional[Report] = None
    ) -> Report:
        """Fills a report with how every slice stands to its rows and invariants; changes nothing else."""
        mean, levels, b = given("mean", mean), given("levels", levels), given_or_none("b", b)
        report = report or self.report(self.slices_of(mean))
        with report.exclusive:
            check(
                lib.pcml_nonlinear_check(
                    self.pointer,
                    self._workspace("pcml_nonlinear_workspace", mean),
                    describe("mean", mean),
                    describe("b", b),
                    describe("levels", levels),
                    report.pointer,
                )
            )
        return report

    def jvp_nonlinear(
        self,
        mean: Readable,
        levels: Readable,
        b: Optional[Readable] = None,
        variance: Optional[Readable] = None,
        *,
        tangent_mean: Optional[Readable] = None,
        tangent_variance: Optional[Readable] = None,
        tangent_b: Optional[Readable] = None,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """The derivative of `project_nonlinear` of one slice in a direction. tangent_b: one value a row, then one an invariant."""
        mean, levels = given("mean", mean), given("levels", levels)
        b, variance = given_or_none("b", b), given_or_none("variance", variance)
        of_mean, of_variance = given_or_none("tangent_mean", tangent_mean), given_or_none("tangent_variance", tangent_variance)
        of_b = given_or_none("tangent_b", tangent_b)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        check(
            lib.pcml_nonlinear_jvp(
                self.pointer,
                self._workspace("pcml_nonlinear_workspace", mean),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("levels", levels),
                describe("tangent_mean", of_mean),
                describe("tangent_variance", of_variance),
                describe("tangent_b", of_b),
                describe("out", target),
            )
        )
        return target

    def vjp_nonlinear(
        self,
        mean: Readable,
        levels: Readable,
        cotangent: Readable,
        b: Optional[Readable] = None,
        variance: Optional[Readable] = None,
        *,
        gradient_mean: Optional[Writable] = None,
        gradient_variance: Optional[Writable] = None,
        gradient_b: Optional[Writable] = None,
    ) -> tuple[Optional[NDArray], Optional[NDArray], Optional[NDArray]]:
        """The transpose of `jvp_nonlinear`. The last gradient has one value a row, then one an invariant, for its level."""
        mean, levels, cotangent = given("mean", mean), given("levels", levels), given("cotangent", cotangent)
        b, variance = given_or_none("b", b), given_or_none("variance", variance)
        of_mean, of_variance, of_b = self._gradients(
            mean, variance, self.rows + self.invariants, (gradient_mean, gradient_variance, gradient_b)
        )
        check(
            lib.pcml_nonlinear_vjp(
                self.pointer,
                self._workspace("pcml_nonlinear_workspace", mean),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("levels", levels),
                describe("cotangent", cotangent),
                describe("gradient_mean", of_mean),
                describe("gradient_variance", of_variance),
                describe("gradient_b", of_b),
            )
        )
        return of_mean, of_variance, of_b
