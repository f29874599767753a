! The last rank does wrong; all ranks print what they get. After each a good call succeeds, so that no rank has fallen out of step.
program failure
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
  use mpi_f08
  use pcml
  use pcml_mpi
  implicit none
  real(real64), target :: volume(4) = 1, u(4), mass(1) = 9, after(4)
  type(pcml_constraints) :: laws
  type(pcml_projector) :: projector
  type(pcml_workspace) :: workspace
  type(pcml_reduction) :: ranks, none
  integer(int64) :: values(3)
  integer :: rank, count, stat, ierror
  character(200) :: text

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, count)
  call laws%create(4)
  call laws%add_row(pcml_in(volume), 0.0_real64)
  call projector%create(laws, PCML_PRIOR_IDENTITY)
  call projector%part_workspace(workspace)
  call pcml_mpi_reduction_create(MPI_COMM_WORLD, ranks)

  u = [1, 2, 3, 4]
  call project(4)
  call tell('good', stat)
  if (bad()) u(2) = ieee_value(u(2), ieee_quiet_nan)
  call project(4)
  call tell('nan', stat)
  call project(merge(3, 4, bad()))
  call tell('shape', stat)
  if (bad()) mass(1) = 10
  call project(4)
  call tell('another mass', stat)
  mass(1) = 9

  text = ''
  if (bad()) then
    call pcml_mpi_reduction_create(MPI_COMM_NULL, none, stat, text)
    if (index(text, 'pcml_reduction_create') == 0) stat = -1
  else
    call pcml_mpi_reduction_create(MPI_COMM_WORLD, none, stat, text)
    if (text /= '') stat = -1
  end if
  call tell('no communicator', pcml_mpi_agree(MPI_COMM_WORLD, stat))
  call tell('two of them', pcml_mpi_agree(MPI_COMM_WORLD, merge(PCML_STATUS_WEIGHTS, merge(PCML_STATUS_IO, 0, rank == 0), bad())))
  call none%free()

  values = [1_int64, -2_int64, 2_int64**40]
  call pcml_mpi_sum(MPI_COMM_WORLD, values, ierror)
  call tell('sums', merge(ierror, -1, all(values == count * [1_int64, -2_int64, 2_int64**40])))
  call pcml_mpi_sum(MPI_COMM_WORLD, values(:0))

  call ranks%free()
  call workspace%free()
  call projector%free()
  call laws%free()
  call MPI_Finalize()

contains

  logical function bad()
    bad = rank == count - 1
  end function bad

  ! The first n values of u. A failed call writes nothing.
  subroutine project(n)
    integer, intent(in) :: n
    after = -7
    call projector%part_project(workspace, ranks, pcml_in(u(:n)), pcml_in(mass), pcml_out(after), stat=stat)
    if (stat /= PCML_STATUS_OK .and. any(abs(after + 7) > 0)) stat = -1
    u = [1, 2, 3, 4]
  end subroutine project

  subroutine tell(name, status)
    character(*), intent(in) :: name
    integer, intent(in) :: status
    integer :: all(count)
    call MPI_Gather(status, 1, MPI_INTEGER, all, 1, MPI_INTEGER, 0, MPI_COMM_WORLD)
    if (rank == 0) print '(a, a, *(1x, i0))', name, ':', all
  end subroutine tell

end program failure
