use pulp::{Arch, Simd, WithSimd};

use super::batch::data_of;
use super::metric::place;
use super::prior::Prior;
use super::project::{Projector, check_apart, slice, slice_mut};
use super::report::Report;
use super::rows::Constraints;
use crate::error::{Result, fail, zeros};
use crate::field::Dtype;
use crate::kernels::double::{Double, two_product, two_sum};
use crate::kernels::linear::{self, dispatch};
use crate::kernels::strided::{View, ViewMut};

/// Most rows and invariants together: their normal matrix is dense.
pub const MAX_NONLINEAR: usize = 256;
/// Most Newton steps of one slice.
const MAX_ITERATIONS: usize = 200;
/// Most halvings of one Newton step.
const MAX_HALVINGS: usize = 60;
/// Most repairs of the stored values.
const MAX_REPAIRS: usize = 20;
/// Most conjugate gradient steps of one solve with products of different cells.
const MAX_INNER: usize = 500;
/// A pivot of the scaled normal matrix below this is rounding: the row depends on those before it.
const PIVOT: f64 = 1e-13;
const BLOCK: usize = 256;

/// `q(u) = sum_t w_t u[i_t] u[j_t]`.
#[derive(Clone, Debug)]
pub(super) struct Quadratic {
    terms: Vec<(u32, u32, f64)>,
}

impl Quadratic {
    fn is_diagonal(&self) -> bool {
        self.terms.iter().all(|t| t.0 == t.1)
    }

    /// +1 or -1 where all terms are squares with weights of that sign, else 0.
    fn sign(&self) -> f64 {
        let all = |s: f64| self.terms.iter().all(|t| t.0 == t.1 && t.2 * s >= 0.0);
        if all(1.0) {
            1.0
        } else if all(-1.0) {
            -1.0
        } else {
            0.0
        }
    }
}

impl Constraints {
    /// Quadratic invariants so far.
    pub fn invariants(&self) -> usize {
        self.quadratics.len()
    }

    /// The invariant `q(u) = sum_t weights[t] u[cells_i[t]] u[cells_j[t]]`: weighted squares where the two cells are the same,
    /// products of two fields of the concatenated state where they differ. A pair may be named again; its weights add up. The
    /// level `q(u) = e` comes with each projection.
    ///
    /// Errors: Shape (empty, or lists of different lengths), InvalidArgument (names the term whose cell is out of range),
    /// NonFinite, Singular when all weights are 0, TooLarge, OutOfMemory. After a failure the constraints are as before.
    pub fn add_quadratic(&mut self, cells_i: &[i64], cells_j: &[i64], weights: &[f64]) -> Result<()> {
        if weights.is_empty() || cells_i.len() != weights.len() || cells_j.len() != weights.len() {
            return fail!(
                Shape,
                "cells_i, cells_j and weights have {}, {} and {} values, expected one number of at least 1",
                cells_i.len(),
                cells_j.len(),
                weights.len()
            );
        }
        let cells = self.cells();
        for (name, list) in [("cells_i", cells_i), ("cells_j", cells_j)] {
            if let Some(t) = list.iter().position(|&c| c < 0 || c as u64 >= cells as u64) {
                return fail!(InvalidArgument, "{name}[{t}] is {}, expected 0 to {}", list[t], cells - 1);
            }
        }
        self.push_quadratic(weights.len(), |t| (cells_i[t] as usize, cells_j[t] as usize, weights[t]))
    }

    /// The invariant `q(u) = sum_i weights[i] u[i]^2`, one weight a cell: kinetic energy with half the masses, enstrophy with half
    /// the volumes.
    ///
    /// Errors: as [`Constraints::add_quadratic`].
    pub fn add_energy(&mut self, weights: View) -> Result<()> {
        let n = self.cells();
        if weights.layout().len() != n {
            let shape = weights.layout().shape();
            return fail!(Shape, "weights has shape {shape:?}, expected {n} values, one a cell");
        }
        let mut w = zeros(n, "weights")?;
        weights.gather(0, &mut w);
        self.push_quadratic(n, |i| (i, i, w[i]))
    }

    fn push_quadratic(&mut self, count: usize, term: impl Fn(usize) -> (usize, usize, f64)) -> Result<()> {
        if self.cells() > u32::MAX as usize {
            return fail!(TooLarge, "invariants reach {} cells, this state has {}", u32::MAX, self.cells());
        }
        if let Some(t) = (0..count).find(|&t| !term(t).2.is_finite()) {
            return fail!(NonFinite, "weights[{t}] is {}, expected a finite number", term(t).2);
        }
        let used = || (0..count).map(&term).filter(|t| t.2 != 0.0);
        let number = used().count();
        if number == 0 {
            let k = self.invariants();
            return fail!(Singular, "weights: all weights of invariant {k} are 0, expected at least one other");
        }
        let mut terms = Vec::new();
        if terms.try_reserve_exact(number).is_err() || self.quadratics.try_reserve(1).is_err() {
            return fail!(OutOfMemory, "no memory for an invariant of {number} terms");
        }
        terms.extend(used().map(|(i, j, w)| (i as u32, j as u32, w)));
        self.quadratics.push(Quadratic { terms });
        Ok(())
    }
}

