use super::constraints::{Constraints, check_noise};
use super::quadrature::coordinates;
use crate::error::{Result, fail, reserved, zeros};
use crate::field::MAX_RANK;
use crate::kernels::strided::View;

/// Largest order of a built-in one-sided derivative.
pub const MAX_ORDER: usize = 4;

/// `value u + slope du/dn = b` on a boundary, n the outward normal: Dirichlet (1, 0), Neumann (0, 1), Robin otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Factor of `u`.
    pub value: f64,
    /// Factor of the outward normal derivative, in the unit of length over that of `value`.
    pub slope: f64,
    /// Order of the one-sided derivative, 1 to 4: it takes `order + 1` points and is exact for polynomials of that degree. Not
    /// read where `slope` is 0.
    pub order: usize,
}

/// Weights of the first derivative at `x[0]` from values at `x` (Fornberg 1988), exact for polynomials of degree `x.len() - 1`.
fn first_derivative(x: &[f64]) -> [f64; MAX_ORDER + 1] {
    let mut weights = [0.0; MAX_ORDER + 1];
    for j in 1..x.len() {
        // Lagrange's basis: l_j'(x_0) = prod_(k != 0, j) (x_0 - x_k) / prod_(k != j) (x_j - x_k)
        let mut w = 1.0 / (x[j] - x[0]);
        for k in (1..x.len()).filter(|&k| k != j) {
            w *= (x[0] - x[k]) / (x[j] - x[k]);
        }
        weights[j] = w;
        weights[0] -= w;
    }
    weights
}

/// The nodes of a grid in C order with index 0 (side -1), any (0) or the last (1) along each axis, one after the other.
struct Nodes<'a> {
    shape: &'a [usize],
    sides: &'a [i32],
    index: [usize; MAX_RANK],
    done: bool,
}

impl<'a> Nodes<'a> {
    fn new(shape: &'a [usize], sides: &'a [i32]) -> Self {
        let mut index = [0; MAX_RANK];
        for (axis, &side) in sides.iter().enumerate() {
            index[axis] = if side > 0 { shape[axis] - 1 } else { 0 };
        }
        Nodes { shape, sides, index, done: false }
    }
}

impl Iterator for Nodes<'_> {
    /// Place in the grid.
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.done {
            return None;
        }
        let place = self.shape.iter().zip(&self.index).fold(0, |place, (n, i)| place * n + i);
        self.done = true;
        for axis in (0..self.shape.len()).rev().filter(|&axis| self.sides[axis] == 0) {
            self.index[axis] += 1;
            if self.index[axis] < self.shape[axis] {
                self.done = false;
                break;
            }
            self.index[axis] = 0;
        }
        Some(place)
    }
}

impl Constraints {
    /// A row for each node on a face, an edge or a corner of a grid, in C order of the nodes: [`Condition`] there. The grid's values
    /// lie in C order from cell `first` on; time may be one of its axes, so that values vary with it.
    ///
    /// `axes`: the coordinates of each axis, strictly increasing, any spacing. `sides`: for each axis -1 (its first point), 1 (its
    /// last) or 0 (all its points); a face has one side, an edge two, a corner three. `axis`: whose direction the normal has, one
    /// with a side. Nodes that belong to two faces may get two rows: dependent ones are dropped, contradictory ones refused, when
    /// they are projected on.
    ///
    /// Errors: Shape, InvalidArgument, NonFinite, NotSorted, Noise, Singular (value and slope both 0), TooLarge.
    pub fn add_boundary(
        &mut self,
        axes: &[View],
        first: usize,
        sides: &[i32],
        axis: usize,
        condition: Condition,
        noise_variance: f64,
    ) -> Result<()> {
        let shape = self.grid(axes.len(), |a| axes[a].layout().len(), first)?;
        let shape = &shape[..axes.len()];
        if sides.len() != axes.len() || sides.iter().any(|side| !(-1..=1).contains(side)) {
            return fail!(InvalidArgument, "sides are {sides:?}, expected -1, 0 or 1 for each of {} axes", axes.len());
        }
        if axis >= axes.len() || sides[axis] == 0 {
            return fail!(
                InvalidArgument,
                "axis is {axis}, expected an axis whose side is -1 or 1 among sides {sides:?}"
            );
        }
        let Condition { value, slope, order } = condition;
        for (name, x) in [("value", value), ("slope", slope)] {
            if !x.is_finite() {
                return fail!(NonFinite, "{name} is {x}, expected a finite number");
            }
        }
        let mut reach = 1;
        if slope != 0.0 {
            if !(1..=MAX_ORDER).contains(&order) {
                return fail!(InvalidArgument, "order is {order}, expected 1 to {MAX_ORDER}");
            }
            reach = order + 1;
            if shape[axis] < reach {
                let n = shape[axis];
                return fail!(Shape, "axes[{axis}] has {n} points, expected at least {reach} for order {order}");
            }
        }
        if value == 0.0 && slope == 0.0 {
            return fail!(Singular, "value and slope are both 0, row {} would have no weight", self.len());
        }
        let mut x = Vec::new();
        for (a, points) in axes.iter().enumerate() {
            let found = coordinates(&format!("axes[{a}]"), points, shape[a])?;
            if a == axis {
                x = found;
            }
        }
        let inward: Vec<f64> = match sides[axis] {
            -1 => x[..reach].to_vec(),
            _ => x.iter().rev().take(reach).copied().collect(),
        };
        let derivative = first_derivative(&inward);
        // The outward normal points to smaller coordinates on the low side.
        let outward = f64::from(sides[axis]);
        let mut weights = [0.0; MAX_ORDER + 1];
        for (w, d) in weights.iter_mut().zip(&derivative[..reach]) {
            *w = slope * outward * d;
        }
        weights[0] += value;
        if weights.iter().any(|w| !w.is_finite()) {
            return fail!(NonFinite, "axes[{axis}]: its spacing overflows the weights of the derivative");
        }
        let stride: usize = shape[axis + 1..].iter().product();
        let step = if sides[axis] < 0 { stride as isize } else { -(stride as isize) };
        let count: usize = shape.iter().zip(sides).map(|(n, side)| if *side == 0 { *n } else { 1 }).product();
        let mut nodes = Nodes::new(shape, sides);
        self.add_stencils_with(count, reach, noise_variance, |_, k, cells| {
            if k == 0
                && let Some(node) = nodes.next()
            {
                cells.clear();
                cells.extend((0..reach).map(|j| (first + node) as i64 + j as i64 * step as i64));
            }
            (cells[k], weights[k])
        })
    }

