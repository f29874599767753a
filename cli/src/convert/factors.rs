//! Factorised spectral weights as tltorch names them: Tucker (`core`, `factors.factor_{j}` [extent, rank]), CP (`weights`, the same) and
//! tensor trains (`factors.factor_{j}` [rank, extent, rank]); complex numbers are a last axis (re, im).

use super::state::{State, Tensor};
use super::textbook::fourier::Complex;
use super::write::{Element, Output};
use crate::error::{Result, refuse};

/// A factorised tensor [in, out, modes..].
pub enum Factors<'a> {
    /// core [r_0, r_1, ..] times a matrix an axis.
    Tucker(Tensor<'a>, Vec<Tensor<'a>>),
    /// sum over r of weight_r times a column of each matrix.
    Cp(Tensor<'a>, Vec<Tensor<'a>>),
    /// A product of matrices, one for the index on each axis.
    Train(Vec<Tensor<'a>>),
}

/// (re, im) number i of a tensor.
fn complex(tensor: &Tensor, i: usize) -> Complex {
    (tensor.at(2 * i), tensor.at(2 * i + 1))
}

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn add(to: &mut Complex, v: Complex) {
    to.0 += v.0;
    to.1 += v.1;
}

impl<'a> Factors<'a> {
    /// Takes what lies under `name`.
    pub fn take(state: &'a State, name: &str) -> Result<Factors<'a>> {
        let factor = |j: usize| format!("{name}.factors.factor_{j}");
        let factors: Result<Vec<Tensor>> = (0..state.count(factor)).map(|j| state.take(&factor(j))).collect();
        let factors = factors?;
        let order = factors.len();
        if !(3..=5).contains(&order) {
            return refuse!("{name} has {order} factors, expected one for each of in, out and 1 to 3 axes");
        }
        let rank_of = |tensor: &Tensor, axis: usize| tensor.shape.get(axis).copied().unwrap_or(0);
        let matrix = |tensor: &Tensor, rank: usize| {
            if tensor.shape.len() == 3 && tensor.shape[1] == rank && tensor.shape[2] == 2 {
                return Ok(());
            }
            refuse!("tensor {} has shape {:?}, expected [extent, {rank}, 2]", tensor.name, tensor.shape)
        };
        for kind in ["core", "weights"] {
            let full = format!("{name}.{kind}");
            if !state.has(&full) {
                continue;
            }
            let head = state.take(&full)?;
            let cp = kind == "weights";
            if head.shape.len() != if cp { 2 } else { order + 1 } || rank_of(&head, head.shape.len() - 1) != 2 {
                return refuse!(
                    "tensor {} has shape {:?}, expected complex numbers for {order} factors",
                    head.name,
                    head.shape
                );
            }
            for (j, tensor) in factors.iter().enumerate() {
                matrix(tensor, rank_of(&head, if cp { 0 } else { j }))?;
            }
            return Ok(if cp { Factors::Cp(head, factors) } else { Factors::Tucker(head, factors) });
        }
        if factors[0].shape.len() == 3 {
            return refuse!("tensor {name}.core or {name}.weights is missing beside the factors");
        }
        let mut rank = 1;
        for tensor in &factors {
            if tensor.shape.len() != 4 || tensor.shape[0] != rank || tensor.shape[3] != 2 {
                return refuse!(
                    "tensor {} has shape {:?}, expected [{rank}, extent, rank, 2]",
                    tensor.name,
                    tensor.shape
                );
            }
            rank = tensor.shape[2];
        }
        if rank != 1 {
            return refuse!("tensor {} ends with rank {rank}, expected 1", factors[order - 1].name);
        }
        Ok(Factors::Train(factors))
    }

    /// The factorisation's name in neuraloperator.
    pub fn kind(&self) -> &'static str {
        match self {
            Factors::Tucker(..) => "tucker",
            Factors::Cp(..) => "cp",
            Factors::Train(_) => "tt",
        }
    }

