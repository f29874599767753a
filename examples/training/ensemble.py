"""Deep ensembles of perceptrons with variance heads (Lakshminarayanan et al., NeurIPS 2017): the loop and the model file.

Every member starts elsewhere and sees the data in another order. A run leaves log.csv (a row a member), a checkpoint of each finished member, from
which a later run goes on, and model.safetensors.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import records
from export import FORMAT, write

MINIMUM = 1e-6


def parser(description: str) -> argparse.ArgumentParser:
    """What all of them are asked."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--lr", type=float, default=2e-3, help="decays to zero along a cosine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="auto")
    return parser


def build(widths: list[int]) -> nn.Sequential:
    """`widths`: of inputs, hidden layers and outputs; with a raw variance beside each output."""
    layers = [nn.Linear(a, b) for a, b in zip(widths, [*widths[1:-1], 2 * widths[-1]])]
    return nn.Sequential(*(part for layer in layers[:-1] for part in (layer, nn.SiLU())), layers[-1])


def moments(model: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, raw = model(x).chunk(2, dim=-1)
    return mean, F.softplus(raw) + MINIMUM


@torch.no_grad()
def mixture(models: list[nn.Sequential], x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the members together, network units."""
    means, variances = zip(*(moments(model, x) for model in models))
    mean = torch.stack(means).mean(0)
    return mean, torch.stack(variances).mean(0) + torch.stack(means).var(0, correction=0)


def channels(names: list[str], units: list[str], offsets, scales) -> list[dict]:
    return [{"name": n, "unit": u, "offset": float(o), "scale": float(s)} for n, u, o, s in zip(names, units, offsets, scales)]


def scaled(values: Tensor, channels: list[dict]) -> Tensor:
    """Network values, f64, of raw ones."""
    offset, scale = (torch.tensor([c[key] for c in channels], dtype=torch.float64, device=values.device) for key in ("offset", "scale"))
    return (values - offset) / scale


def train_member(model: nn.Sequential, batches: Iterable, total: int, lr: float, text: str) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    started = time.monotonic()
    for done, (x, y) in enumerate(batches, 1):
        mean, variance = moments(model, x)
        loss = F.gaussian_nll_loss(mean, y, variance)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if done % 100 == 0 or done == total:
            records.progress(done, total, started, f"{text}, loss {loss.item():7.3f}")


def train(args, settings: dict, inputs: list[dict], outputs: list[dict], batches: Callable[[int], Iterable], total: int,
          score: Callable[[Callable], dict], given: Tensor, title: str, training_data: str, recipe: str) -> None:
    """batches(member): `total` batches of network values. score(predict): a row of the log, predict(x) being mean and variance, f64, of raw
    x. given: raw inputs of the self-test."""
    device = records.device(args.device)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    settings = settings | {k: v for k, v in vars(args).items() if k not in ("out", "threads", "device")}
    widths = [len(inputs), *settings["hidden"], len(outputs)]
    offset, scale = (torch.tensor([c[key] for c in outputs], dtype=torch.float64) for key in ("offset", "scale"))

    def raw(found: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        mean, variance = (a.double().cpu() for a in found)
        return offset + scale * mean, scale**2 * variance

    models, started = [], time.monotonic()
    for number in range(args.members):
        checkpoint = args.out / f"member{number}.pt"
        torch.manual_seed(args.seed + number)
        model = build(widths).to(device)
        state = records.load(checkpoint, settings)
        if state:
            model.load_state_dict(state["model"])
        else:
            feed = (tuple(part.to(device) for part in batch) for batch in batches(number))
            train_member(model, feed, total, args.lr, f"member {number + 1} of {args.members}")
            records.save(checkpoint, {"model": model.state_dict(), "settings": settings})
        models.append(model)
        if not state:
            predict = lambda x: raw(mixture(models, scaled(x, inputs).float().to(device)))
            records.log(args.out / "log.csv", {"members": number + 1, **score(predict), "seconds": time.monotonic() - started})

    doubles = [build(widths).double() for _ in models]
    tensors = {}
    for m, (double, model) in enumerate(zip(doubles, models)):
        double.load_state_dict(model.state_dict())
        for name, value in model.state_dict().items():
            layer, kind = name.split(".")
            tensors[f"members.{m}.layers.{int(layer) // 2}.{kind}"] = value.cpu().contiguous()
    mean, variance = raw(mixture(doubles, scaled(given, inputs)))
    tensors |= {"selftest.input": given.contiguous(), "selftest.output": mean, "selftest.variance": variance}
    write(args.out / "model.safetensors", {
        "format": FORMAT,
        "architecture": "mlp",
        "mlp": {"hidden": settings["hidden"], "activation": "silu",
                "head": {"function": "softplus", "of": "variance", "minimum": MINIMUM}},
        "ensemble": {"members": args.members},
        "inputs": inputs,
        "outputs": outputs,
        "provenance": {
            "title": f"Deep ensemble of {args.members} perceptrons: {title}",
            "training_data": training_data,
            "recipe": recipe,
            "settings": settings,
            "licence": "MIT OR Apache-2.0",
        },
        "selftest": {"tolerance": 1e-9},
    }, tensors)
    print(f"wrote {args.out / 'model.safetensors'}")
