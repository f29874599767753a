export part_workspace, project_part!

"""
    part_workspace(projector)

Scratch memory of [`project_part!`](@ref).
"""
part_workspace(projector::Projector) =
    created(pointer -> LibPCML.pcml_part_workspace(projector, pointer), LibPCML.pcml_workspace)

"""
    project_part!(posterior, projector, workspace, reduction, mean, b; variance, lower, upper, posterior_variance, report)

[`project!`](@ref) for one slice whose cells lie in parts, one in each process: every part calls it with its own cells, and the whole
field obeys afterwards. A cell's bits do not depend on how the field is split.
"""
function project_part!(
    posterior, projector::Projector, workspace::Workspace, reduction::Reduction, mean, b;
    variance = nothing, lower = nothing, upper = nothing, posterior_variance = nothing, report = nothing,
)
    status = LibPCML.pcml_part_project(
        projector, workspace, reduction, input(mean), input(variance), input(b), input(lower), input(upper), output(posterior),
        output(posterior_variance), optional(report))
    check(status, reduction)
    return posterior
end

"""
    OperatorPart(model, T, block, owned; shape, boundary, threads, transforms)

One part of a neural operator on a grid that lies in parts: points, last index fastest, fall into blocks of `block` points, and `owned`
are the numbers of this part's blocks, from 1.
"""
function OperatorPart(model::Model, T::Type, block::Integer, owned; settings...)
    blocks = from_zero(owned)
    return with_options(settings) do options
        created(LibPCML.pcml_operator_part) do pointer
            LibPCML.pcml_operator_part_create(model, dtype(T), options, block, blocks, length(blocks), pointer)
        end
    end
end

"""
    Workspace(part)

Scratch memory of a part of an operator.
"""
Workspace(part::OperatorPart) =
    created(pointer -> LibPCML.pcml_operator_part_workspace(part, pointer), LibPCML.pcml_workspace)

"""
    predict!(output, part, workspace, reduction, input; values = ())

Predicts one function at this part's points, `[own points, channels]`; every part calls it.
"""
function predict!(out, part::OperatorPart, workspace::Workspace, reduction::Reduction, in; values = ())
    status = LibPCML.pcml_operator_part_predict(
        part, workspace, reduction, input(in), inputs(values), length(values), output(out))
    check(status, reduction)
    return out
end
