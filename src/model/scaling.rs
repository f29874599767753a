//! Raw values and a network's: offset, scale and logarithm of each channel.

use pulp::Arch;

use super::Channel;
use super::fields::Source;
use crate::error::{Result, fail};
use crate::kernels::channels::{scale_then_shift, shift_then_scale};
use crate::kernels::real::Real;

/// The scaling of some channels: network value = (v - offset) / scale, v the raw value or log(raw + shift).
pub(super) struct Scaling {
    offsets: Vec<f64>,
    scales: Vec<f64>,
    inverses: Vec<f64>,
    /// Channels that are read by their logarithm, and what is added before.
    logs: Vec<(usize, f64)>,
    plain: bool,
    largest: Largest,
}

/// The largest magnitudes of channels, which bound all of them in each call.
struct Largest {
    offset: f64,
    scale: f64,
    inverse: f64,
    /// Of an offset by its scale.
    network_offset: f64,
}

impl Scaling {
    pub fn new(channels: &[Channel]) -> Self {
        let of = |value: fn(&Channel) -> f64| channels.iter().map(value).collect::<Vec<_>>();
        let largest = |value: fn(&Channel) -> f64| channels.iter().map(|c| value(c).abs()).fold(0.0, f64::max);
        let logs = channels.iter().enumerate().filter(|(_, c)| c.log).map(|(i, c)| (i, c.shift));
        Scaling {
            offsets: of(|c| c.offset),
            scales: of(|c| c.scale),
            inverses: of(|c| 1.0 / c.scale),
            logs: logs.collect(),
            plain: channels.iter().all(|c| c.offset == 0.0 && c.scale == 1.0 && !c.log),
            largest: Largest {
                offset: largest(|c| c.offset),
                scale: largest(|c| c.scale),
                inverse: largest(|c| 1.0 / c.scale),
                network_offset: largest(|c| c.offset / c.scale),
            },
        }
    }

    /// Number of channels.
    pub fn width(&self) -> usize {
        self.offsets.len()
    }

    /// Whether raw values are the network's as they are.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Refuses values whose logarithm is asked for and does not exist.
    pub fn check_domain(&self, name: &str, input: &Source) -> Result<()> {
        if self.logs.is_empty() {
            return Ok(());
        }
        let width = self.width();
        let mut found = None;
        input.each(0, input.layout().len() / width, width, |row, channel, v| {
            let log = self.logs.iter().find(|(log, shift)| *log == channel && v + shift <= 0.0);
            found = found.or(log.map(|(_, shift)| (row * width + channel, v, 0.0 - shift)));
        });
        let Some((place, v, least)) = found else { return Ok(()) };
        fail!(InvalidArgument, "{name} is {v} at element {place}, whose logarithm is read: expected more than {least}")
    }

    /// Rows of raw values, which are lost where logarithms are read, to rows of the network's.
    pub fn to_network<A: Real, T: Real>(&self, arch: Arch, raw: &mut [A], out: &mut [T]) {
        for (channel, shift) in &self.logs {
            for v in raw[*channel..].iter_mut().step_by(self.width()) {
                *v = A::from_f64(libm::log(v.to_f64() + shift));
            }
        }
        shift_then_scale(arch, raw, &self.offsets, &self.inverses, out);
    }

    /// The same where no logarithms are read: nothing is lost.
    pub fn to_network_linear<A: Real, T: Real>(&self, arch: Arch, raw: &[A], out: &mut [T]) {
        debug_assert!(self.is_linear());
        shift_then_scale(arch, raw, &self.offsets, &self.inverses, out);
    }

    /// Whether no channel is read by its logarithm.
    pub fn is_linear(&self) -> bool {
        self.logs.is_empty()
    }

    /// Rows of network values, `stride` apart, to rows of raw ones.
    pub fn to_raw<T: Real>(&self, arch: Arch, network: &[T], stride: usize, raw: &mut [f64]) {
        self.to_raw_linear(arch, network, stride, raw);
        for (channel, shift) in &self.logs {
            raw[*channel..].iter_mut().step_by(self.width()).for_each(|v| *v = libm::exp(*v) - shift);
        }
    }

    /// The same where no logarithms are read, to any type. Plain channels keep all bits, the sign of a zero too.
    pub fn to_raw_linear<T: Real, A: Real>(&self, arch: Arch, network: &[T], stride: usize, raw: &mut [A]) {
        if self.plain {
            let width = self.width();
            for (network, raw) in network.chunks(stride).zip(raw.chunks_exact_mut(width)) {
                raw.iter_mut().zip(network).for_each(|(raw, v)| *raw = A::from_f64(v.to_f64()));
            }
            return;
        }
        scale_then_shift(arch, network, stride, &self.offsets, &self.scales, raw);
    }

    /// Means and variances of network values to those of raw ones; of a logarithm's normal distribution those of its exponential.
    pub fn moments_to_raw(&self, mean: &mut [f64], variance: &mut [f64]) {
        if self.plain {
            return;
        }
        let width = self.width();
        for (i, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
            let channel = i % width;
            *mean = self.offsets[channel] + self.scales[channel] * *mean;
            *variance *= self.scales[channel] * self.scales[channel];
            if let Some((_, shift)) = self.logs.iter().find(|(log, _)| *log == channel) {
                let middle = libm::exp(*mean + 0.5 * *variance);
                (*mean, *variance) = (middle - shift, middle * middle * libm::expm1(*variance));
            }
        }
    }

    /// What no network value exceeds in magnitude when raw ones are at most `raw`, a finite number.
    pub fn network_bound(&self, raw: f64) -> f64 {
        if !self.is_linear() || self.largest.inverse.is_infinite() {
            return f64::INFINITY;
        }
        raw * self.largest.inverse + self.largest.network_offset
    }

    /// What no raw value exceeds in magnitude when network values are at most `network`.
    pub fn raw_bound(&self, network: f64) -> f64 {
        if !self.is_linear() {
            return f64::INFINITY;
        }
        network * self.largest.scale + self.largest.offset
    }

    /// The same of variances.
    pub fn variance_bound(&self, network: f64) -> f64 {
        if !self.is_linear() {
            return f64::INFINITY;
        }
        network * self.largest.scale * self.largest.scale
    }
}
