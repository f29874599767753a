"""The shared library: that of PCML_LIBRARY, else the one inside this package, else what the loader finds."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from . import _c

NAME = {"darwin": "libpcml.dylib", "win32": "pcml.dll"}.get(sys.platform, "libpcml.so")
_ABI = _c.VERSION[0] or f"0.{_c.VERSION[1]}"
#: What the loader knows an installed library by.
SONAME = {"darwin": f"libpcml.{_ABI}.dylib", "win32": "pcml.dll"}.get(sys.platform, f"libpcml.so.{_ABI}")


def _load() -> ctypes.CDLL:
    named, inside = os.environ.get("PCML_LIBRARY"), Path(__file__).with_name(NAME)
    place = named or (str(inside) if inside.is_file() else SONAME)
    try:
        library = ctypes.CDLL(place)
    except OSError as e:
        advice = "installing the package puts one inside, PCML_LIBRARY names another"
        raise ImportError(f"cannot load the shared library of pcml: {e} ({advice})") from None
    try:
        _c.declare(library)
    except AttributeError as e:
        raise ImportError(f"{place} is not the library that this package was made for: {e}") from None
    found = [ctypes.c_int32() for _ in range(3)]
    library.pcml_version(*map(ctypes.byref, found))
    # Before 1.0 a minor version may change the interface.
    if tuple(part.value for part in found[:2]) != _c.VERSION[:2]:
        raise ImportError(f"{place} has version {found[0].value}.{found[1].value}, expected {_c.VERSION[0]}.{_c.VERSION[1]}")
    return library


lib = _load()


def version() -> str:
    """The version of the library that is loaded."""
    return str(lib.pcml_version_string().decode())
