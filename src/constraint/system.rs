//! `S = G Sigma G' + diag(s^2)`: its pattern, its factor `L D L'`, and which rows depend on others.
//!
//! Rows are eliminated by growing number of cells: boundary rows, which share few cells, come first and balances over the whole
//! field last, so that the factor fills little. The factor is up-looking along the elimination tree (Davis, "Direct methods for
//! sparse linear systems", ch. 4); a block per column of an atmosphere is a tree of its own, at no cost.

use crate::error::{Result, collected, fail, push, zeros};
use crate::kernels::double::Double;

use super::rows::{Rows, Support};

/// No row: a root of the elimination tree.
const NONE: u32 = u32::MAX;

/// The arithmetic of a factorisation.
pub(super) trait Number: Copy + Default {
    /// What a pivot, of a matrix with a diagonal near 1, must exceed; below it the row is taken to depend on those before it.
    const LEAST_PIVOT: f64;
    fn of(x: Double) -> Self;
    fn value(self) -> f64;
    /// `self - a b`
    fn less_product(self, a: Self, b: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
}

impl Number for f64 {
    const LEAST_PIVOT: f64 = 1e-13;
    #[inline(always)]
    fn of(x: Double) -> f64 {
        x.high
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
    #[inline(always)]
    fn less_product(self, a: f64, b: f64) -> f64 {
        self - a * b
    }
    #[inline(always)]
    fn times(self, other: f64) -> f64 {
        self * other
    }
    #[inline(always)]
    fn over(self, other: f64) -> f64 {
        self / other
    }
}

impl Number for Double {
    /// A row whose part beyond the others is 3e-14 of its length: what rounding its weights to doubles can leave of nothing.
    const LEAST_PIVOT: f64 = 1e-27;
    #[inline(always)]
    fn of(x: Double) -> Double {
        x
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.high
    }
    #[inline(always)]
    fn less_product(self, a: Double, b: Double) -> Double {
        self.less_product(a, b)
    }
    #[inline(always)]
    fn times(self, other: Double) -> Double {
        self.times(other)
    }
    #[inline(always)]
    fn over(self, other: Double) -> Double {
        self.over(other)
    }
}

/// The order of elimination and the patterns of S and of its factor. Positions are places in that order.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// Row at each position.
    pub order: Vec<u32>,
    /// Position of each row.
    pub position: Vec<u32>,
    /// Positions before `k` whose rows share a cell with that of `k`: `near[starts[k] .. starts[k + 1]]`, ascending.
    starts: Vec<usize>,
    near: Vec<u32>,
    parent: Vec<u32>,
    /// Where each column of L begins.
    columns: Vec<usize>,
}

impl Pattern {
    /// `coupled`: the prior correlates cells, so that every row meets every other.
    pub fn new(rows: &Rows, columns: &Columns, coupled: bool) -> Result<Pattern> {
        let m = rows.len();
        let mut order: Vec<u32> = collected(0..m as u32, "system")?;
        order.sort_unstable_by_key(|&k| (rows.row(k as usize).weights.len(), k));
        let mut position = zeros::<u32>(m, "system")?;
        for (at, &k) in order.iter().enumerate() {
            position[k as usize] = at as u32;
        }
        let mut starts = zeros(m + 1, "system")?;
        let mut near = Vec::new();
        let none = || {
            let mut list = zeros::<u32>(m, "system")?;
            list.fill(NONE);
            Ok(list)
        };
        let mut seen = none()?;
        for at in 0..m {
            let begin = near.len();
            if near.try_reserve(at).is_err() {
                return fail!(OutOfMemory, "no memory for the system of {m} rows");
            }
            if coupled {
                near.extend(0..at as u32);
            } else {
                let row = rows.row(order[at] as usize);
                for k in 0..row.weights.len() {
                    for &(other, _) in columns.of(row.cell(k)) {
                        let other = position[other as usize];
                        if (other as usize) < at && seen[other as usize] != at as u32 {
                            seen[other as usize] = at as u32;
                            near.push(other);
                        }
                    }
                    if near.len() - begin == at {
                        break;
                    }
                }
                near[begin..].sort_unstable();
            }
            starts[at + 1] = near.len();
        }
        // The elimination tree and the number of entries in each column of L.
        let mut parent = none()?;
        let mut counts = zeros::<usize>(m, "system")?;
        let mut mark = none()?;
        for at in 0..m {
            mark[at] = at as u32;
            for &other in &near[starts[at]..starts[at + 1]] {
                let mut i = other as usize;
                while mark[i] != at as u32 {
                    if parent[i] == NONE {
                        parent[i] = at as u32;
                    }
                    counts[i] += 1;
                    mark[i] = at as u32;
                    i = parent[i] as usize;
                }
            }
        }
        let mut columns = zeros(m + 1, "system")?;
        for at in 0..m {
            columns[at + 1] = columns[at] + counts[at];
        }
        Ok(Pattern { order, position, starts, near, parent, columns })
    }

