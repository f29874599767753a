//! The projection of a field that lies in parts, one in each process. Parts share exact sums of integers and decide by nothing else,
//! so the bits of a cell do not depend on how the field is split.
//!
//! A call is a conversation: a part writes a message, the host adds the messages of all parts as integers, every part reads the sum.
//! First how each part fares and what all must agree on, then the sums that S and the residuals are made of, then, as often as a step
//! has to be tried, what the step would store. Only when every part knows that it obeys does anyone write.

mod block;
mod decide;
mod message;

use pulp::Arch;

use self::block::{Block, furthest, moved, shrunk, substitute};
use self::decide::Verdict;
use self::message::{BINS, HELLO, digest, heed, hello};
use super::arrays::{check_apart, check_count};
use super::bounds::Bounds;
use super::prior::{Prior, is_refused, refuse_variance};
use super::project::{MAX_STEPS, Posterior, Projector};
use super::report::{Report, RowReport, SliceReport};
use super::sets::{Method, Policy};
use crate::error::{Error, Result, Status, fail, zeros};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::exact::{BLOCK, Products};
use crate::kernels::linear::{self, Where};
use crate::kernels::moments::Shrink;
use crate::kernels::strided::View;
use crate::reduce::Exact;

/// Most rows of a field in parts: each pair of rows is a sum of its own.
pub const MOST_PART_ROWS: usize = 16;

/// What a part has: arrays of its `cells` values, and the right-hand sides of the whole field, one a row.
#[derive(Clone, Copy)]
pub struct PartInput<'a> {
    /// The prior mean.
    pub mean: View<'a>,
    /// Its variances, of a diagonal or scalar prior.
    pub variance: Option<View<'a>>,
    /// One value a row, the same on all parts.
    pub b: View<'a>,
    /// Bounds, with one row.
    pub bounds: Bounds<'a>,
}

/// Where the conversation is: what the message is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Idle,
    Hello,
    Opening,
    /// A step on paper; whether its values are rounded to storage.
    Trial {
        stored: bool,
    },
}

/// Working memory of one part, and the state of its conversation. One for each thread.
pub struct Part {
    owner: u64,
    stage: Stage,
    error: Option<Error>,
    message: Vec<i64>,
    len: usize,
    bounded: bool,
    dtypes: (Dtype, Dtype, Option<Dtype>),
    b: Vec<f64>,
    block: Block,
    /// Sums: one a row, one a pair of rows.
    amounts: Vec<Exact>,
    sizes: Vec<Exact>,
    weights: Vec<Exact>,
    row_covariances: Vec<Exact>,
    few: [Exact; 5],
    /// `S`, then its factor `L D L'` of the scaled matrix.
    s: Vec<Double>,
    scale: Vec<f64>,
    rounded: Vec<f64>,
    dropped: Vec<bool>,
    r: Vec<Double>,
    x: Vec<Double>,
    floors: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
    tolerance: Vec<f64>,
    /// Multipliers of each step.
    steps: Vec<f64>,
    count: usize,
    search: Search,
    shrink: Option<Shrink>,
}

/// The search for the multiplier of one row within bounds.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// S.
    total: f64,
    bracket: [f64; 2],
    reach: f64,
    iterations: usize,
    norm: f64,
}

fn pairs(m: usize) -> usize {
    m * (m + 1) / 2
}

fn pair(k: usize, l: usize) -> usize {
    pairs(k.max(l)) + k.min(l)
}

impl Part {
    /// What this part has to say, to be replaced by the sums over all parts; empty when nothing is left to say.
    pub fn message(&mut self) -> &mut [i64] {
        &mut self.message[..self.len]
    }

    fn say(&mut self, stage: Stage, sums: usize) {
        (self.stage, self.len) = (stage, sums * BINS);
    }

    fn write(&mut self, at: usize, sum: &Exact) {
        self.message[at * BINS..(at + 1) * BINS].copy_from_slice(&sum.bins());
    }

    fn end(&mut self) {
        (self.stage, self.len) = (Stage::Idle, 0);
    }
}

