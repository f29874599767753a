//! Derivatives of bounded and nonlinear projections against differences, and against each other.

#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/views.rs"]
mod views;

use lcg::step;
use pcml::View;
use pcml::constraint::{
    Bounded, Bounds, Constraints, Direction, Method, NonlinearScratch, Policy, Prior, Projector, ProjectorOptions,
    Tangent,
};
use pcml::error::Status;
use proptest::prelude::*;
use views::{view, view_mut};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        (step(&mut self.0) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn list(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| low + (high - low) * self.next()).collect()
    }
}

/// Inputs, or a direction: mean, variances, right-hand sides.
#[derive(Clone)]
struct Point {
    mean: Vec<f64>,
    variance: Vec<f64>,
    b: Vec<f64>,
}

impl Point {
    fn moved(&self, by: &Point, h: f64) -> Point {
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + h * b).collect();
        Point { mean: add(&self.mean, &by.mean), variance: add(&self.variance, &by.variance), b: add(&self.b, &by.b) }
    }

    fn direction(&self, random: &mut Random) -> Point {
        Point {
            mean: random.list(self.mean.len(), -1.0, 1.0),
            variance: random.list(self.variance.len(), -0.2, 0.2),
            b: random.list(self.b.len(), -1.0, 1.0),
        }
    }

    fn tangent(&self) -> Tangent<View<'_>> {
        Tangent { mean: Some(view(&self.mean)), variance: Some(view(&self.variance)), b: Some(view(&self.b)) }
    }
}

/// A projection as a function of its point.
trait Map {
    fn value(&mut self, at: &Point) -> Vec<f64>;
    fn jvp(&mut self, at: &Point, along: &Point) -> Vec<f64>;
    fn vjp(&mut self, at: &Point, cotangent: &[f64]) -> Point;
    /// Points with equal marks have the same cells at bounds.
    fn mark(&self, u: &[f64]) -> Vec<i8>;
}

struct Within {
    projector: Projector,
    bounded: Bounded,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Sets' cells are compared by which are 0 or equal to the one before them.
    sets: bool,
}

impl Within {
    fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        (self.lower.clone(), self.upper.clone())
    }
}

impl Map for Within {
    fn value(&mut self, at: &Point) -> Vec<f64> {
        let (lower, upper) = self.bounds();
        let mut u = vec![0.0; at.mean.len()];
        let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
        let (p, w) = (&self.projector, &mut self.bounded);
        p.project_bounded(w, view(&at.mean), Some(view(&at.variance)), view(&at.b), bounds, view_mut(&mut u), None)
            .unwrap();
        u
    }

    fn jvp(&mut self, at: &Point, along: &Point) -> Vec<f64> {
        let (lower, upper) = self.bounds();
        let mut du = vec![f64::NAN; at.mean.len()];
        let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
        let (p, w) = (&self.projector, &mut self.bounded);
        let (mean, variance, b) = (view(&at.mean), Some(view(&at.variance)), view(&at.b));
        p.jvp_bounded(w, mean, variance, b, bounds, along.tangent(), view_mut(&mut du)).unwrap();
        du
    }

    fn vjp(&mut self, at: &Point, cotangent: &[f64]) -> Point {
        let (lower, upper) = self.bounds();
        let mut g = at.clone();
        let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
        let (p, w) = (&self.projector, &mut self.bounded);
        let (mean, variance, b) = (view(&at.mean), Some(view(&at.variance)), view(&at.b));
        let gradient = Tangent {
            mean: Some(view_mut(&mut g.mean)),
            variance: Some(view_mut(&mut g.variance)),
            b: Some(view_mut(&mut g.b)),
        };
        p.vjp_bounded(w, mean, variance, b, bounds, view(cotangent), gradient).unwrap();
        g
    }

    fn mark(&self, u: &[f64]) -> Vec<i8> {
        (0..u.len())
            .map(|i| {
                if self.sets {
                    i8::from(u[i] == 0.0) + 2 * i8::from(i > 0 && u[i] == u[i - 1])
                } else {
                    i8::from(u[i] == self.lower[i]) + 2 * i8::from(u[i] == self.upper[i])
                }
            })
            .collect()
    }
}

struct Invariant {
    projector: Projector,
    scratch: NonlinearScratch,
    rows: usize,
}

impl Invariant {
    fn project(&mut self, at: &Point, u: &mut [f64]) -> pcml::error::Result<()> {
        let (b, levels) = at.b.split_at(self.rows);
        let b = (self.rows > 0).then(|| view(b));
        let (p, w) = (&self.projector, &mut self.scratch);
        p.project_nonlinear(w, view(&at.mean), Some(view(&at.variance)), b, view(levels), view_mut(u), None)
    }
}

impl Map for Invariant {
    fn value(&mut self, at: &Point) -> Vec<f64> {
        let mut u = vec![0.0; at.mean.len()];
        self.project(at, &mut u).unwrap();
        u
    }

