//! The boundary problems of BOON (Saad et al., ICLR 2023): an operator maps u(., 0), repeated over time, to u on a grid of space and
//! time, and u obeys stated conditions on the faces of space. Where the paper's settings are not known, the file of the problem says
//! that they are ours.

mod burgers_periodic;
mod cavity;
mod heat_wall;
mod riemann;
mod stokes;
mod wave;

use pcml::model::boundary::{Face, Kind};

use super::Draw;

pub use burgers_periodic::{Circle, values};
pub use cavity::Cavity;
pub use heat_wall::Bar;

/// A family of functions.
pub struct Problem {
    pub name: &'static str,
    pub title: &'static str,
    pub equation: &'static str,
    /// What tells functions apart, and its range; of a random field the name alone.
    pub parameter: (&'static str, Option<[f64; 2]>),
    /// Of space, then of time.
    pub axes: &'static [Axis],
    pub input: &'static str,
    pub output: &'static str,
    pub points: &'static [usize],
    /// The grid of the paper.
    pub full: &'static [usize],
    faces: fn() -> Vec<Face>,
    solve: fn(&Grid, Draw) -> Sample,
}

/// Both ends are points, but of time: there the first point is one interval after `lower`.
#[derive(Clone, Copy)]
pub struct Axis {
    pub name: &'static str,
    pub lower: f64,
    pub upper: f64,
}

/// One function on a grid, C order.
pub struct Sample {
    pub input: Vec<f64>,
    pub output: Vec<f64>,
    /// Of each Dirichlet or Neumann face in the order of `faces`, on the grid without the face's axis.
    pub faces: Vec<Vec<f64>>,
    /// The integral of u over space at each time, where a law gives it.
    pub integral: Option<Vec<f64>>,
}

/// The points of each axis.
pub struct Grid {
    pub axes: Vec<Vec<f64>>,
}

pub const PROBLEMS: [&Problem; 6] = [
    &stokes::PROBLEM,
    &riemann::PROBLEM,
    &burgers_periodic::PROBLEM,
    &heat_wall::PROBLEM,
    &wave::PROBLEM,
    &cavity::PROBLEM,
];

pub fn problem(name: &str) -> Option<&'static Problem> {
    PROBLEMS.into_iter().find(|p| p.name == name)
}

impl Problem {
    pub fn grid(&self, points: &[usize]) -> Grid {
        assert_eq!(points.len(), self.axes.len(), "extents of {}", self.name);
        let space = self.axes.len() - 1;
        let along = |(a, (axis, &n)): (usize, (&Axis, &usize))| -> Vec<f64> {
            let length = axis.upper - axis.lower;
            let point = |i: usize| match a {
                a if a == space => axis.lower + length * ((i + 1) as f64 / n as f64),
                _ => axis.lower + length * (i as f64 / (n - 1) as f64),
            };
            (0..n).map(point).collect()
        };
        Grid { axes: self.axes.iter().zip(points).enumerate().map(along).collect() }
    }

    pub fn faces(&self) -> Vec<Face> {
        (self.faces)()
    }

    /// Function `index` of a seed.
    pub fn sample(&self, grid: &Grid, seed: u64, index: u64) -> Sample {
        (self.solve)(grid, Draw::new(seed, index))
    }
}

impl Grid {
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(Vec::len).collect()
    }

    pub fn times(&self) -> &[f64] {
        &self.axes[self.axes.len() - 1]
    }

    /// First and last point of each axis.
    pub fn bounds(&self) -> Vec<[f64; 2]> {
        self.axes.iter().map(|axis| [axis[0], axis[axis.len() - 1]]).collect()
    }

    /// A field by its values.
    fn field(&self, value: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let shape = self.shape();
        let mut at = vec![0.0; shape.len()];
        (0..shape.iter().product())
            .map(|mut i: usize| {
                for (a, n) in shape.iter().enumerate().rev() {
                    at[a] = self.axes[a][i % n];
                    i /= n;
                }
                value(&at)
            })
            .collect()
    }

    /// A state of space at all times.
    fn repeat(&self, state: &[f64]) -> Vec<f64> {
        state.iter().flat_map(|u| std::iter::repeat_n(*u, self.times().len())).collect()
    }

    /// A field from its states in the order of time.
    fn stack(&self, states: &[Vec<f64>]) -> Vec<f64> {
        (0..states[0].len()).flat_map(|i| states.iter().map(move |u| u[i])).collect()
    }

    /// The nodes of a field on a face, in the order of the grid without the face's axis.
    pub fn face(&self, u: &[f64], axis: usize, side: i32) -> Vec<f64> {
        let shape = self.shape();
        let inner: usize = shape[axis + 1..].iter().product();
        let node = if side < 0 { 0 } else { shape[axis] - 1 };
        u.chunks_exact(shape[axis] * inner).flat_map(|u| &u[node * inner..(node + 1) * inner]).copied().collect()
    }

    /// A closed form u(x.., t) with its own values on Dirichlet faces and zero flux on Neumann faces.
    fn closed(&self, faces: &[Face], u: impl Fn(&[f64]) -> f64) -> Sample {
        let output = self.field(&u);
        let start = |at: &[f64]| {
            let (_, x) = at.split_last().expect("a time");
            u(&[x, &[0.0]].concat())
        };
        let values = |face: &Face| {
            let nodes = self.face(&output, face.axis, face.side);
            if face.kind == Kind::Dirichlet { nodes } else { vec![0.0; nodes.len()] }
        };
        let faces = faces.iter().filter(|face| face.kind != Kind::Periodic).map(values).collect();
        Sample { input: self.field(start), output, faces, integral: None }
    }
}

/// Dirichlet conditions on both faces of each of the first axes.
fn dirichlet(axes: usize) -> Vec<Face> {
    let face = |axis, side| Face { axis, side, kind: Kind::Dirichlet, stencil: vec![], spacing: None };
    (0..axes).flat_map(|axis| [face(axis, -1), face(axis, 1)]).collect()
}

/// u_x by nodes next to an upper face, third order, as in the published code; mirrored for a lower one.
const THIRD_ORDER: [f64; 4] = [-1.0 / 3.0, 1.5, -3.0, 11.0 / 6.0];

fn neumann(axis: usize, side: i32, stencil: &[f64]) -> Face {
    Face { axis, side, kind: Kind::Neumann, stencil: stencil.to_vec(), spacing: None }
}
