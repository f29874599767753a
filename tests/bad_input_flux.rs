//! Every wrong argument of the flux balance's C functions: a status, a text that names the culprit, outputs untouched.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;

use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, ok, output};
use pcml::capi::*;
use pcml::error::Status;

const CELLS: usize = 4;
const FACES: usize = 6;
/// Two rows of two cells with an inlet and an outlet.
const OWNER: [i64; FACES] = [0, 0, 0, 1, 2, 3];
const NEIGHBOUR: [i64; FACES] = [-1, 1, 2, 3, 3, -1];

#[track_caller]
fn refused(status: i32, expected: Status, names: &str) {
    failed(status, expected, &[names]);
}

fn create(owner: &[i64], neighbour: &[i64], volumes: &[f64], held: bool, direct: Option<i64>) -> *mut pcml_flux {
    let (mut options, mut flux) = (null_mut(), null_mut());
    unsafe {
        ok(pcml_options_create(&mut options));
        ok(pcml_options_set_held_faces(options, i32::from(held)));
        if let Some(cells) = direct {
            ok(pcml_options_set_direct_cells(options, cells));
        }
        let array = input(volumes, &[volumes.len()]);
        ok(pcml_flux_create(owner.len() as i64, owner.as_ptr(), neighbour.as_ptr(), &array, options, &mut flux));
        pcml_options_free(options);
    }
    flux
}

fn report() -> pcml_flux_report {
    pcml_flux_report {
        struct_size: size_of::<pcml_flux_report>() as i64,
        residual_before: SENTINEL,
        residual_before_cell: -7,
        residual_after: SENTINEL,
        residual_after_cell: -7,
        closeness: SENTINEL,
        correction_norm: SENTINEL,
        largest_correction: SENTINEL,
        largest_correction_face: -7,
        iterations: -7,
        rounds: -7,
        method: -7,
        repaired: -7,
        unchanged: -7,
    }
}

fn limits() -> pcml_flux_limits {
    pcml_flux_limits {
        struct_size: size_of::<pcml_flux_limits>() as i64,
        limited_faces: -7,
        least_limiter: SENTINEL,
        least_limiter_face: -7,
    }
}

/// A good call of every function in all its parts; each test spoils one. Arrays of cells come first, then those of faces.
struct Call {
    flux: *mut pcml_flux,
    workspace: *mut pcml_workspace,
    cells: Box<[[f64; CELLS]; 4]>,
    faces: Box<[[f64; FACES]; 3]>,
    out_cells: Box<[f64; CELLS]>,
    out_faces: Box<[f64; FACES]>,
    source: pcml_const_array,
    state: pcml_const_array,
    lower: pcml_const_array,
    upper: pcml_const_array,
    fluxes: pcml_const_array,
    variance: pcml_const_array,
    low_order: pcml_const_array,
    new_state: pcml_array,
    corrected: pcml_array,
    dt: f64,
    report: pcml_flux_report,
    limits: pcml_flux_limits,
}

impl Call {
    fn new() -> Call {
        Call::with(false, None)
    }

    fn with(held: bool, direct: Option<i64>) -> Call {
        let flux = create(&OWNER, &NEIGHBOUR, &[1.0, 2.0, 1.0, 0.5], held, direct);
        let mut workspace = null_mut();
        ok(unsafe { pcml_flux_workspace(flux, &mut workspace) });
        let cells = Box::new([[0.0, 0.1, 0.2, -0.3], [0.5; CELLS], [0.0; CELLS], [1.0; CELLS]]);
        let faces = Box::new([[-1.0, 0.6, 0.5, 0.5, 0.4, 0.9], [1.0, 0.5, 0.5, 2.0, 1.0, 1.0], [0.0; FACES]]);
        let (mut out_cells, mut out_faces) = (Box::new([SENTINEL; CELLS]), Box::new([SENTINEL; FACES]));
        let of_cells = |k: usize| input(&cells[k], &[CELLS]);
        let of_faces = |k: usize| input(&faces[k], &[FACES]);
        Call {
            flux,
            workspace,
            source: of_cells(0),
            state: of_cells(1),
            lower: of_cells(2),
            upper: of_cells(3),
            fluxes: of_faces(0),
            variance: of_faces(1),
            low_order: of_faces(2),
            new_state: output(&mut *out_cells, &[CELLS]),
            corrected: output(&mut *out_faces, &[FACES]),
            cells,
            faces,
            out_cells,
            out_faces,
            dt: 0.1,
            report: report(),
            limits: limits(),
        }
    }

