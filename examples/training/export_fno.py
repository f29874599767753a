"""Writes a trained Fourier neural operator as a pcml model file, like export.py.

    python export_fno.py runs/stokes_boon/checkpoint.pt model.safetensors
"""

import argparse
from pathlib import Path

import torch

from export import FORMAT, write
from faces import Functions
from fno import FNO


def sample(model: FNO, functions: Functions) -> Functions:
    """The first function, thinned to the fewest points that carry the modes and stencils: a small self-test."""
    grid, padding, modes = functions.x.shape[1:-1], model.padding, model.arguments["modes"]
    least = [c if axis + 1 < len(grid) else 2 * (c - 1) - p for axis, (c, p) in enumerate(zip(modes, padding))]
    for face in model.faces:
        least[face["axis"]] = max(least[face["axis"]], len(face.get("stencil", "u")) + 1)
    places = [torch.linspace(0, n - 1, min(n, max(3, m))).round().long() for n, m in zip(grid, least)]

    def thin(a: torch.Tensor, kept: list[torch.Tensor]) -> torch.Tensor:
        for axis, place in enumerate(kept):
            a = a.index_select(1 + axis, place)
        return a.contiguous()

    one = functions[:1]
    others = lambda face: [place for axis, place in enumerate(places) if axis != face["axis"]]
    return Functions(thin(one.x, places), thin(one.u, places), [thin(v, others(f)) for f, v in zip(model.valued, one.values)])


def channels(names: list[str], units: list[float]) -> list[dict]:
    return [{"name": name, "unit": "1", "offset": 0.0, "scale": unit} for name, unit in zip(names, units)]


def description(model: FNO, problem: dict, units: dict, settings: dict) -> dict:
    kind = "which obeys its boundary conditions" if model.faces else "without boundary conditions"
    parameter = problem["parameter"]
    limits = f"in [{parameter['lower']}, {parameter['upper']}]" if parameter["lower"] is not None else "random"
    whole = {
        "format": FORMAT,
        "architecture": "fno",
        "fno": model.numbers(),
        "inputs": channels(problem["inputs"], units["inputs"]),
        "outputs": channels(problem["outputs"], [units["outputs"]] * len(problem["outputs"])),
        "grid": [{k: axis[k] for k in ("name", "lower", "upper")} for axis in problem["axes"]],
        "provenance": {
            "title": f"Fourier neural operator, {problem['title']}, {kind}",
            "equation": problem["equation"],
            "training_data": f"cargo run --release --example problems -- {problem['name']} --functions {problem['functions']} "
                             f"--seed {problem['seed']}: the first {settings['functions']}; {parameter['name']} {limits}",
            "recipe": "examples/training/train_fno.py",
            "settings": settings,
            "licence": "MIT OR Apache-2.0",
        },
        "selftest": {"tolerance": 1e-9},
    }
    if model.faces:
        whole["boon"] = model.boon()
    return whole


@torch.no_grad()
def selftest(model: FNO, units: dict, sample: Functions) -> dict:
    """Two functions: one of the problem; one of noise, with noise at the faces, which shows every frequency and channel."""
    generator = torch.Generator().manual_seed(7)
    both = sample.map(lambda a: torch.cat([a, torch.randn(a.shape, generator=generator, dtype=a.dtype)]))
    twin = FNO(**model.arguments).double()
    # The file's weights have the model's precision, which f64 holds exactly.
    twin.load_state_dict(model.state_dict())
    given = torch.tensor(units["inputs"], dtype=torch.float64)
    u = units["outputs"] * twin(both.x / given, [value / units["outputs"] for value in both.values])
    return {"selftest.input": both.x, "selftest.output": u.contiguous()} | {
        f"selftest.face.{f}": value for f, value in enumerate(both.values)}


def export_fno(checkpoint: Path, path: Path):
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = FNO(**state["arguments"])
    model.load_state_dict(state["model"])
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    write(path, description(model, state["problem"], state["units"], state["settings"]),
          tensors | selftest(model, state["units"], Functions(**state["sample"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("model", type=Path)
    args = parser.parse_args()
    export_fno(args.checkpoint, args.model)


if __name__ == "__main__":
    main()
