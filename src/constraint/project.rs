use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arrays::check_apart;
use super::batch::Batch;
use super::constraints::Constraints;
use super::joint::Joint;
use super::nonlinear::{self, Quadratic};
use super::prior::Prior;
use super::report::Report;
use super::rows::Rows;
use super::sets::Sets;
use super::stream::Plan;
use crate::error::{Error, Result, fail, zeros};
use crate::field::{Dtype, Layout};
use crate::kernels::double::{Double, two_product};
use crate::kernels::moments::{Moments, Stage};
use crate::kernels::strided::{View, ViewMut};

/// Most steps of one slice: the correction and its repairs. Each leaves about 1e-15 of the residual before it.
pub const MAX_STEPS: usize = 8;

/// What a projector admits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProjectorOptions {
    /// A prior variance of 0 holds that cell where it is; without this it is refused.
    pub held_cells: bool,
    /// Off-diagonals of a banded prior, rank of a low-rank one, samples of an ensemble; others do not read it.
    pub prior_size: usize,
    /// `a` of [`Prior::Smoothed`], the correlation of neighbouring cells, 0 <= a < 1.
    pub smoothing: f64,
}

/// Where a projection writes. Each array may be the prior's own (same address, dtype, shape and strides) or lie apart from
/// every other array of the call.
pub struct Posterior<'a> {
    /// `u`, of the prior mean's shape.
    pub mean: ViewMut<'a>,
    /// The posterior variances, of the prior mean's shape, when asked for.
    pub variance: Option<ViewMut<'a>>,
}

/// Working memory of a projector, made once for a most number of slices. One for each thread.
pub struct Scratch {
    owner: u64,
    max_slices: usize,
    pub(super) plans: Vec<Plan>,
    pub(super) stage: Stage,
    pub(super) batch: Option<Box<Batch>>,
}

/// Constraints with a prior: immutable, shared by any number of threads.
#[derive(Clone)]
pub struct Projector {
    /// A clone has the same rows and prior, and takes the same working memory.
    pub(super) id: u64,
    pub(super) cells: usize,
    pub(super) rows: Rows,
    pub(super) prior: Prior,
    pub(super) options: ProjectorOptions,
    pub(super) sets: Sets,
    /// What many rows or correlated cells need; without it one row over all cells streams through.
    pub(super) joint: Option<Arc<Joint>>,
    pub(super) quadratics: Vec<Quadratic>,
    /// How the invariants couple cells.
    pub(super) forms: nonlinear::Forms,
    /// As `floor`, for each row and invariant.
    pub(super) nonlinear_floor: Vec<[f64; 2]>,
    /// For f32 and f64 storage: what rounding at underflow can add to a residual, a smallest subnormal for each weighted cell and
    /// for each product.
    floor: [f64; 2],
}

pub(super) fn slice<'a>(view: &View<'a>, slices: usize, index: usize) -> View<'a> {
    if slices == 1 { view.merged() } else { view.slice(index) }
}

pub(super) fn slice_mut<'a>(view: &'a mut ViewMut, slices: usize, index: usize) -> ViewMut<'a> {
    if slices == 1 { view.merged_mut() } else { view.slice_mut(index) }
}

/// The first cell that is `bad`, and its value.
pub(super) fn find(view: &View, bad: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
    let n = view.layout().len();
    let mut stage = [0.0; 256];
    for start in (0..n).step_by(stage.len()) {
        let block = &mut stage[..256.min(n - start)];
        view.gather(start, block);
        if let Some(k) = block.iter().position(|&x| bad(x)) {
            return Some((start + k, block[k]));
        }
    }
    None
}

pub(super) fn refuse_non_finite(index: usize, mean: &View, variance: Option<&View>) -> Result<Moments> {
    for (name, view) in [("mean", Some(mean)), ("variance", variance)] {
        if let Some((cell, x)) = view.and_then(View::first_non_finite) {
            return fail!(NonFinite, "{name}: slice {index}, cell {cell} is {x}, expected a finite number");
        }
    }
    fail!(NonFinite, "mean: slice {index} changed during the call")
}

