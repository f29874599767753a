"""Face fluxes on a mesh that close every cell's balance."""

from __future__ import annotations

import ctypes
from typing import Optional

import numpy as np
import numpy.typing as npt

from ._c import FluxLimits, FluxReport
from .arrays import NDArray, Readable, Writable, address, describe, given, given_or_none, integers, writable
from .error import InvalidArgumentError, MismatchError, check
from .handle import Handle, Scratch, create
from .library import lib
from .options import options


class Flux(Handle):
    """A mesh of owner and neighbour lists. A positive flux goes from owner to neighbour. Immutable: any number of threads may use it at once;
    each has a workspace of its own, made when it first needs it.

    Arrays have one value a face or a cell, any shape and strides, float32 or float64. Sources are in the unit of the fluxes: what leaves the
    cell in all, less what enters; None: 0. Results are new arrays, or written to `out`.
    """

    def __init__(
        self,
        owner: npt.ArrayLike,
        neighbour: npt.ArrayLike,
        volumes: Readable,
        *,
        held_faces: bool = False,
        direct_cells: Optional[int] = None,
    ) -> None:
        """owner, neighbour: the cells of each face, -1 beyond a boundary face. volumes: one a cell, in any unit.

        held_faces: admits a variance of 0, which prescribes that face's flux. direct_cells: meshes of at most so many cells are solved by
        elimination, others by conjugate gradients; None: whichever is faster.
        """
        owners, neighbours, array = integers("owner", owner), integers("neighbour", neighbour), given("volumes", volumes)
        if owners.size != neighbours.size:
            raise MismatchError(f"owner has {owners.size} faces, neighbour {neighbours.size}")
        if not owners.size:
            raise InvalidArgumentError("owner has no faces, expected at least one")
        super().__init__(
            create(
                lib.pcml_flux_create,
                lib.pcml_flux_free,
                owners.size,
                address(owners),
                address(neighbours),
                describe("volumes", array),
                options(held_faces=int(held_faces), direct_cells=direct_cells),
            )
        )
        self.faces, self.cells = owners.size, array.size
        self._scratch = Scratch()

    def correct(
        self,
        fluxes: Readable,
        variance: Optional[Readable] = None,
        source: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
        report: Optional[FluxReport] = None,
    ) -> NDArray:
        """The nearest fluxes F' that close every cell's balance: least sum (F' - F)^2 / variance. Fluxes that obey come back bit for bit."""
        fluxes, variance, source = given("fluxes", fluxes), given_or_none("variance", variance), given_or_none("source", source)
        target = np.empty(fluxes.shape, fluxes.dtype) if out is None else writable("out", out)
        if report is not None:
            report.struct_size = ctypes.sizeof(report)
        check(
            lib.pcml_flux_correct(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                describe("fluxes", fluxes),
                describe("variance", variance),
                describe("source", source),
                describe("out", target),
                None if report is None else ctypes.byref(report),
            )
        )
        return target

    def residual(self, fluxes: Readable, source: Optional[Readable] = None, *, out: Optional[Writable] = None) -> NDArray:
        """How far every cell's balance is from closing: outflow less inflow less source, one value a cell. Checks only."""
        fluxes, source = given("fluxes", fluxes), given_or_none("source", source)
        target = np.empty(self.cells) if out is None else writable("out", out)
        check(
            lib.pcml_flux_residual(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                describe("fluxes", fluxes),
                describe("source", source),
                describe("out", target),
            )
        )
        return target

    def jvp(
        self,
        fluxes: Readable,
        variance: Optional[Readable] = None,
        source: Optional[Readable] = None,
        *,
        tangent_fluxes: Optional[Readable] = None,
        tangent_variance: Optional[Readable] = None,
        tangent_source: Optional[Readable] = None,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """The derivative of `correct` in a direction. None is a tangent of 0."""
        fluxes, variance, source = given("fluxes", fluxes), given_or_none("variance", variance), given_or_none("source", source)
        of_fluxes, of_source = given_or_none("tangent_fluxes", tangent_fluxes), given_or_none("tangent_source", tangent_source)
        of_variance = given_or_none("tangent_variance", tangent_variance)
        target = np.empty(fluxes.shape, fluxes.dtype) if out is None else writable("out", out)
        check(
            lib.pcml_flux_jvp(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                describe("fluxes", fluxes),
                describe("variance", variance),
                describe("source", source),
                describe("tangent_fluxes", of_fluxes),
                describe("tangent_variance", of_variance),
                describe("tangent_source", of_source),
                describe("out", target),
            )
        )
        return target

    def vjp(
        self,
        fluxes: Readable,
        cotangent: Readable,
        variance: Optional[Readable] = None,
        source: Optional[Readable] = None,
    ) -> tuple[NDArray, NDArray, NDArray]:
        """The transpose of `jvp`: the derivatives of <cotangent, F'> by fluxes, variance and source."""
        fluxes, variance, source = given("fluxes", fluxes), given_or_none("variance", variance), given_or_none("source", source)
        cotangent = given("cotangent", cotangent)
        gradients = (
            np.empty(fluxes.shape, fluxes.dtype),
            np.empty(fluxes.shape, fluxes.dtype),
            np.empty(self.cells, fluxes.dtype),
        )
        check(
            lib.pcml_flux_vjp(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                describe("fluxes", fluxes),
                describe("variance", variance),
                describe("source", source),
                describe("cotangent", cotangent),
                describe("gradient_fluxes", gradients[0]),
                describe("gradient_variance", gradients[1]),
                describe("gradient_source", gradients[2]),
            )
        )
        return gradients

    def update(
        self,
        dt: float,
        state: Readable,
        fluxes: Readable,
        source: Optional[Readable] = None,
        *,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """The new value of each cell, u - dt / V (outflow less inflow less source): what leaves a cell enters its neighbour."""
        state, fluxes, source = given("state", state), given("fluxes", fluxes), given_or_none("source", source)
        target = np.empty(state.shape, state.dtype) if out is None else writable("out", out)
        check(
            lib.pcml_flux_update(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                dt,
                describe("state", state),
                describe("fluxes", fluxes),
                describe("source", source),
                describe("out", target),
            )
        )
        return target

    def update_bounded(
        self,
        dt: float,
        state: Readable,
        fluxes: Readable,
        source: Optional[Readable] = None,
        *,
        lower: Optional[Readable] = None,
        upper: Optional[Readable] = None,
        low_order: Optional[Readable] = None,
        out: Optional[Writable] = None,
        out_fluxes: Optional[Writable] = None,
        limits: Optional[FluxLimits] = None,
    ) -> tuple[NDArray, NDArray]:
        """`update` with fluxes drawn towards low-order ones so that every cell stays within its bounds, without tolerance (flux-corrected
        transport). Returns the new state and the limited fluxes; `limits` is filled."""
        state, fluxes, source = given("state", state), given("fluxes", fluxes), given_or_none("source", source)
        lower, upper = given_or_none("lower", lower), given_or_none("upper", upper)
        low_order = given_or_none("low_order", low_order)
        target = np.empty(state.shape, state.dtype) if out is None else writable("out", out)
        limited = np.empty(fluxes.shape, fluxes.dtype) if out_fluxes is None else writable("out_fluxes", out_fluxes)
        if limits is not None:
            limits.struct_size = ctypes.sizeof(limits)
        check(
            lib.pcml_flux_update_bounded(
                self.pointer,
                self._scratch.of("pcml_flux_workspace", self),
                dt,
                describe("state", state),
                describe("fluxes", fluxes),
                describe("source", source),
                describe("lower", lower),
                describe("upper", upper),
                describe("low_order", low_order),
                describe("out", target),
                describe("out_fluxes", limited),
                None if limits is None else ctypes.byref(limits),
            )
        )
        return target, limited
