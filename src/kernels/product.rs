//! Products of a few rows with a matrix: y = x W' (+ bias), the work of every dense layer, of attention and of truncated
//! Fourier transforms; also the sum of several products.
//!
//! A weight W is packed once into panels of 128 bytes of output channels, the summed index running down a panel; a field whose
//! neighbouring channels are the outputs needs no packing. Every output is a chain of fused multiply-adds along the summed
//! index from its start value, one product after the other, so its bits depend on its own rows of x and of W alone: not on the number
//! of rows, their position, or the vector width.

use pulp::{Arch, Simd, WithSimd};

use super::pages::Pages;
use super::real::Real;
use crate::error::Result;

/// A matrix W [outputs, inner] in panels. The capacity may exceed what is packed at the moment.
pub struct Packed<T> {
    outputs: usize,
    inner: usize,
    /// A vector that lies in two cache lines costs two loads.
    data: Pages<T>,
}

/// What an output starts from.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    /// 0.
    Zero,
    /// One value an output channel.
    Bias(&'a [T]),
    /// What the output array holds: y += x W'.
    Output,
}

/// Rows of a matrix in memory: row r begins at r * stride.
#[derive(Clone, Copy)]
pub struct Rows<'a, T> {
    /// Elements from the first row on.
    pub data: &'a [T],
    /// Elements from one row to the next.
    pub stride: usize,
    /// Number of rows.
    pub count: usize,
}

/// Vectors that a panel takes. As a constant of a condition it spares the compiler what other vectors would do.
pub(super) const fn vectors_of_panel<T: Real, S: Simd>() -> usize {
    T::PANEL * size_of::<T>() / size_of::<T::Vector<S>>()
}

fn panels<T: Real>(outputs: usize) -> usize {
    outputs.div_ceil(T::PANEL)
}

impl<T: Real> Packed<T> {
    /// Room for matrices up to [outputs, inner].
    pub fn with_capacity(outputs: usize, inner: usize, what: &str) -> Result<Self> {
        let len = panels::<T>(outputs).saturating_mul(T::PANEL).saturating_mul(inner);
        Ok(Packed { outputs: 0, inner: 0, data: Pages::zeros(len, what)? })
    }

    /// Packs W from its entries `at(output, inner)`; its size must fit the capacity.
    pub fn pack(&mut self, outputs: usize, inner: usize, at: impl Fn(usize, usize) -> T) {
        assert!(panels::<T>(outputs) * T::PANEL * inner <= self.data.len());
        (self.outputs, self.inner) = (outputs, inner);
        for (panel, block) in self.data.chunks_exact_mut(T::PANEL * inner).take(panels::<T>(outputs)).enumerate() {
            for (k, lanes) in block.chunks_exact_mut(T::PANEL).enumerate() {
                for (lane, value) in lanes.iter_mut().enumerate() {
                    let output = panel * T::PANEL + lane;
                    *value = if output < outputs { at(output, k) } else { T::ZERO };
                }
            }
        }
    }

    /// Packs a row-major [outputs, inner] matrix.
    pub fn from_rows(weights: &[f64], outputs: usize, inner: usize, what: &str) -> Result<Self> {
        let mut packed = Self::with_capacity(outputs, inner, what)?;
        packed.pack(outputs, inner, |o, k| T::from_f64(weights[o * inner + k]));
        Ok(packed)
    }

    /// Rows of W.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Columns of W.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// An entry of W.
    pub fn entry(&self, output: usize, inner: usize) -> T {
        let (panel, lane) = (output / T::PANEL, output % T::PANEL);
        self.data[(panel * self.inner + inner) * T::PANEL + lane]
    }

    /// W as a factor of products.
    pub fn columns(&self) -> Columns<'_, T> {
        self.columns_from(0)
    }

    /// W without its columns before `first`.
    pub fn columns_from(&self, first: usize) -> Columns<'_, T> {
        let data = &self.data[first * T::PANEL..];
        Columns { data, inner: self.inner - first, stride: T::PANEL, panel: T::PANEL * self.inner }
    }
}