    fn correct(&mut self) -> i32 {
        unsafe {
            let (f, w, s) = (&self.fluxes, &self.variance, &self.source);
            pcml_flux_correct(self.flux, self.workspace, f, w, s, &self.corrected, &mut self.report)
        }
    }

    fn residual(&mut self) -> i32 {
        unsafe { pcml_flux_residual(self.flux, self.workspace, &self.fluxes, &self.source, &self.new_state) }
    }

    fn update(&mut self) -> i32 {
        unsafe {
            let (u, f, q) = (&self.state, &self.fluxes, &self.source);
            pcml_flux_update(self.flux, self.workspace, self.dt, u, f, q, &self.new_state)
        }
    }

    fn update_bounded(&mut self) -> i32 {
        unsafe {
            pcml_flux_update_bounded(
                self.flux,
                self.workspace,
                self.dt,
                &self.state,
                &self.fluxes,
                &self.source,
                &self.lower,
                &self.upper,
                &self.low_order,
                &self.new_state,
                &self.corrected,
                &mut self.limits,
            )
        }
    }

    #[track_caller]
    fn untouched(&self) {
        for x in self.out_cells.iter().chain(self.out_faces.iter()) {
            assert_eq!(x.to_bits(), SENTINEL.to_bits());
        }
        assert!(self.report.rounds == -7 && self.report.closeness == SENTINEL);
        assert!(self.limits.limited_faces == -7 && self.limits.least_limiter == SENTINEL);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        unsafe {
            pcml_workspace_free(self.workspace);
            pcml_flux_free(self.flux);
        }
    }
}

type Run = fn(&mut Call) -> i32;
const CORRECT: Run = Call::correct;
const RESIDUAL: Run = Call::residual;
const UPDATE: Run = Call::update;
const BOUNDED: Run = Call::update_bounded;

#[track_caller]
fn spoiled(runs: &[Run], expected: Status, names: &str, spoil: impl Fn(&mut Call)) {
    for run in runs {
        let mut call = Call::new();
        spoil(&mut call);
        refused(run(&mut call), expected, names);
        call.untouched();
    }
}

#[test]
fn the_good_calls_succeed() {
    for direct in [None, Some(0)] {
        let mut call = Call::with(false, direct);
        ok(call.correct());
        let r = call.report;
        assert!(r.closeness <= 1.0 && r.unchanged == 0 && r.rounds >= 1 && r.correction_norm > 0.0);
        assert_eq!(r.method, if direct.is_none() { 1 } else { 2 });
        call.fluxes.data = call.out_faces.as_ptr().cast();
        ok(call.residual());
        assert!(call.out_cells.iter().all(|r| r.abs() < 1e-15));
        ok(call.update());
        ok(call.update_bounded());
        assert_eq!((call.limits.limited_faces, call.limits.least_limiter), (0, 1.0));
        ok(call.correct());
        assert!(call.report.unchanged == 1 && call.report.method == 0 && call.report.largest_correction == 0.0);
    }
}

