//! Face fluxes on a mesh: the least change that closes every cell's balance, and the update that telescopes.
//!
//! Faces are given by owner and neighbour cells; a positive flux goes from owner to neighbour. With `D` the divergence (outflow
//! less inflow of each cell), `F` the predicted fluxes, `w` their variances and `s` what each cell must yield:
//!
//! ```text
//! minimise sum (F' - F)^2 / w   such that   D F' = s
//! L p = D F - s      L = D W D'      F' = F - W D' p
//! ```
//!
//! `L` is the Laplacian of the mesh as a network of conductances `w`: a bigger variance yields more, 0 holds a face.
//!
//! - `mesh`: which cells share which faces.
//! - `elimination`, `agglomeration`: the two ways to solve with `L`.
//! - `forest`: what free faces connect, and the exact last step.
//! - `update`: new cell values from fluxes, within bounds where asked.

mod agglomeration;
mod derivative;
mod elimination;
mod forest;
mod mesh;
mod update;

use agglomeration::Multigrid;
use elimination::{Elimination, Factors};
use forest::Forest;
use mesh::{Mesh, OUTSIDE};

pub use update::{LimitReport, UpdateBounds};

use super::arrays::{check_apart, check_count, read_each};
use crate::error::{Error, Result, Status, fail, zeros};
use crate::field::{Dtype, Layout};
use crate::kernels::double::{Double, two_product, two_sum};
use crate::kernels::strided::{View, ViewMut};

/// Most solutions of one correction: the first and its refinements.
const MAX_ROUNDS: usize = 12;
/// Operations of the elimination for each cell up to which it is the faster way: measured on grids in two and three dimensions.
const DIRECT_OPERATIONS: f64 = 20_000.0;
/// Most conjugate gradient iterations of one solution, and what they leave of the residual.
const MAX_ITERATIONS: usize = 1000;
const REDUCTION: f64 = 1e-10;

/// What a flux balance admits and how it solves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FluxOptions {
    /// A variance of 0 holds that face's flux as it is, such as a wall's; without this it is refused.
    pub held_faces: bool,
    /// Meshes of at most so many cells are solved by elimination, larger ones by conjugate gradients. None: by elimination where
    /// its operations, which grow with the power 1.5 of the cells in two dimensions and with their square in three, are few enough
    /// that it is the faster way.
    pub direct_cells: Option<usize>,
}

/// How the potentials of a correction were found.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FluxMethod {
    /// The fluxes obeyed already.
    #[default]
    None = 0,
    /// Elimination of cell after cell.
    Elimination = 1,
    /// Conjugate gradients with agglomeration multigrid.
    ConjugateGradients = 2,
}

/// What a correction of fluxes did. Residuals are `D F - s`, in the unit of the fluxes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FluxReport {
    /// The largest `|D F - s|` of the predicted fluxes.
    pub residual_before: f64,
    /// The first cell with it.
    pub residual_before_cell: usize,
    /// The largest `|D F' - s|` of the corrected fluxes as stored.
    pub residual_after: f64,
    /// The first cell with it.
    pub residual_after_cell: usize,
    /// The largest `|D F' - s|` in units of what is allowed in its cell, at most 1.
    pub closeness: f64,
    /// `sqrt(sum (F' - F)^2 / w)` over the faces that are not held: in standard deviations, without a unit.
    pub correction_norm: f64,
    /// `max |F' - F|`.
    pub largest_correction: f64,
    /// The first face with it; 0 when nothing changed.
    pub largest_correction_face: usize,
    /// How the potentials were found.
    pub method: FluxMethod,
    /// Solutions for the potentials: 1, and one more for each refinement.
    pub rounds: usize,
    /// Conjugate gradient iterations of all rounds.
    pub iterations: usize,
    /// Rounding or extreme variances made the exact last step along trees of faces necessary.
    pub repaired: bool,
    /// The fluxes obeyed already and came back bit for bit (rounded, where the result is of a narrower dtype).
    pub unchanged: bool,
}

/// How results are stored.
#[derive(Clone, Copy, Debug)]
struct Storage(Dtype);

