//! Quadratic invariants: what they are, how they couple cells, what they sum to.

use pulp::{Arch, Simd, WithSimd};

use crate::constraint::Constraints;
use crate::error::{Result, collected, fail, zeros};
use crate::field::Dtype;
use crate::kernels::double::{Double, LANES, Sum, triple};
use crate::kernels::linear::dispatch;
use crate::kernels::strided::View;

/// `q(u) = sum_t w_t u[i_t] u[j_t]`.
#[derive(Clone, Debug)]
pub(in crate::constraint) struct Quadratic {
    pub(super) terms: Vec<(u32, u32, f64)>,
}

impl Quadratic {
    pub(in crate::constraint) fn try_clone(&self) -> Result<Quadratic> {
        Ok(Quadratic { terms: collected(self.terms.iter().copied(), "a copy of an invariant")? })
    }

    pub(super) fn is_diagonal(&self) -> bool {
        self.terms.iter().all(|t| t.0 == t.1)
    }

    /// +1 or -1 where all terms are squares with weights of that sign, else 0.
    pub(super) fn sign(&self) -> f64 {
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

/// What rounding at underflow can add to each residual, for f32 and f64.
pub(in crate::constraint) fn floors(constraints: &Constraints) -> Result<Vec<[f64; 2]>> {
    let dtypes = [Dtype::F32, Dtype::F64];
    let rows = constraints.rows().iter().map(|row| dtypes.map(|dtype| row.floor(dtype)));
    let squares = constraints.quadratics.iter().map(|q| {
        let each = q.terms.len() as f64 * 4.0 * Dtype::F64.tiny();
        dtypes.map(Dtype::tiny).map(|t| q.terms.iter().map(|term| term.2.abs() * t * t).sum::<f64>() + each)
    });
    collected(rows.chain(squares), "projector")
}

/// How the invariants couple cells.
#[derive(Clone, Debug)]
pub(in crate::constraint) enum Forms {
    /// Squares only.
    Diagonal,
    /// Each cell has products with at most one other, the same in all invariants: that one, or itself.
    Paired(Vec<u32>),
    General,
}

pub(in crate::constraint) fn forms(constraints: &Constraints) -> Result<Forms> {
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

/// `sum w u_i u_j` in twice the precision, and `sum |w u_i u_j|`.
pub(super) fn measure(arch: Arch, terms: &[(u32, u32, f64)], u: &[f64]) -> (Double, f64) {
    dispatch!(arch, (terms: &'a [(u32, u32, f64)] = terms, u: &'a [f64] = u) -> (Double, f64) {
        let (mut sum, mut scale) = (Sum::ZERO, [0.0; LANES]);
        for terms in terms.chunks(LANES) {
            for (l, &(i, j, w)) in terms.iter().enumerate() {
                let (x, x_error) = triple(u[i as usize], w, u[j as usize]);
                sum.add(l, x, x_error);
                scale[l] += x.abs();
            }
        }
        (sum.in_order(), scale.iter().sum())
    })
}
