//! Model files and plans: every bad input has its status, a message that names the culprit, and leaves outputs alone.
#![allow(unsafe_code)]

#[path = "common/border.rs"]
mod border;
mod common;

use std::ffi::CString;
use std::ptr::{null, null_mut};

use border::{SENTINEL, failed, input, message, ok, output};
use common::{File, stefan_path};
use pcml::capi::*;
use pcml::error::Status;
use proptest::prelude::*;

fn load(bytes: &[u8]) -> (i32, *mut pcml_model) {
    let mut model = null_mut();
    let status = unsafe { pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model) };
    assert_eq!(status == 0, !model.is_null());
    (status, model)
}

#[track_caller]
fn refused(bytes: &[u8], status: Status, parts: &[&str]) {
    let (found, model) = load(bytes);
    failed(found, status, parts);
    assert!(model.is_null());
}

#[track_caller]
fn refused_description(change: impl FnOnce(&mut serde_json::Value), status: Status, parts: &[&str]) {
    let mut file = File::stefan();
    let mut description = file.description();
    change(&mut description);
    file.describe(description);
    refused(&file.bytes(), status, parts);
}

#[test]
fn a_file_put_together_again_loads() {
    let (status, model) = load(&File::stefan().bytes());
    ok(status);
    unsafe { pcml_model_free(model) };
}

#[test]
fn files_that_are_no_model() {
    let mut model = null_mut();
    let path = CString::new("/nowhere/model.safetensors").unwrap();
    failed(unsafe { pcml_model_load(path.as_ptr(), &mut model) }, Status::Io, &["/nowhere/model.safetensors"]);
    let folder = CString::new(env!("CARGO_MANIFEST_DIR")).unwrap();
    failed(unsafe { pcml_model_load(folder.as_ptr(), &mut model) }, Status::Io, &["not a file"]);
    let text = CString::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    failed(unsafe { pcml_model_load(text.as_ptr(), &mut model) }, Status::FileFormat, &["README.md: ", "safetensors"]);
    failed(unsafe { pcml_model_load(null(), &mut model) }, Status::NullArgument, &["path"]);
    failed(unsafe { pcml_model_load(path.as_ptr(), null_mut()) }, Status::NullArgument, &["model"]);
    failed(unsafe { pcml_model_load_bytes(null(), 8, &mut model) }, Status::NullArgument, &["bytes"]);
    failed(unsafe { pcml_model_load_bytes([0u8; 8].as_ptr().cast(), 8, null_mut()) }, Status::NullArgument, &["model"]);
    for size in [0, -1, i64::MIN] {
        let status = unsafe { pcml_model_load_bytes([0u8; 8].as_ptr().cast(), size, &mut model) };
        failed(status, Status::InvalidArgument, &["size"]);
    }
    refused(b"x", Status::FileFormat, &["safetensors"]);
    refused(&[0xff; 4096], Status::FileFormat, &["safetensors"]);
    refused(&u64::MAX.to_le_bytes().repeat(3), Status::FileFormat, &["safetensors"]);
    let mut plain = File::stefan();
    plain.metadata.clear();
    refused(&plain.bytes(), Status::FileFormat, &["\"pcml\"", "pcml convert"]);
}

#[test]
fn truncated_files() {
    let whole = std::fs::read(stefan_path()).unwrap();
    for len in [1, 7, 8, 9, 100, 5000, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..len], Status::FileFormat, &["safetensors"]);
    }
    let mut longer = whole.clone();
    longer.push(0);
    refused(&longer, Status::FileFormat, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_flipped_bit_is_noticed(place in 0.0..1.0f64, bit in 0u8..8, head: bool) {
        let mut bytes = std::fs::read(stefan_path()).unwrap();
        // Half of the flips fall into the header's text, the rest anywhere.
        let span = if head { 16_384.min(bytes.len()) } else { bytes.len() };
        let at = (place * span as f64) as usize;
        bytes[at] ^= 1 << bit;
        let (status, model) = load(&bytes);
        prop_assert!(status != 0 && status != Status::Panic as i32, "byte {} bit {}: {}", at, bit, status);
        prop_assert!(model.is_null());
    }
}

