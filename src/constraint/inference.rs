use std::sync::Arc;

use pulp::Arch;

use super::arrays::{check_apart, read_or_zero};
use super::joint::{Input, Joint, Work};
use super::metric::place;
use super::prior::Prior;
use super::project::{Projector, check_values};
use super::tangent::{GRADIENTS, Tangent, check_derivative, check_gradient, refuse_infinite, write_gradient};
use crate::error::{Error, Result, fail, zeros};
use crate::field::{Dtype, Layout, Place, Sharing, sharing};
use crate::kernels::linear;
use crate::kernels::random::Philox;
use crate::kernels::strided::{View, ViewMut};

/// Working memory for what a projector can say beside the projection: samples, the probability of right-hand sides, covariances of
/// chosen cells, derivatives. For one slice a call; one for each thread.
pub struct Inference {
    owner: u64,
    joint: Arc<Joint>,
    work: Work,
    samples: Vec<f64>,
    z: Vec<f64>,
    /// By cells and by rows.
    other: Vec<f64>,
    of_rows: Vec<f64>,
    positions: Vec<f64>,
}

impl Projector {
    /// Working memory for calls that draw at most `max_samples` at once; may be 0.
    ///
    /// Errors: State for constraints with invariants, sets or absent rows; TooLarge (2^32 cells); OutOfMemory.
    pub fn inference(&self, max_samples: usize) -> Result<Inference> {
        self.check_linear()?;
        let joint = match &self.joint {
            Some(joint) => joint.clone(),
            None => Arc::new(Joint::new(&self.rows, self.cells, self.prior, &self.options, false)?),
        };
        let what = "inference workspace";
        let (n, m) = (self.cells, self.rows.len());
        Ok(Inference {
            owner: self.id,
            work: joint.work(max_samples > 0)?,
            samples: zeros(max_samples.saturating_mul(n), what)?,
            z: zeros(n, what)?,
            other: zeros(n, what)?,
            of_rows: zeros(m, what)?,
            positions: zeros(m, what)?,
            joint,
        })
    }

    pub(super) fn check_one(&self, mean: &View, data: Option<&View>, b: &View) -> Result<()> {
        self.check_prior(data.is_some())?;
        self.check_cells("mean", mean)?;
        if let Some(data) = data {
            self.prior.check_data(data.layout(), self.cells, self.options.prior_size, 1)?;
        }
        check_values("b", b.layout(), 1, self.rows.len())
    }

    pub(super) fn check_cells(&self, name: &str, view: &View) -> Result<()> {
        let layout = view.layout();
        if layout.len() != self.cells {
            return fail!(Shape, "{name} has shape {:?}, expected {} values of one slice", layout.shape(), self.cells);
        }
        Ok(())
    }

    /// Samples of the posterior of one slice, every one lawful, into `samples` of shape `[count, cells]`: Matheron's rule, a draw from
    /// the prior projected on the rows, whose noise is drawn too.
    ///
    /// Sample `k` is a function of the seed and of `first + k`, whatever the call, the count or the thread.
    ///
    /// Errors: as [`Projector::project`], for the draw that fails; Variance (a covariance that is not positive definite);
    /// InvalidArgument (more samples than there is room for). Outputs are written when all samples are known.
    #[allow(clippy::too_many_arguments)]
    pub fn sample(
        &self,
        inference: &mut Inference,
        mean: View,
        data: Option<View>,
        b: View,
        seed: u64,
        first: u64,
        mut samples: ViewMut,
    ) -> Result<()> {
        self.check_owner(inference.owner)?;
        self.check_one(&mean, data.as_ref(), &b)?;
        let (n, m) = (self.cells, self.rows.len());
        let shape = samples.layout().shape();
        if shape.len() < 2 || samples.layout().len() != shape[0].saturating_mul(n) {
            return fail!(Shape, "samples has shape {shape:?}, expected [count, ...] with {n} values a sample");
        }
        let count = shape[0];
        if count * n > inference.samples.len() {
            let room = inference.samples.len() / n;
            return fail!(InvalidArgument, "samples has {count} samples, expected at most {room} as the workspace");
        }
        let out = ("samples", samples.place());
        check_apart(out, ("mean", mean.place()), false)?;
        check_apart(out, ("b", b.place()), false)?;
        if let Some(data) = &data {
            check_apart(out, ("variance", data.place()), false)?;
        }
        let (mean, data) = (mean.merged(), data.map(|data| data.merged()));
        let dtype = samples.dtype();
        let input = Input { index: 0, mean: &mean, data: data.as_ref(), dtype, variances: false };
        let Inference { joint, work, samples: stage, z, other, of_rows, .. } = inference;
        b.gather(0, &mut work.b);
        joint.prepare(&self.rows, input, work)?;
        work.metric.prepare_draws(0, input.data)?;
        joint.factor(&self.rows, input, work)?;
        other.copy_from_slice(&work.mean);
        of_rows.copy_from_slice(&work.b);
        let random = Philox::new(seed);
        // Draws of the rows' noise follow those of cells and factors in a sample's stream.
        let even = |k: usize| (k as u64).next_multiple_of(2);
        let factors = match self.prior {
            Prior::LowRank | Prior::Ensemble => self.options.prior_size,
            _ => 0,
        };
        let noise_from = even(n) + even(factors);
        for k in 0..count {
            let stream = first.wrapping_add(k as u64);
            work.mean.copy_from_slice(other);
            let mut draw = std::mem::take(&mut work.mean);
            work.metric.add_draw(&random, stream, input.data, z, &mut draw);
            work.mean = draw;
            for row in 0..m {
                let noise = self.rows.row(row).noise;
                let mut draws = [0.0; 2];
                if noise > 0.0 {
                    random.normals(stream, noise_from + (row as u64 & !1), &mut draws);
                }
                work.b[row] = of_rows[row] + noise.sqrt() * draws[row & 1];
            }
            joint.project_prepared(&self.rows, input, work, true).map_err(|e| of_sample(e, stream))?;
            stage[k * n..(k + 1) * n].copy_from_slice(&work.u);
        }
        samples.scatter(0, &stage[..count * n]);
        Ok(())
    }

