//! Attentive neural process (Kim et al., ICLR 2019) in the form of ProbConserv (Hansen et al., ICML 2023).
//!
//! A latent encoder turns the context pairs (x_c, y_c) into a normal density for one latent vector z; a deterministic encoder
//! turns them into keys and values; a target x_t queries those and yields r_t; the decoder maps (r_t, z, x_t) to a normal
//! density for y_t. Conditioning runs both encoders once; queries reuse their result.
//!
//! A mixture over S latents has the mean of the means, and by the law of total variance the mean of the variances plus the
//! unbiased variance of the means.

mod dropout;
mod numbers;
mod weights;

use pulp::Arch;

use super::arrays::{all_finite, apart, at_most, check_targets, expect_shape, finite, in_range, scaled, shape_error};
use super::dense::{Dense, vector};
use super::{Channel, Model, Options};
use crate::error::{Result, fail, zeros};
use crate::kernels::product::{Packed, Rows, Start, product};
use crate::kernels::random::Philox;
use crate::kernels::real::Real;
use crate::kernels::rows::{add, add_row_relu, layer_norm, softmax};
use crate::kernels::strided::{View, ViewMut};

use dropout::Dropout;
pub use numbers::Numbers;
use weights::{Attention, columns};

/// Bytes of activations in the decoder that should stay in the second-level cache.
const TILE_BYTES: usize = 1 << 20;

/// Targets that pass through the network together: whole register blocks of the products, two wide activations and their base in
/// the cache.
fn tile_rows<T>(hidden: usize) -> usize {
    (TILE_BYTES / (9 * hidden * size_of::<T>()) / 12 * 12).clamp(12, 240)
}

/// Weights packed for one arithmetic, and the sizes of a plan.
pub struct Anp<T> {
    arch: Arch,
    numbers: Numbers,
    inputs: Vec<Channel>,
    outputs: Vec<Channel>,
    latent_input: Dense<T>,
    latent_attentions: Vec<Attention<T>>,
    penultimate: Dense<T>,
    mu: Dense<T>,
    log_sigma: Dense<T>,
    context_input: Dense<T>,
    context_attentions: Vec<Attention<T>>,
    context_projection: Dense<T>,
    target_projection: Dense<T>,
    cross_attentions: Vec<Attention<T>>,
    decoder_projection: Dense<T>,
    /// The first decoder layer by what it meets: r, z and the projected target.
    first_r: Packed<T>,
    first_z: Packed<T>,
    first_x: Packed<T>,
    first_bias: Vec<T>,
    decoder: Vec<Dense<T>>,
    last: Dense<T>,
    batch: usize,
    context: usize,
    targets: usize,
    tile: usize,
    /// Standard normal draws [latents, hidden]; empty at the mean latent.
    eps: Vec<f64>,
    latents: usize,
    dropout: Option<Dropout<T>>,
}

/// Keys and values of one function and one cross-attention layer, packed a head.
struct Memory<T> {
    keys: Vec<Packed<T>>,
    values: Vec<Packed<T>>,
}

/// What conditioning leaves behind for one function (and, with dropout, one latent draw).
struct Encoding<T> {
    mu: Vec<T>,
    log_variance: Vec<T>,
    memories: Vec<Memory<T>>,
}

