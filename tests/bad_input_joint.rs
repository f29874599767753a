//! Bad calls of many rows, boundary rows, priors and inference at the C border: a status, a text that names the culprit, outputs
//! untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use pcml::capi::*;
use pcml::error::Status;

const N: usize = 6;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const SAMPLES: usize = 2;

/// A projector with all that its calls need.
struct Handles {
    projector: *mut pcml_projector,
    workspace: *mut pcml_workspace,
    inference: *mut pcml_workspace,
    report: *mut pcml_report,
}

impl Drop for Handles {
    fn drop(&mut self) {
        unsafe {
            pcml_report_free(self.report);
            pcml_workspace_free(self.workspace);
            pcml_workspace_free(self.inference);
            pcml_projector_free(self.projector);
        }
    }
}

fn constraints(build: impl Fn(*mut pcml_constraints)) -> *mut pcml_constraints {
    let mut c = null_mut();
    ok(unsafe { pcml_constraints_create(N as i64, &mut c) });
    build(c);
    c
}

fn create(
    prior: i32,
    size: Option<i64>,
    smoothing: Option<f64>,
    build: impl Fn(*mut pcml_constraints),
) -> (i32, *mut pcml_projector) {
    let (mut o, mut p) = (null_mut(), null_mut());
    unsafe {
        let c = constraints(build);
        ok(pcml_options_create(&mut o));
        if let Some(size) = size {
            ok(pcml_options_set_prior_size(o, size));
        }
        if let Some(smoothing) = smoothing {
            ok(pcml_options_set_smoothing(o, smoothing));
        }
        let status = pcml_projector_create(c, prior, o, &mut p);
        pcml_options_free(o);
        pcml_constraints_free(c);
        (status, p)
    }
}

fn handles(prior: i32, size: i64, build: impl Fn(*mut pcml_constraints)) -> Handles {
    let (status, projector) = create(prior, Some(size), Some(0.9), build);
    ok(status);
    let (mut workspace, mut inference, mut report) = (null_mut(), null_mut(), null_mut());
    unsafe {
        ok(pcml_projector_workspace(projector, 1, &mut workspace));
        ok(pcml_inference_workspace(projector, SAMPLES as i64, &mut inference));
        ok(pcml_projector_report(projector, 1, &mut report));
    }
    Handles { projector, workspace, inference, report }
}

unsafe fn add(c: *mut pcml_constraints, cells: &[i64], weights: &[f64], noise: f64) {
    let starts = [0, cells.len() as i64];
    ok(unsafe { pcml_constraints_add_sparse_rows(c, 1, starts.as_ptr(), cells.as_ptr(), weights.as_ptr(), &noise) });
}

/// Two exact rows and a noisy one.
fn three_rows(c: *mut pcml_constraints) {
    unsafe {
        ok(pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0));
        add(c, &[4, 1], &[-1.0, 1.0], 0.0);
        add(c, &[5, 0], &[1.0, 2.0], 0.1);
    }
}

/// Size, data and their shape.
fn data_of(prior: i32) -> (i64, Vec<f64>, Vec<usize>) {
    let lines =
        |first: f64, rest: f64, count: usize| (0..count * N).map(|k| if k < N { first } else { rest }).collect();
    match prior {
        1 => (0, vec![], vec![]),
        2 | 9 => (0, vec![1.0, 0.5, 2.0, 1.0, 0.25, 1.0], vec![N]),
        3 => (0, vec![0.5], vec![1]),
        4 | 5 => (1, lines(2.0, 0.3, 2), vec![2, N]),
        6 => (2, lines(1.0, 0.4, 3), vec![3, N]),
        7 => (4, (0..4 * N).map(|k| ((k * k * 7 + 3) % 11) as f64).collect(), vec![4, N]),
        _ => (0, (0..N * N).map(|k| if k / N == k % N { 2.0 } else { 0.1 }).collect(), vec![N, N]),
    }
}

/// One slice's arrays; each test spoils one.
#[derive(Clone)]
struct Call {
    mean: Vec<f64>,
    data: Vec<f64>,
    shape: Vec<usize>,
    b: Vec<f64>,
}

/// The C functions that read a prior.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Project,
    Covariance,
    Sample,
    LogLikelihood,
    Block,
    Jvp,
    Vjp,
}

const ALL: [What; 7] =
    [What::Project, What::Covariance, What::Sample, What::LogLikelihood, What::Block, What::Jvp, What::Vjp];
/// Those that read the mean and b too.
const MEAN: [What; 5] = [What::Project, What::Sample, What::LogLikelihood, What::Jvp, What::Vjp];

