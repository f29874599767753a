use std::fmt::Display;

use super::arrays::check_count;
use super::nonlinear::Quadratic;
use super::quadrature::{Rule, coordinates, quadrature, read, repeated};
use super::rows::{Rows, Support};
use super::sets::Sets;
use crate::error::{Result, Status, fail, reserved, zeros};
use crate::kernels::strided::View;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Layout;

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