/// Scratch of one plan.
pub struct Scratch<T> {
    /// Functions conditioned on; 0 before the first success.
    pub(super) functions: usize,
    encodings: Vec<Encoding<T>>,
    head_memory: Memory<T>,
    points: Vec<T>,
    input: Vec<T>,
    hidden: Vec<T>,
    keys: Vec<T>,
    queries: Vec<T>,
    heads: Vec<T>,
    mixed: Vec<T>,
    scores: Vec<T>,
    inverse: Vec<T>,
    latent: Vec<T>,
    latent_rows: Vec<T>,
    base: Vec<T>,
    wide: [Vec<T>; 2],
    parts: Vec<T>,
    moments: Vec<Moments>,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// The rows of a matrix that pass through an attention layer, for dropout told from all others by their place.
#[derive(Clone, Copy)]
struct Block {
    rows: usize,
    /// Context points that the rows attend to.
    points: usize,
    /// Place of the first row in its function.
    first: usize,
    /// Latent draw.
    sample: usize,
    /// Attention layer, counted through the network.
    layer: usize,
}

/// Running moments over latents (Welford), of one output.
#[derive(Clone, Copy, Default)]
struct Moments {
    mean: f64,
    spread: f64,
    variance: f64,
}

impl<T: Real> Anp<T> {
    pub(super) fn new(model: &Model, options: &Options) -> Result<Self> {
        let description = model.description();
        let Some(numbers) = description.anp.clone() else {
            return fail!(State, "the model is no neural process");
        };
        let (Some(context), Some(targets)) = (options.context, options.targets) else {
            let missing = if options.context.is_none() { "context" } else { "targets" };
            return fail!(InvalidArgument, "option {missing} is not set, expected the largest number of points");
        };
        if options.dropout > 0.0 && options.latents == 0 {
            return fail!(InvalidArgument, "option dropout is {}, but latents is 0, expected >= 1", options.dropout);
        }
        let h = numbers.hidden;
        let dense = |name: &str| Dense::new(model, name);
        let attentions = |place: &str, count: usize| -> Result<Vec<Attention<T>>> {
            (0..count).map(|i| Attention::new(model, &format!("{place}.{i}"), h)).collect()
        };
        let first = model.tensor("decoder.linears.0.weight").to_f64();
        let share = |part: usize| columns(&first, 3 * h, 3 * h, part * h, h);
        let mut eps = zeros(options.latents.saturating_mul(h), "latent draws")?;
        let random = Philox::new(options.seed);
        for (s, row) in eps.chunks_exact_mut(h).enumerate() {
            random.normals(s as u64, 0, row);
        }
        Ok(Anp {
            arch: Arch::new(),
            latent_input: dense("latent_encoder.input_projection")?,
            latent_attentions: attentions("latent_encoder.self_attentions", numbers.self_attentions)?,
            penultimate: dense("latent_encoder.penultimate_layer")?,
            mu: dense("latent_encoder.mu")?,
            log_sigma: dense("latent_encoder.log_sigma")?,
            context_input: dense("deterministic_encoder.input_projection")?,
            context_attentions: attentions("deterministic_encoder.self_attentions", numbers.self_attentions)?,
            context_projection: dense("deterministic_encoder.context_projection")?,
            target_projection: dense("deterministic_encoder.target_projection")?,
            cross_attentions: attentions("deterministic_encoder.cross_attentions", numbers.cross_attentions)?,
            decoder_projection: dense("decoder.target_projection")?,
            first_r: share(0)?,
            first_z: share(1)?,
            first_x: share(2)?,
            first_bias: vector(model, "decoder.linears.0.bias"),
            decoder: (1..numbers.decoder_layers)
                .map(|i| dense(&format!("decoder.linears.{i}")))
                .collect::<Result<_>>()?,
            last: dense("decoder.final_projection")?,
            inputs: description.inputs.clone(),
            outputs: description.outputs.clone(),
            batch: options.batch,
            context,
            targets,
            tile: tile_rows::<T>(h),
            eps,
            latents: options.latents,
            dropout: Dropout::new(options.dropout, options.seed),
            numbers,
        })
    }

    /// Encodings of one function: one, or with dropout one a latent draw.
    fn encodings(&self) -> usize {
        if self.dropout.is_some() { self.latents } else { 1 }
    }

    /// Most values of a prediction.
    pub(super) fn room(&self) -> usize {
        self.batch.saturating_mul(self.targets).saturating_mul(self.numbers.dim_y)
    }

