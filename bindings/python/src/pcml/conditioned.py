"""Predictions at points: neural and Gaussian processes and DeepONets."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Optional

import numpy as np

from .arrays import NDArray, Readable, Writable, describe, given, given_or_none, writable
from .error import check
from .handle import Handle, create
from .library import lib

if TYPE_CHECKING:
    from .plan import Plan


class Conditioned(Handle):
    """A plan conditioned on the points or sensor values of one or more functions; made by `Plan.condition`. One thread at a time.

    Arrays are [functions, points, channels], raw units; an axis of extent 1 may be left out.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(create(lib.pcml_plan_workspace, lib.pcml_workspace_free, plan.pointer))
        self._plan = plan
        self._functions = 1

    def condition(
        self, context_x: Optional[Readable], context_y: Readable, noise: Optional[Readable] = None
    ) -> Conditioned:
        """Takes other points, in the same memory; what `Plan.condition` does in new memory. Returns itself.

        context_x: coordinates; None for a DeepONet, whose model knows its sensors. context_y: values there.
        noise: Gaussian processes, [points] or [functions, points], variances of the values beside the model's.
        """
        x, y, variances = given_or_none("context_x", context_x), given("context_y", context_y), given_or_none("noise", noise)
        arguments = self._plan.pointer, self.pointer, describe("context_x", x), describe("context_y", y)
        if variances is None:
            check(lib.pcml_plan_condition(*arguments))
        else:
            check(lib.pcml_plan_condition_noisy(*arguments, describe("noise", variances)))
        first = x
        if first is None:
            # Of a function with one channel the last axis may be missing instead of the first.
            channels = len(self._plan.description["deeponet"]["functions"])
            first = y[..., np.newaxis] if channels == 1 and y.shape[-1] != 1 else y
        self._functions = first.shape[0] if first.ndim == 3 else 1
        return self

    def query(
        self,
        target_x: Readable,
        eps: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        out_variance: Optional[Writable] = None,
    ) -> tuple[NDArray, NDArray]:
        """Mean and variance at target points: [targets, inputs] for all functions, or [functions, targets, inputs].

        eps: standard normal draws [latents, functions, hidden] or [latents, hidden] instead of the seeded ones.
        """
        target, draws = given("target_x", target_x), given_or_none("eps", eps)
        mean = self._points(target) if out is None else writable("out", out)
        variance = self._points(target) if out_variance is None else writable("out_variance", out_variance)
        check(
            lib.pcml_plan_query(
                self._plan.pointer,
                self.pointer,
                describe("target_x", target),
                describe("eps", draws),
                describe("out", mean),
                describe("out_variance", variance),
            )
        )
        return mean, variance

    def query_mean(
        self, target_x: Readable, eps: Optional[Readable] = None, *, out: Optional[Writable] = None
    ) -> NDArray:
        """The mean alone; all that a single DeepONet has."""
        target, draws = given("target_x", target_x), given_or_none("eps", eps)
        mean = self._points(target) if out is None else writable("out", out)
        check(
            lib.pcml_plan_query(
                self._plan.pointer,
                self.pointer,
                describe("target_x", target),
                describe("eps", draws),
                describe("out", mean),
                None,
            )
        )
        return mean

    def query_factors(
        self,
        target_x: Readable,
        eps: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        out_factors: Optional[Writable] = None,
    ) -> tuple[NDArray, NDArray]:
        """Ensembles: the mean and the mixture's covariance in factors, [functions, 1 + members, targets, outputs], as
        `Plan.predict_factors` has it."""
        target, draws = given("target_x", target_x), given_or_none("eps", eps)
        mean = self._points(target) if out is None else writable("out", out)
        if out_factors is None:
            functions, *rest = self._points(target).shape
            factors = np.empty((functions, 1 + self._plan.members, *rest), target.dtype)
        else:
            factors = writable("out_factors", out_factors)
        check(
            lib.pcml_plan_query_factors(
                self._plan.pointer,
                self.pointer,
                describe("target_x", target),
                describe("eps", draws),
                describe("out", mean),
                describe("out_factors", factors),
            )
        )
        return mean, factors

    def covariance(self, target_x: Readable) -> tuple[NDArray, NDArray]:
        """Gaussian processes: the mean, and the whole posterior covariance [functions, outputs, targets, targets], which with one output a
        projector with Prior.DENSE takes as `variance`."""
        target = given("target_x", target_x)
        mean = self._points(target)
        functions, targets, outputs = mean.shape
        covariance = np.empty((functions, outputs, targets, targets), target.dtype)
        check(
            lib.pcml_plan_covariance(
                self._plan.pointer,
                self.pointer,
                describe("target_x", target),
                describe("mean", mean),
                describe("covariance", covariance),
            )
        )
        return mean, covariance

    @property
    def jitter(self) -> float:
        """Gaussian processes: the variance that conditioning added to the diagonal of kernel matrices; 0: none was needed."""
        found = ctypes.c_double()
        check(lib.pcml_plan_jitter(self._plan.pointer, self.pointer, ctypes.byref(found)))
        return found.value

    def latent(self) -> tuple[NDArray, NDArray]:
        """Neural processes: mean and log variance of the latent density, [functions, hidden], network units."""
        hidden = self._plan.description.get("anp", {}).get("hidden", 1)
        mu, log_variance = np.empty((self._functions, hidden)), np.empty((self._functions, hidden))
        check(
            lib.pcml_plan_latent(
                self._plan.pointer, self.pointer, describe("mu", mu), describe("log_variance", log_variance)
            )
        )
        return mu, log_variance

    def _points(self, target: NDArray) -> NDArray:
        functions = target.shape[0] if target.ndim == 3 else self._functions
        return np.empty((functions, target.shape[-2] if target.ndim > 1 else target.size, self._plan.outputs), target.dtype)
