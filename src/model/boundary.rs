//! Boundary conditions of a field on a grid, set at the nodes of its faces: exact, and without touching any other node.
//!
//! - Dirichlet: u = value.
//! - Neumann, any one-sided stencil: sum_k c_k u_k / spacing = value, solved for the node on the face.
//! - Periodic: the first and the last point along the axis get their mean.
//!
//! Periodic pairs are set first, then Neumann faces, then Dirichlet faces, each kind in the order of the list, so that values that are
//! stated hold at edges and corners, and a stencil there meets nodes that are already right.

use std::ops::{Deref, Range};

use serde::Deserialize;

use super::arrays::expect_extents;
use crate::error::{Result, fail};
use crate::field::{Layout, MAX_RANK, Sharing, sharing};
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

/// Most coefficients of a stencil.
pub const MOST_STENCIL: usize = 16;

/// A condition.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The value itself is given.
    #[default]
    Dirichlet = 1,
    /// A one-sided difference quotient is given.
    Neumann = 2,
    /// The first point is the last.
    Periodic = 3,
}

/// A face of a grid with its condition.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Face {
    /// The axis that the face is normal to.
    pub axis: usize,
    /// -1: its first point; 1: its last.
    pub side: i32,
    /// The condition.
    pub kind: Kind,
    /// Coefficients of the nodes next to the face in the order of their coordinates, at unit spacing; Neumann alone.
    #[serde(default)]
    pub stencil: Vec<f64>,
    /// Distance of neighbouring points; Neumann alone.
    #[serde(default)]
    pub spacing: Option<f64>,
}

impl Face {
    /// Points of the axis that the condition reads or sets, from the face inwards.
    pub fn reach(&self) -> usize {
        self.stencil.len().max(1)
    }

    /// Whether a value belongs to it.
    pub fn has_value(&self) -> bool {
        self.kind != Kind::Periodic
    }
}

/// The conditions of a field: faces in pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Boundary {
    faces: Vec<Face>,
}

impl Boundary {
    /// No conditions yet.
    pub fn new() -> Boundary {
        Boundary::default()
    }

    /// The conditions in their order; values are given in the order of those faces that have one.
    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    /// Number of faces that have a value.
    pub fn values(&self) -> usize {
        self.faces.iter().filter(|face| face.has_value()).count()
    }

    /// Adds a face. A periodic condition is added once an axis, for either side.
    ///
    /// Errors: InvalidArgument (axis, side, a face that is there already or beside a periodic one, stencil where none belongs or with
    /// one coefficient, spacing not positive), NonFinite, Singular (the coefficient of the node on the face is 0).
    pub fn add_face(&mut self, face: Face) -> Result<()> {
        let Face { axis, side, kind, ref stencil, spacing } = face;
        if axis >= MAX_RANK {
            return fail!(InvalidArgument, "axis is {axis}, expected 0 to {}", MAX_RANK - 1);
        }
        if side != -1 && side != 1 {
            return fail!(InvalidArgument, "side is {side}, expected -1 (first point) or 1 (last)");
        }
        let periodic = kind == Kind::Periodic;
        if self.faces.iter().any(|f| f.axis == axis && (f.side == side || periodic || f.kind == Kind::Periodic)) {
            return fail!(InvalidArgument, "axis {axis} has a condition on side {side} already");
        }
        if kind != Kind::Neumann {
            if !stencil.is_empty() || spacing.is_some() {
                return fail!(
                    InvalidArgument,
                    "a stencil or a spacing is given, expected them with Neumann conditions alone"
                );
            }
        } else {
            if !(2..=MOST_STENCIL).contains(&stencil.len()) {
                return fail!(
                    InvalidArgument,
                    "the stencil has {} coefficients, expected 2 to {MOST_STENCIL}",
                    stencil.len()
                );
            }
            if let Some(k) = stencil.iter().position(|c| !c.is_finite()) {
                return fail!(NonFinite, "stencil[{k}] is {}, expected a finite number", stencil[k]);
            }
            let at = if side < 0 { 0 } else { stencil.len() - 1 };
            if stencil[at] == 0.0 || !(1.0 / stencil[at]).is_finite() {
                return fail!(Singular, "stencil[{at}], of the node on the face, is {}", stencil[at]);
            }
            if let Some(h) = spacing
                && !(h > 0.0 && h.is_finite())
            {
                return fail!(InvalidArgument, "spacing is {h}, expected a finite number > 0");
            }
        }
        self.faces.push(face);
        Ok(())
    }

