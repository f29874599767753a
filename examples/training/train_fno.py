"""Trains a Fourier neural operator on the heat problem and exports it.

    python train_fno.py --out runs/heat                                # the shipped model: obeys both fluxes, half an hour on a core
    python train_fno.py --out runs/heat_plain --plain                  # the same network without faces
    python train_fno.py --out runs/smoke --epochs 2 --functions 40     # a smoke run

Writes log.csv (test functions, every --eval-every epochs), checkpoint.pt (resumed from when it is there; the run is the same as one
without the stop) and, at the end, model.safetensors.
"""

import argparse
import os
import time
from pathlib import Path

import torch
from torch import Tensor

import heat
import records
from export_fno import export_fno
from fno import FNO, quotients

BATCH = 20


def build(plain: bool) -> FNO:
    first, *_, last = heat.times().tolist()
    return FNO(inputs=1, outputs=1, width=16, blocks=4, modes=[16, 8], projection=[128], bounds=[[0.0, 1.0], [first, last]],
               padding=[0, 9], faces=[] if plain else heat.FACES)


def predict(model: FNO, x: Tensor) -> Tensor:
    return model(x, [v.to(x.dtype) for v in heat.face_values(len(x))] if model.valued else [])


def relative_errors(u: Tensor, truth: Tensor) -> Tensor:
    """|u - truth| / |truth| of each function, in L2."""
    return (u - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)


@torch.no_grad()
def validate(model: FNO, x: Tensor, truth: Tensor) -> dict:
    """Mean relative L2 error, and the mean distance of the stencils' quotients from the fluxes, left and right."""
    u = torch.cat([predict(model, part) for part in x.float().split(BATCH)]).double()
    left, right = (
        (found - flux).abs().mean().item()
        for found, flux in zip(quotients(u, heat.FACES, heat.SPACING), heat.face_values(len(u))))
    return {"relative_l2": relative_errors(u, truth).mean().item(), "left_flux_error": left, "right_flux_error": right}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plain", action="store_true", help="without faces")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--halve-every", type=int, default=25, help="epochs after which the learning rate halves")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--functions", type=int, default=500, help="training functions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-every", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()

    settings = {k: v for k, v in vars(args).items() if k not in ("out", "threads")} | {"batch": BATCH}
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = build(args.plain)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, args.halve_every, 0.5)
    first, spent = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        first, spent = state["epoch"], state["seconds"]

    (x, u), test = heat.data(train=args.functions, seed=args.seed)
    x, u = x.float(), u.float()
    log_path = args.out / "log.csv"
    loss_sum, loss_count, started = 0.0, 0, time.monotonic() - spent
    for epoch in range(first, args.epochs):
        for chosen in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = relative_errors(predict(model, x[chosen]), u[chosen]).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_sum, loss_count = loss_sum + loss.item(), loss_count + 1
        rate = schedule.get_last_lr()[0]
        schedule.step()
        done = epoch + 1
        filled = 30 * done // args.epochs
        rest = (time.monotonic() - started) / done * (args.epochs - done)
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{args.epochs}  loss {loss.item():9.5f}  "
              f"{rest / 60:5.1f} min left", end="", flush=True)
        if done % args.eval_every == 0 or done == args.epochs:
            row = {"epoch": done, "seconds": round(time.monotonic() - started, 1), "learning_rate": rate,
                   "loss": loss_sum / loss_count, **validate(model, *test)}
            loss_sum, loss_count = 0.0, 0
            records.log(log_path, row)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
                     "generator": generator.get_state(), "epoch": done, "seconds": row["seconds"],
                     "arguments": model.arguments, "settings": settings}
            records.save(checkpoint, state)
    print()
    export_fno(model, args.out / "model.safetensors", settings)
    print(f"wrote {args.out / 'model.safetensors'}")


if __name__ == "__main__":
    main()
