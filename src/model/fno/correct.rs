//! BOON's correction of a spectral convolution, in the modes along the faces.

use super::boon::{Kernel, Pair};
use super::{Block, Boon, Fno, Scratch};
use crate::error::{Result, zeros};
use crate::kernels::fourier::Axis;
use crate::kernels::modes::Begin;
use crate::kernels::product::{Columns, Rows, Start, products};
use crate::kernels::real::Real;

/// Scratch of boundary corrections. Node 0 is the lower one of a pair, node 1 the upper one.
#[derive(Default)]
pub(super) struct Faces<T> {
    /// Components on both faces.
    pub components: Vec<T>,
    /// Tangential modes of the input, of K x and of delta, [node, mode, (re, im), channel].
    pub input: Vec<T>,
    pub result: Vec<T>,
    pub delta: Vec<T>,
    /// [mode, (re, im), node, channel], before and after R.
    pub joint: [Vec<T>; 2],
}

impl<T: Real> Faces<T> {
    pub(super) fn new(fno: &Fno<T>, what: &str) -> Result<Self> {
        let Some(boon) = &fno.boon else { return Ok(Faces::default()) };
        let components = boon.pairs.iter().map(|pair| fno.face_len(pair.axis)).max().unwrap_or(0);
        let modes = boon.pairs.iter().map(|pair| pair.tangential.len()).max().unwrap_or(0);
        let many = || zeros::<T>(modes.saturating_mul(4 * fno.numbers.width), what);
        Ok(Faces {
            components: zeros(components.saturating_mul(2).saturating_add(T::PANEL), what)?,
            input: many()?,
            result: many()?,
            delta: many()?,
            joint: [many()?, many()?],
        })
    }
}

/// Distances between the tangential components of a face in scratch, axis by axis.
pub(super) fn face_strides<T: Real>(axes: &[Axis<T>], row: usize, width: usize) -> Vec<usize> {
    match axes.len() {
        1 => vec![],
        2 => vec![width],
        _ => vec![row, width],
    }
}

impl<T: Real> Fno<T> {
    /// Elements of a face's components.
    pub(super) fn face_len(&self, axis: usize) -> usize {
        let w = self.numbers.width;
        match (&self.axes[..], axis) {
            ([_], _) => w,
            ([_, _], 0) => self.row,
            ([first, _], _) => first.rows() * w,
            (axes, axis) => axes[1 - axis].rows() * self.row,
        }
    }

    /// Changes the modes of the input (`s.modes[0]`), then those and the components of the result: from K x to K x'. Every
    /// pair of faces starts from the input as it came, whose tangential modes `input(scratch, number, pair)` leaves in `s.faces.input`.
    pub(super) fn correct(
        &self,
        s: &mut Scratch<T>,
        boon: &Boon<T>,
        block: &Block<T>,
        input: impl Fn(&mut Scratch<T>, usize, &Pair<T>),
    ) {
        if block.kernels.iter().all(Option::is_none) {
            return;
        }
        for (number, (pair, kernel)) in boon.pairs.iter().zip(&block.kernels).enumerate() {
            let Some(kernel) = kernel else { continue };
            input(s, number, pair);
            self.result_on_faces(s, pair);
            self.find_delta(s, pair, kernel);
            let each = 2 * self.numbers.width;
            let (lower, upper) = s.faces.delta.split_at(pair.tangential.len() * each);
            let w = self.numbers.width;
            for (mode, (tangential, c, sn)) in s.modes[0].chunks_exact_mut(each).zip(&pair.phases) {
                let [(lower_re, lower_im), (upper_re, upper_im)] =
                    [lower, upper].map(|node| node[tangential * each..][..each].split_at(w));
                let (re, im) = mode.split_at_mut(w);
                let upper = || upper_re.iter().zip(upper_im);
                for ((re, lower), (a, b)) in re.iter_mut().zip(lower_re).zip(upper()) {
                    *re += *lower + *c * *a - *sn * *b;
                }
                for ((im, lower), (a, b)) in im.iter_mut().zip(lower_im).zip(upper()) {
                    *im += *lower + *c * *b + *sn * *a;
                }
            }
        }
        self.mix(block, Begin::Modes, &mut s.components, &mut s.modes);
    }

    /// Tangential modes of the input at both faces, from what a sweep has left.
    pub(super) fn input_on_faces(&self, s: &mut Scratch<T>, pair: &Pair<T>) {
        let (row, len, each) = (self.row, self.face_len(pair.axis), self.sums_len());
        for node in 0..2 {
            let place = if node == 0 { 0 } else { self.axes[pair.axis].points - 1 };
            let to = &mut s.faces.components[node * len..][..len];
            match (&self.axes[..], pair.axis) {
                ([_, _], 0) => to.copy_from_slice(&s.edges.all()[node * row..][..row]),
                ([_, _, _], 0) => {
                    let slot = self.slot(place);
                    to.copy_from_slice(&s.sums.all()[slot * each..][..len]);
                }
                ([first, _, _], 1) => {
                    let x = Columns::plain(&s.edges.all()[node * row..], first.points, 2 * row);
                    let matrix = Rows { data: first.forward(), stride: first.points, count: first.rows() };
                    products(self.arch, [(matrix, x)], row, Start::Zero, to, row);
                }
                _ => self.field_on_face(&s.field.all()[place * self.numbers.width..], to),
            }
            self.take_face(s, pair, node);
        }
    }

