//! A projection allocates nothing once projector, workspace and report exist.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;

use std::hint::black_box;

use counting::allocations;
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule};
use pcml::{View, ViewMut};

#[test]
fn hot_calls_allocate_nothing() {
    let (slices, cells) = (7, 1203);
    let shape = [slices, cells];
    let points: Vec<f64> = (0..cells).map(|i| i as f64).collect();
    let mut constraints = Constraints::new(cells).unwrap();
    constraints.add_quadrature(Rule::Simpson, View::new("points", &points, &[cells]).unwrap(), 0.0).unwrap();
    let p = Projector::new(&constraints, Prior::Diagonal, &ProjectorOptions::default()).unwrap();
    let mut scratch = p.scratch(slices).unwrap();
    let mut report = p.report(slices).unwrap();
    let mean: Vec<f32> = (0..slices * cells).map(|i| (i as f32 * 0.37).sin()).collect();
    let variance = vec![0.5f64; slices * cells];
    // The last slice cancels far beyond its result and takes the long way through trials.
    let b = [1.0, 2.0, 0.0, -4.0, 1e3, 1e-3, 1e30];
    let mut left = vec![0f64; slices];
    let mut wide = vec![0f64; slices * cells];
    let mut out_variance = vec![0f32; slices * cells];
    let huge: Vec<f64> = mean.iter().map(|&x| 1e40 * (1.5 + x as f64)).collect();
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    let counted = allocations(|| {
        for pass in 0..3 {
            let posterior = Posterior {
                mean: ViewMut::new("posterior_mean", &mut wide, &shape).unwrap(),
                variance: Some(ViewMut::new("posterior_variance", &mut out_variance, &shape).unwrap()),
            };
            let mean = if pass < 2 { View::new("mean", &mean, &shape) } else { View::new("mean", &huge, &shape) };
            let variance = View::new("variance", &variance, &shape).unwrap();
            let b = View::new("b", &b, &[slices]).unwrap();
            p.project(&mut scratch, mean.unwrap(), Some(variance), b, posterior, Some(&mut report)).unwrap();
            let mean = View::new("mean", &wide, &shape).unwrap();
            p.residual(&mut scratch, mean, b, ViewMut::new("residual", &mut left, &[slices]).unwrap()).unwrap();
        }
    });
    assert_eq!(counted, 0);
    for (s, r) in left.iter().enumerate() {
        assert_eq!(report.rows(s)[0].residual_after.to_bits(), r.to_bits());
    }
}
