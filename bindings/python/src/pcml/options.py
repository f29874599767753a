"""Settings of create functions."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .arrays import address, doubles, int32, int64, integers
from .error import InvalidArgumentError, check
from .handle import Handle, Pointer, create
from .library import lib

_LISTS = {"shape": integers, "length_scales": doubles, "means": doubles}
_REALS = ("dropout", "smoothing", "signal_variance", "noise_variance", "fit_range")
_INT32 = ("transforms", "held_cells", "held_faces", "fitted")


def options(**settings: Any) -> Pointer:
    """The settings that are not None; those of a flag are 0 or 1."""
    made = create(lib.pcml_options_create, lib.pcml_options_free)
    for name, value in settings.items():
        if value is None:
            continue
        setter = getattr(lib, f"pcml_options_set_{name}")
        if name in _LISTS:
            values = np.atleast_1d(_LISTS[name](name, value))
            if values.ndim != 1:
                raise InvalidArgumentError(f"{name} has {values.ndim} axes, expected a list")
            check(setter(made, len(values), address(values)))
        elif isinstance(value, Handle):
            check(setter(made, value.pointer))
        elif name in _REALS:
            check(setter(made, ctypes.c_double(value)))
        else:
            check(setter(made, int32(name, value) if name in _INT32 else int64(name, value)))
    return made
