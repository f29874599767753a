//! Reads any bytes as a set of constraints, a prior and states, and projects; panics where a promise is broken.

use pcml::constraint::{
    Bounds, Condition, Constraints, Direction, Method, Policy, Posterior, Prior, Projector, ProjectorOptions,
    RowReport, Rule,
};
use pcml::error::{Result, Status};
use pcml::{View, ViewMut};

const SENTINEL: f64 = -7.777e77;

/// Numbers that code forgets.
const HOSTILE: [f64; 10] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 1e300, -1e-300, 1e16];

/// How far the bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// No projector.
    Refused,
    /// Every projection was refused.
    Projector,
    /// A lawful state.
    Lawful,
}

/// What numbers are made of; after its end all are 0.
struct Bytes<'a> {
    rest: &'a [u8],
    /// Whether numbers may be of any kind.
    wild: bool,
    /// Whether a noise variance came that is not 0.
    noisy: bool,
}

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn below(&mut self, count: usize) -> usize {
        self.byte() as usize % count
    }

    /// Mostly in (-2, 2), of few digits.
    fn number(&mut self) -> f64 {
        match self.byte() {
            250.. if self.wild => *self.pick(&HOSTILE),
            240.. if self.wild => f64::from_bits(u64::from_le_bytes([(); 8].map(|_| self.byte()))),
            200.. => f64::from(self.byte() as i8) / 64.0,
            kind => f64::from(i16::from_le_bytes([kind, self.byte()])) / 16384.0,
        }
    }

    fn positive(&mut self) -> f64 {
        let x = self.number();
        if self.wild && self.byte() > 240 { x } else { x.abs() + 1.0 / 1024.0 }
    }

    fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    fn rising(&mut self, count: usize) -> Vec<f64> {
        let mut x = 0.0;
        let mut next = || {
            x += self.positive();
            x
        };
        (0..count).map(|_| next()).collect()
    }

    fn pick<'b, T>(&mut self, list: &'b [T]) -> &'b T {
        &list[self.below(list.len())]
    }

    /// A cell, seldom one beyond the last.
    fn cell(&mut self, cells: usize) -> i64 {
        if self.wild && self.byte() > 250 { self.number() as i64 } else { self.below(cells) as i64 }
    }

    /// Mostly 0: such rows hold exactly.
    fn noise(&mut self) -> f64 {
        self.noisy = self.byte() > 230;
        if self.noisy { self.positive() } else { 0.0 }
    }
}

fn view<'a>(name: &str, values: &'a [f64]) -> Result<View<'a>> {
    View::new(name, values, &[values.len()])
}

/// One more member of the set; a refusal leaves the set as it was.
fn add(set: &mut Constraints, bytes: &mut Bytes) -> Result<()> {
    let n = set.cells();
    let first = bytes.below(4).min(n - 1);
    match bytes.below(11) {
        0 => set.add_row(view("weights", &bytes.numbers(n))?, bytes.noise()),
        1 => {
            let rule = *bytes.pick(&[Rule::Trapezoid, Rule::Left, Rule::Right, Rule::Simpson]);
            set.add_quadrature(rule, view("points", &bytes.rising(n))?, bytes.noise())
        }
        2 | 3 => {
            let axis = |bytes: &mut Bytes| {
                let points = 1 + bytes.below(5);
                bytes.rising(points)
            };
            let axes: Vec<Vec<f64>> = (0..1 + bytes.below(3)).map(|_| axis(bytes)).collect();
            let views: Vec<View> = axes.iter().map(|axis| view("axes", axis)).collect::<Result<_>>()?;
            if bytes.below(2) == 0 {
                return set.add_grid_quadrature(Rule::Trapezoid, &views, first, bytes.noise());
            }
            let sides: Vec<i32> = axes.iter().map(|_| bytes.below(3) as i32 - 1).collect();
            let condition = Condition { value: bytes.number(), slope: bytes.number(), order: bytes.below(6) };
            set.add_boundary(&views, first, &sides, bytes.below(axes.len()), condition, bytes.noise())
        }
        4 => {
            let shape: Vec<usize> = (0..1 + bytes.below(3)).map(|_| 1 + bytes.below(5)).collect();
            set.add_periodic(&shape, first, bytes.below(shape.len()), bytes.noise())
        }
        5 => {
            let width = 1 + bytes.below(3);
            let cells: Vec<i64> = (0..width * (1 + bytes.below(3))).map(|_| bytes.cell(n)).collect();
            set.add_stencils(&cells, &bytes.numbers(width), width, bytes.noise())
        }
        6 => {
            let starts: Vec<i64> = [0, 1 + bytes.below(4) as i64, 5].to_vec();
            let cells: Vec<i64> = (0..5).map(|_| bytes.cell(n)).collect();
            set.add_sparse_rows(&starts, &cells, &bytes.numbers(5), None)
        }
        7 => set.add_simplex(first, 2 + bytes.below(3), 1 + bytes.below(3), bytes.positive()),
        8 => set.add_monotone(first, 1 + bytes.below(n), *bytes.pick(&[Direction::Increasing, Direction::Decreasing])),
        9 => {
            let policy = *bytes.pick(&[Policy::Refuse, Policy::RelaxLeast, Policy::RelaxToExtremes]);
            set.set_bounds(*bytes.pick(&[Method::Nearest, Method::Spread]), policy);
            Ok(())
        }
        _ => set.add_energy(view("weights", &bytes.numbers(n))?),
    }
}

