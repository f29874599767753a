//! The least value of a smooth function within bounds: projected BFGS (Bertsekas, "Projected Newton methods for optimization problems with
//! simple constraints", SIAM J. Control Optim. 20, 1982). For a few dozen variables of order 1, such as logarithms.

/// Largest step of a variable: a factor e in what it is the logarithm of.
const LONGEST: f64 = 1.0;
/// Largest slope along a variable that may move, at the end.
const FLAT: f64 = 1e-7;
/// Decrease beneath which rounding of the function rules.
const STALLED: f64 = 1e-12;
/// Shortest trial step.
const SHORTEST: f64 = 1e-12;

/// Where a search ended.
pub(super) struct Found {
    pub at: Vec<f64>,
    pub value: f64,
    pub iterations: usize,
    pub evaluations: usize,
    /// False: the iterations ran out.
    pub converged: bool,
}

/// Goes down from `start`. `evaluate` gives value and gradient, or None where the function has none, which counts as above all others.
/// None when that is so at the start.
pub(super) fn minimise(
    start: &[f64],
    bounds: &[(f64, f64)],
    most: usize,
    mut evaluate: impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Option<Found> {
    let n = start.len();
    let clip = |x: f64, i: usize| x.clamp(bounds[i].0, bounds[i].1);
    let mut x: Vec<f64> = start.iter().enumerate().map(|(i, x)| clip(*x, i)).collect();
    let (mut value, mut gradient) = evaluate(&x)?;
    let mut found = Found { at: Vec::new(), value, iterations: 0, evaluations: 1, converged: false };
    // The inverse Hessian's estimate; None: the identity, scaled by the first step.
    let mut inverse: Option<Vec<f64>> = None;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    loop {
        let free: Vec<bool> = (0..n)
            .map(|i| !(x[i] <= bounds[i].0 && gradient[i] >= 0.0 || x[i] >= bounds[i].1 && gradient[i] <= 0.0))
            .collect();
        let slope = (0..n).filter(|i| free[*i]).map(|i| gradient[i].abs()).fold(0.0, f64::max);
        found.converged = slope <= FLAT;
        if found.converged || found.iterations == most {
            break;
        }
        found.iterations += 1;
        let mut step: Vec<f64> = (0..n)
            .map(|i| match (&inverse, free[i]) {
                (_, false) => 0.0,
                (None, true) => -gradient[i],
                (Some(h), true) => -(0..n).filter(|j| free[*j]).map(|j| h[i * n + j] * gradient[j]).sum::<f64>(),
            })
            .collect();
        if dot(&step, &gradient) >= 0.0 {
            inverse = None;
            step = (0..n).map(|i| if free[i] { -gradient[i] } else { 0.0 }).collect();
        }
        let longest = step.iter().fold(0f64, |a, s| a.max(s.abs()));
        if longest > LONGEST {
            step.iter_mut().for_each(|s| *s *= LONGEST / longest);
        }
        let mut length = 1.0;
        let accepted = loop {
            let trial: Vec<f64> = (0..n).map(|i| clip(x[i] + length * step[i], i)).collect();
            let moved: Vec<f64> = trial.iter().zip(&x).map(|(a, b)| a - b).collect();
            found.evaluations += 1;
            if let Some((lower, there)) = evaluate(&trial)
                && lower <= value + 1e-4 * dot(&gradient, &moved)
            {
                break Some((trial, moved, lower, there));
            }
            length *= 0.4;
            if length < SHORTEST {
                break None;
            }
        };
        let decrease = accepted.as_ref().map_or(0.0, |(_, _, lower, _)| value - lower);
        if let Some((trial, moved, lower, there)) = accepted {
            let change: Vec<f64> = there.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let curvature = dot(&moved, &change);
            if curvature > 1e-10 * (dot(&moved, &moved) * dot(&change, &change)).sqrt() {
                let h = inverse.get_or_insert_with(|| {
                    let scale = curvature / dot(&change, &change);
                    (0..n * n).map(|k| if k / n == k % n { scale } else { 0.0 }).collect()
                });
                update(h, n, &moved, &change, curvature);
            } else {
                // Bent the wrong way: what was learnt of the curvature does not serve here.
                inverse = None;
            }
            (x, value, gradient) = (trial, lower, there);
        }
        // The steepest way is tried before the search is given up.
        if decrease <= STALLED * (1.0 + value.abs()) && inverse.take().is_none() {
            found.converged = true;
            break;
        }
    }
    (found.at, found.value) = (x, value);
    Some(found)
}

/// H := (I - s y' / y's) H (I - y s' / y's) + s s' / y's.
fn update(h: &mut [f64], n: usize, s: &[f64], y: &[f64], curvature: f64) {
    let hy: Vec<f64> = h.chunks_exact(n).map(|row| row.iter().zip(y).map(|(h, y)| h * y).sum()).collect();
    let yhy: f64 = hy.iter().zip(y).map(|(a, b)| a * b).sum();
    for i in 0..n {
        for j in 0..n {
            h[i * n + j] += (s[i] * s[j] * (1.0 + yhy / curvature) - s[i] * hy[j] - hy[i] * s[j]) / curvature;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley.
    fn valley(x: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        Some((a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b]))
    }

    #[test]
    fn finds_the_bottom_of_a_valley() {
        let found = minimise(&[-1.2, 1.0], &[(-5.0, 5.0); 2], 200, valley).unwrap();
        assert!(found.converged && found.value < 1e-14, "{} after {}", found.value, found.iterations);
    }

    #[test]
    fn stays_within_bounds() {
        let found = minimise(&[-1.2, 1.0], &[(-2.0, 0.5), (-2.0, 2.0)], 200, valley).unwrap();
        assert!(found.converged && found.at[0] == 0.5 && (found.at[1] - 0.25).abs() < 1e-7, "{:?}", found.at);
        let outside = minimise(&[9.0, 9.0], &[(1.0, 1.0), (1.0, 2.0)], 200, valley).unwrap();
        assert!(outside.converged && outside.value < 1e-14);
    }

    #[test]
    fn steps_back_from_where_there_is_no_value() {
        let wall = |x: &[f64]| (x[0] > 0.3).then(|| (x[0] - x[0].ln(), vec![1.0 - 1.0 / x[0]]));
        let found = minimise(&[4.0], &[(-9.0, 9.0)], 100, wall).unwrap();
        assert!(found.converged && (found.at[0] - 1.0).abs() < 1e-5);
        assert!(minimise(&[0.1], &[(-9.0, 9.0)], 100, wall).is_none());
    }
}