impl Storage {
    /// To the nearest number of the storage type; none where that is infinite.
    #[inline(always)]
    fn round(self, x: f64) -> Option<f64> {
        let stored = match self.0 {
            Dtype::F32 if x.abs() > f32::MAX as f64 * (1.0 + 0.25 * f32::EPSILON as f64) => return None,
            Dtype::F32 => x as f32 as f64,
            Dtype::F64 => x,
        };
        stored.is_finite().then_some(stored)
    }

    /// The smallest number above 0.
    fn tiny(self) -> f64 {
        self.0.tiny()
    }
}

/// Every cell's balance.
#[derive(Debug)]
struct Balances {
    /// `D F - s`
    residual: Vec<f64>,
    /// `sum |F| + |s|` over the cell's faces.
    scale: Vec<f64>,
    carry: Vec<Double>,
}

/// The worst of all balances.
#[derive(Clone, Copy, Debug, Default)]
struct Worst {
    residual: f64,
    residual_cell: usize,
    /// Largest residual in units of what is allowed.
    closeness: f64,
    closeness_cell: usize,
}

impl Balances {
    /// All balances of these fluxes, sums in double-double; the first cell whose sum overflows as the error.
    fn measure(
        &mut self,
        mesh: &Mesh,
        flux: &[f64],
        source: &[f64],
        storage: Storage,
    ) -> std::result::Result<Worst, usize> {
        let (allowed, tiny) = (4.0 * storage.0.epsilon(), storage.tiny());
        let mut worst = Worst::default();
        for (c, &s) in source.iter().enumerate() {
            let sides = mesh.sides(c);
            let scale = sides.iter().map(|side| flux[side.face as usize].abs()).sum::<f64>() + s.abs();
            if !scale.is_finite() {
                return Err(c);
            }
            let (mut high, mut low) = (-s, 0.0);
            for side in sides {
                let (sum, error) = two_sum(high, side.outflow(flux[side.face as usize]));
                high = sum;
                low += error;
            }
            let residual = high + low;
            (self.residual[c], self.scale[c]) = (residual, scale);
            if residual.abs() > worst.residual {
                (worst.residual, worst.residual_cell) = (residual.abs(), c);
            }
            let most = allowed * scale + sides.len() as f64 * tiny;
            if residual.abs() > worst.closeness * most {
                (worst.closeness, worst.closeness_cell) = (residual.abs() / most, c);
            }
        }
        Ok(worst)
    }
}

#[derive(Debug)]
enum Solver {
    Elimination(Factors),
    ConjugateGradients(Box<Multigrid>),
}

/// Working memory of a flux balance. One for each thread.
#[derive(Debug)]
pub struct FluxScratch {
    flux: Vec<f64>,
    /// Variances, scaled by a power of two to at most 2.
    conductance: Vec<f64>,
    corrected: Vec<f64>,
    /// What a unit of variance yields, for derivatives.
    drop: Vec<f64>,
    source: Vec<f64>,
    ground: Vec<f64>,
    /// The potentials, as unevaluated sums.
    high: Vec<f64>,
    low: Vec<f64>,
    rhs: Vec<f64>,
    step: Vec<f64>,
    balances: Balances,
    forest: Forest,
    solver: Solver,
}

/// A mesh whose face fluxes are to close every cell's balance. Immutable, shared by any number of threads.
#[derive(Clone, Debug)]
pub struct FluxBalance {
    mesh: Mesh,
    volumes: Vec<f64>,
    options: FluxOptions,
    elimination: Option<Elimination>,
}

fn overflow(name: &str, cell: usize) -> Error {
    Error::new(Status::NonFinite, format!("{name}: the balance of cell {cell} overflows"))
}

impl FluxBalance {
    /// A mesh given by the owner cell of each face, its neighbour cell or -1 at the boundary, and the volume of each cell, above
    /// 0, in any unit. Two cells may share several faces; components need not be connected; a cell need not have a face.
    ///
    /// Errors: Shape (no cells, no faces, lists of unlike lengths), InvalidArgument (names the face or the cell), NonFinite,
    /// TooLarge, OutOfMemory.
    pub fn new(owner: &[i64], neighbour: &[i64], volumes: View, options: &FluxOptions) -> Result<FluxBalance> {
        let cells = volumes.layout().len();
        let mesh = Mesh::new(cells, owner, neighbour)?;
        let mut volume = zeros(cells, "volumes")?;
        read_each(Some(&volumes), "volumes", "cell", &mut volume)?;
        if let Some(c) = volume.iter().position(|v| *v <= 0.0) {
            return fail!(InvalidArgument, "volumes: cell {c} is {:e}, expected above 0", volume[c]);
        }
        let elimination = match options.direct_cells {
            Some(most) if cells > most => None,
            Some(_) => Elimination::new(&mesh, f64::INFINITY)?,
            None => Elimination::new(&mesh, DIRECT_OPERATIONS * cells as f64)?,
        };
        Ok(FluxBalance { mesh, volumes: volume, options: *options, elimination })
    }

