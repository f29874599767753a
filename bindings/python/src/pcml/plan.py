"""Models bound to sizes, ready to predict."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt

from ._c import Dtype, Transforms
from .arrays import (
    NDArray,
    Readable,
    Writable,
    describe,
    describe_all,
    dtype_of,
    given,
    given_all,
    given_or_none,
    writable,
    writable_or_none,
)
from .boundary import Boundary
from .conditioned import Conditioned
from .error import MismatchError, check
from .handle import Handle, Scratch, create, expect
from .library import lib
from .model import Model
from .options import options
from .projector import Projector
from .report import Report, filled


class Plan(Handle):
    """A model bound to sizes, arithmetic and sampling. Immutable: to be shared by threads, each of which has a workspace of its own, made when it
    first needs it. The model may be closed before it.

    Arrays are float32 or float64 with any strides, in raw units, channels last. Results are new arrays of the input's dtype, or written to
    `out`, which may be the input; only on success.
    """

    def __init__(
        self,
        model: Model,
        dtype: npt.DTypeLike = np.float64,
        *,
        batch: int = 1,
        context: Optional[int] = None,
        targets: Optional[int] = None,
        covariance: Optional[int] = None,
        latents: Optional[int] = None,
        seed: Optional[int] = None,
        dropout: Optional[float] = None,
        shape: Optional[Sequence[int]] = None,
        steps: int = 1,
        threads: Optional[int] = None,
        transforms: Optional[Transforms] = None,
        boundary: Optional[Boundary] = None,
    ) -> None:
        """dtype: in which the network is evaluated; arrays may have either.

        batch: most functions in one call, of perceptrons most rows. context, targets: most points of a function (processes, DeepONets).
        covariance: most targets of `query_covariance`. latents: draws of a mixture, or of dropout. seed: of the draws. dropout: the rate kept
        on while predicting. shape: the grid's extents. steps: of a roll-out. threads: of a call. transforms: how fields go to modes.
        boundary: conditions instead of the model's own, on the same faces and of the same kinds.
        """
        expect(Model, "model", model, "Model.load")
        settings = options(
            batch=batch,
            context=context,
            targets=targets,
            covariance=covariance,
            latents=latents,
            seed=seed,
            dropout=dropout,
            shape=shape,
            steps=steps,
            threads=threads,
            transforms=transforms,
            boundary=boundary,
        )
        super().__init__(create(lib.pcml_plan_create, lib.pcml_plan_free, model.pointer, dtype_of(dtype), settings))
        self.description = model.description
        self.batch, self.steps = batch, steps
        self.shape = tuple(shape or ())
        self.outputs = len(model.description["outputs"])
        self._scratch = Scratch()

    @property
    def members(self) -> int:
        """Members of an ensemble, or draws of dropout; 0 for a single model."""
        found = ctypes.c_int64()
        check(lib.pcml_plan_members(self.pointer, ctypes.byref(found)))
        return found.value

    @property
    def regularised(self) -> int:
        """Kernel matrices of boundary corrections that were singular or nearly so, and were regularised."""
        found = ctypes.c_int64()
        check(lib.pcml_plan_regularised(self.pointer, ctypes.byref(found)))
        return found.value

    def condition(
        self, context_x: Optional[Readable] = None, context_y: Optional[Readable] = None, noise: Optional[Readable] = None
    ) -> Conditioned:
        """Processes and DeepONets: what predicts at points, as `Conditioned.condition` states. Without arguments a Gaussian process is
        conditioned on the points that its model stores."""
        conditioned = Conditioned(self)
        return conditioned if context_y is None else conditioned.condition(context_x, context_y, noise)

    def predict(self, input: Readable, values: Sequence[Readable] = (), *, out: Optional[Writable] = None) -> NDArray:
        """Predicts fields from fields [functions, n_1, .., n_d, inputs], of perceptrons rows [.., inputs]. An ensemble gives its mean.

        values: for models with boundary conditions an array for each Dirichlet and Neumann face, [functions, (steps,) the grid without the
        face's axis, outputs]; strides of 0 (numpy.broadcast_to) repeat a value.
        Returns [functions, (steps,) n_1, .., n_d, outputs]; steps are an axis where there are several.
        """
        input, arrays = given("input", input), given_all("values", values)
        target = self._field(input) if out is None else writable("out", out)
        check(
            lib.pcml_plan_predict(
                self.pointer,
                self._scratch.of("pcml_plan_workspace", self),
                describe("input", input),
                describe_all("values", arrays),
                len(arrays),
                describe("out", target),
            )
        )
        return target

    def predict_fields(
        self, inputs: Sequence[Readable], out: Sequence[Writable], values: Sequence[Readable] = ()
    ) -> Sequence[Writable]:
        """Predicts as `predict` from and to several fields whose channels follow one another, each [.., channels] or [..] for a single
        channel; they are read and written where they lie. Returns out."""
        fields, arrays = given_all("inputs", inputs), given_all("values", values)
        targets = [writable(f"out[{i}]", target) for i, target in enumerate(out)]
        check(
            lib.pcml_plan_predict_fields(
                self.pointer,
                self._scratch.of("pcml_plan_workspace", self),
                describe_all("inputs", fields),
                len(fields),
                describe_all("values", arrays),
                len(arrays),
                describe_all("out", targets),
                len(targets),
            )
        )
        return out

    def predict_moments(
        self,
        input: Readable,
        values: Sequence[Readable] = (),
        *,
        out: Optional[Writable] = None,
        out_variance: Optional[Writable] = None,
    ) -> tuple[NDArray, NDArray]:
        """Mean and variance, of perceptrons with a variance head and of ensembles."""
        input, arrays = given("input", input), given_all("values", values)
        mean = self._field(input) if out is None else writable("out", out)
        variance = self._field(input) if out_variance is None else writable("out_variance", out_variance)
        check(
            lib.pcml_plan_predict_moments(
                self.pointer,
                self._scratch.of("pcml_plan_workspace", self),
                describe("input", input),
                describe_all("values", arrays),
                len(arrays),
                describe("out", mean),
                describe("out_variance", variance),
            )
        )
        return mean, variance

    def predict_factors(
        self,
        input: Readable,
        values: Sequence[Readable] = (),
        *,
        out: Optional[Writable] = None,
        out_factors: Optional[Writable] = None,
    ) -> tuple[NDArray, NDArray]:
        """Ensembles: the mean and the mixture's covariance in factors, [functions, 1 + members, cells], which a projector with
        Prior.LOW_RANK, prior_size=members and held_cells takes as `variance`, functions as slices."""
        input, arrays = given("input", input), given_all("values", values)
        mean = self._field(input) if out is None else writable("out", out)
        if out_factors is None:
            functions = int(np.prod(self._lead(input)))
            factors = np.empty((functions, 1 + self.members, mean.size // max(functions, 1)), input.dtype)
        else:
            factors = writable("out_factors", out_factors)
        check(
            lib.pcml_plan_predict_factors(
                self.pointer,
                self._scratch.of("pcml_plan_workspace", self),
                describe("input", input),
                describe_all("values", arrays),
                len(arrays),
                describe("out", mean),
                describe("out_factors", factors),
            )
        )
        return mean, factors

    def predict_lawful(
        self,
        projector: Projector,
        input: Readable,
        b: Readable,
        values: Sequence[Readable] = (),
        variance: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        out_variance: Optional[Writable] = None,
        report: Optional[Report] = None,
    ) -> NDArray:
        """Predicts as `predict` and makes it lawful as `Projector.project`, in one call; each function is a slice, whose cells are the values
        (steps,) n_1, .., n_d, outputs in C order."""
        expect(Projector, "projector", projector)
        input, b, variance = given("input", input), given("b", b), given_or_none("variance", variance)
        arrays = given_all("values", values)
        target = self._field(input) if out is None else writable("out", out)
        spread = writable_or_none("out_variance", out_variance)
        pointer, lock = filled(report)
        with lock:
            check(
                lib.pcml_plan_predict_lawful(
                    self.pointer,
                    self._scratch.of("pcml_plan_workspace", self),
                    describe("input", input),
                    describe_all("values", arrays),
                    len(arrays),
                    projector.pointer,
                    projector.workspace(target),
                    describe("variance", variance),
                    describe("b", b),
                    describe("out", target),
                    describe("out_variance", spread),
                    pointer,
                )
            )
        return target

    def jvp(
        self,
        input: Readable,
        values: Sequence[Readable] = (),
        *,
        input_tangent: Optional[Readable] = None,
        value_tangents: Sequence[Readable] = (),
        out: Optional[Writable] = None,
    ) -> NDArray:
        """Neural operators: the derivative of `predict` in a direction of input and values. None and () are tangents of 0."""
        input, arrays = given("input", input), given_all("values", values)
        of_input, of_values = given_or_none("input_tangent", input_tangent), given_all("value_tangents", value_tangents)
        if of_values and len(of_values) != len(arrays):
            raise MismatchError(f"value_tangents has {len(of_values)} arrays, expected {len(arrays)}")
        target = self._field(input) if out is None else writable("out", out)
        check(
            lib.pcml_plan_jvp(
                self.pointer,
                self._scratch.of("pcml_plan_derivative_workspace", self),
                describe("input", input),
                describe_all("values", arrays),
                len(arrays),
                describe("input_tangent", of_input),
                describe_all("value_tangents", of_values),
                describe("out", target),
            )
        )
        return target

    def vjp(
        self, input: Readable, cotangent: Readable, values: Sequence[Readable] = ()
    ) -> tuple[NDArray, list[NDArray]]:
        """Neural operators: the transpose of `jvp`, from a cotangent of the output to those of input and values, shaped as they are."""
        input, cotangent = given("input", input), given("cotangent", cotangent)
        arrays = given_all("values", values)
        of_input = np.empty(input.shape, input.dtype)
        of_values = [np.empty(array.shape, array.dtype) for array in arrays]
        check(
            lib.pcml_plan_vjp(
                self.pointer,
                self._scratch.of("pcml_plan_derivative_workspace", self),
                describe("input", input),
                describe_all("values", arrays),
                len(arrays),
                describe("cotangent", cotangent),
                describe("input_cotangent", of_input),
                describe_all("value_cotangents", of_values),
            )
        )
        return of_input, of_values

    def _lead(self, input: NDArray) -> tuple[int, ...]:
        """The axes before a function's own."""
        return input.shape[: max(input.ndim - 1 - len(self.shape), 0)]

    def _field(self, input: NDArray) -> NDArray:
        steps = (self.steps,) if self.steps > 1 else ()
        return np.empty((*self._lead(input), *steps, *self.shape, self.outputs), input.dtype)
