"""Makes the networks of this folder with PyTorch's exporter, and what onnxruntime gives for them.

    pip install torch==2.15.0 onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2 safetensors==0.8.0
    python make.py

Each network NAME is NAME.onnx, with arrays NAME.input and NAME.output in arrays.safetensors, laid out as the network takes and gives
them; the metadata entry `networks` has for each the number of axes, the layout and what else a conversion needs.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
ARRAYS, NETWORKS = {}, {}


def keep(name, shape, axes=0, layout=None, dtype=np.float32, **settings):
    """Runs the exported network on an input of this shape, and keeps both arrays."""
    path = HERE / f"{name}.onnx"
    x = np.random.default_rng(3).uniform(-1, 1, shape).astype(dtype)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    ARRAYS[f"{name}.input"], ARRAYS[f"{name}.output"] = x, y
    NETWORKS[name] = {"axes": axes, **({"layout": layout} if layout else {}), **settings}
    print(f"{path.name}: {path.stat().st_size} bytes, {sorted({n.op_type for n in onnx.load(path).graph.node})}, {y.shape}")


def strip(path):
    """Without the exporter's notes, which are larger than the networks."""
    model = onnx.load(path)
    for thing in [model.graph, *model.graph.node, *model.graph.input, *model.graph.output]:
        thing.doc_string = ""
        del thing.metadata_props[:]
    del model.graph.value_info[:], model.metadata_props[:]
    onnx.save(model, path)


def export(name, module, shape, axes=0, layout=None, free=(0,), **settings):
    """Exports a module whose axes `free` may have any extent."""
    module = module.eval()
    double = next(module.parameters()).dtype == torch.float64
    x = torch.zeros(shape, dtype=torch.float64 if double else torch.float32)
    path = HERE / f"{name}.onnx"
    dims = {axis: torch.export.Dim.DYNAMIC for axis in free}
    torch.onnx.export(
        module, (x,), path, input_names=["x"], output_names=["y"], dynamic_shapes=(dims,), opset_version=18,
        external_data=False, dynamo=True, verbose=False,
    )
    strip(path)
    keep(name, shape, axes, layout, np.float64 if double else np.float32, **settings)


class Residual(nn.Module):
    """A network of residual blocks on a grid of two axes."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(2, channels, 3, padding=1)
        self.inner = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(4))
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        x = self.first(x)
        for a, b in zip(self.inner[::2], self.inner[1::2]):
            x = F.relu(x + b(F.relu(a(x))))
        return self.last(x)


class Attention(nn.Module):
    """Self-attention over the points of a line, channels last, with a normalised residual."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.lift = nn.Linear(2, channels)
        self.mix = nn.Linear(channels, 3 * channels)
        self.norm = nn.LayerNorm(channels)
        self.last = nn.Linear(channels, 1)

    def forward(self, x):
        x = self.lift(x)
        batch, points, channels = x.shape
        q, k, v = self.mix(x).reshape(batch, points, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / (channels // self.heads) ** 0.5, -1)
        return self.last(self.norm(x + (weights @ v).transpose(1, 2).reshape(batch, points, channels)))


class Recurrent(nn.Module):
    """A recurrent network along the only axis, channels last."""

    def __init__(self, kind, hidden):
        super().__init__()
        self.cell = kind(2, hidden, batch_first=True)
        self.last = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.last(self.cell(x)[0])


class Spectral(nn.Module):
    """A Fourier layer whose transforms are products with matrices for a fixed number of points."""

    def __init__(self, points, modes, channels):
        super().__init__()
        angle = 2 * np.pi * np.outer(np.arange(modes), np.arange(points)) / points
        factor = np.where(np.arange(modes) == 0, 1.0, 2.0)[:, None] / points
        for name, matrix in [("c", np.cos(angle)), ("s", -np.sin(angle)), ("ci", factor * np.cos(angle)), ("si", -factor * np.sin(angle))]:
            self.register_buffer(name, torch.tensor(matrix, dtype=torch.float32))
        self.lift, self.skip, self.last = nn.Conv1d(1, channels, 1), nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, 1, 1)
        self.re, self.im = (nn.Parameter(torch.randn(modes, channels, channels) / channels) for _ in range(2))

    def forward(self, x):
        x = self.lift(x)
        a, b = x @ self.c.T, x @ self.s.T
        re = torch.einsum("bik,kio->bok", a, self.re) - torch.einsum("bik,kio->bok", b, self.im)
        im = torch.einsum("bik,kio->bok", a, self.im) + torch.einsum("bik,kio->bok", b, self.re)
        return self.last(F.gelu(re @ self.ci + im @ self.si + self.skip(x)))


def transformed():
    """A spectral filter by the operator DFT itself, which PyTorch's exporter writes with an input that not every evaluator has."""
    points, modes = 16, 6
    rng = np.random.default_rng(5)
    gain = np.zeros((1, points, 1), np.float32)
    gain[0, :modes, 0] = rng.uniform(-1, 1, modes)
    gain[0, points - modes + 1 :, 0] = gain[0, modes - 1 : 0 : -1, 0]
    constants = {"gain": gain, "first": np.array([0]), "second": np.array([1]), "last": np.array([2])}
    nodes = [
        helper.make_node("DFT", ["x"], ["spectrum"], axis=1),
        helper.make_node("Mul", ["spectrum", "gain"], ["filtered"]),
        helper.make_node("DFT", ["filtered"], ["field"], axis=1, inverse=1),
        helper.make_node("Slice", ["field", "first", "second", "last"], ["y"]),
    ]
    shape = ["batch", points, 1]
    graph = helper.make_graph(
        nodes, "transformed", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), HERE / "transformed.onnx")
    keep("transformed", (2, points, 1), 1, "last")