    /// Positions before `at` that S couples with it, and where their entries lie in [`Factor::below`].
    pub fn near(&self, at: usize) -> (&[u32], std::ops::Range<usize>) {
        let range = self.starts[at]..self.starts[at + 1];
        (&self.near[range.clone()], range)
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

/// Most rows of a [`Stretch`].
pub(super) const MOST_SHARED: usize = 8;

/// Neighbouring cells with the same few rows, each of them a run: what one small block of `S^-1` serves.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub first: usize,
    pub cells: usize,
    /// Their numbers, ascending.
    pub rows: Vec<u32>,
    /// Their positions.
    pub positions: Vec<u32>,
}

/// All stretches of at least eight cells.
pub(super) fn stretches(rows: &Rows, columns: &Columns, pattern: &Pattern, cells: usize) -> Result<Vec<Stretch>> {
    let of = |cell: usize| columns.of(cell).iter().map(|entry| entry.0);
    let mut found = Vec::new();
    let mut first = 0;
    while first < cells {
        let len = 1 + (first + 1..cells).take_while(|&cell| of(cell).eq(of(first))).count();
        let runs = of(first).all(|k| matches!(rows.row(k as usize).support, Support::Run(_)));
        if len >= 8 && runs && (1..=MOST_SHARED).contains(&of(first).count()) {
            let positions = of(first).map(|k| pattern.position[k as usize]).collect();
            push(&mut found, Stretch { first, cells: len, rows: of(first).collect(), positions }, "system")?;
        }
        first += len;
    }
    Ok(found)
}

/// The cells of a state with the rows on each: G by columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl Columns {
    pub fn new(rows: &Rows, cells: usize) -> Result<Columns> {
        let mut starts = zeros::<usize>(cells + 1, "system")?;
        let terms = || {
            rows.iter().enumerate().flat_map(|(number, row)| {
                (0..row.weights.len()).map(move |k| (number as u32, row.cell(k), row.weights[k])).filter(|t| t.2 != 0.0)
            })
        };
        terms().for_each(|(_, cell, _)| starts[cell + 1] += 1);
        for cell in 0..cells {
            starts[cell + 1] += starts[cell];
        }
        let mut entries = zeros::<(u32, f64)>(starts[cells], "system")?;
        let mut next = collected(starts.iter().copied(), "system")?;
        for (number, cell, g) in terms() {
            entries[next[cell]] = (number, g);
            next[cell] += 1;
        }
        Ok(Columns { starts, entries })
    }

    /// Rows with a weight on the cell, ascending.
    #[inline]
    pub fn of(&self, cell: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[cell]..self.starts[cell + 1]]
    }
}

/// S and its factor, in one arithmetic.
#[derive(Clone, Debug)]
pub(super) struct Factor<T> {
    /// `S_kk`, noise included.
    pub diagonal: Vec<T>,
    /// Entries of S below the diagonal, as [`Pattern::near`] lists them.
    pub below: Vec<T>,
    /// Powers of two that bring the diagonal near 1; 0 for a row that takes no part.
    scale: Vec<f64>,
    rows: Vec<u32>,
    values: Vec<T>,
    filled: Vec<usize>,
    pivot: Vec<T>,
    /// The lowest pivot if it was below 0, of a matrix with a diagonal near 1.
    pub lowest: f64,
    y: Vec<T>,
    mark: Vec<u32>,
    reach: Vec<u32>,
    path: Vec<u32>,
}

