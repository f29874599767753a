export Reduction

"""
    Reduction(sum!)

The host's sum over all parts of a field: `sum!(values::Vector{Int64})` replaces each value by its sum over all parts, in place. With MPI.jl
that is `values -> MPI.Allreduce!(values, +, comm)`. The values are the library's memory, and not to be kept. What `sum!` throws is thrown
by the call that needed it. It may let other tasks run, but only from a task that stays on its thread (`@async`).
"""
mutable struct Reduction
    pointer::Ptr{LibPCML.pcml_reduction}
    sum!::Any
    failure::Any
    Reduction(sum!) = create!(finalizer(close, new(C_NULL, sum!, nothing)))
end

function reduce_parts(context::Ptr{Cvoid}, values::Ptr{Int64}, count::Int64)
    reduction = unsafe_pointer_to_objref(context)::Reduction
    try
        reduction.sum!(unsafe_wrap(Array, values, count))
        return Int32(0)
    catch failure
        reduction.failure = failure
        return Int32(1)
    end
end

function create!(reduction::Reduction)
    pointer = Ref{Ptr{LibPCML.pcml_reduction}}(C_NULL)
    callback = @cfunction(reduce_parts, Int32, (Ptr{Cvoid}, Ptr{Int64}, Int64))
    # The object is its own context: it does not move, and each call that may come back here keeps it alive.
    check(LibPCML.pcml_reduction_create(callback, pointer_from_objref(reduction), pointer))
    reduction.pointer = pointer[]
    return reduction
end

function Base.close(reduction::Reduction)
    pointer = reduction.pointer
    reduction.pointer = C_NULL
    LibPCML.pcml_reduction_free(pointer)
    return
end

Base.isopen(reduction::Reduction) = reduction.pointer != C_NULL

function Base.unsafe_convert(::Type{Ptr{LibPCML.pcml_reduction}}, reduction::Reduction)
    isopen(reduction) || throw_closed(reduction)
    return reduction.pointer
end

label(::Reduction) = "Reduction"

Base.show(io::IO, reduction::Reduction) = show_state(io, reduction)

# What the host's function threw goes before what the library says of it.
function check(status::Int32, reduction::Reduction)
    failure = reduction.failure
    reduction.failure = nothing
    failure === nothing || throw(failure)
    return check(status)
end

@inline check(status::Int32, ::Nothing) = check(status)
@inline reducing(reduction::Reduction) = reduction
@inline reducing(::Nothing) = C_NULL