#[test]
fn versions_and_descriptions() {
    use Status::{FileDescription, FileVersion};
    refused_description(|d| d["format"] = 2.into(), FileVersion, &["format is 2", "expected 1"]);
    refused_description(|d| d["format"] = "1".into(), FileVersion, &["format"]);
    for (lower, upper) in [(1.0, 1.0), (2.0, 1.0), (-1e308, 1e308)] {
        let axis = serde_json::json!([{"name": "x", "lower": lower, "upper": upper}]);
        refused_description(|d| d["grid"] = axis, FileDescription, &["grid: x runs from"]);
    }
    refused_description(|d| drop(d.as_object_mut().unwrap().remove("format")), FileDescription, &["format"]);
    refused_description(|d| d["activation"] = "tanh".into(), FileDescription, &["activation"]);
    refused_description(|d| d["anp"]["norm"] = "batch".into(), FileDescription, &["norm"]);
    refused_description(|d| d["architecture"] = "transformer".into(), FileDescription, &["transformer"]);
    refused_description(|d| drop(d.as_object_mut().unwrap().remove("anp")), FileDescription, &["anp"]);
    refused_description(|d| d["anp"]["heads"] = 0.into(), FileDescription, &["anp.heads is 0"]);
    refused_description(|d| d["anp"]["heads"] = 7.into(), FileDescription, &["anp.heads 7"]);
    refused_description(|d| d["anp"]["hidden"] = u64::MAX.into(), FileDescription, &["anp.hidden"]);
    refused_description(|d| d["anp"]["hidden"] = (-1).into(), FileDescription, &["-1"]);
    refused_description(|d| d["anp"]["dim_x"] = 3.into(), FileDescription, &["anp.dim_x = 3"]);
    refused_description(|d| d["anp"]["min_sigma"] = (-1.0).into(), FileDescription, &["anp.min_sigma"]);
    refused_description(|d| d["anp"]["layer_norm_eps"] = 0.0.into(), FileDescription, &["anp.layer_norm_eps"]);
    refused_description(|d| d["anp"]["dropout"] = 1.0.into(), FileDescription, &["anp.dropout"]);
    refused_description(|d| d["inputs"][0]["scale"] = 0.0.into(), FileDescription, &["inputs[0]", "scale 0"]);
    refused_description(|d| d["outputs"][0]["offset"] = "a".into(), FileDescription, &["string"]);
    refused_description(|d| d["selftest"]["tolerance"] = 1.0.into(), FileDescription, &["selftest.tolerance"]);
    refused_description(|d| d["conservation"][0]["output"] = "q".into(), FileDescription, &["output q"]);
    refused_description(|d| d["conservation"][0]["axis"] = "X".into(), FileDescription, &["axis X", "grid"]);
    refused_description(|d| d["conservation"][0]["quadrature"] = "gauss".into(), FileDescription, &["gauss"]);
    refused_description(|d| *d = serde_json::json!([1, 2]), FileDescription, &["format"]);
    let mut file = File::stefan();
    file.metadata.insert("pcml".into(), "{\"format\": 1".into());
    refused(&file.bytes(), FileDescription, &["metadata key \"pcml\""]);
}

#[test]
fn weights_missing_unread_misshapen_or_not_finite() {
    let name = "decoder.linears.1.weight";
    let mut file = File::stefan();
    let weight = file.tensors.remove(name).unwrap();
    refused(&file.bytes(), Status::Weights, &[name, "missing"]);
    file.tensors.insert(name.into(), (vec![weight.1.len()], weight.1.clone()));
    refused(&file.bytes(), Status::Weights, &[name, "shape"]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut bad = weight.clone();
        bad.1[17] = value;
        file.tensors.insert(name.into(), bad);
        refused(&file.bytes(), Status::Weights, &[name, "element 17"]);
    }
    file.tensors.insert(name.into(), weight);
    file.tensors.insert("decoder.linears.9.weight".into(), (vec![1], vec![0.0]));
    refused(&file.bytes(), Status::Weights, &["decoder.linears.9.weight", "not read"]);
}