impl Call {
    fn new(prior: i32) -> Call {
        let (_, data, shape) = data_of(prior);
        Call { mean: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], data, shape, b: vec![20.0, 0.5, 1.0] }
    }

    /// The status, and whether outputs and report changed.
    fn run(&self, h: &Handles, what: What) -> (i32, bool) {
        let (mean, b) = (input(&self.mean, &[self.mean.len()]), input(&self.b, &[self.b.len()]));
        let data = (!self.shape.is_empty()).then(|| input(&self.data, &self.shape));
        let data = data.as_ref().map_or(null(), |data| &raw const *data);
        let mut out = [[SENTINEL; N * N]; 2];
        let [first, second] = &mut out;
        let (p, i) = (h.projector, h.inference);
        let ones = [1.0; N];
        let ones = input(&ones, &[N]);
        let status = unsafe {
            match what {
                What::Project => {
                    let (u, v) = (output(first, &[N]), output(second, &[N]));
                    pcml_projector_project(p, h.workspace, &mean, data, &b, &u, &v, h.report)
                }
                What::Covariance => pcml_projector_covariance(p, h.workspace, data, &output(first, &[N, N])),
                What::Sample => pcml_inference_sample(p, i, &mean, data, &b, 3, 0, &output(first, &[SAMPLES, N])),
                What::LogLikelihood => pcml_inference_log_likelihood(p, i, &mean, data, &b, &mut first[0]),
                What::Block => {
                    let (rows, columns) = ([0, 4], [1, 2, 4]);
                    let to = output(first, &[2, 3]);
                    pcml_inference_covariance(p, i, data, rows.as_ptr(), 2, columns.as_ptr(), 3, &to)
                }
                What::Jvp => pcml_inference_jvp(p, i, &mean, data, &b, &ones, null(), null(), &output(first, &[N])),
                What::Vjp => {
                    let (of_mean, of_b) = (output(first, &[N]), output(second, &[3]));
                    pcml_inference_vjp(p, i, &mean, data, &b, &ones, &of_mean, null(), &of_b)
                }
            }
        };
        let mut slices = -1;
        ok(unsafe { pcml_report_slices(h.report, &mut slices) });
        (status, slices != 0 || out.iter().flatten().any(|x| x.to_bits() != SENTINEL.to_bits()))
    }

    #[track_caller]
    fn refused(&self, h: &Handles, calls: &[What], status: Status, parts: &[&str]) {
        for &what in calls {
            let (found, changed) = self.run(h, what);
            assert_eq!(found, status as i32, "{what:?}, expected {status:?} {parts:?}: {}", message());
            failed(found, status, parts);
            assert!(!changed, "{what:?} changed an output: {parts:?}");
        }
    }
}

fn spoiled(prior: i32, change: impl Fn(&mut Call)) -> Call {
    let mut call = Call::new(prior);
    change(&mut call);
    call
}

#[test]
fn good_calls_succeed_in_every_prior() {
    for prior in 1..=9 {
        let h = handles(prior, data_of(prior).0, three_rows);
        for what in ALL {
            let (status, changed) = Call::new(prior).run(&h, what);
            assert!(status == 0 && changed, "{prior} {what:?}: {}", message());
        }
    }
}

#[test]
fn means_and_right_hand_sides_are_checked() {
    for prior in 1..=9 {
        let h = handles(prior, data_of(prior).0, three_rows);
        for x in [NAN, INF, -INF] {
            spoiled(prior, |c| c.mean[4] = x).refused(&h, &MEAN, Status::NonFinite, &["mean: slice 0, cell 4"]);
            spoiled(prior, |c| c.b[1] = x).refused(&h, &MEAN, Status::NonFinite, &["b: slice 0, row 1"]);
        }
        spoiled(prior, |c| c.mean.truncate(5)).refused(&h, &MEAN, Status::Shape, &["mean has shape [5]"]);
        spoiled(prior, |c| c.b.truncate(2)).refused(&h, &MEAN, Status::Shape, &["b has shape [2]"]);
    }
}

#[test]
fn data_are_checked_in_every_prior() {
    for prior in 2..=9 {
        let (size, data, shape) = data_of(prior);
        let h = handles(prior, size, three_rows);
        for x in [NAN, INF, -INF] {
            for at in 0..data.len() {
                if matches!(prior, 4 | 5) && at == 2 * N - 1 {
                    continue;
                }
                let call = spoiled(prior, |c| c.data[at] = x);
                call.refused(&h, &ALL, Status::NonFinite, &["variance", "slice 0"]);
            }
        }
        // One value too many or too few, and none.
        let mut wrong = spoiled(prior, |c| c.data.push(1.0));
        wrong.shape = vec![wrong.data.len()];
        wrong.refused(&h, &ALL, Status::Shape, &["variance has shape"]);
        if prior != 3 {
            wrong.shape = vec![data.len() - 1];
            wrong.refused(&h, &ALL, Status::Shape, &["variance has shape"]);
        }
        wrong.data = [data.clone(), data].concat();
        wrong.shape = [vec![2], shape].concat();
        wrong.refused(&h, &ALL, Status::Shape, &["variance has shape"]);
        wrong.shape = vec![];
        wrong.refused(&h, &ALL, Status::NullArgument, &["variance"]);
    }
    let h = handles(1, 0, three_rows);
    spoiled(1, |c| (c.data, c.shape) = (vec![1.0; N], vec![N])).refused(
        &h,
        &ALL,
        Status::InvalidArgument,
        &["variance"],
    );
    let h = handles(4, 1, three_rows);
    let unread = spoiled(4, |c| c.data[2 * N - 1] = NAN);
    assert_eq!(unread.run(&h, What::Project).0, 0);
}

