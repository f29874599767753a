//! Views of the caller's arrays: any strides, f32 or f64, read and written through f64 in logical (C) order.
//!
//! A view holds a raw pointer because in-place calls read and write the same memory and interleaved arrays share an address
//! range: neither can be a Rust slice.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::error::{Result, fail};
use crate::field::{Dtype, Element, Layout, MAX_RANK, Place};

/// A read-only strided array.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: *const u8,
    dtype: Dtype,
    layout: Layout,
    lifetime: PhantomData<&'a [u8]>,
}

/// A writable strided array in which no two indices name the same element.
pub struct ViewMut<'a> {
    data: *mut u8,
    dtype: Dtype,
    layout: Layout,
    lifetime: PhantomData<&'a mut [u8]>,
}

// SAFETY: a view is a pointer to memory that its lifetime keeps alive; reading it from several threads is reading.
unsafe impl Send for View<'_> {}
// SAFETY: as above.
unsafe impl Sync for View<'_> {}
// SAFETY: a writable view is the only one for its elements, like `&mut`.
unsafe impl Send for ViewMut<'_> {}

fn check_bounds(name: &str, len: usize, offset: usize, layout: &Layout) -> Result<()> {
    let (low, high) = layout.extent();
    let fits = (offset as isize).checked_add(low).is_some_and(|first| first >= 0)
        && (offset as isize).checked_add(high).is_some_and(|last| (last as usize) < len);
    if offset < len && fits {
        return Ok(());
    }
    fail!(Shape, "{name}: offsets {low} to {high} from {offset} leave a slice of {len} elements")
}

/// Whether elements `start .. start + len` in logical order are some.
#[inline(always)]
fn check_range(layout: &Layout, start: usize, len: usize) {
    let whole = layout.len();
    assert!(len <= whole && start <= whole - len, "{len} elements from {start} on, of {whole}");
}

impl<'a> View<'a> {
    /// A C-ordered array over a slice of exactly its length.
    pub fn new<T: Element>(name: &str, data: &'a [T], shape: &[usize]) -> Result<View<'a>> {
        let layout = Layout::contiguous(name, shape)?;
        if layout.len() != data.len() {
            return fail!(Shape, "{name} has {} elements, expected {shape:?}", data.len());
        }
        Self::strided(name, data, 0, layout)
    }

    /// Any layout whose every element lies in the slice; `offset` is the element with index (0, ..., 0).
    pub fn strided<T: Element>(name: &str, data: &'a [T], offset: usize, layout: Layout) -> Result<View<'a>> {
        check_bounds(name, data.len(), offset, &layout)?;
        // SAFETY: all offsets were just found to lie in the slice.
        Ok(unsafe { Self::from_raw(data.as_ptr().add(offset).cast(), T::DTYPE, layout) })
    }

    /// # Safety
    /// For `'a`, every element of the layout is readable memory of that dtype, aligned to it, and nobody writes it except
    /// through a view of the same call.
    #[inline(always)]
    pub unsafe fn from_raw(data: *const u8, dtype: Dtype, layout: Layout) -> View<'a> {
        View { data, dtype, layout, lifetime: PhantomData }
    }

    /// The same in `room`, with the layout that `fill` makes of [`Layout::ONE`] there: views are too large to be moved in a short call.
    ///
    /// # Safety
    /// As [`View::from_raw`], of that layout.
    #[inline(always)]
    pub(crate) unsafe fn place_raw<'r>(
        room: &'r mut MaybeUninit<View<'a>>,
        data: *const u8,
        dtype: Dtype,
        fill: impl FnOnce(&mut Layout) -> Result<()>,
    ) -> Result<&'r mut View<'a>> {
        let view = room.write(View { data, dtype, layout: Layout::ONE, lifetime: PhantomData });
        fill(&mut view.layout)?;
        Ok(view)
    }

