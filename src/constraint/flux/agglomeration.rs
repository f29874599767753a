//! Iterative solution of `L p = b`, L the weighted graph Laplacian of a mesh: conjugate gradients, preconditioned by
//! agglomeration multigrid.
//!
//! Cells are joined with the neighbour that they conduct to best, twice over, so that about four become one cell of the next
//! coarser mesh; conductances between and to the ground add up (the Galerkin product with piecewise constants), so a coarse mesh
//! is a network again, and its diagonal is the sum of its conductances. Each level smooths by one Gauss-Seidel sweep forwards,
//! corrects by two cycles on the coarser mesh (a W-cycle), and sweeps backwards: linear and symmetric, so that conjugate
//! gradients need nothing else, also where conductances range over sixteen decades. Steps of conjugate gradients on the coarse
//! meshes (the K-cycle) need fewer iterations on smooth problems, 25 for 48 with 10^6 cells, but broke down in rounding on rough
//! ones. Coarsening goes on until no two cells are joined, so disconnected parts cost nothing. All sums run in a fixed order.

use super::mesh::{Mesh, OUTSIDE};
use crate::error::{Result, fail, zeros};

const NONE: u32 = u32::MAX;
/// A cell joins a neighbour that is still alone where it conducts to it at least so well as, times this, to its best neighbour.
const GOOD: f64 = 0.25;
/// How much cheaper a mode may be than the finer diagonal has it.
const QUALITY: f64 = 3.0;
/// Sweeps in each direction on a coarsest mesh that could not be coarsened further.
const LAST_SWEEPS: usize = 4;

/// One mesh of the hierarchy, as a network.
#[derive(Debug, Default)]
struct Level {
    cells: usize,
    starts: Vec<u32>,
    across: Vec<u32>,
    conductance: Vec<f64>,
    ground: Vec<f64>,
    /// The sum of a cell's conductances.
    diagonal: Vec<f64>,
    /// The cell of the next coarser mesh; `NONE` for a cell without neighbours.
    coarse: Vec<u32>,
    b: Vec<f64>,
    x: Vec<f64>,
    first: Vec<f64>,
}

impl Level {
    /// Room for so many cells and sides, and for two cycles on this level or not.
    fn new(cells: usize, sides: usize, corrected: bool) -> Result<Level> {
        let f = |count| zeros::<f64>(count, "multigrid levels");
        let u = |count| zeros::<u32>(count, "multigrid levels");
        Ok(Level {
            cells: 0,
            starts: u(cells + 1)?,
            across: u(sides)?,
            conductance: f(sides)?,
            ground: f(cells)?,
            diagonal: f(cells)?,
            coarse: u(cells)?,
            b: f(cells)?,
            x: f(cells)?,
            first: f(if corrected { cells } else { 0 })?,
        })
    }

    #[inline(always)]
    fn sides(&self, cell: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[cell] as usize..self.starts[cell + 1] as usize;
        self.across[range.clone()].iter().map(|x| *x as usize).zip(self.conductance[range].iter().copied())
    }

    fn entries(&self) -> usize {
        self.starts[self.cells] as usize
    }

    fn sum_diagonal(&mut self) {
        for c in 0..self.cells {
            let around: f64 = self.sides(c).map(|(_, w)| w).sum();
            self.diagonal[c] = around + self.ground[c];
        }
    }

    /// One cell of the image of a vector under L, from differences: `d x - sum w x` would lose small ones among large potentials.
    #[inline(always)]
    fn image(&self, x: &[f64], c: usize) -> f64 {
        self.sides(c).fold(self.ground[c] * x[c], |sum, (a, w)| sum + w * (x[c] - x[a]))
    }

    #[inline(always)]
    fn relax(&mut self, c: usize) {
        let mut sum = self.b[c];
        for (a, w) in self.sides(c) {
            sum += w * self.x[a];
        }
        self.x[c] = if self.diagonal[c] > 0.0 { sum / self.diagonal[c] } else { 0.0 };
    }