#[test]
fn variances_are_checked() {
    for prior in [2, 3, 9] {
        let h = handles(prior, 0, three_rows);
        for x in [0.0, -0.0, -1.0, -1e-300] {
            let (at, cell) = if prior == 3 { (0, "cell 0") } else { (3, "cell 3") };
            let call = spoiled(prior, |c| c.data[at] = x);
            call.refused(&h, &ALL, Status::Variance, &["variance: slice 0", cell]);
        }
    }
    // The diagonal of a band and of a dense matrix, the own part of a low-rank one, a precision.
    for (prior, at, cell) in [(4, 2, "cell 2"), (5, 2, "cell 2"), (6, 2, "cell 2"), (8, 2 * N + 2, "cell 2")] {
        let h = handles(prior, data_of(prior).0, three_rows);
        for x in [0.0, -1.0] {
            if prior == 6 && x == 0.0 {
                continue;
            }
            let call = spoiled(prior, |c| c.data[at] = x);
            call.refused(&h, &ALL, Status::Variance, &["variance: slice 0", cell]);
        }
    }
    let h = handles(8, 0, three_rows);
    spoiled(8, |c| c.data[N] = 0.2).refused(&h, &ALL, Status::Variance, &["(1, 0)", "(0, 1)", "symmetric"]);
    // Variances of 1, correlations of 3.
    let h = handles(5, 1, three_rows);
    spoiled(5, |c| c.data[N..].fill(3.0)).refused(&h, &ALL, Status::Variance, &["not positive definite at cell 1"]);
    for prior in [4, 8] {
        let h = handles(prior, data_of(prior).0, three_rows);
        let call = match prior {
            4 => spoiled(4, |c| c.data[N..].fill(3.0)),
            _ => {
                spoiled(8, |c| c.data.iter_mut().enumerate().for_each(|(k, x)| *x = if k % 7 == 0 { 1.0 } else { 3.0 }))
            }
        };
        call.refused(&h, &[What::Sample], Status::Variance, &["not positive definite at cell 1"]);
    }
}

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

#[test]
fn priors_and_their_sizes_are_checked() {
    let refused = |prior, size, smoothing, status: Status, parts: &[&str]| {
        let (found, p) = create(prior, size, smoothing, three_rows);
        failed(found, status, parts);
        assert!(p.is_null());
    };
    for prior in [0, 10, -1, i32::MIN, i32::MAX] {
        refused(prior, None, None, Status::InvalidArgument, &[&format!("prior is {prior}")]);
    }
    for prior in [4, 5] {
        refused(prior, Some(6), None, Status::InvalidArgument, &["prior size is 6", "band", "0 to 5"]);
        refused(prior, Some(i64::MAX), None, Status::InvalidArgument, &["prior size"]);
    }
    for size in [None, Some(0)] {
        refused(6, size, None, Status::InvalidArgument, &["prior size is 0", "rank"]);
        refused(7, size, None, Status::InvalidArgument, &["prior size is 0", "samples"]);
    }
    refused(7, Some(1), None, Status::InvalidArgument, &["prior size is 1", "samples"]);
    refused(6, Some(i64::MAX), None, Status::TooLarge, &["prior"]);
    refused(7, Some(i64::MAX), None, Status::TooLarge, &["prior"]);
    let mut o = null_mut();
    unsafe {
        ok(pcml_options_create(&mut o));
        failed(pcml_options_set_prior_size(o, -1), Status::InvalidArgument, &["size is -1"]);
        failed(pcml_options_set_prior_size(null_mut(), 1), Status::NullArgument, &["options"]);
        for a in [-0.1, 1.0, NAN, INF, -INF] {
            failed(pcml_options_set_smoothing(o, a), Status::InvalidArgument, &["smoothing is"]);
        }
        failed(pcml_options_set_smoothing(null_mut(), 0.5), Status::NullArgument, &["options"]);
        pcml_options_free(o);
    }
    // Unset: 0. A size that a prior does not read is none of its business.
    for (prior, size) in [(9, None), (2, Some(i64::MAX)), (9, Some(i64::MAX)), (8, Some(i64::MAX)), (4, None)] {
        let (status, p) = create(prior, size, None, three_rows);
        ok(status);
        let mut w = null_mut();
        unsafe {
            ok(pcml_projector_workspace(p, 1, &mut w));
            pcml_workspace_free(w);
            ok(pcml_inference_workspace(p, 1, &mut w));
            pcml_workspace_free(w);
            pcml_projector_free(p);
        }
    }
    // Second differences need three cells.
    let (mut c, mut p) = (null_mut(), null_mut());
    unsafe {
        ok(pcml_constraints_create(2, &mut c));
        ok(pcml_constraints_add_row(c, &input(&[1.0; 2], &[2]), 0.0));
        failed(pcml_projector_create(c, 9, null(), &mut p), Status::InvalidArgument, &["cells is 2"]);
        pcml_constraints_free(c);
    }
    assert!(p.is_null());
}