/// A matrix W' [inner, outputs] whose entry (k, o) lies at panel * (o / PANEL) + k * stride + o % PANEL.
#[derive(Clone, Copy)]
pub struct Columns<'a, T> {
    data: &'a [T],
    inner: usize,
    stride: usize,
    panel: usize,
}

impl<'a, T: Real> Columns<'a, T> {
    /// Rows of neighbouring outputs, as they lie in memory, row k at k * stride. The kernel reads past the last output to the end
    /// of its half panel, [`overhang`] elements, without using what it finds there.
    pub fn plain(data: &'a [T], inner: usize, stride: usize) -> Self {
        Columns { data, inner, stride, panel: T::PANEL }
    }
}

impl<T: Real> Columns<'_, T> {
    /// Summed terms.
    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    /// Whether the matrix has all that is read for so many outputs.
    pub(super) fn check(&self, outputs: usize) {
        let panel = outputs.saturating_sub(1) / T::PANEL;
        if let Some(last) = self.inner.checked_sub(1) {
            let len = overhang::<T>(outputs - panel * T::PANEL);
            assert!(has_room(self.data.len(), [(panel, self.panel), (last, self.stride)], len));
        }
    }

    /// Entries k of a panel's first outputs.
    ///
    /// # Safety
    /// k < inner, and [`Columns::check`] for as many outputs as the panels and vectors reach.
    #[inline(always)]
    pub(super) unsafe fn vectors<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        panel: usize,
        k: usize,
    ) -> [T::Vector<S>; VECTORS] {
        // SAFETY: the caller's promise.
        unsafe { self.vectors_from(simd, panel * T::PANEL, k) }
    }

    /// Entries k of outputs from `first` on, which lie in one panel.
    ///
    /// # Safety
    /// As for [`Columns::vectors`].
    #[inline(always)]
    pub(super) unsafe fn vectors_from<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        first: usize,
        k: usize,
    ) -> [T::Vector<S>; VECTORS] {
        let lanes = T::lanes::<S>();
        let from = first / T::PANEL * self.panel + first % T::PANEL + k * self.stride;
        // SAFETY: the caller's promise.
        let columns = unsafe { self.data.get_unchecked(from..from + VECTORS * lanes) };
        let mut vectors = [T::splat(simd, T::ZERO); VECTORS];
        for (v, vector) in vectors.iter_mut().enumerate() {
            *vector = T::load(simd, &columns[v * lanes..]);
        }
        vectors
    }
}

/// Whether an array of `available` elements has `len` behind so many steps of each stride, however large the numbers.
#[inline(always)]
pub(super) fn has_room<const N: usize>(available: usize, steps: [(usize, usize); N], len: usize) -> bool {
    let end = steps.iter().try_fold(len, |end, (count, stride)| end.checked_add(count.checked_mul(*stride)?));
    end.is_some_and(|end| end <= available)
}

/// `outputs` rounded up to half panels: what a row of [`Columns::plain`] must have behind its first element.
pub fn overhang<T: Real>(outputs: usize) -> usize {
    outputs.next_multiple_of(T::PANEL / 2)
}

/// y [rows, outputs] = start + x [rows, inner] W', rectified when `relu`. NaN passes through.
pub fn product<T: Real>(
    arch: Arch,
    x: Rows<T>,
    w: &Packed<T>,
    start: Start<T>,
    relu: bool,
    y: &mut [T],
    y_stride: usize,
) {
    run(arch, Product { terms: [(x, w.columns())], outputs: w.outputs, start, relu, y, y_stride });
}

/// y [rows, outputs] = start + sum over the terms of x [rows, inner] W'.
pub fn products<T: Real, const N: usize>(
    arch: Arch,
    terms: [(Rows<T>, Columns<T>); N],
    outputs: usize,
    start: Start<T>,
    y: &mut [T],
    y_stride: usize,
) {
    run(arch, Product { terms, outputs, start, relu: false, y, y_stride });
}

/// Lanes of [`dots`].
const LANES: usize = 16;

