//! The transpose of a spectral convolution and of BOON's correction of it.
//!
//! Transforms go through their transposed matrices, modes through the adjoint weights. What gathers modes from components has what scatters
//! them as its transpose, and the other way round: both take the same signed sums.

use super::boon::{Kernel, Pair};
use super::correct::Faces;
use super::{Boon, Fno, Link, Scratch};
use crate::error::{Result, zeros};
use crate::kernels::product::{Columns, Packed, Rows, Start, products};
use crate::kernels::real::Real;
use crate::kernels::rows::add;
use crate::kernels::spectral::Mixer;
use crate::model::dense::Dense;

const WHAT: &str = "transposed weights";

/// A plan's weights and matrices, transposed.
pub(super) struct Transposes<T> {
    /// Of each axis.
    pub axes: Vec<Matrices<T>>,
    pub lifting: Vec<Packed<T>>,
    pub projection: Vec<Packed<T>>,
    pub blocks: Vec<BlockTransposes<T>>,
    /// For each pair of faces what its two nodes' components make of a result's along the normal axis, [components, 2].
    ends: Vec<Vec<T>>,
}

/// Transposed matrices of an axis.
pub(super) struct Matrices<T> {
    /// [points, components].
    pub forward: Vec<T>,
    /// [components, points], of the inverse that the blocks use.
    pub inverse: Vec<T>,
}

pub(super) struct BlockTransposes<T> {
    mixer: Mixer<T>,
    pub skip: Link<T>,
    pub mlp: Vec<Packed<T>>,
    pub mlp_skip: Link<T>,
    /// Of the matrix in each kernel.
    kernels: Vec<Option<Mixer<T>>>,
}

/// Scratch of a transposed correction.
pub(super) struct Corrected<T> {
    /// Cotangents of the modes of the input.
    modes: Vec<T>,
    /// For each pair of faces the cotangents of the input's components on both.
    faces: Vec<Vec<T>>,
}

/// The transpose of [.., columns].
fn transposed<T: Real>(matrix: &[T], columns: usize) -> Result<Vec<T>> {
    let rows = matrix.len() / columns;
    let mut out = zeros(matrix.len(), WHAT)?;
    for (r, row) in matrix.chunks_exact(columns).enumerate() {
        row.iter().enumerate().for_each(|(c, v)| out[c * rows + r] = *v);
    }
    Ok(out)
}

fn transposed_weights<T: Real>(weight: &Packed<T>) -> Result<Packed<T>> {
    let mut packed = Packed::with_capacity(weight.inner(), weight.outputs(), WHAT)?;
    packed.pack(weight.inner(), weight.outputs(), |inner, output| weight.entry(output, inner));
    Ok(packed)
}

fn transposed_link<T: Real>(link: &Link<T>) -> Result<Link<T>> {
    Ok(match link {
        Link::Linear(weight) => Link::Linear(transposed_weights(weight)?),
        Link::Gate(factors) => Link::Gate(factors.clone()),
        Link::None => Link::None,
    })
}

