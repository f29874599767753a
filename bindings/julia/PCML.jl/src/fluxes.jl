export correct!, update!, update_bounded!

"""
    Flux(owner, neighbour, volumes; held_faces, direct_cells)

A mesh whose face fluxes are to close every cell's balance: `owner` and `neighbour` have a cell a face, `neighbour` 0 for a boundary face. A
positive flux goes from owner to neighbour. All is copied. Immutable, to be shared.
"""
function Flux(owner, neighbour, volumes; settings...)
    same_length(owner, neighbour, "neighbours", "owners")
    owners, neighbours = from_zero(owner), from_zero(neighbour)
    return with_options(settings) do options
        created(LibPCML.pcml_flux) do pointer
            LibPCML.pcml_flux_create(length(owners), owners, neighbours, coefficients(volumes), options, pointer)
        end
    end
end

"""
    Workspace(flux)

Scratch memory of a flux balance.
"""
Workspace(flux::Flux) = created(pointer -> LibPCML.pcml_flux_workspace(flux, pointer), LibPCML.pcml_workspace)

"""
    correct!(corrected, flux, workspace, fluxes; variance, source)

The nearest fluxes whose outflow less inflow is `source` in each cell (0 where it is left out). Returns what was done: a named tuple with
`residual_before`, `residual_before_cell`, `residual_after`, `residual_after_cell`, `closeness`, `correction_norm`, `largest_correction`,
`largest_correction_face`, `iterations`, `rounds`, `method`, `repaired` and `unchanged`.
"""
@inline function correct!(corrected, flux::Flux, workspace::Workspace, fluxes; variance = nothing, source = nothing)
    report = Ref(LibPCML.pcml_flux_report())
    check(LibPCML.pcml_flux_correct(
        flux, workspace, input(fluxes), input(variance), input(source), output(corrected), report))
    r = report[]
    return (
        residual_before = r.residual_before,
        residual_before_cell = r.residual_before_cell + 1,
        residual_after = r.residual_after,
        residual_after_cell = r.residual_after_cell + 1,
        closeness = r.closeness,
        correction_norm = r.correction_norm,
        largest_correction = r.largest_correction,
        largest_correction_face = r.largest_correction_face + 1,
        iterations = r.iterations,
        rounds = Int(r.rounds),
        method = flux_method(r.method),
        repaired = r.repaired != 0,
        unchanged = r.unchanged != 0,
    )
end

@inline flux_method(method) =
    method == LibPCML.PCML_FLUX_METHOD_NONE ? :none :
    method == LibPCML.PCML_FLUX_METHOD_ELIMINATION ? :elimination : :conjugate_gradients

"""
    residual!(residual, flux, workspace, fluxes; source)

How far every cell's balance is from closing, one value a cell.
"""
@inline function residual!(residual, flux::Flux, workspace::Workspace, fluxes; source = nothing)
    check(LibPCML.pcml_flux_residual(flux, workspace, input(fluxes), input(source), output(residual)))
    return residual
end

"""
    update!(new_state, flux, workspace, dt, state, fluxes; source)

The new value of each cell, `u' = u - dt / V (sum_out F - sum_in F - q)`. `new_state` may be `state`.
"""
@inline function update!(new_state, flux::Flux, workspace::Workspace, dt::Real, state, fluxes; source = nothing)
    check(LibPCML.pcml_flux_update(flux, workspace, dt, input(state), input(fluxes), input(source), output(new_state)))
    return new_state
end

"""
    update_bounded!(new_state, flux, workspace, dt, state, fluxes; source, lower, upper, low_order, limited)

[`update!`](@ref) with fluxes that are limited towards `low_order` so that every cell stays within its bounds; `limited` receives them.
Returns what the bounds did: a named tuple with `limited_faces`, `least_limiter` and `least_limiter_face`.
"""
@inline function update_bounded!(
    new_state, flux::Flux, workspace::Workspace, dt::Real, state, fluxes;
    source = nothing, lower = nothing, upper = nothing, low_order = nothing, limited = nothing,
)
    limits = Ref(LibPCML.pcml_flux_limits())
    check(LibPCML.pcml_flux_update_bounded(
        flux, workspace, dt, input(state), input(fluxes), input(source), input(lower), input(upper), input(low_order),
        output(new_state), output(limited), limits))
    l = limits[]
    return (limited_faces = l.limited_faces, least_limiter = l.least_limiter, least_limiter_face = l.least_limiter_face + 1)
end

"""
    jvp!(tangent, flux, workspace, fluxes; variance, source, tangent_fluxes, tangent_variance, tangent_source)

The derivative of [`correct!`](@ref) in a direction; what is left out is 0.
"""
@inline function jvp!(
    tangent, flux::Flux, workspace::Workspace, fluxes;
    variance = nothing, source = nothing, tangent_fluxes = nothing, tangent_variance = nothing, tangent_source = nothing,
)
    check(LibPCML.pcml_flux_jvp(
        flux, workspace, input(fluxes), input(variance), input(source), input(tangent_fluxes), input(tangent_variance),
        input(tangent_source), output(tangent)))
    return tangent
end

"""
    vjp!(flux, workspace, fluxes, cotangent; variance, source, gradient_fluxes, gradient_variance, gradient_source)

The derivatives of the dot product of `cotangent` and the fluxes of [`correct!`](@ref), written where they are asked for.
"""
@inline function vjp!(
    flux::Flux, workspace::Workspace, fluxes, cotangent;
    variance = nothing, source = nothing, gradient_fluxes = nothing, gradient_variance = nothing, gradient_source = nothing,
)
    check(LibPCML.pcml_flux_vjp(
        flux, workspace, input(fluxes), input(variance), input(source), input(cotangent), output(gradient_fluxes),
        output(gradient_variance), output(gradient_source)))
    return gradient_fluxes, gradient_variance, gradient_source
end
