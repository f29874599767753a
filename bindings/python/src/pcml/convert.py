"""State dicts of others' code as model files for pcml. The work is the command's; see docs/convert.md."""

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

#: Largest difference between a module and its model, relative to the largest output: modules compute in f32.
AGREEMENT = 1e-4


class ConvertError(ValueError):
    """What cannot be converted, with the name of the culprit."""


def convert(kind, state, output, *, prefix="", drop=(), description=None, **settings):
    """Makes the model file `output` of a state dict; what the command reports, as a dict.

    kind: anp, boon, fno, neuraloperator or physicsnemo.
    state: the path of a safetensors file, the path of a PyTorch checkpoint, a mapping from names to arrays or tensors, or a torch module.
    prefix: what the names of the state dict begin with. drop: beginnings of names that the network does not use.
    description: fields inputs, outputs, grid, conservation, provenance of the model file, a mapping or the path of a JSON file.
    settings: what the state dict does not hold.

    A torch module of a kind of operator without conditions is run on the model's self-test too, and must give what the model gives.
    Raises ConvertError; the file at `output` is then what it was.
    """
    module = state if hasattr(state, "state_dict") and callable(state) else None
    output = Path(output)
    with tempfile.TemporaryDirectory(dir=output.parent if output.parent.is_dir() else None) as folder:
        folder = Path(folder)
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
        report["compared"] = module is not None and _compare(kind, module, made)
        report["written"] = str(output)
        os.replace(made, output)
    return report


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
            plain = {key: value for key, value in value.items() if isinstance(value, (bool, int, float, str, list, tuple, type(None)))}
            plain = {key: value for key, value in plain.items() if not key.startswith("_") and key != "args"}
            metadata["config"] = json.dumps(plain)
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
