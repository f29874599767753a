//! The problems that surrogates are trained on: masses are integrals, solvers converge at their stated order, data obey their faces.

#[path = "../examples/rust/problems/mod.rs"]
mod problems;

use std::f64::consts::PI;

use problems::boundary::{self, Bar, Cavity, Circle, Grid, Sample};
use problems::conservation;

fn trapezoid(x: &[f64], u: &[f64]) -> f64 {
    (1..x.len()).map(|i| 0.5 * (x[i] - x[i - 1]) * (u[i] + u[i - 1])).sum()
}

fn apart(u: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(u.len(), truth.len());
    u.iter().zip(truth).map(|(u, t)| (u - t).abs()).fold(0.0, f64::max)
}

/// Each halving of the step divides the error by 2 to the order.
#[track_caller]
fn converges(errors: &[f64], order: f64, slack: f64) {
    for pair in errors.windows(2) {
        let found = (pair[0] / pair[1]).log2();
        assert!((found - order).abs() <= slack, "errors {errors:?}: order {found}, expected {order}");
    }
}

#[test]
fn masses_are_integrals() {
    for problem in conservation::PROBLEMS {
        let x = problem.cells(20_001);
        for parameter in [problem.test, &problem.range].concat() {
            let function = problem.function(parameter);
            for t in [0.2 * problem.time, problem.time, problem.t_max] {
                let u: Vec<f64> = x.iter().map(|x| function.solution(t, *x)).collect();
                let (found, expected) = (trapezoid(&x, &u), function.mass(t));
                // Half a cell at a jump.
                let tolerance = 0.6 * (x[1] - x[0]) * u.iter().fold(0.0, |most: f64, u| most.max(u.abs()));
                let name = problem.name;
                assert!((found - expected).abs() <= tolerance, "{name} {parameter} at {t}: {found}, mass {expected}");
                assert!(!problem.nonnegative || u.iter().all(|u| *u >= 0.0), "{name} {parameter} at {t} is negative");
                assert!(!problem.falling || u.is_sorted_by(|a, b| a >= b), "{name} {parameter} at {t} grows");
                if let Some(front) = function.front(t) {
                    assert!((front.found(&x, &u) - front.position).abs() <= 1.1 * (x[1] - x[0]), "{name}: {front:?}");
                }
            }
        }
    }
}

/// Of the right speed of fronts too: mass grows by what enters through the first point.
#[test]
fn masses_grow_by_what_flows_in() {
    let inflow = |name: &str, p: f64, t: f64| match name {
        "heat" => 0.0,
        // - u^m u_x = u there.
        "pme" => (p * t).powf(1.0 / p),
        "advection" => p,
        "burgers" => 0.5 * p * p,
        _ => unreachable!(),
    };
    for problem in conservation::PROBLEMS.into_iter().filter(|p| p.name != "stefan") {
        let (p, t, h) = (problem.test[0], 0.4 * problem.time, 1e-5);
        let function = problem.function(p);
        let rate = (function.mass(t + h) - function.mass(t - h)) / (2.0 * h);
        let expected = inflow(problem.name, p, t);
        assert!((rate - expected).abs() <= 1e-6 * expected.max(1.0), "{}: {rate}, inflow {expected}", problem.name);
    }
    let function = conservation::STEFAN.function(0.6);
    let (t, h) = (0.03, 1e-6);
    let rate = (function.mass(t + h) - function.mass(t - h)) / (2.0 * h);
    let slope = (function.solution(t, h) - function.solution(t, 0.0)) / h;
    assert!((rate + slope).abs() <= 1e-4 * rate, "{rate}, inflow {}", -slope);
}