#[test]
fn workspaces_and_reports_are_checked() {
    let h = handles(2, 0, three_rows);
    let other = handles(2, 0, |c| ok(unsafe { pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0) }));
    let call = Call::new(2);
    let mixed = |workspace, inference, report| Handles { projector: h.projector, workspace, inference, report };
    let check = |m: Handles, status: Status, parts: &[&str]| {
        call.refused(&m, &ALL, status, parts);
        std::mem::forget(m);
    };
    check(mixed(null_mut(), null_mut(), h.report), Status::NullArgument, &["workspace"]);
    check(mixed(other.workspace, other.inference, h.report), Status::Mismatch, &["workspace"]);
    check(mixed(h.inference, h.workspace, h.report), Status::Mismatch, &["workspace"]);
    let m = mixed(h.workspace, h.inference, other.report);
    call.refused(&m, &[What::Project], Status::Mismatch, &["report has 1 rows a slice, expected 3"]);
    std::mem::forget(m);

    let mut w = null_mut();
    unsafe {
        let p = h.projector;
        failed(pcml_projector_workspace(p, 0, &mut w), Status::InvalidArgument, &["slices is 0"]);
        failed(pcml_projector_workspace(p, i64::MAX, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_projector_workspace(p, i64::MAX / 16, &mut w), Status::OutOfMemory, &["workspace"]);
        failed(pcml_inference_workspace(p, -1, &mut w), Status::InvalidArgument, &["max_samples is -1"]);
        failed(pcml_inference_workspace(p, i64::MAX, &mut w), Status::OutOfMemory, &["inference workspace"]);
        failed(pcml_inference_workspace(p, i64::MAX / 16, &mut w), Status::OutOfMemory, &["inference workspace"]);
        failed(pcml_inference_workspace(null(), 1, &mut w), Status::NullArgument, &["projector"]);
        failed(pcml_inference_workspace(p, 1, null_mut()), Status::NullArgument, &["workspace"]);
        assert!(w.is_null());
        let mut r = null_mut();
        for slices in [i64::MAX, i64::MAX / 16] {
            let status = pcml_projector_report(p, slices, &mut r);
            assert!([Status::TooLarge as i32, Status::OutOfMemory as i32].contains(&status), "{}", message());
        }
        failed(pcml_projector_report(p, 0, &mut r), Status::InvalidArgument, &["slices is 0"]);
        assert!(r.is_null());

        // States of an absurd size: rows fit, what needs a value a cell does not.
        let mut c = null_mut();
        ok(pcml_constraints_create(i64::MAX, &mut c));
        failed(pcml_constraints_add_row(c, &input(&[1.0; N], &[N]), 0.0), Status::Shape, &["weights"]);
        let status = pcml_constraints_add_stencils(c, 1, 1, &0, &1.0, 0, 0.0);
        failed(status, Status::TooLarge, &["9223372036854775807"]);
        pcml_constraints_free(c);
        ok(pcml_constraints_create(u32::MAX as i64, &mut c));
        ok(pcml_constraints_add_stencils(c, 1, 1, &0, &1.0, 0, 0.0));
        let mut p = null_mut();
        failed(pcml_projector_create(c, 8, null(), &mut p), Status::TooLarge, &["prior"]);
        assert!(p.is_null());
        pcml_constraints_free(c);
    }
}

