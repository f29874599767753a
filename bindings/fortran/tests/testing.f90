! What the test programs share.
module testing
  use pcml
  implicit none

  integer :: failures = 0

  ! Equal in every bit.
  interface same
    module procedure same_f32, same_f64
  end interface same

contains

  subroutine expect(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what
    if (holds) return
    failures = failures + 1
    print '(2a)', "does not hold: ", what
  end subroutine expect

  subroutine finish()
    if (failures > 0) error stop 1
  end subroutine finish

  ! gfortran 12 cannot compile c_associated(p, c_loc(a)).
  function lies_at(address, expected) result(lies)
    type(c_ptr), intent(in) :: address, expected
    logical :: lies
    lies = c_associated(address, expected)
  end function lies_at

  elemental function same_f32(a, b) result(same)
    real(c_float), intent(in) :: a, b
    logical :: same
    same = transfer(a, 0_c_int32_t) == transfer(b, 0_c_int32_t)
  end function same_f32

  elemental function same_f64(a, b) result(same)
    real(c_double), intent(in) :: a, b
    logical :: same
    same = transfer(a, 0_c_int64_t) == transfer(b, 0_c_int64_t)
  end function same_f64

  ! A projector onto the sum of a state, and workspaces for its calls.
  subroutine make_sum_projector(cells, slices, projector, workspace, bounded)
    integer, intent(in) :: cells, slices
    type(pcml_projector), intent(inout) :: projector
    type(pcml_workspace), intent(inout) :: workspace, bounded
    type(pcml_constraints) :: constraints
    real(c_double), target :: ones(cells)
    ones = 1
    call constraints%create(cells)
    call constraints%add_row(pcml_in(ones), 0.0_c_double)
    call projector%create(constraints, PCML_PRIOR_IDENTITY)
    call projector%workspace(slices, workspace)
    call projector%bounded_workspace(slices, bounded)
    call constraints%free()
  end subroutine make_sum_projector

end module testing
