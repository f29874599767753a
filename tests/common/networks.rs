//! Perceptrons, DeepONets and ensembles with random weights, and what the textbook makes of them.
#![allow(dead_code)]

use pcml::kernels::random::Philox;
use serde_json::{Value, json};

use crate::common::{File, Tensors};

/// `count` uniform values in [-1, 1) of a stream.
pub fn uniform(seed: u64, stream: u64, count: usize) -> Vec<f64> {
    let philox = Philox::new(seed);
    (0..count).map(|i| philox.word(stream, i as u64) as f64 / 2f64.powi(31) - 1.0).collect()
}

/// Channels with offsets and scales of their own.
pub fn channels(name: &str, count: usize) -> Value {
    (0..count)
        .map(|i| json!({"name": format!("{name}{i}"), "unit": "K", "offset": 0.25 * i as f64 - 0.5, "scale": 0.5 + 0.25 * i as f64}))
        .collect()
}

/// Channels whose raw values are the network's.
pub fn plain_channels(name: &str, count: usize) -> Value {
    (0..count).map(|i| json!({"name": format!("{name}{i}"), "unit": "1"})).collect()
}

/// A perceptron through hidden layers, and whether it gives variances.
pub fn perceptron(inputs: Value, hidden: &[usize], outputs: Value, activation: Value, head: Value) -> Value {
    let mut description = json!({
        "format": 1, "architecture": "mlp",
        "mlp": {"hidden": hidden, "activation": activation},
        "inputs": inputs, "outputs": outputs,
        "selftest": {"tolerance": 1e-12},
    });
    if head.is_object() {
        description["mlp"]["head"] = head;
    }
    description
}

/// A DeepONet of one function channel.
pub fn deeponet(inputs: Value, outputs: Value, sensors: usize, latent: usize, shared_trunk: bool) -> Value {
    json!({
        "format": 1, "architecture": "deeponet",
        "deeponet": {
            "functions": channels("f", 2), "sensors": sensors, "latent": latent, "branch": [12, 9], "trunk": [11],
            "branch_activation": "relu", "trunk_activation": "tanh", "trunk_output_activation": "tanh", "shared_trunk": shared_trunk,
        },
        "inputs": inputs, "outputs": outputs,
        "selftest": {"tolerance": 1e-12},
    })
}

/// The description as one of an ensemble.
pub fn ensemble(mut description: Value, members: usize) -> Value {
    description["ensemble"] = json!({"members": members});
    description
}

fn list(v: &Value) -> Vec<usize> {
    v.as_array().map_or(vec![], |list| list.iter().map(|n| n.as_u64().unwrap() as usize).collect())
}

fn len(v: &Value) -> usize {
    v.as_array().unwrap().len()
}

fn members(d: &Value) -> Vec<String> {
    match d["ensemble"]["members"].as_u64() {
        Some(count) => (0..count).map(|m| format!("members.{m}.")).collect(),
        None => vec![String::new()],
    }
}

/// Widths of all layers of each network of a model.
fn networks(d: &Value) -> Vec<(String, Vec<usize>)> {
    let (inputs, outputs) = (len(&d["inputs"]), len(&d["outputs"]));
    if d["architecture"] == "mlp" {
        let last = if d["mlp"]["head"].is_object() { 2 * outputs } else { outputs };
        return vec![("layers".into(), [&[inputs][..], &list(&d["mlp"]["hidden"]), &[last]].concat())];
    }
    let n = &d["deeponet"];
    let (sensors, latent) = (n["sensors"].as_u64().unwrap() as usize, n["latent"].as_u64().unwrap() as usize);
    let features = if n["shared_trunk"] == true { latent } else { latent * outputs };
    vec![
        ("branch".into(), [&[sensors * len(&n["functions"])][..], &list(&n["branch"]), &[latent * outputs]].concat()),
        ("trunk".into(), [&[inputs][..], &list(&n["trunk"]), &[features]].concat()),
    ]
}