#[test]
fn inference_arguments_are_checked() {
    let h = handles(2, 0, three_rows);
    let call = Call::new(2);
    let (mean, b) = (input(&call.mean, &[N]), input(&call.b, &[3]));
    let v = input(&call.data, &[N]);
    let (p, w) = (h.projector, h.inference);
    let mut out = [SENTINEL; 64];
    let mut second = [SENTINEL; 64];
    use Status::*;
    unsafe {
        let sample = |first, to: *const pcml_array| pcml_inference_sample(p, w, &mean, &v, &b, 1, first, to);
        let full = output(&mut out, &[SAMPLES, N]);
        failed(sample(0, &output(&mut out, &[3, N])), InvalidArgument, &["samples has 3", "at most 2"]);
        failed(sample(0, &output(&mut out, &[N])), Shape, &["samples has shape [6]"]);
        failed(sample(0, &output(&mut out, &[2, 5])), Shape, &["samples has shape [2, 5]"]);
        failed(sample(0, &output(&mut out, &[N, 2])), Shape, &["samples has shape [6, 2]"]);
        failed(sample(-1, &full), InvalidArgument, &["first is -1"]);
        failed(sample(i64::MIN, &full), InvalidArgument, &["first"]);
        failed(sample(0, null()), NullArgument, &["samples"]);
        failed(pcml_inference_sample(p, w, null(), &v, &b, 1, 0, &full), NullArgument, &["mean"]);
        failed(pcml_inference_sample(p, w, &mean, &v, null(), 1, 0, &full), NullArgument, &["b is NULL"]);
        let value = &mut out[0] as *mut f64;
        failed(pcml_inference_log_likelihood(p, w, &mean, &v, &b, null_mut()), NullArgument, &["log_likelihood"]);
        failed(pcml_inference_log_likelihood(p, w, null(), &v, &b, value), NullArgument, &["mean"]);

        let block = |rows: *const i64, n, columns: *const i64, m, to: *const pcml_array| {
            pcml_inference_covariance(p, w, &v, rows, n, columns, m, to)
        };
        let (one, two) = ([0, 5], [1, 6, 2]);
        let (r, c) = (one.as_ptr(), one.as_ptr());
        let to = output(&mut out, &[2, 2]);
        failed(block(two.as_ptr(), 3, c, 2, &output(&mut out, &[3, 2])), InvalidArgument, &["rows[1] is 6", "0 to 5"]);
        failed(block(r, 2, two.as_ptr(), 3, &output(&mut out, &[2, 3])), InvalidArgument, &["columns[1] is 6"]);
        failed(block([0, -1].as_ptr(), 2, c, 2, &to), InvalidArgument, &["rows[1] is -1"]);
        failed(block(r, 2, [i64::MAX, 0].as_ptr(), 2, &to), InvalidArgument, &["columns[0] is"]);
        failed(block(r, 0, c, 2, &to), InvalidArgument, &["row_count is 0"]);
        failed(block(r, 2, c, -2, &to), InvalidArgument, &["column_count is -2"]);
        failed(block(r, i64::MAX, c, 2, &to), TooLarge, &["rows"]);
        failed(block(null(), 2, c, 2, &to), NullArgument, &["rows"]);
        failed(block(r, 2, null(), 2, &to), NullArgument, &["columns"]);
        failed(block(r, 2, c, 2, null()), NullArgument, &["covariance"]);
        failed(block(r, 2, c, 2, &output(&mut out, &[4])), Shape, &["covariance has shape [4]", "[2, 2]"]);
        failed(block(r, 2, c, 2, &output(&mut out, &[2, 3])), Shape, &["covariance has shape [2, 3]"]);
        let status = pcml_projector_covariance(p, h.workspace, &v, &output(&mut out, &[N, 5]));
        failed(status, Shape, &["covariance has shape [6, 5]"]);

        let none = null::<pcml_const_array>();
        let jvp = |du: *const pcml_const_array, dv: *const pcml_const_array, db: *const pcml_const_array, to| {
            pcml_inference_jvp(p, w, &mean, &v, &b, du, dv, db, to)
        };
        let field = output(&mut out, &[N]);
        failed(jvp(&mean, none, none, null()), NullArgument, &["tangent"]);
        failed(jvp(&b, none, none, &field), Shape, &["tangent of the mean"]);
        failed(jvp(none, &b, none, &field), Shape, &["tangent of the variance"]);
        failed(jvp(none, none, &mean, &field), Shape, &["tangent of b"]);
        failed(jvp(none, none, none, &output(&mut out, &[5])), Shape, &["tangent has shape [5]"]);
        let bad = [1.0, 1.0, NAN, 1.0, 1.0, 1.0];
        let bad = input(&bad, &[N]);
        failed(jvp(&bad, none, none, &field), NonFinite, &["tangent of the mean[2]"]);
        failed(jvp(none, &bad, none, &field), NonFinite, &["tangent of the variance[2]"]);
        failed(jvp(none, none, &input(&[1.0, INF, 1.0], &[3]), &field), NonFinite, &["tangent of b[1]"]);

        let no = null::<pcml_array>();
        let vjp = |cotangent: *const pcml_const_array, u, dv, db| {
            pcml_inference_vjp(p, w, &mean, &v, &b, cotangent, u, dv, db)
        };
        let rows = output(&mut second, &[3]);
        failed(vjp(&mean, no, no, no), InvalidArgument, &["no gradient"]);
        failed(vjp(none, &field, no, no), NullArgument, &["cotangent"]);
        failed(vjp(&b, &field, no, no), Shape, &["cotangent has shape [3]"]);
        failed(vjp(&bad, &field, no, &rows), NonFinite, &["cotangent[2]"]);
        failed(vjp(&mean, &rows, no, no), Shape, &["gradient of the mean"]);
        failed(vjp(&mean, no, &rows, no), Shape, &["gradient of the variance"]);
        failed(vjp(&mean, no, no, &field), Shape, &["gradient of b"]);
        failed(vjp(&mean, &field, &field, no), Stride, &["gradient of the mean overlaps gradient of the variance"]);
        assert!(out.iter().chain(&second).all(|x| x.to_bits() == SENTINEL.to_bits()));

        // Variances of their own have the diagonal and the scalar prior only.
        for prior in [1, 4, 5, 6, 7, 8, 9] {
            let h = handles(prior, data_of(prior).0, three_rows);
            let (_, values, shape) = data_of(prior);
            let v = (prior > 1).then(|| input(&values, &shape));
            let v = v.as_ref().map_or(null(), |v| &raw const *v);
            let (p, w) = (h.projector, h.inference);
            let status = pcml_inference_jvp(p, w, &mean, v, &b, none, &mean, none, &field);
            failed(status, InvalidArgument, &["tangent of the variance", "no variances of its own"]);
            let status = pcml_inference_vjp(p, w, &mean, v, &b, &mean, no, &field, no);
            failed(status, InvalidArgument, &["gradient of the variance", "no variances of its own"]);
        }
        assert!(out.iter().chain(&second).all(|x| x.to_bits() == SENTINEL.to_bits()));
    }
}

