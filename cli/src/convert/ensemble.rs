//! Model files of one architecture with the same description as one: the ensemble whose members they are.

use std::path::Path;

use pcml::model::Model;
#[cfg(feature = "onnx")]
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::state::State;
use super::write::Output;
use super::{Report, Request, Stored, file, finish};
use crate::arrays::{Array, Arrays};
use crate::error::{Result, refuse};
use crate::inspect::Header;
use crate::predict::{How, evaluate};

/// Arrays of self-tests that are given to a model; the others are what it gives.
const GIVEN: [&str; 4] = ["input", "context_x", "context_y", "target_x"];

/// A member: its header and its tensors where they lie.
struct Member<'r> {
    path: &'r Path,
    header: Header,
    state: State,
}

pub fn convert(request: &Request) -> Result<Report> {
    if !request.set.is_empty()
        || !request.drop.is_empty()
        || !request.prefix.is_empty()
        || request.description.is_some()
    {
        return refuse!("kind ensemble takes model files alone: no --set, --drop, --prefix or --description");
    }
    let open = |path| Ok(Member { path, header: Header::read(path)?, state: State::open(path, "")? });
    let members: Vec<Member> = request.states.iter().map(|path| open(path)).collect::<Result<_>>()?;
    let Some(first) = members.first() else { return refuse!("no model file is given, expected the members") };
    if first.header.description["ensemble"].is_object() {
        return refuse!("{} is an ensemble itself, expected single models", first.path.display());
    }
    for member in &members[1..] {
        alike(first, member)?;
    }

    let selftest = selftest(&members)?;
    let tolerance = |member: &Member| member.header.description["selftest"]["tolerance"].as_f64().unwrap_or(0.0);
    let tolerance = members.iter().map(tolerance).fold(0.0, f64::max);
    let mut description = first.header.description.clone();
    description["ensemble"] = json!({"members": members.len()});
    description["selftest"] = json!({"tolerance": tolerance});
    let origin = |member: &Member| {
        let (name, digest) = file(member.path, member.state.bytes());
        json!({"file": name, "sha256": digest, "provenance": member.header.description["provenance"]})
    };
    description["provenance"] = json!({"converted": {
        "by": format!("pcml {}", env!("CARGO_PKG_VERSION")), "kind": request.kind.name(),
        "members": members.iter().map(origin).collect::<Vec<_>>(),
    }});

    let mut weights = Vec::new();
    for (m, member) in members.iter().enumerate() {
        for name in member.state.names().filter(|name| !name.starts_with("selftest.")) {
            weights.push(weight(format!("members.{m}.{name}"), &member.state, name)?);
        }
    }
    finish(request, &description, weights, selftest, tolerance)
}

/// A member's weight under another name.
fn weight<'s>(to: String, state: &'s State, name: &str) -> Result<Output<'s>> {
    #[cfg(feature = "onnx")]
    if name == pcml::model::onnx::TENSOR {
        let file = SafeTensors::deserialize(state.bytes()).and_then(|file| file.tensor(name));
        return match file {
            Ok(view) => Ok(Output::file(to, view.data())),
            Err(e) => refuse!("tensor {name}: {e}"),
        };
    }
    Ok(Output::copy(to, state.take(name)?))
}

/// Refuses a member with another description than the first: one file has one.
fn alike(first: &Member, member: &Member) -> Result<()> {
    let (a, b) = (&first.header.description, &member.header.description);
    let fields = |d: &Value| d.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let names = ["architecture".to_string()].into_iter().chain(fields(a)).chain(fields(b));
    for name in names.filter(|name| name != "provenance" && name != "selftest") {
        if a[&name] != b[&name] {
            return refuse!(
                "{} has {name} {}, expected {} as {}",
                member.path.display(),
                b[&name],
                a[&name],
                first.path.display()
            );
        }
    }
    Ok(())
}

/// The first member's inputs, and the mixture of what all members make of them: raw units.
fn selftest(members: &[Member]) -> Result<Vec<Stored>> {
    let first = &members[0];
    let stored = |name: &str| -> Result<Array> {
        let tensor = first.state.take(&format!("selftest.{name}"))?;
        Ok(Array { shape: tensor.shape.clone(), values: tensor.values(), double: true })
    };
    let names = first.state.names().filter_map(|name| name.strip_prefix("selftest."));
    let names = names.filter(|name| GIVEN.contains(name) || name.starts_with("face."));
    let given: Arrays = names.map(|name| Ok((name.to_string(), stored(name)?))).collect::<Result<_>>()?;
    let mut results = Vec::new();
    for member in members {
        let model = Model::load(member.path)?;
        results.push(evaluate(&model, &How::default(), &mut given.clone(), member.path)?);
    }

    // Law of total variance.
    let mean_of = |result: &Arrays| result.get("mean").or(result.get("output")).cloned().expect("a prediction");
    let means: Vec<Array> = results.iter().map(mean_of).collect();
    let share = 1.0 / members.len() as f64;
    let over = |value: &dyn Fn(usize) -> f64| (0..members.len()).map(value).sum::<f64>() * share;
    let len = means[0].values.len();
    let mean: Vec<f64> = (0..len).map(|i| over(&|m| means[m].values[i])).collect();
    let within = |m: usize, i: usize| results[m].get("variance").map_or(0.0, |v| v.values[i]);
    let variance = (0..len).map(|i| over(&|m| within(m, i) + (means[m].values[i] - mean[i]).powi(2))).collect();

    // Names as the architecture's self-test has them.
    let has_output = first.state.has("selftest.output");
    let shape = means[0].shape.clone();
    let mut all: Vec<Stored> = given.into_iter().map(|(name, a)| Stored::new(&name, a.shape, a.values)).collect();
    all.push(Stored::new(if has_output { "output" } else { "mean" }, shape.clone(), mean));
    if !["fno", "onnx"].iter().any(|name| first.header.description["architecture"] == *name) {
        all.push(Stored::new("variance", shape, variance));
    }
    Ok(all)
}
