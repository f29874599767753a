//! A network's channels as a host keeps them: all in one array, or in several fields whose channels follow one another. Either way they
//! are read and written where they lie.

use pulp::Arch;

use super::arrays::expect_extents;
use crate::error::{Result, fail};
use crate::field::{Dtype, Element, Layout, MAX_RANK, Place, Sharing, sharing};
use crate::kernels::channels::magnitude;
use crate::kernels::strided::{View, ViewMut};

/// What a network reads.
pub(super) enum Source<'a> {
    /// [.., channels], and the same with neighbouring axes merged.
    One {
        layout: &'a Layout,
        merged: View<'a>,
    },
    Several(Fields<'a>),
}

/// Fields, each [..] or [.., some of the channels], and the layout of the array that they make together: [.., channels].
pub(super) struct Fields<'a> {
    views: &'a [View<'a>],
    joined: Layout,
}

impl<'a> Fields<'a> {
    /// Inputs whose channels are together as many as these.
    pub fn new(views: &'a [View<'a>], channels: usize) -> Result<Self> {
        let joined = joined("inputs", views.iter().map(View::layout), channels)?;
        Ok(Fields { views, joined })
    }
}

impl<'a> Source<'a> {
    pub fn one(view: &'a View<'a>) -> Self {
        Source::One { layout: view.layout(), merged: view.merged() }
    }

    /// Of all channels together.
    pub fn layout(&self) -> &Layout {
        match self {
            Source::One { layout, .. } => layout,
            Source::Several(fields) => &fields.joined,
        }
    }

    /// Refuses NaN and infinity by name and place.
    pub fn check_finite(&self) -> Result<()> {
        match self {
            Source::One { merged, .. } => match merged.first_non_finite() {
                Some((i, v)) => fail!(NonFinite, "input is {v} at element {i}, expected finite values"),
                None => Ok(()),
            },
            Source::Several(fields) => {
                fields.views.iter().enumerate().try_for_each(|(number, view)| match view.merged().first_non_finite() {
                    Some((i, v)) => fail!(NonFinite, "inputs[{number}] is {v} at element {i}, expected finite values"),
                    None => Ok(()),
                })
            }
        }
    }

    /// The largest magnitude; infinity where a value is not finite.
    pub fn magnitude(&self, arch: Arch) -> f64 {
        match self {
            Source::One { merged, .. } => magnitude(arch, merged),
            Source::Several(fields) => {
                fields.views.iter().map(|view| magnitude(arch, &view.merged())).fold(0.0, f64::max)
            }
        }
    }

    /// Whether this is one array that has no memory in common with another.
    pub fn is_one_apart_from(&self, other: &Place) -> bool {
        match self {
            Source::One { merged, .. } => sharing(&merged.place(), other) == Sharing::Disjoint,
            Source::Several(_) => false,
        }
    }

    /// Rows `first .. first + count` as they lie in memory, where that is how a network wants them.
    pub fn as_slice<T: Element>(&self, first: usize, count: usize, width: usize) -> Option<&[T]> {
        match self {
            Source::One { merged, .. } => merged.as_slice(first * width, count * width),
            Source::Several(_) => None,
        }
    }

    /// Rows `first .. first + count`.
    pub fn gather(&self, first: usize, count: usize, width: usize, out: &mut [f64]) {
        match self {
            Source::One { merged, .. } => merged.gather(first * width, &mut out[..count * width]),
            Source::Several(_) => self.each(first, count, width, |row, channel, v| out[row * width + channel] = v),
        }
    }

    /// The same, field after field: row less first, channel, value.
    pub fn each(&self, first: usize, count: usize, width: usize, mut put: impl FnMut(usize, usize, f64)) {
        match self {
            Source::One { merged, .. } => merged.each_of_rows(width, first, count, put),
            Source::Several(fields) => {
                let rows = fields.joined.len() / width;
                let mut before = 0;
                for view in fields.views {
                    let width = view.layout().len() / rows;
                    view.merged().each_of_rows(width, first, count, |row, channel, v| put(row, before + channel, v));
                    before += width;
                }
            }
        }
    }
}

/// The layout [.., channels] of the array that fields for writing make together, and their dtype.
pub(super) fn joined_outputs(outputs: &[ViewMut], channels: usize) -> Result<(Layout, Dtype)> {
    let layout = joined("outputs", outputs.iter().map(ViewMut::layout), channels)?;
    let dtype = outputs[0].dtype();
    for (number, output) in outputs.iter().enumerate() {
        if output.dtype() != dtype {
            return fail!(Dtype, "outputs[{number}] has another dtype than outputs[0], expected the same of all");
        }
        let mut before = outputs[..number].iter();
        if before.any(|other| sharing(&output.place(), &other.place()) != Sharing::Disjoint) {
            return fail!(Stride, "outputs[{number}] overlaps another output in memory, expected arrays apart");
        }
    }
    Ok((layout, dtype))
}

/// Writes rows of `channels` values to the fields that [`joined_outputs`] accepted.
pub(super) fn write(rows: &[f64], channels: usize, outputs: &mut [ViewMut]) {
    let count = rows.len() / channels;
    let mut before = 0;
    for output in outputs {
        let width = output.layout().len() / count;
        output.merged_mut().fill_rows(width, |row, channel| rows[row * channels + before + channel]);
        before += width;
    }
}

fn joined<'a>(what: &str, fields: impl Iterator<Item = &'a Layout> + Clone, channels: usize) -> Result<Layout> {
    let total: usize = fields.clone().map(Layout::len).sum();
    let Some(first) = fields.clone().next() else { return fail!(Shape, "{what} are no arrays, expected at least one") };
    let rows = total / channels;
    let fits = |layout: &Layout| rows > 0 && layout.len().is_multiple_of(rows);
    if !total.is_multiple_of(channels) || !fields.clone().all(fits) {
        let shapes: Vec<&[usize]> = fields.map(Layout::shape).collect();
        return fail!(Shape, "{what} have shapes {shapes:?}, expected fields that have {channels} channels together");
    }
    let width = first.len() / rows;
    let places = match first.shape() {
        [places @ .., last] if *last == width => places,
        // A single channel may be left out.
        shape if width == 1 => shape,
        shape => return fail!(Shape, "{what}[0] has shape {shape:?}, expected [.., {width}], the channels last"),
    };
    for (number, field) in fields.enumerate() {
        let shape = places.iter().copied().chain([field.len() / rows]);
        expect_extents(format_args!("{what}[{number}]"), field, shape)?;
    }
    let mut shape = [0; MAX_RANK + 1];
    shape[..places.len()].copy_from_slice(places);
    shape[places.len()] = channels;
    let rank = places.len() + 1;
    if rank > MAX_RANK {
        return fail!(Shape, "{what}[0] has {} axes, expected at most {}", places.len(), MAX_RANK - 1);
    }
    Layout::contiguous(what, &shape[..rank])
}