#[test]
fn budgets_residuals_and_checks_are_checked() {
    let h = handles(2, 0, three_rows);
    let (p, w) = (h.projector, h.workspace);
    let u = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let field = input(&u, &[N]);
    let mut out = [SENTINEL; 3];
    let to = output(&mut out, &[3]);
    use Status::*;
    unsafe {
        let budget = |u: &pcml_const_array, rates: &[f64], shape: &[usize], dt| {
            pcml_projector_budget(p, w, u, &input(rates, shape), dt, &to)
        };
        let rates = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        failed(budget(&field, &rates[..4], &[4], 1.0), Shape, &["rates has shape [4]"]);
        failed(budget(&field, &rates[..2], &[2], 1.0), Shape, &["rates has shape [2]"]);
        failed(budget(&field, &rates, &[2, 3], 1.0), Shape, &["rates has shape [2, 3]", "[1, 3, terms]"]);
        for dt in [NAN, INF] {
            failed(budget(&field, &rates, &[1, 3, 2], dt), NonFinite, &["dt is"]);
        }
        failed(budget(&field, &[1.0, NAN, 1.0], &[3], 1.0), NonFinite, &["rates[1] is NaN"]);
        failed(budget(&field, &[1.0, 1e300, 1.0], &[3], 1e300), NonFinite, &["rates: slice 0, row 1"]);
        let sum = [1.7e308, 1.7e308, 1.0, 1.0, 1.0, 1.0];
        failed(budget(&field, &sum, &[1, 3, 2], 1.0), NonFinite, &["rates: slice 0, row 0"]);
        let bad = [1.0, 2.0, 3.0, 4.0, INF, 6.0];
        failed(budget(&input(&bad, &[N]), &rates, &[1, 3, 2], 1.0), NonFinite, &["previous: slice 0, cell 4"]);
        let big = [1.7e308; N];
        failed(budget(&input(&big, &[N]), &rates, &[1, 3, 2], 1.0), NonFinite, &["previous: slice 0, row", "overflow"]);
        failed(budget(&input(&u, &[5]), &rates, &[1, 3, 2], 1.0), Shape, &["previous has shape [5]"]);
        let two = input(&[1.0; 12], &[2, N]);
        failed(budget(&two, &rates, &[2, 3], 1.0), InvalidArgument, &["previous has 2 slices"]);
        let three = input(&rates, &[3]);
        let status = pcml_projector_budget(p, w, &field, &three, 1.0, &output(&mut [SENTINEL; 2], &[2]));
        failed(status, Shape, &["b has shape [2]"]);
        failed(pcml_projector_budget(p, w, null(), &three, 1.0, &to), NullArgument, &["previous"]);
        failed(pcml_projector_budget(p, w, &field, null(), 1.0, &to), NullArgument, &["rates"]);
        failed(pcml_projector_budget(p, w, &field, &three, 1.0, null()), NullArgument, &["b is NULL"]);
        failed(pcml_projector_budget(p, null_mut(), &field, &three, 1.0, &to), NullArgument, &["workspace"]);

        let residual =
            |u: &pcml_const_array, b: &[f64], to| pcml_projector_residual(p, w, u, &input(b, &[b.len()]), to);
        let place = to.data.cast::<f64>();
        failed(residual(&field, &[1.0; 2], place), Shape, &["b has shape [2]"]);
        failed(residual(&field, &[1.0, NAN, 1.0], place), NonFinite, &["b: slice 0, row 1"]);
        failed(residual(&input(&bad, &[N]), &[1.0; 3], place), NonFinite, &["mean: slice 0, cell 4"]);
        failed(residual(&input(&big, &[N]), &[1.0; 3], place), NonFinite, &["mean: slice 0, row", "overflow"]);
        failed(residual(&field, &[1.0; 3], null_mut()), NullArgument, &["residual"]);
        let check = |u: &pcml_const_array, b: &[f64], r| pcml_projector_check(p, w, u, &input(b, &[b.len()]), r);
        failed(check(&field, &[1.0; 2], h.report), Shape, &["b has shape [2]"]);
        failed(check(&field, &[1.0, 1.0, INF], h.report), NonFinite, &["b: slice 0, row 2"]);
        failed(check(&input(&bad, &[N]), &[1.0; 3], h.report), NonFinite, &["mean: slice 0, cell 4"]);
        failed(check(&field, &[1.0; 3], null_mut()), NullArgument, &["report"]);
        let mut slices = -1;
        ok(pcml_report_slices(h.report, &mut slices));
        assert_eq!((slices, out), (0, [SENTINEL; 3]));
    }
}

#[test]
fn outputs_that_overlap_inputs_are_refused() {
    let h = handles(2, 0, three_rows);
    let (p, w, i) = (h.projector, h.workspace, h.inference);
    let call = Call::new(2);
    let mut shared: Vec<f64> = (0..48).map(|k| 1.0 + f64::from(k) * 0.25).collect();
    let before = shared.clone();
    let mut out = [SENTINEL; 2 * N];
    let (mean, v, b) = (input(&call.mean, &[N]), input(&call.data, &[N]), input(&call.b, &[3]));
    let (from, from_b) = (input(&shared[..N], &[N]), input(&shared[..3], &[3]));
    let over = output(&mut shared[1..], &[N]);
    let matrix = output(&mut shared[1..], &[N, N]);
    let samples = output(&mut shared[1..], &[SAMPLES, N]);
    let (over_b, apart) = (output(&mut shared[1..], &[3]), output(&mut out, &[N]));
    let (none, no) = (null::<pcml_const_array>(), null::<pcml_array>());
    let refused = |status: i32, parts: &[&str]| failed(status, Status::Stride, parts);
    unsafe {
        for (mean, v, b, name) in [(&from, &v, &b, "mean"), (&mean, &from, &b, "variance"), (&mean, &v, &from_b, "b")] {
            let name = format!("overlaps {name}");
            let status = pcml_projector_project(p, w, mean, v, b, &over, no, h.report);
            refused(status, &["posterior_mean", &name]);
            let status = pcml_projector_project(p, w, mean, v, b, &apart, &over, h.report);
            refused(status, &["posterior_variance", &name]);
            refused(pcml_inference_sample(p, i, mean, v, b, 1, 0, &samples), &["samples", &name]);
            refused(pcml_inference_jvp(p, i, mean, v, b, none, none, none, &over), &["tangent overlaps"]);
            let status = pcml_inference_vjp(p, i, mean, v, b, &mean.clone(), no, no, &over_b);
            refused(status, &["gradient of b overlaps"]);
        }
        refused(pcml_projector_project(p, w, &mean, &v, &b, &over, &over, h.report), &["posterior_variance overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, &from, none, none, &over), &["tangent overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, none, &from, none, &over), &["tangent overlaps"]);
        refused(pcml_inference_jvp(p, i, &mean, &v, &b, none, none, &from_b, &over), &["tangent overlaps"]);
        refused(pcml_inference_vjp(p, i, &mean, &v, &b, &from, &over, no, no), &["gradient of the mean overlaps"]);
        let cells = [0, 1, 2, 3, 4, 5];
        let c = cells.as_ptr();
        refused(pcml_inference_covariance(p, i, &from, c, 6, c, 6, &matrix), &["covariance overlaps variance"]);
        refused(pcml_projector_covariance(p, w, &from, &matrix), &["covariance overlaps variance"]);
        let residual = over_b.data.cast::<f64>();
        refused(pcml_projector_residual(p, w, &from, &b, residual), &["residual overlaps mean"]);
        refused(pcml_projector_residual(p, w, &mean, &from_b, residual), &["residual overlaps b"]);
        refused(pcml_projector_budget(p, w, &from, &b, 1.0, &over_b), &["b overlaps previous"]);
        refused(pcml_projector_budget(p, w, &mean, &from_b, 1.0, &over_b), &["b overlaps rates"]);
    }
    assert_eq!((shared, out), (before, [SENTINEL; 2 * N]));
}

