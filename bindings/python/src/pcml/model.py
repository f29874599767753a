"""Trained surrogates."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._c import FitReport, Fitted, Kernel
from .arrays import NDArray, Readable, address, describe, given, given_or_none, int32, int64
from .error import InvalidArgumentError, check
from .handle import Handle, Pointer, create, expect
from .library import lib
from .options import options


class Model(Handle):
    """A trained surrogate: immutable, to be shared by any number of plans and threads. Made by its class methods."""

    def __init__(self, pointer: Pointer) -> None:
        super().__init__(pointer)
        length = ctypes.c_int64()
        check(lib.pcml_model_description(pointer, None, 0, ctypes.byref(length)))
        text = ctypes.create_string_buffer(length.value + 1)
        check(lib.pcml_model_description(pointer, text, len(text), None))
        #: Channels with units and scaling, architecture, domain, laws, provenance, as docs/model-file.md states.
        self.description: dict[str, Any] = json.loads(text.value)

    @classmethod
    def load(cls, path: Union[str, bytes, os.PathLike[Any]]) -> Model:
        """Loads a model file and runs its self-test."""
        name = os.fsencode(path)
        if b"\0" in name:
            raise InvalidArgumentError("path holds a NUL")
        return cls(create(lib.pcml_model_load, lib.pcml_model_free, name))

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview]) -> Model:
        """Loads a model from the bytes of a model file, so that one rank may read and broadcast. The bytes are not kept."""
        values = np.frombuffer(data, np.uint8)
        return cls(create(lib.pcml_model_load_bytes, lib.pcml_model_free, address(values), values.size))

    @classmethod
    def gaussian_process(
        cls,
        kernel: Kernel,
        inputs: int,
        outputs: int = 1,
        *,
        length_scales: npt.ArrayLike,
        signal_variance: Optional[float] = None,
        noise_variance: Optional[float] = None,
        means: Optional[npt.ArrayLike] = None,
    ) -> Model:
        """A Gaussian process without a file, for plans that are conditioned. length_scales: one for all inputs, or one an input."""
        settings = options(
            length_scales=length_scales, signal_variance=signal_variance, noise_variance=noise_variance, means=means
        )
        numbers = int32("kernel", kernel), int64("inputs", inputs), int64("outputs", outputs)
        return cls(create(lib.pcml_model_gaussian_process, lib.pcml_model_free, *numbers, settings))

    @classmethod
    def ensemble(cls, members: Sequence[Model]) -> Model:
        """An ensemble of models of one architecture: its plans predict mean and variance of the members' equal-weight mixture."""
        for i, member in enumerate(members):
            expect(Model, f"members[{i}]", member, "Model.load")
        held = [member.pointer for member in members]
        handles = (ctypes.c_void_p * max(len(held), 1))(*(pointer.value for pointer in held))
        return cls(create(lib.pcml_model_ensemble, lib.pcml_model_free, handles, len(held)))

    def fit(
        self,
        context_x: Readable,
        context_y: Readable,
        noise: Optional[Readable] = None,
        *,
        fitted: Optional[Fitted] = None,
        fit_range: Optional[float] = None,
        restarts: Optional[int] = None,
        seed: Optional[int] = None,
        report: Optional[FitReport] = None,
    ) -> Model:
        """Gaussian processes: a model with the hyperparameters of the greatest marginal likelihood of some points.

        context_x: [functions, points, inputs], context_y: [functions, points, outputs], raw units; functions share the hyperparameters.
        noise: variances of the points' values beside the model's. fitted: what moves. fit_range: the factor within which it stays.
        restarts: searches after the first. report: is filled.
        """
        x, y = given("context_x", context_x), given("context_y", context_y)
        variances = given_or_none("noise", noise)
        settings = options(fitted=fitted, fit_range=fit_range, restarts=restarts, seed=seed)
        if report is None:
            report = FitReport()
        report.struct_size = ctypes.sizeof(report)
        arrays = describe("context_x", x), describe("context_y", y), describe("noise", variances)
        made = create(
            lambda *arguments: lib.pcml_model_fit(*arguments, ctypes.byref(report)),
            lib.pcml_model_free,
            self.pointer,
            *arrays,
            settings,
        )
        return Model(made)

    @property
    def hyperparameters(self) -> NDArray:
        """Gaussian processes: signal variance, noise variance, length scales and means, network units."""
        count = ctypes.c_int64()
        check(lib.pcml_model_hyperparameters(self.pointer, 0, None, ctypes.byref(count)))
        values = np.empty(count.value)
        check(lib.pcml_model_hyperparameters(self.pointer, count, address(values), None))
        return values
