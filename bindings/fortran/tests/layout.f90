! Sizes of the structs and offsets of their last components, as Fortran sees them: layout.c prints the same.
program layout
  use pcml_types
  implicit none
  type(pcml_array), target :: a
  type(pcml_const_array), target :: c
  type(pcml_flux_report), target :: f
  type(pcml_flux_limits), target :: l
  type(pcml_fit_report), target :: r
  print '(a, 2(1x, i0), 1x, i0)', "pcml_array", c_sizeof(a), distance(c_loc(a), c_loc(a%strides)), a%struct_size
  print '(a, 2(1x, i0), 1x, i0)', "pcml_const_array", c_sizeof(c), distance(c_loc(c), c_loc(c%strides)), c%struct_size
  print '(a, 2(1x, i0), 1x, i0)', "pcml_flux_report", c_sizeof(f), distance(c_loc(f), c_loc(f%unchanged)), f%struct_size
  print '(a, 2(1x, i0), 1x, i0)', "pcml_flux_limits", c_sizeof(l), distance(c_loc(l), c_loc(l%least_limiter_face)), l%struct_size
  print '(a, 2(1x, i0), 1x, i0)', "pcml_fit_report", c_sizeof(r), distance(c_loc(r), c_loc(r%converged)), r%struct_size

contains

  function distance(from, to) result(bytes)
    type(c_ptr), intent(in) :: from, to
    integer(c_intptr_t) :: bytes
    bytes = transfer(to, bytes) - transfer(from, bytes)
  end function distance

end program layout
