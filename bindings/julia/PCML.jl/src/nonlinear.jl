export check_nonlinear!, jvp_nonlinear!, nonlinear_workspace, project_nonlinear!, vjp_nonlinear!

"""
    nonlinear_workspace(projector, slices = 1)

Scratch memory for the `..._nonlinear!` calls of a projector with a quadratic invariant.
"""
nonlinear_workspace(projector::Projector, slices::Integer = 1) =
    created(pointer -> LibPCML.pcml_nonlinear_workspace(projector, slices, pointer), LibPCML.pcml_workspace)

"""
    project_nonlinear!(posterior, projector, workspace, mean, b, levels; variance, report)

The nearest state that obeys all rows and all quadratic invariants. `b` is `nothing` without rows; `levels` is `[slices, invariants]`.
Rows of the report are the linear ones, then the invariants.
"""
@inline function project_nonlinear!(
    posterior, projector::Projector, workspace::Workspace, mean, b, levels; variance = nothing, report = nothing,
)
    check(LibPCML.pcml_nonlinear_project(
        projector, workspace, input(mean), input(variance), input(b), input(levels), output(posterior), optional(report)))
    return posterior
end

"""
    check_nonlinear!(report, projector, workspace, mean, b, levels)

Fills the report with how every slice stands to its rows and invariants; changes nothing else.
"""
@inline function check_nonlinear!(report::Report, projector::Projector, workspace::Workspace, mean, b, levels)
    check(LibPCML.pcml_nonlinear_check(projector, workspace, input(mean), input(b), input(levels), report))
    return report
end

"""
    jvp_nonlinear!(tangent, projector, workspace, mean, b, levels; variance, tangent_mean, tangent_variance, tangent_b)

The derivative of [`project_nonlinear!`](@ref) of one slice in a direction. `tangent_b` has one value a row, then one an invariant.
"""
@inline function jvp_nonlinear!(
    tangent, projector::Projector, workspace::Workspace, mean, b, levels;
    variance = nothing, tangent_mean = nothing, tangent_variance = nothing, tangent_b = nothing,
)
    check(LibPCML.pcml_nonlinear_jvp(
        projector, workspace, input(mean), input(variance), input(b), input(levels), input(tangent_mean), input(tangent_variance),
        input(tangent_b), output(tangent)))
    return tangent
end

"""
    vjp_nonlinear!(projector, workspace, mean, b, levels, cotangent; variance, gradient_mean, gradient_variance, gradient_b)

The derivatives of the dot product of `cotangent` and the result of [`project_nonlinear!`](@ref) of one slice, written where they are
asked for.
"""
@inline function vjp_nonlinear!(
    projector::Projector, workspace::Workspace, mean, b, levels, cotangent;
    variance = nothing, gradient_mean = nothing, gradient_variance = nothing, gradient_b = nothing,
)
    check(LibPCML.pcml_nonlinear_vjp(
        projector, workspace, input(mean), input(variance), input(b), input(levels), input(cotangent), output(gradient_mean),
        output(gradient_variance), output(gradient_b)))
    return gradient_mean, gradient_variance, gradient_b
end
