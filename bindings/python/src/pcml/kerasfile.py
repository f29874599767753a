"""Weights and JSON of a Keras model: of the model itself, a .keras file or an HDF5 file. Nothing of a file is run, and Keras is not needed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from .error import ConvertError

#: Layers with variables: their group in .keras files, where variables are numbered, and the names in that order.
VARIABLES = {
    "Dense": ("dense", ("kernel", "bias")),
    "BatchNormalization": ("batch_normalization", ("gamma", "beta", "moving_mean", "moving_variance")),
    "Normalization": ("normalization", ("mean", "variance", "count")),
}


#: Weights by layer and name, and the JSON.
Found = tuple[dict[str, Any], str]


def of_model(model: Any) -> Found:
    """Weights by layer and name, and the JSON."""
    weights = {}
    for layer in model.layers:
        for value in layer.weights:
            # A name of Keras 2 has the layer's before it and the output's number behind.
            name = value.name.split("/")[-1].split(":")[0]
            if name != "seed_generator_state":
                value = value.value if hasattr(value, "value") and not callable(value.value) else value
                weights[f"{layer.name}.{name}"] = value if hasattr(value, "detach") else np.asarray(value)
    return weights, model.to_json()


def of_file(path: Path) -> Optional[Found]:
    """The same of a file; None where it is of another kind, such as a safetensors file."""
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    return _legacy(path) if start.startswith(b"\x89HDF") else None


def _h5py(path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise ConvertError(f"{path} holds its weights as HDF5, which needs h5py (pip install h5py)") from None
    return h5py


def _archive(path: Path) -> Found:
    with zipfile.ZipFile(path) as archive:
        if not {"config.json", "model.weights.h5"} <= set(archive.namelist()):
            raise ConvertError(f"{path} has no config.json and model.weights.h5, expected a file of model.save(\"NAME.keras\")")
        config, data = archive.read("config.json").decode(), archive.read("model.weights.h5")
    weights: dict[str, Any] = {}
    used: dict[str, int] = {}
    with _h5py(path).File(io.BytesIO(data), "r") as file:
        for layer in json.loads(config)["config"]["layers"]:
            kind, fields = layer["class_name"], layer["config"]
            if kind not in VARIABLES:
                continue
            group = VARIABLES[kind][0]
            names: Sequence[str] = VARIABLES[kind][1]
            # Groups of a class are numbered in the order of its layers.
            count = used[kind] = used.get(kind, -1) + 1
            if kind == "BatchNormalization":
                absent = {"gamma": not fields["scale"], "beta": not fields["center"]}
                names = [name for name in names if not absent.get(name)]
            for i, name in enumerate(names):
                place = f"layers/{group}_{count}/vars/{i}" if count else f"layers/{group}/vars/{i}"
                if place in file:
                    weights[f"{fields['name']}.{name}"] = file[place][()]
    return weights, config


def _legacy(path: Path) -> Found:
    with _h5py(path).File(path, "r") as file:
        config = file.attrs.get("model_config")
        if config is None or "model_weights" not in file:
            raise ConvertError(f"{path} has weights alone, expected the whole model: model.save(\"NAME.keras\")")
        weights = {}
        for layer, group in file["model_weights"].items():
            for name in group.attrs.get("weight_names", []):
                name = name.decode() if isinstance(name, bytes) else name
                weights[f"{layer}.{name.split('/')[-1].split(':')[0]}"] = group[name][()]
    return weights, config.decode() if isinstance(config, bytes) else config
