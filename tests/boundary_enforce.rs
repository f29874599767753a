//! Conditions set on any field: every node on a face obeys the last condition that sets it, exactly or to rounding, and no other element
//! of the caller's memory changes, whatever the strides and dtypes.

#[path = "common/lcg.rs"]
mod lcg;

use lcg::step;
use pcml::error::Status;
use pcml::field::{Element, Layout};
use pcml::model::boundary::{Boundary, Face, Kind};
use pcml::{View, ViewMut};
use proptest::prelude::*;

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
}

/// A storage type as the test computes with it.
trait Number: Element + PartialEq + Into<f64> {
    const EPSILON: f64;
    fn from(v: f64) -> Self;
}

impl Number for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    fn from(v: f64) -> f32 {
        v as f32
    }
}

impl Number for f64 {
    const EPSILON: f64 = f64::EPSILON;
    fn from(v: f64) -> f64 {
        v
    }
}

/// Memory with a field in it: [batch, grid.., channels], axes in any order and direction, with gaps.
struct Memory<T> {
    data: Vec<T>,
    offset: usize,
    layout: Layout,
}

impl<T: Number> Memory<T> {
    fn new(shape: &[usize], random: &mut impl FnMut() -> f64) -> Memory<T> {
        let mut order: Vec<usize> = (0..shape.len()).collect();
        (1..order.len()).rev().for_each(|i| order.swap(i, (random() * (i + 1) as f64) as usize));
        let (mut strides, mut offset) = (vec![0isize; shape.len()], 0);
        let mut step = 1 + (random() * 3.0) as usize;
        for axis in order {
            strides[axis] = step as isize;
            if random() < 0.5 {
                strides[axis] = -strides[axis];
                offset += step * (shape[axis] - 1);
            }
            step = step * shape[axis] + (random() * 2.0) as usize;
        }
        let data = (0..step).map(|_| T::from(4.0 * random() - 2.0)).collect();
        Memory { data, offset, layout: Layout::new("field", shape, &strides).unwrap() }
    }

    /// Places of the elements in logical order.
    fn places(&self) -> Vec<usize> {
        let (shape, strides) = (self.layout.shape(), self.layout.strides());
        (0..self.layout.len())
            .map(|at| {
                let mut rest = at;
                let mut place = self.offset as isize;
                for axis in (0..shape.len()).rev() {
                    place += (rest % shape[axis]) as isize * strides[axis];
                    rest /= shape[axis];
                }
                place as usize
            })
            .collect()
    }

    fn view(&self) -> View<'_> {
        View::strided("field", &self.data, self.offset, self.layout).unwrap()
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut::strided("field", &mut self.data, self.offset, self.layout).unwrap()
    }
}

/// Conditions on some faces of a grid, which is made large enough for them.
fn conditions(shape: &mut [usize], random: &mut impl FnMut() -> f64) -> Boundary {
    let mut boundary = Boundary::new();
    let mut faces = Vec::new();
    for (axis, points) in shape.iter_mut().enumerate() {
        let periodic = random() < 0.2;
        for side in [-1, 1] {
            if random() < 0.25 || (periodic && side > 0) {
                continue;
            }
            let mut face = Face { axis, side, kind: Kind::Periodic, stencil: vec![], spacing: None };
            if !periodic {
                face.kind = if random() < 0.5 { Kind::Dirichlet } else { Kind::Neumann };
            }
            if face.kind == Kind::Neumann {
                let count = 2 + (random() * 3.0) as usize;
                face.stencil = (0..count).map(|_| 2.0 * random() - 1.0).collect();
                face.stencil[if side < 0 { 0 } else { count - 1 }] = 0.5 + random();
                face.spacing = Some(0.1 + random());
            }
            *points = (*points).max(face.reach() + 1);
            faces.push(face);
        }
    }
    (1..faces.len()).rev().for_each(|i| faces.swap(i, (random() * (i + 1) as f64) as usize));
    faces.into_iter().for_each(|face| boundary.add_face(face).unwrap());
    boundary
}

/// Rank of a condition among those that set a node: the last one holds.
fn rank(face: &Face) -> usize {
    [Kind::Periodic, Kind::Neumann, Kind::Dirichlet].iter().position(|kind| *kind == face.kind).unwrap()
}