    pub(super) fn scratch(&self) -> Result<Scratch<T>> {
        let n = &self.numbers;
        let (h, rows) = (n.hidden, self.context.max(self.tile));
        let many = |count: usize, width: usize| zeros(count.saturating_mul(width), "a workspace");
        let memory = || -> Result<Memory<T>> {
            let share = h / n.heads;
            let packed = |outputs, inner| Packed::with_capacity(outputs, inner, "a workspace");
            Ok(Memory {
                keys: (0..n.heads).map(|_| packed(self.context, share)).collect::<Result<_>>()?,
                values: (0..n.heads).map(|_| packed(share, self.context)).collect::<Result<_>>()?,
            })
        };
        let mut encodings = Vec::new();
        let count = self.batch.saturating_mul(self.encodings());
        if encodings.try_reserve_exact(count).is_err() {
            return fail!(OutOfMemory, "no memory for {count} encodings");
        }
        for _ in 0..count {
            encodings.push(Encoding {
                mu: many(h, 1)?,
                log_variance: many(h, 1)?,
                memories: (0..n.cross_attentions).map(|_| memory()).collect::<Result<_>>()?,
            });
        }
        let latents = self.latents.max(1);
        let staged = self.room();
        Ok(Scratch {
            functions: 0,
            encodings,
            head_memory: memory()?,
            points: many(rows, n.dim_x)?,
            input: many(rows, n.dim_x + n.dim_y)?,
            hidden: many(rows, h)?,
            keys: many(rows, h)?,
            queries: many(rows, h)?,
            heads: many(rows, h)?,
            mixed: many(rows, h)?,
            scores: many(rows, self.context)?,
            inverse: many(rows, 1)?,
            latent: many(latents, h)?,
            latent_rows: many(latents, 3 * h)?,
            base: many(self.tile, 3 * h)?,
            wide: [many(self.tile, 3 * h)?, many(self.tile, 3 * h)?],
            parts: many(self.tile, 2 * n.dim_y)?,
            moments: many_moments(self.tile * n.dim_y)?,
            mean: zeros(staged, "a workspace")?,
            variance: zeros(staged, "a workspace")?,
        })
    }

    /// Encodes the context points x [functions, n, dim_x], y [functions, n, dim_y] of every function.
    pub(super) fn condition(&self, s: &mut Scratch<T>, x: &View, y: &View) -> Result<()> {
        let n = &self.numbers;
        let (functions, points) = match *x.layout().shape() {
            [points, _] => (1, points),
            [functions, points, _] => (functions, points),
            _ => return shape_error("context_x", x, "[functions, points, dim_x]"),
        };
        expect_shape("context_x", x.layout().shape(), functions, points, n.dim_x)?;
        expect_shape("context_y", y.layout().shape(), functions, points, n.dim_y)?;
        at_most("context_x", "functions", functions, self.batch, "batch")?;
        at_most("context_x", "points", points, self.context, "context")?;
        let (x, y) = (x.merged(), y.merged());
        for (name, view, dims) in [("context_x", &x, n.dim_x), ("context_y", &y, n.dim_y)] {
            finite(name, view, points, dims)?;
        }
        s.functions = 0;
        for function in 0..functions {
            for (array, width, offset, channels) in
                [(&x, n.dim_x, 0, &self.inputs), (&y, n.dim_y, n.dim_x, &self.outputs)]
            {
                let into = &mut s.input;
                scaled(array, function * points, points, width, channels, |p, c, v| {
                    into[p * (n.dim_x + n.dim_y) + offset + c] = v;
                });
            }
            scaled(&x, function * points, points, n.dim_x, &self.inputs, |p, c, v| s.points[p * n.dim_x + c] = v);
            for sample in 0..self.encodings() {
                self.encode(s, function * self.encodings() + sample, sample, points);
            }
        }
        let kept = &s.encodings[..functions * self.encodings()];
        if kept.iter().any(|e| !all_finite(&e.mu) || !all_finite(&e.log_variance)) {
            return fail!(NonFinite, "the context points overflow the network");
        }
        s.functions = functions;
        Ok(())
    }

