"""Where the command `pcml` is: beside the scripts of the Python that has this package."""

import os
import shutil
import sysconfig
from pathlib import Path

NAME = "pcml.exe" if os.name == "nt" else "pcml"


def path() -> Path:
    """The executable that was installed with this package, else one on the PATH."""
    places = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")]
    places.append(Path(__file__).parents[1] / "bin")  # pip install --target
    for place in places:
        if (Path(place) / NAME).is_file():
            return Path(place) / NAME
    found = shutil.which(NAME)
    if found is None:
        raise FileNotFoundError(f"the command {NAME} is neither in {places[0]} nor on the PATH")
    return Path(found)