#[test]
fn contexts_are_stratified_and_repeat() {
    for problem in conservation::PROBLEMS {
        let function = problem.function(problem.test[0]);
        let (points, values) = problem.context(function.as_ref(), 7, 3);
        assert_eq!((points.clone(), values.clone()), problem.context(function.as_ref(), 7, 3));
        assert_ne!(points, problem.context(function.as_ref(), 7, 4).0);
        for (i, (point, u)) in points.chunks_exact(2).zip(&values).enumerate() {
            let (t, x) = (point[0], point[1]);
            let interval = (t / problem.t_max * conservation::SIDE as f64).floor() as usize;
            assert_eq!(interval, i / conservation::SIDE, "{}: t = {t}", problem.name);
            assert!(problem.x[0] < x && x < problem.x[1]);
            assert_eq!(*u, function.solution(t, x));
        }
    }
}

/// cos(3 pi x) decays under zero flux; Re(-5 i e^(i pi t) cosh(s x) / (s sinh s)), s^2 = i pi / 0.01, has the flux on the right.
#[test]
fn the_heated_bar_converges() {
    let exact = |x: f64, t: f64| {
        let decay = f64::exp(-0.01 * (3.0 * PI).powi(2) * t) * (3.0 * PI * x).cos();
        // s = (1 + i) r; cosh and sinh of complex arguments by their parts.
        let r = (PI / 0.02).sqrt();
        let (re, im) = ((r * x).cosh() * (r * x).cos(), (r * x).sinh() * (r * x).sin());
        let (a, b) = (r.sinh() * r.cos(), r.cosh() * r.sin());
        let (low_re, low_im) = (r * (a - b), r * (a + b));
        let size = low_re * low_re + low_im * low_im;
        let (q_re, q_im) = ((re * low_re + im * low_im) / size, (im * low_re - re * low_im) / size);
        // Re(-5 i (cos + i sin)(q)).
        decay + 5.0 * ((PI * t).sin() * q_re + (PI * t).cos() * q_im)
    };
    let errors: Vec<f64> = [1, 2, 4]
        .iter()
        .map(|finer| {
            let (cells, steps) = (99 * finer, 5 * finer);
            let at = |t: f64| -> Vec<f64> { (0..=cells).map(|i| exact(i as f64 / cells as f64, t)).collect() };
            let states = Bar::new(cells, 2.0 / (25 * steps) as f64).solve(&at(0.0), 25, steps);
            (1..=25).map(|k| apart(&states[k - 1], &at(0.08 * k as f64))).fold(0.0, f64::max)
        })
        .collect();
    converges(&errors, 2.0, 0.1);
    assert!(errors[2] < 1e-3, "{errors:?}");
}

/// - 2 nu (log f)_x of a wave f that decays by diffusion (Cole and Hopf).
#[test]
fn the_circle_converges() {
    let (viscosity, points, time) = (0.05, 128, 0.5);
    let exact = |t: f64| -> Vec<f64> {
        let decay = f64::exp(-viscosity * (2.0 * PI).powi(2) * t);
        let u = |x: f64| 4.0 * PI * viscosity * decay * (2.0 * PI * x).sin() / (1.25 + decay * (2.0 * PI * x).cos());
        (0..points).map(|i| u(i as f64 / points as f64)).collect()
    };
    let error = |steps: usize| {
        let mut circle = Circle::new(points, viscosity);
        let mut u = circle.waves(&exact(0.0));
        circle.advance(&mut u, time / steps as f64, steps);
        apart(&boundary::values(&u, points + 1)[..points], &exact(time))
    };
    let errors: Vec<f64> = [40, 80, 160].map(error).to_vec();
    converges(&errors, 4.0, 0.3);
    assert!(error(1280) < 1e-11, "{}", error(1280));
}

