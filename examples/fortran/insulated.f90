! A heat equation with an insulated wall, by an operator that knows its walls.
!
!     insulated <insulated.safetensors>
!
! u_t = 0.01 u_xx on [0, 1], from u0 = cos(3.1 pi x): the left wall is insulated, through the right one comes the flux u_x = 5 sin(pi t).
! A Fourier neural operator with boundary corrections (BOON) predicts 25 times in one call, the wall conditions exact. A solver of the
! same equation says how good that is. The prediction still gains or loses heat: a chain of prediction, walls and balance in one call
! mends both together, and the same walls are put on a field that comes from elsewhere.
!
! Fields are u(point, time), in Fortran's order: strides say so, and results are those of examples/c/insulated.c, to the bit.
program insulated
  use pcml
  use common
  implicit none
  integer, parameter :: points = 100, times = 25, cells = points * times, left = 2, right = 4
  integer, parameter :: finer = 4, fine = finer * (points - 1) + 1, steps = 80, half = 500
  real(real64), parameter :: pi = 3.14159265358979323846_real64, conductivity = 0.01_real64
  real(real64), parameter :: left_stencil(left) = [-1.0_real64, 1.0_real64]
  real(real64), parameter :: right_stencil(right) = [-1.0_real64 / 3, 1.5_real64, -3.0_real64, 11.0_real64 / 6]
  real(real64), parameter :: h = 1.0_real64 / (points - 1), step = 2.0_real64 / (times * steps)
  type(pcml_model) :: model
  type(pcml_options) :: options
  type(pcml_plan) :: plan
  type(pcml_workspace) :: scratch, projection
  type(pcml_projector) :: projector
  type(pcml_boundary) :: boundary
  type(pcml_const_array) :: values(2)
  type(pcml_array) :: field
  ! cos(3.1 pi x) at the solver's points, and cos(pi t) at its times.
  real(real64) :: wave(0:fine - 1), beat(0:times * steps)
  real(real64), target :: u0(points, times), truth(points, times), u(points, times), lawful(1, points, times)
  real(real64), target :: walls(times, 2), b(1, 3 * times)
  real(real64) :: initial
  integer(int64) :: bits
  integer :: i, t

  call cosines(0.9996976006342584_real64, wave)
  call cosines(0.9999950652018582_real64, beat)
  initial = 0
  do i = 1, points
    initial = initial + weight(i) * wave(finer * (i - 1))
    u0(i, :) = wave(finer * (i - 1))
  end do
  walls(:, 1) = 0
  walls(:, 2) = [(flux(t * steps), t=1, times)]
  ! What was there, and what came through the right wall since; then the walls.
  b(1, :times) = [(initial + conductivity * 5 * (1 - beat(t * steps)) / pi, t=1, times)]
  b(1, times + 1:2 * times) = walls(:, 1)
  b(1, 2 * times + 1:) = walls(:, 2)
  call solve(truth)

  bits = 0
  call model%load(argument("usage: insulated <insulated.safetensors>"))
  call options%create()
  call options%set_shape([int(points, int64), int(times, int64)])
  call plan%create(model, PCML_DTYPE_F64, options)
  call plan%workspace(scratch)

  values = [pcml_in(walls(:, 1)), pcml_in(walls(:, 2))]
  print '(a28, a9, 3a19)', "100 points, 25 times        ", "error, %", "left wall, eps", "right wall, eps", "heat, eps"
  call row("Crank-Nicolson", truth)
  call mix_all(truth)
  call plan%predict(scratch, u0, u, values)
  call row("operator", u)
  call mix_all(u)
  call claim(relative(u) < 0.02_real64, "the operator's error is below 2%")
  call claim(max(wall(u, 1), wall(u, 2)) <= 4, "the operator's walls")

  call make_laws(projector)
  call projector%workspace(1, projection)
  call plan%predict_lawful(scratch, pcml_in(u0), projector, projection, pcml_in(b), pcml_out(lawful), values)
  call row("operator, walls and balance", lawful(1, :, :))
  call mix_all(lawful(1, :, :))
  call claim(max(wall(lawful(1, :, :), 1), wall(lawful(1, :, :), 2)) <= 8, "the lawful walls")
  call claim(heat(lawful(1, :, :)) <= 16, "the heat")

  ! The same walls for a field of any origin: here the solver's, disturbed.
  do t = 1, times
    do i = 1, points
      u(i, t) = truth(i, t) + 0.01_real64 * (mod(((i - 1) * times + t - 1) * 37, 101) - 50) / 50
    end do
  end do
  call row("a field from elsewhere", u)
  field = pcml_out(u)
  field%rank = 4
  field%shape(:4) = [1, points, times, 1]
  field%strides(:4) = [1, 1, points, 1]
  call boundary%create()
  call boundary%add_face(0, -1, PCML_BOUNDARY_KIND_NEUMANN, h, left_stencil)
  call boundary%add_face(0, 1, PCML_BOUNDARY_KIND_NEUMANN, h, right_stencil)
  call boundary%enforce(field, 2, values)
  call row("its walls set", u)
  call mix_all(u)
  call claim(max(wall(u, 1), wall(u, 2)) <= 4, "the walls that were set")

  call boundary%free()
  call projection%free()
  call projector%free()
  call scratch%free()
  call plan%free()
  call options%free()
  call model%free()
  if (failures == 0) print '(a)', "all held"
  print '(a, z16.16)', "bits ", bits
  if (failures > 0) error stop 1

