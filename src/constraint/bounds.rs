//! The nearest state within bounds and sets that obeys the rows.
//!
//! In the multipliers lambda of the rows the problem is the maximum of a concave function whose gradient is
//! `F = G u(lambda) - b - s^2 lambda`, u(lambda) the nearest point of the sets to `mu - v G'lambda`, cell by cell, pool by pool. One row:
//! a root of a function that falls and is piecewise linear, by Newton's steps inside a bracket. Several rows: semismooth Newton
//! steps with the derivative of u on the cells that are free, and a search along each step.

mod derivative;
mod response;
mod search;
mod store;

use pulp::Arch;

use self::search::Found;
use super::arrays::check_apart;
use super::batch::data_of;
use super::joint::{Input, Joint, Work};
use super::prior::Prior;
use super::project::{Projector, check_values, slice, slice_mut};
use super::report::{Report, RowReport, SliceReport};
use super::rows::Rows;
use super::sets::{Method, Policy, Sets};
use crate::error::{Result, fail, zeros};
use crate::field::Dtype;
use crate::kernels::clip;
use crate::kernels::double::Double;
use crate::kernels::linear;
use crate::kernels::strided::{View, ViewMut};

/// Most rows where cells are bound to each other by sets, because S is full then.
const MOST_ROWS: usize = 256;
/// Where several rows make bounds yield, these are stiffened tenfold so many times: to a softness of 1e-6, beside the metric's own.
const STIFFENINGS: usize = 6;

/// Bounds of every cell, of one slice's shape or with a slice axis before it; an absent side, and an infinite value, bound nothing.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// The least values.
    pub lower: Option<View<'a>>,
    /// The largest values.
    pub upper: Option<View<'a>>,
}

/// Working memory of bounded projections, made once for a most number of slices. One for each thread.
pub struct Bounded {
    owner: u64,
    pub(super) joint: Joint,
    pub(super) work: Work,
    max_slices: usize,
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    /// The prior variances; those in the metric are of free cells only.
    pub(super) v: Vec<f64>,
    /// Sums `G v G'` on the diagonal with every cell free, by positions.
    full: Vec<f64>,
    /// Multipliers that a step is tried from.
    from: Vec<f64>,
    pub(super) step: Vec<f64>,
    /// The prior mean, while another one stands in for it.
    pub(super) given: Vec<f64>,
    /// How much of a way beyond a bound a cell goes; 0: it stops there.
    give: f64,
    pub(super) pools: Vec<u32>,
    weight: Vec<f64>,
    means: Vec<f64>,
    pub(super) slices: Vec<SliceReport>,
    pub(super) rows: Vec<RowReport>,
}

impl Projector {
    /// Working memory for [`Projector::project_bounded`] with at most `max_slices`.
    ///
    /// Errors: InvalidArgument (0 slices, a prior that correlates cells, [`Method::Spread`] with several rows or beside a simplex or a
    /// monotone run), State beside invariants or with an absent row, TooLarge (more than 256 rows with a simplex or a monotone run,
    /// 2^32 cells), OutOfMemory.
    pub fn bounded(&self, max_slices: usize) -> Result<Bounded> {
        self.check_whole()?;
        if max_slices == 0 {
            return fail!(InvalidArgument, "slices is 0, expected at least 1");
        }
        if !self.prior.is_diagonal() {
            let prior = self.prior;
            return fail!(InvalidArgument, "prior is {prior:?}, expected Identity, Diagonal or Scalar for bounds");
        }
        let m = self.rows.len();
        if self.sets.bind() && m > MOST_ROWS {
            return fail!(TooLarge, "rows are {m}, expected at most {MOST_ROWS} with a simplex or a monotone run");
        }
        if self.sets.method == Method::Spread && (m > 1 || self.sets.bind()) {
            return fail!(InvalidArgument, "method is Spread with {m} rows, expected one row and no sets");
        }
        let joint = Joint::new(&self.rows, self.cells, self.prior, &self.options, self.sets.bind())?;
        let what = "bounded workspace";
        let n = self.cells;
        let in_sets = if self.sets.bind() { n } else { 0 };
        Ok(Bounded {
            owner: self.id,
            work: joint.work(false)?,
            joint,
            max_slices,
            lower: zeros(n, what)?,
            upper: zeros(n, what)?,
            v: zeros(n, what)?,
            full: zeros(m, what)?,
            from: zeros(m, what)?,
            step: zeros(m, what)?,
            given: zeros(n, what)?,
            give: 0.0,
            pools: zeros(in_sets, what)?,
            weight: zeros(in_sets, what)?,
            means: zeros((max_slices - 1).saturating_mul(n), what)?,
            slices: zeros(max_slices, what)?,
            rows: zeros(max_slices.saturating_mul(m), what)?,
        })
    }

