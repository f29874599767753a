//! Bad calls with many rows, boundary rows, every prior and inference at the C border: a status, a text that names the culprit,
//! outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use pcml::capi::*;
use pcml::error::Status;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

struct Laws(*mut pcml_constraints);

impl Laws {
    fn new(cells: i64) -> Laws {
        let mut c = null_mut();
        ok(unsafe { pcml_constraints_create(cells, &mut c) });
        Laws(c)
    }

    fn rows(&self) -> i64 {
        let mut rows = -1;
        ok(unsafe { pcml_constraints_rows(self.0, &mut rows) });
        rows
    }

    fn sparse(&self, starts: &[i64], cells: &[i64], weights: &[f64], noise: Option<&[f64]>) -> i32 {
        let noise = noise.map_or(null(), <[f64]>::as_ptr);
        let rows = starts.len() as i64 - 1;
        unsafe {
            pcml_constraints_add_sparse_rows(self.0, rows, starts.as_ptr(), cells.as_ptr(), weights.as_ptr(), noise)
        }
    }

    fn projector(&self, prior: i32, set: impl Fn(*mut pcml_options)) -> Result<Handle, i32> {
        let (mut options, mut p) = (null_mut(), null_mut());
        unsafe {
            ok(pcml_options_create(&mut options));
            set(options);
            let status = pcml_projector_create(self.0, prior, options, &mut p);
            pcml_options_free(options);
            if status == 0 { Ok(Handle(p)) } else { Err(status) }
        }
    }
}

impl Drop for Laws {
    fn drop(&mut self) {
        unsafe { pcml_constraints_free(self.0) }
    }
}

struct Handle(*mut pcml_projector);

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { pcml_projector_free(self.0) }
    }
}

struct Workspace(*mut pcml_workspace);

impl Workspace {
    fn of(p: &Handle) -> Workspace {
        let mut w = null_mut();
        ok(unsafe { pcml_projector_workspace(p.0, 1, &mut w) });
        Workspace(w)
    }

    fn inference(p: &Handle, samples: i64) -> Workspace {
        let mut w = null_mut();
        ok(unsafe { pcml_inference_workspace(p.0, samples, &mut w) });
        Workspace(w)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        unsafe { pcml_workspace_free(self.0) }
    }
}

/// Two rows over four cells.
fn two_rows() -> Laws {
    let laws = Laws::new(4);
    ok(laws.sparse(&[0, 4, 6], &[0, 1, 2, 3, 3, 0], &[1.0, 1.0, 1.0, 1.0, 2.0, -1.0], None));
    laws
}

#[test]
fn sparse_rows_are_checked() {
    let laws = Laws::new(4);
    let one = [1.0; 4];
    let run = |starts: &[i64], cells: &[i64], weights: &[f64], noise| laws.sparse(starts, cells, weights, noise);
    failed(run(&[0, 0, 2], &[0, 1], &one, None), Status::Singular, &["row 0"]);
    failed(run(&[0, 1, 3], &[0, 2, 2], &one, None), Status::InvalidArgument, &["row 1", "cell 2 twice"]);
    failed(run(&[0, 2, 1, 3], &[0, 1, 2], &one, None), Status::InvalidArgument, &["starts"]);
    failed(run(&[1, 2], &[0, 1], &one, None), Status::Shape, &["starts runs from 1"]);
    failed(run(&[0, 2], &[0, 4], &one, None), Status::InvalidArgument, &["4"]);
    failed(run(&[0, 2], &[-1, 1], &one, None), Status::InvalidArgument, &["-1"]);
    failed(run(&[0, 2], &[0, 1], &[1.0, NAN], None), Status::NonFinite, &["row 0", "cell 1"]);
    failed(run(&[0, 2], &[0, 1], &[0.0, 0.0], None), Status::Singular, &["row 0"]);
    failed(run(&[0, 2], &[0, 1], &one, Some(&[-1.0])), Status::Noise, &["noise_variance is -1"]);
    failed(run(&[0, 2], &[0, 1], &one, Some(&[NAN])), Status::NonFinite, &["noise_variance"]);
    failed(run(&[0], &[], &[], None), Status::InvalidArgument, &["rows is 0"]);
    let (starts, cells) = ([0i64, 1], [0i64]);
    unsafe {
        let add = |rows, s: *const i64, c: *const i64, w: *const f64| {
            pcml_constraints_add_sparse_rows(laws.0, rows, s, c, w, null())
        };
        failed(add(1, null(), cells.as_ptr(), one.as_ptr()), Status::NullArgument, &["starts"]);
        failed(add(1, starts.as_ptr(), null(), one.as_ptr()), Status::NullArgument, &["cells"]);
        failed(add(1, starts.as_ptr(), cells.as_ptr(), null()), Status::NullArgument, &["weights"]);
        failed(add(i64::MAX, starts.as_ptr(), cells.as_ptr(), one.as_ptr()), Status::TooLarge, &["starts"]);
        failed(add(-1, starts.as_ptr(), cells.as_ptr(), one.as_ptr()), Status::InvalidArgument, &["rows is -1"]);
    }
    // A good row before a bad one is not added either.
    failed(run(&[0, 1, 2], &[0, 9], &one, None), Status::InvalidArgument, &["9"]);
    assert_eq!(laws.rows(), 0);
}