#[test]
fn null_in_every_place() {
    let mut call = Call::new();
    let (x, w) = (call.flux, call.workspace);
    let (f, v, s, u) =
        (&raw const call.fluxes, &raw const call.variance, &raw const call.source, &raw const call.state);
    let (n, c) = (&raw const call.new_state, &raw const call.corrected);
    let (r, l) = (&raw mut call.report, &raw mut call.limits);
    let null_of = Status::NullArgument;
    unsafe {
        refused(pcml_flux_correct(null(), w, f, v, s, c, r), null_of, "flux is NULL");
        refused(pcml_flux_correct(x, null_mut(), f, v, s, c, r), null_of, "workspace");
        refused(pcml_flux_correct(x, w, null(), v, s, c, r), null_of, "fluxes");
        refused(pcml_flux_correct(x, w, f, v, s, null(), r), null_of, "corrected");
        refused(pcml_flux_residual(null(), w, f, s, n), null_of, "flux is NULL");
        refused(pcml_flux_residual(x, null_mut(), f, s, n), null_of, "workspace");
        refused(pcml_flux_residual(x, w, null(), s, n), null_of, "fluxes");
        refused(pcml_flux_residual(x, w, f, s, null()), null_of, "residual");
        let jvp = |x, w, f, dw, to| pcml_flux_jvp(x, w, f, v, s, f, dw, null(), to);
        refused(jvp(null(), w, f, null(), c), null_of, "flux is NULL");
        refused(jvp(x, null_mut(), f, null(), c), null_of, "workspace");
        refused(jvp(x, w, null(), null(), c), null_of, "fluxes");
        refused(jvp(x, w, f, null(), null()), null_of, "tangent");
        refused(jvp(x, w, f, u, c), Status::Shape, "tangent_variance");
        refused(jvp(x, w, f, null(), n), Status::Shape, "tangent");
        let vjp = |bar, to| pcml_flux_vjp(x, w, f, v, s, bar, to, null(), null());
        refused(vjp(null(), c), null_of, "cotangent");
        refused(vjp(u, c), Status::Shape, "cotangent");
        refused(vjp(f, null()), Status::InvalidArgument, "no gradient");
        refused(vjp(f, n), Status::Shape, "gradient_fluxes");
        refused(pcml_flux_update(null(), w, 0.1, u, f, s, n), null_of, "flux is NULL");
        refused(pcml_flux_update(x, null_mut(), 0.1, u, f, s, n), null_of, "workspace");
        refused(pcml_flux_update(x, w, 0.1, null(), f, s, n), null_of, "state");
        refused(pcml_flux_update(x, w, 0.1, u, null(), s, n), null_of, "fluxes");
        refused(pcml_flux_update(x, w, 0.1, u, f, s, null()), null_of, "new_state");
        let no: *const pcml_const_array = null();
        let bounded = |x, w, u, f, n| pcml_flux_update_bounded(x, w, 0.1, u, f, s, no, no, no, n, c, l);
        refused(bounded(null(), w, u, f, n), null_of, "flux is NULL");
        refused(bounded(x, null_mut(), u, f, n), null_of, "workspace");
        refused(bounded(x, w, null(), f, n), null_of, "state");
        refused(bounded(x, w, u, null(), n), null_of, "fluxes");
        refused(bounded(x, w, u, f, null()), null_of, "new_state");

        let volumes = input(&[1.0; CELLS], &[CELLS]);
        let (mut made, mut space) = (x, w);
        let (o, b) = (OWNER.as_ptr(), NEIGHBOUR.as_ptr());
        refused(pcml_flux_create(6, null(), b, &volumes, null(), &mut made), null_of, "owner");
        assert!(made.is_null());
        refused(pcml_flux_create(6, o, null(), &volumes, null(), &mut made), null_of, "neighbour");
        refused(pcml_flux_create(6, o, b, null(), null(), &mut made), null_of, "volumes");
        refused(pcml_flux_create(6, o, b, &volumes, null(), null_mut()), null_of, "flux");
        refused(pcml_flux_workspace(null(), &mut space), null_of, "flux");
        assert!(space.is_null());
        refused(pcml_flux_workspace(x, null_mut()), null_of, "workspace");
        refused(pcml_options_set_held_faces(null_mut(), 1), null_of, "options");
        refused(pcml_options_set_direct_cells(null_mut(), 1), null_of, "options");
        pcml_flux_free(null_mut());
        call.untouched();

        // What may be missing.
        ok(pcml_flux_correct(x, w, f, null(), null(), c, null_mut()));
        ok(pcml_flux_residual(x, w, f, null(), n));
        ok(pcml_flux_update(x, w, 0.1, u, f, null(), n));
        ok(pcml_flux_update_bounded(x, w, 0.1, u, f, no, no, no, no, n, null(), null_mut()));
    }
}

