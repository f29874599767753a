"""Writes a trained Fourier neural operator as a pcml model file, like export.py.

    python export_fno.py runs/heat/checkpoint.pt model.safetensors
"""

import argparse
from pathlib import Path

import torch

import heat
from export import FORMAT, write
from fno import FNO


def description(model: FNO, settings: dict) -> dict:
    names = ["x", "t"]
    channel = {"unit": "1", "offset": 0.0, "scale": 1.0}
    low, high = heat.RANGE
    kind = "with both fluxes exact" if model.valued else "without boundary conditions"
    whole = {
        "format": FORMAT,
        "architecture": "fno",
        "fno": model.numbers(),
        "inputs": [{"name": "u0"} | channel],
        "outputs": [{"name": "u"} | channel],
        "grid": [{"name": n, "lower": low, "upper": high} for n, (low, high) in zip(names, model.bounds)],
        "provenance": {
            "title": f"Fourier neural operator, heat equation with a Neumann condition on either side, {kind}",
            "training_data": f"Crank-Nicolson, {settings['functions']} functions, u(x, 0) = cos(w pi x), w in [{low}, {high}], "
                             f"{heat.POINTS} points x, {heat.TIMES} times up to {heat.LAST}",
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
def selftest(model: FNO) -> dict:
    """Two functions: one of the problem; one of noise, with noise at the faces, which shows every frequency and channel."""
    # The file's weights have the model's precision, which f64 holds exactly.
    twin = FNO(**model.arguments).double()
    twin.load_state_dict(model.state_dict())
    generator = torch.Generator().manual_seed(7)
    noise = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    x, _ = heat.functions(torch.tensor([3.0], dtype=torch.float64))
    x = torch.cat([x, noise(*x.shape)])
    values = [torch.cat([value, noise(*value.shape)]) for value in heat.face_values(1)] if model.valued else []
    faces = {f"selftest.face.{f}": value for f, value in enumerate(values)}
    return {"selftest.input": x, "selftest.output": twin(x, values).contiguous()} | faces


def export_fno(model: FNO, path: Path, settings: dict):
    tensors = {name: value.detach().float().contiguous() for name, value in model.state_dict().items()}
    write(path, description(model, settings), tensors | selftest(model))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("model", type=Path)
    args = parser.parse_args()
    state = torch.load(args.checkpoint, weights_only=True)
    model = FNO(**state["arguments"])
    model.load_state_dict(state["model"])
    export_fno(model, args.model, state["settings"])


if __name__ == "__main__":
    main()