impl<T: Real> Transposes<T> {
    pub(super) fn new(fno: &Fno<T>) -> Result<Self> {
        let network = |layers: &[Dense<T>]| layers.iter().map(|layer| transposed_weights(&layer.weight)).collect();
        let last = fno.axes.len() - 1;
        let axes = fno.axes.iter().zip(&fno.back).enumerate().map(|(axis, (there, back))| {
            there.make_matrices()?;
            back.make_matrices()?;
            let inverse = if axis == last { fno.last_inverse() } else { back.inverse() };
            Ok(Matrices {
                forward: transposed(there.forward(), there.points)?,
                inverse: transposed(inverse, back.rows())?,
            })
        });
        let blocks = fno.blocks.iter().map(|block| {
            let kernel = |kernel: &Option<Kernel<T>>| match kernel {
                Some(Kernel::Seed { across: mixer, .. } | Kernel::Exact(mixer)) => mixer.adjoint(WHAT).map(Some),
                None => Ok(None),
            };
            Ok(BlockTransposes {
                mixer: block.mixer.adjoint(WHAT)?,
                skip: transposed_link(&block.skip)?,
                mlp: block.mlp.as_ref().map_or(Ok(vec![]), |mlp| network(mlp))?,
                mlp_skip: transposed_link(&block.mlp_skip)?,
                kernels: block.kernels.iter().map(kernel).collect::<Result<_>>()?,
            })
        });
        let ends = fno.boon.iter().flat_map(|boon| &boon.pairs).map(|pair| {
            let axis = &fno.axes[pair.axis];
            let (lower, upper) = (&axis.inverse()[..axis.rows()], &axis.inverse()[(axis.points - 1) * axis.rows()..]);
            lower.iter().zip(upper).flat_map(|(a, b)| [*a, *b]).collect()
        });
        Ok(Transposes {
            axes: axes.collect::<Result<_>>()?,
            lifting: network(&fno.lifting)?,
            projection: network(&fno.projection)?,
            blocks: blocks.collect::<Result<_>>()?,
            ends: ends.collect(),
        })
    }
}

impl<T: Real> Corrected<T> {
    pub(super) fn new(fno: &Fno<T>, what: &str) -> Result<Self> {
        let Some(boon) = &fno.boon else { return Ok(Corrected { modes: vec![], faces: vec![] }) };
        let faces = boon.pairs.iter().map(|pair| zeros(2 * fno.face_len(pair.axis) + T::PANEL, what));
        Ok(Corrected {
            modes: zeros(fno.modes.len() * 2 * fno.numbers.width, what)?,
            faces: faces.collect::<Result<_>>()?,
        })
    }
}

impl<T: Real> Fno<T> {
    /// The transpose of [`Fno::convolve`] of block `b`, from cotangents of the components along the last axis of its result (`lines`) to
    /// those of its input. What its input's values at the faces add is left to [`Fno::add_faces`].
    pub(super) fn convolve_transposed(
        &self,
        s: &mut Scratch<T>,
        lines: &mut [T],
        corrected: &mut Corrected<T>,
        t: &Transposes<T>,
        b: usize,
    ) {
        let row = self.row;
        self.lines_to_components(s, lines, |axis| &t.axes[axis].inverse);
        self.mix_transposed(s, t, b);
        if let Some(boon) = &self.boon {
            self.correct_transposed(s, corrected, boon, t, b);
        }
        self.modes.scatter(self.arch, &s.modes[0], &mut s.components);
        let forward = |axis: usize| &t.axes[axis].forward[..];
        self.components_to_lines(s, lines, forward, |planes| {
            let len = planes.len() / self.axes[0].points;
            self.each_face(corrected, b, |_, pair, place, face| {
                if pair.axis == 0 {
                    add(self.arch, face, &mut planes[place * len..][..len]);
                }
            });
        });
        self.each_face(corrected, b, |len, pair, place, face| match (&self.axes[..], pair.axis) {
            ([_, _], 0) => add(self.arch, &face[..len], &mut lines[place * row..][..row]),
            ([first, middle, _], 1) => {
                let matrix = Rows { data: &t.axes[0].forward, stride: first.rows(), count: first.points };
                let term = (matrix, Columns::plain(face, first.rows(), row));
                products(self.arch, [term], row, Start::Output, &mut lines[place * row..], middle.points * row);
            }
            _ => {}
        });
    }

