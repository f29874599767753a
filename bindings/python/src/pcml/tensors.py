"""Safetensors files of numpy arrays, written and read as the format says, without a dependency."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def array(name: str, value: Any) -> npt.NDArray[Any]:
    """A tensor or array as a numpy array that the format has."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().resolve_conj()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        value = value.numpy()
    found: npt.NDArray[Any] = np.asarray(value)
    if found.dtype == np.complex128:
        found = np.stack([found.real, found.imag], axis=-1)
    found = found.astype(found.dtype.newbyteorder("<"), copy=False)
    if found.dtype not in NAMES:
        raise TypeError(f"{name} has dtype {found.dtype}, expected floating-point or complex numbers")
    return found


def save(path: Path, tensors: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Writes arrays one after the other."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name, value in tensors.items():
        header[name] = {"dtype": NAMES[value.dtype], "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for value in tensors.values():
            # Row by row: a tensor that does not lie in C order is not copied as a whole.
            for part in value if value.ndim > 1 else [value]:
                file.write(np.ascontiguousarray(part).tobytes())


def load(path: Path, prefix: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays whose names begin with the prefix, without it."""
    data = np.memmap(path, mode="r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8 : 8 + length].tobytes())
    found = {}
    for name, info in header.items():
        if name != "__metadata__" and name.startswith(prefix):
            start, end = (8 + length + offset for offset in info["data_offsets"])
            found[name[len(prefix) :]] = data[start:end].view(DTYPES[info["dtype"]]).reshape(info["shape"])
    return found
