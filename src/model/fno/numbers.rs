//! The numbers of a Fourier neural operator, their ranges, and the weights that they ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Result, fail};
use crate::kernels::activation::Activation;
use crate::model::cost::Cost;

/// Most axes of a grid.
pub const MOST_AXES: usize = 3;

/// Numbers of the architecture, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Channels inside.
    pub width: usize,
    /// Fourier layers.
    pub blocks: usize,
    /// Frequencies kept on each axis: c of them from -floor(c/2) on; on the last axis 0 to c - 1.
    pub modes: Vec<usize>,
    /// Hidden widths of the pointwise network before the blocks.
    #[serde(default)]
    pub lifting: Vec<usize>,
    /// Hidden widths of the pointwise network after the blocks.
    #[serde(default)]
    pub projection: Vec<usize>,
    /// The activation, everywhere but where the next field says otherwise.
    pub activation: Activation,
    /// The activation of the network after the blocks.
    #[serde(default)]
    pub projection_activation: Option<Activation>,
    /// Grid channels after the inputs.
    #[serde(default)]
    pub coordinates: Option<Coordinates>,
    /// Zeros around the lifted field.
    #[serde(default)]
    pub padding: Option<Padding>,
    /// What stands beside the spectral convolution.
    pub skip: Skip,
    /// A bias of the skip.
    #[serde(default)]
    pub skip_bias: bool,
    /// A bias after the spectral convolution.
    #[serde(default)]
    pub spectral_bias: bool,
    /// A pointwise network after the activation.
    #[serde(default)]
    pub mlp: Option<ChannelMlp>,
    /// Normalisation after the spectral convolution and after the pointwise network.
    #[serde(default)]
    pub norm: Option<Norm>,
    /// An activation at the end of a block too.
    #[serde(default)]
    pub final_activation: bool,
    /// An activation in the last block too, wherever the others have one.
    #[serde(default)]
    pub last_activation: bool,
    /// On axes before the last with an odd number of points the result of frequency k goes to k - 1: so neuraloperator up to 2.0.0.
    #[serde(default)]
    pub odd_shift: bool,
}

/// Grid channels.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coordinates {
    /// Whether the last bound is a point.
    pub span: Span,
    /// First and last value on each axis.
    pub bounds: Vec<[f64; 2]>,
}

/// Whether grid channels reach their last bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Both bounds are points.
    Closed,
    /// The last bound is one step beyond the last point.
    HalfOpen,
}

/// Zeros around the lifted field.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Padding {
    /// On which sides.
    pub sides: Sides,
    /// Cells on each axis and side.
    #[serde(default)]
    pub cells: Option<Vec<usize>>,
    /// Cells as a fraction of the points, rounded half to even.
    #[serde(default)]
    pub fraction: Option<Vec<f64>>,
}

/// Sides of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sides {
    /// After the last point.
    After,
    /// Before the first and after the last point.
    Both,
}

/// A pointwise connection past a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// A matrix.
    Linear,
    /// One factor a channel.
    SoftGating,
    /// The input itself.
    Identity,
    /// Nothing.
    None,
}

/// A pointwise network with one hidden layer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelMlp {
    /// Its width.
    pub hidden: usize,
    /// The connection from the block's input past it.
    pub skip: Skip,
}

/// Normalisation over the points of a function.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Norm {
    /// Over which channels.
    pub kind: NormKind,
    /// Groups of channels; group norm.
    #[serde(default = "one")]
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
}

/// Over which channels a normalisation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormKind {
    /// Each on its own, without weights.
    Instance,
    /// A group of neighbours together, then a factor and a shift a channel.
    Group,
}

fn one() -> usize {
    1
}

impl Norm {
    /// Groups of channels.
    pub fn groups(&self, width: usize) -> usize {
        match self.kind {
            NormKind::Instance => width,
            NormKind::Group => self.groups,
        }
    }
}

impl Numbers {
    /// Axes of the grid.
    pub fn axes(&self) -> usize {
        self.modes.len()
    }

    /// Channels that enter the lifting.
    pub(super) fn lifted(&self, inputs: usize) -> usize {
        inputs + if self.coordinates.is_some() { self.axes() } else { 0 }
    }

    /// Cells before and after the field on an axis of `points`.
    pub(super) fn padding(&self, axis: usize, points: usize) -> (usize, usize) {
        let Some(padding) = &self.padding else { return (0, 0) };
        let cells = match (&padding.cells, &padding.fraction) {
            (Some(cells), _) => cells[axis],
            (_, Some(fraction)) => (fraction[axis] * points as f64).round_ties_even() as usize,
            _ => 0,
        };
        (if padding.sides == Sides::Both { cells } else { 0 }, cells)
    }