impl Projector {
    /// Working memory for [`Projector::project_part`] or its split form.
    ///
    /// Errors: InvalidArgument (a prior that correlates cells), State (invariants, sets, relaxed bounds or spreading), TooLarge (more than
    /// [`MOST_PART_ROWS`] rows), OutOfMemory.
    pub fn part(&self) -> Result<Part> {
        let m = self.rows.len();
        if !self.prior.is_diagonal() {
            return fail!(
                InvalidArgument,
                "prior is {:?}, expected Identity, Diagonal or Scalar for parts",
                self.prior
            );
        }
        if !self.quadratics.is_empty() || self.sets.bind() {
            return fail!(State, "constraints hold invariants or sets, which a field in parts cannot have");
        }
        if self.sets.method != Method::Nearest || self.sets.policy != Policy::Refuse {
            return fail!(State, "constraints spread or relax bounds, expected Nearest and Refuse for parts");
        }
        if m > MOST_PART_ROWS {
            return fail!(TooLarge, "rows are {m}, expected at most {MOST_PART_ROWS} for parts");
        }
        let what = "part workspace";
        let sums = |n: usize| zeros::<Exact>(n, what);
        let small = |n: usize| zeros::<f64>(n, what);
        let mut weights = sums(m)?;
        for (sum, row) in weights.iter_mut().zip(self.rows.iter()) {
            row.weights.iter().for_each(|w| sum.add(w.abs()));
        }
        Ok(Part {
            owner: self.id,
            stage: Stage::Idle,
            error: None,
            message: zeros(HELLO.max((3 * m + pairs(m) + 5) * BINS), what)?,
            len: 0,
            bounded: false,
            dtypes: (Dtype::F64, Dtype::F64, None),
            b: small(m)?,
            block: Block {
                start: 0,
                len: 0,
                u: [0.0; BLOCK],
                v: [1.0; BLOCK],
                w: [0.0; BLOCK],
                lower: [f64::NEG_INFINITY; BLOCK],
                upper: [f64::INFINITY; BLOCK],
                after: [0.0; BLOCK],
                g: small(m * BLOCK)?,
                here: zeros(m, what)?,
                cursors: zeros(m, what)?,
                terms: Products::default(),
                sizes: [0.0; BLOCK],
            },
            amounts: sums(m)?,
            sizes: sums(m)?,
            weights,
            row_covariances: sums(pairs(m))?,
            few: [Exact::default(); 5],
            s: zeros(m * m, what)?,
            scale: small(m)?,
            rounded: small(m * m)?,
            dropped: zeros(m, what)?,
            r: zeros(m, what)?,
            x: zeros(m, what)?,
            floors: small(m)?,
            before: small(m)?,
            after: small(m)?,
            tolerance: small(m)?,
            steps: small(m * (MAX_STEPS + 1))?,
            count: 0,
            search: Search { total: 0.0, bracket: [0.0; 2], reach: 1.0, iterations: 0, norm: 0.0 },
            shrink: None,
        })
    }

    /// [`Projector::project`] for one slice whose cells lie in parts, one in each process: this part's cells are corrected so that
    /// the whole field obeys. The projector holds this part's weights, and an absent row
    /// ([`add_absent_row`](super::Constraints::add_absent_row)) for each row of the whole field that has none here. With bounds, for one
    /// row, as [`Projector::project_bounded`].
    ///
    /// A cell's bits do not depend on how the field is split, nor on the order of the parts or in which they are added: all that
    /// parts share are exact sums, rounded once. They may differ in the last bits from [`Projector::project`]'s, whose sums are
    /// double-doubles. In the report residuals, tolerances, multipliers and norm are those of the whole field; the largest correction and
    /// active bounds are those of this part.
    ///
    /// `reduction` is called for a short message of fixed length, for the sums, and for each step that is tried on paper, nearly always
    /// one: equally often on all parts, since all decide by the same sums. An error of any part, other than one of its reduction, is
    /// the status of all; the text says what is wrong where it is wrong.
    ///
    /// The last call comes before the first write: after an error, one of the reduction included, the outputs are as before. Where a
    /// reduction fails on some parts only, the others may have written. Reads each input three times, allocates nothing.
    ///
    /// Errors: as [`Projector::project`] and [`Projector::project_bounded`]; Mismatch (b, noise, prior or dtypes differ between
    /// parts); Reduction.
    pub fn project_part(
        &self,
        part: &mut Part,
        input: &PartInput,
        mut posterior: Posterior,
        mut report: Option<&mut Report>,
        reduction: &mut dyn FnMut(&mut [i64]) -> Result<()>,
    ) -> Result<()> {
        self.begin_part(part, input, &posterior, report.as_deref())?;
        while part.len > 0 {
            if let Err(e) = reduction(part.message()) {
                part.end();
                return Err(Error::new(Status::Reduction, e.message()));
            }
            self.continue_part(part, input, &mut posterior, report.as_deref_mut())?;
        }
        Ok(())
    }