    /// Components of a face at a node of the last axis, from the field's values from that node on.
    pub(super) fn field_on_face(&self, field: &[T], to: &mut [T]) {
        let w = self.numbers.width;
        match &self.axes[..] {
            [first, last] => {
                let x = Columns::plain(field, first.points, last.points * w);
                let matrix = Rows { data: first.forward(), stride: first.points, count: first.rows() };
                products(self.arch, [(matrix, x)], w, Start::Zero, to, w);
            }
            _ => to.copy_from_slice(&field[..w]),
        }
    }

    /// Tangential modes of the input at a node of a pair from the components in `s.faces.components`.
    pub(super) fn take_face(&self, s: &mut Scratch<T>, pair: &Pair<T>, node: usize) {
        let (count, len) = (pair.tangential.len() * 2 * self.numbers.width, self.face_len(pair.axis));
        let Faces { components, input, .. } = &mut s.faces;
        pair.tangential.gather(self.arch, &components[node * len..][..len], &mut input[node * count..][..count]);
    }

    /// Tangential modes of the input at a node of a pair from the face's components.
    pub(super) fn take_input(&self, s: &mut Scratch<T>, pair: &Pair<T>, node: usize, components: &[T]) {
        let count = pair.tangential.len() * 2 * self.numbers.width;
        pair.tangential.gather(self.arch, components, &mut s.faces.input[node * count..][..count]);
    }

    /// Tangential modes of K x at both faces, from its components.
    fn result_on_faces(&self, s: &mut Scratch<T>, pair: &Pair<T>) {
        let (w, row, len) = (self.numbers.width, self.row, self.face_len(pair.axis));
        let normal = &self.axes[pair.axis];
        // Both nodes are rows of the inverse matrix.
        let nodes = Rows { data: normal.inverse(), stride: (normal.points - 1) * normal.rows(), count: 2 };
        let faces = &mut s.faces.components;
        let at_nodes = |x: Columns<T>, outputs: usize, to: &mut [T]| {
            products(self.arch, [(nodes, x)], outputs, Start::Zero, to, len);
        };
        match (&self.axes[..], pair.axis) {
            ([_], _) => at_nodes(Columns::plain(&s.components, normal.rows(), w), w, faces),
            (_, 0) => at_nodes(Columns::plain(&s.components, normal.rows(), len), len, faces),
            ([first, _], _) => {
                for r in 0..first.rows() {
                    at_nodes(Columns::plain(&s.components[r * row..], normal.rows(), w), w, &mut faces[r * w..]);
                }
            }
            ([first, middle, _], _) => {
                for r in 0..first.rows() {
                    let x = Columns::plain(&s.components[r * middle.rows() * row..], normal.rows(), row);
                    at_nodes(x, row, &mut faces[r * row..]);
                }
            }
            _ => unreachable!("one to three axes"),
        }
        let count = pair.tangential.len() * 2 * w;
        for node in 0..2 {
            let components = &mut faces[node * len..][..len];
            for (at, gram) in &pair.gram {
                components[*at..at + w].iter_mut().for_each(|v| *v *= *gram);
            }
            pair.tangential.gather(self.arch, components, &mut s.faces.result[node * count..][..count]);
        }
    }

    fn find_delta(&self, s: &mut Scratch<T>, pair: &Pair<T>, kernel: &Kernel<T>) {
        let w = self.numbers.width;
        let Faces { input, result, delta, joint, .. } = &mut s.faces;
        let count = pair.tangential.len() * 2 * w;
        let [(x0, xn), (k0, kn)] = [input, result].map(|both| both[..2 * count].split_at(count));
        let (d0, dn) = delta[..2 * count].split_at_mut(count);
        match kernel {
            Kernel::Seed { numbers, across } => {
                d0.fill(T::ZERO);
                if numbers.left {
                    for i in 0..count {
                        d0[i] = x0[i] - numbers.pivot * (k0[i] - kn[i] * numbers.ratio + numbers.k0n * xn[i]);
                    }
                    across.apply(self.arch, 0, d0, dn);
                } else {
                    dn.fill(T::ZERO);
                }
                for i in 0..count {
                    let base = if numbers.from_left { x0[i] + d0[i] } else { xn[i] };
                    dn[i] = base + base - (kn[i] + dn[i]) * numbers.inverse_knn - xn[i];
                }
            }
            Kernel::Exact(inverse) => {
                let [before, after] = joint;
                for (i, to) in before[..2 * count].chunks_exact_mut(2 * w).enumerate() {
                    to[..w].copy_from_slice(&k0[i * w..][..w]);
                    to[w..].copy_from_slice(&kn[i * w..][..w]);
                }
                inverse.apply(self.arch, 0, &before[..2 * count], &mut after[..2 * count]);
                for (i, from) in after[..2 * count].chunks_exact(2 * w).enumerate() {
                    for c in 0..w {
                        let at = i * w + c;
                        d0[at] = x0[at] - from[c];
                        dn[at] = xn[at] - from[w + c];
                    }
                }
            }
        }
    }
}