/// y [rows, outputs] = bias + x [rows, inner] W', W [outputs, inner] as it is: for a few outputs, which would leave the panels of
/// [`product`] nearly empty. Sums run over 16 lanes by index modulo 16 that are folded in one order, whatever the vector width.
pub fn dots<T: Real>(arch: Arch, x: Rows<T>, w: &[T], bias: &[T], y: &mut [T]) {
    let inner = w.len() / bias.len();
    assert!(y.len() >= x.count * bias.len());
    arch.dispatch(Dots { x, w, bias, y, inner });
}

struct Dots<'a, T> {
    x: Rows<'a, T>,
    w: &'a [T],
    bias: &'a [T],
    y: &'a mut [T],
    inner: usize,
}

impl<T: Real> WithSimd for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match LANES / T::lanes::<S>() {
            0 | 1 => self.run::<S, 1>(simd),
            2 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            8 => self.run::<S, 8>(simd),
            _ => self.run::<S, 16>(simd),
        }
    }
}

impl<T: Real> Dots<'_, T> {
    /// The sum of 16 lanes and of the products that are left, one a lane: 8 lanes to the 8 before them, of these 4 to 4, 2 to 2, and the
    /// last to the first.
    #[inline(always)]
    fn folded<S: Simd, const VECTORS: usize>(simd: S, sums: [T::Vector<S>; VECTORS], left: (&[T], &[T])) -> T {
        let mut each = [T::ZERO; LANES];
        let lanes = T::lanes::<S>();
        if left.0.is_empty() && VECTORS > 1 {
            for v in 0..VECTORS / 2 {
                let sum = T::fused(simd, T::splat(simd, T::ONE), sums[VECTORS / 2 + v], sums[v]);
                T::store(simd, &mut each[v * lanes..], sum);
            }
        } else {
            for (v, sums) in sums.iter().enumerate() {
                T::store(simd, &mut each[v * lanes..], *sums);
            }
            for ((sum, x), w) in each.iter_mut().zip(left.0).zip(left.1) {
                *sum = x.mul_add(*w, *sum);
            }
            for lane in 0..LANES / 2 {
                each[lane] += each[LANES / 2 + lane];
            }
        }
        let [a, b, c, d] = [each[0] + each[4], each[1] + each[5], each[2] + each[6], each[3] + each[7]];
        (a + c) + (b + d)
    }

    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Dots { x, w, bias, y, inner } = self;
        let (lanes, outputs) = (T::lanes::<S>(), bias.len());
        let whole = inner / LANES * LANES;
        for (o, w) in w.chunks_exact(inner).enumerate() {
            heights!(4, 4, x.count, |r, HEIGHT| {
                let rows: [&[T]; HEIGHT] = std::array::from_fn(|i| &x.data[(r + i) * x.stride..][..inner]);
                let mut own = [[T::splat(simd, T::ZERO); VECTORS]; HEIGHT];
                for at in (0..whole).step_by(LANES) {
                    for v in 0..VECTORS {
                        let at = at + v * lanes..at + (v + 1) * lanes;
                        // SAFETY: they end before `whole`, and w and each row have `inner` elements.
                        let w = T::load(simd, unsafe { w.get_unchecked(at.clone()) });
                        unrolled!(HEIGHT, |i| {
                            // SAFETY: as before.
                            let x = T::load(simd, unsafe { rows[i].get_unchecked(at.clone()) });
                            own[i][v] = T::fused(simd, x, w, own[i][v]);
                        });
                    }
                }
                unrolled!(HEIGHT, |i| {
                    y[(r + i) * outputs + o] =
                        Self::folded::<S, VECTORS>(simd, own[i], (&rows[i][whole..], &w[whole..])) + bias[o];
                });
            });
        }
    }
}

fn run<T: Real, const N: usize>(arch: Arch, p: Product<T, N>) {
    let Some(last) = p.terms[0].0.count.checked_sub(1) else { return };
    for (x, w) in &p.terms {
        assert!(x.count == last + 1 && has_room(x.data.len(), [(last, x.stride)], w.inner));
        w.check(p.outputs);
    }
    assert!(has_room(p.y.len(), [(last, p.y_stride)], p.outputs));
    if let Start::Bias(bias) = p.start {
        assert!(bias.len() >= p.outputs);
    }
    arch.dispatch(p);
}

