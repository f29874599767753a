//! Norms of a Fourier layer, which the library finds from sums over modes, against those of the points themselves.

mod common;
#[path = "common/operators.rs"]
mod operators;

use common::File;
use operators::{channels, plain, random, waves};
use pcml::field::Element;
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use serde_json::json;

const WIDTH: usize = 4;
const EPS: f64 = 1e-2;

/// One layer without activations or padding, whose `WIDTH` channels come out as they are.
fn layer(modes: &[usize], kind: Option<&str>, odd_shift: bool) -> File {
    let mut description = plain(WIDTH, modes, &vec![0; modes.len()]);
    let fno = &mut description["fno"];
    fno["blocks"] = json!(1);
    fno["projection"] = json!([]);
    fno["activation"] = json!("identity");
    fno["spectral_bias"] = json!(true);
    fno["odd_shift"] = json!(odd_shift);
    if let Some(kind) = kind {
        let groups = if kind == "group" { 2 } else { 1 };
        fno["norm"] = json!({"kind": kind, "groups": groups, "eps": EPS});
    }
    description["outputs"] = channels("u", WIDTH);
    let mut file = random(&description, 11);
    let identity = (0..WIDTH * WIDTH).map(|i| if i % (WIDTH + 1) == 0 { 1.0 } else { 0.0 }).collect();
    file.tensors.insert("projection.0.weight".into(), (vec![WIDTH, WIDTH], identity));
    file.tensors.insert("projection.0.bias".into(), (vec![WIDTH], vec![0.0; WIDTH]));
    // Waves of the size of a bias.
    file.tensors.get_mut("blocks.0.spectral.weight").unwrap().1.iter_mut().for_each(|v| *v *= 8.0);
    file
}

fn predict<T: Element + Into<f64>>(file: &File, shape: &[usize]) -> Vec<f64> {
    let model = Model::from_bytes_untested(&file.bytes()).unwrap();
    let plan = Plan::new(&model, T::DTYPE, &Options { shape: Some(shape.to_vec()), ..Options::default() }).unwrap();
    let nodes: usize = shape.iter().product();
    let (x, mut y) = (waves(nodes, 0.2), vec![T::default(); nodes * WIDTH]);
    let [x_shape, y_shape] = [1, WIDTH].map(|channels| [shape, &[channels]].concat());
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::new("x", &x, &x_shape).unwrap(),
        &[],
        &mut ViewMut::new("y", &mut y, &y_shape).unwrap(),
    )
    .unwrap();
    y.into_iter().map(Into::into).collect()
}

/// A file with some weights set to zero.
fn without(file: &File, names: &[&str]) -> File {
    let mut file = file.clone();
    names.iter().for_each(|name| file.tensors.get_mut(*name).unwrap().1.fill(0.0));
    file
}

/// Each channel over its group's points: mean 0 and variance 1, then a factor and a shift.
fn normalise(field: &mut [f64], groups: usize, weights: Option<(&[f64], &[f64])>) {
    let each = WIDTH / groups;
    for group in 0..groups {
        let members = || (0..field.len()).filter(move |i| i % WIDTH / each == group);
        let count = members().count() as f64;
        let mean = members().map(|i| field[i]).sum::<f64>() / count;
        let variance = members().map(|i| (field[i] - mean).powi(2)).sum::<f64>() / count;
        for i in members().collect::<Vec<_>>() {
            let (factor, shift) = weights.map_or((1.0, 0.0), |(f, s)| (f[i % WIDTH], s[i % WIDTH]));
            field[i] = (field[i] - mean) / (variance + EPS).sqrt() * factor + shift;
        }
    }
}

#[test]
fn norms_are_those_of_the_points() {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[5], &[12]),
        (&[7], &[12]),
        (&[5, 4], &[9, 10]),
        (&[4, 3], &[7, 8]),
        (&[3, 4, 3], &[5, 6, 7]),
        (&[1, 2], &[7, 8]),
        (&[7, 1], &[7, 6]),
    ];
    for (modes, shape) in cases {
        for (kind, groups) in [("instance", WIDTH), ("group", 2)] {
            for odd_shift in [false, true] {
                let file = layer(modes, Some(kind), odd_shift);
                let mut bare = layer(modes, None, odd_shift);
                for (name, tensor) in bare.tensors.iter_mut() {
                    *tensor = file.tensors[name].clone();
                }
                let skip =
                    predict::<f64>(&without(&bare, &["blocks.0.spectral.weight", "blocks.0.spectral.bias"]), shape);
                let mut field = predict::<f64>(&without(&bare, &["blocks.0.skip.weight", "blocks.0.skip.bias"]), shape);
                let weights = |place: usize| {
                    let of = |part: &str| file.tensors.get(&format!("blocks.0.norm.{place}.{part}")).map(|t| &t.1[..]);
                    of("weight").zip(of("bias"))
                };
                normalise(&mut field, groups, weights(0));
                field.iter_mut().zip(&skip).for_each(|(v, s)| *v += s);
                normalise(&mut field, groups, weights(1));
                let size = field.iter().fold(0f64, |m, v| m.max(v.abs()));
                for (found, tolerance) in [(predict::<f64>(&file, shape), 1e-12), (predict::<f32>(&file, shape), 1e-4)]
                {
                    let apart = found.iter().zip(&field).fold(0f64, |m, (a, b)| m.max((a - b).abs()));
                    assert!(apart <= tolerance * size, "{modes:?} on {shape:?}, {kind}, shift {odd_shift}: {apart:e}");
                }
            }
        }
    }
}
