"""Boundary conditions of fields on grids."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ._c import BoundaryKind
from .arrays import Readable, Writable, address, describe, describe_all, doubles, given_all, int32, int64, writable
from .error import check
from .handle import Handle, create
from .library import lib


@dataclasses.dataclass(frozen=True)
class Face:
    """The condition of one face of a grid.

    axis: the grid's axis that the face is normal to. side: -1, its first point, or 1, its last.
    kind: DIRICHLET, u = value; NEUMANN, sum_k stencil[k] u_k / spacing = value; PERIODIC, the first point is the last, once an axis.
    stencil: Neumann, coefficients at unit spacing of the nodes next to the face in the order of their coordinates, 2 to 16.
    spacing: Neumann, the distance of neighbouring points; 0: that of the model's grid, where a plan has the conditions.
    """

    axis: int
    side: int
    kind: BoundaryKind
    stencil: Sequence[float] = ()
    spacing: float = 0.0


class Boundary(Handle):
    """Boundary conditions, a face each. Values come with each call, in the order of the faces. Immutable: to be shared by threads."""

    def __init__(self, faces: Iterable[Face]) -> None:
        """Raises SingularError for a stencil that can't be solved for its face's node, InvalidArgumentError for faces that clash."""
        super().__init__(create(lib.pcml_boundary_create, lib.pcml_boundary_free))
        self.faces = tuple(faces)
        for face in self.faces:
            stencil = doubles("stencil", face.stencil or [0.0])
            numbers = int64("axis", face.axis), int32("side", face.side), int32("kind", face.kind)
            place = address(stencil) if len(face.stencil) else None
            check(lib.pcml_boundary_add_face(self.pointer, *numbers, place, len(face.stencil), face.spacing))

    def enforce(self, field: Writable, values: Sequence[Readable] = ()) -> None:
        """Makes a field [batch, n_1, .., n_d, channels] obey, in place: sets the nodes on the faces, exactly, and no other node.

        values: an array for each Dirichlet and Neumann face, [batch, the grid without the face's axis, channels]; axes of extent 1 may be
        left out, strides of 0 (numpy.broadcast_to) repeat a value.
        Periodic pairs get their mean first, then Neumann faces, then Dirichlet faces, so that stated values hold at edges and corners.
        """
        array, arrays = writable("field", field), given_all("values", values)
        rank = array.ndim - 2
        check(
            lib.pcml_boundary_enforce(
                self.pointer, describe("field", array), rank, describe_all("values", arrays), len(arrays)
            )
        )


def dirichlet(axis: int, side: int) -> Face:
    """The value itself is given."""
    return Face(axis, side, BoundaryKind.DIRICHLET)


def neumann(axis: int, side: int, stencil: Sequence[float], spacing: float = 0.0) -> Face:
    """A one-sided difference quotient is given."""
    return Face(axis, side, BoundaryKind.NEUMANN, tuple(stencil), spacing)


def periodic(axis: int) -> Face:
    """The first point of the axis is the last."""
    return Face(axis, -1, BoundaryKind.PERIODIC)
