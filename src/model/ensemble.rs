//! Deep ensembles (Lakshminarayanan et al., NeurIPS 2017) of any models of one architecture, and Monte Carlo dropout, whose draws are
//! members too. The members' equal-weight mixture has
//!
//! ```text
//! mean = sum_m mean_m / M        cov = diag(sum_m variance_m / M) + F'F,  F_m = (mean_m - mean) / sqrt(M)
//! ```
//!
//! of which the diagonal is the law of total variance, and diag and F are what a projector with a low-rank metric takes: the members'
//! covariance without a matrix of cells by cells.

use super::arrays::{apart, expect_extents, in_range};
use super::description::Architecture;
use super::dropout::Draw;
use super::{Model, Options, Plan, Workspace};
use crate::error::{Result, fail, zeros};
use crate::field::{Dtype, Layout};
use crate::kernels::strided::{View, ViewMut};

/// Most members of an ensemble.
pub const MOST_MEMBERS: usize = 1024;

/// The members' plans.
pub struct Ensemble {
    members: Vec<Plan>,
    /// Most values of a prediction.
    room: usize,
}

/// Scratch of one plan.
pub struct Scratch {
    pub(super) workspaces: Vec<Workspace>,
    /// Whether some members are conditioned on other functions than the others.
    torn: bool,
    /// Each member's means, then their departures from the mixture's: [members, room].
    departures: Vec<f64>,
    /// Of one member.
    variance: Vec<f64>,
    mean: Vec<f64>,
    /// The mean of the members' variances, and with the spread of their means.
    within: Vec<f64>,
    total: Vec<f64>,
}

/// What [`Ensemble::query`] and its like evaluate of each member.
pub(super) trait Evaluate: Fn(&Plan, &mut Workspace, &mut ViewMut, Option<&mut ViewMut>) -> Result<()> {}
impl<F: Fn(&Plan, &mut Workspace, &mut ViewMut, Option<&mut ViewMut>) -> Result<()>> Evaluate for F {}

impl Ensemble {
    /// A plan for each member of the model.
    pub(super) fn new(model: &Model, arithmetic: Dtype, options: &Options) -> Result<Self> {
        Self::of(model.members().iter().map(|member| Plan::new(member, arithmetic, options)))
    }

    /// A plan for each draw of a model with dropout.
    pub(super) fn draws(model: &Model, arithmetic: Dtype, options: &Options) -> Result<Self> {
        let (seed, rate) = (options.seed, options.dropout);
        let draws = (0..options.latents as u32).map(|number| Draw { seed, rate, number });
        Self::of(draws.map(|draw| Plan::single(model, arithmetic, options, Some(draw))))
    }

    fn of(members: impl Iterator<Item = Result<Plan>>) -> Result<Self> {
        let members = members.collect::<Result<Vec<Plan>>>()?;
        let room = members.iter().map(Plan::room).max().unwrap_or(0);
        Ok(Ensemble { members, room })
    }

