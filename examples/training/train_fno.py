"""Trains a Fourier neural operator on a boundary problem and exports it.

    cargo run --release --example problems -- stokes --functions 300 --seed 0 -o stokes.safetensors
    python train_fno.py --data stokes.safetensors --out runs/stokes_boon                # obeys its boundary conditions
    python train_fno.py --data stokes.safetensors --out runs/stokes_fno --plain         # the same network without faces
    python train_fno.py --data stokes.safetensors --out runs/smoke --epochs 2           # a smoke run

The last --test functions of the file are kept for validation, the others train. Writes log.csv (test functions, every --eval-every epochs),
checkpoint.pt (resumed from when it is there; the run is the same as one without the stop) and, at the end, model.safetensors. What is not
given depends on the number of axes: see SIZES, and PAPER for --paper.
"""

import argparse
import math
import os
import time
from pathlib import Path

import torch
from torch import Tensor

import faces
import records
from export_fno import export_fno, sample
from faces import Functions
from fno import FNO

# By number of axes. Modes: of which leading axes keep both signs.
SIZES = {1: {"width": 32, "modes": [16], "projection": [64], "epochs": 300, "batch": 10, "lr": 2e-3},
         2: {"width": 16, "modes": [16, 8], "projection": [64], "epochs": 80, "batch": 10, "lr": 2e-3},
         3: {"width": 12, "modes": [8, 8, 6], "projection": [48], "epochs": 40, "batch": 10, "lr": 2e-3}}
PAPER = {1: {"width": 64, "modes": [16], "projection": [128], "epochs": 500, "batch": 20, "lr": 1e-3},
         2: {"width": 32, "modes": [24, 12], "projection": [128], "epochs": 500, "batch": 20, "lr": 1e-3},
         3: {"width": 20, "modes": [16, 16, 8], "projection": [128], "epochs": 500, "batch": 20, "lr": 1e-3}}


def build(problem: dict, functions: Functions, plain: bool, width: int, modes: list[int], projection: list[int],
          regularisation: float, rule: str) -> FNO:
    grid = functions.x.shape[1:-1]
    free = max(face["axis"] for face in problem["faces"]) + 1
    padding = [0 if axis < free else math.ceil(n / 3) for axis, n in enumerate(grid)]
    limits = [n + p if axis + 1 < len(grid) else (n + p) // 2 + 1 for axis, (n, p) in enumerate(zip(grid, padding))]
    return FNO(inputs=functions.x.shape[-1], outputs=functions.u.shape[-1], width=width, blocks=4,
               modes=[min(c, limit) for c, limit in zip(modes, limits)], projection=projection,
               bounds=[[axis["lower"], axis["upper"]] for axis in problem["axes"]], padding=padding,
               faces=[] if plain else problem["faces"], regularisation=regularisation, rule=rule)


def unit(a: Tensor) -> float:
    """The power of two next to the root mean square: what a network value stands for."""
    return 2.0 ** round(math.log2(a.square().mean().sqrt().item() or 1.0))


def relative_errors(u: Tensor, truth: Tensor) -> Tensor:
    """|u - truth| / |truth| of each function, in L2."""
    return (u - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)


def predict(model: FNO, functions: Functions) -> Tensor:
    return model(functions.x, functions.values if model.valued else [])


@torch.no_grad()
def validate(model: FNO, problem: dict, test: Functions, scale: float, batch: int) -> dict:
    """Relative L2 errors, and the mean distance from the condition of each face, raw units."""
    u = torch.cat([predict(model, test[at : at + batch]) for at in range(0, len(test), batch)])
    errors = relative_errors(u, test.u)
    apart = faces.misses(scale * u.double(), [scale * value.double() for value in test.values], problem["faces"], model.bounds)
    return {"relative_l2": errors.mean().item(), "worst": errors.max().item(), **{f"face_{i}": a for i, a in enumerate(apart)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--problem", help="refuse data of another one")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plain", action="store_true", help="without faces")
    parser.add_argument("--paper", action="store_true", help="the sizes and epochs of the paper")
    parser.add_argument("--width", type=int)
    parser.add_argument("--modes", type=int, nargs="+", help="one an axis")
    parser.add_argument("--projection", type=int, nargs="*")
    parser.add_argument("--regularisation", type=float, default=0.5,
                        help="of the kernel among the nodes of faces, which are neighbours to periodic waves: near 0 fields swing beside them")
    parser.add_argument("--rule", choices=["exact", "seed"], default="exact", help="seed: the published code's algebra")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--halvings", type=int, default=5, help="of the learning rate, evenly spaced")
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--functions", type=int, help="training functions, when not all")
    parser.add_argument("--test", type=int, default=100, help="test functions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-every", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()

    problem, functions = faces.load(args.data)
    assert args.problem in (None, problem["name"]), f"{args.data} is of {problem['name']}"
    sizes = (PAPER if args.paper else SIZES)[len(problem["axes"])]
    settings = sizes | {k: v for k, v in vars(args).items() if k not in ("out", "data", "threads", "device") and v is not None}
    settings |= {"problem": problem["name"], "functions": args.functions or len(functions) - args.test}
    assert 0 < settings["functions"] <= len(functions) - args.test
    device = records.device(args.device)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)

    model = build(problem, functions, args.plain, *(settings[k] for k in ("width", "modes", "projection", "regularisation", "rule"))).to(device)
    train, test = functions[: settings["functions"]], functions[len(functions) - args.test :]
    units = {"inputs": [unit(train.x[..., i]) for i in range(train.x.shape[-1])], "outputs": unit(train.u)}
    given = torch.tensor(units["inputs"], dtype=torch.float64)
    scaled = lambda f: Functions(f.x / given, f.u / units["outputs"], [value / units["outputs"] for value in f.values])
    train, test = (scaled(part).map(lambda a: a.float().to(device)) for part in (train, test))

    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"], weight_decay=args.weight_decay)
    epochs = settings["epochs"]
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, max(1, math.ceil(epochs / (args.halvings + 1))), 0.5)
    first, spent = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if state := records.load(checkpoint, settings):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        first, spent = state["epoch"], state["seconds"]
    loss_sum, loss_count, started = 0.0, 0, time.monotonic() - spent
    for epoch in range(first, epochs):
        for chosen in torch.randperm(len(train), generator=generator).split(settings["batch"]):
            batch = train[chosen.to(device)]
            loss = relative_errors(predict(model, batch), batch.u).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_sum, loss_count = loss_sum + loss.item(), loss_count + 1
        rate = schedule.get_last_lr()[0]
        schedule.step()
        done = epoch + 1
        records.progress(done, epochs, started, f"loss {loss.item():9.5f}")
        if done % args.eval_every == 0 or done == epochs:
            row = {"epoch": done, "seconds": round(time.monotonic() - started, 1), "learning_rate": rate,
                   "loss": loss_sum / loss_count, **validate(model, problem, test, units["outputs"], settings["batch"])}
            loss_sum, loss_count = 0.0, 0
            records.log(args.out / "log.csv", row)
            records.save(checkpoint, {
                "model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
                "generator": generator.get_state(), "epoch": done, "seconds": row["seconds"], "arguments": model.arguments,
                "settings": settings, "problem": problem, "units": units, "sample": vars(sample(model, functions))})
    export_fno(checkpoint, args.out / "model.safetensors")
    print(f"wrote {args.out / 'model.safetensors'}")


if __name__ == "__main__":
    main()
