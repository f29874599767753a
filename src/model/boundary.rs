//! Boundary conditions of a field on a grid, set at the nodes of its faces: exact, and without touching any other node.
//!
//! - Dirichlet: u = value.
//! - Neumann, any one-sided stencil: sum_k c_k u_k / spacing = value, solved for the node on the face.
//! - Periodic: the first and the last point along the axis get their mean.
//!
//! Periodic pairs are set first, then Neumann faces, then Dirichlet faces, each kind in the order of the list, so that values that are
//! stated hold at edges and corners, and a stencil there meets nodes that are already right.

use serde::Deserialize;

use crate::error::{Result, fail, zeros};
use crate::field::MAX_RANK;
use crate::kernels::real::Real;
use crate::kernels::strided::{View, ViewMut};

/// Most coefficients of a stencil.
pub const MOST_STENCIL: usize = 16;

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The value itself is given.
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
    /// Errors: InvalidArgument (an axis that the grid lacks, no spacing), Shape (fewer points than the stencils of both sides reach).
    pub(crate) fn bind(&self, shape: &[usize], spacings: &[Option<f64>]) -> Result<Bound> {
        let mut faces = Vec::new();
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
            let mut inward = face.stencil.clone();
            if face.side > 0 {
                inward.reverse();
            }
            let mut factor = 1.0;
            if face.kind == Kind::Neumann {
                let Some(h) = face.spacing.or(spacings.get(face.axis).copied().flatten()) else {
                    return fail!(
                        InvalidArgument,
                        "face {number} has no spacing, expected one with Neumann conditions"
                    );
                };
                factor = h / inward[0];
                inward = inward[1..].iter().map(|c| c / inward[0]).collect();
            }
            if !factor.is_finite() || inward.iter().any(|c| !c.is_finite()) {
                return fail!(
                    Singular,
                    "face {number}: the coefficient of the node on the face is too small to divide by"
                );
            }
            let value = face.has_value().then(|| self.faces[..number].iter().filter(|f| f.has_value()).count());
            faces.push(BoundFace {
                axis: face.axis,
                upper: face.side > 0,
                kind: face.kind,
                ratios: inward,
                factor,
                value,
            });
        }
        faces.sort_by_key(|face| match face.kind {
            Kind::Periodic => 0,
            Kind::Neumann => 1,
            Kind::Dirichlet => 2,
        });
        Ok(Bound { shape: shape.to_vec(), faces })
    }

    /// Sets the nodes of all faces of a field [batch, n_1, .., n_d, channels]; any surrogate's output, or a state of the host's.
    ///
    /// `values`: for each face with a value an array [batch, the grid without the face's axis, channels]; axes of extent 1 may be left
    /// out, and a stride of 0 repeats a value. `rank`: axes of the grid, d.
    ///
    /// Errors: those of [`Boundary::bind`]; Shape; Mismatch (number of values); NonFinite, in `values` or at the nodes that the stencils
    /// read, and where a result overflows the field's storage. The field is written only on success.
    pub fn enforce(&self, field: &mut ViewMut, rank: usize, values: &[View]) -> Result<()> {
        let full = field.layout().shape().to_vec();
        let [batch, rest @ ..] = &full[..] else { unreachable!("an array has an axis") };
        if rank < 1 || rest.len() != rank + 1 {
            return fail!(Shape, "field has shape {full:?}, expected [batch, the grid's {rank} axes, channels]");
        }
        let channels = rest[rank];
        let bound = self.bind(&rest[..rank], &[])?;
        bound.check_values(&[*batch], channels, values)?;
        let points: usize = rest[..rank].iter().product();
        let touched = bound.touched();
        let mut new = zeros::<f64>(touched.len().saturating_mul(channels).saturating_mul(*batch), "boundary values")?;
        let places: std::collections::HashMap<usize, usize> =
            touched.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let old = field.alias();
        let mut given = zeros::<f64>(bound.value_len(channels), "boundary values")?;
        for (b, new) in new.chunks_exact_mut(touched.len() * channels).enumerate() {
            for (node, new) in touched.iter().zip(new.chunks_exact_mut(channels)) {
                old.gather((b * points + node) * channels, new);
            }
            bound.read_values(b, channels, values, &mut given);
            let at = |node: usize, channel: usize| places[&node] * channels + channel;
            bound.set(channels, &given, |c| c, 1.0, |node, c| at(node, c), new);
            for v in new.iter_mut() {
                *v = old.dtype().round(*v);
                if !v.is_finite() {
                    return fail!(NonFinite, "field or values lead to {v} at a face, expected finite numbers");
                }
            }
        }
        for (b, new) in new.chunks_exact(touched.len() * channels).enumerate() {
            for (node, new) in touched.iter().zip(new.chunks_exact(channels)) {
                field.scatter((b * points + node) * channels, new);
            }
        }
        Ok(())
    }
}

