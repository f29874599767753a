# What a call costs in Julia; overhead.c is the floor.
#
#     PCML_LIBRARY=.../libpcml.so.0.1 julia --project=bindings/julia/PCML.jl benches/overhead/overhead.jl
#
# Prints a line `case ns_per_call` for each: the exact sum of one value, and the projection of a slice of 8 cells onto one quadrature row.
using PCML

const ROUNDS, CALLS = 21, 100_000

# The median over rounds, in a function of its own so that the call is compiled for its arguments.
function tell(name, call, arguments...)
    call(arguments...)
    rounds = map(1:ROUNDS) do _
        start = time_ns()
        for _ in 1:CALLS
            call(arguments...)
        end
        (time_ns() - start) / CALLS
    end
    println(name, " ", round(sort(rounds)[(ROUNDS + 1) ÷ 2]; digits = 1))
end

tell("sum", exact_sum, [0.5])

projector = Projector(add_quadrature!(Constraints(8), :trapezoid, 0:7))
tell("project", project!, zeros(8), projector, Workspace(projector), 0.25 .* (0:7) .+ zeros(8), [1.0])
