export inference_workspace, log_likelihood, sample!

"""
    inference_workspace(projector, samples = 0)

Scratch memory for samples (at most so many in one call), likelihoods, covariances of chosen cells and derivatives of a projector. These
take one slice a call.
"""
inference_workspace(projector::Projector, samples::Integer = 0) =
    created(pointer -> LibPCML.pcml_inference_workspace(projector, samples, pointer), LibPCML.pcml_workspace)

"""
    sample!(samples, projector, workspace, mean, b; variance, seed = 0, first = 1)

Draws samples of the posterior, `[count, cells]`, each of them lawful. Sample `k` is a function of the seed and of its number `first + k -
1` alone.
"""
@inline function sample!(
    samples, projector::Projector, workspace::Workspace, mean, b; variance = nothing, seed::Integer = 0, first::Integer = 1,
)
    check(LibPCML.pcml_inference_sample(
        projector, workspace, input(mean), input(variance), input(b), seed, first - 1, output(samples)))
    return samples
end

"""
    log_likelihood(projector, workspace, mean, b; variance)

`log N(b; G mu, S)`: how probable right-hand sides are under the prior, in nats.
"""
@inline function log_likelihood(projector::Projector, workspace::Workspace, mean, b; variance = nothing)
    value = Ref(0.0)
    check(LibPCML.pcml_inference_log_likelihood(projector, workspace, input(mean), input(variance), input(b), value))
    return value[]
end

"""
    covariance!(covariance, projector, workspace, rows, columns; variance)

Posterior covariances between the cells of two lists, `[length(rows), length(columns)]`. The lists are copied.
"""
function covariance!(covariance, projector::Projector, workspace::Workspace, rows, columns; variance = nothing)
    first, second = from_zero(rows), from_zero(columns)
    check(LibPCML.pcml_inference_covariance(
        projector, workspace, input(variance), first, length(first), second, length(second), output(covariance)))
    return covariance
end

"""
    jvp!(tangent, projector, workspace, mean, b; variance, tangent_mean, tangent_variance, tangent_b)

The derivative of the posterior mean of one slice in a direction; what is left out is 0.
"""
@inline function jvp!(
    tangent, projector::Projector, workspace::Workspace, mean, b;
    variance = nothing, tangent_mean = nothing, tangent_variance = nothing, tangent_b = nothing,
)
    check(LibPCML.pcml_inference_jvp(
        projector, workspace, input(mean), input(variance), input(b), input(tangent_mean), input(tangent_variance), input(tangent_b),
        output(tangent)))
    return tangent
end

"""
    vjp!(projector, workspace, mean, b, cotangent; variance, gradient_mean, gradient_variance, gradient_b)

The derivatives of the dot product of `cotangent` and the posterior mean of one slice, written where they are asked for.
"""
@inline function vjp!(
    projector::Projector, workspace::Workspace, mean, b, cotangent;
    variance = nothing, gradient_mean = nothing, gradient_variance = nothing, gradient_b = nothing,
)
    check(LibPCML.pcml_inference_vjp(
        projector, workspace, input(mean), input(variance), input(b), input(cotangent), output(gradient_mean),
        output(gradient_variance), output(gradient_b)))
    return gradient_mean, gradient_variance, gradient_b
end
