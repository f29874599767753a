"""Trains a deep ensemble on the mixing of columns and exports it.

    python train_columns.py --out runs/columns                                  # the shipped model, some minutes on a core
    python train_columns.py --out runs/smoke --members 2 --epochs 1 --columns 500

Every member is a perceptron with a variance head that sees the same columns in another order from another start (Lakshminarayanan et al., NeurIPS
2017). Writes log.csv (test columns, every member), a checkpoint of each finished member, from which a later run goes on, and model.safetensors.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import columns
import records
from export import FORMAT, write

HIDDEN, BATCH, MINIMUM = [128, 128], 128, 1e-6
INPUTS, OUTPUTS = columns.LAYERS + 2, columns.LAYERS


def build() -> nn.Sequential:
    widths = [INPUTS, *HIDDEN, 2 * OUTPUTS]
    layers = [nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
    return nn.Sequential(*(part for layer in layers[:-1] for part in (layer, nn.SiLU())), layers[-1])


def moments(model: nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean, raw = model(x).chunk(2, dim=1)
    return mean, F.softplus(raw) + MINIMUM


def train_member(number: int, x, y, args) -> nn.Sequential:
    torch.manual_seed(args.seed + number)
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    batches = args.epochs * ((len(x) + BATCH - 1) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, batches)
    for epoch in range(args.epochs):
        for chosen in torch.randperm(len(x)).split(BATCH):
            mean, variance = moments(model, x[chosen])
            loss = F.gaussian_nll_loss(mean, y[chosen], variance)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        if (epoch + 1) % 10 == 0:
            print(f"member {number}, epoch {epoch + 1} of {args.epochs}: {loss.item():.3f}", flush=True)
    return model


def channels(x, y) -> tuple[list, list]:
    """Names, units and scalings: means and deviations of the training columns."""
    names = [f"theta_{k + 1}" for k in range(columns.LAYERS)]
    units = ["K"] * columns.LAYERS + ["m/s", "W/m2"]
    of = lambda names, units, values: [
        {"name": n, "unit": u, "offset": float(np.float32(m)), "scale": float(np.float32(s))}
        for n, u, m, s in zip(names, units, values.mean(0), values.std(0))]
    return of([*names, "wind", "heat_flux"], units, x), of([f"change_of_{n}" for n in names], units, y)


@torch.no_grad()
def mixture(models, x):
    means, variances = zip(*(moments(model, x) for model in models))
    mean = torch.stack(means).mean(0)
    return mean, torch.stack(variances).mean(0) + torch.stack(means).var(0, correction=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--columns", type=int, default=40_000)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    settings = {k: v for k, v in vars(args).items() if k not in ("out", "threads")} | {"batch": BATCH, "hidden": HIDDEN}
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    (raw_x, raw_y), (test_x, test_y) = columns.samples(args.columns, 10), columns.samples(2000, 11)
    inputs, outputs = channels(raw_x, raw_y)
    scale = lambda values, channels: torch.from_numpy(
        (values - [c["offset"] for c in channels]) / [c["scale"] for c in channels]).float()
    x, y = scale(raw_x, inputs), scale(raw_y, outputs)
    tx = scale(test_x, inputs)
    back = np.array([c["scale"] for c in outputs]), np.array([c["offset"] for c in outputs])
    models, started = [], time.monotonic()
    for number in range(args.members):
        checkpoint = args.out / f"member{number}.pt"
        if checkpoint.exists():
            model = build()
            model.load_state_dict(torch.load(checkpoint, weights_only=True)["model"])
        else:
            model = train_member(number, x, y, args)
            records.save(checkpoint, {"model": model.state_dict()})
        models.append(model)
        mean, variance = (part.double().numpy() for part in mixture(models, tx))
        found, spread = back[1] + back[0] * mean, back[0] * np.sqrt(variance)
        error = found - test_y
        records.log(args.out / "log.csv", {
            "members": number + 1, "rmse_K": float(np.sqrt((error**2).mean())),
            "within_two_deviations": float((np.abs(error) < 2 * spread).mean()),
            "heat_error_K_m": float(np.abs(found @ columns.THICKNESS - columns.heat_added(test_x)).mean()),
            "seconds": time.monotonic() - started})

    tensors = {f"members.{m}.layers.{i // 2}.{kind}": value.detach().contiguous()
               for m, model in enumerate(models) for name, value in model.state_dict().items()
               for i, kind in [(int(name.split(".")[0]), name.split(".")[1])]}
    doubles = [build().double() for _ in models]
    for double, model in zip(doubles, models):
        double.load_state_dict(model.state_dict())
    given = test_x[:8]
    mean, variance = mixture(doubles, torch.from_numpy(
        (given - [c["offset"] for c in inputs]) / [c["scale"] for c in inputs]))
    tensors |= {"selftest.input": torch.from_numpy(given.copy()),
                "selftest.output": torch.from_numpy(back[1] + back[0] * mean.numpy()),
                "selftest.variance": torch.from_numpy(back[0] ** 2 * variance.numpy())}
    write(args.out / "model.safetensors", {
        "format": FORMAT,
        "architecture": "mlp",
        "mlp": {"hidden": HIDDEN, "activation": "silu", "head": {"function": "softplus", "of": "variance", "minimum": MINIMUM}},
        "ensemble": {"members": args.members},
        "inputs": inputs,
        "outputs": outputs,
        "provenance": {
            "title": f"Deep ensemble of {args.members} perceptrons: turbulent mixing of a column of air in 900 s",
            "training_data": "examples/training/columns.py, random columns",
            "recipe": "examples/training/train_columns.py",
            "settings": settings,
            "licence": "MIT OR Apache-2.0",
        },
        "selftest": {"tolerance": 1e-9},
    }, tensors)


if __name__ == "__main__":
    main()
