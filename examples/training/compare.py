"""Compares what the library predicts with what PyTorch does, on the functions that training left out.

    pip install ../../bindings/python
    python compare.py ../models/*.safetensors --data runs/data

A line a model: the largest difference from PyTorch in f64 over the largest value, of the library in f64 and in f32, and of PyTorch in f32. Exits
with 1 where the library's exceeds 1e-10 in f64, or 1e-5 in f32. `--data` holds the files of boundary problems that `train_all.py` leaves there.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pcml
import torch
from safetensors import safe_open
from torch import Tensor

import ensemble
import faces
from anp import ANP
from fno import FNO
from problems import PROBLEMS
from train_ensemble import rows

# Functions in a call.
MOST = 10

Predict = Callable[[torch.dtype], list[Tensor]]


def operator(model: pcml.Model, tensors: dict, data: Path) -> Iterator[tuple[Predict, Predict]]:
    description = model.description
    settings, numbers, boon = description["provenance"]["settings"], description["fno"], description.get("boon", {})
    _, functions = faces.load(data / f"{settings['problem']}.safetensors")
    test = functions[len(functions) - settings["test"]:]
    twin = FNO(inputs=len(description["inputs"]), outputs=len(description["outputs"]), width=numbers["width"], blocks=numbers["blocks"],
               modes=numbers["modes"], projection=numbers["projection"], bounds=numbers["coordinates"]["bounds"],
               padding=numbers["padding"]["cells"], faces=boon.get("faces", []), regularisation=boon.get("regularisation", 0.01),
               rule=boon.get("rule", "exact"))
    twin.load_state_dict(tensors)
    given = torch.tensor([c["scale"] for c in description["inputs"]], dtype=torch.float64)
    unit = description["outputs"][0]["scale"]
    for at in range(0, len(test), MOST):
        x, values = test.x[at : at + MOST], [value[at : at + MOST] for value in (test.values if twin.valued else [])]

        def framework(dtype: torch.dtype) -> list[Tensor]:
            return [unit * twin.to(dtype)((x / given).to(dtype), [(value / unit).to(dtype) for value in values])]

        def library(dtype: torch.dtype) -> list[Tensor]:
            plan = pcml.Plan(model, numpy_of(dtype), batch=MOST, shape=x.shape[1:-1])
            return [torch.from_numpy(plan.predict(x.numpy(), [value.numpy() for value in values]))]

        yield framework, library


def process(model: pcml.Model, tensors: dict, _: Path) -> Iterator[tuple[Predict, Predict]]:
    inputs = model.description["inputs"]
    twin = ANP(**{k: v for k, v in model.description["anp"].items() if k != "layer_norm_eps"}).eval()
    twin.load_state_dict(tensors)
    for cx, cy, tx, *_ in tests(model):
        def framework(dtype: torch.dtype) -> list[Tensor]:
            return list(twin.to(dtype)(*(a.to(dtype) for a in (ensemble.scaled(cx, inputs), cy, ensemble.scaled(tx, inputs)))))

        def library(dtype: torch.dtype) -> list[Tensor]:
            plan = pcml.Plan(model, numpy_of(dtype), batch=len(cx), context=cx.shape[1], targets=tx.shape[1])
            mean, variance = plan.condition(cx.numpy(), cy.numpy()).query(tx.contiguous().numpy())
            # The network's own outputs.
            return [torch.from_numpy(mean), torch.from_numpy(variance).sqrt()]

        yield framework, library


def perceptrons(model: pcml.Model, tensors: dict, _: Path) -> Iterator[tuple[Predict, Predict]]:
    inputs, hidden = model.description["inputs"], model.description["mlp"]["hidden"]
    members = []
    for m in range(model.description["ensemble"]["members"]):
        member = ensemble.build([len(inputs), *hidden, 1])
        member.load_state_dict({f"{2 * layer}.{kind}": tensors[f"members.{m}.layers.{layer}.{kind}"]
                                for layer in range(len(hidden) + 1) for kind in ("weight", "bias")})
        members.append(member)
    for cx, cy, tx, *_ in tests(model):
        x = rows(cx, cy, tx).flatten(0, 1).contiguous()

        def framework(dtype: torch.dtype) -> list[Tensor]:
            return list(ensemble.mixture([member.to(dtype) for member in members], ensemble.scaled(x, inputs).to(dtype)))

        def library(dtype: torch.dtype) -> list[Tensor]:
            plan = pcml.Plan(model, numpy_of(dtype), batch=len(x))
            return [torch.from_numpy(a) for a in plan.predict_moments(x.numpy())]

        yield framework, library


def tests(model: pcml.Model):
    return PROBLEMS[model.description["provenance"]["settings"].get("problem", "stefan")].tests().values()


def numpy_of(dtype: torch.dtype) -> type:
    return {torch.float64: np.float64, torch.float32: np.float32}[dtype]


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    args = parser.parse_args()
    kinds = {"train_fno.py": operator, "train.py": process, "train_ensemble.py": perceptrons}
    bad = 0
    print(f"{'':24} library f64  library f32  PyTorch f32")
    for path in args.models:
        model = pcml.Model.load(path)
        provenance = model.description["provenance"]
        compare = kinds.get(Path(provenance["recipe"]).name)
        # The operator of the insulated bar was trained on functions of its own.
        if compare is None or (compare is operator and "problem" not in provenance["settings"]):
            print(f"{path.stem:24} no test functions")
            continue
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("selftest.")}
        apart = [0.0] * 3
        for framework, library in compare(model, tensors, args.data):
            # Each output beside its own largest value.
            expected = framework(torch.float64)
            for i, found in enumerate((library(torch.float64), library(torch.float32), framework(torch.float32))):
                of = [((a - b).abs().max() / b.abs().max()).item() for a, b in zip(found, expected)]
                apart[i] = max(apart[i], *of)
        missed = not (apart[0] <= 1e-10 and apart[1] <= 1e-5)
        bad += missed
        print(f"{path.stem:24}" + "".join(f"{a:13.1e}" for a in apart) + ("  APART" if missed else ""), flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
