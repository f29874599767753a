export bounded_workspace, check_bounded!, jvp_bounded!, project_bounded!, vjp_bounded!

"""
    bounded_workspace(projector, slices = 1)

Scratch memory for the `..._bounded!` calls of a projector with prior `:identity`, `:diagonal` or `:scalar`.
"""
bounded_workspace(projector::Projector, slices::Integer = 1) =
    created(pointer -> LibPCML.pcml_bounded_workspace(projector, slices, pointer), LibPCML.pcml_workspace)

"""
    project_bounded!(posterior, projector, workspace, mean, b; lower, upper, variance, report)

[`project!`](@ref) within bounds, simplices and monotone runs: the nearest state that obeys the rows and lies within, with tolerance zero.
Bounds are of the mean's shape or that of one slice, infinite where there is none. What happens where no such state exists is for
[`set_bounds!`](@ref) to say.
"""
@inline function project_bounded!(
    posterior, projector::Projector, workspace::Workspace, mean, b;
    lower = nothing, upper = nothing, variance = nothing, report = nothing,
)
    check(LibPCML.pcml_bounded_project(
        projector, workspace, input(mean), input(variance), input(b), input(lower), input(upper), output(posterior), optional(report)))
    return posterior
end

"""
    check_bounded!(report, projector, workspace, mean, b; lower, upper)

Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else.
"""
@inline function check_bounded!(
    report::Report, projector::Projector, workspace::Workspace, mean, b; lower = nothing, upper = nothing,
)
    check(LibPCML.pcml_bounded_check(projector, workspace, input(mean), input(b), input(lower), input(upper), report))
    return report
end

"""
    jvp_bounded!(tangent, projector, workspace, mean, b; lower, upper, variance, tangent_mean, tangent_variance, tangent_b)

The derivative of [`project_bounded!`](@ref) of one slice in a direction; what is left out is 0, bounds are constants.
"""
@inline function jvp_bounded!(
    tangent, projector::Projector, workspace::Workspace, mean, b;
    lower = nothing, upper = nothing, variance = nothing, tangent_mean = nothing, tangent_variance = nothing, tangent_b = nothing,
)
    check(LibPCML.pcml_bounded_jvp(
        projector, workspace, input(mean), input(variance), input(b), input(lower), input(upper), input(tangent_mean),
        input(tangent_variance), input(tangent_b), output(tangent)))
    return tangent
end

"""
    vjp_bounded!(projector, workspace, mean, b, cotangent; lower, upper, variance, gradient_mean, gradient_variance, gradient_b)

The derivatives of the dot product of `cotangent` and the result of [`project_bounded!`](@ref) of one slice, written where they are asked
for.
"""
@inline function vjp_bounded!(
    projector::Projector, workspace::Workspace, mean, b, cotangent;
    lower = nothing, upper = nothing, variance = nothing, gradient_mean = nothing, gradient_variance = nothing, gradient_b = nothing,
)
    check(LibPCML.pcml_bounded_vjp(
        projector, workspace, input(mean), input(variance), input(b), input(lower), input(upper), input(cotangent),
        output(gradient_mean), output(gradient_variance), output(gradient_b)))
    return gradient_mean, gradient_variance, gradient_b
end
