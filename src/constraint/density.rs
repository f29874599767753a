use crate::error::{Result, fail};
use crate::kernels::strided::View;

const BLOCK: usize = 256;

/// Mean over the cells of log N(truth; mean, variance): how probable the truth is under the marginals, in nats a cell.
///
/// The arrays agree in shape, of any rank; dtypes mix. `variance > 0`.
///
/// Errors: Shape, NonFinite (names array and cell, also where the result overflows), Variance. Allocates nothing on success.
pub fn log_density(truth: View, mean: View, variance: View) -> Result<f64> {
    let shape = truth.layout().shape();
    for (name, other) in [("mean", &mean), ("variance", &variance)] {
        if other.layout().shape() != shape {
            return fail!(Shape, "{name} has shape {:?}, expected {shape:?} as truth", other.layout().shape());
        }
    }
    let n = truth.layout().len();
    let (mut t, mut m, mut v) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    let mut total = 0.0;
    for start in (0..n).step_by(BLOCK) {
        let len = BLOCK.min(n - start);
        truth.gather(start, &mut t[..len]);
        mean.gather(start, &mut m[..len]);
        variance.gather(start, &mut v[..len]);
        let mut part = 0.0;
        for i in 0..len {
            for (name, x) in [("truth", t[i]), ("mean", m[i]), ("variance", v[i])] {
                if !x.is_finite() {
                    return fail!(NonFinite, "{name}: cell {} is {x}, expected a finite number", start + i);
                }
            }
            if v[i] <= 0.0 {
                return fail!(Variance, "variance: cell {} is {:e}, expected above 0", start + i, v[i]);
            }
            let error = (t[i] - m[i]) / v[i].sqrt();
            part += error * error + libm::log(v[i]);
        }
        total += part;
    }
    let density = -0.5 * (total / n as f64 + libm::log(std::f64::consts::TAU));
    if !density.is_finite() {
        return fail!(NonFinite, "truth: the density overflows, expected errors below about 1e154 standard deviations");
    }
    Ok(density)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn view(x: &[f64]) -> View<'_> {
        View::new("x", x, &[x.len()]).unwrap()
    }

    #[test]
    fn follows_the_formula() {
        let (t, m, v) = ([1.0, -2.0], [0.5, -2.5], [0.25, 4.0]);
        let one = |i: usize| {
            let d: f64 = t[i] - m[i];
            (-0.5 * d * d / v[i]).exp() / (std::f64::consts::TAU * v[i]).sqrt()
        };
        let expected = 0.5 * (one(0).ln() + one(1).ln());
        assert!((log_density(view(&t), view(&m), view(&v)).unwrap() - expected).abs() < 1e-15);
    }

    #[test]
    fn refuses_what_has_no_density() {
        let status = |t: &[f64], v: &[f64]| log_density(view(t), view(&[0.0; 2]), view(v)).unwrap_err().status();
        assert_eq!(status(&[1.0; 2], &[1.0, 0.0]), Status::Variance);
        assert_eq!(status(&[1.0; 2], &[1.0, f64::NAN]), Status::NonFinite);
        assert_eq!(status(&[1.0; 3], &[1.0; 2]), Status::Shape);
        assert_eq!(status(&[1e300; 2], &[1.0; 2]), Status::NonFinite);
    }
}
