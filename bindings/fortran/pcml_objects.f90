! Module pcml_views describes Fortran arrays to the library; module pcml_objects has the library's objects as derived types.
!
! Generated from include/pcml.h by `cargo xtask bindings`; do not edit.
module pcml_views
  use pcml_types
  implicit none
  private
  public :: pcml_in, pcml_out

  ! Describes an array or section to be read, where it lies; valid while the array is.
  interface pcml_in
    module procedure in_f32_1
    module procedure in_f32_2
    module procedure in_f32_3
    module procedure in_f32_4
    module procedure in_f32_5
    module procedure in_f64_1
    module procedure in_f64_2
    module procedure in_f64_3
    module procedure in_f64_4
    module procedure in_f64_5
  end interface pcml_in

  ! Describes an array or section to be written.
  interface pcml_out
    module procedure out_f32_1
    module procedure out_f32_2
    module procedure out_f32_3
    module procedure out_f32_4
    module procedure out_f32_5
    module procedure out_f64_1
    module procedure out_f64_2
    module procedure out_f64_3
    module procedure out_f64_4
    module procedure out_f64_5
  end interface pcml_out

contains

pure function address(at)
    type(c_ptr), intent(in) :: at
    integer(c_intptr_t) :: address
    address = transfer(at, address)
  end function address

  function in_f32_1(array) result(view)
    real(c_float), pointer, intent(in) :: array(:)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 1
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1))) - first) / 4
  end function in_f32_1

  function out_f32_1(array) result(view)
    real(c_float), pointer, intent(in) :: array(:)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 1
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1))) - first) / 4
  end function out_f32_1

  function in_f32_2(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 2
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1))) - first) / 4
  end function in_f32_2

  function out_f32_2(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 2
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1))) - first) / 4
  end function out_f32_2

  function in_f32_3(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 3
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, &
        3)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, &
        3)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, &
        3) + 1))) - first) / 4
  end function in_f32_3

  function out_f32_3(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 3
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, &
        3)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, &
        3)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, &
        3) + 1))) - first) / 4
  end function out_f32_3

  function in_f32_4(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 4
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4)))) - first) / 4
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1))) - first) / 4
  end function in_f32_4

  function out_f32_4(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 4
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4)))) - first) / 4
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1))) - first) / 4
  end function out_f32_4

  function in_f32_5(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 5
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    view%shape(5) = size(array, 5, c_int64_t)
    view%strides(5) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4), lbound(array, 5)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1, lbound(array, 5)))) - first) / 4
    if (view%shape(5) > 1) view%strides(5) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5) + 1))) - first) / 4
  end function in_f32_5

  function out_f32_5(array) result(view)
    real(c_float), pointer, intent(in) :: array(:, :, :, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F32
    view%rank = 5
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    view%shape(5) = size(array, 5, c_int64_t)
    view%strides(5) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4), lbound(array, 5)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4), lbound(array, 5)))) - first) / 4
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1, lbound(array, 5)))) - first) / 4
    if (view%shape(5) > 1) view%strides(5) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5) + 1))) - first) / 4
  end function out_f32_5

  function in_f64_1(array) result(view)
    real(c_double), pointer, intent(in) :: array(:)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 1
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1))) - first) / 8
  end function in_f64_1

  function out_f64_1(array) result(view)
    real(c_double), pointer, intent(in) :: array(:)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 1
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1))) - first) / 8
  end function out_f64_1

  function in_f64_2(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 2
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1))) - first) / 8
  end function in_f64_2

  function out_f64_2(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 2
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1))) - first) / 8
  end function out_f64_2

  function in_f64_3(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 3
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, &
        3)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, &
        3)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, &
        3) + 1))) - first) / 8
  end function in_f64_3

  function out_f64_3(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 3
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, &
        3)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, &
        3)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, &
        3) + 1))) - first) / 8
  end function out_f64_3

  function in_f64_4(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 4
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4)))) - first) / 8
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1))) - first) / 8
  end function in_f64_4

  function out_f64_4(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 4
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4)))) - first) / 8
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1))) - first) / 8
  end function out_f64_4

  function in_f64_5(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :, :, :)
    type(pcml_const_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 5
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    view%shape(5) = size(array, 5, c_int64_t)
    view%strides(5) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4), lbound(array, 5)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1, lbound(array, 5)))) - first) / 8
    if (view%shape(5) > 1) view%strides(5) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5) + 1))) - first) / 8
  end function in_f64_5

  function out_f64_5(array) result(view)
    real(c_double), pointer, intent(in) :: array(:, :, :, :, :)
    type(pcml_array) :: view
    integer(c_intptr_t) :: first
    view%dtype = PCML_DTYPE_F64
    view%rank = 5
    view%data = c_null_ptr
    view%shape(1) = size(array, 1, c_int64_t)
    view%strides(1) = 1
    view%shape(2) = size(array, 2, c_int64_t)
    view%strides(2) = 1
    view%shape(3) = size(array, 3, c_int64_t)
    view%strides(3) = 1
    view%shape(4) = size(array, 4, c_int64_t)
    view%strides(4) = 1
    view%shape(5) = size(array, 5, c_int64_t)
    view%strides(5) = 1
    if (size(array, kind=c_int64_t) == 0) return
    view%data = c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), lbound(array, 4), lbound(array, 5)))
    first = address(view%data)
    if (view%shape(1) > 1) view%strides(1) = (address(c_loc(array(lbound(array, 1) + 1, lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(2) > 1) view%strides(2) = (address(c_loc(array(lbound(array, 1), lbound(array, 2) + 1, lbound(array, 3), &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(3) > 1) view%strides(3) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3) + 1, &
        lbound(array, 4), lbound(array, 5)))) - first) / 8
    if (view%shape(4) > 1) view%strides(4) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4) + 1, lbound(array, 5)))) - first) / 8
    if (view%shape(5) > 1) view%strides(5) = (address(c_loc(array(lbound(array, 1), lbound(array, 2), lbound(array, 3), &
        lbound(array, 4), lbound(array, 5) + 1))) - first) / 8
  end function out_f64_5
end module pcml_views

