//! Boundary conditions of a field on a grid, set at the nodes of its faces: exact, and without touching any other node.
//!
//! - Dirichlet: u = value.
//! - Neumann, any one-sided stencil: sum_k c_k u_k / spacing = value, solved for the node on the face.
//! - Periodic: the first and the last point along the axis get their mean.
//!
//! Periodic pairs are set first, then Neumann faces, then Dirichlet faces, each kind in the order of the list, so that values that are
//! stated hold at edges and corners, and a stencil there meets nodes that are already right.

mod grid;
mod list;
mod set;
mod values;

use serde::Deserialize;

pub(crate) use self::grid::{GridBoundary, GridFace};
use self::list::List;
use self::set::{Outlook, Strided, element};
use crate::error::{Result, fail};
use crate::field::{Layout, MAX_RANK, Sharing, sharing};
use crate::kernels::strided::{View, ViewMut};

/// Most coefficients of a stencil.
pub const MOST_STENCIL: usize = 16;

/// Most faces of a grid.
const MAX_FACES: usize = 2 * MAX_RANK;

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

    /// The conditions on a grid; `spacings` stand in where a Neumann face has none.
    ///
    /// Errors: InvalidArgument (an axis that the grid lacks, no spacing), Shape (no point beyond those that a face's condition reads or
    /// sets), Singular (a stencil's coefficient of the node on the face is too small to divide by).
    pub(crate) fn on_grid(&self, shape: &[usize], spacings: &[Option<f64>]) -> Result<GridBoundary> {
        let mut faces: List<GridFace, MAX_FACES> = List::default();
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
            faces.push(GridFace { axis, upper, kind, ratios, factor, value });
        }
        let of_kind = |kind: Kind| faces.iter().filter(move |face| face.kind == kind).copied();
        let faces = [Kind::Periodic, Kind::Neumann, Kind::Dirichlet].into_iter().flat_map(of_kind).collect();
        Ok(GridBoundary { grid: Layout::contiguous("grid", shape)?, faces })
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
        let conditions = self.on_grid(grid, &[])?;
        conditions.check_values(&[*batch], channels, values)?;
        for (number, view) in values.iter().enumerate() {
            if sharing(&field.place(), &view.place()) != Sharing::Disjoint {
                return fail!(Stride, "values[{number}] overlaps the field, expected arrays apart");
            }
        }
        let points: usize = grid.iter().product();
        let value_of = |b: usize| {
            let conditions = &conditions;
            move |face: &GridFace, at: usize, c: usize| {
                let number = face.value.expect("a face with a value");
                element(&values[number], (b * conditions.nodes(face.axis) + at) * channels + c)
            }
        };
        let old = field.alias();
        let dtype = old.dtype();
        for b in 0..*batch {
            let here = |node: usize, c: usize| element(&old, (b * points + node) * channels + c);
            let outlook = Outlook { conditions: &conditions, old: here, value: value_of(b), round: |v| dtype.round(v) };
            conditions.each_node(|node| {
                for c in 0..channels {
                    let v = outlook.settled(conditions.faces.len(), node, c);
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
            conditions.apply(channels, value_of(b), &mut nodes);
        }
        Ok(())
    }
}