/// A C-ordered f32 array to write.
fn output32(data: &mut [f32], shape: &[usize]) -> pcml_array {
    let mut a = output(&mut [], shape);
    (a.data, a.dtype) = (data.as_mut_ptr().cast(), 1);
    a
}

#[test]
fn sums_that_overflow_are_refused() {
    for prior in 1..=9 {
        let (size, ..) = data_of(prior);
        let h = handles(prior, size, |c| unsafe {
            add(c, &[4, 1], &[1.0, 1.0], 0.0);
            add(c, &[5, 2], &[1e150, 1e150], 0.0);
            add(c, &[0], &[1.0], 0.0);
        });
        let call = spoiled(prior, |c| c.mean = vec![1e300; N]);
        call.refused(&h, &MEAN, Status::NonFinite, &["slice 0", "overflow"]);
        let (status, p) = create(prior, Some(size), Some(0.9), |c| unsafe {
            add(c, &[4, 1], &[1.0, 1.0], 0.0);
            add(c, &[5, 2], &[1e300, 1e300], 0.0);
        });
        failed(status, Status::NonFinite, &["row 1", "squares", "overflow"]);
        assert!(p.is_null());
    }
    for prior in 2..=9 {
        let (size, ..) = data_of(prior);
        let h = handles(prior, size, |c| unsafe {
            add(c, &[4, 1], &[1.0, 1.0], 0.0);
            add(c, &[5, 2], &[1e10, 1e10], 0.0);
            add(c, &[0], &[1.0], 0.0);
        });
        let call = spoiled(prior, |c| match prior {
            5 => c.data[..N].fill(1e-308),
            6 => c.data.fill(1e154),
            7 => c.data.iter_mut().enumerate().for_each(|(k, x)| *x = if k < N { 1e154 } else { -1e154 }),
            8 => (0..N).for_each(|i| c.data[i * 7] = 1e308),
            4 => c.data[..N].fill(1e308),
            _ => c.data.fill(1e308),
        });
        for what in ALL {
            let (status, changed) = call.run(&h, what);
            let expected = [Status::NonFinite as i32, Status::Variance as i32];
            let text = message();
            assert!(expected.contains(&status) && !changed, "{prior} {what:?} {status}: {text}");
            assert!(text.contains("variance: slice 0"), "{prior} {what:?}: {text}");
        }
    }
}

#[test]
fn results_that_overflow_f32_are_refused() {
    let h = handles(2, 0, |c| unsafe {
        add(c, &[0, 1], &[1.0, 1.0], 0.0);
        add(c, &[2], &[1.0], 0.0);
        add(c, &[3], &[1.0], 0.0);
    });
    let (p, w, i) = (h.projector, h.workspace, h.inference);
    let call = Call::new(2);
    let (mean, v, b) = (input(&call.mean, &[N]), input(&call.data, &[N]), input(&call.b, &[3]));
    let mut out = [-7f32; N * N];
    let mut second = [-7f32; N];
    let (none, no) = (null::<pcml_const_array>(), null::<pcml_array>());
    unsafe {
        for big in [1e300, -1e300] {
            let mut x = [0.0; N];
            x[5] = big;
            let x = input(&x, &[N]);
            let to = output32(&mut out, &[N]);
            let status = pcml_inference_jvp(p, i, &mean, &v, &b, &x, none, none, &to);
            failed(status, Status::NonFinite, &["tangent overflows"]);
            let status = pcml_inference_vjp(p, i, &mean, &v, &b, &x, &to, no, &output32(&mut second, &[3]));
            failed(status, Status::NonFinite, &["gradient of the mean overflows"]);
            let status = pcml_projector_project(p, w, &x, &v, &b, &to, &output32(&mut second, &[N]), h.report);
            failed(status, Status::NonFinite, &["posterior_mean", "overflow"]);
            let samples = output32(&mut out, &[SAMPLES, N]);
            let status = pcml_inference_sample(p, i, &x, &v, &b, 1, 0, &samples);
            failed(status, Status::NonFinite, &["sample 0", "overflow"]);
            let rates = [big, 1.0, 1.0];
            let status = pcml_projector_budget(p, w, &mean, &input(&rates, &[3]), 1.0, &output32(&mut second, &[3]));
            failed(status, Status::NonFinite, &["b: slice 0, row 0 overflows"]);
        }
        let wide = input(&[1e200; N], &[N]);
        let to = output32(&mut out, &[N]);
        let status = pcml_projector_project(p, w, &mean, &wide, &b, &output32(&mut second, &[N]), &to, h.report);
        failed(status, Status::NonFinite, &["posterior_variance", "overflow"]);
        let status = pcml_projector_covariance(p, w, &wide, &output32(&mut out, &[N, N]));
        failed(status, Status::NonFinite, &["covariance", "overflow"]);
        let cells = [0, 5];
        let to = output32(&mut out, &[2, 2]);
        let status = pcml_inference_covariance(p, i, &wide, cells.as_ptr(), 2, cells.as_ptr(), 2, &to);
        failed(status, Status::NonFinite, &["covariance", "overflow"]);
    }
    assert!(out.iter().chain(&second).all(|&x| x == -7.0));
}

