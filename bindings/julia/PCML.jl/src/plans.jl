export condition!, covariance!, derivative_workspace, jitter, jvp!, latent!, member_count, predict!, predict_factors!, predict_fields!,
    predict_lawful!, predict_moments!, query!, query_factors!, regularised_count, vjp!

"""
    Plan(model, T; batch, context, targets, shape, ...)

A model bound to sizes and to the type of its arithmetic, `Float32` or `Float64`; arrays may have either. Immutable, to be shared. The
keywords of plans are listed under [`PCML.Options`](@ref).
"""
Plan(model::Model, T::Type; settings...) =
    with_options(settings) do options
        created(pointer -> LibPCML.pcml_plan_create(model, dtype(T), options, pointer), LibPCML.pcml_plan)
    end

"""
    Workspace(plan)

Scratch memory of a plan, for all of its calls but derivatives.
"""
Workspace(plan::Plan) = created(pointer -> LibPCML.pcml_plan_workspace(plan, pointer), LibPCML.pcml_workspace)

"""
    derivative_workspace(plan)

Scratch memory for [`jvp!`](@ref) and [`vjp!`](@ref) of a plan of a neural operator.
"""
derivative_workspace(plan::Plan) =
    created(pointer -> LibPCML.pcml_plan_derivative_workspace(plan, pointer), LibPCML.pcml_workspace)

"""
    predict!(output, plan, workspace, input; values = ())

Predicts fields from fields, or rows of outputs from rows of inputs: `[functions, n_1, .., n_d, channels]`, where axes of extent 1 may be
left out. `values` has an array for each Dirichlet and Neumann face of a model with boundary conditions. Returns `output`.
"""
@inline function predict!(out, plan::Plan, workspace::Workspace, in; values = ())
    check(LibPCML.pcml_plan_predict(plan, workspace, input(in), inputs(values), length(values), output(out)))
    return out
end

"""
    predict_fields!(outputs, plan, workspace, inputs; values = ())

[`predict!`](@ref) from and to several fields (tuples or vectors of arrays) whose channels follow one another, each read and written where it lies.
Returns `outputs`.
"""
@inline function predict_fields!(outs, plan::Plan, workspace::Workspace, ins; values = ())
    check(LibPCML.pcml_plan_predict_fields(
        plan, workspace, inputs(ins), length(ins), inputs(values), length(values), outputs(outs), length(outs)))
    return outs
end

"""
    predict_moments!(mean, variance, plan, workspace, input; values = ())

[`predict!`](@ref) with variances: perceptrons with a variance head, ensembles.
"""
@inline function predict_moments!(mean, variance, plan::Plan, workspace::Workspace, in; values = ())
    check(LibPCML.pcml_plan_predict_moments(
        plan, workspace, input(in), inputs(values), length(values), output(mean), output(variance)))
    return mean, variance
end

"""
    predict_factors!(mean, low_rank, plan, workspace, input; values = ())

Ensembles: [`predict!`](@ref) with the covariance of the members' mixture in factors, `[functions, 1 + members, cells]`, as
[`project!`](@ref) takes it with prior `:low_rank` and `prior_size = members`.
"""
@inline function predict_factors!(mean, low_rank, plan::Plan, workspace::Workspace, in; values = ())
    check(LibPCML.pcml_plan_predict_factors(
        plan, workspace, input(in), inputs(values), length(values), output(mean), output(low_rank)))
    return mean, low_rank
end

"""
    predict_lawful!(mean, plan, workspace, input, projector, projector_workspace, b; values, variance, posterior_variance, report)

[`predict!`](@ref) and [`project!`](@ref) in one call: functions are slices. Returns `mean`.
"""
@inline function predict_lawful!(
    mean, plan::Plan, workspace::Workspace, in, projector::Projector, projector_workspace::Workspace, b;
    values = (), variance = nothing, posterior_variance = nothing, report = nothing,
)
    check(LibPCML.pcml_plan_predict_lawful(
        plan, workspace, input(in), inputs(values), length(values), projector, projector_workspace, input(variance), input(b),
        output(mean), output(posterior_variance), optional(report)))
    return mean
end

"""
    condition!(workspace, plan, context_x, context_y; noise = nothing)

Encodes context points, `[functions, points, inputs]` and `[functions, points, outputs]`, into the workspace, for [`query!`](@ref).
`context_x` is `nothing` for a DeepONet. `noise` are variances of a Gaussian process's points. Returns the workspace.
"""
@inline function condition!(workspace::Workspace, plan::Plan, context_x, context_y; noise = nothing)
    if noise === nothing
        check(LibPCML.pcml_plan_condition(plan, workspace, input(context_x), input(context_y)))
    else
        check(LibPCML.pcml_plan_condition_noisy(plan, workspace, input(context_x), input(context_y), input(noise)))
    end
    return workspace