    /// Cells of the mesh.
    pub fn cells(&self) -> usize {
        self.mesh.cells()
    }

    /// Faces of the mesh.
    pub fn faces(&self) -> usize {
        self.mesh.faces()
    }

    /// Working memory for calls of this balance.
    ///
    /// Errors: OutOfMemory, TooLarge.
    pub fn scratch(&self) -> Result<FluxScratch> {
        let (n, m) = (self.cells(), self.faces());
        let f = |count| zeros::<f64>(count, "flux workspace");
        Ok(FluxScratch {
            flux: f(m)?,
            conductance: f(m)?,
            corrected: f(m)?,
            drop: f(m)?,
            source: f(n)?,
            ground: f(n)?,
            high: f(n)?,
            low: f(n)?,
            rhs: f(n)?,
            step: f(n)?,
            balances: Balances { residual: f(n)?, scale: f(n)?, carry: zeros(n, "flux workspace")? },
            forest: Forest::new(n)?,
            solver: match &self.elimination {
                Some(elimination) => Solver::Elimination(elimination.factors()?),
                None => Solver::ConjugateGradients(Box::new(Multigrid::new(&self.mesh)?)),
            },
        })
    }

    /// The nearest fluxes that close every balance: of all `F'` with `D F' = s`, the one with the least `sum (F' - F)^2 / w`.
    ///
    /// Arrays: `fluxes`, `variance` and `corrected` have `faces` values, `source` has `cells`; any shape, strides and dtypes.
    /// `variance`: `w`, above 0, or at least 0 with held faces; none: 1 everywhere. `source`: `s`, the outflow less inflow of each
    /// cell; none: 0. `corrected` may be `fluxes` itself, or lies apart from all others.
    ///
    /// Every balance closes for the fluxes as stored: `|D F' - s| <= 4 eps (sum |F'| + |s|)` over the faces of each cell, eps of
    /// their dtype, plus a smallest subnormal number a face; sums are double-double. Fluxes that obey so already come back bit for
    /// bit. A held flux stays as it is (rounded where the result is narrower).
    ///
    /// A part of the mesh without a free boundary face must have sources whose sum is the net outflow through its held faces, up to
    /// `2 eps` of its `sum (sum |F'| + |s|)`; what is left over within that is shared among its cells in proportion to their
    /// scales.
    ///
    /// All arrays are read, and the outcome is known, before the first write. Allocates nothing. The bits depend on the values and
    /// the mesh alone.
    ///
    /// Errors: Shape, Stride (overlap), NonFinite, Variance, Infeasible (names a cell of the part and what is left over),
    /// NotConverged (variances so far apart that the potentials cannot be found: elimination bears
    /// 16 decades and more, conjugate gradients may give up from about 10 on).
    pub fn correct(
        &self,
        scratch: &mut FluxScratch,
        fluxes: View,
        variance: Option<View>,
        source: Option<View>,
        mut corrected: ViewMut,
    ) -> Result<FluxReport> {
        self.check_faces("fluxes", fluxes.layout())?;
        self.check_faces("corrected", corrected.layout())?;
        let out = ("corrected", corrected.place());
        check_apart(out, ("fluxes", fluxes.place()), true)?;
        if let Some(w) = &variance {
            self.check_faces("variance", w.layout())?;
            check_apart(out, ("variance", w.place()), false)?;
        }
        if let Some(s) = &source {
            self.check_cells("source", s.layout())?;
            check_apart(out, ("source", s.place()), false)?;
        }
        self.check_scratch(scratch)?;
        read_each(Some(&fluxes), "fluxes", "face", &mut scratch.flux)?;
        read_each(source.as_ref(), "source", "cell", &mut scratch.source)?;
        self.read_variance(variance.as_ref(), &mut scratch.conductance)?;

        let report = self.decide(scratch, variance.as_ref(), Storage(corrected.dtype()))?;
        corrected.merged_mut().scatter(0, &scratch.corrected);
        Ok(report)
    }

