"""A perceptron 60-128-128-60 with ReLU beside the same one in ONNX Runtime, through its C interface, and in plain Fortran (gfortran -O3
-march=native, matmul). One thread pinned to one core (Linux), f32.

    python benches/peers/mlp.py [--onnxruntime INCLUDE] [--json PATH]

All have the same weights and must agree; they run in turns (mlp.c), and ratios are medians over turns. INCLUDE is the folder of
onnxruntime_c_api.h: the library is that of the package onnxruntime, which has no header. Without it ONNX Runtime is called through Python, for one
row, between runs of mlp.c. Needs onnx and onnxruntime, a C compiler, and gfortran where it is there. cargo builds the library and the command,
unless PCML_LIBRARY and PCML_COMMAND name them.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import turns

BATCHES = (1, 16, 256, 4096, 65536)
WIDTHS = (60, 128, 128, 60)


def parameters():
    rng = np.random.default_rng(0)
    layers = list(zip(WIDTHS, WIDTHS[1:]))
    weights = [(rng.normal(size=(outer, inner)) / np.sqrt(inner)).astype(np.float32) for inner, outer in layers]
    return weights, [(rng.normal(size=outer) / 10).astype(np.float32) for _, outer in layers]


def network(weights, biases):
    """The bytes of an ONNX file."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors, here = [], [], "x"
    for i, (weight, bias) in enumerate(zip(weights, biases)):
        tensors += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        last = i + 1 == len(weights)
        there = "y" if last else f"h{i}"
        nodes.append(helper.make_node("Gemm", [here, f"w{i}", f"b{i}"], [there], transB=1))
        here = there
        if not last:
            nodes.append(helper.make_node("Relu", [here], [f"r{i}"]))
            here = f"r{i}"
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", WIDTHS[0]])
    graph = helper.make_graph(nodes, "perceptron", [value("x")], [value("y")], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def through_python(path):
    """Seconds of a call for one row, the median of some runs of 2 ms."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = {"x": np.random.default_rng(1).normal(size=(1, WIDTHS[0])).astype(np.float32)}

    def run():
        start = time.perf_counter()
        for _ in range(200):
            session.run(None, given)
        return (time.perf_counter() - start) / 200

    return lambda: statistics.median(run() for _ in range(11))


def program(folder, include):
    """The compiled mlp.c."""
    from pcml.library import SONAME

    peers, libraries, flags = turns.ROOT / "benches/peers", [Path(os.environ["PCML_LIBRARY"])], []
    # Where the loader looks for the libraries, by the names that they have in them.
    (folder / SONAME).symlink_to(libraries[0].resolve())
    if shutil.which("gfortran"):
        made = folder / "perceptron.o"
        subprocess.run(["gfortran", "-O3", "-march=native", "-J", folder, "-c", peers / "mlp.f90", "-o", made], check=True)
        flags += ["-DFORTRAN", made, "-lgfortran"]
    if include:
        import onnxruntime

        libraries += (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*")
        (folder / "libonnxruntime.so.1").symlink_to(libraries[-1])
        flags += ["-DONNX_RUNTIME", "-I", include]
    command = ["cc", "-O2", peers / "mlp.c", "-o", folder / "mlp", "-I", turns.ROOT / "include"]
    subprocess.run([*command, *flags, *libraries, "-lm", f"-Wl,-rpath,{folder}"], check=True)
    return folder / "mlp"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxruntime", metavar="INCLUDE", type=Path)
    parser.add_argument("--turns", type=int, default=41)
    turns.add_options(parser)
    arguments = parser.parse_args()
    turns.use_pcml()
    turns.pin()
    import pcml

    weights, biases = parameters()
    table = turns.Table(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx, model, raw = folder / "network.onnx", folder / "model.safetensors", folder / "weights"
        onnx.write_bytes(network(weights, biases))
        state = {f"{2 * i}.{of}": value for i, pair in enumerate(zip(weights, biases)) for of, value in zip(("weight", "bias"), pair)}
        pcml.convert("sequential", state, model, activation="relu")
        raw.write_bytes(b"".join(part.tobytes() for w, b in zip(weights, biases) for part in (w.T.copy(), b)))
        built = program(folder, arguments.onnxruntime)

        def run(rows, count):
            done = subprocess.run([built, model, onnx, raw, str(count), str(rows)], check=True, capture_output=True, text=True)
            seconds = {}
            for line in done.stdout.splitlines():
                who, value = line.split(" ", 1)[1].split(": ")
                seconds.setdefault(who, []).append(float(value))
            return seconds

        for rows in BATCHES:
            table.add_times(f"mlp_{rows}", run(rows, arguments.turns))
        python = through_python(onnx)
        pairs = [(statistics.median(run(1, 11)["pcml"]), python()) for _ in range(11)]
        ours, theirs = map(list, zip(*pairs))
        table.add_times("mlp_1", {"pcml": ours, "ONNX Runtime through Python": theirs})
    table.close()


if __name__ == "__main__":
    main()
