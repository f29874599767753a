export description, ensemble, fit_hyperparameters, gaussian_process, hyperparameters

"""
    Model(path)
    Model(bytes::Vector{UInt8})

A trained surrogate from a model file, or from the bytes of one, so that one rank may read and broadcast. Its self-test is run. Immutable,
to be shared.
"""
Model(path::AbstractString) = created(pointer -> LibPCML.pcml_model_load(path, pointer), LibPCML.pcml_model)
Model(bytes::Vector{UInt8}) =
    created(pointer -> LibPCML.pcml_model_load_bytes(bytes, length(bytes), pointer), LibPCML.pcml_model)

"""
    description(model)

The model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
"""
description(model::Model) = text_of((buffer, capacity, length) -> begin
    check(LibPCML.pcml_model_description(model, buffer, capacity, length))
end)

"""
    gaussian_process(kernel, inputs, outputs; length_scales, signal_variance = 1, noise_variance = 0, means = 0)

A Gaussian process without a file: a model with `inputs` coordinates of a point and `outputs` values there. `kernel` is `:rbf`, `:matern12`,
`:matern32` or `:matern52`.
"""
gaussian_process(kernel::Symbol, inputs::Integer, outputs::Integer; settings...) =
    with_options(settings) do options
        created(LibPCML.pcml_model) do pointer
            LibPCML.pcml_model_gaussian_process(number(LibPCML.pcml_kernel, kernel), inputs, outputs, options, pointer)
        end
    end

"""
    ensemble(members)

An ensemble of models: its plans predict the mean, and the variance, of the members' equal-weight mixture. The members are shared.
"""
function ensemble(members)
    list = collect(Model, members)
    GC.@preserve list created(LibPCML.pcml_model) do pointer
        pointers = Ptr{LibPCML.pcml_model}[Base.unsafe_convert(Ptr{LibPCML.pcml_model}, member) for member in list]
        LibPCML.pcml_model_ensemble(pointers, length(pointers), pointer)
    end
end

"""
    fit_hyperparameters(model, context_x, context_y; noise = nothing, fitted, fit_range, restarts, seed)

A Gaussian process with the hyperparameters of the greatest marginal likelihood of points `context_x` `[functions, points, inputs]` with
values `context_y` `[functions, points, outputs]`, and what the search did: a named tuple with `log_likelihood`, `log_likelihood_before`,
`jitter`, `iterations`, `evaluations`, `search` and `converged`.
"""
function fit_hyperparameters(model::Model, context_x, context_y; noise = nothing, settings...)
    report = Ref(LibPCML.pcml_fit_report())
    fitted = with_options(settings) do options
        created(LibPCML.pcml_model) do pointer
            LibPCML.pcml_model_fit(model, input(context_x), input(context_y), input(noise), options, pointer, report)
        end
    end
    r = report[]
    return fitted, (
        log_likelihood = r.log_likelihood,
        log_likelihood_before = r.log_likelihood_before,
        jitter = r.jitter,
        iterations = r.iterations,
        evaluations = r.evaluations,
        search = r.search,
        converged = r.converged != 0,
    )
end

"""
    hyperparameters(model)

Those of a Gaussian process, network units: signal variance, noise variance, the length scales, the mean of each output.
"""
function hyperparameters(model::Model)
    count = Ref{Int64}(0)
    check(LibPCML.pcml_model_hyperparameters(model, 0, C_NULL, count))
    list = Vector{Float64}(undef, count[])
    check(LibPCML.pcml_model_hyperparameters(model, length(list), list, count))
    return list
end