#[test]
fn wrong_meshes() {
    let volumes = [1.0, 2.0, 1.0, 0.5];
    let make = |faces: i64, owner: &[i64], neighbour: &[i64], volumes: &[f64]| {
        let (array, mut flux) = (input(volumes, &[volumes.len()]), null_mut());
        let status = unsafe { pcml_flux_create(faces, owner.as_ptr(), neighbour.as_ptr(), &array, null(), &mut flux) };
        assert!(flux.is_null());
        status
    };
    let with = |at: usize, list: [i64; FACES], value: i64| {
        let mut list = list;
        list[at] = value;
        list
    };
    let bad = Status::InvalidArgument;
    refused(make(0, &OWNER, &NEIGHBOUR, &volumes), bad, "faces is 0");
    refused(make(-1, &OWNER, &NEIGHBOUR, &volumes), bad, "faces is -1");
    refused(make(i64::MAX, &OWNER, &NEIGHBOUR, &volumes), Status::TooLarge, "faces");
    refused(make(6, &with(2, OWNER, 4), &NEIGHBOUR, &volumes), bad, "owner[2] is 4, expected 0 to 3");
    refused(make(6, &with(2, OWNER, -1), &NEIGHBOUR, &volumes), bad, "owner[2] is -1");
    refused(make(6, &with(5, OWNER, i64::MAX), &NEIGHBOUR, &volumes), bad, "owner[5]");
    refused(make(6, &OWNER, &with(1, NEIGHBOUR, 4), &volumes), bad, "neighbour[1] is 4");
    refused(make(6, &OWNER, &with(1, NEIGHBOUR, -2), &volumes), bad, "neighbour[1] is -2");
    refused(make(6, &OWNER, &with(1, NEIGHBOUR, i64::MIN), &volumes), bad, "neighbour[1]");
    refused(make(6, &OWNER, &with(3, NEIGHBOUR, 1), &volumes), bad, "neighbour[3] is 1 as owner[3]");
    refused(make(6, &OWNER, &NEIGHBOUR, &volumes[..3]), bad, "neighbour[3] is 3, expected 0 to 2");
    refused(make(6, &OWNER, &NEIGHBOUR, &[1.0, 0.0, 1.0, 1.0]), bad, "volumes: cell 1 is 0e0");
    refused(make(6, &OWNER, &NEIGHBOUR, &[1.0, 1.0, 1.0, -2.0]), bad, "volumes: cell 3 is -2e0");
    refused(make(6, &OWNER, &NEIGHBOUR, &[1.0, f64::NAN, 1.0, 1.0]), Status::NonFinite, "volumes: cell 1");
    refused(make(6, &OWNER, &NEIGHBOUR, &[f64::INFINITY, 1.0, 1.0, 1.0]), Status::NonFinite, "volumes: cell 0");
    let (array, mut flux) = (input(&volumes, &[CELLS]), null_mut());
    let odd = OWNER.as_ptr().wrapping_byte_add(4);
    let status = unsafe { pcml_flux_create(5, odd, NEIGHBOUR.as_ptr(), &array, null(), &mut flux) };
    refused(status, Status::Stride, "owner is not aligned");
    let mut options = null_mut();
    unsafe {
        ok(pcml_options_create(&mut options));
        refused(pcml_options_set_held_faces(options, 2), bad, "admit is 2");
        refused(pcml_options_set_direct_cells(options, -1), bad, "cells is -1");
        pcml_options_free(options);
    }
}

#[test]
fn wrong_descriptors() {
    spoiled(&[CORRECT], Status::Mismatch, "report.struct_size", |c| c.report.struct_size -= 8);
    spoiled(&[BOUNDED], Status::Mismatch, "limits.struct_size", |c| c.limits.struct_size = 0);
    let all = [CORRECT, RESIDUAL, UPDATE, BOUNDED];
    spoiled(&all, Status::Mismatch, "fluxes.struct_size", |c| c.fluxes.struct_size -= 8);
    spoiled(&all, Status::NullArgument, "fluxes.data", |c| c.fluxes.data = null());
    spoiled(&all, Status::Dtype, "fluxes", |c| c.fluxes.dtype = 3);
    spoiled(&all, Status::Shape, "fluxes has shape [4], expected 6 values, one a face", |c| c.fluxes.shape[0] = 4);
    spoiled(&all, Status::Shape, "source has shape [3], expected 4 values, one a cell", |c| c.source.shape[0] = 3);
    spoiled(&all, Status::Stride, "fluxes.data", |c| c.fluxes.data = c.fluxes.data.wrapping_byte_add(2));
    spoiled(&[CORRECT], Status::Shape, "variance has shape", |c| c.variance.shape[0] = 5);
    spoiled(&[CORRECT], Status::Shape, "corrected has shape", |c| c.corrected.shape[0] = 4);
    spoiled(&[CORRECT], Status::Stride, "corrected is written", |c| c.corrected.strides[0] = 0);
    spoiled(&[RESIDUAL], Status::Shape, "residual has shape", |c| c.new_state.shape[0] = 3);
    spoiled(&[UPDATE, BOUNDED], Status::Shape, "state has shape", |c| c.state.shape[0] = 3);
    spoiled(&[UPDATE, BOUNDED], Status::Shape, "new_state has shape", |c| c.new_state.shape[0] = 2);
    spoiled(&[UPDATE, BOUNDED], Status::Stride, "new_state is written", |c| c.new_state.strides[0] = 0);
    spoiled(&[BOUNDED], Status::Shape, "lower has shape", |c| c.lower.shape[0] = 3);
    spoiled(&[BOUNDED], Status::Shape, "upper has shape", |c| c.upper.shape[0] = 3);
    spoiled(&[BOUNDED], Status::Shape, "low_order has shape", |c| c.low_order.shape[0] = 3);
    spoiled(&[BOUNDED], Status::Shape, "limited has shape", |c| c.corrected.shape[0] = 3);
    spoiled(&[BOUNDED], Status::TooLarge, "lower", |c| c.lower.strides[0] = i64::MAX);
}