    /// `D F - s` of every cell, with sums in double-double; changes nothing but `residual`, of `cells` values.
    ///
    /// Errors: as [`FluxBalance::correct`], as far as they concern these arrays.
    pub fn residual(
        &self,
        scratch: &mut FluxScratch,
        fluxes: View,
        source: Option<View>,
        mut residual: ViewMut,
    ) -> Result<()> {
        self.check_faces("fluxes", fluxes.layout())?;
        self.check_cells("residual", residual.layout())?;
        let out = ("residual", residual.place());
        check_apart(out, ("fluxes", fluxes.place()), false)?;
        if let Some(s) = &source {
            self.check_cells("source", s.layout())?;
            check_apart(out, ("source", s.place()), false)?;
        }
        self.check_scratch(scratch)?;
        read_each(Some(&fluxes), "fluxes", "face", &mut scratch.flux)?;
        read_each(source.as_ref(), "source", "cell", &mut scratch.source)?;
        let FluxScratch { flux, source, balances, .. } = scratch;
        let storage = Storage(residual.dtype());
        balances.measure(&self.mesh, flux, source, storage).map_err(|c| overflow("fluxes", c))?;
        if let Some(c) = balances.residual.iter().position(|r| storage.round(*r).is_none()) {
            return fail!(NonFinite, "residual: cell {c} overflows its dtype");
        }
        residual.merged_mut().scatter(0, &balances.residual);
        Ok(())
    }

    fn check_faces(&self, name: &str, layout: &Layout) -> Result<()> {
        check_count(name, layout, self.faces(), "face")
    }

    fn check_cells(&self, name: &str, layout: &Layout) -> Result<()> {
        check_count(name, layout, self.cells(), "cell")
    }

    fn check_scratch(&self, scratch: &FluxScratch) -> Result<()> {
        let of_kind = matches!(
            (&scratch.solver, &self.elimination),
            (Solver::Elimination(_), Some(_)) | (Solver::ConjugateGradients(_), None)
        );
        if !of_kind || scratch.flux.len() != self.faces() || scratch.source.len() != self.cells() {
            return fail!(Mismatch, "workspace belongs to another mesh, expected one of this flux balance");
        }
        Ok(())
    }

    /// Conductances: the variances, scaled so that their sums cannot overflow. The scale is a power of two.
    fn read_variance(&self, variance: Option<&View>, out: &mut [f64]) -> Result<()> {
        let Some(view) = variance else {
            out.fill(1.0);
            return Ok(());
        };
        read_each(Some(view), "variance", "face", out)?;
        let held = self.options.held_faces;
        if let Some(f) = out.iter().position(|w| *w < 0.0 || (*w == 0.0 && !held)) {
            let expected = if held { "at least 0" } else { "above 0 (or held faces admitted)" };
            return fail!(Variance, "variance: face {f} is {:e}, expected {expected}", out[f]);
        }
        let largest = out.iter().fold(0.0f64, |most, w| most.max(*w));
        let exponent = libm::ilogb(largest.max(f64::MIN_POSITIVE));
        let scale = libm::scalbn(1.0, -exponent);
        // However small, it is not held.
        out.iter_mut().filter(|w| **w > 0.0).for_each(|w| *w = (*w * scale).max(f64::MIN_POSITIVE));
        Ok(())
    }

    /// Fills `corrected` with fluxes as they will be stored.
    fn decide(&self, scratch: &mut FluxScratch, variance: Option<&View>, storage: Storage) -> Result<FluxReport> {
        let mesh = &self.mesh;
        let overflows = |c| overflow("fluxes", c);
        let before = scratch.balances.measure(mesh, &scratch.flux, &scratch.source, storage).map_err(overflows)?;
        let mut report = FluxReport {
            residual_before: before.residual,
            residual_before_cell: before.residual_cell,
            ..FluxReport::default()
        };
        for (f, (&x, to)) in scratch.flux.iter().zip(&mut scratch.corrected).enumerate() {
            match storage.round(x) {
                Some(stored) => *to = stored,
                None => return fail!(NonFinite, "corrected: face {f} overflows its dtype"),
            }
        }
        let mut worst = scratch.measure(mesh, storage).map_err(overflows)?;
        if worst.closeness <= 1.0 {
            report.unchanged = true;
        } else {
            self.solve(scratch, storage, &mut worst, &mut report)?;
        }
        report.residual_after = worst.residual;
        report.residual_after_cell = worst.residual_cell;
        report.closeness = worst.closeness;
        self.size_up(scratch, variance, &mut report);
        Ok(report)
    }

