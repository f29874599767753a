# Hot calls allocate nothing in Julia either, whatever the array.

@testset "hot calls allocate nothing" begin
    function bytes(call, arguments...)
        loop(n) = for _ in 1:n
            call(arguments...)
        end
        loop(2)
        # Of 10^4 more calls: the number itself may be an object on the heap.
        return @allocated(loop(2 * 10^4)) - @allocated(loop(10^4))
    end
    a, complex_values = rand(6, 5), rand(ComplexF64, 3)
    for array in (a, vec(a), view(a, 2:2:6, :), view(a, 3, 5:-1:1), a', view(a', 1:2, :), PermutedDimsArray(a, (2, 1)),
                  reinterpret(Float64, complex_values), rand(Float32, 2, 2, 2, 2))
        @test bytes(array -> (exact_sum(array); nothing), array) == 0
        @test bytes((x, y) -> (exact_dot(x, y); nothing), array, array) == 0
    end
    projector = Projector(add_row!(Constraints(6), ones(6)); prior = :diagonal)
    workspace, report, b, variance, lower = Workspace(projector), Report(projector), [3.0], ones(6), zeros(6)
    for u in (rand(6), view(rand(12), 1:2:11))
        @test bytes(u, projector, workspace, b, variance, report) do u, projector, workspace, b, variance, report
            project!(u, projector, workspace, u, b; variance = variance, posterior_variance = nothing, report = report)
            report[:residual_after]
            nothing
        end == 0
        bounded = bounded_workspace(projector)
        @test bytes(u, projector, bounded, b, variance, lower) do u, projector, bounded, b, variance, lower
            project_bounded!(u, projector, bounded, u, b; variance = variance, lower = lower)
            nothing
        end == 0
    end
end
