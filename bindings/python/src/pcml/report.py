"""What a projection did."""

from __future__ import annotations

import contextlib
import ctypes
from typing import ContextManager, Optional

import numpy as np
import numpy.typing as npt

from ._c import ReportItem
from .arrays import int32, int64
from .error import check
from .handle import Exclusive, Handle, Pointer, expect
from .library import lib

_OF_A_ROW = (
    ReportItem.RESIDUAL_BEFORE,
    ReportItem.RESIDUAL_AFTER,
    ReportItem.TOLERANCE,
    ReportItem.MULTIPLIER,
    ReportItem.DROPPED,
)


_UNSHARED = contextlib.nullcontext()


class Report(Handle):
    """What the last successful projection did that was given this report, slice by slice. One a thread."""

    def __init__(self, pointer: Pointer, rows: int) -> None:
        """Made by `Projector.report`."""
        super().__init__(pointer)
        self._rows = rows
        self.exclusive = Exclusive("Report")

    @property
    def slices(self) -> int:
        """How many slices the projection had; 0 before the first."""
        found = ctypes.c_int64()
        with self.exclusive:
            check(lib.pcml_report_slices(self.pointer, ctypes.byref(found)))
        return found.value

    def value(self, item: ReportItem, slice: int = 0, row: int = 0) -> float:
        """One value; the row matters for items of a row alone."""
        found = ctypes.c_double()
        numbers = int32("item", item), int64("slice", slice), int64("row", row)
        with self.exclusive:
            check(lib.pcml_report_value(self.pointer, *numbers, ctypes.byref(found)))
        return found.value

    def values(self, item: ReportItem) -> npt.NDArray[np.float64]:
        """An item of all slices, [slices]; of a row [slices, rows], invariants after the linear rows."""
        slices = range(self.slices)
        if item in _OF_A_ROW:
            return np.array([[self.value(item, slice, row) for row in range(self._rows)] for slice in slices])
        return np.array([self.value(item, slice) for slice in slices])


def filled(report: Optional[Report]) -> tuple[Optional[Pointer], ContextManager[None]]:
    """The argument for a call that fills a report, and the lock to hold meanwhile."""
    if report is not None:
        expect(Report, "report", report, "Projector.report")
    return (None, _UNSHARED) if report is None else (report.pointer, report.exclusive)
