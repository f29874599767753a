export budget!, check!, covariance!, project!, residual!, slice_count

"""
    Projector(constraints; prior = :identity, held_cells, prior_size, smoothing)

Constraints joined with a prior kind: the metric of corrections. The rows are copied. Immutable, to be shared. Priors and the size of the
`variance` of a call, each with or without a slice axis before it:

| prior | `variance` |
|---|---|
| `:identity` | none |
| `:diagonal`, `:smoothed` | `[cells]`, one variance a cell |
| `:scalar` | `[1]` |
| `:covariance_band`, `:precision_band` | `[prior_size + 1, cells]` |
| `:low_rank` | `[prior_size + 1, cells]`: the diagonal, then the rows of F |
| `:ensemble` | `[prior_size, cells]`, samples |
| `:dense` | `[cells, cells]` |
"""
Projector(constraints::Constraints; prior::Symbol = :identity, settings...) =
    with_options(settings) do options
        created(LibPCML.pcml_projector) do pointer
            LibPCML.pcml_projector_create(constraints, number(LibPCML.pcml_prior, prior), options, pointer)
        end
    end

"""
    Workspace(projector, slices = 1)

Scratch memory for [`project!`](@ref) and what else takes slices of this projector, at most so many in one call.
"""
Workspace(projector::Projector, slices::Integer = 1) =
    created(pointer -> LibPCML.pcml_projector_workspace(projector, slices, pointer), LibPCML.pcml_workspace)

"""
    Report(projector, slices = 1)

What a projection did, slice by slice; filled by each successful projection that is given it. `report[item, slice, row]` is a value of it,
slice and row 1 where they are left out. Items of a row: `:residual_before`, `:residual_after`, `:tolerance`, `:multiplier`, `:dropped`.
Of the slice: `:correction_norm`, `:largest_correction`, `:largest_correction_cell`, `:repairs`, `:unchanged`, `:iterations`,
`:active_lower`, `:active_upper`, `:relaxed`, `:relaxation`.
"""
Report(projector::Projector, slices::Integer = 1) =
    created(pointer -> LibPCML.pcml_projector_report(projector, slices, pointer), LibPCML.pcml_report)

function Base.getindex(report::Report, item::Symbol, slice::Integer = 1, row::Integer = 1)
    value = Ref(0.0)
    check(LibPCML.pcml_report_value(report, number(LibPCML.pcml_report_item, item), slice - 1, row - 1, value))
    return item === :largest_correction_cell ? value[] + 1 : value[]
end

"""
    slice_count(report)

How many slices the last successful projection had; 0 before the first.
"""
function slice_count(report::Report)
    slices = Ref{Int64}(0)
    check(LibPCML.pcml_report_slices(report, slices))
    return slices[]
end

@inline optional(report::Report) = report
@inline optional(::Nothing) = C_NULL

"""
    project!(posterior, projector, workspace, mean, b; variance, posterior_variance, report)

Makes every slice of `mean` obey the rows, by the least correction in the prior's metric; returns `posterior`, which may be `mean`. Arrays
hold `cells` values, or are `[slices, ...]`; `b` is `[slices, rows]`, `[slices]` for one row. A mean that obeys already comes back bit for
bit.
"""
@inline function project!(
    posterior, projector::Projector, workspace::Workspace, mean, b;
    variance = nothing, posterior_variance = nothing, report = nothing,
)
    check(LibPCML.pcml_projector_project(
        projector, workspace, input(mean), input(variance), input(b), output(posterior), output(posterior_variance), optional(report)))
    return posterior
end

"""
    residual!(residual, projector, workspace, mean, b)

Writes `G u - b` into an `Array{Float64}` of size `(rows, slices)`, a column a slice, or a vector of as many values; returns it.
"""
@inline function residual!(residual::Array{Float64}, projector::Projector, workspace::Workspace, mean, b)
    same_length(b, residual, "residuals", "right-hand sides")
    check(LibPCML.pcml_projector_residual(projector, workspace, input(mean), input(b), residual))
    return residual
end

"""
    check!(report, projector, workspace, mean, b)

Fills the report with how every slice stands to its rows; changes nothing else. Returns the report.
"""
@inline function check!(report::Report, projector::Projector, workspace::Workspace, mean, b)
    check(LibPCML.pcml_projector_check(projector, workspace, input(mean), input(b), report))
    return report
end

"""
    budget!(b, projector, workspace, previous, rates, dt)

Right-hand sides of a balance: what the rows hold of an earlier state plus what has come in since, `b = G u + dt sum_j rates[:, :, j]`;
`rates` is `[slices, rows, terms]` or `[slices, rows]`. Returns `b`.
"""
@inline function budget!(b, projector::Projector, workspace::Workspace, previous, rates, dt::Real)
    check(LibPCML.pcml_projector_budget(projector, workspace, input(previous), input(rates), dt, output(b)))
    return b
end

"""
    covariance!(covariance, projector, workspace; variance)

The whole posterior covariance of one slice, `[cells, cells]`.
"""
@inline function covariance!(covariance, projector::Projector, workspace::Workspace; variance = nothing)
    check(LibPCML.pcml_projector_covariance(projector, workspace, input(variance), output(covariance)))
    return covariance
end
