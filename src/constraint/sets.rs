use super::constraints::Constraints;
use crate::error::{Result, collected, fail, push};
use crate::kernels::double::Double;

/// How cells are brought within their bounds while the rows hold.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// The nearest state in the prior's metric.
    #[default]
    Nearest = 1,
    /// Clip, then spread what the row lacks over the room that is left, in proportion to it (clip and assured sum, CAAS; Bradley et
    /// al. 2019): one pass more than clipping, not nearest. Takes one row and finite bounds.
    Spread = 2,
}

/// What becomes of bounds that no lawful state meets.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The call fails.
    #[default]
    Refuse = 1,
    /// Cells leave their bounds by the least, in the prior's metric: `sum (distance to the bounds)^2 / v` is smallest; with
    /// several rows to 1e-6 of it. Not beside sets.
    RelaxLeast = 2,
    /// Every cell may reach the least lower and the largest upper bound of its slice; where that is not enough, the call fails.
    RelaxToExtremes = 3,
}

/// The direction of a monotone profile.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// No cell is below the one before it.
    Increasing = 1,
    /// No cell is above the one before it.
    Decreasing = 2,
}

/// Components that are at least 0 and sum to a total at each point: cell `first + c points + p` is component c at point p.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simplex {
    pub first: usize,
    pub components: usize,
    pub points: usize,
    pub total: f64,
}

/// A run of cells that is monotone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monotone {
    pub first: usize,
    pub count: usize,
    pub direction: Direction,
}

/// What holds for the state beside its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    pub method: Method,
    pub policy: Policy,
    pub simplices: Vec<Simplex>,
    pub monotones: Vec<Monotone>,
}

impl Sets {
    pub fn try_clone(&self) -> Result<Sets> {
        Ok(Sets {
            simplices: collected(self.simplices.iter().copied(), "a copy of the sets")?,
            monotones: collected(self.monotones.iter().copied(), "a copy of the sets")?,
            ..*self
        })
    }

    /// Cells are bound to each other, not only to bounds of their own.
    pub fn bind(&self) -> bool {
        !(self.simplices.is_empty() && self.monotones.is_empty())
    }

    pub fn in_simplex(&self, cell: usize) -> bool {
        self.simplices.iter().any(|s| cell >= s.first && cell - s.first < s.components * s.points)
    }

    fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let simplices = self.simplices.iter().map(|s| (s.first, s.components * s.points));
        simplices.chain(self.monotones.iter().map(|m| (m.first, m.count)))
    }

    /// The groups of the state that [`Simplex::nearest`] and [`Monotone::nearest`] found, from what they left in `free` and `pools`.
    pub fn groups<'a>(&'a self, v: &'a [f64], free: &'a [f64], pools: &'a [u32]) -> impl Iterator<Item = Group<'a>> {
        let simplices = self.simplices.iter().flat_map(move |set| set.groups(free));
        simplices.chain(self.monotones.iter().flat_map(move |set| set.groups(v, pools)))
    }
}

impl Constraints {
    /// How [`Projector::project_bounded`](super::Projector::project_bounded) brings cells within bounds, and what it does where no
    /// lawful state is. Without this call: [`Method::Nearest`], [`Policy::Refuse`]. The bounds come with each projection.
    pub fn set_bounds(&mut self, method: Method, policy: Policy) {
        (self.sets.method, self.sets.policy) = (method, policy);
    }

    /// At each of `points` points `components` values are at least 0 and sum to `total`, as saturations or mass fractions do. Component
    /// c at point p is cell `first + c points + p`: component after component. Bounds of these cells are not read.
    ///
    /// Errors: InvalidArgument (cells out of range or in another set, fewer than 2 components, a total that is not above 0).
    pub fn add_simplex(&mut self, first: usize, components: usize, points: usize, total: f64) -> Result<()> {
        if components < 2 || points == 0 {
            return fail!(
                InvalidArgument,
                "components is {components} and points {points}, expected at least 2 components at 1 point"
            );
        }
        if !(total > 0.0 && total.is_finite()) {
            return fail!(InvalidArgument, "total is {total}, expected a finite number above 0");
        }
        self.check_run(first, components.saturating_mul(points))?;
        push(&mut self.sets.simplices, Simplex { first, components, points, total }, "a simplex")
    }

