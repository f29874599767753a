"""Samples, likelihoods, chosen covariances and derivatives of the posterior of one slice."""

from __future__ import annotations

import ctypes
from typing import Optional

import numpy as np
import numpy.typing as npt

from .arrays import NDArray, Readable, Writable, address, describe, given, given_or_none, int64, integers, writable
from .error import check
from .library import lib
from .slices import Slices


class Inference(Slices):
    """What a projector does with one slice: arrays hold `cells` values, `b` one a row."""

    def sample(
        self,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        count: int = 1,
        seed: int = 0,
        first: int = 0,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """Draws samples of the posterior, [count, cells], every one lawful. Sample k is a function of the seed and of first + k alone."""
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        count = int64("count", count)
        target = np.empty((count, self.cells), mean.dtype) if out is None else writable("out", out)
        room = target.shape[0] if target.ndim > 1 else 1
        check(
            lib.pcml_inference_sample(
                self.pointer,
                self._scratch.of("pcml_inference_workspace", self, room),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                int64("seed", seed),
                int64("first", first),
                describe("out", target),
            )
        )
        return target

    def log_likelihood(self, mean: Readable, b: Readable, variance: Optional[Readable] = None) -> float:
        """log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part."""
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        found = ctypes.c_double()
        check(
            lib.pcml_inference_log_likelihood(
                self.pointer,
                self._scratch.of("pcml_inference_workspace", self, 0),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                ctypes.byref(found),
            )
        )
        return found.value

    def covariance_between(
        self, rows: npt.ArrayLike, columns: npt.ArrayLike, variance: Optional[Readable] = None
    ) -> NDArray:
        """Posterior covariances between the cells of two lists, [rows, columns]. Work grows with the lists, not with the square of the state."""
        rows, columns, variance = integers("rows", rows), integers("columns", columns), given_or_none("variance", variance)
        found = np.empty((rows.size, columns.size))
        check(
            lib.pcml_inference_covariance(
                self.pointer,
                self._scratch.of("pcml_inference_workspace", self, 0),
                describe("variance", variance),
                address(rows),
                rows.size,
                address(columns),
                columns.size,
                describe("found", found),
            )
        )
        return found

    def jvp(
        self,
        mean: Readable,
        b: Readable,
        variance: Optional[Readable] = None,
        *,
        tangent_mean: Optional[Readable] = None,
        tangent_variance: Optional[Readable] = None,
        tangent_b: Optional[Readable] = None,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """The derivative of the posterior mean in a direction. None is a tangent of 0; tangent_variance with Prior.DIAGONAL and SCALAR."""
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        of_mean, of_variance = given_or_none("tangent_mean", tangent_mean), given_or_none("tangent_variance", tangent_variance)
        of_b = given_or_none("tangent_b", tangent_b)
        target = np.empty(mean.shape, mean.dtype) if out is None else writable("out", out)
        check(
            lib.pcml_inference_jvp(
                self.pointer,
                self._scratch.of("pcml_inference_workspace", self, 0),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("tangent_mean", of_mean),
                describe("tangent_variance", of_variance),
                describe("tangent_b", of_b),
                describe("out", target),
            )
        )
        return target

    def vjp(
        self,
        mean: Readable,
        b: Readable,
        cotangent: Readable,
        variance: Optional[Readable] = None,
        *,
        gradient_mean: Optional[Writable] = None,
        gradient_variance: Optional[Writable] = None,
        gradient_b: Optional[Writable] = None,
    ) -> tuple[Optional[NDArray], Optional[NDArray], Optional[NDArray]]:
        """The derivatives of <cotangent, posterior mean> by mean, variance (with Prior.DIAGONAL and SCALAR, else None) and b.

        Written to the arrays that are given and to no other; new ones where none is given.
        """
        mean, b, variance = given("mean", mean), given("b", b), given_or_none("variance", variance)
        cotangent = given("cotangent", cotangent)
        of_mean, of_variance, of_b = self._gradients(
            mean, variance, self.rows, (gradient_mean, gradient_variance, gradient_b)
        )
        check(
            lib.pcml_inference_vjp(
                self.pointer,
                self._scratch.of("pcml_inference_workspace", self, 0),
                describe("mean", mean),
                describe("variance", variance),
                describe("b", b),
                describe("cotangent", cotangent),
                describe("gradient_mean", of_mean),
                describe("gradient_variance", of_variance),
                describe("gradient_b", of_b),
            )
        )
        return of_mean, of_variance, of_b
