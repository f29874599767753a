//! The projection of a field that lies in parts, one in each process. Parts share exact sums of integers and decide by nothing else,
//! so the bits of a cell do not depend on how the field is split.
//!
//! A call is a conversation: a part writes a message, the host adds the messages of all parts as integers, every part reads the sum.
//! First how each part fares and what all must agree on, then the sums that S and the residuals are made of, then, as often as a step
//! has to be tried, what the step would store. Only when every part knows that it obeys does anyone write.

use pulp::{Arch, Simd, WithSimd};

use super::bounds::{Bounds, inwards};
use super::prior::Prior;
use super::project::{MAX_STEPS, Posterior, Projector, check_apart};
use super::report::{Report, RowReport, SliceReport};
use super::rows::{Row, Support};
use super::sets::{Method, Policy};
use crate::error::{Error, Result, Status, fail, zeros};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::exact::{BLOCK, Products};
use crate::kernels::linear::{self, Where, dispatch};
use crate::kernels::moments::Shrink;
use crate::kernels::strided::View;
use crate::reduce::Exact;

/// Most rows of a field in parts: each pair of rows is a sum of its own.
pub const MOST_PART_ROWS: usize = 16;
/// Most parts of a field.
const MOST_PARTS: i64 = 1 << 20;
/// Most steps of the search for the multiplier within bounds.
const MOST_ITERATIONS: usize = 200;
/// A pivot of the scaled S below this is rounding of the weights: the row depends on those before it.
const LEAST_PIVOT: f64 = 1e-26;
const BINS: usize = Exact::BINS;

// The first message: for each status the number of parts that have it, the number of parts, and words on which all must agree, each
// with its square.
const PARTS: usize = Status::all().len();
const WORDS: usize = PARTS + 1;
/// 16 bits each, so that the sum of their squares over 2^20 parts stays far within an integer.
const WORD_COUNT: usize = 12;
const HELLO: usize = WORDS + 2 * WORD_COUNT;

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
    spreads: Vec<Exact>,
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

/// A block of cells.
struct Block {
    start: usize,
    len: usize,
    u: [f64; BLOCK],
    v: [f64; BLOCK],
    w: [f64; BLOCK],
    lower: [f64; BLOCK],
    upper: [f64; BLOCK],
    after: [f64; BLOCK],
    /// Weights, row after row, and which rows have some here.
    g: Vec<f64>,
    here: Vec<bool>,
    /// Where a listed row goes on.
    cursors: Vec<usize>,
    terms: Products,
    sizes: [f64; BLOCK],
}

impl Block {
    /// The weights of cells from `start` on.
    fn weigh<'r>(&mut self, rows: impl Iterator<Item = Row<'r>>, start: usize, len: usize) {
        (self.start, self.len) = (start, len);
        for (k, row) in rows.enumerate() {
            let g = &mut self.g[k * BLOCK..k * BLOCK + len];
            g.fill(0.0);
            match row.support {
                Support::Run(first) => {
                    let (from, to) = (first.max(start), (first + row.weights.len()).min(start + len));
                    self.here[k] = from < to;
                    if from < to {
                        g[from - start..to - start].copy_from_slice(&row.weights[from - first..to - first]);
                    }
                }
                Support::List(cells) => {
                    if start == 0 {
                        self.cursors[k] = 0;
                    }
                    let begin = self.cursors[k];
                    let mut at = begin;
                    while at < cells.len() && (cells[at] as usize) < start + len {
                        g[cells[at] as usize - start] = row.weights[at];
                        at += 1;
                    }
                    self.here[k] = at > begin;
                    self.cursors[k] = at;
                }
            }
        }
    }

    /// `sum g u` and `sum |g u|` of row `k` over `values`.
    fn amount(&mut self, arch: Arch, k: usize, of_after: bool, amount: &mut Exact, size: &mut Exact) {
        let values = if of_after { &self.after } else { &self.u };
        self.terms.fill(arch, &self.g[k * BLOCK..k * BLOCK + self.len], &values[..self.len]);
        for (size, product) in self.sizes[..self.len].iter_mut().zip(&self.terms.product) {
            *size = product.abs();
        }
        amount.add_split(arch, &self.terms, self.len);
        size.add_block(arch, &self.sizes[..self.len]);
    }

    /// `sum v g_k g_l`, of the variances in `w`.
    fn spread(&mut self, arch: Arch, k: usize, l: usize, sum: &mut Exact) {
        let of = |k: usize| k * BLOCK..k * BLOCK + self.len;
        self.terms.fill_weighted(arch, &self.w[..self.len], &self.g[of(k)], &self.g[of(l)]);
        sum.add_split(arch, &self.terms, self.len);
    }
}