impl<T: Number> Factor<T> {
    pub fn new(pattern: &Pattern) -> Result<Factor<T>> {
        let m = pattern.len();
        let what = "system";
        Ok(Factor {
            diagonal: zeros(m, what)?,
            below: zeros(pattern.near.len(), what)?,
            scale: zeros(m, what)?,
            rows: zeros(pattern.columns[m], what)?,
            values: zeros(pattern.columns[m], what)?,
            filled: zeros(m, what)?,
            pivot: zeros(m, what)?,
            lowest: 0.0,
            y: zeros(m, what)?,
            mark: zeros(m, what)?,
            reach: zeros(m, what)?,
            path: zeros(m, what)?,
        })
    }

    /// Factors what `diagonal` and `below` hold. Rows that `skip` names, that no cell can move, or that depend on rows before them
    /// take no part. Returns the least pivot, of a matrix with a diagonal near 1. `dependent(position, [(position, coefficient)])`
    /// hears of each dependent row and how it follows from others.
    pub fn factor(
        &mut self,
        pattern: &Pattern,
        skip: impl Fn(usize) -> bool,
        mut dependent: impl FnMut(usize, &mut dyn Iterator<Item = (usize, f64)>),
    ) -> f64 {
        let m = pattern.len();
        let mut least = f64::INFINITY;
        self.lowest = 0.0;
        self.filled.copy_from_slice(&pattern.columns[..m]);
        self.mark.fill(NONE);
        for at in 0..m {
            let size = self.diagonal[at].value();
            let taken = !skip(at) && size >= f64::MIN_POSITIVE;
            self.scale[at] = if taken { power_of_two_near(1.0 / size.sqrt()) } else { 0.0 };
        }
        for at in 0..m {
            let own = self.scale[at];
            // The reach of S's column in the tree, in the order of elimination.
            let mut top = m;
            self.mark[at] = at as u32;
            let (near, range) = pattern.near(at);
            for (&other, k) in near.iter().zip(range) {
                let scale = own * self.scale[other as usize];
                self.y[other as usize] = self.below[k].times(T::of(Double { high: scale, low: 0.0 }));
                top = self.climb(pattern, other, at as u32, top);
            }
            let mut pivot = self.diagonal[at].times(T::of(Double { high: own * own, low: 0.0 }));
            for &c in &self.reach[top..m] {
                let c = c as usize;
                let y = std::mem::take(&mut self.y[c]);
                let column = pattern.columns[c]..self.filled[c];
                for (&row, &value) in self.rows[column.clone()].iter().zip(&self.values[column]) {
                    self.y[row as usize] = self.y[row as usize].less_product(value, y);
                }
                let entry = if self.pivot[c].value() > 0.0 { y.over(self.pivot[c]) } else { T::default() };
                pivot = pivot.less_product(y, entry);
                self.rows[self.filled[c]] = at as u32;
                self.values[self.filled[c]] = entry;
                self.filled[c] += 1;
            }
            if own != 0.0 {
                self.lowest = self.lowest.min(pivot.value());
            }
            self.pivot[at] = pivot;
            if own == 0.0 {
                self.pivot[at] = T::default();
            } else if pivot.value() < T::LEAST_PIVOT {
                self.pivot[at] = T::default();
                self.dependence(pattern, at, top, &mut dependent);
                self.scale[at] = 0.0;
            } else {
                least = least.min(pivot.value());
            }
        }
        least
    }

    /// Puts what has no stamp yet on the way from a position to its root before the reach, which begins at `top`, and stamps it;
    /// where the reach begins then.
    fn climb(&mut self, pattern: &Pattern, from: u32, stamp: u32, mut top: usize) -> usize {
        let (mut i, mut length) = (from, 0);
        while i != NONE && self.mark[i as usize] != stamp {
            self.path[length] = i;
            length += 1;
            self.mark[i as usize] = stamp;
            i = pattern.parent[i as usize];
        }
        while length > 0 {
            length -= 1;
            top -= 1;
            self.reach[top] = self.path[length];
        }
        top
    }

