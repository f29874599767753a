//! BOON (Saad et al., ICLR 2023): a spectral convolution K corrected so that its result can take boundary values, at the price of one.
//!
//! The correction changes the input of K at the nodes of two opposite faces alone, x' = x + sum_b delta_b e_b. K is linear, so
//! K x' needs no second evaluation on the grid: with F the truncated transform, F x' = F x + sum_b phase_b delta_hat_b, and what
//! delta needs of K x are its values on two faces, sums over kept modes. Everything happens in the frequencies along the faces
//! ("tangential modes"), where K couples only the two nodes of one mode.
//!
//! - Rule seed, the published code: delta from three numbers, the kernel's entries between the faces summed over the channels that enter the
//!   first channel, with its own safeguards; K's matrix from the one face to the other is needed in full.
//! - Rule exact: delta_B = x_B - R (K x)_B, R the regularised inverse of the kernel's matrix among the nodes of both faces.

mod kernel;

use serde::Deserialize;

pub(super) use self::kernel::{Kernel, Pair};
use super::SMOOTHED;
use super::correct::face_strides;
use super::numbers::Numbers;
use crate::error::{Result, fail};
use crate::kernels::fourier::Axis;
use crate::kernels::modes::Modes;
use crate::kernels::real::Real;
use crate::model::boundary::{Boundary, Face, GridBoundary, Kind};

/// Far beyond it the inverse is nothing but 0.
const MOST_REGULARISATION: f64 = 1000.0;

/// Corrected boundary conditions of a model, from the model file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Whose algebra.
    pub rule: Rule,
    /// Size of singular values that the inverse leaves alone, relative to their root mean square; rule exact.
    #[serde(default = "hundredth")]
    pub regularisation: f64,
    /// The conditions that the model was trained with.
    pub faces: Vec<Face>,
}

/// Whose algebra the correction follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The published code, its habits included.
    Seed,
    /// The kernel's matrix among boundary nodes.
    Exact,
}

fn hundredth() -> f64 {
    0.01
}

impl Correction {
    /// What must hold whatever the grid.
    pub(in crate::model) fn check(&self, numbers: &Numbers) -> Result<()> {
        if numbers.mlp.is_some() || numbers.norm.is_some() || numbers.final_activation || numbers.odd_shift {
            return fail!(
                FileDescription,
                "boon with fno.mlp, norm, final_activation or odd_shift, expected plain blocks"
            );
        }
        if !(self.regularisation > 0.0 && self.regularisation <= MOST_REGULARISATION) {
            return fail!(
                FileDescription,
                "boon.regularisation is {}, expected in (0, {MOST_REGULARISATION}]",
                self.regularisation
            );
        }
        check_faces(self.rule, &self.faces, numbers.axes())
    }
}

/// Faces come in pairs on leading axes; the published code knows fewer cases.
fn check_faces(rule: Rule, faces: &[Face], axes: usize) -> Result<()> {
    let mut boundary = Boundary::new();
    for face in faces {
        boundary.add_face(face.clone())?;
    }
    let pairs = pairs(faces);
    if faces.is_empty() || !pairs.iter().enumerate().all(|(place, pair)| pair.0 == place && pair.0 < axes) {
        return fail!(FileDescription, "boon.faces lie on axes {pairs:?}, expected the leading ones of {axes}");
    }
    for (axis, periodic, count) in &pairs {
        if !periodic && *count != 2 {
            return fail!(FileDescription, "boon.faces has one face on axis {axis}, expected both or none");
        }
    }
    if axes == 3 && pairs.len() == 3 {
        return fail!(FileDescription, "boon.faces lie on all three axes, expected the last without");
    }
    if rule == Rule::Seed {
        let kind = faces[0].kind;
        let known = match (axes, pairs.len()) {
            (1, 1) | (2, 1) => true,
            (3, 2) => kind != Kind::Neumann,
            _ => false,
        };
        if !known || faces.iter().any(|face| face.kind != kind) {
            return fail!(
                FileDescription,
                "boon.rule is seed with these faces, which the published code does not know; expected rule exact"
            );
        }
    }
    Ok(())
}