/// Working memory of [`Projector::project_nonlinear`], made once for a most number of slices. One for each thread.
#[derive(Debug)]
pub struct NonlinearScratch {
    owner: u64,
    done: Vec<Done>,
    /// The posterior mean of each slice as it will be stored.
    pub(super) results: Vec<f64>,
    pub(super) before: Vec<f64>,
    after: Vec<f64>,
    pub(super) allowed: Vec<f64>,
    multipliers: Vec<f64>,
    pub(super) work: Work,
}

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    iterations: usize,
    repairs: usize,
    unchanged: bool,
    norm: f64,
    largest: f64,
    cell: usize,
}

#[derive(Debug)]
pub(super) struct Work {
    pub(super) mu: Vec<f64>,
    pub(super) v: Vec<f64>,
    pub(super) u: Vec<f64>,
    /// `diag(Q)` weighted by the multipliers, then the inverse diagonal of H.
    q_diagonal: Vec<f64>,
    inverse: Vec<f64>,
    pub(super) right: Vec<f64>,
    pub(super) x: Vec<f64>,
    /// `H^-1` between the two cells of a pair.
    cross: Vec<f64>,
    inner: [Vec<f64>; 3],
    /// Gradient of each row and invariant, one after the other.
    pub(super) jacobian: Vec<f64>,
    target: Vec<f64>,
    pub(super) left: Vec<f64>,
    scale: Vec<f64>,
    pub(super) y: Vec<f64>,
    trial: Vec<f64>,
    pub(super) step: Vec<f64>,
    normal: Vec<f64>,
    diagonal: Vec<f64>,
    dropped: Vec<bool>,
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    linear::plain_dot(Arch::new(), a, b)
}

/// `sum g^2 |h|`
fn energy(arch: Arch, g: &[f64], h: &[f64]) -> f64 {
    dispatch!(arch, (g: &'a [f64] = g, h: &'a [f64] = h) -> f64 {
        const LANES: usize = 8;
        let mut sums = [0.0; LANES];
        let ((g8, g), (h8, h)) = (g.as_chunks::<LANES>(), h.as_chunks::<LANES>());
        for (g, h) in g8.iter().zip(h8) {
            for l in 0..LANES {
                sums[l] += g[l] * g[l] * h[l].abs();
            }
        }
        g.iter().zip(h).for_each(|(g, h)| sums[0] += g * g * h.abs());
        sums.iter().sum()
    })
}

/// `sum w u_i u_j` in twice the precision, and `sum |w u_i u_j|`.
fn measure(arch: Arch, terms: &[(u32, u32, f64)], u: &[f64]) -> (Double, f64) {
    dispatch!(arch, (terms: &'a [(u32, u32, f64)] = terms, u: &'a [f64] = u) -> (Double, f64) {
        const LANES: usize = 8;
        let (mut high, mut low, mut scale) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for terms in terms.chunks(LANES) {
            for (l, &(i, j, w)) in terms.iter().enumerate() {
                let (square, square_error) = two_product(u[i as usize], u[j as usize]);
                let (product, product_error) = two_product(w, square);
                let (sum, error) = two_sum(high[l], product);
                high[l] = sum;
                low[l] += error + w.mul_add(square_error, product_error);
                scale[l] += product.abs();
            }
        }
        let lanes = high.iter().zip(&low).map(|(h, l)| Double::normal(*h, *l));
        (lanes.fold(Double::default(), |sum, lane| sum + lane), scale.iter().sum())
    })
}

fn store(x: f64, dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F32 => x as f32 as f64,
        Dtype::F64 => x,
    }
}

impl Work {
    /// `G u - b`, `q(u) - e` in double-double, and the sums of magnitudes.
    fn residuals(&mut self, p: &Projector, stored: Option<&[f64]>) {
        self.measure_laws(p, stored, 0..self.left.len());
    }

    fn measure_laws(&mut self, p: &Projector, stored: Option<&[f64]>, laws: std::ops::Range<usize>) {
        let u = stored.unwrap_or(&self.u);
        let arch = Arch::new();
        for k in laws {
            let (sum, scale) = match k.checked_sub(p.rows.len()) {
                None => {
                    let row = p.rows.row(k);
                    linear::dot(arch, row.weights, place(&row), u)
                }
                Some(q) => measure(arch, &p.quadratics[q].terms, u),
            };
            self.left[k] = sum.plus(-self.target[k]).high;
            self.scale[k] = scale;
        }
    }

    /// Gradients of the invariants; those of the rows are constant and filled once a slice.
    fn gradients(&mut self, p: &Projector, stored: Option<&[f64]>) {
        let u = stored.unwrap_or(&self.u);
        let n = u.len();
        for (k, q) in p.quadratics.iter().enumerate() {
            let gradient = &mut self.jacobian[(p.rows.len() + k) * n..][..n];
            gradient.fill(0.0);
            for &(i, j, w) in &q.terms {
                gradient[i as usize] += w * u[j as usize];
                gradient[j as usize] += w * u[i as usize];
            }
        }
    }

    fn fill_rows(&mut self, p: &Projector) {
        let n = self.u.len();
        for k in 0..p.rows.len() {
            let gradient = &mut self.jacobian[k * n..][..n];
            gradient.fill(0.0);
            let row = p.rows.row(k);
            for (t, &g) in row.weights.iter().enumerate() {
                gradient[row.cell(t)] = g;
            }
        }
    }

