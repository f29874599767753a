"""Builds the shared library and the command with cargo and puts them into the wheel, which serves every Python of a platform.

Cargo builds in CARGO_TARGET_DIR, else in the repository's own target folder; what is built there already is not compiled again.
PCML_CARGO_FLAGS, as with CMake, are more arguments of cargo build, such as --features=pcml-c/onnx.
"""

import functools
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

# Setuptools has it under no name of its own.
from distutils.command.build_scripts import build_scripts  # isort: skip

ROOT = Path(__file__).resolve().parents[2]
LICENCES = ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES"]
#: In one call, so that cargo compiles what both need once.
BUILD = ["build", "--release", "--locked", "--package=pcml-c", "--lib", "--package=pcml-cli", "--bin=pcml"]


@functools.lru_cache
def built():
    """The shared library and the command."""
    if not (ROOT / "Cargo.lock").is_file():
        raise SystemExit("pcml for Python is built from a checkout of pcml's sources: pip install ./bindings/python")
    flags = shlex.split(os.environ.get("PCML_CARGO_FLAGS", ""))
    command = [os.environ.get("CARGO", "cargo"), *BUILD, *flags, "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    messages = [message for message in map(json.loads, done.stdout.splitlines()) if message["reason"] == "compiler-artifact"]
    library = next(message for message in messages if "cdylib" in message["target"]["kind"])
    command = next(message["executable"] for message in messages if message["executable"])
    return next(file for file in library["filenames"] if file.endswith((".so", ".dylib", ".dll"))), command


class BuildPy(build_py):
    """Puts the shared library beside the modules, and the licences of all that is in it."""

    def run(self):
        super().run()
        place = self.get_package_dir("pcml") if self.editable_mode else Path(self.build_lib, "pcml")
        shutil.copy(built()[0], place)
        for name in LICENCES if not self.editable_mode else []:
            shutil.copy(ROOT / name, place)


class BuildScripts(build_scripts):
    """Puts the command among the scripts."""

    def run(self):
        self.mkpath(self.build_dir)
        shutil.copy(built()[1], self.build_dir)


class Wheel(bdist_wheel):
    """A wheel of a platform, for any Python: the library is loaded, not linked with the interpreter."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class Binary(Distribution):
    """Has files of a platform, and a command that is no Python script."""

    def has_ext_modules(self):
        return True


setup(
    distclass=Binary,
    # Of which distutils wants to know one; BuildScripts makes it.
    scripts=["pcml"],
    cmdclass={"build_py": BuildPy, "build_scripts": BuildScripts, "bdist_wheel": Wheel},
)