/// Matrices that are no covariance, as far as a call can see, and matrices handed over across.
#[test]
fn indefinite_and_transposed_priors_are_refused() {
    unsafe {
        let mut c = null_mut();
        ok(pcml_constraints_create(3, &mut c));
        ok(pcml_constraints_add_row(c, &input(&[1.0, -1.0, 0.0], &[3]), 0.0));
        let mut options = null_mut();
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_prior_size(options, 1));
        let (mean, b) = (input(&[1.0, 2.0, 3.0], &[3]), input(&[0.5], &[1]));
        let mut out = [SENTINEL; 3];
        let to = output(&mut out, &[3]);
        let band = [1.0, 1.0, 1.0, 3.0, 3.0, 0.0];
        let dense = [1.0, 3.0, 0.0, 3.0, 1.0, 3.0, 0.0, 3.0, 1.0];
        for (prior, data) in [(4, input(&band, &[2, 3])), (8, input(&dense, &[3, 3]))] {
            let (mut p, mut w, mut inference) = (null_mut(), null_mut(), null_mut());
            ok(pcml_projector_create(c, prior, options, &mut p));
            ok(pcml_projector_workspace(p, 1, &mut w));
            ok(pcml_inference_workspace(p, 1, &mut inference));
            let status = pcml_projector_project(p, w, &mean, &data, &b, &to, null(), null_mut());
            failed(status, Status::Variance, &["variance: slice 0", "not positive definite"]);
            let mut value = SENTINEL;
            let status = pcml_inference_log_likelihood(p, inference, &mean, &data, &b, &mut value);
            failed(status, Status::Variance, &["not positive definite"]);
            assert_eq!(value, SENTINEL);
            if prior == 4 {
                let across = input(&band, &[3, 2]);
                let status = pcml_projector_project(p, w, &mean, &across, &b, &to, null(), null_mut());
                failed(status, Status::Shape, &["variance has shape [3, 2]", "[2, 3]"]);
            }
            pcml_workspace_free(w);
            pcml_workspace_free(inference);
            pcml_projector_free(p);
        }
        assert_eq!(out, [SENTINEL; 3]);
        // Right-hand sides that contradict each other have no likelihood.
        ok(pcml_constraints_add_row(c, &input(&[1.0, -1.0, 0.0], &[3]), 0.0));
        let (mut p, mut w, mut value) = (null_mut(), null_mut(), SENTINEL);
        ok(pcml_projector_create(c, 1, null(), &mut p));
        ok(pcml_inference_workspace(p, 0, &mut w));
        let status = pcml_inference_log_likelihood(p, w, &mean, null(), &input(&[1.0, 5.0], &[2]), &mut value);
        failed(status, Status::Contradiction, &["b: row 1 is 5e0"]);
        assert_eq!(value, SENTINEL);
        ok(pcml_inference_log_likelihood(p, w, &mean, null(), &input(&[1.0, 1.0], &[2]), &mut value));
        assert!(value.is_finite());
        pcml_workspace_free(w);
        pcml_projector_free(p);
        pcml_options_free(options);
        pcml_constraints_free(c);
    }
}

/// A plain pointer does not tell the shape of a matrix.
#[test]
fn plain_pointers_serve_variances_only() {
    unsafe {
        let (mut c, mut p, mut w) = (null_mut(), null_mut(), null_mut());
        ok(pcml_constraints_create(3, &mut c));
        ok(pcml_constraints_add_row(c, &input(&[1.0; 3], &[3]), 0.0));
        ok(pcml_projector_create(c, 8, null(), &mut p));
        ok(pcml_projector_workspace(p, 3, &mut w));
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let mut out = [SENTINEL; 9];
        let (mean, to) = ([1.0; 9], out.as_mut_ptr());
        let (data, b) = (identity.as_ptr(), [4.0; 3]);
        let status = pcml_projector_project_f64(p, w, 3, mean.as_ptr(), data, b.as_ptr(), to, null_mut(), null_mut());
        failed(status, Status::InvalidArgument, &["variance", "pcml_projector_project", "Dense"]);
        assert_eq!(out, [SENTINEL; 9]);
        pcml_workspace_free(w);
        pcml_projector_free(p);
        pcml_constraints_free(c);
    }
}