    fn encode(&self, s: &mut Scratch<T>, index: usize, sample: usize, points: usize) {
        let (n, h) = (&self.numbers, self.numbers.hidden);
        let width = n.dim_x + n.dim_y;
        let mut block = Block { rows: points, points, first: 0, sample, layer: 0 };
        // The encoding is taken out while the other buffers of the scratch are in use.
        let mut encoding = std::mem::take(&mut s.encodings[index]);
        self.dense(points, &s.input, width, &self.latent_input, false, &mut s.hidden);
        for attention in &self.latent_attentions {
            self.attend_self(s, attention, block);
            block.layer += 1;
        }
        let share = T::ONE / T::from_f64(points as f64);
        let (pooled, hidden) = (&mut s.heads[..h], &mut s.keys[..h]);
        pooled.fill(T::ZERO);
        for row in s.hidden.chunks_exact(h).take(points) {
            add(self.arch, row, pooled);
        }
        pooled.iter_mut().for_each(|v| *v *= share);
        self.dense(1, pooled, h, &self.penultimate, true, hidden);
        self.dense(1, hidden, h, &self.mu, false, &mut encoding.mu);
        self.dense(1, hidden, h, &self.log_sigma, false, &mut encoding.log_variance);

        self.dense(points, &s.input, width, &self.context_input, false, &mut s.hidden);
        for attention in &self.context_attentions {
            self.attend_self(s, attention, block);
            block.layer += 1;
        }
        for (attention, memory) in self.cross_attentions.iter().zip(&mut encoding.memories) {
            self.dense(points, &s.points, n.dim_x, &self.context_projection, false, &mut s.keys);
            self.remember(attention, points, &s.keys, &s.hidden, &mut s.mixed, memory);
        }
        s.encodings[index] = encoding;
    }

    fn dense(&self, rows: usize, x: &[T], stride: usize, layer: &Dense<T>, relu: bool, y: &mut [T]) {
        let width = layer.weight.outputs();
        product(
            self.arch,
            Rows { data: x, stride, count: rows },
            &layer.weight,
            Start::Bias(&layer.bias),
            relu,
            y,
            width,
        );
    }

    /// Packs the keys of `key_rows` and the values of `value_rows`, head by head.
    fn remember(
        &self,
        attention: &Attention<T>,
        points: usize,
        key_rows: &[T],
        value_rows: &[T],
        buffer: &mut [T],
        memory: &mut Memory<T>,
    ) {
        let h = self.numbers.hidden;
        let share = h / self.numbers.heads;
        let project = |x: &[T], w: &Packed<T>, y: &mut [T]| {
            product(self.arch, Rows { data: x, stride: h, count: points }, w, Start::Zero, false, y, h)
        };
        project(key_rows, &attention.key, buffer);
        for (head, keys) in memory.keys.iter_mut().enumerate() {
            keys.pack(points, share, |point, i| buffer[point * h + head * share + i]);
        }
        project(value_rows, &attention.value, buffer);
        for (head, values) in memory.values.iter_mut().enumerate() {
            values.pack(share, points, |i, point| buffer[point * h + head * share + i]);
        }
    }

    /// Self-attention among the first rows of `hidden`, in place.
    fn attend_self(&self, s: &mut Scratch<T>, attention: &Attention<T>, block: Block) {
        let mut memory = std::mem::take(&mut s.head_memory);
        let mut x = std::mem::take(&mut s.hidden);
        self.remember(attention, block.points, &x, &x, &mut s.mixed, &mut memory);
        self.attend(s, attention, &memory, &mut x, block);
        s.hidden = x;
        s.head_memory = memory;
    }