    /// What the cotangents of a block's input owe to its values at faces that no transform along the last axis has met.
    pub(super) fn add_faces(&self, corrected: &Corrected<T>, t: &Transposes<T>, b: usize, field: &mut [T]) {
        let w = self.numbers.width;
        self.each_face(corrected, b, |len, pair, place, face| match (&self.axes[..], pair.axis) {
            ([_], _) => add(self.arch, &face[..len], &mut field[place * w..][..w]),
            ([first, last], 1) => {
                let matrix = Rows { data: &t.axes[0].forward, stride: first.rows(), count: first.points };
                let term = (matrix, Columns::plain(face, first.rows(), w));
                products(self.arch, [term], w, Start::Output, &mut field[place * w..], last.points * w);
            }
            _ => {}
        });
    }

    /// Calls `work(len, pair, place, components)` for both faces of each pair that block `b` corrects: `place` is the face's index along its
    /// axis, `len` the number of its components; more may follow, for an overhang.
    fn each_face(&self, corrected: &Corrected<T>, b: usize, mut work: impl FnMut(usize, &Pair<T>, usize, &[T])) {
        let pairs = self.boon.iter().flat_map(|boon| &boon.pairs);
        for ((pair, kernel), faces) in pairs.zip(&self.blocks[b].kernels).zip(&corrected.faces) {
            let len = self.face_len(pair.axis);
            for (node, place) in [0, self.axes[pair.axis].points - 1].into_iter().enumerate() {
                if kernel.is_some() {
                    work(len, pair, place, &faces[node * len..]);
                }
            }
        }
    }

    /// From cotangents of a result's components to those of the modes of its input, `s.modes[0]`.
    fn mix_transposed(&self, s: &mut Scratch<T>, t: &Transposes<T>, b: usize) {
        let each = 2 * self.numbers.width;
        let [x, y] = &mut s.modes;
        let components: &[T] = &s.components;
        self.back_modes.gather(self.arch, components, y);
        self.team.share(x, each, t.blocks[b].mixer.len(), |first, x| {
            t.blocks[b].mixer.apply(self.arch, first, &y[first * each..][..x.len()], x);
        });
    }

    /// The transpose of [`Fno::correct`]: changes the cotangents of the modes, from those of the corrected ones to those of the input's
    /// own, and finds those of the input on the faces.
    fn correct_transposed(
        &self,
        s: &mut Scratch<T>,
        corrected: &mut Corrected<T>,
        boon: &Boon<T>,
        t: &Transposes<T>,
        b: usize,
    ) {
        let w = self.numbers.width;
        if self.blocks[b].kernels.iter().all(Option::is_none) {
            return;
        }
        // Those of the modes wait apart: what the corrections owe to K x goes through the convolution once more.
        std::mem::swap(&mut corrected.modes, &mut s.modes[0]);
        s.components.fill(T::ZERO);
        for (p, pair) in boon.pairs.iter().enumerate() {
            let (Some(kernel), Some(adjoint)) = (&self.blocks[b].kernels[p], &t.blocks[b].kernels[p]) else { continue };
            let (count, len) = (pair.tangential.len() * 2 * w, self.face_len(pair.axis));
            let faces = &mut s.faces;
            let (lower, upper) = faces.delta[..2 * count].split_at_mut(count);
            lower.fill(T::ZERO);
            upper.fill(T::ZERO);
            for (mode, (tangential, c, sn)) in corrected.modes.chunks_exact(2 * w).zip(&pair.phases) {
                let (lower, upper) = (&mut lower[tangential * 2 * w..], &mut upper[tangential * 2 * w..]);
                let (re, im) = mode.split_at(w);
                for i in 0..w {
                    lower[i] += re[i];
                    lower[w + i] += im[i];
                    upper[i] += *c * re[i] + *sn * im[i];
                    upper[w + i] += *c * im[i] - *sn * re[i];
                }
            }
            self.find_delta_transposed(faces, count, kernel, adjoint);
            for node in 0..2 {
                let of_input = &mut corrected.faces[p][node * len..][..len];
                pair.tangential.scatter(self.arch, &faces.input[node * count..][..count], of_input);
                let of_result = &mut faces.components[node * len..][..len];
                pair.tangential.scatter(self.arch, &faces.result[node * count..][..count], of_result);
                for (at, gram) in &pair.gram {
                    of_result[*at..at + w].iter_mut().for_each(|v| *v *= *gram);
                }
            }
            self.add_to_components(s, pair, &t.ends[p]);
        }
        self.mix_transposed(s, t, b);
        add(self.arch, &corrected.modes, &mut s.modes[0]);
    }

