//! The regularised inverse of a small complex matrix, of which a plan needs one for each frequency along a corrected face.
//!
//! Every step adds a multiple of one row to another, in products and sums that nothing fuses: the bits are the same on every
//! processor.

/// A row of a complex matrix.
#[derive(Clone)]
struct Row {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Row {
    fn zeros(n: usize) -> Row {
        Row { re: vec![0.0; n], im: vec![0.0; n] }
    }

    fn entry(&self, column: usize) -> (f64, f64) {
        (self.re[column], self.im[column])
    }

    fn conjugate(&self, column: usize) -> (f64, f64) {
        (self.re[column], -self.im[column])
    }

    /// Subtracts (re + i im) `other` in the columns before `end`.
    fn subtract(&mut self, (re, im): (f64, f64), other: &Row, end: usize) {
        let own = self.re[..end].iter_mut().zip(&mut self.im[..end]);
        for ((own_re, own_im), (x_re, x_im)) in own.zip(other.re[..end].iter().zip(&other.im[..end])) {
            *own_re -= re * x_re - im * x_im;
            *own_im -= re * x_im + im * x_re;
        }
    }

    fn divide(&mut self, by: f64) {
        self.re.iter_mut().chain(&mut self.im).for_each(|v| *v /= by);
    }
}

/// A square complex matrix.
pub(super) struct Matrix {
    rows: Vec<Row>,
}

impl Matrix {
    /// `entry(row, column)`: (re, im).
    pub fn from_fn(n: usize, entry: impl Fn(usize, usize) -> (f64, f64)) -> Matrix {
        let row = |row| {
            let (re, im) = (0..n).map(|column| entry(row, column)).unzip();
            Row { re, im }
        };
        Matrix { rows: (0..n).map(row).collect() }
    }

    pub fn entry(&self, row: usize, column: usize) -> (f64, f64) {
        self.rows[row].entry(column)
    }

    fn zeros(n: usize) -> Matrix {
        Matrix { rows: vec![Row::zeros(n); n] }
    }

    fn adjoint(&self) -> Matrix {
        Matrix::from_fn(self.rows.len(), |row, column| self.rows[column].conjugate(row))
    }

    /// The lower triangle of K* K.
    fn gram(&self) -> Matrix {
        let mut gram = Matrix::zeros(self.rows.len());
        for row in &self.rows {
            for (i, sum) in gram.rows.iter_mut().enumerate() {
                let (re, im) = row.conjugate(i);
                sum.subtract((-re, -im), row, i + 1);
            }
        }
        gram
    }

    /// L with L L* = this + `shift` I in the lower triangle, of which alone this matrix is read; none unless that is positive definite.
    fn factor(&self, shift: f64) -> Option<Matrix> {
        let mut lower = Matrix { rows: self.rows.clone() };
        for i in 0..lower.rows.len() {
            let (done, rest) = lower.rows.split_at_mut(i);
            let row = &mut rest[0];
            row.re[i] += shift;
            for (j, other) in done.iter().enumerate() {
                // The product of the rows so far, conj(L_j) . L_i, over columns before j.
                let (mut re, mut im) = row.entry(j);
                for k in 0..j {
                    let ((a, b), (c, d)) = (row.entry(k), other.entry(k));
                    re -= a * c + b * d;
                    im -= b * c - a * d;
                }
                (row.re[j], row.im[j]) = (re / other.re[j], im / other.re[j]);
            }
            let squares = row.re[..i].iter().chain(&row.im[..i]).map(|v| v * v);
            let pivot = row.re[i] - squares.sum::<f64>();
            // False for NaN too.
            if !(pivot > 0.0 && pivot < f64::INFINITY) {
                return None;
            }
            (row.re[i], row.im[i]) = (pivot.sqrt(), 0.0);
        }
        Some(lower)
    }

