! The host's sum over the ranks of an MPI communicator, for the calls of pcml that take a reduction: the twin of include/pcml_mpi.h,
! whose words on communicators, threads and failure hold here. Compiled by the host, with its own MPI (module mpi_f08).
!
!   call pcml_mpi_reduction_create(comm, ranks, stat)
!   stat = pcml_mpi_agree(comm, stat)
!   if (stat == PCML_STATUS_OK) call projector%part_project(workspace, ranks, pcml_in(u), b, pcml_out(u), stat=stat)
module pcml_mpi
  use, intrinsic :: iso_c_binding
  use mpi_f08
  use pcml
  implicit none
  private
  public :: pcml_mpi_sum, pcml_mpi_reduction_create, pcml_mpi_agree

contains

  ! Replaces integers by their sums over all ranks: what is between two steps of a call in steps, and between pcml_sum_bins and
  ! pcml_sum_round. Collective. ierror: MPI_SUCCESS, or the error of MPI where the communicator's error handler returns.
  subroutine pcml_mpi_sum(comm, values, ierror)
    type(MPI_Comm), intent(in) :: comm
    integer(c_int64_t), intent(inout), contiguous, target :: values(:)
    integer, intent(out), optional :: ierror
    integer(c_int64_t), pointer :: some(:)
    integer(c_int64_t) :: first, length
    integer :: error
    error = MPI_SUCCESS
    first = 1
    do while (first <= size(values, kind=c_int64_t) .and. error == MPI_SUCCESS)
      length = min(size(values, kind=c_int64_t) - first + 1, int(huge(error), c_int64_t))
      some => values(first:first + length - 1)
      call MPI_Allreduce(MPI_IN_PLACE, some, int(length), MPI_INT64_T, MPI_SUM, comm, error)
      first = first + length
    end do
    if (present(ierror)) ierror = error
  end subroutine pcml_mpi_sum

  ! What a reduction over ranks calls. The context is the communicator's handle itself, so that nobody has to keep memory for it.
  function sum_in_context(context, values, count) bind(C, name='') result(status)
    type(c_ptr), value :: context
    integer(c_int64_t), intent(inout), optional :: values(*)
    integer(c_int64_t), value :: count
    integer(c_int32_t) :: status
    type(MPI_Comm) :: comm
    integer :: error
    comm%MPI_VAL = int(transfer(context, 0_c_intptr_t))
    call pcml_mpi_sum(comm, values(:count), error)
    status = int(error, c_int32_t)
  end function sum_in_context

  ! Makes a reduction over the ranks of a communicator, which stays the host's, is not duplicated and must outlive it. Not collective;
  ! pcml_mpi_agree tells all ranks whether all have one. stat: PCML_STATUS_NULL_ARGUMENT for MPI_COMM_NULL.
  subroutine pcml_mpi_reduction_create(comm, reduction, stat, errmsg)
    use pcml_c, only: pcml_reduction_create
    use pcml_errors, only: settle
    type(MPI_Comm), intent(in) :: comm
    type(pcml_reduction), intent(inout) :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_ptr) :: none
    if (comm == MPI_COMM_NULL) then
      call settle(pcml_reduction_create(c_null_funptr, c_null_ptr, none), stat, errmsg)
    else
      call reduction%create(sum_in_context, transfer(int(comm%MPI_VAL, c_intptr_t), c_null_ptr), stat, errmsg)
    end if
  end subroutine pcml_mpi_reduction_create

  ! The status of all ranks: 0 where all have 0, else the least of those that are not. To be called by all ranks with the status of
  ! what each did on its own. Collective. PCML_STATUS_REDUCTION where MPI failed.
  function pcml_mpi_agree(comm, status) result(of_all)
    type(MPI_Comm), intent(in) :: comm
    integer, intent(in) :: status
    integer :: of_all, error
    of_all = merge(huge(of_all), status, status == PCML_STATUS_OK)
    call MPI_Allreduce(MPI_IN_PLACE, of_all, 1, MPI_INTEGER, MPI_MIN, comm, error)
    if (error /= MPI_SUCCESS) of_all = PCML_STATUS_REDUCTION
    if (of_all == huge(of_all)) of_all = PCML_STATUS_OK
  end function pcml_mpi_agree

end module pcml_mpi