    /// `log N(b; G mu, S)`: how probable the right-hand sides are under the prior, in nats, over the rows that take part.
    ///
    /// Errors: as [`Projector::project`], as far as they concern the inputs.
    pub fn log_likelihood(&self, inference: &mut Inference, mean: View, data: Option<View>, b: View) -> Result<f64> {
        self.check_owner(inference.owner)?;
        self.check_one(&mean, data.as_ref(), &b)?;
        let (mean, data) = (mean.merged(), data.map(|data| data.merged()));
        let input = Input { index: 0, mean: &mean, data: data.as_ref(), dtype: Dtype::F64, variances: true };
        let Inference { joint, work, .. } = inference;
        b.gather(0, &mut work.b);
        joint.prepare(&self.rows, input, work)?;
        joint.factor(&self.rows, input, work)?;
        let value = joint.log_likelihood(&self.rows, input, work)?;
        if !value.is_finite() {
            return fail!(NonFinite, "b: its log-likelihood overflows");
        }
        Ok(value)
    }

    /// Posterior covariances between the cells of two lists, of one slice: `covariance` has shape `[rows.len(), columns.len()]`. Work
    /// grows with the lists, never with the square of the cells.
    ///
    /// Errors: Shape, InvalidArgument (a cell out of range), Stride (overlap), NonFinite, Variance.
    pub fn covariance_block(
        &self,
        inference: &mut Inference,
        data: Option<View>,
        rows: &[i64],
        columns: &[i64],
        covariance: ViewMut,
    ) -> Result<()> {
        self.check_owner(inference.owner)?;
        self.check_prior(data.is_some())?;
        for (name, cells) in [("rows", rows), ("columns", columns)] {
            if let Some(at) = cells.iter().position(|&cell| cell < 0 || cell as u64 >= self.cells as u64) {
                let last = self.cells - 1;
                return fail!(InvalidArgument, "{name}[{at}] is {}, expected 0 to {last}", cells[at]);
            }
        }
        for (name, cells) in [("rows", rows), ("columns", columns)] {
            // Integers of 64 bits lie as doubles do.
            let layout = Layout::contiguous(name, &[cells.len().max(1)])?;
            let place = Place { address: cells.as_ptr() as usize, dtype: Dtype::F64, layout: &layout };
            if sharing(&covariance.place(), &place) != Sharing::Disjoint {
                return fail!(Stride, "covariance overlaps {name} in memory, expected arrays apart");
            }
        }
        self.covariance_of(&inference.joint, &mut inference.work, data, Some((rows, columns)), covariance)
    }