    /// `H = Sigma^-1 + sum nu_k Q_k` at the trial multipliers, and `S = G H^-1 G'` with its factor; false outside the domain of the
    /// dual: where H is not positive definite along the rows.
    pub(super) fn set_hessian(&mut self, p: &Projector) -> bool {
        self.q_diagonal.fill(0.0);
        for (q, &nu) in p.quadratics.iter().zip(&self.trial[p.rows.len()..]) {
            for &(i, j, w) in &q.terms {
                if i == j {
                    self.q_diagonal[i as usize] += 2.0 * nu * w;
                }
            }
        }
        let (mut finite, mut negative) = (true, 0);
        for ((inverse, &v), &q) in self.inverse.iter_mut().zip(&self.v).zip(&self.q_diagonal) {
            let d = v * q + 1.0;
            finite &= d != 0.0 && d.is_finite();
            negative += usize::from(d < 0.0 && v > 0.0);
            *inverse = v / d;
        }
        if let Forms::Paired(partner) = &p.forms {
            let Work { cross, trial, .. } = self;
            cross.fill(0.0);
            for (q, &nu) in p.quadratics.iter().zip(&trial[p.rows.len()..]) {
                for &(i, j, w) in q.terms.iter().filter(|t| t.0 != t.1) {
                    cross[i as usize] += nu * w;
                    cross[j as usize] += nu * w;
                }
            }
            negative = 0;
            for (i, &j) in partner.iter().enumerate() {
                let j = j as usize;
                if j < i {
                    continue;
                }
                // Blocks of two cells [1/v_i + q_i, c; c, 1/v_j + q_j], both rows and columns scaled by the square roots of v.
                let (v, w, c) = (self.v[i], self.v[j], self.cross[i]);
                let (a, d) = (v * self.q_diagonal[i] + 1.0, w * self.q_diagonal[j] + 1.0);
                let c = if i == j { 0.0 } else { c };
                let determinant = if i == j { a } else { a * d - (v * c) * (w * c) };
                finite &= determinant != 0.0 && determinant.is_finite();
                if i == j {
                    negative += usize::from(a < 0.0 && v > 0.0);
                    continue;
                }
                negative += match determinant < 0.0 {
                    true => 1,
                    false => 2 * usize::from(a < 0.0),
                };
                (self.inverse[i], self.inverse[j]) = (v * (d / determinant), w * (a / determinant));
                let shared = -(v * c) * (w / determinant);
                (self.cross[i], self.cross[j]) = (shared, shared);
            }
        }
        if !finite || negative > p.rows.len() || (negative > 0 && matches!(p.forms, Forms::General)) {
            return false;
        }
        for l in 0..p.rows.len() {
            if !self.add_normal(p, l) {
                return false;
            }
            self.factor(l);
        }
        // H is positive definite along the rows where S has as many negative pivots as H has (Haynsworth).
        let m = self.left.len();
        (0..p.rows.len()).filter(|&k| self.normal[k * m + k] < 0.0).count() == negative
    }

    /// `x = H^-1 right`: exact at once where no cell has products with more than one other, else by conjugate gradients with the inverse
    /// diagonal for a preconditioner; false on negative curvature there.
    pub(super) fn solve(&mut self, p: &Projector) -> bool {
        if !matches!(p.forms, Forms::General) {
            for ((x, r), d) in self.x.iter_mut().zip(&self.right).zip(&self.inverse) {
                *x = r * d;
            }
            if let Forms::Paired(partner) = &p.forms {
                for ((x, &j), c) in self.x.iter_mut().zip(partner).zip(&self.cross) {
                    *x += c * self.right[j as usize];
                }
            }
            return true;
        }
        let Work { right: r, x, inverse, v, trial, q_diagonal, inner, .. } = self;
        let [z, d, hd] = inner;
        x.fill(0.0);
        let precondition = |z: &mut [f64], r: &[f64]| {
            z.iter_mut().zip(r).zip(inverse.iter()).for_each(|((z, r), i)| *z = r * i);
        };
        precondition(z, r);
        d.copy_from_slice(z);
        let mut rho = dot(r, z);
        let enough = rho * 1e-34;
        for _ in 0..MAX_INNER {
            if rho <= enough || rho == 0.0 {
                return rho >= 0.0;
            }
            for (i, h) in hd.iter_mut().enumerate() {
                *h = if v[i] > 0.0 { d[i] / v[i] + q_diagonal[i] * d[i] } else { 0.0 };
            }
            for (q, &nu) in p.quadratics.iter().zip(&trial[p.rows.len()..]) {
                for &(i, j, w) in q.terms.iter().filter(|t| t.0 != t.1) {
                    let (i, j) = (i as usize, j as usize);
                    hd[i] += nu * w * d[j];
                    hd[j] += nu * w * d[i];
                }
            }
            let curvature = dot(d, hd);
            if curvature.is_nan() || curvature <= 0.0 {
                return false;
            }
            let alpha = rho / curvature;
            x.iter_mut().zip(d.iter()).for_each(|(x, d)| *x += alpha * d);
            r.iter_mut().zip(hd.iter()).for_each(|(r, h)| *r -= alpha * h);
            precondition(z, r);
            let next = dot(r, z);
            let beta = next / rho;
            d.iter_mut().zip(z.iter()).for_each(|(d, z)| *d = beta * *d + *z);
            rho = next;
        }
        rho <= enough * 1e8
    }

