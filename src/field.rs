//! The geometry of a field in the caller's memory: dtype, shape, strides. No data is touched here.

use crate::error::{Result, fail};

/// Largest rank of an array.
pub const MAX_RANK: usize = 8;

/// The storage type of an array. Constraint algebra is f64 whatever the storage.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE binary32.
    F32 = 1,
    /// IEEE binary64.
    F64 = 2,
}

impl Dtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }

    /// Spacing of the storage type at 1.
    pub fn epsilon(self) -> f64 {
        match self {
            Dtype::F32 => f32::EPSILON as f64,
            Dtype::F64 => f64::EPSILON,
        }
    }

    /// The nearest value of the storage type; infinity beyond its range.
    pub fn round(self, x: f64) -> f64 {
        match self {
            Dtype::F32 => x as f32 as f64,
            Dtype::F64 => x,
        }
    }

    /// The least value of the storage type that is not below `x`.
    pub fn round_up(self, x: f64) -> f64 {
        let nearest = self.round(x);
        if nearest < x { self.next_up(nearest) } else { nearest }
    }

    /// The largest value of the storage type that is not above `x`.
    pub fn round_down(self, x: f64) -> f64 {
        -self.round_up(-x)
    }

    /// The value of the storage type after `x`, which is one of it.
    fn next_up(self, x: f64) -> f64 {
        match self {
            Dtype::F32 => (x as f32).next_up() as f64,
            Dtype::F64 => x.next_up(),
        }
    }

    /// [`Dtype::round`] of each.
    pub fn round_all(self, x: &mut [f64]) {
        if self == Dtype::F32 {
            x.iter_mut().for_each(|v| *v = *v as f32 as f64);
        }
    }

    /// Least value of the storage type above 0.
    pub(crate) fn tiny(self) -> f64 {
        match self {
            Dtype::F32 => f32::from_bits(1) as f64,
            Dtype::F64 => f64::from_bits(1),
        }
    }

    /// Largest finite value of the storage type.
    pub fn max(self) -> f64 {
        match self {
            Dtype::F32 => f32::MAX as f64,
            Dtype::F64 => f64::MAX,
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A storage type of arrays: `f32` or `f64`.
pub trait Element: sealed::Sealed + Copy + Default + 'static {
    /// The type's tag.
    const DTYPE: Dtype;
}

impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
}

impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

/// Shape and strides, in elements, from the element with index (0, ..., 0). Strides may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    rank: usize,
    shape: [usize; MAX_RANK],
    strides: [isize; MAX_RANK],
}

impl Layout {
    /// Checks ranks, extents and that every offset fits the address space.
    #[inline]
    pub fn new(name: &str, shape: &[usize], strides: &[isize]) -> Result<Layout> {
        let rank = shape.len();
        if rank == 0 || rank > MAX_RANK || strides.len() != rank {
            return fail!(
                Shape,
                "{name} has rank {rank} and {} strides, expected equal counts from 1 to {MAX_RANK}",
                strides.len()
            );
        }
        Self::of_axes(name, rank, |axis| (shape[axis] as i64, strides[axis] as i64))
    }

    /// The same from extents and strides as C has them, `rank` being in range.
    #[inline(always)]
    pub(crate) fn of_axes(name: &str, rank: usize, axes: impl Fn(usize) -> (i64, i64)) -> Result<Layout> {
        let mut layout = Layout::ONE;
        layout.set_axes(name, rank, axes)?;
        Ok(layout)
    }

    /// One element, to be filled by [`Layout::set_axes`].
    pub(crate) const ONE: Layout = Layout { rank: 1, shape: [1; MAX_RANK], strides: [0; MAX_RANK] };

