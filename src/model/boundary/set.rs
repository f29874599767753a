//! Sets the nodes of faces, or finds what they will be, and the transpose of setting them.

use super::grid::{GridBoundary, GridFace};
use super::list::List;
use super::{Kind, MAX_FACES};
use crate::error::Result;
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

pub(super) fn element(view: &View, at: usize) -> f64 {
    let mut value = [0.0];
    view.gather(at, &mut value);
    value[0]
}

/// A field whose nodes conditions set.
pub(super) trait Nodes {
    fn get(&self, node: usize, channel: usize) -> f64;
    fn put(&mut self, node: usize, channel: usize, value: f64);
}

/// One function of the caller's array.
pub(super) struct Strided<'a> {
    pub field: ViewMut<'a>,
    /// Its first node.
    pub first: usize,
    pub channels: usize,
}

impl Nodes for Strided<'_> {
    fn get(&self, node: usize, channel: usize) -> f64 {
        element(&self.field.alias(), (self.first + node) * self.channels + channel)
    }

    fn put(&mut self, node: usize, channel: usize, value: f64) {
        self.field.scatter((self.first + node) * self.channels + channel, &[value]);
    }
}

/// Memory without gaps; `at` finds an element.
struct Flat<'a, T, At> {
    field: &'a mut [T],
    at: At,
}

impl<T: Real, At: Fn(usize, usize) -> usize> Nodes for Flat<'_, T, At> {
    fn get(&self, node: usize, channel: usize) -> f64 {
        self.field[(self.at)(node, channel)].to_f64()
    }

    fn put(&mut self, node: usize, channel: usize, value: f64) {
        self.field[(self.at)(node, channel)] = T::from_f64(value);
    }
}

/// What a field's nodes will be, found without writing any.
pub(super) struct Outlook<'a, Old, Value, Round> {
    pub conditions: &'a GridBoundary,
    pub old: Old,
    pub value: Value,
    pub round: Round,
}

impl<Old, Value, Round> Outlook<'_, Old, Value, Round>
where
    Old: Fn(usize, usize) -> f64,
    Value: Fn(&GridFace, usize, usize) -> f64,
    Round: Fn(f64) -> f64,
{
    /// A node after the first `count` faces were set. What a face reads, only faces before it have set: the depth is bounded by their
    /// number, and beyond one step there is work at edges and corners alone.
    pub fn settled(&self, count: usize, node: usize, channel: usize) -> f64 {
        let setter = self.conditions.faces[..count].iter().rposition(|face| self.conditions.sets(face, node));
        let Some(number) = setter else { return (self.old)(node, channel) };
        let face = &self.conditions.faces[number];
        let line = self.conditions.line(face.axis, node);
        let value = || (self.value)(face, line.number, channel);
        (self.round)(face.rule(value, |k| self.settled(number, line.node(face, k), channel)))
    }
}

impl GridBoundary {
    /// Calls `visit` for each node that a condition sets; for those on several faces more than once.
    pub(super) fn each_node(&self, mut visit: impl FnMut(usize) -> Result<()>) -> Result<()> {
        for face in self.faces.iter() {
            for line in self.lines(face.axis) {
                face.set().try_for_each(|k| visit(line.node(face, k)))?;
            }
        }
        Ok(())
    }

    /// Sets the faces' nodes, face after face.
    pub(super) fn apply(
        &self,
        channels: usize,
        value: impl Fn(&GridFace, usize, usize) -> f64,
        field: &mut impl Nodes,
    ) {
        for face in self.faces.iter() {
            for line in self.lines(face.axis) {
                for c in 0..channels {
                    let v = face.rule(|| value(face, line.number, c), |k| field.get(line.node(face, k), c));
                    face.set().for_each(|k| field.put(line.node(face, k), c, v));
                }
            }
        }
    }

    /// Sets the faces' nodes. `given`: values of one function, [face, node, outputs]; channel c takes output `output(c)`, Dirichlet
    /// values times `stretch`. `at(node, channel)` is the place of an element of `field`.
    pub fn set<T: Real>(
        &self,
        channels: usize,
        given: &[f64],
        output: impl Fn(usize) -> usize,
        stretch: f64,
        at: impl Fn(usize, usize) -> usize,
        field: &mut [T],
    ) {
        let outputs = given.len() / self.value_len(1).max(1);
        let starts: List<usize, MAX_FACES> = self.by_value().map(|f| self.value_start(f, outputs)).collect();
        let value = |face: &GridFace, node: usize, c: usize| {
            let start = starts[face.value.expect("a face with a value")];
            face.scaled(given[start + node * outputs + output(c)], stretch)
        };
        self.apply(channels, value, &mut Flat { field, at });
    }

    /// What [`GridBoundary::set`] makes of the `count` nodes from `first` on, which lie on one line of the last axis and in `field` [nodes,
    /// channels], channel c taking output c modulo their number; where values alone decide.
    pub fn set_some<T: Real>(
        &self,
        (first, count): (usize, usize),
        channels: usize,
        given: &[f64],
        stretch: f64,
        field: &mut [T],
    ) {
        let outputs = given.len() / self.value_len(1).max(1);
        let (last, points) = (self.shape().len() - 1, self.shape()[self.shape().len() - 1]);
        for face in self.faces.iter() {
            let nodes = if face.axis < last {
                if self.sets(face, first) { first..first + count } else { continue }
            } else {
                let node = first - first % points + face.index(0, points);
                node.max(first)..(node + 1).min(first + count)
            };
            let start = self.value_start(face, outputs);
            for node in nodes {
                let values = &given[start + self.line(face.axis, node).number * outputs..][..outputs];
                let scaled = |value: &f64| T::from_f64(face.scaled(*value, stretch));
                let to = &mut field[(node - first) * channels..][..channels];
                match values {
                    [value] => to.fill(scaled(value)),
                    _ => to.iter_mut().zip(values.iter().cycle()).for_each(|(to, value)| *to = scaled(value)),
                }
            }
        }
    }

    /// The transpose of [`GridBoundary::set`]: from cotangents of a field whose faces were set to those of the field before, in place, and of
    /// the values, which are added to `given`.
    pub fn set_transposed<T: Real>(
        &self,
        channels: usize,
        given: &mut [f64],
        output: impl Fn(usize) -> usize,
        stretch: f64,
        at: impl Fn(usize, usize) -> usize,
        field: &mut [T],
    ) {
        let outputs = given.len() / self.value_len(1).max(1);
        let mut nodes = Flat { field, at };
        for face in self.faces.iter().rev() {
            let start = face.value.map_or(0, |_| self.value_start(face, outputs));
            for line in self.lines(face.axis) {
                let here = line.node(face, 0);
                for c in 0..channels {
                    let cotangent = nodes.get(here, c);
                    if face.kind == Kind::Periodic {
                        let opposite = line.node(face, 1);
                        let mean = 0.5 * cotangent + 0.5 * nodes.get(opposite, c);
                        nodes.put(here, c, mean);
                        nodes.put(opposite, c, mean);
                        continue;
                    }
                    let factor = face.factor * face.scaled(1.0, stretch);
                    given[start + line.number * outputs + output(c)] += factor * cotangent;
                    nodes.put(here, c, 0.0);
                    for (k, ratio) in face.ratios.iter().enumerate() {
                        let inside = line.node(face, k + 1);
                        nodes.put(inside, c, nodes.get(inside, c) - ratio * cotangent);
                    }
                }
            }
        }
    }
}
