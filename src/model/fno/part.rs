//! A neural operator on a grid that lies in parts, one in each process.
//!
//! Each part has whole blocks of points ([`layout`]), evaluates the network there, and adds up what its points give to the kept modes,
//! block by block. Parts share those sums alone, as integers ([`message`]), so every part knows all kept modes and what a point
//! becomes has the same bits whoever has the block. Sums over blocks are rounded in another order than in a [`Plan`](crate::model::Plan),
//! from which results differ by rounding.
//!
//! A call is a conversation: a part writes a message, the host adds the messages of all parts as integers, every part reads the sum.
//! First how each part fares and what all must agree on; with conditions that read other nodes the input there; for each layer the
//! size of the largest value, then the sums; last whether all results are finite. Only then does anyone write.

mod evaluate;
mod layout;
mod message;

use std::sync::atomic::{AtomicU64, Ordering};

use self::evaluate::FaceSums;
use self::layout::Layout;
use self::message::{Cover, SIZES, TAIL};
use super::{Fno, Scratch, correct};
use crate::error::{Error, Result, Status, collected, fail, zeros};
use crate::field::Dtype;
use crate::kernels::fourier::Axis;
use crate::kernels::real::Real;
use crate::kernels::shared::Shared;
use crate::kernels::strided::{View, ViewMut};
use crate::model::arrays::expect_extents;
use crate::model::boundary::GridBoundary;
use crate::model::description::Architecture;
use crate::model::{Model, Options, Transforms};
use crate::reduce::agree::{HELLO, digest, heed, hello};

/// Most blocks of a grid.
const MOST_BLOCKS: usize = 1 << 30;

/// One part of a neural operator on a grid in parts: immutable. The model it was made from may go.
pub struct OperatorPart(Kind);

enum Kind {
    F32(Box<PartOf<f32>>),
    F64(Box<PartOf<f64>>),
}

/// Working memory of one part and the state of its conversation. One for each thread.
pub struct OperatorScratch(Memory);

enum Memory {
    F32(Box<ScratchOf<f32>>),
    F64(Box<ScratchOf<f64>>),
}

/// Calls the same on either arithmetic.
macro_rules! either {
    ($part:expr, $scratch:expr, ($p:ident, $s:ident) => $call:expr) => {
        match (&$part.0, &mut $scratch.0) {
            (Kind::F32($p), Memory::F32($s)) => $call,
            (Kind::F64($p), Memory::F64($s)) => $call,
            _ => foreign(),
        }
    };
}

fn foreign<R>() -> Result<R> {
    fail!(Mismatch, "scratch belongs to another part, expected one made by this one")
}

impl OperatorPart {
    /// The part that has the blocks `owned`, in any order: block i is points i `block` to (i + 1) `block` of the grid in C order, less
    /// where the grid ends. Model, arithmetic, options and `block` are the same on all parts, and each block is some part's. Blocks of
    /// fewer points than the model has modes on all axes but the last cost more than the points themselves. Option threads serves the
    /// kept modes alone.
    ///
    /// Errors: those of [`Plan::new`](crate::model::Plan::new); InvalidArgument (a block of no points, blocks that are none, twice there
    /// or beyond the grid, options batch, steps and transforms); State (a model that is no neural operator, or one with norm, whose statistics are
    /// over all points); TooLarge (more than 2^30 blocks).
    pub fn new(
        model: &Model,
        arithmetic: Dtype,
        options: &Options,
        block: usize,
        owned: &[usize],
    ) -> Result<OperatorPart> {
        Ok(OperatorPart(match arithmetic {
            Dtype::F32 => Kind::F32(Box::new(PartOf::new(model, options, block, owned)?)),
            Dtype::F64 => Kind::F64(Box::new(PartOf::new(model, options, block, owned)?)),
        }))
    }

