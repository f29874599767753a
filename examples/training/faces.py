"""The functions of a boundary problem, as `cargo run --release --example problems -- NAME --functions N --seed S -o FILE` writes them.

Tensors `input` [functions, n_1, .., n_d, inputs], `output` [functions, n_1, .., n_d, outputs] and for each face with a value, in the order of
`faces`, `face.{i}` [functions, the grid without the face's axis, outputs], all f64; metadata key `problem`: JSON.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor


@dataclass(frozen=True)
class Functions:
    """What an operator is given, what it should find, and what conditions ask for."""

    x: Tensor
    u: Tensor
    values: list[Tensor]

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, chosen) -> "Functions":
        return self.map(lambda a: a[chosen])

    def map(self, change) -> "Functions":
        return Functions(change(self.x), change(self.u), [change(value) for value in self.values])


def load(path: Path) -> tuple[dict, Functions]:
    """The problem's description and its functions."""
    with safe_open(path, "pt") as file:
        problem = json.loads(file.metadata()["problem"])
        names = set(file.keys())
        values = [file.get_tensor(f"face.{i}") for i in range(len(names) - 2)]
        assert names == {"input", "output"} | {f"face.{i}" for i in range(len(values))}, names
        functions = Functions(file.get_tensor("input"), file.get_tensor("output"), values)
    assert len(values) == sum(face["kind"] != "periodic" for face in problem["faces"])
    return problem, functions


def at_faces(u: Tensor, faces: list[dict], bounds: list[list[float]]) -> list[Tensor]:
    """What conditions are about, of u [functions, n_1, .., n_d, outputs]: values, difference quotients, or how far both ends are apart."""
    found = []
    for face in faces:
        axis = 1 + face["axis"]
        n, lower = u.shape[axis], face["side"] < 0
        if face["kind"] == "periodic":
            found.append(u.select(axis, n - 1) - u.select(axis, 0))
        elif face["kind"] == "dirichlet":
            found.append(u.select(axis, 0 if lower else n - 1))
        else:
            low, high = bounds[face["axis"]]
            stencil = torch.tensor(face["stencil"], dtype=u.dtype, device=u.device)
            nodes = u.narrow(axis, 0 if lower else n - len(stencil), len(stencil))
            found.append(torch.tensordot(stencil, nodes, ([0], [axis])) / face.get("spacing", (high - low) / (n - 1)))
    return found


def misses(u: Tensor, values: list[Tensor], faces: list[dict], bounds: list[list[float]]) -> list[float]:
    """How far u is from each face's condition, in the mean, but for where faces meet: there one of them alone can hold."""
    of, meet, mean = iter(values), {face["axis"] for face in faces}, []
    for face, found in zip(faces, at_faces(u, faces, bounds)):
        apart = (found if face["kind"] == "periodic" else found - next(of)).abs()
        for axis in meet - {face["axis"]}:
            place = 1 + axis - (axis > face["axis"])
            apart = apart.narrow(place, 1, apart.shape[place] - 2)
        mean.append(apart.mean().item())
    return mean
