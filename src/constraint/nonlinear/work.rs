//! The numbers of one slice: residuals, gradients, the Hessian of the Lagrangian and the normal matrix of rows and invariants.

use pulp::{Arch, Simd, WithSimd};

use super::forms::{Forms, measure};
use crate::constraint::dense;
use crate::constraint::metric::place;
use crate::constraint::project::Projector;
use crate::field::Dtype;
use crate::kernels::linear::{self, dispatch};

/// Most conjugate gradient steps of one solve with products of different cells.
const MAX_INNER: usize = 500;
/// A pivot of the scaled normal matrix below this is rounding: the row depends on those before it.
const PIVOT: f64 = 1e-13;

#[derive(Debug)]
pub(in crate::constraint) struct Work {
    pub(in crate::constraint) mu: Vec<f64>,
    pub(in crate::constraint) v: Vec<f64>,
    pub(in crate::constraint) u: Vec<f64>,
    /// `diag(Q)` weighted by the multipliers, then the inverse diagonal of H.
    pub(super) q_diagonal: Vec<f64>,
    pub(super) inverse: Vec<f64>,
    pub(in crate::constraint) right: Vec<f64>,
    pub(in crate::constraint) x: Vec<f64>,
    /// `H^-1` between the two cells of a pair.
    pub(super) cross: Vec<f64>,
    pub(super) inner: [Vec<f64>; 3],
    /// Gradient of each row and invariant, one after the other.
    pub(in crate::constraint) jacobian: Vec<f64>,
    pub(super) target: Vec<f64>,
    pub(in crate::constraint) left: Vec<f64>,
    pub(super) scale: Vec<f64>,
    pub(in crate::constraint) y: Vec<f64>,
    pub(super) trial: Vec<f64>,
    pub(in crate::constraint) step: Vec<f64>,
    pub(super) normal: Vec<f64>,
    pub(super) diagonal: Vec<f64>,
}

impl Work {
    /// `G u - b`, `q(u) - e` in double-double, and the sums of magnitudes.
    pub(super) fn residuals(&mut self, p: &Projector, stored: Option<&[f64]>) {
        self.measure_laws(p, stored, 0..self.left.len());
    }

    pub(super) fn measure_laws(&mut self, p: &Projector, stored: Option<&[f64]>, laws: std::ops::Range<usize>) {
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
    pub(super) fn gradients(&mut self, p: &Projector, stored: Option<&[f64]>) {
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

    pub(super) fn fill_rows(&mut self, p: &Projector) {
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
    pub(in crate::constraint) fn set_hessian(&mut self, p: &Projector) -> bool {
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
    pub(in crate::constraint) fn solve(&mut self, p: &Projector) -> bool {
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
    pub(super) fn respond(&mut self, p: &Projector) -> bool {
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
                linear::add_multiple(Arch::new(), row.weights, place(&row), -self.step[k], &mut self.right);
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
    pub(in crate::constraint) fn newton(&mut self, p: &Projector) -> bool {
        let m = self.left.len();
        for l in p.rows.len()..m {
            if !self.add_normal(p, l) {
                return false;
            }
            self.factor(l);
            // Along the rows H is positive definite, so what is negative here is rounding.
            if self.normal[l * m + l] < 0.0 {
                self.normal[l * m + l] = 0.0;
            }
        }
        self.solve_normal(m);
        self.step.iter().all(|s| s.is_finite()) && self.step.iter().any(|&s| s != 0.0)
    }

    /// Row `l` of `J H^-1 J'` up to its diagonal, and its scale.
    pub(super) fn add_normal(&mut self, p: &Projector, l: usize) -> bool {
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
    pub(super) fn factor(&mut self, k: usize) {
        let m = self.left.len();
        dense::factor(&mut self.normal, m, &self.diagonal, k, |pivot| pivot.abs() > PIVOT);
    }

    /// `step = (J H^-1 J')^-1 left` of the first `count` rows.
    pub(super) fn solve_normal(&mut self, count: usize) {
        let m = self.left.len();
        dense::solve(&self.normal, m, &self.diagonal, &self.left, &mut self.step[..count]);
    }

    /// How far the residuals are beyond `factor eps sum |...|`, at most 1 where all hold; infinite where one overflows.
    pub(super) fn excess(&self, factor: f64, p: &Projector, dtype: Dtype) -> f64 {
        if !self.finite() {
            return f64::INFINITY;
        }
        let excess = |k: usize| self.left[k].abs() / self.allowed(k, factor, p, dtype);
        (0..self.left.len()).map(excess).fold(0.0, f64::max)
    }

    /// Whether the sums of residuals and of their terms' magnitudes are within the range of numbers.
    pub(super) fn finite(&self) -> bool {
        self.left.iter().chain(&self.scale).all(|x| x.is_finite())
    }

    /// A smallest subnormal a term stands for rounding at underflow, so it is never 0.
    pub(super) fn allowed(&self, k: usize, factor: f64, p: &Projector, dtype: Dtype) -> f64 {
        factor * dtype.epsilon() * self.scale[k] + p.nonlinear_floor[k][(dtype == Dtype::F64) as usize]
    }
}

pub(in crate::constraint) fn dot(a: &[f64], b: &[f64]) -> f64 {
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
