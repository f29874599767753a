! Gas that spreads through a porous medium: a surrogate in the place of a solver, kept lawful at every step.
!
!     porous <porous.safetensors>
!
! u_t = (u u_x)_x on [0, 1] between closed walls: the integral of u never changes, and u >= 0. The solver takes 64 explicit steps of
! finite volumes where the surrogate takes one: a perceptron that sees each cell among its neighbours and gives its change
! (examples/training/porous.py). It knows of no law: what it makes or loses adds up. In the lawful run each step ends in a projection
! onto the mass and u >= 0. What that does to the error is printed, and promised by nobody.
!
! Prints what examples/c/porous.c prints, to the bit.
program porous
  use pcml
  use common
  implicit none
  integer, parameter :: cells = 64, side = 4, window = 2 * side + 1, steps = 40, parts = 64, told = 8
  real(real64), parameter :: dx = 1.0_real64 / cells, ratio = 1.0_real64 / 32
  type(pcml_model) :: model
  type(pcml_options) :: options
  type(pcml_plan) :: plan
  type(pcml_workspace) :: scratch, projection
  type(pcml_constraints) :: constraints
  type(pcml_projector) :: projector
  real(real64), target :: weights(cells), zeros(cells), truth(cells), held(1)
  real(real64), target :: padded_alone(1 - side:cells + side), padded_lawful(1 - side:cells + side)
  real(real64), pointer :: alone(:), lawful(:)
  real(real64) :: off
  integer(int64) :: bits
  integer :: step

  weights = dx
  zeros = 0
  alone => padded_alone(1:cells)
  lawful => padded_lawful(1:cells)
  call fill(truth)
  alone = truth
  lawful = truth
  held = mass(truth)

  call model%load(argument("usage: porous <porous.safetensors>"))
  call options%create()
  call options%set_batch(cells)
  call plan%create(model, PCML_DTYPE_F64, options)
  call plan%workspace(scratch)
  call constraints%create(cells)
  call constraints%add_row(pcml_in(weights), 0.0_real64)
  call projector%create(constraints, PCML_PRIOR_IDENTITY)
  call projector%bounded_workspace(1, projection)

  print '(a)', "      surrogate alone                 lawful"
  print '(a)', "step  error %   mass %      least    error %  mass eps     least"
  do step = 1, steps
    call solve(truth)
    call predict(padded_alone)
    call predict(padded_lawful)
    call projector%bounded_project(projection, pcml_in(lawful), pcml_in(held), pcml_out(lawful), lower=pcml_in(zeros))
    off = abs(mass(lawful) - held(1)) / (eps * held(1))
    call claim(off <= 4, "the mass")
    call claim(minval(lawful) >= 0, "no negative value")
    if (mod(step, told) == 0) then
      print '(i4, f9.3, f9.4, f11.6, f11.3, i10, f11.6)', step, error(alone), 100 * (mass(alone) - held(1)) / held(1), &
        minval(alone), error(lawful), int(off + 0.5_real64), minval(lawful)
    end if
  end do
  bits = 0
  call mix_all(truth)
  call mix_all(alone)
  call mix_all(lawful)
  print '(a, z16.16)', "bits ", bits

  call projection%free()
  call projector%free()
  call constraints%free()
  call scratch%free()
  call plan%free()
  call options%free()
  call model%free()
  if (failures > 0) error stop 1

contains

  ! Two parabolas over empty ground.
  subroutine fill(u)
    real(real64), intent(out) :: u(cells)
    real(real64) :: x
    integer :: i
    do i = 1, cells
      x = (i - 0.5_real64) * dx
      u(i) = max(0.0_real64, 0.9_real64 - 40 * (x - 0.35_real64) * (x - 0.35_real64)) &
        + max(0.0_real64, 0.5_real64 - 50 * (x - 0.75_real64) * (x - 0.75_real64))
    end do
  end subroutine fill

  subroutine solve(u)
    real(real64), intent(inout) :: u(:)
    real(real64) :: left, right
    integer :: part, i
    do part = 1, parts
      left = 0
      do i = 1, cells
        right = 0
        if (i < cells) right = -0.5_real64 * (u(i) + u(i + 1)) * (u(i + 1) - u(i))
        u(i) = u(i) + ratio * (left - right)
        left = right
      end do
    end do
  end subroutine solve

  ! A step of the surrogate. The state lies in an array with room for its mirror images beyond the walls, and row i of the input is that
  ! array from i on: the rows overlap, and nothing is copied.
  subroutine predict(padded)
    real(real64), intent(inout), target :: padded(1 - side:)
    real(real64), target :: change(cells, 1)
    type(pcml_const_array) :: windows
    integer :: k
    do k = 1, side
      padded(1 - k) = padded(k)
      padded(cells + k) = padded(cells + 1 - k)
    end do
    windows = pcml_in(padded)
    windows%rank = 2
    windows%shape(:2) = [cells, window]
    windows%strides(:2) = 1
    call plan%predict(scratch, windows, pcml_out(change))
    padded(1:cells) = padded(1:cells) + change(:, 1)
  end subroutine predict

  function mass(u)
    real(real64), intent(in) :: u(:)
    real(real64) :: mass
    mass = pcml_sum(u, second=pcml_in(weights))
  end function mass

  function error(u) result(percent)
    real(real64), intent(in) :: u(cells)
    real(real64) :: percent, apart, length
    integer :: i
    apart = 0
    length = 0
    do i = 1, cells
      apart = apart + (u(i) - truth(i)) * (u(i) - truth(i))
      length = length + truth(i) * truth(i)
    end do
    percent = 100 * sqrt(apart / length)
  end function error

  subroutine mix_all(u)
    real(real64), intent(in) :: u(:)
    integer :: i
    do i = 1, size(u)
      call mix(bits, u(i))
    end do
  end subroutine mix_all

end program porous