#[test]
fn self_tests_that_fail() {
    let mut file = File::stefan();
    file.tensors.get_mut("selftest.mean").unwrap().1[3] += 1e-6;
    refused(&file.bytes(), Status::SelfTest, &["mean"]);
    let mut file = File::stefan();
    file.tensors.get_mut("latent_encoder.mu.bias").unwrap().1[0] += 0.01;
    refused(&file.bytes(), Status::SelfTest, &["self-test"]);
    let mut file = File::stefan();
    file.tensors.remove("selftest.variance");
    refused(&file.bytes(), Status::FileDescription, &["selftest.variance"]);
    let mut file = File::stefan();
    file.tensors.get_mut("selftest.target_x").unwrap().0 = vec![28];
    refused(&file.bytes(), Status::FileDescription, &["selftest.target_x", "rank"]);
    let mut file = File::stefan();
    file.tensors.get_mut("selftest.mean").unwrap().0 = vec![7, 2, 1];
    refused(&file.bytes(), Status::Shape, &["mean"]);
}

/// A plan for 2 functions of at most 10 context and 8 target points, with its workspace.
struct Fixture {
    model: *mut pcml_model,
    options: *mut pcml_options,
    plan: *mut pcml_plan,
    workspace: *mut pcml_workspace,
}

impl Fixture {
    fn new(latents: i64) -> Fixture {
        let path = CString::new(stefan_path().to_str().unwrap()).unwrap();
        let mut f = Fixture { model: null_mut(), options: null_mut(), plan: null_mut(), workspace: null_mut() };
        unsafe {
            ok(pcml_model_load(path.as_ptr(), &mut f.model));
            ok(pcml_options_create(&mut f.options));
            ok(pcml_options_set_batch(f.options, 2));
            ok(pcml_options_set_context(f.options, 10));
            ok(pcml_options_set_targets(f.options, 8));
            ok(pcml_options_set_latents(f.options, latents));
            ok(pcml_plan_create(f.model, 2, f.options, &mut f.plan));
            ok(pcml_plan_workspace(f.plan, &mut f.workspace));
        }
        f
    }

    fn condition(&self, x: &pcml_const_array, y: &pcml_const_array) -> i32 {
        unsafe { pcml_plan_condition(self.plan, self.workspace, x, y) }
    }

    fn conditioned(latents: i64) -> Fixture {
        let f = Fixture::new(latents);
        ok(f.condition(&input(&[0.05; 40], &[2, 10, 2]), &input(&[0.5; 20], &[2, 10, 1])));
        f
    }

    /// A query with good arrays but for what `change` does to them; it must fail and leave the results alone.
    #[track_caller]
    fn refuses_query(
        &self,
        status: Status,
        parts: &[&str],
        change: impl FnOnce(&mut pcml_const_array, &mut pcml_array, &mut pcml_array),
    ) {
        let x = [0.05; 16];
        let (mut mean, mut variance) = ([SENTINEL; 32], [SENTINEL; 32]);
        let mut arrays = (input(&x, &[8, 2]), output(&mut mean, &[2, 8, 1]), output(&mut variance, &[2, 8, 1]));
        change(&mut arrays.0, &mut arrays.1, &mut arrays.2);
        let found = unsafe { pcml_plan_query(self.plan, self.workspace, &arrays.0, null(), &arrays.1, &arrays.2) };
        failed(found, status, parts);
        assert!(mean.iter().chain(&variance).all(|v| *v == SENTINEL));
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        unsafe {
            pcml_workspace_free(self.workspace);
            pcml_plan_free(self.plan);
            pcml_options_free(self.options);
            pcml_model_free(self.model);
        }
    }
}

