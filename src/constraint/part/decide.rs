//! What every part decides alike, by sums over all parts and nothing else.

use super::message::read;
use super::{Part, Search, pair, pairs};
use crate::constraint::dense;
use crate::constraint::project::{MAX_STEPS, Projector};
use crate::error::{Result, fail};
use crate::field::Dtype;
use crate::kernels::double::Double;
use crate::kernels::moments::Shrink;
use crate::reduce::Exact;

/// Most steps of the search for the multiplier within bounds.
const MOST_ITERATIONS: usize = 200;
/// A pivot of the scaled S below this is rounding of the weights: the row depends on those before it.
const LEAST_PIVOT: f64 = 1e-26;

pub(super) enum Verdict {
    Lawful,
    Try { stored: bool },
}

impl Projector {
    /// From the sums over all parts: S and its factor, the residuals, the first multipliers. Whether the field obeys as it is.
    pub(super) fn decide_part(&self, part: &mut Part) -> Result<bool> {
        let m = self.rows.len();
        let eps = part.dtypes.1.epsilon();
        let narrower = part.dtypes.0.epsilon() < eps;
        let least = part.dtypes.1.tiny();
        part.count = 0;
        part.steps.fill(0.0);
        let cells = read(&part.message, 3 * m + pairs(m) + 4).round();
        let mut lawful = !narrower;
        for k in 0..m {
            let amount = read(&part.message, 3 * k);
            let size = read(&part.message, 3 * k + 1).round();
            // What rounding at underflow can add.
            part.floors[k] = read(&part.message, 3 * k + 2).round().min(f64::MAX) * least + cells * Dtype::F64.tiny();
            part.r[k] = residual(amount, part.b[k]);
            if !(part.r[k].high.is_finite() && size.is_finite()) {
                return fail!(NonFinite, "mean: row {k}: the sum over the weighted cells of all parts overflows");
            }
            part.before[k] = part.r[k].high;
            part.after[k] = part.r[k].high;
            part.tolerance[k] = size;
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
        // Known since the factor: which rows follow from others.
        for k in 0..m {
            part.tolerance[k] = self.part_tolerance(part, k, part.tolerance[k]);
            let noisy = self.rows.row(k).noise > 0.0;
            lawful &= part.r[k].high.abs() <= if noisy { 0.0 } else { part.tolerance[k] };
        }
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

    pub(super) fn judge_part(&self, part: &mut Part, stored: bool) -> Result<Verdict> {
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
        for k in 0..m {
            self.dropped[k] = !dense::factor(&mut self.s, m, &self.scale, k, |pivot| pivot > LEAST_PIVOT);
        }
    }

    /// `x = S^-1 r`; 0 for rows that take no part.
    fn solve(&mut self) {
        dense::solve(&self.s, self.b.len(), &self.scale, &self.r, &mut self.x);
    }
}

/// `amount - b`, rounded twice.
fn residual(mut amount: Exact, b: f64) -> Double {
    amount.add(-b);
    double(&amount)
}

/// As a double and what it leaves.
fn double(sum: &Exact) -> Double {
    let mut rest = *sum;
    let high = sum.round();
    rest.add(-high);
    Double { high, low: if high.is_finite() { rest.round() } else { 0.0 } }
}