#[test]
fn wrong_values() {
    let all = [CORRECT, RESIDUAL, UPDATE, BOUNDED];
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        spoiled(&all, Status::NonFinite, "fluxes: face 3", |c| c.faces[0][3] = bad);
        spoiled(&all, Status::NonFinite, "source: cell 2", |c| c.cells[0][2] = bad);
        spoiled(&[CORRECT], Status::NonFinite, "variance: face 5", |c| c.faces[1][5] = bad);
        spoiled(&[UPDATE, BOUNDED], Status::NonFinite, "state: cell 1", |c| c.cells[1][1] = bad);
        spoiled(&[UPDATE, BOUNDED], Status::NonFinite, "dt is", |c| c.dt = bad);
        spoiled(&[BOUNDED], Status::NonFinite, "low_order: face 0", |c| c.faces[2][0] = bad);
    }
    spoiled(&[BOUNDED], Status::NonFinite, "lower: cell 3 is NaN", |c| c.cells[2][3] = f64::NAN);
    spoiled(&[BOUNDED], Status::NonFinite, "upper: cell 0 is NaN", |c| c.cells[3][0] = f64::NAN);
    spoiled(&[BOUNDED], Status::InvalidArgument, "lower: cell 1 is 2e0", |c| c.cells[2][1] = 2.0);
    spoiled(&[BOUNDED], Status::InvalidArgument, "lower: cell 1 is inf", |c| c.cells[2][1] = f64::INFINITY);
    spoiled(&[BOUNDED], Status::Infeasible, "its update of cell 2", |c| c.cells[3][2] = 0.25);
    spoiled(&[UPDATE, BOUNDED], Status::InvalidArgument, "dt is 0e0", |c| c.dt = 0.0);
    spoiled(&[UPDATE, BOUNDED], Status::InvalidArgument, "dt is -1e0", |c| c.dt = -1.0);
    spoiled(&[UPDATE], Status::NonFinite, "new_state: cell 0 overflows", |c| (c.dt, c.faces[0][1]) = (f64::MAX, 100.0));
    spoiled(&[CORRECT, RESIDUAL], Status::NonFinite, "cell 0 overflows", |c| c.faces[0] = [1.5e308; FACES]);
    spoiled(&[CORRECT], Status::Variance, "variance: face 4 is 0e0", |c| c.faces[1][4] = 0.0);
    spoiled(&[CORRECT], Status::Variance, "variance: face 1 is -1e-300", |c| c.faces[1][1] = -1e-300);

    let mut call = Call::with(true, None);
    call.faces[1][4] = -1.0;
    refused(call.correct(), Status::Variance, "variance: face 4 is -1e0, expected at least 0");
    // With inlet and outlet held nothing is free to take what the sources leave over.
    call.faces[1] = [0.0, 1.0, 1.0, 1.0, 1.0, 0.0];
    refused(call.correct(), Status::Infeasible, "cell 0 has no free boundary face");
    call.untouched();
    call.faces[0][5] = 1.0;
    ok(call.correct());
    assert_eq!((call.out_faces[0], call.out_faces[5]), (-1.0, 1.0));
    let mut call = Call::with(true, Some(0));
    call.faces[1] = [0.0; FACES];
    refused(call.correct(), Status::Infeasible, "cell 0 ");
    call.untouched();
}