    /// Storage type.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Shape and strides.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Address, dtype and layout.
    #[inline(always)]
    pub fn place(&self) -> Place<'_> {
        Place { address: self.data as usize, dtype: self.dtype, layout: &self.layout }
    }

    /// Slice `index` along the first axis, neighbouring axes merged; a rank-1 array is its own slice 0.
    pub fn slice(&self, index: usize) -> View<'a> {
        let (count, stride, rest) = self.layout.split_first();
        assert!(index < count, "slice {index} of {count}");
        // SAFETY: an index below the extent is an element of the layout.
        let data = unsafe { self.data.offset(index as isize * stride * self.dtype.size() as isize) };
        View { data, layout: rest.merged(), ..*self }
    }

    /// Index in logical order, and value, of the first NaN or infinity.
    pub fn first_non_finite(&self) -> Option<(usize, f64)> {
        let mut buffer = [0.0; 256];
        let len = self.layout.len();
        for start in (0..len).step_by(buffer.len()) {
            let part = &mut buffer[..(len - start).min(256)];
            self.gather(start, part);
            if let Some(i) = part.iter().position(|v| !v.is_finite()) {
                return Some((start + i, part[i]));
            }
        }
        None
    }

    /// The same elements in the same order, neighbouring axes merged.
    #[inline]
    pub fn merged(&self) -> View<'a> {
        View { layout: self.layout.merged(), ..*self }
    }

    /// The same elements in the order of memory, as far as steps tell.
    pub(crate) fn by_steps(&self) -> View<'a> {
        View { layout: self.layout.by_steps(), ..*self }
    }

    /// Elements `start .. start + out.len()` in logical order.
    #[inline]
    pub fn gather(&self, start: usize, out: &mut [f64]) {
        check_range(&self.layout, start, out.len());
        // SAFETY: the walk stays inside the layout, and `from_raw` was promised readable elements.
        match self.dtype {
            Dtype::F32 => walk(&self.layout, start, out.len(), |at, offset, stride, n| {
                let base = unsafe { self.data.cast::<f32>().offset(offset) };
                for (i, o) in out[at..at + n].iter_mut().enumerate() {
                    *o = unsafe { *base.offset(i as isize * stride) } as f64;
                }
            }),
            Dtype::F64 => walk(&self.layout, start, out.len(), |at, offset, stride, n| {
                let base = unsafe { self.data.cast::<f64>().offset(offset) };
                for (i, o) in out[at..at + n].iter_mut().enumerate() {
                    *o = unsafe { *base.offset(i as isize * stride) };
                }
            }),
        }
    }

    /// Rows `first .. first + count` of an array [rows, width], that is its elements in order: row, column, value. Where rows are the closer
    /// neighbours in memory, column after column.
    #[inline(always)]
    pub fn each_of_rows(&self, width: usize, first: usize, count: usize, mut put: impl FnMut(usize, usize, f64)) {
        let mut buffer = [0.0; 256];
        if let Some((across, column)) = columns_of(&self.layout, width) {
            for start in (0..count).step_by(BLOCK) {
                let part = &mut buffer[..BLOCK.min(count - start)];
                for at in 0..width {
                    // SAFETY: a column below the extent begins with an element of the layout.
                    let data = unsafe { self.data.offset(at as isize * across * self.dtype.size() as isize) };
                    View { data, layout: column, ..*self }.gather(first + start, part);
                    part.iter().enumerate().for_each(|(row, v)| put(start + row, at, *v));
                }
            }
            return;
        }
        let (mut row, mut column) = (0, 0);
        for start in (0..count * width).step_by(buffer.len()) {
            let part = &mut buffer[..(count * width - start).min(256)];
            self.gather(first * width + start, part);
            for v in part {
                put(row, column, *v);
                column += 1;
                if column == width {
                    (row, column) = (row + 1, 0);
                }
            }
        }
    }

    /// Elements `start .. start + len` as they lie in memory, when they are of this type and without gaps.
    #[inline(always)]
    pub fn as_slice<T: Element>(&self, start: usize, len: usize) -> Option<&[T]> {
        let whole = self.layout.strides() == [1] && self.dtype == T::DTYPE;
        check_range(&self.layout, start, len);
        // SAFETY: inside the layout; the borrow ends before the same call writes these elements.
        whole.then(|| unsafe { std::slice::from_raw_parts(self.data.cast::<T>().add(start), len) })
    }
}