def perturbed(module):
    """Norms and biases that start at 0 or 1 must be seen to act."""
    for key, value in [*module.named_parameters(), *module.named_buffers()]:
        if value.is_floating_point() and value.ndim == 1:
            with torch.no_grad():
                value.add_(torch.rand_like(value) * 0.3)
    return module


def dense(activation, inputs=3, hidden=16, outputs=2):
    return nn.Sequential(nn.Linear(inputs, hidden), activation, nn.Linear(hidden, hidden), activation, nn.Linear(hidden, outputs))


def main():
    torch.manual_seed(1)
    export("dense_relu", dense(nn.ReLU()), (37, 3))
    export("dense_tanh", dense(nn.Tanh()), (37, 3))
    export("dense_gelu", dense(nn.GELU()), (37, 3))
    export("dense_softplus", nn.Sequential(nn.Linear(3, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Softplus(), nn.Linear(16, 4), nn.Softmax(-1)), (37, 3))
    export("dense_f64", dense(nn.Tanh()).double(), (37, 3))
    export("dense_norm", perturbed(nn.Sequential(nn.Linear(3, 16), nn.LayerNorm(16), nn.SiLU(), nn.Linear(16, 2))), (37, 3))
    export("fixed_batch", dense(nn.ReLU()), (4, 3), free=(), batch=4)
    export("conv_1d", nn.Sequential(nn.Conv1d(2, 8, 5, padding=2, padding_mode="circular"), nn.Tanh(), nn.Conv1d(8, 1, 3, padding=1)), (3, 2, 20), 1, "first", (0, 2))
    export("conv_2d", nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=2), nn.GELU(), nn.Conv2d(6, 3, 1)), (2, 2, 9, 12), 2, "first", (0, 2, 3))
    export("periodic", nn.Sequential(nn.Conv2d(1, 4, 5, padding=2, padding_mode="circular"), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1, padding_mode="circular")), (2, 1, 7, 9), 2, "first", (0, 2, 3))
    export("residual", Residual(6), (2, 2, 10, 8), 2, "first", (0, 2, 3))
    norm = perturbed(nn.Sequential(nn.BatchNorm3d(1), nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.BatchNorm3d(4), nn.Conv3d(4, 2, 3, padding=1)))
    export("batch_norm", norm, (2, 1, 5, 6, 7), 3, "first")
    pooled = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 2, 2))
    export("pooled", pooled, (2, 1, 8, 12), 2, "first")
    export("attention", perturbed(Attention(8, 2)), (2, 11, 2), 1, "last")
    export("recurrent", Recurrent(nn.GRU, 6), (2, 9, 2), 1, "last")
    export("spectral", Spectral(16, 5, 6), (2, 1, 16), 1, "first")
    transformed()
    arrays = {key: np.ascontiguousarray(value) for key, value in ARRAYS.items()}
    save_file(arrays, HERE / "arrays.safetensors", metadata={"networks": json.dumps(NETWORKS)})


if __name__ == "__main__":
    main()