/// Runs `$block` for blocks of at most `$most` rows, up to the constant `$limit` and 12, that together are `$count` rows; the last two
/// share what is left, as a block of one or two rows would wait for its own additions. `$height` is a constant of its block.
macro_rules! heights {
    ($limit:expr, $most:expr, $count:expr, |$row:ident, $height:ident| $block:expr) => {{
        let (mut rest, most): (usize, usize) = ($count, $most);
        let mut next = 0;
        while rest > 0 {
            // Not all of one height: a division would take as long as a short block.
            let height = if rest >= 2 * most {
                most
            } else if rest > most {
                rest.div_ceil(2)
            } else {
                rest
            };
            let $row = next;
            (next, rest) = (next + height, rest - height);
            macro_rules! case {
                ($h:literal) => {{
                    const $height: usize = $h;
                    if $h <= $limit {
                        $block
                    }
                }};
            }
            match height {
                1 => case!(1),
                2 => case!(2),
                3 => case!(3),
                4 => case!(4),
                5 => case!(5),
                6 => case!(6),
                7 => case!(7),
                8 => case!(8),
                9 => case!(9),
                10 => case!(10),
                11 => case!(11),
                _ => case!(12),
            }
        }
    }};
}
pub(super) use heights;

/// Runs `$body` for every `$r` below the constant `$count`, at most 12, one after the other in the code itself: accumulators must be
/// registers whatever the compiler thinks of unrolling.
macro_rules! unrolled {
    ($count:expr, |$r:ident| $body:expr) => {
        unrolled!(@ $count, $r, $body, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@ $count:expr, $r:ident, $body:expr, $($at:literal)*) => {
        $(if $at < $count {
            let $r: usize = $at;
            $body
        })*
    };
}
pub(super) use unrolled;

/// Summed terms from which a panel leaves the first-level cache.
const LONG: usize = 192;

struct Product<'a, T, const N: usize> {
    terms: [(Rows<'a, T>, Columns<'a, T>); N],
    outputs: usize,
    start: Start<'a, T>,
    relu: bool,
    y: &'a mut [T],
    y_stride: usize,
}

impl<T: Real, const N: usize> WithSimd for Product<'_, T, N> {
    type Output = ();

    // Register blocks: as many accumulators as the registers of the machine hold beside a row of the panel. A panel of
    // 128 bytes is 2 registers of AVX-512, 4 of AVX2, 8 of NEON; up to half a panel of outputs is done with half of them and, where
    // registers then are left, twice as many rows.
    // A single row takes several panels at once.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if const { vectors_of_panel::<T, S>() == 2 } {
            // More rows read a long panel less often from the second-level cache, but their addresses do not fit the registers.
            let is_long = self.terms.iter().any(|(_, w)| w.inner >= LONG);
            self.run::<S, 2, 1, 12, 12, 4>(simd, if is_long { 12 } else { 8 });
        } else if const { vectors_of_panel::<T, S>() == 4 } {
            self.run::<S, 4, 2, 3, 6, 2>(simd, 3);
        } else if const { vectors_of_panel::<T, S>() == 8 } {
            self.run::<S, 8, 4, 3, 6, 1>(simd, 3);
        } else if const { vectors_of_panel::<T, S>() == 16 } {
            self.run::<S, 16, 8, 1, 1, 1>(simd, 1);
        } else {
            self.run::<S, 32, 16, 1, 1, 1>(simd, 1);
        }
    }
}

