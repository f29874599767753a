"""The error of conversions."""


class ConvertError(ValueError):
    """What cannot be converted, with the name of the culprit."""
