//! The randomized matrix of the constrained density reconstructors of COMPOSE (CEDR; Bradley et al. 2019), as projections.
//!
//! A cell's density times volume `rho` weighs its mixing ratio q in the only row, `sum rho q = b`, b the mass to hold; the prior
//! variance is `1 / rho`, which makes the nearest state that of least change in mass. CEDR's properties become
//!
//! - conservation: the mean's mass is off b, and the row restores it. Where conservation is not asked for, the caller's mean has the
//!   mass b already, and the bounds must not cost it;
//! - shape preservation: bounds `q_min <= q <= q_max` of each cell with [`Policy::Refuse`], which fails where CEDR falls back on its
//!   safety problem, and with [`Policy::RelaxLeast`], which holds the mass all the same;
//! - shape preservation with consistency: the same bounds with [`Policy::RelaxToExtremes`], the safety problem;
//! - consistency alone: the extremes of all cells as everyone's bounds, [`Policy::Refuse`];
//! - non-negativity: lower bounds 0, no upper ones; the nearest state only, as spreading takes finite bounds.
//!
//! The six perturbations: none; the masses permuted; mass added up to half of the room within the cells' bounds, up to the edge of
//! it, to half of the room beyond within the extremes, and up to the edge of that, permuted each time. Every other problem is
//! mirrored, so that lower bounds are reached as well.

#[path = "common/lcg.rs"]
mod lcg;

use lcg::step;
use pcml::constraint::{Bounds, Constraints, Method, Policy, Prior, Projector, ProjectorOptions, Report};
use pcml::error::{Result, Status};
use pcml::field::Element;
use pcml::{View, ViewMut};

trait Stored: Element + PartialOrd + std::fmt::Debug + std::panic::RefUnwindSafe {
    const EPS: f64;
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
}

impl Stored for f64 {
    const EPS: f64 = f64::EPSILON;
    fn of(x: f64) -> f64 {
        x
    }
    fn wide(self) -> f64 {
        self
    }
}

