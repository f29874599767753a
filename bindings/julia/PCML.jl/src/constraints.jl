export add_absent_row!, add_boundary!, add_energy!, add_grid_quadrature!, add_monotone!, add_periodic!, add_quadratic!, add_quadrature!,
    add_row!, add_simplex!, add_sparse_rows!, add_stencils!, row_count, set_bounds!

"""
    Constraints(cells)

What must hold of a state of `cells` values: linear rows `G u = b + noise` and more, which are numbered from 1 in the order in which they
are added. The right-hand sides `b` come with each projection. All `add_...!` functions copy what they are given, return the constraints,
and leave them as they were where they fail; `noise` is a variance, 0 for a row that holds exactly.
"""
Constraints(cells::Integer) =
    created(pointer -> LibPCML.pcml_constraints_create(cells, pointer), LibPCML.pcml_constraints)

from_zero(list) = Int64[i - 1 for i in list]

"""
    add_quadrature!(constraints, rule, points; noise = 0)

The row whose `b` is the integral of the field from the first point to the last. `points` has one coordinate a cell, strictly increasing;
`rule` is `:trapezoid`, `:left`, `:right` or `:simpson`.
"""
function add_quadrature!(constraints::Constraints, rule::Symbol, points; noise::Real = 0)
    check(LibPCML.pcml_constraints_add_quadrature(constraints, number(LibPCML.pcml_rule, rule), coefficients(points), noise))
    return constraints
end

"""
    add_row!(constraints, weights; noise = 0)

The row with one weight a cell: cell volumes, masses, the coefficients of any linear balance.
"""
function add_row!(constraints::Constraints, weights; noise::Real = 0)
    check(LibPCML.pcml_constraints_add_row(constraints, coefficients(weights), noise))
    return constraints
end

"""
    add_absent_row!(constraints; noise = 0)

A row of a field in parts that has no weight on this part's cells ([`project_part!`](@ref)).
"""
function add_absent_row!(constraints::Constraints; noise::Real = 0)
    check(LibPCML.pcml_constraints_add_absent_row(constraints, noise))
    return constraints
end

"""
    row_count(constraints)

How many linear rows there are.
"""
function row_count(constraints::Constraints)
    rows = Ref{Int64}(0)
    check(LibPCML.pcml_constraints_rows(constraints, rows))
    return rows[]
end

"""
    add_grid_quadrature!(constraints, rule, axes; first = 1, noise = 0)

The row whose weights are the product of one quadrature along each of `axes`, the coordinates of a grid, last index fastest from cell
`first` on.
"""
function add_grid_quadrature!(constraints::Constraints, rule::Symbol, axes; first::Integer = 1, noise::Real = 0)
    coordinates = map(collect_reals, Tuple(axes))
    check(LibPCML.pcml_constraints_add_grid_quadrature(
        constraints, number(LibPCML.pcml_rule, rule), inputs(coordinates), length(coordinates), first - 1, noise))
    return constraints
end

collect_reals(a) = convert(Array{Float64}, a)

"""
    add_sparse_rows!(constraints, starts, cells, weights; noise = nothing)

Rows in compressed sparse form: row `k` has the weights `starts[k]` to `starts[k + 1] - 1`, on the cells of the same places. `noise` is
one variance a row.
"""
function add_sparse_rows!(constraints::Constraints, starts, cells, weights; noise = nothing)
    places = from_zero(starts)
    list = from_zero(cells)
    rows = length(places) - 1
    same_length(list, weights, "weights", "cells")
    last(places) <= length(list) || throw(PCMLError(:shape, "starts go to $(last(places)) of $(length(list)) weights"))
    noise === nothing || length(noise) == rows || throw(PCMLError(:shape, "$(length(noise)) noise variances for $rows rows"))
    variances = noise === nothing ? C_NULL : reals(noise)
    check(LibPCML.pcml_constraints_add_sparse_rows(constraints, rows, places, list, reals(weights), variances))
    return constraints
end

same_length(a, b, what, expected) =
    length(a) == length(b) || throw(PCMLError(:shape, "$(length(b)) $what for $(length(a)) $expected"))