    /// Allocates all that a call needs.
    pub fn scratch(&self) -> Result<OperatorScratch> {
        Ok(OperatorScratch(match &self.0 {
            Kind::F32(p) => Memory::F32(Box::new(p.scratch()?)),
            Kind::F64(p) => Memory::F64(Box::new(p.scratch()?)),
        }))
    }

    /// Points of the caller's grid that this part has.
    pub fn points(&self) -> usize {
        match &self.0 {
            Kind::F32(p) => p.layout.own_nodes,
            Kind::F64(p) => p.layout.own_nodes,
        }
    }

    /// [`Plan::predict`](crate::model::Plan::predict) for one function on a grid in parts: every part calls it with its own points.
    ///
    /// Shapes: `input` [own points, inputs], `output` [own points, outputs], points in C order; axes of extent 1 may be left out.
    /// `values`: as there, of the whole faces and the same on all parts.
    ///
    /// The bits do not depend on which part has which block, nor on the order of the parts or in which they are added.
    /// `reduction` is called equally often and with equal counts on all parts: for 52 integers, with conditions that read other nodes
    /// for the inputs near faces, then for each layer for some hundreds and for one integer a component of the kept modes. An error of any
    /// part, other than one of its reduction, is the status of all; the text says what is wrong where it is wrong.
    ///
    /// The last call comes before the first write: after an error, one of the reduction included, the output is as before. Where a
    /// reduction fails on some parts only, the others may have written. Allocates nothing.
    ///
    /// Errors: as [`Plan::predict`](crate::model::Plan::predict); Mismatch (model, options, block or values differ between parts,
    /// or the parts' blocks do not make the grid); Reduction.
    pub fn predict(
        &self,
        scratch: &mut OperatorScratch,
        input: &View,
        values: &[View],
        output: &mut ViewMut,
        reduction: &mut dyn FnMut(&mut [i64]) -> Result<()>,
    ) -> Result<()> {
        either!(self, scratch, (p, s) => p.predict(s, input, values, output, reduction))
    }

    /// The first step of [`OperatorPart::predict`] in steps: reads the arrays; afterwards [`OperatorScratch::message`] is this part's.
    /// `dtype`: of the output. The caller replaces the message by its sum over all parts and calls [`OperatorPart::advance`], as long as
    /// that says so, then [`OperatorPart::finish`]. What is wrong with this part's arrays is told there, to all parts at once.
    ///
    /// Errors: Mismatch (scratch of another part).
    pub fn begin(&self, scratch: &mut OperatorScratch, input: &View, values: &[View], dtype: Dtype) -> Result<()> {
        either!(self, scratch, (p, s) => p.begin(s, input, values, dtype, Ok(())))
    }

    /// Reads the sums over all parts in [`OperatorScratch::message`] and writes the next message: true, or false when all is said and
    /// the results wait.
    ///
    /// Errors: as [`OperatorPart::predict`]; State when nothing is under way. After an error the conversation is over.
    pub fn advance(&self, scratch: &mut OperatorScratch) -> Result<bool> {
        either!(self, scratch, (p, s) => p.advance(s))
    }

    /// Writes the results at this part's points, [own points, outputs].
    ///
    /// Errors: State before all is said, or for another dtype than it began with; Shape.
    pub fn finish(&self, scratch: &mut OperatorScratch, output: &mut ViewMut) -> Result<()> {
        either!(self, scratch, (p, s) => p.finish(s, output))
    }
}

impl OperatorScratch {
    /// What this part has to say, to be replaced by the sums over all parts; empty when nothing is left to say.
    pub fn message(&mut self) -> &mut [i64] {
        match &mut self.0 {
            Memory::F32(s) => &mut s.message[..s.len],
            Memory::F64(s) => &mut s.message[..s.len],
        }
    }
}

/// A part in one arithmetic.
struct PartOf<T> {
    id: u64,
    fno: Fno<T>,
    layout: Layout,
    /// This part's blocks, and those of all parts.
    cover: Cover,
    all: Cover,
    /// Sums of a message: of all components, and of the faces that have a correction.
    components: usize,
    faces: Vec<FaceSums>,
    sums: usize,
    /// Digests of what must be the same on all parts.
    words: [u64; 2],
}

