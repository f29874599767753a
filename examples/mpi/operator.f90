! A neural operator with boundary conditions on a bar that lies in parts, one a rank, with the same bits on any number of ranks. The
! twin of operator.c, which says more; it prints the same.
!
!     mpirun -n 4 operator <insulated.safetensors>
program operator
  use, intrinsic :: iso_c_binding, only: c_char, c_loc
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use mpi_f08
  use pcml
  use pcml_mpi
  use common
  implicit none

  integer, parameter :: POINTS = 100, TIMES = 25, BLOCK = 10 * TIMES, BLOCKS = POINTS * TIMES / BLOCK
  real(real64), allocatable, target :: before(:, :), after(:, :)
  real(real64), target :: walls(TIMES, 2)
  real(real64) :: whole(TIMES * POINTS), mean
  character(kind=c_char), allocatable, target :: bytes(:)
  type(pcml_operator_part) :: part
  type(pcml_workspace) :: workspace
  type(pcml_reduction) :: reduction
  integer(int64) :: bits
  integer :: rank, ranks, first, count, i, t, stat

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  if (command_argument_count() /= 1 .or. ranks > BLOCKS) then
    if (rank == 0) write (error_unit, '(a, i0, a)') 'usage: mpirun -n <1 to ', BLOCKS, '> operator <insulated.safetensors>'
    call MPI_Finalize()
    stop 2
  end if
  ! This rank has a run of blocks, each of ten points of the bar at all times.
  first = BLOCKS * rank / ranks
  count = BLOCKS * (rank + 1) / ranks - first
  allocate (before(TIMES, count * BLOCK / TIMES), after(TIMES, count * BLOCK / TIMES))
  do i = 1, size(before, 2)
    before(:, i) = first_temperature(first * BLOCK / TIMES + i - 1)
  end do
  walls(:, 1) = 0
  walls(:, 2) = [(heating(t - 1), t = 1, TIMES)]

  call read_and_broadcast()
  if (size(bytes) == 0) then
    if (rank == 0) write (error_unit, '(a)') 'cannot read the model'
    call MPI_Finalize()
    stop 1
  end if
  call create(stat)
  call check_all(stat)

  ! The points vary slowest in memory and in the library's order alike, so that one axis describes them.
  call predict(before, after)

  call gather(reshape(after, [size(after)]), whole, ranks)
  if (rank == 0) print '(a)', '  time       left     middle      right       mean'
  do t = 1, TIMES, 6
    ! The points of all ranks at one time: a section of each rank's array.
    mean = pcml_sum(after(t, :), reduction=reduction, stat=stat) / POINTS
    call check_all(stat)
    if (rank == 0) print '(f6.2, 4(1x, f10.6))', 0.08_real64 * t, whole(t), whole(size(whole) / 2 + t), &
      whole(size(whole) - TIMES + t), mean
  end do
  bits = 0
  call mix(bits, whole)
  if (rank == 0) print '(a, z16.16)', 'bits ', bits
  call reduction%free()
  call workspace%free()
  call part%free()
  call MPI_Finalize()

contains

  ! The model file on all ranks; of size 0 where rank 0 cannot read it.
  subroutine read_and_broadcast()
    character(:), allocatable :: path
    integer :: unit, length, ios
    call get_command_argument(1, length=length)
    allocate (character(length) :: path)
    call get_command_argument(1, path)
    length = 0
    if (rank == 0) then
      open (newunit=unit, file=path, access='stream', form='unformatted', status='old', action='read', iostat=ios)
      if (ios == 0) then
        inquire (unit, size=length)
        allocate (bytes(length))
        read (unit, iostat=ios) bytes
        if (ios /= 0) length = 0
        close (unit)
      end if
    end if
    call MPI_Bcast(length, 1, MPI_INTEGER, 0, MPI_COMM_WORLD)
    if (rank /= 0 .or. length == 0) then
      if (allocated(bytes)) deallocate (bytes)
      allocate (bytes(length))
    end if
    call MPI_Bcast(bytes, length, MPI_BYTE, 0, MPI_COMM_WORLD)
  end subroutine read_and_broadcast

  subroutine create(stat)
    integer, intent(out) :: stat
    type(pcml_model) :: model
    type(pcml_options) :: options
    integer :: b
    call model%load_bytes(c_loc(bytes), size(bytes), stat)
    if (stat == PCML_STATUS_OK) call options%create(stat)
    if (stat == PCML_STATUS_OK) call options%set_shape([int(POINTS, int64), int(TIMES, int64)], stat)
    if (stat == PCML_STATUS_OK) &
      call part%create(model, PCML_DTYPE_F64, options, BLOCK, [(int(b, int64), b = first, first + count - 1)], stat)
    if (stat == PCML_STATUS_OK) call part%workspace(workspace, stat)
    if (stat == PCML_STATUS_OK) call pcml_mpi_reduction_create(MPI_COMM_WORLD, reduction, stat)
    call options%free()
    call model%free()
  end subroutine create

  subroutine predict(from, to)
    real(real64), intent(in), contiguous, target :: from(:, :)
    real(real64), intent(inout), contiguous, target :: to(:, :)
    real(real64), pointer :: x(:), y(:)
    integer :: stat
    x(1:size(from)) => from
    y(1:size(to)) => to
    call part%predict(workspace, reduction, pcml_in(x), pcml_out(y), [pcml_in(walls(:, 1)), pcml_in(walls(:, 2))], stat)
    call check_all(stat)
  end subroutine predict

  ! Near cos(3.1 pi x), of products and sums alone, whose bits no mathematics library decides.
  real(real64) function first_temperature(point) result(u)
    integer, intent(in) :: point
    real(real64) :: phase, away
    phase = 3.1_real64 * point / (POINTS - 1)
    do while (phase > 2)
      phase = phase - 2
    end do
    away = merge(2 - phase, phase, phase > 1)
    if (away < 0.5_real64) then
      u = 1 - 4 * away * away
    else
      u = 4 * (1 - away) * (1 - away) - 1
    end if
  end function first_temperature

  ! The gradient at the right wall, near 5 sin(pi t), t in (0, 2].
  real(real64) function heating(time)
    integer, intent(in) :: time
    real(real64) :: t
    t = (time + 1) * 2.0_real64 / TIMES
    heating = merge(20 * t * (1 - t), -20 * (t - 1) * (2 - t), t <= 1)
  end function heating

end program operator
