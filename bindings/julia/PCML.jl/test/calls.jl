# Every call of the package once at least, by what is known of its result.

const cells = 12
const coordinates = range(0, 1, length = cells)
const volumes = [0.5; ones(cells - 2); 0.5] ./ (cells - 1)

mass_of(u) = volumes ⋅ u

@testset "priors" begin
    Random.seed!(1)
    mean = rand(cells)
    factors = [rand(1, cells) .+ 1; rand(2, cells)]
    dense = factors[2:3, :]' * factors[2:3, :]
    for i in 1:cells
        dense[i, i] += factors[1, i]
    end
    band = [ones(1, cells); fill(0.2, 1, cells)]
    constraints = add_quadrature!(Constraints(cells), :trapezoid, coordinates)
    for (prior, settings, variance) in (
        (:identity, (), nothing), (:scalar, (), [2.0]), (:diagonal, (), rand(cells) .+ 1), (:diagonal, (held_cells = true,), [0; ones(11)]),
        (:covariance_band, (prior_size = 1,), band), (:precision_band, (prior_size = 1,), band), (:low_rank, (prior_size = 2,), factors),
        (:ensemble, (prior_size = 3,), rand(3, cells)), (:dense, (), dense), (:smoothed, (smoothing = 0.5,), rand(cells) .+ 1),
    )
        projector = Projector(constraints; prior = prior, settings...)
        workspace, report = Workspace(projector), Report(projector)
        u, spread = similar(mean), similar(mean)
        project!(u, projector, workspace, mean, [0.7]; variance = variance, posterior_variance = spread, report = report)
        @test mass_of(u) ≈ 0.7 && abs(report[:residual_after]) <= report[:tolerance]
        covariance = covariance!(zeros(cells, cells), projector, workspace; variance = variance)
        @test [covariance[i, i] for i in 1:cells] ≈ spread
        largest, cell = findmax(abs.(u - mean))
        # Smoothing moves the mean that is then corrected.
        prior === :smoothed || @test (report[:largest_correction], report[:largest_correction_cell]) == (largest, cell)
    end
end

@testset "rows" begin
    grid = (range(0, 1, length = 3), range(0, 2, length = 4))
    u = [x + 10y for x in grid[1], y in grid[2]]
    function lawful(constraints, b)
        projector = Projector(constraints)
        residual = residual!(zeros(row_count(constraints), 1), projector, Workspace(projector), u, reshape(b, 1, :))
        return maximum(abs, residual) < 1e-12
    end
    @test lawful(add_grid_quadrature!(Constraints(12), :trapezoid, grid), [2 * 0.5 + 10 * 2.0])
    @test lawful(add_boundary!(Constraints(12), grid, (-1, 0), 1; value = 1), u[1, :])
    @test lawful(add_boundary!(Constraints(12), grid, (0, 1), 2; value = 0, slope = 1), fill(10.0, 3))
    @test lawful(add_periodic!(Constraints(12), size(u), 2), u[:, 4] - u[:, 1])
    # Cells by the last index.
    @test lawful(add_sparse_rows!(Constraints(12), [1, 3, 4], [1, 2, 12], [1.0, 2.0, 3.0]), [u[1, 1] + 2u[1, 2], 3u[3, 4]])
    @test lawful(add_stencils!(Constraints(12), [1 2; 11 12], [-1, 1]), [u[1, 2] - u[1, 1], u[3, 4] - u[3, 3]])
    @test lawful(add_stencils!(Constraints(12), [1 2; 11 12], [1 2; 3 4]), [u[1, 1] + 2u[1, 2], 3u[3, 3] + 4u[3, 4]])
    @test lawful(add_sparse_rows!(Constraints(12), [1, 2], [5], [1.0]; noise = [0.5]), [u[2, 1]])
    @test status_of(() -> add_sparse_rows!(Constraints(12), [1, 9], [1], [1.0])) === :shape
    @test status_of(() -> add_sparse_rows!(Constraints(12), [1, 2], [1], [1.0]; noise = [])) === :shape
    @test status_of(() -> add_sparse_rows!(Constraints(12), [1, 2], [13], [1.0])) === :invalid_argument
    @test status_of(() -> add_stencils!(Constraints(12), [1 2], [1])) === :shape
    @test status_of(() -> add_boundary!(Constraints(12), grid, (-1,), 1; value = 1)) === :shape

    projector = Projector(add_row!(Constraints(cells), volumes))
    b = budget!([0.0], projector, Workspace(projector), ones(cells), reshape([0.25, -0.5], 1, 1, 2), 2.0)
    @test b == [mass_of(ones(cells)) - 0.5]
    report = check!(Report(projector), projector, Workspace(projector), ones(cells), [1.0])
    @test report[:unchanged] == 1