end

"""
    query!(mean, variance, plan, workspace, target_x; eps = nothing)

Predicts at target points, `[targets, inputs]` or `[functions, targets, inputs]`, of the functions conditioned on; `variance` may be
`nothing`. `eps` are standard normal draws of a neural process for the seeded ones. Returns mean and variance.
"""
@inline function query!(mean, variance, plan::Plan, workspace::Workspace, target_x; eps = nothing)
    check(LibPCML.pcml_plan_query(plan, workspace, input(target_x), input(eps), output(mean), output(variance)))
    return mean, variance
end

"""
    query_factors!(mean, low_rank, plan, workspace, target_x; eps = nothing)

Ensembles: [`query!`](@ref) with the covariance of the members' mixture as [`predict_factors!`](@ref) has it.
"""
@inline function query_factors!(mean, low_rank, plan::Plan, workspace::Workspace, target_x; eps = nothing)
    check(LibPCML.pcml_plan_query_factors(plan, workspace, input(target_x), input(eps), output(mean), output(low_rank)))
    return mean, low_rank
end

"""
    covariance!(covariance, plan, workspace, target_x; mean = nothing)

Gaussian processes: the posterior covariance at target points, `[functions, outputs, targets, targets]`, and the mean where it is asked for.
"""
@inline function covariance!(covariance, plan::Plan, workspace::Workspace, target_x; mean = nothing)
    check(LibPCML.pcml_plan_covariance(plan, workspace, input(target_x), output(mean), output(covariance)))
    return covariance
end

"""
    jitter(plan, workspace)

Gaussian processes: what the last conditioning added to the diagonal of kernel matrices, as a part of the signal variance.
"""
function jitter(plan::Plan, workspace::Workspace)
    value = Ref(0.0)
    check(LibPCML.pcml_plan_jitter(plan, workspace, value))
    return value[]
end

"""
    latent!(mu, log_variance, plan, workspace)

Neural processes: mean and log variance of the latent density, `[functions, hidden]`, network units.
"""
@inline function latent!(mu, log_variance, plan::Plan, workspace::Workspace)
    check(LibPCML.pcml_plan_latent(plan, workspace, output(mu), output(log_variance)))
    return mu, log_variance
end

"""
    member_count(plan)

How many members a plan's predictions are made of; 0 for a single model.
"""
function member_count(plan::Plan)
    count = Ref{Int64}(0)
    check(LibPCML.pcml_plan_members(plan, count))
    return count[]
end

"""
    regularised_count(plan)

How many kernel matrices of boundary corrections were regularised when the plan was created.
"""
function regularised_count(plan::Plan)
    count = Ref{Int64}(0)
    check(LibPCML.pcml_plan_regularised(plan, count))
    return count[]
end

"""
    jvp!(output_tangent, plan, workspace, input; values = (), input_tangent, value_tangents)

Neural operators: the derivative of [`predict!`](@ref) in a direction; what is left out is 0. The workspace is one of
[`derivative_workspace`](@ref).
"""
@inline function jvp!(
    output_tangent, plan::Plan, workspace::Workspace, in; values = (), input_tangent = nothing, value_tangents = nothing,
)
    value_tangents === nothing || same_length(values, value_tangents, "value_tangents", "values")
    check(LibPCML.pcml_plan_jvp(
        plan, workspace, input(in), inputs(values), length(values), input(input_tangent), inputs(value_tangents), output(output_tangent)))
    return output_tangent
end

"""
    vjp!(plan, workspace, input, output_cotangent; values = (), input_cotangent, value_cotangents)

Neural operators: from cotangents of the output to those of the input and of the boundary values, written where they are asked for.
"""
@inline function vjp!(
    plan::Plan, workspace::Workspace, in, output_cotangent; values = (), input_cotangent = nothing, value_cotangents = nothing,
)
    value_cotangents === nothing || same_length(values, value_cotangents, "value_cotangents", "values")
    check(LibPCML.pcml_plan_vjp(
        plan, workspace, input(in), inputs(values), length(values), input(output_cotangent), output(input_cotangent),
        outputs(value_cotangents)))
    return input_cotangent, value_cotangents
end
