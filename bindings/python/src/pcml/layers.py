"""The layers of a torch.nn.Sequential in order, as kind sequential takes them in its setting `steps`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .error import ConvertError

#: Modules without tensors that are an activation by this name, and what they must have for it.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "Tanh": ("tanh", {}),
    "ReLU": ("relu", {}),
    "Sigmoid": ("sigmoid", {}),
    "SiLU": ("silu", {}),
    "Softplus": ("softplus", {"beta": 1}),
    "LeakyReLU": ("leaky-relu", {"negative_slope": 0.01}),
    "ELU": ("elu", {"alpha": 1}),
}

KNOWN = ["Linear", "BatchNorm1d", "Dropout", "GELU", "Identity", *ACTIVATIONS]


def steps(module: Any) -> list[Any]:
    """Names of layers and activations; objects for what has a number of its own."""
    if type(module).__name__ != "Sequential":
        raise ConvertError(
            f"the module is a {type(module).__name__}, expected a torch.nn.Sequential: of others setting activation or steps says what lies "
            "between the layers"
        )
    return list(_flat(module, ""))


def _flat(module: Any, prefix: str) -> Iterator[Any]:
    for name, child in module.named_children():
        name, kind = prefix + name, type(child).__name__
        if kind == "Sequential":
            yield from _flat(child, name + ".")
        elif kind == "Linear":
            yield {"layer": name}
        elif kind == "BatchNorm1d":
            if child.running_mean is None:
                raise ConvertError(f"layer {name} (BatchNorm1d) has track_running_stats False, expected running statistics")
            yield {"layer": name, "eps": child.eps}
        elif kind == "Dropout":
            if child.p > 0:
                yield {"dropout": child.p}
        elif kind == "GELU":
            yield {"none": "gelu", "tanh": "gelu-tanh"}[child.approximate]
        elif kind in ACTIVATIONS:
            word, needs = ACTIVATIONS[kind]
            for field, value in needs.items():
                if getattr(child, field) != value:
                    raise ConvertError(f"layer {name} ({kind}) has {field} {getattr(child, field)}, expected {value}")
            yield word
        elif kind != "Identity":
            raise ConvertError(f"layer {name} is a {kind}, expected one of {', '.join(KNOWN)}")
