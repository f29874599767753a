"""What a training run leaves behind: a row of its log, and a checkpoint that is whole or not there."""

import csv
from pathlib import Path

import torch


def log(path: Path, row: dict) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as f:
        writer = csv.DictWriter(f, row.keys())
        if fresh:
            writer.writeheader()
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


def save(checkpoint: Path, state: dict) -> None:
    torch.save(state, checkpoint.with_suffix(".tmp"))
    checkpoint.with_suffix(".tmp").replace(checkpoint)
