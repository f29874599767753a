"""State dicts of others' code, and networks in ONNX, as model files for pcml. The work is the command's; see docs/convert.md."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from . import command, kerasfile, layers, tensors
from .error import ConvertError

#: Kinds whose modules take and give fields with the channels before the grid, and those with the channels last.
CHANNELS_FIRST = ("neuraloperator", "physicsnemo")
CHANNELS_LAST = ("fno",)

#: Settings that scale what enters the source and what leaves it.
SCALINGS = tuple(f"{of}_{by}" for of in ("input", "output", "function") for by in ("mean", "std", "min", "max", "range"))
#: Points of an axis of an ONNX network that leaves them free, in its self-test.
POINTS = 16

#: Largest difference between a module and its model, relative to the largest output: modules compute in f32.
AGREEMENT = 1e-4


def convert(
    kind: str,
    state: Any,
    output: Union[str, os.PathLike[str]],
    *,
    prefix: str = "",
    drop: Union[str, Iterable[str]] = (),
    description: Union[Mapping[str, Any], str, os.PathLike[str], None] = None,
    **settings: Any,
) -> dict[str, Any]:
    """Makes the model file `output` of a state dict; what the command reports, as a dict.

    kind: anp, boon, deeponet, ensemble, fno, keras, neuraloperator, onnx, physicsnemo or sequential.
    state: the path of a safetensors file, the path of a PyTorch checkpoint, a mapping from names to arrays or tensors, or a torch module; of
        kind keras a model or the path of a .keras or .h5 file; of kind onnx the path of an ONNX file; of kind ensemble a list of the members'
        model files.
    prefix: what the names of the state dict begin with. drop: beginnings of names that the network does not use.
    description: fields inputs, outputs, grid, conservation, provenance of the model file, a mapping or the path of a JSON file.
    settings: what the state dict does not hold. Of a torch.nn.Sequential the activations and dropout are the module's own.

    A torch module or Keras model is run on the model's self-test too, and must give what the model gives; not one of kind anp or boon.
    Of an ONNX file the self-test is what onnxruntime gives, where that is installed; the model must give the same.
    Raises ConvertError; the file at `output` is then what it was.
    """
    source = state if callable(state) and (hasattr(state, "state_dict") or hasattr(state, "to_json")) else None
    output = Path(output)
    with tempfile.TemporaryDirectory(dir=output.parent if output.parent.is_dir() else None) as name:
        folder = Path(name)
        if kind == "ensemble":
            paths: list[Any] = [state] if isinstance(state, (str, os.PathLike)) else list(state)
        elif kind == "keras":
            paths = [_keras_file(state, folder)]
        elif kind == "onnx":
            paths = [Path(state)]
            own = "selftest" not in settings and _run_onnx(Path(state), settings, folder)
            settings = {**settings, "selftest": own} if own else settings
        else:
            if kind == "sequential" and source is not None and not {"activation", "steps"} & set(settings):
                settings["steps"] = layers.steps(source)
            paths = [_state_file(state if source is None else source.state_dict(), folder)]
        common: list[Any] = ["convert", kind, *paths, "--json", "--prefix", prefix]
        for name in [drop] if isinstance(drop, str) else drop:
            common += ["--drop", name]
        scaled = [f"{name}={_text(value)}" for name, value in settings.items() if name in SCALINGS]
        for name, value in settings.items():
            if name not in SCALINGS:
                common += ["--set", f"{name}={_text(value)}"]
        more: list[Any] = [part for text in scaled for part in ("--set", text)]
        if isinstance(description, Mapping):
            (folder / "description.json").write_text(json.dumps(description))
            more += ["--description", folder / "description.json"]
        elif description is not None:
            more += ["--description", description]
        made = folder / output.name
        report: dict[str, Any] = json.loads(_run([*common, *more, "--output", made]))
        compared = made
        if source is not None and more:
            # Scalings are around the source: it is compared with a model that goes without.
            compared = folder / f"plain-{output.name}"
            _run([*common, "--output", compared])
        if kind == "onnx":
            report["compared"] = report["selftest"]["independent"]
        else:
            report["compared"] = source is not None and _compare(kind, source, compared, settings)
        report["written"] = str(output)
        os.replace(made, output)
    return report


def _named(value: Any) -> str:
    """Functions, classes and modules by name."""
    return getattr(value, "__name__", type(value).__name__)


def _text(value: Any) -> str:
    """JSON, or a word as it is; arrays and tensors are lists."""
    return value if isinstance(value, str) else json.dumps(value, default=lambda array: array.tolist())


def _run(arguments: Iterable[Any]) -> str:
    done = subprocess.run([command.path(), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ConvertError(done.stderr.strip().removeprefix("pcml: "))
    return done.stdout


def _keras_file(state: Any, folder: Path) -> Any:
    """A safetensors file with the weights and the JSON of a Keras model, or such a file as it is."""
    found = kerasfile.of_model(state) if hasattr(state, "to_json") else kerasfile.of_file(Path(state))
    if found is None:
        return state
    weights, config = found
    path = folder / "state.safetensors"
    tensors.save(path, {name: tensors.array(name, value) for name, value in weights.items()}, {"config": config})
    return path


def _state_file(state: Any, folder: Path) -> Any:
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


def _checkpoint(path: Any) -> Mapping[str, Any]:
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
        inner = loaded.get(name)
        if isinstance(inner, Mapping):
            return inner
    return loaded


def _run_onnx(path: Path, settings: Mapping[str, Any], folder: Path) -> Optional[str]:
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
    shape: list[Any] = [extent if isinstance(extent, int) and extent > 0 else None for extent in port.shape]
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


def _compare(kind: str, source: Any, path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether the source was run on the model's self-test; it must give the stored output."""
    stored = {name: np.array(value) for name, value in tensors.load(path, "selftest.").items()}
    if kind in CHANNELS_FIRST + CHANNELS_LAST:
        x, expected = stored["input"], [stored["output"]]
        if kind in CHANNELS_FIRST:
            x, expected = np.moveaxis(x, -1, 1), [np.moveaxis(expected[0], -1, 1)]
        found = [_evaluate(source, x)]
    elif kind in ("sequential", "keras"):
        y = np.asarray(source.predict(stored["input"], verbose=0)) if kind == "keras" else _evaluate(source, stored["input"])
        found, expected = [y], [stored["output"]]
        if settings.get("head") is not None:
            found = _head(y, settings["head"])
            expected.append(stored["variance"])
    elif kind == "deeponet" and type(source).__name__ in ("DeepONet", "DeepONetCartesianProd"):
        u, x = stored["context_y"].reshape(len(stored["context_y"]), -1), stored["target_x"][0]
        expected = [stored["mean"]]
        if type(source).__name__ == "DeepONet":
            # It takes pairs of a function and a point.
            u, x = np.repeat(u, len(x), axis=0), np.tile(x, (len(u), 1))
        found = [_evaluate(source, (u, x)).reshape(stored["mean"].shape)]
    else:
        return False
    for its, own in zip(found, expected):
        if its.shape != own.shape:
            raise ConvertError(f"the module gives shape {its.shape}, the model {own.shape}")
        apart, size = np.abs(its - own).max(), np.abs(own).max()
        if not apart <= AGREEMENT * size:
            raise ConvertError(
                f"the module and the model are {apart:.1e} apart, expected at most {AGREEMENT:.0e} of {size:.1e}: a setting differs"
            )
    return True


def _head(y: npt.NDArray[Any], head: Mapping[str, Any]) -> list[npt.NDArray[Any]]:
    """Mean and variance of a network whose last layer gives means, and what variances are made of."""
    mean, raw = np.split(y, 2, axis=-1)
    spread = (np.exp(raw) if head["function"] == "exp" else np.logaddexp(0, raw)) + head.get("minimum", 0.0)
    return [mean, spread**2 if head["of"] == "deviation" else spread]


def _evaluate(module: Any, inputs: Any) -> npt.NDArray[Any]:
    """What a torch module gives as it predicts."""
    import torch

    like = next(module.parameters())
    dtype = like.dtype.to_real() if like.dtype.is_complex else like.dtype

    def tensor(x: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).to(like.device, dtype)

    inputs = tuple(map(tensor, inputs)) if isinstance(inputs, tuple) else tensor(inputs)
    training = module.training
    with torch.no_grad():
        found: npt.NDArray[Any] = module.eval()(inputs).cpu().double().numpy()
    module.train(training)
    return found