end

@testset "bounds and sets" begin
    projector = Projector(add_row!(Constraints(cells), volumes); prior = :diagonal)
    workspace, report = bounded_workspace(projector), Report(projector)
    mean, lower, upper = [sin(3i) for i in 1:cells], zeros(cells), fill(0.9, cells)
    u = project_bounded!(
        zeros(cells), projector, workspace, mean, [0.5]; lower = lower, upper = upper, variance = ones(cells), report = report)
    @test mass_of(u) ≈ 0.5 && all(0 .<= u .<= 0.9) && report[:active_lower] == count(iszero, u) > 0
    @test check_bounded!(report, projector, workspace, u, [0.5]; lower = lower, upper = upper)[:unchanged] == 1
    @test status_of(() -> project_bounded!(u, projector, workspace, mean, [5.0]; upper = upper, variance = ones(cells))) === :infeasible
    tangent = jvp_bounded!(zeros(cells), projector, workspace, mean, [0.5]; lower = lower, variance = ones(cells), tangent_b = [1.0])
    gradient = [0.0]
    vjp_bounded!(projector, workspace, mean, [0.5], ones(cells); lower = lower, variance = ones(cells), gradient_b = gradient)
    @test mass_of(tangent) ≈ 1 && gradient[1] ≈ sum(tangent)

    constraints = set_bounds!(add_row!(Constraints(cells), volumes); policy = :relax_least)
    relaxing = Projector(constraints)
    report = Report(relaxing)
    project_bounded!(u, relaxing, bounded_workspace(relaxing), mean, [5.0]; upper = upper, report = report)
    @test report[:relaxed] > 0

    sets = add_monotone!(add_simplex!(add_row!(Constraints(9), ones(9)), 2, 3; total = 2), 7:9, :increasing)
    projector = Projector(sets)
    u = project_bounded!(zeros(9), projector, bounded_workspace(projector), [-1.0, 1, 3, 1, 1, 1, 3, 2, 1], [12.0])
    @test all(u[1:6] .>= 0) && u[1:3] + u[4:6] ≈ fill(2.0, 3) && issorted(u[7:9]) && sum(u) ≈ 12
end

@testset "invariants" begin
    mean, weights = [1.0, 2, 3, 4], [0.5, 0.5, 0.5, 0.5]
    projector = Projector(add_energy!(add_row!(Constraints(4), ones(4)), weights))
    workspace, report = nonlinear_workspace(projector), Report(projector)
    u = project_nonlinear!(zeros(4), projector, workspace, mean, [9.0], [12.0]; report = report)
    @test sum(u) ≈ 9 && (u ⋅ u) / 2 ≈ 12 && abs(report[:residual_after, 1, 2]) <= report[:tolerance, 1, 2]
    @test check_nonlinear!(report, projector, workspace, u, [9.0], [12.0])[:unchanged] == 1
    tangent = jvp_nonlinear!(zeros(4), projector, workspace, mean, [9.0], [12.0]; tangent_mean = [1.0, 0, 0, 0])
    gradient = zeros(4)
    vjp_nonlinear!(projector, workspace, mean, [9.0], [12.0], ones(4); gradient_mean = gradient)
    @test abs(sum(tangent)) < 1e-12 && abs(gradient[1]) < 1e-12

    products = Projector(add_quadratic!(Constraints(4), [1, 2], [3, 4], [1.0, 1.0]))
    u = project_nonlinear!(zeros(4), products, nonlinear_workspace(products), mean, nothing, [10.0])
    @test u[1] * u[3] + u[2] * u[4] ≈ 10
