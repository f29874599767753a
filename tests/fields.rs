//! A model that reads and writes several fields of a host predicts what it predicts from one packed array, bit for bit.

mod common;
#[path = "common/networks.rs"]
mod networks;
#[path = "common/operators.rs"]
mod operators;

use common::File;
use networks::{channels, ensemble, perceptron, uniform};
use pcml::error::Status;
use pcml::field::{Dtype, Layout};
use pcml::model::{Model, Options, Plan};
use pcml::{View, ViewMut};
use proptest::prelude::*;
use serde_json::{Value, json};

fn load(file: &File) -> Model {
    Model::from_bytes(&file.bytes()).unwrap()
}

fn network(inputs: usize, outputs: usize) -> Value {
    perceptron(channels("a", inputs), &[9], channels("u", outputs), json!("tanh"), Value::Null)
}

fn operator(padding: &[usize], inputs: usize, outputs: usize) -> Value {
    let mut d = operators::plain(3, &vec![2; padding.len()], padding);
    d["inputs"] = operators::channels("a", inputs);
    d["outputs"] = operators::channels("u", outputs);
    d
}

/// Splits channels at random.
fn widths(channels: usize, seed: u64) -> Vec<usize> {
    let mut widths = vec![];
    let mut left = channels;
    for v in uniform(seed, 77, channels) {
        if left > 0 {
            let width = 1 + (v.abs() * 10.0) as usize % left;
            widths.push(width);
            left -= width;
        }
    }
    widths.extend((left > 0).then_some(left));
    widths
}

/// Fields of a packed array, whose memory holds channel after channel (as Fortran's last index), backwards along the rows.
struct Split {
    widths: Vec<usize>,
    memory: Vec<Vec<f64>>,
    places: Vec<usize>,
}

impl Split {
    fn new(places: &[usize], channels: usize, seed: u64) -> Self {
        let rows: usize = places.iter().product();
        let widths = widths(channels, seed);
        let memory = widths.iter().map(|w| vec![0.0; w * rows]).collect();
        Split { widths, memory, places: places.to_vec() }
    }

    fn of(packed: &[f64], places: &[usize], channels: usize, seed: u64) -> Self {
        let mut split = Split::new(places, channels, seed);
        split.each(channels, |to, from| *to = packed[from]);
        split
    }

    fn packed(&mut self, channels: usize) -> Vec<f64> {
        let rows: usize = self.places.iter().product();
        let mut packed = vec![0.0; rows * channels];
        self.each(channels, |from, to| packed[to] = *from);
        packed
    }

    fn each(&mut self, channels: usize, mut visit: impl FnMut(&mut f64, usize)) {
        let rows: usize = self.places.iter().product();
        let mut before = 0;
        for (width, memory) in self.widths.iter().zip(&mut self.memory) {
            for (i, v) in memory.iter_mut().enumerate() {
                visit(v, (rows - 1 - i % rows) * channels + before + i / rows);
            }
            before += width;
        }
    }

    fn layout(&self, width: usize) -> Layout {
        let rows: usize = self.places.iter().product();
        let (mut shape, mut strides) = (self.places.clone(), vec![]);
        let mut stride = rows as isize;
        for n in &self.places {
            stride /= *n as isize;
            strides.push(-stride);
        }
        if width > 1 {
            shape.push(width);
            strides.push(rows as isize);
        }
        Layout::new("field", &shape, &strides).unwrap()
    }

    fn views(&self) -> Vec<View<'_>> {
        let rows: usize = self.places.iter().product();
        let fields = self.widths.iter().zip(&self.memory);
        fields.map(|(w, m)| View::strided("field", m, rows - 1, self.layout(*w)).unwrap()).collect()
    }

    fn views_mut(&mut self) -> Vec<ViewMut<'_>> {
        let rows: usize = self.places.iter().product();
        let layouts: Vec<Layout> = self.widths.iter().map(|w| self.layout(*w)).collect();
        let memory = self.memory.iter_mut();
        memory.zip(layouts).map(|(m, l)| ViewMut::strided("field", m, rows - 1, l).unwrap()).collect()
    }
}