    /// Coefficients of the row at `at` in those before it: L' c = l along the reach, from its end.
    fn dependence(
        &mut self,
        pattern: &Pattern,
        at: usize,
        top: usize,
        dependent: &mut impl FnMut(usize, &mut dyn Iterator<Item = (usize, f64)>),
    ) {
        let m = pattern.len();
        for &c in self.reach[top..m].iter().rev() {
            let c = c as usize;
            // The last entry of the column is this row's own.
            let last = self.filled[c] - 1;
            let mut sum = self.values[last];
            let column = pattern.columns[c]..last;
            for (&row, &value) in self.rows[column.clone()].iter().zip(&self.values[column]) {
                sum = sum.less_product(value, self.y[row as usize]);
            }
            self.y[c] = sum;
        }
        let own = self.scale[at];
        let (y, scale) = (&self.y, &self.scale);
        let mut found = self.reach[top..m].iter().filter_map(|&c| {
            let coefficient = y[c as usize].value() * scale[c as usize] / own;
            (y[c as usize].value().abs() > 1e-10).then_some((c as usize, coefficient))
        });
        dependent(at, &mut found);
        for k in top..m {
            self.y[self.reach[k] as usize] = T::default();
        }
    }

    /// Whether the row at a position takes part.
    pub fn takes_part(&self, at: usize) -> bool {
        self.scale[at] != 0.0
    }

    /// `x = S^-1 r`, by positions; 0 for rows that take no part.
    pub fn solve(&mut self, pattern: &Pattern, r: &[Double], x: &mut [f64]) {
        let m = pattern.len();
        for ((y, r), &scale) in self.y.iter_mut().zip(r).zip(&self.scale) {
            *y = T::of(*r).times(T::of(Double { high: scale, low: 0.0 }));
        }
        for c in 0..m {
            let y = self.y[c];
            for k in pattern.columns[c]..self.filled[c] {
                let row = self.rows[k] as usize;
                self.y[row] = self.y[row].less_product(self.values[k], y);
            }
        }
        for c in (0..m).rev() {
            let mut sum = if self.pivot[c].value() > 0.0 { self.y[c].over(self.pivot[c]) } else { T::default() };
            for k in pattern.columns[c]..self.filled[c] {
                sum = sum.less_product(self.values[k], self.y[self.rows[k] as usize]);
            }
            self.y[c] = sum;
            x[c] = sum.value() * self.scale[c];
        }
        self.y.fill(T::default());
    }

    /// `|L^-1 a|^2` in the metric of the pivots, `a' S^-1 a`, for a sparse `a` given by positions: the share of a prior variance
    /// that the rows take. Work follows the tree from the rows of `a`.
    pub fn share(&mut self, pattern: &Pattern, a: impl Iterator<Item = (usize, f64)>, stamp: u32) -> f64 {
        let m = pattern.len();
        let mut top = m;
        for (at, value) in a {
            self.y[at] = T::of(Double { high: value * self.scale[at], low: 0.0 });
            top = self.climb(pattern, at as u32, stamp, top);
        }
        let mut share = T::default();
        for &c in &self.reach[top..m] {
            let c = c as usize;
            let y = std::mem::take(&mut self.y[c]);
            for k in pattern.columns[c]..self.filled[c] {
                let row = self.rows[k] as usize;
                self.y[row] = self.y[row].less_product(self.values[k], y);
            }
            if self.pivot[c].value() > 0.0 {
                let minus = T::default().less_product(y, y.over(self.pivot[c]));
                share = share.less_product(minus, T::of(Double { high: 1.0, low: 0.0 }));
            }
        }
        share.value()
    }

