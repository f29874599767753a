"""What must hold: rows, invariants, sets, and how bounds are met."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt

from ._c import BoundsMethod, BoundsPolicy, Direction, Rule
from .arrays import Readable, address, describe, describe_all, doubles, given, given_all, int32, int64, integers
from .error import MismatchError, check
from .handle import Exclusive, Handle, create
from .library import lib


class Constraints(Handle):
    """Linear rows `G u = b + noise` over the cells of a state, numbered from 0 in the order in which they are added, and what holds beside
    them. The right-hand sides b come with each projection. Noise variances are in the unit of b squared; 0: the row holds exactly.

    One thread at a time. A failed call leaves the object as it was.
    """

    def __init__(self, cells: int) -> None:
        """cells: values of one state; several fields, or several times, are concatenated."""
        super().__init__(create(lib.pcml_constraints_create, lib.pcml_constraints_free, int64("cells", cells)))
        self.cells = cells
        #: Quadratic invariants so far.
        self.invariants = 0
        self.exclusive = Exclusive("Constraints")

    @property
    def rows(self) -> int:
        """Linear rows so far."""
        found = ctypes.c_int64()
        with self.exclusive:
            check(lib.pcml_constraints_rows(self.pointer, ctypes.byref(found)))
        return found.value

    def add_row(self, weights: Readable, noise_variance: float = 0.0) -> None:
        """A row with the caller's weights, one a cell: cell volumes, masses, the coefficients of any linear balance."""
        array = given("weights", weights)
        with self.exclusive:
            check(lib.pcml_constraints_add_row(self.pointer, describe("weights", array), noise_variance))

    def add_absent_row(self, noise_variance: float = 0.0) -> None:
        """A row of a field in parts that has no weight on this part's cells; only `project_part` takes it."""
        with self.exclusive:
            check(lib.pcml_constraints_add_absent_row(self.pointer, noise_variance))

    def add_quadrature(self, rule: Rule, points: Readable, noise_variance: float = 0.0) -> None:
        """The integral of the field from the first point to the last. points: one coordinate a cell, strictly increasing."""
        array = given("points", points)
        with self.exclusive:
            check(
                lib.pcml_constraints_add_quadrature(
                    self.pointer, int32("rule", rule), describe("points", array), noise_variance
                )
            )

    def add_grid_quadrature(
        self, rule: Rule, axes: Sequence[Readable], first: int = 0, noise_variance: float = 0.0
    ) -> None:
        """The integral over a grid's box. axes: the coordinates of each; the grid's values lie in C order from cell `first` on."""
        arrays = given_all("axes", axes)
        with self.exclusive:
            check(
                lib.pcml_constraints_add_grid_quadrature(
                    self.pointer,
                    int32("rule", rule),
                    describe_all("axes", arrays),
                    len(arrays),
                    int64("first", first),
                    noise_variance,
                )
            )

    def add_sparse_rows(
        self,
        starts: npt.ArrayLike,
        cells: npt.ArrayLike,
        weights: npt.ArrayLike,
        noise_variance: Optional[npt.ArrayLike] = None,
    ) -> None:
        """Rows in compressed sparse form, as of scipy.sparse.csr_array: row k has the weights starts[k] to starts[k + 1] - 1."""
        starts, cells, weights = integers("starts", starts), integers("cells", cells), doubles("weights", weights)
        rows = starts.size - 1
        if rows < 1 or not starts[-1] == cells.size == weights.size:
            end = starts[-1] if rows >= 0 else "no end"
            raise MismatchError(f"starts ends with {end}, expected as many cells ({cells.size}) and weights ({weights.size})")
        noise = None if noise_variance is None else doubles("noise_variance", noise_variance)
        if noise is not None and noise.size != rows:
            raise MismatchError(f"noise_variance has {noise.size} values, expected one for each of {rows} rows")
        with self.exclusive:
            check(
                lib.pcml_constraints_add_sparse_rows(
                    self.pointer,
                    rows,
                    address(starts),
                    address(cells),
                    address(weights),
                    None if noise is None else address(noise),
                )
            )

    def add_boundary(
        self,
        axes: Sequence[Readable],
        sides: Sequence[int],
        axis: int,
        value: float = 0.0,
        slope: float = 0.0,
        order: int = 1,
        first: int = 0,
        noise_variance: float = 0.0,
    ) -> None:
        """A row `value u + slope du/dn = b` for each node on a face, an edge or a corner, in C order of the nodes, n the outward normal.

        Dirichlet is (1, 0), Neumann (0, 1), Robin both. sides: for each axis -1 (its first point), 1 (its last) or 0 (all). axis: whose
        direction the normal has, one with a side. order: of the one-sided derivative, 1 to 4.
        """
        arrays, where = given_all("axes", axes), integers("sides", sides)
        if where.shape != (len(arrays),):
            raise MismatchError(f"sides has {where.size} values, expected one for each of {len(arrays)} axes")
        narrow = where.clip(-2, 2).astype(np.int32)
        with self.exclusive:
            check(
                lib.pcml_constraints_add_boundary(
                    self.pointer,
                    describe_all("axes", arrays),
                    len(arrays),
                    int64("first", first),
                    address(narrow),
                    int64("axis", axis),
                    value,
                    slope,
                    int32("order", order),
                    noise_variance,
                )
            )

    def add_periodic(
        self, shape: Sequence[int], axis: int, first: int = 0, noise_variance: float = 0.0
    ) -> None:
        """A row `u_last - u_first = b` for each node of the first face across an axis of a grid."""
        extents = np.atleast_1d(integers("shape", shape))
        with self.exclusive:
            check(
                lib.pcml_constraints_add_periodic(
                    self.pointer,
                    address(extents),
                    extents.size,
                    int64("first", first),
                    int64("axis", axis),
                    noise_variance,
                )
            )

    def add_stencils(self, cells: npt.ArrayLike, coefficients: npt.ArrayLike, noise_variance: float = 0.0) -> None:
        """A row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k, j]].

        cells: [rows, width], or [rows] for a width of 1. coefficients: of that shape, or [width] for all rows.
        """
        where, factors = integers("cells", cells), doubles("coefficients", coefficients)
        where = where.reshape(-1, 1) if where.ndim == 1 else where
        if where.ndim != 2 or factors.size not in (where.size, where.shape[1]):
            raise MismatchError(f"cells has shape {where.shape}, coefficients {factors.shape}: expected the same, or [width]")
        shared = factors.size != where.size
        with self.exclusive:
            check(
                lib.pcml_constraints_add_stencils(
                    self.pointer, *where.shape, address(where), address(factors), shared, noise_variance
                )
            )

    def add_quadratic(self, cells_i: npt.ArrayLike, cells_j: npt.ArrayLike, weights: npt.ArrayLike) -> None:
        """The invariant sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]. Its level comes with each projection."""
        first, second, factors = integers("cells_i", cells_i), integers("cells_j", cells_j), doubles("weights", weights)
        if not first.size == second.size == factors.size:
            raise MismatchError(f"cells_i, cells_j and weights have {first.size}, {second.size} and {factors.size} values")
        with self.exclusive:
            check(
                lib.pcml_constraints_add_quadratic(
                    self.pointer, first.size, address(first), address(second), address(factors)
                )
            )
            self.invariants += 1

    def add_energy(self, weights: Readable) -> None:
        """The invariant sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the volumes."""
        array = given("weights", weights)
        with self.exclusive:
            check(lib.pcml_constraints_add_energy(self.pointer, describe("weights", array)))
            self.invariants += 1

    def add_simplex(self, first: int, components: int, points: int, total: float = 1.0) -> None:
        """At each of so many points the components are at least 0 and sum to `total`; component c at point p is cell
        first + c points + p. Holds in `project_bounded`."""
        numbers = int64("first", first), int64("components", components), int64("points", points)
        with self.exclusive:
            check(lib.pcml_constraints_add_simplex(self.pointer, *numbers, total))

    def add_monotone(self, first: int, count: int, direction: Direction) -> None:
        """So many cells from `first` on increase or decrease, not strictly. Holds in `project_bounded`."""
        numbers = int64("first", first), int64("count", count), int32("direction", direction)
        with self.exclusive:
            check(lib.pcml_constraints_add_monotone(self.pointer, *numbers))

    def set_bounds(self, method: BoundsMethod = BoundsMethod.NEAREST, policy: BoundsPolicy = BoundsPolicy.REFUSE) -> None:
        """How cells are brought within their bounds, and what becomes of bounds that no lawful state meets."""
        with self.exclusive:
            check(lib.pcml_constraints_set_bounds(self.pointer, int32("method", method), int32("policy", policy)))