    /// Binds the conditions to a grid; `spacings` stand in where a Neumann face has none.
    ///
    /// Errors: InvalidArgument (an axis that the grid lacks, no spacing), Shape (no point beyond those that a face's condition reads or
    /// sets), Singular (a stencil's coefficient of the node on the face is too small to divide by).
    pub(crate) fn bind(&self, shape: &[usize], spacings: &[Option<f64>]) -> Result<Bound> {
        let mut faces: List<BoundFace, { 2 * MAX_RANK }> = List::default();
        for (number, face) in self.faces.iter().enumerate() {
            let Some(&points) = shape.get(face.axis) else {
                return fail!(InvalidArgument, "face {number} has axis {}, expected below {}", face.axis, shape.len());
            };
            let least = face.reach() + 1;
            if points < least {
                return fail!(
                    Shape,
                    "axis {} has {points} points, expected at least {least} for the condition of face {number}",
                    face.axis
                );
            }
            let inward = |k: usize| face.stencil[if face.side > 0 { face.stencil.len() - 1 - k } else { k }];
            let (mut factor, mut ratios) = (1.0, List::default());
            if face.kind == Kind::Neumann {
                let Some(h) = face.spacing.or(spacings.get(face.axis).copied().flatten()) else {
                    return fail!(
                        InvalidArgument,
                        "face {number} has no spacing, expected one with Neumann conditions"
                    );
                };
                factor = h / inward(0);
                ratios = (1..face.stencil.len()).map(|k| inward(k) / inward(0)).collect();
            }
            if !factor.is_finite() || ratios.iter().any(|c| !c.is_finite()) {
                return fail!(
                    Singular,
                    "face {number}: the coefficient of the node on the face is too small to divide by"
                );
            }
            let value = face.has_value().then(|| self.faces[..number].iter().filter(|f| f.has_value()).count());
            let (axis, upper, kind) = (face.axis, face.side > 0, face.kind);
            faces.push(BoundFace { axis, upper, kind, ratios, factor, value });
        }
        let of_kind = |kind: Kind| faces.iter().filter(move |face| face.kind == kind).copied();
        let faces = [Kind::Periodic, Kind::Neumann, Kind::Dirichlet].into_iter().flat_map(of_kind).collect();
        Ok(Bound { grid: Layout::contiguous("grid", shape)?, faces })
    }

    /// Sets the nodes of all faces of a field [batch, n_1, .., n_d, channels]; any surrogate's output, or a state of the host's.
    /// Allocates nothing.
    ///
    /// `values`: for each face with a value an array [batch, the grid without the face's axis, channels]; axes of extent 1 may be left
    /// out, and a stride of 0 repeats a value. They lie apart from the field. `rank`: axes of the grid, d.
    ///
    /// Errors: Shape (also no point beyond those that a face's condition reads or sets), InvalidArgument (an axis that the grid lacks, no
    /// spacing), Singular (a stencil's coefficient of the node on the face is too small to divide by), Mismatch (number of values),
    /// Stride (values overlap the field), NonFinite in `values`, and where a node on a face would not be finite in the field's storage.
    /// The field is written only on success.
    pub fn enforce(&self, field: &mut ViewMut, rank: usize, values: &[View]) -> Result<()> {
        let layout = *field.layout();
        let [batch, rest @ ..] = layout.shape() else { unreachable!("an array has an axis") };
        if rank < 1 || rest.len() != rank.saturating_add(1) {
            let found = layout.shape();
            return fail!(Shape, "field has shape {found:?}, expected [batch, the grid's {rank} axes, channels]");
        }
        let (grid, channels) = (&rest[..rank], rest[rank]);
        let bound = self.bind(grid, &[])?;
        bound.check_values(&[*batch], channels, values)?;
        for (number, view) in values.iter().enumerate() {
            if sharing(&field.place(), &view.place()) != Sharing::Disjoint {
                return fail!(Stride, "values[{number}] overlaps the field, expected arrays apart");
            }
        }
        let points: usize = grid.iter().product();
        let value_of = |b: usize| {
            let bound = &bound;
            move |face: &BoundFace, at: usize, c: usize| {
                let number = face.value.expect("a face with a value");
                element(&values[number], (b * bound.nodes(face.axis) + at) * channels + c)
            }
        };
        let old = field.alias();
        let dtype = old.dtype();
        for b in 0..*batch {
            let here = |node: usize, c: usize| element(&old, (b * points + node) * channels + c);
            let outlook = Outlook { bound: &bound, old: here, value: value_of(b), round: |v| dtype.round(v) };
            bound.each_node(|node| {
                for c in 0..channels {
                    let v = outlook.settled(bound.faces.len(), node, c);
                    if !v.is_finite() {
                        return fail!(
                            NonFinite,
                            "field: function {b}, point {node}, channel {c} on a face becomes {v}, expected a finite number"
                        );
                    }
                }
                Ok(())
            })?;
        }
        for b in 0..*batch {
            let mut nodes = Strided { field: field.merged_mut(), first: b * points, channels };
            bound.apply(channels, value_of(b), &mut nodes);
        }
        Ok(())
    }
}