    /// x := (L L*)^-1 x, of which this is L.
    fn solve(&self, x: &mut Matrix) {
        let n = self.rows.len();
        for i in 0..n {
            let (done, rest) = x.rows.split_at_mut(i);
            for (k, other) in done.iter().enumerate() {
                rest[0].subtract(self.rows[i].entry(k), other, n);
            }
            rest[0].divide(self.rows[i].re[i]);
        }
        for i in (0..n).rev() {
            let (before, done) = x.rows.split_at_mut(i + 1);
            for (k, other) in done.iter().enumerate() {
                before[i].subtract(self.rows[i + 1 + k].conjugate(i), other, n);
            }
            before[i].divide(self.rows[i].re[i]);
        }
    }

    /// (K* K + t I)^-1 K* with t = regularisation^2 tr(K* K) / n, and whether the regularisation mattered: whether K has singular values
    /// below the root of t, that is, K* K - t I has negative eigenvalues. Zero for a zero matrix and where an entry is not finite.
    pub fn regularised_inverse(&self, regularisation: f64) -> (Matrix, bool) {
        let n = self.rows.len();
        let gram = self.gram();
        let trace: f64 = (0..n).map(|i| gram.rows[i].re[i]).sum();
        let shift = regularisation * regularisation * trace / n as f64;
        if trace == 0.0 {
            return (Matrix::zeros(n), true);
        }
        let Some(factor) = gram.factor(shift) else {
            return (Matrix::zeros(n), true);
        };
        let mut inverse = self.adjoint();
        factor.solve(&mut inverse);
        (inverse, gram.factor(-shift).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::{Mat, c64};
    use proptest::prelude::*;

    fn reference(k: &Mat<c64>, regularisation: f64) -> (Mat<c64>, bool) {
        let svd = k.svd().unwrap();
        let values: Vec<f64> = svd.S().column_vector().iter().map(|s| s.re).collect();
        let shift = regularisation * regularisation * values.iter().map(|s| s * s).sum::<f64>() / values.len() as f64;
        let inverse = Mat::from_fn(k.nrows(), k.nrows(), |i, j| {
            let term = |(at, s): (usize, &f64)| svd.V()[(i, at)] * svd.U()[(j, at)].conj() * (s / (s * s + shift));
            values.iter().enumerate().map(term).fold(c64::new(0.0, 0.0), |sum, v| sum + v)
        });
        (inverse, values.iter().any(|s| s * s < shift))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn inverts_as_singular_values_do(n in 1usize..24, rank in 1usize..24, seed: u64, exponent in -7.0..4.0f64) {
            let regularisation = exponent.exp();
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
            };
            let mut random = |rows, columns| Mat::from_fn(rows, columns, |_, _| c64::new(next(), next()));
            let k = if rank < n { random(n, rank) * random(rank, n) } else { random(n, n) };
            let (inverse, poor) =
                Matrix::from_fn(n, |i, j| (k[(i, j)].re, k[(i, j)].im)).regularised_inverse(regularisation);
            let (expected, expected_poor) = reference(&k, regularisation);
            let scale = (0..n * n).map(|at| expected[(at / n, at % n)].l1_norm()).fold(0.0, f64::max);
            // K* K + t I has a condition of at most 1 + n / regularisation^2.
            let most = 16.0 * f64::EPSILON * n as f64 * (1.0 + 1.0 / (regularisation * regularisation));
            for (i, j) in (0..n * n).map(|at| (at / n, at % n)) {
                let (re, im) = inverse.entry(i, j);
                let error = (c64::new(re, im) - expected[(i, j)]).l1_norm();
                prop_assert!(error <= most * scale, "{error:e} beside {scale}");
            }
            prop_assert_eq!(poor, expected_poor);
        }
    }

    #[test]
    fn nothing_and_not_a_number_have_the_inverse_zero() {
        for value in [0.0, f64::NAN, f64::INFINITY, 1e200] {
            let (inverse, poor) = Matrix::from_fn(3, |_, _| (value, 0.0)).regularised_inverse(0.01);
            assert!(poor);
            assert!((0..9).all(|at| inverse.entry(at / 3, at % 3) == (0.0, 0.0)));
        }
    }
}