/// Where the conversation is: what the message is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Idle,
    Hello,
    /// Inputs that other parts' conditions read.
    Inputs,
    /// The size of what enters a layer.
    Size(usize),
    /// The sums of a layer.
    Sums(usize),
    /// Whether the results are finite.
    Results,
    /// The results wait.
    Done,
}

struct ScratchOf<T> {
    owner: u64,
    stage: Stage,
    error: Option<Error>,
    message: Vec<i64>,
    len: usize,
    dtype: Dtype,
    /// Modes and components of the whole.
    inner: Scratch<T>,
    /// Inputs in network units, those of ghosts included, and those that are told.
    input: Vec<T>,
    told: Vec<f64>,
    /// [points, width].
    field: Vec<T>,
    /// [nodes, outputs], raw units.
    result: Vec<f64>,
    /// Components along the last axis of a few lines.
    terms: Vec<T>,
    /// Components along the last two of three axes, of a few planes.
    between: Vec<T>,
    /// Sums of one block: of all components, and of faces, some of which it touches.
    sums: Vec<T>,
    faces: Vec<T>,
    touched: Vec<bool>,
    step: i32,
    face_steps: Vec<i32>,
    buffers: Vec<T>,
}

impl<T> ScratchOf<T> {
    fn end(&mut self) {
        (self.stage, self.len) = (Stage::Idle, 0);
    }
}

impl<T: Real> PartOf<T> {
    fn new(model: &Model, options: &Options, block: usize, owned: &[usize]) -> Result<Self> {
        if model.description().architecture != Architecture::Fno {
            return fail!(State, "the model is no neural operator");
        }
        if !model.members().is_empty() {
            return fail!(
                State,
                "the model is an ensemble, expected a single neural operator, or a part for each member"
            );
        }
        for (name, value) in [("batch", options.batch), ("steps", options.steps)] {
            if value != 1 {
                return fail!(InvalidArgument, "option {name} is {value}, expected 1 for parts");
            }
        }
        if block == 0 {
            return fail!(InvalidArgument, "block is 0, expected at least 1 point");
        }
        if options.transforms == Transforms::Fft {
            return fail!(InvalidArgument, "option transforms is fft, expected auto or matrix for parts");
        }
        // A part has some points of a line alone.
        let fno = Fno::<T>::new(model, &Options { transforms: Transforms::Matrix, ..options.clone() })?;
        if fno.numbers.norm.is_some() {
            return fail!(State, "the model has fno.norm, whose statistics parts do not share");
        }
        let count = fno.nodes().div_ceil(block);
        if count > MOST_BLOCKS {
            return fail!(TooLarge, "the grid has {count} blocks of {block} points, expected at most {MOST_BLOCKS}");
        }
        let mut blocks = collected(owned.iter().copied(), "a part's blocks")?;
        blocks.sort_unstable();
        if blocks.is_empty() {
            return fail!(InvalidArgument, "owned has no block, expected at least one");
        }
        if let Some(b) = blocks.last().filter(|b| **b >= count) {
            return fail!(InvalidArgument, "owned has block {b}, expected below {count}");
        }
        if let Some(pair) = blocks.windows(2).find(|pair| pair[0] == pair[1]) {
            return fail!(InvalidArgument, "owned has block {} twice, expected each once", pair[0]);
        }
        let layout = Layout::new(&fno, block, count, &blocks)?;
        let last = fno.axes.len() - 1;
        let (w, used) = (fno.numbers.width, fno.axes[last].rows() * fno.numbers.width);
        let components = fno.axes[..last].iter().map(Axis::rows).product::<usize>() * used;
        let (mut faces, mut sums, mut start) = (Vec::new(), components, 0);
        let corrected = fno.boon.iter().flat_map(|boon| boon.pairs.iter().zip(&fno.blocks[0].kernels).enumerate());
        for (pair, (of, kernel)) in corrected {
            let nodes =
                fno.axes.iter().enumerate().filter(|(axis, _)| *axis != of.axis).map(|(_, a)| a.points).product();
            let len = fno.face_len(of.axis);
            // Rows of components along the last axis, unless that is the one that the face is normal to.
            let (used, stride) = if of.axis == last { (w, w) } else { (used, fno.row) };
            for (side, place) in [0, fno.axes[of.axis].points - 1].into_iter().enumerate() {
                let rows = len / stride;
                let (axis, message) = (of.axis, sums);
                faces.push(FaceSums { pair, axis, place, side, rows, used, stride, nodes, start, message });
                sums += if kernel.is_some() { rows * used } else { 0 };
                start += len;
            }
            if kernel.is_none() {
                faces.truncate(faces.len() - 2);
            }
        }
        let text = model.description_text().bytes().map(u64::from);
        let weights = model.tensors.values().flat_map(|tensor| tensor.to_f64()).map(f64::to_bits);
        let of_model = digest(text.chain([T::PANEL as u64]).chain([fold(weights)]));
        let conditions = fno.boon.as_ref().map_or(String::new(), |boon| format!("{:?}", boon.outer));
        let sizes = fno.grid.iter().chain([&block]).map(|n| *n as u64);
        let of_grid = digest(sizes.chain(conditions.bytes().map(u64::from)));
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(PartOf {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            cover: Cover::of(blocks.iter().copied()),
            all: Cover::of(0..count),
            layout,
            components,
            faces,
            sums,
            words: [of_model, of_grid],
            fno,
        })
    }

