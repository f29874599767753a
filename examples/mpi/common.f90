! What the MPI examples in Fortran share: failures that end all ranks alike, the whole field on rank 0, bits of results.
module common
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use mpi_f08
  use pcml
  use pcml_mpi
  implicit none
  private
  public :: check_all, gather, mix

contains

  ! Ends the program on all ranks when one of them failed; the rank that has the cause tells it.
  subroutine check_all(status)
    integer, intent(in) :: status
    integer :: of_all
    of_all = pcml_mpi_agree(MPI_COMM_WORLD, status)
    if (of_all == PCML_STATUS_OK) return
    if (status == of_all) write (error_unit, '(a)') pcml_message()
    call MPI_Finalize()
    stop 1
  end subroutine check_all

  ! The values of all ranks, in the order of the ranks, on rank 0.
  subroutine gather(own, whole, ranks)
    real(real64), intent(in) :: own(:)
    real(real64), intent(inout) :: whole(:)
    integer, intent(in) :: ranks
    integer :: counts(ranks), starts(ranks), k
    call MPI_Gather(size(own), 1, MPI_INTEGER, counts, 1, MPI_INTEGER, 0, MPI_COMM_WORLD)
    starts(1) = 0
    do k = 2, ranks
      starts(k) = starts(k - 1) + counts(k - 1)
    end do
    call MPI_Gatherv(own, size(own), MPI_DOUBLE_PRECISION, whole, counts, starts, MPI_DOUBLE_PRECISION, 0, MPI_COMM_WORLD)
  end subroutine gather

  ! Adds a field to the bits by which programs in several languages are compared: for each value rotate left by one, then exclusive or.
  subroutine mix(bits, u)
    integer(int64), intent(inout) :: bits
    real(real64), intent(in) :: u(:)
    integer :: i
    do i = 1, size(u)
      bits = ieor(ishftc(bits, 1), transfer(u(i), bits))
    end do
  end subroutine mix

end module common
