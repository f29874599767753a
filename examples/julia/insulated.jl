# A heat equation with an insulated wall, by an operator that knows its walls.
#
#     julia --project=bindings/julia/PCML.jl examples/julia/insulated.jl examples/models/insulated.safetensors
#
# u_t = 0.01 u_xx on [0, 1], from u0 = cos(3.1 pi x): the left wall is insulated, through the right one comes the flux u_x = 5 sin(pi t). A
# Fourier neural operator with boundary corrections (BOON) predicts 25 times in one call, the wall conditions exact. A solver of the same
# equation says how good that is. The prediction still gains or loses heat: a chain of prediction, walls and balance in one call mends both
# together, and the same walls are put on a field that comes from elsewhere. Exits with 1 unless all that holds.
#
# Prints what examples/c/insulated.c does, to the bit: cosines by recurrence, sums in the same order, and Julia contracts no products unless
# it is asked to. Fields are u[point, time].
using PCML
using Printf

include("common.jl")

const POINTS, TIMES, FINER, STEPS, HALF = 100, 25, 4, 80, 500
const FINE = FINER * (POINTS - 1) + 1
const conductivity = 0.01
const left_stencil = [-1.0, 1.0]
const right_stencil = [-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0]
const h = 1.0 / (POINTS - 1)
const step_of_time = 2.0 / (TIMES * STEPS)

# cos(i a) for i from 0, from cos(a).
function cosines(first, count)
    c = [1.0, first]
    for i in 3:count
        push!(c, 2.0 * first * c[i - 1] - c[i - 2])
    end
    return c
end

# cos(3.1 pi x) at the solver's points, and cos(pi t) at its times.
const wave = cosines(0.9996976006342584, FINE)
const beat = cosines(0.9999950652018582, TIMES * STEPS + 1)

# 5 sin(pi t) at the solver's time k from 0, as the cosine half a unit of time away.
flux(k) = 5.0 * beat[abs(k - HALF) + 1]

weight(i) = i == 1 || i == POINTS ? 0.5 * h : h

# Crank-Nicolson on a finer grid, half cells at the walls.
function solve!(u)
    state, right, upper = copy(wave), zeros(FINE), zeros(FINE)
    fine = h / FINER
    r = 0.5 * conductivity * step_of_time / (fine * fine)
    for k in 1:TIMES * STEPS
        through = 0.5 * (flux(k - 1) + flux(k))
        for i in 1:FINE
            before, after = state[i == 1 ? 2 : i - 1], state[i == FINE ? FINE - 1 : i + 1]
            right[i] = state[i] + r * (before - 2.0 * state[i] + after)
        end
        right[FINE] += 2.0 * conductivity * step_of_time * through / fine
        pivot = 1.0 + 2.0 * r
        upper[1] = -2.0 * r / pivot
        state[1] = right[1] / pivot
        for i in 2:FINE
            lower = i == FINE ? -2.0 * r : -r
            pivot = 1.0 + 2.0 * r - lower * upper[i - 1]
            upper[i] = -r / pivot
            state[i] = (right[i] - lower * state[i - 1]) / pivot
        end
        for i in FINE - 1:-1:1
            state[i] -= upper[i] * state[i + 1]
        end
        k % STEPS == 0 && (u[:, k ÷ STEPS] .= @view state[1:FINER:end])
    end
    return u
end

function relative(u, truth)
    apart, size = 0.0, 0.0
    for i in 1:POINTS, t in 1:TIMES
        apart += (u[i, t] - truth[i, t]) * (u[i, t] - truth[i, t])
        size += truth[i, t] * truth[i, t]
    end
    return sqrt(apart / size)
end

# The largest residual of a wall's condition, in eps of the largest term.
function wall(u, values, stencil, first)
    most = 0.0
    for t in 1:TIMES
        sum, scale = -values[t], abs(values[t])
        for k in eachindex(stencil)
            term = stencil[k] * u[first + k - 1, t] / h
            sum += term
            scale = larger(scale, abs(term))
        end
        most = larger(most, abs(sum) / scale)
    end
    return most / eps()
end

left_wall(u, values) = wall(u, values, left_stencil, 1)
right_wall(u, values) = wall(u, values, right_stencil, POINTS - 3)

