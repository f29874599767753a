# Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.
#
#     julia --project=bindings/julia/PCML.jl examples/julia/porous.jl examples/models/porous.safetensors
#
# u_t = (u u_x)_x on [0, 1] between closed walls: the integral of u never changes, and u >= 0. The solver takes 64 explicit steps of finite
# volumes where the surrogate takes one: a perceptron that sees each cell among its neighbours and gives its change. It knows of no law:
# what it makes or loses adds up. In the lawful run each step ends in a projection onto the mass and u >= 0. What that does to the error
# is printed, and promised by nobody. Exits with 1 unless the lawful run keeps mass and sign at every step.
#
# Prints what examples/c/porous.c does, to the bit: sums are in the same order, and Julia contracts no products unless it is asked to.
using PCML
using Printf

include("common.jl")

const CELLS, SIDE, STEPS, PARTS, TOLD = 64, 4, 40, 64, 8
const WINDOW = 2SIDE + 1
const dx = 1.0 / CELLS
const ratio = 1.0 / 32.0 # of a small step to dx^2

# Row i is the padded state from i on: the rows overlap, and nothing is copied.
struct Windows <: AbstractMatrix{Float64}
    padded::Vector{Float64}
end

Base.size(::Windows) = (CELLS, WINDOW)
Base.strides(::Windows) = (1, 1)
Base.getindex(w::Windows, i::Int, j::Int) = w.padded[i + j - 1]
Base.unsafe_convert(::Type{Ptr{Float64}}, w::Windows) = pointer(w.padded)
PCML.is_strided(::Windows) = true

# Two parabolas over empty ground.
function fill_state!(u)
    for i in 1:CELLS
        x = (i - 0.5) * dx
        u[i] = larger(0.0, 0.9 - 40.0 * (x - 0.35) * (x - 0.35)) + larger(0.0, 0.5 - 50.0 * (x - 0.75) * (x - 0.75))
    end
    return u
end

function solve!(u)
    for _ in 1:PARTS
        left = 0.0
        for i in 1:CELLS
            right = i < CELLS ? -0.5 * (u[i] + u[i + 1]) * (u[i + 1] - u[i]) : 0.0
            u[i] += ratio * (left - right)
            left = right
        end
    end
end

# A step of the surrogate. The state lies in an array with room for its mirror images beyond the walls.
function step!(padded, change, plan, workspace)
    u = view(padded, SIDE .+ (1:CELLS))
    for k in 1:SIDE
        padded[SIDE + 1 - k] = u[k]
        padded[SIDE + CELLS + k] = u[CELLS + 1 - k]
    end
    predict!(change, plan, workspace, Windows(padded))
    for i in 1:CELLS
        u[i] += change[i, 1]
    end
end

function error_percent(u, truth)
    apart, size = 0.0, 0.0
    for i in 1:CELLS
        apart += (u[i] - truth[i]) * (u[i] - truth[i])
        size += truth[i] * truth[i]
    end
    return 100.0 * sqrt(apart / size)
end

function main(path)
    truth = fill_state!(zeros(CELLS))
    padded_alone, padded_lawful = zeros(SIDE + CELLS + SIDE), zeros(SIDE + CELLS + SIDE)
    alone = fill_state!(view(padded_alone, SIDE .+ (1:CELLS)))
    lawful = fill_state!(view(padded_lawful, SIDE .+ (1:CELLS)))
    weights, lower, change = fill(dx, CELLS), zeros(CELLS), zeros(CELLS, 1)
    mass(u) = exact_dot(u, weights)
    held = mass(truth)

    plan = Plan(Model(path), Float64; batch = CELLS)
    scratch = Workspace(plan)
    projector = Projector(add_row!(Constraints(CELLS), weights))
    projection = bounded_workspace(projector)

    println("      surrogate alone                 lawful")
    println("step  error %   mass %      least    error %  mass eps     least")
    for step in 1:STEPS
        solve!(truth)
        step!(padded_alone, change, plan, scratch)
        step!(padded_lawful, change, plan, scratch)
        project_bounded!(lawful, projector, projection, lawful, [held]; lower = lower)
        off = abs(mass(lawful) - held) / (eps() * held)
        claim(off <= 4.0, "the mass")
        claim(minimum(lawful) >= 0.0, "no negative value")
        step % TOLD == 0 && @printf(
            "%4d %8.3f %8.4f %10.6f   %8.3f %9d %10.6f\n", step, error_percent(alone, truth), 100.0 * (mass(alone) - held) / held,
            minimum(alone), error_percent(lawful, truth), trunc(Int, off + 0.5), minimum(lawful))
    end
    bits = foldl(mix, (truth, alone, lawful); init = UInt64(0))
    println("bits ", uppercase(string(bits; base = 16, pad = 16)))
end

length(ARGS) == 1 || (println(stderr, "usage: porous.jl <porous.safetensors>"); exit(2))
main(ARGS[1])
exit(failures != 0)
