//! The attentive neural process of ProbConserv (Hansen et al., ICML 2023): its `anp.py` and `module.py`.

use serde_json::json;

use super::settings::Settings;
use super::state::{State, Tensor};
use super::textbook::{Field, activation};
use super::write::Output;
use super::{Draft, Stored};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// Metadata entries that are settings.
pub const PLAIN: &[&str] = &["num_hidden", "n_heads", "dim_x", "dim_y", "min_sigma"];

/// Context and target points of the self-test.
const POINTS: [usize; 2] = [7, 9];

pub fn draft<'a>(state: &'a State, settings: &Settings) -> Result<Draft<'a>> {
    let network = Network::take(state)?;
    let (hidden, dim_x, dim_y) = (network.hidden, network.dim_x, network.dim_y);
    settings.agree("num_hidden", hidden)?;
    settings.agree("dim_x", dim_x)?;
    settings.agree("dim_y", dim_y)?;
    let heads = settings.count("n_heads", 4)?;
    if heads == 0 || !hidden.is_multiple_of(heads) {
        return refuse!("setting n_heads is {heads}, expected a divisor of the width {hidden}");
    }
    let min_sigma = settings.number("min_sigma", 1e-3)?;
    let eps = settings.number("layer_norm_eps", 1e-5)?;
    let dropout = settings.number("dropout", 0.1)?;

    let mut draws = Draws::new(4);
    let mut points =
        |count: usize, channels: usize| Field { grid: vec![count], channels, values: draws.take(count * channels) };
    let (context_x, context_y, target_x) =
        (points(POINTS[0], dim_x), points(POINTS[0], dim_y), points(POINTS[1], dim_x));
    let [mean, variance] = network.predict(&context_x, &context_y, &target_x, heads, eps, min_sigma);
    Ok(Draft {
        fields: json!({
            "architecture": "anp",
            "anp": {
                "hidden": hidden, "heads": heads, "dim_x": dim_x, "dim_y": dim_y,
                "self_attentions": network.latent.attentions.len(), "cross_attentions": network.cross.len(),
                "decoder_layers": network.decoder.len(), "min_sigma": min_sigma, "layer_norm_eps": eps, "dropout": dropout,
            },
        }),
        inputs: dim_x,
        outputs: dim_y,
        scaling: vec![],
        selftest: vec![
            Stored::field("context_x", &context_x),
            Stored::field("context_y", &context_y),
            Stored::field("target_x", &target_x),
            Stored::field("mean", &mean),
            Stored::field("variance", &variance),
        ],
        tolerance: 1e-9,
        weights: network.weights(state),
    })
}

/// Weight and bias.
struct Layer<'a>(Tensor<'a>, Tensor<'a>);

struct Attention<'a> {
    key: Tensor<'a>,
    value: Tensor<'a>,
    query: Tensor<'a>,
    last: Layer<'a>,
    norm: Layer<'a>,
}

/// Input projection and self-attention.
struct Encoder<'a> {
    input: Layer<'a>,
    attentions: Vec<Attention<'a>>,
}

struct Network<'a> {
    hidden: usize,
    dim_x: usize,
    dim_y: usize,
    latent: Encoder<'a>,
    penultimate: Layer<'a>,
    mu: Layer<'a>,
    deterministic: Encoder<'a>,
    context: Layer<'a>,
    target: Layer<'a>,
    cross: Vec<Attention<'a>>,
    decoder_target: Layer<'a>,
    decoder: Vec<Layer<'a>>,
    last: Layer<'a>,
    names: Vec<String>,
}

