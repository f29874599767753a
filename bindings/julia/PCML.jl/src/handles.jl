export Boundary, Constraints, Flux, Model, OperatorPart, Plan, Projector, Report, Workspace

# An object of the library. Copies refer to the same object.
mutable struct Handle{T}
    pointer::Ptr{T}
    Handle{T}(pointer::Ptr{T}) where {T} = finalizer(close, new{T}(pointer))
end

# What a create function gives that takes a place for the pointer.
function created(create, ::Type{T}) where {T}
    pointer = Ref{Ptr{T}}(C_NULL)
    check(create(pointer))
    return Handle{T}(pointer[])
end

"""
    close(object)

Frees an object of the library now, not when it is no longer reachable. No other thread may be using it. Closing twice is fine; using it
afterwards is a [`PCMLError`](@ref) with status `:handle`.
"""
function Base.close(h::Handle{T}) where {T}
    pointer = h.pointer
    h.pointer = C_NULL
    free(pointer)
    return
end

"""
    isopen(object)

Whether an object of the library has not been closed.
"""
Base.isopen(h::Handle) = h.pointer != C_NULL

@inline function Base.unsafe_convert(::Type{Ptr{T}}, h::Handle{T}) where {T}
    isopen(h) || throw_closed(h)
    return h.pointer
end

@noinline throw_closed(h) = throw(PCMLError(:handle, "the $(label(h)) is closed"))

show_state(io, object) = print(io, label(object), isopen(object) ? "(open)" : "(closed)")

Base.show(io::IO, h::Handle) = show_state(io, h)

for (name, object) in (
    :Boundary => :pcml_boundary,
    :Constraints => :pcml_constraints,
    :Flux => :pcml_flux,
    :Model => :pcml_model,
    :OperatorPart => :pcml_operator_part,
    :Options => :pcml_options,
    :Plan => :pcml_plan,
    :Projector => :pcml_projector,
    :Report => :pcml_report,
    :Workspace => :pcml_workspace,
)
    @eval const $name = Handle{LibPCML.$object}
    @eval free(pointer::Ptr{LibPCML.$object}) = LibPCML.$(Symbol(object, :_free))(pointer)
    @eval label(::$name) = $(string(name))
end

@doc """
Scratch memory of a plan, a projector or another object: the only thing that changes in a hot call. One a thread; it serves the object
that created it and no other.
""" Workspace
