//! `L D L'` of a small dense symmetric matrix, in place of its lower triangle, `m` rows of `m` values, with a scale for each row that brings the
//! diagonal near 1. A row that depends on those before it takes no part: its pivot is 0.

use super::system::Number;
use crate::kernels::double::Double;

fn of<T: Number>(x: f64) -> T {
    T::of(Double { high: x, low: 0.0 })
}

/// Row `k` of L and its pivot, the rows before it being there; whether it takes part, which `is_pivot` says of its pivot.
pub(super) fn factor<T: Number>(
    a: &mut [T],
    m: usize,
    scale: &[f64],
    k: usize,
    is_pivot: impl FnOnce(f64) -> bool,
) -> bool {
    for l in 0..k {
        let sum = rest(a, m, scale, k, l);
        let pivot = a[l * m + l];
        a[k * m + l] = if pivot.value() == 0.0 { T::default() } else { sum.over(pivot) };
    }
    let sum = rest(a, m, scale, k, k);
    let takes_part = is_pivot(sum.value());
    a[k * m + k] = if takes_part { sum } else { T::default() };
    takes_part
}

/// What the columns before `l` leave of the scaled value at (k, l).
fn rest<T: Number>(a: &[T], m: usize, scale: &[f64], k: usize, l: usize) -> T {
    let own = a[k * m + l].times(of(scale[k])).times(of(scale[l]));
    (0..l).fold(own, |sum, j| sum.less_product(a[k * m + j].times(a[j * m + j]), a[l * m + j]))
}

/// `x = A^-1 right` of as many rows as x has, 0 for those that take no part.
pub(super) fn solve<T: Number>(a: &[T], m: usize, scale: &[f64], right: &[T], x: &mut [T]) {
    let count = x.len();
    for k in 0..count {
        x[k] = (0..k).fold(right[k].times(of(scale[k])), |sum, j| sum.less_product(a[k * m + j], x[j]));
    }
    let takes_part = |k: usize| a[k * m + k].value() != 0.0;
    for k in 0..count {
        x[k] = if takes_part(k) { x[k].over(a[k * m + k]) } else { T::default() };
    }
    for k in (0..count).rev() {
        let sum = (k + 1..count).fold(x[k], |sum, j| sum.less_product(a[j * m + k], x[j]));
        x[k] = if takes_part(k) { sum } else { T::default() };
    }
    for (x, scale) in x.iter_mut().zip(scale) {
        *x = x.times(of(*scale));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of rank 2: its third row is the sum of the others.
    #[test]
    fn a_dependent_row_takes_no_part() {
        let full = [[4.0, 2.0, 6.0], [2.0, 9.0, 11.0], [6.0, 11.0, 17.0]];
        let mut a: Vec<f64> = full.concat();
        let scale = [0.5, 1.0 / 3.0, 0.25];
        let taken: Vec<bool> = (0..3).map(|k| factor(&mut a, 3, &scale, k, |p| p > 1e-13)).collect();
        assert_eq!(taken, [true, true, false]);
        let (right, mut x) = ([8.0, 13.0, 21.0], [7.0; 3]);
        solve(&a, 3, &scale, &right, &mut x);
        for (row, right) in full.iter().zip(right) {
            let product: f64 = row.iter().zip(x).map(|(a, x)| a * x).sum();
            assert!((product - right).abs() < 1e-12, "{x:?}");
        }
        assert_eq!(x[2], 0.0);
        let mut first = [7.0];
        solve(&a, 3, &scale, &right, &mut first);
        assert!((first[0] - 2.0).abs() < 1e-15);
    }
}
