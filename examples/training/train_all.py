"""Trains every model of this folder, one after the other.

    python train_all.py                          # all of them: a night on a core
    python train_all.py --only stokes_boon stokes_fno
    python train_all.py --list

Each leaves its own folder under --out. Finished ones are skipped, interrupted ones go on. Functions of boundary problems come from the example
`problems`, which cargo builds.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPERATORS = ["stokes", "riemann", "inflow", "burgers_periodic", "heat_wall", "wave", "cavity"]
# What the published correction is for, but for periodic ends, where both are one.
PUBLISHED = ["stokes", "riemann", "inflow", "heat_wall", "cavity"]
# Where the recipe's own is not the best that was tried.
REGULARISATION = {"stokes": 30, "riemann": 30, "inflow": 30}


def recipes(out: Path, data: Path) -> dict[str, list]:
    """Arguments by name; what starts from another model comes after it."""
    of = lambda script, *arguments: [HERE / script, *arguments]
    start = lambda name: ["--start", out / name / "model.safetensors", "--steps", 1500, "--lr", 3e-4, "--batch", 32]
    regularised = lambda problem: ["--regularisation", REGULARISATION[problem]] if problem in REGULARISATION else []
    return {
        "porous": of("train_porous.py"),
        "columns": of("train_columns.py"),
        "stefan": of("train.py", "--steps", 24_000),
        "pme": of("train.py", "--problem", "pme", "--steps", 14_000),
        **{p: of("train.py", "--problem", p, "--steps", 7000) for p in ("heat", "advection", "burgers")},
        "stefan_raw": of("train.py", "--raw-time"),
        **{f"{p}_soft": of("train.py", "--problem", p, "--soft", *start(p)) for p in ("stefan", "pme")},
        "heat_soft": of("train.py", "--problem", "heat", "--soft", "--batch", 32),
        **{f"{p}_ensemble": of("train_ensemble.py", "--problem", p) for p in ("stefan", "pme")},
        **{name: of("train_fno.py", "--problem", p, "--data", data / f"{p}.safetensors", *plain)
           for p in OPERATORS for name, plain in ((f"{p}_boon", regularised(p)), (f"{p}_fno", ["--plain"]))},
        **{f"{p}_seed": of("train_fno.py", "--problem", p, "--data", data / f"{p}.safetensors", "--rule", "seed", "--lr", 5e-4)
           for p in PUBLISHED},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="what there is and what is finished")
    parser.add_argument("--functions", type=int, default=300, help="of each boundary problem, training and test")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()

    every = recipes(args.out, args.out / "data")
    if unknown := set(args.only or []) - set(every):
        parser.error(f"no recipe {', '.join(sorted(unknown))}")
    for name, arguments in every.items():
        if args.only and name not in args.only:
            continue
        finished = (args.out / name / "model.safetensors").exists()
        if args.list:
            print(f"{'finished' if finished else '        '}  {name:24} {' '.join(str(a) for a in [arguments[0].name, *arguments[1:]])}")
            continue
        if finished:
            continue
        print(name, flush=True)
        if "--data" in arguments and not (file := arguments[arguments.index("--data") + 1]).exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not there, like a checkpoint.
            draft = file.with_suffix(".tmp")
            problem = ["--", file.stem, "--functions", args.functions, "--seed", 0, "-o", draft.absolute()]
            subprocess.run(["cargo", "run", "--release", "--example", "problems", *map(str, problem)], cwd=HERE, check=True)
            draft.replace(file)
        command = [sys.executable, *arguments, "--out", args.out / name, "--threads", args.threads]
        subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    main()
