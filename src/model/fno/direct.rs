//! The first block without its input: a lifting of one dense layer is linear, so the transform of what it makes is what it makes of the
//! inputs' transforms, of which there are far fewer, and with a linear skip both are one small matrix. Coordinates and bias enter as
//! constants of the plan.

use super::boon::Pair;
use super::{Fno, Link, Scratch};
use crate::error::{Result, zeros};
use crate::kernels::product::{Columns, Packed, Rows, Start, overhang, product, products};
use crate::kernels::real::Real;
use crate::kernels::rows::add_outer;
use crate::model::dense::Dense;

/// What the first block needs instead of its input.
pub(super) struct Direct<T> {
    /// The lifting's weights of each input, [inputs, width].
    weights: Vec<T>,
    /// Skip after lifting, [width, inputs, coordinates and 1 inside the padding]; without a skip nothing.
    pub skip: Option<Packed<T>>,
    /// The last axis' forward matrix for the points of the caller's grid.
    last: Packed<T>,
    /// What coordinates and bias make of the components.
    constant: Lifted<T>,
}

/// Components of the lifted input along all axes, and those on both nodes of each pair of faces, [2, components].
struct Lifted<T> {
    components: Vec<T>,
    faces: Vec<Vec<T>>,
}

/// Scratch for one channel on the caller's grid and its components, rows of the last axis [`Fno::lane`] apart.
pub(super) struct OfChannel<T> {
    values: Vec<T>,
    lines: Vec<T>,
    planes: Vec<T>,
    components: Vec<T>,
    face: Vec<T>,
    /// Of the lifted input.
    faces: Vec<Vec<T>>,
}

impl<T: Real> Fno<T> {
    /// Whether the first block can do without its input.
    fn is_direct(&self) -> bool {
        let matrices = (0..self.axes.len()).all(|axis| self.fast(axis).is_none());
        matrices && self.lifting.len() == 1 && self.numbers.mlp.is_none() && self.numbers.norm.is_none()
    }

    /// Elements from one row of a channel's components to the next.
    fn lane(&self) -> usize {
        overhang::<T>(self.axes[self.axes.len() - 1].rows())
    }

    fn face_pairs(&self) -> &[Pair<T>] {
        self.boon.as_ref().map_or(&[], |boon| &boon.pairs)
    }

    fn faces(&self, what: &str) -> Result<Vec<Vec<T>>> {
        self.face_pairs().iter().map(|pair| zeros(2 * self.face_len(pair.axis), what)).collect()
    }

    pub(super) fn channel(&self, what: &str) -> Result<Option<OfChannel<T>>> {
        if self.direct.is_none() {
            return Ok(None);
        }
        self.new_channel(what).map(Some)
    }

    fn new_channel(&self, what: &str) -> Result<OfChannel<T>> {
        let (d, lane) = (self.axes.len(), self.lane());
        let lines: usize = self.grid[..d - 1].iter().product();
        let rows: usize = self.axes[..d - 1].iter().map(|axis| axis.rows()).product();
        let planes = if d == 3 { self.grid[0] * self.axes[1].rows() } else { 0 };
        let face = self.axes.iter().map(|axis| axis.rows()).max().unwrap_or(0);
        Ok(OfChannel {
            values: zeros(self.nodes() + T::PANEL, what)?,
            lines: zeros(lines * lane, what)?,
            planes: zeros(planes * lane, what)?,
            components: zeros(rows * lane, what)?,
            face: zeros(face * lane, what)?,
            faces: self.faces(what)?,
        })
    }

    /// What the first block needs; nothing where it has to have its input.
    pub(super) fn new_direct(&self) -> Result<Option<Direct<T>>> {
        let ([lifting], true) = (&self.lifting[..], self.is_direct()) else { return Ok(None) };
        let what = "a plan's first block";
        let (w, inputs, d) = (self.numbers.width, self.inputs.len(), self.axes.len());
        let mut weights = zeros(inputs * w, what)?;
        for (i, row) in weights.chunks_exact_mut(w).enumerate() {
            row.iter_mut().enumerate().for_each(|(c, v)| *v = lifting.weight.entry(c, i));
        }
        let (axis, points, before) = (&self.axes[d - 1], self.grid[d - 1], self.before[d - 1]);
        let mut last = Packed::with_capacity(axis.rows(), points, what)?;
        last.pack(axis.rows(), points, |row, j| axis.forward()[row * axis.points + before + j]);
        let rows: usize = self.axes[..d - 1].iter().map(|axis| axis.rows()).product();
        let mut constant = Lifted { components: zeros(rows * self.row, what)?, faces: self.faces(what)? };
        let mut channel = self.new_channel(what)?;
        let mut weight = zeros(w, what)?;
        for extra in 0..=self.coordinates.len() {
            for (node, to) in channel.values[..self.nodes()].iter_mut().enumerate() {
                let mut rest = node;
                let mut value = T::ONE;
                for axis in (0..d).rev() {
                    if axis == extra && extra < self.coordinates.len() {
                        value = self.coordinates[axis][rest % self.grid[axis]];
                    }
                    rest /= self.grid[axis];
                }
                *to = value;
            }
            for (c, v) in weight.iter_mut().enumerate() {
                *v = match self.coordinates.get(extra) {
                    Some(_) => lifting.weight.entry(c, inputs + extra),
                    None => lifting.bias[c],
                };
            }
            self.add_channel(&last, &mut channel, &weight, &mut constant.components, &mut constant.faces);
        }
        Ok(Some(Direct { weights, skip: self.after_lifting(lifting, what)?, last, constant }))
    }