    /// The first half of [`Projector::project_part`] in steps: afterwards [`Part::message`] is this part's. Then, as long as it is not
    /// empty, the caller replaces it by its sum over all parts and calls [`Projector::continue_part`] with the same arrays. What
    /// is wrong with this part's arrays is told there, to all parts at once.
    ///
    /// Errors: Mismatch (a part of another projector).
    pub fn begin_part(
        &self,
        part: &mut Part,
        input: &PartInput,
        posterior: &Posterior,
        report: Option<&Report>,
    ) -> Result<()> {
        self.check_owner(part.owner)?;
        part.end();
        part.bounded = input.bounds.lower.is_some() || input.bounds.upper.is_some();
        part.dtypes = (input.mean.dtype(), posterior.mean.dtype(), posterior.variance.as_ref().map(|v| v.dtype()));
        let checked = self.check_part(input, posterior, report).and_then(|()| self.open_part(part, input));
        part.error = checked.err();
        // Adding 0 makes -0 and 0 the same word.
        let of_b = digest(part.b.iter().map(|b| (b + 0.0).to_bits()));
        let rows = [self.rows.len() as u64].into_iter().chain(self.rows.iter().map(|row| (row.noise + 0.0).to_bits()));
        let kind = self.prior as u64
            | (part.dtypes.0 as u64) << 8
            | (part.dtypes.1 as u64) << 16
            | u64::from(part.bounded) << 24
            | u64::from(part.dtypes.2.is_some()) << 25;
        hello(&mut part.message, part.error.as_ref(), [of_b, digest(rows), kind]);
        (part.stage, part.len) = (Stage::Hello, HELLO);
        Ok(())
    }

    /// Reads the sums over all parts in [`Part::message`]; writes the next message, or the posterior and an empty message.
    ///
    /// Errors: as [`Projector::project_part`]; State when nothing is under way, or when the arrays are not those it began with. After
    /// an error the conversation is over.
    pub fn continue_part(
        &self,
        part: &mut Part,
        input: &PartInput,
        posterior: &mut Posterior,
        report: Option<&mut Report>,
    ) -> Result<()> {
        let outcome = self.advance_part(part, input, posterior, report);
        if outcome.is_err() {
            part.end();
        }
        outcome
    }