    fn forwards(&mut self) {
        (0..self.cells).for_each(|c| self.relax(c));
    }

    fn backwards(&mut self) {
        (0..self.cells).rev().for_each(|c| self.relax(c));
    }

    /// Numbers the aggregates in `coarse`; how many. Of the finer cells themselves (no `stiffness`), those without neighbours are
    /// left out, as a sweep solves them. Pairs of cells are joined further only where the sweeps of the finer level can still tell
    /// them apart: a mode that is constant on both, of different sign, must not be much cheaper than the finer diagonal, summed in
    /// `stiffness`, has it (the quality measure of Notay 2012).
    fn pair(&mut self, stiffness: Option<&[f64]>) -> usize {
        let keep_lone = stiffness.is_some();
        let fits = |c: usize, a: usize, w: f64| stiffness.is_none_or(|s| s[c] * (s[a] / (s[c] + s[a])) <= QUALITY * w);
        let mut count = 0;
        self.coarse[..self.cells].fill(NONE);
        for c in 0..self.cells {
            if self.coarse[c] != NONE {
                continue;
            }
            let (mut best, mut alone) = ((0.0f64, NONE), (0.0f64, NONE));
            for (a, w) in self.sides(c) {
                if w <= f64::min(best.0, alone.0) || !fits(c, a, w) {
                    continue;
                }
                if w > best.0 {
                    best = (w, a as u32);
                }
                if w > alone.0 && self.coarse[a] == NONE {
                    alone = (w, a as u32);
                }
            }
            if best.1 == NONE {
                if keep_lone {
                    self.coarse[c] = count;
                    count += 1;
                }
                continue;
            }
            if alone.0 >= GOOD * best.0 {
                self.coarse[c] = count;
                self.coarse[alone.1 as usize] = count;
                count += 1;
            } else {
                self.coarse[c] = self.coarse[best.1 as usize];
            }
        }
        count as usize
    }

    /// The network of the aggregates that [`Level::pair`] numbered; false where it does not fit.
    fn join_into(&self, count: usize, next: &mut Level, members: &mut Members) -> bool {
        if count + 1 > next.starts.len() {
            return false;
        }
        next.cells = count;
        next.ground[..count].fill(0.0);
        members.sort(&self.coarse[..self.cells], count);
        let mut end = 0;
        for joined in 0..count {
            let begin = end;
            next.starts[joined] = begin as u32;
            for k in members.starts[joined] as usize..members.starts[joined + 1] as usize {
                let member = members.cells[k];
                next.ground[joined] += self.ground[member as usize];
                for (a, w) in self.sides(member as usize) {
                    let to = self.coarse[a];
                    if to == joined as u32 {
                        continue;
                    }
                    let at = members.seen[to as usize] as usize;
                    if at >= begin && at < end && next.across[at] == to {
                        next.conductance[at] += w;
                        continue;
                    }
                    if end == next.across.len() {
                        return false;
                    }
                    members.seen[to as usize] = end as u32;
                    (next.across[end], next.conductance[end]) = (to, w);
                    end += 1;
                }
            }
        }
        next.starts[count] = end as u32;
        true
    }
}

/// The cells of each aggregate: those of number `a` are `cells[starts[a] .. starts[a + 1]]`.
#[derive(Debug, Default)]
struct Members {
    starts: Vec<u32>,
    cells: Vec<u32>,
    /// Where an aggregate was last put down as a neighbour.
    seen: Vec<u32>,
}

