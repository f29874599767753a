//! The values of conditions on a grid, as callers give them: an array for each face that has one.

use std::ops::Range;

use super::grid::{GridBoundary, GridFace};
use crate::error::{Result, fail};
use crate::kernels::strided::View;
use crate::model::arrays::expect_extents;

impl GridBoundary {
    /// Numbers of all values of one function.
    pub fn value_len(&self, channels: usize) -> usize {
        self.faces.iter().filter(|f| f.value.is_some()).map(|f| self.nodes(f.axis) * channels).sum()
    }

    /// Faces with a value, in the caller's order.
    pub(super) fn by_value(&self) -> impl Iterator<Item = &GridFace> {
        (0..self.faces.len()).filter_map(|number| self.faces.iter().find(|face| face.value == Some(number)))
    }

    pub fn check_values(&self, lead: &[usize], channels: usize, values: &[View]) -> Result<()> {
        self.check_finite("values", lead, channels, values)
    }

    /// The same of arrays that go with the values, under another name.
    pub fn check_finite(&self, name: &str, lead: &[usize], channels: usize, arrays: &[View]) -> Result<()> {
        self.check_shapes(name, lead, channels, arrays.iter().copied())?;
        for (number, view) in arrays.iter().enumerate() {
            if let Some((i, v)) = view.first_non_finite() {
                return fail!(NonFinite, "{name}[{number}] holds {v} at element {i}, expected finite values");
            }
        }
        Ok(())
    }

    /// Compares the number and the shapes of arrays that belong to the faces with a value.
    pub fn check_shapes<'v>(
        &self,
        name: &str,
        lead: &[usize],
        channels: usize,
        arrays: impl ExactSizeIterator<Item = View<'v>>,
    ) -> Result<()> {
        let (found, expected) = (arrays.len(), self.by_value().count());
        if found != expected {
            return fail!(
                Mismatch,
                "{name}: {found} arrays of boundary values, expected {expected}, one a face with a value"
            );
        }
        for (number, (view, face)) in arrays.zip(self.by_value()).enumerate() {
            let grid = self.shape().iter().enumerate().filter(|(axis, _)| *axis != face.axis).map(|(_, n)| *n);
            let shape = lead.iter().copied().chain(grid).chain([channels]);
            expect_extents(format_args!("{name}[{number}]"), view.layout(), shape)?;
        }
        Ok(())
    }

    /// Values of function `b`, face by face in the caller's order.
    pub fn read_values(&self, b: usize, channels: usize, values: &[View], out: &mut [f64]) {
        let mut rest = out;
        for (view, face) in values.iter().zip(self.by_value()) {
            let len = self.nodes(face.axis) * channels;
            let (part, more) = rest.split_at_mut(len);
            view.gather(b * len, part);
            rest = more;
        }
    }

    /// The part of each array of values among those of one function, in the caller's order.
    pub fn parts(&self, channels: usize) -> impl Iterator<Item = Range<usize>> {
        self.by_value().scan(0, move |end, face| {
            let start = *end;
            *end += self.nodes(face.axis) * channels;
            Some(start..*end)
        })
    }

    /// Where a face's values begin among those of one function.
    pub fn value_start(&self, face: &GridFace, channels: usize) -> usize {
        self.by_value().take_while(|f| f.value < face.value).map(|f| self.nodes(f.axis) * channels).sum()
    }
}
