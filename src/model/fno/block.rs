//! One Fourier layer and the pointwise networks around all of them: weights packed for one arithmetic.

use std::ops::Deref;

use super::boon::{Boon, Correction, Kernel};
use super::norm::Affine;
use super::numbers::{NormKind, Numbers, Skip};
use crate::error::Result;
use crate::kernels::activation::Activation;
use crate::kernels::fourier::Axis;
use crate::kernels::modes::Modes;
use crate::kernels::product::Packed;
use crate::kernels::real::Real;
use crate::kernels::spectral::Mixer;
use crate::model::Model;
use crate::model::dense::{Dense, vector};

/// One Fourier layer.
pub(super) struct Block<T> {
    pub mixer: Mixer<T>,
    /// Of the spectral convolution and the skip together; without a norm.
    pub bias: Vec<T>,
    pub skip: Link<T>,
    pub mlp: Option<Network<T>>,
    pub mlp_skip: Link<T>,
    /// Bias of the spectral convolution and of the skip apart, and the factor and shift of both norms.
    pub norm: Option<BlockNorm<T>>,
    /// A correction for each pair of faces that has one.
    pub kernels: Vec<Option<Kernel<T>>>,
}

/// A pointwise connection.
pub(super) enum Link<T> {
    Linear(Packed<T>),
    Gate(Vec<T>),
    None,
}

pub(super) struct BlockNorm<T> {
    pub spectral_bias: Vec<T>,
    pub skip_bias: Vec<T>,
    pub affine: [Affine<T>; 2],
}

impl<T: Real> Block<T> {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        model: &Model,
        numbers: &Numbers,
        b: usize,
        axes: &[Axis<T>],
        modes: &Modes,
        share: f64,
        boon: Option<(&Boon<T>, &Correction)>,
        singular: &mut usize,
    ) -> Result<Self> {
        let w = numbers.width;
        let name = |part: &str| format!("blocks.{b}.{part}");
        let spectrum = model.tensor(&name("spectral.weight")).to_f64();
        let each: usize = numbers.modes.iter().product();
        let weight = |places: &[usize], input: usize, output: usize| {
            let at = places.iter().zip(&numbers.modes).fold(0, |at, (place, count)| at * count + place);
            let at = 2 * ((input * w + output) * each + at);
            (spectrum[at], spectrum[at + 1])
        };
        let mixer = Mixer::new(modes.len(), w, w, "spectral weights", |mode, i, o| weight(&modes.places[mode], i, o))?;
        let scaled = |values: Vec<f64>| -> Vec<T> { values.into_iter().map(|v| T::from_f64(share * v)).collect() };
        let optional = |part: &str, there: bool| match there {
            true => model.tensor(&name(part)).to_f64(),
            false => vec![0.0; w],
        };
        let link = |part: &str, skip: Skip| -> Result<Link<T>> {
            Ok(match skip {
                Skip::None => Link::None,
                Skip::Identity => Link::Gate(scaled(vec![1.0; w])),
                Skip::SoftGating => Link::Gate(scaled(model.tensor(&name(part)).to_f64())),
                Skip::Linear => {
                    let weights: Vec<f64> = model.tensor(&name(part)).to_f64().iter().map(|v| share * v).collect();
                    Link::Linear(Packed::from_rows(&weights, w, w, "packed weights")?)
                }
            })
        };
        let spectral_bias = optional("spectral.bias", numbers.spectral_bias);
        let skip_bias = optional("skip.bias", numbers.skip_bias);
        let bias = scaled(spectral_bias.iter().zip(&skip_bias).map(|(a, b)| a + b).collect());
        let affine = |place: &str| {
            let group = numbers.norm.as_ref().is_some_and(|norm| norm.kind == NormKind::Group);
            group.then(|| {
                (vector(model, &name(&format!("{place}.weight"))), vector(model, &name(&format!("{place}.bias"))))
            })
        };
        let mut kernels = Vec::new();
        if let Some((boon, correction)) = boon {
            for pair in &boon.pairs {
                let kind = boon.inner.faces().iter().find(|f| f.axis == pair.axis).expect("a face").kind;
                let (rule, tau) = (correction.rule, correction.regularisation);
                kernels.push(pair.kernel(rule, kind, axes, &weight, w, tau, singular)?);
            }
        }
        Ok(Block {
            mixer,
            bias,
            skip: link("skip.weight", numbers.skip)?,
            mlp: match &numbers.mlp {
                None => None,
                Some(_) => Some(Network::new(model, &name("mlp"), 1, numbers.activation)?),
            },
            mlp_skip: link("mlp_skip.weight", numbers.mlp_skip())?,
            norm: numbers.norm.as_ref().map(|_| BlockNorm {
                spectral_bias: spectral_bias.into_iter().map(T::from_f64).collect(),
                skip_bias: skip_bias.into_iter().map(T::from_f64).collect(),
                affine: [affine("norm.0"), affine("norm.1")],
            }),
            kernels,
        })
    }
}

/// A pointwise network.
pub(super) struct Network<T> {
    pub layers: Vec<Dense<T>>,
    /// Between the layers.
    pub activation: Activation,
}

impl<T: Real> Network<T> {
    pub fn new(model: &Model, name: &str, hidden: usize, activation: Activation) -> Result<Self> {
        let layers: Result<_> = (0..=hidden).map(|i| Dense::new(model, &format!("{name}.{i}"))).collect();
        Ok(Network { layers: layers?, activation })
    }
}

impl<T> Deref for Network<T> {
    type Target = [Dense<T>];

    fn deref(&self) -> &[Dense<T>] {
        &self.layers
    }
}