contains

  ! cos(i a) for all i, from cos(a).
  subroutine cosines(first, c)
    real(real64), intent(in) :: first
    real(real64), intent(out) :: c(0:)
    integer :: k
    c(0) = 1
    c(1) = first
    do k = 2, ubound(c, 1)
      c(k) = 2 * first * c(k - 1) - c(k - 2)
    end do
  end subroutine cosines

  ! 5 sin(pi t) at the solver's time k, as the cosine half a unit of time away.
  function flux(k)
    integer, intent(in) :: k
    real(real64) :: flux
    flux = 5 * beat(abs(k - half))
  end function flux

  function weight(point)
    integer, intent(in) :: point
    real(real64) :: weight
    weight = h
    if (point == 1 .or. point == points) weight = 0.5_real64 * h
  end function weight

  ! Crank-Nicolson on a finer grid, half cells at the walls.
  subroutine solve(field)
    real(real64), intent(out) :: field(points, times)
    real(real64) :: state(fine), known(fine), upper(fine), r, through, before, after, pivot, lower
    real(real64), parameter :: width = h / finer
    integer :: n, k
    r = 0.5_real64 * conductivity * step / (width * width)
    state = wave
    do k = 0, times * steps - 1
      through = 0.5_real64 * (flux(k) + flux(k + 1))
      do n = 1, fine
        before = state(merge(2, n - 1, n == 1))
        after = state(merge(fine - 1, n + 1, n == fine))
        known(n) = state(n) + r * (before - 2 * state(n) + after)
      end do
      known(fine) = known(fine) + 2 * conductivity * step * through / width
      pivot = 1 + 2 * r
      upper(1) = -2 * r / pivot
      state(1) = known(1) / pivot
      do n = 2, fine
        lower = merge(-2 * r, -r, n == fine)
        pivot = 1 + 2 * r - lower * upper(n - 1)
        upper(n) = -r / pivot
        state(n) = (known(n) - lower * state(n - 1)) / pivot
      end do
      do n = fine - 1, 1, -1
        state(n) = state(n) - upper(n) * state(n + 1)
      end do
      if (mod(k + 1, steps) == 0) field(:, (k + 1) / steps) = state(::finer)
    end do
  end subroutine solve

  ! Sums over points, then times of each: the order of the other languages.
  function relative(field)
    real(real64), intent(in) :: field(:, :)
    real(real64) :: relative, apart, length
    integer :: n, k
    apart = 0
    length = 0
    do n = 1, points
      do k = 1, times
        apart = apart + (field(n, k) - truth(n, k)) * (field(n, k) - truth(n, k))
        length = length + truth(n, k) * truth(n, k)
      end do
    end do
    relative = sqrt(apart / length)
  end function relative

  ! The largest residual of a wall's condition, in eps of the largest term.
  function wall(field, side) result(most)
    real(real64), intent(in) :: field(:, :)
    integer, intent(in) :: side
    real(real64) :: most
    if (side == 1) then
      most = residual(left_stencil, field(:left, :), walls(:, 1))
    else
      most = residual(right_stencil, field(points - right + 1:, :), walls(:, 2))
    end if
  end function wall

  function residual(stencil, nodes, expected) result(most)
    real(real64), intent(in) :: stencil(:), nodes(:, :), expected(:)
    real(real64) :: most, total, scale, term
    integer :: n, k
    most = 0
    do k = 1, times
      total = -expected(k)
      scale = abs(expected(k))
      do n = 1, size(stencil)
        term = stencil(n) * nodes(n, k) / h
        total = total + term
        scale = max(scale, abs(term))
      end do
      most = max(most, abs(total) / scale)
    end do
    most = most / eps
  end function residual

  ! The largest difference between the heat in the slab and what it should be, by the trapezoid rule, in eps of the sum of magnitudes.
  function heat(field) result(most)
    real(real64), intent(in) :: field(:, :)
    real(real64) :: most, total, scale, term
    integer :: n, k
    most = 0
    do k = 1, times
      total = -b(1, k)
      scale = 0
      do n = 1, points
        term = weight(n) * field(n, k)
        total = total + term
        scale = scale + abs(term)
      end do
      most = max(most, abs(total) / scale)
    end do
    most = most / eps
  end function heat

  subroutine row(name, field)
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: field(:, :)
    character(len=28) :: label
    label = name
    print '(a, f9.3, 3i19)', label, 100 * relative(field), int(wall(field, 1) + 0.5_real64, int64), &
      int(wall(field, 2) + 0.5_real64, int64), int(heat(field) + 0.5_real64, int64)
  end subroutine row

  subroutine mix_all(field)
    real(real64), intent(in) :: field(:, :)
    integer :: n, k
    do n = 1, points
      do k = 1, times
        call mix(bits, field(n, k))
      end do
    end do
  end subroutine mix_all

  ! Rows of the laws: heat at each time, then the left wall, then the right one.
  subroutine make_laws(laws)
    type(pcml_projector), intent(inout) :: laws
    type(pcml_constraints) :: constraints
    real(real64), target :: weights(points, times)
    integer :: n, k
    call constraints%create(cells)
    do k = 1, times
      weights = 0
      weights(:, k) = [(weight(n), n=1, points)]
      call constraints%add_row(pcml_in(weights), 0.0_real64)
    end do
    call constraints%add_stencils(times, left, nodes_of(0, left), left_stencil / h, 1, 0.0_real64)
    call constraints%add_stencils(times, right, nodes_of(points - right, right), right_stencil / h, 1, 0.0_real64)
    call laws%create(constraints, PCML_PRIOR_IDENTITY)
    call constraints%free()
  end subroutine make_laws

  ! Cells count from 0, time after time at a point, then the next point.
  function nodes_of(first, width) result(list)
    integer, intent(in) :: first, width
    integer(int64) :: list(times * width)
    integer :: n, k
    list = [((int((first + n) * times + k, int64), n=0, width - 1), k=0, times - 1)]
  end function nodes_of

end program insulated