/// A model of a description with random weights in f32 precision, and as self-test what the textbook makes of random inputs.
pub fn random(d: &Value, seed: u64) -> File {
    let mut tensors = Tensors::new();
    let mut stream = 100;
    let mut put = |name: String, shape: Vec<usize>, scale: f64| {
        stream += 1;
        let values = uniform(seed, stream, shape.iter().product());
        tensors.insert(name, (shape, values.into_iter().map(|v| (v * scale) as f32 as f64).collect()));
    };
    for prefix in members(d) {
        for (name, widths) in networks(d) {
            for (i, pair) in widths.windows(2).enumerate() {
                put(format!("{prefix}{name}.{i}.weight"), vec![pair[1], pair[0]], 1.5 * (pair[0] as f64).powf(-0.5));
                put(format!("{prefix}{name}.{i}.bias"), vec![pair[1]], 0.3);
            }
        }
        if d["architecture"] == "deeponet" {
            put(format!("{prefix}bias"), vec![len(&d["outputs"])], 0.3);
        }
    }
    let mut file = File { metadata: Default::default(), tensors };
    file.describe(d.clone());
    let inputs = len(&d["inputs"]);
    let (rows, outputs) = (5, len(&d["outputs"]));
    let put = |file: &mut File, name: &str, shape: &[usize], values: Vec<f64>| {
        file.tensors.insert(format!("selftest.{name}"), (shape.to_vec(), values));
    };
    let x: Vec<f64> = uniform(seed, 1, rows * inputs).iter().map(|v| 1.5 + v).collect();
    if d["architecture"] == "mlp" {
        let (mean, variance) = textbook(&file, &x);
        put(&mut file, "input", &[rows, inputs], x);
        put(&mut file, "output", &[rows, outputs], mean);
        if has_variance(d) {
            put(&mut file, "variance", &[rows, outputs], variance);
        }
        return file;
    }
    let n = &d["deeponet"];
    let (sensors, width) = (n["sensors"].as_u64().unwrap() as usize, len(&n["functions"]));
    let u = uniform(seed, 2, 2 * sensors * width);
    let (mean, variance) = textbook_operator(&file, &u, &x, 2);
    put(&mut file, "context_y", &[2, sensors, width], u);
    put(&mut file, "target_x", &[1, rows, inputs], x);
    put(&mut file, "mean", &[2, rows, outputs], mean);
    if has_variance(d) {
        put(&mut file, "variance", &[2, rows, outputs], variance);
    }
    file
}

fn has_variance(d: &Value) -> bool {
    d["ensemble"].is_object() || d["mlp"]["head"].is_object()
}

fn activation(name: &str, x: f64) -> f64 {
    match name {
        "relu" => x.max(0.0),
        "tanh" => x.tanh(),
        "gelu" => 0.5 * x * libm_erfc(-x / 2f64.sqrt()),
        "elu" => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        "leaky-relu" => {
            if x > 0.0 {
                x
            } else {
                0.01 * x
            }
        }
        "silu" => x / (1.0 + (-x).exp()),
        "sigmoid" => 1.0 / (1.0 + (-x).exp()),
        "softplus" => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        "identity" => x,
        other => panic!("{other}"),
    }
}

/// erfc by its continued fraction and series.
fn libm_erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - libm_erfc(-x);
    }
    let scale = 2.0 / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / n as f64;
            sum += term / (2 * n + 1) as f64;
        }
        return 1.0 - scale * sum;
    }
    let tail = (1..200).rev().fold(x, |tail, k| x + 0.5 * k as f64 / tail);
    (-x * x).exp() / (std::f64::consts::PI.sqrt() * tail)
}

/// Channel `i` of raw values as the network sees it.
fn seen(channels: &Value, i: usize, raw: f64) -> f64 {
    let c = &channels[i];
    let raw = if c["log"] == true { (raw + c["shift"].as_f64().unwrap_or(0.0)).ln() } else { raw };
    (raw - c["offset"].as_f64().unwrap_or(0.0)) / c["scale"].as_f64().unwrap_or(1.0)
}

/// A network value's mean and variance in raw units.
fn told(channels: &Value, i: usize, mean: f64, variance: f64) -> (f64, f64) {
    let c = &channels[i];
    let scale = c["scale"].as_f64().unwrap_or(1.0);
    let (mean, variance) = (c["offset"].as_f64().unwrap_or(0.0) + scale * mean, scale * scale * variance);
    if c["log"] != true {
        return (mean, variance);
    }
    let middle = (mean + 0.5 * variance).exp();
    (middle - c["shift"].as_f64().unwrap_or(0.0), middle * middle * variance.exp_m1())
}

