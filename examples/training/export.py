"""Writes a trained network as a pcml model file: one safetensors file whose metadata key `pcml` describes the model.

    python export.py runs/stefan/checkpoint.pt model.safetensors

Metadata key `pcml.sha256` tells a damaged file. The file carries a self-test: random inputs and the outputs that this network gives for them in f64. Loading it in pcml
runs them again.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save

from anp import ANP
from problems import PROBLEMS, Problem

FORMAT = 1


def description(model: ANP, problem: Problem, settings: dict) -> dict:
    low, high = problem.x_range
    first, last = problem.train_range
    return {
        "format": FORMAT,
        "architecture": "anp",
        "anp": model.numbers,
        # raw = offset + scale * network value
        "inputs": [
            {"name": "t", "unit": "1", "offset": 0.0, "scale": problem.time_unit(settings["raw_time"])},
            {"name": "x", "unit": "1", "offset": low, "scale": high - low},
        ],
        "outputs": [{"name": "u", "unit": "1", "offset": 0.0, "scale": 1.0}],
        "grid": [
            {"name": "t", "lower": 0.0, "upper": problem.t_max},
            {"name": "x", "lower": low, "upper": high},
        ],
        "conservation": [{"output": "u", "axis": "x", "quadrature": "trapezoid"}],
        "provenance": {
            "title": f"Attentive neural process, {problem.name}, {problem.parameter} in [{first}, {last}]",
            "loss": "evidence lower bound" + (", and the mean squared residual of the equation for the mean" if settings["soft"] else ""),
            "training_data": "analytic solution at random points, " + (
                f"{settings['functions']} functions" if settings["functions"] else "new functions in every batch"),
            "recipe": "examples/training/train.py",
            "settings": settings,
            "licence": "MIT OR Apache-2.0",
        },
        "selftest": {"tolerance": 1e-9},
    }


@torch.no_grad()
def selftest(model: ANP, problem: Problem, raw_time: bool) -> dict:
    """Two functions, 20 context and 7 target points each, in raw units."""
    generator = torch.Generator().manual_seed(7)
    dim_x, dim_y = model.numbers["dim_x"], model.numbers["dim_y"]
    twin = ANP(**{k: v for k, v in model.numbers.items() if k != "layer_norm_eps"}).double().eval()
    twin.load_state_dict(model.state_dict())
    draw = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)
    cx, cy, tx = draw(2, 20, dim_x), draw(2, 20, dim_y), draw(2, 7, dim_x)
    mean, sigma = twin(cx, cy, tx)
    low, high = problem.x_range
    scale = torch.tensor([problem.time_unit(raw_time), high - low], dtype=torch.float64)
    offset = torch.tensor([0.0, low], dtype=torch.float64)
    return {"selftest.context_x": offset + cx * scale, "selftest.context_y": cy, "selftest.target_x": offset + tx * scale,
            "selftest.mean": mean.contiguous(), "selftest.variance": (sigma**2).contiguous()}


def write(path: Path, description: dict, tensors: dict):
    """The model file of these tensors, the self-test's among them."""
    text = json.dumps(description, sort_keys=True)
    # The digest covers the description and the data section, which does not depend on the metadata.
    draft = save(tensors)
    data = draft[8 + int.from_bytes(draft[:8], "little"):]
    digest = hashlib.sha256(text.encode() + data).hexdigest()
    path.write_bytes(save(tensors, metadata={"pcml": text, "pcml.sha256": digest}))


def export_anp(model: ANP, problem: Problem, path: Path, settings: dict):
    model = model.cpu()
    tensors = {name: value.detach().float().contiguous() for name, value in model.state_dict().items()}
    write(path, description(model, problem, settings), tensors | selftest(model, problem, settings["raw_time"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("model", type=Path)
    args = parser.parse_args()
    state = torch.load(args.checkpoint, weights_only=True)
    model = ANP(**{k: v for k, v in state["numbers"].items() if k != "layer_norm_eps"})
    model.load_state_dict(state["model"])
    export_anp(model, PROBLEMS[state["settings"]["problem"]], args.model, state["settings"])


if __name__ == "__main__":
    main()