    /// The first block's skip after the lifting; the last column is that of the bias.
    fn after_lifting(&self, lifting: &Dense<T>, what: &str) -> Result<Option<Packed<T>>> {
        let (w, lifted) = (self.numbers.width, lifting.weight.inner());
        let Some(block) = self.blocks.first() else { return Ok(None) };
        let of = |c: usize, k: usize| if k < lifted { lifting.weight.entry(c, k) } else { lifting.bias[c] }.to_f64();
        let mut packed = Packed::with_capacity(w, lifted + 1, what)?;
        packed.pack(w, lifted + 1, |o, k| {
            T::from_f64(match &block.skip {
                Link::None => 0.0,
                Link::Gate(factors) => factors[o].to_f64() * of(o, k),
                Link::Linear(skip) => (0..w).map(|c| skip.entry(o, c).to_f64() * of(c, k)).sum(),
            })
        });
        Ok(if let Link::None = block.skip { None } else { Some(packed) })
    }

    /// The components of the lifted input, to `s.components` and those on faces.
    pub(super) fn lift_directly(&self, s: &mut Scratch<T>, direct: &Direct<T>) {
        let Scratch { input, components, channel, .. } = s;
        let channel = channel.as_mut().expect("scratch of the first block");
        let (w, inputs) = (self.numbers.width, self.inputs.len());
        let mut faces = std::mem::take(&mut channel.faces);
        let components = &mut components[..direct.constant.components.len()];
        components.copy_from_slice(&direct.constant.components);
        for (to, from) in faces.iter_mut().zip(&direct.constant.faces) {
            to.copy_from_slice(from);
        }
        for (i, weight) in direct.weights.chunks_exact(w).enumerate() {
            for (to, from) in channel.values.iter_mut().zip(input[i..].iter().step_by(inputs)) {
                *to = *from;
            }
            self.add_channel(&direct.last, channel, weight, components, &mut faces);
        }
        channel.faces = faces;
    }

    /// [`Fno::input_on_faces`] of the first block.
    pub(super) fn lifted_on_faces(&self, s: &mut Scratch<T>, number: usize, pair: &Pair<T>) {
        let len = self.face_len(pair.axis);
        let faces = &s.channel.as_ref().expect("scratch of the first block").faces[number];
        s.faces.components[..2 * len].copy_from_slice(faces);
        for node in 0..2 {
            self.take_face(s, pair, node);
        }
    }

    /// Adds what the lifting makes of a channel's components, `weight` [width].
    fn add_channel(
        &self,
        last: &Packed<T>,
        channel: &mut OfChannel<T>,
        weight: &[T],
        components: &mut [T],
        faces: &mut [Vec<T>],
    ) {
        let (arch, d, lane, row) = (self.arch, self.axes.len(), self.lane(), self.row);
        let (rows, points) = (last.outputs(), last.inner());
        let OfChannel { values, lines, planes, components: own, face, .. } = channel;
        let x = Rows { data: values, stride: points, count: lines.len() / lane };
        product(arch, x, last, Start::Zero, false, lines, lane);
        // The forward matrix of an axis for the caller's points.
        let matrix = |axis: usize| {
            let (it, before) = (&self.axes[axis], self.before[axis]);
            Rows { data: &it.forward()[before..], stride: it.points, count: it.rows() }
        };
        let along = |axis: usize, x: &[T], stride: usize, outputs: usize, y: &mut [T], y_stride: usize| {
            let term = (matrix(axis), Columns::plain(x, self.grid[axis], stride));
            products(arch, [term], outputs, Start::Zero, y, y_stride);
        };
        match d {
            1 => own.copy_from_slice(lines),
            2 => along(0, lines, lane, lane, own, lane),
            _ => {
                let len = self.axes[1].rows() * lane;
                let of_planes = lines.chunks_exact(self.grid[1] * lane).zip(planes.chunks_exact_mut(len));
                of_planes.for_each(|(lines, plane)| along(1, lines, lane, lane, plane, lane));
                along(0, planes, len, len, own, len);
            }
        }
        for (own, to) in own.chunks_exact(lane).zip(components.chunks_exact_mut(row)) {
            add_outer(arch, &own[..rows], weight, to);
        }
        for (pair, to) in self.face_pairs().iter().zip(faces) {
            let len = self.face_len(pair.axis);
            for (node, to) in to.chunks_exact_mut(len).enumerate() {
                let place = if node == 0 { 0 } else { self.grid[pair.axis] - 1 };
                match (d, pair.axis) {
                    (1, _) => add_outer(arch, &values[place..place + 1], weight, to),
                    (2, 0) => add_outer(arch, &lines[place * lane..][..rows], weight, to),
                    (2, _) => {
                        along(0, &values[place..], points, 1, face, 1);
                        add_outer(arch, &face[..self.axes[0].rows()], weight, to);
                    }
                    (_, axis) => {
                        let from = if axis == 0 {
                            &planes[place * self.axes[1].rows() * lane..][..self.axes[1].rows() * lane]
                        } else {
                            along(0, &lines[place * lane..], self.grid[1] * lane, lane, face, lane);
                            &face[..self.axes[0].rows() * lane]
                        };
                        for (from, to) in from.chunks_exact(lane).zip(to.chunks_exact_mut(row)) {
                            add_outer(arch, &from[..rows], weight, to);
                        }
                    }
                }
            }
        }
    }
}
