//! The nearest state within bounds and sets that obeys the rows.
//!
//! In the multipliers lambda of the rows the problem is the maximum of a concave function whose gradient is
//! `F = G u(lambda) - b - s^2 lambda`, u(lambda) the nearest point of the sets to `mu - v G'lambda`, cell by cell, pool by pool. One row:
//! a root of a function that falls and is piecewise linear, by Newton's steps inside a bracket. Several rows: semismooth Newton
//! steps with the derivative of u on the cells that are free, and a search along each step.

use pulp::Arch;

use super::batch::data_of;
use super::joint::{Input, Joint, Work};
use super::metric::place;
use super::prior::Prior;
use super::project::{MAX_STEPS, Projector, check_apart, check_values, slice, slice_mut};
use super::report::{Report, RowReport, SliceReport};
use super::rows::{Rows, Support};
use super::sets::{Method, Policy, Sets};
use super::system::Columns;
use crate::error::{Result, fail, zeros};
use crate::field::Dtype;
use crate::kernels::clip;
use crate::kernels::double::{Double, two_product};
use crate::kernels::linear;
use crate::kernels::strided::{View, ViewMut};

/// Most rows where cells are bound to each other by sets, because S is full then.
const MOST_ROWS: usize = 256;
/// Most steps of the search for the multipliers.
const MOST_ITERATIONS: usize = 200;
/// Where several rows make bounds yield, these are stiffened tenfold so many times: to a softness of 1e-6, beside the metric's own.
const STIFFENINGS: usize = 6;

/// Steps of the search for one multiplier before every other one halves what is left.
const PLAIN_STEPS: usize = 16;