    pub(super) fn members(&self) -> &[Plan] {
        &self.members
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    pub(super) fn scratch(&self) -> Result<Scratch> {
        let what = "a workspace";
        Ok(Scratch {
            workspaces: self.members.iter().map(Plan::workspace).collect::<Result<_>>()?,
            torn: false,
            departures: zeros(self.room.saturating_mul(self.members.len()), what)?,
            variance: zeros(self.room, what)?,
            mean: zeros(self.room, what)?,
            within: zeros(self.room, what)?,
            total: zeros(self.room, what)?,
        })
    }

    /// Conditions every member by `work`. Where the first succeeds and another fails, the workspace is conditioned no more.
    pub(super) fn condition(&self, s: &mut Scratch, work: impl Fn(&Plan, &mut Workspace) -> Result<()>) -> Result<()> {
        for (number, (plan, workspace)) in self.members.iter().zip(&mut s.workspaces).enumerate() {
            let done = work(plan, workspace);
            if done.is_err() {
                s.torn |= number > 0;
                return done;
            }
        }
        s.torn = false;
        Ok(())
    }

    /// Mean and variance of the mixture.
    pub(super) fn moments(
        &self,
        s: &mut Scratch,
        evaluate: impl Evaluate,
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        if let Some(variance) = &variance {
            apart("variance", variance, mean)?;
            expect_extents("variance", variance.layout(), mean.layout().shape().iter().copied())?;
        }
        let len = self.evaluate(s, mean.layout(), variance.is_some(), evaluate)?;
        in_range(mean.dtype(), &s.mean[..len])?;
        if let Some(variance) = variance {
            in_range(variance.dtype(), &s.total[..len])?;
            variance.scatter(0, &s.total[..len]);
        }
        mean.scatter(0, &s.mean[..len]);
        Ok(())
    }

    /// The mixture's mean as far as the scratch, rounded to the dtype: [functions, cells].
    pub(super) fn mean<'s>(
        &self,
        s: &'s mut Scratch,
        evaluate: impl Evaluate,
        output: &Layout,
        dtype: Dtype,
        cells: usize,
    ) -> Result<View<'s>> {
        let len = self.evaluate(s, output, false, evaluate)?;
        in_range(dtype, &s.mean[..len])?;
        dtype.round_all(&mut s.mean[..len]);
        View::new("prediction", &s.mean[..len], &[len / cells, cells])
    }

    /// The mixture's mean, and its covariance as rows [functions, 1 + members, cells]: the diagonal part, then F.
    pub(super) fn factors(
        &self,
        s: &mut Scratch,
        evaluate: impl Evaluate,
        mean: &mut ViewMut,
        rows: &mut ViewMut,
        cells: usize,
    ) -> Result<()> {
        apart("low_rank", rows, mean)?;
        let (len, members) = (mean.layout().len(), self.members.len());
        let functions = (len / cells).max(1);
        check_rows(rows.layout(), functions, members + 1, cells)?;
        let len = self.evaluate(s, mean.layout(), true, evaluate)?;
        in_range(mean.dtype(), &s.mean[..len])?;
        in_range(rows.dtype(), &s.within[..len])?;
        let share = 1.0 / (members as f64).sqrt();
        s.departures.iter_mut().for_each(|v| *v *= share);
        for departures in s.departures.chunks_exact(self.room) {
            in_range(rows.dtype(), &departures[..len])?;
        }
        let mut rows = rows.merged_mut();
        for function in 0..functions {
            let part = function * cells..(function + 1) * cells;
            let at = |row: usize| (function * (members + 1) + row) * cells;
            rows.scatter(at(0), &s.within[part.clone()]);
            for (m, departures) in s.departures.chunks_exact(self.room).enumerate() {
                rows.scatter(at(m + 1), &departures[part.clone()]);
            }
        }
        mean.scatter(0, &s.mean[..len]);
        Ok(())
    }

    /// All members for an array like `output`, and their moments; the number of values.
    fn evaluate(
        &self,
        s: &mut Scratch,
        output: &Layout,
        with_variance: bool,
        evaluate: impl Evaluate,
    ) -> Result<usize> {
        if s.torn {
            return fail!(
                State,
                "the workspace is not conditioned: a member could not be, expected context points first"
            );
        }
        let shape = output.shape();
        let len = output.len();
        if len > self.room {
            return fail!(
                Shape,
                "the output has shape {shape:?}, expected at most {} values by the plan's options",
                self.room
            );
        }
        let Scratch { workspaces, departures, variance, mean, within, total, .. } = s;
        let (mean, within, total) = (&mut mean[..len], &mut within[..len], &mut total[..len]);
        within.fill(0.0);
        let share = 1.0 / self.members.len() as f64;
        for ((plan, workspace), means) in
            self.members.iter().zip(workspaces).zip(departures.chunks_exact_mut(self.room))
        {
            let mut means = ViewMut::new("output", &mut means[..len], shape)?;
            if with_variance && plan.has_variance() {
                let mut view = ViewMut::new("variance", &mut variance[..len], shape)?;
                evaluate(plan, workspace, &mut means, Some(&mut view))?;
                within.iter_mut().zip(&variance[..len]).for_each(|(sum, v)| *sum += v * share);
            } else {
                evaluate(plan, workspace, &mut means, None)?;
            }
        }
        // From the first member on: where all agree, as at nodes with given values, their mean is that very value.
        mean.fill(0.0);
        let (first, others) = departures.split_at_mut(self.room);
        for means in others.chunks_exact(self.room) {
            mean.iter_mut().zip(means).zip(&*first).for_each(|((sum, v), first)| *sum += v - first);
        }
        mean.iter_mut().zip(&*first).for_each(|(sum, first)| *sum = first + *sum * share);
        total.copy_from_slice(within);
        for means in departures.chunks_exact_mut(self.room) {
            for ((v, mean), total) in means.iter_mut().zip(&*mean).zip(&mut *total) {
                *v -= mean;
                *total += *v * *v * share;
            }
        }
        Ok(len)
    }
}

/// Accepts [functions, rows, ..] whose last axes have `cells` values, axes of extent 1 or not.
fn check_rows(layout: &Layout, functions: usize, rows: usize, cells: usize) -> Result<()> {
    let mut extents = layout.shape().iter().copied().filter(|n| *n != 1);
    let fits = (functions == 1 || extents.next() == Some(functions))
        && extents.next() == Some(rows)
        && extents.product::<usize>() == cells;
    if fits {
        return Ok(());
    }
    fail!(Shape, "low_rank has shape {:?}, expected [{functions}, {rows}, {cells}]", layout.shape())
}

/// What makes an ensemble of models: as many members as there may be, of one architecture and with the same channels.
pub(super) fn check_members(members: &[&Model]) -> Result<()> {
    if members.is_empty() || members.len() > MOST_MEMBERS {
        return fail!(InvalidArgument, "{} members of an ensemble, expected 1 to {MOST_MEMBERS}", members.len());
    }
    let first = members[0].description();
    for (number, member) in members.iter().enumerate() {
        let description = member.description();
        if !member.members().is_empty() {
            return fail!(InvalidArgument, "member {number} is an ensemble itself, expected single models");
        }
        if description.architecture != first.architecture {
            return fail!(Mismatch, "member {number} has another architecture than member 0, expected the same");
        }
        let names = |channels: &[super::Channel]| -> Vec<(String, String)> {
            channels.iter().map(|c| (c.name.clone(), c.unit.clone())).collect()
        };
        for (kind, here, there) in
            [("inputs", &description.inputs, &first.inputs), ("outputs", &description.outputs, &first.outputs)]
        {
            if names(here) != names(there) {
                return fail!(
                    Mismatch,
                    "member {number} has other {kind} than member 0, expected the same names and units"
                );
            }
        }
        if description.boon != first.boon {
            return fail!(Mismatch, "member {number} has other boundary conditions than member 0, expected the same");
        }
    }
    Ok(())
}

/// Whether dropout of an architecture is a draw of its weights.
pub(super) fn draws_weights(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::Mlp | Architecture::DeepOnet)
}