    /// x = norm(x + final(x, heads(x))) for the rows of a block.
    fn attend(&self, s: &mut Scratch<T>, attention: &Attention<T>, memory: &Memory<T>, x: &mut [T], block: Block) {
        let (arch, h, heads) = (self.arch, self.numbers.hidden, self.numbers.heads);
        let Block { rows, points, first, sample, layer } = block;
        let share = h / heads;
        let here = Rows { data: &*x, stride: h, count: rows };
        let scale = T::ONE / T::from_f64(share as f64).sqrt();
        product(arch, here, &attention.query, Start::Zero, false, &mut s.queries, h);
        for head in 0..heads {
            let queries = Rows { data: &s.queries[head * share..], stride: h, count: rows };
            product(arch, queries, &memory.keys[head], Start::Zero, false, &mut s.scores, points);
            let scores = &mut s.scores[..rows * points];
            softmax(arch, scores, points, scale, &mut s.inverse[..rows]);
            if let Some(dropout) = &self.dropout {
                dropout.apply(scores, sample, layer * (heads + 1) + head, first * points);
            }
            let out = &mut s.heads[head * share..];
            product(
                arch,
                Rows { data: scores, stride: points, count: rows },
                &memory.values[head],
                Start::Zero,
                false,
                out,
                h,
            );
            for (row, inverse) in out.chunks_mut(h).zip(&s.inverse[..rows]) {
                row[..share].iter_mut().for_each(|v| *v *= *inverse);
            }
        }
        let from_heads = Rows { data: &s.heads, stride: h, count: rows };
        let out = &mut s.mixed[..rows * h];
        product(arch, here, &attention.final_query, Start::Bias(&attention.final_bias), false, out, h);
        product(arch, from_heads, &attention.final_heads, Start::Output, false, out, h);
        if let Some(dropout) = &self.dropout {
            dropout.apply(out, sample, layer * (heads + 1) + heads, first * h);
        }
        add(arch, out, &mut x[..rows * h]);
        layer_norm(
            arch,
            &mut x[..rows * h],
            &attention.gamma,
            &attention.beta,
            T::from_f64(self.numbers.layer_norm_eps),
        );
    }

    /// Mean and log variance of the latent density, [functions, hidden] each.
    pub(super) fn latent(&self, s: &Scratch<T>, mu: &mut ViewMut, log_variance: &mut ViewMut) -> Result<()> {
        self.conditioned(s)?;
        if self.dropout.is_some() {
            return fail!(State, "with dropout every draw has a latent density of its own");
        }
        let h = self.numbers.hidden;
        for (name, view) in [("mu", &*mu), ("log_variance", &*log_variance)] {
            expect_shape(name, view.layout().shape(), 1, s.functions, h)?;
        }
        apart("log_variance", log_variance, mu)?;
        let of_mu = |e: &Encoding<T>, i: usize| e.mu[i].to_f64();
        let of_log_variance = |e: &Encoding<T>, i: usize| e.log_variance[i].to_f64();
        self.check_latent(s, mu, of_mu)?;
        self.check_latent(s, log_variance, of_log_variance)?;
        self.write_latent(s, mu, of_mu);
        self.write_latent(s, log_variance, of_log_variance);
        Ok(())
    }

    fn check_latent(&self, s: &Scratch<T>, view: &ViewMut, at: impl Fn(&Encoding<T>, usize) -> f64) -> Result<()> {
        let encodings = s.encodings[..s.functions].iter();
        encodings
            .flat_map(|encoding| (0..self.numbers.hidden).map(move |i| (encoding, i)))
            .try_for_each(|(encoding, i)| in_range(view.dtype(), &[at(encoding, i)]))
    }

    fn write_latent(&self, s: &Scratch<T>, view: &mut ViewMut, at: impl Fn(&Encoding<T>, usize) -> f64) {
        let h = self.numbers.hidden;
        for (function, encoding) in s.encodings[..s.functions].iter().enumerate() {
            for i in 0..h {
                view.scatter(function * h + i, &[at(encoding, i)]);
            }
        }
    }

    fn conditioned(&self, s: &Scratch<T>) -> Result<()> {
        if s.functions == 0 {
            return fail!(State, "the workspace is not conditioned, expected context points first");
        }
        Ok(())
    }