/// The prior's data, good in form.
fn data(prior: Prior, cells: usize, size: usize, bytes: &mut Bytes) -> Option<(Vec<f64>, Vec<usize>)> {
    let (rows, columns) = match prior {
        Prior::Identity => return None,
        Prior::Scalar => (1, 1),
        Prior::Diagonal | Prior::Smoothed => (1, cells),
        Prior::CovarianceBand | Prior::PrecisionBand | Prior::LowRank => (size + 1, cells),
        Prior::Ensemble => (size, cells),
        Prior::Dense => (cells, cells),
    };
    let mut values = match prior {
        Prior::Diagonal | Prior::Scalar | Prior::Smoothed => (0..columns).map(|_| bytes.positive()).collect(),
        _ => bytes.numbers(rows * columns),
    };
    match prior {
        Prior::CovarianceBand | Prior::PrecisionBand => values[..cells].iter_mut().for_each(|v| *v = v.abs() + 8.0),
        Prior::LowRank => values[..cells].iter_mut().for_each(|v| *v = v.abs() + 0.01),
        Prior::Dense => {
            for i in 0..cells {
                (0..i).for_each(|j| values[i * cells + j] = values[j * cells + i]);
                values[i * cells + i] = values[i * cells + i].abs() + 2.0 * cells as f64;
            }
        }
        _ => {}
    }
    let shape = if rows == 1 { vec![columns] } else { vec![rows, columns] };
    Some((values, shape))
}

/// What a call promised with its status: an array that is complete and finite, or as it was.
fn kept(outcome: &Result<()>, written: &[f64]) -> bool {
    match outcome {
        Ok(()) => {
            assert!(written.iter().all(|x| x.is_finite()), "a result is not finite: {written:?}");
            true
        }
        Err(e) => {
            assert!(e.status() != Status::Panic && !e.message().is_empty());
            assert!(written.iter().all(|x| *x == SENTINEL), "written after {}", e.message());
            false
        }
    }
}

fn obeys(rows: &[RowReport], exact: &[bool], from: &str) {
    for (k, row) in rows.iter().enumerate() {
        assert!(row.residual_after.abs() <= row.tolerance, "row {k} after {from}: {row:?}");
        assert!(
            row.residual_after.is_finite() && (row.tolerance.is_finite() || !exact[k]),
            "row {k} after {from}: {row:?}"
        );
    }
}