    /// Makes [`Layout::ONE`] what [`Layout::of_axes`] gives, where it lies; after a failure it is of no use.
    #[inline(always)]
    pub(crate) fn set_axes(&mut self, name: &str, rank: usize, axes: impl Fn(usize) -> (i64, i64)) -> Result<()> {
        self.rank = rank;
        // isize::MAX bytes is what one allocation can hold; 8 is the larger element.
        let most = isize::MAX as usize / 8;
        let (mut span, mut len, mut fits) = (1usize, 1usize, true);
        for axis in 0..rank {
            let (n, stride) = axes(axis);
            if n < 1 {
                return fail!(Shape, "{name}.shape[{axis}] is {n}, expected at least 1");
            }
            (self.shape[axis], self.strides[axis]) = (n as usize, stride as isize);
            let (reach, too_far) = (n as usize - 1).overflowing_mul(stride.unsigned_abs() as usize);
            let (sum, over) = span.overflowing_add(reach);
            let (product, many) = len.overflowing_mul(n as usize);
            (span, len) = (sum, product);
            fits &= !(too_far | over | many) && span <= most && len <= most;
        }
        if !fits {
            let (shape, strides) = (self.shape(), self.strides());
            return fail!(
                TooLarge,
                "{name} of shape {shape:?} and strides {strides:?} spans more than {most} elements"
            );
        }
        Ok(())
    }

    /// C order, no gaps.
    pub fn contiguous(name: &str, shape: &[usize]) -> Result<Layout> {
        let mut strides = [1isize; MAX_RANK];
        let rank = shape.len().min(MAX_RANK);
        for axis in (1..rank).rev() {
            strides[axis - 1] = match strides[axis].checked_mul(shape[axis] as isize) {
                Some(stride) if stride >= 0 => stride,
                _ => return fail!(TooLarge, "{name}: extents {shape:?} overflow the address space"),
            };
        }
        Layout::new(name, shape, &strides[..rank])
    }

    /// Extents, first axis first.
    pub fn shape(&self) -> &[usize] {
        &self.shape[..self.rank]
    }

    /// Steps in elements, first axis first.
    pub fn strides(&self) -> &[isize] {
        &self.strides[..self.rank]
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Never: every extent is at least 1.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Smallest and largest offset of an element.
    pub fn extent(&self) -> (isize, isize) {
        let (mut low, mut high) = (0, 0);
        for (&n, &s) in self.shape().iter().zip(self.strides()) {
            let reach = (n as isize - 1) * s;
            if reach < 0 { low += reach } else { high += reach }
        }
        (low, high)
    }

    /// Splits off the first axis: (its extent, its stride, the layout of one slice).
    /// A layout of rank 1 is one slice.
    pub fn split_first(&self) -> (usize, isize, Layout) {
        if self.rank == 1 {
            return (1, 0, *self);
        }
        let mut rest = Layout { rank: self.rank - 1, ..Layout::ONE };
        rest.shape[..rest.rank].copy_from_slice(&self.shape[1..self.rank]);
        rest.strides[..rest.rank].copy_from_slice(&self.strides[1..self.rank]);
        (self.shape[0], self.strides[0], rest)
    }

    /// The same elements in the order of memory, as far as steps tell, with neighbouring axes merged.
    pub(crate) fn by_steps(&self) -> Layout {
        let mut order: [usize; MAX_RANK] = std::array::from_fn(|axis| axis);
        order[..self.rank].sort_unstable_by_key(|axis| std::cmp::Reverse(self.strides[*axis].unsigned_abs()));
        let mut out = *self;
        for (to, from) in order.into_iter().enumerate().take(self.rank) {
            (out.shape[to], out.strides[to]) = (self.shape[from], self.strides[from]);
        }
        out.merged()
    }

    /// The first axis alone.
    pub(crate) fn first_axis(&self) -> Layout {
        let mut first = Layout::ONE;
        (first.shape[0], first.strides[0]) = (self.shape[0], self.strides[0]);
        first
    }

    /// The same elements in the same order with neighbouring axes merged where memory allows.
    #[inline]
    pub fn merged(&self) -> Layout {
        let mut out = Layout::ONE;
        out.shape[0] = self.shape[0];
        out.strides[0] = self.strides[0];
        for axis in 1..self.rank {
            let (n, s) = (self.shape[axis], self.strides[axis]);
            let last = out.rank - 1;
            if n == 1 {
                continue;
            }
            if out.shape[last] == 1 {
                out.shape[last] = n;
                out.strides[last] = s;
            } else if out.strides[last] == s * n as isize {
                out.shape[last] *= n;
                out.strides[last] = s;
            } else {
                out.rank += 1;
                out.shape[out.rank - 1] = n;
                out.strides[out.rank - 1] = s;
            }
        }
        out
    }

    /// True when two indices surely name different elements: axes by growing stride never reach over the next.
    pub fn is_injective(&self) -> bool {
        // Nearly always C order, which needs no sorting.
        let mut reach = 0usize;
        let in_order = self.shape().iter().zip(self.strides()).rev().all(|(&n, &s)| {
            let stride = s.unsigned_abs();
            let fits = n == 1 || stride > reach;
            reach += (n - 1) * stride;
            fits
        });
        if in_order {
            return true;
        }
        let mut axes = [(0usize, 0usize); MAX_RANK];
        let mut count = 0;
        for (&n, &s) in self.shape().iter().zip(self.strides()) {
            if n > 1 {
                axes[count] = (s.unsigned_abs(), n);
                count += 1;
            }
        }
        axes[..count].sort_unstable();
        let mut reach = 0usize;
        for &(stride, n) in &axes[..count] {
            if stride <= reach {
                return false;
            }
            reach += (n - 1) * stride;
        }
        true
    }
}

/// An array's place in memory, for overlap checks.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Address of the element with index (0, ..., 0).
    pub address: usize,
    /// Storage type.
    pub dtype: Dtype,
    /// Shape and strides.
    pub layout: &'a Layout,
}