/// What a search for the state came to.
enum Found {
    /// Multipliers, whose state is still to be stored.
    Multipliers,
    /// The stored state itself: all cells that count are at bounds.
    State,
    /// There is none.
    Nothing,
}

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
    /// Errors: InvalidArgument when 0 or for a prior that correlates cells, State beside invariants, TooLarge (more than 256 rows with a simplex or a monotone
    /// run), OutOfMemory.
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
                *low = inwards(given_low, 1.0);
                *high = inwards(given_high, -1.0);
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

    /// One row without sets: lambda where `g u(lambda) - b - s^2 lambda` is 0.
    fn root(&mut self, rows: &Rows, input: Input) -> Result<Found> {
        let arch = Arch::new();
        let row = rows.row(0);
        let (b, noise) = (self.work.b[0], row.noise);
        let Bounded { work, lower, upper, v, .. } = self;
        // The row's cells next to each other; a listed row works on what it collects.
        let (g, cells) = match row.support {
            Support::Run(first) => (row.weights, first..first + row.weights.len()),
            Support::List(_) => {
                work.w.fill(0.0);
                linear::spread(arch, row.weights, place(&row), 1.0, &mut work.w);
                (&work.w[..], 0..work.w.len())
            }
        };
        let (mu, v, lower, upper) =
            (&work.mean[cells.clone()], &v[cells.clone()], &lower[cells.clone()], &upper[cells]);
        let see = |lambda: f64| {
            let seen = clip::see(arch, lambda, g, mu, v, lower, upper);
            let mut off = seen.amount.plus(-b);
            let (p, error) = two_product(-noise, lambda);
            off = off + Double { high: p, low: error };
            (off.high, seen.slope + noise, seen.scale)
        };
        // With every cell free; asked for only where none is.
        let mut full = f64::NAN;
        // All cells at the bound that helps, and still short.
        let unreachable = |off: f64| {
            let (last, _, scale) = see(f64::MAX.copysign(off));
            last.is_finite() && last.abs() > 4.0 * f64::EPSILON * scale && (last > 0.0) == (off > 0.0)
        };
        let mut asked = false;
        let (mut lambda, mut bracket) = (0.0, [f64::NEG_INFINITY, f64::INFINITY]);
        let (mut reach, mut newton, mut before) = (1.0, false, 0.0);
        let mut found = false;
        let mut steps = 0;
        while steps < MOST_ITERATIONS {
            steps += 1;
            let (off, slope, scale) = see(lambda);
            if !(off.is_finite() && slope.is_finite()) {
                return fail!(NonFinite, "mean: slice {}: the sum over its weighted cells overflows", input.index);
            }
            // Well below what the stored state is allowed; or, as Newton's step stayed among the same cells, at its rounding.
            if slope == 0.0 && full.is_nan() {
                full = linear::weighted(arch, g, g, v) + noise;
            }
            let settled = newton && slope == before && off.abs() <= 1e-12 * scale;
            if off.abs() <= f64::EPSILON * scale || settled || full == 0.0 {
                found = settled || off.abs() <= 4.0 * f64::EPSILON * scale;
                break;
            }
            bracket[usize::from(off < 0.0)] = lambda;
            let [low, high] = bracket;
            let closed = low.is_finite() && high.is_finite();
            // Newton's steps may creep from kink to kink where variances span many decades.
            let hurried = steps > PLAIN_STEPS && steps % 2 == 1;
            let mut next = if slope > 0.0 { lambda + off / slope } else { f64::NAN };
            newton = next > low && next < high && !hurried;
            before = slope;
            if !newton && closed {
                next = if hurried { halfway(low, high) } else { 0.5 * (low + high) };
            } else if !newton {
                if slope == 0.0 && !std::mem::replace(&mut asked, true) && unreachable(off) {
                    break;
                }
                // No cell is free here, or the way out of the bracket is open: further, ever faster.
                reach *= 8.0;
                let whole = if full.is_nan() { slope } else { full };
                let far = lambda + reach * (off / whole).abs().max(lambda.abs()).copysign(off);
                next = if next.is_finite() && (next - lambda).abs() > (far - lambda).abs() { next } else { far };
            }
            if next == low || next == high || (next - lambda).abs() <= 2.0 * f64::EPSILON * lambda.abs() {
                // At the rounding of lambda: what is left is for the stored values to mend.
                found = true;
                break;
            }
            if !next.is_finite() {
                break;
            }
            lambda = next;
        }
        self.work.slice.iterations = steps;
        self.work.lambda[0] = lambda;
        if found {
            return Ok(Found::Multipliers);
        }
        // Every cell at the bound that helps is the last state there is; its residual goes with the refusal.
        let reaches = self.extreme(rows, input);
        if self.joint.residuals(rows, &mut self.work, input)? {
            return Ok(Found::State);
        }
        if !reaches {
            return Ok(Found::Nothing);
        }
        fail!(
            NotConverged,
            "mean: slice {}, row 0: no multiplier after {steps} steps, expected one as the bounds admit a state",
            input.index
        )
    }

    /// `u` at the bounds that bring the only row nearest to `b` or past it; whether it comes that far. Cells without weight stay, as
    /// far as their bounds let them.
    fn extreme(&mut self, rows: &Rows, input: Input) -> bool {
        let arch = Arch::new();
        let Bounded { work, lower, upper, v, .. } = self;
        let wanted = work.b[0];
        for (cell, u) in work.u.iter_mut().enumerate() {
            *u = work.mean[cell].max(lower[cell]).min(upper[cell]);
        }
        linear::round(arch, &mut work.u, input.dtype);
        let row = rows.row(0);
        let (now, _) = linear::dot(arch, row.weights, place(&row), &work.u);
        let raise = now.plus(-wanted).high < 0.0;
        let mut open = row.noise > 0.0;
        for (k, &g) in row.weights.iter().enumerate() {
            let cell = row.cell(k);
            if g != 0.0 {
                let bound = if (g > 0.0) == raise { upper[cell] } else { lower[cell] };
                if bound.is_finite() {
                    work.u[cell] = bound;
                } else {
                    open |= v[cell] > 0.0;
                }
            }
        }
        let (now, scale) = linear::dot(arch, row.weights, place(&row), &work.u);
        let off = now.plus(-wanted).high;
        open || off == 0.0 || (off > 0.0) == raise || off.abs() <= 4.0 * f64::EPSILON * scale
    }

    /// `u(lambda)` into `work.u`, the variances of free cells into the metric, pools into `pools`; then the residuals.
    fn state(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let arch = Arch::new();
        let Bounded { joint, work, lower, upper, v, pools, weight, give, .. } = self;
        work.w.fill(0.0);
        for (&k, &lambda) in joint.pattern.order.iter().zip(&work.lambda) {
            if lambda != 0.0 {
                let row = rows.row(k as usize);
                linear::spread(arch, row.weights, place(&row), lambda, &mut work.w);
            }
        }
        let Work { mean, w, u, metric, .. } = work;
        clip::clip(arch, mean, v, w, lower, upper, u, &mut metric.v);
        let x = |cell: usize| mean[cell] - v[cell] * w[cell];
        if *give > 0.0 {
            for (cell, (u, free)) in u.iter_mut().zip(&mut metric.v).enumerate() {
                if *free == 0.0 {
                    *u += *give * (x(cell) - *u);
                    *free = *give * v[cell];
                }
            }
        }
        // What rounding makes of such a difference.
        let noise = |cell: usize| 4.0 * f64::EPSILON * (mean[cell].abs() + (v[cell] * w[cell]).abs());
        for set in &sets.simplices {
            set.nearest(x, noise, v, u, &mut metric.v);
        }
        for set in &sets.monotones {
            set.nearest(x, v, u, pools, weight);
            // A pool's freedom is its group's alone.
            metric.v[set.first..set.first + set.count].fill(0.0);
        }
        linear::round(arch, u, input.dtype);
        if !linear::is_finite(arch, u) {
            return fail!(NonFinite, "posterior_mean: slice {}: the corrected cells overflow", input.index);
        }
        joint.residuals(rows, work, input)
    }

    /// The concave function that the multipliers maximise, at `work.u` and `work.lambda`.
    fn dual(&self, rows: &Rows) -> f64 {
        let work = &self.work;
        let mut value = 0.0;
        for ((u, mean), v) in work.u.iter().zip(&work.mean).zip(&self.v) {
            if *v > 0.0 {
                value += 0.5 * (u - mean) * (u - mean) / v;
            }
        }
        if self.give > 0.0 {
            let cells = work.u.iter().zip(&self.lower).zip(&self.upper).zip(&self.v);
            for (((u, low), high), v) in cells.filter(|cell| *cell.1 > 0.0) {
                let outside = (low - u).max(u - high).max(0.0);
                value += 0.5 * (1.0 / self.give - 1.0) * outside * outside / v;
            }
        }
        for (at, lambda) in work.lambda.iter().enumerate() {
            let noise = rows.row(self.joint.pattern.order[at] as usize).noise;
            // work.r is G u - b - s^2 lambda.
            value += lambda * (work.r[at].high + 0.5 * noise * lambda);
        }
        value
    }

    /// Factors S over what is free, with `damping` of the full S on its diagonal.
    pub(super) fn factor(&mut self, rows: &Rows, sets: &Sets, input: Input, damping: f64) -> Result<()> {
        let Bounded { joint, work, v, full, pools, .. } = self;
        work.metric.assemble(rows, &joint.columns, None, &joint.pattern, input.index, None, &mut work.single)?;
        let pattern = &joint.pattern;
        let mut add = |columns: &Columns, group: super::sets::Group| {
            work.step.fill(0.0);
            for (cell, a) in group.cells {
                for &(row, g) in columns.of(cell) {
                    work.step[pattern.position[row as usize] as usize] += g * a;
                }
            }
            for at in (0..pattern.len()).filter(|&at| work.step[at] != 0.0) {
                let scaled = group.factor * work.step[at];
                work.single.diagonal[at] += scaled * work.step[at];
                let (near, range) = pattern.near(at);
                for (&other, s) in near.iter().zip(&mut work.single.below[range]) {
                    *s += scaled * work.step[other as usize];
                }
            }
        };
        for set in &sets.simplices {
            set.groups(&work.metric.v, |group| add(&joint.columns, group));
        }
        for set in &sets.monotones {
            set.groups(v, pools, |group| add(&joint.columns, group));
        }
        for (s, full) in work.single.diagonal.iter_mut().zip(&*full) {
            *s += damping * full;
        }
        let skip = |at: usize| joint.dropped[pattern.order[at] as usize];
        work.single.factor(pattern, skip, |_, _| {});
        work.doubled = false;
        Ok(())
    }

    /// Any rows and sets: the multipliers by semismooth Newton steps; false where they run away, because no state obeys.
    fn newton(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let m = rows.len();
        for at in 0..m {
            let k = self.joint.pattern.order[at] as usize;
            let row = rows.row(k);
            let sum = (0..row.weights.len()).fold(0.0, |sum, i| {
                let g = row.weights[i];
                sum + g * g * self.v[row.cell(i)]
            });
            self.full[at] = sum + row.noise;
        }
        let mut lawful = self.state(rows, sets, input)? && self.is_settled(rows);
        let mut best = self.off();
        let mut damping = 0.0;
        let mut idle = 0;
        for iteration in 1..=MOST_ITERATIONS {
            self.work.slice.iterations = iteration;
            if lawful {
                return Ok(true);
            }
            let value = self.dual(rows);
            self.factor(rows, sets, input, damping)?;
            let stuck = |at: usize| {
                let k = self.joint.pattern.order[at] as usize;
                let row = &self.work.rows[k];
                !self.joint.dropped[k] && !self.work.single.takes_part(at) && row.residual_after.abs() > row.tolerance
            };
            if damping == 0.0 && (0..m).any(stuck) {
                // Rows that no free cell moves, or not apart from others: lean on the full S until cells come free.
                self.factor(rows, sets, input, 1e-3)?;
            }
            let Bounded { joint, work, from, step, .. } = self;
            joint.solve(work);
            step.copy_from_slice(&work.step);
            from.copy_from_slice(&work.lambda);
            let rise: f64 = step.iter().zip(&work.r).map(|(d, r)| d * r.high).sum();
            let (mut length, mut taken) = (1.0, false);
            while length > 1e-10 {
                for at in 0..m {
                    self.work.lambda[at] = self.from[at] + length * self.step[at];
                }
                lawful = self.state(rows, sets, input)? && self.is_settled(rows);
                let off = self.off();
                let (slack, dual) = (1e-14 * value.abs(), self.dual(rows));
                // Near the top its rounding hides what a step gains; elsewhere a smaller residual may lie far downhill.
                let level = dual >= value - 1e-6 * value.abs();
                if lawful || dual >= value + 1e-4 * length * rise - slack || level && off < 0.5 * best {
                    taken = true;
                    break;
                }
                length *= 0.5;
            }
            let off = self.off();
            damping = if taken && length == 1.0 { 0.1 * damping } else { (10.0 * damping).clamp(1e-6, 1e3) };
            if damping < 1e-12 {
                damping = 0.0;
            }
            // At the rounding of the multipliers no step helps any more; what is left is for the stored values to mend.
            idle = if off < 0.9 * best { 0 } else { idle + 1 };
            best = best.min(off);
            let near = if self.give > 0.0 { 1e-14 / self.give } else { 0.0 };
            if idle > 8 && best <= near.max(1e-10) {
                return Ok(true);
            }
            if self.is_hopeless(rows, sets) {
                return Ok(false);
            }
        }
        let (k, row) = self.worst(rows);
        fail!(
            NotConverged,
            "mean: slice {}, row {k}: residual {:e} is left after {MOST_ITERATIONS} steps, expected at most {:e}",
            input.index,
            row.residual_after,
            row.tolerance
        )
    }

    /// Whether rows with noise are off by just what it accounts for.
    fn is_settled(&self, rows: &Rows) -> bool {
        let Work { r, scale, .. } = &self.work;
        (0..r.len()).all(|at| {
            let exact = rows.row(self.joint.pattern.order[at] as usize).noise == 0.0;
            exact || r[at].high.abs() <= 4.0 * f64::EPSILON * scale[at]
        })
    }

    /// The largest residual, of what its row sums.
    fn off(&self) -> f64 {
        let mut most: f64 = 0.0;
        for (r, scale) in self.work.r.iter().zip(&self.work.scale) {
            most = most.max(r.high.abs() / scale.max(f64::MIN_POSITIVE));
        }
        most
    }

    /// Whether the multipliers prove that no state within the bounds obeys: in their direction d the largest `d'G u` over all
    /// states within is less than `d'b`.
    fn is_hopeless(&mut self, rows: &Rows, sets: &Sets) -> bool {
        let gives = self.give > 0.0;
        if gives || sets.bind() || rows.iter().any(|row| row.noise > 0.0) || self.work.lambda.iter().all(|&l| l == 0.0)
        {
            return false;
        }
        let Bounded { joint, work, lower, upper, .. } = self;
        work.w.fill(0.0);
        let mut wanted = 0.0;
        for (&k, &lambda) in joint.pattern.order.iter().zip(&work.lambda) {
            let row = rows.row(k as usize);
            linear::spread(Arch::new(), row.weights, place(&row), -lambda, &mut work.w);
            wanted -= lambda * work.b[k as usize];
        }
        let mut most = 0.0;
        for ((w, low), high) in work.w.iter().zip(&*lower).zip(&*upper) {
            if *w != 0.0 {
                most += w * if *w > 0.0 { *high } else { *low };
            }
        }
        // Multipliers of opposite rows may cancel: the rounding is that of their single terms.
        let mut size = wanted.abs();
        for (&k, &lambda) in joint.pattern.order.iter().zip(&work.lambda) {
            let row = rows.row(k as usize);
            for (i, g) in row.weights.iter().enumerate() {
                let cell = row.cell(i);
                let reach = if lower[cell].is_finite() { lower[cell].abs() } else { 0.0 }
                    + if upper[cell].is_finite() { upper[cell].abs() } else { 0.0 };
                size += (lambda * g).abs() * reach;
            }
        }
        most.is_finite() && most < wanted - 1e-12 * size
    }

    fn worst(&self, rows: &Rows) -> (usize, RowReport) {
        let excess = |row: &RowReport| row.residual_after.abs() / row.tolerance.max(f64::MIN_POSITIVE);
        let all = (0..rows.len()).map(|k| (k, self.work.rows[k]));
        all.max_by(|a, b| excess(&a.1).total_cmp(&excess(&b.1))).unwrap_or_default()
    }

    /// The state at the multipliers as stored, mended until its rows hold.
    fn store(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<()> {
        if let (1, false, Support::Run(first)) = (rows.len(), sets.bind(), rows.row(0).support)
            && self.along(rows, first, input)?
        {
            return Ok(());
        }
        let lawful = self.state(rows, sets, input)?;
        self.mend(rows, sets, input, lawful)
    }

    /// Mends the stored values in `work.u` until their rows hold.
    fn mend(&mut self, rows: &Rows, sets: &Sets, input: Input, mut lawful: bool) -> Result<()> {
        let arch = Arch::new();
        for repair in 0..MAX_STEPS {
            if lawful {
                self.work.slice.repairs = repair;
                return Ok(());
            }
            self.factor(rows, sets, input, 0.0)?;
            let idle = |at: usize| {
                let row = &self.work.rows[self.joint.pattern.order[at] as usize];
                !self.work.single.takes_part(at) && row.residual_after.abs() > row.tolerance
            };
            if !sets.bind() && (0..rows.len()).any(idle) {
                // Cells at a bound may still leave it to the inside.
                self.work.metric.v.copy_from_slice(&self.v);
                self.factor(rows, sets, input, 0.0)?;
            }
            let Bounded { joint, work, .. } = &mut *self;
            joint.solve(work);
            for (sum, step) in work.lambda.iter_mut().zip(&work.step) {
                *sum += step;
            }
            // From the stored values, so that what they lack is not lost in the size of the multipliers.
            self.given.fill(0.0);
            self.spread_rows(rows);
            self.respond(sets);
            let Bounded { joint, work, lower, upper, .. } = &mut *self;
            let Work { u, w, metric, .. } = &mut *work;
            for (cell, u) in u.iter_mut().enumerate() {
                let x = *u + w[cell];
                *u = x.max(lower[cell]).min(upper[cell]);
                if *u != x {
                    metric.v[cell] = 0.0;
                }
            }
            sets.simplices.iter().for_each(|set| set.mend(u, &mut metric.v));
            sets.monotones.iter().for_each(|set| set.mend(u));
            linear::round(arch, u, input.dtype);
            lawful = joint.residuals(rows, work, input)?;
        }
        lawful = lawful || self.top_up(rows, sets, input)? && self.is_within(sets, input.dtype);
        if lawful {
            self.work.slice.repairs = MAX_STEPS;
            return Ok(());
        }
        let (k, row) = self.worst(rows);
        if self.joint.dropped[k] {
            return self.joint.refuse(rows, &self.work, input);
        }
        fail!(
            NotConverged,
            "mean: slice {}, row {k}: residual {:e} is left after {MAX_STEPS} repairs, expected at most {:e}",
            input.index,
            row.residual_after,
            row.tolerance
        )
    }

    /// The state at the multiplier of the only row, on cells next to each other, into `work.u`; whether it is lawful as it is.
    fn along(&mut self, rows: &Rows, first: usize, input: Input) -> Result<bool> {
        let arch = Arch::new();
        let row = rows.row(0);
        let end = first + row.weights.len();
        let Bounded { joint, work, lower, upper, v, .. } = self;
        let Work { mean, u, lambda, .. } = work;
        let cells = first..end;
        clip::along(
            arch,
            lambda[0],
            row.weights,
            &mean[cells.clone()],
            &v[cells.clone()],
            &lower[cells.clone()],
            &upper[cells.clone()],
            &mut u[cells],
        );
        for cell in (0..first).chain(end..u.len()) {
            u[cell] = mean[cell].max(lower[cell]).min(upper[cell]);
        }
        linear::round(arch, u, input.dtype);
        Ok(linear::is_finite(arch, u) && joint.residuals(rows, work, input)?)
    }

    /// Hands what rows still lack to cells that only they weigh, one after the other, as far as the bounds have room.
    fn top_up(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let Bounded { joint, work, lower, upper, v, .. } = &mut *self;
        for at in 0..rows.len() {
            let k = joint.pattern.order[at] as usize;
            let row = rows.row(k);
            let mut left = work.r[at].high;
            for (i, &g) in row.weights.iter().enumerate() {
                let cell = row.cell(i);
                if left.abs() <= 0.25 * work.rows[k].tolerance {
                    break;
                }
                if g == 0.0 || v[cell] == 0.0 || joint.columns.of(cell).len() > 1 {
                    continue;
                }
                let least = if sets.in_simplex(cell) { 0.0 } else { lower[cell] };
                let mut x = (work.u[cell] - left / g).max(least).min(upper[cell]);
                if input.dtype == Dtype::F32 {
                    x = x as f32 as f64;
                }
                left += g * (x - work.u[cell]);
                work.u[cell] = x;
            }
        }
        joint.residuals(rows, work, input)
    }

    /// Clip, then spread what the row lacks over the room left; false where it is more than that.
    fn spread(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let slice = input.index;
        let arch = Arch::new();
        let row = rows.row(0);
        let finite = linear::is_finite(arch, &self.lower) && linear::is_finite(arch, &self.upper);
        for k in 0..if finite { 0 } else { row.weights.len() } {
            let cell = row.cell(k);
            if !(self.lower[cell].is_finite() && self.upper[cell].is_finite()) {
                return fail!(
                    InvalidArgument,
                    "lower: slice {slice}, cell {cell} has bounds {:e} to {:e}, expected finite ones to spread over",
                    self.lower[cell],
                    self.upper[cell]
                );
            }
        }
        {
            let Bounded { work, lower, upper, .. } = &mut *self;
            for (cell, u) in work.u.iter_mut().enumerate() {
                *u = work.mean[cell].max(lower[cell]).min(upper[cell]);
            }
            linear::round(Arch::new(), &mut work.u, input.dtype);
        }
        for pass in 0..MAX_STEPS {
            if self.joint.residuals(rows, &mut self.work, input)? {
                self.work.slice.repairs = pass.saturating_sub(1);
                self.work.slice.iterations = 1;
                return Ok(true);
            }
            let Bounded { work, lower, upper, .. } = &mut *self;
            let left = work.r[0].high;
            let raise = left < 0.0;
            let whole = match row.support {
                Support::Run(first) => {
                    let cells = first..first + row.weights.len();
                    clip::room(arch, raise, row.weights, &work.u[cells.clone()], &lower[cells.clone()], &upper[cells])
                }
                Support::List(places) => row.weights.iter().zip(places).fold(0.0, |sum, (&g, &cell)| {
                    let cell = cell as usize;
                    sum + g.abs() * (clip::ahead(raise, g, lower[cell], upper[cell]) - work.u[cell]).abs()
                }),
            };
            // Only at the bounds themselves is it known what the row is allowed there.
            if whole == 0.0 {
                return Ok(false);
            }
            // All of it to what the row is allowed is all of it, and ends at the bounds exactly.
            let all = left.abs() >= whole * (1.0 - 2.0 * f64::EPSILON) - 0.25 * work.rows[0].tolerance;
            let share = if all { 1.0 } else { left.abs() / whole };
            match row.support {
                Support::Run(first) => {
                    let cells = first..first + row.weights.len();
                    let (low, high) = (&lower[cells.clone()], &upper[cells.clone()]);
                    clip::fill(arch, raise, share, row.weights, low, high, &mut work.u[cells]);
                }
                Support::List(places) => row.weights.iter().zip(places).for_each(|(&g, &cell)| {
                    let cell = cell as usize;
                    work.u[cell] = clip::nearer(raise, share, g, work.u[cell], lower[cell], upper[cell]);
                }),
            }
            linear::round(arch, &mut work.u, input.dtype);
        }
        if self.joint.residuals(rows, &mut self.work, input)? || self.top_up(rows, sets, input)? {
            self.work.slice.repairs = MAX_STEPS;
            return Ok(true);
        }
        let (k, row) = self.worst(rows);
        fail!(
            NotConverged,
            "mean: slice {slice}, row {k}: residual {:e} is left after {MAX_STEPS} passes, expected at most {:e}",
            row.residual_after,
            row.tolerance
        )
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

/// The number with as many doubles on its one side as on its other, down to `low` and up to `high`.
fn halfway(low: f64, high: f64) -> f64 {
    let rank = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    let (a, b) = (rank(low), rank(high));
    let middle = (a >> 1) + (b >> 1) + (a & b & 1);
    f64::from_bits(if middle < 0 { i64::MIN - middle } else { middle } as u64)
}

/// The f32 nearest to a bound on its inner side: up for a lower bound (1), down for an upper one (-1).
pub(super) fn inwards(x: f64, side: f64) -> f64 {
    let near = x as f32;
    let outside = side * (near as f64 - x) < 0.0;
    let inner = match outside {
        false => near,
        true if side > 0.0 => near.next_up(),
        true => near.next_down(),
    };
    inner as f64
}
