! Descriptors say where arrays lie, and results are written there: no copy of any section, and the same bits as without gaps.
program arrays
  use pcml
  use testing
  implicit none
  type :: cell
    real(c_double) :: before, value, after
  end type cell

  call views_of_single()
  call views_of_double()
  call the_compiler_knows_what_calls_write()
  call results_in_sections_of_double()
  call results_in_sections_of_single()
  call sums()
  call finish()

contains

  subroutine views_of_double()
    real(c_double), target :: a(7, 6, 5), line(10), high(2, 3, 2, 3, 2)
    type(cell), target :: cells(4)
    real(c_double), pointer :: component(:)
    type(pcml_const_array) :: v
    type(pcml_array) :: w
    a = 0
    line = 0
    high = 0
    cells%value = 0
    v = pcml_in(a)
    call expect(lies_at(v%data, c_loc(a(1, 1, 1))), "the address of a whole array")
    call expect(v%dtype == PCML_DTYPE_F64 .and. v%rank == 3, "dtype and rank")
    call expect(all(v%shape(:3) == [7, 6, 5]) .and. all(v%strides(:3) == [1, 7, 42]), "the first index is the nearest")
    call expect(v%struct_size == c_sizeof(v), "the size of a descriptor")
    w = pcml_out(a(6:2:-2, 2:6:3, 5:1:-1))
    call expect(lies_at(w%data, c_loc(a(6, 2, 5))), "the address of a section's first element")
    call expect(all(w%shape(:3) == [3, 2, 5]) .and. all(w%strides(:3) == [-2, 21, -42]), "strides of a section")
    v = pcml_in(a(3, :, 2))
    call expect(lies_at(v%data, c_loc(a(3, 1, 2))), "the address of a row")
    call expect(v%rank == 1 .and. v%shape(1) == 6 .and. v%strides(1) == 7, "a row")
    v = pcml_in(a(4:4, :, 5:5))
    call expect(lies_at(v%data, c_loc(a(4, 1, 5))) .and. all(v%shape(:3) == [1, 6, 1]), "axes of extent 1")
    call expect(v%strides(2) == 7, "the stride between axes of extent 1")
    v = pcml_in(line(10:1:-3))
    call expect(lies_at(v%data, c_loc(line(10))) .and. v%shape(1) == 4 .and. v%strides(1) == -3, "backwards")
    component => cells(4:1:-1)%value
    v = pcml_in(component)
    call expect(lies_at(v%data, c_loc(cells(4)%value)) .and. v%strides(1) == -3, "a component of an array of cells")
    v = pcml_in(high)
    call expect(all(v%shape(:5) == [2, 3, 2, 3, 2]) .and. all(v%strides(:5) == [1, 2, 6, 12, 36]), "rank 5")
    v = pcml_in(high(1, :, 1, :, :))
    call expect(all(v%strides(:3) == [2, 12, 36]), "a section of rank 3 of rank 5")
    v = pcml_in(line(5:4))
    call expect(v%rank == 1 .and. v%shape(1) == 0, "an empty section")
    v = pcml_in(a(:, 3:2, :))
    call expect(all(v%shape(:3) == [7, 0, 5]), "an empty axis")
  end subroutine views_of_double

  subroutine views_of_single()
    real(c_float), target :: a(4, 3, 2, 2)
    type(pcml_array) :: v
    a = 0
    v = pcml_out(a(4:1:-1, 2, :, :))
    call expect(lies_at(v%data, c_loc(a(4, 2, 1, 1))), "the address of a section of real32")
    call expect(v%dtype == PCML_DTYPE_F32 .and. all(v%shape(:3) == [4, 2, 2]), "dtype and shape of real32")
    call expect(all(v%strides(:3) == [-1, 12, 24]), "strides of real32 are in elements")
  end subroutine views_of_single

  ! An optimiser that takes a descriptor for constant would keep the values from before the call.
  subroutine the_compiler_knows_what_calls_write()
    type(pcml_projector) :: projector
    type(pcml_workspace) :: workspace, bounded
    real(c_double), target :: mean(4), b(1), u(4)
    type(pcml_array) :: view
    call make_sum_projector(4, 1, projector, workspace, bounded)
    mean = 1
    b = 8
    u = -7
    call projector%project(workspace, pcml_in(mean), pcml_in(b), pcml_out(u))
    call expect(all(same(u, 2.0_c_double)), "a result through a descriptor")
    view = pcml_out(u)
    b = 4
    u = -7
    call projector%project(workspace, pcml_in(mean), pcml_in(b), view)
    call expect(all(same(u, 1.0_c_double)), "a result through a descriptor from before, and no trap where nothing is to be done")
    call bounded%free()
    call workspace%free()
    call projector%free()
  end subroutine the_compiler_knows_what_calls_write

  subroutine results_in_sections_of_double()
    integer, parameter :: slices = 3, cells = 8
    type(pcml_projector) :: projector
    type(pcml_workspace) :: workspace, bounded
    type(cell) :: structures(slices, cells)
    real(c_double), target :: mean(slices, cells), b(slices), plain(slices, cells), wide(3 * slices, 2 * cells)
    real(c_double), target :: zeros(cells), from(2 * slices, cells), turned(cells, slices)
    integer :: i, j
    call make_sum_projector(cells, slices, projector, workspace, bounded)
    mean = reshape([(sin(real(i, c_double)), i=1, size(mean))], shape(mean))
    b = [1.0_c_double, 2.0_c_double, 3.5_c_double]
    zeros = 0
    call projector%project(workspace, mean, b, plain)
    call expect(all(abs(sum(plain, dim=2) - b) < 1e-14_c_double), "sums of slices")

    wide = -7
    call projector%project(workspace, mean, b, wide(3 * slices:1:-3, ::2))
    call expect(all(same(wide(9:1:-3, 1:15:2), plain)), "a section backwards gets the same bits")
    wide(9:1:-3, 1:15:2) = -7
    call expect(all(same(wide, -7.0_c_double)), "nothing beside the section is written")

    structures = cell(1, 2, 3)
    call projector%project(workspace, mean, b, structures%value)
    call expect(all(same(structures%value, plain)), "a component gets the same bits")
    call expect(all(same(structures%before, 1.0_c_double) .and. same(structures%after, 3.0_c_double)), "and no other is written")

    from(::2, :) = mean
    call projector%project(workspace, pcml_in(from(::2, :)), pcml_in(b), pcml_out(wide(:3, 8:1:-1)))
    call expect(all(same(wide(:3, 8:1:-1), plain)), "descriptors of sections in and out")

    turned = transpose(mean)
    call projector%project(workspace, pcml_reversed(pcml_in(turned)), pcml_in(b), pcml_reversed(pcml_out(turned)))
    call expect(all(same(transpose(turned), plain)), "cells first, slices last")

    ! In place: the same array to read and to write.
    call projector%project(workspace, pcml_in(from(::2, :)), pcml_in(b), pcml_out(from(::2, :)))
    call expect(all(same(from(::2, :), plain)), "in place")

    call projector%bounded_project(bounded, mean, b, plain, lower=pcml_in(zeros))
    call projector%bounded_project(bounded, mean, b, wide(2:8:3, 2::2), lower=pcml_in(zeros))
    call expect(all(plain >= 0) .and. all(same(wide(2:8:3, 2::2), plain)), "bounds in a section")
    do j = 1, slices
      call projector%bounded_project(bounded, mean(j, :), b(j:j), wide(:8, j), lower=pcml_in(zeros))
      call expect(all(same(wide(:8, j), plain(j, :))), "one slice as a row")
    end do
    call bounded%free()
    call workspace%free()
    call projector%free()
  end subroutine results_in_sections_of_double

  subroutine results_in_sections_of_single()
    integer, parameter :: slices = 2, cells = 5
    type(pcml_projector) :: projector
    type(pcml_workspace) :: workspace, bounded
    real(c_float), target :: mean(slices, cells), plain(slices, cells), wide(4, 2 * cells)
    real(c_double), target :: b(slices, 1)
    integer :: i
    call make_sum_projector(cells, slices, projector, workspace, bounded)
    mean = reshape([(cos(real(i, c_float)), i=1, size(mean))], shape(mean))
    b(:, 1) = [1.0_c_double, -1.0_c_double]
    call projector%project(workspace, mean, b, plain)
    wide = 9
    call projector%project(workspace, mean, b, wide(4:1:-3, 9:1:-2))
    call expect(all(same(wide(4:1:-3, 9:1:-2), plain)), "a section of real32 gets the same bits")
    call expect(count(same(wide, 9.0_c_float)) == 30, "nothing beside the section of real32 is written")
    call bounded%free()
    call workspace%free()
    call projector%free()
  end subroutine results_in_sections_of_single

  subroutine sums()
    real(c_double), target :: a(3, 4), two(3, 4)
    real(c_float), target :: single(3)
    integer(c_int64_t) :: bins(PCML_SUM_BINS_COUNT)
    a = 0.5_c_double
    a(:, 1) = [1e100_c_double, 1.0_c_double, -1e100_c_double]
    two = 2
    single = [1.0_c_float, 2.0_c_float, 4.0_c_float]
    call expect(same(pcml_sum(a), 5.5_c_double), "an exact sum")
    call expect(same(pcml_sum(a(2:1:-1, ::3)), 1e100_c_double), "a sum of a section")
    call expect(same(pcml_sum(a, second=pcml_in(two)), 11.0_c_double), "a sum of products")
    call expect(same(pcml_sum(single(::2)), 5.0_c_double), "a sum of real32")
    call pcml_sum_bins(pcml_in(a), bins)
    call expect(same(pcml_sum_round(bins), 5.5_c_double), "a sum in two halves")
  end subroutine sums

end program arrays
