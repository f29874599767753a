//! Bad calls in every prior at the C border: a status, a text that names the culprit, outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
#[path = "common/joint.rs"]
mod joint;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use joint::{ALL, Call, INF, MEAN, N, NAN, What, add, create, data_of, handles, spoiled, three_rows};
use pcml::capi::*;
use pcml::error::Status;

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