fn check<T: Number, V: Number>(rank_of_grid: usize, seed: u64) -> Result<(), TestCaseError> {
    let mut random = numbers(seed);
    let mut grid: Vec<usize> = (0..rank_of_grid).map(|_| 2 + (random() * 4.0) as usize).collect();
    let boundary = conditions(&mut grid, &mut random);
    let (batch, channels) = (1 + (random() * 2.0) as usize, 1 + (random() * 3.0) as usize);
    let shape = [&[batch][..], &grid, &[channels]].concat();
    let mut field = Memory::<T>::new(&shape, &mut random);
    let values: Vec<Memory<V>> = boundary
        .faces()
        .iter()
        .filter(|face| face.has_value())
        .map(|face| {
            let mut shape = shape.clone();
            shape.remove(1 + face.axis);
            Memory::new(&shape, &mut random)
        })
        .collect();
    let before = field.data.clone();
    let views: Vec<View> = values.iter().map(Memory::view).collect();
    boundary.enforce(&mut field.view_mut(), rank_of_grid, &views).unwrap();

    let places = field.places();
    let nodes: usize = grid.iter().product();
    let mut touched = vec![false; field.data.len()];
    for at in 0..batch * nodes {
        let node = at % nodes;
        let step = |axis: usize| grid[axis + 1..].iter().product::<usize>();
        let index = |axis: usize| node / step(axis) % grid[axis];
        let on = |face: &Face| {
            let (low, high) = (index(face.axis) == 0, index(face.axis) == grid[face.axis] - 1);
            if face.kind == Kind::Periodic {
                low || high
            } else if face.side < 0 {
                low
            } else {
                high
            }
        };
        // The last of equals: `max_by_key` keeps it.
        let setter =
            boundary.faces().iter().enumerate().filter(|(_, face)| on(face)).max_by_key(|(_, face)| rank(face));
        let Some((number, face)) = setter else { continue };
        let step = step(face.axis);
        let first = at - index(face.axis) * step;
        let (outer, inner) = (node / (grid[face.axis] * step), node % step);
        let of_face = (at / nodes) * (nodes / grid[face.axis]) + outer * step + inner;
        for c in 0..channels {
            let u = |k: usize| -> f64 { field.data[places[(first + k * step) * channels + c]].into() };
            touched[places[at * channels + c]] = true;
            let value = || -> f64 {
                let list = &values[boundary.faces()[..number].iter().filter(|f| f.has_value()).count()];
                list.data[list.places()[of_face * channels + c]].into()
            };
            match face.kind {
                Kind::Dirichlet => prop_assert_eq!(u(index(face.axis)), T::from(value()).into()),
                Kind::Periodic => prop_assert_eq!(u(0), u(grid[face.axis] - 1)),
                Kind::Neumann => {
                    let from = if face.side < 0 { 0 } else { grid[face.axis] - face.stencil.len() };
                    let h = face.spacing.unwrap();
                    let terms = || face.stencil.iter().enumerate().map(|(k, s)| s * u(from + k) / h);
                    let scale = terms().map(f64::abs).sum::<f64>() + value().abs();
                    let apart = (terms().sum::<f64>() - value()).abs();
                    prop_assert!(apart <= 4.0 * T::EPSILON * scale, "{} > 4 eps {}", apart, scale);
                }
            }
        }
    }
    for (place, (old, new)) in before.iter().zip(&field.data).enumerate() {
        prop_assert!(touched[place] || old == new, "element {} is on no face", place);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_face_obeys_and_nothing_else_moves(rank in 1usize..=3, single: bool, values_single: bool, seed in any::<u64>()) {
        match (single, values_single) {
            (true, true) => check::<f32, f32>(rank, seed)?,
            (true, false) => check::<f32, f64>(rank, seed)?,
            (false, true) => check::<f64, f32>(rank, seed)?,
            (false, false) => check::<f64, f64>(rank, seed)?,
        }
    }
}

fn face(axis: usize, side: i32, kind: Kind) -> Face {
    Face { axis, side, kind, stencil: vec![], spacing: None }
}

#[test]
fn of_two_dirichlet_faces_the_later_one_has_the_corner() {
    for order in [[0, 1], [1, 0]] {
        let mut boundary = Boundary::new();
        let mut u = [0.0; 9];
        let mut values = Vec::new();
        for axis in order {
            boundary.add_face(face(axis, -1, Kind::Dirichlet)).unwrap();
            values.push([1.0 + axis as f64]);
        }
        // One value for a whole face.
        let repeated = Layout::new("value", &[1, 3, 1], &[0, 0, 0]).unwrap();
        let views: Vec<View> = values.iter().map(|v| View::strided("value", v, 0, repeated).unwrap()).collect();
        boundary.enforce(&mut ViewMut::new("u", &mut u, &[1, 3, 3, 1]).unwrap(), 2, &views).unwrap();
        assert_eq!(u[0], 1.0 + order[1] as f64);
        assert_eq!((u[1], u[3], u[4]), (1.0, 2.0, 0.0));
    }
}

#[test]
fn periodic_along_two_axes_at_the_corners_too() {
    let mut boundary = Boundary::new();
    boundary.add_face(face(0, 1, Kind::Periodic)).unwrap();
    boundary.add_face(face(1, -1, Kind::Periodic)).unwrap();
    let mut u: Vec<f32> = (0..12).map(|i| 0.1 * i as f32).collect();
    let inside = [u[5], u[6]];
    boundary.enforce(&mut ViewMut::new("u", &mut u, &[1, 3, 4, 1]).unwrap(), 2, &[]).unwrap();
    assert!(u[0] == u[3] && u[0] == u[8] && u[0] == u[11]);
    assert!(u[1] == u[9] && u[2] == u[10] && u[4] == u[7]);
    assert_eq!([u[5], u[6]], inside);
}

#[test]
fn refused_fields_stay_as_they_were() {
    let mut boundary = Boundary::new();
    boundary.add_face(face(0, -1, Kind::Dirichlet)).unwrap();
    let stencil = vec![0.5, -2.0, 1.5];
    boundary.add_face(Face { stencil, spacing: Some(0.1), ..face(0, 1, Kind::Neumann) }).unwrap();
    let mut u = [1.0f32; 10];
    let refused = |u: &mut [f32; 10], shape: &[usize], rank: usize, values: &[&[f64]]| {
        let views: Vec<View> = values.iter().map(|v| View::new("values", v, &[1, v.len()]).unwrap()).collect();
        let before = *u;
        let result = boundary.enforce(&mut ViewMut::new("u", u, shape).unwrap(), rank, &views);
        assert!(before.iter().zip(&*u).all(|(a, b)| a.to_bits() == b.to_bits()));
        result.unwrap_err().status()
    };
    let good: [&[f64]; 2] = [&[2.0], &[3.0]];
    assert_eq!(refused(&mut u, &[1, 10, 1], 2, &good), Status::Shape);
    assert_eq!(refused(&mut u, &[1, 10, 1], 0, &good), Status::Shape);
    assert_eq!(refused(&mut u, &[1, 10, 1], usize::MAX, &good), Status::Shape);
    assert_eq!(refused(&mut u, &[5, 2, 1], 1, &good), Status::Shape);
    assert_eq!(refused(&mut u, &[1, 10, 1], 1, &good[..1]), Status::Mismatch);
    assert_eq!(refused(&mut u, &[1, 10, 1], 1, &[&[2.0], &[3.0, 4.0]]), Status::Shape);
    assert_eq!(refused(&mut u, &[1, 10, 1], 1, &[&[2.0], &[f64::NAN]]), Status::NonFinite);
    // Finite, but not in the field's storage.
    assert_eq!(refused(&mut u, &[1, 10, 1], 1, &[&[1e39], &[3.0]]), Status::NonFinite);
    u[8] = f32::NAN;
    assert_eq!(refused(&mut u, &[1, 10, 1], 1, &good), Status::NonFinite);
    // What no stencil reads is none of its business.
    u[8] = 1.0;
    u[4] = f32::NAN;
    let views = good.map(|v| View::new("values", v, &[1]).unwrap());
    boundary.enforce(&mut ViewMut::new("u", &mut u, &[1, 10, 1]).unwrap(), 1, &views).unwrap();
    assert!(u[4].is_nan() && u[0] == 2.0 && u[1] == 1.0);
}
