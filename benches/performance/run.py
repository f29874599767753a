"""Runs every bench beside its peers, what the machine can do, and two workers at once; writes docs/performance.md. Linux.

    python benches/performance/run.py [--quick] [--only SECTION ..] [--published PATH] [--onnxruntime INCLUDE] [--page PATH] [--readme README.md] [--results PATH]

cargo builds the library, the command and the benches first; PCML_LIBRARY and PCML_COMMAND name others. Measurements then run one after the other,
each pinned to one core, those with two threads or processes to two. A peer whose modules or programs are not there is left out, and the page says so.
Results go to --results (target/performance.json) after every section, and `page.py` makes the page of them again; with --only, sections of earlier
runs are kept.

Needs numpy; for the peers torch, jax, scikit-learn, onnx and onnxruntime, gfortran; for the rest cc with OpenMP, mpicc and mpirun, c++, gfortran, julia.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import page

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
#: Benches whose own lines are what counts; criterion's measurements are filtered out.
IN_TURNS = ("projection", "bounded", "joint", "flux", "sums", "fno", "mlp")
BY_CRITERION = ("inference", "nonlinear", "anp", "gp")
#: They run on two threads too.
ON_TWO_CORES = ("projection", "fno")
PEERS = ("projection", "fno", "mlp", "anp", "gp")
#: Cases of peers that a quick run takes.
QUICK = {
    "projection": ("--cells", "201", "1001"),
    "fno": ("--case", "fno_1d_500", "fno_2d_64x64", "boon_1d_500"),
    "mlp": ("--turns", "7"),
    "anp": ("--case", "1 latent"),
    "gp": ("--points", "100"),
}
#: No benchmark's name has it.
NONE = "none-of-them"


class Failed(Exception):
    """Why a section has no records."""


def cores():
    return sorted(os.sched_getaffinity(0))


def call(command, on=None, **settings):
    """What a command prints; it runs on so many cores, the last ones."""
    pin = (lambda: os.sched_setaffinity(0, set(cores()[-on:]))) if on else None
    command = [str(part) for part in command]
    print(f"$ {' '.join(command)}", flush=True)
    settings["env"] = {**os.environ, **settings.get("env", {})}
    try:
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pin, **{"cwd": ROOT, **settings})
    except FileNotFoundError:
        raise Failed(f"no program {command[0]}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(f"{Path(command[0]).name} {Path(command[-1]).name if len(command) > 1 else ''} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, method="inclusive")


def record(case, who, values, ours=None, **more):
    """What a list of seconds becomes; beside `ours` of the same rounds with a ratio."""
    low, middle, high = quartiles(values)
    made = {"case": case, "who": who, "median": middle, "quartiles": [low, high], "runs": len(values), **more}
    if ours is not None:
        low, middle, high = quartiles([a / b for a, b in zip(values, ours)])
        made |= {"ratio": middle, "ratio_quartiles": [low, high]}
    return made


def of_criterion(folder):
    """Records of what criterion measured into a folder."""
    found = []
    for path in folder.glob("**/new/benchmark.json"):
        name, sample = (json.loads((path.parent / f"{part}.json").read_text()) for part in ("benchmark", "sample"))
        case = ", ".join(part for part in (name["group_id"], name["function_id"], name["value_str"]) if part)
        values = [1e-9 * total / count for total, count in zip(sample["times"], sample["iters"])]
        # The order in which they were measured.
        found.append((path.stat().st_mtime_ns, record(case, page.OURS, values)))
    return [of for _, of in sorted(found, key=lambda pair: pair[0])]


def bench(name, arguments, folder):
    file = folder / "records"
    file.unlink(missing_ok=True)
    measured = folder / "criterion"
    shutil.rmtree(measured, ignore_errors=True)
    filters = [] if name in BY_CRITERION else [NONE]
    quick = ["--quick"] if arguments.quick else []
    call(["cargo", "bench", "-q", "--bench", name, "--", *filters, *quick],
         on=2 if name in ON_TWO_CORES else 1, env={"PCML_RECORDS": str(file), "CRITERION_HOME": str(measured)})
    return lines(file) + of_criterion(measured)


def peer(name, arguments, folder):
    script = ROOT / f"benches/peers/{name}.py"
    file = folder / "peer.json"
    file.unlink(missing_ok=True)
    more = ["--seconds", "0.2", *QUICK.get(name, ())] if arguments.quick else []
    if name == "fno" and arguments.published:
        more += ["--published", arguments.published]
    if name == "mlp" and arguments.onnxruntime:
        more += ["--onnxruntime", arguments.onnxruntime]
    call([sys.executable, script, "--json", file, *more], on=1)
    return json.loads(file.read_text())


def product(arguments, folder):
    file = folder / "product"
    file.unlink(missing_ok=True)
    call(["cargo", "run", "-q", "--release", "--locked", "--manifest-path", "benches/peers/product/Cargo.toml"], on=1, env={"PCML_RECORDS": str(file)})
    return lines(file)


def models(folder):
    """The model files of both jobs."""
    paths = [folder / "operator.safetensors", folder / "perceptron.safetensors"]
    call(["cargo", "bench", "-q", "--bench", "fno", "--", "--only", "fno_2d_64x64", "--save", paths[0]])
    call(["cargo", "bench", "-q", "--bench", "mlp", "--", "--save", paths[1]])
    return paths


def linked(compiler, sources, program, *flags):
    """A program with the library that is measured."""
    library = Path(os.environ["PCML_LIBRARY"]).resolve()
    # An installed tree has the name that programs look for; a target folder does not.
    major, minor = re.search(r'^version = "(\d+)\.(\d+)', (ROOT / "Cargo.toml").read_text(), re.M).groups()
    name = program.parent / f"libpcml.so.{f'0.{minor}' if major == '0' else major}"
    if not name.exists():
        name.symlink_to(library)
    call([*compiler, "-O2", *flags, f"-I{ROOT / 'include'}", *sources, library, f"-Wl,-rpath,{program.parent}", "-o", program])
    return program


def together(name, arguments, folder):
    rounds = 5 if arguments.quick else 101
    if name == "threads":
        program = linked(["cc", "-fopenmp"], [HERE / "threads.c"], folder / "threads")
        launch, settings = [program], {"OMP_PROC_BIND": "true", "OMP_WAIT_POLICY": "passive"}
    else:
        program = linked(["mpicc"], [HERE / "processes.c"], folder / "processes")
        launch, settings = ["mpirun", "-n", "2", program], {}
        if "Open MPI" in call(["mpirun", "--version"]):
            launch[1:1] = ["--bind-to", "core", *(["--allow-run-as-root"] if os.geteuid() == 0 else [])]
    found = []
    for line in call([*launch, *models(folder), rounds], on=2, env=settings).splitlines():
        of = json.loads(line)
        found.append(record(of["case"], page.OURS, of["alone"]))
        found.append(record(of["case"], f"two {name}", of["together"], of["alone"]))
    return found


def overhead(arguments, folder):
    """Programs of all languages in alternating runs, each of which tells medians."""
    sources, fortran = ROOT / "benches/overhead", ROOT / "bindings/fortran"
    library = {"PCML_LIBRARY": os.environ["PCML_LIBRARY"]}
    modules = [fortran / f"{name}.f90" for name in ("pcml_c", "pcml_errors", "pcml_objects", "pcml")]
    makers = {
        page.OURS: lambda: [linked(["cc"], [sources / "overhead.c"], folder / "c")],
        "C++": lambda: [linked(["c++", "-std=c++17"], [sources / "overhead.cpp"], folder / "cpp")],
        "Fortran": lambda: [linked(["gfortran", f"-J{folder}"], [*modules, sources / "overhead.f90"], folder / "fortran")],
        "Julia": lambda: ["julia", f"--project={ROOT / 'bindings/julia/PCML.jl'}", sources / "overhead.jl"],
        "Python": lambda: [sys.executable, sources / "overhead.py"],
    }
    settings = {**library, "PYTHONPATH": str(ROOT / "bindings/python/src")}
    times, gone = {}, {}
    programs = {}
    for who, make in makers.items():
        try:
            programs[who] = make()
        except Failed as reason:
            gone[who] = str(reason)
    for _ in range(1 if arguments.quick else 7):
        for who in [who for who in programs if who not in gone]:
            try:
                for case, value in re.findall(r"^(\w+) ([\d.]+)$", call(programs[who], on=1, env=settings), re.M):
                    times.setdefault(case, {}).setdefault(who, []).append(1e-9 * float(value))
            except Failed as reason:
                gone[who] = str(reason)
    if page.OURS in gone:
        raise Failed(gone[page.OURS])
    found = []
    names = {"sum": "exact sum of one value", "project": "projection of 8 cells"}
    for case, of in times.items():
        ours = of[page.OURS]
        note = "; ".join(f"{who} left out: {reason}" for who, reason in gone.items())
        found.append(record(names[case], page.OURS, ours, **({"note": note} if note else {})))
        found += [record(names[case], who, values, ours) for who, values in of.items() if who != page.OURS and who not in gone]
    return found


def said(command):
    try:
        return call(command).splitlines()[0].strip()
    except (Failed, IndexError):
        return None


def library_size():
    """Of the shared library."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "stripped"
        try:
            call(["strip", "-o", stripped, os.environ["PCML_LIBRARY"]])
        except Failed:
            return None
        return f"{stripped.stat().st_size / 1e6:.1f} MB, stripped"