    /// `count` cells from `first` on increase or decrease, not strictly. Bounds of these cells are not read.
    ///
    /// Errors: InvalidArgument (cells out of range or in another set, fewer than 2 cells).
    pub fn add_monotone(&mut self, first: usize, count: usize, direction: Direction) -> Result<()> {
        if count < 2 {
            return fail!(InvalidArgument, "count is {count}, expected at least 2 cells");
        }
        self.check_run(first, count)?;
        push(&mut self.sets.monotones, Monotone { first, count, direction }, "a monotone run")
    }

    fn check_run(&self, first: usize, count: usize) -> Result<()> {
        if count > self.cells() || first > self.cells() - count {
            return fail!(InvalidArgument, "{count} cells from cell {first} leave the {} cells", self.cells());
        }
        match self.sets.runs().find(|&(other, len)| first < other + len && other < first + count) {
            None => Ok(()),
            Some((other, len)) => {
                fail!(
                    InvalidArgument,
                    "cells {first} to {} meet the set on cells {other} to {}, expected cells of one set only",
                    first + count - 1,
                    other + len - 1
                )
            }
        }
    }
}

/// Cells of one set that move together beside each other's own freedom: what makes the derivative of the state with respect to
/// `x = mu - v G'lambda` differ from that of free cells.
pub(super) struct Group<'a> {
    first: usize,
    count: usize,
    step: usize,
    /// What each of all cells contributes; none: 1.
    weights: Option<&'a [f64]>,
    /// The derivative has `factor a a'` along them.
    pub factor: f64,
}

impl Group<'_> {
    /// Its cells and what each contributes.
    pub fn cells(&self) -> impl Iterator<Item = (usize, f64)> {
        let weight = |cell: usize| self.weights.map_or(1.0, |weights| weights[cell]);
        (0..self.count).map(|k| self.first + k * self.step).map(move |cell| (cell, weight(cell)))
    }
}

impl Simplex {
    /// The point of the simplex nearest to `x` in the metric 1/v, into `u`; `free` receives v where a component is above 0. What lies
    /// below the `noise` of x is 0, or a component without mass would be chased through ever smaller numbers.
    pub fn nearest(
        &self,
        x: impl Fn(usize) -> f64,
        noise: impl Fn(usize) -> f64,
        v: &[f64],
        u: &mut [f64],
        free: &mut [f64],
    ) {
        for p in 0..self.points {
            let cell = |c: usize| self.first + c * self.points + p;
            for c in 0..self.components {
                free[cell(c)] = v[cell(c)];
            }
            // Components that come out negative leave for good: the multiplier only grows as they do.
            loop {
                let (mut excess, mut slope, mut noises) = (-self.total, 0.0, 0.0);
                for c in (0..self.components).map(cell).filter(|&c| free[c] > 0.0) {
                    excess += x(c);
                    slope += v[c];
                    noises += noise(c);
                }
                let theta = excess / slope;
                let mut left = false;
                for c in (0..self.components).map(cell) {
                    u[c] = if free[c] > 0.0 { x(c) - v[c] * theta } else { 0.0 };
                    // The multiplier carries the rounding of all components.
                    if free[c] > 0.0 && u[c] <= noise(c) + v[c] / slope * noises {
                        (u[c], free[c], left) = (0.0, 0.0, true);
                    }
                }
                if !left {
                    break;
                }
            }
            // x may be far larger than the total, and its rounding with it.
            let (mut short, mut largest) = (Double { high: self.total, low: 0.0 }, cell(0));
            for c in (0..self.components).map(cell) {
                short = short.plus(-u[c]);
                largest = if u[c] > u[largest] { c } else { largest };
            }
            u[largest] += short.high;
        }
    }

