"""What a training run leaves behind and shows: rows of its log, a checkpoint that is whole or not there, a bar; and what it runs on."""

import csv
import time
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


def load(checkpoint: Path, settings: dict) -> dict | None:
    """The state of the run with these settings, where it has begun."""
    if not checkpoint.exists():
        return None
    # On the CPU, where states of random generators have to be; the others go to what they are loaded into.
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    assert state["settings"] == settings, f"{checkpoint} is of {state['settings']}, not of {settings}"
    return state


def progress(done: int, total: int, started: float, text: str) -> None:
    filled = 30 * done // total
    rest = (time.monotonic() - started) / done * (total - done)
    print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total}  {text}  {rest / 60:5.1f} min left",
          end="" if done < total else "\n", flush=True)


def device(name: str) -> torch.device:
    """"auto": the accelerator where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