impl<T: Real, const N: usize> Product<'_, T, N> {
    #[inline(always)]
    fn run<
        S: Simd,
        const FULL: usize,
        const HALF: usize,
        const ROWS: usize,
        const HALF_ROWS: usize,
        const SIDE: usize,
    >(
        mut self,
        simd: S,
        most: usize,
    ) {
        let lanes = T::lanes::<S>();
        let mut first = 0;
        if SIDE > 1 && self.terms[0].0.count == 1 {
            // Panels that are read whole.
            let whole = (self.outputs + (FULL - HALF) * lanes - 1) / T::PANEL;
            while first + SIDE <= whole {
                self.row::<S, FULL, SIDE>(simd, first);
                first += SIDE;
            }
            if SIDE > 2 && first + 2 <= whole {
                self.row::<S, FULL, 2>(simd, first);
                first += 2;
            }
        }
        for panel in first..panels::<T>(self.outputs) {
            let left = self.outputs - panel * T::PANEL;
            if const { FULL == 4 } && (2 * lanes + 1..=3 * lanes).contains(&left) {
                self.panel::<S, 3, ROWS>(simd, panel, left, most);
            } else if left > HALF * lanes {
                self.panel::<S, FULL, ROWS>(simd, panel, left.min(T::PANEL), most);
            } else {
                self.panel::<S, HALF, HALF_ROWS>(simd, panel, left, if FULL > 2 { HALF_ROWS } else { most });
            }
        }
    }

    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize, const ROWS: usize>(
        &mut self,
        simd: S,
        panel: usize,
        width: usize,
        most: usize,
    ) {
        let count = self.terms[0].0.count;
        let first = panel * T::PANEL;
        let start = match self.start {
            Start::Bias(bias) => load::<T, S, VECTORS>(simd, &bias[first..first + width]),
            Start::Zero | Start::Output => [T::splat(simd, T::ZERO); VECTORS],
        };
        heights!(ROWS, most, count, |row, HEIGHT| self.block::<S, VECTORS, HEIGHT>(simd, start, panel, width, row));
    }

    /// One row of outputs: the additions of one panel's would wait for each other.
    #[inline(always)]
    fn row<S: Simd, const VECTORS: usize, const SIDE: usize>(&mut self, simd: S, panel: usize) {
        let at = |p: usize| (panel + p) * T::PANEL..self.outputs.min((panel + p + 1) * T::PANEL);
        let mut sums = [[T::splat(simd, T::ZERO); VECTORS]; SIDE];
        unrolled!(SIDE, |p| match self.start {
            Start::Bias(bias) => sums[p] = load::<T, S, VECTORS>(simd, &bias[at(p)]),
            Start::Zero => {}
            Start::Output => sums[p] = load::<T, S, VECTORS>(simd, &self.y[at(p)]),
        });
        for (x, w) in &self.terms {
            for (k, x) in x.data[..w.inner].iter().enumerate() {
                let x = T::splat(simd, *x);
                unrolled!(SIDE, |p| {
                    // SAFETY: `run` has checked the columns for all outputs, and these panels are read whole.
                    let columns: [T::Vector<S>; VECTORS] = unsafe { w.vectors(simd, panel + p, k) };
                    for v in 0..VECTORS {
                        sums[p][v] = T::fused(simd, x, columns[v], sums[p][v]);
                    }
                });
            }
        }
        let (relu, outputs) = (self.relu, self.outputs);
        unrolled!(SIDE, |p| {
            let mut sums = sums[p];
            for sum in &mut sums {
                *sum = if relu { T::rectified(simd, *sum) } else { *sum };
            }
            let first = (panel + p) * T::PANEL;
            store::<T, S, VECTORS>(simd, &mut self.y[first..outputs.min(first + T::PANEL)], &sums);
        });
    }

    #[inline(always)]
    fn block<S: Simd, const VECTORS: usize, const ROWS: usize>(
        &mut self,
        simd: S,
        start: [T::Vector<S>; VECTORS],
        panel: usize,
        width: usize,
        row: usize,
    ) {
        let first = panel * T::PANEL;
        let mut sums = [start; ROWS];
        if matches!(self.start, Start::Output) {
            unrolled!(ROWS, |r| {
                sums[r] = load::<T, S, VECTORS>(simd, &self.y[(row + r) * self.y_stride + first..][..width]);
            });
        }
        for (x, w) in &self.terms {
            let mut rows = [x.data.as_ptr(); ROWS];
            // SAFETY: `run` has checked every row for all terms.
            unrolled!(ROWS, |r| rows[r] = unsafe { x.data.as_ptr().add((row + r) * x.stride) });
            let mut k = 0;
            // SAFETY: k stays below `inner`, the length of every row; `run` has checked the columns for all outputs, and a panel's vectors
            // are its half or whole.
            unsafe {
                // Of AVX-512's products the addresses of 8 rows are most of the other work: they are found once for two terms.
                while T::lanes::<S>() * 2 == T::PANEL && k + 2 <= w.inner {
                    term::<T, S, VECTORS, ROWS>(simd, &rows, w, panel, k, &mut sums);
                    term::<T, S, VECTORS, ROWS>(simd, &rows, w, panel, k + 1, &mut sums);
                    k += 2;
                }
                while k < w.inner {
                    term::<T, S, VECTORS, ROWS>(simd, &rows, w, panel, k, &mut sums);
                    k += 1;
                }
            }
        }
        if self.relu {
            unrolled!(ROWS, |r| for sum in &mut sums[r] {
                *sum = T::rectified(simd, *sum);
            });
        }
        let (lanes, stride) = (T::lanes::<S>(), self.y_stride);
        if width == VECTORS * lanes {
            unrolled!(ROWS, |r| {
                let first = (row + r) * stride + first;
                // SAFETY: `run` has checked the outputs of every row, and these are whole vectors of them.
                let to = unsafe { self.y.get_unchecked_mut(first..first + VECTORS * lanes) };
                for v in 0..VECTORS {
                    T::store(simd, &mut to[v * lanes..], sums[r][v]);
                }
            });
        } else {
            unrolled!(ROWS, |r| {
                store::<T, S, VECTORS>(simd, &mut self.y[(row + r) * stride + first..][..width], &sums[r]);
            });
        }
    }
}

