//! Neural operators, and other models, as C calls them: model, options, plan and workspace, freed together.
#![allow(dead_code)]

use std::ptr::{null, null_mut};

use pcml::capi::*;

use crate::border::ok;
use crate::common::File;

/// What a plan is made for.
#[derive(Clone, Copy)]
pub struct Sizes<'a> {
    pub dtype: i32,
    pub shape: &'a [i64],
    pub batch: i64,
    pub steps: i64,
    pub threads: i64,
    /// A number of enum pcml_transforms.
    pub transforms: i32,
}

impl<'a> Sizes<'a> {
    /// One function in one step.
    pub fn new(dtype: i32, shape: &'a [i64]) -> Sizes<'a> {
        Sizes { dtype, shape, batch: 1, steps: 1, threads: 1, transforms: 1 }
    }
}

/// A loaded model; settings; a plan and its workspace.
pub struct Operator {
    pub model: *mut pcml_model,
    pub options: *mut pcml_options,
    pub plan: *mut pcml_plan,
    pub workspace: *mut pcml_workspace,
}

impl Operator {
    pub fn new(file: &File, sizes: Sizes) -> Operator {
        Operator::with(file, sizes.dtype, |options| unsafe {
            ok(pcml_options_set_shape(options, sizes.shape.len() as i64, sizes.shape.as_ptr()));
            ok(pcml_options_set_batch(options, sizes.batch));
            ok(pcml_options_set_steps(options, sizes.steps));
            ok(pcml_options_set_threads(options, sizes.threads));
            ok(pcml_options_set_transforms(options, sizes.transforms));
        })
    }

    /// Of any kind, with the settings that `set` makes.
    pub fn with(file: &File, dtype: i32, set: impl FnOnce(*mut pcml_options)) -> Operator {
        let mut o = Operator { model: load(file), options: null_mut(), plan: null_mut(), workspace: null_mut() };
        unsafe {
            ok(pcml_options_create(&mut o.options));
            set(o.options);
            ok(pcml_plan_create(o.model, dtype, o.options, &mut o.plan));
            ok(pcml_plan_workspace(o.plan, &mut o.workspace));
        }
        o
    }

    pub fn predict(&self, input: &pcml_const_array, values: &[pcml_const_array], output: &pcml_array) -> i32 {
        let list = if values.is_empty() { null() } else { values.as_ptr() };
        unsafe { pcml_plan_predict(self.plan, self.workspace, input, list, values.len() as i64, output) }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        unsafe {
            pcml_workspace_free(self.workspace);
            pcml_plan_free(self.plan);
            pcml_options_free(self.options);
            pcml_model_free(self.model);
        }
    }
}

/// The model of a file.
pub fn load(file: &File) -> *mut pcml_model {
    let (bytes, mut model) = (file.bytes(), null_mut());
    ok(unsafe { pcml_model_load_bytes(bytes.as_ptr().cast(), bytes.len() as i64, &mut model) });
    model
}
