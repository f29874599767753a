//! Components of all lines of a grid in one array, for derivatives: what [`super::sweep`] does on the way, a field at a time and with
//! any matrices.

use super::boon::Pair;
use super::{Block, Fno, Scratch};
use crate::kernels::product::{Columns, Rows, Start, products};
use crate::kernels::real::Real;

impl<T: Real> Fno<T> {
    /// y [rows, outputs] = matrix [rows, inner] x [inner, outputs]. Goes in steps of a few rows of y and of x, so that what a step reads
    /// and writes lies together.
    pub(super) fn transform(&self, matrix: &[T], inner: usize, x: &[T], outputs: usize, y: &mut [T]) {
        const ROWS: usize = 24;
        const INNER: usize = 64;
        self.team.share(y, outputs, x.len() * 4, |first, y| {
            for (i, y) in y.chunks_mut(ROWS * outputs).enumerate() {
                let count = y.len() / outputs;
                let matrix = &matrix[(first + i * ROWS) * inner..];
                for at in (0..inner).step_by(INNER) {
                    let step = INNER.min(inner - at);
                    let rows = Rows { data: &matrix[at..], stride: inner, count };
                    let x = Columns::plain(&x[at * outputs..], step, outputs);
                    products(
                        self.arch,
                        [(rows, x)],
                        outputs,
                        if at == 0 { Start::Zero } else { Start::Output },
                        y,
                        outputs,
                    );
                }
            }
        });
    }

    /// The same for each of many x and y that lie one after the other.
    pub(super) fn transform_each(&self, matrix: &[T], inner: usize, x: &[T], outputs: usize, y: &mut [T]) {
        let rows = matrix.len() / inner;
        self.team.share(y, rows * outputs, x.len() * 4, |first, y| {
            let x = x[first * inner * outputs..].chunks_exact(inner * outputs);
            for (x, y) in x.zip(y.chunks_exact_mut(rows * outputs)) {
                let term = (Rows { data: matrix, stride: inner, count: rows }, Columns::plain(x, inner, outputs));
                products(self.arch, [term], outputs, Start::Zero, y, outputs);
            }
        });
    }

    /// The spectral convolution, from the components along the last axis to those of its result.
    pub(super) fn convolve_lines(&self, s: &mut Scratch<T>, lines: &mut [T], block: &Block<T>) {
        self.lines_to_components(s, lines, |axis| self.axes[axis].forward());
        let held = &*lines;
        self.convolve(s, block, false, |s, _, pair| self.lines_on_faces(s, held, pair));
        self.components_to_lines(s, lines, |axis| self.back[axis].inverse(), |_| {});
    }

    /// The components along all axes, `s.components`, of those along the last. `matrix(axis)`: [components, points].
    pub(super) fn lines_to_components<'m>(&self, s: &mut Scratch<T>, lines: &[T], matrix: impl Fn(usize) -> &'m [T]) {
        let row = self.row;
        match &self.axes[..] {
            [first, _] => {
                let y = &mut s.components[..matrix(0).len() / first.points * row];
                self.transform(matrix(0), first.points, lines, row, y);
            }
            [first, middle, _] => {
                let outputs = matrix(1).len() / middle.points * row;
                let between = &mut s.sums.all()[..first.points * outputs];
                self.transform_each(matrix(1), middle.points, lines, row, between);
                let y = &mut s.components[..matrix(0).len() / first.points * outputs];
                self.transform(matrix(0), first.points, between, outputs, y);
            }
            _ => s.components.copy_from_slice(lines),
        }
    }

    /// The components along the last axis of `s.components`, those along all. `matrix(axis)`: [points, components]; `planes` hears of three
    /// axes' planes on the way.
    pub(super) fn components_to_lines<'m>(
        &self,
        s: &mut Scratch<T>,
        lines: &mut [T],
        matrix: impl Fn(usize) -> &'m [T],
        planes: impl FnOnce(&mut [T]),
    ) {
        let row = self.row;
        match &self.axes[..] {
            [first, _] => self.transform(matrix(0), matrix(0).len() / first.points, &s.components, row, lines),
            [first, middle, _] => {
                let inner = matrix(1).len() / middle.points;
                let between = &mut s.sums.all()[..first.points * inner * row];
                self.transform(matrix(0), matrix(0).len() / first.points, &s.components, inner * row, between);
                planes(between);
                self.transform_each(matrix(1), inner, between, row, lines);
            }
            _ => lines.copy_from_slice(&s.components),
        }
    }

    /// [`Fno::input_on_faces`] from the components of all lines and, of three axes, of all planes in `s.sums`.
    fn lines_on_faces(&self, s: &mut Scratch<T>, lines: &[T], pair: &Pair<T>) {
        let (row, len) = (self.row, self.face_len(pair.axis));
        for node in 0..2 {
            let place = if node == 0 { 0 } else { self.axes[pair.axis].points - 1 };
            let to = &mut s.faces.components[node * len..][..len];
            match (&self.axes[..], pair.axis) {
                ([_, _], 0) => to.copy_from_slice(&lines[place * row..][..row]),
                ([_, _, _], 0) => to.copy_from_slice(&s.sums.all()[place * len..][..len]),
                ([first, middle, _], 1) => {
                    let x = Columns::plain(&lines[place * row..], first.points, middle.points * row);
                    let matrix = Rows { data: first.forward(), stride: first.points, count: first.rows() };
                    products(self.arch, [(matrix, x)], row, Start::Zero, to, row);
                }
                _ => self.field_on_face(&s.field.all()[place * self.numbers.width..], to),
            }
            self.take_face(s, pair, node);
        }
    }
}