/// Adds term k of every row of a block.
///
/// # Safety
/// Rows have more than k elements; of the columns as for [`Columns::vectors`].
#[inline(always)]
unsafe fn term<T: Real, S: Simd, const VECTORS: usize, const ROWS: usize>(
    simd: S,
    rows: &[*const T; ROWS],
    w: &Columns<T>,
    panel: usize,
    k: usize,
    sums: &mut [[T::Vector<S>; VECTORS]; ROWS],
) {
    // SAFETY: the caller's promise.
    let columns: [T::Vector<S>; VECTORS] = unsafe { w.vectors(simd, panel, k) };
    // Whichever are fewer stay in registers, the others pass through one.
    if ROWS < VECTORS {
        let mut x = [columns[0]; ROWS];
        // SAFETY: the caller's promise.
        unrolled!(ROWS, |r| x[r] = T::splat(simd, unsafe { *rows[r].add(k) }));
        for v in 0..VECTORS {
            unrolled!(ROWS, |r| sums[r][v] = T::fused(simd, x[r], columns[v], sums[r][v]));
        }
    } else {
        unrolled!(ROWS, |r| {
            // SAFETY: the caller's promise.
            let x = T::splat(simd, unsafe { *rows[r].add(k) });
            for v in 0..VECTORS {
                sums[r][v] = T::fused(simd, x, columns[v], sums[r][v]);
            }
        });
    }
}

/// Vectors to a slice, as far as it goes.
#[inline(always)]
pub(super) fn store<T: Real, S: Simd, const VECTORS: usize>(simd: S, to: &mut [T], vectors: &[T::Vector<S>; VECTORS]) {
    let lanes = T::lanes::<S>();
    for (v, vector) in vectors.iter().enumerate() {
        if (v + 1) * lanes <= to.len() {
            T::store(simd, &mut to[v * lanes..], *vector);
        } else if v * lanes < to.len() {
            T::store_part(simd, &mut to[v * lanes..], *vector);
        }
    }
}