impl<'a> ViewMut<'a> {
    /// A C-ordered array over a slice of exactly its length.
    pub fn new<T: Element>(name: &str, data: &'a mut [T], shape: &[usize]) -> Result<ViewMut<'a>> {
        let layout = Layout::contiguous(name, shape)?;
        if layout.len() != data.len() {
            return fail!(Shape, "{name} has {} elements, expected {shape:?}", data.len());
        }
        Self::strided(name, data, 0, layout)
    }

    /// Any layout without repeated elements whose every element lies in the slice.
    pub fn strided<T: Element>(name: &str, data: &'a mut [T], offset: usize, layout: Layout) -> Result<ViewMut<'a>> {
        check_bounds(name, data.len(), offset, &layout)?;
        if !layout.is_injective() {
            return fail!(Stride, "{name} is written, but its strides name some element twice");
        }
        // SAFETY: all offsets were just found to lie in the slice, which is borrowed for writing.
        Ok(unsafe { Self::from_raw(data.as_mut_ptr().add(offset).cast(), T::DTYPE, layout) })
    }

    /// # Safety
    /// For `'a`, every element of the layout is writable memory of that dtype, aligned to it, reached by one index only, and
    /// nobody else uses it except through a view of the same call.
    #[inline(always)]
    pub unsafe fn from_raw(data: *mut u8, dtype: Dtype, layout: Layout) -> ViewMut<'a> {
        ViewMut { data, dtype, layout, lifetime: PhantomData }
    }

    /// The same in `room`, with the layout that `fill` makes of [`Layout::ONE`] there: views are too large to be moved in a short call.
    ///
    /// # Safety
    /// As [`ViewMut::from_raw`], of that layout.
    #[inline(always)]
    pub(crate) unsafe fn place_raw<'r>(
        room: &'r mut MaybeUninit<ViewMut<'a>>,
        data: *mut u8,
        dtype: Dtype,
        fill: impl FnOnce(&mut Layout) -> Result<()>,
    ) -> Result<&'r mut ViewMut<'a>> {
        let view = room.write(ViewMut { data, dtype, layout: Layout::ONE, lifetime: PhantomData });
        fill(&mut view.layout)?;
        Ok(view)
    }

    /// Storage type.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Shape and strides.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Address, dtype and layout.
    #[inline(always)]
    pub fn place(&self) -> Place<'_> {
        Place { address: self.data as usize, dtype: self.dtype, layout: &self.layout }
    }

    /// The same array for reading, as an input of the call that writes it.
    pub(crate) fn alias(&self) -> View<'a> {
        View { data: self.data, dtype: self.dtype, layout: self.layout, lifetime: PhantomData }
    }

    /// Slice `index` along the first axis, neighbouring axes merged; a rank-1 array is its own slice 0.
    pub fn slice_mut(&mut self, index: usize) -> ViewMut<'_> {
        let (count, stride, rest) = self.layout.split_first();
        assert!(index < count, "slice {index} of {count}");
        // SAFETY: an index below the extent is an element of the layout.
        let data = unsafe { self.data.offset(index as isize * stride * self.dtype.size() as isize) };
        ViewMut { data, dtype: self.dtype, layout: rest.merged(), lifetime: PhantomData }
    }

    /// The same elements in the same order, neighbouring axes merged.
    #[inline]
    pub fn merged_mut(&mut self) -> ViewMut<'_> {
        ViewMut { data: self.data, dtype: self.dtype, layout: self.layout.merged(), lifetime: PhantomData }
    }

    /// Writes an array [rows, width] whose every value `at` gives for row and column, rounded to the storage type; in the order of
    /// [`View::each_of_rows`].
    #[inline(always)]
    pub fn fill_rows(&mut self, width: usize, at: impl Fn(usize, usize) -> f64) {
        let mut buffer = [0.0; 256];
        let count = self.layout.len() / width;
        if let Some((across, column)) = columns_of(&self.layout, width) {
            for start in (0..count).step_by(BLOCK) {
                let part = &mut buffer[..BLOCK.min(count - start)];
                for c in 0..width {
                    part.iter_mut().enumerate().for_each(|(row, v)| *v = at(start + row, c));
                    // SAFETY: a column below the extent begins with an element of the layout.
                    let data = unsafe { self.data.offset(c as isize * across * self.dtype.size() as isize) };
                    let mut rows =
                        ViewMut { data, dtype: self.dtype, layout: column, lifetime: PhantomData::<&mut [u8]> };
                    rows.scatter(start, part);
                }
            }
            return;
        }
        let (mut row, mut column) = (0, 0);
        for start in (0..count * width).step_by(buffer.len()) {
            let part = &mut buffer[..(count * width - start).min(256)];
            for v in &mut *part {
                *v = at(row, column);
                column += 1;
                if column == width {
                    (row, column) = (row + 1, 0);
                }
            }
            self.scatter(start, part);
        }
    }

    /// Writes elements `start .. start + values.len()` in logical order, rounded to the storage type.
    #[inline]
    pub fn scatter(&mut self, start: usize, values: &[f64]) {
        check_range(&self.layout, start, values.len());
        // SAFETY: the walk stays inside the layout, and `from_raw` was promised writable elements.
        match self.dtype {
            Dtype::F32 => walk(&self.layout, start, values.len(), |at, offset, stride, n| {
                let base = unsafe { self.data.cast::<f32>().offset(offset) };
                for (i, v) in values[at..at + n].iter().enumerate() {
                    unsafe { *base.offset(i as isize * stride) = *v as f32 };
                }
            }),
            Dtype::F64 => walk(&self.layout, start, values.len(), |at, offset, stride, n| {
                let base = unsafe { self.data.cast::<f64>().offset(offset) };
                for (i, v) in values[at..at + n].iter().enumerate() {
                    unsafe { *base.offset(i as isize * stride) = *v };
                }
            }),
        }
    }
}

