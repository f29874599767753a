use std::fmt::Display;

use super::arrays::{check_count, read_or_zero};
use super::nonlinear::Quadratic;
use super::sets::Sets;
use crate::error::{Result, Status, fail, reserved, zeros};
use crate::field::{Dtype, Layout};
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

/// The cells of a row: a run from a first one, or a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Support<'a> {
    /// `first .. first + weights.len()`
    Run(usize),
    /// In strictly increasing order, one a weight.
    List(&'a [u32]),
}

/// One linear row `g u = b + noise`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// `g` on its cells; 0 elsewhere.
    pub weights: &'a [f64],
    /// Which cells those are.
    pub support: Support<'a>,
    /// `s^2`, in the unit of `b` squared.
    pub noise: f64,
}

impl Row<'_> {
    /// Cell of the k-th weight.
    #[inline(always)]
    pub fn cell(&self, k: usize) -> usize {
        match self.support {
            Support::Run(first) => first + k,
            Support::List(cells) => cells[k] as usize,
        }
    }

    /// What rounding at underflow can add to its residual.
    pub fn floor(&self, dtype: Dtype) -> f64 {
        // Term by term: the sum of the weights may overflow.
        let terms = self.weights.iter().map(|w| w.abs() * dtype.tiny());
        terms.sum::<f64>() + self.weights.len() as f64 * Dtype::F64.tiny()
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Run(usize),
    /// Where the row's cells begin in `Rows::lists`.
    List(usize),
}

/// Linear rows one after the other, each on a run or a list of cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Row `k` has the weights `starts[k] .. starts[k + 1]`.
    starts: Vec<usize>,
    weights: Vec<f64>,
    places: Vec<Place>,
    lists: Vec<u32>,
    noise: Vec<f64>,
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.noise.len()
    }

    /// Row `k`.
    #[inline]
    pub fn row(&self, k: usize) -> Row<'_> {
        let weights = &self.weights[self.starts[k]..self.starts[k + 1]];
        let support = match self.places[k] {
            Place::Run(first) => Support::Run(first),
            Place::List(at) => Support::List(&self.lists[at..at + weights.len()]),
        };
        Row { weights, support, noise: self.noise[k] }
    }

    /// A row has no weights: the state is part of a larger one.
    pub fn is_partial(&self) -> bool {
        self.iter().any(|row| row.weights.is_empty())
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|k| self.row(k))
    }

    /// Number of stored weights.
    pub fn stored(&self) -> usize {
        self.weights.len()
    }

    fn truncate(&mut self, rows: usize) {
        while self.len() > rows {
            if let Some(Place::List(at)) = self.places.pop() {
                self.lists.truncate(at);
            }
            self.noise.pop();
            self.starts.pop();
        }
        self.weights.truncate(self.starts.last().copied().unwrap_or(0));
    }

    /// Appends what the caller checked.
    fn push(&mut self, weights: &[f64], support: Support, noise: f64) -> Result<()> {
        let listed = match support {
            Support::Run(_) => 0,
            Support::List(cells) => cells.len(),
        };
        let room = self.starts.try_reserve(2).is_ok()
            && self.weights.try_reserve(weights.len()).is_ok()
            && self.places.try_reserve(1).is_ok()
            && self.lists.try_reserve(listed).is_ok()
            && self.noise.try_reserve(1).is_ok();
        if !room {
            return fail!(OutOfMemory, "no memory for a row of {} weights", weights.len());
        }
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.places.push(match support {
            Support::Run(first) => Place::Run(first),
            Support::List(cells) => {
                self.lists.extend_from_slice(cells);
                Place::List(self.lists.len() - cells.len())
            }
        });
        self.weights.extend_from_slice(weights);
        self.starts.push(self.weights.len());
        self.noise.push(noise);
        Ok(())
    }
}

/// What must hold: linear rows `G u = b + noise` over the cells of a state, numbered from 0 in the order in which they are added.
/// The right-hand sides come with each projection.
#[derive(Clone, Debug)]
pub struct Constraints {
    cells: usize,
    rows: Rows,
    pub(super) sets: Sets,
    pub(super) quadratics: Vec<Quadratic>,
}