impl Projector {
    /// Joins rows and prior.
    ///
    /// Errors: State when the constraints have no row, InvalidArgument where size or smoothing do not fit the prior, NonFinite where squares
    /// of weights overflow, TooLarge (2^32 cells, but for one row over all of them), OutOfMemory.
    pub fn new(constraints: &Constraints, prior: Prior, options: &ProjectorOptions) -> Result<Projector> {
        let rows = constraints.rows().try_clone()?;
        let nonlinear = constraints.invariants() > 0;
        if constraints.is_empty() && !nonlinear {
            return fail!(State, "constraints have no row, expected at least one");
        }
        let streams = rows.len() == 1
            && rows.stored() == constraints.cells()
            && matches!(prior, Prior::Identity | Prior::Diagonal);
        let joint = if streams || nonlinear || rows.is_partial() {
            None
        } else {
            Some(Arc::new(Joint::new(&rows, constraints.cells(), prior, options, false)?))
        };
        let nonlinear_floor = nonlinear::floors(constraints)?;
        let quadratics: Result<_> = constraints.quadratics.iter().map(Quadratic::try_clone).collect();
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(Projector {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            cells: constraints.cells(),
            rows,
            prior,
            options: *options,
            sets: constraints.sets.try_clone()?,
            joint,
            quadratics: quadratics?,
            forms: nonlinear::forms(constraints)?,
            floor: nonlinear_floor[0],
            nonlinear_floor,
        })
    }

    /// Rows of the constraints.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The kind of prior.
    pub fn prior(&self) -> Prior {
        self.prior
    }

    /// Values of one slice.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// How many slices an array of this layout holds: 1 for `cells` values, else its first extent with `cells` values each.
    ///
    /// Errors: Shape.
    pub fn slices(&self, name: &str, layout: &Layout) -> Result<usize> {
        let (shape, cells) = (layout.shape(), self.cells());
        if layout.len() == cells {
            return Ok(1);
        }
        if shape.len() > 1 && layout.len() == cells.saturating_mul(shape[0]) {
            return Ok(shape[0]);
        }
        fail!(Shape, "{name} has shape {shape:?}, expected {cells} values or [slices, ...] with {cells} values a slice")
    }

    /// Working memory for calls of at most `max_slices`.
    ///
    /// Errors: InvalidArgument when 0, OutOfMemory.
    pub fn scratch(&self, max_slices: usize) -> Result<Scratch> {
        if max_slices == 0 {
            return fail!(InvalidArgument, "slices is 0, expected at least 1");
        }
        let batch = match &self.joint {
            Some(joint) => Some(Box::new(Batch::new(joint, max_slices)?)),
            None => None,
        };
        let plans = zeros(if batch.is_none() { max_slices } else { 0 }, "projector workspace")?;
        Ok(Scratch { owner: self.id, max_slices, plans, stage: Stage::default(), batch })
    }

    /// A report for projections of at most `max_slices`.
    ///
    /// Errors: InvalidArgument when 0, TooLarge, OutOfMemory.
    pub fn report(&self, max_slices: usize) -> Result<Report> {
        Report::new(max_slices, self.rows.len() + self.quadratics.len())
    }

    /// The posterior of every slice: `u = mu - v g lambda`, `var = v - v^2 g^2 / S`.
    ///
    /// Arrays: `mean`, `variance` and the posterior's have `cells` values, or shape `[slices, ...]` with `cells` values a slice;
    /// any strides and dtypes, mixed freely. `b`: `[slices, rows]`, or `[slices]` for one row. Units: variances are the
    /// field's unit squared. `variance`: the prior's data as [`Prior`] states, for one slice or with a slice axis before it; none with
    /// [`Prior::Identity`].
    ///
    /// A row without noise holds for the posterior mean as stored: `|g u - b| <= 4 eps sum |g u|` (eps of its dtype), with sums
    /// in double-double. A prior mean that obeys so already comes back bit for bit. Variances never grow. A slice's bits do not
    /// depend on its place, its neighbours or its strides.
    ///
    /// All slices are validated, and every outcome is known, before the first write: after an error the outputs are as before.
    /// Reads each input twice, writes each output once, allocates nothing.
    ///
    /// Errors: InvalidArgument (variance against the prior, more slices than the scratch or report has room for), Shape,
    /// Stride (overlap), NonFinite, Variance, Singular, NotConverged, Contradiction, State for constraints with invariants, sets or
    /// absent rows.
    pub fn project(
        &self,
        scratch: &mut Scratch,
        mean: View,
        variance: Option<View>,
        b: View,
        posterior: Posterior,
        report: Option<&mut Report>,
    ) -> Result<()> {
        self.check_linear()?;
        let count = self.check_arrays(scratch, &mean, variance.as_ref(), &b, &posterior)?;
        if let Some(report) = &report {
            report.check(count, self.rows.len())?;
        }
        if let Some(joint) = &self.joint {
            return self.project_batch(joint, scratch, count, &mean, variance.as_ref(), &b, posterior, report);
        }
        self.project_stream(scratch, count, &mean, variance.as_ref(), &b, posterior, report)
    }

    /// [`Projector::project`] where the posterior takes the prior's place.
    pub fn project_in_place(
        &self,
        scratch: &mut Scratch,
        mean: ViewMut,
        variance: Option<ViewMut>,
        b: View,
        report: Option<&mut Report>,
    ) -> Result<()> {
        let prior_variance = variance.as_ref().map(ViewMut::alias);
        self.project(scratch, mean.alias(), prior_variance, b, Posterior { mean, variance }, report)
    }

