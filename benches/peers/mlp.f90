! A perceptron 60-128-128-60 with ReLU as a Fortran code writes it: matmul of packed columns. Prints seconds a call for each batch.
program perceptron
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  implicit none
  integer, parameter :: batches(5) = [1, 16, 256, 4096, 65536]
  real(real32) :: w1(128, 60), w2(128, 128), w3(60, 128), b1(128), b2(128), b3(60)
  real(real32), allocatable :: x(:, :), h1(:, :), h2(:, :), y(:, :)
  real(real64) :: times(15)
  integer(int64) :: start, finish, rate
  integer :: i, k, n, calls, at
  real(real32) :: total

  call random_number(w1); call random_number(w2); call random_number(w3)
  call random_number(b1); call random_number(b2); call random_number(b3)
  w1 = (w1 - 0.5) / 8; w2 = (w2 - 0.5) / 8; w3 = (w3 - 0.5) / 8
  total = 0
  do i = 1, size(batches)
    n = batches(i)
    allocate(x(60, n), h1(128, n), h2(128, n), y(60, n))
    call random_number(x)
    calls = max(1, 200000 / (n + 20))
    do k = 1, size(times)
      call system_clock(start, rate)
      do at = 1, calls
        call predict(x, h1, h2, y)
        total = total + y(1, 1)
      end do
      call system_clock(finish)
      times(k) = real(finish - start, real64) / real(rate, real64) / calls
    end do
    print '(i0, 1x, es14.6)', n, median(times)
    deallocate(x, h1, h2, y)
  end do
  if (total /= total) stop 1

contains

  subroutine predict(x, h1, h2, y)
    real(real32), intent(in) :: x(:, :)
    real(real32), intent(inout) :: h1(:, :), h2(:, :), y(:, :)
    integer :: column
    h1 = matmul(w1, x)
    do column = 1, size(x, 2)
      h1(:, column) = max(h1(:, column) + b1, 0.0)
    end do
    h2 = matmul(w2, h1)
    do column = 1, size(x, 2)
      h2(:, column) = max(h2(:, column) + b2, 0.0)
    end do
    y = matmul(w3, h2)
    do column = 1, size(x, 2)
      y(:, column) = y(:, column) + b3
    end do
  end subroutine

  real(real64) function median(values)
    real(real64), intent(in) :: values(:)
    real(real64) :: sorted(size(values)), held
    integer :: a, b
    sorted = values
    do a = 2, size(sorted)
      held = sorted(a)
      b = a - 1
      do while (b >= 1)
        if (sorted(b) <= held) exit
        sorted(b + 1) = sorted(b)
        b = b - 1
      end do
      sorted(b + 1) = held
    end do
    median = sorted((size(sorted) + 1) / 2)
  end function
end program
