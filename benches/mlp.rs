//! A perceptron 60-128-128-60 with ReLU through the C interface, f32, one thread, at batches of 1 to 65,536 rows; and what a call costs beside
//! the arithmetic: a network of one weight. And the same prediction from and to five fields of a host (f64, levels before columns), against
//! a host that packs them into one array and unpacks the result. The rate of faer's product on the machine: `benches/peers/product`; peers in
//! other languages: `benches/peers/mlp.py`. `--save PATH` writes the model file and measures nothing.

#![allow(unsafe_code)]

#[path = "../tests/common/border.rs"]
mod border;
#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/networks.rs"]
mod networks;
#[path = "../tests/common/plans.rs"]
mod plans;
#[path = "common/turns.rs"]
mod turns;

use border::{input, ok, output};
use networks::{perceptron, plain_channels, random, uniform};
use pcml::capi::{pcml_array, pcml_const_array, pcml_options_set_batch, pcml_plan_predict_fields};
use serde_json::{Value, json};

const BATCHES: [usize; 5] = [1, 16, 256, 4096, 65_536];
const ROWS: usize = 60;

/// Seconds of a prediction with so many rows, in each round.
fn predict(file: &common::File, width: usize, rows: usize) -> Vec<f64> {
    let o = plans::Operator::with(file, 1, |options| ok(unsafe { pcml_options_set_batch(options, rows as i64) }));
    let x: Vec<f32> = uniform(1, 1, rows * width).iter().map(|v| *v as f32).collect();
    let mut y = vec![0f32; rows * width];
    let (x, y) = (input(&x, &[rows, width]), output(&mut y, &[rows, width]));
    let [times] = turns::turns(turns::rounds(31), |_| ok(o.predict(&x, &[], &y)));
    times
}

/// Fields of a host, and levels of each.
const FIELDS: usize = 5;
const LEVELS: usize = ROWS / FIELDS;

/// Seconds of a prediction of so many columns from and to fields, and of one through packed arrays, in turns.
fn fields(file: &common::File, columns: usize) -> [Vec<f64>; 2] {
    let o = plans::Operator::with(file, 1, |options| ok(unsafe { pcml_options_set_batch(options, columns as i64) }));
    let from: Vec<Vec<f64>> = (0..FIELDS as u64).map(|f| uniform(2, f, LEVELS * columns)).collect();
    let mut to = vec![vec![0f64; LEVELS * columns]; FIELDS];
    // Axis 0 of a descriptor is the column, axis 1 the level, which lies a field's width apart.
    let turned = [1, columns as i64, 0, 0, 0, 0, 0, 0];
    let inputs: Vec<_> =
        from.iter().map(|f| pcml_const_array { strides: turned, ..input(f, &[columns, LEVELS]) }).collect();
    let outputs: Vec<_> =
        to.iter_mut().map(|f| pcml_array { strides: turned, ..output(f, &[columns, LEVELS]) }).collect();
    let (count, none) = (FIELDS as i64, std::ptr::null());
    let (mut x, mut y) = (vec![0f32; ROWS * columns], vec![0f32; ROWS * columns]);
    turns::turns(turns::rounds(31), |who| {
        if who == 0 {
            ok(unsafe {
                pcml_plan_predict_fields(o.plan, o.workspace, inputs.as_ptr(), count, none, 0, outputs.as_ptr(), count)
            })
        } else {
            for (f, from) in from.iter().enumerate() {
                for (level, values) in from.chunks_exact(columns).enumerate() {
                    let into = x[f * LEVELS + level..].iter_mut().step_by(ROWS);
                    into.zip(values).for_each(|(x, v)| *x = *v as f32);
                }
            }
            ok(o.predict(&input(&x, &[columns, ROWS]), &[], &output(&mut y, &[columns, ROWS])));
            for (f, to) in to.iter_mut().enumerate() {
                for (level, values) in to.chunks_exact_mut(columns).enumerate() {
                    let out = y[f * LEVELS + level..].iter().step_by(ROWS);
                    values.iter_mut().zip(out).for_each(|(v, y)| *v = f64::from(*y));
                }
            }
        }
    })
}

fn main() {
    let network =
        perceptron(plain_channels("a", ROWS), &[128, 128], plain_channels("u", ROWS), json!("relu"), Value::Null);
    let file = random(&network, 1);
    if let Some(path) = std::env::args().skip_while(|argument| argument != "--save").nth(1) {
        return std::fs::write(&path, file.bytes()).expect("a model file");
    }
    let empty = random(&perceptron(plain_channels("a", 1), &[], plain_channels("u", 1), json!("relu"), Value::Null), 1);
    let overhead = predict(&empty, 1, 1);
    let times: Vec<Vec<f64>> = BATCHES.iter().map(|rows| predict(&file, ROWS, *rows)).collect();
    let [apart, packed] = fields(&file, 4096);
    let work = (ROWS * 128 + 128 * 128 + 128 * ROWS) as f64;
    println!("a call without arithmetic {:>8.0} ns", turns::median(&overhead) * 1e9);
    turns::record("a call without arithmetic", "pcml", &overhead, Value::Null);
    for (rows, times) in BATCHES.iter().zip(&times) {
        let (time, count) = (turns::median(times), *rows as f64);
        // Weights, and rows read and written.
        let bytes = 4.0 * (work + 2.0 * count * ROWS as f64);
        turns::record(&format!("mlp_{rows}"), "pcml", times, json!({"flops": 2.0 * count * work, "bytes": bytes}));
        println!("{rows:>6} rows {:>11.2} us  {:>6.1} GFLOP/s", time * 1e6, 2e-9 * count * work / time);
    }
    turns::record("4096 columns, from and to fields", "pcml", &apart, Value::Null);
    turns::record_beside("4096 columns, from and to fields", "packed by the host", &packed, &apart);
    let (apart, packed) = (turns::median(&apart) * 1e6, turns::median(&packed) * 1e6);
    println!(
        "  4096 columns from and to {FIELDS} fields {apart:.0} us, packed and unpacked by the host {packed:.0} us"
    );
}
