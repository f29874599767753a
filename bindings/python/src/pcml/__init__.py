"""Models for pcml: the command `pcml`, and conversion of others' state dicts."""

from .convert import convert
from .error import ConvertError

__all__ = ["ConvertError", "convert"]