    /// Allocates all that a call needs.
    fn scratch(&self) -> Result<ScratchOf<T>> {
        let (fno, layout) = (&self.fno, &self.layout);
        let what = "a workspace";
        let (w, row, d) = (fno.numbers.width, fno.row, fno.axes.len());
        let many = |counts: &[usize]| zeros::<T>(counts.iter().fold(1usize, |len, n| len.saturating_mul(*n)), what);
        let rows: Vec<usize> = fno.axes.iter().zip(&fno.back).map(|(a, b)| a.rows().max(b.rows())).collect();
        let outer: usize = rows[..d - 1].iter().product();
        let given = |conditions: Option<&GridBoundary>| conditions.map_or(0, |c| c.value_len(fno.outputs.len()));
        let boon = fno.boon.as_ref();
        let message = [HELLO, layout.told * fno.inputs.len() + TAIL, SIZES + TAIL, self.sums + 1 + TAIL];
        Ok(ScratchOf {
            owner: self.id,
            stage: Stage::Idle,
            error: None,
            message: zeros(message.into_iter().fold(0, usize::max), what)?,
            len: 0,
            dtype: Dtype::F64,
            inner: Scratch {
                input: vec![],
                given: zeros(given(boon.map(|b| &b.outer)), what)?,
                inside: zeros(given(boon.map(|b| &b.inner)), what)?,
                output: vec![],
                field: Shared::uniform(0, 0, what)?,
                sums: Shared::uniform(0, 0, what)?,
                edges: Shared::uniform(0, 0, what)?,
                result: Shared::uniform(0, 0, what)?,
                wave: vec![],
                components: many(&[if d > 1 { outer } else { 1 }, row])?,
                modes: [many(&[fno.modes.len(), 2 * w])?, many(&[fno.modes.len(), 2 * w])?],
                faces: correct::Faces::new(fno, what)?,
                channel: None,
                threads: Shared::uniform(0, 0, what)?,
                bias: vec![],
                affine: [vec![], vec![]],
                moments: vec![],
            },
            input: many(&[layout.nodes, fno.inputs.len()])?,
            told: zeros(layout.tells.len() * fno.inputs.len(), what)?,
            // Rows of points are read with the overhang of a product.
            field: zeros(layout.points.saturating_mul(w).saturating_add(T::PANEL), what)?,
            result: zeros(layout.nodes.saturating_mul(fno.outputs.len()), what)?,
            terms: many(&[layout::LINES, row])?,
            between: many(&[if d == 3 { layout::PLANES * rows[1] } else { 0 }, row])?,
            sums: many(&[outer, row])?,
            faces: zeros(self.faces.last().map_or(0, |face| face.start + face.rows * face.stride), what)?,
            touched: zeros(self.faces.len(), what)?,
            step: 0,
            face_steps: zeros(self.faces.len(), what)?,
            buffers: many(&[3, fno.tile * fno.widest() + T::PANEL])?,
        })
    }

