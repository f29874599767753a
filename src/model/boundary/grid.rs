//! Conditions on the nodes of a grid: which they set, which they read, and what they make of them.

use std::ops::Range;

use super::list::List;
use super::{Kind, MAX_FACES, MOST_STENCIL};
use crate::field::Layout;

/// Conditions on a grid, in the order in which they are set. It owns no memory, so that making it allocates none.
#[derive(Clone, Debug)]
pub(crate) struct GridBoundary {
    pub(super) grid: Layout,
    pub(super) faces: List<GridFace, MAX_FACES>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GridFace {
    pub axis: usize,
    pub upper: bool,
    pub kind: Kind,
    /// c_k / c_0 from the neighbour of the face's node inwards.
    pub ratios: List<f64, { MOST_STENCIL - 1 }>,
    /// What the value is multiplied by: spacing / c_0.
    pub factor: f64,
    /// Number of the face among those that have a value.
    pub value: Option<usize>,
}

/// The nodes of a grid along an axis.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// Its number among the lines along this axis: that of its nodes on the faces.
    pub number: usize,
    first: usize,
    step: usize,
    points: usize,
}

impl Line {
    /// The node with an index along the line.
    pub fn at(&self, index: usize) -> usize {
        self.first + self.step * index
    }

    /// Node k of a condition.
    pub fn node(&self, face: &GridFace, k: usize) -> usize {
        self.at(face.index(k, self.points))
    }
}

/// A condition's nodes on a line are numbered: 0 lies on the face, then come the stencil's inwards, or the opposite one.
impl GridFace {
    /// Number of nodes on a line that the condition sets or reads.
    pub fn count(&self) -> usize {
        self.set().len() + self.ratios.len()
    }

    /// Nodes that it sets.
    pub fn set(&self) -> Range<usize> {
        0..if self.kind == Kind::Periodic { 2 } else { 1 }
    }

    /// Nodes that it reads.
    pub fn read(&self) -> Range<usize> {
        if self.kind == Kind::Periodic { self.set() } else { 1..self.count() }
    }

    /// Index of node k along an axis of `points`.
    pub fn index(&self, k: usize, points: usize) -> usize {
        let inwards = if self.kind == Kind::Periodic { k * (points - 1) } else { k };
        if self.upper { points - 1 - inwards } else { inwards }
    }

    /// What the condition makes of the nodes that it sets, from its value and from those that it reads.
    pub fn rule(&self, value: impl FnOnce() -> f64, at: impl Fn(usize) -> f64) -> f64 {
        match self.kind {
            Kind::Dirichlet => value(),
            Kind::Neumann => {
                let inside = self.ratios.iter().enumerate();
                let sum = inside.fold(0.0, |sum, (k, ratio)| sum + ratio * at(k + 1));
                self.factor * value() - sum
            }
            Kind::Periodic => 0.5 * at(0) + 0.5 * at(1),
        }
    }

    /// A value as the rule takes it, where Dirichlet values are set times `stretch`.
    pub fn scaled(&self, value: f64, stretch: f64) -> f64 {
        if self.kind == Kind::Dirichlet { stretch * value } else { value }
    }
}

impl GridBoundary {
    pub fn faces(&self) -> &[GridFace] {
        &self.faces
    }

    pub fn shape(&self) -> &[usize] {
        self.grid.shape()
    }

    /// Number of a face's nodes: of lines along its axis.
    pub fn nodes(&self, axis: usize) -> usize {
        self.grid.len() / self.shape()[axis]
    }

    /// The line along an axis through a node.
    pub fn line(&self, axis: usize, node: usize) -> Line {
        let (points, step) = (self.shape()[axis], self.grid.strides()[axis] as usize);
        let (outer, inner) = (node / (points * step), node % step);
        Line { number: outer * step + inner, first: outer * points * step + inner, step, points }
    }

    /// All lines along an axis, by number.
    pub fn lines(&self, axis: usize) -> impl Iterator<Item = Line> {
        let (points, step) = (self.shape()[axis], self.grid.strides()[axis] as usize);
        let first = move |number: usize| number / step * points * step + number % step;
        (0..self.nodes(axis)).map(move |number| Line { number, first: first(number), step, points })
    }

    /// Whether the face's condition sets the node.
    pub fn sets(&self, face: &GridFace, node: usize) -> bool {
        let (points, step) = (self.shape()[face.axis], self.grid.strides()[face.axis] as usize);
        face.set().any(|k| face.index(k, points) == node / step % points)
    }

    /// Whether values alone decide what the faces' nodes get.
    pub fn is_given(&self) -> bool {
        self.faces.iter().all(|face| face.kind == Kind::Dirichlet)
    }
}