    /// `u = argmin L(u, y)` over `G u = b` at the trial multipliers of the invariants; sets those of the rows and the residuals. False
    /// outside the domain of the dual.
    fn respond(&mut self, p: &Projector) -> bool {
        if !self.set_hessian(p) {
            return false;
        }
        let rows = p.rows.len();
        self.trial[..rows].fill(0.0);
        self.right.fill(0.0);
        for (q, &nu) in p.quadratics.iter().zip(&self.trial[rows..]) {
            for &(i, j, w) in q.terms.iter().filter(|_| nu != 0.0) {
                let (i, j) = (i as usize, j as usize);
                self.right[i] -= nu * w * self.mu[j];
                self.right[j] -= nu * w * self.mu[i];
            }
        }
        if !self.solve(p) {
            return false;
        }
        for ((u, mu), x) in self.u.iter_mut().zip(&self.mu).zip(&self.x) {
            *u = mu + x;
        }
        if rows > 0 {
            self.measure_laws(p, None, 0..rows);
            self.solve_normal(rows);
            self.right.fill(0.0);
            for k in 0..rows {
                self.trial[k] = self.step[k];
                let row = p.rows.row(k);
                linear::spread(Arch::new(), row.weights, place(&row), -self.step[k], &mut self.right);
            }
            if !self.solve(p) {
                return false;
            }
            self.u.iter_mut().zip(&self.x).for_each(|(u, x)| *u += x);
        }
        self.residuals(p, None);
        self.left.iter().all(|c| c.is_finite())
    }

    /// `step = (J H^-1 J')^-1 left`, with `H` as last set. False where nothing can move.
    pub(super) fn newton(&mut self, p: &Projector) -> bool {
        let m = self.left.len();
        for l in p.rows.len()..m {
            if !self.add_normal(p, l) {
                return false;
            }
            self.factor(l);
            // Along the rows H is positive definite, so what is negative here is rounding.
            if self.normal[l * m + l] < 0.0 {
                (self.normal[l * m + l], self.dropped[l]) = (0.0, true);
            }
        }
        self.solve_normal(m);
        self.step.iter().all(|s| s.is_finite()) && self.step.iter().any(|&s| s != 0.0)
    }

    /// Row `l` of `J H^-1 J'` up to its diagonal, and its scale.
    fn add_normal(&mut self, p: &Projector, l: usize) -> bool {
        let (m, n) = (self.left.len(), self.u.len());
        self.right.copy_from_slice(&self.jacobian[l * n..][..n]);
        let size = energy(Arch::new(), &self.right, &self.inverse);
        self.diagonal[l] = if size >= f64::MIN_POSITIVE && size.is_finite() { 1.0 / size.sqrt() } else { 0.0 };
        if !self.solve(p) {
            return false;
        }
        for k in 0..=l {
            self.normal[l * m + k] = dot(&self.jacobian[k * n..][..n], &self.x);
        }
        true
    }

    /// Row `k` of L and its pivot, of `L D L'`, the normal matrix scaled to a diagonal near 1; a row that depends on those before it
    /// takes no part.
    fn factor(&mut self, k: usize) {
        let m = self.left.len();
        let Work { normal: a, diagonal, dropped, .. } = self;
        for l in 0..=k {
            let mut sum = a[k * m + l] * diagonal[k] * diagonal[l];
            for j in 0..l {
                sum -= a[k * m + j] * a[j * m + j] * a[l * m + j];
            }
            if l == k {
                dropped[k] = sum.is_nan() || sum.abs() <= PIVOT;
                a[k * m + k] = if dropped[k] { 0.0 } else { sum };
            } else {
                a[k * m + l] = if dropped[l] { 0.0 } else { sum / a[l * m + l] };
            }
        }
    }

    /// `step = (J H^-1 J')^-1 left` of the first `count` rows.
    fn solve_normal(&mut self, count: usize) {
        let m = self.left.len();
        let Work { normal: a, diagonal, step, left, dropped, .. } = self;
        for k in 0..count {
            step[k] = left[k] * diagonal[k] - (0..k).map(|j| a[k * m + j] * step[j]).sum::<f64>();
        }
        for k in 0..count {
            step[k] = if dropped[k] { 0.0 } else { step[k] / a[k * m + k] };
        }
        for k in (0..count).rev() {
            step[k] -= (k + 1..count).map(|j| a[j * m + k] * step[j]).sum::<f64>();
            if dropped[k] {
                step[k] = 0.0;
            }
        }
        for k in 0..count {
            step[k] *= diagonal[k];
        }
    }

    /// How far the residuals are beyond `factor eps sum |...|`, at most 1 where all hold.
    fn excess(&self, factor: f64, p: &Projector, dtype: Dtype) -> f64 {
        let excess = |k: usize| self.left[k].abs() / self.allowed(k, factor, p, dtype);
        (0..self.left.len()).map(excess).fold(0.0, f64::max)
    }

    /// A smallest subnormal a term stands for rounding at underflow, so it is never 0.
    fn allowed(&self, k: usize, factor: f64, p: &Projector, dtype: Dtype) -> f64 {
        factor * dtype.epsilon() * self.scale[k] + p.nonlinear_floor[k][(dtype == Dtype::F64) as usize]
    }
}

/// What rounding at underflow can add to each residual, for f32 and f64.
pub(super) fn floors(constraints: &Constraints) -> Vec<[f64; 2]> {
    let tiny = [f32::from_bits(1) as f64, f64::from_bits(1)];
    let of = |sum: f64, count: usize| tiny.map(|t| sum * t + count as f64 * f64::from_bits(1));
    let rows = constraints.rows().iter().map(|r| of(r.weights.iter().map(|w| w.abs()).sum(), r.weights.len()));
    let squares = constraints.quadratics.iter().map(|q| {
        let sum: f64 = q.terms.iter().map(|t| t.2.abs()).sum();
        tiny.map(|t| sum * t * t + q.terms.len() as f64 * 4.0 * f64::from_bits(1))
    });
    rows.chain(squares).collect()
}