    /// `S^-1` among a few positions into `block`, `positions.len()` squared entries, where their reach in the tree is short: false
    /// where it is not. Work follows the tree.
    pub fn inverse_block(&mut self, pattern: &Pattern, positions: &[u32], stamp: u32, block: &mut [f64]) -> bool {
        const MOST: usize = 32;
        let m = pattern.len();
        let count = positions.len();
        let mut top = m;
        for &at in positions {
            top = self.climb(pattern, at, stamp, top);
        }
        let reach = m - top;
        if reach > MOST || count > MOST_SHARED {
            return false;
        }
        let mut z = [[0.0; MOST]; MOST_SHARED];
        for (z, &at) in z.iter_mut().zip(positions) {
            self.y[at as usize] = T::of(Double { high: self.scale[at as usize], low: 0.0 });
            for (z, &c) in z.iter_mut().zip(&self.reach[top..m]) {
                let c = c as usize;
                let y = std::mem::take(&mut self.y[c]);
                for k in pattern.columns[c]..self.filled[c] {
                    let row = self.rows[k] as usize;
                    self.y[row] = self.y[row].less_product(self.values[k], y);
                }
                *z = y.value();
            }
        }
        let mut inverse = [0.0; MOST];
        for (inverse, &c) in inverse.iter_mut().zip(&self.reach[top..m]) {
            let pivot = self.pivot[c as usize].value();
            *inverse = if pivot > 0.0 { 1.0 / pivot } else { 0.0 };
        }
        for a in 0..count {
            for b in 0..=a {
                let sum = (0..reach).fold(0.0, |sum, k| sum + z[a][k] * z[b][k] * inverse[k]);
                (block[a * count + b], block[b * count + a]) = (sum, sum);
            }
        }
        true
    }

    /// [`Factor::share`] for eight dense vectors at once: `y` holds their entries by positions, and is used up.
    pub fn share_eight(&self, pattern: &Pattern, y: &mut [[f64; 8]]) -> [f64; 8] {
        let values = |c: usize| pattern.columns[c]..self.filled[c];
        let mut share = [0.0; 8];
        for (y, &scale) in y.iter_mut().zip(&self.scale) {
            y.iter_mut().for_each(|y| *y *= scale);
        }
        for c in 0..pattern.len() {
            let own = y[c];
            let pivot = self.pivot[c].value();
            if pivot <= 0.0 {
                continue;
            }
            for (&row, &value) in self.rows[values(c)].iter().zip(&self.values[values(c)]) {
                let value = value.value();
                y[row as usize].iter_mut().zip(&own).for_each(|(y, x)| *y -= value * x);
            }
            share.iter_mut().zip(&own).for_each(|(s, x)| *s += x * x / pivot);
        }
        share
    }

    /// Before a run of [`Factor::share`] with stamps from 0.
    pub fn begin_shares(&mut self) {
        self.mark.fill(NONE);
    }

    /// `log det S` over the rows that take part.
    pub fn log_determinant(&self) -> f64 {
        let mut sum = 0.0;
        for (pivot, scale) in self.pivot.iter().zip(&self.scale) {
            if *scale != 0.0 {
                sum += libm::log(pivot.value()) - 2.0 * libm::log(*scale);
            }
        }
        sum
    }
}

/// A power of two within a factor 2 of a positive number.
fn power_of_two_near(x: f64) -> f64 {
    let bits = x.to_bits() & (0x7ff << 52);
    if bits == 0 { f64::MIN_POSITIVE } else { f64::from_bits(bits) }
}

/// A row that follows from others.
#[derive(Clone, Debug)]
pub(super) struct Dependent {
    /// Its number.
    pub row: usize,
    /// Rows and coefficients: `g = sum c_j g_j`.
    pub on: Vec<(usize, f64)>,
}

/// Finds the rows without noise that depend on others, whatever the prior variances.
pub(super) fn dependent_rows(rows: &Rows, columns: &Columns, ones: &[f64]) -> Result<Vec<Dependent>> {
    let mut found = Vec::new();
    if rows.len() < 2 {
        return Ok(found);
    }
    let pattern = Pattern::new(rows, columns, false)?;
    let mut factor = Factor::<Double>::new(&pattern)?;
    assemble(rows, &pattern, ones, |_| 0.0, &mut factor);
    if let Some(at) = factor.diagonal.iter().position(|s| !s.high.is_finite()) {
        return fail!(NonFinite, "row {}: the squares of its weights overflow", pattern.order[at]);
    }
    let noisy = |at: usize| rows.row(pattern.order[at] as usize).noise > 0.0;
    let mut outcome = Ok(());
    factor.factor(&pattern, noisy, |at, on| {
        let on = collected(on.map(|(p, c)| (pattern.order[p] as usize, c)), "dependent rows");
        let row = pattern.order[at] as usize;
        let added = on.and_then(|on| push(&mut found, Dependent { row, on }, "dependent rows"));
        if outcome.is_ok() {
            outcome = added;
        }
    });
    outcome?;
    found.sort_unstable_by_key(|d| d.row);
    Ok(found)
}