impl Members {
    fn sort(&mut self, coarse: &[u32], count: usize) {
        let starts = &mut self.starts[..count + 1];
        starts.fill(0);
        coarse.iter().filter(|a| **a != NONE).for_each(|a| starts[*a as usize + 1] += 1);
        (0..count).for_each(|a| starts[a + 1] += starts[a]);
        for (c, &a) in coarse.iter().enumerate().filter(|(_, a)| **a != NONE) {
            self.cells[starts[a as usize] as usize] = c as u32;
            starts[a as usize] += 1;
        }
        // Each start has moved to the next one's place.
        starts.copy_within(0..count, 1);
        starts[0] = 0;
    }
}

/// The hierarchy and the vectors of the iteration. Sizes are those of the mesh; what they hold is that of the conductances.
#[derive(Debug)]
pub(super) struct Multigrid {
    levels: Vec<Level>,
    /// Levels of the hierarchy at hand.
    depth: usize,
    /// Between two coarsenings by pairs.
    half: Level,
    members: Members,
    stiffness: Vec<f64>,
    direction: Vec<f64>,
    image: Vec<f64>,
}

/// A sum of products in eight lanes, combined in order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a8, a_rest), (b8, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for l in 0..8 {
            lanes[l] += a[l] * b[l];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

impl Multigrid {
    pub fn new(mesh: &Mesh) -> Result<Multigrid> {
        let n = mesh.cells();
        let inner = mesh.all_sides().iter().filter(|s| s.across != OUTSIDE).count();
        if inner >= NONE as usize {
            return fail!(TooLarge, "{inner} sides of cells, expected fewer than {NONE}");
        }
        let mut levels = Vec::new();
        let (mut cells, mut sides) = (n, inner);
        loop {
            levels.push(Level::new(cells, sides, !levels.is_empty())?);
            // Two pairings leave a quarter of the cells where no component is exhausted, and half at most. Their sides are nearly a
            // quarter on meshes of any dimension; where they are more than three quarters, as only graphs unlike meshes have it, coarsening
            // ends early.
            cells /= 2;
            sides = (sides / 4 * 3).min(cells * cells.saturating_sub(1));
            if cells == 0 {
                break;
            }
        }
        let half = Level::new(n / 2, inner, false)?;
        let members = Members {
            starts: zeros(n / 2 + 1, "multigrid levels")?,
            cells: zeros(n, "multigrid levels")?,
            seen: zeros(n / 2 + 1, "multigrid levels")?,
        };
        Ok(Multigrid {
            levels,
            depth: 0,
            half,
            members,
            stiffness: zeros(n / 2, "multigrid levels")?,
            direction: zeros(n, "conjugate gradients")?,
            image: zeros(n, "conjugate gradients")?,
        })
    }

    /// Builds the hierarchy for conductances by face and conductances to the ground by cell, all at least 0 and finite.
    pub fn build(&mut self, mesh: &Mesh, conductance: &[f64], ground: &[f64]) {
        let Multigrid { levels, depth, half, members, stiffness, .. } = self;
        let finest = &mut levels[0];
        finest.cells = mesh.cells();
        finest.ground.copy_from_slice(ground);
        let mut end = 0;
        for c in 0..mesh.cells() {
            finest.starts[c] = end as u32;
            for side in mesh.sides(c).iter().filter(|s| s.across != OUTSIDE) {
                let w = conductance[side.face as usize];
                if w > 0.0 {
                    (finest.across[end], finest.conductance[end]) = (side.across, w);
                    end += 1;
                }
            }
        }
        finest.starts[mesh.cells()] = end as u32;
        finest.sum_diagonal();
        *depth = 1;
        while *depth < levels.len() && levels[*depth - 1].entries() > 0 {
            let (fine, coarse) = levels.split_at_mut(*depth);
            let (fine, coarse) = (&mut fine[*depth - 1], &mut coarse[0]);
            let pairs = fine.pair(None);
            if !fine.join_into(pairs, half, members) {
                break;
            }
            stiffness[..pairs].fill(0.0);
            for (joined, d) in
                fine.coarse[..fine.cells].iter().zip(&fine.diagonal).filter(|(joined, _)| **joined != NONE)
            {
                stiffness[*joined as usize] += d;
            }
            // A component that has become one cell needs its coarse correction all the same.
            let pairs = half.pair(Some(stiffness));
            if !half.join_into(pairs, coarse, members) {
                break;
            }
            for c in fine.coarse[..fine.cells].iter_mut().filter(|c| **c != NONE) {
                *c = half.coarse[*c as usize];
            }
            coarse.sum_diagonal();
            *depth += 1;
        }
    }