    /// A row `u_last - u_first = b` for each node of the first face across an axis of a grid, in C order: with b = 0 the field is
    /// periodic along it.
    ///
    /// Errors: Shape, InvalidArgument, Noise, TooLarge.
    pub fn add_periodic(&mut self, shape: &[usize], first: usize, axis: usize, noise_variance: f64) -> Result<()> {
        self.grid(shape.len(), |a| shape[a], first)?;
        if axis >= shape.len() || shape[axis] < 2 {
            return fail!(InvalidArgument, "axis is {axis}, expected an axis of at least 2 points of {shape:?}");
        }
        let mut sides = [0; MAX_RANK];
        sides[axis] = -1;
        let across = (shape[axis] - 1) * shape[axis + 1..].iter().product::<usize>();
        let count = shape.iter().product::<usize>() / shape[axis];
        let mut nodes = Nodes::new(shape, &sides[..shape.len()]);
        self.add_stencils_with(count, 2, noise_variance, |_, k, cells| {
            if k == 0
                && let Some(node) = nodes.next()
            {
                cells.clear();
                cells.extend([(first + node) as i64, (first + node + across) as i64]);
            }
            (cells[k], [-1.0, 1.0][k])
        })
    }

    /// A row of `width` coefficients for each node of an index set, on any mesh: row `k` is
    /// `sum_j coefficients[j] u[cells[k width + j]] = b`, with coefficients of its own (`cells.len()` of them) or the same for all rows
    /// (`width`). A width of 1 and a coefficient of 1 set values.
    ///
    /// Errors: Shape, InvalidArgument (a cell out of range or twice in a row), NonFinite, Singular, Noise, TooLarge.
    pub fn add_stencils(
        &mut self,
        cells: &[i64],
        coefficients: &[f64],
        width: usize,
        noise_variance: f64,
    ) -> Result<()> {
        if width == 0 || cells.is_empty() || !cells.len().is_multiple_of(width) {
            return fail!(
                Shape,
                "cells has {} entries, expected a positive multiple of the width {width}",
                cells.len()
            );
        }
        if coefficients.len() != width && coefficients.len() != cells.len() {
            let (found, all) = (coefficients.len(), cells.len());
            return fail!(Shape, "coefficients has {found} entries, expected {width} or {all}");
        }
        let shared = coefficients.len() == width;
        self.add_stencils_with(cells.len() / width, width, noise_variance, |row, k, _| {
            let at = row * width + k;
            (cells[at], coefficients[if shared { k } else { at }])
        })
    }