/// Makes what the bytes say, and projects a state on it in every way there is.
pub fn constraint_set(bytes: &[u8]) -> Reached {
    let mut bytes = Bytes { rest: bytes, wild: false, noisy: false };
    bytes.wild = bytes.byte() > 128;
    let n = 1 + bytes.below(32);
    let mut set = Constraints::new(n).expect("cells");
    let mut exact = Vec::new();
    for _ in 0..1 + bytes.below(6) {
        bytes.noisy = false;
        let (rows, invariants) = (set.len(), set.invariants());
        if let Err(e) = add(&mut set, &mut bytes) {
            assert!(e.status() != Status::Panic && !e.message().is_empty());
            assert_eq!((set.len(), set.invariants()), (rows, invariants), "{}", e.message());
        }
        exact.resize(set.len(), !bytes.noisy);
    }
    exact.resize(set.len() + set.invariants(), true);
    let prior = *bytes.pick(Prior::all());
    let size = 2 + bytes.below(3);
    let smoothing = f64::from(bytes.byte()) / 256.0;
    let options = ProjectorOptions { held_cells: bytes.below(2) == 0, prior_size: size, smoothing };
    let Ok(projector) = Projector::new(&set, prior, &options) else { return Reached::Refused };
    let (m, q) = (projector.rows(), set.invariants());
    let data = data(prior, n, size, &mut bytes);
    let variance = || data.as_ref().map(|(values, shape)| View::new("variance", values, shape).expect("a view"));
    let mean = bytes.numbers(n);
    // Right-hand sides that some state obeys, or any.
    let some = bytes.numbers(n);
    let mut b = bytes.numbers(m);
    if bytes.below(4) > 0 && m > 0 {
        let mut scratch = projector.scratch(1).expect("scratch");
        let zero = vec![0.0; m];
        let right = |values| View::new("b", values, &[1, m]).expect("a view");
        let mut found = vec![0.0; m];
        let state = View::new("mean", &some, &[n]).expect("a view");
        let out = ViewMut::new("residual", &mut found, &[1, m]).expect("a view");
        if projector.residual(&mut scratch, state, right(&zero), out).is_ok() {
            b = found;
        }
    }
    let levels: Vec<f64> = (0..q).map(|_| 4.0 * bytes.positive()).collect();
    let (lower, upper) = (bytes.numbers(n), bytes.numbers(n));
    let (lower, upper): (Vec<f64>, Vec<f64>) =
        lower.iter().zip(&upper).map(|(a, b)| (a.min(*b), a.max(*b) + 0.5)).unzip();

    let state = || View::new("mean", &mean, &[n]).expect("a view");
    let right = || View::new("b", &b, &[1, m]).expect("a view");
    let mut reached = Reached::Projector;
    let mut report = projector.report(1).expect("a report");
    if m > 0 {
        let mut scratch = projector.scratch(1).expect("scratch");
        let (mut u, mut v) = (vec![SENTINEL; n], vec![SENTINEL; n]);
        let posterior = Posterior {
            mean: ViewMut::new("u", &mut u, &[n]).expect("a view"),
            variance: Some(ViewMut::new("v", &mut v, &[n]).expect("a view")),
        };
        let outcome = projector.project(&mut scratch, state(), variance(), right(), posterior, Some(&mut report));
        if kept(&outcome, &u) && kept(&outcome, &v) {
            assert!(v.iter().all(|v| *v >= 0.0), "a negative variance: {v:?}");
            obeys(&report.rows(0)[..m], &exact, "project");
            reached = Reached::Lawful;
            // What obeys comes back bit for bit.
            let mut again = vec![SENTINEL; n];
            let posterior = Posterior { mean: ViewMut::new("u", &mut again, &[n]).expect("a view"), variance: None };
            let lawful = View::new("mean", &u, &[n]).expect("a view");
            let outcome = projector.project(&mut scratch, lawful, variance(), right(), posterior, None);
            if prior != Prior::Smoothed && report.rows(0).iter().all(|row| row.tolerance.is_finite() && !row.dropped) {
                assert!(outcome.is_ok() && again == u, "{outcome:?}: {again:?} for {u:?}");
            }
        }
    }
    if let Ok(mut bounded) = projector.bounded(1) {
        let bounds = Bounds {
            lower: Some(view("lower", &lower).expect("a view")),
            upper: Some(view("upper", &upper).expect("a view")),
        };
        let mut u = vec![SENTINEL; n];
        let out = ViewMut::new("u", &mut u, &[n]).expect("a view");
        let outcome =
            projector.project_bounded(&mut bounded, state(), variance(), right(), bounds, out, Some(&mut report));
        if kept(&outcome, &u) {
            obeys(&report.rows(0)[..m], &exact, "project_bounded");
            reached = Reached::Lawful;
        }
    }
    if q > 0
        && let Ok(mut scratch) = projector.nonlinear_scratch(1)
    {
        let mut u = vec![SENTINEL; n];
        let out = ViewMut::new("u", &mut u, &[n]).expect("a view");
        let levels = View::new("levels", &levels, &[1, q]).expect("a view");
        let right = (m > 0).then(right);
        let outcome =
            projector.project_nonlinear(&mut scratch, state(), variance(), right, levels, out, Some(&mut report));
        if kept(&outcome, &u) {
            obeys(report.rows(0), &exact, "project_nonlinear");
            reached = Reached::Lawful;
        }
    }
    reached
}