/// A number type that S can be summed in.
pub(super) trait Assemble: Number {
    fn run(g: &[f64], h: &[f64], v: &[f64]) -> Self;
    fn listed(terms: &mut dyn Iterator<Item = (f64, f64, f64)>) -> Self;
}

impl Assemble for f64 {
    fn run(g: &[f64], h: &[f64], v: &[f64]) -> f64 {
        crate::kernels::linear::weighted(pulp::Arch::new(), g, h, v)
    }
    fn listed(terms: &mut dyn Iterator<Item = (f64, f64, f64)>) -> f64 {
        terms.map(|(g, h, v)| g * v * h).sum()
    }
}

impl Assemble for Double {
    fn run(g: &[f64], h: &[f64], v: &[f64]) -> Double {
        crate::kernels::linear::weighted_double(pulp::Arch::new(), g, h, v)
    }
    fn listed(terms: &mut dyn Iterator<Item = (f64, f64, f64)>) -> Double {
        terms.fold(Double::default(), |sum, (g, h, v)| {
            let (p, error) = crate::kernels::double::triple(g, h, v);
            sum + Double { high: p, low: error }
        })
    }
}

/// Fills `diagonal` and `below` with `G diag(v) G' + diag(noise)`.
pub(super) fn assemble<T: Assemble>(
    rows: &Rows,
    pattern: &Pattern,
    v: &[f64],
    noise: impl Fn(usize) -> f64,
    factor: &mut Factor<T>,
) {
    for at in 0..pattern.len() {
        let k = pattern.order[at] as usize;
        let own: T = overlap(rows, k, k, v);
        let minus = T::of(Double { high: -noise(k), low: 0.0 });
        factor.diagonal[at] = own.less_product(minus, T::of(Double { high: 1.0, low: 0.0 }));
        let (near, range) = pattern.near(at);
        for (&other, entry) in near.iter().zip(range) {
            factor.below[entry] = overlap(rows, k, pattern.order[other as usize] as usize, v);
        }
    }
}

/// `sum g_k g_l v` over the cells that both rows have.
fn overlap<T: Assemble>(rows: &Rows, k: usize, l: usize, v: &[f64]) -> T {
    let (a, b) = (rows.row(k), rows.row(l));
    match (a.support, b.support) {
        (Support::Run(i), Support::Run(j)) => {
            let from = i.max(j);
            let to = (i + a.weights.len()).min(j + b.weights.len());
            if from >= to {
                return T::default();
            }
            T::run(&a.weights[from - i..to - i], &b.weights[from - j..to - j], &v[from..to])
        }
        (Support::List(cells), Support::Run(first)) => T::listed(&mut inside(cells, a.weights, first, b.weights, v)),
        (Support::Run(first), Support::List(cells)) => T::listed(&mut inside(cells, b.weights, first, a.weights, v)),
        (Support::List(p), Support::List(q)) => {
            let (mut i, mut j) = (0, 0);
            T::listed(&mut std::iter::from_fn(|| {
                while i < p.len() && j < q.len() {
                    match p[i].cmp(&q[j]) {
                        std::cmp::Ordering::Less => i += 1,
                        std::cmp::Ordering::Greater => j += 1,
                        std::cmp::Ordering::Equal => {
                            (i, j) = (i + 1, j + 1);
                            return Some((a.weights[i - 1], b.weights[j - 1], v[p[i - 1] as usize]));
                        }
                    }
                }
                None
            }))
        }
    }
}

fn inside<'a>(
    cells: &'a [u32],
    weights: &'a [f64],
    first: usize,
    run: &'a [f64],
    v: &'a [f64],
) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
    cells.iter().zip(weights).filter_map(move |(&cell, &g)| {
        let cell = cell as usize;
        run.get(cell.wrapping_sub(first)).map(|&h| (g, h, v[cell]))
    })
}
