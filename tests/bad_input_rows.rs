//! Bad rows at the C border, by cells and weights, at boundaries and as stencils: a status, a text that names the culprit, outputs
//! untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
#[path = "common/joint.rs"]
mod joint;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok};
use joint::{INF, NAN, What, add, constraints, data_of, handles, spoiled, three_rows};
use pcml::capi::*;
use pcml::error::Status;

type Sparse<'a> = (&'a [i64], &'a [i64], &'a [f64], Option<&'a [f64]>);

#[test]
fn sparse_rows_are_checked() {
    let c = constraints(three_rows);
    let run = |(starts, cells, weights, noise): Sparse| unsafe {
        let noise = noise.map_or(null(), <[f64]>::as_ptr);
        let rows = starts.len() as i64 - 1;
        pcml_constraints_add_sparse_rows(c, rows, starts.as_ptr(), cells.as_ptr(), weights.as_ptr(), noise)
    };
    let refused = |call: Sparse, status: Status, parts: &[&str]| {
        failed(run(call), status, parts);
        let mut rows = -1;
        ok(unsafe { pcml_constraints_rows(c, &mut rows) });
        assert_eq!(rows, 3, "{parts:?}");
    };
    let (cells, w) = (&[0, 1, 2, 3][..], &[1.0, 2.0, 3.0, 4.0][..]);
    // Rows 3 and 4 of the object.
    let starts = &[0, 2, 4][..];
    refused((&[0, 2, 2, 4], cells, w, None), Status::Singular, &["row 4"]);
    refused((&[0, 0], cells, w, None), Status::Singular, &["row 3"]);
    refused((starts, cells, &[1.0, 2.0, 0.0, -0.0], None), Status::Singular, &["row 4"]);
    refused((starts, &[0, 1, 2, 2], w, None), Status::InvalidArgument, &["row 4", "cell 2 twice"]);
    refused((&[0, 3, 2, 4], cells, w, None), Status::InvalidArgument, &["starts[2] is 2 after 3"]);
    refused((&[0, 5, 4], cells, w, None), Status::InvalidArgument, &["starts[1] is 5"]);
    refused((&[0, -1, 4], cells, w, None), Status::InvalidArgument, &["starts[1] is -1"]);
    refused((&[0, i64::MIN, 4], cells, w, None), Status::InvalidArgument, &["starts[1]"]);
    refused((&[1, 2, 4], cells, w, None), Status::Shape, &["starts runs from 1 to 4"]);
    refused((&[-1, 2, 4], cells, w, None), Status::Shape, &["starts runs from -1 to 4"]);
    refused((&[0, 2, -4], cells, w, None), Status::InvalidArgument, &["starts[rows] is -4"]);
    refused((starts, &[0, 1, 2, 6], w, None), Status::InvalidArgument, &["cells[3] of row 4 is 6", "0 to 5"]);
    refused((starts, &[0, -1, 2, 3], w, None), Status::InvalidArgument, &["cells[1] of row 3 is -1"]);
    refused((starts, &[0, i64::MAX, 2, 3], w, None), Status::InvalidArgument, &["cells[1] of row 3"]);
    refused((starts, cells, &[1.0, 2.0, NAN, 4.0], None), Status::NonFinite, &["row 4 at cell 2 is NaN"]);
    refused((starts, cells, &[1.0, INF, 3.0, 4.0], None), Status::NonFinite, &["row 3 at cell 1 is inf"]);
    refused((starts, cells, w, Some(&[0.0, -1.0])), Status::Noise, &["noise_variance[1] is -1"]);
    refused((starts, cells, w, Some(&[NAN, 0.0])), Status::NonFinite, &["noise_variance[0] is NaN"]);
    unsafe {
        let (s, k, w) = (starts.as_ptr(), cells.as_ptr(), w.as_ptr());
        let run = |c, rows, s, k, w| pcml_constraints_add_sparse_rows(c, rows, s, k, w, null());
        failed(run(c, 0, s, k, w), Status::InvalidArgument, &["rows is 0"]);
        failed(run(c, -3, s, k, w), Status::InvalidArgument, &["rows is -3"]);
        failed(run(c, i64::MAX, s, k, w), Status::TooLarge, &["starts"]);
        failed(run(c, 1, [0, i64::MAX].as_ptr(), k, w), Status::TooLarge, &["cells"]);
        failed(run(null_mut(), 2, s, k, w), Status::NullArgument, &["constraints"]);
        failed(run(c, 2, null(), k, w), Status::NullArgument, &["starts"]);
        failed(run(c, 2, s, null(), w), Status::NullArgument, &["cells"]);
        failed(run(c, 2, s, k, null()), Status::NullArgument, &["weights"]);
        pcml_constraints_free(c);
    }
}