impl<'a> Network<'a> {
    fn take(state: &'a State) -> Result<Network<'a>> {
        let mut names = Vec::new();
        let mut tensor = |name: String, shape: &[usize]| {
            let tensor = state.take(&name)?.expect(shape);
            names.push(name);
            tensor
        };
        let weight = "linear_layer.weight";
        let extent = |name: &str, axis: usize| -> Result<usize> {
            Ok(state.take(&format!("{name}.{weight}"))?.shape.get(axis).copied().unwrap_or(0))
        };
        let hidden = extent("latent_encoder.mu", 0)?;
        let dim_x = extent("decoder.target_projection", 1)?;
        let dim_y = extent("decoder.final_projection", 0)? / 2;
        if hidden == 0 || dim_x == 0 || dim_y == 0 {
            return refuse!(
                "the network has width {hidden}, {dim_x} coordinates and {dim_y} outputs, expected at least 1 each"
            );
        }
        let mut layer = |name: &str, outputs: usize, inputs: usize| -> Result<Layer<'a>> {
            let weight = tensor(format!("{name}.{weight}"), &[outputs, inputs])?;
            Ok(Layer(weight, tensor(format!("{name}.linear_layer.bias"), &[outputs])?))
        };
        let h = hidden;
        let latent_input = layer("latent_encoder.input_projection", h, dim_x + dim_y)?;
        let penultimate = layer("latent_encoder.penultimate_layer", h, h)?;
        let mu = layer("latent_encoder.mu", h, h)?;
        layer("latent_encoder.log_sigma", h, h)?;
        let deterministic_input = layer("deterministic_encoder.input_projection", h, dim_x + dim_y)?;
        let context = layer("deterministic_encoder.context_projection", h, dim_x)?;
        let target = layer("deterministic_encoder.target_projection", h, dim_x)?;
        let decoder_target = layer("decoder.target_projection", h, dim_x)?;
        let layers = state.count(|i| format!("decoder.linears.{i}.{weight}"));
        let decoder: Result<Vec<Layer>> =
            (0..layers).map(|i| layer(&format!("decoder.linears.{i}"), 3 * h, 3 * h)).collect();
        let decoder = decoder?;
        let last = layer("decoder.final_projection", 2 * dim_y, 3 * h)?;
        let mut attentions = |place: &str| -> Result<Vec<Attention<'a>>> {
            let count = state.count(|i| format!("{place}.{i}.encoder_key.{weight}"));
            let one = |i: usize| -> Result<Attention<'a>> {
                let mut part = |part: &str, shape: &[usize]| tensor(format!("{place}.{i}.{part}"), shape);
                Ok(Attention {
                    key: part("encoder_key.linear_layer.weight", &[h, h])?,
                    value: part("encoder_value.linear_layer.weight", &[h, h])?,
                    query: part("encoder_query.linear_layer.weight", &[h, h])?,
                    last: Layer(
                        part("final_linear.linear_layer.weight", &[h, 2 * h])?,
                        part("final_linear.linear_layer.bias", &[h])?,
                    ),
                    norm: Layer(part("layer_norm.weight", &[h])?, part("layer_norm.bias", &[h])?),
                })
            };
            (0..count).map(one).collect()
        };
        let latent = Encoder { input: latent_input, attentions: attentions("latent_encoder.self_attentions")? };
        let deterministic =
            Encoder { input: deterministic_input, attentions: attentions("deterministic_encoder.self_attentions")? };
        let cross = attentions("deterministic_encoder.cross_attentions")?;
        if latent.attentions.len() != deterministic.attentions.len() {
            return refuse!(
                "latent_encoder has {} self-attentions and deterministic_encoder {}, expected as many",
                latent.attentions.len(),
                deterministic.attentions.len()
            );
        }
        Ok(Network {
            hidden,
            dim_x,
            dim_y,
            latent,
            penultimate,
            mu,
            deterministic,
            context,
            target,
            cross,
            decoder_target,
            decoder,
            last,
            names,
        })
    }

    /// The model file has the same names without `.linear_layer`.
    fn weights(self, state: &'a State) -> Vec<Output<'a>> {
        let copy = |name: &String| Some(Output::copy(name.replace(".linear_layer", ""), state.take(name).ok()?));
        self.names.iter().filter_map(copy).collect()
    }

    /// Mean and variance at the mean latent: `ANP.forward` with z = mu.
    fn predict(
        &self,
        context_x: &Field,
        context_y: &Field,
        target_x: &Field,
        heads: usize,
        eps: f64,
        min_sigma: f64,
    ) -> [Field; 2] {
        let relu = activation("relu").expect("known");
        let softplus = activation("softplus").expect("known");
        let attend =
            |a: &Attention, key: &Field, value: &Field, query: &Field| a.forward(key, value, query, heads, eps);
        let pairs = beside(&[context_x, context_y]);
        let encode = |encoder: &Encoder| {
            encoder.attentions.iter().fold(encoder.input.forward(&pairs), |x, a| attend(a, &x, &x, &x))
        };

        let encoded = encode(&self.latent);
        let mut mean = Field::zeros(&[1], self.hidden);
        for row in encoded.values.chunks_exact(self.hidden) {
            mean.values.iter_mut().zip(row).for_each(|(m, v)| *m += v / encoded.grid[0] as f64);
        }
        let z = self.mu.forward(&self.penultimate.forward(&mean).map(relu));

        let values = encode(&self.deterministic);
        let keys = self.context.forward(context_x);
        let r = self.cross.iter().fold(self.target.forward(target_x), |q, a| attend(a, &keys, &values, &q));

        let count = target_x.grid[0];
        let z = Field { grid: vec![count], channels: self.hidden, values: z.values.repeat(count) };
        let x = beside(&[&r, &z, &self.decoder_target.forward(target_x)]);
        let x = self.decoder.iter().fold(x, |x, layer| layer.forward(&x).map(relu));
        let parts = self.last.forward(&x);
        let y = self.dim_y;
        let mut results = [Field::zeros(&[count], y), Field::zeros(&[count], y)];
        for (point, row) in parts.values.chunks_exact(2 * y).enumerate() {
            for c in 0..y {
                results[0].values[point * y + c] = row[c];
                results[1].values[point * y + c] = (softplus(row[y + c]) + min_sigma).powi(2);
            }
        }
        results
    }
}