impl Constraints {
    /// No rows yet, over states of `cells` values. Several fields, or several times, are concatenated into one state.
    ///
    /// Errors: InvalidArgument when `cells` is 0.
    pub fn new(cells: usize) -> Result<Constraints> {
        if cells == 0 {
            return fail!(InvalidArgument, "cells is 0, expected at least 1");
        }
        Ok(Constraints { cells, rows: Rows::default(), sets: Sets::default(), quadratics: Vec::new() })
    }

    /// Values of one state.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Rows so far; the next one gets this number.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// A row whose weights are those of a quadrature rule: `b` is the integral of the field over the points' range.
    ///
    /// `points`: one coordinate a cell, strictly increasing, any spacing. `noise_variance`: `s^2`, 0 for a row that holds exactly.
    ///
    /// Errors: Shape, NonFinite, NotSorted (names the point), Singular (all weights underflow to 0), Noise, OutOfMemory.
    pub fn add_quadrature(&mut self, rule: Rule, points: View, noise_variance: f64) -> Result<()> {
        check_count("points", points.layout(), self.cells, "cell")?;
        let weights = quadrature("points", rule, &coordinates("points", &points, self.cells)?)?;
        self.add("points", &weights, Support::Run(0), noise_variance)
    }

    /// A row whose weights are the tensor product of one quadrature rule along each axis of a grid: `b` is the integral of the
    /// grid's field over its box. The grid's values lie in C order from cell `first` on, so that several fields, or several
    /// times of one field, can have a row each.
    ///
    /// `axes`: the coordinates of each axis, strictly increasing; an axis of one point has weight 1.
    ///
    /// Errors: Shape (also where the grid leaves the state), NonFinite, NotSorted, Singular (all weights underflow to 0), Noise, OutOfMemory.
    pub fn add_grid_quadrature(&mut self, rule: Rule, axes: &[View], first: usize, noise_variance: f64) -> Result<()> {
        if axes.is_empty() {
            return fail!(Shape, "axes is empty, expected at least one axis");
        }
        let mut product = vec![1.0];
        for (axis, points) in axes.iter().enumerate() {
            let name = format!("axes[{axis}]");
            let count = points.layout().len();
            let whole = product.len().saturating_mul(count);
            if whole > self.cells {
                return fail!(
                    Shape,
                    "{name}: the grid has {whole} points or more, expected at most {} cells",
                    self.cells
                );
            }
            let x = coordinates(&name, points, count)?;
            let along = if count == 1 { vec![1.0] } else { quadrature(&name, rule, &x)? };
            let mut next = zeros(whole, "quadrature weights")?;
            for (part, &w) in next.chunks_mut(count).zip(&product) {
                part.iter_mut().zip(&along).for_each(|(p, a)| *p = w * a);
            }
            product = next;
        }
        if first > self.cells - product.len() {
            return fail!(
                Shape,
                "first is {first}: a grid of {} points from there leaves the {} cells",
                product.len(),
                self.cells
            );
        }
        self.add("axes", &product, Support::Run(first), noise_variance)
    }

    /// A row with the caller's weights, one a cell, of any sign: cell volumes or masses, on any mesh.
    ///
    /// Errors: Shape, NonFinite, Singular when all weights are 0, Noise.
    pub fn add_row(&mut self, weights: View, noise_variance: f64) -> Result<()> {
        check_count("weights", weights.layout(), self.cells, "cell")?;
        let values = read("weights", &weights, self.cells)?;
        self.add("weights", &values, Support::Run(0), noise_variance).map_err(|e| match e.status() {
            Status::Singular => e.with(repeated(weights.layout())),
            _ => e,
        })
    }

    /// A row of a field in parts that has no weight on this part's cells ([`Projector::project_part`](super::Projector::project_part)).
    ///
    /// Errors: Noise, NonFinite, OutOfMemory.
    pub fn add_absent_row(&mut self, noise_variance: f64) -> Result<()> {
        check_noise(|| "noise_variance", noise_variance)?;
        self.rows.push(&[], Support::Run(0), noise_variance)
    }

