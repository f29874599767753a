use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Deref;

use crate::error::{Result, fail};
use crate::field::{Dtype, Layout, MAX_RANK};
use crate::kernels::strided::{View, ViewMut};

/// An array that the library writes. The memory stays the caller's; nothing is copied or kept after the call.
///
/// The fields map one to one to a DLPack `DLTensor` on the CPU (its `byte_offset` added to `data`).
/// In C: `pcml_array a = {sizeof a, x, PCML_DTYPE_F64, 2, {50, 201}, {201, 1}};`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct pcml_array {
    /// sizeof(pcml_array), so that a struct from another header is told
    pub struct_size: i64,
    /// the element with index (0, ..., 0), aligned to the dtype
    pub data: *mut c_void,
    /// PCML_DTYPE_F32 or PCML_DTYPE_F64
    pub dtype: i32,
    /// number of axes, 1 to PCML_MAX_RANK
    pub rank: i32,
    /// extents, first axis first, each at least 1; entries from `rank` on are not read
    pub shape: [i64; MAX_RANK],
    /// steps in elements, negative or in any order; no two indices may name one element
    pub strides: [i64; MAX_RANK],
}

/// An array that the library reads. As pcml_array, but strides may also repeat elements.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct pcml_const_array {
    /// sizeof(pcml_const_array)
    pub struct_size: i64,
    /// the element with index (0, ..., 0), aligned to the dtype
    pub data: *const c_void,
    /// PCML_DTYPE_F32 or PCML_DTYPE_F64
    pub dtype: i32,
    /// number of axes, 1 to PCML_MAX_RANK
    pub rank: i32,
    /// extents, first axis first, each at least 1; entries from `rank` on are not read
    pub shape: [i64; MAX_RANK],
    /// steps in elements, of any sign and order
    pub strides: [i64; MAX_RANK],
}

/// The dtype of a number from C.
pub(crate) fn dtype(value: i32, owner: &str) -> Result<Dtype> {
    match value {
        1 => Ok(Dtype::F32),
        2 => Ok(Dtype::F64),
        _ => fail!(Dtype, "{owner}: dtype is {value}, expected PCML_DTYPE_F32 (1) or PCML_DTYPE_F64 (2)"),
    }
}

/// The data, dtype and rank of a descriptor, which C may have placed unaligned.
///
/// # Safety
/// The pointer is NULL or a descriptor.
#[inline(always)]
unsafe fn head(a: *const pcml_const_array, name: &str) -> Result<(*const c_void, Dtype, usize)> {
    if a.is_null() {
        return fail!(NullArgument, "{name} is NULL, expected an array");
    }
    // SAFETY: not NULL, so a descriptor.
    let (size, data, number, rank) = unsafe {
        (
            (&raw const (*a).struct_size).read_unaligned(),
            (&raw const (*a).data).read_unaligned(),
            (&raw const (*a).dtype).read_unaligned(),
            (&raw const (*a).rank).read_unaligned(),
        )
    };
    let expected = size_of::<pcml_const_array>() as i64;
    if size != expected {
        return fail!(Mismatch, "{name}.struct_size is {size}, expected {expected}");
    }
    if data.is_null() {
        return fail!(NullArgument, "{name}.data is NULL");
    }
    let dtype = dtype(number, name)?;
    if rank < 1 || rank as usize > MAX_RANK {
        return fail!(Shape, "{name}.rank is {rank}, expected 1 to {MAX_RANK}");
    }
    Ok((data, dtype, rank as usize))
}

/// Fills the layout of a descriptor whose head was read.
///
/// # Safety
/// As [`head`].
#[inline(always)]
unsafe fn axes(
    a: *const pcml_const_array,
    name: &str,
    (data, dtype, rank): (*const c_void, Dtype, usize),
    layout: &mut Layout,
) -> Result<()> {
    // SAFETY: not NULL, as the head was read.
    layout.set_axes(name, rank, |axis| unsafe {
        ((&raw const (*a).shape[axis]).read_unaligned(), (&raw const (*a).strides[axis]).read_unaligned())
    })?;
    if !(data as usize).is_multiple_of(dtype.size()) {
        return fail!(Stride, "{name}.data is not aligned to the {} bytes of its dtype", dtype.size());
    }
    Ok(())
}

/// # Safety
/// The pointer is NULL or a descriptor whose elements are readable during `'a`.
#[inline]
pub(crate) unsafe fn view_in<'r, 'a>(
    room: &'r mut MaybeUninit<View<'a>>,
    array: *const pcml_const_array,
    name: &str,
) -> Result<&'r View<'a>> {
    // SAFETY: the caller promises the elements; alignment and extents are checked.
    unsafe {
        let head = head(array, name)?;
        let view = View::place_raw(room, head.0.cast(), head.1, |layout| axes(array, name, head, layout))?;
        Ok(view)
    }
}

/// # Safety
/// As [`view_in`].
#[inline]
pub(crate) unsafe fn view<'a>(array: *const pcml_const_array, name: &str) -> Result<View<'a>> {
    let mut room = MaybeUninit::uninit();
    // SAFETY: on success the room is filled.
    unsafe {
        view_in(&mut room, array, name)?;
        Ok(room.assume_init())
    }
}

/// # Safety
/// The pointer is NULL or a descriptor whose elements are writable during `'a`.
#[inline]
pub(crate) unsafe fn view_mut_in<'r, 'a>(
    room: &'r mut MaybeUninit<ViewMut<'a>>,
    array: *const pcml_array,
    name: &str,
) -> Result<&'r mut ViewMut<'a>> {
    // Both descriptors have one layout in memory.
    let array: *const pcml_const_array = array.cast();
    // SAFETY: the caller promises the elements; alignment, extents and uniqueness are checked.
    unsafe {
        let head = head(array, name)?;
        ViewMut::place_raw(room, head.0.cast_mut().cast(), head.1, |layout| {
            axes(array, name, head, layout)?;
            if !layout.is_injective() {
                return fail!(
                    Stride,
                    "{name} is written, but its strides {:?} name some element twice",
                    layout.strides()
                );
            }
            Ok(())
        })
    }
}

