! One plan and one projector for all threads, a workspace for each: the bits of one thread.
program threads
  use pcml
  use testing
  implicit none
  integer, parameter :: most = 8, points = 6, targets = 8
  integer :: calls, wrong, thread, call_number
  character(len=20) :: argument
  type(pcml_options) :: options
  type(pcml_model) :: model
  type(pcml_plan) :: plan
  type(pcml_projector) :: projector
  type(pcml_workspace) :: plans(0:most), projections(0:most), bounded
  real(c_double), target :: x(points, 1), y(points, 1), at(targets, 1), b(1)
  real(c_double), target :: mean(targets, 1), lawful(targets), serial(targets)
  integer :: i

  call get_command_argument(1, argument)
  read (argument, *) calls
  x(:, 1) = [(0.2_c_double * i, i=1, points)]
  y(:, 1) = sin(3 * x(:, 1))
  at(:, 1) = [(0.15_c_double * i, i=1, targets)]
  b = 2

  call options%create()
  call options%set_length_scales([0.4_c_double])
  call options%set_noise_variance(1e-4_c_double)
  call options%set_context(points)
  call options%set_targets(targets)
  call model%gaussian_process(PCML_KERNEL_MATERN52, 1, 1, options)
  call plan%create(model, PCML_DTYPE_F64, options)
  call make_sum_projector(targets, 1, projector, projections(0), bounded)
  do i = 0, most
    call plan%workspace(plans(i))
    call plan%condition(plans(i), pcml_in(x), pcml_in(y))
    call projector%workspace(1, projections(i))
  end do

  call predict(0, mean, serial)
  wrong = 0
  !$omp parallel do num_threads(most) schedule(static, 1) private(call_number, mean, lawful) reduction(+:wrong)
  do thread = 1, most
    do call_number = 1, calls
      call predict(thread, mean, lawful)
      if (.not. all(same(lawful, serial))) wrong = wrong + 1
    end do
  end do
  !$omp end parallel do
  call expect(wrong == 0, "threads have the bits of one")

  do i = 0, most
    call plans(i)%free()
    call projections(i)%free()
  end do
  call bounded%free()
  call projector%free()
  call plan%free()
  call model%free()
  call options%free()
  call finish()

contains

  subroutine predict(own, mean, lawful)
    integer, intent(in) :: own
    real(c_double), intent(inout), target :: mean(:, :), lawful(:)
    call plan%query(plans(own), pcml_in(at), pcml_out(mean))
    call projector%project(projections(own), mean(:, 1), b, lawful)
  end subroutine predict

end program threads