    /// The posterior mean's derivative in a direction (jvp), of one slice, into `out` of `cells` values.
    ///
    /// With `S lambda = G mu - b`: `S dlambda = G dmu - db - G (dv G'lambda)` and `du = dmu - dv G'lambda - Sigma G' dlambda`.
    ///
    /// Errors: as [`Projector::project`]; InvalidArgument where the prior has no variances of its own.
    pub fn jvp(
        &self,
        inference: &mut Inference,
        mean: View,
        data: Option<View>,
        b: View,
        tangent: Tangent<View>,
        mut out: ViewMut,
    ) -> Result<()> {
        self.check_owner(inference.owner)?;
        self.check_one(&mean, data.as_ref(), &b)?;
        self.check_tangent("tangent", &tangent, View::layout)?;
        self.check_cells("tangent", &out.alias())?;
        check_derivative(&out, &tangent, &[Some(&mean), data.as_ref(), Some(&b)])?;
        self.linearise(inference, &mean, data.as_ref(), &b)?;
        let (mean, data) = (mean.merged(), data.map(|data| data.merged()));
        let input = Input { index: 0, mean: &mean, data: data.as_ref(), dtype: Dtype::F64, variances: true };
        let Inference { joint, work, z, other, of_rows, positions, .. } = inference;
        // z = dmu - dv G'lambda; `other` holds G'lambda.
        read_or_zero(tangent.mean.as_ref(), "tangent_mean", z)?;
        if self.prior == Prior::Smoothed {
            work.metric.smooth(z);
        }
        if let Some(dv) = &tangent.variance {
            let mut scalar = [0.0];
            if self.prior == Prior::Scalar {
                read_or_zero(Some(dv), "tangent_variance", &mut scalar)?;
                z.iter_mut().zip(&*other).for_each(|(z, w)| *z -= scalar[0] * w);
            } else {
                read_or_zero(Some(dv), "tangent_variance", &mut work.w)?;
                z.iter_mut().zip(&*other).zip(&work.w).for_each(|((z, w), dv)| *z -= dv * w);
            }
        }
        read_or_zero(tangent.b.as_ref(), "tangent_b", of_rows)?;
        for (at, x) in positions.iter_mut().enumerate() {
            let k = joint.pattern.order[at] as usize;
            let row = self.rows.row(k);
            *x = linear::dot(Arch::new(), row.weights, place(&row), z).0.high - of_rows[k];
        }
        joint.solve_for(work, positions);
        let mut w = std::mem::take(&mut work.w);
        work.metric.apply(&self.rows, &joint.pattern, input.data, positions, &mut w);
        work.w = w;
        if self.prior.is_diagonal() {
            z.iter_mut().zip(&work.w).zip(&work.metric.v).for_each(|((z, w), v)| *z -= v * w);
        } else {
            z.iter_mut().zip(&work.w).for_each(|(z, w)| *z -= w);
        }
        refuse_infinite("tangent", z, out.dtype())?;
        out.scatter(0, z);
        Ok(())
    }

    /// The derivatives of `<cotangent, posterior mean>` (vjp) with respect to mean, variances and right-hand sides, of one slice.
    ///
    /// With `w = S^-1 G Sigma ubar`: `mubar = ubar - G'w`, `bbar = w`, `vbar = -(G'lambda) (ubar - G'w)`.
    ///
    /// Errors: as [`Projector::project`]; InvalidArgument where the prior has no variances of its own.
    pub fn vjp(
        &self,
        inference: &mut Inference,
        mean: View,
        data: Option<View>,
        b: View,
        cotangent: View,
        mut gradient: Tangent<ViewMut>,
    ) -> Result<()> {
        self.check_owner(inference.owner)?;
        self.check_one(&mean, data.as_ref(), &b)?;
        self.check_tangent("gradient", &gradient, ViewMut::layout)?;
        self.check_cells("cotangent", &cotangent)?;
        check_gradient(GRADIENTS, &gradient, &[Some(&mean), data.as_ref(), Some(&b), Some(&cotangent)])?;
        self.linearise(inference, &mean, data.as_ref(), &b)?;
        let data = data.map(|data| data.merged());
        let Inference { joint, work, z, other, of_rows, positions, .. } = inference;
        read_or_zero(Some(&cotangent), "cotangent", z)?;
        work.metric.adjoint(&self.rows, &joint.pattern, data.as_ref(), z, &mut work.w, positions);
        joint.solve_for(work, positions);
        for (at, &x) in positions.iter().enumerate() {
            let k = joint.pattern.order[at] as usize;
            let row = self.rows.row(k);
            linear::add_multiple(Arch::new(), row.weights, place(&row), -x, z);
            of_rows[k] = x;
        }
        // `other` turns from G'lambda into the gradient of the variances.
        other.iter_mut().zip(&*z).for_each(|(w, z)| *w *= -z);
        let scalar = [other.iter().sum::<f64>()];
        if self.prior == Prior::Smoothed {
            work.metric.smooth_back(z);
        }
        let of_variance = if self.prior == Prior::Scalar { &scalar[..] } else { &other[..] };
        write_gradient(GRADIENTS, &mut gradient, z, of_variance, of_rows)
    }

    /// Factors S and leaves `G'lambda` in `other`.
    fn linearise(&self, inference: &mut Inference, mean: &View, data: Option<&View>, b: &View) -> Result<()> {
        let (mean, data) = (mean.merged(), data.map(|data| data.merged()));
        let input = Input { index: 0, mean: &mean, data: data.as_ref(), dtype: Dtype::F64, variances: true };
        let Inference { joint, work, other, .. } = inference;
        b.gather(0, &mut work.b);
        joint.project(&self.rows, input, work)?;
        other.fill(0.0);
        for (at, &lambda) in work.lambda.iter().enumerate() {
            let row = self.rows.row(joint.pattern.order[at] as usize);
            linear::add_multiple(Arch::new(), row.weights, place(&row), lambda, other);
        }
        Ok(())
    }
}

fn of_sample(e: Error, stream: u64) -> Error {
    Error::new(e.status(), format!("sample {stream}: {}", e.message()))
}