#[test]
fn boundaries_are_checked() {
    let laws = Laws::new(12);
    let (x, y) = ([0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 3.0]);
    let grid = |x: &[f64], y: &[f64]| [input(x, &[x.len()]), input(y, &[y.len()])];
    let good = grid(&x, &y);
    let add = |axes: &[pcml_const_array], rank, first, sides: [i32; 2], axis, value, slope, order, noise| unsafe {
        pcml_constraints_add_boundary(
            laws.0,
            axes.as_ptr(),
            rank,
            first,
            sides.as_ptr(),
            axis,
            value,
            slope,
            order,
            noise,
        )
    };
    use Status::{InvalidArgument, Noise, NonFinite, NotSorted, Shape, Singular};
    for order in [0, 5, -3, i32::MAX] {
        failed(add(&good, 2, 0, [1, 0], 0, 1.0, 1.0, order, 0.0), InvalidArgument, &["order is", "1 to 4"]);
    }
    failed(add(&good, 2, 0, [0, 1], 1, 1.0, 1.0, 3, 0.0), Shape, &["axes[1] has 3 points", "at least 4"]);
    failed(add(&good, 2, 0, [0, 0], 0, 1.0, 0.0, 1, 0.0), InvalidArgument, &["axis is 0"]);
    failed(add(&good, 2, 0, [2, 0], 0, 1.0, 0.0, 1, 0.0), InvalidArgument, &["sides are [2, 0]"]);
    failed(add(&good, 2, 0, [1, 0], 1, 1.0, 0.0, 1, 0.0), InvalidArgument, &["axis is 1"]);
    failed(add(&good, 2, 0, [1, 0], 7, 1.0, 0.0, 1, 0.0), InvalidArgument, &["axis is 7"]);
    failed(add(&good, 2, 0, [1, 0], -1, 1.0, 0.0, 1, 0.0), InvalidArgument, &["axis is -1"]);
    failed(add(&good, 2, 0, [1, 0], 0, 0.0, 0.0, 1, 0.0), Singular, &["0"]);
    failed(add(&good, 2, 0, [1, 0], 0, NAN, 0.0, 1, 0.0), NonFinite, &["value is NaN"]);
    failed(add(&good, 2, 0, [1, 0], 0, 1.0, INF, 1, 0.0), NonFinite, &["slope is inf"]);
    failed(add(&good, 2, 1, [1, 0], 0, 1.0, 0.0, 1, 0.0), Shape, &["12 points from cell 1"]);
    failed(add(&good, 2, -1, [1, 0], 0, 1.0, 0.0, 1, 0.0), InvalidArgument, &["first is -1"]);
    failed(add(&good, 0, 0, [1, 0], 0, 1.0, 0.0, 1, 0.0), InvalidArgument, &["rank is 0"]);
    failed(add(&good, 9, 0, [1, 0], 0, 1.0, 0.0, 1, 0.0), Shape, &["rank is 9"]);
    failed(add(&good, 2, 0, [1, 0], 0, 1.0, 0.0, 1, -1.0), Noise, &["noise_variance is -1"]);
    let unsorted = grid(&[0.0, 2.0, 1.0, 3.0], &y);
    failed(add(&unsorted, 2, 0, [1, 0], 0, 1.0, 1.0, 1, 0.0), NotSorted, &["axes[0]"]);
    let nan = grid(&[0.0, NAN, 1.0, 3.0], &y);
    failed(add(&nan, 2, 0, [1, 0], 0, 1.0, 1.0, 1, 0.0), NonFinite, &["axes[0]"]);
    let shape = [4i64, 3];
    let periodic = |shape: &[i64], axis| unsafe {
        pcml_constraints_add_periodic(laws.0, shape.as_ptr(), shape.len() as i64, 0, axis, 0.0)
    };
    failed(periodic(&[12, 1], 1), InvalidArgument, &["axis is 1", "at least 2 points"]);
    failed(periodic(&shape, 2), InvalidArgument, &["axis is 2"]);
    failed(periodic(&[4, 4], 0), Shape, &["16 points"]);
    failed(periodic(&[0, 4], 0), InvalidArgument, &["shape[0] is 0"]);
    failed(periodic(&[i64::MAX, i64::MAX], 0), Shape, &["leaves the 12 cells"]);
    let stencils = |rows, width, cells: &[i64], shared| unsafe {
        pcml_constraints_add_stencils(laws.0, rows, width, cells.as_ptr(), [1.0; 4].as_ptr(), shared, 0.0)
    };
    failed(stencils(1, 0, &[0], 0), InvalidArgument, &["width is 0"]);
    failed(stencils(0, 1, &[0], 0), InvalidArgument, &["rows is 0"]);
    failed(stencils(2, 2, &[0, 1, 2, 2], 1), InvalidArgument, &["row 1", "cell 2 twice"]);
    failed(stencils(1, 2, &[0, 12], 0), InvalidArgument, &["12"]);
    failed(stencils(i64::MAX, 4, &[0], 0), Status::TooLarge, &["values"]);
    let quadrature = |axes: &[pcml_const_array], rule, first| unsafe {
        pcml_constraints_add_grid_quadrature(laws.0, rule, axes.as_ptr(), 2, first, 0.0)
    };
    failed(quadrature(&good, 0, 0), InvalidArgument, &["rule is 0"]);
    failed(quadrature(&good, 1, 1), Shape, &["12 points"]);
    failed(quadrature(&unsorted, 1, 0), NotSorted, &["axes[0]"]);
    assert_eq!(laws.rows(), 0);
    unsafe {
        failed(pcml_constraints_add_row(laws.0, &input(&[1.0; 4], &[4]), 0.0), Shape, &["weights"]);
        let mut c = null_mut();
        failed(pcml_constraints_create(0, &mut c), InvalidArgument, &["cells is 0"]);
        failed(pcml_constraints_create(-5, &mut c), InvalidArgument, &["cells is -5"]);
        assert!(c.is_null());
    }
}

