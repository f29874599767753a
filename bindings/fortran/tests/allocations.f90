! Hot calls allocate nothing, neither in the library nor in what the compiler makes of sections.
program allocations_of_calls
  use pcml
  use testing
  implicit none
  interface
    function allocations() bind(C)
      import
      integer(c_int64_t) :: allocations
    end function allocations
  end interface
  integer, parameter :: slices = 2, cells = 8
  type(pcml_projector) :: projector
  type(pcml_workspace) :: workspace, bounded
  type(pcml_report) :: report
  real(c_double), target :: mean(2 * slices, cells), b(slices), u(slices, 2 * cells), zeros(cells)
  real(c_double) :: total
  integer(c_int64_t) :: before
  integer :: i, stat

  call make_sum_projector(cells, slices, projector, workspace, bounded)
  call projector%report(slices, report)
  mean = 0.5_c_double
  b = 3
  zeros = 0
  u = 0
  total = 0
  before = allocations()
  call expect(before > 0, "allocations are counted")
  do i = 1, 10000
    call projector%project(workspace, mean(::2, :), b, u(2:1:-1, ::2), report=report, stat=stat)
    call projector%project(workspace, pcml_in(mean(::2, :)), pcml_in(b), pcml_out(u(:, ::2)))
    call projector%bounded_project(bounded, mean(::2, :), b, u(:, 2::2), lower=pcml_in(zeros))
    total = total + pcml_sum(u(:, 2::2))
  end do
  call expect(allocations() == before, "no call allocates")
  call expect(abs(total - 60000) < 1e-6_c_double, "sums are right")
  call report%free()
  call bounded%free()
  call workspace%free()
  call projector%free()
  call finish()
end program allocations_of_calls
