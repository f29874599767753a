export exact_dot, exact_sum, log_density, round_bins, sum_bins!

"""
    exact_sum(array; reduction = nothing)

The sum of an array's values, over all parts of a field where there is a [`Reduction`](@ref): exact, then rounded once. Its bits depend on
no order and no partition.
"""
@inline exact_sum(array; reduction = nothing) = exact_dot(array, nothing; reduction = reduction)

"""
    exact_dot(array, second; reduction = nothing)

The sum of the products of two arrays' values, as [`exact_sum`](@ref).
"""
@inline function exact_dot(array, second; reduction = nothing)
    sum = Ref(0.0)
    check(LibPCML.pcml_sum(input(array), input(second), reducing(reduction), sum), reduction)
    return sum[]
end

"""
    sum_bins!(bins, array, second = nothing)

The exact sum of this part as `PCML.LibPCML.PCML_SUM_BINS` integers. Bins of all parts are added as integers, in any order, and rounded by
[`round_bins`](@ref).
"""
@inline function sum_bins!(bins::Vector{Int64}, array, second = nothing)
    enough_bins(bins)
    check(LibPCML.pcml_sum_bins(input(array), input(second), bins))
    return bins
end

"""
    round_bins(bins)

The number nearest to the sum that bins hold.
"""
@inline function round_bins(bins::Vector{Int64})
    enough_bins(bins)
    sum = Ref(0.0)
    check(LibPCML.pcml_sum_round(bins, sum))
    return sum[]
end

@inline enough_bins(bins) = length(bins) == LibPCML.PCML_SUM_BINS || throw_bins(bins)
@noinline throw_bins(bins) = throw(PCMLError(:shape, "$(length(bins)) bins, expected $(LibPCML.PCML_SUM_BINS)"))

"""
    log_density(truth, mean, variance)

Mean over the cells of `log N(truth; mean, variance)`, in nats.
"""
@inline function log_density(truth, mean, variance)
    density = Ref(0.0)
    check(LibPCML.pcml_log_density(input(truth), input(mean), input(variance), density))
    return density[]
end
