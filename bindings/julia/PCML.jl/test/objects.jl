status_of(f) =
    try
        f()
        :ok
    catch e
        e isa PCMLError || rethrow()
        e.status
    end

@testset "a closed object is told" begin
    constraints = add_row!(Constraints(3), ones(3))
    projector = Projector(constraints)
    workspace, report = Workspace(projector), Report(projector)
    u = [1.0, 2, 3]
    @test isopen(workspace) && sprint(show, workspace) == "Workspace(open)"
    close(workspace)
    close(workspace)
    @test !isopen(workspace) && sprint(show, workspace) == "Workspace(closed)"
    @test status_of(() -> project!(u, projector, workspace, u, [9.0])) === :handle
    close(report)
    @test status_of(() -> project!(u, projector, Workspace(projector), u, [9.0]; report = report)) === :handle
    @test status_of(() -> report[:repairs]) === :handle
    close(projector)
    @test status_of(() -> Workspace(projector)) === :handle
    close(constraints)
    @test status_of(() -> row_count(constraints)) === :handle
    reduction = Reduction(identity)
    close(reduction)
    @test status_of(() -> exact_sum(u; reduction = reduction)) === :handle
    @test u == [1, 2, 3]
    # An ensemble looks at each of its members.
    model = Model(joinpath(MODELS, "porous.safetensors"))
    close(model)
    @test status_of(() -> ensemble([model])) === :handle
    @test sprint(showerror, PCMLError(:shape, "b: wrong")) == "PCMLError: b: wrong (shape)"
end

@testset "errors name the culprit, and leave arrays as they were" begin
    @test status_of(() -> Model("/no/such/file")) === :io
    @test status_of(() -> Model(zeros(UInt8, 100))) === :file_format
    @test status_of(() -> Model(UInt8[])) === :invalid_argument
    @test_throws ArgumentError Model("a\0b")
    @test status_of(() -> Constraints(0)) === :invalid_argument
    constraints = Constraints(3)
    @test status_of(() -> Projector(constraints)) === :state
    @test status_of(() -> add_row!(constraints, ones(4))) === :shape
    @test status_of(() -> add_quadrature!(constraints, :simpson, [0, 2, 1])) === :not_sorted
    @test status_of(() -> add_row!(constraints, ones(3); noise = -1)) === :noise
    @test row_count(constraints) == 0
    @test_throws ArgumentError add_quadrature!(constraints, :midpoint, 1:3)
    add_row!(constraints, ones(3))
    @test_throws ArgumentError Projector(constraints; prior = :unknown)
    @test_throws ArgumentError Projector(constraints; unknown = 1)
    @test_throws MethodError Projector(constraints, 7)
    projector = Projector(constraints)
    workspace = Workspace(projector)
    u, b = [1.0, 2, NaN], [9.0]
    e = try
        project!(u, projector, workspace, u, b)
    catch e
        e
    end
    @test e isa PCMLError && e.status === :non_finite && occursin("pcml_projector_project", e.text) && occursin("mean", e.text)
    @test isequal(u, [1, 2, NaN])
    v = [1.0, 2, 3]
    @test status_of(() -> project!(v, projector, workspace, v, [1.0, 2.0])) === :shape
    @test status_of(() -> project!(zeros(4), projector, workspace, v, b)) === :shape
    @test status_of(() -> project!(view(v, 1:3), projector, workspace, zeros(4), b)) === :shape
    @test status_of(() -> project!(v, projector, workspace, v, b; variance = ones(3))) === :invalid_argument
    other = Projector(constraints)
    @test status_of(() -> project!(v, other, workspace, v, b)) === :mismatch
    @test v == [1, 2, 3]
    report = Report(projector)
    @test slice_count(report) == 0
    @test status_of(() -> report[:repairs]) === :invalid_argument
    project!(v, projector, workspace, v, b; report = report)
    @test sum(v) ≈ 9 && report[:residual_before] == -3 && slice_count(report) == 1
    @test status_of(() -> report[:repairs, 2]) === :invalid_argument
    @test_throws ArgumentError report[:nothing]
    @test status_of(() -> Plan(Model(joinpath(MODELS, "insulated.safetensors")), Float64)) === :invalid_argument
    @test status_of(() -> Plan(Model(joinpath(MODELS, "insulated.safetensors")), Int)) === :dtype
end

@testset "objects free themselves, in any order" begin
    function some()
        model = gaussian_process(:rbf, 1, 1; length_scales = 0.3)
        plan = Plan(model, Float64; context = 4, targets = 4)
        constraints = add_row!(Constraints(4), ones(4))
        projector = Projector(constraints)
        reduction = Reduction(values -> nothing)
        list = Any[model, plan, Workspace(plan), constraints, projector, Workspace(projector), Report(projector), Boundary(), reduction]
        rand(Bool) && close(rand(list))
        return exact_sum(ones(3); reduction = isopen(reduction) ? reduction : nothing)
    end
    @test all(begin
        i % 20 == 0 && GC.gc(i % 40 == 0)
        some() == 3
    end for i in 1:400)
    GC.gc()
    # Arrays in use are not collected, and nor is what they are views of.
    total = 0.0
    for i in 1:200
        total += exact_sum(view(fill(1.0, 100), 1:2:99)) + exact_sum(fill(1.0, 10))
        i % 10 == 0 && GC.gc(false)
    end
    @test total == 200 * 60
end

@testset "structs and functions are those of the library" begin
    @test unsafe_string(LibPCML.pcml_version_string()) ==
          "$(LibPCML.PCML_VERSION_MAJOR).$(LibPCML.PCML_VERSION_MINOR).$(LibPCML.PCML_VERSION_PATCH)"
    for (name, status) in pairs(LibPCML.pcml_status)
        @test unsafe_string(LibPCML.pcml_status_name(status)) == "PCML_STATUS_$(uppercase(string(name)))"
    end
    @test (sizeof(LibPCML.pcml_array), sizeof(LibPCML.pcml_const_array)) == (152, 152)
end

@testset "a library that is not there is told with what to do" begin
    project = dirname(@__DIR__)
    command = `$(Base.julia_cmd()) --startup-file=no --project=$project -e 'using PCML'`
    said = tempname()
    @test !success(pipeline(setenv(command, merge(ENV, Dict("PCML_LIBRARY" => "/no/libpcml.so"))); stderr = said))
    text = read(said, String)
    @test occursin("/no/libpcml.so", text) && occursin("Set the environment variable PCML_LIBRARY", text)
end