    /// `G u - b` of every slice, with sums in double-double; changes nothing but `residual`, of `b`'s number of values.
    ///
    /// Errors: as [`Projector::project`], as far as they concern the mean and `b`.
    pub fn residual(&self, scratch: &mut Scratch, mean: View, b: View, residual: ViewMut) -> Result<()> {
        self.check_whole()?;
        let count = self.check_slices(scratch, "mean", &mean)?;
        check_values("b", b.layout(), count, self.rows.len())?;
        check_apart(("residual", residual.place()), ("b", b.place()), false)?;
        check_apart(("residual", residual.place()), ("mean", mean.place()), false)?;
        let of_b = |at: usize| {
            let mut value = [0.0];
            b.gather(at, &mut value);
            value[0]
        };
        self.evaluate(scratch, count, &mean, of_b, ("residual", residual))
    }

    /// Right-hand sides of a balance: what the rows hold of an earlier state, plus what has come in since,
    /// `b = G u + dt sum_j rates_j`, rounded once. That of a boundary row is no balance, and is the caller's to set afterwards.
    ///
    /// `previous`: `u`, shaped as the mean of [`Projector::project`]. `rates`: `[slices, rows, terms]` (or `[slices, rows]`), amounts of
    /// each row per unit of time, positive where they add to it: fluxes through boundaries times their areas, sources times
    /// volumes. `b`: one value a slice and row.
    ///
    /// Errors: Shape, NonFinite, InvalidArgument, Stride (overlap).
    pub fn budget(&self, scratch: &mut Scratch, previous: View, rates: View, dt: f64, b: ViewMut) -> Result<()> {
        self.check_whole()?;
        let count = self.check_slices(scratch, "previous", &previous)?;
        let places = count * self.rows.len();
        let (shape, rows) = (rates.layout().shape(), self.rows.len());
        let by_rows = |shape: &[usize]| rows == 1 || shape.first() == Some(&rows);
        let fits = (shape[0] == count && by_rows(&shape[1..])) || (count == 1 && by_rows(shape));
        if !fits || !rates.layout().len().is_multiple_of(places) {
            return fail!(Shape, "rates has shape {shape:?}, expected [{count}, {rows}, terms]");
        }
        if !dt.is_finite() {
            return fail!(NonFinite, "dt is {dt}, expected a finite number");
        }
        if let Some((at, rate)) = rates.first_non_finite() {
            return fail!(NonFinite, "rates[{at}] is {rate}, expected a finite number");
        }
        check_apart(("b", b.place()), ("rates", rates.place()), false)?;
        check_apart(("b", b.place()), ("previous", previous.place()), false)?;
        let terms = rates.layout().len() / places;
        let income = |at: usize| {
            let mut rate = [0.0];
            let sum = (0..terms).fold(Double::default(), |sum, j| {
                rates.gather(at * terms + j, &mut rate);
                let (amount, error) = two_product(rate[0], dt);
                sum + Double { high: amount, low: error }
            });
            -sum.high
        };
        if let Some(at) = (0..places).find(|&at| !income(at).is_finite()) {
            return fail!(NonFinite, "rates: slice {}, row {}: dt times their sum overflows", at / rows, at % rows);
        }
        // What is wrong with the state is said of the mean.
        self.evaluate(scratch, count, &previous, income, ("b", b)).map_err(|e| {
            match e.message().strip_prefix("mean:") {
                Some(rest) => Error::new(e.status(), format!("previous:{rest}")),
                None => e,
            }
        })
    }

    /// `G u - off` of every slice and row.
    fn evaluate(
        &self,
        scratch: &mut Scratch,
        count: usize,
        mean: &View,
        off: impl Fn(usize) -> f64,
        (name, out): (&str, ViewMut),
    ) -> Result<()> {
        check_values(name, out.layout(), count, self.rows.len())?;
        if let Some(joint) = &self.joint {
            return self.evaluate_batch(joint, scratch, count, mean, off, (name, out));
        }
        self.evaluate_stream(scratch, count, mean, off, (name, out))
    }

    /// The whole posterior covariance of one slice, `diag(v) - (v g)(v g)' / S`, into `covariance` of shape `[cells, cells]`:
    /// symmetric to the bit, its diagonal equal to the projection's posterior variances.
    ///
    /// Errors: InvalidArgument (variance against the prior), Shape, Stride (overlap), NonFinite, Variance, Singular.
    pub fn covariance(&self, scratch: &mut Scratch, variance: Option<View>, covariance: ViewMut) -> Result<()> {
        self.check_linear()?;
        self.check_owner(scratch.owner)?;
        self.check_prior(variance.is_some())?;
        if let (Some(joint), Some(batch)) = (&self.joint, &mut scratch.batch) {
            return self.covariance_of(joint, &mut batch.work, variance, None, covariance);
        }
        self.covariance_stream(variance, covariance)
    }

