export PCMLError

"""
A call that failed. `status` is the name of the status as in `:shape` for `PCML_STATUS_SHAPE`, `text` one line that names the function, the
culprit and the expected value. The arrays of the call are as they were.
"""
struct PCMLError <: Exception
    status::Symbol
    text::String
end

Base.showerror(io::IO, e::PCMLError) = print(io, "PCMLError: ", e.text, " (", e.status, ")")

@inline check(status::Int32) = status == 0 ? nothing : throw_status(status)

@noinline function throw_status(status::Int32)
    at = findfirst(isequal(status), values(LibPCML.pcml_status))
    throw(PCMLError(at === nothing ? Symbol(status) : keys(LibPCML.pcml_status)[at], text_of(LibPCML.pcml_error_message)))
end

# What a function copies out that takes a buffer, its capacity and a length.
function text_of(copy_out)
    length = Ref{Int64}(0)
    copy_out(C_NULL, 1, length)
    buffer = Vector{UInt8}(undef, length[] + 1)
    copy_out(buffer, sizeof(buffer), length)
    return String(resize!(buffer, min(length[], sizeof(buffer) - 1)))
end

# The number of a name in an enum of the C interface.
@inline number(enum::NamedTuple, name::Symbol) = haskey(enum, name) ? enum[name] : throw_unknown(enum, name)

@noinline throw_unknown(enum, name) = throw(ArgumentError(":$name is none of $(join(repr.(keys(enum)), ", "))"))
