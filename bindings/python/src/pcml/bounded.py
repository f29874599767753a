"""Projections within bounds, on simplices and along monotone runs."""

from __future__ import annotations

from typing import Optional

import numpy as np

from .arrays import NDArray, Readable, Writable, describe, given, given_or_none, writable
from .error import check
from .library import lib
from .report import Report, filled
from .slices import Slices


class Bounded(Slices):
    """What a projector with Prior.IDENTITY, DIAGONAL or SCALAR does within bounds."""

    def project_bounded(
        self,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        out: Optional[Writable] = None,
        report: Optional[Report] = None,
    ) -> NDArray:
        """As `project`, and every slice stays within its bounds and sets, with tolerance zero: the nearest such state in the metric.

        lower, upper: of the mean's shape or that of one slice, infinite where there is none. InfeasibleError where no state obeys, unless
        `Constraints.set_bounds` says how bounds yield.
        """
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        lower, upper = given_or_none("lower", lower), given_or_none("upper", upper)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        pointer, lock = filled(report)
        with lock:
            check(
                lib.pcml_bounded_project(
                    self.pointer,
                    self._workspace("pcml_bounded_workspace", mean),
                    describe("mean", mean),
                    describe("variance", variance),
                    describe("b", b),
                    describe("lower", lower),
                    describe("upper", upper),
                    describe("out", target),
                    pointer,
                )
            )
        return target

    def check_bounded(
        self,
        mean: Readable,
        b: Readable,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        report: Optional[Report] = None,
    ) -> Report:
        """Fills a report with how every slice stands to its rows, bounds and sets; changes nothing else."""
        mean, b = given("mean", mean), given("b", b)
        lower, upper = given_or_none("lower", lower), given_or_none("upper", upper)
        report = report or self.report(self.slices_of(mean))
        with report.exclusive:
            check(
                lib.pcml_bounded_check(
                    self.pointer,
                    self._workspace("pcml_bounded_workspace", mean),
                    describe("mean", mean),
                    describe("b", b),
                    describe("lower", lower),
                    describe("upper", upper),
                    report.pointer,
                )
            )
        return report

    def jvp_bounded(
        self,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        tangent_mean: Optional[Readable] = None,
        tangent_variance: Optional[Readable] = None,
        tangent_b: Optional[Readable] = None,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """The derivative of `project_bounded` of one slice in a direction; bounds are constants. None is a tangent of 0."""
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        lower, upper = given_or_none("lower", lower), given_or_none("upper", upper)
        of_mean, of_variance = given_or_none("tangent_mean", tangent_mean), given_or_none("tangent_variance", tangent_variance)
        of_b = given_or_none("tangent_b", tangent_b)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        check(
            lib.pcml_bounded_jvp(
                self.pointer,
                self._workspace("pcml_bounded_workspace", mean),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("lower", lower),
                describe("upper", upper),
                describe("tangent_mean", of_mean),
                describe("tangent_variance", of_variance),
                describe("tangent_b", of_b),
                describe("out", target),
            )
        )
        return target

    def vjp_bounded(
        self,
        mean: Readable,
        b: Readable,
        cotangent: Readable,
        variance: Optional[Readable] = None,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        gradient_mean: Optional[Writable] = None,
        gradient_variance: Optional[Writable] = None,
        gradient_b: Optional[Writable] = None,
    ) -> tuple[Optional[NDArray], Optional[NDArray], Optional[NDArray]]:
        """The transpose of `jvp_bounded`; takes and returns what `vjp` does, with the bounds."""
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        lower, upper, cotangent = given_or_none("lower", lower), given_or_none("upper", upper), given("cotangent", cotangent)
        of_mean, of_variance, of_b = self._gradients(
            mean, variance, self.rows, (gradient_mean, gradient_variance, gradient_b)
        )
        check(
            lib.pcml_bounded_vjp(
                self.pointer,
                self._workspace("pcml_bounded_workspace", mean),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("lower", lower),
                describe("upper", upper),
                describe("cotangent", cotangent),
                describe("gradient_mean", of_mean),
                describe("gradient_variance", of_variance),
                describe("gradient_b", of_b),
            )
        )
        return of_mean, of_variance, of_b
