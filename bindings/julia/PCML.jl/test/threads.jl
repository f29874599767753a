# Projectors and plans are shared; each thread has a workspace of its own.

@testset "the same bits on $(Threads.nthreads()) threads" begin
    columns, levels = 200, 30
    mean = [sin(i * k) for i in 1:levels, k in 1:columns]
    projector = Projector(add_row!(Constraints(levels), range(1, 2, length = levels)))
    one_by_one = zeros(levels, columns)
    workspace = bounded_workspace(projector)
    for k in 1:columns
        project_bounded!(view(one_by_one, :, k), projector, workspace, view(mean, :, k), [3.0]; lower = fill(-0.5, levels))
    end
    together, texts = zeros(levels, columns), fill("", columns)
    Threads.@threads for chunk in collect(Iterators.partition(1:columns, 13))
        mine = bounded_workspace(projector)
        for k in chunk
            project_bounded!(view(together, :, k), projector, mine, view(mean, :, k), [3.0]; lower = fill(-0.5, levels))
            # Each thread has the text of its own failures.
            try
                project_bounded!(zeros(levels + k), projector, mine, view(mean, :, k), [3.0])
            catch e
                texts[k] = e.text
            end
        end
    end
    @test together == one_by_one
    @test all(occursin("$(levels + k)", texts[k]) for k in 1:columns)
end
