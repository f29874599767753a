! A perceptron 60-128-128-60 with ReLU as a Fortran code writes it: matmul of packed columns. Called by mlp.c.
module perceptron
  use, intrinsic :: iso_c_binding, only: c_float, c_int64_t
  implicit none
  private
  public :: perceptron_prepare, perceptron_predict
  integer, parameter :: width = 60, hidden = 128
  real(c_float) :: w1(hidden, width), w2(hidden, hidden), w3(width, hidden), b1(hidden), b2(hidden), b3(width)
  real(c_float), allocatable :: h1(:, :), h2(:, :)
  integer :: columns

contains

  !> Weights one after the other, for each layer the matrix and the bias.
  subroutine perceptron_prepare(n, weights) bind(c)
    integer(c_int64_t), value :: n
    real(c_float), intent(in) :: weights(*)
    integer :: at
    at = 0
    call take(w1, size(w1)); call take(b1, size(b1))
    call take(w2, size(w2)); call take(b2, size(b2))
    call take(w3, size(w3)); call take(b3, size(b3))
    columns = int(n)
    if (allocated(h1)) deallocate (h1, h2)
    allocate (h1(hidden, columns), h2(hidden, columns))
  contains
    subroutine take(to, count)
      integer, intent(in) :: count
      real(c_float), intent(out) :: to(count)
      to = weights(at + 1:at + count)
      at = at + count
    end subroutine
  end subroutine

  subroutine perceptron_predict(x, y) bind(c)
    real(c_float), intent(in) :: x(width, columns)
    real(c_float), intent(inout) :: y(width, columns)
    integer :: column
    h1 = matmul(w1, x)
    do column = 1, columns
      h1(:, column) = max(h1(:, column) + b1, 0.0)
    end do
    h2 = matmul(w2, h1)
    do column = 1, columns
      h2(:, column) = max(h2(:, column) + b2, 0.0)
    end do
    y = matmul(w3, h2)
    do column = 1, columns
      y(:, column) = y(:, column) + b3
    end do
  end subroutine
end module
