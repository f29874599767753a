"""Sizes and offsets of the structs: `python layout.py c` prints a C program that prints them, `python layout.py python` prints them."""

import ctypes
import sys

from pcml import _c

STRUCTS = {
    "pcml_array": _c.Array,
    "pcml_const_array": _c.ConstArray,
    "pcml_flux_report": _c.FluxReport,
    "pcml_flux_limits": _c.FluxLimits,
    "pcml_fit_report": _c.FitReport,
}

if sys.argv[1] == "c":
    print("#include <stddef.h>\n#include <stdio.h>\n#include <pcml.h>\nint main(void) {")
    for name, struct in STRUCTS.items():
        print(f'  printf("{name} %zu\\n", sizeof({name}));')
        for field, *_ in struct._fields_:
            print(f'  printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
    print("  return 0;\n}")
else:
    for name, struct in STRUCTS.items():
        print(name, ctypes.sizeof(struct))
        for field, *_ in struct._fields_:
            print(f"{name}.{field}", getattr(struct, field).offset)
