"""Where the command `pcml` is: where PCML_COMMAND says, else beside the scripts of the Python that has this package."""

import os
import shutil
import sysconfig
from pathlib import Path

NAME = "pcml.exe" if os.name == "nt" else "pcml"


def path() -> Path:
    """The executable that the environment names, else that which was installed with this package, else one on the PATH."""
    if os.environ.get("PCML_COMMAND"):
        return Path(os.environ["PCML_COMMAND"])
    places = [Path(sysconfig.get_path("scripts")), Path(sysconfig.get_path("scripts", f"{os.name}_user"))]
    places.append(Path(__file__).parents[1] / "bin")  # pip install --target
    for place in places:
        if (place / NAME).is_file():
            return place / NAME
    found = shutil.which(NAME)
    if found is None:
        raise FileNotFoundError(f"the command {NAME} is neither in {places[0]} nor on the PATH")
    return Path(found)
