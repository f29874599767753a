"""Trains the attentive neural process on one of the conservation problems and exports it.

    python train.py --out runs/stefan                        # some minutes on a core
    python train.py --problem pme --soft --out runs/pme_soft # with the residual of the equation in the loss (SoftC-ANP)
    python train.py --soft --start runs/stefan/model.safetensors --steps 1500 --lr 3e-4 --out runs/stefan_soft
    python train.py --paper --out runs/paper                 # the setting of the paper
    python train.py --out runs/smoke --steps 20 --batch 8    # a smoke run

Writes log.csv (validation every --eval-every steps), checkpoint.pt (resumed from when it is there; the run is the same as one without the
stop, up to the order of random draws) and, at the end, model.safetensors.
"""

import argparse
import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from torch.nn.attention import SDPBackend, sdpa_kernel

import records
from anp import ANP
from export import export_anp
from problems import PROBLEMS, Problem


PAPER = {"hidden": 128, "batch": 250, "steps": 20_000, "lr": 1e-4, "constant": True, "dropout": 0.1, "functions": 10_000,
         "soft_functions": 250, "raw_time": True}


def scaled(problem: Problem, raw_time: bool, tx: torch.Tensor) -> torch.Tensor:
    """Coordinates in units of the domain, or x alone."""
    low, high = problem.x_range
    offset = torch.tensor([0.0, low], dtype=tx.dtype, device=tx.device)
    return ((tx - offset) / torch.tensor([problem.time_unit(raw_time), high - low], dtype=tx.dtype, device=tx.device)).float()


@torch.no_grad()
def validate(problem: Problem, units: Callable, model: ANP, sets: dict, device: torch.device) -> dict:
    """Scores at the mean latent."""
    def predict(cx, cy, tx):
        cx, cy, tx = (a.to(device) for a in (cx, cy, tx))
        return (a.squeeze(-1) for a in model(units(cx), cy.float(), units(tx)))

    model.eval()
    scores = problem.scores(sets, predict)
    model.train()
    return scores


def batches(problem: Problem, n: int, functions: int, generator: torch.Generator):
    """Endlessly: new functions, or some of a fixed set of them."""
    fixed = problem.batch(functions, torch.Generator().manual_seed(54321)) if functions else None
    while True:
        if fixed:
            chosen = torch.randperm(functions, generator=generator)[:n]
            yield tuple(part[chosen] for part in fixed)
        else:
            yield problem.batch(n, generator)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--problem", choices=PROBLEMS, default="stefan")
    parser.add_argument("--soft", action="store_true",
                        help="add the mean squared residual of the equation at the targets, for the mean at the mean latent")
    parser.add_argument("--soft-functions", type=int, default=8, help="of a batch, whose residual is taken")
    parser.add_argument("--start", type=Path, help="a model file whose weights to start from")
    parser.add_argument("--paper", action="store_true", help=f"{PAPER}, but for what is given")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--lr", type=float, default=1e-3, help="decays to zero along a cosine after 200 warm-up steps")
    parser.add_argument("--constant", action="store_true", help="it stays instead")
    parser.add_argument("--dropout", type=float, default=0.0, help="new functions in every batch leave it nothing to prevent")
    parser.add_argument("--functions", type=int, default=0, help="a fixed set of so many instead of new functions in every batch")
    parser.add_argument("--raw-time", action="store_true", help="the network is given t as it is, as in the paper, not in units of the domain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eval-every", type=int, default=250)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="auto")
    if parser.parse_args().paper:
        parser.set_defaults(**PAPER)
    args = parser.parse_args()

    problem = PROBLEMS[args.problem]
    if args.soft and problem.residual is None:
        parser.error(f"--soft: the solutions of {problem.name} jump, and their equation has no derivatives to square")
    settings = {k: v for k, v in vars(args).items() if k not in ("out", "threads", "device", "start")}
    device = records.device(args.device)
    units = partial(scaled, problem, args.raw_time)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = ANP(hidden=args.hidden, dropout=args.dropout).to(device)
    if args.start:
        with safe_open(args.start, "pt") as file:
            model.load_state_dict({name: file.get_tensor(name) for name in model.state_dict()})
            settings["start"] = file.metadata()["pcml.sha256"]
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 1.0 if args.constant else (
        min(1.0, (s + 1) / 200) * 0.5 * (1 + math.cos(math.pi * min(1.0, s / args.steps)))))
    first, spent = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if state := records.load(checkpoint, settings):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        first, spent = state["step"], state["seconds"]

    sets = problem.tests()
    log_path = args.out / "log.csv"
    sums, count, started = {}, 0, time.monotonic() - spent
    draws = batches(problem, args.batch, args.functions, generator)
    for step in range(first, args.steps):
        parameter, cx, cy, tx, ty = (a.to(device) for a in next(draws))
        terms = {"loss": model.loss(units(cx), cy.float(), units(tx), ty.float())}
        if args.soft:
            parameter, cx, cy, tx = (a[: args.soft_functions] for a in (parameter, cx, cy, tx))
            tx.requires_grad_()
            # The fused kernels have no second derivatives.
            with sdpa_kernel(SDPBackend.MATH):
                mean, _ = model(units(cx), cy.float(), units(tx))
                terms["residual"] = problem.residual(parameter[:, None], mean.squeeze(-1), tx).square().mean()
        optimizer.zero_grad(set_to_none=True)
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        optimizer.step()
        schedule.step()
        sums, count = {k: sums.get(k, 0.0) + v.item() for k, v in terms.items()}, count + 1
        done = step + 1
        if done % 10 == 0 or done == args.steps:
            records.progress(done, args.steps, started, f"loss {terms['loss'].item():9.2f}")
        if done % args.eval_every == 0 or done == args.steps:
            row = {"step": done, "seconds": round(time.monotonic() - started, 1), "learning_rate": schedule.get_last_lr()[0],
                   **{k: v / count for k, v in sums.items()}, **validate(problem, units, model, sets, device)}
            sums, count = {}, 0
            records.log(log_path, row)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
                     "generator": generator.get_state(), "step": done, "seconds": row["seconds"],
                     "numbers": model.numbers, "settings": settings}
            records.save(checkpoint, state)
    export_anp(model, problem, args.out / "model.safetensors", settings)
    print(f"wrote {args.out / 'model.safetensors'}")


if __name__ == "__main__":
    main()
