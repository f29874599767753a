"""What the stories share: claims, and the bits of results."""

import sys

import numpy as np

failures = []


def claim(holds, what):
    if not holds:
        failures.append(what)
        print(f"does not hold: {what}", file=sys.stderr)


def mix(bits, field):
    """Adds a field to the bits by which programs in several languages are compared: rotate left by one, then exclusive or."""
    for value in np.ravel(field).view(np.uint64).tolist():
        bits = ((bits << 1 | bits >> 63) & (2**64 - 1)) ^ value
    return bits