/// Against itself on finer grids, under a lid whose speed vanishes with its slope at the corners, so that the flow is smooth.
#[test]
fn the_cavity_converges() {
    let lid = |x: f64| 16.0 * (x * (1.0 - x)).powi(2);
    let stream = |cells: usize| -> Vec<f64> {
        let mut cavity = Cavity::new(cells, 0.01, lid);
        cavity.advance(1.0);
        let line = cells + 1;
        let skip = cells / 8;
        let kept = |line: &[f64]| line.iter().step_by(skip).copied().collect::<Vec<_>>();
        cavity.stream().chunks_exact(line).step_by(skip).flat_map(kept).collect()
    };
    let found: Vec<_> = [16, 32, 64].map(stream).to_vec();
    let order = (apart(&found[0], &found[1]) / apart(&found[1], &found[2])).log2();
    assert!((order - 2.0).abs() < 0.4, "order {order}");
}

/// Ghia, Ghia and Shin (1982), Re 100, 129 x 129: the least u on the vertical line through the middle, and the centre of the vortex.
#[test]
fn the_cavity_settles_where_the_literature_has_it() {
    let n = 48;
    let mut cavity = Cavity::new(n, 0.01, |_| 1.0);
    cavity.advance(25.0);
    let s = |i: usize, j: usize| cavity.stream()[i * (n + 1) + j];
    let least = (1..n).map(|j| 0.5 * n as f64 * (s(n / 2, j + 1) - s(n / 2, j - 1))).fold(0.0, f64::min);
    assert!((least + 0.21090).abs() < 0.003, "u {least}");
    let centre = cavity.stream().iter().copied().fold(0.0, f64::min);
    // Second order: a quarter of it with 96 cells.
    assert!((centre + 0.103423).abs() < 0.002, "stream function {centre}");
}

fn samples(name: &str, points: Option<&[usize]>) -> (&'static boundary::Problem, Grid, Vec<Sample>) {
    let problem = boundary::problem(name).expect("a problem");
    let grid = problem.grid(points.unwrap_or(problem.points));
    let samples = (0..3).map(|i| problem.sample(&grid, 5, i)).collect();
    (problem, grid, samples)
}

/// Largest distance of a sample from the conditions of its faces.
fn off(problem: &boundary::Problem, grid: &Grid, sample: &Sample) -> f64 {
    let misses = problem.misses(grid, &sample.output, &sample.faces);
    let tangential: usize = grid.shape()[1..].iter().product();
    assert!(misses.len() >= tangential.min(grid.times().len()), "{}: nothing was looked at", problem.name);
    misses.into_iter().fold(0.0, f64::max)
}

#[test]
fn data_obey_their_faces() {
    // Of stencils what they truncate, here h u_xx / 2 at the insulated wall and a third-order term in the wave.
    for (name, tolerance) in [
        ("stokes", 0.0),
        ("riemann", 0.0),
        ("inflow", 0.0),
        ("burgers_periodic", 0.0),
        ("heat_wall", 1.0),
        ("wave", 0.02),
        ("cavity", 0.0),
    ] {
        let (problem, grid, samples) = samples(name, None);
        for sample in &samples {
            assert_eq!(sample.output.len(), grid.shape().iter().product::<usize>());
            assert!(sample.output.iter().chain(&sample.input).all(|u| u.is_finite()));
            let off = off(problem, &grid, sample);
            assert!(off <= tolerance, "{name}: {off}");
        }
        assert_ne!(samples[0].input, samples[1].input, "{name}: functions that an operator cannot tell apart");
        assert_eq!(samples[1].output, problem.sample(&grid, 5, 1).output, "{name}");
        assert_ne!(samples[1].output, problem.sample(&grid, 6, 1).output, "{name}");
    }
    // It shrinks with the spacing at the order of the stencil.
    let worst = |name: &str, points: &[usize]| {
        let (problem, grid, samples) = samples(name, Some(points));
        samples.iter().map(|s| off(problem, &grid, s)).fold(0.0, f64::max)
    };
    converges(&[50, 99, 197].map(|n| worst("heat_wall", &[n, 25])), 1.0, 0.3);
    converges(&[25, 49].map(|n| worst("wave", &[n, n, 3])), 3.0, 0.3);
    // And a condition that does not hold is seen, on every face.
    for name in ["stokes", "inflow", "heat_wall", "burgers_periodic", "wave", "cavity"] {
        let (problem, grid, mut samples) = samples(name, None);
        let sample = samples.swap_remove(0);
        for f in 0..sample.faces.len() {
            let mut faces = sample.faces.clone();
            faces[f].iter_mut().for_each(|value| *value += 10.0);
            let misses = problem.misses(&grid, &sample.output, &faces);
            assert!(misses.into_iter().fold(0.0, f64::max) > 9.0, "{name}, face {f}");
        }
        let mut u = sample.output.clone();
        u[..grid.times().len()].fill(1e3);
        assert!(name == "wave" || name == "cavity" || problem.misses(&grid, &u, &sample.faces)[0] > 9.0, "{name}");
    }
}