impl Stored for f32 {
    const EPS: f64 = f32::EPSILON as f64;
    fn of(x: f64) -> f32 {
        x as f32
    }
    fn wide(self) -> f64 {
        self as f64
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        (step(&mut self.0) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Problem {
    ConserveShapeConsistent,
    Shape,
    ConserveConsistent,
    Consistent,
    Nonnegative,
    NonnegativeConserve,
}

use Problem::*;

impl Problem {
    const ALL: [Problem; 6] =
        [ConserveShapeConsistent, Shape, ConserveConsistent, Consistent, Nonnegative, NonnegativeConserve];

    fn conserves(self) -> bool {
        matches!(self, ConserveShapeConsistent | ConserveConsistent | NonnegativeConserve)
    }

    fn is_nonnegative(self) -> bool {
        matches!(self, Nonnegative | NonnegativeConserve)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Perturbation {
    Nothing,
    Permuted,
    HalfwayWithin,
    EdgeWithin,
    HalfwayBeyond,
    EdgeBeyond,
}

use Perturbation::*;

impl Perturbation {
    const ALL: [Perturbation; 6] = [Nothing, Permuted, HalfwayWithin, EdgeWithin, HalfwayBeyond, EdgeBeyond];
}

#[derive(Clone, Debug)]
struct Case<T> {
    rho: Vec<f64>,
    v: Vec<f64>,
    q: Vec<T>,
    least: Vec<T>,
    most: Vec<T>,
    b: f64,
}

fn sum_of<T: Stored>(rho: &[f64], q: &[T]) -> f64 {
    residual(rho, q, 0.0).0
}

/// `sum rho q - b` and `sum |rho q|`, products split exactly, in twice the precision.
fn residual<T: Stored>(rho: &[f64], q: &[T], b: f64) -> (f64, f64) {
    let (mut high, mut low, mut scale): (f64, f64, f64) = (-b, 0.0, 0.0);
    for (&g, &q) in rho.iter().zip(q) {
        let x = g * q.wide();
        for x in [x, g.mul_add(q.wide(), -x)] {
            let sum = high + x;
            let (big, small) = if high.abs() >= x.abs() { (high, x) } else { (x, high) };
            low += (big - sum) + small;
            high = sum;
        }
        scale += x.abs();
    }
    (high + low, scale)
}

fn extremes<T: Stored>(c: &Case<T>) -> (T, T) {
    let least = c.least.iter().fold(c.least[0], |m, &x| if x < m { x } else { m });
    let most = c.most.iter().fold(c.most[0], |m, &x| if x > m { x } else { m });
    (least, most)
}

fn case<T: Stored>(n: usize, problem: Problem, perturbation: Perturbation, seed: u64) -> Case<T> {
    let mut random = Random(seed.wrapping_mul(0x9e3779b97f4a7c15) ^ 0x5851f42d4c957f2d);
    random.next();
    let rho: Vec<f64> = (0..n).map(|_| 0.5 + 0.5 * random.next()).collect();
    let v: Vec<f64> = rho.iter().map(|rho| 1.0 / rho).collect();
    let (mut q, mut least, mut most) = (Vec::new(), Vec::new(), Vec::new());
    for (i, rho) in rho.iter().enumerate() {
        if problem.is_nonnegative() {
            let shift = if i % 2 == 0 { 0.75 } else { -0.75 };
            let mass = if perturbation == Nothing { random.next() } else { shift + random.next() };
            least.push(0.0);
            most.push(10.0 / rho);
            q.push(mass / rho);
        } else {
            let low = random.next() - 0.75;
            let high = low + random.next();
            least.push(low);
            most.push(high);
            q.push(low + (high - low) * random.next());
        }
    }
    if seed % 2 == 1 && !problem.is_nonnegative() {
        std::mem::swap(&mut least, &mut most);
        for x in least.iter_mut().chain(&mut most).chain(&mut q) {
            *x = -*x;
        }
    }
    // Rounding keeps the order.
    let stored = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
    let mut c = Case { b: 0.0, q: stored(&q), least: stored(&least), most: stored(&most), rho, v };
    let mirrored = seed % 2 == 1 && !problem.is_nonnegative();
    let mass = sum_of(&c.rho, &c.q);
    let (low, high) = extremes(&c);
    let (full, safe) = if mirrored { (&c.least, low) } else { (&c.most, high) };
    let (full, safe) = (sum_of(&c.rho, full), sum_of(&c.rho, &vec![safe; n]));
    // Short of the edge by what rounding may do to the mass.
    let edge = 1.0 - n as f64 * T::EPS;
    // From the far end back, so that no mass beyond an edge comes of rounding.
    let target = |share: f64| match perturbation {
        Nothing | Permuted => mass,
        HalfwayWithin => full - (1.0 - share * 0.5) * (full - mass),
        EdgeWithin => full - (1.0 - share * edge) * (full - mass),
        HalfwayBeyond => full + share * 0.5 * (safe - full),
        EdgeBeyond => safe - (1.0 - share * edge) * (safe - full),
    };
    c.b = target(if problem.conserves() { 0.9 } else { 1.0 });
    if perturbation == Nothing {
        return c;
    }
    let each = (target(1.0) - mass) / n as f64;
    let mut masses: Vec<f64> = c.q.iter().zip(&c.rho).map(|(q, rho)| rho * q.wide() + each).collect();
    for i in (1..n).rev() {
        masses.swap(i, (random.next() * (i + 1) as f64) as usize);
    }
    c.q = masses.iter().zip(&c.rho).map(|(mass, rho)| T::of(mass / rho)).collect();
    c
}

const UNTOUCHED: f64 = 7.5;

fn run<T: Stored>(
    c: &Case<T>,
    method: Method,
    policy: Policy,
    least: &[T],
    most: Option<&[T]>,
) -> (Result<()>, Vec<T>, Report) {
    fn view<T: Element>(x: &[T]) -> View<'_> {
        View::new("x", x, &[x.len()]).unwrap()
    }
    let n = c.q.len();
    let mut laws = Constraints::new(n).unwrap();
    laws.add_row(view(&c.rho), 0.0).unwrap();
    laws.set_bounds(method, policy);
    let p = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
    let mut u = vec![T::of(UNTOUCHED); n];
    let mut report = p.report(1).unwrap();
    let done = p.project_bounded(
        &mut p.bounded(1).unwrap(),
        view(&c.q),
        Some(view(&c.v)),
        view(&[c.b]),
        Bounds { lower: Some(view(least)), upper: most.map(view) },
        ViewMut::new("u", &mut u, &[n]).unwrap(),
        Some(&mut report),
    );
    (done, u, report)
}

fn holds_mass<T: Stored>(c: &Case<T>, u: &[T]) {
    let (r, scale) = residual(&c.rho, u, c.b);
    assert!(r.abs() <= 4.0 * T::EPS * scale, "mass is off by {r:e} of {scale:e}");
}

fn lies_within<T: Stored>(u: &[T], least: &[T], most: &[T]) {
    for (i, u) in u.iter().enumerate() {
        assert!(*u >= least[i] && *u <= most[i], "cell {i}: {u:?} outside of {:?} to {:?}", least[i], most[i]);
    }
}

fn is_refused<T: Stored>(done: Result<()>, u: &[T]) {
    let status = done.err().map(|e| e.status());
    assert_eq!(status, Some(Status::Infeasible));
    assert!(u.iter().all(|u| *u == T::of(UNTOUCHED)), "a refused call wrote");
}

fn check<T: Stored>(c: &Case<T>, problem: Problem, perturbation: Perturbation, method: Method) {
    let n = c.q.len();
    let (low, high) = extremes(c);
    let (lows, highs) = (vec![low; n], vec![high; n]);
    // One cell's bounds are the extremes: there is nothing beyond them.
    let fits = n == 1 || !matches!(perturbation, HalfwayBeyond | EdgeBeyond);
    let (u, report) = match problem {
        Nonnegative | NonnegativeConserve => {
            let zeros = vec![T::of(0.0); n];
            let (done, u, report) = run(c, method, Policy::Refuse, &zeros, None);
            done.unwrap();
            assert!(u.iter().all(|u| *u >= T::of(0.0)));
            (u, report)
        }
        ConserveConsistent | Consistent => {
            let (done, u, report) = run(c, method, Policy::Refuse, &lows, Some(&highs));
            done.unwrap();
            lies_within(&u, &lows, &highs);
            (u, report)
        }
        ConserveShapeConsistent => {
            let (done, u, report) = run(c, method, Policy::RelaxToExtremes, &c.least, Some(&c.most));
            done.unwrap();
            let of = report.slices()[0];
            assert_eq!(of.relaxed == 0, fits, "{} relaxed", of.relaxed);
            if fits {
                lies_within(&u, &c.least, &c.most);
            } else {
                lies_within(&u, &lows, &highs);
                is_refused_alone(c, method);
            }
            (u, report)
        }
        Shape if fits => {
            let (done, u, report) = run(c, method, Policy::Refuse, &c.least, Some(&c.most));
            done.unwrap();
            lies_within(&u, &c.least, &c.most);
            (u, report)
        }
        Shape => {
            is_refused_alone(c, method);
            let (done, u, report) = run(c, method, Policy::RelaxLeast, &c.least, Some(&c.most));
            done.unwrap();
            let of = report.slices()[0];
            assert!(of.relaxed > 0 && of.relaxation > 0.0);
            // All leave their bounds to the same side, none short of its bound on the other.
            let raised = u.iter().zip(&c.most).all(|(u, most)| u >= most);
            assert!(raised || u.iter().zip(&c.least).all(|(u, least)| u <= least));
            (u, report)
        }
    };
    holds_mass(c, &u);
    if perturbation == Nothing {
        assert!(report.slices()[0].unchanged && u == c.q, "nothing had to change");
    }
}

fn is_refused_alone<T: Stored>(c: &Case<T>, method: Method) {
    let (done, u, _) = run(c, method, Policy::Refuse, &c.least, Some(&c.most));
    is_refused(done, &u);
}

const SIZES: [(usize, u64); 5] = [(1, 24), (11, 24), (111, 16), (1111, 6), (11111, 2)];

fn matrix<T: Stored>(method: Method) {
    for problem in Problem::ALL {
        if method == Method::Spread && problem.is_nonnegative() {
            continue;
        }
        for perturbation in Perturbation::ALL {
            for (n, seeds) in SIZES {
                for seed in 0..seeds {
                    let c: Case<T> = case(n, problem, perturbation, seed);
                    let checked = std::panic::catch_unwind(|| check(&c, problem, perturbation, method));
                    assert!(checked.is_ok(), "{problem:?}, {perturbation:?}, {n} cells, seed {seed}");
                }
            }
        }
    }
}

/// Mass that only all cells at their upper, or lower, bounds hold.
fn full_change<T: Stored>(method: Method) {
    for (n, seeds) in SIZES {
        for seed in 0..seeds {
            let mut c: Case<T> = case(n, Shape, Permuted, seed);
            for bounds in [c.most.clone(), c.least.clone()] {
                c.b = sum_of(&c.rho, &bounds);
                let (done, u, _) = run(&c, method, Policy::Refuse, &c.least, Some(&c.most));
                done.unwrap();
                lies_within(&u, &c.least, &c.most);
                holds_mass(&c, &u);
                let short = u.iter().zip(&bounds).filter(|(u, bound)| u != bound).count();
                // The cell that came free last may be off its bound by the rounding that a row is allowed.
                assert!(short <= usize::from(method == Method::Nearest), "{short} of {n} cells, seed {seed}");
            }
        }
    }
}

#[test]
fn nearest_states_keep_the_properties() {
    matrix::<f64>(Method::Nearest);
}

#[test]
fn nearest_states_keep_the_properties_in_f32() {
    matrix::<f32>(Method::Nearest);
}

#[test]
fn spread_states_keep_the_properties() {
    matrix::<f64>(Method::Spread);
}

#[test]
fn spread_states_keep_the_properties_in_f32() {
    matrix::<f32>(Method::Spread);
}

#[test]
fn where_only_a_full_change_fits_all_cells_are_at_bounds() {
    full_change::<f64>(Method::Nearest);
    full_change::<f64>(Method::Spread);
    full_change::<f32>(Method::Nearest);
    full_change::<f32>(Method::Spread);
}

#[test]
fn bounds_that_f32_cannot_hold_take_a_full_change() {
    let mut random = Random(41);
    for (n, seed) in (0..300).map(|seed| ([1, 7, 300][seed as usize % 3], seed)) {
        let wide: Case<f64> = case(n, Shape, Permuted, seed);
        let c = Case::<f32> {
            b: sum_of(&wide.rho, &wide.most),
            q: wide.q.iter().map(|&q| q as f32 - 0.1 * random.next() as f32).collect(),
            least: Vec::new(),
            most: Vec::new(),
            rho: wide.rho.clone(),
            v: wide.v.clone(),
        };
        for method in [Method::Nearest, Method::Spread] {
            let mut laws = Constraints::new(n).unwrap();
            laws.add_row(View::new("g", &c.rho, &[n]).unwrap(), 0.0).unwrap();
            laws.set_bounds(method, Policy::Refuse);
            let p = Projector::new(&laws, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
            let mut u = vec![0f32; n];
            let bound = |x| Some(View::new("bound", x, &[n]).unwrap());
            p.project_bounded(
                &mut p.bounded(1).unwrap(),
                View::new("q", &c.q, &[n]).unwrap(),
                Some(View::new("v", &c.v, &[n]).unwrap()),
                View::new("b", std::slice::from_ref(&c.b), &[1]).unwrap(),
                Bounds { lower: bound(&wide.least), upper: bound(&wide.most) },
                ViewMut::new("u", &mut u, &[n]).unwrap(),
                None,
            )
            .unwrap();
            holds_mass(&c, &u);
            assert!(u.iter().zip(&wide.most).all(|(&u, &most)| u as f64 <= most));
        }
    }
}