#[test]
fn contradictory_rows_are_refused_and_dependent_ones_reported() {
    for prior in 1..=9 {
        let h = handles(prior, data_of(prior).0, |c| unsafe {
            add(c, &[0, 1, 2], &[1.0, 1.0, 1.0], 0.0);
            add(c, &[3, 4], &[1.0, -1.0], 0.0);
            add(c, &[0, 1, 2, 3, 4], &[2.0, 2.0, 2.0, 3.0, -3.0], 0.0);
        });
        let call = spoiled(prior, |c| c.b = vec![7.0, 1.0, 18.0]);
        call.refused(&h, &[What::Project], Status::Contradiction, &["slice 0, row 2 is 1.8e1", "rows 0, 1", "1.7e1"]);
        let (status, changed) = spoiled(prior, |c| c.b = vec![7.0, 1.0, 17.0]).run(&h, What::Project);
        assert!(status == 0 && changed, "{prior}: {}", message());
        let dropped = [0, 1, 2].map(|row| {
            let mut value = SENTINEL;
            ok(unsafe { pcml_report_value(h.report, 10, 0, row, &mut value) });
            value
        });
        assert_eq!(dropped, [0.0, 0.0, 1.0], "{prior}");
    }
}

#[test]
fn boundary_rows_are_checked() {
    let c = constraints(|_| ());
    let (x, y) = ([0.0, 1.0], [0.0, 0.5, 2.0]);
    let axes = [input(&x, &[2]), input(&y, &[3])];
    let mut nine = vec![input(&[0.0], &[1]); 9];
    let run =
        |axes: &[pcml_const_array], first: i64, sides: &[i32], axis: i64, (value, slope): (f64, f64), order: i32| {
            let rank = axes.len() as i64;
            let (axes, sides) = (axes.as_ptr(), sides.as_ptr());
            unsafe { pcml_constraints_add_boundary(c, axes, rank, first, sides, axis, value, slope, order, 0.0) }
        };
    let (robin, low) = ((1.0, 1.0), [0, -1]);
    let refused = |status: i32, expected: Status, parts: &[&str]| {
        failed(status, expected, parts);
        let mut rows = -1;
        ok(unsafe { pcml_constraints_rows(c, &mut rows) });
        assert_eq!(rows, 0, "{parts:?}");
    };
    use Status::*;
    for order in [0, 5, -3, i32::MIN, i32::MAX] {
        refused(run(&axes, 0, &low, 1, robin, order), InvalidArgument, &[&format!("order is {order}")]);
    }
    refused(run(&axes, 0, &low, 1, robin, 3), Shape, &["axes[1] has 3 points", "4 for order 3"]);
    refused(run(&axes, 0, &[1, 0], 0, robin, 2), Shape, &["axes[0] has 2 points"]);
    refused(run(&axes, 0, &[0, 0], 0, robin, 1), InvalidArgument, &["axis is 0", "[0, 0]"]);
    for side in [2, -2, i32::MIN, i32::MAX] {
        refused(run(&axes, 0, &[0, side], 1, robin, 1), InvalidArgument, &["sides", &side.to_string()]);
    }
    refused(run(&axes, 0, &low, 0, robin, 1), InvalidArgument, &["axis is 0"]);
    refused(run(&axes, 0, &low, 2, robin, 1), InvalidArgument, &["axis is 2"]);
    refused(run(&axes, 0, &low, -1, robin, 1), InvalidArgument, &["axis is -1"]);
    refused(run(&axes, 0, &low, i64::MAX, robin, 1), InvalidArgument, &["axis is 9223372036854775807"]);
    refused(run(&axes, 0, &low, 1, (0.0, 0.0), 1), Singular, &["value", "slope"]);
    refused(run(&axes, 0, &low, 1, (NAN, 0.0), 1), NonFinite, &["value is NaN"]);
    refused(run(&axes, 0, &low, 1, (0.0, INF), 1), NonFinite, &["slope is inf"]);
    refused(run(&axes, 1, &low, 1, robin, 1), Shape, &["from cell 1 leaves the 6 cells"]);
    refused(run(&axes, -1, &low, 1, robin, 1), InvalidArgument, &["first is -1"]);
    refused(run(&axes, i64::MAX, &low, 1, robin, 1), Shape, &["leaves the 6 cells"]);
    for (bad, status, part) in [
        ([0.0, 0.0, 1.0], NotSorted, "axes[1][1]"),
        ([0.0, 1.0, 0.5], NotSorted, "axes[1][2]"),
        ([0.0, NAN, 1.0], NonFinite, "axes[1][1]"),
        ([0.0, 1.0, INF], NonFinite, "axes[1][2]"),
    ] {
        let axes = [axes[0], input(&bad, &[3])];
        refused(run(&axes, 0, &low, 1, robin, 1), status, &[part]);
        refused(run(&axes, 0, &[1, 0], 0, (1.0, 0.0), 0), status, &[part]);
    }
    let tiny = [axes[0], input(&[0.0, 5e-324, 1.0], &[3])];
    refused(run(&tiny, 0, &low, 1, robin, 2), NonFinite, &["axes[1]"]);
    let huge = [axes[0], input(&[-1.7e308, 1.7e308, 1.75e308], &[3])];
    refused(run(&huge, 0, &low, 1, robin, 2), NonFinite, &["axes[1]"]);
    refused(run(&[], 0, &[], 0, robin, 1), InvalidArgument, &["rank is 0"]);
    refused(run(&nine, 0, &[-1; 9], 0, robin, 1), Shape, &["rank is 9"]);
    nine[0].shape[0] = i64::MAX;
    refused(run(&nine[..1], 0, &[-1], 0, (1.0, 0.0), 0), TooLarge, &["axes[0]"]);
    unsafe {
        let (a, s) = (axes.as_ptr(), low.as_ptr());
        let run = |c, axes, sides, noise| pcml_constraints_add_boundary(c, axes, 2, 0, sides, 1, 1.0, 0.0, 0, noise);
        refused(run(null_mut(), a, s, 0.0), NullArgument, &["constraints"]);
        refused(run(c, null(), s, 0.0), NullArgument, &["axes"]);
        refused(run(c, a, null(), 0.0), NullArgument, &["sides"]);
        refused(run(c, a, s, -1.0), Noise, &["noise_variance"]);
        refused(run(c, a, s, NAN), NonFinite, &["noise_variance"]);
        pcml_constraints_free(c);
    }
}