    /// That linear rows are all there is.
    pub(super) fn check_linear(&self) -> Result<()> {
        if self.sets.bind() {
            return fail!(State, "constraints hold a simplex or a monotone run, expected project_bounded");
        }
        self.check_whole()
    }

    /// That there are no invariants, and all rows are over the whole state.
    pub(super) fn check_whole(&self) -> Result<()> {
        if !self.quadratics.is_empty() {
            return fail!(
                State,
                "the projector has {} invariants, expected project_nonlinear for them",
                self.quadratics.len()
            );
        }
        self.check_present()
    }

    /// That every row has weights.
    pub(super) fn check_present(&self) -> Result<()> {
        match self.rows.iter().position(|row| row.weights.is_empty()) {
            Some(k) => fail!(State, "row {k} is absent here, expected project_part for a field in parts"),
            None => Ok(()),
        }
    }

    pub(super) fn check_prior(&self, has_variance: bool) -> Result<()> {
        match (self.prior, has_variance) {
            (Prior::Identity, true) => {
                fail!(InvalidArgument, "variance is given, expected none: the identity prior leaves variances alone")
            }
            (Prior::Identity, false) => Ok(()),
            (Prior::Diagonal, false) => {
                fail!(NullArgument, "variance is missing, expected the prior variances of a diagonal prior")
            }
            (prior, false) => fail!(NullArgument, "variance is missing, expected the data of the prior {prior:?}"),
            _ => Ok(()),
        }
    }

    pub(super) fn check_owner(&self, owner: u64) -> Result<()> {
        if owner != self.id {
            return fail!(Mismatch, "workspace belongs to another projector, expected one of this projector");
        }
        Ok(())
    }

    pub(super) fn check_slices(&self, scratch: &Scratch, name: &str, mean: &View) -> Result<usize> {
        self.check_owner(scratch.owner)?;
        let count = self.slices(name, mean.layout())?;
        if count > scratch.max_slices {
            let room = scratch.max_slices;
            return fail!(InvalidArgument, "{name} has {count} slices, expected at most {room} as the workspace");
        }
        Ok(count)
    }

    fn check_arrays(
        &self,
        scratch: &Scratch,
        mean: &View,
        variance: Option<&View>,
        b: &View,
        posterior: &Posterior,
    ) -> Result<usize> {
        self.check_prior(variance.is_some())?;
        let count = self.check_slices(scratch, "mean", mean)?;
        check_values("b", b.layout(), count, self.rows.len())?;
        let agree = |name: &str, layout: Option<&Layout>| match layout {
            Some(layout) if self.slices(name, layout)? != count => {
                fail!(Shape, "{name} has shape {:?}, expected {count} slices as mean", layout.shape())
            }
            _ => Ok(()),
        };
        if let Some(v) = variance {
            self.prior.check_data(v.layout(), self.cells, self.options.prior_size, count)?;
        }
        agree("posterior_mean", Some(posterior.mean.layout()))?;
        agree("posterior_variance", posterior.variance.as_ref().map(ViewMut::layout))?;

        let out_mean = ("posterior_mean", posterior.mean.place());
        check_apart(out_mean, ("mean", mean.place()), true)?;
        check_apart(out_mean, ("b", b.place()), false)?;
        if let Some(v) = variance {
            check_apart(out_mean, ("variance", v.place()), false)?;
        }
        if let Some(out) = &posterior.variance {
            let out_variance = ("posterior_variance", out.place());
            check_apart(out_variance, ("mean", mean.place()), false)?;
            check_apart(out_variance, ("b", b.place()), false)?;
            check_apart(out_variance, out_mean, false)?;
            if let Some(v) = variance {
                check_apart(out_variance, ("variance", v.place()), true)?;
            }
        }
        Ok(count)
    }

    pub(super) fn floor(&self, dtype: Dtype) -> f64 {
        match dtype {
            Dtype::F32 => self.floor[0],
            Dtype::F64 => self.floor[1],
        }
    }
}

pub(super) fn check_values(name: &str, layout: &Layout, count: usize, rows: usize) -> Result<()> {
    let shape = layout.shape();
    if layout.len() == count.saturating_mul(rows) && (count == 1 || shape[0] == count) {
        return Ok(());
    }
    if rows == 1 {
        return fail!(Shape, "{name} has shape {shape:?}, expected [{count}], one value a slice");
    }
    fail!(Shape, "{name} has shape {shape:?}, expected [{count}, {rows}], one value a slice and row")
}