"""
    add_boundary!(constraints, axes, sides, axis; value, slope = 0, order = 2, first = 1, noise = 0)

A row `value u + slope du/dn = b` for each node on a face, an edge or a corner of a grid with the coordinates `axes`, last index fastest
from cell `first` on. `sides` has -1 (first point), 1 (last) or 0 (all) for each axis; the outward normal is along `axis`.
"""
function add_boundary!(
    constraints::Constraints, axes, sides, axis::Integer;
    value::Real, slope::Real = 0, order::Integer = 2, first::Integer = 1, noise::Real = 0,
)
    coordinates = map(collect_reals, Tuple(axes))
    list = collect(Int32, sides)
    same_length(coordinates, list, "sides", "axes")
    check(LibPCML.pcml_constraints_add_boundary(
        constraints, inputs(coordinates), length(coordinates), first - 1, list, axis - 1, value, slope, order, noise))
    return constraints
end

"""
    add_periodic!(constraints, shape, axis; first = 1, noise = 0)

A row `u_last - u_first = b` for each node of the first face across `axis` of a grid of `shape`.
"""
function add_periodic!(constraints::Constraints, shape, axis::Integer; first::Integer = 1, noise::Real = 0)
    extents = integers(shape)
    check(LibPCML.pcml_constraints_add_periodic(constraints, extents, length(extents), first - 1, axis - 1, noise))
    return constraints
end

"""
    add_stencils!(constraints, cells, coefficients; noise = 0)

A row `sum_j c[k, j] u[cells[k, j]] = b` for each row `k` of the matrix `cells`. `coefficients` is a matrix of the same size, or a vector
for all rows.
"""
function add_stencils!(
    constraints::Constraints, cells::AbstractMatrix{<:Integer}, coefficients::AbstractVecOrMat; noise::Real = 0,
)
    rows, width = size(cells)
    shared = coefficients isa AbstractVector
    expected = shared ? (width,) : (rows, width)
    size(coefficients) == expected || throw(PCMLError(:shape, "coefficients of size $(size(coefficients)), expected $expected"))
    in_rows = shared ? reals(coefficients) : reals(permutedims(coefficients))
    check(LibPCML.pcml_constraints_add_stencils(constraints, rows, width, from_zero(permutedims(cells)), in_rows, shared, noise))
    return constraints
end

"""
    add_quadratic!(constraints, cells_i, cells_j, weights)

The quadratic invariant `q(u) = sum_t weights[t] u[cells_i[t]] u[cells_j[t]]`. Its level comes with each projection.
"""
function add_quadratic!(constraints::Constraints, cells_i, cells_j, weights)
    first, second = from_zero(cells_i), from_zero(cells_j)
    same_length(first, second, "cells_j", "cells_i")
    same_length(first, weights, "weights", "cells_i")
    check(LibPCML.pcml_constraints_add_quadratic(constraints, length(first), first, second, reals(weights)))
    return constraints
end

"""
    add_energy!(constraints, weights)

The quadratic invariant `q(u) = sum_i weights[i] u[i]^2`.
"""
function add_energy!(constraints::Constraints, weights)
    check(LibPCML.pcml_constraints_add_energy(constraints, coefficients(weights)))
    return constraints
end

"""
    set_bounds!(constraints; method = :nearest, policy = :refuse)

How [`project_bounded!`](@ref) brings cells within their bounds (`:nearest`, `:spread`), and what becomes of bounds that no lawful state
meets (`:refuse`, `:relax_least`, `:relax_to_extremes`).
"""
function set_bounds!(constraints::Constraints; method::Symbol = :nearest, policy::Symbol = :refuse)
    check(LibPCML.pcml_constraints_set_bounds(
        constraints, number(LibPCML.pcml_bounds_method, method), number(LibPCML.pcml_bounds_policy, policy)))
    return constraints
end

"""
    add_simplex!(constraints, components, points; first = 1, total = 1)

At each of `points` points `components` values are at least 0 and sum to `total`. Component `c` at point `p` is cell
`first + (c - 1) points + p - 1`.
"""
function add_simplex!(constraints::Constraints, components::Integer, points::Integer; first::Integer = 1, total::Real = 1)
    check(LibPCML.pcml_constraints_add_simplex(constraints, first - 1, components, points, total))
    return constraints
end

"""
    add_monotone!(constraints, cells::UnitRange, direction)

The cells of a range increase or decrease, not strictly: `direction` is `:increasing` or `:decreasing`.
"""
function add_monotone!(constraints::Constraints, cells::AbstractUnitRange, direction::Symbol)
    check(LibPCML.pcml_constraints_add_monotone(
        constraints, first(cells) - 1, length(cells), number(LibPCML.pcml_direction, direction)))
    return constraints
end
