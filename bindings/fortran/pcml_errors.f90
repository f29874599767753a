! What becomes of a status: as with allocate, stat= and errmsg= receive it, and without stat= an error stops the program.
module pcml_errors
  use pcml_types
  implicit none
  private
  public :: settle, pcml_message

contains

  ! The text of the calling thread's last error.
  function pcml_message() result(text)
    use pcml_c, only: pcml_error_message
    character(len=:), allocatable :: text
    character(kind=c_char, len=1024) :: buffer
    integer(c_int64_t) :: length
    length = 0
    if (pcml_error_message(buffer, len(buffer, kind=c_int64_t), length) /= PCML_STATUS_OK) length = 0
    text = buffer(:min(int(length), len(buffer) - 1))
  end function pcml_message

  subroutine settle(status, stat, errmsg)
    integer(c_int32_t), intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (present(stat)) stat = status
    if (status == PCML_STATUS_OK) return
    if (present(errmsg)) errmsg = pcml_message()
    if (.not. present(stat)) error stop "pcml: " // pcml_message()
  end subroutine settle

end module pcml_errors
