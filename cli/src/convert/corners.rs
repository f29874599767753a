//! Spectral weights in corners, as the first published code has them: `weights1` [in, out, m_1, .., m_d, 2] of positive frequencies on all
//! axes, `weights2` of negative ones on the first axis, `weights3` on the second, `weights4` on both.

use super::state::{State, Tensor};
use super::textbook::fourier::{Corner, frequencies};
use super::write::{Element, Output};
use crate::error::Result;

/// The weights of one spectral layer.
pub struct Corners<'a> {
    parts: Vec<Tensor<'a>>,
    modes: Vec<usize>,
}

impl<'a> Corners<'a> {
    /// Takes `{name}1` and its siblings; `width` channels.
    pub fn take(state: &'a State, name: &str, width: usize) -> Result<Corners<'a>> {
        let first = state.take(&format!("{name}1"))?;
        let axes = first.shape.len().saturating_sub(3).clamp(1, 3);
        let modes = first.shape.get(2..2 + axes).unwrap_or(&[]).to_vec();
        let shape = [&[width, width][..], &modes, &[2]].concat();
        let mut parts = vec![first.expect(&shape)?];
        for i in 2..=1 << (axes - 1) {
            parts.push(state.take(&format!("{name}{i}"))?.expect(&shape)?);
        }
        Ok(Corners { parts, modes })
    }

    /// Axes of the grid.
    pub fn axes(&self) -> usize {
        self.modes.len()
    }

    /// Modes of a corner on each axis.
    pub fn modes(&self) -> &[usize] {
        &self.modes
    }

    /// Modes of the model file on each axis.
    pub fn kept(&self) -> Vec<usize> {
        let last = self.axes() - 1;
        self.modes.iter().enumerate().map(|(a, m)| if a == last { *m } else { 2 * m }).collect()
    }

    /// The model file's tensor: frequencies ascending.
    pub fn output(self, name: String) -> Output<'a> {
        let (width, kept) = (self.parts[0].shape[0], self.kept());
        let last = 2 * kept[kept.len() - 1];
        let leading = kept[..kept.len() - 1].to_vec();
        let lines: usize = leading.iter().product();
        Output {
            name,
            shape: [&[width, width][..], &kept, &[2]].concat(),
            element: Element::float(self.parts[0].is_double()),
            chunk: width * lines * last,
            fill: Box::new(move |input, out| {
                for (line, to) in out.chunks_exact_mut(last).enumerate() {
                    let (output, mut rest) = (line / lines, line % lines);
                    let (mut part, mut at, mut stride) = (0, 0, 1);
                    for axis in (0..leading.len()).rev() {
                        let (place, m) = (rest % leading[axis], self.modes[axis]);
                        rest /= leading[axis];
                        part += usize::from(place < m) << axis;
                        at += place % m * stride;
                        stride *= m;
                    }
                    self.parts[part].read((((input * width) + output) * stride + at) * last, to);
                }
            }),
        }
    }

    /// The same as sums over modes.
    pub fn textbook(&self) -> Vec<Corner<'_>> {
        let axes = self.axes();
        let one = |(number, part): (usize, &'_ Tensor<'a>)| {
            let all: Vec<Vec<i64>> = (0..axes)
                .map(|axis| {
                    let m = self.modes[axis];
                    let negative = axis + 1 < axes && number >> axis & 1 == 1;
                    frequencies(if negative { -(m as i64) } else { 0 }, m)
                })
                .collect();
            (all, part.clone())
        };
        self.parts.iter().enumerate().map(one).map(|(all, part)| dense(all.clone(), all, part)).collect()
    }
}

/// Modes whose weights [in, out, modes.., 2] are written out.
pub fn dense<'a>(read: Vec<Vec<i64>>, written: Vec<Vec<i64>>, weight: Tensor<'a>) -> Corner<'a> {
    let counts: Vec<usize> = read.iter().map(Vec::len).collect();
    let modes: usize = counts.iter().product();
    let outputs = weight.shape[1];
    let apply = move |places: &[usize], x: &[(f64, f64)]| {
        let mode = places.iter().zip(&counts).fold(0, |at, (place, count)| at * count + place);
        let mut y = vec![(0.0, 0.0); outputs];
        for (i, x) in x.iter().enumerate() {
            for (o, y) in y.iter_mut().enumerate() {
                let at = 2 * ((i * outputs + o) * modes + mode);
                let w = (weight.at(at), weight.at(at + 1));
                y.0 += w.0 * x.0 - w.1 * x.1;
                y.1 += w.0 * x.1 + w.1 * x.0;
            }
        }
        y
    };
    Corner { read, written, weight: Box::new(apply) }
}