    fn advance_part(
        &self,
        part: &mut Part,
        input: &PartInput,
        posterior: &mut Posterior,
        report: Option<&mut Report>,
    ) -> Result<()> {
        self.check_owner(part.owner)?;
        if part.stage == Stage::Idle {
            return fail!(State, "nothing is under way in the workspace, expected begin before continue");
        }
        let dtypes = (input.mean.dtype(), posterior.mean.dtype(), posterior.variance.as_ref().map(|v| v.dtype()));
        let bounded = input.bounds.lower.is_some() || input.bounds.upper.is_some();
        if part.stage != Stage::Hello {
            self.check_part(input, posterior, report.as_deref())?;
            if dtypes != part.dtypes || bounded != part.bounded {
                return fail!(State, "the arrays are not those that the projection began with");
            }
        }
        match part.stage {
            Stage::Idle => Ok(()),
            Stage::Hello => {
                heed(&part.message[..HELLO], part.error.take())?;
                let m = self.rows.len();
                for k in 0..m {
                    let (amount, size, weight) = (part.amounts[k], part.sizes[k], part.weights[k]);
                    part.write(3 * k, &amount);
                    part.write(3 * k + 1, &size);
                    part.write(3 * k + 2, &weight);
                }
                for at in 0..pairs(m) {
                    let sum = part.row_covariances[at];
                    part.write(3 * m + at, &sum);
                }
                let few = part.few;
                few.iter().enumerate().for_each(|(at, sum)| part.write(3 * m + pairs(m) + at, sum));
                part.say(Stage::Opening, 3 * m + pairs(m) + 5);
                Ok(())
            }
            Stage::Opening => {
                if self.decide_part(part)? {
                    return self.finish_part(part, input, posterior, report);
                }
                let stored = !part.bounded;
                self.try_part(part, input, stored)
            }
            Stage::Trial { stored } => match self.judge_part(part, stored)? {
                Verdict::Lawful => self.finish_part(part, input, posterior, report),
                Verdict::Try { stored } => self.try_part(part, input, stored),
            },
        }
    }

