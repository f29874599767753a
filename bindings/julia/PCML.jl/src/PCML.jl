"""
Physics-constrained machine learning: trained surrogates that predict, and predictions made to obey conservation laws, bounds and boundary
conditions, by the C library pcml.

    using PCML
    constraints = Constraints(201)
    add_quadrature!(constraints, :trapezoid, range(0, 1, length = 201))
    projector = Projector(constraints; prior = :diagonal)
    workspace = Workspace(projector)
    project!(u, projector, workspace, mean, [mass]; variance = variance)

**Arrays** hold `Float32` or `Float64` and are never copied. Any strided array will do: `Array`, `view`s by numbers and ranges,
`PermutedDimsArray`, `transpose`, `reinterpret`. Their axes are those of their Julia indices: `[slices, cells]` in this help is an array of
`size (slices, cells)`, however it lies in memory. Where a state has several axes, its cells are numbered in the order in which the *last*
index runs fastest. Results are written only on success.

**Numbers** of cells, rows, slices, faces and axes count from 1. (The text of an error is the library's own, and counts from 0.)

**Objects** free themselves when they are no longer reachable; `close` does it at once.

**Threads**: models, plans, projectors and flux balances may be shared. A workspace and a report belong to one thread at a time.

**Errors** are [`PCMLError`](@ref)s.

The whole C interface is in `PCML.LibPCML`; the header `pcml.h` is the manual of the methods behind each function here.
"""
module PCML

using Libdl: dlopen, dlsym
using LinearAlgebra: Adjoint, Transpose

include("LibPCML.jl")
using .LibPCML

include("library.jl")
include("errors.jl")
include("arrays.jl")
include("handles.jl")
include("options.jl")
include("models.jl")
include("reductions.jl")
include("constraints.jl")
include("projectors.jl")
include("plans.jl")
include("inference.jl")
include("bounded.jl")
include("nonlinear.jl")
include("fluxes.jl")
include("boundaries.jl")
include("parts.jl")
include("sums.jl")

__init__() = open_library()

end