/// Up to `VECTORS` vectors from a slice, zeros behind its end.
#[inline(always)]
pub(super) fn load<T: Real, S: Simd, const VECTORS: usize>(simd: S, x: &[T]) -> [T::Vector<S>; VECTORS] {
    let lanes = T::lanes::<S>();
    let mut vectors = [T::splat(simd, T::ZERO); VECTORS];
    for (v, vector) in vectors.iter_mut().enumerate() {
        *vector = if (v + 1) * lanes <= x.len() {
            T::load(simd, &x[v * lanes..])
        } else {
            T::load_part(simd, &x[(v * lanes).min(x.len())..])
        };
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case<T: Real>(rows: usize, outputs: usize, inner: usize, seed: u64) -> (Vec<T>, Packed<T>, Vec<T>, Vec<T>) {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::from_f64((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
        };
        let x: Vec<T> = (0..rows * inner).map(|_| next()).collect();
        let w: Vec<f64> = (0..outputs * inner).map(|_| next().to_f64()).collect();
        let bias: Vec<T> = (0..outputs).map(|_| next()).collect();
        let mut expected = vec![T::ZERO; rows * outputs];
        for r in 0..rows {
            for o in 0..outputs {
                let mut sum = bias[o];
                for k in 0..inner {
                    sum = x[r * inner + k].mul_add(T::from_f64(w[o * inner + k]), sum);
                }
                expected[r * outputs + o] = sum;
            }
        }
        (x, Packed::from_rows(&w, outputs, inner, "test").unwrap(), bias, expected)
    }

    fn check<T: Real>(arch: Arch, rows: usize, outputs: usize, inner: usize, seed: u64) {
        let (x, w, bias, expected) = case::<T>(rows, outputs, inner, seed);
        let mut y = vec![T::ZERO; rows * outputs];
        product(arch, Rows { data: &x, stride: inner, count: rows }, &w, Start::Bias(&bias), false, &mut y, outputs);
        assert_eq!(y, expected);
        y.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&bias));
        product(arch, Rows { data: &x, stride: inner, count: rows }, &w, Start::Output, true, &mut y, outputs);
        let rectified: Vec<T> = expected.iter().map(|v| v.relu()).collect();
        assert_eq!(y, rectified);
        let mut y = vec![T::ZERO; rows * outputs];
        let plain: Vec<T> = (0..outputs * inner)
            .map(|i| w.data[i / inner / T::PANEL * T::PANEL * inner + i % inner * T::PANEL + i / inner % T::PANEL])
            .collect();
        dots(arch, Rows { data: &x, stride: inner, count: rows }, &plain, &bias, &mut y);
        let mut scalar = y.clone();
        dots(Arch::Scalar, Rows { data: &x, stride: inner, count: rows }, &plain, &bias, &mut scalar);
        assert_eq!(y, scalar);
        let eps = if T::PANEL == 32 { f32::EPSILON as f64 } else { f64::EPSILON };
        for (y, e) in y.iter().zip(&expected) {
            assert!((y.to_f64() - e.to_f64()).abs() <= 4.0 * eps * (1 + inner) as f64);
        }
    }

    #[test]
    fn lengths_beyond_the_address_space_are_refused() {
        let (x, w) = ([1f64; 64], [1f64; 64]);
        let caught = |x_stride, w_stride, y_stride| {
            let term = (Rows { data: &x[..], stride: x_stride, count: 3 }, Columns::plain(&w, 3, w_stride));
            let mut y = [0.0; 64];
            let work = || products(Arch::new(), [term], 1, Start::Zero, &mut y, y_stride);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
        };
        // Twice as much wraps around to 0.
        let half = 1 << (usize::BITS - 1);
        assert!(!caught(3, 8, 1));
        assert!(caught(half, 8, 1) && caught(3, half, 1) && caught(3, 8, half));
    }

    proptest! {
        #[test]
        fn every_vector_width_gives_the_bits_of_the_plain_chain(
            rows in 1usize..30, outputs in 1usize..80, inner in 1usize..70, seed: u64,
        ) {
            for arch in std::iter::once(Arch::new()).chain(crate::kernels::other_archs()) {
                check::<f32>(arch, rows, outputs, inner, seed);
                check::<f64>(arch, rows, outputs, inner, seed);
            }
        }
    }
}
