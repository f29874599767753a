! Tracers of a field in latitude bands, one band a rank: each gets its mass back and stays within its bounds, with the same bits on any
! number of ranks. The twin of field.c, which says more; it prints the same.
!
!     mpirun -n 4 field
module tracers_in_bands
  use, intrinsic :: iso_c_binding, only: c_f_pointer, c_ptr
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use mpi_f08
  use pcml
  use pcml_mpi
  use common
  implicit none

  integer, parameter :: LATITUDES = 24, LONGITUDES = 36, CELLS = LATITUDES * LONGITUDES, TRACERS = 6, MOST_RANKS = 6

  ! One tracer on this rank's band, with a halo of one cell all around.
  type :: tracer
    real(real64) :: value(0:LONGITUDES + 1, 0:LATITUDES + 1), variance(LONGITUDES, LATITUDES)
    type(pcml_workspace) :: workspace
    type(c_ptr) :: message
    integer :: count = 0, status = PCML_STATUS_OK
  end type tracer

  type(tracer), target :: all(TRACERS)
  real(real64), target :: volume(LONGITUDES, LATITUDES), lower(LONGITUDES, LATITUDES), upper(LONGITUDES, LATITUDES)
  real(real64), target :: mass(TRACERS)

contains

  ! Bands grow with the rank: 1 : 2 : 3 and so on.
  integer function band(rank, ranks)
    integer, intent(in) :: rank, ranks
    band = LATITUDES * rank * (rank + 1) / (ranks * (ranks + 1))
  end function band

  ! A plume around a place of its own; k counts tracers, i and j cells from 0. All values are sums of powers of 2, and so exact.
  real(real64) function plume(k, i, j)
    integer, intent(in) :: k, i, j
    integer :: away
    away = 2 * (i - 3 * (k + 1))**2 + (j - 5 * (k + 1))**2
    plume = merge(1 - away / 64.0_real64, 0.0_real64, away < 64)
  end function plume

  real(real64) function error_of_transport(k, i, j)
    integer, intent(in) :: k, i, j
    error_of_transport = mod((i * LONGITUDES + j) * 7919 + k * 104729, 1009) / 8192.0_real64 - 0.0625_real64
  end function error_of_transport

  ! This rank's rows of all tracers, and the mass of each over all ranks: exact sums, rounded once.
  subroutine initialise(first, rows)
    integer, intent(in) :: first, rows
    real(real64), target :: exact(LONGITUDES, rows)
    integer(int64) :: bins(PCML_SUM_BINS_COUNT * TRACERS)
    integer :: k, i, j, at, stat
    volume = 0
    do i = 1, rows
      volume(:, i) = (first + i) * (LATITUDES - first - i + 1) / 4096.0_real64
    end do
    lower = 0
    upper = 1
    stat = PCML_STATUS_OK
    do k = 1, TRACERS
      do i = 1, rows
        do j = 1, LONGITUDES
          exact(j, i) = plume(k - 1, first + i - 1, j - 1)
          all(k)%value(j, i) = exact(j, i) + error_of_transport(k - 1, first + i - 1, j - 1)
          all(k)%variance(j, i) = (1 + mod(first + i + j + k - 3, 8)) / 1024.0_real64
        end do
      end do
      at = (k - 1) * PCML_SUM_BINS_COUNT
      if (stat == PCML_STATUS_OK) &
        call pcml_sum_bins(pcml_in(volume(:, :rows)), bins(at + 1:at + PCML_SUM_BINS_COUNT), pcml_in(exact), stat)
    end do
    call check_all(stat)
    call pcml_mpi_sum(MPI_COMM_WORLD, bins)
    do k = 1, TRACERS
      at = (k - 1) * PCML_SUM_BINS_COUNT
      mass(k) = pcml_sum_round(bins(at + 1:at + PCML_SUM_BINS_COUNT))
    end do
  end subroutine initialise

  ! One law, the mass: this rank has the weights of its own cells.
  subroutine create(rows, projector, stat)
    integer, intent(in) :: rows
    type(pcml_projector), intent(inout) :: projector
    integer, intent(out) :: stat
    type(pcml_constraints) :: laws
    integer :: k
    call laws%create(rows * LONGITUDES, stat)
    if (stat == PCML_STATUS_OK) call laws%add_row(pcml_in(volume(:, :rows)), 0.0_real64, stat)
    if (stat == PCML_STATUS_OK) call projector%create(laws, PCML_PRIOR_DIAGONAL, stat=stat)
    call laws%free()
    do k = 1, TRACERS
      if (stat == PCML_STATUS_OK) call projector%part_workspace(all(k)%workspace, stat)
    end do
  end subroutine create

  ! Sums the messages of all tracers over the ranks, as one. A tracer that is done or refused has a message of length 0. Where MPI fails,
  ! the error handler of MPI_COMM_WORLD ends the job.
  subroutine sum_messages()
    integer(int64) :: together(sum(all%count))
    integer(int64), pointer :: message(:)
    integer :: k, at
    at = 0
    do k = 1, TRACERS
      call c_f_pointer(all(k)%message, message, [all(k)%count])
      together(at + 1:at + all(k)%count) = message
      at = at + all(k)%count
    end do
    call pcml_mpi_sum(MPI_COMM_WORLD, together)
    at = 0
    do k = 1, TRACERS
      call c_f_pointer(all(k)%message, message, [all(k)%count])
      message = together(at + 1:at + all(k)%count)
      at = at + all(k)%count
    end do
  end subroutine sum_messages

  ! Projects all tracers at once, each within 0 and 1; their statuses are then the same on all ranks. Returns how often ranks met.
  integer function project(projector, rows) result(meetings)
    type(pcml_projector), intent(in) :: projector
    integer, intent(in) :: rows
    integer :: k, stat
    stat = PCML_STATUS_OK
    do k = 1, TRACERS
      associate (t => all(k))
        call projector%part_begin(t%workspace, pcml_in(t%value(1:LONGITUDES, 1:rows)), pcml_in(mass(k:k)), &
          pcml_out(t%value(1:LONGITUDES, 1:rows)), t%message, t%count, pcml_in(t%variance(:, :rows)), pcml_in(lower(:, :rows)), &
          pcml_in(upper(:, :rows)), stat=t%status)
        if (stat == PCML_STATUS_OK) stat = t%status
      end associate
    end do
    ! Only a handle or a descriptor is refused here; values and shapes are told by the messages.
    call check_all(stat)
    meetings = 0
    do while (any(all%count > 0))
      call sum_messages()
      meetings = meetings + 1
      do k = 1, TRACERS
        associate (t => all(k))
          if (t%count > 0) call projector%part_continue(t%workspace, pcml_in(t%value(1:LONGITUDES, 1:rows)), pcml_in(mass(k:k)), &
            pcml_out(t%value(1:LONGITUDES, 1:rows)), t%message, t%count, pcml_in(t%variance(:, :rows)), pcml_in(lower(:, :rows)), &
            pcml_in(upper(:, :rows)), stat=t%status)
          if (t%status /= PCML_STATUS_OK) t%count = 0
        end associate
      end do
    end do
  end function project

  ! Prints one line; whether the field has its mass to the last bits and is within its bounds.
  logical function tell(k, name, u, weights) result(lawful)
    integer, intent(in) :: k
    character(*), intent(in) :: name
    real(real64), intent(in), target :: u(:), weights(:)
    real(real64) :: found
    found = pcml_sum(weights, pcml_in(u))
    print '(i6, 1x, a9, 2(1x, f12.6), 2(1x, f9.6), 2(1x, i5))', k - 1, name, found, found - mass(k), minval(u), maxval(u), &
      count(u <= 0), count(u >= 1)
    lawful = abs(found - mass(k)) <= 4 * epsilon(found) * mass(k) .and. minval(u) >= 0 .and. maxval(u) <= 1
  end function tell

