integers(list) = collect(Int64, list)
reals(list) = collect(Float64, list)

const SETTERS = (
    batch = LibPCML.pcml_options_set_batch,
    boundary = LibPCML.pcml_options_set_boundary,
    context = LibPCML.pcml_options_set_context,
    covariance = LibPCML.pcml_options_set_covariance,
    direct_cells = LibPCML.pcml_options_set_direct_cells,
    dropout = LibPCML.pcml_options_set_dropout,
    fit_range = LibPCML.pcml_options_set_fit_range,
    fitted = (options, names) ->
        LibPCML.pcml_options_set_fitted(options, sum(Int32[number(LibPCML.pcml_fitted, name) for name in names])),
    held_cells = LibPCML.pcml_options_set_held_cells,
    held_faces = LibPCML.pcml_options_set_held_faces,
    latents = LibPCML.pcml_options_set_latents,
    length_scales = (options, list) -> LibPCML.pcml_options_set_length_scales(options, length(list), reals(list)),
    means = (options, list) -> LibPCML.pcml_options_set_means(options, length(list), reals(list)),
    noise_variance = LibPCML.pcml_options_set_noise_variance,
    prior_size = LibPCML.pcml_options_set_prior_size,
    restarts = LibPCML.pcml_options_set_restarts,
    seed = LibPCML.pcml_options_set_seed,
    shape = (options, list) -> LibPCML.pcml_options_set_shape(options, length(list), integers(list)),
    signal_variance = LibPCML.pcml_options_set_signal_variance,
    smoothing = LibPCML.pcml_options_set_smoothing,
    steps = LibPCML.pcml_options_set_steps,
    targets = LibPCML.pcml_options_set_targets,
    threads = LibPCML.pcml_options_set_threads,
    transforms = (options, name) -> LibPCML.pcml_options_set_transforms(options, number(LibPCML.pcml_transforms, name)),
)

"""
The keywords of functions that create objects.

| of | keywords |
|---|---|
| plans | `batch`, `context`, `targets`, `covariance`, `latents`, `seed`, `dropout`, `shape` (a tuple), `steps`, `threads`, `boundary` |
| plans | `transforms` (`:auto`, `:matrix`, `:fft`) |
| projectors | `held_cells` (a `Bool`), `prior_size`, `smoothing` |
| flux balances | `held_faces` (a `Bool`), `direct_cells` |
| Gaussian processes | `length_scales`, `signal_variance`, `noise_variance`, `means` |
| fits | `fitted` (some of `:signal_variance`, `:length_scales`, `:noise_variance`, `:means`), `fit_range`, `restarts`, `seed` |

`pcml_options_set_*` in the header says what each means and what it is where it is not given.
"""
function Options(; settings...)
    options = created(LibPCML.pcml_options_create, LibPCML.pcml_options)
    for (name, value) in settings
        check(number(SETTERS, name)(options, value))
    end
    return options
end

# Runs a create function with settings that it only reads.
function with_options(create, settings)
    options = Options(; settings...)
    try
        return create(options)
    finally
        close(options)
    end
end