/// How the invariants couple cells.
#[derive(Clone, Debug)]
pub(super) enum Forms {
    /// Squares only.
    Diagonal,
    /// Each cell has products with at most one other, the same in all invariants: that one, or itself.
    Paired(Vec<u32>),
    General,
}

pub(super) fn forms(constraints: &Constraints) -> Result<Forms> {
    if constraints.quadratics.iter().all(Quadratic::is_diagonal) {
        return Ok(Forms::Diagonal);
    }
    let mut partner: Vec<u32> = zeros(constraints.cells(), "projector")?;
    partner.iter_mut().enumerate().for_each(|(i, p)| *p = i as u32);
    for &(i, j, _) in constraints.quadratics.iter().flat_map(|q| &q.terms).filter(|t| t.0 != t.1) {
        for (own, other) in [(i, j), (j, i)] {
            let known = &mut partner[own as usize];
            if *known != own && *known != other {
                return Ok(Forms::General);
            }
            *known = other;
        }
    }
    Ok(Forms::Paired(partner))
}

impl Projector {
    /// Quadratic invariants.
    pub fn invariants(&self) -> usize {
        self.quadratics.len()
    }

    /// Working memory for [`Projector::project_nonlinear`] of at most `max_slices`: 8 `cells` (9 + slices + rows + invariants)
    /// bytes.
    ///
    /// Errors: InvalidArgument when 0, State without invariants, TooLarge above [`MAX_NONLINEAR`] rows and invariants, OutOfMemory.
    pub fn nonlinear_scratch(&self, max_slices: usize) -> Result<NonlinearScratch> {
        if max_slices == 0 {
            return fail!(InvalidArgument, "slices is 0, expected at least 1");
        }
        if self.invariants() == 0 {
            return fail!(State, "constraints have no invariant, expected at least one");
        }
        if !self.prior.is_diagonal() {
            return fail!(
                InvalidArgument,
                "prior is {:?}, expected Identity, Diagonal or Scalar for invariants",
                self.prior
            );
        }
        if self.sets.bind() {
            return fail!(State, "constraints hold a simplex or a monotone run, which invariants do not join");
        }
        let (n, m) = (self.cells(), self.rows.len() + self.invariants());
        if m > MAX_NONLINEAR {
            return fail!(TooLarge, "{m} rows and invariants, expected at most {MAX_NONLINEAR}");
        }
        let (Some(all), Some(jacobian)) = (n.checked_mul(max_slices), n.checked_mul(m)) else {
            return fail!(TooLarge, "{max_slices} slices of {n} cells exceed the address space");
        };
        let Some(each) = m.checked_mul(max_slices) else {
            return fail!(TooLarge, "{max_slices} slices with {m} rows exceed the address space");
        };
        let what = "nonlinear workspace";
        let field = || zeros(n, what);
        let small = || zeros(m, what);
        Ok(NonlinearScratch {
            owner: self.id,
            done: zeros(max_slices, what)?,
            results: zeros(all, what)?,
            before: zeros(each, what)?,
            after: zeros(each, what)?,
            allowed: zeros(each, what)?,
            multipliers: zeros(each, what)?,
            work: Work {
                mu: field()?,
                v: field()?,
                u: field()?,
                q_diagonal: field()?,
                inverse: field()?,
                right: field()?,
                x: field()?,
                cross: if matches!(self.forms, Forms::Paired(_)) { field()? } else { Vec::new() },
                inner: match self.forms {
                    Forms::General => [field()?, field()?, field()?],
                    _ => Default::default(),
                },
                jacobian: zeros(jacobian, what)?,
                target: small()?,
                left: small()?,
                scale: small()?,
                y: small()?,
                trial: small()?,
                step: small()?,
                normal: zeros(m * m, what)?,
                diagonal: small()?,
                dropped: zeros(m, what)?,
            },
        })
    }