    /// Ranges that keep every later size computation far from overflow.
    pub(in crate::model) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
        let axes = self.axes();
        if !(1..=MOST_AXES).contains(&axes) {
            return fail!(FileDescription, "fno.modes has {axes} axes, expected 1 to {MOST_AXES}");
        }
        let most = 1 << 14;
        let mut sizes = vec![("width", self.width, most), ("blocks", self.blocks, 256)];
        sizes.extend([("inputs", inputs, 1024), ("outputs", outputs, 1024)]);
        sizes.extend(self.modes.iter().map(|m| ("modes", *m, 1 << 16)));
        sizes.extend(self.lifting.iter().map(|w| ("lifting", *w, most)));
        sizes.extend(self.projection.iter().map(|w| ("projection", *w, most)));
        sizes.extend(self.mlp.iter().map(|mlp| ("mlp.hidden", mlp.hidden, most)));
        for (name, value, most) in sizes {
            if value < 1 || value > most {
                return fail!(FileDescription, "fno.{name} has {value}, expected 1 to {most}");
            }
        }
        for (name, layers) in [("lifting", &self.lifting), ("projection", &self.projection)] {
            if layers.len() > 16 {
                return fail!(FileDescription, "fno.{name} has {} hidden layers, expected at most 16", layers.len());
            }
        }
        if let Some(c) = &self.coordinates
            && (c.bounds.len() != axes || c.bounds.iter().flatten().any(|b| !b.is_finite()))
        {
            return fail!(FileDescription, "fno.coordinates.bounds are {:?}, expected {axes} finite pairs", c.bounds);
        }
        if let Some(p) = &self.padding {
            let fits = match (&p.cells, &p.fraction) {
                (Some(cells), None) => cells.len() == axes && cells.iter().all(|c| *c <= 1 << 20),
                (None, Some(f)) => f.len() == axes && f.iter().all(|f| (0.0..=4.0).contains(f)),
                _ => false,
            };
            if !fits {
                return fail!(
                    FileDescription,
                    "fno.padding is {p:?}, expected either cells (<= 2^20) or fraction (0 to 4), one for each of {axes} axes"
                );
            }
        }
        if let Some(norm) = &self.norm {
            if norm.groups < 1 || !self.width.is_multiple_of(norm.groups) {
                return fail!(
                    FileDescription,
                    "fno.norm.groups is {}, expected a divisor of width {}",
                    norm.groups,
                    self.width
                );
            }
            if !(norm.eps > 0.0 && norm.eps < 1.0) {
                return fail!(FileDescription, "fno.norm.eps is {}, expected in (0, 1)", norm.eps);
            }
        }
        if self.skip == Skip::None && self.skip_bias {
            return fail!(FileDescription, "fno.skip_bias is true, but fno.skip is none");
        }
        Ok(())
    }

    /// Names and shapes of all weights.
    pub(in crate::model) fn weights(&self, inputs: usize, outputs: usize) -> BTreeMap<String, Vec<usize>> {
        let w = self.width;
        let mut all = BTreeMap::new();
        let mut network = |name: &str, widths: &[usize]| {
            for (i, pair) in widths.windows(2).enumerate() {
                all.insert(format!("{name}.{i}.weight"), vec![pair[1], pair[0]]);
                all.insert(format!("{name}.{i}.bias"), vec![pair[1]]);
            }
        };
        network("lifting", &[&[self.lifted(inputs)][..], &self.lifting, &[w]].concat());
        network("projection", &[&[w][..], &self.projection, &[outputs]].concat());
        for b in 0..self.blocks {
            if let Some(mlp) = &self.mlp {
                network(&format!("blocks.{b}.mlp"), &[w, mlp.hidden, w]);
            }
        }
        for b in 0..self.blocks {
            let mut put = |name: &str, shape: Vec<usize>| all.insert(format!("blocks.{b}.{name}"), shape);
            put("spectral.weight", [&[w, w][..], &self.modes, &[2]].concat());
            if self.spectral_bias {
                put("spectral.bias", vec![w]);
            }
            for (name, skip) in [("skip.weight", self.skip), ("mlp_skip.weight", self.mlp_skip())] {
                match skip {
                    Skip::Linear => put(name, vec![w, w]),
                    Skip::SoftGating => put(name, vec![w]),
                    Skip::Identity | Skip::None => None,
                };
            }
            if self.skip_bias {
                put("skip.bias", vec![w]);
            }
            if self.norm.as_ref().is_some_and(|norm| norm.kind == NormKind::Group) {
                for place in ["norm.0", "norm.1"] {
                    put(&format!("{place}.weight"), vec![w]);
                    put(&format!("{place}.bias"), vec![w]);
                }
            }
        }
        all
    }

    /// A plan's cost for `batch` functions on a grid, of which `conditioned` axes have boundary conditions, and of a prediction.
    pub(in crate::model) fn cost(
        &self,
        inputs: usize,
        outputs: usize,
        conditioned: usize,
        batch: usize,
        grid: &[usize],
    ) -> Cost {
        let of = |n: usize| n as f64;
        let (w, blocks, batch, d) = (of(self.width), of(self.blocks), of(batch), grid.len());
        let padded: Vec<f64> = grid
            .iter()
            .enumerate()
            .map(|(axis, &points)| {
                let (first, last) = self.padding(axis, points);
                of(first) + of(points) + of(last)
            })
            .collect();
        let modes: f64 = self.modes.iter().map(|m| of(*m)).product();
        // Cosine and sine of each frequency, but where +k and -k share them.
        let rows: Vec<f64> = self
            .modes
            .iter()
            .enumerate()
            .map(|(axis, m)| if axis + 1 == d { 2.0 * of(*m) } else { of(*m) + 2.0 })
            .collect();
        let (points, nodes): (f64, f64) = (padded.iter().product(), grid.iter().map(|n| of(*n)).product());
        let (long, lines) = (padded[d - 1], padded[..d - 1].iter().product::<f64>());
        let row = rows[d - 1] * w + 48.0;
        let lane = rows[d - 1] + 16.0;

        // Forward and inverse matrices, plain and by pairs of points; a sine takes as long as 32 multiply-adds.
        let transforms: Cost = rows
            .iter()
            .zip(&padded)
            .map(|(rows, points)| {
                Cost::values(8.0 * (rows + 20.0) * (points + 16.0)) + Cost::work(64.0 * rows * points)
            })
            .sum();
        // Lists of which components a mode is made of, twice, and of the modes along faces.
        let conditioned = of(conditioned);
        let lists = Cost::values((128.0 + 32.0 * conditioned) * modes);

        let network = |widths: &[usize]| -> (Cost, f64) {
            let layers = || widths.windows(2).map(|pair| (of(pair[1]), of(pair[0])));
            (layers().map(|(o, i)| Cost::packed(o, i)).sum(), layers().map(|(o, i)| o * i + 16.0 * o).sum())
        };
        let (lifting, lifts) = network(&[&[self.lifted(inputs)][..], &self.lifting, &[self.width]].concat());
        let (projection, projects) = network(&[&[self.width][..], &self.projection, &[outputs]].concat());
        let (mlp, mixes) = self.mlp.as_ref().map_or_else(Default::default, |mlp| {
            let (weights, work) = network(&[self.width, mlp.hidden, self.width]);
            (weights, work + w * w)
        });
        let block = Cost::values(4.0 * modes * w * w + 16.0 * w) + Cost::packed(w, w) * 2.0 + mlp;
        // Of each frequency along a pair of faces a matrix among their nodes, which is inverted after a look at its singular values.
        let corrections: Cost = (0..d.min(conditioned as usize))
            .map(|axis| {
                let normal = of(self.modes[axis]);
                let along = modes / normal;
                let mirrors: f64 = self.modes.iter().map(|m| of(*m)).sum();
                let matrices = Cost::values(4.0 * w * w * along) * 5.0 + Cost::values(64.0 * w * w);
                let work = along * (4.0 * w * w * (96.0 * normal + 4.0 * mirrors) + 64.0 * 8.0 * w * w * w) * blocks;
                // Each mode looks for its place along the faces.
                matrices * blocks + Cost::work(work + 4.0 * modes * along)
            })
            .sum();
        let weights = lifting + projection + block * blocks + corrections;

        let kept: f64 = rows[..d - 1].iter().product();
        let sums = match d {
            1 => (points / 48.0 + 1.0) * row,
            2 => 8.0 * rows[0] * row,
            _ => (padded[0] + 3.0) * rows[1] * row,
        };
        let widest = [&self.lifting[..], &self.projection].concat().into_iter().max().unwrap_or(0);
        let widest =
            of(widest.max(self.mlp.as_ref().map_or(0, |mlp| mlp.hidden)).max(self.lifted(inputs) + 1).max(outputs))
                .max(w);
        let tile = long.min((32_768.0 / w).max(48.0));
        let thread = 16.0 * row + if d == 3 { rows[1] * row } else { 0.0 } + 2.0 * (tile + 512.0) * widest + 64.0;
        let first = if d == 3 { of(grid[0]) * rows[1] * lane } else { 0.0 };
        let scratch =
            Cost::values(points * w + nodes * of(inputs + outputs) + 8.0 * batch * nodes * of(inputs + outputs))
                + Cost::values(sums + 2.0 * (padded[0] + 2.0) * row + thread + 4.0 * lines * (long / tile + 2.0))
                + Cost::values(kept * row * 4.0 + 16.0 * modes * w)
                + Cost::values(2.0 * (2.0 * nodes + lines * lane + first + kept * lane) + 64.0 * (row + w));

        let (mut transform, mut rest) = (0.0, points * w);
        for (rows, points) in rows.iter().zip(&padded).rev() {
            transform += rest * rows;
            rest *= rows / points;
        }
        let layer =
            2.0 * transform + 4.0 * modes * w * w * (1.0 + 2.0 * conditioned) + points * (w * w + 32.0 * w + mixes);
        weights
            + transforms
            + lists
            + scratch
            + Cost::work(batch * (blocks * layer + nodes * (lifts + projects)) + transform * (1.0 + of(inputs + d)))
    }

    /// The connection past the pointwise network; none without one.
    pub(super) fn mlp_skip(&self) -> Skip {
        self.mlp.as_ref().map_or(Skip::None, |mlp| mlp.skip)
    }
}