    /// Adds what cotangents of a result's components on both faces are to those of its components along all axes.
    fn add_to_components(&self, s: &mut Scratch<T>, pair: &Pair<T>, ends: &[T]) {
        let (w, row, len) = (self.numbers.width, self.row, self.face_len(pair.axis));
        let normal = &self.axes[pair.axis];
        let matrix = Rows { data: ends, stride: 2, count: normal.rows() };
        let faces = &s.faces.components;
        let spread = |at: usize, outputs: usize, to: &mut [T], stride: usize| {
            let term = (matrix, Columns::plain(&faces[at..], 2, len));
            products(self.arch, [term], outputs, Start::Output, to, stride);
        };
        match (&self.axes[..], pair.axis) {
            ([_], _) => spread(0, w, &mut s.components, w),
            (_, 0) => spread(0, len, &mut s.components, len),
            ([first, _], _) => {
                for r in 0..first.rows() {
                    spread(r * w, w, &mut s.components[r * row..], w);
                }
            }
            ([first, middle, _], _) => {
                for r in 0..first.rows() {
                    spread(r * row, row, &mut s.components[r * middle.rows() * row..], row);
                }
            }
            _ => unreachable!("one to three axes"),
        }
    }

    /// The transpose of [`Fno::find_delta`]: from cotangents of delta to those of the modes of the input and of K x on both faces.
    fn find_delta_transposed(&self, faces: &mut Faces<T>, count: usize, kernel: &Kernel<T>, adjoint: &Mixer<T>) {
        let w = self.numbers.width;
        let Faces { input, result, delta, joint, .. } = faces;
        let [(x0, xn), (k0, kn), (d0, dn)] = [input, result, delta].map(|both| both[..2 * count].split_at_mut(count));
        let [before, after] = joint.each_mut().map(|joint| &mut joint[..2 * count]);
        match kernel {
            Kernel::Seed { numbers, .. } => {
                for i in 0..count {
                    kn[i] = T::ZERO - numbers.inverse_knn * dn[i];
                    xn[i] = T::ZERO - dn[i];
                    let twice = dn[i] + dn[i];
                    if numbers.from_left {
                        x0[i] = twice;
                        d0[i] += twice;
                    } else {
                        x0[i] = T::ZERO;
                        xn[i] += twice;
                    }
                }
                k0.fill(T::ZERO);
                if numbers.left {
                    // What the lower correction adds to the result on the upper face counts as that result does.
                    adjoint.apply(self.arch, 0, kn, &mut before[..count]);
                    for i in 0..count {
                        let d = d0[i] + before[i];
                        x0[i] += d;
                        k0[i] = T::ZERO - numbers.pivot * d;
                        kn[i] += numbers.pivot * numbers.ratio * d;
                        xn[i] = xn[i] - numbers.pivot * numbers.k0n * d;
                    }
                }
            }
            Kernel::Exact(_) => {
                x0.copy_from_slice(d0);
                xn.copy_from_slice(dn);
                for (i, to) in before.chunks_exact_mut(2 * w).enumerate() {
                    to[..w].copy_from_slice(&d0[i * w..][..w]);
                    to[w..].copy_from_slice(&dn[i * w..][..w]);
                }
                adjoint.apply(self.arch, 0, before, after);
                for (i, from) in after.chunks_exact(2 * w).enumerate() {
                    for c in 0..w {
                        k0[i * w + c] = T::ZERO - from[c];
                        kn[i * w + c] = T::ZERO - from[w + c];
                    }
                }
            }
        }
    }
}