impl ViewMut<'_> {
    /// As [`View::as_slice`], for writing.
    #[inline(always)]
    pub fn as_slice_mut<T: Element>(&mut self, start: usize, len: usize) -> Option<&mut [T]> {
        let whole = self.layout.strides() == [1] && self.dtype == T::DTYPE;
        check_range(&self.layout, start, len);
        // SAFETY: inside the layout, whose elements `from_raw` was promised writable; the borrow is the only one.
        whole.then(|| unsafe { std::slice::from_raw_parts_mut(self.data.cast::<T>().add(start), len) })
    }

    /// [`ViewMut::scatter`] past the caches, for results too large to be found there later: spares reading the lines that are about
    /// to be overwritten. Where the array or the processor does not allow it, a plain scatter. [`fence`] must follow.
    #[inline(always)]
    pub(crate) fn stream(&mut self, start: usize, values: &[f64]) {
        check_range(&self.layout, start, values.len());
        #[cfg(target_arch = "x86_64")]
        if self.layout.strides() == [1] && self.dtype == Dtype::F32 {
            use std::arch::x86_64::{_mm_cvtpd_ps, _mm_loadu_pd, _mm_movelh_ps, _mm_stream_ps};
            let base = self.data.cast::<f32>().wrapping_add(start);
            if (base as usize).is_multiple_of(16) {
                let (fours, rest) = values.as_chunks::<4>();
                for (i, four) in fours.iter().enumerate() {
                    // SAFETY: inside the layout, whose elements `from_raw` was promised writable; aligned to 16 bytes.
                    unsafe {
                        let low = _mm_cvtpd_ps(_mm_loadu_pd(four.as_ptr()));
                        let high = _mm_cvtpd_ps(_mm_loadu_pd(four.as_ptr().add(2)));
                        _mm_stream_ps(base.add(4 * i), _mm_movelh_ps(low, high));
                    }
                }
                return self.scatter(start + 4 * fours.len(), rest);
            }
        }
        #[cfg(target_arch = "x86_64")]
        if self.layout.strides() == [1] && self.dtype == Dtype::F64 {
            use std::arch::x86_64::{_mm_loadu_pd, _mm_stream_pd};
            let base = self.data.cast::<f64>().wrapping_add(start);
            if (base as usize).is_multiple_of(16) {
                let (pairs, rest) = values.as_chunks::<2>();
                for (i, pair) in pairs.iter().enumerate() {
                    // SAFETY: inside the layout, whose elements `from_raw` was promised writable; aligned to 16 bytes.
                    unsafe { _mm_stream_pd(base.add(2 * i), _mm_loadu_pd(pair.as_ptr())) };
                }
                return self.scatter(start + 2 * pairs.len(), rest);
            }
        }
        self.scatter(start, values);
    }
}

/// Orders what [`ViewMut::stream`] wrote before everything that follows, as plain stores are.
pub(crate) fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: part of the base instruction set.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Rows whose columns are brought over one after the other: their other side stays in the first-level cache.
const BLOCK: usize = 64;