    fn solve(
        &self,
        scratch: &mut FluxScratch,
        storage: Storage,
        worst: &mut Worst,
        report: &mut FluxReport,
    ) -> Result<()> {
        let mesh = &self.mesh;
        let eps = storage.0.epsilon();
        report.method = match self.elimination {
            Some(_) => FluxMethod::Elimination,
            None => FluxMethod::ConjugateGradients,
        };
        self.ready(scratch);
        let mut left = f64::INFINITY;
        for round in 0..MAX_ROUNDS {
            report.rounds = round + 1;
            report.iterations += self.step(scratch, eps);
            if let Some(f) = scratch.apply(mesh, storage) {
                return fail!(
                    NotConverged,
                    "variance: the corrected flux of face {f} overflows, as the variances are too far apart"
                );
            }
            *worst = scratch.measure(mesh, storage).map_err(|c| overflow("corrected", c))?;
            if worst.closeness <= 1.0 {
                return Ok(());
            }
            scratch.forest.weigh(&scratch.balances.scale);
            if round == 0 {
                scratch.refuse_imbalance("source", 2.0 * eps, storage)?;
            }
            // A refinement that gains less than half has met the end of the arithmetic.
            if round >= MAX_ROUNDS / 2 && worst.closeness > 0.5 * left {
                break;
            }
            left = worst.closeness;
        }
        scratch.refuse_imbalance("source", 2.0 * eps, storage)?;
        self.repair(scratch, storage, worst)?;
        report.repaired = true;
        Ok(())
    }

    /// Components, factors or levels, and potentials of 0.
    fn ready(&self, scratch: &mut FluxScratch) {
        let mesh = &self.mesh;
        scratch.forest.grow(mesh, &scratch.conductance, &scratch.corrected, &scratch.source);
        scratch.ground.fill(0.0);
        for f in 0..mesh.faces() {
            let (owner, neighbour) = mesh.ends(f);
            if neighbour == OUTSIDE {
                scratch.ground[owner as usize] += scratch.conductance[f];
            }
        }
        match (&mut scratch.solver, &self.elimination) {
            (Solver::Elimination(factors), Some(elimination)) => {
                elimination.factor(factors, &scratch.conductance, &scratch.ground);
            }
            (Solver::ConjugateGradients(multigrid), _) => {
                multigrid.build(mesh, &scratch.conductance, &scratch.ground);
            }
            _ => unreachable!("check_scratch admitted the scratch"),
        }
        scratch.forest.weigh(&scratch.balances.scale);
        scratch.high.fill(0.0);
        scratch.low.fill(0.0);
    }

    /// The exact last step, where what is left is of the size of roundings.
    fn repair(&self, scratch: &mut FluxScratch, storage: Storage, worst: &mut Worst) -> Result<()> {
        let Balances { residual, scale, .. } = &scratch.balances;
        let forest = &scratch.forest;
        let left: f64 = residual.iter().zip(scale).enumerate().map(|(c, (r, t))| (r - forest.share(c, *t)).abs()).sum();
        let most = 1e-8f64.max(4.0 * storage.0.epsilon()) * scale.iter().sum::<f64>();
        let refuse = |worst: &Worst| -> Result<()> {
            fail!(
                NotConverged,
                "variance: the balance of cell {} misses by {:e} what it may, as the variances are too far apart",
                worst.closeness_cell,
                worst.closeness
            )
        };
        if left.is_nan() || left > most {
            return refuse(worst);
        }
        let FluxScratch { corrected, source, balances, forest, .. } = scratch;
        if !forest.close(&self.mesh, corrected, source, balances, storage) {
            return refuse(worst);
        }
        *worst = match scratch.measure(&self.mesh, storage) {
            Ok(after) => after,
            Err(_) => return refuse(worst),
        };
        if worst.closeness > 1.0 { refuse(worst) } else { Ok(()) }
    }