impl Layer<'_> {
    fn forward(&self, x: &Field) -> Field {
        x.linear(&self.0, Some(&self.1))
    }
}

impl Attention<'_> {
    fn forward(&self, key: &Field, value: &Field, query: &Field, heads: usize, eps: f64) -> Field {
        let (k, v, q) = (key.linear(&self.key, None), value.linear(&self.value, None), query.linear(&self.query, None));
        let (h, share) = (query.channels, query.channels / heads);
        let mut out = Field::zeros(&query.grid, h);
        for (row, to) in q.values.chunks_exact(h).zip(out.values.chunks_exact_mut(h)) {
            for head in 0..heads {
                let part = head * share..(head + 1) * share;
                let dot =
                    |key: &[f64]| -> f64 { row[part.clone()].iter().zip(&key[part.clone()]).map(|(a, b)| a * b).sum() };
                let scores: Vec<f64> = k.values.chunks_exact(h).map(|key| dot(key) / (share as f64).sqrt()).collect();
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let shares: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let total: f64 = shares.iter().sum();
                for (value, weight) in v.values.chunks_exact(h).zip(&shares) {
                    for c in part.clone() {
                        to[c] += weight / total * value[c];
                    }
                }
            }
        }
        let mut out = self.last.forward(&beside(&[query, &out])).plus(query);
        for row in out.values.chunks_exact_mut(h) {
            let mean = row.iter().sum::<f64>() / h as f64;
            let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / h as f64;
            for (c, v) in row.iter_mut().enumerate() {
                *v = (*v - mean) / (variance + eps).sqrt() * self.norm.0.at(c) + self.norm.1.at(c);
            }
        }
        out
    }
}

/// Channels of several fields on the same points, one after the other.
fn beside(fields: &[&Field]) -> Field {
    let channels = fields.iter().map(|f| f.channels).sum();
    let point = |p: usize| fields.iter().flat_map(move |f| f.values[p * f.channels..][..f.channels].to_vec());
    Field { grid: fields[0].grid.clone(), channels, values: (0..fields[0].points()).flat_map(point).collect() }
}
