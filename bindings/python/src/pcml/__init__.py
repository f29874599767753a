"""Physics-constrained machine learning: predict with trained surrogates and make the predictions lawful. docs/python.md is the guide.

Objects are freed with their last reference, by `close`, or at the end of a `with`. Calls release the interpreter's lock: plans, projectors
and meshes may be used by many threads at once.
"""

from . import error
from ._c import (
    MAX_RANK,
    SUM_BINS,
    BoundaryKind,
    BoundsMethod,
    BoundsPolicy,
    Direction,
    Dtype,
    FitReport,
    Fitted,
    FluxLimits,
    FluxMethod,
    FluxReport,
    Kernel,
    Prior,
    ReportItem,
    Rule,
    Status,
    Transforms,
)
from .boundary import Boundary, Face, dirichlet, neumann, periodic
from .conditioned import Conditioned
from .constraints import Constraints
from .convert import convert
from .error import *  # noqa: F403
from .flux import Flux
from .library import version
from .model import Model
from .operator_part import OperatorPart
from .plan import Plan
from .projector import Projector
from .report import Report
from .sums import Reduction, log_density, sum, sum_bins, sum_round

__version__ = version()
__all__ = [
    "MAX_RANK",
    "SUM_BINS",
    "Boundary",
    "BoundaryKind",
    "BoundsMethod",
    "BoundsPolicy",
    "Conditioned",
    "Constraints",
    "Direction",
    "Dtype",
    "Face",
    "FitReport",
    "Fitted",
    "Flux",
    "FluxLimits",
    "FluxMethod",
    "FluxReport",
    "Kernel",
    "Model",
    "OperatorPart",
    "Plan",
    "Prior",
    "Projector",
    "Reduction",
    "Report",
    "ReportItem",
    "Rule",
    "Status",
    "Transforms",
    "convert",
    "dirichlet",
    "log_density",
    "neumann",
    "periodic",
    "sum",
    "sum_bins",
    "sum_round",
    *error.__all__,
]