end

@testset "inference" begin
    projector = Projector(add_row!(Constraints(cells), volumes); prior = :diagonal)
    workspace = inference_workspace(projector, 5)
    mean, variance, b = sin.(1:cells), fill(0.25, cells), [0.3]
    samples = sample!(zeros(5, cells), projector, workspace, mean, b; variance = variance, seed = 4)
    @test all(mass_of(samples[k, :]) ≈ 0.3 for k in 1:5)
    again = sample!(zeros(2, cells), projector, workspace, mean, b; variance = variance, seed = 4, first = 3)
    @test again == samples[3:4, :]
    S = 0.25 * (volumes ⋅ volumes)
    @test log_likelihood(projector, workspace, mean, b; variance = variance) ≈
          -(log(2pi * S) + (mass_of(mean) - 0.3)^2 / S) / 2
    all_of_it = covariance!(zeros(cells, cells), projector, Workspace(projector); variance = variance)
    @test covariance!(zeros(2, 3), projector, workspace, [1, 5], 2:4; variance = variance) ≈ all_of_it[[1, 5], 2:4]
    tangent = jvp!(zeros(cells), projector, workspace, mean, b; variance = variance, tangent_mean = ones(cells))
    gradient = zeros(cells)
    vjp!(projector, workspace, mean, b, volumes; variance = variance, gradient_mean = gradient)
    @test abs(mass_of(tangent)) < 1e-14 && maximum(abs, gradient) < 1e-14
    @test log_density(mean, mean, variance) ≈ -log(2pi * 0.25) / 2
end

@testset "fluxes" begin
    # Three cells in a row, both ends open.
    flux = Flux([1, 1, 2, 3], [0, 2, 3, 0], [1.0, 1, 2])
    workspace = Workspace(flux)
    # The first face looks outwards at the left end.
    F = [-1.0, 1.5, 0.5, 1.0]
    corrected = zeros(4)
    report = correct!(corrected, flux, workspace, F)
    @test corrected[2] ≈ corrected[3] ≈ corrected[4] ≈ -corrected[1]
    @test report.residual_before == 1 && report.residual_before_cell == 2 && report.method === :elimination && !report.unchanged
    @test maximum(abs, residual!(zeros(3), flux, workspace, corrected)) < 1e-15
    u = update!(zeros(3), flux, workspace, 0.1, [1.0, 1, 1], F)
    @test u ≈ [1 - 0.1 * 0.5, 1 + 0.1, 1 - 0.05 * 0.5]
    limited = zeros(4)
    limits = update_bounded!(u, flux, workspace, 0.1, [1.0, 1, 1], F; lower = zeros(3), upper = fill(1.05, 3), limited = limited)
    @test all(u .<= 1.05) && limits.limited_faces > 0 && limits.least_limiter < 1 && 1 <= limits.least_limiter_face <= 4
    tangent = jvp!(zeros(4), flux, workspace, F; tangent_fluxes = [0.0, 1, 0, 0])
    gradient = zeros(4)
    vjp!(flux, workspace, F, [0.0, 1, 0, 0]; gradient_fluxes = gradient)
    @test tangent ≈ gradient ≈ [-0.25, 0.25, 0.25, 0.25]
    @test status_of(() -> Flux([1, 2], [2], [1.0, 1.0])) === :shape
    @test status_of(() -> Flux([1, 4], [2, 1], [1.0, 1.0])) === :invalid_argument
end

