"""Sums whose bits depend on no order and no partition, and the host's sum over parts."""

from __future__ import annotations

import ctypes
from typing import Callable, Optional

import numpy as np
import numpy.typing as npt

from ._c import SUM_BINS, Sum
from .arrays import Readable, address, describe, given, given_or_none, integers
from .error import MismatchError, ReductionError, check
from .handle import Exclusive, Handle, create
from .library import lib


class Reduction(Handle):
    """The host's sum over all parts of a field, which may lie in several processes. One thread at a time.

    add: gets the integers of this part, an int64 array, and replaces them by their sums over all parts; with mpi4py
    `lambda values: comm.Allreduce(MPI.IN_PLACE, values)`. None: this part is all. What it raises is the cause of a ReductionError.
    """

    def __init__(self, add: Optional[Callable[[npt.NDArray[np.int64]], object]] = None) -> None:
        self.exclusive = Exclusive("Reduction")
        self._raised: Optional[BaseException] = None

        def total(_: Optional[int], values: int, count: int) -> int:
            try:
                if add is not None:
                    # A copy, as the host may keep the array.
                    own = np.ctypeslib.as_array((ctypes.c_int64 * count).from_address(values))
                    added = own.copy()
                    add(added)
                    own[:] = added
            except BaseException as e:
                self._raised = e
                return 1
            return 0

        # The library calls it as long as the object lives.
        self._function = Sum(total)
        super().__init__(
            create(lib.pcml_reduction_create, lib.pcml_reduction_free, self._function, None)
        )

    def check(self, status: int) -> None:
        """Raises what a call with this reduction returned, with what the host raised as its cause."""
        raised, self._raised = self._raised, None
        try:
            check(status)
        except ReductionError as e:
            raise e from raised


def sum(array: Readable, second: Optional[Readable] = None, reduction: Optional[Reduction] = None) -> float:
    """The sum of an array's values, or of the products with as many values of `second`, over all parts: exact, then rounded once."""
    array, second, found = given("array", array), given_or_none("second", second), ctypes.c_double()
    descriptors = describe("array", array), describe("second", second)
    if reduction is None:
        check(lib.pcml_sum(*descriptors, None, ctypes.byref(found)))
    else:
        with reduction.exclusive:
            reduction.check(lib.pcml_sum(*descriptors, reduction.pointer, ctypes.byref(found)))
    return found.value


def sum_bins(array: Readable, second: Optional[Readable] = None) -> npt.NDArray[np.int64]:
    """The exact sum of this part as SUM_BINS integers; those of parts are added as integers, in any order."""
    array, second, bins = given("array", array), given_or_none("second", second), np.empty(SUM_BINS, np.int64)
    check(lib.pcml_sum_bins(describe("array", array), describe("second", second), address(bins)))
    return bins


def sum_round(bins: npt.ArrayLike) -> float:
    """The double nearest to the sum that the integers hold."""
    values, found = integers("bins", bins), ctypes.c_double()
    if values.size != SUM_BINS:
        raise MismatchError(f"bins has {values.size} values, expected {SUM_BINS}")
    check(lib.pcml_sum_round(address(values), ctypes.byref(found)))
    return found.value


def log_density(truth: Readable, mean: Readable, variance: Readable) -> float:
    """Mean over the cells of log N(truth; mean, variance): how probable a truth is under marginals, in nats a cell."""
    truth, mean, variance = given("truth", truth), given("mean", mean), given("variance", variance)
    found = ctypes.c_double()
    check(
        lib.pcml_log_density(
            describe("truth", truth), describe("mean", mean), describe("variance", variance), ctypes.byref(found)
        )
    )
    return found.value
