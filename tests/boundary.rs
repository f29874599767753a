//! Boundary rows and quadratures: exact for the polynomials that their order promises, on every face, edge and corner.

#[path = "common/lcg.rs"]
mod lcg;
#[path = "common/views.rs"]
mod views;

use lcg::step;
use pcml::constraint::{Condition, Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule};
use pcml::error::Status;
use pcml::{View, ViewMut};
use proptest::prelude::*;
use views::view;

/// `G u` of one state.
fn amounts(c: &Constraints, u: &[f64]) -> Vec<f64> {
    let p = Projector::new(c, Prior::Scalar, &ProjectorOptions::default()).unwrap();
    let mut out = vec![0.0; p.rows()];
    let zero = vec![0.0; p.rows()];
    let shape = [1, p.rows()];
    let to = ViewMut::new("residual", &mut out, &shape).unwrap();
    p.residual(&mut p.scratch(1).unwrap(), view(u), View::new("b", &zero, &shape).unwrap(), to).unwrap();
    out
}

fn points(n: usize, random: &mut impl FnMut() -> f64) -> Vec<f64> {
    let mut x = -0.5;
    (0..n)
        .map(|_| {
            x += 0.3 + random();
            x
        })
        .collect()
}

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || (step(&mut state) >> 11) as f64 / (1u64 << 53) as f64
}

