# An array of another's making, of whose memory this package can know nothing.
struct Repeated <: AbstractVector{Float64}
    value::Float64
end
Base.size(::Repeated) = (3,)
Base.getindex(r::Repeated, ::Int) = r.value

# Rows that overlap: a type of the caller's, which says how it lies in memory.
struct Windowed <: AbstractMatrix{Float64}
    memory::Vector{Float64}
end
Base.size(::Windowed) = (3, 2)
Base.strides(::Windowed) = (1, 1)
Base.getindex(w::Windowed, i::Int, j::Int) = w.memory[i + j - 1]
Base.unsafe_convert(::Type{Ptr{Float64}}, w::Windowed) = pointer(w.memory)
PCML.is_strided(::Windowed) = true

function strided_arrays(T)
    a = reshape(collect(T, 1:360), 3, 4, 5, 6)
    m = reshape(collect(T, 1:30), 5, 6)
    return Any[
        a, m, vec(m), view(a, 2, :, 5:-2:1, 3), view(m, 2:4, 2:2:6), view(m, :), view(m, 3, :), view(m, 5:-1:1, 6:-5:1),
        PermutedDimsArray(a, (3, 1, 4, 2)), view(PermutedDimsArray(a, (3, 1, 4, 2)), 5:-2:1, 2, :, 2:3),
        PermutedDimsArray(view(a, :, 2:3, 1:2:5, :), (4, 3, 2, 1)), view(view(a, 1:2:3, :, :, :), 2, 4:-1:1, 3, 2:4),
        transpose(m), m', vec(m)', view(m', 2:3, 5:-1:1), transpose(view(m, 2:3, :)), PermutedDimsArray(m', (2, 1)),
        reinterpret(T, vec(complex.(m, m))), reshape(view(a, :, :, :, 2:3), 12, 10), zeros(T, 1, 1, 1, 1, 1, 1, 2, 1),
    ]
end

function steps_of(d, index)
    return sum((Tuple(index) .- 1) .* d.strides[1:d.rank])
end

@testset "an array is described as it lies in memory: $T" for T in (Float32, Float64)
    for a in strided_arrays(T), D in (LibPCML.pcml_array, LibPCML.pcml_const_array)
        d = PCML.describe(D, a)
        @test d.struct_size == sizeof(D) && d.rank == ndims(a) && d.shape[1:ndims(a)] == size(a)
        @test d.dtype == (T == Float32 ? 1 : 2)
        GC.@preserve a begin
            @test all(unsafe_load(Ptr{T}(d.data), 1 + steps_of(d, i)) == a[i] for i in CartesianIndices(a))
            # What is written there is written in the array: it is the same memory, not a copy.
            first_index = first(CartesianIndices(a))
            before = a[first_index]
            unsafe_store!(Ptr{T}(d.data), T(-7))
            @test a[first_index] == -7
            a[first_index] = before
        end
        @test exact_sum(a) == sum(Float64, a)
    end
    x = rand(T, 9, 9)
    @test PCML.describe(LibPCML.pcml_array, x).data == pointer(x)
    @test PCML.describe(LibPCML.pcml_array, view(x, 4:2:8, 9:-3:1)).data == pointer(x, LinearIndices(x)[4, 9])
    @test PCML.describe(LibPCML.pcml_array, PermutedDimsArray(x, (2, 1))).data == pointer(x)
end

@testset "results are written in place, between other values" begin
    projector = Projector(add_row!(Constraints(6), fill(0.5, 6)))
    workspace = Workspace(projector, 2)
    expected = project!(zeros(2, 6), projector, workspace, [1.0 2 3 4 5 6; 6 5 4 3 2 1], [9.0, 12.0])
    @test sum(expected, dims = 2) ≈ [18.0, 24.0]
    for T in (Float32, Float64), posterior in (
        memory -> view(memory, 2:2:4, 1:2:11),
        memory -> view(PermutedDimsArray(memory, (2, 1)), 7:-3:4, 6:-1:1),
        memory -> view(memory', 3:4, 1:6),
    )
        memory = fill(T(NaN), 12, 12)
        written = posterior(memory)
        @test project!(written, projector, workspace, [1.0 2 3 4 5 6; 6 5 4 3 2 1], [9.0, 12.0]) === written
        @test written ≈ expected
        @test count(!isnan, memory) == 12
        # Onto itself.
        written .= [1 2 3 4 5 6; 6 5 4 3 2 1]
        project!(written, projector, workspace, written, [9.0, 12.0])
        @test written ≈ expected
        @test count(!isnan, memory) == 12
    end
end

@testset "arrays that have no place in memory are refused" begin
    a = rand(4, 4)
    refused(status, array) = @test try
        exact_sum(array)
        false
    catch e
        e isa PCMLError && e.status === status
    end
    refused(:dtype, [1, 2, 3])
    refused(:dtype, Float16[1, 2, 3])
    refused(:dtype, big.(a))
    refused(:dtype, complex.(a))
    refused(:dtype, Any[1.0])
    refused(:stride, 1.0:3.0)
    refused(:stride, view(a, [1, 3], :))
    refused(:stride, view(a, a .> 0.5))
    refused(:stride, PermutedDimsArray(view(a, [1, 3], :), (2, 1)))
    refused(:stride, Repeated(1.0))
    refused(:stride, view(Repeated(1.0), 1:2))
    refused(:shape, 1.0)
    refused(:shape, "a")
    refused(:shape, fill(1.0))
    refused(:shape, zeros(0))
    refused(:shape, zeros(ntuple(_ -> 1, 9)))
    # A view that begins within a number.
    refused(:stride, reinterpret(Float64, view(zeros(UInt8, 17), 2:9)))
    # An element that is written twice.
    twice = Windowed(zeros(5))
    @test exact_sum(twice) == 0
    projector = Projector(add_row!(Constraints(6), ones(6)))
    @test_throws PCMLError project!(twice, projector, Workspace(projector), zeros(6), [1.0])
    @test twice.memory == zeros(5)
end