    fn check_part(&self, input: &PartInput, posterior: &Posterior, report: Option<&Report>) -> Result<()> {
        let m = self.rows.len();
        self.check_prior(input.variance.is_some())?;
        self.check_cells("mean", &input.mean)?;
        if let Some(variance) = &input.variance {
            self.prior.check_data(variance.layout(), self.cells, 0, 1)?;
        }
        check_count("b", input.b.layout(), m, "row")?;
        let bounds = [("lower", &input.bounds.lower), ("upper", &input.bounds.upper)];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                self.check_cells(name, bound)?;
                if m != 1 {
                    return fail!(
                        State,
                        "{name} is given with {m} rows, expected one row for bounds of a field in parts"
                    );
                }
            }
        }
        let out = ("posterior_mean", posterior.mean.place());
        self.check_cells("posterior_mean", &posterior.mean.alias())?;
        check_apart(out, ("mean", input.mean.place()), true)?;
        let others = [("variance", &input.variance), ("b", &Some(input.b)), bounds[0], bounds[1]];
        for (name, other) in others {
            if let Some(other) = other {
                check_apart(out, (name, other.place()), false)?;
            }
        }
        if let Some(variance) = &posterior.variance {
            let second = ("posterior_variance", variance.place());
            if input.bounds.lower.is_some() || input.bounds.upper.is_some() {
                return fail!(State, "posterior_variance is asked for, expected none within bounds");
            }
            self.check_cells("posterior_variance", &variance.alias())?;
            check_apart(second, out, false)?;
            check_apart(second, ("mean", input.mean.place()), false)?;
            check_apart(second, ("b", input.b.place()), false)?;
            if let Some(v) = &input.variance {
                check_apart(second, ("variance", v.place()), self.prior == Prior::Diagonal)?;
            }
        }
        match report {
            Some(report) => report.check(1, m),
            None => Ok(()),
        }
    }

    /// Cells from `start` on, their weights, variances and bounds.
    fn read_block(&self, part: &mut Part, input: &PartInput, start: usize) {
        let len = BLOCK.min(self.cells - start);
        let block = &mut part.block;
        block.weigh(self.rows.iter(), start, len);
        input.mean.merged().gather(start, &mut block.u[..len]);
        match &input.variance {
            Some(v) if self.prior == Prior::Scalar => {
                if start == 0 {
                    let mut value = [0.0];
                    v.merged().gather(0, &mut value);
                    block.v.fill(value[0]);
                }
            }
            Some(v) => v.merged().gather(start, &mut block.v[..len]),
            None => block.v.fill(1.0),
        }
        for (bound, values, none) in [
            (&input.bounds.lower, &mut block.lower, f64::NEG_INFINITY),
            (&input.bounds.upper, &mut block.upper, f64::INFINITY),
        ] {
            match bound {
                Some(bound) => bound.merged().gather(start, &mut values[..len]),
                None => values.fill(none),
            }
        }
        if part.bounded && part.dtypes.1 == Dtype::F32 {
            block.lower[..len].iter_mut().for_each(|x| *x = Dtype::F32.round_up(*x));
            block.upper[..len].iter_mut().for_each(|x| *x = Dtype::F32.round_down(*x));
        }
        if part.bounded {
            // A held cell stays where it is, as it is stored.
            for i in 0..len {
                if block.v[i] == 0.0 {
                    let u = part.dtypes.1.round(block.u[i]);
                    (block.lower[i], block.upper[i]) = (u, u);
                }
            }
        }
    }

    /// This part's sums, its values checked.
    fn open_part(&self, part: &mut Part, input: &PartInput) -> Result<()> {
        let arch = Arch::new();
        let m = self.rows.len();
        input.b.gather(0, &mut part.b);
        if let Some((k, b)) = part.b.iter().enumerate().find(|b| !b.1.is_finite()) {
            return fail!(NonFinite, "b[{k}] is {b}, expected a finite number");
        }
        for sums in [&mut part.amounts, &mut part.sizes, &mut part.row_covariances] {
            sums.fill(Exact::default());
        }
        part.few = [Exact::default(); 5];
        part.few[4].add(self.cells as f64);
        let held = self.options.held_cells;
        for start in (0..self.cells).step_by(BLOCK) {
            let given = part.bounded;
            self.read_block(part, input, start);
            let Part { block, amounts, sizes, row_covariances, few, dtypes, .. } = &mut *part;
            let len = block.len;
            for (name, values) in [("mean", &block.u[..len]), ("variance", &block.v[..len])] {
                if !linear::is_finite(arch, values)
                    && let Some(i) = values.iter().position(|x| !x.is_finite())
                {
                    return fail!(NonFinite, "{name}: cell {} is {}, expected a finite number", start + i, values[i]);
                }
            }
            let (least, largest) = linear::range(arch, &block.v[..len]);
            if is_refused(least, held)
                && let Some(i) = block.v[..len].iter().position(|&v| is_refused(v, held))
            {
                return refuse_variance(format_args!("variance: cell {}", start + i), block.v[i], held);
            }
            if dtypes.2.is_some_and(|dtype| largest > dtype.max()) {
                return fail!(NonFinite, "posterior_variance: variances up to {largest:e} overflow its dtype");
            }
            if given {
                self.open_bounds(block, few, dtypes.1, input)?;
            }
            block.w[..len].copy_from_slice(&block.v[..len]);
            for k in 0..m {
                if !block.here[k] {
                    continue;
                }
                block.amount(arch, k, false, &mut amounts[k], &mut sizes[k]);
                for l in 0..=k {
                    if block.here[l] {
                        block.row_covariance(arch, k, l, &mut row_covariances[pair(k, l)]);
                    }
                }
            }
        }
        Ok(())
    }

    /// What the only row can reach within bounds: its least and largest sum, and how many cells let it be infinite.
    fn open_bounds(&self, block: &mut Block, few: &mut [Exact; 5], dtype: Dtype, input: &PartInput) -> Result<()> {
        let arch = Arch::new();
        let (len, start) = (block.len, block.start);
        for i in 0..len {
            let (low, high) = (block.lower[i], block.upper[i]);
            if low.is_nan() || high.is_nan() {
                return fail!(NonFinite, "lower or upper: cell {} is NaN, expected a number", start + i);
            }
            if block.v[i] == 0.0 {
                let mut given = [f64::NEG_INFINITY, f64::INFINITY];
                let [lower, upper] = &mut given;
                for (bound, value) in [(&input.bounds.lower, lower), (&input.bounds.upper, upper)] {
                    if let Some(bound) = bound {
                        bound.merged().gather(start + i, std::slice::from_mut(value));
                    }
                }
                if low < given[0] || low > given[1] {
                    return fail!(Infeasible, "mean: cell {} is held at {low:e}, outside of its bounds", start + i);
                }
            } else if low > high || low > dtype.max() || high < -dtype.max() {
                return fail!(
                    InvalidArgument,
                    "lower: cell {} is {low:e}, upper is {high:e}, expected a number of the posterior's dtype between them",
                    start + i
                );
            }
        }
        for (side, sums) in few[..4].chunks_mut(2).enumerate() {
            let mut open = 0.0;
            for i in 0..len {
                let g = block.g[i];
                let bound = if (g > 0.0) == (side == 1) { block.upper[i] } else { block.lower[i] };
                let bound = if g == 0.0 { 0.0 } else { bound };
                open += f64::from(u8::from(bound.is_infinite()));
                block.after[i] = if bound.is_infinite() { 0.0 } else { bound };
            }
            block.terms.fill(arch, &block.g[..len], &block.after[..len]);
            sums[0].add_split(arch, &block.terms, len);
            sums[1].add(open);
        }
        Ok(())
    }

    /// The block's cells after all steps, in `after`; rounded to storage or, after the first step, not.
    fn apply_steps(&self, block: &mut Block, steps: &[f64], count: usize, dtype: Option<Dtype>) {
        let (arch, m, len) = (Arch::new(), self.rows.len(), block.len);
        let Block { u, v, w, lower, upper, after, g, here, .. } = block;
        after[..len].copy_from_slice(&u[..len]);
        for step in steps.chunks(m).take(count.max(1)) {
            w[..len].fill(0.0);
            if count > 0 {
                for (k, &lambda) in step.iter().enumerate().filter(|s| *s.1 != 0.0) {
                    if here[k] {
                        linear::add_multiple(
                            arch,
                            &g[k * BLOCK..k * BLOCK + len],
                            Where::Run(0),
                            lambda,
                            &mut w[..len],
                        );
                    }
                }
            }
            moved(arch, dtype, &v[..len], &w[..len], &lower[..len], &upper[..len], &mut after[..len]);
        }
    }

    /// This part's sums over what the steps would store.
    fn try_part(&self, part: &mut Part, input: &PartInput, stored: bool) -> Result<()> {
        let (arch, m) = (Arch::new(), self.rows.len());
        part.amounts.fill(Exact::default());
        part.sizes.fill(Exact::default());
        part.few = [Exact::default(); 5];
        let mut overflows = 0u32;
        let dtype = stored.then_some(part.dtypes.1);
        let most = part.dtypes.1.max();
        for start in (0..self.cells).step_by(BLOCK) {
            self.read_block(part, input, start);
            let Part { block, amounts, sizes, few, steps, count, bounded, .. } = &mut *part;
            self.apply_steps(block, steps, *count, dtype);
            let len = block.len;
            let after = &block.after[..len];
            let (least, largest) = linear::range(arch, after);
            if !linear::is_finite(arch, after) || least < -most || largest > most {
                overflows += after.iter().filter(|x| x.is_nan() || x.abs() > most).count() as u32;
                continue;
            }
            for k in 0..m {
                if block.here[k] {
                    block.amount(arch, k, true, &mut amounts[k], &mut sizes[k]);
                }
            }
            if *bounded {
                // Room between the bounds, and towards either side.
                for (side, sum) in few[..3].iter_mut().enumerate() {
                    for i in 0..len {
                        let (u, low, high) = (block.after[i], block.lower[i], block.upper[i]);
                        let free = match side {
                            0 => u > low && u < high,
                            1 => {
                                if block.g[i] > 0.0 {
                                    u > low
                                } else {
                                    u < high
                                }
                            }
                            _ => {
                                if block.g[i] > 0.0 {
                                    u < high
                                } else {
                                    u > low
                                }
                            }
                        };
                        block.w[i] = if free { block.v[i] } else { 0.0 };
                    }
                    block.row_covariance(arch, 0, 0, sum);
                }
                for i in 0..len {
                    let change = block.after[i] - block.u[i];
                    block.sizes[i] = if block.v[i] > 0.0 { change * (change / block.v[i]) } else { 0.0 };
                }
                few[3].add_block(arch, &block.sizes[..len]);
            }
        }
        for k in 0..m {
            let (amount, size) = (part.amounts[k], part.sizes[k]);
            part.write(2 * k, &amount);
            part.write(2 * k + 1, &size);
        }
        let mut beyond = Exact::default();
        beyond.add(f64::from(overflows));
        part.write(2 * m, &beyond);
        let few = part.few;
        few[..4].iter().enumerate().for_each(|(at, sum)| part.write(2 * m + 1 + at, sum));
        part.say(Stage::Trial { stored }, 2 * m + 5);
        Ok(())
    }

    /// Writes this part's cells and the report.
    fn finish_part(
        &self,
        part: &mut Part,
        input: &PartInput,
        posterior: &mut Posterior,
        report: Option<&mut Report>,
    ) -> Result<()> {
        let (arch, m) = (Arch::new(), self.rows.len());
        let dtype = part.dtypes.1;
        // L and D in f64; rows that take no part have none.
        part.rounded.iter_mut().zip(&part.s).for_each(|(x, s)| *x = s.high);
        let mut of_slice = SliceReport::default();
        for start in (0..self.cells).step_by(BLOCK) {
            self.read_block(part, input, start);
            let Part { block, steps, count, shrink, rounded, bounded, dropped, scale, .. } = &mut *part;
            self.apply_steps(block, steps, *count, Some(dtype));
            let len = block.len;
            let furthest = furthest(arch, &block.after[..len], &block.u[..len]);
            if furthest > of_slice.largest_correction {
                of_slice.largest_correction = furthest;
                let is_there = |i: &usize| (block.after[*i] - block.u[*i]).abs() == furthest;
                of_slice.largest_correction_cell = start + (0..len).find(is_there).unwrap_or(0);
            }
            for i in (0..len).filter(|&i| *bounded && block.v[i] > 0.0) {
                let at_lower = block.after[i] == block.lower[i];
                of_slice.active_lower += usize::from(at_lower);
                of_slice.active_upper += usize::from(!at_lower && block.after[i] == block.upper[i]);
            }
            posterior.mean.merged_mut().scatter(start, &block.after[..len]);
            if let Some(out) = &mut posterior.variance {
                match shrink {
                    Some(shrink) => shrunk(arch, *shrink, &block.v[..len], &block.g[..len], &mut block.w[..len]),
                    None => {
                        let Block { g, v, w, .. } = &mut *block;
                        w[..len].fill(0.0);
                        for k in (0..m).filter(|&k| !dropped[k]) {
                            g[k * BLOCK..k * BLOCK + len].iter_mut().for_each(|g| *g *= scale[k]);
                            let (pivot, row) = (rounded[k * m + k], &rounded[k * m..]);
                            substitute(arch, k, row, pivot, &mut g[..(k + 1) * BLOCK], &mut w[..len]);
                        }
                        for (w, v) in w[..len].iter_mut().zip(&v[..len]) {
                            *w = if *v > 0.0 { (v - v * (v * *w)).clamp(0.0, *v) } else { 0.0 };
                        }
                    }
                }
                out.merged_mut().scatter(start, &block.w[..len]);
            }
        }
        if let Some(report) = report {
            report.begin(1);
            let (slice, rows) = report.slice_mut(0);
            let mut norm = 0.0;
            for (k, row) in rows.iter_mut().enumerate() {
                let multiplier: f64 = part.steps.chunks(m).take(part.count).map(|step| step[k]).sum();
                *row = RowReport {
                    residual_before: part.before[k],
                    residual_after: part.after[k],
                    tolerance: part.tolerance[k],
                    multiplier,
                    dropped: part.dropped[k],
                };
                // lambda' S lambda, noise aside, with G'lambda = the change.
                norm += multiplier * (part.before[k] - part.after[k]);
            }
            let repairs = part.count.saturating_sub(1);
            let norm = if part.bounded {
                part.search.norm
            } else if norm.is_nan() {
                f64::INFINITY
            } else {
                norm.max(0.0).sqrt()
            };
            *slice = SliceReport {
                correction_norm: norm,
                repairs,
                unchanged: if part.bounded { norm == 0.0 && part.before[0] == part.after[0] } else { part.count == 0 },
                iterations: part.search.iterations,
                ..of_slice
            };
        }
        part.end();
        Ok(())
    }
}