    /// Conjugate gradients for `L x = b` from `x = 0`, until every `|b - L x| <= tolerance`, the residual's length has fallen by
    /// `reduction`, or `most` iterations are done; how many were. In components without ground `b` should sum to 0.
    pub fn solve(&mut self, b: &[f64], tolerance: &[f64], reduction: f64, most: usize, x: &mut [f64]) -> usize {
        let Multigrid { levels, depth, direction, image, .. } = self;
        let levels = &mut levels[..*depth];
        x.fill(0.0);
        direction.fill(0.0);
        image.fill(0.0);
        levels[0].b.copy_from_slice(b);
        let start = dot(b, b).sqrt();
        let mut curvature = 0.0;
        for iteration in 0..most {
            let r = &levels[0].b;
            let length = dot(r, r).sqrt();
            let done = length <= reduction * start || r.iter().zip(tolerance).all(|(r, t)| r.abs() <= *t);
            if done || !length.is_finite() {
                return iteration;
            }
            precondition(levels);
            let level = &mut levels[0];
            // Conjugate by the image of the direction before, which rounding in the preconditioner does not spoil.
            let beta = if curvature > 0.0 { -dot(&level.x, image) / curvature } else { 0.0 };
            direction.iter_mut().zip(&level.x).for_each(|(p, z)| *p = z + beta * *p);
            image.iter_mut().enumerate().for_each(|(c, q)| *q = level.image(direction, c));
            curvature = dot(direction, image);
            if curvature.is_nan() || curvature <= 0.0 {
                return iteration;
            }
            let alpha = dot(direction, &level.b) / curvature;
            x.iter_mut().zip(&*direction).for_each(|(x, p)| *x += alpha * p);
            level.b.iter_mut().zip(&*image).for_each(|(r, q)| *r -= alpha * q);
        }
        most
    }
}

/// About `x` with `L x = b` on the first of the levels.
fn precondition(levels: &mut [Level]) {
    let [level, coarser @ ..] = levels else { return };
    let n = level.cells;
    level.x[..n].fill(0.0);
    let Some(coarse) = coarser.first_mut() else {
        for _ in 0..LAST_SWEEPS {
            level.forwards();
            level.backwards();
        }
        return;
    };
    level.forwards();
    // What a sweep from 0 leaves is what each cell's later neighbours conduct to it.
    coarse.b[..coarse.cells].fill(0.0);
    for c in 0..n {
        let joined = level.coarse[c];
        if joined != NONE {
            let left: f64 = level.sides(c).map(|(a, w)| if a > c { w * level.x[a] } else { 0.0 }).sum();
            coarse.b[joined as usize] += left;
        }
    }
    correct(coarser);
    for c in 0..n {
        let joined = level.coarse[c];
        if joined != NONE {
            level.x[c] += coarser[0].x[joined as usize];
        }
    }
    level.backwards();
}

/// Two cycles on the first of the levels: `x` from `b`, which is lost.
fn correct(levels: &mut [Level]) {
    precondition(levels);
    if levels.len() == 1 {
        return;
    }
    let level = &mut levels[0];
    let n = level.cells;
    for c in 0..n {
        level.b[c] -= level.image(&level.x, c);
    }
    level.first[..n].copy_from_slice(&level.x[..n]);
    precondition(levels);
    let level = &mut levels[0];
    level.x[..n].iter_mut().zip(&level.first).for_each(|(x, first)| *x += first);
}