#[test]
fn periodic_rows_and_stencils_are_checked() {
    let c = constraints(|_| ());
    let refused = |status: i32, expected: Status, parts: &[&str]| {
        failed(status, expected, parts);
        let mut rows = -1;
        ok(unsafe { pcml_constraints_rows(c, &mut rows) });
        assert_eq!(rows, 0, "{parts:?}");
    };
    let periodic = |shape: &[i64], first: i64, axis: i64, noise: f64| unsafe {
        pcml_constraints_add_periodic(c, shape.as_ptr(), shape.len() as i64, first, axis, noise)
    };
    use Status::*;
    refused(periodic(&[6, 1], 0, 1, 0.0), InvalidArgument, &["axis is 1", "[6, 1]"]);
    refused(periodic(&[2, 3], 0, 2, 0.0), InvalidArgument, &["axis is 2"]);
    refused(periodic(&[2, 3], 0, -1, 0.0), InvalidArgument, &["axis is -1"]);
    refused(periodic(&[2, 3], 0, i64::MAX, 0.0), InvalidArgument, &["axis is"]);
    refused(periodic(&[2, 3], 1, 0, 0.0), Shape, &["from cell 1 leaves the 6 cells"]);
    refused(periodic(&[2, 3], -1, 0, 0.0), InvalidArgument, &["first is -1"]);
    refused(periodic(&[2, 4], 0, 0, 0.0), Shape, &["leaves the 6 cells"]);
    refused(periodic(&[2, 0], 0, 0, 0.0), InvalidArgument, &["shape[1] is 0"]);
    refused(periodic(&[-2, 3], 0, 0, 0.0), InvalidArgument, &["shape[0] is -2"]);
    refused(periodic(&[i64::MAX; 8], i64::MAX, 0, 0.0), Shape, &["leaves the 6 cells"]);
    refused(periodic(&[2; 9], 0, 0, 0.0), Shape, &["rank is 9"]);
    refused(periodic(&[], 0, 0, 0.0), InvalidArgument, &["rank is 0"]);
    refused(periodic(&[2, 3], 0, 0, -1.0), Noise, &["noise_variance"]);
    refused(periodic(&[2, 3], 0, 0, NAN), NonFinite, &["noise_variance"]);
    let status = unsafe { pcml_constraints_add_periodic(c, null(), 2, 0, 0, 0.0) };
    refused(status, NullArgument, &["shape"]);

    let stencils = |rows: i64, width: i64, cells: &[i64], g: &[f64], shared: i32, noise: f64| unsafe {
        pcml_constraints_add_stencils(c, rows, width, cells.as_ptr(), g.as_ptr(), shared, noise)
    };
    let (cells, g) = ([0, 1, 2, 3], [1.0, -1.0, 2.0, 3.0]);
    refused(stencils(2, 0, &cells, &g, 0, 0.0), InvalidArgument, &["width is 0"]);
    refused(stencils(0, 2, &cells, &g, 0, 0.0), InvalidArgument, &["rows is 0"]);
    refused(stencils(2, -1, &cells, &g, 0, 0.0), InvalidArgument, &["width is -1"]);
    refused(stencils(i64::MAX, i64::MAX, &cells, &g, 0, 0.0), TooLarge, &["coefficients"]);
    refused(stencils(i64::MAX, 2, &cells, &g, 1, 0.0), TooLarge, &["cells"]);
    refused(stencils(2, i64::MAX, &cells, &g, 1, 0.0), TooLarge, &["coefficients"]);
    refused(stencils(2, 2, &[0, 1, 3, 3], &g, 0, 0.0), InvalidArgument, &["row 1", "cell 3 twice"]);
    refused(stencils(2, 2, &[0, 1, 3, 6], &g, 1, 0.0), InvalidArgument, &["cells[3] of row 1 is 6"]);
    refused(stencils(2, 2, &[0, -2, 3, 5], &g, 1, 0.0), InvalidArgument, &["cells[1] of row 0 is -2"]);
    refused(stencils(2, 2, &cells, &[1.0, 1.0, 0.0, 0.0], 0, 0.0), Singular, &["row 1"]);
    refused(stencils(2, 2, &cells, &[1.0, NAN, 1.0, 1.0], 0, 0.0), NonFinite, &["row 0 at cell 1"]);
    refused(stencils(2, 2, &cells, &[0.0, 0.0], 1, 0.0), Singular, &["row 0"]);
    refused(stencils(2, 2, &cells, &g, 0, -1.0), Noise, &["noise_variance"]);
    refused(stencils(2, 2, &cells, &g, 0, INF), NonFinite, &["noise_variance"]);
    let status = unsafe { pcml_constraints_add_stencils(c, 2, 2, null(), g.as_ptr(), 0, 0.0) };
    refused(status, NullArgument, &["cells"]);
    let status = unsafe { pcml_constraints_add_stencils(c, 2, 2, cells.as_ptr(), null(), 0, 0.0) };
    refused(status, NullArgument, &["coefficients"]);
    unsafe { pcml_constraints_free(c) };
}