    /// Rows in compressed sparse form: row `k` has the weights `starts[k] .. starts[k + 1]` on the cells of the same places, in any
    /// order, none twice in a row. `noise_variance`: one a row, or none for rows that hold exactly. All rows are added, or none.
    ///
    /// Errors: Shape, InvalidArgument (a cell out of range or named twice, decreasing starts), NonFinite, Singular (a row without
    /// weights), Noise, TooLarge.
    pub fn add_sparse_rows(
        &mut self,
        starts: &[i64],
        cells: &[i64],
        weights: &[f64],
        noise_variance: Option<&[f64]>,
    ) -> Result<()> {
        let Some(count) = starts.len().checked_sub(1) else {
            return fail!(Shape, "starts is empty, expected one entry more than rows");
        };
        if cells.len() != weights.len() || starts[0] != 0 || starts[count] != weights.len() as i64 {
            return fail!(
                Shape,
                "starts runs from {} to {} over {} cells and {} weights, expected 0 to their common number",
                starts[0],
                starts[count],
                cells.len(),
                weights.len()
            );
        }
        if noise_variance.is_some_and(|noise| noise.len() != count) {
            return fail!(Shape, "noise_variance has not {count} values, one a row");
        }
        if self.cells > u32::MAX as usize {
            return fail!(TooLarge, "sparse rows reach {} cells, this state has {}", u32::MAX, self.cells);
        }
        let mut entries: Vec<(u32, f64)> = reserved(weights.len(), "sparse rows")?;
        self.all_or_none(count, |c, k| {
            let number = c.len();
            let (from, to) = (starts[k], starts[k + 1]);
            if from > to || to > weights.len() as i64 {
                return fail!(InvalidArgument, "starts[{}] is {to} after {from}, expected it not to decrease", k + 1);
            }
            entries.clear();
            for at in from as usize..to as usize {
                if cells[at] < 0 || cells[at] >= c.cells as i64 {
                    let last = c.cells - 1;
                    return fail!(
                        InvalidArgument,
                        "cells[{at}] of row {number} is {}, expected 0 to {last}",
                        cells[at]
                    );
                }
                entries.push((cells[at] as u32, weights[at]));
            }
            let noise = noise_variance.map_or(0.0, |noise| noise[k]);
            check_noise(|| format!("noise_variance[{k}]"), noise)?;
            push_entries(&mut c.rows, number, &mut entries, noise)
        })
    }

