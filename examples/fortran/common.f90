! What the examples share: claims, and bits of results by which programs in several languages are compared.
module common
  use, intrinsic :: iso_fortran_env, only: int64, real64, error_unit
  implicit none

  integer :: failures = 0
  real(real64), parameter :: eps = epsilon(1.0_real64)

contains

  subroutine claim(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what
    if (holds) return
    write (error_unit, '(2a)') "does not hold: ", what
    failures = failures + 1
  end subroutine claim

  ! For each value rotate left by one, then exclusive or.
  elemental subroutine mix(bits, value)
    integer(int64), intent(inout) :: bits
    real(real64), intent(in) :: value
    bits = ieor(ishftc(bits, 1), transfer(value, bits))
  end subroutine mix

  ! The only argument of the command.
  function argument(usage) result(path)
    character(len=*), intent(in) :: usage
    character(len=:), allocatable :: path
    integer :: length
    if (command_argument_count() /= 1) error stop usage
    call get_command_argument(1, length=length)
    allocate (character(len=length) :: path)
    call get_command_argument(1, path)
  end function argument

end module common