    /// Solves for a step of the potentials and takes it; how many iterations that was.
    fn step(&self, scratch: &mut FluxScratch, eps: f64) -> usize {
        let FluxScratch { high, low, rhs, step, balances, forest, solver, .. } = scratch;
        for (c, rhs) in rhs.iter_mut().enumerate() {
            *rhs = balances.residual[c] - forest.share(c, balances.scale[c]);
        }
        let mut iterations = 0;
        match (solver, &self.elimination) {
            (Solver::Elimination(factors), Some(elimination)) => elimination.solve(factors, rhs, step),
            (Solver::ConjugateGradients(multigrid), _) => {
                // The scales are measured anew after the step; the last balances are no longer needed.
                let tolerance = &mut balances.residual;
                tolerance.iter_mut().zip(&balances.scale).for_each(|(t, scale)| *t = 0.5 * eps * scale);
                iterations = multigrid.solve(rhs, tolerance, REDUCTION, MAX_ITERATIONS, step);
            }
            _ => unreachable!("check_scratch admitted the scratch"),
        }
        for ((high, low), step) in high.iter_mut().zip(low).zip(&*step) {
            let (sum, error) = two_sum(*high, *step);
            (*high, *low) = two_sum(sum, *low + error);
        }
        iterations
    }

    fn size_up(&self, scratch: &FluxScratch, variance: Option<&View>, report: &mut FluxReport) {
        let mut sum = 0.0;
        let mut stage = [1.0; 256];
        let variance = variance.map(View::merged);
        for (block, (from, to)) in scratch.flux.chunks(256).zip(scratch.corrected.chunks(256)).enumerate() {
            if let Some(view) = &variance {
                view.gather(256 * block, &mut stage[..from.len()]);
            }
            for (k, ((from, to), w)) in from.iter().zip(to).zip(&stage).enumerate() {
                let change = (to - from).abs();
                if change > report.largest_correction {
                    (report.largest_correction, report.largest_correction_face) = (change, 256 * block + k);
                }
                // A held face has no deviation, and 0 / 0 would raise a flag of the processor even where its result is dropped.
                let deviations = change / if *w > 0.0 { w.sqrt() } else { f64::INFINITY };
                sum += deviations * deviations;
            }
        }
        report.correction_norm = sum.sqrt();
    }
}

impl FluxScratch {
    /// All balances of the corrected fluxes.
    fn measure(&mut self, mesh: &Mesh, storage: Storage) -> std::result::Result<Worst, usize> {
        self.balances.measure(mesh, &self.corrected, &self.source, storage)
    }

    /// `F' = F - w (p_owner - p_neighbour)` as stored, rounded once; the first face that overflows.
    fn apply(&mut self, mesh: &Mesh, storage: Storage) -> Option<usize> {
        let FluxScratch { flux, conductance, corrected, high, low, .. } = self;
        for (f, (&from, &w)) in flux.iter().zip(&*conductance).enumerate() {
            if w == 0.0 {
                continue;
            }
            let (owner, neighbour) = mesh.ends(f);
            let (mut drop, mut rest) = (high[owner as usize], low[owner as usize]);
            if neighbour != OUTSIDE {
                let (difference, error) = two_sum(drop, -high[neighbour as usize]);
                (drop, rest) = (difference, error + (rest - low[neighbour as usize]));
            }
            let (product, error) = two_product(w, drop);
            let (sum, sum_error) = two_sum(from, -product);
            match storage.round(sum + (sum_error - (error + w * rest))) {
                Some(stored) => corrected[f] = stored,
                None => return Some(f),
            }
        }
        None
    }

    /// A closed component whose sources and held faces do not add up, but for a part of their terms, has no solution.
    fn refuse_imbalance(&self, name: &str, part: f64, storage: Storage) -> Result<()> {
        let floor = storage.tiny() * self.flux.len() as f64;
        let open = |c: &&forest::Component| c.closed && c.imbalance.high.abs() > part * c.scale + floor;
        match self.forest.components().iter().find(open) {
            None => Ok(()),
            Some(c) => fail!(
                Infeasible,
                "{name}: the part of the mesh with cell {} has no free boundary face, and its net outflow through held faces \
                 misses the sum of its sources by {:e}, expected at most {:e}",
                c.first_cell,
                c.imbalance.high,
                part * c.scale + floor
            ),
        }
    }
}
