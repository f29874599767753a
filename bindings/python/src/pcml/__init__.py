"""Models for pcml: the command `pcml`, and conversion of others' state dicts."""

from .convert import ConvertError, convert

__all__ = ["ConvertError", "convert"]
