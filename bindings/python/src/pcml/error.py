"""One exception a status of the library; each is the Python exception of that meaning too."""

from __future__ import annotations

import ctypes
from typing import ClassVar

from ._c import Status
from .library import lib

__all__ = [
    "ContradictionError",
    "ConvertError",
    "DtypeError",
    "Error",
    "FileDescriptionError",
    "FileError",
    "FileFormatError",
    "FileVersionError",
    "HandleError",
    "InfeasibleError",
    "InvalidArgumentError",
    "MismatchError",
    "NoiseError",
    "NonFiniteError",
    "NotConvergedError",
    "NotSortedError",
    "NullArgumentError",
    "OutOfMemoryError",
    "PanicError",
    "ReductionError",
    "SelfTestError",
    "ShapeError",
    "SingularError",
    "StateError",
    "StrideError",
    "TooLargeError",
    "VarianceError",
    "WeightsError",
]


class ConvertError(ValueError):
    """A model that can't be converted; the message names the culprit."""


class Error(Exception):
    """A call that failed; arrays and objects are as they were. The message names the function, the culprit and what was expected."""

    status: ClassVar[Status]


class NullArgumentError(Error, TypeError):
    """An argument that the call needs is None."""

    status = Status.NULL_ARGUMENT


class InvalidArgumentError(Error, ValueError):
    """A value outside its range, or an output that is read-only."""

    status = Status.INVALID_ARGUMENT


class ShapeError(Error, ValueError):
    """A wrong rank or extent."""

    status = Status.SHAPE


class StrideError(Error, ValueError):
    """Strides, alignment or overlap that make the access impossible or ambiguous."""

    status = Status.STRIDE


class DtypeError(Error, TypeError):
    """A dtype other than float32 and float64 in the machine's byte order."""

    status = Status.DTYPE


class NonFiniteError(Error, ValueError):
    """NaN or infinity, in an input or as a result."""

    status = Status.NON_FINITE


class NotSortedError(Error, ValueError):
    """Quadrature points that do not increase."""

    status = Status.NOT_SORTED


class VarianceError(Error, ValueError):
    """A negative variance, or zero where that was not allowed."""

    status = Status.VARIANCE


class NoiseError(Error, ValueError):
    """A negative noise variance."""

    status = Status.NOISE


class SingularError(Error, ArithmeticError):
    """A row that no cell can move, or a singular matrix."""

    status = Status.SINGULAR


class NotConvergedError(Error, ArithmeticError):
    """A row that could not be made to hold."""

    status = Status.NOT_CONVERGED


class FileError(Error, OSError):
    """A file that can't be read."""

    status = Status.IO


class FileFormatError(Error, ValueError):
    """No model file, or a damaged one."""

    status = Status.FILE_FORMAT


class FileVersionError(Error, ValueError):
    """A format version that the library does not read."""

    status = Status.FILE_VERSION


class FileDescriptionError(Error, ValueError):
    """A description that is incomplete, contradictory or has an unknown field."""

    status = Status.FILE_DESCRIPTION


class WeightsError(Error, ValueError):
    """A weight that is missing, unread, misshapen or not finite."""

    status = Status.WEIGHTS


class SelfTestError(Error, ValueError):
    """A model that does not reproduce the outputs stored with it."""

    status = Status.SELF_TEST


class TooLargeError(Error, ValueError):
    """A size beyond what the library or the address space allows."""

    status = Status.TOO_LARGE


class OutOfMemoryError(Error, MemoryError):
    """Memory that could not be allocated."""

    status = Status.OUT_OF_MEMORY


class MismatchError(Error, ValueError):
    """Objects that do not belong together."""

    status = Status.MISMATCH


class HandleError(Error, ValueError):
    """An object that was closed, or is in use by another thread."""

    status = Status.HANDLE


class StateError(Error, RuntimeError):
    """An ability that the model has not, or a call before the one that prepares it."""

    status = Status.STATE


class PanicError(Error, RuntimeError):
    """A defect in the library. The objects of the call should be closed, not used."""

    status = Status.PANIC


class ReductionError(Error, RuntimeError):
    """A sum over the parts that failed; its own exception is the cause."""

    status = Status.REDUCTION


class InfeasibleError(Error, ValueError):
    """No state within the bounds obeys the rows."""

    status = Status.INFEASIBLE


class ContradictionError(Error, ValueError):
    """A row that contradicts other rows."""

    status = Status.CONTRADICTION


_CLASSES = {kind.status: kind for kind in Error.__subclasses__()}


def check(status: int) -> None:
    """Raises what a call returned, unless it is 0."""
    if status:
        length = ctypes.c_int64()
        lib.pcml_error_message(None, 0, ctypes.byref(length))
        text = ctypes.create_string_buffer(length.value + 1)
        lib.pcml_error_message(text, len(text), None)
        raise _CLASSES[Status(status)](text.value.decode(errors="replace"))