    fn last_axis(&self) -> &Axis<T> {
        &self.fno.axes[self.fno.axes.len() - 1]
    }

    /// Used elements of a row of components.
    fn used(&self) -> usize {
        self.last_axis().rows() * self.fno.numbers.width
    }

    fn check_owner(&self, s: &ScratchOf<T>) -> Result<()> {
        if s.owner == self.id { Ok(()) } else { foreign() }
    }

    fn predict(
        &self,
        s: &mut ScratchOf<T>,
        input: &View,
        values: &[View],
        output: &mut ViewMut,
        reduction: &mut dyn FnMut(&mut [i64]) -> Result<()>,
    ) -> Result<()> {
        self.begin(s, input, values, output.dtype(), self.check_output(output))?;
        loop {
            if let Err(e) = reduction(&mut s.message[..s.len]) {
                s.end();
                return Err(Error::new(Status::Reduction, e.message()));
            }
            if !self.advance(s)? {
                return self.finish(s, output);
            }
        }
    }

    fn check_output(&self, output: &ViewMut) -> Result<()> {
        expect_extents("output", output.layout(), [self.layout.own_nodes, self.fno.outputs.len()].into_iter())
    }

    fn begin(
        &self,
        s: &mut ScratchOf<T>,
        input: &View,
        values: &[View],
        dtype: Dtype,
        checked: Result<()>,
    ) -> Result<()> {
        self.check_owner(s)?;
        s.end();
        s.dtype = dtype;
        s.error = checked.and_then(|()| self.read(s, input, values)).err();
        // Adding 0 makes -0 and 0 the same word.
        let of_values = fold(s.inner.given.iter().map(|v| (v + 0.0).to_bits()));
        hello(&mut s.message, s.error.as_ref(), [self.words[0], self.words[1], of_values]);
        (s.stage, s.len) = (Stage::Hello, HELLO);
        Ok(())
    }

    fn read(&self, s: &mut ScratchOf<T>, input: &View, values: &[View]) -> Result<()> {
        let fno = &self.fno;
        let inputs = fno.inputs.len();
        expect_extents("input", input.layout(), [self.layout.own_nodes, inputs].into_iter())?;
        if let Some((i, v)) = input.first_non_finite() {
            return fail!(NonFinite, "input is {v} at element {i}, expected finite values");
        }
        fno.check_values(&[1, 1], values)?;
        fno.scale_input(input, 0, &mut s.input[..self.layout.own_nodes * inputs]);
        for (to, (_, node)) in s.told.chunks_exact_mut(inputs).zip(&self.layout.tells) {
            input.gather(node * inputs, to);
        }
        fno.read_values(&mut s.inner, values, 0);
        Ok(())
    }

    fn advance(&self, s: &mut ScratchOf<T>) -> Result<bool> {
        self.check_owner(s)?;
        let outcome = self.step(s);
        if outcome.is_err() {
            s.end();
        }
        outcome.map(|()| s.len > 0)
    }