/// Axes with faces, ascending: (axis, periodic, faces).
fn pairs(faces: &[Face]) -> Vec<(usize, bool, usize)> {
    let mut axes: Vec<usize> = faces.iter().map(|face| face.axis).collect();
    axes.sort_unstable();
    axes.dedup();
    let on = |axis: usize| faces.iter().filter(move |face| face.axis == axis);
    axes.iter().map(|&axis| (axis, on(axis).any(|face| face.kind == Kind::Periodic), on(axis).count())).collect()
}

/// What a plan with boundary conditions knows.
pub(super) struct Boon<T> {
    pub pairs: Vec<Pair<T>>,
    /// The conditions on the caller's grid: values, outputs.
    pub outer: GridBoundary,
    /// The conditions on the padded grid: the blocks' results.
    pub inner: GridBoundary,
    /// What a Dirichlet value is multiplied by inside.
    pub stretch: f64,
    /// Whether results are smoothed next to the faces.
    pub smooth: bool,
    /// Whether a line's result can be set as soon as it is there.
    pub in_line: bool,
    /// Whether activations spare the nodes of faces.
    pub spare: bool,
    /// Kernel matrices that had to be regularised.
    pub singular: usize,
}

/// The host's conditions must be those that the model was trained with, up to stencils.
pub(super) fn check_same(boundary: &Boundary, trained: &[Face]) -> Result<()> {
    let key = |face: &Face| (face.axis, if face.kind == Kind::Periodic { 0 } else { face.side }, face.kind as i32);
    let (mut here, mut there): (Vec<_>, Vec<_>) =
        (boundary.faces().iter().map(key).collect(), trained.iter().map(key).collect());
    here.sort_unstable();
    there.sort_unstable();
    if here != there {
        return fail!(
            Mismatch,
            "option boundary has faces (axis, side, kind) {here:?}, expected those of the model, {there:?}"
        );
    }
    Ok(())
}

impl<T: Real> Boon<T> {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        boundary: &Boundary,
        correction: &Correction,
        grid: &[usize],
        spacings: &[Option<f64>],
        axes: &[Axis<T>],
        modes: &Modes,
        row: usize,
        width: usize,
    ) -> Result<Self> {
        let d = grid.len();
        let outer = boundary.on_grid(grid, spacings)?;
        let padded: Vec<usize> = axes.iter().map(|axis| axis.points).collect();
        for face in outer.faces() {
            if padded[face.axis] != grid[face.axis] {
                let axis = face.axis;
                return fail!(
                    FileDescription,
                    "axis {axis} has a condition and padding, expected padding on other axes"
                );
            }
        }
        let inner = boundary.on_grid(&padded, spacings)?;
        let seed = correction.rule == Rule::Seed;
        let kind = boundary.faces()[0].kind;
        let smooth = seed && d == 2 && kind == Kind::Dirichlet;
        if smooth && grid[0] < 2 * (SMOOTHED + 1) {
            return fail!(Shape, "axis 0 has {} points, expected at least {}", grid[0], 2 * (SMOOTHED + 1));
        }
        let mut with_faces: Vec<usize> = outer.faces().iter().map(|face| face.axis).collect();
        with_faces.sort_unstable();
        with_faces.dedup();
        let pairs = with_faces
            .into_iter()
            .map(|axis| {
                let strides = face_strides(axes, row, width);
                Pair::new(axes, axis, modes, &strides, width)
            })
            .collect();
        Ok(Boon {
            pairs,
            in_line: inner.is_given() && !smooth,
            outer,
            inner,
            stretch: if seed { 2.0 } else { 1.0 },
            smooth,
            spare: !(seed && d == 1),
            singular: 0,
        })
    }
}
