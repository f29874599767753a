//! Corrections of fluxes and updates allocate nothing once balance and workspace exist, by either way to solve.
#![allow(unsafe_code)]

#[path = "common/counting.rs"]
mod counting;
#[path = "common/views.rs"]
mod views;

use std::hint::black_box;

use counting::allocations;
use pcml::ViewMut;
use pcml::constraint::{FluxBalance, FluxMethod, FluxOptions, Tangent, UpdateBounds};
use views::view;

#[test]
fn hot_calls_allocate_nothing() {
    let side = 60;
    let cells = side * side;
    let (mut owner, mut neighbour) = (Vec::new(), Vec::new());
    for c in 0..cells {
        let mut link = |to: i64| {
            owner.push(c as i64);
            neighbour.push(to);
        };
        if c % side + 1 < side {
            link(c as i64 + 1);
        }
        link(if c + side < cells { (c + side) as i64 } else { -1 });
    }
    let faces = owner.len();
    let flux: Vec<f64> = (0..faces).map(|f| (f as f64 * 0.37).sin()).collect();
    // Held faces, and variances over 16 decades, which take refinements.
    let variance: Vec<f64> =
        (0..faces).map(|f| if f % 11 == 0 { 0.0 } else { 10f64.powi((f % 17) as i32 - 8) }).collect();
    let (state, volumes) = (vec![0.5; cells], vec![1.0; cells]);
    let (lower, upper) = (vec![0.0; cells], vec![1.0; cells]);
    let (mut corrected, mut narrow) = (vec![0f64; faces], vec![0f32; faces]);
    let (mut new_state, mut limited) = (vec![0f64; cells], vec![0f64; faces]);
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the counter counts");
    for (direct, method) in [(cells, FluxMethod::Elimination), (0, FluxMethod::ConjugateGradients)] {
        let options = FluxOptions { held_faces: true, direct_cells: Some(direct) };
        let balance = FluxBalance::new(&owner, &neighbour, view(&volumes), &options).unwrap();
        let mut scratch = balance.scratch().unwrap();
        let run = || {
            for variance in [None, Some(view(&variance))] {
                let out = ViewMut::new("corrected", &mut corrected, &[faces]).unwrap();
                let report = balance.correct(&mut scratch, view(&flux), variance, None, out).unwrap();
                assert!(report.method == method && !report.unchanged);
                let out = ViewMut::new("corrected", &mut narrow, &[faces]).unwrap();
                balance.correct(&mut scratch, view(&flux), variance, None, out).unwrap();
                let out = ViewMut::new("residual", &mut new_state, &[cells]).unwrap();
                balance.residual(&mut scratch, view(&corrected), None, out).unwrap();
                let out = ViewMut::new("tangent", &mut corrected, &[faces]).unwrap();
                let tangent = Tangent { mean: Some(view(&flux)), variance: None, b: None };
                balance.jvp(&mut scratch, view(&flux), variance, None, tangent, out).unwrap();
                let out = ViewMut::new("gradient", &mut corrected, &[faces]).unwrap();
                let gradient = Tangent { mean: Some(out), variance: None, b: None };
                balance.vjp(&mut scratch, view(&flux), variance, None, view(&flux), gradient).unwrap();
                let out = ViewMut::new("new_state", &mut new_state, &[cells]).unwrap();
                balance.update(&mut scratch, 0.1, view(&state), view(&flux), None, out).unwrap();
                let bounds = UpdateBounds { lower: Some(view(&lower)), upper: Some(view(&upper)), low_order: None };
                let out = ViewMut::new("new_state", &mut new_state, &[cells]).unwrap();
                let limited = ViewMut::new("limited", &mut limited, &[faces]).unwrap();
                let done = balance
                    .update_bounded(&mut scratch, 1.0, view(&state), view(&flux), None, bounds, out, Some(limited))
                    .unwrap();
                assert!(done.limited_faces > 0);
            }
        };
        assert_eq!(allocations(run), 0, "{method:?}");
    }
}
