"""Trains a perceptron on one step of the porous-medium equation and exports it.

    python train_porous.py --out runs/porous                                  # the shipped model, some minutes on a core
    python train_porous.py --out runs/smoke --epochs 1 --functions 10

One network for all cells: the window of 9 cells around each to the change of its middle. Writes log.csv (after each epoch: one step on test
functions, and a whole run of the surrogate on its own), checkpoint.pt, from which a later run goes on, and model.safetensors.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import porous
import records
from export import FORMAT, write

HIDDEN, BATCH, TESTS = [64, 64], 1024, 50
WINDOW = 2 * porous.SIDE + 1


def build() -> nn.Sequential:
    widths = [WINDOW, *HIDDEN, 1]
    layers = [nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
    return nn.Sequential(*(part for layer in layers[:-1] for part in (layer, nn.SiLU())), layers[-1])


def channels(raw_x, raw_y) -> tuple[list, list]:
    """All cells of the window have one scaling, for they are one field; no change is 0 for the network too."""
    of = lambda names, offset, scale: [
        {"name": n, "unit": "1", "offset": float(np.float32(offset)), "scale": float(np.float32(scale))} for n in names]
    names = [f"u_{k:+d}" if k else "u" for k in range(-porous.SIDE, porous.SIDE + 1)]
    return of(names, raw_x.mean(), raw_x.std()), of(["change_of_u"], 0.0, raw_y.std())


@torch.no_grad()
def rollout(model, inputs, outputs, u):
    """The surrogate's own run."""
    for _ in range(porous.STEPS):
        x = torch.from_numpy((porous.windows(u) - inputs[0]["offset"]) / inputs[0]["scale"]).float()
        u = u + outputs[0]["scale"] * model(x).squeeze(-1).double().numpy()
    return u


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--functions", type=int, default=400)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    settings = {k: v for k, v in vars(args).items() if k not in ("out", "threads")} | {"batch": BATCH, "hidden": HIDDEN}
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    (raw_x, raw_y), (test_x, test_y) = porous.samples(args.functions, 10), porous.samples(TESTS, 11)
    inputs, outputs = channels(raw_x, raw_y)
    scale = lambda values, channels: (values - channels[0]["offset"]) / channels[0]["scale"]
    x, y, tx = (torch.from_numpy(part).float() for part in (scale(raw_x, inputs), scale(raw_y, outputs), scale(test_x, inputs)))
    first = last = porous.bumps(TESTS, np.random.default_rng(12))
    for _ in range(porous.STEPS):
        last = porous.step(last)

    torch.manual_seed(args.seed)
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    checkpoint, done = args.out / "checkpoint.pt", 0
    if state := records.load(checkpoint, settings):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        done = state["epochs"]
    started = time.monotonic()
    for epoch in range(done, args.epochs):
        torch.manual_seed(args.seed + 1 + epoch)
        for chosen in torch.randperm(len(x)).split(BATCH):
            loss = (model(x[chosen]) - y[chosen]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            error = outputs[0]["scale"] * model(tx).double().numpy() - test_y
        run = rollout(model, inputs, outputs, first)
        row = {"epoch": epoch + 1, "rmse_of_change": float(np.sqrt((error**2).mean())),
               "run_relative_l2": float(np.sqrt(((run - last) ** 2).sum() / (last**2).sum())),
               "run_mass_defect": float(np.abs(run.mean(1) / first.mean(1) - 1.0).mean()), "run_least": float(run.min()),
               "seconds": time.monotonic() - started}
        records.log(args.out / "log.csv", row)
        print(", ".join(f"{k} {v:.4g}" for k, v in row.items()), flush=True)
        records.save(checkpoint, {"settings": settings, "epochs": epoch + 1, "model": model.state_dict(),
                                  "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()})

    tensors = {f"layers.{int(name.split('.')[0]) // 2}.{name.split('.')[1]}": value.detach().contiguous()
               for name, value in model.state_dict().items()}
    double = build().double()
    double.load_state_dict(model.state_dict())
    given = torch.from_numpy(test_x[:: len(test_x) // 16].copy())
    with torch.no_grad():
        tensors |= {"selftest.input": given, "selftest.output": outputs[0]["scale"] * double(scale(given, inputs))}
    write(args.out / "model.safetensors", {
        "format": FORMAT,
        "architecture": "mlp",
        "mlp": {"hidden": HIDDEN, "activation": "silu"},
        "inputs": inputs,
        "outputs": outputs,
        "provenance": {
            "title": "Perceptron: change of a cell in a step of the porous-medium equation, dx = 1/64, dt = 1/2048",
            "training_data": "examples/training/porous.py, random bumps",
            "recipe": "examples/training/train_porous.py",
            "settings": settings,
            "licence": "MIT OR Apache-2.0",
        },
        "selftest": {"tolerance": 1e-9},
    }, tensors)


if __name__ == "__main__":
    main()