end module tracers_in_bands

program field
  use tracers_in_bands
  implicit none
  type(pcml_projector) :: projector
  real(real64), target :: whole(CELLS), weights(CELLS)
  real(real64), allocatable :: before(:, :)
  integer(int64) :: bits
  integer :: rank, ranks, first, rows, meetings, lawful, k, stat
  logical :: ignored

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  if (ranks > MOST_RANKS) then
    if (rank == 0) print '(i0, a, i0)', ranks, ' ranks, expected at most ', MOST_RANKS
    call MPI_Finalize()
    stop 2
  end if
  first = band(rank, ranks)
  rows = band(rank + 1, ranks) - first

  call initialise(first, rows)
  allocate (before(rows * LONGITUDES, TRACERS))
  do k = 1, TRACERS
    before(:, k) = own(k)
  end do
  call create(rows, projector, stat)
  call check_all(stat)
  meetings = project(projector, rows)

  bits = 0
  lawful = 0
  call gather(reshape(volume(:, :rows), [rows * LONGITUDES]), weights, ranks)
  if (rank == 0) print '(a)', 'tracer                   mass  from target     least      most  <= 0  >= 1'
  do k = 1, TRACERS
    call gather(before(:, k), whole, ranks)
    if (rank == 0) ignored = tell(k, 'given    ', whole, weights)
    call gather(own(k), whole, ranks)
    if (rank == 0 .and. all(k)%status == PCML_STATUS_OK) then
      if (tell(k, 'projected', whole, weights)) lawful = lawful + 1
    else if (rank == 0) then
      print '(i6, a, i0)', k - 1, ' refused: status ', all(k)%status
    end if
    call mix(bits, whole)
    call all(k)%workspace%free()
  end do
  if (rank == 0) print '(i0, a, i0, a, i0, a)', lawful, ' of ', TRACERS, ' tracers lawful after ', meetings, ' reductions'
  if (rank == 0) print '(a, z16.16)', 'bits ', bits
  call projector%free()
  call MPI_Finalize()
  if (rank == 0 .and. lawful < TRACERS) stop 1

contains

  ! A tracer's cells on this rank, without the halo.
  function own(k)
    integer, intent(in) :: k
    real(real64) :: own(rows * LONGITUDES)
    own = reshape(all(k)%value(1:LONGITUDES, 1:rows), [rows * LONGITUDES])
  end function own

end program field