fn agrees(model: &Model, options: &Options, taken: &[usize], given: &[usize], seed: u64) {
    let (inputs, outputs) = (model.description().inputs.len(), model.description().outputs.len());
    let len = |places: &[usize]| places.iter().product::<usize>();
    let x = uniform(seed, 5, len(taken) * inputs);
    for dtype in [Dtype::F32, Dtype::F64] {
        let plan = Plan::new(model, dtype, options).unwrap();
        let mut workspace = plan.workspace().unwrap();
        let mut expected = vec![0.0; len(given) * outputs];
        plan.predict(
            &mut workspace,
            &View::new("x", &x, &[taken, &[inputs]].concat()).unwrap(),
            &[],
            &mut ViewMut::new("y", &mut expected, &[given, &[outputs]].concat()).unwrap(),
        )
        .unwrap();
        let from = Split::of(&x, taken, inputs, seed);
        let mut to = Split::new(given, outputs, seed + 1);
        plan.predict_fields(&mut workspace, &from.views(), &[], &mut to.views_mut()).unwrap();
        assert_eq!(to.packed(outputs), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn perceptrons(inputs in 1usize..12, outputs in 1usize..12, a in 1usize..30, b in 1usize..30, members in 1usize..3, seed in 0u64..1 << 40) {
        let d = network(inputs, outputs);
        let d = if members > 1 { ensemble(d, members) } else { d };
        let model = load(&networks::random(&d, seed));
        agrees(&model, &Options { batch: a * b, ..Options::default() }, &[a, b], &[a, b], seed);
    }

    #[test]
    fn operators_of_fields(
        axes in 1usize..3, batch in 1usize..3, inputs in 1usize..5, outputs in 1usize..4, members in 1usize..3, seed in 0u64..1 << 40,
    ) {
        let d = operator(&[1, 1][..axes], inputs, outputs);
        let grid = [7, 6][..axes].to_vec();
        let model = load(&operators::with_selftest(operators::random(&d, seed)));
        let options = Options { batch, shape: Some(grid.clone()), ..Options::default() };
        let places = [&[batch], &grid[..]].concat();
        agrees(&model, &options, &places, &places, seed);
        if members > 1 && inputs >= outputs {
            let options = Options { steps: 3, ..options };
            agrees(&model, &options, &places, &[&[batch, 3], &grid[..]].concat(), seed);
        }
    }
}

#[test]
fn fields_may_be_overwritten() {
    let model = load(&networks::random(&network(4, 4), 3));
    let plan = Plan::new(&model, Dtype::F64, &Options { batch: 6, ..Options::default() }).unwrap();
    let x = uniform(3, 5, 24);
    let mut expected = vec![0.0; 24];
    plan.predict(
        &mut plan.workspace().unwrap(),
        &View::new("x", &x, &[6, 4]).unwrap(),
        &[],
        &mut ViewMut::new("y", &mut expected, &[6, 4]).unwrap(),
    )
    .unwrap();
    // Both halves in one allocation, read and written; the host's border shares them by address.
    let mut both = x.clone();
    let alias = both.as_mut_ptr();
    let part = |at: usize| Layout::new("part", &[6, 2], &[4, 1]).map(|layout| (at, layout)).unwrap();
    let status = unsafe_fields(&plan, alias, [part(0), part(2)]);
    assert_eq!(status, Ok(()));
    assert_eq!(both, expected);
}

/// Reads and writes the same two fields.
#[allow(unsafe_code)]
fn unsafe_fields(plan: &Plan, data: *mut f64, parts: [(usize, Layout); 2]) -> Result<(), Status> {
    // SAFETY: the parts lie in the caller's array, apart from each other.
    let views = parts.map(|(at, l)| unsafe { View::from_raw(data.add(at).cast::<u8>(), Dtype::F64, l) });
    let mut outputs = parts.map(|(at, l)| unsafe { ViewMut::from_raw(data.add(at).cast::<u8>(), Dtype::F64, l) });
    let mut workspace = plan.workspace().unwrap();
    plan.predict_fields(&mut workspace, &views, &[], &mut outputs).map_err(|e| e.status())
}

#[test]
fn values_on_faces_and_logarithms() {
    let faces = json!(operators::pair(0, "dirichlet", 0.1));
    let d = operators::conditioned(operator(&[0], 2, 1), "exact", faces);
    let model = load(&operators::with_selftest(operators::random(&d, 4)));
    let plan = Plan::new(&model, Dtype::F64, &Options { shape: Some(vec![9]), ..Options::default() }).unwrap();
    let mut workspace = plan.workspace().unwrap();
    let (x, left, right) = (uniform(4, 5, 18), [0.25], [-0.5]);
    let values = [View::new("left", &left, &[1]).unwrap(), View::new("right", &right, &[1]).unwrap()];
    let mut expected = vec![0.0; 9];
    let packed = View::new("x", &x, &[9, 2]).unwrap();
    plan.predict(&mut workspace, &packed, &values, &mut ViewMut::new("y", &mut expected, &[9]).unwrap()).unwrap();
    let from = Split::of(&x, &[9], 2, 1);
    let mut y = vec![0.0; 9];
    let mut to = [ViewMut::new("y", &mut y, &[9]).unwrap()];
    plan.predict_fields(&mut workspace, &from.views(), &values, &mut to).unwrap();
    assert_eq!(y, expected);

    let mut d = network(3, 2);
    d["inputs"][1]["log"] = json!(true);
    let model = load(&networks::random(&d, 5));
    let plan = Plan::new(&model, Dtype::F64, &Options { batch: 4, ..Options::default() }).unwrap();
    let mut workspace = plan.workspace().unwrap();
    let (a, mut b, c, mut y) = ([0.5; 4], [1.0, 2.0, 3.0, 4.0], [0.1; 4], [0.0; 8]);
    for expected in [Ok(()), Err(Status::InvalidArgument)] {
        let views = [&a, &b, &c].map(|v| View::new("v", &v[..], &[4]).unwrap());
        let mut to = [ViewMut::new("y", &mut y, &[4, 2]).unwrap()];
        let outcome = plan.predict_fields(&mut workspace, &views, &[], &mut to).map_err(|e| e.status());
        assert_eq!(outcome, expected);
        b[2] = -1.0;
    }
}