    /// The nearest state within bounds and sets that obeys the rows: minimises `sum (u - mu)^2 / v`, of every slice.
    ///
    /// Arrays as in [`Projector::project`]; bounds have the mean's shape, or that of one slice. Bounds hold with tolerance zero for the
    /// values as stored (a bound that the posterior's dtype cannot hold is rounded inwards), rows without noise to
    /// `4 eps sum |g u|`. A mean that obeys and lies within comes back bit for bit. A cell whose variance is 0 stays.
    ///
    /// Every outcome is known before the first write. Allocates nothing.
    ///
    /// Errors: as [`Projector::project`]; InvalidArgument (a lower bound above its upper bound, infinite bounds with
    /// [`Method::Spread`]), Infeasible (no state within the bounds obeys; see [`Policy`]), NotConverged.
    #[allow(clippy::too_many_arguments)]
    pub fn project_bounded(
        &self,
        bounded: &mut Bounded,
        mean: View,
        variance: Option<View>,
        b: View,
        bounds: Bounds,
        mut posterior_mean: ViewMut,
        report: Option<&mut Report>,
    ) -> Result<()> {
        self.check_prior(variance.is_some())?;
        let count = self.check_bounded_arrays(bounded, &mean, variance.as_ref(), &b, &bounds)?;
        let (n, m) = (self.cells, self.rows.len());
        if self.slices("posterior_mean", posterior_mean.layout())? != count {
            let shape = posterior_mean.layout().shape();
            return fail!(Shape, "posterior_mean has shape {shape:?}, expected {count} slices as mean");
        }
        let out = ("posterior_mean", posterior_mean.place());
        check_apart(out, ("mean", mean.place()), true)?;
        let others = [("variance", &variance), ("b", &Some(b)), ("lower", &bounds.lower), ("upper", &bounds.upper)];
        for (name, other) in others {
            if let Some(other) = other {
                check_apart(out, (name, other.place()), false)?;
            }
        }
        if let Some(report) = &report {
            report.check(count, m)?;
        }
        let dtype = posterior_mean.dtype();
        let span = self.prior.span(n, 0);
        for index in 0..count {
            let (mean, variance) = (slice(&mean, count, index), data_of(variance.as_ref(), span, count, index));
            b.gather(index * m, &mut bounded.work.b);
            let input = Input { index, mean: &mean, data: variance.as_ref(), dtype, variances: false };
            let lower = data_of(bounds.lower.as_ref(), n, count, index);
            let upper = data_of(bounds.upper.as_ref(), n, count, index);
            let described = report.is_some();
            bounded.project(&self.rows, &self.sets, input, [lower.as_ref(), upper.as_ref()], described)?;
            let Bounded { work, means, slices, rows, .. } = &mut *bounded;
            if index + 1 < count {
                means[index * n..(index + 1) * n].copy_from_slice(&work.u);
            }
            slices[index] = work.slice;
            rows[index * m..(index + 1) * m].copy_from_slice(&work.rows);
        }
        for index in 0..count {
            let last = index + 1 == count;
            let part = if last { &bounded.work.u[..] } else { &bounded.means[index * n..(index + 1) * n] };
            slice_mut(&mut posterior_mean, count, index).scatter(0, part);
        }
        if let Some(report) = report {
            report.begin(count);
            for index in 0..count {
                let (slice, of_rows) = report.slice_mut(index);
                *slice = bounded.slices[index];
                of_rows.copy_from_slice(&bounded.rows[index * m..(index + 1) * m]);
            }
        }
        Ok(())
    }
}

impl Projector {
    /// Checks the arrays and gives the number of slices.
    pub(super) fn check_bounded_arrays(
        &self,
        bounded: &Bounded,
        mean: &View,
        variance: Option<&View>,
        b: &View,
        bounds: &Bounds,
    ) -> Result<usize> {
        let (n, m) = (self.cells, self.rows.len());
        self.check_owner(bounded.owner)?;
        let count = self.slices("mean", mean.layout())?;
        if count > bounded.max_slices {
            let room = bounded.max_slices;
            return fail!(InvalidArgument, "mean has {count} slices, expected at most {room} as the workspace");
        }
        check_values("b", b.layout(), count, m)?;
        if let Some(variance) = variance {
            self.prior.check_data(variance.layout(), n, 0, count)?;
        }
        for (name, bound) in [("lower", &bounds.lower), ("upper", &bounds.upper)] {
            let Some(bound) = bound else { continue };
            let slices = self.slices(name, bound.layout())?;
            if slices != count && bound.layout().len() != n {
                return fail!(Shape, "{name} has {slices} slices, expected {count} as mean, or one");
            }
        }
        Ok(count)
    }
}

