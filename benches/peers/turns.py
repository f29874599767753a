"""Times of several implementations of one thing, in turns on one core, and where the library and the command are."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pin():
    """This process on one core from here on."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def use_pcml():
    """Makes `import pcml` give the binding of this tree, on the library that the environment names or cargo builds."""
    if not {"PCML_LIBRARY", "PCML_COMMAND"} <= set(os.environ):
        subprocess.run(["cargo", "build", "--release", "-p", "pcml-c", "-p", "pcml-cli"], cwd=ROOT, check=True)
        built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
        os.environ.setdefault("PCML_LIBRARY", str(built / "libpcml.so"))
        os.environ.setdefault("PCML_COMMAND", str(built / "pcml"))
    sys.path.insert(0, str(ROOT / "bindings/python/src"))


#: A turn calls until so many seconds are over, unseen and then timed. After other work a processor needs milliseconds to bring data back into
#: its caches and its wide units back to speed: a first call of 1.8 ms takes 2.3 to 2.8.
UNSEEN, TIMED = 0.01, 0.02


def each_call(run, least):
    """Mean seconds of a call, of as many as take `least` seconds."""
    start, calls = time.perf_counter(), 0
    while True:
        run()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= least:
            return elapsed / calls


def in_turns(runs, budget, most):
    """Seconds of a call of each, one a turn: from 7 turns to `most`, as many as the budget of seconds allows."""
    turn = lambda run: (each_call(run, UNSEEN), each_call(run, TIMED))[1]
    for run in runs.values():
        run()
    start = time.perf_counter()
    for run in runs.values():
        turn(run)
    count = min(most, max(7, int(budget / (time.perf_counter() - start))))
    seconds = {who: [] for who in runs}
    for _ in range(count):
        for who, run in runs.items():
            seconds[who].append(turn(run))
    return seconds


def add_options(parser: argparse.ArgumentParser):
    parser.add_argument("--json", metavar="PATH", help="writes the records there")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each case, about (10)")


class Table:
    """Prints a line for each implementation of each case; the ratios are over the first one."""

    def __init__(self, arguments):
        self.arguments, self.records = arguments, []
        print(f"{'case':<18}{'who':<30}{'median ms':>11}{'quartiles ms':>21}{'turns':>7}{'ratio':>9}{'quartiles':>17}")

    def add(self, case, runs):
        self.add_times(case, in_turns(runs, self.arguments.seconds, 400))

    def add_times(self, case, seconds):
        """Seconds of each turn by who."""
        ours = next(iter(seconds.values()))
        for who, theirs in seconds.items():
            ratios = [their / our for their, our in zip(theirs, ours)]
            (low, median, high), ratio = (statistics.quantiles(of) for of in (theirs, ratios))
            self.records.append({
                "case": case, "who": who, "median": median, "quartiles": [low, high], "runs": len(theirs),
                "ratio": ratio[1], "ratio_quartiles": [ratio[0], ratio[2]],
            })
            times = f"{1e3 * median:>11.4f}{f'{1e3 * low:.4f} - {1e3 * high:.4f}':>21}"
            print(f"{case:<18}{who:<30}{times}{len(theirs):>7}{ratio[1]:>9.2f}{f'{ratio[0]:.2f} - {ratio[2]:.2f}':>17}", flush=True)

    def close(self):
        if self.arguments.json:
            Path(self.arguments.json).write_text(json.dumps(self.records, indent=1) + "\n")