    /// Mean and variance at the targets x [m, dim_x] or [functions, m, dim_x].
    pub(super) fn query(
        &self,
        s: &mut Scratch<T>,
        x: &View,
        eps: Option<&View>,
        mean: &mut ViewMut,
        variance: Option<&mut ViewMut>,
    ) -> Result<()> {
        self.conditioned(s)?;
        let n = &self.numbers;
        let (h, functions) = (n.hidden, s.functions);
        let (shared, targets) = check_targets(x, functions, n.dim_x, (self.targets, "targets"))?;
        expect_shape("mean", mean.layout().shape(), functions, targets, n.dim_y)?;
        if let Some(variance) = &variance {
            expect_shape("variance", variance.layout().shape(), functions, targets, n.dim_y)?;
            apart("variance", variance, mean)?;
        }
        let x = x.merged();
        let eps = eps.map(View::merged);
        if let Some(eps) = &eps {
            if self.latents == 0 {
                return fail!(InvalidArgument, "eps is given, but the plan predicts at the mean latent (latents is 0)");
            }
            // The draws of every function, or the same for all.
            let each = self.latents * functions * h;
            if eps.layout().len() != each && eps.layout().len() != self.latents * h {
                return fail!(
                    Shape,
                    "eps has {} elements, expected [{}, {functions}, {h}] or [{}, {h}]",
                    eps.layout().len(),
                    self.latents,
                    self.latents
                );
            }
            finite("eps", eps, functions, h)?;
        }
        for function in 0..functions {
            self.draw_latents(s, function, eps.as_ref());
            for first in (0..targets).step_by(self.tile) {
                let rows = self.tile.min(targets - first);
                let start = if shared { first } else { function * targets + first };
                scaled(&x, start, rows, n.dim_x, &self.inputs, |p, c, v| s.points[p * n.dim_x + c] = v);
                self.predict_tile(s, function, first, rows, targets);
            }
        }
        let staged = functions * targets * n.dim_y;
        if !all_finite(&s.mean[..staged]) || !all_finite(&s.variance[..staged]) {
            return fail!(
                NonFinite,
                "the prediction overflows: context or target points far outside the training range"
            );
        }
        let range = |view: &ViewMut, values: &[f64]| values.iter().all(|v| v.abs() <= view.dtype().max());
        if !range(mean, &s.mean[..staged]) || variance.as_ref().is_some_and(|v| !range(v, &s.variance[..staged])) {
            return fail!(NonFinite, "the prediction is beyond the range of f32");
        }
        mean.scatter(0, &s.mean[..staged]);
        if let Some(variance) = variance {
            variance.scatter(0, &s.variance[..staged]);
        }
        Ok(())
    }

    /// Rows z of every draw, and what the first decoder layer makes of them.
    fn draw_latents(&self, s: &mut Scratch<T>, function: usize, eps: Option<&View>) {
        let h = self.numbers.hidden;
        let latents = self.latents.max(1);
        for draw in 0..latents {
            let encoding = &s.encodings[function * self.encodings() + draw.min(self.encodings() - 1)];
            let z = &mut s.latent[draw * h..][..h];
            z.copy_from_slice(&encoding.mu);
            if self.latents == 0 {
                continue;
            }
            let mut row = [0.0; 64];
            for (i, z) in z.chunks_mut(row.len()).enumerate() {
                let first = i * row.len();
                let row = &mut row[..z.len()];
                match eps {
                    None => row.copy_from_slice(&self.eps[draw * h + first..][..z.len()]),
                    Some(eps) => {
                        let functions = eps.layout().len() / (self.latents * h);
                        eps.gather((draw * functions + function % functions) * h + first, row);
                    }
                }
                for ((z, log_variance), e) in z.iter_mut().zip(&encoding.log_variance[first..]).zip(row) {
                    let sigma = T::from_f64(libm::exp(0.5 * log_variance.to_f64()));
                    *z += sigma * T::from_f64(*e);
                }
            }
        }
        let z = Rows { data: &s.latent, stride: h, count: latents };
        product(self.arch, z, &self.first_z, Start::Zero, false, &mut s.latent_rows, 3 * h);
    }