#[test]
fn plans_of_bad_options() {
    let f = Fixture::new(0);
    let mut plan = null_mut();
    unsafe {
        failed(pcml_plan_create(null(), 2, f.options, &mut plan), Status::NullArgument, &["model"]);
        failed(pcml_plan_create(f.model, 2, f.options, null_mut()), Status::NullArgument, &["plan"]);
        failed(pcml_plan_create(f.model, 0, f.options, &mut plan), Status::Dtype, &["dtype is 0"]);
        failed(pcml_plan_create(f.model, 2, null(), &mut plan), Status::InvalidArgument, &["context"]);
        failed(pcml_plan_create(f.options.cast(), 2, f.options, &mut plan), Status::Handle, &["pcml_model"]);
        failed(pcml_plan_create(f.model, 2, f.model.cast(), &mut plan), Status::Handle, &["pcml_options"]);
        failed(pcml_options_set_dropout(f.options, 1.0), Status::InvalidArgument, &["rate is 1"]);
        failed(pcml_options_set_dropout(f.options, f64::NAN), Status::InvalidArgument, &["rate is NaN"]);
        failed(pcml_options_set_batch(f.options, 0), Status::InvalidArgument, &["batch is 0"]);
        failed(pcml_options_set_context(f.options, -5), Status::InvalidArgument, &["context is -5"]);
        failed(pcml_options_set_targets(f.options, 0), Status::InvalidArgument, &["targets is 0"]);
        failed(pcml_options_set_latents(f.options, -1), Status::InvalidArgument, &["latents is -1"]);
        failed(pcml_options_set_held_cells(f.options, 2), Status::InvalidArgument, &["admit is 2"]);
        for set in [pcml_options_set_batch, pcml_options_set_context, pcml_options_set_targets, pcml_options_set_seed] {
            failed(set(null_mut(), 1), Status::NullArgument, &["options"]);
        }
        ok(pcml_options_set_dropout(f.options, 0.1));
        failed(pcml_plan_create(f.model, 2, f.options, &mut plan), Status::InvalidArgument, &["dropout", "latents"]);
        ok(pcml_options_set_dropout(f.options, 0.0));
        ok(pcml_options_set_latents(f.options, i64::MAX));
        failed(pcml_plan_create(f.model, 2, f.options, &mut plan), Status::OutOfMemory, &["latent draws"]);
        ok(pcml_options_set_latents(f.options, 0));
        ok(pcml_options_set_context(f.options, i64::MAX));
        ok(pcml_plan_create(f.model, 2, f.options, &mut plan));
        let mut workspace = null_mut();
        failed(pcml_plan_workspace(plan, &mut workspace), Status::OutOfMemory, &["workspace"]);
        assert!(workspace.is_null());
        pcml_plan_free(plan);
        failed(pcml_plan_workspace(null(), &mut workspace), Status::NullArgument, &["plan"]);
        failed(pcml_plan_workspace(f.plan, null_mut()), Status::NullArgument, &["workspace"]);
    }
}