    /// Back onto the simplex from a step beside it by rounding: components below 0 become 0 and stay, the largest takes what is left.
    pub fn mend(&self, u: &mut [f64], free: &mut [f64]) {
        for p in 0..self.points {
            let cells = || (0..self.components).map(|c| self.first + c * self.points + p);
            let mut largest = self.first + p;
            for cell in cells() {
                if u[cell] <= 0.0 {
                    (u[cell], free[cell]) = (0.0, 0.0);
                }
                if u[cell] > u[largest] {
                    largest = cell;
                }
            }
            let whole = Double { high: self.total, low: 0.0 };
            u[largest] = cells().filter(|&cell| cell != largest).fold(whole, |left, cell| left.plus(-u[cell])).high;
        }
    }

    /// A group a point: its components above 0.
    fn groups<'a>(&self, free: &'a [f64]) -> impl Iterator<Item = Group<'a>> {
        let Simplex { first, components: count, points: step, .. } = *self;
        (first..first + step).filter_map(move |first| {
            let slope: f64 = (0..count).map(|c| free[first + c * step]).sum();
            (slope > 0.0).then(|| Group { first, count, step, weights: Some(free), factor: -1.0 / slope })
        })
    }
}

impl Monotone {
    /// The monotone run nearest to `x` in the metric 1/v, into `u`, by pooling adjacent violators. `pools` receives where each cell's
    /// pool begins, counted within the run.
    pub fn nearest(&self, x: impl Fn(usize) -> f64, v: &[f64], u: &mut [f64], pools: &mut [u32], weight: &mut [f64]) {
        let sign = if self.direction == Direction::Increasing { 1.0 } else { -1.0 };
        // Pools so far: their first cells in `pools`, values in `u` and weights in `weight`, both at their number.
        let mut count = 0;
        for k in 0..self.count {
            let cell = self.first + k;
            let (mut value, mut mass, mut begin) = (sign * x(cell), 1.0 / v[cell], k as u32);
            while count > 0 && u[self.first + count - 1] >= value {
                count -= 1;
                let before = self.first + count;
                let whole = weight[before] + mass;
                // A mean of two that cannot leave their range.
                value += (u[before] - value) * (weight[before] / whole);
                (mass, begin) = (whole, pools[before]);
            }
            let at = self.first + count;
            (u[at], weight[at], pools[at]) = (value, mass, begin);
            count += 1;
        }
        // From the last pool back, so that no pool is overwritten before it is read.
        let mut end = self.count;
        for pool in (0..count).rev() {
            let (value, begin) = (sign * u[self.first + pool], pools[self.first + pool]);
            for k in begin as usize..end {
                (u[self.first + k], pools[self.first + k]) = (value, begin);
            }
            end = begin as usize;
        }
    }

    /// Monotone again after a step beside it by rounding.
    pub fn mend(&self, u: &mut [f64]) {
        let run = &mut u[self.first..self.first + self.count];
        for k in 1..run.len() {
            run[k] = match self.direction {
                Direction::Increasing => run[k].max(run[k - 1]),
                Direction::Decreasing => run[k].min(run[k - 1]),
            };
        }
    }

    /// A pool moves as one.
    fn groups<'a>(&self, v: &'a [f64], pools: &'a [u32]) -> impl Iterator<Item = Group<'a>> {
        let (mut first, end) = (self.first, self.first + self.count);
        std::iter::from_fn(move || {
            let pool = (first < end).then(|| pools[first])?;
            let past = (first..end).find(|&cell| pools[cell] != pool).unwrap_or(end);
            let weight: f64 = v[first..past].iter().map(|v| 1.0 / v).sum();
            let group = Group { first, count: past - first, step: 1, weights: None, factor: 1.0 / weight };
            first = past;
            Some(group)
        })
    }
}