module pcml_objects
  use pcml_types
  use pcml_views
  use pcml_errors
  use pcml_c, only: pcml_sum_function
  implicit none
  private
  public :: pcml_in, pcml_out, pcml_sum
  public :: pcml_boundary
  public :: pcml_constraints
  public :: pcml_flux
  public :: pcml_model
  public :: pcml_operator_part
  public :: pcml_options
  public :: pcml_plan
  public :: pcml_projector
  public :: pcml_reduction
  public :: pcml_report
  public :: pcml_workspace

  type :: pcml_boundary
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => boundary_create
    procedure :: free => boundary_free
    procedure :: add_face => boundary_add_face
    procedure :: enforce => boundary_enforce
  end type pcml_boundary

  type :: pcml_constraints
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => constraints_create
    procedure :: free => constraints_free
    procedure :: add_quadrature => constraints_add_quadrature
    procedure :: add_row => constraints_add_row
    procedure :: add_absent_row => constraints_add_absent_row
    procedure :: rows => constraints_rows
    procedure :: add_grid_quadrature => constraints_add_grid_quadrature
    procedure :: add_sparse_rows => constraints_add_sparse_rows
    procedure :: add_boundary => constraints_add_boundary
    procedure :: add_periodic => constraints_add_periodic
    procedure :: add_stencils => constraints_add_stencils
    procedure :: add_quadratic => constraints_add_quadratic
    procedure :: add_energy => constraints_add_energy
    procedure :: set_bounds => constraints_set_bounds
    procedure :: add_simplex => constraints_add_simplex
    procedure :: add_monotone => constraints_add_monotone
  end type pcml_constraints

  type :: pcml_flux
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => flux_create
    procedure :: free => flux_free
    procedure :: workspace => flux_workspace
    procedure :: correct => flux_correct
    procedure :: residual => flux_residual
    procedure :: jvp => flux_jvp
    procedure :: vjp => flux_vjp
    procedure :: update => flux_update
    procedure :: update_bounded => flux_update_bounded
  end type pcml_flux

  type :: pcml_model
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: load => model_load
    procedure :: load_bytes => model_load_bytes
    procedure :: gaussian_process => model_gaussian_process
    procedure :: ensemble => model_ensemble
    procedure :: fit => model_fit
    procedure :: hyperparameters => model_hyperparameters
    procedure :: description => model_description
    procedure :: free => model_free
  end type pcml_model

  type :: pcml_operator_part
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => operator_part_create
    procedure :: free => operator_part_free
    procedure :: workspace => operator_part_workspace
    procedure :: predict => operator_part_predict
    procedure :: begin => operator_part_begin
    procedure :: continue => operator_part_continue
    procedure :: finish => operator_part_finish
  end type pcml_operator_part

  type :: pcml_options
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => options_create
    procedure :: free => options_free
    procedure :: set_batch => options_set_batch
    procedure :: set_context => options_set_context
    procedure :: set_targets => options_set_targets
    procedure :: set_covariance => options_set_covariance
    procedure :: set_latents => options_set_latents
    procedure :: set_seed => options_set_seed
    procedure :: set_dropout => options_set_dropout
    procedure :: set_shape => options_set_shape
    procedure :: set_steps => options_set_steps
    procedure :: set_threads => options_set_threads
    procedure :: set_transforms => options_set_transforms
    procedure :: set_boundary => options_set_boundary
    procedure :: set_held_cells => options_set_held_cells
    procedure :: set_prior_size => options_set_prior_size
    procedure :: set_smoothing => options_set_smoothing
    procedure :: set_held_faces => options_set_held_faces
    procedure :: set_direct_cells => options_set_direct_cells
    procedure :: set_length_scales => options_set_length_scales
    procedure :: set_signal_variance => options_set_signal_variance
    procedure :: set_noise_variance => options_set_noise_variance
    procedure :: set_means => options_set_means
    procedure :: set_fitted => options_set_fitted
    procedure :: set_fit_range => options_set_fit_range
    procedure :: set_restarts => options_set_restarts
  end type pcml_options

  type :: pcml_plan
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => plan_create
    procedure :: free => plan_free
    procedure :: workspace => plan_workspace
    procedure :: condition => plan_condition
    procedure :: condition_noisy => plan_condition_noisy
    procedure :: jitter => plan_jitter
    procedure :: latent => plan_latent
    procedure :: query => plan_query
    procedure :: covariance => plan_covariance
    procedure, private :: plan_predict_views => plan_predict
    procedure, private :: plan_predict_f32_1
    procedure, private :: plan_predict_f32_2
    procedure, private :: plan_predict_f32_3
    procedure, private :: plan_predict_f32_4
    procedure, private :: plan_predict_f32_5
    procedure, private :: plan_predict_f64_1
    procedure, private :: plan_predict_f64_2
    procedure, private :: plan_predict_f64_3
    procedure, private :: plan_predict_f64_4
    procedure, private :: plan_predict_f64_5
    generic :: predict => plan_predict_views, plan_predict_f32_1, plan_predict_f32_2, plan_predict_f32_3, plan_predict_f32_4, &
        plan_predict_f32_5, plan_predict_f64_1, plan_predict_f64_2, plan_predict_f64_3, plan_predict_f64_4, plan_predict_f64_5
    procedure :: predict_fields => plan_predict_fields
    procedure :: predict_moments => plan_predict_moments
    procedure :: predict_factors => plan_predict_factors
    procedure :: query_factors => plan_query_factors
    procedure :: members => plan_members
    procedure :: predict_lawful => plan_predict_lawful
    procedure :: derivative_workspace => plan_derivative_workspace
    procedure :: jvp => plan_jvp
    procedure :: vjp => plan_vjp
    procedure :: regularised => plan_regularised
  end type pcml_plan

  type :: pcml_projector
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: bounded_workspace => bounded_workspace
    procedure, private :: bounded_project_views => bounded_project
    procedure, private :: bounded_project_f32_1_1
    procedure, private :: bounded_project_f32_1_2
    procedure, private :: bounded_project_f32_2_1
    procedure, private :: bounded_project_f32_2_2
    procedure, private :: bounded_project_f32_3_1
    procedure, private :: bounded_project_f32_3_2
    procedure, private :: bounded_project_f32_4_1
    procedure, private :: bounded_project_f32_4_2
    procedure, private :: bounded_project_f32_5_1
    procedure, private :: bounded_project_f32_5_2
    procedure, private :: bounded_project_f64_1_1
    procedure, private :: bounded_project_f64_1_2
    procedure, private :: bounded_project_f64_2_1
    procedure, private :: bounded_project_f64_2_2
    procedure, private :: bounded_project_f64_3_1
    procedure, private :: bounded_project_f64_3_2
    procedure, private :: bounded_project_f64_4_1
    procedure, private :: bounded_project_f64_4_2
    procedure, private :: bounded_project_f64_5_1
    procedure, private :: bounded_project_f64_5_2
    generic :: bounded_project => bounded_project_views, bounded_project_f32_1_1, bounded_project_f32_1_2, &
        bounded_project_f32_2_1, bounded_project_f32_2_2, bounded_project_f32_3_1, bounded_project_f32_3_2, &
        bounded_project_f32_4_1, bounded_project_f32_4_2, bounded_project_f32_5_1, bounded_project_f32_5_2, &
        bounded_project_f64_1_1, bounded_project_f64_1_2, bounded_project_f64_2_1, bounded_project_f64_2_2, &
        bounded_project_f64_3_1, bounded_project_f64_3_2, bounded_project_f64_4_1, bounded_project_f64_4_2, &
        bounded_project_f64_5_1, bounded_project_f64_5_2
    procedure :: bounded_check => bounded_check
    procedure :: bounded_jvp => bounded_jvp
    procedure :: bounded_vjp => bounded_vjp
    procedure :: inference_workspace => inference_workspace
    procedure :: inference_sample => inference_sample
    procedure :: inference_log_likelihood => inference_log_likelihood
    procedure :: inference_covariance => inference_covariance
    procedure :: inference_jvp => inference_jvp
    procedure :: inference_vjp => inference_vjp
    procedure :: nonlinear_workspace => nonlinear_workspace
    procedure :: nonlinear_project => nonlinear_project
    procedure :: nonlinear_check => nonlinear_check
    procedure :: nonlinear_jvp => nonlinear_jvp
    procedure :: nonlinear_vjp => nonlinear_vjp
    procedure :: part_workspace => part_workspace
    procedure :: part_project => part_project
    procedure :: part_begin => part_begin
    procedure :: part_continue => part_continue
    procedure :: create => projector_create
    procedure :: free => projector_free
    procedure :: workspace => projector_workspace
    procedure :: report => projector_report
    procedure, private :: projector_project_views => projector_project
    procedure, private :: projector_project_f32_1_1
    procedure, private :: projector_project_f32_1_2
    procedure, private :: projector_project_f32_2_1
    procedure, private :: projector_project_f32_2_2
    procedure, private :: projector_project_f32_3_1
    procedure, private :: projector_project_f32_3_2
    procedure, private :: projector_project_f32_4_1
    procedure, private :: projector_project_f32_4_2
    procedure, private :: projector_project_f32_5_1
    procedure, private :: projector_project_f32_5_2
    procedure, private :: projector_project_f64_1_1
    procedure, private :: projector_project_f64_1_2
    procedure, private :: projector_project_f64_2_1
    procedure, private :: projector_project_f64_2_2
    procedure, private :: projector_project_f64_3_1
    procedure, private :: projector_project_f64_3_2
    procedure, private :: projector_project_f64_4_1
    procedure, private :: projector_project_f64_4_2
    procedure, private :: projector_project_f64_5_1
    procedure, private :: projector_project_f64_5_2
    generic :: project => projector_project_views, projector_project_f32_1_1, projector_project_f32_1_2, &
        projector_project_f32_2_1, projector_project_f32_2_2, projector_project_f32_3_1, projector_project_f32_3_2, &
        projector_project_f32_4_1, projector_project_f32_4_2, projector_project_f32_5_1, projector_project_f32_5_2, &
        projector_project_f64_1_1, projector_project_f64_1_2, projector_project_f64_2_1, projector_project_f64_2_2, &
        projector_project_f64_3_1, projector_project_f64_3_2, projector_project_f64_4_1, projector_project_f64_4_2, &
        projector_project_f64_5_1, projector_project_f64_5_2
    procedure :: residual => projector_residual
    procedure :: check => projector_check
    procedure :: budget => projector_budget
    procedure :: covariance => projector_covariance
  end type pcml_projector

  type :: pcml_reduction
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: create => reduction_create
    procedure :: free => reduction_free
  end type pcml_reduction

  type :: pcml_report
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: slices => report_slices
    procedure :: value => report_value
    procedure :: free => report_free
  end type pcml_report

  type :: pcml_workspace
    type(c_ptr), private :: handle = c_null_ptr
  contains
    procedure :: free => workspace_free
  end type pcml_workspace

  ! The exact sum of an array's values, rounded once; 0 where it fails.
  interface pcml_sum
    module procedure sum_view
    module procedure sum_f32_1
    module procedure sum_f32_2
    module procedure sum_f32_3
    module procedure sum_f32_4
    module procedure sum_f32_5
    module procedure sum_f64_1
    module procedure sum_f64_2
    module procedure sum_f64_3
    module procedure sum_f64_4
    module procedure sum_f64_5
  end interface pcml_sum