/// Every index of a grid, in C order.
fn nodes(shape: &[usize]) -> Vec<Vec<usize>> {
    let total: usize = shape.iter().product();
    (0..total)
        .map(|at| {
            let mut rest = at;
            let mut node = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                node[axis] = rest % shape[axis];
                rest /= shape[axis];
            }
            node
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A product of polynomials of the stencil's degree along each axis.
    #[test]
    fn conditions_are_exact_for_polynomials(
        rank in 1usize..=4, order in 1usize..=4, seed in any::<u64>(), value in -2.0..2.0f64, slope in 0.1..2.0f64, first in 0usize..5,
    ) {
        let mut random = numbers(seed);
        let shape: Vec<usize> = (0..rank).map(|_| order + 1 + (random() * 2.0) as usize).collect();
        let axes: Vec<Vec<f64>> = shape.iter().map(|&n| points(n, &mut random)).collect();
        let mut sides: Vec<i32> = (0..rank).map(|_| (random() * 3.0) as i32 - 1).collect();
        let axis = (random() * rank as f64) as usize;
        if sides[axis] == 0 {
            sides[axis] = 1;
        }
        let polynomials: Vec<Vec<f64>> = (0..rank).map(|_| (0..=order).map(|_| random() - 0.5).collect()).collect();
        let at = |p: &[f64], x: f64| p.iter().rev().fold(0.0, |sum, c| sum * x + c);
        let slope_at = |p: &[f64], x: f64| (1..p.len()).rev().fold(0.0, |sum, k| sum * x + k as f64 * p[k]);
        let nodes = nodes(&shape);
        let mut u = vec![0.0; first];
        u.extend(nodes.iter().map(|node| (0..rank).map(|a| at(&polynomials[a], axes[a][node[a]])).product::<f64>()));
        let mut c = Constraints::new(u.len()).unwrap();
        let views: Vec<View> = axes.iter().map(|x| view(x)).collect();
        c.add_boundary(&views, first, &sides, axis, Condition { value, slope, order }, 0.0).unwrap();
        let expected: Vec<f64> = nodes
            .iter()
            .filter(|node| (0..rank).all(|a| match sides[a] {
                -1 => node[a] == 0,
                1 => node[a] == shape[a] - 1,
                _ => true,
            }))
            .map(|node| {
                let others: f64 = (0..rank).filter(|a| *a != axis).map(|a| at(&polynomials[a], axes[a][node[a]])).product();
                let x = axes[axis][node[axis]];
                let outward = if sides[axis] < 0 { -1.0 } else { 1.0 };
                others * (value * at(&polynomials[axis], x) + slope * outward * slope_at(&polynomials[axis], x))
            })
            .collect();
        let found = amounts(&c, &u);
        prop_assert_eq!(found.len(), expected.len());
        let size = u.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for (a, b) in found.iter().zip(&expected) {
            prop_assert!((a - b).abs() <= 1e-10 * size, "{a} {b}");
        }
    }

    /// The tensor product of the trapezoid is exact for what is linear along each axis, that of Simpson for parabolas.
    #[test]
    fn grids_are_integrated_exactly(rank in 1usize..=3, simpson in any::<bool>(), seed in any::<u64>(), first in 0usize..5) {
        let mut random = numbers(seed);
        let shape: Vec<usize> = (0..rank).map(|_| 2 + 2 * (random() * 2.0) as usize + usize::from(simpson)).collect();
        let axes: Vec<Vec<f64>> = shape.iter().map(|&n| points(n, &mut random)).collect();
        let degree = if simpson { 2 } else { 1 };
        let polynomials: Vec<Vec<f64>> = (0..rank).map(|_| (0..=degree).map(|_| random() - 0.5).collect()).collect();
        let at = |p: &[f64], x: f64| p.iter().rev().fold(0.0, |sum, c| sum * x + c);
        let integral = |p: &[f64], x: f64| p.iter().enumerate().map(|(k, c)| c * x.powi(k as i32 + 1) / (k as f64 + 1.0)).sum::<f64>();
        // The trapezoid of a polynomial of degree 1 between every two points is exact.
        let mut u = vec![3.0; first];
        u.extend(nodes(&shape).iter().map(|node| (0..rank).map(|a| at(&polynomials[a], axes[a][node[a]])).product::<f64>()));
        let mut c = Constraints::new(u.len()).unwrap();
        let views: Vec<View> = axes.iter().map(|x| view(x)).collect();
        c.add_grid_quadrature(if simpson { Rule::Simpson } else { Rule::Trapezoid }, &views, first, 0.0).unwrap();
        let expected: f64 =
            (0..rank).map(|a| integral(&polynomials[a], axes[a][shape[a] - 1]) - integral(&polynomials[a], axes[a][0])).product();
        let found = amounts(&c, &u)[0];
        let size: f64 = axes.iter().map(|x| x[x.len() - 1].abs().max(1.0).powi(3)).product();
        prop_assert!((found - expected).abs() <= 1e-12 * size, "{found} {expected}");
    }

    /// Periodic along an axis, with conservation, and twice for good measure.
    #[test]
    fn periodic_fields_close_with_their_mass(rank in 1usize..=3, seed in any::<u64>()) {
        let mut random = numbers(seed);
        let shape: Vec<usize> = (0..rank).map(|_| 2 + (random() * 3.0) as usize).collect();
        let axis = (random() * rank as f64) as usize;
        let nodes = nodes(&shape);
        let n = nodes.len();
        let mut c = Constraints::new(n).unwrap();
        c.add_periodic(&shape, 0, axis, 0.0).unwrap();
        let faces = c.len();
        prop_assert_eq!(faces, n / shape[axis]);
        c.add_row(view(&vec![1.0; n]), 0.0).unwrap();
        let p = Projector::new(&c, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
        let mean: Vec<f64> = (0..n).map(|_| random()).collect();
        let v: Vec<f64> = (0..n).map(|_| 0.1 + random()).collect();
        let mut b = vec![0.0; faces];
        b.push(7.0);
        let mut u = vec![0.0; n];
        let to = Posterior { mean: ViewMut::new("u", &mut u, &[n]).unwrap(), variance: None };
        let b = View::new("b", &b, &[1, faces + 1]).unwrap();
        p.project(&mut p.scratch(1).unwrap(), view(&mean), Some(view(&v)), b, to, None).unwrap();
        let place = |node: &[usize]| node.iter().zip(&shape).fold(0, |at, (i, n)| at * n + i);
        for node in nodes.iter().filter(|node| node[axis] == 0) {
            let mut last = node.clone();
            last[axis] = shape[axis] - 1;
            let (a, b): (f64, f64) = (u[place(node)], u[place(&last)]);
            prop_assert!((a - b).abs() <= 4.0 * f64::EPSILON * (a.abs() + b.abs()), "{a} {b}");
        }
        prop_assert!((u.iter().sum::<f64>() - 7.0).abs() <= 1e-13 * n as f64);
    }

    /// Values and one-sided derivatives on the nodes of any mesh.
    #[test]
    fn stencils_of_the_caller_hold(n in 4usize..60, seed in any::<u64>(), shared in any::<bool>()) {
        let mut random = numbers(seed);
        let rows = n / 4;
        let cells: Vec<i64> = (0..rows as i64).flat_map(|k| [4 * k + 2, 4 * k, 4 * k + 1]).collect();
        let own: Vec<f64> = (0..3 * rows).map(|_| 0.5 + random()).collect();
        let coefficients = if shared { &own[..3] } else { &own[..] };
        let mut c = Constraints::new(n).unwrap();
        c.add_stencils(&cells, coefficients, 3, 0.0).unwrap();
        let u: Vec<f64> = (0..n).map(|_| random()).collect();
        for (k, found) in amounts(&c, &u).iter().enumerate() {
            let of = |j: usize| if shared { own[j] } else { own[3 * k + j] };
            let expected: f64 = (0..3).map(|j| of(j) * u[cells[3 * k + j] as usize]).sum();
            prop_assert!((found - expected).abs() <= 1e-15 * 3.0 * 4.5);
        }
    }
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let axes = [[0.0, 1.0, 2.0], [0.0, 1.0, 3.0]];
    let views: Vec<View> = axes.iter().map(|x| view(x)).collect();
    let mut c = Constraints::new(9).unwrap();
    let mut refused = |sides: &[i32], axis: usize, value: f64, slope: f64, order: usize| {
        let e = c.add_boundary(&views, 0, sides, axis, Condition { value, slope, order }, 0.0).unwrap_err();
        assert!(c.is_empty());
        e.status()
    };
    assert_eq!(refused(&[0, 0], 0, 1.0, 0.0, 0), Status::InvalidArgument);
    assert_eq!(refused(&[2, 0], 0, 1.0, 0.0, 0), Status::InvalidArgument);
    assert_eq!(refused(&[1, 0], 2, 1.0, 0.0, 0), Status::InvalidArgument);
    assert_eq!(refused(&[1, 0], 0, 1.0, 1.0, 0), Status::InvalidArgument);
    assert_eq!(refused(&[1, 0], 0, 1.0, 1.0, 5), Status::InvalidArgument);
    assert_eq!(refused(&[1, 0], 0, 1.0, 1.0, 3), Status::Shape);
    assert_eq!(refused(&[1, 0], 0, 0.0, 0.0, 1), Status::Singular);
}