    /// The extents of a grid whose values lie from cell `first` on.
    fn grid(&self, rank: usize, extent: impl Fn(usize) -> usize, first: usize) -> Result<[usize; MAX_RANK]> {
        if rank == 0 || rank > MAX_RANK {
            return fail!(Shape, "the grid has {rank} axes, expected 1 to {MAX_RANK}");
        }
        let mut shape = [1; MAX_RANK];
        let mut points = 1usize;
        for (axis, n) in shape[..rank].iter_mut().enumerate() {
            *n = extent(axis);
            points = points.saturating_mul(*n);
        }
        if points == 0 || points > self.cells() || first > self.cells() - points {
            return fail!(
                Shape,
                "the grid of {points} points from cell {first} leaves the {} cells of the state",
                self.cells()
            );
        }
        Ok(shape)
    }

    /// `count` rows of `width` terms each; `term(row, k, stage)` gives cell and weight.
    fn add_stencils_with(
        &mut self,
        count: usize,
        width: usize,
        noise: f64,
        mut term: impl FnMut(usize, usize, &mut Vec<i64>) -> (i64, f64),
    ) -> Result<()> {
        check_noise(|| "noise_variance", noise)?;
        let total = count.saturating_mul(width);
        let mut cells = zeros(total, "boundary rows")?;
        let mut weights = zeros(total, "boundary rows")?;
        let mut starts = zeros::<i64>(count + 1, "boundary rows")?;
        let mut stage = reserved(width, "boundary rows")?;
        for row in 0..count {
            for k in 0..width {
                (cells[row * width + k], weights[row * width + k]) = term(row, k, &mut stage);
            }
            starts[row + 1] = ((row + 1) * width) as i64;
        }
        let mut noises = zeros(count, "boundary rows")?;
        noises.fill(noise);
        self.add_sparse_rows(&starts, &cells, &weights, Some(&noises))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use proptest::prelude::*;

    fn view(x: &[f64]) -> View<'_> {
        View::new("x", x, &[x.len()]).unwrap()
    }

    fn apply(c: &Constraints, k: usize, u: &[f64]) -> f64 {
        let row = c.rows().row(k);
        row.weights.iter().enumerate().map(|(j, g)| g * u[row.cell(j)]).sum()
    }