fn element(view: &View, at: usize) -> f64 {
    let mut value = [0.0];
    view.gather(at, &mut value);
    value[0]
}

/// A field whose nodes conditions set.
trait Nodes {
    fn get(&self, node: usize, channel: usize) -> f64;
    fn put(&mut self, node: usize, channel: usize, value: f64);
}

/// One function of the caller's array.
struct Strided<'a> {
    field: ViewMut<'a>,
    /// Its first node.
    first: usize,
    channels: usize,
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
struct Outlook<'a, Old, Value, Round> {
    bound: &'a Bound,
    old: Old,
    value: Value,
    round: Round,
}

impl<Old, Value, Round> Outlook<'_, Old, Value, Round>
where
    Old: Fn(usize, usize) -> f64,
    Value: Fn(&BoundFace, usize, usize) -> f64,
    Round: Fn(f64) -> f64,
{
    /// A node after the first `count` faces were set. What a face reads, only faces before it have set: the depth is bounded by their
    /// number, and beyond one step there is work at edges and corners alone.
    fn settled(&self, count: usize, node: usize, channel: usize) -> f64 {
        let setter = self.bound.faces[..count].iter().rposition(|face| self.bound.sets(face, node));
        let Some(number) = setter else { return (self.old)(node, channel) };
        let face = &self.bound.faces[number];
        let line = self.bound.line(face.axis, node);
        let value = || (self.value)(face, line.number, channel);
        (self.round)(face.rule(value, |k| self.settled(number, line.node(face, k), channel)))
    }
}

/// Conditions bound to a grid, in the order in which they are set. It owns no memory, so that binding allocates none.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    grid: Layout,
    faces: List<BoundFace, { 2 * MAX_RANK }>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BoundFace {
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

/// A few elements in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<E, const MOST: usize> {
    elements: [E; MOST],
    count: usize,
}

impl<E: Copy + Default, const MOST: usize> Default for List<E, MOST> {
    fn default() -> Self {
        List { elements: [E::default(); MOST], count: 0 }
    }
}

impl<E, const MOST: usize> List<E, MOST> {
    fn push(&mut self, element: E) {
        self.elements[self.count] = element;
        self.count += 1;
    }
}

impl<E: Copy + Default, const MOST: usize> FromIterator<E> for List<E, MOST> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut list = List::default();
        elements.into_iter().for_each(|element| list.push(element));
        list
    }
}

impl<E, const MOST: usize> Deref for List<E, MOST> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        &self.elements[..self.count]
    }
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
    pub fn node(&self, face: &BoundFace, k: usize) -> usize {
        self.at(face.index(k, self.points))
    }
}