fn pairs(m: usize) -> usize {
    m * (m + 1) / 2
}

fn pair(k: usize, l: usize) -> usize {
    pairs(k.max(l)) + k.min(l)
}

fn read(message: &[i64], at: usize) -> Exact {
    let mut bins = [0; BINS];
    bins.copy_from_slice(&message[at * BINS..(at + 1) * BINS]);
    Exact::from_bins(&bins)
}

/// As a double and what it leaves.
fn double(sum: &Exact) -> Double {
    let mut rest = *sum;
    let high = sum.round();
    rest.add(-high);
    Double { high, low: if high.is_finite() { rest.round() } else { 0.0 } }
}

/// FNV-1a over words.
fn digest(words: impl Iterator<Item = u64>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in words.flat_map(u64::to_le_bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// `u = clip(u - v w)` rounded to storage, or not. As in [`linear::subtract`], what is left of a cell that the correction cancels is 0.
fn moved(arch: Arch, dtype: Option<Dtype>, v: &[f64], w: &[f64], lower: &[f64], upper: &[f64], u: &mut [f64]) {
    let narrow = dtype == Some(Dtype::F32);
    dispatch!(arch, (
        v: &'a [f64] = v, w: &'a [f64] = w, lower: &'a [f64] = lower, upper: &'a [f64] = upper,
        u: &'a mut [f64] = u, narrow: bool = narrow,
    ) -> () {
        for ((((u, v), w), low), high) in u.iter_mut().zip(v).zip(w).zip(lower).zip(upper) {
            let by = v * w;
            let x = *u - by;
            let x = if x.abs() <= 8.0 * f64::EPSILON * u.abs() { 0.0 } else { x };
            let x = if by == 0.0 { *u } else { x };
            let x = if narrow { x as f32 as f64 } else { x };
            let raised = if x < *low { *low } else { x };
            *u = if raised > *high { *high } else { raised };
        }
    });
}

/// `max |a - b|`
fn furthest(arch: Arch, a: &[f64], b: &[f64]) -> f64 {
    dispatch!(arch, (a: &'a [f64] = a, b: &'a [f64] = b) -> f64 {
        const LANES: usize = 8;
        let mut most = [0.0; LANES];
        let ((a8, a), (b8, b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a8.iter().zip(b8) {
            for l in 0..LANES {
                let d = (a[l] - b[l]).abs();
                most[l] = if d > most[l] { d } else { most[l] };
            }
        }
        let rest = a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        most.iter().fold(rest, |m, x| m.max(*x))
    })
}

/// The posterior variances of one row's cells.
fn shrunk(arch: Arch, shrink: Shrink, v: &[f64], g: &[f64], out: &mut [f64]) {
    dispatch!(arch, (shrink: Shrink = shrink, v: &'a [f64] = v, g: &'a [f64] = g, out: &'a mut [f64] = out) -> () {
        for ((out, v), g) in out.iter_mut().zip(v).zip(g) {
            *out = shrink.apply(*v, *g);
        }
    });
}

/// `share += (sum of rows so far)^2 / pivot` of row k of `L^-1 g`, whose rows lie in `h`: forward substitution, cell by cell.
fn substitute(arch: Arch, k: usize, factor: &[f64], pivot: f64, h: &mut [f64], share: &mut [f64]) {
    dispatch!(arch, (
        k: usize = k, factor: &'a [f64] = factor, pivot: f64 = pivot, h: &'a mut [f64] = h, share: &'a mut [f64] = share,
    ) -> () {
        let (before, here) = h.split_at_mut(k * BLOCK);
        let here = &mut here[..share.len()];
        for (j, l) in factor[..k].iter().enumerate() {
            here.iter_mut().zip(&before[j * BLOCK..]).for_each(|(h, b)| *h -= l * b);
        }
        share.iter_mut().zip(&*here).for_each(|(s, h)| *s += h * h / pivot);
    });
}

fn hello(message: &mut [i64], own: Option<&Error>, words: [u64; 3]) {
    message[..HELLO].fill(0);
    message[PARTS] = 1;
    if let Some(error) = own {
        message[error.status() as usize] = 1;
    }
    for word in 0..WORD_COUNT {
        let value = (words[word / 4] >> (16 * (word % 4)) & 0xffff) as i64;
        message[WORDS + 2 * word] = value;
        message[WORDS + 2 * word + 1] = value * value;
    }
}

/// What all parts have to say of themselves: an error of any part is an error of all.
fn heed(message: &[i64], own: Option<Error>) -> Result<()> {
    let parts = message[PARTS];
    if !(1..=MOST_PARTS).contains(&parts) {
        return fail!(Reduction, "reduction: 1 from every part sums to {parts}, expected 1 to {MOST_PARTS}");
    }
    if let Some(&status) = Status::all().iter().find(|&&status| message[status as usize] != 0) {
        return Err(match own {
            Some(error) if error.status() == status => error,
            _ => Error::new(status, format!("another part of the field was refused with {status:?}")),
        });
    }
    if let Some(error) = own {
        return fail!(Reduction, "reduction: lost the error of this part: {}", error.message());
    }
    // n sum w^2 = (sum w)^2 where all n words are equal, and nowhere else (Cauchy and Schwarz).
    let differs = |word: usize| {
        let (sum, squares) = (message[WORDS + 2 * word], message[WORDS + 2 * word + 1]);
        i128::from(parts) * i128::from(squares) != i128::from(sum) * i128::from(sum)
    };
    match (0..WORD_COUNT).find(|&word| differs(word)) {
        None => Ok(()),
        Some(0..4) => fail!(Mismatch, "b differs between the parts, expected the same on all"),
        Some(4..8) => fail!(Mismatch, "the rows' number or noise differs between the parts, expected the same on all"),
        Some(_) => fail!(
            Mismatch,
            "prior, dtype or the presence of bounds differs between the parts, expected the same on all"
        ),
    }
}

/// Takes part in a conversation with nothing but an error: the other parts get its status instead of waiting for a part that never
/// comes. Returns the error of this part, which may be another part's.
pub fn abstain(error: Error, reduction: &mut dyn FnMut(&mut [i64]) -> Result<()>) -> Error {
    let mut message = [0; HELLO];
    hello(&mut message, Some(&error), [0; 3]);
    if let Err(failed) = reduction(&mut message) {
        return Error::new(Status::Reduction, failed.message());
    }
    match heed(&message, Some(error)) {
        Err(error) => error,
        Ok(()) => Error::new(Status::Reduction, "reduction: lost the error of this part"),
    }
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
            spreads: sums(pairs(m))?,
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
                    let sum = part.spreads[at];
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
        if input.b.layout().len() != m {
            return fail!(Shape, "b has shape {:?}, expected {m} values, one a row", input.b.layout().shape());
        }
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
            block.lower[..len].iter_mut().for_each(|x| *x = inwards(*x, 1.0));
            block.upper[..len].iter_mut().for_each(|x| *x = inwards(*x, -1.0));
        }
        if part.bounded {
            // A held cell stays where it is.
            for i in 0..len {
                if block.v[i] == 0.0 {
                    (block.lower[i], block.upper[i]) = (block.u[i], block.u[i]);
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
        for sums in [&mut part.amounts, &mut part.sizes, &mut part.spreads] {
            sums.fill(Exact::default());
        }
        part.few = [Exact::default(); 5];
        part.few[4].add(self.cells as f64);
        let refused = |v: f64| v < 0.0 || (v == 0.0 && !self.options.held_cells);
        for start in (0..self.cells).step_by(BLOCK) {
            let given = part.bounded;
            self.read_block(part, input, start);
            let Part { block, amounts, sizes, spreads, few, dtypes, .. } = &mut *part;
            let len = block.len;
            for (name, values) in [("mean", &block.u[..len]), ("variance", &block.v[..len])] {
                if !linear::is_finite(arch, values)
                    && let Some(i) = values.iter().position(|x| !x.is_finite())
                {
                    return fail!(NonFinite, "{name}: cell {} is {}, expected a finite number", start + i, values[i]);
                }
            }
            let (least, largest) = linear::range(arch, &block.v[..len]);
            if refused(least)
                && let Some(i) = block.v[..len].iter().position(|&v| refused(v))
            {
                let expected = if self.options.held_cells { "at least 0" } else { "above 0 (or held cells admitted)" };
                return fail!(Variance, "variance: cell {} is {:e}, expected {expected}", start + i, block.v[i]);
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
                        block.spread(arch, k, l, &mut spreads[pair(k, l)]);
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
                if block.u[i] < given[0] || block.u[i] > given[1] {
                    return fail!(
                        Infeasible,
                        "mean: cell {} is held at {:e}, outside of its bounds",
                        start + i,
                        block.u[i]
                    );
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

    /// From the sums over all parts: S and its factor, the residuals, the first multipliers. Whether the field obeys as it is.
    fn decide_part(&self, part: &mut Part) -> Result<bool> {
        let m = self.rows.len();
        let eps = part.dtypes.1.epsilon();
        let narrower = part.dtypes.0.epsilon() < eps;
        let least = [f32::from_bits(1) as f64, f64::from_bits(1)][usize::from(part.dtypes.1 == Dtype::F64)];
        part.count = 0;
        part.steps.fill(0.0);
        let cells = read(&part.message, 3 * m + pairs(m) + 4).round();
        let mut lawful = !narrower;
        for k in 0..m {
            let amount = read(&part.message, 3 * k);
            let size = read(&part.message, 3 * k + 1).round();
            // What rounding at underflow can add.
            part.floors[k] = read(&part.message, 3 * k + 2).round().min(f64::MAX) * least + cells * f64::from_bits(1);
            part.r[k] = residual(amount, part.b[k]);
            if !(part.r[k].high.is_finite() && size.is_finite()) {
                return fail!(NonFinite, "mean: row {k}: the sum over the weighted cells of all parts overflows");
            }
            part.before[k] = part.r[k].high;
            part.after[k] = part.r[k].high;
            part.tolerance[k] = self.part_tolerance(part, k, size);
            let noisy = self.rows.row(k).noise > 0.0;
            lawful &= part.r[k].high.abs() <= if noisy { 0.0 } else { part.tolerance[k] };
            for l in 0..=k {
                let mut sum = read(&part.message, 3 * m + pair(k, l));
                if l == k {
                    sum.add(self.rows.row(k).noise);
                }
                part.s[k * m + l] = double(&sum);
                if !part.s[k * m + l].high.is_finite() {
                    return fail!(NonFinite, "variance: row {k}: sum g^2 v + s^2 over all parts overflows");
                }
            }
        }
        let total = part.s[0];
        part.shrink = (m == 1 && total.high >= f64::MIN_POSITIVE).then(|| Shrink { total, inverse: 1.0 / total.high });
        part.factor();
        if part.bounded {
            let sides = [0, 2].map(|at| {
                let sum = residual(read(&part.message, 3 * m + pairs(m) + at), part.b[0]).high;
                (sum, read(&part.message, 3 * m + pairs(m) + at + 1).round() > 0.0)
            });
            let [(lowest, open_below), (highest, open_above)] = sides;
            let room = part.tolerance[0].min(f64::MAX);
            if self.rows.row(0).noise == 0.0 && ((lowest > room && !open_below) || (highest < -room && !open_above)) {
                let left = if lowest > room { lowest } else { highest };
                return fail!(
                    Infeasible,
                    "b: row 0 is {:e}, and within the bounds of all parts the row leaves a residual of {left:e}",
                    part.b[0]
                );
            }
            part.search = Search {
                total: total.high,
                bracket: [f64::NEG_INFINITY, f64::INFINITY],
                reach: 1.0,
                iterations: 0,
                norm: 0.0,
            };
            part.count = 1;
            // Whether cells lie within their bounds is known after the first trial only.
            return Ok(false);
        }
        if lawful {
            return Ok(true);
        }
        let holds = |part: &Part, k: usize| {
            let noisy = self.rows.row(k).noise > 0.0;
            part.r[k].high.abs() <= if noisy { 0.0 } else { part.tolerance[k] }
        };
        if (0..m).all(|k| holds(part, k)) {
            // Only storage is narrower: the values as they are, rounded, on paper.
            return Ok(false);
        }
        self.step_part(part)?;
        Ok(false)
    }

    fn part_tolerance(&self, part: &Part, k: usize, size: f64) -> f64 {
        match self.rows.row(k).noise > 0.0 {
            true => f64::INFINITY,
            false if part.dropped[k] => {
                4.0 * part.dtypes.1.epsilon() * size + part.floors[k] + 1e-13 * (size + part.b[k].abs())
            }
            false => 4.0 * part.dtypes.1.epsilon() * size + part.floors[k],
        }
    }

    /// Multipliers of one more step from the residuals in `r`.
    fn step_part(&self, part: &mut Part) -> Result<()> {
        let m = self.rows.len();
        part.solve();
        for k in 0..m {
            if !part.dropped[k] {
                continue;
            }
            let alone = part.s[k * m + k].high == 0.0 && part.scale[k] == 0.0;
            if alone && part.r[k].high.abs() > part.tolerance[k] {
                return fail!(
                    Singular,
                    "variance: row {k}: sum g^2 v + s^2 over all parts is too small to move the row by {:e}",
                    part.r[k].high
                );
            }
        }
        if part.count > MAX_STEPS {
            let worst = part.worst();
            return fail!(
                NotConverged,
                "mean: row {worst}: residual {:e} is left after {} steps, expected at most {:e}",
                part.after[worst],
                part.count,
                part.tolerance[worst]
            );
        }
        let at = part.count * m;
        for k in 0..m {
            part.steps[at + k] = part.x[k].high;
        }
        part.count += 1;
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
                        linear::spread(arch, &g[k * BLOCK..k * BLOCK + len], Where::Run(0), lambda, &mut w[..len]);
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
                    block.spread(arch, 0, 0, sum);
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

    fn judge_part(&self, part: &mut Part, stored: bool) -> Result<Verdict> {
        let m = self.rows.len();
        let beyond = read(&part.message, 2 * m).round();
        if beyond > 0.0 {
            return fail!(
                NonFinite,
                "posterior_mean: {beyond} cells of all parts overflow their dtype after the correction"
            );
        }
        let mut lawful = true;
        let mut size = 0.0;
        for k in 0..m {
            part.r[k] = residual(read(&part.message, 2 * k), part.b[k]);
            size = read(&part.message, 2 * k + 1).round();
            if !(part.r[k].high.is_finite() && size.is_finite()) {
                return fail!(NonFinite, "posterior_mean: row {k}: the sum over the cells of all parts overflows");
            }
            part.after[k] = part.r[k].high;
            part.tolerance[k] = self.part_tolerance(part, k, size);
            lawful &= part.r[k].high.abs() <= part.tolerance[k];
        }
        if part.bounded {
            return self.judge_bounded(part, stored, lawful, size);
        }
        if lawful {
            return Ok(Verdict::Lawful);
        }
        // A row with noise is left where its first step put it.
        for k in 0..m {
            if self.rows.row(k).noise > 0.0 {
                let taken: f64 = part.steps.chunks(m).take(part.count).map(|step| step[k]).sum();
                let noise = self.rows.row(k).noise;
                part.r[k] = part.r[k].less_product(Double { high: noise, low: 0.0 }, Double { high: taken, low: 0.0 });
            }
        }
        let unmoved = (0..m).all(|k| part.dropped[k] || part.after[k].abs() <= part.tolerance[k]);
        if unmoved {
            let k = part.worst();
            return fail!(
                Contradiction,
                "b: row {k} depends on rows before it, which leave it a residual of {:e}, expected at most {:e}",
                part.after[k],
                part.tolerance[k]
            );
        }
        self.step_part(part)?;
        Ok(Verdict::Try { stored: true })
    }

    /// One row within bounds: Newton's steps inside a bracket, then what storage rounded away.
    fn judge_bounded(&self, part: &mut Part, stored: bool, lawful: bool, size: f64) -> Result<Verdict> {
        let noise = self.rows.row(0).noise;
        let [slope, down, up, norm] = [3, 4, 5, 6].map(|at| read(&part.message, at).round());
        if !(slope.is_finite() && norm.is_finite()) {
            return fail!(NonFinite, "posterior_mean: the corrections of all parts overflow");
        }
        part.search.norm = norm.sqrt();
        let taken: f64 = part.steps[..part.count].iter().sum();
        let off = part.r[0].less_product(Double { high: noise, low: 0.0 }, Double { high: taken, low: 0.0 }).high;
        let settled = if noise > 0.0 { off.abs() <= 4.0 * f64::EPSILON * size } else { lawful };
        if stored && (settled || noise > 0.0) {
            return Ok(Verdict::Lawful);
        }
        let storage = part.dtypes.1 == Dtype::F64;
        if !stored {
            // A state that obeys within its bounds stays.
            let narrower = part.dtypes.0.epsilon() < part.dtypes.1.epsilon();
            let still = part.search.iterations == 0 && norm == 0.0 && if noise > 0.0 { off == 0.0 } else { lawful };
            if still {
                return Ok(if narrower { Verdict::Try { stored: true } } else { Verdict::Lawful });
            }
            if off.abs() <= 2.0 * f64::EPSILON * size && storage {
                // Nothing is rounded: these are the values to be stored.
                return Ok(Verdict::Lawful);
            }
            let lambda = part.steps[0];
            let search = &mut part.search;
            search.iterations += 1;
            search.bracket[usize::from(off < 0.0)] = lambda;
            let [low, high] = search.bracket;
            let total = slope + noise;
            let mut next = if total > 0.0 { lambda + off / total } else { f64::NAN };
            if !(next > low && next < high) {
                next = if low.is_finite() && high.is_finite() {
                    0.5 * (low + high)
                } else {
                    search.reach *= 8.0;
                    lambda + search.reach * off / (search.total + f64::MIN_POSITIVE)
                };
            }
            let near = next == lambda || !next.is_finite() || (next - lambda).abs() <= f64::EPSILON * lambda.abs();
            if off.abs() <= 2.0 * f64::EPSILON * size || near || search.iterations == MOST_ITERATIONS {
                return Ok(Verdict::Try { stored: true });
            }
            part.steps[0] = next;
            return Ok(Verdict::Try { stored: false });
        }
        // Cells move from where they are stored, those at a bound to its inner side only.
        let room = if part.r[0].high > 0.0 { down } else { up };
        let next = part.r[0].high / room;
        if part.count > MAX_STEPS || !next.is_finite() {
            return fail!(
                NotConverged,
                "mean: row 0: residual {:e} is left after {} steps, expected at most {:e}",
                part.after[0],
                part.count,
                part.tolerance[0]
            );
        }
        part.steps[part.count] = next;
        part.count += 1;
        Ok(Verdict::Try { stored: true })
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
                            *w = (v - v * (v * *w)).clamp(0.0, *v);
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
            let norm = if part.bounded { part.search.norm } else { norm.max(0.0).sqrt() };
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

enum Verdict {
    Lawful,
    Try { stored: bool },
}

/// `amount - b`, rounded twice.
fn residual(mut amount: Exact, b: f64) -> Double {
    amount.add(-b);
    double(&amount)
}

impl Part {
    fn worst(&self) -> usize {
        let excess = |k: usize| self.after[k].abs() / self.tolerance[k].max(f64::MIN_POSITIVE);
        (0..self.b.len()).max_by(|&a, &b| excess(a).total_cmp(&excess(b))).unwrap_or(0)
    }

    /// `L D L'` of S scaled to a unit diagonal, in place; rows that depend on those before them take no part.
    fn factor(&mut self) {
        let m = self.b.len();
        for k in 0..m {
            let s = self.s[k * m + k].high;
            self.scale[k] = if s >= f64::MIN_POSITIVE { 1.0 / s.sqrt() } else { 0.0 };
        }
        let of = |x: f64| Double { high: x, low: 0.0 };
        for k in 0..m {
            for l in 0..=k {
                let mut sum = self.s[k * m + l].times(of(self.scale[k])).times(of(self.scale[l]));
                for j in 0..l {
                    let scaled = self.s[k * m + j].times(self.s[j * m + j]);
                    sum = sum.less_product(scaled, self.s[l * m + j]);
                }
                if l == k {
                    self.dropped[k] = sum.high.is_nan() || sum.high <= LEAST_PIVOT;
                    self.s[k * m + k] = if self.dropped[k] { Double::default() } else { sum };
                } else {
                    self.s[k * m + l] = if self.dropped[l] { Double::default() } else { sum.over(self.s[l * m + l]) };
                }
            }
        }
    }

    /// `x = S^-1 r`; 0 for rows that take no part.
    fn solve(&mut self) {
        let m = self.b.len();
        let of = |x: f64| Double { high: x, low: 0.0 };
        for k in 0..m {
            let mut sum = self.r[k].times(of(self.scale[k]));
            for j in 0..k {
                sum = sum.less_product(self.s[k * m + j], self.x[j]);
            }
            self.x[k] = sum;
        }
        for k in 0..m {
            self.x[k] = if self.dropped[k] { Double::default() } else { self.x[k].over(self.s[k * m + k]) };
        }
        for k in (0..m).rev() {
            let mut sum = self.x[k];
            for j in k + 1..m {
                sum = sum.less_product(self.s[j * m + k], self.x[j]);
            }
            self.x[k] = if self.dropped[k] { Double::default() } else { sum };
        }
        for k in 0..m {
            self.x[k] = self.x[k].times(of(self.scale[k]));
        }
    }
}