    fn step(&self, s: &mut ScratchOf<T>) -> Result<()> {
        let inputs = self.fno.inputs.len();
        let names = ["the model or its arithmetic", "shape, block or boundary", "a boundary value"];
        match s.stage {
            Stage::Idle | Stage::Done => {
                return fail!(State, "nothing is under way in the workspace, expected begin before continue");
            }
            Stage::Hello => {
                heed(&s.message[..HELLO], s.error.take(), names)?;
                if self.layout.told > 0 {
                    let len = self.layout.told * inputs;
                    s.message[..len].fill(0);
                    for (from, (at, _)) in s.told.chunks_exact(inputs).zip(&self.layout.tells) {
                        // One part has the node, so that the sum is its bits.
                        for (to, v) in s.message[at * inputs..].iter_mut().zip(from) {
                            *to = v.to_bits() as i64;
                        }
                    }
                    self.say(s, Stage::Inputs, len);
                } else {
                    self.lift(s);
                    self.say_size(s, 0);
                }
            }
            Stage::Inputs => {
                let told = message::open(&s.message[..s.len], self.all)?;
                for (at, node) in &self.layout.hears {
                    let to = s.input[node * inputs..].iter_mut().zip(&self.fno.inputs);
                    for ((to, c), bits) in to.zip(&told[at * inputs..]) {
                        *to = T::from_f64((f64::from_bits(*bits as u64) - c.offset) / c.scale);
                    }
                }
                self.lift(s);
                self.say_size(s, 0);
            }
            Stage::Size(b) => {
                let sizes = message::open(&s.message[..s.len], self.all)?;
                s.step = message::step(sizes, self.fno.axes.iter().map(|axis| axis.points).product())?;
                for (step, face) in s.face_steps.iter_mut().zip(&self.faces) {
                    *step = message::step(sizes, face.nodes)?;
                }
                s.message[..self.sums].fill(0);
                s.message[self.sums] = self.add_sums(s);
                self.say(s, Stage::Sums(b), self.sums + 1);
            }
            Stage::Sums(b) => {
                if message::open(&s.message[..s.len], self.all)?[self.sums] != 0 {
                    return fail!(NonFinite, "the network overflows in layer {b}");
                }
                let last = b + 1 == self.fno.blocks.len();
                self.convolve(s, &self.fno.blocks[b]);
                self.pass(s, &self.fno.blocks[b], last);
                if !last {
                    self.say_size(s, b + 1);
                } else {
                    s.error = self.close(s).err();
                    s.message[0] = i64::from(s.error.is_some());
                    self.say(s, Stage::Results, 1);
                }
            }
            Stage::Results => {
                let refused = message::open(&s.message[..s.len], self.all)?[0];
                match s.error.take() {
                    Some(error) => return Err(error),
                    None if refused != 0 => {
                        return fail!(NonFinite, "the network overflows on another part of the field");
                    }
                    None => (s.stage, s.len) = (Stage::Done, 0),
                }
            }
        }
        Ok(())
    }

    fn say(&self, s: &mut ScratchOf<T>, stage: Stage, len: usize) {
        s.len = message::close(&mut s.message, len, self.cover);
        s.stage = stage;
    }

    fn say_size(&self, s: &mut ScratchOf<T>, layer: usize) {
        s.message[..SIZES].fill(0);
        let own = &s.field[..self.layout.own * self.fno.numbers.width];
        s.message[message::size_of_largest(self.fno.arch, own)] = 1;
        self.say(s, Stage::Size(layer), SIZES);
    }

    fn finish(&self, s: &mut ScratchOf<T>, output: &mut ViewMut) -> Result<()> {
        self.check_owner(s)?;
        if s.stage != Stage::Done || s.dtype != output.dtype() {
            return fail!(State, "no results of this dtype wait in the workspace, expected all parts' messages before");
        }
        self.check_output(output)?;
        output.merged_mut().scatter(0, &s.result[..self.layout.own_nodes * self.fno.outputs.len()]);
        Ok(())
    }
}

/// A digest of many words, a word at a time.
fn fold(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}