    /// The nearest state in the prior's metric that obeys all rows and all quadratic invariants:
    /// minimise `sum (u - mu)^2 / v` subject to `G u = b`, `q_k(u) = e_k`.
    ///
    /// Arrays: as [`Projector::project`]. `b`: `[slices, rows]`, or `[slices]` for one row; none without rows. `levels`: `e`,
    /// `[slices, invariants]`, or `[slices]` for one, in the unit of weight times field squared. The report's rows are the linear
    /// rows, then the invariants.
    ///
    /// Newton's method on the concave dual `d(nu) = min L(u, nu)` over `G u = b`, whose gradient is the residual, with
    /// `J H^-1 J'`, `H = Sigma^-1 + sum nu_k Q_k`, halved until H stays positive definite along the rows and the slope does not
    /// turn over. A solution so found is a global nearest point, since H is positive definite there (where a
    /// cell has products with several others H must be so everywhere). Where none is of this kind (the hard
    /// case, as `mu = 0` with an energy to reach) the call refuses.
    ///
    /// For the posterior mean as stored `|g u - b| <= 4 eps sum |g u|` and `|q(u) - e| <= 4 eps sum |w u_i u_j|`, eps of its
    /// dtype, with sums in double-double. A prior mean that obeys so already comes back bit for bit. Arithmetic is f64 throughout.
    ///
    /// All slices are decided before the first write. O(cells (rows + invariants)^2) a step, allocates nothing.
    ///
    /// Errors: as [`Projector::project`]; State for rows with noise; Infeasible (names slice and invariant) where a level has the
    /// wrong sign or lies below what the rows leave; Singular where no cell can move an invariant; NotConverged with the residuals.
    #[allow(clippy::too_many_arguments)]
    pub fn project_nonlinear(
        &self,
        scratch: &mut NonlinearScratch,
        mean: View,
        variance: Option<View>,
        b: Option<View>,
        levels: View,
        mut posterior_mean: ViewMut,
        mut report: Option<&mut Report>,
    ) -> Result<()> {
        self.check_prior(variance.is_some())?;
        let count = self.check_nonlinear_arrays(scratch, &mean, b.as_ref(), &levels)?;
        if let Some(variance) = &variance {
            self.prior.check_data(variance.layout(), self.cells(), 0, count)?;
        }
        let (n, m) = (self.cells(), self.rows.len() + self.invariants());
        if self.slices("posterior_mean", posterior_mean.layout())? != count {
            let shape = posterior_mean.layout().shape();
            return fail!(Shape, "posterior_mean has shape {shape:?}, expected {count} slices as mean");
        }
        let out = ("posterior_mean", posterior_mean.place());
        check_apart(out, ("mean", mean.place()), true)?;
        check_apart(out, ("levels", levels.place()), false)?;
        for (name, values) in [("variance", &variance), ("b", &b)] {
            if let Some(values) = values {
                check_apart(out, (name, values.place()), false)?;
            }
        }
        if let Some(report) = &report {
            report.check(count, m)?;
        }
        let dtype = posterior_mean.dtype();
        for index in 0..count {
            self.read_slice(scratch, index, count, &mean, variance.as_ref(), b.as_ref(), &levels)?;
            let work = &mut scratch.work;
            let result = &mut scratch.results[index * n..][..n];
            scratch.done[index] =
                self.solve_slice(index, work, result, dtype, &mut scratch.before[index * m..][..m])?;
            for k in 0..m {
                scratch.after[index * m + k] = work.left[k];
                scratch.allowed[index * m + k] = work.allowed(k, 4.0, self, dtype);
                scratch.multipliers[index * m + k] = work.y[k];
            }
        }
        for index in 0..count {
            let mut out = slice_mut(&mut posterior_mean, count, index);
            for (at, block) in scratch.results[index * n..][..n].chunks(BLOCK).enumerate() {
                out.scatter(at * BLOCK, block);
            }
        }
        if let Some(report) = &mut report {
            report.begin(count);
            for index in 0..count {
                let done = scratch.done[index];
                let (of_slice, of_rows) = report.slice_mut(index);
                *of_slice = super::SliceReport {
                    correction_norm: done.norm,
                    largest_correction: done.largest,
                    largest_correction_cell: done.cell,
                    repairs: done.repairs,
                    unchanged: done.unchanged,
                    iterations: done.iterations,
                    ..Default::default()
                };
                for (k, row) in of_rows.iter_mut().enumerate() {
                    *row = super::RowReport {
                        residual_before: scratch.before[index * m + k],
                        residual_after: scratch.after[index * m + k],
                        tolerance: scratch.allowed[index * m + k],
                        multiplier: scratch.multipliers[index * m + k],
                        dropped: false,
                    };
                }
            }
        }
        Ok(())
    }

