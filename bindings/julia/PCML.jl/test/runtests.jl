using PCML, Random, Test
using PCML: LibPCML

const MODELS = joinpath(@__DIR__, "..", "..", "..", "..", "examples", "models")
const ⋅ = exact_dot

@testset "PCML" begin
    include("arrays.jl")
    include("objects.jl")
    include("calls.jl")
    include("allocations.jl")
    include("threads.jl")
end