#[test]
fn a_cell_without_faces() {
    let flux = create(&OWNER, &NEIGHBOUR, &[1.0; 5], false, None);
    let mut workspace = null_mut();
    let (fluxes, mut source) = ([0.5; FACES], [0.0; 5]);
    let mut out = [SENTINEL; FACES];
    unsafe {
        ok(pcml_flux_workspace(flux, &mut workspace));
        for (value, expected) in [(1e-30, Some(Status::Infeasible)), (-2.0, Some(Status::Infeasible)), (0.0, None)] {
            source[4] = value;
            let (f, s, c) = (input(&fluxes, &[FACES]), input(&source, &[5]), output(&mut out, &[FACES]));
            let status = pcml_flux_correct(flux, workspace, &f, null(), &s, &c, null_mut());
            match expected {
                Some(expected) => {
                    refused(status, expected, "cell 4 has no free boundary face");
                    assert_eq!(out, [SENTINEL; FACES]);
                }
                None => ok(status),
            }
        }
        pcml_workspace_free(workspace);
        pcml_flux_free(flux);
    }
}

#[test]
fn overlapping_arrays() {
    let stride = Status::Stride;
    spoiled(&[CORRECT], stride, "corrected overlaps fluxes", |c| {
        c.fluxes.data = c.out_faces.as_ptr().cast();
        c.fluxes.strides[0] = 0;
    });
    spoiled(&[CORRECT], stride, "corrected overlaps variance", |c| c.variance.data = c.out_faces.as_ptr().cast());
    spoiled(&[CORRECT], stride, "corrected overlaps source", |c| c.source.data = c.out_faces.as_ptr().cast());
    spoiled(&[RESIDUAL], stride, "residual overlaps source", |c| c.source.data = c.out_cells.as_ptr().cast());
    spoiled(&[RESIDUAL], stride, "residual overlaps fluxes", |c| {
        c.fluxes.data = c.out_cells.as_ptr().cast();
        c.fluxes.strides[0] = 0;
    });
    spoiled(&[UPDATE, BOUNDED], stride, "new_state overlaps source", |c| c.source.data = c.out_cells.as_ptr().cast());
    spoiled(&[UPDATE, BOUNDED], stride, "new_state overlaps state", |c| {
        c.state.data = c.out_cells.as_ptr().cast();
        c.state.strides[0] = 0;
    });
    spoiled(&[BOUNDED], stride, "new_state overlaps lower", |c| c.lower.data = c.out_cells.as_ptr().cast());
    spoiled(&[BOUNDED], stride, "new_state overlaps upper", |c| c.upper.data = c.out_cells.as_ptr().cast());
    spoiled(&[BOUNDED], stride, "limited overlaps low_order", |c| c.low_order.data = c.out_faces.as_ptr().cast());
    spoiled(&[BOUNDED], stride, "limited overlaps state", |c| c.state.data = c.out_faces.as_ptr().cast());
    spoiled(&[BOUNDED], stride, "limited overlaps new_state", |c| c.new_state.data = c.corrected.data);

    let mut call = Call::new();
    let mut expected = Call::new();
    ok(expected.correct());
    call.corrected.data = call.fluxes.data.cast_mut();
    ok(call.correct());
    assert_eq!(call.faces[0], *expected.out_faces);
    ok(expected.update_bounded());
    let mut call = Call::new();
    call.corrected.data = call.fluxes.data.cast_mut();
    call.new_state.data = call.state.data.cast_mut();
    ok(call.update_bounded());
    assert_eq!((call.cells[1], call.faces[0]), (*expected.out_cells, *expected.out_faces));
}

#[test]
fn handles_of_another_kind_or_owner() {
    let mut other = Call::new();
    for run in [CORRECT, RESIDUAL, UPDATE, BOUNDED] {
        let mut call = Call::new();
        std::mem::swap(&mut call.workspace, &mut other.workspace);
        refused(run(&mut call), Status::Mismatch, "workspace belongs to another object");
        call.untouched();
        std::mem::swap(&mut call.workspace, &mut other.workspace);
        let mut gone = [0u64; 64];
        let live = std::mem::replace(&mut call.flux, gone.as_mut_ptr().cast());
        refused(run(&mut call), Status::Handle, "flux is not a live pcml_flux");
        call.flux = live;
        let live = std::mem::replace(&mut call.workspace, call.flux.cast());
        refused(run(&mut call), Status::Handle, "workspace is not a live pcml_workspace");
        call.workspace = live;
        call.untouched();
    }
    let volumes = input(&[1.0; CELLS], &[CELLS]);
    let mut made = null_mut();
    let status = unsafe {
        let options = other.flux.cast();
        pcml_flux_create(6, OWNER.as_ptr(), NEIGHBOUR.as_ptr(), &volumes, options, &mut made)
    };
    refused(status, Status::Handle, "options is not a live pcml_options");
}