    /// Adds `count` rows, or after a failure none.
    fn all_or_none(&mut self, count: usize, mut add: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        let before = self.len();
        for k in 0..count {
            if let Err(e) = add(self, k) {
                self.rows.truncate(before);
                return Err(e);
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, weights: &[f64], support: Support, noise: f64) -> Result<()> {
        check_noise(|| "noise_variance", noise)?;
        if weights.iter().all(|&w| w == 0.0) {
            return fail!(Singular, "{name}: all weights of row {} are 0, expected at least one other", self.len());
        }
        self.rows.push(weights, support, noise)
    }
}

/// Adds one row given by cells in any order, its noise checked.
fn push_entries(rows: &mut Rows, number: usize, entries: &mut [(u32, f64)], noise: f64) -> Result<()> {
    entries.sort_unstable_by_key(|entry| entry.0);
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return fail!(InvalidArgument, "row {number} names cell {} twice, expected once", pair[0].0);
    }
    if let Some((cell, w)) = entries.iter().find(|entry| !entry.1.is_finite()) {
        return fail!(NonFinite, "weight of row {number} at cell {cell} is {w}, expected a finite number");
    }
    if entries.iter().all(|entry| entry.1 == 0.0) {
        return fail!(Singular, "row {number} has no weight other than 0, expected at least one");
    }
    let mut cells: Vec<u32> = reserved(entries.len(), "a sparse row")?;
    let mut weights: Vec<f64> = reserved(entries.len(), "a sparse row")?;
    cells.extend(entries.iter().map(|entry| entry.0));
    weights.extend(entries.iter().map(|entry| entry.1));
    let adjoining = cells.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let support = if adjoining { Support::Run(cells[0] as usize) } else { Support::List(&cells) };
    rows.push(&weights, support, noise)
}

pub(super) fn check_noise<S: Display>(name: impl Fn() -> S, noise: f64) -> Result<()> {
    if !noise.is_finite() {
        return fail!(NonFinite, "{} is {noise}, expected a finite number", name());
    }
    if noise < 0.0 {
        return fail!(Noise, "{} is {noise:e}, expected at least 0", name());
    }
    Ok(())
}

fn read(name: &str, view: &View, count: usize) -> Result<Vec<f64>> {
    let mut values = zeros(count, name)?;
    read_or_zero(Some(view), name, &mut values)?;
    Ok(values)
}

/// What explains equal values to a host that left strides out: they are 0 then, which is a scalar repeated.
fn repeated(layout: &Layout) -> &'static str {
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

fn quadrature(name: &str, rule: Rule, x: &[f64]) -> Result<Vec<f64>> {
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

    #[test]
    fn refusals_name_the_culprit() {
        let status = |f: &dyn Fn(&mut Constraints) -> Result<()>| {
            let mut c = Constraints::new(3).unwrap();
            let e = f(&mut c).unwrap_err();
            assert!(c.is_empty());
            (e.status(), e.message().to_owned())
        };
        fn view(x: &[f64]) -> View<'_> {
            View::new("x", x, &[x.len()]).unwrap()
        }
        let (s, m) = status(&|c| c.add_quadrature(Rule::Trapezoid, view(&[0.0, 2.0, 1.0]), 0.0));
        assert!(s == Status::NotSorted && m.contains("points[2]"), "{m}");
        let (s, m) = status(&|c| c.add_quadrature(Rule::Trapezoid, view(&[0.0, 0.0, 1.0]), 0.0));
        assert!(s == Status::NotSorted && m.contains("points[1]"), "{m}");
        let same = || View::strided("x", &[0.0], 0, Layout::new("x", &[3], &[0]).unwrap()).unwrap();
        let (s, m) = status(&|c| c.add_quadrature(Rule::Trapezoid, same(), 0.0));
        assert!(s == Status::NotSorted && m.contains("its strides are all 0"), "{m}");
        let (s, m) = status(&|c| c.add_row(same(), 0.0));
        assert!(s == Status::Singular && m.contains("its strides are all 0"), "{m}");
        let (s, m) = status(&|c| c.add_row(view(&[0.0; 3]), 0.0));
        assert!(s == Status::Singular && !m.contains("strides"), "{m}");
        let (s, m) = status(&|c| c.add_quadrature(Rule::Simpson, view(&[0.0, f64::NAN, 1.0]), 0.0));
        assert!(s == Status::NonFinite && m.contains("points[1]"), "{m}");
        let (s, _) = status(&|c| c.add_quadrature(Rule::Left, view(&[-1.7e308, 1.7e308, 1.75e308]), 0.0));
        assert_eq!(s, Status::NonFinite);
        let (s, _) = status(&|c| c.add_row(view(&[0.0; 3]), 0.0));
        assert_eq!(s, Status::Singular);
        let (s, _) = status(&|c| c.add_row(view(&[1.0; 4]), 0.0));
        assert_eq!(s, Status::Shape);
        let (s, _) = status(&|c| c.add_row(view(&[1.0; 3]), -1e-3));
        assert_eq!(s, Status::Noise);
        let (s, _) = status(&|c| c.add_row(view(&[1.0; 3]), f64::NAN));
        assert_eq!(s, Status::NonFinite);
        assert_eq!(Constraints::new(0).unwrap_err().status(), Status::InvalidArgument);
        let mut c = Constraints::new(3).unwrap();
        let layout = Layout::new("x", &[3], &[-2]).unwrap();
        let x = [2.0f32, 0.0, 1.0, 0.0, 0.5];
        c.add_quadrature(Rule::Left, View::strided("x", &x, 4, layout).unwrap(), 0.0).unwrap();
        assert_eq!(c.rows().row(0).weights, [0.5, 1.0, 0.0]);
    }
}