/// Of an array [rows, width] whose rows are the closer neighbours in memory: elements from one column to the next, and a column's layout.
fn columns_of(layout: &Layout, width: usize) -> Option<(isize, Layout)> {
    match (layout.shape(), layout.strides()) {
        ([_, columns], [down, across]) if *columns == width && down.unsigned_abs() < across.unsigned_abs() => {
            Some((*across, layout.first_axis()))
        }
        _ => None,
    }
}

/// Calls `run(position, offset, stride, count)` for each run along the last axis of `len` elements from `start`.
#[inline]
fn walk(layout: &Layout, start: usize, len: usize, mut run: impl FnMut(usize, isize, isize, usize)) {
    let (shape, strides) = (layout.shape(), layout.strides());
    let last = shape.len() - 1;
    // A unit stride known to the compiler makes the common loop a plain copy.
    let mut emit = |at, offset, n| {
        if strides[last] == 1 { run(at, offset, 1, n) } else { run(at, offset, strides[last], n) }
    };
    if last == 0 {
        return emit(0, start as isize * strides[0], len);
    }
    let mut index = [0usize; MAX_RANK];
    let mut rest = start;
    for axis in (0..=last).rev() {
        index[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    let mut done = 0;
    while done < len {
        let offset: isize = (0..=last).map(|a| index[a] as isize * strides[a]).sum();
        let n = (shape[last] - index[last]).min(len - done);
        emit(done, offset, n);
        done += n;
        index[last] = 0;
        for axis in (0..last).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_leaves_the_slice() {
        let data = [0f32; 10];
        let layout = Layout::new("a", &[3, 3], &[4, 1]).unwrap();
        assert!(View::strided("a", &data, 0, layout).is_err());
        let back = Layout::new("a", &[3], &[-4]).unwrap();
        assert!(View::strided("a", &data, 7, back).is_err());
        assert!(View::strided("a", &data, 8, back).is_ok());
    }

    #[test]
    fn a_range_beyond_the_address_space_is_outside() {
        let mut data = [1f64; 4];
        let mut view = ViewMut::new("a", &mut data, &[4]).unwrap();
        let caught = |work: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(work)).is_err();
        for start in [usize::MAX, usize::MAX - 1, 4] {
            assert!(caught(&mut || view.alias().gather(start, &mut [0.0; 2])));
            assert!(caught(&mut || view.scatter(start, &[2.0; 2])));
            assert!(caught(&mut || view.stream(start, &[2.0; 2])));
            assert!(caught(&mut || _ = view.alias().as_slice::<f64>(start, 2)));
            assert!(caught(&mut || _ = view.as_slice_mut::<f64>(start, 2)));
        }
        assert!(caught(&mut || _ = view.alias().as_slice::<f64>(1, usize::MAX)));
        assert_eq!(data, [1.0; 4]);
    }

    proptest! {
        #[test]
        fn any_strides_give_the_same_elements(
            a in 1usize..4, b in 1usize..5, c in 1usize..6, order in 0usize..6, flip in 0u8..8, gap in 1usize..3, start in 0usize..20,
        ) {
            let shape = [a, b, c];
            let axes = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][order];
            let mut strides = [0isize; 3];
            let mut step = gap;
            for &axis in axes.iter().rev() {
                strides[axis] = step as isize;
                step *= shape[axis];
            }
            let mut offset = 0;
            for axis in 0..3 {
                if flip >> axis & 1 == 1 {
                    offset += (shape[axis] - 1) * strides[axis] as usize;
                    strides[axis] = -strides[axis];
                }
            }
            let layout = Layout::new("a", &shape, &strides).unwrap();
            let mut memory = vec![0f64; step];
            let n = a * b * c;
            let values: Vec<f64> = (0..n).map(|i| i as f64 + 0.5).collect();
            ViewMut::strided("a", &mut memory, offset, layout).unwrap().scatter(0, &values);
            let view = View::strided("a", &memory, offset, layout).unwrap();
            let start = start.min(n);
            let mut out = vec![0.0; n - start];
            view.gather(start, &mut out);
            prop_assert_eq!(&out[..], &values[start..]);
            let mut slice = vec![0.0; b * c];
            view.slice(a - 1).gather(0, &mut slice);
            prop_assert_eq!(&slice[..], &values[(a - 1) * b * c..]);
        }
    }
}