    /// Extents of the whole tensor.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Factors::Tucker(_, factors) | Factors::Cp(_, factors) => factors.iter().map(|f| f.shape[0]).collect(),
            Factors::Train(factors) => factors.iter().map(|f| f.shape[1]).collect(),
        }
    }

    fn is_double(&self) -> bool {
        match self {
            Factors::Tucker(_, factors) | Factors::Cp(_, factors) | Factors::Train(factors) => factors[0].is_double(),
        }
    }

    /// The whole tensor, one input channel at a time.
    pub fn output(self, name: String) -> Output<'a> {
        let shape = [&self.shape()[..], &[2]].concat();
        Output {
            name,
            chunk: shape[1..].iter().product(),
            shape,
            element: Element::float(self.is_double()),
            fill: Box::new(move |input, out| {
                for (to, v) in out.chunks_exact_mut(2).zip(self.slice(input)) {
                    to.copy_from_slice(&[v.0, v.1]);
                }
            }),
        }
    }

    /// [out, modes..] of one input channel.
    fn slice(&self, input: usize) -> Vec<Complex> {
        match self {
            Factors::Tucker(core, factors) => {
                // The first axis of what is left goes, and its extent comes last.
                let mut left: Vec<Complex> = (0..core.elements() / 2).map(|i| complex(core, i)).collect();
                for (axis, factor) in factors.iter().enumerate() {
                    let (extent, rank) = (factor.shape[0], factor.shape[1]);
                    let rest = left.len() / rank;
                    let rows = if axis == 0 { input..input + 1 } else { 0..extent };
                    let mut next = vec![(0.0, 0.0); rest * rows.len()];
                    let count = rows.len();
                    for (at, row) in rows.enumerate() {
                        for r in 0..rank {
                            let f = complex(factor, row * rank + r);
                            for i in 0..rest {
                                add(&mut next[i * count + at], times(f, left[r * rest + i]));
                            }
                        }
                    }
                    left = next;
                }
                left
            }
            Factors::Cp(weights, factors) => {
                let rank = weights.shape[0];
                let mut left: Vec<Complex> =
                    (0..rank).map(|r| times(complex(weights, r), complex(&factors[0], input * rank + r))).collect();
                for factor in &factors[1..] {
                    let next = |row: &[Complex]| -> Vec<Complex> {
                        (0..factor.shape[0] * rank).map(|at| times(row[at % rank], complex(factor, at))).collect()
                    };
                    left = left.chunks_exact(rank).flat_map(next).collect();
                }
                let sum = |row: &[Complex]| row.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                left.chunks_exact(rank).map(sum).collect()
            }
            Factors::Train(factors) => {
                let rank = factors[0].shape[2];
                let mut left: Vec<Complex> = (0..rank).map(|r| complex(&factors[0], input * rank + r)).collect();
                for factor in &factors[1..] {
                    let (rank, extent, to) = (factor.shape[0], factor.shape[1], factor.shape[2]);
                    let mut next = vec![(0.0, 0.0); left.len() / rank * extent * to];
                    for (row, out) in left.chunks_exact(rank).zip(next.chunks_exact_mut(extent * to)) {
                        for (r, v) in row.iter().enumerate() {
                            for (at, out) in out.iter_mut().enumerate() {
                                add(out, times(*v, complex(factor, r * extent * to + at)));
                            }
                        }
                    }
                    left = next;
                }
                left
            }
        }
    }

    /// A mode's channels through the factors, without the whole tensor.
    pub fn apply(&self, places: &[usize], x: &[Complex]) -> Vec<Complex> {
        let zero = (0.0, 0.0);
        match self {
            Factors::Tucker(core, factors) => {
                let ranks: Vec<usize> = factors.iter().map(|f| f.shape[1]).collect();
                let inner: usize = ranks[2..].iter().product();
                let mut input = vec![zero; ranks[0]];
                for (i, x) in x.iter().enumerate() {
                    for (r, to) in input.iter_mut().enumerate() {
                        add(to, times(complex(&factors[0], i * ranks[0] + r), *x));
                    }
                }
                let weight = |mut at: usize| {
                    let mut w = (1.0, 0.0);
                    for (axis, place) in places.iter().enumerate().rev() {
                        let rank = ranks[axis + 2];
                        w = times(w, complex(&factors[axis + 2], place * rank + at % rank));
                        at /= rank;
                    }
                    w
                };
                let weights: Vec<Complex> = (0..inner).map(weight).collect();
                let mut output = vec![zero; ranks[1]];
                for (a, x) in input.iter().enumerate() {
                    for (b, to) in output.iter_mut().enumerate() {
                        let start = (a * ranks[1] + b) * inner;
                        let sum = weights.iter().enumerate().fold(zero, |sum, (i, w)| {
                            let v = times(*w, complex(core, start + i));
                            (sum.0 + v.0, sum.1 + v.1)
                        });
                        add(to, times(sum, *x));
                    }
                }
                columns(&factors[1], &output)
            }
            Factors::Cp(weights, factors) => {
                let rank = weights.shape[0];
                let mut inner = vec![zero; rank];
                for (r, to) in inner.iter_mut().enumerate() {
                    let mut sum = zero;
                    for (i, x) in x.iter().enumerate() {
                        add(&mut sum, times(complex(&factors[0], i * rank + r), *x));
                    }
                    let along =
                        |w, (axis, place): (usize, &usize)| times(w, complex(&factors[axis + 2], place * rank + r));
                    *to = times(places.iter().enumerate().fold(complex(weights, r), along), sum);
                }
                columns(&factors[1], &inner)
            }
            Factors::Train(factors) => {
                let (outputs, last) = (factors[1].shape[1], factors.len() - 1);
                // From the right: what the modes' matrices make of 1.
                let mut right = vec![(1.0, 0.0)];
                for axis in (2..=last).rev() {
                    let (rank, extent, to) = (factors[axis].shape[0], factors[axis].shape[1], factors[axis].shape[2]);
                    let entry = |r: usize| {
                        (0..to).fold(zero, |sum, q| {
                            let at = (r * extent + places[axis - 2]) * to + q;
                            let v = times(complex(&factors[axis], at), right[q]);
                            (sum.0 + v.0, sum.1 + v.1)
                        })
                    };
                    right = (0..rank).map(entry).collect();
                }
                let rank = factors[0].shape[2];
                let mut left = vec![zero; rank];
                for (i, x) in x.iter().enumerate() {
                    for (r, to) in left.iter_mut().enumerate() {
                        add(to, times(complex(&factors[0], i * rank + r), *x));
                    }
                }
                let to = factors[1].shape[2];
                let entry = |o: usize| {
                    let mut sum = zero;
                    for (r, l) in left.iter().enumerate() {
                        for (q, v) in right.iter().enumerate() {
                            add(&mut sum, times(times(*l, *v), complex(&factors[1], (r * outputs + o) * to + q)));
                        }
                    }
                    sum
                };
                (0..outputs).map(entry).collect()
            }
        }
    }
}

/// A matrix [rows, columns] times a vector.
fn columns(matrix: &Tensor, x: &[Complex]) -> Vec<Complex> {
    let row = |o: usize| {
        x.iter().enumerate().fold((0.0, 0.0), |sum, (r, x)| {
            let v = times(complex(matrix, o * x_len(matrix) + r), *x);
            (sum.0 + v.0, sum.1 + v.1)
        })
    };
    (0..matrix.shape[0]).map(row).collect()
}

fn x_len(matrix: &Tensor) -> usize {
    matrix.shape[1]
}