impl Bounded {
    pub(super) fn project(
        &mut self,
        rows: &Rows,
        sets: &Sets,
        input: Input,
        [lower, upper]: [Option<&View>; 2],
        described: bool,
    ) -> Result<()> {
        self.joint.prepare(rows, input, &mut self.work)?;
        match self.joint.kind.prior {
            // Written with every slice, so what is left in the metric's place does not matter.
            Prior::Diagonal => std::mem::swap(&mut self.v, &mut self.work.metric.v),
            Prior::Identity => self.v.fill(1.0),
            _ => self.v.copy_from_slice(&self.work.metric.v),
        }
        self.read_bounds(sets, input, lower, upper)?;
        self.work.lambda.fill(0.0);
        self.work.slice = SliceReport::default();
        // The mean as it would be stored, in its place in f64.
        let stored = input.dtype == Dtype::F64;
        if stored {
            std::mem::swap(&mut self.work.u, &mut self.work.mean);
        } else {
            self.work.u.copy_from_slice(&self.work.mean);
            linear::round(Arch::new(), &mut self.work.u, input.dtype);
        }
        let lawful = self.joint.residuals(rows, &mut self.work, input)?;
        for (k, row) in self.work.rows.iter_mut().enumerate() {
            (row.residual_before, row.multiplier) = (row.residual_after, 0.0);
            row.dropped = self.joint.dropped[k];
        }
        let silent = (0..rows.len()).all(|k| rows.row(k).noise == 0.0 || self.work.rows[k].residual_after == 0.0);
        if lawful && silent && self.is_within(sets, input.dtype) {
            self.work.slice.unchanged = true;
            if described {
                self.count_active();
            }
            return Ok(());
        }
        if stored {
            std::mem::swap(&mut self.work.u, &mut self.work.mean);
        }
        if !self.attempt(rows, sets, input)? {
            self.yield_bounds(rows, sets, input)?;
        }
        if described {
            self.describe(lower, upper, sets);
        }
        Ok(())
    }

    /// Bounds as the posterior's dtype can hold them.
    pub(super) fn read_bounds(
        &mut self,
        sets: &Sets,
        input: Input,
        lower: Option<&View>,
        upper: Option<&View>,
    ) -> Result<()> {
        let slice = input.index;
        let sides = [(lower, &mut self.lower, f64::NEG_INFINITY), (upper, &mut self.upper, f64::INFINITY)];
        for (bound, values, none) in sides {
            match bound {
                None => values.fill(none),
                Some(bound) => bound.gather(0, values),
            }
        }
        let arch = Arch::new();
        if input.dtype == Dtype::F64 && !sets.bind() && clip::admit(arch, &self.lower, &self.upper, &self.v) {
            return Ok(());
        }
        for (name, values) in [("lower", &self.lower), ("upper", &self.upper)] {
            if let Some(cell) = values.iter().position(|x| x.is_nan()) {
                return fail!(NonFinite, "{name}: slice {slice}, cell {cell} is NaN, expected a number");
            }
        }
        for set in &sets.simplices {
            let cells = set.first..set.first + set.components * set.points;
            self.lower[cells.clone()].fill(f64::NEG_INFINITY);
            self.upper[cells].fill(f64::INFINITY);
        }
        for set in &sets.monotones {
            self.lower[set.first..set.first + set.count].fill(f64::NEG_INFINITY);
            self.upper[set.first..set.first + set.count].fill(f64::INFINITY);
        }
        if sets.bind()
            && let Some(cell) = self.v.iter().position(|&v| v == 0.0)
        {
            return fail!(
                Variance,
                "variance: slice {slice}, cell {cell} is 0, expected above 0 beside a simplex or a run"
            );
        }
        let most = input.dtype.max();
        for (cell, (low, high)) in self.lower.iter_mut().zip(&mut self.upper).enumerate() {
            if *low > *high || *low > most || *high < -most {
                return fail!(
                    InvalidArgument,
                    "lower: slice {slice}, cell {cell} is {low:e}, upper is {high:e}, expected a finite number between them"
                );
            }
            if input.dtype == Dtype::F32 {
                let (given_low, given_high) = (*low, *high);
                *low = Dtype::F32.round_up(given_low);
                *high = Dtype::F32.round_down(given_high);
                if *low > *high {
                    return fail!(
                        InvalidArgument,
                        "lower: slice {slice}, cell {cell} is {given_low:e}, upper is {given_high:e}, expected an f32 between them"
                    );
                }
            }
        }
        // A held cell stays where it is.
        for (cell, &v) in self.v.iter().enumerate() {
            if v == 0.0 {
                let mut u = [self.work.mean[cell]];
                linear::round(Arch::new(), &mut u, input.dtype);
                let [u] = u;
                if u < self.lower[cell] || u > self.upper[cell] {
                    return fail!(
                        Infeasible,
                        "mean: slice {slice}, cell {cell} is held at {u:e}, outside of its bounds"
                    );
                }
                (self.lower[cell], self.upper[cell]) = (u, u);
            }
        }
        Ok(())
    }

