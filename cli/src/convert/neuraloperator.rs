//! `FNO` and `TFNO` of neuraloperator 1.0 and 2.0.

use serde_json::{Value, json};

use super::corners::dense;
use super::factors::Factors;
use super::settings::Settings;
use super::state::{State, Tensor};
use super::textbook::fourier::{Corner, convolution, frequencies};
use super::textbook::{ACTIVATIONS, Field, activation};
use super::write::Output;
use super::{Draft, Stored, test_grid};
use crate::draws::Draws;
use crate::error::{Result, refuse};

/// A pointwise connection.
enum Skip<'a> {
    Linear(Tensor<'a>),
    Gate(Tensor<'a>),
    Identity,
    None,
}

/// Weights of a spectral convolution.
enum Spectrum<'a> {
    Whole(Tensor<'a>),
    Factors(Factors<'a>),
}

/// Weight and bias.
type Layer<'a> = (Tensor<'a>, Tensor<'a>);

struct Block<'a> {
    spectrum: Spectrum<'a>,
    bias: Option<Tensor<'a>>,
    skip: Skip<'a>,
    mlp: Option<[Layer<'a>; 2]>,
    mlp_skip: Skip<'a>,
    norms: Vec<Layer<'a>>,
}

struct Network<'a> {
    lifting: Vec<Layer<'a>>,
    projection: Vec<Layer<'a>>,
    blocks: Vec<Block<'a>>,
    width: usize,
    modes: Vec<usize>,
    /// Bounds of the coordinates.
    bounds: Option<Vec<[f64; 2]>>,
    /// Padding, as a fraction of the points.
    padding: Option<Vec<f64>>,
    activation: &'a str,
    instance_norm: bool,
    odd_shift: bool,
}

pub fn draft<'a>(state: &'a State, settings: &'a Settings) -> Result<Draft<'a>> {
    let network = Network::take(state, settings)?;
    let axes = network.modes.len();
    let lifted = network.lifting[0].0.shape[1];
    let inputs = if network.bounds.is_some() { lifted.saturating_sub(axes) } else { lifted };
    if inputs == 0 {
        return refuse!("lifting.fcs.0.weight takes {lifted} channels, expected more than the {axes} coordinates");
    }
    let outputs = network.projection[network.projection.len() - 1].0.shape[0];
    settings.agree("in_channels", inputs)?;
    settings.agree("out_channels", outputs)?;

    let grid = test_grid(&network.modes);
    let input = Field { values: Draws::new(3).take(grid.iter().product::<usize>() * inputs), channels: inputs, grid };
    let output = network.evaluate(&input);
    let factorised = network.blocks.iter().any(|block| matches!(block.spectrum, Spectrum::Factors(_)));
    Ok(Draft {
        fields: json!({"architecture": "fno", "fno": network.numbers()}),
        inputs,
        outputs,
        scaling: vec![],
        selftest: vec![Stored::field("input", &input), Stored::field("output", &output)],
        // What factors give is rounded to their type when it is written in full.
        tolerance: if factorised { 1e-5 } else { 1e-9 },
        weights: network.weights(),
    })
}

impl<'a> Network<'a> {
    fn take(state: &'a State, settings: &'a Settings) -> Result<Network<'a>> {
        for (name, allowed) in [
            ("complex_data", &[json!(false)][..]),
            ("resolution_scaling_factor", &[json!(1), json!(1.0)]),
            ("fno_block_precision", &[json!("full")]),
            ("stabilizer", &[]),
            ("separable", &[json!(false)]),
            ("preactivation", &[json!(false)]),
            ("max_n_modes", &[]),
            ("conv_module", &[json!("SpectralConv")]),
        ] {
            settings.only(name, allowed)?;
        }
        settings.ignore(&[
            "lifting_channel_ratio",
            "projection_channel_ratio",
            "channel_mlp_expansion",
            "channel_mlp_dropout",
            "rank",
            "fixed_rank_modes",
            "implementation",
            "decomposition_kwargs",
            "_version",
            "_name",
            "args",
        ]);
        let activation = settings.word("non_linearity", "gelu", &ACTIVATIONS)?;
        let dense_layer = |name: &str| -> Result<Layer<'a>> {
            let weight = state.take(&format!("{name}.weight"))?.squeezed(2)?;
            let bias = state.take(&format!("{name}.bias"))?.expect(&weight.shape[..1])?;
            Ok((weight, bias))
        };
        let network = |name: &str| -> Result<Vec<Layer<'a>>> {
            let count = state.count(|i| format!("{name}.fcs.{i}.weight")).max(1);
            (0..count).map(|i| dense_layer(&format!("{name}.fcs.{i}"))).collect()
        };
        let (lifting, projection) = (network("lifting")?, network("projection")?);
        let width = projection[0].0.shape[1];
        let count = state.count(|b| format!("fno_blocks.convs.{b}.bias"));
        let count = count.max(
            state
                .names()
                .filter_map(|name| {
                    name.strip_prefix("fno_blocks.convs.")?.split_once(".weight")?.0.parse::<usize>().ok()
                })
                .map(|b| b + 1)
                .max()
                .unwrap_or(0),
        );
        if count == 0 || count > 1024 {
            return refuse!(
                "tensor fno_blocks.convs.0.weight.tensor is missing: no state dict of neuraloperator's FNO"
            );
        }
        let mlp = state.has("fno_blocks.channel_mlp.0.fcs.0.weight");
        if settings.flag("use_channel_mlp", mlp)? != mlp {
            return refuse!("setting use_channel_mlp is {}, but the tensors say {mlp}", !mlp);
        }
        if mlp && activation != "gelu" {
            return refuse!(
                "setting non_linearity is {activation}, expected gelu: neuraloperator keeps gelu in its channel networks, and pcml has one \
                 activation"
            );
        }
        let norm = settings.word("norm", "none", &["none", "group_norm", "instance_norm"])?;
        let group = state.has("fno_blocks.norm.0.weight");
        if group && norm == "instance_norm" || !group && norm == "group_norm" {
            return refuse!("setting norm is {norm}, which does not fit tensor fno_blocks.norm.0.weight");
        }
        let mut blocks = Vec::new();
        for b in 0..count {
            let name = format!("fno_blocks.convs.{b}.weight");
            let whole = [format!("{name}.tensor"), name.clone()].into_iter().find(|name| state.has(name));
            let spectrum = match whole {
                Some(name) => {
                    let tensor = state.take(&name)?;
                    if !(4..=6).contains(&tensor.shape.len()) || tensor.shape[tensor.shape.len() - 1] != 2 {
                        return refuse!(
                            "tensor {name} has shape {:?}, expected complex numbers [in, out, 1 to 3 axes]",
                            tensor.shape
                        );
                    }
                    Spectrum::Whole(tensor)
                }
                None => Spectrum::Factors(Factors::take(state, &name)?),
            };
            let bias = format!("fno_blocks.convs.{b}.bias");
            let bias = if state.has(&bias) { Some(state.take(&bias)?.squeezed(1)?.expect(&[width])?) } else { None };
            let connection = |place: &str, setting: &str| -> Result<Skip<'a>> {
                let name = format!("fno_blocks.{place}.{b}");
                if state.has(&format!("{name}.conv.weight")) {
                    let weight = state.take(&format!("{name}.conv.weight"))?.squeezed(2)?.expect(&[width, width])?;
                    return Ok(Skip::Linear(weight));
                }
                if state.has(&format!("{name}.weight")) {
                    let weight = state.take(&format!("{name}.weight"))?;
                    let (found, shape) = (weight.elements(), weight.shape.clone());
                    if found != width {
                        return refuse!("tensor {name}.weight has shape {shape:?}, expected {width} factors");
                    }
                    return Ok(Skip::Gate(weight));
                }
                if settings.is_null(setting) {
                    return Ok(Skip::None);
                }
                match settings.word(setting, "", &["identity", "none"]) {
                    Ok("identity") => Ok(Skip::Identity),
                    Ok("none") => Ok(Skip::None),
                    _ => refuse!(
                        "there is no tensor {name}.conv.weight or {name}.weight: setting {setting} says identity or none"
                    ),
                }
            };
            let skip = connection("fno_skips", "fno_skip")?;
            let (mut network, mut mlp_skip) = (None, Skip::None);
            if mlp {
                let name = format!("fno_blocks.channel_mlp.{b}.fcs");
                network = Some([dense_layer(&format!("{name}.0"))?, dense_layer(&format!("{name}.1"))?]);
                mlp_skip = connection("channel_mlp_skips", "channel_mlp_skip")?;
            }
            let norms: Result<Vec<Layer<'a>>> = (0..if group { 2 } else { 0 })
                .map(|j| {
                    let name = format!("fno_blocks.norm.{}", 2 * b + j);
                    let part = |part: &str| state.take(&format!("{name}.{part}"))?.expect(&[width]);
                    Ok((part("weight")?, part("bias")?))
                })
                .collect();
            blocks.push(Block { spectrum, bias, skip, mlp: network, mlp_skip, norms: norms? });
        }
        for (name, skip) in [("fno_skip", &blocks[0].skip), ("channel_mlp_skip", &blocks[0].mlp_skip)] {
            let is_read = name == "fno_skip" || mlp;
            if let Some(said) = settings.get(name)
                && is_read
                && said != skip.kind()
            {
                return refuse!("setting {name} is {said}, but the tensors say {}", skip.kind());
            }
        }
        let shape = blocks[0].spectrum.shape();
        if shape.len() < 3 || shape.len() > 5 || shape[..2] != [width, width] {
            return refuse!("the spectral weights of block 0 are {shape:?}, expected [{width}, {width}, 1 to 3 axes]");
        }
        let modes = shape[2..].to_vec();
        let axes = modes.len();
        for (b, block) in blocks.iter().enumerate() {
            if block.spectrum.shape() != shape {
                return refuse!(
                    "the spectral weights of block {b} are {:?}, expected {shape:?} as in block 0",
                    block.spectrum.shape()
                );
            }
            let kind = block.spectrum.kind();
            if let Some(said) = settings.get("factorization")
                && said.as_str().is_none_or(|said| said.to_lowercase() != kind)
            {
                return refuse!("setting factorization is {said}, but the tensors of block {b} are {kind}");
            }
            if block.skip.kind() != blocks[0].skip.kind()
                || block.mlp_skip.kind() != blocks[0].mlp_skip.kind()
                || block.bias.is_some() != blocks[0].bias.is_some()
            {
                return refuse!("block {b} has other connections than block 0");
            }
            if let (Some([first, second]), Some([like, _])) = (&block.mlp, &blocks[0].mlp)
                && (first.0.shape != like.0.shape
                    || second.0.shape != [width, like.0.shape[0]]
                    || like.0.shape[1] != width)
            {
                return refuse!("tensor {} has shape {:?}, expected that of block 0", first.0.name, first.0.shape);
            }
        }
        if let Some(said) = settings.counts("n_modes", axes)? {
            let mut kept = said.clone();
            kept[axes - 1] = kept[axes - 1] / 2 + 1;
            if kept != modes {
                return refuse!(
                    "setting n_modes is {said:?}, which keeps {kept:?} modes, but the tensors have {modes:?}"
                );
            }
        }
        settings.agree("hidden_channels", width)?;
        settings.agree("n_layers", blocks.len())?;
        for (name, layers) in [("lifting", &lifting), ("projection", &projection)] {
            let ends = if name == "lifting" { layers[layers.len() - 1].0.shape[0] } else { layers[0].0.shape[1] };
            if ends != width || layers.windows(2).any(|pair| pair[1].0.shape[1] != pair[0].0.shape[0]) {
                return refuse!("the layers of {name} do not follow on each other, or not on {width} channels");
            }
        }
        let embedded = !settings.is_null("positional_embedding")
            && settings.word("positional_embedding", "grid", &["grid", "none"])? == "grid";
        let mut bounds = embedded.then(|| vec![[0.0, 1.0]; axes]);
        if let Some(value) = settings.get("grid_boundaries") {
            let list: Option<Vec<[f64; 2]>> = serde_json::from_value(value.clone()).ok();
            match list {
                Some(list) if list.len() == axes && embedded => bounds = Some(list),
                _ => {
                    return refuse!(
                        "setting grid_boundaries is {value}, expected [first, last] of each of {axes} axes"
                    );
                }
            }
        }
        let padding = settings.numbers("domain_padding", axes)?.filter(|list| list.iter().any(|p| *p > 0.0));
        Ok(Network {
            lifting,
            projection,
            blocks,
            width,
            modes,
            bounds,
            padding,
            activation,
            instance_norm: norm == "instance_norm",
            odd_shift: settings.flag("odd_shift", true)?,
        })
    }

    fn numbers(&self) -> Value {
        let hidden =
            |layers: &[Layer]| -> Vec<usize> { layers[..layers.len() - 1].iter().map(|l| l.0.shape[0]).collect() };
        let first = &self.blocks[0];
        let mut fno = json!({
            "width": self.width, "blocks": self.blocks.len(), "modes": self.modes,
            "lifting": hidden(&self.lifting), "projection": hidden(&self.projection),
            "activation": self.activation, "skip": first.skip.kind(), "spectral_bias": first.bias.is_some(), "final_activation": true,
            "odd_shift": self.odd_shift,
        });
        if let Some(bounds) = &self.bounds {
            fno["coordinates"] = json!({"span": "half-open", "bounds": bounds});
        }
        if let Some(padding) = &self.padding {
            fno["padding"] = json!({"sides": "both", "fraction": padding});
        }
        if let Some([hidden, _]) = &first.mlp {
            fno["mlp"] = json!({"hidden": hidden.0.shape[0], "skip": first.mlp_skip.kind()});
        }
        if self.instance_norm {
            fno["norm"] = json!({"kind": "instance", "eps": 1e-5});
        } else if !first.norms.is_empty() {
            fno["norm"] = json!({"kind": "group", "groups": 1, "eps": 1e-5});
        }
        fno
    }

    fn weights(self) -> Vec<Output<'a>> {
        let mut out = Vec::new();
        let mut layer = |name: String, (weight, bias): Layer<'a>| {
            out.push(Output::copy(format!("{name}.weight"), weight));
            out.push(Output::copy(format!("{name}.bias"), bias));
        };
        for (name, layers) in [("lifting", self.lifting), ("projection", self.projection)] {
            layers.into_iter().enumerate().for_each(|(i, l)| layer(format!("{name}.{i}"), l));
        }
        let mut singles = Vec::new();
        for (b, block) in self.blocks.into_iter().enumerate() {
            for (i, l) in block.mlp.into_iter().flatten().enumerate() {
                layer(format!("blocks.{b}.mlp.{i}"), l);
            }
            for (i, l) in block.norms.into_iter().enumerate() {
                layer(format!("blocks.{b}.norm.{i}"), l);
            }
            let name = format!("blocks.{b}.spectral.weight");
            singles.push(match block.spectrum {
                Spectrum::Whole(tensor) => Output::copy(name, tensor),
                Spectrum::Factors(factors) => factors.output(name),
            });
            singles.extend(block.bias.map(|bias| Output::copy(format!("blocks.{b}.spectral.bias"), bias)));
            for (place, skip) in [("skip", block.skip), ("mlp_skip", block.mlp_skip)] {
                let name = format!("blocks.{b}.{place}.weight");
                match skip {
                    Skip::Linear(weight) => singles.push(Output::copy(name, weight)),
                    Skip::Gate(mut weight) => {
                        weight.shape = vec![self.width];
                        singles.push(Output::copy(name, weight));
                    }
                    Skip::Identity | Skip::None => {}
                }
            }
        }
        out.extend(singles);
        out
    }

    /// `FNO.forward`.
    fn evaluate(&self, input: &Field) -> Field {
        let f = activation(self.activation).expect("a known activation");
        let network = |layers: &[Layer], mut x: Field| {
            for (i, (weight, bias)) in layers.iter().enumerate() {
                x = x.linear(weight, Some(bias));
                x = if i + 1 < layers.len() { x.map(f) } else { x };
            }
            x
        };
        let x = match &self.bounds {
            Some(bounds) => input.with_coordinates(|axis, i, n| {
                let [low, high] = bounds[axis];
                low + (high - low) * i as f64 / n as f64
            }),
            None => input.clone(),
        };
        let x = network(&self.lifting, x);
        let cells: Vec<usize> = match &self.padding {
            Some(fractions) => {
                fractions.iter().zip(&input.grid).map(|(p, n)| (p * *n as f64).round_ties_even() as usize).collect()
            }
            None => vec![0; input.grid.len()],
        };
        let mut x = x.padded(&cells, &cells);
        for (b, block) in self.blocks.iter().enumerate() {
            let inner = b + 1 < self.blocks.len();
            let mut y = convolution(&x, self.width, &[self.corner(block, &x.grid)]);
            if let Some(bias) = &block.bias {
                y = y.biased(bias);
            }
            y = self.normalised(y, block.norms.first());
            y = block.skip.joined(y, &x);
            if inner {
                y = y.map(f);
            }
            if let Some(layers) = &block.mlp {
                y = block.mlp_skip.joined(network(layers, y), &x);
            }
            y = self.normalised(y, block.norms.get(1));
            x = if inner { y.map(f) } else { y };
        }
        network(&self.projection, x.cropped(&cells, &input.grid))
    }

    /// Frequencies around 0 between two `fftshift`s, of which the second should be an `ifftshift`.
    fn corner<'b>(&self, block: &'b Block<'a>, grid: &[usize]) -> Corner<'b> {
        let last = grid.len() - 1;
        let (mut read, mut written) = (Vec::new(), Vec::new());
        for (axis, (count, n)) in self.modes.iter().zip(grid).enumerate() {
            if axis == last {
                read.push(frequencies(0, *count));
                written.push(frequencies(0, *count));
                continue;
            }
            let half = (n / 2) as i64;
            let kept = frequencies(-((count / 2) as i64), *count);
            let back = if self.odd_shift { 2 * half } else { *n as i64 };
            written.push(kept.iter().map(|k| k + back).collect());
            read.push(kept);
        }
        match &block.spectrum {
            Spectrum::Whole(tensor) => dense(read, written, tensor.clone()),
            Spectrum::Factors(factors) => {
                Corner { read, written, weight: Box::new(|places, x| factors.apply(places, x)) }
            }
        }
    }

    /// Instance norm, or group norm with one group; nothing without a norm.
    fn normalised(&self, mut x: Field, affine: Option<&Layer>) -> Field {
        let channels = x.channels;
        let centre = |values: &mut dyn Iterator<Item = &mut f64>| {
            let mut values: Vec<&mut f64> = values.collect();
            let n = values.len() as f64;
            let mean = values.iter().map(|v| **v).sum::<f64>() / n;
            let variance = values.iter().map(|v| (**v - mean) * (**v - mean)).sum::<f64>() / n;
            values.iter_mut().for_each(|v| **v = (**v - mean) / (variance + 1e-5).sqrt());
        };
        if self.instance_norm {
            (0..channels).for_each(|c| centre(&mut x.values.iter_mut().skip(c).step_by(channels)));
        } else if let Some((weight, bias)) = affine {
            centre(&mut x.values.iter_mut());
            return x.gated(weight).biased(bias);
        }
        x
    }
}

impl Skip<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Skip::Linear(_) => "linear",
            Skip::Gate(_) => "soft-gating",
            Skip::Identity => "identity",
            Skip::None => "none",
        }
    }

    /// y plus what the connection makes of x.
    fn joined(&self, y: Field, x: &Field) -> Field {
        match self {
            Skip::Linear(weight) => y.plus(&x.linear(weight, None)),
            Skip::Gate(factors) => y.plus(&x.gated(factors)),
            Skip::Identity => y.plus(x),
            Skip::None => y,
        }
    }
}

impl Spectrum<'_> {
    /// [in, out, modes..].
    fn shape(&self) -> Vec<usize> {
        match self {
            Spectrum::Whole(tensor) => tensor.shape[..tensor.shape.len() - 1].to_vec(),
            Spectrum::Factors(factors) => factors.shape(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Spectrum::Whole(_) => "dense",
            Spectrum::Factors(factors) => factors.kind(),
        }
    }
}
