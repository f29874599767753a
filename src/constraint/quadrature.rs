use super::arrays::read_or_zero;
use crate::error::{Result, fail, zeros};
use crate::field::Layout;
use crate::kernels::strided::View;

/// A quadrature rule: which weights turn cell values at points `x_0 < ... < x_(n-1)` into the integral over `[x_0, x_(n-1)]`.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Half of both neighbouring spacings.
    Trapezoid = 1,
    /// The spacing to the right; the last point has weight 0.
    Left = 2,
    /// The spacing to the left; the first point has weight 0.
    Right = 3,
    /// Parabolas over pairs of intervals of any spacing. With an even number of points the last interval takes the parabola
    /// through the last three points (Cartwright 2017); two points are the trapezoid.
    Simpson = 4,
}

impl Rule {
    fn weights(self, x: &[f64], w: &mut [f64]) {
        let n = x.len();
        let step = |i: usize| x[i + 1] - x[i];
        match self {
            Rule::Trapezoid => {
                for i in 0..n - 1 {
                    w[i] += 0.5 * step(i);
                    w[i + 1] += 0.5 * step(i);
                }
            }
            Rule::Left => (0..n - 1).for_each(|i| w[i] = step(i)),
            Rule::Right => (0..n - 1).for_each(|i| w[i + 1] = step(i)),
            Rule::Simpson if n == 2 => Rule::Trapezoid.weights(x, w),
            Rule::Simpson => {
                for i in (0..n - 2).step_by(2) {
                    let (h, k) = (step(i), step(i + 1));
                    let sixth = (h + k) / 6.0;
                    w[i] += sixth * (2.0 - k / h);
                    w[i + 1] += sixth * ((h + k) / h) * ((h + k) / k);
                    w[i + 2] += sixth * (2.0 - h / k);
                }
                if n.is_multiple_of(2) {
                    let (h, k) = (step(n - 3), step(n - 2));
                    w[n - 1] += k * (2.0 * k + 3.0 * h) / (6.0 * (h + k));
                    w[n - 2] += k * (k + 3.0 * h) / (6.0 * h);
                    w[n - 3] -= k * (k / h) * (k / (h + k)) / 6.0;
                }
            }
        }
    }
}

pub(super) fn read(name: &str, view: &View, count: usize) -> Result<Vec<f64>> {
    let mut values = zeros(count, name)?;
    read_or_zero(Some(view), name, &mut values)?;
    Ok(values)
}

/// What explains equal values to a host that left strides out: they are 0 then, which is a scalar repeated.
pub(super) fn repeated(layout: &Layout) -> &'static str {
    match layout.len() > 1 && layout.strides().iter().all(|&s| s == 0) {
        true => " (its strides are all 0, so every element is the first)",
        false => "",
    }
}

/// Strictly increasing coordinates.
pub(super) fn coordinates(name: &str, points: &View, count: usize) -> Result<Vec<f64>> {
    let x = read(name, points, count)?;
    match (1..x.len()).find(|&i| x[i] <= x[i - 1]) {
        None => Ok(x),
        Some(i) => {
            let (now, before, why) = (x[i], x[i - 1], repeated(points.layout()));
            fail!(NotSorted, "{name}[{i}] is {now:e} after {before:e}, expected strictly increasing points{why}")
        }
    }
}

