! A mass fixer without derived types, for codes that pass arrays of explicit shape from subroutine to subroutine.
!
!     plain
!
! Each column of a tracer gets back the mass that advection lost. `fixmas` is the only routine that knows pcml, and
! keeps its objects from call to call. Exits with an error unless the columns have their mass.
subroutine fixmas(ncol, nlev, dp, q, qmass, qnew, ierr)
  use pcml_c
  implicit none
  ! Columns and levels; the same in all calls.
  integer, intent(in) :: ncol, nlev
  ! Mass of each level, the same in all columns; mixing ratios; the mass of tracer that each column should have.
  double precision, intent(in) :: dp(nlev), q(nlev, ncol), qmass(ncol)
  ! Receives the mixing ratios; must be another array than q.
  double precision, intent(inout) :: qnew(nlev, ncol)
  ! 0, or a number of enum pcml_status.
  integer, intent(out) :: ierr
  type(c_ptr), save :: projector = c_null_ptr, workspace = c_null_ptr
  type(c_ptr) :: constraints
  type(pcml_const_array) :: weights
  double precision, target :: copy(nlev)

  if (.not. c_associated(workspace)) then
    copy = dp
    weights%data = c_loc(copy)
    weights%dtype = PCML_DTYPE_F64
    weights%rank = 1
    weights%shape(1) = nlev
    weights%strides(1) = 1
    ierr = pcml_constraints_create(int(nlev, c_int64_t), constraints)
    if (ierr == 0) ierr = pcml_constraints_add_row(constraints, weights, 0d0)
    if (ierr == 0) ierr = pcml_projector_create(constraints, PCML_PRIOR_IDENTITY, c_null_ptr, projector)
    if (ierr == 0) ierr = pcml_projector_workspace(projector, int(ncol, c_int64_t), workspace)
    call pcml_constraints_free(constraints)
    if (ierr /= 0) return
  end if
  ! A Fortran array with levels first is C's [columns, levels].
  ierr = pcml_projector_project_f64(projector, workspace, int(ncol, c_int64_t), q, b=qmass, posterior_mean=qnew, report=c_null_ptr)
end subroutine fixmas

program plain
  implicit none
  integer, parameter :: ncol = 3, nlev = 10
  double precision :: dp(nlev), q(nlev, ncol), qnew(nlev, ncol), qmass(ncol), before, after
  integer :: i, k, ierr

  do k = 1, nlev
    dp(k) = 100d0 + 10d0 * k
  end do
  do i = 1, ncol
    do k = 1, nlev
      q(k, i) = 1d-3 * k + 1d-4 * i
    end do
    qmass(i) = 1.02d0 * sum(dp * q(:, i))
  end do
  call fixmas(ncol, nlev, dp, q, qmass, qnew, ierr)
  if (ierr /= 0) error stop "fixmas"
  print '(a)', "column   mass off before     mass off after"
  do i = 1, ncol
    before = abs(sum(dp * q(:, i)) - qmass(i))
    after = abs(sum(dp * qnew(:, i)) - qmass(i))
    print '(i6, 2es19.2)', i, before, after
    if (after > 1d-14 * qmass(i)) error stop "a column without its mass"
  end do
  print '(a)', "all columns have their mass"
end program plain
