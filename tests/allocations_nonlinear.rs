//! A nonlinear projection allocates nothing once projector, workspace and report exist.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;

use std::hint::black_box;

use counting::allocations;
use pcml::constraint::{Constraints, Prior, Projector, ProjectorOptions};
use pcml::{View, ViewMut};

#[test]
fn hot_calls_allocate_nothing() {
    let (slices, cells) = (3, 1203);
    let shape = [slices, cells];
    let weights = vec![1.0; cells];
    for product in [false, true] {
        let mut c = Constraints::new(cells).unwrap();
        c.add_row(View::new("weights", &weights, &[cells]).unwrap(), 0.0).unwrap();
        if product {
            c.add_quadratic(&[0, 1, 2], &[3, 4, 2], &[1.0, 2.0, 0.5]).unwrap();
        } else {
            c.add_energy(View::new("weights", &weights, &[cells]).unwrap()).unwrap();
        }
        let p = Projector::new(&c, Prior::Identity, &ProjectorOptions::default()).unwrap();
        let mut scratch = p.nonlinear_scratch(slices).unwrap();
        let mut report = p.report(slices).unwrap();
        let mean: Vec<f32> = (0..slices * cells).map(|i| 1.0 + 0.5 * (i as f32 * 0.37).sin()).collect();
        let b = vec![1205.0; slices];
        let levels = vec![if product { 4.0 } else { 1400.0 }; slices];
        let mut out = vec![0f64; slices * cells];
        assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
        let counted = allocations(|| {
            let mean = View::new("mean", &mean, &shape).unwrap();
            let b = View::new("b", &b, &[slices]).unwrap();
            let levels = View::new("levels", &levels, &[slices]).unwrap();
            let to = ViewMut::new("posterior_mean", &mut out, &shape).unwrap();
            p.project_nonlinear(&mut scratch, mean, None, Some(b), levels, to, Some(&mut report)).unwrap();
        });
        assert_eq!(counted, 0);
        assert!(report.slices()[0].iterations > 0);
    }
}
