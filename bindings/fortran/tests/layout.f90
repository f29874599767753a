! Sizes of the structs and offsets of their components, as Fortran sees them: tests/c/layout.c prints the same.
program layout
  use pcml_types
  implicit none
  type(pcml_array), target :: a
  type(pcml_const_array), target :: c
  type(pcml_flux_report), target :: f
  type(pcml_flux_limits), target :: l
  type(pcml_fit_report), target :: r
  call tell("pcml_array", c_sizeof(a), a%struct_size, c_loc(a), [ &
    c_loc(a%struct_size), c_loc(a%data), c_loc(a%dtype), c_loc(a%rank), c_loc(a%shape), c_loc(a%strides)])
  call tell("pcml_const_array", c_sizeof(c), c%struct_size, c_loc(c), [ &
    c_loc(c%struct_size), c_loc(c%data), c_loc(c%dtype), c_loc(c%rank), c_loc(c%shape), c_loc(c%strides)])
  call tell("pcml_flux_report", c_sizeof(f), f%struct_size, c_loc(f), [ &
    c_loc(f%struct_size), c_loc(f%residual_before), c_loc(f%residual_before_cell), c_loc(f%residual_after), &
    c_loc(f%residual_after_cell), c_loc(f%closeness), c_loc(f%correction_norm), c_loc(f%largest_correction), &
    c_loc(f%largest_correction_face), c_loc(f%iterations), c_loc(f%rounds), c_loc(f%method), c_loc(f%repaired), &
    c_loc(f%unchanged)])
  call tell("pcml_flux_limits", c_sizeof(l), l%struct_size, c_loc(l), [ &
    c_loc(l%struct_size), c_loc(l%limited_faces), c_loc(l%least_limiter), c_loc(l%least_limiter_face)])
  call tell("pcml_fit_report", c_sizeof(r), r%struct_size, c_loc(r), [ &
    c_loc(r%struct_size), c_loc(r%log_likelihood), c_loc(r%log_likelihood_before), c_loc(r%jitter), &
    c_loc(r%iterations), c_loc(r%evaluations), c_loc(r%search), c_loc(r%converged)])

contains

  subroutine tell(name, size, set, start, components)
    character(*), intent(in) :: name
    integer(c_size_t), intent(in) :: size
    integer(c_int64_t), intent(in) :: set
    type(c_ptr), intent(in) :: start, components(:)
    integer :: k
    if (set /= size) error stop "struct_size is not the size"
    print '(a, *(1x, i0))', name, size, (distance(start, components(k)), k=1, ubound(components, 1))
  end subroutine tell

  function distance(from, to) result(bytes)
    type(c_ptr), intent(in) :: from, to
    integer(c_intptr_t) :: bytes
    bytes = transfer(to, bytes) - transfer(from, bytes)
  end function distance

end program layout
