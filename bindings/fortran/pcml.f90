! pcml for Fortran codes: `use pcml` is all that a program needs. docs/fortran.md is the guide, include/pcml.h the manual.
!
! Objects     Variables of the types pcml_model, pcml_plan, ... A variable refers to an object as a pointer does: assignment copies
!             the reference. Like allocated memory an object is freed once, by %free, through any of the variables that refer to it;
!             the others must not be used then. There are no finalizers, as they would free what a copy still refers to. Making an
!             object in a variable that refers to one (create, load, workspace, ...) frees that one, if the call succeeds.
! Errors      stat= receives a number of enum pcml_status, 0 for success, and errmsg= the text. Without stat= an error stops the
!             program. After an error all other arguments are as before.
! Arrays      pcml_in(a) describes an array or any section of it for reading, pcml_out(a) for writing: real32 or real64, rank 1 to
!             5, a target or a pointer. No element is copied and the order of indices stays: a(i, j) is [i, j] of the manual, [j, i]
!             with pcml_reversed. A component of an array of structures is described through a pointer, p => cells%u, as gfortran
!             mistakes its address otherwise. predict, project, bounded_project and pcml_sum take arrays themselves as well, targets
!             or not. Arrays of plain numbers that set-up calls take (cells, weights, ...) may have any stride; the compiler copies
!             those with gaps.
! Arguments   Called as in the manual. The object is not passed, extents that an array knows are left out, what may be NULL comes
!             last and may be left out.
! Numbering   Cells, rows, slices and axes count from 0, as in the manual and in messages.
! Threads     intent(in) objects may be shared by threads, intent(inout) ones are for one thread at a time.
module pcml
  use pcml_types
  use pcml_objects
  use pcml_errors, only: pcml_message, settle
  implicit none
  public
  private :: settle, reversed_in, reversed_out

  ! The same elements with the order of indices turned round: [slices, cells] of an array a(cells, slices).
  interface pcml_reversed
    module procedure reversed_in, reversed_out
  end interface pcml_reversed

contains

  function reversed_in(view) result(reversed)
    type(pcml_const_array), intent(in) :: view
    type(pcml_const_array) :: reversed
    reversed = view
    reversed%shape(:view%rank) = view%shape(view%rank:1:-1)
    reversed%strides(:view%rank) = view%strides(view%rank:1:-1)
  end function reversed_in

  function reversed_out(view) result(reversed)
    type(pcml_array), intent(in), target :: view
    type(pcml_array) :: reversed
    reversed = view
    reversed%shape(:view%rank) = view%shape(view%rank:1:-1)
    reversed%strides(:view%rank) = view%strides(view%rank:1:-1)
  end function reversed_out

  ! The exact sum of this part as integers, to be added over all parts and rounded by pcml_sum_round.
  subroutine pcml_sum_bins(array, bins, second, stat, errmsg)
    use pcml_c, only: call_c => pcml_sum_bins
    type(pcml_const_array), intent(in) :: array
    integer(c_int64_t), intent(inout) :: bins(PCML_SUM_BINS_COUNT)
    type(pcml_const_array), intent(in), optional :: second
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call settle(call_c(array, second, bins), stat, errmsg)
  end subroutine pcml_sum_bins

  ! The double nearest to the sum that the bins hold.
  function pcml_sum_round(bins) result(total)
    use pcml_c, only: call_c => pcml_sum_round
    integer(c_int64_t), intent(in) :: bins(PCML_SUM_BINS_COUNT)
    real(c_double) :: total
    total = 0
    call settle(call_c(bins, total))
  end function pcml_sum_round

  ! The mean log-density of a truth under independent normal distributions; 0 where it fails.
  function pcml_log_density(truth, mean, variance, stat, errmsg) result(density)
    use pcml_c, only: call_c => pcml_log_density
    type(pcml_const_array), intent(in) :: truth, mean, variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: density
    density = 0
    call settle(call_c(truth, mean, variance, density), stat, errmsg)
  end function pcml_log_density

  ! The version of the library that is linked: to be compared with PCML_VERSION_MAJOR, _MINOR and _PATCH.
  subroutine pcml_version(major, minor, patch)
    use pcml_c, only: call_c => pcml_version
    integer(c_int32_t), intent(out) :: major, minor, patch
    call settle(call_c(major, minor, patch))
  end subroutine pcml_version

end module pcml