#[test]
fn integrals_are_those_of_the_data() {
    // h^2 / 12 of the difference of the slopes at the ends.
    for (name, tolerance) in
        [("riemann", 5e-5), ("inflow", 5e-5), ("burgers_periodic", 1e-12), ("heat_wall", 2e-4), ("wave", 1e-12)]
    {
        let (_, grid, samples) = samples(name, None);
        for sample in &samples {
            let times = grid.times().len();
            for (k, expected) in sample.integral.as_ref().expect("a law").iter().enumerate() {
                let u: Vec<f64> = sample.output.iter().skip(k).step_by(times).copied().collect();
                let found = grid.integral(&u);
                assert!((found - expected).abs() <= tolerance, "{name} at {k}: {found} for {expected}");
            }
        }
    }
}

/// The equations of the closed forms, by differences of second order.
#[test]
fn closed_forms_solve_their_equations() {
    for (name, points) in [
        ("stokes", vec![201, 401]),
        ("riemann", vec![201, 401]),
        ("inflow", vec![201, 401]),
        ("wave", vec![41, 41, 81]),
    ] {
        let (_, grid, samples) = samples(name, Some(&points));
        let shape = grid.shape();
        let (space, h) = (shape.len() - 1, grid.axes.iter().map(|x| x[1] - x[0]).collect::<Vec<_>>());
        let stride: Vec<usize> = (0..shape.len()).map(|a| shape[a + 1..].iter().product()).collect();
        let u = &samples[0].output;
        let at: usize = shape.iter().zip(&stride).map(|(n, s)| n / 3 * s).sum();
        let second = |a: usize| (u[at + stride[a]] - 2.0 * u[at] + u[at - stride[a]]) / (h[a] * h[a]);
        let slope = |a: usize| (u[at + stride[a]] - u[at - stride[a]]) / (2.0 * h[a]);
        let (left, right) = match name {
            "stokes" => (slope(space), 0.1 * second(0)),
            "riemann" | "inflow" => (slope(space) + u[at] * slope(0), 0.1 * second(0)),
            _ => (second(space), second(0) + second(1)),
        };
        let scale = right.abs().max(0.1);
        assert!((left - right).abs() <= 0.01 * scale, "{name}: {left} and {right}");
    }
}

/// u(., 0) is the input: solutions shortly after the start are near it, but for the cavity, whose lid starts suddenly.
#[test]
fn inputs_are_initial_states() {
    for name in ["stokes", "riemann", "inflow", "burgers_periodic", "wave"] {
        let mut points = boundary::problem(name).expect("a problem").points.to_vec();
        *points.last_mut().expect("time") = 1000;
        let (_, _, samples) = samples(name, Some(&points));
        let first = |u: &[f64]| -> Vec<f64> { u.iter().step_by(1000).copied().collect() };
        let most = samples[0].input.iter().fold(0f64, |most, u| most.max(u.abs()));
        let found = apart(&first(&samples[0].output), &first(&samples[0].input));
        assert!(0.0 < found && found <= 0.05 * most, "{name}: {found}");
    }
}