# The largest difference between the heat in the slab and what it should be, by the trapezoid rule, in eps of the sum of magnitudes.
function heat(u, expected)
    most = 0.0
    for t in 1:TIMES
        sum, scale = -expected[t], 0.0
        for i in 1:POINTS
            term = weight(i) * u[i, t]
            sum += term
            scale += abs(term)
        end
        most = larger(most, abs(sum) / scale)
    end
    return most / eps()
end

# Rows of the laws: heat at each time, then the left wall, then the right one.
function laws()
    constraints = Constraints(POINTS * TIMES)
    # The library numbers cells with the last index fastest.
    cell = permutedims(reshape(1:POINTS * TIMES, TIMES, POINTS))
    for t in 1:TIMES
        weights = zeros(POINTS * TIMES)
        weights[cell[:, t]] .= weight.(1:POINTS)
        add_row!(constraints, weights)
    end
    add_stencils!(constraints, permutedims(cell[1:2, :]), left_stencil ./ h)
    add_stencils!(constraints, permutedims(cell[POINTS - 3:POINTS, :]), right_stencil ./ h)
    return Projector(constraints)
end

function main(path)
    initial = 0.0
    for i in 1:POINTS
        initial += weight(i) * wave[FINER * (i - 1) + 1]
    end
    u0 = repeat(wave[1:FINER:end], 1, TIMES)
    left, right = zeros(TIMES), [flux(t * STEPS) for t in 1:TIMES]
    # What was there, and what came through the right wall since.
    content = [initial + conductivity * 5.0 * (1.0 - beat[t * STEPS + 1]) / Float64(pi) for t in 1:TIMES]
    truth, u, lawful = solve!(zeros(POINTS, TIMES)), zeros(POINTS, TIMES), zeros(POINTS, TIMES)
    row(name, u) = @printf(
        "%-28s %8.3f %18d %18d %18d\n", name, 100.0 * relative(u, truth), trunc(Int, left_wall(u, left) + 0.5),
        trunc(Int, right_wall(u, right) + 0.5), trunc(Int, heat(u, content) + 0.5))
    walls_within(u, most) = left_wall(u, left) <= most && right_wall(u, right) <= most

    plan = Plan(Model(path), Float64; shape = (POINTS, TIMES))
    scratch = Workspace(plan)
    @printf("%-28s %8s %18s %18s %18s\n", "100 points, 25 times", "error, %", "left wall, eps", "right wall, eps", "heat, eps")
    row("Crank-Nicolson", truth)
    bits = mix(UInt64(0), truth)
    predict!(u, plan, scratch, u0; values = (left, right))
    row("operator", u)
    bits = mix(bits, u)
    claim(relative(u, truth) < 0.02, "the operator's error is below 2%")
    claim(walls_within(u, 4.0), "the operator's walls")

    projector = laws()
    b = reshape([content; left; right], 1, :)
    mean = reshape(lawful, 1, POINTS, TIMES)
    predict_lawful!(mean, plan, scratch, u0, projector, Workspace(projector), b; values = (left, right))
    row("operator, walls and balance", lawful)
    bits = mix(bits, lawful)
    claim(walls_within(lawful, 8.0), "the lawful walls")
    claim(heat(lawful, content) <= 16.0, "the heat")

    # The same walls for a field of any origin: here the solver's, disturbed.
    for i in 1:POINTS, t in 1:TIMES
        at = (i - 1) * TIMES + t - 1
        u[i, t] = truth[i, t] + 0.01 * (at * 37 % 101 - 50) / 50.0
    end
    row("a field from elsewhere", u)
    boundary = Boundary()
    add_face!(boundary, 1, -1, :neumann; stencil = left_stencil, spacing = h)
    add_face!(boundary, 1, 1, :neumann; stencil = right_stencil, spacing = h)
    enforce!(reshape(u, 1, POINTS, TIMES, 1), boundary, left, right; rank = 2)
    row("its walls set", u)
    bits = mix(bits, u)
    claim(walls_within(u, 4.0), "the walls that were set")

    failures == 0 && println("all held")
    println("bits ", uppercase(string(bits; base = 16, pad = 16)))
end

length(ARGS) == 1 || (println(stderr, "usage: insulated.jl <insulated.safetensors>"); exit(2))
main(ARGS[1])
exit(failures != 0)
