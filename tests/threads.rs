//! Plans and projectors are shared by threads, each with a workspace of its own: same bits as one after the other. A workspace
//! that another thread is using is refused.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;

use std::ffi::CString;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

use border::{input, message, ok, output};
use pcml::capi::*;
use pcml::error::Status;

const CELLS: usize = 60;

/// A pointer that threads share, as a host shares a handle.
#[derive(Clone, Copy)]
struct Shared<T>(*mut T);

// SAFETY: the objects behind are for sharing; workspaces are locked by the library.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

struct Host {
    plan: Shared<pcml_plan>,
    projector: Shared<pcml_projector>,
}

impl Host {
    fn new() -> Host {
        let path = CString::new(common::stefan_path().to_str().unwrap()).unwrap();
        let (mut model, mut options, mut plan) = (null_mut(), null_mut(), null_mut());
        let (mut constraints, mut projector) = (null_mut(), null_mut());
        unsafe {
            ok(pcml_model_load(path.as_ptr(), &mut model));
            ok(pcml_options_create(&mut options));
            ok(pcml_options_set_context(options, 20));
            ok(pcml_options_set_targets(options, CELLS as i64));
            ok(pcml_options_set_latents(options, 8));
            ok(pcml_plan_create(model, 2, options, &mut plan));
            ok(pcml_constraints_create(CELLS as i64, &mut constraints));
            let x: Vec<f64> = (0..CELLS).map(|i| i as f64).collect();
            ok(pcml_constraints_add_quadrature(constraints, 1, &input(&x, &[CELLS]), 0.0));
            ok(pcml_projector_create(constraints, 2, null(), &mut projector));
            pcml_constraints_free(constraints);
            pcml_options_free(options);
            pcml_model_free(model);
        }
        Host { plan: Shared(plan), projector: Shared(projector) }
    }

    /// One host thread's work: predict, then project in place.
    fn step(&self, workspace: *mut pcml_workspace, scratch: *mut pcml_workspace, shift: f64) -> (i32, Vec<f64>) {
        let x: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 0.05 } else { 0.02 * i as f64 + shift }).collect();
        let y: Vec<f64> = (0..20).map(|i| 1.0 - 0.05 * i as f64).collect();
        let t: Vec<f64> = (0..2 * CELLS).map(|i| if i % 2 == 0 { 0.05 } else { i as f64 / 120.0 }).collect();
        let (mut mean, mut variance) = (vec![0.0; CELLS], vec![0.0; CELLS]);
        let status = unsafe {
            let status = pcml_plan_condition(self.plan.get(), workspace, &input(&x, &[20, 2]), &input(&y, &[20, 1]));
            if status != 0 {
                return (status, mean);
            }
            let (m, v) = (output(&mut mean, &[CELLS, 1]), output(&mut variance, &[CELLS, 1]));
            let status = pcml_plan_query(self.plan.get(), workspace, &input(&t, &[CELLS, 2]), null(), &m, &v);
            if status != 0 {
                return (status, mean);
            }
            let (m, v) = (mean.as_mut_ptr(), variance.as_mut_ptr());
            pcml_projector_project_f64(self.projector.get(), scratch, 1, m, v, &7.0, m, v, null_mut())
        };
        mean.extend(variance);
        (status, mean)
    }

    fn workspaces(&self) -> (*mut pcml_workspace, *mut pcml_workspace) {
        let (mut workspace, mut scratch) = (null_mut(), null_mut());
        unsafe {
            ok(pcml_plan_workspace(self.plan.get(), &mut workspace));
            ok(pcml_projector_workspace(self.projector.get(), 1, &mut scratch));
        }
        (workspace, scratch)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        unsafe {
            pcml_plan_free(self.plan.get());
            pcml_projector_free(self.projector.get());
        }
    }
}

#[test]
fn threads_share_plans_and_projectors() {
    let host = Host::new();
    let work = |shift: f64| {
        let (workspace, scratch) = host.workspaces();
        let mut last = Vec::new();
        for _ in 0..20 {
            let (status, result) = host.step(workspace, scratch, shift);
            ok(status);
            last = result;
        }
        unsafe {
            pcml_workspace_free(workspace);
            pcml_workspace_free(scratch);
        }
        last
    };
    let alone: Vec<Vec<f64>> = (0..4).map(|t| work(0.01 * t as f64)).collect();
    let together: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|t| scope.spawn(move || work(0.01 * t as f64))).collect();
        threads.into_iter().map(|t| t.join().expect("a thread")).collect()
    });
    assert_eq!(alone, together);
    assert_ne!(alone[0], alone[1]);
}

#[test]
fn a_workspace_in_use_is_refused() {
    let host = Host::new();
    let (workspace, scratch) = host.workspaces();
    let (shared, own, over) = (Shared(workspace), Shared(scratch), AtomicBool::new(false));
    let refused = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                host.step(shared.get(), own.get(), 0.0);
            }
        });
        let (_, other) = host.workspaces();
        // Sooner or later this thread comes while the other is inside.
        let found = (0..100_000).find_map(|_| match host.step(shared.get(), other, 0.0).0 {
            status if status == Status::Handle as i32 => Some(message()),
            _ => None,
        });
        over.store(true, Ordering::Relaxed);
        unsafe { pcml_workspace_free(other) };
        found
    });
    assert!(refused.expect("a refusal").contains("in use by another thread"));
    unsafe {
        pcml_workspace_free(workspace);
        pcml_workspace_free(scratch);
    }
}