/// # Safety
/// As [`view_mut_in`].
#[inline]
pub(crate) unsafe fn view_mut<'a>(array: *const pcml_array, name: &str) -> Result<ViewMut<'a>> {
    let mut room = MaybeUninit::uninit();
    // SAFETY: on success the room is filled.
    unsafe {
        view_mut_in(&mut room, array, name)?;
        Ok(room.assume_init())
    }
}

/// A NULL descriptor means that the caller has no such array.
///
/// # Safety
/// As [`view`].
pub(crate) unsafe fn optional_view<'a>(array: *const pcml_const_array, name: &str) -> Result<Option<View<'a>>> {
    if array.is_null() { Ok(None) } else { unsafe { view(array, name) }.map(Some) }
}

/// A NULL descriptor means that the caller does not ask for this result.
///
/// # Safety
/// As [`view_mut`].
pub(crate) unsafe fn optional_view_mut<'a>(array: *const pcml_array, name: &str) -> Result<Option<ViewMut<'a>>> {
    if array.is_null() { Ok(None) } else { unsafe { view_mut(array, name) }.map(Some) }
}

/// Most arrays of a list: the fields of a host are the longest ones.
const MOST_VIEWS: usize = 64;

/// A list of arrays, read without an allocation.
pub(crate) struct Views<'a> {
    /// The first `count` are there.
    views: [MaybeUninit<View<'a>>; MOST_VIEWS],
    count: usize,
}

impl<'a> Deref for Views<'a> {
    type Target = [View<'a>];
    fn deref(&self) -> &[View<'a>] {
        // SAFETY: so many are there, and a MaybeUninit lies in memory as what it holds.
        unsafe { std::slice::from_raw_parts(self.views.as_ptr().cast(), self.count) }
    }
}

fn view_count(count: i64, name: &str) -> Result<usize> {
    if count < 0 {
        return fail!(InvalidArgument, "the count of {name} is {count}, expected at least 0");
    }
    if count > MOST_VIEWS as i64 {
        return fail!(Mismatch, "{count} arrays of {name}, expected at most {MOST_VIEWS}");
    }
    Ok(count as usize)
}

impl Views<'_> {
    /// Room for a list, where the caller wants it: it is too large to be moved in a short call.
    #[inline(always)]
    pub(crate) fn room() -> Self {
        Views { views: [const { MaybeUninit::uninit() }; MOST_VIEWS], count: 0 }
    }
}

/// # Safety
/// `arrays` is NULL or names `count` descriptors whose elements are readable during `'a`.
#[inline(always)]
pub(crate) unsafe fn views<'r, 'a>(
    room: &'r mut Views<'a>,
    arrays: *const pcml_const_array,
    count: i64,
    name: &str,
) -> Result<&'r [View<'a>]> {
    if count == 0 {
        return Ok(&[]);
    }
    let count = view_count(count, name)?;
    if arrays.is_null() {
        return fail!(NullArgument, "{name} is NULL, expected {count} arrays");
    }
    for (number, to) in room.views[..count].iter_mut().enumerate() {
        // SAFETY: the caller promises so many descriptors.
        let mut read = |name: &str| unsafe { view_in(to, arrays.add(number), name).map(|_| ()) };
        // Only a failure needs the array's own name, which allocates.
        read(name).or_else(|_| read(&format!("{name}[{number}]")))?;
    }
    room.count = count;
    Ok(room)
}

/// A list of arrays to write, read without an allocation.
pub(crate) struct ViewsMut<'a> {
    /// The first `count` are there.
    views: [MaybeUninit<ViewMut<'a>>; MOST_VIEWS],
    count: usize,
}

impl<'a> ViewsMut<'a> {
    pub(crate) fn all(&mut self) -> &mut [ViewMut<'a>] {
        // SAFETY: so many are there, and a MaybeUninit lies in memory as what it holds.
        unsafe { std::slice::from_raw_parts_mut(self.views.as_mut_ptr().cast(), self.count) }
    }
}

/// A NULL list means that the caller does not ask for these results.
///
/// # Safety
/// `arrays` is NULL or names `count` descriptors whose elements are writable during `'a`.
pub(crate) unsafe fn optional_views_mut<'a>(
    arrays: *const pcml_array,
    count: i64,
    name: &str,
) -> Result<Option<ViewsMut<'a>>> {
    if arrays.is_null() {
        return Ok(None);
    }
    let count = view_count(count, name)?;
    let mut views = ViewsMut { views: [const { MaybeUninit::uninit() }; MOST_VIEWS], count };
    for (number, to) in views.views[..count].iter_mut().enumerate() {
        // SAFETY: the caller promises so many descriptors.
        let mut read = |name: &str| unsafe { view_mut_in(to, arrays.add(number), name).map(|_| ()) };
        // Only a failure needs the array's own name, which allocates.
        read(name).or_else(|_| read(&format!("{name}[{number}]")))?;
    }
    Ok(Some(views))
}

/// A NULL list means that the caller has no such arrays.
///
/// # Safety
/// As [`views`].
pub(crate) unsafe fn optional_views<'r, 'a>(
    room: &'r mut Views<'a>,
    arrays: *const pcml_const_array,
    count: i64,
    name: &str,
) -> Result<Option<&'r [View<'a>]>> {
    if arrays.is_null() { Ok(None) } else { unsafe { views(room, arrays, count, name) }.map(Some) }
}