    pub(super) fn is_within(&self, sets: &Sets, dtype: Dtype) -> bool {
        let u = &self.work.u;
        let mut within = u.iter().zip(&self.lower).zip(&self.upper).all(|((u, l), h)| u >= l && u <= h);
        for set in &sets.simplices {
            for p in 0..set.points {
                let mut sum = Double { high: -set.total, low: 0.0 };
                for c in 0..set.components {
                    let value = u[set.first + c * set.points + p];
                    sum = sum.plus(value);
                    within &= value >= 0.0;
                }
                within &= sum.high.abs() <= 4.0 * dtype.epsilon() * set.total;
            }
        }
        for set in &sets.monotones {
            let run = &u[set.first..set.first + set.count];
            let sign = if set.direction == super::sets::Direction::Increasing { 1.0 } else { -1.0 };
            within &= run.windows(2).all(|pair| sign * pair[0] <= sign * pair[1]);
        }
        within
    }

    /// The state by the chosen method, stored; false where the bounds admit none.
    fn attempt(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let found = match sets.method {
            Method::Spread => return self.spread(rows, sets, input),
            Method::Nearest if rows.len() == 1 && !sets.bind() => self.root(rows, input)?,
            Method::Nearest => {
                let wide = Input { dtype: Dtype::F64, ..input };
                if self.newton(rows, sets, wide)? { Found::Multipliers } else { Found::Nothing }
            }
        };
        match found {
            Found::Nothing => Ok(false),
            Found::State => Ok(true),
            Found::Multipliers => self.store(rows, sets, input).map(|()| true),
        }
    }