    fn jvp(&mut self, at: &Point, along: &Point) -> Vec<f64> {
        let mut du = vec![f64::NAN; at.mean.len()];
        let (b, levels) = at.b.split_at(self.rows);
        let b = (self.rows > 0).then(|| view(b));
        let (p, w) = (&self.projector, &mut self.scratch);
        let (mean, variance) = (view(&at.mean), Some(view(&at.variance)));
        p.jvp_nonlinear(w, mean, variance, b, view(levels), along.tangent(), view_mut(&mut du)).unwrap();
        du
    }

    fn vjp(&mut self, at: &Point, cotangent: &[f64]) -> Point {
        let mut g = at.clone();
        let (b, levels) = at.b.split_at(self.rows);
        let b = (self.rows > 0).then(|| view(b));
        let (p, w) = (&self.projector, &mut self.scratch);
        let gradient = Tangent {
            mean: Some(view_mut(&mut g.mean)),
            variance: Some(view_mut(&mut g.variance)),
            b: Some(view_mut(&mut g.b)),
        };
        let (mean, variance) = (view(&at.mean), Some(view(&at.variance)));
        p.vjp_nonlinear(w, mean, variance, b, view(levels), view(cotangent), gradient).unwrap();
        g
    }

    fn mark(&self, _: &[f64]) -> Vec<i8> {
        Vec::new()
    }
}

/// The transpose to rounding, and the difference quotient where no cell reaches or leaves a bound on the way.
fn check(map: &mut dyn Map, at: &Point, random: &mut Random) {
    let along = at.direction(random);
    let cotangent = random.list(at.mean.len(), -1.0, 1.0);
    let du = map.jvp(at, &along);
    let g = map.vjp(at, &cotangent);
    let forward = dot(&du, &cotangent);
    let backward = dot(&g.mean, &along.mean) + dot(&g.variance, &along.variance) + dot(&g.b, &along.b);
    let size = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum::<f64>();
    let scale =
        size(&du, &cotangent) + size(&g.mean, &along.mean) + size(&g.variance, &along.variance) + size(&g.b, &along.b);
    assert!((forward - backward).abs() <= 1e-10 * scale, "{forward:e} is not {backward:e} of {scale:e}");

    let h = 1e-6;
    let (before, after) = (map.value(&at.moved(&along, -h)), map.value(&at.moved(&along, h)));
    let here = map.value(at);
    if map.mark(&before) == map.mark(&here) && map.mark(&after) == map.mark(&here) {
        let most = du.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for (cell, d) in du.iter().enumerate() {
            let found = (after[cell] - before[cell]) / (2.0 * h);
            assert!((found - d).abs() <= 2e-5 * most, "cell {cell}: derivative {d:e}, difference {found:e}, {most:e}");
        }
    }
}

