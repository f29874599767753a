from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Pcml(CMakePackage):
    """Physics-constrained machine learning that simulation codes can link: surrogates predict in-process, and predictions are
    projected onto conservation laws, boundary conditions and bounds."""

    license("MIT OR Apache-2.0")

    # For Spack 1.0 and newer, as packages/pcml/package.py of a repository of yours. Sources are those of the tree that the recipe lies in:
    # spack develop --path <tree> pcml@0.1.0, in an environment.
    version("0.1.0")

    depends_on("c", type="build")
    depends_on("cmake@3.18:", type="build")
    depends_on("rust@1.89:", type="build")

    variant("shared", default=True, description="pcml::pcml is the shared library; both are installed")

    def cmake_args(self):
        return [self.define_from_variant("BUILD_SHARED_LIBS", "shared")]
