"""Arrays as the library sees them: described where they lie, never copied.

An array is a numpy array, or anything on the CPU with `__dlpack__` (PyTorch, JAX), of float32 or float64, with any strides.
"""

from __future__ import annotations

import ctypes
import operator
import struct
import sys
from collections.abc import Sequence
from typing import Any, Callable, Optional, Protocol, Union, cast

import numpy as np
import numpy.typing as npt

from ._c import MAX_RANK, Dtype
from .error import DtypeError, InvalidArgumentError, ShapeError, StrideError


class SupportsDLPack(Protocol):
    """An array of another library."""

    def __dlpack__(self, *, stream: Any = ...) -> Any: ...


NDArray = npt.NDArray[np.floating[Any]]
#: What a call writes.
Writable = Union[NDArray, SupportsDLPack]
#: What a call reads: numbers and lists of numbers too, as float64.
Readable = Union[NDArray, SupportsDLPack, float, Sequence[Any]]


def _protocol_address(array: npt.NDArray[Any]) -> int:
    place: int = array.__array_interface__["data"][0]
    return place


def _field_address(array: npt.NDArray[Any]) -> int:
    return _place(id(array) + _HEAD).value


def _fields_are_known() -> bool:
    """Whether an array object begins as numpy's C headers have it: the object's head, then the address of the data."""
    if sys.implementation.name != "cpython":
        return False
    samples: list[npt.NDArray[Any]] = [np.zeros(5), np.zeros((4, 6), np.float32)[1::2, ::-2]]
    return all(_field_address(array) == _protocol_address(array) for array in samples)


_place = ctypes.c_uint64.from_address
_HEAD = object.__basicsize__
#: Where the first element lies. Array objects have their address in a field, which is ten times as quick as the protocol.
address: Callable[[npt.NDArray[Any]], int] = _field_address if _fields_are_known() else _protocol_address

#: pcml_array and pcml_const_array: struct_size, data, and what does not depend on the place.
_descriptor = struct.Struct("qQ136s")
_layout = struct.Struct(f"ii{MAX_RANK}q{MAX_RANK}q")
_layouts: dict[Any, bytes] = {}
#: A program that makes ever new shapes does not grow for it.
_MOST_LAYOUTS = 4096

_DTYPES = {np.dtype(np.float32): Dtype.F32, np.dtype(np.float64): Dtype.F64}


def describe(name: str, array: Optional[NDArray]) -> Optional[bytes]:
    """The descriptor of an array; the caller keeps the array until the call is over."""
    if array is None:
        return None
    key = (array.dtype, array.shape, array.strides)
    layout = _layouts.get(key)
    if layout is None:
        layout = _new_layout(name, *key)
    return _descriptor.pack(152, address(array), layout)


def describe_all(name: str, arrays: Sequence[NDArray]) -> Optional[bytes]:
    """Descriptors one after the other; None for no array."""
    return b"".join(describe(f"{name}[{i}]", array) or b"" for i, array in enumerate(arrays)) or None


def _new_layout(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    if dtype not in _DTYPES:
        raise DtypeError(f"{name} has dtype {dtype}, expected float32 or float64 in the machine's byte order")
    if len(shape) > MAX_RANK:
        raise ShapeError(f"{name} has {len(shape)} axes, expected at most {MAX_RANK}")
    if any(stride % dtype.itemsize for stride in strides):
        raise StrideError(f"{name} has strides of {strides} bytes, expected multiples of {dtype.itemsize}")
    rank = max(len(shape), 1)
    extents = [*shape, *[1] * (MAX_RANK - len(shape))]
    steps = [*(stride // dtype.itemsize for stride in strides), *[1] * (MAX_RANK - len(shape))]
    if len(_layouts) >= _MOST_LAYOUTS:
        _layouts.clear()
    layout = _layouts[dtype, shape, strides] = _layout.pack(_DTYPES[dtype], rank, *extents, *steps)
    return layout


def given(name: str, value: Readable) -> NDArray:
    """What a call reads, as a numpy array over the same memory."""
    return value if type(value) is np.ndarray else _view(name, value, numbers=True)


def given_or_none(name: str, value: Optional[Readable]) -> Optional[NDArray]:
    """As given, where None is no array."""
    return None if value is None else given(name, value)


def given_all(name: str, values: Sequence[Readable]) -> list[NDArray]:
    """As given, one by one."""
    return [given(f"{name}[{i}]", value) for i, value in enumerate(values)]


def writable(name: str, value: Writable) -> NDArray:
    """What a call writes, as a numpy array over the same memory."""
    array = value if type(value) is np.ndarray else _view(name, value, numbers=False)
    if not array.flags.writeable:
        raise InvalidArgumentError(f"{name} is read-only, expected an array to write to")
    return array


def writable_or_none(name: str, value: Optional[Writable]) -> Optional[NDArray]:
    """As writable, where None is no array."""
    return None if value is None else writable(name, value)


def _view(name: str, value: Any, numbers: bool) -> NDArray:
    if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
        return np.asarray(value)
    if numbers and isinstance(value, (int, float, list, tuple)):
        return np.asarray(value, np.float64)
    if not hasattr(value, "__dlpack__") or isinstance(value, np.ma.MaskedArray):
        raise DtypeError(f"{name} is a {type(value).__name__}, expected a numpy array or one with __dlpack__")
    try:
        return cast(NDArray, np.from_dlpack(value))
    except (BufferError, RuntimeError, TypeError, ValueError) as e:
        raise DtypeError(f"{name}: {str(e).splitlines()[0] if str(e) else type(e).__name__}") from e


def dtype_of(value: npt.DTypeLike) -> Dtype:
    """The library's number of a numpy dtype; Dtype.F64 is one as well."""
    if isinstance(value, Dtype):
        return value
    try:
        return _DTYPES[np.dtype(value)]
    except (KeyError, TypeError):
        raise DtypeError(f"dtype is {value!r}, expected float32 or float64") from None


def _integer(name: str, value: int) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected an integer or one of pcml's enumerations") from None


def int64(name: str, value: int) -> int:
    """An integer that fits; ctypes would cut it."""
    value = _integer(name, value)
    if not -(2**63) <= value < 2**63:
        raise InvalidArgumentError(f"{name} is {value}, beyond 64 bits")
    return value


def int32(name: str, value: int) -> int:
    """An integer, or one of the library's enumerations, that fits; ctypes would cut it."""
    value = _integer(name, value)
    if not -(2**31) <= value < 2**31:
        raise InvalidArgumentError(f"{name} is {value}, beyond 32 bits")
    return value


def integers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Lists of cells, faces and places, which set-up calls copy anyway: int64 in C order."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{name} has dtype {array.dtype}, expected integers")
    if array.dtype.kind == "u" and array.size and array.max() >= 2**63:
        raise InvalidArgumentError(f"{name} has {array.max()}, beyond 64 bits")
    return np.ascontiguousarray(array, np.int64)


def doubles(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Coefficients, which set-up calls copy anyway: float64 in C order."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise DtypeError(f"{name} has dtype {array.dtype}, expected numbers")
    return np.ascontiguousarray(array, np.float64)
