//! The nearest state that obeys rows and quadratic invariants.

mod derivative;
mod forms;
mod work;

pub(super) use self::forms::{Forms, Quadratic, floors, forms};
pub(super) use self::work::{Work, dot};
use super::arrays::check_apart;
use super::batch::data_of;
use super::prior::{Prior, is_refused, refuse_variance};
use super::project::{Projector, slice, slice_mut};
use super::report::Report;
use crate::error::{Result, fail, zeros};
use crate::field::Dtype;
use crate::kernels::strided::{View, ViewMut};

/// Most rows and invariants together: their normal matrix is dense.
pub const MAX_NONLINEAR: usize = 256;
/// Most Newton steps of one slice.
const MAX_ITERATIONS: usize = 200;
/// Most halvings of one Newton step.
const MAX_HALVINGS: usize = 60;
/// Most repairs of the stored values.
const MAX_REPAIRS: usize = 20;
const BLOCK: usize = 256;

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
        if !work.finite() {
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
        let held = self.options.held_cells;
        if let Some((cell, &x)) = work.v.iter().enumerate().find(|v| is_refused(*v.1, held)) {
            return refuse_variance(format_args!("variance: slice {index}, cell {cell}"), x, held);
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
        if !work.finite() {
            return fail!(NonFinite, "mean: slice {index}: the sum over its weighted cells overflows");
        }
        let keep = |result: &mut [f64], from: &[f64]| {
            result.iter_mut().zip(from).for_each(|(r, &u)| *r = dtype.round(u));
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
        if !work.finite() {
            return overflow();
        }
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