    #[test]
    fn textbook_stencils() {
        let x: Vec<f64> = (0..6).map(|i| i as f64 * 0.5).collect();
        for (order, expected) in [
            (1, vec![2.0, -2.0]),
            (2, vec![3.0, -4.0, 1.0]),
            (3, vec![11.0 / 3.0, -6.0, 3.0, -2.0 / 3.0]),
            (4, vec![25.0 / 6.0, -8.0, 6.0, -8.0 / 3.0, 0.5]),
        ] {
            let mut c = Constraints::new(6).unwrap();
            let neumann = Condition { value: 0.0, slope: 1.0, order };
            c.add_boundary(&[view(&x)], 0, &[-1], 0, neumann, 0.0).unwrap();
            c.add_boundary(&[view(&x)], 0, &[1], 0, neumann, 0.0).unwrap();
            let row = c.rows().row(0);
            for (k, e) in expected.iter().enumerate() {
                assert!((row.weights[k] - e).abs() < 1e-13 && row.cell(k) == k, "{order}: {:?}", row.weights);
            }
            // Mirrored on the other side, by sorted cells.
            let row = c.rows().row(1);
            for (k, e) in expected.iter().rev().enumerate() {
                assert!((row.weights[k] - e).abs() < 1e-13 && row.cell(k) == 5 - order + k);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn conditions_are_exact_for_polynomials(
            steps in prop::collection::vec(0.1f64..1.0, 4..12), order in 1usize..=4, value in -2.0f64..2.0, slope in 0.1f64..2.0,
            coefficients in prop::array::uniform5(-1.0f64..1.0), high in any::<bool>(),
        ) {
            let mut x = vec![-1.0];
            steps.iter().for_each(|h| x.push(x[x.len() - 1] + h));
            let n = x.len();
            let f = |x: f64| (0..=order).map(|k| coefficients[k] * x.powi(k as i32)).sum::<f64>();
            let df = |x: f64| (1..=order).map(|k| k as f64 * coefficients[k] * x.powi(k as i32 - 1)).sum::<f64>();
            let u: Vec<f64> = x.iter().map(|&x| f(x)).collect();
            let mut c = Constraints::new(n).unwrap();
            let side = if high { 1 } else { -1 };
            c.add_boundary(&[view(&x)], 0, &[side], 0, Condition { value, slope, order }, 0.0).unwrap();
            let at = if high { x[n - 1] } else { x[0] };
            let expected = value * f(at) + slope * f64::from(side) * df(at);
            let size = u.iter().fold(1f64, |m, u| m.max(u.abs())) * 1e3 + expected.abs();
            prop_assert!((apply(&c, 0, &u) - expected).abs() < 1e-10 * size * 10f64.powi(order as i32));
        }
    }

    #[test]
    fn faces_edges_and_corners() {
        // A grid of 2 x 3 x 4 points behind 5 other cells; the value of a point tells its index.
        let (a, b, t) = ([0.0, 1.0], [0.0, 1.0, 3.0], [0.0, 1.0, 2.0, 5.0]);
        let axes = [view(&a), view(&b), view(&t)];
        let u: Vec<f64> = (0..29).map(|i| i as f64 - 5.0).collect();
        let dirichlet = Condition { value: 1.0, slope: 0.0, order: 0 };
        let values = |sides: &[i32], axis: usize| {
            let mut c = Constraints::new(29).unwrap();
            c.add_boundary(&axes, 5, sides, axis, dirichlet, 0.0).unwrap();
            (0..c.len()).map(|k| apply(&c, k, &u)).collect::<Vec<f64>>()
        };
        assert_eq!(values(&[0, 1, 0], 1), [8.0, 9.0, 10.0, 11.0, 20.0, 21.0, 22.0, 23.0]);
        assert_eq!(values(&[-1, 0, 1], 2), [3.0, 7.0, 11.0]);
        assert_eq!(values(&[1, -1, 1], 0), [15.0]);
        let mut c = Constraints::new(29).unwrap();
        c.add_periodic(&[2, 3, 4], 5, 1, 0.0).unwrap();
        assert_eq!((0..c.len()).map(|k| apply(&c, k, &u)).collect::<Vec<_>>(), [8.0; 8]);
        let mut c = Constraints::new(29).unwrap();
        let neumann = Condition { value: 0.0, slope: 1.0, order: 1 };
        c.add_boundary(&axes, 5, &[0, 1, 0], 1, neumann, 0.0).unwrap();
        assert_eq!((0..c.len()).map(|k| apply(&c, k, &u)).collect::<Vec<_>>(), [2.0; 8]);
        let mut c = Constraints::new(29).unwrap();
        c.add_stencils(&[3, 9, 7, 2], &[2.0, -1.0], 2, 0.0).unwrap();
        assert_eq!((apply(&c, 0, &u), apply(&c, 1, &u)), (2.0 * -2.0 - 4.0, 2.0 * 2.0 + 3.0));
    }

    #[test]
    fn refusals_name_the_culprit() {
        let x = [0.0, 1.0, 2.0];
        let refused = |status: Status, culprit: &str, f: &dyn Fn(&mut Constraints) -> Result<()>| {
            let mut c = Constraints::new(10).unwrap();
            let e = f(&mut c).unwrap_err();
            assert!(e.status() == status && e.message().contains(culprit) && c.is_empty(), "{e}");
        };
        let robin = Condition { value: 1.0, slope: 1.0, order: 2 };
        let add = |c: &mut Constraints, sides: &[i32], axis, condition| {
            c.add_boundary(&[view(&x), view(&x)], 0, sides, axis, condition, 0.0)
        };
        refused(Status::InvalidArgument, "sides", &|c| add(c, &[1], 0, robin));
        refused(Status::InvalidArgument, "sides", &|c| add(c, &[2, 0], 0, robin));
        refused(Status::InvalidArgument, "axis is 1", &|c| add(c, &[1, 0], 1, robin));
        refused(Status::InvalidArgument, "order is 5", &|c| add(c, &[1, 0], 0, Condition { order: 5, ..robin }));
        refused(Status::Shape, "axes[0] has 3", &|c| add(c, &[1, 0], 0, Condition { order: 3, ..robin }));
        refused(Status::NonFinite, "slope", &|c| add(c, &[1, 0], 0, Condition { slope: f64::NAN, ..robin }));
        refused(Status::Singular, "row 0", &|c| add(c, &[1, 0], 0, Condition { value: 0.0, slope: 0.0, order: 1 }));
        refused(Status::Shape, "leaves the 10 cells", &|c| c.add_boundary(&[view(&x)], 8, &[1], 0, robin, 0.0));
        refused(Status::Noise, "noise", &|c| c.add_boundary(&[view(&x)], 0, &[1], 0, robin, -1.0));
        refused(Status::NotSorted, "axes[0][1]", &|c| {
            c.add_boundary(&[view(&[0.0, 0.0, 1.0])], 0, &[1], 0, robin, 0.0)
        });
        refused(Status::InvalidArgument, "axis is 2", &|c| c.add_periodic(&[3, 3], 0, 2, 0.0));
        refused(Status::Shape, "width", &|c| c.add_stencils(&[1, 2, 3], &[1.0, 1.0], 2, 0.0));
        refused(Status::InvalidArgument, "twice", &|c| c.add_stencils(&[1, 1], &[1.0, 1.0], 2, 0.0));
        refused(Status::InvalidArgument, "cells[1] of row 1", &|c| c.add_stencils(&[1, 10], &[1.0], 1, 0.0));
    }
}