#[test]
fn projectors_are_refused_where_prior_and_rows_do_not_fit() {
    let laws = two_rows();
    let size = |n: i64| move |o: *mut pcml_options| ok(unsafe { pcml_options_set_prior_size(o, n) });
    let none = |_: *mut pcml_options| ();
    let refused = |prior, set: &dyn Fn(*mut pcml_options), status, parts: &[&str]| match laws.projector(prior, set) {
        Ok(_) => panic!("prior {prior} was taken"),
        Err(found) => failed(found, status, parts),
    };
    refused(0, &none, Status::InvalidArgument, &["prior is 0"]);
    refused(10, &none, Status::InvalidArgument, &["prior is 10"]);
    for prior in [4, 5] {
        refused(prior, &size(4), Status::InvalidArgument, &["prior size is 4", "0 to 3"]);
    }
    refused(6, &none, Status::InvalidArgument, &["prior size is 0 (rank)"]);
    refused(7, &size(1), Status::InvalidArgument, &["prior size is 1 (samples)"]);
    for prior in [6, 7] {
        refused(prior, &size(i64::MAX), Status::TooLarge, &["address space"]);
    }
    let small = Laws::new(2);
    ok(small.sparse(&[0, 1], &[0], &[1.0], None));
    match small.projector(9, none) {
        Ok(_) => panic!("two cells have no second difference"),
        Err(found) => failed(found, Status::InvalidArgument, &["cells is 2"]),
    }
    let empty = Laws::new(2);
    failed(empty.projector(2, none).err().unwrap(), Status::State, &["no row"]);
    let huge = Laws::new(2);
    ok(huge.sparse(&[0, 2], &[0, 1], &[1e300, 1e300], None));
    ok(huge.sparse(&[0, 2], &[0, 1], &[1e300, -1e300], None));
    failed(huge.projector(2, none).err().unwrap(), Status::NonFinite, &["row"]);
    unsafe {
        let mut o = null_mut();
        ok(pcml_options_create(&mut o));
        for a in [-0.1, 1.0, NAN] {
            failed(pcml_options_set_smoothing(o, a), Status::InvalidArgument, &["smoothing is"]);
        }
        failed(pcml_options_set_prior_size(o, -1), Status::InvalidArgument, &["size is -1"]);
        pcml_options_free(o);
        let p = laws.projector(2, none).ok().unwrap();
        let mut w = null_mut();
        for slices in [0, -1] {
            failed(pcml_projector_workspace(p.0, slices, &mut w), Status::InvalidArgument, &["slices is"]);
        }
        failed(pcml_projector_workspace(p.0, i64::MAX, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_inference_workspace(p.0, i64::MAX, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_inference_workspace(p.0, -1, &mut w), Status::InvalidArgument, &["max_samples is -1"]);
        assert!(w.is_null());
    }
}

/// Good data of a prior over four cells, and what its options must be.
fn data(prior: i32) -> (Vec<f64>, Vec<usize>, i64) {
    match prior {
        2 | 9 => (vec![0.5; 4], vec![4], 0),
        3 => (vec![0.5], vec![1], 0),
        4 | 5 => (vec![1.0, 1.0, 1.0, 1.0, 0.3, 0.3, 0.3, 0.0], vec![2, 4], 1),
        6 => (vec![1.0, 1.0, 1.0, 1.0, 0.5, -0.5, 0.2, 0.1], vec![2, 4], 1),
        7 => {
            let x = |k: usize, i: usize| ((k * 7 + i * 3 + k * i) % 5) as f64;
            ((0..6).flat_map(|k| (0..4).map(move |i| x(k, i))).collect(), vec![6, 4], 6)
        }
        8 => ((0..16).map(|at| if at % 5 == 0 { 1.0 } else { 0.2 }).collect(), vec![4, 4], 0),
        _ => (vec![], vec![0], 0),
    }
}

#[test]
fn every_prior_refuses_bad_data() {
    let laws = two_rows();
    for prior in 1..=9 {
        let (good, shape, size) = data(prior);
        let p = laws
            .projector(prior, |o| unsafe {
                ok(pcml_options_set_prior_size(o, size));
                ok(pcml_options_set_smoothing(o, 0.5));
            })
            .ok()
            .unwrap();
        let w = Workspace::of(&p);
        let (mean, b) = ([1.0, 2.0, 3.0, 4.0], [9.0, 1.0]);
        let mut out = [[SENTINEL; 4]; 2];
        let [to, to_variance] = out.each_mut().map(|o| output(o, &[4]));
        let run = |mean: &[f64], data: *const pcml_const_array, b: &[f64]| unsafe {
            let (mean, b) = (input(mean, &[mean.len()]), input(b, &[1, b.len()]));
            pcml_projector_project(p.0, w.0, &mean, data, &b, &to, &to_variance, null_mut())
        };
        let with = |values: &[f64], shape: &[usize]| input(values, shape);
        let given = with(&good, &shape);
        let taken: *const pcml_const_array = if prior == 1 { null() } else { &given };
        failed(run(&[1.0, NAN, 3.0, 4.0], taken, &b), Status::NonFinite, &["mean: slice 0, cell 1 is NaN"]);
        failed(run(&[1.0, 2.0, 3.0, -INF], taken, &b), Status::NonFinite, &["mean: slice 0, cell 3 is -inf"]);
        failed(run(&mean, taken, &[9.0, INF]), Status::NonFinite, &["b: slice 0, row 1"]);
        failed(run(&mean[..3], taken, &b), Status::Shape, &["mean has shape [3]"]);
        failed(run(&mean, taken, &[1.0, 2.0, 3.0]), Status::Shape, &["b has shape"]);
        if prior == 1 {
            let four = [1.0; 4];
            failed(run(&mean, &with(&four, &[4]), &b), Status::InvalidArgument, &["variance is given"]);
            assert_eq!(out, [[SENTINEL; 4]; 2]);
            continue;
        }
        failed(run(&mean, null(), &b), Status::NullArgument, &["variance"]);
        failed(run(&mean, &with(&[1.0; 3], &[3]), &b), Status::Shape, &["variance has shape [3]"]);
        for bad in [NAN, INF] {
            let mut wrong = good.clone();
            wrong[0] = bad;
            failed(run(&mean, &with(&wrong, &shape), &b), Status::NonFinite, &["variance: slice 0"]);
        }
        // Not a covariance: negative or zero on the diagonal, not positive definite, not symmetric.
        if prior != 7 {
            let mut wrong = good.clone();
            wrong[0] = -1.0;
            failed(run(&mean, &with(&wrong, &shape), &b), Status::Variance, &["variance: slice 0"]);
        }
        if matches!(prior, 2 | 3 | 4 | 5 | 8 | 9) {
            let mut wrong = good.clone();
            wrong[0] = 0.0;
            failed(run(&mean, &with(&wrong, &shape), &b), Status::Variance, &["variance: slice 0"]);
        }
        if prior == 5 {
            let mut wrong = good.clone();
            wrong[4..7].fill(0.9);
            failed(run(&mean, &with(&wrong, &shape), &b), Status::Variance, &["precision is not positive definite"]);
        }
        if prior == 8 {
            let mut wrong = good.clone();
            wrong[1] = 0.5;
            failed(run(&mean, &with(&wrong, &shape), &b), Status::Variance, &["(1, 0)", "symmetric"]);
        }
        assert_eq!(out, [[SENTINEL; 4]; 2], "prior {prior}");
        ok(run(&mean, taken, &b));
        assert!((out[0].iter().sum::<f64>() - 9.0).abs() < 1e-14);
    }
}

#[test]
fn rows_that_contradict_are_named_and_dependent_ones_dropped() {
    let laws = two_rows();
    // The sum of the two rows.
    ok(laws.sparse(&[0, 4], &[0, 1, 2, 3], &[0.0, 1.0, 1.0, 3.0], None));
    let p = laws.projector(2, |_| ()).ok().unwrap();
    let w = Workspace::of(&p);
    let mut report = null_mut();
    ok(unsafe { pcml_projector_report(p.0, 1, &mut report) });
    let mut out = [SENTINEL; 4];
    let (mean, v) = (input(&[1.0, 2.0, 3.0, 4.0], &[4]), input(&[0.5; 4], &[4]));
    let to = output(&mut out, &[4]);
    let run = |b: &[f64], report| unsafe {
        pcml_projector_project(p.0, w.0, &mean, &v, &input(b, &[1, b.len()]), &to, null(), report)
    };
    failed(run(&[9.0, 1.0, 11.0], report), Status::Contradiction, &["row 2", "rows 1, 0"]);
    let mut slices = -1;
    ok(unsafe { pcml_report_slices(report, &mut slices) });
    assert_eq!((slices, out), (0, [SENTINEL; 4]));
    let other = two_rows().projector(2, |_| ()).ok().unwrap();
    let mut fewer = null_mut();
    ok(unsafe { pcml_projector_report(other.0, 1, &mut fewer) });
    failed(run(&[9.0, 1.0, 10.0], fewer), Status::Mismatch, &["report has 2 rows", "expected 3"]);
    assert_eq!(out, [SENTINEL; 4]);
    ok(run(&[9.0, 1.0, 10.0], report));
    let mut dropped = [0.0; 3];
    for (k, dropped) in dropped.iter_mut().enumerate() {
        ok(unsafe { pcml_report_value(report, 10, 0, k as i64, dropped) });
    }
    assert_eq!(dropped, [0.0, 0.0, 1.0]);
    unsafe {
        pcml_report_free(report);
        pcml_report_free(fewer);
    }
}

#[test]
fn sums_that_overflow_are_refused() {
    let laws = Laws::new(3);
    ok(laws.sparse(&[0, 3, 5], &[0, 1, 2, 0, 1], &[1e150, 1.0, 1.0, 1.0, -1.0], None));
    let p = laws.projector(2, |_| ()).ok().unwrap();
    let w = Workspace::of(&p);
    let mut out = [SENTINEL; 3];
    let to = output(&mut out, &[3]);
    let run = |mean: [f64; 3], v: [f64; 3]| unsafe {
        let (mean, v, b) = (input(&mean, &[3]), input(&v, &[3]), input(&[1.0, 0.0], &[1, 2]));
        pcml_projector_project(p.0, w.0, &mean, &v, &b, &to, null(), null_mut())
    };
    failed(run([1e200, 0.0, 0.0], [1.0; 3]), Status::NonFinite, &["mean: slice 0, row 0", "overflows"]);
    failed(run([1.0; 3], [1e308; 3]), Status::NonFinite, &["variance: slice 0"]);
    assert_eq!(out, [SENTINEL; 3]);
}

#[test]
fn workspaces_overlaps_and_budgets_are_checked() {
    let (laws, other) = (two_rows(), two_rows());
    let (p, q) = (laws.projector(2, |_| ()).ok().unwrap(), other.projector(2, |_| ()).ok().unwrap());
    let (w, foreign) = (Workspace::of(&p), Workspace::of(&q));
    let (mean, v, b) = (input(&[1.0, 2.0, 3.0, 4.0], &[4]), input(&[0.5; 4], &[4]), input(&[9.0, 1.0], &[1, 2]));
    let mut out = [SENTINEL; 4];
    let to = output(&mut out, &[4]);
    unsafe {
        let run =
            |w, mean, v, b, to, to_variance| pcml_projector_project(p.0, w, mean, v, b, to, to_variance, null_mut());
        failed(run(foreign.0, &mean, &v, &b, &to, null()), Status::Mismatch, &["pcml_projector_workspace"]);
        failed(run(null_mut(), &mean, &v, &b, &to, null()), Status::NullArgument, &["workspace"]);
        failed(run(w.0, &mean, &v, &b, &to, &to), Status::Stride, &["posterior_variance overlaps posterior_mean"]);
        let two = [[1.0; 4]; 2].concat();
        let slices = input(&two, &[2, 4]);
        failed(run(w.0, &slices, &v, &b, &to, null()), Status::InvalidArgument, &["2 slices", "at most 1"]);
        let mut shared = [1.0, 2.0, 3.0, 4.0, 5.0];
        let from = input(&shared[..4], &[4]);
        let over = output(&mut shared[1..], &[4]);
        failed(run(w.0, &from, &v, &b, &over, null()), Status::Stride, &["posterior_mean overlaps mean"]);
        failed(run(w.0, &mean, &from, &b, &over, null()), Status::Stride, &["posterior_mean overlaps variance"]);
        assert_eq!(shared, [1.0, 2.0, 3.0, 4.0, 5.0]);

        let mut sums = [SENTINEL; 2];
        let to_b = output(&mut sums, &[1, 2]);
        let budget = |rates: &pcml_const_array, dt| pcml_projector_budget(p.0, w.0, &mean, rates, dt, &to_b);
        failed(budget(&input(&[1.0; 3], &[1, 3]), 1.0), Status::Shape, &["rates has shape"]);
        failed(budget(&input(&[1.0; 2], &[1, 2]), NAN), Status::NonFinite, &["dt is NaN"]);
        failed(budget(&input(&[1.0, INF], &[1, 2]), 1.0), Status::NonFinite, &["rates[1]"]);
        failed(budget(&input(&[1e308; 2], &[1, 2]), 1e10), Status::NonFinite, &["rates: slice 0, row 0", "overflows"]);
        let mut residual = [SENTINEL; 2];
        failed(pcml_projector_residual(p.0, w.0, &mean, &v, residual.as_mut_ptr()), Status::Shape, &["b has shape"]);
        failed(pcml_projector_residual(p.0, w.0, &mean, &b, null_mut()), Status::NullArgument, &["residual"]);
        assert_eq!((sums, residual), ([SENTINEL; 2], [SENTINEL; 2]));
        let mut square = [SENTINEL; 16];
        let status = pcml_projector_covariance(p.0, w.0, &v, &output(&mut square, &[2, 8]));
        failed(status, Status::Shape, &["covariance has shape [2, 8]", "[4, 4]"]);
        assert_eq!((out, square), ([SENTINEL; 4], [SENTINEL; 16]));
    }
}

#[test]
fn inference_is_checked() {
    let laws = two_rows();
    let p = laws.projector(2, |_| ()).ok().unwrap();
    let w = Workspace::inference(&p, 2);
    let (mean, v, b) = (input(&[1.0, 2.0, 3.0, 4.0], &[4]), input(&[0.5; 4], &[4]), input(&[9.0, 1.0], &[2]));
    let mut out = [SENTINEL; 12];
    unsafe {
        let sample = |w, mean: *const pcml_const_array, b, first, out: *const pcml_array| {
            pcml_inference_sample(p.0, w, mean, &v, b, 7, first, out)
        };
        let three = output(&mut out, &[3, 4]);
        failed(sample(w.0, &mean, &b, 0, &three), Status::InvalidArgument, &["3 samples", "at most 2"]);
        failed(sample(w.0, &mean, &b, 0, &output(&mut out, &[2, 6])), Status::Shape, &["samples has shape [2, 6]"]);
        failed(sample(w.0, &mean, &b, 0, &output(&mut out, &[4])), Status::Shape, &["samples has shape [4]"]);
        let two = output(&mut out, &[2, 4]);
        failed(sample(w.0, &mean, &b, -1, &two), Status::InvalidArgument, &["first is -1"]);
        failed(sample(w.0, null(), &b, 0, &two), Status::NullArgument, &["mean"]);
        failed(sample(w.0, &mean, &b, 0, null()), Status::NullArgument, &["samples"]);
        failed(sample(w.0, &mean, &input(&[9.0, NAN], &[2]), 0, &two), Status::NonFinite, &["b"]);
        failed(sample(w.0, &input(&[1.0, NAN, 1.0, 1.0], &[4]), &b, 0, &two), Status::NonFinite, &["cell 1"]);
        let plain = Workspace::of(&p);
        failed(sample(plain.0, &mean, &b, 0, &two), Status::Mismatch, &["pcml_inference_workspace"]);

        let mut value = SENTINEL;
        let likelihood = |v: *const pcml_const_array, out| pcml_inference_log_likelihood(p.0, w.0, &mean, v, &b, out);
        failed(likelihood(&v, null_mut()), Status::NullArgument, &["log_likelihood"]);
        failed(likelihood(null(), &mut value), Status::NullArgument, &["variance"]);
        failed(likelihood(&input(&[0.5, 0.0, 1.0, 1.0], &[4]), &mut value), Status::Variance, &["cell 1"]);
        assert_eq!(value, SENTINEL);

        let block = output(&mut out, &[2, 1]);
        let cells = [0i64, 3];
        let covariance = |rows: &[i64], count, columns: *const i64, out| {
            pcml_inference_covariance(p.0, w.0, &v, rows.as_ptr(), count, columns, 1, out)
        };
        failed(covariance(&[0, 4], 2, cells.as_ptr(), &block), Status::InvalidArgument, &["cell is 4"]);
        failed(covariance(&[0, -1], 2, cells.as_ptr(), &block), Status::InvalidArgument, &["rows is -1"]);
        failed(covariance(&cells, 0, cells.as_ptr(), &block), Status::InvalidArgument, &["rows is 0"]);
        failed(covariance(&cells, 2, null(), &block), Status::NullArgument, &["columns"]);
        failed(covariance(&cells, 1, cells.as_ptr(), &block), Status::Shape, &["covariance has shape [2, 1]"]);

        let to = output(&mut out, &[4]);
        let jvp = |p: &Handle, w: &Workspace, v: *const pcml_const_array, dv: *const pcml_const_array, db| {
            pcml_inference_jvp(p.0, w.0, &mean, v, &b, &mean, dv, db, &to)
        };
        failed(jvp(&p, &w, &v, &b, null()), Status::Shape, &["tangent of the variance"]);
        failed(jvp(&p, &w, &v, null(), &mean), Status::Shape, &["tangent of b"]);
        failed(jvp(&p, &w, &v, &input(&[1.0, NAN, 1.0, 1.0], &[4]), null()), Status::NonFinite, &["variance[1]"]);
        let identity = laws.projector(1, |_| ()).ok().unwrap();
        let own = Workspace::inference(&identity, 0);
        failed(jvp(&identity, &own, null(), &v, null()), Status::InvalidArgument, &["Identity"]);
        let vjp = |to: *const pcml_array| pcml_inference_vjp(p.0, w.0, &mean, &v, &b, &mean, to, null(), null());
        failed(vjp(null()), Status::InvalidArgument, &["no gradient"]);
        failed(vjp(&block), Status::Shape, &["tangent of the mean"]);
        assert_eq!(out, [SENTINEL; 12]);

        let mut shared = [1.0, 2.0, 3.0, 4.0, 5.0];
        let from = input(&shared[..4], &[4]);
        let over = output(&mut shared[1..], &[1, 4]);
        failed(sample(w.0, &from, &b, 0, &over), Status::Stride, &["samples overlaps mean"]);
        assert_eq!(shared, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