    /// What the policy makes of bounds that admit no lawful state.
    fn yield_bounds(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<()> {
        match sets.policy {
            Policy::Refuse => self.refuse(rows, input),
            Policy::RelaxLeast if sets.bind() => {
                fail!(InvalidArgument, "policy is RelaxLeast beside a simplex or a run, expected bounds alone to yield")
            }
            Policy::RelaxLeast if rows.len() > 1 => self.give_way(rows, sets, input),
            Policy::RelaxLeast => {
                // Every cell is at the bound that helps; from there the nearest lawful state leaves the bounds by the least.
                self.joint.prepare(rows, input, &mut self.work)?;
                self.work.metric.v.copy_from_slice(&self.v);
                self.given.copy_from_slice(&self.work.mean);
                self.extreme(rows, input);
                self.work.mean.copy_from_slice(&self.work.u);
                let done = self.joint.project_prepared(rows, input, &mut self.work, false);
                self.work.mean.copy_from_slice(&self.given);
                done
            }
            Policy::RelaxToExtremes => {
                let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
                for ((v, low), high) in self.v.iter().zip(&self.lower).zip(&self.upper) {
                    if *v > 0.0 {
                        (least, most) = (least.min(*low), most.max(*high));
                    }
                }
                for ((v, low), high) in self.v.iter().zip(&mut self.lower).zip(&mut self.upper) {
                    if *v > 0.0 {
                        (*low, *high) = (least, most);
                    }
                }
                self.work.lambda.fill(0.0);
                if self.attempt(rows, sets, input)? { Ok(()) } else { self.refuse(rows, input) }
            }
        }
    }

    /// Several rows: bounds as springs, so stiff beside the metric that what leaves them leaves by the least, to about 1e-6 of it.
    fn give_way(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<()> {
        self.work.lambda.fill(0.0);
        // From free cells to stiff bounds by tens: few cells change sides at a time, and multipliers grow with the stiffness.
        self.give = 1.0;
        let mut found = Ok(false);
        for _ in 0..STIFFENINGS {
            self.give *= 0.1;
            self.work.lambda.iter_mut().for_each(|lambda| *lambda *= 10.0);
            found = self.newton(rows, sets, Input { dtype: Dtype::F64, ..input });
        }
        self.give = 0.0;
        if !found? {
            return self.refuse(rows, input);
        }
        let Bounded { joint, work, lower, upper, v, .. } = &mut *self;
        for (cell, (u, free)) in work.u.iter_mut().zip(&mut work.metric.v).enumerate() {
            if *u < lower[cell] {
                (lower[cell], *free) = (f64::NEG_INFINITY, v[cell]);
            }
            if *u > upper[cell] {
                (upper[cell], *free) = (f64::INFINITY, v[cell]);
            }
        }
        linear::round(Arch::new(), &mut work.u, input.dtype);
        let lawful = joint.residuals(rows, work, input)?;
        self.mend(rows, sets, input, lawful)
    }

    fn refuse(&self, rows: &Rows, input: Input) -> Result<()> {
        let (k, row) = self.worst(rows);
        fail!(
            Infeasible,
            "b: slice {}, row {k} is {:e}, and within the bounds the rows leave a residual of {:e}",
            input.index,
            self.work.b[k],
            row.residual_after
        )
    }

    fn worst(&self, rows: &Rows) -> (usize, RowReport) {
        let excess = |row: &RowReport| row.residual_after.abs() / row.tolerance.max(f64::MIN_POSITIVE);
        let all = (0..rows.len()).map(|k| (k, self.work.rows[k]));
        all.max_by(|a, b| excess(&a.1).total_cmp(&excess(&b.1))).unwrap_or_default()
    }

    pub(super) fn count_active(&mut self) {
        let Bounded { work, lower, upper, v, .. } = self;
        let (mut low, mut high) = (0, 0);
        for (((u, l), h), v) in work.u.iter().zip(lower).zip(upper).zip(v) {
            if *v > 0.0 {
                low += usize::from(u == l);
                high += usize::from(u == h && u != l);
            }
        }
        (work.slice.active_lower, work.slice.active_upper) = (low, high);
    }

    /// How many cells of `work.u` lie outside, and how far at most, also that a simplex's sum is off.
    pub(super) fn outside(&self, sets: &Sets, dtype: Dtype) -> (usize, f64) {
        let Bounded { work, lower, upper, .. } = self;
        let (mut cells, mut most) = (0, 0.0);
        let mut see = |by: f64| {
            cells += usize::from(by > 0.0);
            most = f64::max(most, by);
        };
        for ((u, low), high) in work.u.iter().zip(lower).zip(upper) {
            see((low - u).max(u - high));
        }
        for set in &sets.simplices {
            work.u[set.first..set.first + set.components * set.points].iter().for_each(|u| see(-u));
        }
        for set in &sets.monotones {
            let sign = if set.direction == super::sets::Direction::Increasing { 1.0 } else { -1.0 };
            work.u[set.first..set.first + set.count].windows(2).for_each(|pair| see(sign * (pair[0] - pair[1])));
        }
        for set in &sets.simplices {
            for p in 0..set.points {
                let whole = Double { high: -set.total, low: 0.0 };
                let off =
                    (0..set.components).fold(whole, |sum, c| sum.plus(work.u[set.first + c * set.points + p])).high;
                if off.abs() > 4.0 * dtype.epsilon() * set.total {
                    most = f64::max(most, off.abs());
                }
            }
        }
        (cells, most)
    }

    fn describe(&mut self, lower: Option<&View>, upper: Option<&View>, sets: &Sets) {
        self.joint.describe(&mut self.work);
        let mut norm = 0.0;
        for ((u, mean), v) in self.work.u.iter().zip(&self.work.mean).zip(&self.v) {
            if *v > 0.0 {
                norm += (u - mean) * (u - mean) / v;
            }
        }
        self.work.slice.correction_norm = norm.sqrt();
        self.count_active();
        if sets.policy == Policy::Refuse {
            return;
        }
        // Against the bounds as they were given.
        let (mut relaxed, mut most) = (0, 0.0);
        for (cell, &u) in self.work.u.iter().enumerate() {
            let mut outside = 0.0;
            for (bound, sign) in [(lower, 1.0), (upper, -1.0)] {
                let mut value = [u];
                if let Some(bound) = bound {
                    bound.gather(cell, &mut value);
                }
                outside = f64::max(outside, sign * (value[0] - u));
            }
            if outside > 0.0 {
                relaxed += 1;
                most = f64::max(most, outside);
            }
        }
        (self.work.slice.relaxed, self.work.slice.relaxation) = (relaxed, most);
    }
}