#[test]
fn conditioning_on_bad_arrays() {
    let f = Fixture::new(0);
    let (x, y) = ([0.05; 40], [0.5; 20]);
    let (good_x, good_y) = (input(&x, &[2, 10, 2]), input(&y, &[2, 10, 1]));
    unsafe {
        failed(pcml_plan_condition(null(), f.workspace, &good_x, &good_y), Status::NullArgument, &["plan"]);
        failed(pcml_plan_condition(f.plan, null_mut(), &good_x, &good_y), Status::NullArgument, &["workspace"]);
        failed(pcml_plan_condition(f.plan, f.workspace, null(), &good_y), Status::NullArgument, &["context_x"]);
        failed(pcml_plan_condition(f.plan, f.workspace, &good_x, null()), Status::NullArgument, &["context_y"]);
        let other = Fixture::new(0);
        failed(pcml_plan_condition(f.plan, other.workspace, &good_x, &good_y), Status::Mismatch, &["workspace"]);
    }
    failed(f.condition(&input(&x, &[40]), &good_y), Status::Shape, &["context_x", "[40]"]);
    failed(f.condition(&input(&x, &[2, 5, 2, 2]), &good_y), Status::Shape, &["context_x"]);
    failed(f.condition(&input(&x, &[4, 5, 2]), &good_y), Status::Shape, &["context_y", "[4, 5, 1]"]);
    failed(f.condition(&input(&x, &[2, 4, 5]), &good_y), Status::Shape, &["context_x", "[2, 4, 2]"]);
    failed(f.condition(&input(&x, &[4, 5, 2]), &input(&y, &[4, 5])), Status::Shape, &["4 functions", "batch, 2"]);
    failed(f.condition(&input(&x, &[20, 2]), &input(&y, &[20, 1])), Status::Shape, &["20 points", "context, 10"]);
    for bad in [f64::NAN, f64::INFINITY] {
        let (mut x, mut y) = (x, y);
        y[13] = bad;
        failed(f.condition(&good_x, &input(&y, &[2, 10, 1])), Status::NonFinite, &["context_y[1, 3, 0]"]);
        x[39] = bad;
        failed(f.condition(&input(&x, &[2, 10, 2]), &good_y), Status::NonFinite, &["context_x[1, 9, 1]"]);
    }
    let mut array = good_x;
    array.struct_size = 64;
    failed(f.condition(&array, &good_y), Status::Mismatch, &["context_x.struct_size is 64"]);
    array = good_x;
    array.data = null();
    failed(f.condition(&array, &good_y), Status::NullArgument, &["context_x.data"]);
    array = good_x;
    array.dtype = 3;
    failed(f.condition(&array, &good_y), Status::Dtype, &["context_x", "dtype is 3"]);
    for rank in [0, -1, 9, i32::MAX] {
        array = good_x;
        array.rank = rank;
        failed(f.condition(&array, &good_y), Status::Shape, &["context_x.rank"]);
    }
    for extent in [0, -2] {
        array = good_x;
        array.shape[1] = extent;
        failed(f.condition(&array, &good_y), Status::Shape, &["context_x.shape[1]"]);
    }
    array = good_x;
    array.strides[0] = i64::MIN;
    failed(f.condition(&array, &good_y), Status::TooLarge, &["context_x"]);
    array = good_x;
    array.data = array.data.wrapping_byte_add(4);
    failed(f.condition(&array, &good_y), Status::Stride, &["context_x.data", "aligned"]);
    let mut result = [SENTINEL; 128];
    let latent = unsafe {
        let out = output(&mut result, &[2, 64]);
        pcml_plan_latent(f.plan, f.workspace, &out, &out)
    };
    failed(latent, Status::State, &["not conditioned"]);
    f.refuses_query(Status::State, &["not conditioned"], |_, _, _| {});
}

#[test]
fn queries_with_bad_arrays() {
    let f = Fixture::conditioned(0);
    let mut mean = [SENTINEL; 16];
    let (x, mean_array) = (input(&[0.05; 16], &[8, 2]), output(&mut mean, &[2, 8, 1]));
    unsafe {
        let query = |plan, workspace, x, mean| pcml_plan_query(plan, workspace, x, null(), mean, null());
        failed(query(null(), f.workspace, &x, &mean_array), Status::NullArgument, &["plan"]);
        failed(query(f.plan, null_mut(), &x, &mean_array), Status::NullArgument, &["workspace"]);
        failed(query(f.plan, f.workspace, null(), &mean_array), Status::NullArgument, &["target_x"]);
        failed(query(f.plan, f.workspace, &x, null()), Status::NullArgument, &["mean"]);
        failed(query(f.workspace.cast(), f.workspace, &x, &mean_array), Status::Handle, &["pcml_plan"]);
        let eps = input(&[0.0; 64], &[1, 64]);
        let status = pcml_plan_query(f.plan, f.workspace, &x, &eps, &mean_array, null());
        failed(status, Status::InvalidArgument, &["eps", "latents is 0"]);
        failed(pcml_plan_latent(f.plan, f.workspace, null(), &mean_array), Status::NullArgument, &["mu"]);
        failed(pcml_plan_latent(f.plan, f.workspace, &mean_array, null()), Status::NullArgument, &["log_variance"]);
        failed(pcml_plan_latent(f.plan, f.workspace, &mean_array, &mean_array), Status::Shape, &["mu", "[1, 2, 64]"]);
        let mut latent = [SENTINEL; 128];
        let latent = output(&mut latent, &[2, 64]);
        failed(pcml_plan_latent(f.plan, f.workspace, &latent, &latent), Status::Stride, &["log_variance"]);
    }
    f.refuses_query(Status::Shape, &["target_x", "[8]"], |x, _, _| x.rank = 1);
    f.refuses_query(Status::Shape, &["target_x", "[2, 8, 2]"], |x, _, _| {
        (x.rank, x.shape[0], x.shape[1], x.shape[2]) = (3, 1, 8, 2);
        x.strides[2] = 1;
    });
    f.refuses_query(Status::Shape, &["9 targets", "targets, 8"], |x, mean, variance| {
        x.shape[0] = 9;
        x.strides[0] = 0;
        (mean.shape[1], mean.strides[0]) = (9, 9);
        (variance.shape[1], variance.strides[0]) = (9, 9);
    });
    f.refuses_query(Status::Shape, &["mean", "[2, 8, 1]"], |_, mean, _| mean.shape[0] = 1);
    f.refuses_query(Status::Shape, &["variance"], |_, _, variance| variance.shape[0] = 1);
    f.refuses_query(Status::Stride, &["mean", "twice"], |_, mean, _| mean.strides[1] = 0);
    f.refuses_query(Status::Stride, &["mean and variance overlap"], |_, mean, variance| variance.data = mean.data);
    f.refuses_query(Status::Dtype, &["variance"], |_, _, variance| variance.dtype = 0);
    f.refuses_query(Status::Mismatch, &["mean.struct_size"], |_, mean, _| mean.struct_size = 0);
    let mut bad = [0.05; 16];
    bad[5] = f64::NEG_INFINITY;
    f.refuses_query(Status::NonFinite, &["target_x[0, 2, 1] is -inf"], |x, _, _| x.data = bad.as_ptr().cast());
    assert!(mean.iter().all(|v| *v == SENTINEL));
}

