! What a call costs from Fortran: the cases of overhead.c through module pcml. Built with the modules of bindings/fortran:
!
!     gfortran -O2 pcml_c.f90 pcml_errors.f90 pcml_objects.f90 pcml.f90 overhead.f90 $(pkg-config --libs pcml) -o overhead && ./overhead
program overhead
  use pcml
  use, intrinsic :: iso_fortran_env, only: int64, real64
  implicit none
  integer, parameter :: rounds = 21, calls = 100000, cells = 8
  type(pcml_constraints) :: law
  type(pcml_projector) :: projector
  type(pcml_workspace) :: workspace
  real(real64), target :: one(1), x(cells), mean(cells), u(cells), b(1)
  real(real64) :: total, times(rounds)
  integer(int64) :: start
  integer :: i, k, r

  one = 0.5_real64
  b = 1
  x = [(real(i, real64), i=0, cells - 1)]
  mean = 0.25_real64 * x
  call law%create(cells)
  call law%add_quadrature(PCML_RULE_TRAPEZOID, pcml_in(x), 0.0_real64)
  call projector%create(law, PCML_PRIOR_IDENTITY)
  call projector%workspace(1, workspace)

  do r = 1, rounds
    call system_clock(start)
    do k = 1, calls
      total = pcml_sum(one)
    end do
    times(r) = since(start)
  end do
  call tell("sum", times)
  do r = 1, rounds
    call system_clock(start)
    do k = 1, calls
      call projector%project(workspace, mean, b, u)
    end do
    times(r) = since(start)
  end do
  call tell("project", times)
  call workspace%free()
  call projector%free()
  call law%free()

contains

  ! Nanoseconds a call.
  function since(start) result(each)
    integer(int64), intent(in) :: start
    real(real64) :: each
    integer(int64) :: now, rate
    call system_clock(now, rate)
    each = 1e9_real64 * real(now - start, real64) / real(rate, real64) / calls
  end function since

  subroutine tell(name, each)
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: each(:)
    integer :: n
    do n = 1, size(each)
      if (count(each < each(n)) <= size(each) / 2 .and. count(each <= each(n)) > size(each) / 2) exit
    end do
    print '(a, 1x, f0.1)', name, each(n)
  end subroutine tell

end program overhead
