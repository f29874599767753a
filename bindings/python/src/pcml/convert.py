"""State dicts of others' code, and networks in ONNX, as model files for pcml. The work is the command's; see docs/convert.md."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import command, tensors

#: Kinds whose modules take and give fields with the channels before the grid, and those with the channels last.
CHANNELS_FIRST = ("neuraloperator", "physicsnemo")
CHANNELS_LAST = ("fno",)

#: Points of an axis of an ONNX network that leaves them free, in its self-test.
POINTS = 16

#: Largest difference between a module and its model, relative to the largest output: modules compute in f32.
AGREEMENT = 1e-4


class ConvertError(ValueError):
    """What cannot be converted, with the name of the culprit."""


def convert(kind, state, output, *, prefix="", drop=(), description=None, **settings):
    """Makes the model file `output` of a state dict; what the command reports, as a dict.

    kind: anp, boon, fno, neuraloperator, onnx or physicsnemo.
    state: the path of a safetensors file, the path of a PyTorch checkpoint, a mapping from names to arrays or tensors, or a torch module;
    for onnx the path of an ONNX file.
    prefix: what the names of the state dict begin with. drop: beginnings of names that the network does not use.
    description: fields inputs, outputs, grid, conservation, provenance of the model file, a mapping or the path of a JSON file.
    settings: what the state dict does not hold.

    A torch module of a kind of operator without conditions is run on the model's self-test too, and must give what the model gives.
    Of an ONNX file the self-test is what onnxruntime gives, where that is installed; the model must give the same.
    Raises ConvertError; the file at `output` is then what it was.
    """
    module = state if hasattr(state, "state_dict") and callable(state) else None
    output = Path(output)
    with tempfile.TemporaryDirectory(dir=output.parent if output.parent.is_dir() else None) as folder:
        folder = Path(folder)
        if kind == "onnx":
            path = Path(state)
            own = "selftest" not in settings and _run_onnx(path, settings, folder)
            settings = {**settings, "selftest": own} if own else settings
        else:
            path = _state_file(state if module is None else module.state_dict(), folder)
        made = folder / output.name
        arguments = ["convert", kind, path, "--json", "--output", made, "--prefix", prefix]
        for name, value in settings.items():
            arguments += ["--set", f"{name}={_text(value)}"]
        for name in [drop] if isinstance(drop, str) else drop:
            arguments += ["--drop", name]
        if description is not None:
            if isinstance(description, Mapping):
                text = json.dumps(description)
                description = folder / "description.json"
                description.write_text(text)
            arguments += ["--description", description]
        report = json.loads(_run(arguments))
        compared = report["selftest"]["independent"] if kind == "onnx" else module is not None and _compare(kind, module, made)
        report["compared"] = compared
        report["written"] = str(output)
        os.replace(made, output)
    return report


def _named(value):
    """Functions, classes and modules by name."""
    return getattr(value, "__name__", type(value).__name__)


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)


def _run(arguments):
    done = subprocess.run([command.path(), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ConvertError(done.stderr.strip().removeprefix("pcml: "))
    return done.stdout


def _state_file(state, folder):
    """A safetensors file with the state dict."""
    metadata = {}
    if not isinstance(state, Mapping):
        with open(state, "rb") as file:
            start = file.read(8)
        if not (start.startswith(b"PK\x03\x04") or start.startswith(b"\x80\x02")):
            return state
        state = _checkpoint(state)
    found = {}
    for name, value in state.items():
        # neuraloperator keeps its constructor's arguments there.
        if name == "_metadata" and isinstance(value, Mapping):
            own = {key: value for key, value in value.items() if not key.startswith("_") and key != "args"}
            metadata["config"] = json.dumps(own, default=_named)
            continue
        try:
            found[name] = tensors.array(name, value)
        except TypeError as e:
            raise ConvertError(str(e)) from None
    path = folder / "state.safetensors"
    tensors.save(path, found, metadata)
    return path


def _checkpoint(path):
    """The state dict of a PyTorch checkpoint, loaded without running anything of it."""
    try:
        import torch
    except ImportError:
        raise ConvertError(f"{path} is a PyTorch checkpoint, which needs PyTorch; a safetensors file does not") from None
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:
        first = str(e).strip().split(". ")[0].splitlines()[0] if str(e).strip() else type(e).__name__
        raise ConvertError(
            f"{path} holds more than weights, expected a state dict of tensors alone, such as "
            f"{{k: v for k, v in model.state_dict().items() if torch.is_tensor(v)}}: {first}"
        ) from None
    if not isinstance(loaded, Mapping):
        raise ConvertError(f"{path} holds a {type(loaded).__name__}, expected a state dict")
    for name in ("state_dict", "model_state_dict"):
        if isinstance(loaded.get(name), Mapping):
            return loaded[name]
    return loaded


def _run_onnx(path, settings, folder):
    """A file with an input and what onnxruntime gives for it; None without onnxruntime."""
    try:
        import onnxruntime
    except ImportError:
        return None
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as e:
        raise ConvertError(f"{path}: onnxruntime can't load it: {str(e).strip().splitlines()[0]}") from None
    port, *more = session.get_inputs()
    if more or port.type not in ("tensor(float)", "tensor(double)") or len(port.shape) < 2:
        # The command says what it takes.
        return None
    shape = [extent if isinstance(extent, int) and extent > 0 else None for extent in port.shape]
    channel = 1 if settings.get("layout") == "first" else len(shape) - 1
    grid = settings.get("shape", POINTS)
    grid = list(grid) if isinstance(grid, (list, tuple)) else [grid] * (len(shape) - 2)
    for axis, free in [(0, settings.get("batch", 2)), (channel, settings.get("inputs"))]:
        shape[axis] = shape[axis] or free
    rest = [axis for axis in range(1, len(shape)) if axis != channel]
    for axis, extent in zip(rest, grid):
        shape[axis] = shape[axis] or extent
    if None in shape:
        return None
    dtype = np.float32 if port.type == "tensor(float)" else np.float64
    x = np.random.default_rng(1).uniform(-1, 1, shape).astype(dtype)
    try:
        y = session.run([settings.get("output", session.get_outputs()[0].name)], {port.name: x})[0]
    except Exception as e:
        raise ConvertError(f"{path}: onnxruntime can't run it on shape {shape}: {str(e).strip().splitlines()[0]}") from None
    made = folder / "selftest.safetensors"
    tensors.save(made, {"input": x, "output": y}, {})
    return str(made)


def _compare(kind, module, path):
    """Whether the module was run on the model's self-test; it must give the stored output."""
    stored = tensors.load(path, "selftest.")
    if kind not in CHANNELS_FIRST + CHANNELS_LAST:
        return False
    import torch

    x, expected = (np.array(stored[name]) for name in ("input", "output"))
    if kind in CHANNELS_FIRST:
        x, expected = np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1)
    like = next(module.parameters())
    dtype = like.dtype.to_real() if like.dtype.is_complex else like.dtype
    training = module.training
    with torch.no_grad():
        found = module.eval()(torch.from_numpy(np.ascontiguousarray(x)).to(like.device, dtype)).cpu().double().numpy()
    module.train(training)
    if found.shape != expected.shape:
        raise ConvertError(f"the module gives shape {found.shape}, the model {expected.shape}")
    apart, size = np.abs(found - expected).max(), np.abs(expected).max()
    if not apart <= AGREEMENT * size:
        raise ConvertError(
            f"the module and the model are {apart:.1e} apart, expected at most {AGREEMENT:.0e} of {size:.1e}: a setting differs"
        )
    return True