/// One network on one row.
fn network(file: &File, name: &str, activations: &[String], x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    for (i, f) in activations.iter().enumerate() {
        let (shape, weight) = &file.tensors[&format!("{name}.{i}.weight")];
        let (_, bias) = &file.tensors[&format!("{name}.{i}.bias")];
        x = (0..shape[0])
            .map(|o| {
                let row = &weight[o * shape[1]..(o + 1) * shape[1]];
                activation(f, bias[o] + row.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>())
            })
            .collect();
    }
    x
}

fn activations(hidden: &Value, names: &Value, last: &Value) -> Vec<String> {
    let word = |v: &Value| v.as_str().unwrap().to_string();
    let mut all: Vec<String> = match names.as_array() {
        Some(each) => each.iter().map(word).collect(),
        None => vec![word(names); len(hidden)],
    };
    all.push(last.as_str().unwrap_or("identity").to_string());
    all
}

/// Means and variances of a perceptron, or of an ensemble of them, at rows of raw inputs.
pub fn textbook(file: &File, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let d = file.description();
    let (inputs, outputs) = (len(&d["inputs"]), len(&d["outputs"]));
    let functions = activations(&d["mlp"]["hidden"], &d["mlp"]["activation"], &d["mlp"]["output_activation"]);
    let head = &d["mlp"]["head"];
    let member = |prefix: &String| {
        let (mut means, mut variances) = (vec![], vec![]);
        for row in x.chunks(inputs) {
            let row: Vec<f64> = row.iter().enumerate().map(|(i, v)| seen(&d["inputs"], i, *v)).collect();
            let result = network(file, &format!("{prefix}layers"), &functions, &row);
            for o in 0..outputs {
                let spread = if head.is_object() {
                    let raw = result[outputs + o];
                    let positive = if head["function"] == "exp" { raw.exp() } else { activation("softplus", raw) };
                    let spread = positive + head["minimum"].as_f64().unwrap_or(0.0);
                    if head["of"] == "deviation" { spread * spread } else { spread }
                } else {
                    0.0
                };
                let (mean, variance) = told(&d["outputs"], o, result[o], spread);
                means.push(mean);
                variances.push(variance);
            }
        }
        (means, variances)
    };
    mixture(&members(&d).iter().map(member).collect::<Vec<_>>())
}

/// Outputs of a DeepONet, or of an ensemble of them: [functions, points, outputs].
pub fn textbook_operator(file: &File, u: &[f64], x: &[f64], functions: usize) -> (Vec<f64>, Vec<f64>) {
    let d = file.description();
    let n = &d["deeponet"];
    let (inputs, outputs, width) = (len(&d["inputs"]), len(&d["outputs"]), len(&n["functions"]));
    let p = n["latent"].as_u64().unwrap() as usize;
    let branch = activations(&n["branch"], &n["branch_activation"], &Value::Null);
    let trunk = activations(&n["trunk"], &n["trunk_activation"], &n["trunk_output_activation"]);
    let member = |prefix: &String| {
        let mut means = vec![];
        for u in u.chunks(u.len() / functions) {
            let u: Vec<f64> = u.iter().enumerate().map(|(i, v)| seen(&n["functions"], i % width, *v)).collect();
            let b = network(file, &format!("{prefix}branch"), &branch, &u);
            for x in x.chunks(inputs) {
                let x: Vec<f64> = x.iter().enumerate().map(|(i, v)| seen(&d["inputs"], i, *v)).collect();
                let t = network(file, &format!("{prefix}trunk"), &trunk, &x);
                for o in 0..outputs {
                    let basis = if n["shared_trunk"] == true { 0 } else { o * p };
                    let sum: f64 = (0..p).map(|k| b[o * p + k] * t[basis + k]).sum();
                    let bias = file.tensors[&format!("{prefix}bias")].1[o];
                    means.push(told(&d["outputs"], o, sum + bias, 0.0).0);
                }
            }
        }
        let variances = vec![0.0; means.len()];
        (means, variances)
    };
    mixture(&members(&d).iter().map(member).collect::<Vec<_>>())
}

/// Mean and variance of the equal-weight mixture.
pub fn mixture(members: &[(Vec<f64>, Vec<f64>)]) -> (Vec<f64>, Vec<f64>) {
    let count = members.len() as f64;
    let n = members[0].0.len();
    let mean: Vec<f64> = (0..n).map(|i| members.iter().map(|m| m.0[i]).sum::<f64>() / count).collect();
    let variance = (0..n).map(|i| members.iter().map(|m| m.1[i] + (m.0[i] - mean[i]).powi(2)).sum::<f64>() / count);
    let variance = variance.collect();
    (mean, variance)
}
