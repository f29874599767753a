//! How a state within bounds and sets answers: to a change of what is given where it is free, with pools that move as one.

use pulp::Arch;

use super::Bounded;
use crate::constraint::metric::place;
use crate::constraint::rows::Rows;
use crate::constraint::sets::Sets;
use crate::kernels::linear;

impl Bounded {
    /// The variances of cells that are free at the projected state into the metric, and pools of equal values.
    pub(super) fn find_free(&mut self, sets: &Sets) {
        let Bounded { work, v, lower, upper, pools, .. } = self;
        for (cell, free) in work.metric.v.iter_mut().enumerate() {
            let u = work.u[cell];
            *free = if u > lower[cell] && u < upper[cell] { v[cell] } else { 0.0 };
        }
        for set in &sets.simplices {
            let cells = set.first..set.first + set.components * set.points;
            let free = work.metric.v[cells.clone()].iter_mut();
            for ((free, u), v) in free.zip(&work.u[cells.clone()]).zip(&v[cells]) {
                *free = if *u > 0.0 { *v } else { 0.0 };
            }
        }
        for set in &sets.monotones {
            work.metric.v[set.first..set.first + set.count].fill(0.0);
            let mut begin = 0;
            for k in 0..set.count {
                if work.u[set.first + k] != work.u[set.first + begin] {
                    begin = k;
                }
                pools[set.first + k] = begin as u32;
            }
        }
    }

    /// `work.w = D given`.
    pub(super) fn respond(&mut self, sets: &Sets) {
        let Bounded { work, v, given, pools, .. } = self;
        let y = &mut work.w;
        for ((y, x), free) in y.iter_mut().zip(&*given).zip(&work.metric.v) {
            *y = x * free;
        }
        for group in sets.groups(v, &work.metric.v, pools) {
            let sum: f64 = group.cells().map(|(cell, a)| a * given[cell]).sum();
            group.cells().for_each(|(cell, a)| y[cell] += group.factor * sum * a);
        }
    }

    /// `r = G work.w`, less `step` where that holds db.
    pub(super) fn gather_rows(&mut self, rows: &Rows, less: bool) {
        let Bounded { joint, work, step, .. } = self;
        for (at, r) in work.r.iter_mut().enumerate() {
            let k = joint.pattern.order[at] as usize;
            let row = rows.row(k);
            let (sum, _) = linear::dot(Arch::new(), row.weights, place(&row), &work.w);
            *r = if less { sum.plus(-step[k]) } else { sum };
        }
    }

    /// Takes `G'` of the solution off `given`.
    pub(super) fn subtract_rows(&mut self, rows: &Rows) {
        let Bounded { joint, work, given, .. } = self;
        for (at, &x) in work.step.iter().enumerate() {
            let row = rows.row(joint.pattern.order[at] as usize);
            linear::add_multiple(Arch::new(), row.weights, place(&row), -x, given);
        }
    }
}