@testset "operators and boundary conditions" begin
    path = joinpath(MODELS, "insulated.safetensors")
    model = Model(read(path))
    @test occursin("\"fno\"", description(model)) || occursin("boon", description(model))
    plan = Plan(model, Float64; shape = (20, 25))
    @test member_count(plan) == 0 && regularised_count(plan) >= 0
    u0 = [cos(pi * i / 19) for i in 0:19, t in 1:25]
    left, right = zeros(25), ones(25)
    u = predict!(zeros(20, 25), plan, Workspace(plan), u0; values = (left, right))
    @test u[1, :] ≈ u[2, :]
    # A list serves as a tuple does, and any order in memory gives the same bits.
    other = PermutedDimsArray(zeros(25, 20), (2, 1))
    @test predict!(other, plan, Workspace(plan), collect(u0')'; values = [left, right]) == u
    @test status_of(() -> predict!(other, plan, Workspace(plan), u0)) === :mismatch

    workspace = derivative_workspace(plan)
    towards, cotangent = sin.(u0), cos.(u)
    tangent = jvp!(zeros(20, 25), plan, workspace, u0; values = (left, right), input_tangent = towards, value_tangents = (right, left))
    gradient, by_left, by_right = zeros(20, 25), zeros(25), zeros(25)
    vjp!(plan, workspace, u0, cotangent; values = (left, right), input_cotangent = gradient, value_cotangents = (by_left, by_right))
    @test cotangent ⋅ tangent ≈ (gradient ⋅ towards) + sum(by_left)
    @test status_of(() -> jvp!(tangent, plan, workspace, u0; values = (left, right), value_tangents = (right,))) === :shape

    projector = Projector(add_row!(Constraints(500), ones(500)))
    lawful = predict_lawful!(zeros(1, 20, 25), plan, Workspace(plan), u0, projector, Workspace(projector), [1.0]; values = (left, right))
    @test exact_sum(lawful) ≈ 1

    boundary = add_face!(Boundary(), 1, -1, :dirichlet)
    add_face!(boundary, 2, 1, :neumann; stencil = (-1, 1), spacing = 0.5)
    field = enforce!(ones(1, 3, 4, 1), boundary, fill(7.0, 4), fill(2.0, 3); rank = 2)
    @test field[1, 1, 1:4, 1] == [7, 7, 7, 7] && field[1, 2, :, 1] == [1, 1, 1, 2]
    add_face!(boundary, 3, 1, :periodic)
    @test status_of(() -> add_face!(boundary, 1, -1, :dirichlet)) === :invalid_argument
end

@testset "perceptrons, ensembles and processes" begin
    model = Model(joinpath(MODELS, "porous.safetensors"))
    one, two = Plan(model, Float32; batch = 3), Plan(ensemble([model, model]), Float32; batch = 3)
    x = rand(Float32, 3, 9)
    expected = predict!(zeros(Float32, 3, 1), one, Workspace(one), x)
    mean, variance, factors = zeros(Float32, 3, 1), ones(Float32, 3, 1), ones(Float32, 3, 3, 1)
    predict_moments!(mean, variance, two, Workspace(two), x)
    @test member_count(two) == 2 && mean == expected && maximum(variance) == 0
    predict_factors!(mean, factors, two, Workspace(two), x)
    @test mean == expected && maximum(abs, factors) == 0
    mean .= 0
    predict_fields!((mean,), one, Workspace(one), (x[:, 1:4], view(x, :, 5), @view x[:, 6:9]))
    @test mean == expected
    @test status_of(() -> predict_fields!((mean,), one, Workspace(one), (x[:, 1:4],))) === :shape

    process = gaussian_process(:matern52, 1, 1; length_scales = 0.4, signal_variance = 2, noise_variance = 1e-4, means = 0.5)
    @test hyperparameters(process) ≈ [2, 1e-4, 0.4, 0.5]
    plan = Plan(process, Float64; context = 8, targets = 5, covariance = 5)
    workspace = Workspace(plan)
    points, targets = reshape(range(0, 1, length = 8), 8, 1), reshape(range(0.1, 0.9, length = 5), 5, 1)
    condition!(workspace, plan, collect(points), collect(sin.(points)))
    mean, variance = zeros(5, 1), zeros(5, 1)
    query!(mean, variance, plan, workspace, collect(targets))
    @test maximum(abs, mean - sin.(targets)) < 0.02 && all(0 .< variance .< 0.1) && jitter(plan, workspace) == 0
    covariance = covariance!(zeros(5, 5), plan, workspace, collect(targets))
    @test [covariance[i, i] for i in 1:5] == vec(variance)
    condition!(workspace, plan, collect(points), collect(sin.(points)); noise = fill(0.1, 8))
    query!(mean, nothing, plan, workspace, collect(targets))
    @test status_of(() -> query!(mean, nothing, plan, Workspace(plan), collect(targets))) === :state
    fitted, report = fit_hyperparameters(
        process, collect(points), collect(sin.(points)); fitted = (:length_scales, :signal_variance), restarts = 0)
    @test report.log_likelihood > report.log_likelihood_before && hyperparameters(fitted)[3] > 0.4

    several = ensemble([process, process])
    plan = Plan(several, Float64; context = 8, targets = 5)
    workspace = condition!(Workspace(plan), plan, collect(points), collect(sin.(points)))
    factors = zeros(3, 5)
    query_factors!(mean, factors, plan, workspace, collect(targets))
    @test maximum(abs, factors[2:3, :]) == 0 && all(factors[1, :] .> 0)

    stefan = Model(joinpath(MODELS, "stefan.safetensors"))
    @test status_of(() -> hyperparameters(stefan)) === :state
    @test status_of(() -> latent!(zeros(1, 1), zeros(1, 1), plan, workspace)) === :mismatch
end

# Parts as tasks: each waits until all have said theirs.
function meeting(parts)
    sums, arrived, round = Int64[], Ref(0), Threads.Condition()
    return function (values)
        lock(round) do
            isempty(sums) ? append!(sums, values) : (sums .+= values)
            arrived[] += 1
            if arrived[] == parts
                arrived[] = 0
                notify(round)
            else
                wait(round)
            end
            values .= sums
        end
        # The last to leave clears the table for the next round.
        lock(round) do
            arrived[] -= 1
            if arrived[] == -parts
                arrived[] = 0
                empty!(sums)
                notify(round)
            else
                wait(round)
            end
        end
    end
end

@testset "fields in parts" begin
    a = rand(100) .- 0.5
    bins = sum_bins!(zeros(Int64, 69), a[1:30]) + sum_bins!(zeros(Int64, 69), a[31:100])
    @test round_bins(bins) === exact_sum(a)
    @test status_of(() -> sum_bins!(zeros(Int64, 68), a)) === :shape
    @test status_of(() -> round_bins(zeros(Int64, 70))) === :shape
    @test_throws ErrorException exact_sum(a; reduction = Reduction(values -> error("the network is down")))
    @test status_of(() -> exact_sum(a; reduction = Reduction(values -> values .= -1))) === :reduction

    function projected(ranges)
        u, sum! = zeros(cells), meeting(length(ranges))
        @sync for range in ranges
            @async begin
                projector = Projector(add_row!(Constraints(length(range)), volumes[range]))
                project_part!(view(u, range), projector, part_workspace(projector), Reduction(sum!), sin.(range), [0.3])
            end
        end
        return u
    end
    u = projected([1:cells])
    @test mass_of(u) ≈ 0.3
    @test projected([1:5, 6:cells]) == u
    @test projected([9:cells, 1:2, 3:8]) == u

    model = Model(joinpath(MODELS, "insulated.safetensors"))
    u0 = [cos(pi * i / 19) for i in 0:19 for t in 1:25]
    function predicted(owners)
        u, sum! = zeros(500), meeting(length(owners))
        @sync for blocks in owners
            @async begin
                part = OperatorPart(model, Float64, 100, blocks; shape = (20, 25))
                own = vcat((100(k - 1) + 1:100k for k in blocks)...)
                result = zeros(length(own))
                predict!(result, part, Workspace(part), Reduction(sum!), u0[own]; values = (zeros(25), ones(25)))
                u[own] = result
            end
        end
        return u
    end
    whole = predicted([1:5])
    @test predicted([[1, 3], [2, 4, 5]]) == whole
    plan = Plan(model, Float64; shape = (20, 25))
    u = predict!(zeros(20, 25), plan, Workspace(plan), permutedims(reshape(u0, 25, 20)); values = (zeros(25), ones(25)))
    @test maximum(abs, permutedims(reshape(whole, 25, 20)) - u) < 1e-12
end