/// Conditions bound to a grid, in the order in which they are set.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    shape: Vec<usize>,
    faces: Vec<BoundFace>,
}

#[derive(Clone, Debug)]
pub(crate) struct BoundFace {
    pub axis: usize,
    pub upper: bool,
    pub kind: Kind,
    /// c_k / c_0 from the neighbour of the face's node inwards.
    pub ratios: Vec<f64>,
    /// What the value is multiplied by: spacing / c_0.
    pub factor: f64,
    /// Number of the face among those that have a value.
    pub value: Option<usize>,
}

impl Bound {
    pub fn faces(&self) -> &[BoundFace] {
        &self.faces
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Nodes of the grid with one axis' index held, as (first, count, step) of runs in C order: `outer` runs of `inner` nodes.
    fn slab(&self, axis: usize) -> (usize, usize) {
        (self.shape[..axis].iter().product(), self.shape[axis + 1..].iter().product())
    }

    /// Number of a face's nodes.
    pub fn nodes(&self, axis: usize) -> usize {
        let (outer, inner) = self.slab(axis);
        outer * inner
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
        let expected = self.by_value().count();
        if values.len() != expected {
            return fail!(
                Mismatch,
                "{} arrays of boundary values, expected {expected}, one a face with a value",
                values.len()
            );
        }
        for (number, (view, face)) in values.iter().zip(self.by_value()).enumerate() {
            let along = self.shape.iter().enumerate().filter(|(axis, _)| *axis != face.axis).map(|(_, n)| n);
            let (mut shape, mut rank) = ([1; MAX_RANK + 2], 0);
            for n in lead.iter().chain(along).chain([&channels]) {
                shape[rank] = *n;
                rank += 1;
            }
            super::arrays::expect_extents(format_args!("values[{number}]"), view, &shape[..rank])?;
            if let Some((i, v)) = view.first_non_finite() {
                return fail!(NonFinite, "values[{number}] holds {v} at element {i}, expected finite values");
            }
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

    /// Where a face's values begin among those of one function.
    pub fn value_start(&self, face: &BoundFace, channels: usize) -> usize {
        self.by_value().take_while(|f| f.value < face.value).map(|f| self.nodes(f.axis) * channels).sum()
    }

    /// All nodes that the conditions read or set, ascending.
    fn touched(&self) -> Vec<usize> {
        let mut nodes = Vec::new();
        for face in &self.faces {
            let n = self.shape[face.axis];
            let (outer, inner) = self.slab(face.axis);
            let depth = face.ratios.len() + 1;
            let from = |k: usize| if face.upper { n - 1 - k } else { k };
            let mut layers: Vec<usize> = (0..depth).map(from).collect();
            if face.kind == Kind::Periodic {
                layers = vec![0, n - 1];
            }
            for o in 0..outer {
                for layer in &layers {
                    nodes.extend((0..inner).map(|i| (o * n + layer) * inner + i));
                }
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
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
        for face in &self.faces {
            let n = self.shape[face.axis];
            let (outer, inner) = self.slab(face.axis);
            let start = face.value.map_or(0, |_| self.value_start(face, outputs));
            let layer = |k: usize| if face.upper { n - 1 - k } else { k };
            for o in 0..outer {
                for i in 0..inner {
                    let node = |k: usize| (o * n + layer(k)) * inner + i;
                    let values = &given[(start + (o * inner + i) * outputs).min(given.len())..];
                    for c in 0..channels {
                        match face.kind {
                            Kind::Dirichlet => field[at(node(0), c)] = T::from_f64(stretch * values[output(c)]),
                            Kind::Neumann => {
                                let inside = face.ratios.iter().enumerate();
                                let sum = inside
                                    .fold(0.0, |sum, (k, ratio)| sum + ratio * field[at(node(k + 1), c)].to_f64());
                                field[at(node(0), c)] = T::from_f64(face.factor * values[output(c)] - sum);
                            }
                            Kind::Periodic => {
                                let (a, b) = (at(node(0), c), at(node(n - 1), c));
                                let mean = 0.5 * field[a].to_f64() + 0.5 * field[b].to_f64();
                                field[a] = T::from_f64(mean);
                                field[b] = T::from_f64(mean);
                            }
                        }
                    }
                }
            }
        }
    }
}