    /// Checks the arrays and gives the number of slices.
    pub(super) fn check_nonlinear_arrays(
        &self,
        scratch: &NonlinearScratch,
        mean: &View,
        b: Option<&View>,
        levels: &View,
    ) -> Result<usize> {
        let (rows, m) = (self.rows.len(), self.rows.len() + self.invariants());
        self.check_owner(scratch.owner)?;
        let count = self.slices("mean", mean.layout())?;
        if count > scratch.done.len() {
            let room = scratch.done.len();
            return fail!(InvalidArgument, "mean has {count} slices, expected at most {room} as the workspace");
        }
        match b {
            None if rows > 0 => return fail!(NullArgument, "b is missing, expected [{count}, {rows}]"),
            Some(_) if rows == 0 => {
                return fail!(InvalidArgument, "b is given, expected none: there are no linear rows");
            }
            _ => {}
        }
        for (name, values, each) in [("b", b, rows), ("levels", Some(levels), m - rows)] {
            let Some(values) = values else { continue };
            let shape = values.layout().shape();
            if shape != [count, each] && !(each == 1 && shape == [count]) && !(count == 1 && shape == [each]) {
                return fail!(Shape, "{name} has shape {shape:?}, expected [{count}, {each}]");
            }
        }
        match self.rows.iter().position(|r| r.noise != 0.0) {
            Some(k) => {
                let noise = self.rows.row(k).noise;
                fail!(State, "row {k} has noise variance {noise:e}, expected 0 jointly with invariants")
            }
            None => Ok(count),
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn read_slice(
        &self,
        scratch: &mut NonlinearScratch,
        index: usize,
        count: usize,
        mean: &View,
        variance: Option<&View>,
        b: Option<&View>,
        levels: &View,
    ) -> Result<()> {
        let rows = self.rows.len();
        let work = &mut scratch.work;
        slice(mean, count, index).gather(0, &mut work.mu);
        match data_of(variance, self.prior.span(self.cells(), 0), count, index) {
            Some(v) if self.prior == Prior::Scalar => {
                let mut value = [0.0];
                v.gather(0, &mut value);
                work.v.fill(value[0]);
            }
            Some(v) => v.gather(0, &mut work.v),
            None => work.v.fill(1.0),
        }
        if let Some(b) = b {
            b.gather(index * rows, &mut work.target[..rows]);
        }
        levels.gather(index * self.invariants(), &mut work.target[rows..]);
        self.check_slice(index, work)
    }

    /// Residuals of the slice that was read into `before` and what they may be into `allowed`.
    pub(super) fn measure_slice(&self, scratch: &mut NonlinearScratch, index: usize, dtype: Dtype) -> Result<()> {
        let NonlinearScratch { work, before, allowed, .. } = scratch;
        work.u.copy_from_slice(&work.mu);
        work.residuals(self, None);
        if !work.left.iter().chain(&work.scale).all(|x| x.is_finite()) {
            return fail!(NonFinite, "mean: slice {index}: the sum over its weighted cells overflows");
        }
        let m = work.left.len();
        for k in 0..m {
            before[index * m + k] = work.left[k];
            allowed[index * m + k] = work.allowed(k, 4.0, self, dtype);
        }
        Ok(())
    }

    /// Solves one slice in f64 and sets H and J there.
    pub(super) fn linearise_nonlinear(
        &self,
        scratch: &mut NonlinearScratch,
        mean: View,
        variance: Option<View>,
        b: Option<View>,
        levels: View,
    ) -> Result<()> {
        self.check_prior(variance.is_some())?;
        let count = self.check_nonlinear_arrays(scratch, &mean, b.as_ref(), &levels)?;
        if let Some(variance) = &variance {
            self.prior.check_data(variance.layout(), self.cells(), 0, count)?;
        }
        if count != 1 {
            return fail!(
                Shape,
                "mean has shape {:?}, expected {} values of one slice",
                mean.layout().shape(),
                self.cells()
            );
        }
        self.read_slice(scratch, 0, count, &mean, variance.as_ref(), b.as_ref(), &levels)?;
        let m = self.rows.len() + self.invariants();
        let NonlinearScratch { work, results, before, .. } = scratch;
        self.solve_slice(0, work, &mut results[..self.cells()], Dtype::F64, &mut before[..m])?;
        work.u.copy_from_slice(&results[..self.cells()]);
        work.trial.copy_from_slice(&work.y);
        work.fill_rows(self);
        work.gradients(self, None);
        work.set_hessian(self);
        Ok(())
    }

    fn check_slice(&self, index: usize, work: &Work) -> Result<()> {
        let rows = self.rows.len();
        for (name, values) in [("mean", &work.mu), ("variance", &work.v)] {
            if let Some(cell) = values.iter().position(|x| !x.is_finite()) {
                let x = values[cell];
                return fail!(NonFinite, "{name}: slice {index}, cell {cell} is {x}, expected a finite number");
            }
        }
        if let Some((k, x)) = work.target.iter().enumerate().find(|t| !t.1.is_finite()) {
            let (name, k) = if k < rows { ("b", k) } else { ("levels", k - rows) };
            return fail!(NonFinite, "{name}: slice {index}, value {k} is {x}, expected a finite number");
        }
        let refused = |v: f64| v < 0.0 || (v == 0.0 && !self.options.held_cells);
        if let Some((cell, x)) = work.v.iter().enumerate().find(|v| refused(*v.1)) {
            let expected = if self.options.held_cells { "at least 0" } else { "above 0 (or held cells admitted)" };
            return fail!(Variance, "variance: slice {index}, cell {cell} is {x:e}, expected {expected}");
        }
        for (k, q) in self.quadratics.iter().enumerate() {
            let (sign, e) = (q.sign(), work.target[rows + k]);
            if e * sign < 0.0 {
                let side = if sign > 0.0 { "at least" } else { "at most" };
                return fail!(
                    Infeasible,
                    "levels: slice {index}, invariant {k} is {e:e}, expected {side} 0 with weights of one sign"
                );
            }
        }
        Ok(())
    }

    /// Decides one slice: its stored values go to `result`, its residuals stay in the work space.
    fn solve_slice(
        &self,
        index: usize,
        work: &mut Work,
        result: &mut [f64],
        dtype: Dtype,
        before: &mut [f64],
    ) -> Result<Done> {
        let mut done = Done::default();
        let overflow = || fail!(NonFinite, "posterior_mean: slice {index}: the corrected cells overflow its dtype");
        work.y.fill(0.0);
        work.u.copy_from_slice(&work.mu);
        work.residuals(self, None);
        before.copy_from_slice(&work.left);
        if !work.left.iter().chain(&work.scale).all(|x| x.is_finite()) {
            return fail!(NonFinite, "mean: slice {index}: the sum over its weighted cells overflows");
        }
        let keep = |result: &mut [f64], from: &[f64]| {
            result.iter_mut().zip(from).for_each(|(r, &u)| *r = store(u, dtype));
            result.iter().all(|r| r.abs() <= dtype.max())
        };
        if !keep(result, &work.mu) {
            return overflow();
        }
        work.residuals(self, Some(result));
        if work.excess(4.0, self, dtype) <= 1.0 {
            return Ok(Done { unchanged: true, ..done });
        }
        work.fill_rows(self);
        work.trial.fill(0.0);
        work.respond(self);
        let mut last = f64::INFINITY;
        'newton: loop {
            let excess = work.excess(1.0, self, Dtype::F64);
            // Rounding of u stops Newton's method some eps away: then the stored values are repaired.
            if excess <= 1.0 || (excess < 1e4 && excess >= 0.5 * last) {
                break;
            }
            last = excess;
            work.gradients(self, None);
            if done.iterations == MAX_ITERATIONS {
                return self.give_up(index, work);
            }
            if !work.newton(self) {
                return self.stuck(index, work);
            }
            done.iterations += 1;
            let slope = dot(&work.left, &work.step);
            let mut length = 1.0f64;
            let mut halvings = 0;
            loop {
                for k in 0..work.y.len() {
                    work.trial[k] = length.mul_add(work.step[k], work.y[k]);
                }
                if work.respond(self) {
                    let now = dot(&work.left, &work.step);
                    // A slope above 0 is a certain ascent of a concave function.
                    if now >= -0.5 * slope || work.excess(1.0, self, Dtype::F64) < last.min(1e4) {
                        break;
                    }
                }
                halvings += 1;
                if halvings == 4 && last < 1e4 {
                    // Nothing but rounding is left.
                    work.trial.copy_from_slice(&work.y);
                    work.respond(self);
                    break 'newton;
                }
                if halvings == MAX_HALVINGS {
                    return self.give_up(index, work);
                }
                length *= 0.5;
            }
            work.y.copy_from_slice(&work.trial);
        }
        if !keep(result, &work.u) {
            return overflow();
        }
        work.residuals(self, Some(result));
        while work.excess(4.0, self, dtype) > 1.0 {
            if done.repairs == MAX_REPAIRS {
                return self.give_up(index, work);
            }
            done.repairs += 1;
            work.gradients(self, Some(result));
            if !work.newton(self) {
                return self.give_up(index, work);
            }
            work.right.fill(0.0);
            for (gradient, &s) in work.jacobian.chunks(result.len()).zip(&work.step) {
                work.right.iter_mut().zip(gradient).for_each(|(r, g)| *r -= s * g);
            }
            if !work.solve(self) {
                return self.give_up(index, work);
            }
            for (u, x) in work.u.iter_mut().zip(&work.x) {
                *u += x;
            }
            if !keep(result, &work.u) {
                return overflow();
            }
            work.residuals(self, Some(result));
        }
        let mut square = 0.0;
        for (cell, (&u, (&mu, &v))) in result.iter().zip(work.mu.iter().zip(&work.v)).enumerate() {
            let change = u - mu;
            if v > 0.0 {
                square += change * (change / v);
            }
            if change.abs() > done.largest {
                (done.largest, done.cell) = (change.abs(), cell);
            }
        }
        done.norm = square.sqrt();
        Ok(done)
    }

    fn stuck<T>(&self, index: usize, work: &mut Work) -> Result<T> {
        let rows = self.rows.len();
        let still =
            |k: usize| work.jacobian[k * work.v.len()..][..work.v.len()].iter().zip(&work.v).all(|(g, v)| g * v == 0.0);
        if let Some(k) = (0..work.left.len()).find(|&k| work.left[k] != 0.0 && still(k)) {
            let (what, number) = if k < rows { ("row", k) } else { ("invariant", k - rows) };
            return fail!(
                Singular,
                "mean: slice {index}: {what} {number} has no gradient there, so no nearest state takes it by {:e}",
                -work.left[k]
            );
        }
        self.give_up(index, work)
    }

    /// Weak duality for `min q` over `G u = b` with `q = sum w u^2 >= 0`: `q >= l b - sum (G' l)^2 / (4 w)` for any l. As nu grows
    /// `l = -lambda / nu` tends to the best one.
    fn give_up<T>(&self, index: usize, work: &mut Work) -> Result<T> {
        let rows = self.rows.len();
        for (k, q) in self.quadratics.iter().enumerate() {
            let (sign, nu, e) = (q.sign(), work.y[rows + k], work.target[rows + k]);
            if sign == 0.0 || nu * sign <= 0.0 {
                continue;
            }
            work.right.fill(0.0);
            work.x.fill(0.0);
            let mut bound = 0.0;
            for r in 0..rows {
                let l = -work.y[r] / nu.abs();
                bound += l * work.target[r];
                let row = self.rows.row(r);
                row.weights.iter().enumerate().for_each(|(t, g)| work.right[row.cell(t)] += l * g);
            }
            q.terms.iter().for_each(|t| work.x[t.0 as usize] += t.2.abs());
            for (g, w) in work.right.iter().zip(&work.x) {
                if *g != 0.0 {
                    bound -= g * (g / (4.0 * w));
                }
            }
            if bound > e.abs() * (1.0 + 1e-9) {
                return fail!(
                    Infeasible,
                    "levels: slice {index}, invariant {k} is {e:e}, expected a magnitude of {bound:e} or more: the rows leave no less"
                );
            }
        }
        let worst = (0..work.left.len())
            .max_by(|&a, &b| {
                let of = |k: usize| work.left[k].abs() / work.allowed(k, 1.0, self, Dtype::F64);
                of(a).total_cmp(&of(b))
            })
            .unwrap_or(0);
        let (what, number) = if worst < rows { ("row", worst) } else { ("invariant", worst - rows) };
        fail!(
            NotConverged,
            "mean: slice {index}: residual {:e} of {what} {number} is left, where its terms add up to {:e}",
            work.left[worst],
            work.scale[worst]
        )
    }
}