#[test]
fn eps_of_a_wrong_shape_or_not_finite() {
    let f = Fixture::conditioned(3);
    let mut mean = [SENTINEL; 16];
    let (x, mean_array) = (input(&[0.05; 16], &[8, 2]), output(&mut mean, &[2, 8, 1]));
    let query = |eps: &[f64], shape: &[usize]| unsafe {
        pcml_plan_query(f.plan, f.workspace, &x, &input(eps, shape), &mean_array, null())
    };
    failed(query(&[0.0; 128], &[2, 64]), Status::Shape, &["eps has 128", "[3, 2, 64]"]);
    let mut eps = [0.0; 192];
    eps[70] = f64::NAN;
    failed(query(&eps, &[3, 64]), Status::NonFinite, &["eps"]);
    assert!(mean.iter().all(|v| *v == SENTINEL));
    eps[70] = 0.0;
    ok(query(&eps, &[3, 64]));
    assert!(mean.iter().all(|v| *v != SENTINEL));
}

#[test]
fn inputs_that_overflow_are_refused_and_nothing_is_written() {
    let f = Fixture::conditioned(0);
    let huge = [1.7e308; 16];
    f.refuses_query(Status::NonFinite, &["overflow"], |x, _, _| x.data = huge.as_ptr().cast());
    failed(
        f.condition(&input(&[1.7e308; 40], &[2, 10, 2]), &input(&[0.5; 20], &[2, 10, 1])),
        Status::NonFinite,
        &["overflow"],
    );
    f.refuses_query(Status::State, &["not conditioned"], |_, _, _| {});
}

#[test]
fn freeing_null_and_failing_creates() {
    unsafe {
        pcml_model_free(null_mut());
        pcml_plan_free(null_mut());
        pcml_options_free(null_mut());
        pcml_workspace_free(null_mut());
    }
    let f = Fixture::new(0);
    unsafe { pcml_model_free(f.options.cast()) };
    assert!(message().contains("pcml_model_free"), "{}", message());
    let mut length = 0;
    failed(
        unsafe { pcml_model_description(f.model, null_mut(), 0, null_mut()) },
        Status::NullArgument,
        &["buffer and length"],
    );
    ok(unsafe { pcml_model_description(f.model, null_mut(), 0, &mut length) });
    let mut text = vec![1u8; 20];
    ok(unsafe { pcml_model_description(f.model, text.as_mut_ptr().cast(), 10, null_mut()) });
    assert_eq!((text[9], text[10], text[..9].is_ascii()), (0, 1, true));
    assert!(length > 500);
}