contains

  ! Creates boundary conditions without faces.
  subroutine boundary_create(self, stat, errmsg)
    use pcml_c, only: call_c => pcml_boundary_create
    class(pcml_boundary), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine boundary_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine boundary_free(self)
    use pcml_c, only: call_c => pcml_boundary_free
    class(pcml_boundary), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine boundary_free

  ! Adds the condition of a face: u = value (Dirichlet), sum_k stencil[k] u_k / spacing = value (Neumann), or that the first point
  ! of the axis is the last (periodic; once an axis, for either side).
  subroutine boundary_add_face(self, axis, side, kind, spacing, stencil, stat, errmsg)
    use pcml_c, only: call_c => pcml_boundary_add_face
    class(pcml_boundary), intent(inout) :: self
    integer, intent(in) :: axis
    integer(c_int32_t), intent(in) :: side
    integer(c_int32_t), intent(in) :: kind
    real(c_double), intent(in) :: spacing
    real(c_double), intent(in), optional :: stencil(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: count
    count = 0
    if (present(stencil)) count = size(stencil, kind=c_int64_t)
    status = call_c(self%handle, int(axis, c_int64_t), side, kind, stencil, count, spacing)
    call settle(status, stat, errmsg)
  end subroutine boundary_add_face

  ! Makes a field obey the conditions: any surrogate's output, or a state of the host's.
  subroutine boundary_enforce(self, field, rank, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_boundary_enforce
    class(pcml_boundary), intent(in) :: self
    type(pcml_array), intent(in), target :: field
    integer, intent(in) :: rank
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, field, int(rank, c_int64_t), values, value_count)
    call settle(status, stat, errmsg)
  end subroutine boundary_enforce

  ! Creates a workspace for the pcml_bounded_* calls of a projector: projections within bounds, on simplices and along monotone
  ! runs.
  subroutine bounded_workspace(self, slices, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_bounded_workspace
    class(pcml_projector), intent(in) :: self
    integer, intent(in) :: slices
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, int(slices, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine bounded_workspace

  ! Makes every slice obey all rows and stay within its bounds and sets: the u with least sum of (u - mu)^2 / v, such that G u = b,
  ! lower <= u <= upper, and the sets of pcml_constraints_add_simplex and pcml_constraints_add_monotone hold.
  subroutine bounded_project(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_bounded_project
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: posterior_mean
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, mean, variance, b, lower, upper, posterior_mean, report_handle)
    call settle(status, stat, errmsg)
  end subroutine bounded_project

  subroutine bounded_project_f32_1_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_1_1

  subroutine bounded_project_f32_1_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_1_2

  subroutine bounded_project_f32_2_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_2_1

  subroutine bounded_project_f32_2_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_2_2

  subroutine bounded_project_f32_3_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_3_1

  subroutine bounded_project_f32_3_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_3_2

  subroutine bounded_project_f32_4_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_4_1

  subroutine bounded_project_f32_4_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_4_2

  subroutine bounded_project_f32_5_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_5_1

  subroutine bounded_project_f32_5_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f32_5_2

  subroutine bounded_project_f64_1_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_1_1

  subroutine bounded_project_f64_1_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_1_2

  subroutine bounded_project_f64_2_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_2_1

  subroutine bounded_project_f64_2_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_2_2

  subroutine bounded_project_f64_3_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_3_1

  subroutine bounded_project_f64_3_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_3_2

  subroutine bounded_project_f64_4_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_4_1

  subroutine bounded_project_f64_4_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_4_2

  subroutine bounded_project_f64_5_1(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_5_1

  subroutine bounded_project_f64_5_2(self, workspace, mean, b, posterior_mean, variance, lower, upper, report, stat, errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call bounded_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, lower, upper, report, &
        stat, errmsg)
  end subroutine bounded_project_f64_5_2

  ! Fills the report with how every slice stands to its rows, bounds and sets; changes nothing else.
  subroutine bounded_check(self, workspace, mean, b, report, lower, upper, stat, errmsg)
    use pcml_c, only: call_c => pcml_bounded_check
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_report), intent(inout) :: report
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, b, lower, upper, report%handle)
    call settle(status, stat, errmsg)
  end subroutine bounded_check

  ! The derivative of pcml_bounded_project's mean, of one slice, in a direction.
  subroutine bounded_jvp(self, workspace, mean, b, tangent, variance, lower, upper, tangent_mean, tangent_variance, tangent_b, &
        stat, errmsg)
    use pcml_c, only: call_c => pcml_bounded_jvp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: tangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_const_array), intent(in), optional :: tangent_mean
    type(pcml_const_array), intent(in), optional :: tangent_variance
    type(pcml_const_array), intent(in), optional :: tangent_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, lower, upper, tangent_mean, tangent_variance, tangent_b, &
        tangent)
    call settle(status, stat, errmsg)
  end subroutine bounded_jvp

  ! The derivatives of <cotangent, u>, u of pcml_bounded_project, of one slice: the transpose of pcml_bounded_jvp.
  subroutine bounded_vjp(self, workspace, mean, b, cotangent, variance, lower, upper, gradient_mean, gradient_variance, &
        gradient_b, stat, errmsg)
    use pcml_c, only: call_c => pcml_bounded_vjp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_const_array), intent(in) :: cotangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_array), intent(in), target, optional :: gradient_mean
    type(pcml_array), intent(in), target, optional :: gradient_variance
    type(pcml_array), intent(in), target, optional :: gradient_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, lower, upper, cotangent, gradient_mean, gradient_variance, &
        gradient_b)
    call settle(status, stat, errmsg)
  end subroutine bounded_vjp

  ! Creates constraints without rows.
  subroutine constraints_create(self, cells, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_create
    class(pcml_constraints), intent(inout) :: self
    integer, intent(in) :: cells
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(int(cells, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine constraints_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine constraints_free(self)
    use pcml_c, only: call_c => pcml_constraints_free
    class(pcml_constraints), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine constraints_free

  ! Adds the row whose weights are a quadrature over points: b is the integral of the field from the first point to the last.
  subroutine constraints_add_quadrature(self, rule, points, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_quadrature
    class(pcml_constraints), intent(inout) :: self
    integer(c_int32_t), intent(in) :: rule
    type(pcml_const_array), intent(in) :: points
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, rule, points, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_quadrature

  ! Adds a row with the caller's weights: cell volumes, masses, the coefficients of any linear balance.
  subroutine constraints_add_row(self, weights, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_row
    class(pcml_constraints), intent(inout) :: self
    type(pcml_const_array), intent(in) :: weights
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, weights, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_row

  ! Adds a row of a field in parts that has no weight on this part's cells, so that rows have the same numbers on all parts
  ! (pcml_part_project).
  subroutine constraints_add_absent_row(self, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_absent_row
    class(pcml_constraints), intent(inout) :: self
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_absent_row

  ! How many rows the constraints have; the next one gets this number.
  subroutine constraints_rows(self, rows, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_rows
    class(pcml_constraints), intent(in) :: self
    integer, intent(inout) :: rows
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: rows_wide
    status = call_c(self%handle, rows_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    rows = int(rows_wide)
  end subroutine constraints_rows

  ! Adds the row whose weights are the tensor product of one quadrature rule along each axis of a grid: b is the integral of the
  ! grid's field over its box.
  subroutine constraints_add_grid_quadrature(self, rule, axes, first, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_grid_quadrature
    class(pcml_constraints), intent(inout) :: self
    integer(c_int32_t), intent(in) :: rule
    type(pcml_const_array), intent(in) :: axes(:)
    integer, intent(in) :: first
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, rule, axes, size(axes, kind=c_int64_t), int(first, c_int64_t), noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_grid_quadrature

  ! Adds rows in compressed sparse form: row k has the weights starts[k] to starts[k + 1] - 1, on the cells of the same places.
  subroutine constraints_add_sparse_rows(self, rows, starts, cells, weights, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_sparse_rows
    class(pcml_constraints), intent(inout) :: self
    integer, intent(in) :: rows
    integer(c_int64_t), intent(in) :: starts(:)
    integer(c_int64_t), intent(in) :: cells(:)
    real(c_double), intent(in) :: weights(:)
    real(c_double), intent(in), optional :: noise_variance(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(rows, c_int64_t), starts, cells, weights, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_sparse_rows

  ! Adds a row for each node on a face, an edge or a corner of a grid, in C order of the nodes: value u + slope du/dn = b there, n
  ! the outward normal.
  subroutine constraints_add_boundary(self, axes, first, sides, axis, value, slope, order, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_boundary
    class(pcml_constraints), intent(inout) :: self
    type(pcml_const_array), intent(in) :: axes(:)
    integer, intent(in) :: first
    integer(c_int32_t), intent(in) :: sides(:)
    integer, intent(in) :: axis
    real(c_double), intent(in) :: value
    real(c_double), intent(in) :: slope
    integer(c_int32_t), intent(in) :: order
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, axes, size(axes, kind=c_int64_t), int(first, c_int64_t), sides, int(axis, c_int64_t), value, &
        slope, order, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_boundary

  ! Adds a row u_last - u_first = b for each node of the first face across an axis of a grid, in C order: with b = 0 the field is
  ! periodic along it.
  subroutine constraints_add_periodic(self, shape, first, axis, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_periodic
    class(pcml_constraints), intent(inout) :: self
    integer(c_int64_t), intent(in) :: shape(:)
    integer, intent(in) :: first
    integer, intent(in) :: axis
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, shape, size(shape, kind=c_int64_t), int(first, c_int64_t), int(axis, c_int64_t), noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_periodic

  ! Adds a row for each node of an index set, on any mesh: row k is sum_j c_kj u[cells[k width + j]] = b.
  subroutine constraints_add_stencils(self, rows, width, cells, coefficients, shared, noise_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_stencils
    class(pcml_constraints), intent(inout) :: self
    integer, intent(in) :: rows
    integer, intent(in) :: width
    integer(c_int64_t), intent(in) :: cells(:)
    real(c_double), intent(in) :: coefficients(:)
    integer(c_int32_t), intent(in) :: shared
    real(c_double), intent(in) :: noise_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(rows, c_int64_t), int(width, c_int64_t), cells, coefficients, shared, noise_variance)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_stencils

  ! Adds the quadratic invariant q(u) = sum over t of weights[t] u[cells_i[t]] u[cells_j[t]]: weighted squares where the two cells
  ! are the same, products of two fields of the concatenated state where they differ.
  subroutine constraints_add_quadratic(self, cells_i, cells_j, weights, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_quadratic
    class(pcml_constraints), intent(inout) :: self
    integer(c_int64_t), intent(in) :: cells_i(:)
    integer(c_int64_t), intent(in) :: cells_j(:)
    real(c_double), intent(in) :: weights(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, size(cells_i, kind=c_int64_t), cells_i, cells_j, weights)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_quadratic

  ! Adds the quadratic invariant q(u) = sum of weights[i] u[i]^2: kinetic energy with half the masses, enstrophy with half the
  ! volumes.
  subroutine constraints_add_energy(self, weights, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_energy
    class(pcml_constraints), intent(inout) :: self
    type(pcml_const_array), intent(in) :: weights
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, weights)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_energy

  ! Chooses how pcml_bounded_project brings cells within their bounds, and what it does where no lawful state is within them.
  subroutine constraints_set_bounds(self, method, policy, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_set_bounds
    class(pcml_constraints), intent(inout) :: self
    integer(c_int32_t), intent(in) :: method
    integer(c_int32_t), intent(in) :: policy
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, method, policy)
    call settle(status, stat, errmsg)
  end subroutine constraints_set_bounds

  ! Adds that at each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions do.
  subroutine constraints_add_simplex(self, first, components, points, total, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_simplex
    class(pcml_constraints), intent(inout) :: self
    integer, intent(in) :: first
    integer, intent(in) :: components
    integer, intent(in) :: points
    real(c_double), intent(in) :: total
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(first, c_int64_t), int(components, c_int64_t), int(points, c_int64_t), total)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_simplex

  ! Adds that `count` cells from `first` on increase or decrease, not strictly, as a cumulative quantity or a stable density profile
  ! does.
  subroutine constraints_add_monotone(self, first, count, direction, stat, errmsg)
    use pcml_c, only: call_c => pcml_constraints_add_monotone
    class(pcml_constraints), intent(inout) :: self
    integer, intent(in) :: first
    integer, intent(in) :: count
    integer(c_int32_t), intent(in) :: direction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(first, c_int64_t), int(count, c_int64_t), direction)
    call settle(status, stat, errmsg)
  end subroutine constraints_add_monotone

  ! Creates a flux balance for a mesh.
  subroutine flux_create(self, owner, neighbour, volumes, options, stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_create
    class(pcml_flux), intent(inout) :: self
    integer(c_int64_t), intent(in) :: owner(:)
    integer(c_int64_t), intent(in) :: neighbour(:)
    type(pcml_const_array), intent(in) :: volumes
    type(pcml_options), intent(in), optional :: options
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: options_handle
    type(c_ptr) :: new_handle
    options_handle = c_null_ptr
    if (present(options)) options_handle = options%handle
    status = call_c(size(owner, kind=c_int64_t), owner, neighbour, volumes, options_handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine flux_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine flux_free(self)
    use pcml_c, only: call_c => pcml_flux_free
    class(pcml_flux), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine flux_free

  ! Creates a workspace for calls of this flux balance.
  subroutine flux_workspace(self, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_workspace
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine flux_workspace

  ! The nearest fluxes that close every cell's balance: of all F' whose outflow less inflow is s in each cell, the one with the
  ! least sum (F' - F)^2 / w.
  subroutine flux_correct(self, workspace, fluxes, corrected, variance, source, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_correct
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_array), intent(in), target :: corrected
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: source
    type(pcml_flux_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, fluxes, variance, source, corrected, report)
    call settle(status, stat, errmsg)
  end subroutine flux_correct

  ! How far every cell's balance is from closing: D F - s, with sums in twice the precision of f64.
  subroutine flux_residual(self, workspace, fluxes, residual, source, stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_residual
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_array), intent(in), target :: residual
    type(pcml_const_array), intent(in), optional :: source
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, fluxes, source, residual)
    call settle(status, stat, errmsg)
  end subroutine flux_residual

  ! The derivative of pcml_flux_correct's fluxes in a direction.
  subroutine flux_jvp(self, workspace, fluxes, tangent, variance, source, tangent_fluxes, tangent_variance, tangent_source, stat, &
        errmsg)
    use pcml_c, only: call_c => pcml_flux_jvp
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_array), intent(in), target :: tangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: source
    type(pcml_const_array), intent(in), optional :: tangent_fluxes
    type(pcml_const_array), intent(in), optional :: tangent_variance
    type(pcml_const_array), intent(in), optional :: tangent_source
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, fluxes, variance, source, tangent_fluxes, tangent_variance, tangent_source, &
        tangent)
    call settle(status, stat, errmsg)
  end subroutine flux_jvp

  ! The derivatives of <cotangent, F'>, F' of pcml_flux_correct: the transpose of pcml_flux_jvp.
  subroutine flux_vjp(self, workspace, fluxes, cotangent, variance, source, gradient_fluxes, gradient_variance, gradient_source, &
        stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_vjp
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_const_array), intent(in) :: cotangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: source
    type(pcml_array), intent(in), target, optional :: gradient_fluxes
    type(pcml_array), intent(in), target, optional :: gradient_variance
    type(pcml_array), intent(in), target, optional :: gradient_source
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, fluxes, variance, source, cotangent, gradient_fluxes, gradient_variance, &
        gradient_source)
    call settle(status, stat, errmsg)
  end subroutine flux_vjp

  ! The new value of each cell, u' = u - dt / V (sum_out F - sum_in F - q).
  subroutine flux_update(self, workspace, dt, state, fluxes, new_state, source, stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_update
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in) :: dt
    type(pcml_const_array), intent(in) :: state
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_array), intent(in), target :: new_state
    type(pcml_const_array), intent(in), optional :: source
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, dt, state, fluxes, source, new_state)
    call settle(status, stat, errmsg)
  end subroutine flux_update

  ! pcml_flux_update with fluxes that are limited so that every cell stays within its bounds (flux-corrected transport, Zalesak
  ! 1979): each face's flux F is drawn towards its low-order flux G by one factor for both its cells, F'' = G + a (F - G) with 0 <=
  ! a <= 1.
  subroutine flux_update_bounded(self, workspace, dt, state, fluxes, new_state, source, lower, upper, low_order, limited, limits, &
        stat, errmsg)
    use pcml_c, only: call_c => pcml_flux_update_bounded
    class(pcml_flux), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in) :: dt
    type(pcml_const_array), intent(in) :: state
    type(pcml_const_array), intent(in) :: fluxes
    type(pcml_array), intent(in), target :: new_state
    type(pcml_const_array), intent(in), optional :: source
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_const_array), intent(in), optional :: low_order
    type(pcml_array), intent(in), target, optional :: limited
    type(pcml_flux_limits), intent(inout), optional :: limits
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, dt, state, fluxes, source, lower, upper, low_order, new_state, limited, limits)
    call settle(status, stat, errmsg)
  end subroutine flux_update_bounded

  ! Creates a workspace for the pcml_inference_* calls of a projector: samples, the probability of right-hand sides, covariances of
  ! chosen cells, derivatives.
  subroutine inference_workspace(self, max_samples, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_inference_workspace
    class(pcml_projector), intent(in) :: self
    integer, intent(in) :: max_samples
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, int(max_samples, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine inference_workspace

  ! Draws samples of the posterior of one slice, every one lawful: Matheron's rule, a draw from the prior projected on the rows,
  ! whose noise is drawn too.
  subroutine inference_sample(self, workspace, mean, b, seed, first, samples, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_inference_sample
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    integer, intent(in) :: seed
    integer, intent(in) :: first
    type(pcml_array), intent(in), target :: samples
    type(pcml_const_array), intent(in), optional :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, int(seed, c_int64_t), int(first, c_int64_t), samples)
    call settle(status, stat, errmsg)
  end subroutine inference_sample

  ! log N(b; G mu, S): how probable right-hand sides are under the prior, in nats, over the rows that take part.
  subroutine inference_log_likelihood(self, workspace, mean, b, log_likelihood, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_inference_log_likelihood
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    real(c_double), intent(inout) :: log_likelihood
    type(pcml_const_array), intent(in), optional :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, log_likelihood)
    call settle(status, stat, errmsg)
  end subroutine inference_log_likelihood

  ! Posterior covariances between the cells of two lists, of one slice.
  subroutine inference_covariance(self, workspace, rows, columns, covariance, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_inference_covariance
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer(c_int64_t), intent(in) :: rows(:)
    integer(c_int64_t), intent(in) :: columns(:)
    type(pcml_array), intent(in), target :: covariance
    type(pcml_const_array), intent(in), optional :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, variance, rows, size(rows, kind=c_int64_t), columns, size(columns, &
        kind=c_int64_t), covariance)
    call settle(status, stat, errmsg)
  end subroutine inference_covariance

  ! The derivative of the posterior mean of one slice in a direction.
  subroutine inference_jvp(self, workspace, mean, b, tangent, variance, tangent_mean, tangent_variance, tangent_b, stat, errmsg)
    use pcml_c, only: call_c => pcml_inference_jvp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: tangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: tangent_mean
    type(pcml_const_array), intent(in), optional :: tangent_variance
    type(pcml_const_array), intent(in), optional :: tangent_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, tangent_mean, tangent_variance, tangent_b, tangent)
    call settle(status, stat, errmsg)
  end subroutine inference_jvp

  ! The derivatives of <cotangent, posterior mean> of one slice.
  subroutine inference_vjp(self, workspace, mean, b, cotangent, variance, gradient_mean, gradient_variance, gradient_b, stat, &
        errmsg)
    use pcml_c, only: call_c => pcml_inference_vjp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_const_array), intent(in) :: cotangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: gradient_mean
    type(pcml_array), intent(in), target, optional :: gradient_variance
    type(pcml_array), intent(in), target, optional :: gradient_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, cotangent, gradient_mean, gradient_variance, gradient_b)
    call settle(status, stat, errmsg)
  end subroutine inference_vjp

  ! Loads a model file and runs its self-test.
  subroutine model_load(self, path, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_load
    class(pcml_model), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(trim(path) // c_null_char, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine model_load

  ! Loads a model from the bytes of a model file, so that one rank may read and broadcast.
  subroutine model_load_bytes(self, bytes, size, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_load_bytes
    class(pcml_model), intent(inout) :: self
    type(c_ptr), intent(in) :: bytes
    integer, intent(in) :: size
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(bytes, int(size, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine model_load_bytes

  ! Makes a Gaussian process without a file.
  subroutine model_gaussian_process(self, kernel, inputs, outputs, options, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_gaussian_process
    class(pcml_model), intent(inout) :: self
    integer(c_int32_t), intent(in) :: kernel
    integer, intent(in) :: inputs
    integer, intent(in) :: outputs
    type(pcml_options), intent(in) :: options
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(kernel, int(inputs, c_int64_t), int(outputs, c_int64_t), options%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine model_gaussian_process

  ! Makes an ensemble of loaded models: its plans predict the mean, and the variance, of the members' equal-weight mixture.
  subroutine model_ensemble(self, members, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_ensemble
    class(pcml_model), intent(inout) :: self
    type(pcml_model), intent(in) :: members(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(members%handle, size(members, kind=c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine model_ensemble

  ! Gaussian processes: makes a model with the hyperparameters of the greatest marginal likelihood of some points, by a quasi-Newton
  ! search on their logarithms within bounds, from the model's own values and from restarts.
  subroutine model_fit(self, context_x, context_y, fitted, noise, options, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_fit
    class(pcml_model), intent(in) :: self
    type(pcml_const_array), intent(in) :: context_x
    type(pcml_const_array), intent(in) :: context_y
    type(pcml_model), intent(inout) :: fitted
    type(pcml_const_array), intent(in), optional :: noise
    type(pcml_options), intent(in), optional :: options
    type(pcml_fit_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: options_handle
    type(c_ptr) :: new_handle
    options_handle = c_null_ptr
    if (present(options)) options_handle = options%handle
    status = call_c(self%handle, context_x, context_y, noise, options_handle, new_handle, report)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call fitted%free()
    fitted%handle = new_handle
  end subroutine model_fit

  ! Gaussian processes: copies the hyperparameters, network units: signal variance, noise variance, the length scales (1 or one an
  ! input), the mean of each output.
  subroutine model_hyperparameters(self, values, count, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_hyperparameters
    class(pcml_model), intent(in) :: self
    real(c_double), intent(inout), optional :: values(:)
    integer, intent(inout), optional :: count
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: capacity
    integer(c_int64_t) :: count_wide
    capacity = 0
    if (present(values)) capacity = size(values, kind=c_int64_t)
    status = call_c(self%handle, capacity, values, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    if (present(count)) count = int(count_wide)
  end subroutine model_hyperparameters

  ! Copies the model's description, JSON: channels with units and scaling, architecture, domain, laws, provenance.
  subroutine model_description(self, text, stat, errmsg)
    use pcml_c, only: call_c => pcml_model_description
    class(pcml_model), intent(in) :: self
    character(len=:), allocatable, intent(out) :: text
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: length
    character(kind=c_char, len=:), allocatable :: buffer
    status = call_c(self%handle, capacity=1_c_int64_t, length=length)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    allocate (character(kind=c_char, len=length + 1) :: buffer)
    status = call_c(self%handle, buffer, length + 1, length)
    call settle(status, stat, errmsg)
    text = buffer(:length)
  end subroutine model_description

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine model_free(self)
    use pcml_c, only: call_c => pcml_model_free
    class(pcml_model), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine model_free

  ! Creates a workspace for pcml_nonlinear_project of this projector.
  subroutine nonlinear_workspace(self, slices, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_nonlinear_workspace
    class(pcml_projector), intent(in) :: self
    integer, intent(in) :: slices
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, int(slices, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine nonlinear_workspace

  ! Makes every slice obey all rows and all quadratic invariants: the state u nearest to mu, with least sum of (u - mu)^2 / v, such
  ! that G u = b and q(u) = e.
  subroutine nonlinear_project(self, workspace, mean, levels, posterior_mean, variance, b, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_nonlinear_project
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: levels
    type(pcml_array), intent(in), target :: posterior_mean
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: b
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, mean, variance, b, levels, posterior_mean, report_handle)
    call settle(status, stat, errmsg)
  end subroutine nonlinear_project

  ! Fills the report with how every slice stands to its rows and invariants; changes nothing else.
  subroutine nonlinear_check(self, workspace, mean, levels, report, b, stat, errmsg)
    use pcml_c, only: call_c => pcml_nonlinear_check
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: levels
    type(pcml_report), intent(inout) :: report
    type(pcml_const_array), intent(in), optional :: b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, b, levels, report%handle)
    call settle(status, stat, errmsg)
  end subroutine nonlinear_check

  ! The derivative of pcml_nonlinear_project's mean, of one slice, in a direction: along the rows and the tangents of the
  ! invariants, with their curvature.
  subroutine nonlinear_jvp(self, workspace, mean, levels, tangent, variance, b, tangent_mean, tangent_variance, tangent_b, stat, &
        errmsg)
    use pcml_c, only: call_c => pcml_nonlinear_jvp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: levels
    type(pcml_array), intent(in), target :: tangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: b
    type(pcml_const_array), intent(in), optional :: tangent_mean
    type(pcml_const_array), intent(in), optional :: tangent_variance
    type(pcml_const_array), intent(in), optional :: tangent_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, levels, tangent_mean, tangent_variance, tangent_b, tangent)
    call settle(status, stat, errmsg)
  end subroutine nonlinear_jvp

  ! The derivatives of <cotangent, u>, u of pcml_nonlinear_project, of one slice: the transpose of pcml_nonlinear_jvp.
  subroutine nonlinear_vjp(self, workspace, mean, levels, cotangent, variance, b, gradient_mean, gradient_variance, gradient_b, &
        stat, errmsg)
    use pcml_c, only: call_c => pcml_nonlinear_vjp
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: levels
    type(pcml_const_array), intent(in) :: cotangent
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: b
    type(pcml_array), intent(in), target, optional :: gradient_mean
    type(pcml_array), intent(in), target, optional :: gradient_variance
    type(pcml_array), intent(in), target, optional :: gradient_b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, variance, b, levels, cotangent, gradient_mean, gradient_variance, &
        gradient_b)
    call settle(status, stat, errmsg)
  end subroutine nonlinear_vjp

  ! Creates a part of a neural operator: a grid's points in C order fall into blocks of `block` points, of which the last may be
  ! shorter, and this part has some of them.
  subroutine operator_part_create(self, model, dtype, options, block, owned, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_create
    class(pcml_operator_part), intent(inout) :: self
    type(pcml_model), intent(in) :: model
    integer(c_int32_t), intent(in) :: dtype
    type(pcml_options), intent(in) :: options
    integer, intent(in) :: block
    integer(c_int64_t), intent(in) :: owned(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(model%handle, dtype, options%handle, int(block, c_int64_t), owned, size(owned, kind=c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine operator_part_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine operator_part_free(self)
    use pcml_c, only: call_c => pcml_operator_part_free
    class(pcml_operator_part), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine operator_part_free

  ! Creates the scratch memory of a part: one a thread.
  subroutine operator_part_workspace(self, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_workspace
    class(pcml_operator_part), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine operator_part_workspace

  ! Predicts one function on a grid in parts: every part calls it with its own points and gets the results there.
  subroutine operator_part_predict(self, workspace, reduction, input, output, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_predict
    class(pcml_operator_part), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_reduction), intent(inout) :: reduction
    type(pcml_const_array), intent(in) :: input
    type(pcml_array), intent(in), target :: output
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, reduction%handle, input, values, value_count, output)
    call settle(status, stat, errmsg)
  end subroutine operator_part_predict

  ! pcml_operator_part_predict in steps, for a host that sums between calls: reads the arrays, and hands out this part's message.
  subroutine operator_part_begin(self, workspace, input, dtype, message, count, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_begin
    class(pcml_operator_part), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    integer(c_int32_t), intent(in) :: dtype
    type(c_ptr), intent(out) :: message
    integer, intent(inout) :: count
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    integer(c_int64_t) :: count_wide
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, dtype, message, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine operator_part_begin

  ! Reads the sum over all parts where pcml_operator_part_begin, or the call before, left its message; hands out the next message,
  ! or gives a count of 0 when the results wait for pcml_operator_part_finish.
  subroutine operator_part_continue(self, workspace, message, count, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_continue
    class(pcml_operator_part), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(c_ptr), intent(out) :: message
    integer, intent(inout) :: count
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: count_wide
    status = call_c(self%handle, workspace%handle, message, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine operator_part_continue

  ! Writes the results at this part's points, once pcml_operator_part_continue gave a count of 0.
  subroutine operator_part_finish(self, workspace, output, stat, errmsg)
    use pcml_c, only: call_c => pcml_operator_part_finish
    class(pcml_operator_part), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_array), intent(in), target :: output
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, output)
    call settle(status, stat, errmsg)
  end subroutine operator_part_finish

  ! Creates settings, all unset.
  subroutine options_create(self, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_create
    class(pcml_options), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine options_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine options_free(self)
    use pcml_c, only: call_c => pcml_options_free
    class(pcml_options), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine options_free

  ! Plans: most functions (independent samples) in one call, of perceptrons most rows.
  subroutine options_set_batch(self, batch, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_batch
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: batch
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(batch, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_batch

  ! Plans of neural processes, and of Gaussian ones whose model stores no points: most context points of a function.
  subroutine options_set_context(self, context, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_context
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: context
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(context, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_context

  ! Plans of neural and Gaussian processes and of DeepONets: most target points of a function.
  subroutine options_set_targets(self, targets, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_targets
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: targets
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(targets, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_targets

  ! Plans of Gaussian processes: most target points of pcml_plan_covariance, at most those of pcml_options_set_targets.
  subroutine options_set_covariance(self, targets, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_covariance
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: targets
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(targets, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_covariance

  ! Plans of neural processes: latent draws in the predictive mixture; 0 predicts at the mean latent.
  subroutine options_set_latents(self, latents, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_latents
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: latents
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(latents, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_latents

  ! Seed of the counter-based generator behind latent draws, dropout and the restarts of fits.
  subroutine options_set_seed(self, seed, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_seed
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: seed
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(seed, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_seed

  ! Plans of models with dropout: the rate kept on while predicting (Monte Carlo dropout), in [0, 1).
  subroutine options_set_dropout(self, rate, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_dropout
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: rate
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, rate)
    call settle(status, stat, errmsg)
  end subroutine options_set_dropout

  ! Plans of neural operators and of networks in ONNX with a grid: extents of the grid, first axis first.
  subroutine options_set_shape(self, shape, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_shape
    class(pcml_options), intent(inout) :: self
    integer(c_int64_t), intent(in) :: shape(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, size(shape, kind=c_int64_t), shape)
    call settle(status, stat, errmsg)
  end subroutine options_set_shape

  ! Plans of neural operators: steps of a roll-out in one call, each fed with the outputs before it as its newest input channels.
  subroutine options_set_steps(self, steps, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_steps
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: steps
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(steps, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_steps

  ! Plans of neural operators: threads of a call, the calling one among them.
  subroutine options_set_threads(self, threads, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_threads
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: threads
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(threads, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_threads

  ! Plans of neural operators: how fields go from points to kept modes and back.
  subroutine options_set_transforms(self, transforms, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_transforms
    class(pcml_options), intent(inout) :: self
    integer(c_int32_t), intent(in) :: transforms
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, transforms)
    call settle(status, stat, errmsg)
  end subroutine options_set_transforms

  ! Plans of models that obey boundary conditions themselves: conditions instead of the model's own, on the same faces and of the
  ! same kinds, with other stencils, spacings or order.
  subroutine options_set_boundary(self, boundary, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_boundary
    class(pcml_options), intent(inout) :: self
    type(pcml_boundary), intent(in), optional :: boundary
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: boundary_handle
    boundary_handle = c_null_ptr
    if (present(boundary)) boundary_handle = boundary%handle
    status = call_c(self%handle, boundary_handle)
    call settle(status, stat, errmsg)
  end subroutine options_set_boundary

  ! Projectors: 1 admits a prior variance of zero, which holds that cell where it is; 0 refuses it as PCML_STATUS_VARIANCE.
  subroutine options_set_held_cells(self, admit, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_held_cells
    class(pcml_options), intent(inout) :: self
    integer(c_int32_t), intent(in) :: admit
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, admit)
    call settle(status, stat, errmsg)
  end subroutine options_set_held_cells

  ! Projectors: off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble.
  subroutine options_set_prior_size(self, prior_size, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_prior_size
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: prior_size
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(prior_size, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_prior_size

  ! Projectors with PCML_PRIOR_SMOOTHED: a, the correlation of neighbouring cells, 0 <= a < 1; the published experiments take 0.9.
  subroutine options_set_smoothing(self, smoothing, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_smoothing
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: smoothing
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, smoothing)
    call settle(status, stat, errmsg)
  end subroutine options_set_smoothing

  ! Flux balances: 1 admits a variance of zero, which prescribes that face's flux; 0 refuses it as PCML_STATUS_VARIANCE.
  subroutine options_set_held_faces(self, admit, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_held_faces
    class(pcml_options), intent(inout) :: self
    integer(c_int32_t), intent(in) :: admit
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, admit)
    call settle(status, stat, errmsg)
  end subroutine options_set_held_faces

  ! Flux balances: meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients; 0: all by
  ! conjugate gradients.
  subroutine options_set_direct_cells(self, cells, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_direct_cells
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: cells
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(cells, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_direct_cells

  ! Gaussian processes: length scales of the inputs, in their raw units.
  subroutine options_set_length_scales(self, length_scales, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_length_scales
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: length_scales(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, size(length_scales, kind=c_int64_t), length_scales)
    call settle(status, stat, errmsg)
  end subroutine options_set_length_scales

  ! Gaussian processes: the signal variance, in the outputs' raw unit squared.
  subroutine options_set_signal_variance(self, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_signal_variance
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, variance)
    call settle(status, stat, errmsg)
  end subroutine options_set_signal_variance

  ! Gaussian processes: the noise variance of every value, in the outputs' raw unit squared.
  subroutine options_set_noise_variance(self, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_noise_variance
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, variance)
    call settle(status, stat, errmsg)
  end subroutine options_set_noise_variance

  ! Gaussian processes: the constant mean of each output, raw units.
  subroutine options_set_means(self, means, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_means
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: means(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, size(means, kind=c_int64_t), means)
    call settle(status, stat, errmsg)
  end subroutine options_set_means

  ! Fits of Gaussian processes: what they move.
  subroutine options_set_fitted(self, fitted, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_fitted
    class(pcml_options), intent(inout) :: self
    integer(c_int32_t), intent(in) :: fitted
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, fitted)
    call settle(status, stat, errmsg)
  end subroutine options_set_fitted

  ! Fits of Gaussian processes: every hyperparameter stays within this factor of where the model has it, both ways.
  subroutine options_set_fit_range(self, factor, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_fit_range
    class(pcml_options), intent(inout) :: self
    real(c_double), intent(in) :: factor
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, factor)
    call settle(status, stat, errmsg)
  end subroutine options_set_fit_range

  ! Fits of Gaussian processes: searches after the first, from places drawn by option seed around the model's hyperparameters.
  subroutine options_set_restarts(self, restarts, stat, errmsg)
    use pcml_c, only: call_c => pcml_options_set_restarts
    class(pcml_options), intent(inout) :: self
    integer, intent(in) :: restarts
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, int(restarts, c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine options_set_restarts

  ! Creates a workspace for the pcml_part_* calls of a projector: the projection of a field whose cells lie in parts, one in each
  ! process.
  subroutine part_workspace(self, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_part_workspace
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine part_workspace

  ! pcml_projector_project for one slice whose cells lie in parts, one in each process: every part calls it with its own cells, and
  ! the whole field obeys afterwards.
  subroutine part_project(self, workspace, reduction, mean, b, posterior_mean, variance, lower, upper, posterior_variance, &
        report, stat, errmsg)
    use pcml_c, only: call_c => pcml_part_project
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_reduction), intent(inout) :: reduction
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: posterior_mean
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, reduction%handle, mean, variance, b, lower, upper, posterior_mean, &
        posterior_variance, report_handle)
    call settle(status, stat, errmsg)
  end subroutine part_project

  ! pcml_part_project in steps, for a host that sums between calls: begins, and hands out this part's message.
  subroutine part_begin(self, workspace, mean, b, posterior_mean, values, count, variance, lower, upper, posterior_variance, &
        report, stat, errmsg)
    use pcml_c, only: call_c => pcml_part_begin
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: posterior_mean
    type(c_ptr), intent(out) :: values
    integer, intent(inout) :: count
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    integer(c_int64_t) :: count_wide
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, mean, variance, b, lower, upper, posterior_mean, posterior_variance, &
        report_handle, values, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine part_begin

  ! Reads the sums over all parts where pcml_part_begin, or the call before, left its message; hands out the next message, or writes
  ! the posterior and gives a count of 0.
  subroutine part_continue(self, workspace, mean, b, posterior_mean, values, count, variance, lower, upper, posterior_variance, &
        report, stat, errmsg)
    use pcml_c, only: call_c => pcml_part_continue
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: posterior_mean
    type(c_ptr), intent(out) :: values
    integer, intent(inout) :: count
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_const_array), intent(in), optional :: lower
    type(pcml_const_array), intent(in), optional :: upper
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    integer(c_int64_t) :: count_wide
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, mean, variance, b, lower, upper, posterior_mean, posterior_variance, &
        report_handle, values, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine part_continue

  ! Creates a plan: packs the weights for the arithmetic; draws the latent samples of neural processes; makes the transforms of
  ! neural operators for the grid, and the corrections of those that obey boundary conditions; factors the kernel matrix of the
  ! points that a Gaussian process stores.
  subroutine plan_create(self, model, dtype, options, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_create
    class(pcml_plan), intent(inout) :: self
    type(pcml_model), intent(in) :: model
    integer(c_int32_t), intent(in) :: dtype
    type(pcml_options), intent(in), optional :: options
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: options_handle
    type(c_ptr) :: new_handle
    options_handle = c_null_ptr
    if (present(options)) options_handle = options%handle
    status = call_c(model%handle, dtype, options_handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine plan_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine plan_free(self)
    use pcml_c, only: call_c => pcml_plan_free
    class(pcml_plan), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine plan_free

  ! Creates the scratch memory of a plan: one a thread.
  subroutine plan_workspace(self, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_workspace
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine plan_workspace

  ! Neural and Gaussian processes and DeepONets: encodes the context points of one or more functions into the workspace.
  subroutine plan_condition(self, workspace, context_x, context_y, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_condition
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in), optional :: context_x
    type(pcml_const_array), intent(in) :: context_y
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, context_x, context_y)
    call settle(status, stat, errmsg)
  end subroutine plan_condition

  ! Gaussian processes: pcml_plan_condition on points whose values have noise variances of their own, beside the model's.
  subroutine plan_condition_noisy(self, workspace, context_x, context_y, noise, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_condition_noisy
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: context_x
    type(pcml_const_array), intent(in) :: context_y
    type(pcml_const_array), intent(in) :: noise
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, context_x, context_y, noise)
    call settle(status, stat, errmsg)
  end subroutine plan_condition_noisy

  ! Gaussian processes: the variance that the last conditioning added to the diagonal of kernel matrices so that they could be
  ! factored, the largest over functions (else that of the stored points).
  subroutine plan_jitter(self, workspace, jitter, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_jitter
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(inout) :: jitter
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, jitter)
    call settle(status, stat, errmsg)
  end subroutine plan_jitter

  ! Neural processes: mean and log variance of the latent density of each function conditioned on, network units.
  subroutine plan_latent(self, workspace, mu, log_variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_latent
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_array), intent(in), target :: mu
    type(pcml_array), intent(in), target :: log_variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mu, log_variance)
    call settle(status, stat, errmsg)
  end subroutine plan_latent

  ! Neural and Gaussian processes and DeepONets: predicts at target points of the functions conditioned on; a Gaussian process that
  ! is not conditioned and stores points predicts from those.
  subroutine plan_query(self, workspace, target_x, mean, eps, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_query
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: target_x
    type(pcml_array), intent(in), target :: mean
    type(pcml_const_array), intent(in), optional :: eps
    type(pcml_array), intent(in), target, optional :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, target_x, eps, mean, variance)
    call settle(status, stat, errmsg)
  end subroutine plan_query

  ! Gaussian processes: the whole posterior covariance at target points, k(x, x) - k(x, X) (k(X, X) + noise)^-1 k(X, x), and the
  ! mean.
  subroutine plan_covariance(self, workspace, target_x, mean, covariance, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_covariance
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: target_x
    type(pcml_array), intent(in), target, optional :: mean
    type(pcml_array), intent(in), target :: covariance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, target_x, mean, covariance)
    call settle(status, stat, errmsg)
  end subroutine plan_covariance

  ! Neural operators and networks in ONNX: predicts fields on the plan's grid from fields; where such a network has no grid, values
  ! at points, each point a function.
  subroutine plan_predict(self, workspace, input, output, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_predict
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_array), intent(in), target :: output
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, output)
    call settle(status, stat, errmsg)
  end subroutine plan_predict

  subroutine plan_predict_f32_1(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: input(:)
    real(c_float), intent(inout), target :: output(:)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f32_1

  subroutine plan_predict_f32_2(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: input(:, :)
    real(c_float), intent(inout), target :: output(:, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f32_2

  subroutine plan_predict_f32_3(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: input(:, :, :)
    real(c_float), intent(inout), target :: output(:, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f32_3

  subroutine plan_predict_f32_4(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: input(:, :, :, :)
    real(c_float), intent(inout), target :: output(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f32_4

  subroutine plan_predict_f32_5(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: input(:, :, :, :, :)
    real(c_float), intent(inout), target :: output(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f32_5

  subroutine plan_predict_f64_1(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: input(:)
    real(c_double), intent(inout), target :: output(:)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f64_1

  subroutine plan_predict_f64_2(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: input(:, :)
    real(c_double), intent(inout), target :: output(:, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f64_2

  subroutine plan_predict_f64_3(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: input(:, :, :)
    real(c_double), intent(inout), target :: output(:, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f64_3

  subroutine plan_predict_f64_4(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: input(:, :, :, :)
    real(c_double), intent(inout), target :: output(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f64_4

  subroutine plan_predict_f64_5(self, workspace, input, output, values, stat, errmsg)
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: input(:, :, :, :, :)
    real(c_double), intent(inout), target :: output(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call plan_predict(self, workspace, pcml_in(input), pcml_out(output), values, stat, errmsg)
  end subroutine plan_predict_f64_5

  ! Predicts as pcml_plan_predict from and to several fields of the host, such as temperature, humidity and winds: the channels of
  ! the model are those of the first field, then those of the second and so on.
  subroutine plan_predict_fields(self, workspace, inputs, outputs, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_predict_fields
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: inputs(:)
    type(pcml_array), intent(in), target :: outputs(:)
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, inputs, size(inputs, kind=c_int64_t), values, value_count, outputs, &
        size(outputs, kind=c_int64_t))
    call settle(status, stat, errmsg)
  end subroutine plan_predict_fields

  ! Perceptrons with a variance head and ensembles: predicts as pcml_plan_predict, with variances.
  subroutine plan_predict_moments(self, workspace, input, mean, variance, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_predict_moments
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_array), intent(in), target :: mean
    type(pcml_array), intent(in), target :: variance
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, mean, variance)
    call settle(status, stat, errmsg)
  end subroutine plan_predict_moments

  ! Ensembles: predicts as pcml_plan_predict, with the covariance of the members' mixture as diag(d) + F'F of rank `members`.
  subroutine plan_predict_factors(self, workspace, input, mean, low_rank, values, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_predict_factors
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_array), intent(in), target :: mean
    type(pcml_array), intent(in), target :: low_rank
    type(pcml_const_array), intent(in), optional :: values(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, mean, low_rank)
    call settle(status, stat, errmsg)
  end subroutine plan_predict_factors

  ! Ensembles of processes or DeepONets: predicts at target points as pcml_plan_query, with the covariance of the members' mixture
  ! as pcml_plan_predict_factors has it.
  subroutine plan_query_factors(self, workspace, target_x, eps, mean, low_rank, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_query_factors
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: target_x
    type(pcml_const_array), intent(in) :: eps
    type(pcml_array), intent(in), target :: mean
    type(pcml_array), intent(in), target :: low_rank
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, target_x, eps, mean, low_rank)
    call settle(status, stat, errmsg)
  end subroutine plan_query_factors

  ! How many members a plan's predictions are made of: those of an ensemble, or the draws of dropout; 0 for a single model.
  subroutine plan_members(self, count, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_members
    class(pcml_plan), intent(in) :: self
    integer, intent(inout) :: count
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: count_wide
    status = call_c(self%handle, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine plan_members

  ! Neural operators: predicts as pcml_plan_predict and makes the prediction lawful as pcml_projector_project, in one call.
  subroutine plan_predict_lawful(self, workspace, input, projector, projector_workspace, b, mean, values, variance, &
        posterior_variance, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_predict_lawful
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_projector), intent(in) :: projector
    type(pcml_workspace), intent(inout) :: projector_workspace
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: mean
    type(pcml_const_array), intent(in), optional :: values(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    type(c_ptr) :: report_handle
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, input, values, value_count, projector%handle, projector_workspace%handle, &
        variance, b, mean, posterior_variance, report_handle)
    call settle(status, stat, errmsg)
  end subroutine plan_predict_lawful

  ! Creates the scratch memory of derivatives of a plan's predictions (pcml_plan_jvp, pcml_plan_vjp): one a thread, apart from
  ! pcml_plan_workspace, since it takes a field for each block of the network beside, and of a roll-out the input of each step.
  subroutine plan_derivative_workspace(self, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_derivative_workspace
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine plan_derivative_workspace

  ! Neural operators: the derivative of pcml_plan_predict in a direction (jvp), at an input and boundary values.
  subroutine plan_jvp(self, workspace, input, output_tangent, values, input_tangent, value_tangents, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_jvp
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_array), intent(in), target :: output_tangent
    type(pcml_const_array), intent(in), optional :: values(:)
    type(pcml_const_array), intent(in), optional :: input_tangent
    type(pcml_const_array), intent(in), optional :: value_tangents(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, input_tangent, value_tangents, output_tangent)
    call settle(status, stat, errmsg)
  end subroutine plan_jvp

  ! Neural operators: from cotangents of the output to those of the input and of the boundary values (vjp), at an input and boundary
  ! values: the transpose of pcml_plan_jvp, and so the gradient of a function of the prediction from its gradient with respect to
  ! that.
  subroutine plan_vjp(self, workspace, input, output_cotangent, values, input_cotangent, value_cotangents, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_vjp
    class(pcml_plan), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: input
    type(pcml_const_array), intent(in) :: output_cotangent
    type(pcml_const_array), intent(in), optional :: values(:)
    type(pcml_array), intent(in), target, optional :: input_cotangent
    type(pcml_array), intent(in), target, optional :: value_cotangents(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: value_count
    value_count = 0
    if (present(values)) value_count = size(values, kind=c_int64_t)
    status = call_c(self%handle, workspace%handle, input, values, value_count, output_cotangent, input_cotangent, &
        value_cotangents)
    call settle(status, stat, errmsg)
  end subroutine plan_vjp

  ! How many kernel matrices of boundary corrections were singular or nearly so, and were regularised when the plan was created: the
  ! corrections of such frequencies do less than they were trained for.
  subroutine plan_regularised(self, count, stat, errmsg)
    use pcml_c, only: call_c => pcml_plan_regularised
    class(pcml_plan), intent(in) :: self
    integer, intent(inout) :: count
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: count_wide
    status = call_c(self%handle, count_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    count = int(count_wide)
  end subroutine plan_regularised

  ! Creates a projector.
  subroutine projector_create(self, constraints, prior, options, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_create
    class(pcml_projector), intent(inout) :: self
    type(pcml_constraints), intent(in) :: constraints
    integer(c_int32_t), intent(in) :: prior
    type(pcml_options), intent(in), optional :: options
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: options_handle
    type(c_ptr) :: new_handle
    options_handle = c_null_ptr
    if (present(options)) options_handle = options%handle
    status = call_c(constraints%handle, prior, options_handle, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine projector_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine projector_free(self)
    use pcml_c, only: call_c => pcml_projector_free
    class(pcml_projector), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine projector_free

  ! Creates a workspace for calls of this projector.
  subroutine projector_workspace(self, slices, workspace, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_workspace
    class(pcml_projector), intent(in) :: self
    integer, intent(in) :: slices
    type(pcml_workspace), intent(inout) :: workspace
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, int(slices, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call workspace%free()
    workspace%handle = new_handle
  end subroutine projector_workspace

  ! Creates a report for projections of at most so many slices, by projectors with as many rows.
  subroutine projector_report(self, slices, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_report
    class(pcml_projector), intent(in) :: self
    integer, intent(in) :: slices
    type(pcml_report), intent(inout) :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: new_handle
    status = call_c(self%handle, int(slices, c_int64_t), new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call report%free()
    report%handle = new_handle
  end subroutine projector_report

  ! Makes every slice obey the rows.
  subroutine projector_project(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_project
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_array), intent(in), target :: posterior_mean
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: report_handle
    report_handle = c_null_ptr
    if (present(report)) report_handle = report%handle
    status = call_c(self%handle, workspace%handle, mean, variance, b, posterior_mean, posterior_variance, report_handle)
    call settle(status, stat, errmsg)
  end subroutine projector_project

  subroutine projector_project_f32_1_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_1_1

  subroutine projector_project_f32_1_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_1_2

  subroutine projector_project_f32_2_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_2_1

  subroutine projector_project_f32_2_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_2_2

  subroutine projector_project_f32_3_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_3_1

  subroutine projector_project_f32_3_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_3_2

  subroutine projector_project_f32_4_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_4_1

  subroutine projector_project_f32_4_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_4_2

  subroutine projector_project_f32_5_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_5_1

  subroutine projector_project_f32_5_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_float), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_float), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f32_5_2

  subroutine projector_project_f64_1_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_1_1

  subroutine projector_project_f64_1_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_1_2

  subroutine projector_project_f64_2_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_2_1

  subroutine projector_project_f64_2_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_2_2

  subroutine projector_project_f64_3_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_3_1

  subroutine projector_project_f64_3_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_3_2

  subroutine projector_project_f64_4_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_4_1

  subroutine projector_project_f64_4_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_4_2

  subroutine projector_project_f64_5_1(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_5_1

  subroutine projector_project_f64_5_2(self, workspace, mean, b, posterior_mean, variance, posterior_variance, report, stat, &
        errmsg)
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    real(c_double), intent(in), target :: mean(:, :, :, :, :)
    real(c_double), intent(in), target :: b(:, :)
    real(c_double), intent(inout), target :: posterior_mean(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: variance
    type(pcml_array), intent(in), target, optional :: posterior_variance
    type(pcml_report), intent(inout), optional :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call projector_project(self, workspace, pcml_in(mean), pcml_in(b), pcml_out(posterior_mean), variance, posterior_variance, &
        report, stat, errmsg)
  end subroutine projector_project_f64_5_2

  ! How far every slice is from obeying: G u - b, with sums in twice the precision of f64.
  subroutine projector_residual(self, workspace, mean, b, residual, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_residual
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    real(c_double), intent(inout) :: residual(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, b, residual)
    call settle(status, stat, errmsg)
  end subroutine projector_residual

  ! Fills the report with how every slice stands to its rows; changes nothing else.
  subroutine projector_check(self, workspace, mean, b, report, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_check
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: mean
    type(pcml_const_array), intent(in) :: b
    type(pcml_report), intent(inout) :: report
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, mean, b, report%handle)
    call settle(status, stat, errmsg)
  end subroutine projector_check

  ! Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since, b = G u + dt sum_j rates_j,
  ! with sums in twice the precision of f64, rounded once.
  subroutine projector_budget(self, workspace, previous, rates, dt, b, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_budget
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_const_array), intent(in) :: previous
    type(pcml_const_array), intent(in) :: rates
    real(c_double), intent(in) :: dt
    type(pcml_array), intent(in), target :: b
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, previous, rates, dt, b)
    call settle(status, stat, errmsg)
  end subroutine projector_budget

  ! The whole posterior covariance of one slice, Sigma - Sigma G' S^-1 G Sigma: symmetric to the bit, its diagonal equal to the
  ! posterior variances of the projection.
  subroutine projector_covariance(self, workspace, covariance, variance, stat, errmsg)
    use pcml_c, only: call_c => pcml_projector_covariance
    class(pcml_projector), intent(in) :: self
    type(pcml_workspace), intent(inout) :: workspace
    type(pcml_array), intent(in), target :: covariance
    type(pcml_const_array), intent(in), optional :: variance
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, workspace%handle, variance, covariance)
    call settle(status, stat, errmsg)
  end subroutine projector_covariance

  ! Creates a reduction from a function of the host.
  subroutine reduction_create(self, sum, context, stat, errmsg)
    use pcml_c, only: call_c => pcml_reduction_create
    class(pcml_reduction), intent(inout) :: self
    procedure(pcml_sum_function) :: sum
    type(c_ptr), intent(in), optional :: context
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    type(c_ptr) :: context_or_null
    type(c_ptr) :: new_handle
    context_or_null = c_null_ptr
    if (present(context)) context_or_null = context
    status = call_c(c_funloc(sum), context_or_null, new_handle)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    call self%free()
    self%handle = new_handle
  end subroutine reduction_create

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine reduction_free(self)
    use pcml_c, only: call_c => pcml_reduction_free
    class(pcml_reduction), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine reduction_free

  ! How many slices the last successful projection had; 0 before the first.
  subroutine report_slices(self, slices, stat, errmsg)
    use pcml_c, only: call_c => pcml_report_slices
    class(pcml_report), intent(in) :: self
    integer, intent(inout) :: slices
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    integer(c_int64_t) :: slices_wide
    status = call_c(self%handle, slices_wide)
    call settle(status, stat, errmsg)
    if (status /= PCML_STATUS_OK) return
    slices = int(slices_wide)
  end subroutine report_slices

  ! One value of the last successful projection.
  subroutine report_value(self, item, slice, row, value, stat, errmsg)
    use pcml_c, only: call_c => pcml_report_value
    class(pcml_report), intent(in) :: self
    integer(c_int32_t), intent(in) :: item
    integer, intent(in) :: slice
    integer, intent(in) :: row
    real(c_double), intent(inout) :: value
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int32_t) :: status
    status = call_c(self%handle, item, int(slice, c_int64_t), int(row, c_int64_t), value)
    call settle(status, stat, errmsg)
  end subroutine report_value

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine report_free(self)
    use pcml_c, only: call_c => pcml_report_free
    class(pcml_report), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine report_free

  ! Frees what the variable refers to, if anything; the variable may then be used anew.
  subroutine workspace_free(self)
    use pcml_c, only: call_c => pcml_workspace_free
    class(pcml_workspace), intent(inout) :: self
    call call_c(self%handle)
    self%handle = c_null_ptr
  end subroutine workspace_free

  function sum_view(array, second, reduction, stat, errmsg) result(total)
    use pcml_c, only: call_c => pcml_sum
    type(pcml_const_array), intent(in) :: array
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    type(c_ptr) :: reduction_handle
    reduction_handle = c_null_ptr
    if (present(reduction)) reduction_handle = reduction%handle
    total = 0
    call settle(call_c(array, second, reduction_handle, total), stat, errmsg)
  end function sum_view

  function sum_f32_1(array, second, reduction, stat, errmsg) result(total)
    real(c_float), intent(in), target :: array(:)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f32_1

  function sum_f32_2(array, second, reduction, stat, errmsg) result(total)
    real(c_float), intent(in), target :: array(:, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f32_2

  function sum_f32_3(array, second, reduction, stat, errmsg) result(total)
    real(c_float), intent(in), target :: array(:, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f32_3

  function sum_f32_4(array, second, reduction, stat, errmsg) result(total)
    real(c_float), intent(in), target :: array(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f32_4

  function sum_f32_5(array, second, reduction, stat, errmsg) result(total)
    real(c_float), intent(in), target :: array(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f32_5

  function sum_f64_1(array, second, reduction, stat, errmsg) result(total)
    real(c_double), intent(in), target :: array(:)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f64_1

  function sum_f64_2(array, second, reduction, stat, errmsg) result(total)
    real(c_double), intent(in), target :: array(:, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f64_2

  function sum_f64_3(array, second, reduction, stat, errmsg) result(total)
    real(c_double), intent(in), target :: array(:, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f64_3

  function sum_f64_4(array, second, reduction, stat, errmsg) result(total)
    real(c_double), intent(in), target :: array(:, :, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f64_4

  function sum_f64_5(array, second, reduction, stat, errmsg) result(total)
    real(c_double), intent(in), target :: array(:, :, :, :, :)
    type(pcml_const_array), intent(in), optional :: second
    type(pcml_reduction), intent(inout), optional :: reduction
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    real(c_double) :: total
    total = sum_view(pcml_in(array), second, reduction, stat, errmsg)
  end function sum_f64_5
end module pcml_objects