/// How two arrays share memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// No common byte.
    Disjoint,
    /// The same elements under the same indices.
    Same,
    /// A common byte, or none that can be excluded.
    Overlap,
}

/// Exact for arrays apart, equal, or interleaved in blocks on a common step, such as some channels of each point; otherwise overlap is
/// assumed.
pub fn sharing(a: &Place, b: &Place) -> Sharing {
    if a.address == b.address && a.dtype == b.dtype && a.layout == b.layout {
        return Sharing::Same;
    }
    let ([a0, a1], [b0, b1]) = (a.all_bytes(), b.all_bytes());
    if a1 <= b0 || b1 <= a0 {
        return Sharing::Disjoint;
    }
    // Axes with steps of at least `least` repeat the blocks that the others make, on a common step.
    for least in a.steps().chain(b.steps()) {
        let step = a.steps().chain(b.steps()).filter(|s| *s >= least).fold(0, gcd);
        let ([a0, a1], [b0, b1]) = (a.bytes(least), b.bytes(least));
        let between = (b0 - a0).rem_euclid(step as i128);
        if between >= a1 - a0 && step as i128 - between >= b1 - b0 {
            return Sharing::Disjoint;
        }
    }
    Sharing::Overlap
}

impl Place<'_> {
    /// Bytes between neighbours on each axis that has some.
    fn steps(&self) -> impl Iterator<Item = u128> {
        let axes = self.layout.shape().iter().zip(self.layout.strides()).filter(|(n, s)| **n > 1 && **s != 0);
        axes.map(|(_, s)| s.unsigned_abs() as u128 * self.dtype.size() as u128)
    }

    /// First byte and the one after the last.
    fn all_bytes(&self) -> [i128; 2] {
        // A layout's extent in bytes fits the address space.
        let (size, (low, high)) = (self.dtype.size() as isize, self.layout.extent());
        [low * size, (high + 1) * size].map(|at| self.address as i128 + at as i128)
    }

    /// The same of axes with steps below `most` bytes.
    fn bytes(&self, most: u128) -> [i128; 2] {
        let size = self.dtype.size() as i128;
        let (mut low, mut high) = (self.address as i128, self.address as i128 + size);
        for (&n, &s) in self.layout.shape().iter().zip(self.layout.strides()) {
            let reach = (n as i128 - 1) * s as i128 * size;
            if (s.unsigned_abs() as u128 * size as u128) < most {
                if reach < 0 { low += reach } else { high += reach }
            }
        }
        [low, high]
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn place(address: usize, shape: &[usize], strides: &[isize]) -> Place<'static> {
        let layout = Box::leak(Box::new(Layout::new("a", shape, strides).unwrap()));
        Place { address, dtype: Dtype::F64, layout }
    }

    #[test]
    fn refuses_impossible_layouts() {
        assert_eq!(Layout::new("a", &[], &[]).unwrap_err().status(), Status::Shape);
        assert_eq!(Layout::new("a", &[3, 0], &[1, 1]).unwrap_err().status(), Status::Shape);
        assert_eq!(Layout::new("a", &[2; 9], &[1; 9]).unwrap_err().status(), Status::Shape);
        let huge = Layout::new("a", &[usize::MAX / 2, 4], &[1, 1]).unwrap_err();
        assert_eq!(huge.status(), Status::TooLarge);
        assert_eq!(Layout::contiguous("a", &[usize::MAX; 3]).unwrap_err().status(), Status::TooLarge);
        assert_eq!(Layout::new("a", &[2], &[isize::MIN]).unwrap_err().status(), Status::TooLarge);
    }

    #[test]
    fn merges_what_memory_allows() {
        let c = Layout::contiguous("a", &[4, 1, 5, 6]).unwrap().merged();
        assert_eq!((c.shape(), c.strides()), (&[120][..], &[1][..]));
        let section = Layout::new("a", &[4, 5], &[7, 1]).unwrap().merged();
        assert_eq!(section.shape(), &[4, 5]);
        let backwards = Layout::new("a", &[4, 5], &[-5, -1]).unwrap().merged();
        assert_eq!((backwards.shape(), backwards.strides()), (&[20][..], &[-1][..]));
    }

    #[test]
    fn sees_overlap() {
        assert!(Layout::new("a", &[3, 4], &[1, 3]).unwrap().is_injective());
        assert!(!Layout::new("a", &[3, 4], &[0, 1]).unwrap().is_injective());
        assert!(!Layout::new("a", &[3, 4], &[2, 1]).unwrap().is_injective());
        let a = place(800, &[10], &[1]);
        assert_eq!(sharing(&a, &place(880, &[10], &[1])), Sharing::Disjoint);
        assert_eq!(sharing(&a, &a), Sharing::Same);
        assert_eq!(sharing(&a, &place(872, &[10], &[-1])), Sharing::Overlap);
        assert_eq!(sharing(&a, &place(808, &[10], &[1])), Sharing::Overlap);
        // mean and variance interleaved
        assert_eq!(sharing(&place(800, &[10], &[2]), &place(808, &[10], &[2])), Sharing::Disjoint);
        assert_eq!(sharing(&place(800, &[10], &[2]), &place(804, &[10], &[2])), Sharing::Overlap);
        // channels 0 and 1, and 2 to 4, of 5 at each point
        let two = place(800, &[6, 2], &[5, 1]);
        assert_eq!(sharing(&two, &place(816, &[6, 3], &[5, 1])), Sharing::Disjoint);
        assert_eq!(sharing(&two, &place(808, &[6, 3], &[5, 1])), Sharing::Overlap);
        assert_eq!(sharing(&two, &place(816, &[6, 4], &[5, 1])), Sharing::Overlap);
        // the same backwards, and halves of the rows of a field
        assert_eq!(sharing(&two, &place(800 + 8 * 29, &[6, 3], &[-5, -1])), Sharing::Disjoint);
        assert_eq!(
            sharing(&place(800, &[4, 3, 5], &[60, 10, 1]), &place(840, &[4, 3, 5], &[60, 10, 1])),
            Sharing::Disjoint
        );
    }
}