    /// Predicts targets first .. first + rows of a function, whose scaled coordinates are in `points`.
    fn predict_tile(&self, s: &mut Scratch<T>, function: usize, first: usize, rows: usize, targets: usize) {
        let n = &self.numbers;
        let (h, y) = (n.hidden, n.dim_y);
        let encodings = self.encodings();
        let latents = self.latents.max(1);
        s.moments[..rows * y].fill(Moments::default());
        for draw in 0..latents {
            if draw < encodings {
                self.represent(s, function * encodings + draw, first, rows, draw);
            }
            let [hidden, next] = &mut s.wide;
            add_row_relu(self.arch, &s.base[..rows * 3 * h], &s.latent_rows[draw * 3 * h..][..3 * h], hidden);
            for layer in &self.decoder {
                self.dense(rows, hidden, 3 * h, layer, true, next);
                std::mem::swap(hidden, next);
            }
            self.dense(rows, hidden, 3 * h, &self.last, false, &mut s.parts);
            for (p, parts) in s.parts.chunks_exact(2 * y).take(rows).enumerate() {
                for c in 0..y {
                    let sigma = softplus(parts[y + c].to_f64()) + n.min_sigma;
                    s.moments[p * y + c].push(parts[c].to_f64(), sigma * sigma, draw);
                }
            }
        }
        for (i, m) in s.moments[..rows * y].iter().enumerate() {
            let channel = &self.outputs[i % y];
            let (mean, variance) = m.total(latents);
            let at = (function * targets + first) * y + i;
            s.mean[at] = channel.offset + channel.scale * mean;
            s.variance[at] = channel.scale * channel.scale * variance;
        }
    }

    /// The part of the first decoder layer that no latent changes: bias + W_r r + W_x target.
    fn represent(&self, s: &mut Scratch<T>, encoding: usize, first: usize, rows: usize, sample: usize) {
        let (h, dim_x) = (self.numbers.hidden, self.numbers.dim_x);
        let held = std::mem::take(&mut s.encodings[encoding]);
        let mut r = std::mem::take(&mut s.hidden);
        self.dense(rows, &s.points, dim_x, &self.target_projection, false, &mut r);
        let points = held.memories[0].keys[0].outputs();
        let layer = self.latent_attentions.len() + self.context_attentions.len();
        let mut block = Block { rows, points, first, sample, layer };
        for (attention, memory) in self.cross_attentions.iter().zip(&held.memories) {
            self.attend(s, attention, memory, &mut r, block);
            block.layer += 1;
        }
        let width = 3 * h;
        let bias = Start::Bias(&self.first_bias);
        product(self.arch, Rows { data: &r, stride: h, count: rows }, &self.first_r, bias, false, &mut s.base, width);
        self.dense(rows, &s.points, dim_x, &self.decoder_projection, false, &mut r);
        product(
            self.arch,
            Rows { data: &r, stride: h, count: rows },
            &self.first_x,
            Start::Output,
            false,
            &mut s.base,
            width,
        );
        s.hidden = r;
        s.encodings[encoding] = held;
    }
}

// Left behind while an encoding or a memory is taken out of the scratch; neither allocates.
impl<T> Default for Memory<T> {
    fn default() -> Self {
        Memory { keys: Vec::new(), values: Vec::new() }
    }
}

impl<T> Default for Encoding<T> {
    fn default() -> Self {
        Encoding { mu: Vec::new(), log_variance: Vec::new(), memories: Vec::new() }
    }
}

impl Moments {
    fn push(&mut self, mean: f64, variance: f64, before: usize) {
        let step = mean - self.mean;
        self.mean += step / (before + 1) as f64;
        self.spread += step * (mean - self.mean);
        self.variance += variance;
    }

    /// Mean and variance of the mixture of `count` parts.
    fn total(&self, count: usize) -> (f64, f64) {
        let between = if count > 1 { self.spread / (count - 1) as f64 } else { 0.0 };
        (self.mean, self.variance / count as f64 + between)
    }
}

fn many_moments(count: usize) -> Result<Vec<Moments>> {
    zeros(count, "a workspace")
}

/// log(1 + e^x).
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
}
