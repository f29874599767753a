export add_face!, enforce!

"""
    Boundary()

Boundary conditions of a field on a grid, a face each: they set the nodes on the faces, exactly, and no other node.
"""
Boundary() = created(LibPCML.pcml_boundary_create, LibPCML.pcml_boundary)

"""
    add_face!(boundary, axis, side, kind; stencil, spacing = 0)

The condition of the first (`side` -1) or last (1) points across an axis: `:dirichlet`, `:periodic`, or `:neumann` with
`sum_k stencil[k] u_k / spacing = value`, coefficients in the order of their nodes' coordinates. A spacing of 0 is that of the model's grid,
where a plan has the conditions.
"""
function add_face!(boundary::Boundary, axis::Integer, side::Integer, kind::Symbol; stencil = (), spacing::Real = 0)
    list = reals(stencil)
    pointer = isempty(list) ? C_NULL : list
    check(LibPCML.pcml_boundary_add_face(
        boundary, axis - 1, side, number(LibPCML.pcml_boundary_kind, kind), pointer, length(list), spacing))
    return boundary
end

"""
    enforce!(field, boundary, values...; rank)

Makes a field `[batch, n_1, .., n_rank, channels]` obey the conditions. `values` has an array for each Dirichlet and Neumann face in the
order in which they were added. Returns the field.
"""
@inline function enforce!(field, boundary::Boundary, values::AbstractArray...; rank::Integer)
    check(LibPCML.pcml_boundary_enforce(boundary, output(field), rank, inputs(values), length(values)))
    return field
end
