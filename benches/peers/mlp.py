"""A perceptron 60-128-128-60 with ReLU in ONNX Runtime and in plain Fortran (gfortran -O3 -march=native, matmul), one thread, f32, pinned to one
core (Linux): the peers of `cargo bench --bench mlp`, which is run too, on the same core.

    python benches/peers/mlp.py

Needs onnx and onnxruntime; gfortran where it is there.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy as np

BATCHES = (1, 16, 256, 4096, 65536)
HERE = pathlib.Path(__file__).parent


def network():
    """The bytes of an ONNX file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    widths = [60, 128, 128, 60]
    nodes, weights, here = [], [], "x"
    for i, (inner, outer) in enumerate(zip(widths, widths[1:])):
        weight = (rng.normal(size=(outer, inner)) / np.sqrt(inner)).astype(np.float32)
        weights += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(np.zeros(outer, np.float32), f"b{i}")]
        last = i + 2 == len(widths)
        there = "y" if last else f"h{i}"
        nodes.append(helper.make_node("Gemm", [here, f"w{i}", f"b{i}"], [there], transB=1))
        here = there
        if not last:
            nodes.append(helper.make_node("Relu", [here], [f"r{i}"]))
            here = f"r{i}"
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 60])
    graph = helper.make_graph(nodes, "perceptron", [value("x")], [value("y")], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def onnx_runtime():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network(), options, providers=["CPUExecutionProvider"])
    found = {}
    for rows in BATCHES:
        given = {"x": np.random.default_rng(1).normal(size=(rows, 60)).astype(np.float32)}
        calls = max(1, 200_000 // (rows + 20))
        session.run(None, given)
        times = []
        for _ in range(15):
            start = time.perf_counter()
            for _ in range(calls):
                session.run(None, given)
            times.append((time.perf_counter() - start) / calls)
        found[rows] = statistics.median(times)
    return found


def fortran():
    if shutil.which("gfortran") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "mlp"
        subprocess.run(["gfortran", "-O3", "-march=native", str(HERE / "mlp.f90"), "-o", str(program)], check=True)
        lines = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.split("\n")
    return {int(line.split()[0]): float(line.split()[1]) for line in lines if line.strip()}


def ours():
    command = ["cargo", "bench", "-q", "--bench", "mlp", "--", "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent.parent).stdout.split("\n")
    found = json.loads([line for line in lines if line.startswith("{")][-1])
    return {int(rows): seconds for rows, seconds in found["batches"].items()}, found["overhead"]


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    (pcml, overhead), runtime, matmul = ours(), onnx_runtime(), fortran()
    print(f"a call of pcml without arithmetic: {overhead * 1e9:.0f} ns")
    print(f"{'rows':>6} {'pcml us':>12} {'ONNX Runtime':>14} {'ratio':>6} {'Fortran':>12} {'ratio':>6}")
    for rows in BATCHES:
        line = f"{rows:>6} {pcml[rows] * 1e6:>12.2f} {runtime[rows] * 1e6:>14.2f} {runtime[rows] / pcml[rows]:>6.1f}"
        if matmul:
            line += f" {matmul[rows] * 1e6:>12.2f} {matmul[rows] / pcml[rows]:>6.1f}"
        print(line)


if __name__ == "__main__":
    main()
