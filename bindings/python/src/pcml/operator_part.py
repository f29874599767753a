"""Neural operators on grids that lie in parts, one in each process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt

from ._c import Transforms
from .arrays import NDArray, Readable, Writable, address, describe, describe_all, dtype_of, given, given_all, int64, integers, writable
from .boundary import Boundary
from .handle import Handle, Scratch, create, expect
from .library import lib
from .model import Model
from .options import options
from .sums import Reduction


class OperatorPart(Handle):
    """One part of a neural operator on a grid whose points in C order fall into blocks. Immutable: to be shared by threads."""

    def __init__(
        self,
        model: Model,
        dtype: npt.DTypeLike = np.float64,
        *,
        shape: Sequence[int],
        block: int,
        owned: npt.ArrayLike,
        boundary: Optional[Boundary] = None,
        threads: Optional[int] = None,
        transforms: Optional[Transforms] = None,
    ) -> None:
        """shape: the whole grid's. block: points of a block. owned: this part's blocks, from 0. All but `owned` is the same on all parts, and
        each block is some part's."""
        expect(Model, "model", model, "Model.load")
        blocks = integers("owned", owned)
        settings = options(shape=shape, boundary=boundary, threads=threads, transforms=transforms)
        super().__init__(
            create(
                lib.pcml_operator_part_create,
                lib.pcml_operator_part_free,
                model.pointer,
                dtype_of(dtype),
                settings,
                int64("block", block),
                address(blocks),
                blocks.size,
            )
        )
        self.outputs = len(model.description["outputs"])
        self._scratch = Scratch()

    def predict(
        self,
        reduction: Reduction,
        input: Readable,
        values: Sequence[Readable] = (),
        *,
        out: Optional[Writable] = None,
    ) -> NDArray:
        """Predicts at this part's points: input [own points, inputs] to [own points, outputs], raw units. All parts call it together.

        values: as in `Plan.predict` for one function, of the whole faces and the same on all parts.
        """
        input, arrays = given("input", input), given_all("values", values)
        target = np.empty((input.shape[0], self.outputs), input.dtype) if out is None else writable("out", out)
        with reduction.exclusive:
            reduction.check(
                lib.pcml_operator_part_predict(
                    self.pointer,
                    self._scratch.of("pcml_operator_part_workspace", self),
                    reduction.pointer,
                    describe("input", input),
                    describe_all("values", arrays),
                    len(arrays),
                    describe("out", target),
                )
            )
        return target
