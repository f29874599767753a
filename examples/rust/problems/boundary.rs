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
pub use cavity::{Cavity, RANGE as LID_SPEEDS, VISCOSITY};
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

pub const PROBLEMS: [&Problem; 7] = [
    &stokes::PROBLEM,
    &riemann::PROBLEM,
    &riemann::INFLOW,
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

    /// How far u is from the conditions of its faces, node by node, but for where faces meet: there one of them alone can hold.
    pub fn misses(&self, grid: &Grid, u: &[f64], values: &[Vec<f64>]) -> Vec<f64> {
        let (faces, mut values, shape) = (self.faces(), values.iter(), grid.shape());
        let mut misses = Vec::new();
        for face in &faces {
            let n = shape[face.axis];
            let node = |k: usize| grid.nodes(u, face.axis, k);
            let (own, other) = if face.side < 0 { (0, n - 1) } else { (n - 1, 0) };
            let asked = match face.kind {
                Kind::Periodic => node(other),
                _ => values.next().expect("a value for each face").clone(),
            };
            let found: Vec<f64> = match face.kind {
                Kind::Neumann => {
                    let first = if face.side < 0 { 0 } else { n - face.stencil.len() };
                    let scale = 1.0 / (grid.axes[face.axis][1] - grid.axes[face.axis][0]);
                    let mut slope = vec![0.0; asked.len()];
                    for (k, c) in face.stencil.iter().enumerate() {
                        slope.iter_mut().zip(node(first + k)).for_each(|(s, u)| *s += scale * c * u);
                    }
                    slope
                }
                _ => node(own),
            };
            let along: Vec<usize> = (0..shape.len()).filter(|a| *a != face.axis).collect();
            let meets = |mut at: usize| {
                along.iter().rev().any(|&a| {
                    let i = at % shape[a];
                    at /= shape[a];
                    (i == 0 || i + 1 == shape[a]) && faces.iter().any(|other| other.axis == a)
                })
            };
            let apart = found.iter().zip(&asked).enumerate().filter(|(at, _)| !meets(*at));
            misses.extend(apart.map(|(_, (u, value))| (u - value).abs()));
        }
        misses
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

    /// The integral of a state of space by the trapezoid rule.
    pub fn integral(&self, state: &[f64]) -> f64 {
        let space = self.axes[..self.axes.len() - 1].iter().rev();
        let along = |u: Vec<f64>, x: &Vec<f64>| -> Vec<f64> {
            let cell = |u: &[f64], i: usize| 0.5 * (x[i] - x[i - 1]) * (u[i] + u[i - 1]);
            u.chunks_exact(x.len()).map(|u| (1..x.len()).map(|i| cell(u, i)).sum()).collect()
        };
        space.fold(state.to_vec(), along)[0]
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
    pub fn stack(&self, states: &[Vec<f64>]) -> Vec<f64> {
        (0..states[0].len()).flat_map(|i| states.iter().map(move |u| u[i])).collect()
    }

    /// The nodes of a field on a face.
    pub fn face(&self, u: &[f64], axis: usize, side: i32) -> Vec<f64> {
        self.nodes(u, axis, if side < 0 { 0 } else { self.axes[axis].len() - 1 })
    }

    /// The nodes of a field with one index along an axis, in the order of the grid without that axis.
    fn nodes(&self, u: &[f64], axis: usize, node: usize) -> Vec<f64> {
        let shape = self.shape();
        let inner: usize = shape[axis + 1..].iter().product();
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
