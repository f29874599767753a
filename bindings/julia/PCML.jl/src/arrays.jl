using .LibPCML: pcml_array, pcml_const_array, PCML_MAX_RANK

const Storage = Union{Float32, Float64}

@inline dtype(::Type{Float32}) = LibPCML.PCML_DTYPE_F32
@inline dtype(::Type{Float64}) = LibPCML.PCML_DTYPE_F64
@noinline dtype(::Type{T}) where {T} = throw(PCMLError(:dtype, "element type $T, expected Float32 or Float64"))

# What a call gets of an array: its descriptor, and the array itself, so that it stays alive during the call.
struct Described{D, A}
    descriptor::Base.RefValue{D}
    array::A
end

@inline Base.unsafe_convert(::Type{Ptr{T}}, d::Described{D}) where {T <: Union{pcml_array, pcml_const_array}, D} =
    Ptr{T}(Base.unsafe_convert(Ptr{D}, d.descriptor))

# An array that a call reads, or writes; `nothing` is NULL.
@inline input(a::AbstractArray) = Described(Ref(describe(pcml_const_array, a)), a)
@inline input(::Nothing) = C_NULL
@noinline input(x) = throw_no_array(x)
@inline output(a::AbstractArray) = Described(Ref(describe(pcml_array, a)), a)
@inline output(::Nothing) = C_NULL
@noinline output(x) = throw_no_array(x)

# Several arrays that a call reads, or writes.
@inline inputs(list::Tuple{Vararg{AbstractArray}}) = Described(Ref(map(a -> describe(pcml_const_array, a), list)), list)
@inline inputs(::Union{Nothing, Tuple{}}) = C_NULL
@noinline inputs(list::Tuple) = throw_no_array(first(a for a in list if !(a isa AbstractArray)))
inputs(list) = inputs(Tuple(list))
@inline outputs(list::Tuple{Vararg{AbstractArray}}) = Described(Ref(map(a -> describe(pcml_array, a), list)), list)
@inline outputs(::Union{Nothing, Tuple{}}) = C_NULL
@noinline outputs(list::Tuple) = throw_no_array(first(a for a in list if !(a isa AbstractArray)))
outputs(list) = outputs(Tuple(list))

# Coefficients that a create function copies: anything real will do.
coefficients(a::AbstractArray{<:Real}) = input(convert(Array{Float64}, a))
coefficients(::Nothing) = C_NULL

@inline function describe(D::Type, a::AbstractArray{T, N}) where {T, N}
    T <: Storage || throw_not_stored(a)
    1 <= N <= PCML_MAX_RANK || throw_rank(a)
    is_strided(a) || throw_not_strided(a)
    return D(sizeof(D), address(a), dtype(T), N, padded(size(a)), padded(steps(a)))
end

@inline padded(t::NTuple{N, Int}) where {N} = ntuple(i -> i <= N ? Int64(t[i]) : Int64(0), Val(PCML_MAX_RANK))

@noinline throw_no_array(x) =
    throw(PCMLError(:shape, "a $(typeof(x)), expected an array, of one value as [x], or nothing where one may be left out"))
@noinline throw_not_stored(a) = throw(PCMLError(:dtype, "$(summary(a)), expected elements of Float32 or Float64"))
@noinline throw_rank(a) = throw(PCMLError(:shape, "an array of $(ndims(a)) axes, expected 1 to $PCML_MAX_RANK"))
@noinline throw_not_strided(a) =
    throw(PCMLError(:stride, "$(typeof(a)) has no strides in memory; only strided arrays go without a copy, which `Array(a)` makes"))

"""
    PCML.is_strided(array)

Whether an array goes to the library as it lies in memory: Base's `StridedArray`s and the wrappers that these leave out. Types of others
that have `strides` and `pointer`, and keep alive what they point to, may add a method.
"""
@inline is_strided(a::AbstractArray) = a isa StridedArray
@inline is_strided(a::Union{PermutedDimsArray, Transpose, Adjoint}) = is_strided(parent(a))
@inline is_strided(a::SubArray{T, N, P, I}) where {T, N, P, I} = I <: Tuple{Vararg{Base.RangeIndex}} && is_strided(parent(a))

@inline steps(a::AbstractArray) = strides(a)
@inline steps(a::Union{Transpose, Adjoint}) = reverse_steps(steps(parent(a)))
@inline steps(a::PermutedDimsArray{T, N, P}) where {T, N, P} = ntuple(axis -> steps(parent(a))[P[axis]], Val(N))
@inline steps(a::SubArray) = steps_of_ranges(steps(parent(a)), a.indices)

@inline reverse_steps(s::Tuple{Int}) = (s[1], s[1])
@inline reverse_steps(s::Tuple{Int, Int}) = (s[2], s[1])

@inline steps_of_ranges(::Tuple{}, ::Tuple{}) = ()
@inline steps_of_ranges(s::Tuple, i::Tuple{Integer, Vararg}) = steps_of_ranges(Base.tail(s), Base.tail(i))
@inline steps_of_ranges(s::Tuple, i::Tuple{AbstractRange, Vararg}) =
    (s[1] * step(i[1]), steps_of_ranges(Base.tail(s), Base.tail(i))...)

# Of the first element. Base's `pointer` of a view counts in the order of the parent's indices, which need not be that of its memory.
@inline address(a::AbstractArray{T}) where {T} = Ptr{Cvoid}(pointer(a)::Ptr{T})
@inline address(a::Union{PermutedDimsArray, Transpose, Adjoint}) = address(parent(a))
@inline address(a::SubArray{T}) where {T} =
    address(parent(a)) + sizeof(T) * offset(steps(parent(a)), axes(parent(a)), a.indices)

@inline offset(::Tuple{}, ::Tuple{}, ::Tuple{}) = 0
@inline offset(steps::Tuple, axes::Tuple, indices::Tuple) =
    steps[1] * (first(indices[1]) - first(axes[1])) + offset(Base.tail(steps), Base.tail(axes), Base.tail(indices))