/// A condition's nodes on a line are numbered: 0 lies on the face, then come the stencil's inwards, or the opposite one.
impl BoundFace {
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

impl Bound {
    pub fn faces(&self) -> &[BoundFace] {
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
    pub fn sets(&self, face: &BoundFace, node: usize) -> bool {
        let (points, step) = (self.shape()[face.axis], self.grid.strides()[face.axis] as usize);
        face.set().any(|k| face.index(k, points) == node / step % points)
    }

    /// Calls `visit` for each node that a condition sets; for those on several faces more than once.
    fn each_node(&self, mut visit: impl FnMut(usize) -> Result<()>) -> Result<()> {
        for face in self.faces.iter() {
            for line in self.lines(face.axis) {
                face.set().try_for_each(|k| visit(line.node(face, k)))?;
            }
        }
        Ok(())
    }

    /// Sets the faces' nodes, face after face.
    fn apply(&self, channels: usize, value: impl Fn(&BoundFace, usize, usize) -> f64, field: &mut impl Nodes) {
        for face in self.faces.iter() {
            for line in self.lines(face.axis) {
                for c in 0..channels {
                    let v = face.rule(|| value(face, line.number, c), |k| field.get(line.node(face, k), c));
                    face.set().for_each(|k| field.put(line.node(face, k), c, v));
                }
            }
        }
    }

    /// Numbers of all values of one function.
    pub fn value_len(&self, channels: usize) -> usize {
        self.faces.iter().filter(|f| f.value.is_some()).map(|f| self.nodes(f.axis) * channels).sum()
    }

    /// Faces with a value, in the caller's order.
    fn by_value(&self) -> impl Iterator<Item = &BoundFace> {
        (0..self.faces.len()).filter_map(|number| self.faces.iter().find(|face| face.value == Some(number)))
    }

    pub fn check_values(&self, lead: &[usize], channels: usize, values: &[View]) -> Result<()> {
        self.check_finite("values", lead, channels, values)
    }

    /// The same of arrays that go with the values, under another name.
    pub fn check_finite(&self, name: &str, lead: &[usize], channels: usize, arrays: &[View]) -> Result<()> {
        self.check_shapes(name, lead, channels, arrays.iter().copied())?;
        for (number, view) in arrays.iter().enumerate() {
            if let Some((i, v)) = view.first_non_finite() {
                return fail!(NonFinite, "{name}[{number}] holds {v} at element {i}, expected finite values");
            }
        }
        Ok(())
    }

    /// Compares the number and the shapes of arrays that belong to the faces with a value.
    pub fn check_shapes<'v>(
        &self,
        name: &str,
        lead: &[usize],
        channels: usize,
        arrays: impl ExactSizeIterator<Item = View<'v>>,
    ) -> Result<()> {
        let (found, expected) = (arrays.len(), self.by_value().count());
        if found != expected {
            return fail!(
                Mismatch,
                "{name}: {found} arrays of boundary values, expected {expected}, one a face with a value"
            );
        }
        for (number, (view, face)) in arrays.zip(self.by_value()).enumerate() {
            let grid = self.shape().iter().enumerate().filter(|(axis, _)| *axis != face.axis).map(|(_, n)| *n);
            let shape = lead.iter().copied().chain(grid).chain([channels]);
            expect_extents(format_args!("{name}[{number}]"), view.layout(), shape)?;
        }
        Ok(())
    }

    /// Values of function `b`, face by face in the caller's order.
    pub fn read_values(&self, b: usize, channels: usize, values: &[View], out: &mut [f64]) {
        let mut rest = out;
        for (view, face) in values.iter().zip(self.by_value()) {
            let len = self.nodes(face.axis) * channels;
            let (part, more) = rest.split_at_mut(len);
            view.gather(b * len, part);
            rest = more;
        }
    }

    /// The part of each array of values among those of one function, in the caller's order.
    pub fn parts(&self, channels: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.by_value().scan(0, move |end, face| {
            let start = *end;
            *end += self.nodes(face.axis) * channels;
            Some(start..*end)
        })
    }

    /// Where a face's values begin among those of one function.
    pub fn value_start(&self, face: &BoundFace, channels: usize) -> usize {
        self.by_value().take_while(|f| f.value < face.value).map(|f| self.nodes(f.axis) * channels).sum()
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
        let starts: List<usize, { 2 * MAX_RANK }> = self.by_value().map(|f| self.value_start(f, outputs)).collect();
        let value = |face: &BoundFace, node: usize, c: usize| {
            let start = starts[face.value.expect("a face with a value")];
            face.scaled(given[start + node * outputs + output(c)], stretch)
        };
        self.apply(channels, value, &mut Flat { field, at });
    }

    /// Whether values alone decide what the faces' nodes get.
    pub fn is_given(&self) -> bool {
        self.faces.iter().all(|face| face.kind == Kind::Dirichlet)
    }

    /// What [`Bound::set`] makes of the `count` nodes from `first` on, which lie on one line of the last axis and in `field` [nodes,
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

    /// The transpose of [`Bound::set`]: from cotangents of a field whose faces were set to those of the field before, in place, and of
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