def machine():
    """On what and when, for the page."""
    info = Path("/proc/cpuinfo").read_text()
    find = lambda name: next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith(name)), "?")
    caches = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / part).read_text().strip() for part in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    features = [name for name in ("avx2", "fma", "avx512f", "amx_tile") if name in find("flags").split()]
    versions = []
    for name in ("numpy", "torch", "jax", "scikit-learn", "onnxruntime"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    tools = [said([program, "--version"]) for program in ("rustc", "cc", "gfortran", "mpirun", "julia")]
    return {
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "version": said(["git", "describe", "--always", "--dirty"]) or "?",
        "processor": f"{find('model name')}, family {find('cpu family')}, model {find('model')}; {', '.join(features)}",
        "cores": f"{len(cores())}{', virtual' if 'hypervisor' in find('flags') else ''}; caches {', '.join(caches)}",
        "memory": f"{int(memory.split()[1]) / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "built with": "; ".join(tool for tool in tools if tool),
        "peers": "; ".join(versions),
        "shared library": library_size() or "?",
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    }


def sections():
    """What is measured, in order: names and functions of (arguments, folder) that give records."""
    found = {"product": product}
    for name in IN_TURNS + BY_CRITERION:
        found[name] = lambda arguments, folder, name=name: bench(name, arguments, folder)
    for name in PEERS:
        found[f"peers/{name}"] = lambda arguments, folder, name=name: peer(name, arguments, folder)
    for name in page.TOGETHER:
        found[name] = lambda arguments, folder, name=name: together(name, arguments, folder)
    found["overhead"] = overhead
    found["product at the end"] = product
    return found


def build():
    """All that is measured, before anything is."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    os.environ["CARGO_TARGET_DIR"] = str(target)
    if not {"PCML_LIBRARY", "PCML_COMMAND"} <= set(os.environ):
        call(["cargo", "build", "--release", "--locked", "-p", "pcml-c", "-p", "pcml-cli"])
        os.environ.setdefault("PCML_LIBRARY", str(target / "release/libpcml.so"))
        os.environ.setdefault("PCML_COMMAND", str(target / "release/pcml"))
    call(["cargo", "bench", "--locked", "--no-run", *(f"--bench={name}" for name in IN_TURNS + BY_CRITERION)])
    call(["cargo", "build", "-q", "--release", "--locked", "--manifest-path", "benches/peers/product/Cargo.toml"])
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    todo = sections()
    parser.add_argument("--quick", action="store_true", help="few repetitions and fewer cases: whether it runs")
    parser.add_argument("--only", nargs="+", choices=tuple(todo), metavar="SECTION", help=", ".join(todo))
    parser.add_argument("--published", type=Path, help="a checkout of the published BOON code")
    parser.add_argument("--onnxruntime", type=Path, help="the folder of onnxruntime_c_api.h")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--page", type=Path, default=ROOT / "docs/performance.md")
    parser.add_argument("--readme", type=Path, help="whose table between `<!-- performance -->` and `<!-- end performance -->` is written too")
    arguments = parser.parse_args()
    for name in ("published", "onnxruntime"):
        if place := getattr(arguments, name):
            setattr(arguments, name, place.resolve())
    target = build()
    path = arguments.results or target / "performance.json"
    earlier = json.loads(path.read_text())["sections"] if arguments.only and path.is_file() else {}
    results = {"machine": machine(), "quick": arguments.quick, "sections": earlier}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only or todo:
            start = time.monotonic()
            try:
                results["sections"][name] = {"records": todo[name](arguments, Path(folder))}
            except Failed as reason:
                results["sections"][name] = {"records": [], "missing": str(reason)}
                print(f"{name}: left out, {reason}")
            print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
            path.write_text(json.dumps(results, indent=1) + "\n")
    results["machine"]["load when it ended"] = f"{os.getloadavg()[0]:.1f}"
    path.write_text(json.dumps(results, indent=1) + "\n")
    page.write(results, arguments.page, arguments.readme)


if __name__ == "__main__":
    main()
