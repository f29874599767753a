//! Cholesky factors of banded matrices, entry `(d, i)` at `d n + i`: row `i + d`, column `i`.

/// Cholesky of a banded matrix in place; the first cell without a positive pivot, if any.
pub(super) fn factor_band(a: &mut [f64], n: usize, w: usize) -> Option<usize> {
    for j in 0..n {
        let pivot = a[j];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Some(j);
        }
        let root = pivot.sqrt();
        a[j] = root;
        let reach = w.min(n - 1 - j);
        for d in 1..=reach {
            a[d * n + j] /= root;
        }
        for p in 1..=reach {
            let l = a[p * n + j];
            for q in p..=reach {
                a[(q - p) * n + j + p] -= l * a[q * n + j];
            }
        }
    }
    None
}

/// Solves `L L' x = x` for `m` right-hand sides side by side.
pub(super) fn solve_band(l: &[f64], n: usize, w: usize, x: &mut [f64], m: usize) {
    for j in 0..n {
        let (done, rest) = x[j * m..].split_at_mut(m);
        done.iter_mut().for_each(|x| *x /= l[j]);
        for d in 1..=w.min(n - 1 - j) {
            let entry = l[d * n + j];
            rest[(d - 1) * m..d * m].iter_mut().zip(&*done).for_each(|(r, x)| *r -= entry * x);
        }
    }
    backward_band(l, n, w, x, m);
}

/// Solves `L' x = x`.
pub(super) fn backward_band(l: &[f64], n: usize, w: usize, x: &mut [f64], m: usize) {
    for j in (0..n).rev() {
        let (own, rest) = x[j * m..].split_at_mut(m);
        for d in 1..=w.min(n - 1 - j) {
            let entry = l[d * n + j];
            own.iter_mut().zip(&rest[(d - 1) * m..d * m]).for_each(|(x, r)| *x -= entry * r);
        }
        own.iter_mut().for_each(|x| *x /= l[j]);
    }
}