fn projector(n: usize, rows: &[Vec<f64>], noise: f64, build: impl Fn(&mut Constraints)) -> Projector {
    let mut c = Constraints::new(n).unwrap();
    rows.iter().for_each(|g| c.add_row(view(g), noise).unwrap());
    build(&mut c);
    Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn within_bounds(n in 2..60usize, m in 1..4usize, soft in any::<bool>(), seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let m = m.min(n / 2).max(1);
        let rows: Vec<_> = (0..m).map(|k| random.list(n, if k == 0 { 0.2 } else { -1.0 }, 1.0)).collect();
        let inside = random.list(n, 0.1, 0.9);
        let at = Point {
            mean: random.list(n, -0.6, 1.6),
            variance: random.list(n, 0.5, 2.0),
            b: rows.iter().map(|g| dot(g, &inside)).collect(),
        };
        let projector = projector(n, &rows, if soft { 0.3 } else { 0.0 }, |_| ());
        let bounded = projector.bounded(1).unwrap();
        let mut map = Within { projector, bounded, lower: vec![0.0; n], upper: vec![1.0; n], sets: false };
        check(&mut map, &at, &mut random);
    }

    #[test]
    fn clipped_and_spread(n in 1..60usize, seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let rows = [random.list(n, -1.0, 1.0)];
        let inside = random.list(n, 0.1, 0.9);
        let at =
            Point { mean: random.list(n, -0.6, 1.6), variance: random.list(n, 0.5, 2.0), b: vec![dot(&rows[0], &inside)] };
        let projector = projector(n, &rows, 0.0, |c| c.set_bounds(Method::Spread, Policy::Refuse));
        let bounded = projector.bounded(1).unwrap();
        let mut map = Within { projector, bounded, lower: vec![0.0; n], upper: vec![1.0; n], sets: false };
        check(&mut map, &at, &mut random);
    }

    #[test]
    fn on_simplices_and_monotone_runs(points in 1..12usize, run in 2..20usize, seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let (first, n) = (3 * points, 3 * points + run);
        // The mass of one component, and a sum over the run.
        let mut rows = vec![vec![0.0; n], vec![0.0; n]];
        rows[0][..points].copy_from_slice(&random.list(points, 0.5, 1.0));
        rows[1][first..].copy_from_slice(&random.list(run, 0.5, 1.0));
        let share = random.list(points, 0.2, 0.7);
        let at = Point {
            mean: random.list(n, -0.3, 1.0),
            variance: random.list(n, 0.5, 2.0),
            b: vec![dot(&rows[0][..points], &share), random.next() * run as f64],
        };
        let projector = projector(n, &rows, 0.0, |c| {
            c.add_simplex(0, 3, points, 1.0).unwrap();
            c.add_monotone(first, run, Direction::Increasing).unwrap();
        });
        let bounded = projector.bounded(1).unwrap();
        let none = (vec![f64::NEG_INFINITY; n], vec![f64::INFINITY; n]);
        let mut map = Within { projector, bounded, lower: none.0, upper: none.1, sets: true };
        check(&mut map, &at, &mut random);
    }

    #[test]
    fn with_invariants(n in 4..40usize, rows in 0..2usize, products in any::<bool>(), seed in any::<u64>()) {
        let mut random = Random(seed | 1);
        let n = n & !1;
        let g: Vec<_> = (0..rows).map(|_| random.list(n, 0.2, 1.0)).collect();
        let weights = random.list(n, 0.5, 1.0);
        let projector = projector(n, &g, 0.0, |c| {
            c.add_energy(view(&weights)).unwrap();
            if products {
                let (i, j): (Vec<i64>, Vec<i64>) = (0..n as i64 / 2).map(|k| (k, k + n as i64 / 2)).unzip();
                c.add_quadratic(&i, &j, &weights[..n / 2]).unwrap();
            }
        });
        let mean = random.list(n, 0.5, 1.5);
        // Reached by a near state.
        let near: Vec<f64> = mean.iter().map(|u| u * (1.0 + 0.05 * random.next())).collect();
        let mut b: Vec<f64> = g.iter().map(|g| dot(g, &near)).collect();
        b.push(near.iter().zip(&weights).map(|(u, w)| w * u * u).sum());
        if products {
            b.push((0..n / 2).map(|k| weights[k] * near[k] * near[k + n / 2]).sum());
        }
        let at = Point { mean, variance: random.list(n, 0.5, 2.0), b };
        let scratch = projector.nonlinear_scratch(1).unwrap();
        let mut map = Invariant { projector, scratch, rows };
        // See `three_laws_on_four_cells_may_be_refused`.
        let refused = matches!(map.project(&at, &mut vec![0.0; n]), Err(e) if e.status() == Status::NotConverged);
        prop_assume!(!refused || n > rows + 2 + usize::from(products));
        check(&mut map, &at, &mut random);
    }
}

/// The nearest state has a Lagrangian that is not convex along the row (its Hessian has the eigenvalue -0.16 there), which no multipliers
/// of the dual reach: a refusal that changes nothing.
#[test]
fn three_laws_on_four_cells_may_be_refused() {
    let row = [0.2176673675768516, 0.25634204841368846, 0.5735712865381046, 0.5208966805503407];
    let weights = [0.9746031502307271, 0.9632566009338417, 0.6443045460883088, 0.5819644987039213];
    let near = [0.6681982083871547, 0.7816891596367651, 0.8801319600443231, 1.0501413924733218];
    let projector = projector(4, &[row.to_vec()], 0.0, |c| {
        c.add_energy(view(&weights)).unwrap();
        c.add_quadratic(&[0, 1], &[2, 3], &weights[..2]).unwrap();
    });
    let energy = near.iter().zip(&weights).map(|(u, w)| w * u * u).sum();
    let product = weights[0] * near[0] * near[2] + weights[1] * near[1] * near[3];
    let at = Point {
        mean: vec![0.638758711117245, 0.7784356561008231, 0.8582733579607081, 1.0467150154576146],
        variance: vec![1.5013141067931244, 0.5326480839745681, 0.7347796681245832, 1.328118243823606],
        b: vec![dot(&row, &near), energy, product],
    };
    let scratch = projector.nonlinear_scratch(1).unwrap();
    let mut u = [7.0; 4];
    let error = Invariant { projector, scratch, rows: 1 }.project(&at, &mut u).unwrap_err();
    assert_eq!((error.status(), u), (Status::NotConverged, [7.0; 4]));
}

#[test]
fn bounds_that_yielded_have_no_derivative() {
    let p = projector(2, &[vec![1.0, 1.0]], 0.0, |c| c.set_bounds(Method::Nearest, Policy::RelaxLeast));
    let mut bounded = p.bounded(1).unwrap();
    let (lower, upper, mean) = ([0.0; 2], [1.0; 2], [0.5; 2]);
    let mut du = [7.0; 2];
    let bounds = Bounds { lower: Some(view(&lower)), upper: Some(view(&upper)) };
    let tangent = Tangent { mean: Some(view(&mean)), variance: None, b: None };
    let error = p
        .jvp_bounded(&mut bounded, view(&mean), Some(view(&[1.0; 2])), view(&[3.0]), bounds, tangent, view_mut(&mut du))
        .unwrap_err();
    assert_eq!((error.status(), du), (Status::State, [7.0; 2]));
    assert!(error.message().contains("bounds had to yield"), "{}", error.message());
}
