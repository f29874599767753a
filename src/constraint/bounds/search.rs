//! The multipliers of bounded projections: a safeguarded root for one row, semismooth Newton steps for several and for sets.

use pulp::Arch;

use super::Bounded;
use crate::constraint::joint::{Input, Work};
use crate::constraint::metric::place;
use crate::constraint::rows::{Rows, Support};
use crate::constraint::sets::Sets;
use crate::error::{Result, fail};
use crate::kernels::clip;
use crate::kernels::double::{Double, two_product};
use crate::kernels::linear;

/// Most steps of the search for the multipliers.
const MOST_ITERATIONS: usize = 200;
/// Steps of the search for one multiplier before every other one halves what is left.
const PLAIN_STEPS: usize = 16;

/// What a search for the state came to.
pub(super) enum Found {
    /// Multipliers, whose state is still to be stored.
    Multipliers,
    /// The stored state itself: all cells that count are at bounds.
    State,
    /// There is none.
    Nothing,
}

impl Bounded {
    /// One row without sets: lambda where `g u(lambda) - b - s^2 lambda` is 0.
    pub(super) fn root(&mut self, rows: &Rows, input: Input) -> Result<Found> {
        let arch = Arch::new();
        let row = rows.row(0);
        let (b, noise) = (self.work.b[0], row.noise);
        let Bounded { work, lower, upper, v, .. } = self;
        // The row's cells next to each other; a listed row works on what it collects.
        let (g, cells) = match row.support {
            Support::Run(first) => (row.weights, first..first + row.weights.len()),
            Support::List(_) => {
                work.w.fill(0.0);
                linear::add_multiple(arch, row.weights, place(&row), 1.0, &mut work.w);
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
    pub(super) fn extreme(&mut self, rows: &Rows, input: Input) -> bool {
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
    pub(super) fn state(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
        let arch = Arch::new();
        let Bounded { joint, work, lower, upper, v, pools, weight, give, .. } = self;
        work.w.fill(0.0);
        for (&k, &lambda) in joint.pattern.order.iter().zip(&work.lambda) {
            if lambda != 0.0 {
                let row = rows.row(k as usize);
                linear::add_multiple(arch, row.weights, place(&row), lambda, &mut work.w);
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
    pub(in crate::constraint) fn factor(&mut self, rows: &Rows, sets: &Sets, input: Input, damping: f64) -> Result<()> {
        let Bounded { joint, work, v, full, pools, .. } = self;
        work.metric.assemble(rows, &joint.columns, None, &joint.pattern, input.index, None, &mut work.single)?;
        let pattern = &joint.pattern;
        for group in sets.groups(v, &work.metric.v, pools) {
            work.step.fill(0.0);
            for (cell, a) in group.cells() {
                for &(row, g) in joint.columns.of(cell) {
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
    pub(super) fn newton(&mut self, rows: &Rows, sets: &Sets, input: Input) -> Result<bool> {
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
            linear::add_multiple(Arch::new(), row.weights, place(&row), -lambda, &mut work.w);
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