pub(super) fn quadrature(name: &str, rule: Rule, x: &[f64]) -> Result<Vec<f64>> {
    if x.len() < 2 {
        return fail!(Shape, "{name} has 1 element, expected at least 2 for a quadrature");
    }
    let mut weights = zeros(x.len(), "quadrature weights")?;
    rule.weights(x, &mut weights);
    if let Some(i) = weights.iter().position(|w| !w.is_finite()) {
        return fail!(NonFinite, "{name}: the spacing around {name}[{i}] overflows its weight");
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Constraints;
    use proptest::prelude::*;

    fn weights(rule: Rule, x: &[f64]) -> Vec<f64> {
        let mut c = Constraints::new(x.len()).unwrap();
        c.add_quadrature(rule, View::new("points", x, &[x.len()]).unwrap(), 0.0).unwrap();
        c.rows().row(0).weights.to_vec()
    }

    fn apply(w: &[f64], x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
        w.iter().zip(x).map(|(w, &x)| w * f(x)).sum()
    }

    /// Weights over [a, b] of the parabola through three points, from its moments: an independent route.
    fn parabola(p: [f64; 3], a: f64, b: f64) -> [f64; 3] {
        std::array::from_fn(|i| {
            let (j, k) = ((i + 1) % 3, (i + 2) % 3);
            let primitive = |x: f64| x * x * x / 3.0 - (p[j] + p[k]) * x * x / 2.0 + p[j] * p[k] * x;
            (primitive(b) - primitive(a)) / ((p[i] - p[j]) * (p[i] - p[k]))
        })
    }

    fn points(steps: &[f64]) -> Vec<f64> {
        let mut x = vec![-0.5];
        for h in steps {
            x.push(x[x.len() - 1] + h);
        }
        x
    }

    #[test]
    fn textbook_weights() {
        let x = [0.0, 1.0, 3.0];
        assert_eq!(weights(Rule::Trapezoid, &x), [0.5, 1.5, 1.0]);
        assert_eq!(weights(Rule::Left, &x), [1.0, 2.0, 0.0]);
        assert_eq!(weights(Rule::Right, &x), [0.0, 1.0, 2.0]);
        assert_eq!(weights(Rule::Simpson, &x[..2]), [0.5, 0.5]);
        let simpson = weights(Rule::Simpson, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        for (w, e) in simpson.iter().zip([1.0, 4.0, 2.0, 4.0, 1.0]) {
            assert!((w - e / 3.0).abs() < 1e-15);
        }
    }

    #[test]
    fn simpson_is_exact_for_cubics_on_an_odd_uniform_grid() {
        let x: Vec<f64> = (0..11).map(|i| i as f64 * 0.1).collect();
        let integral = apply(&weights(Rule::Simpson, &x), &x, |x| 4.0 * x * x * x - 3.0 * x * x + 1.0);
        assert!((integral - 1.0).abs() < 1e-14);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn simpson_follows_its_parabolas(steps in prop::collection::vec(0.1f64..2.0, 2..40)) {
            let x = points(&steps);
            let n = x.len();
            let mut expected = vec![0.0; n];
            let mut put = |at: usize, w: [f64; 3]| (0..3).for_each(|k| expected[at + k] += w[k]);
            for i in (0..n - 2).step_by(2) {
                put(i, parabola([x[i], x[i + 1], x[i + 2]], x[i], x[i + 2]));
            }
            if n.is_multiple_of(2) {
                put(n - 3, parabola([x[n - 3], x[n - 2], x[n - 1]], x[n - 2], x[n - 1]));
            }
            let found = weights(Rule::Simpson, &x);
            let reach = x[n - 1].abs() + 1.0;
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((a - b).abs() < 1e-9 * reach.powi(3), "{} {}", a, b);
            }
            let q = |x: f64| x * x - 0.3 * x + 2.0;
            let primitive = |x: f64| x * x * x / 3.0 - 0.15 * x * x + 2.0 * x;
            let exact = primitive(x[n - 1]) - primitive(x[0]);
            prop_assert!((apply(&found, &x, q) - exact).abs() < 1e-11 * exact.abs());
        }

        #[test]
        fn trapezoid_is_exact_for_lines_and_all_rules_for_constants(steps in prop::collection::vec(0.01f64..2.0, 1..40)) {
            let x = points(&steps);
            let (a, b) = (x[0], x[x.len() - 1]);
            let line = apply(&weights(Rule::Trapezoid, &x), &x, |x| 3.0 * x + 1.0);
            prop_assert!((line - (1.5 * (b * b - a * a) + b - a)).abs() < 1e-12 * (1.0 + b * b));
            for rule in [Rule::Trapezoid, Rule::Left, Rule::Right, Rule::Simpson] {
                prop_assert!((apply(&weights(rule, &x), &x, |_| 1.0) - (b - a)).abs() < 1e-12 * (b - a));
            }
        }
    }
}
