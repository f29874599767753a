"""Trains the attentive neural process on one of the conservation problems and exports it.

    python train.py --out runs/stefan                        # a shipped model: hidden 64, about an hour on two cores
    python train.py --problem pme --out runs/pme
    python train.py --out runs/smoke --steps 20 --batch 8    # a smoke run

Every batch holds new functions. Writes log.csv (validation every --eval-every steps), checkpoint.pt (resumed from when
it is there; the run is the same as one without the stop, up to the order of random draws) and, at the end, model.safetensors.
"""

import argparse
import math
import os
import time
from pathlib import Path

import torch

import records
from anp import ANP
from export import export_anp
from problems import PROBLEMS, Problem


def scaled(problem: Problem, tx: torch.Tensor) -> torch.Tensor:
    """Coordinates in units of the domain."""
    low, high = problem.x_range
    offset = torch.tensor([0.0, low], dtype=tx.dtype)
    return ((tx - offset) / torch.tensor([problem.t_max, high - low], dtype=tx.dtype)).float()


def validation_set(problem: Problem, seed: int = 12345, n: int = 50):
    generator = torch.Generator().manual_seed(seed)
    sets = {}
    x = torch.linspace(*problem.x_range, 201, dtype=torch.float64)
    target = torch.stack([torch.full_like(x, problem.metric_time), x], -1).expand(n, -1, -1)
    for value in problem.test_values:
        parameter = torch.full((n,), value, dtype=torch.float64)
        context_x = problem.points(n, 10, True, generator)
        truth = problem.sample(parameter, target)
        mass = problem.mass(parameter, problem.metric_time)
        sets[value] = (context_x, problem.sample(parameter, context_x), target, truth, mass)
    return sets


@torch.no_grad()
def validate(problem: Problem, model: ANP, sets) -> dict:
    """MSE of the mean at the mean latent before and after the ProbConserv projection (trapezoid rule, no noise)."""
    model.eval()
    scores = {}
    for value, (cx, cy, tx, truth, mass) in sets.items():
        mean, sigma = (a.double().squeeze(-1) for a in model(scaled(problem, cx), cy.float(), scaled(problem, tx)))
        x = tx[0, :, 1]
        g = torch.zeros_like(x)
        g[:-1] += 0.5 * x.diff()
        g[1:] += 0.5 * x.diff()
        residual = mean @ g - mass
        gain = sigma**2 * g / (sigma**2 @ g**2)[:, None]
        truth = truth.squeeze(-1)
        scores[f"mse_{value}"] = ((mean - truth) ** 2).mean().item()
        scores[f"mse_projected_{value}"] = ((mean - gain * residual[:, None] - truth) ** 2).mean().item()
        scores[f"conservation_{value}"] = residual.mean().item()
        z = (truth - mean) / sigma
        scores[f"log_density_{value}"] = (-0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)).mean().item()
    model.train()
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problem", choices=PROBLEMS, default="stefan")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--lr", type=float, default=1e-3, help="decays to zero along a cosine after 200 warm-up steps")
    parser.add_argument("--dropout", type=float, default=0.0,
                        help="0.1 in the published setting; new functions in every batch leave it nothing to prevent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-every", type=int, default=250)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()

    settings = {k: v for k, v in vars(args).items() if k not in ("out", "threads")}
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = ANP(hidden=args.hidden, dropout=args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / 200) * 0.5 * (1 + math.cos(math.pi * min(1.0, s / args.steps))))
    first, spent = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        first, spent = state["step"], state["seconds"]

    problem = PROBLEMS[args.problem]
    sets = validation_set(problem)
    log_path = args.out / "log.csv"
    loss_sum, loss_count, started = 0.0, 0, time.monotonic() - spent
    for step in range(first, args.steps):
        cx, cy, tx, ty = problem.batch(args.batch, generator)
        loss = model.loss(scaled(problem, cx), cy.float(), scaled(problem, tx), ty.float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        optimizer.step()
        schedule.step()
        loss_sum, loss_count = loss_sum + loss.item(), loss_count + 1
        done = step + 1
        if done % 10 == 0 or done == args.steps:
            filled = 30 * done // args.steps
            rest = (time.monotonic() - started) / done * (args.steps - done)
            print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{args.steps}  loss {loss.item():9.2f}  "
                  f"{rest / 60:5.1f} min left", end="", flush=True)
        if done % args.eval_every == 0 or done == args.steps:
            row = {"step": done, "seconds": round(time.monotonic() - started, 1),
                   "learning_rate": schedule.get_last_lr()[0], "loss": loss_sum / loss_count, **validate(problem, model, sets)}
            loss_sum, loss_count = 0.0, 0
            records.log(log_path, row)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
                     "generator": generator.get_state(), "step": done, "seconds": row["seconds"],
                     "numbers": model.numbers, "settings": settings}
            records.save(checkpoint, state)
    print()
    export_anp(model, problem, args.out / "model.safetensors", settings)
    print(f"wrote {args.out / 'model.safetensors'}")


if __name__ == "__main__":
    main()
