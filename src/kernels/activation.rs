//! The pointwise functions between layers, and their slopes.

use pulp::{Arch, Simd, WithSimd};
use serde::Deserialize;

use super::real::Real;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// x.
    Identity,
    /// max(x, 0).
    Relu,
    /// x Phi(x), Phi the normal distribution function.
    Gelu,
    /// x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3))).
    GeluTanh,
    /// x / (1 + exp(-x)).
    Silu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// tanh(x).
    Tanh,
    /// log(1 + exp(x)).
    Softplus,
    /// x, and 0.01 x below 0.
    LeakyRelu,
    /// x, and exp(x) - 1 below 0.
    Elu,
}

#[inline(always)]
fn select<T: Real>(condition: bool, yes: T, no: T) -> T {
    if condition { yes } else { no }
}

#[inline(always)]
fn sigmoid<T: Real>(x: T) -> T {
    let e = (-x.abs()).exp_nonpositive();
    select(x < T::ZERO, e, T::ONE) / (T::ONE + e)
}

#[inline(always)]
fn tanh<T: Real>(x: T) -> T {
    let size = x.abs();
    let e = (T::from_f64(-2.0) * size).exp_nonpositive();
    // Below the threshold the difference of nearly equal numbers would cost digits: a series takes over.
    let s = x * x;
    let series = s.mul_add(
        s.mul_add(s.mul_add(T::from_f64(-17.0 / 315.0), T::from_f64(2.0 / 15.0)), T::from_f64(-1.0 / 3.0)) * x,
        x,
    );
    let large = (T::ONE - e) / (T::ONE + e);
    select(size < T::from_f64(0.01), series, select(x < T::ZERO, T::ZERO - large, large))
}

/// Vectors that [`gelu`] takes together.
const TOGETHER: usize = 4;

/// x Phi(x) = max(x, 0) - |x| (1 - Phi(|x|)), see [`Real::normal_tail`]; with `COPY` also to `copy`, of as many elements.
fn gelu<T: Real, const COPY: bool>(arch: Arch, x: &mut [T], copy: &mut [T]) {
    struct Gelu<'a, T, const COPY: bool>(&'a mut [T], &'a mut [T]);
    impl<T: Real, const COPY: bool> WithSimd for Gelu<'_, T, COPY> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Gelu(x, mut copy) = self;
            let lanes = T::lanes::<S>();
            let mut to = |len: usize| copy.split_off_mut(..if COPY { len } else { 0 }).expect("as many elements");
            let mut blocks = x.chunks_exact_mut(TOGETHER * lanes);
            for x in &mut blocks {
                gelu_of::<T, S, TOGETHER, COPY>(simd, x, to(TOGETHER * lanes));
            }
            let mut vectors = blocks.into_remainder().chunks_exact_mut(lanes);
            for x in &mut vectors {
                gelu_of::<T, S, 1, COPY>(simd, x, to(lanes));
            }
            let rest = vectors.into_remainder();
            if !rest.is_empty() {
                let mut x = [T::ZERO; LANES];
                x[..rest.len()].copy_from_slice(rest);
                gelu_of::<T, S, 1, false>(simd, &mut x[..lanes], &mut []);
                rest.copy_from_slice(&x[..rest.len()]);
                if COPY {
                    to(rest.len()).copy_from_slice(rest);
                }
            }
        }
    }
    arch.dispatch(Gelu::<T, COPY>(x, copy));
}

/// Most lanes of a vector.
const LANES: usize = 16;

/// [`gelu`] of N vectors. The operations of one follow one another, so that a processor needs some of another one between them.
#[inline(always)]
fn gelu_of<T: Real, S: Simd, const N: usize, const COPY: bool>(simd: S, x: &mut [T], copy: &mut [T]) {
    // Terms are read where they are used, which the compiler leaves as it is. Else it would find that fewer registers do when one vector's
    // operations all come before those of another.
    let term = |term: &T| {
        // SAFETY: a reference.
        T::splat(simd, unsafe { std::ptr::read_volatile(term) })
    };
    let horner = |terms: &[T], x: &[T::Vector<S>; N]| {
        let mut sums = [term(&terms[0]); N];
        for next in &terms[1..] {
            let next = term(next);
            for i in 0..N {
                sums[i] = T::fused(simd, sums[i], x[i], next);
            }
        }
        sums
    };
    let lanes = T::lanes::<S>();
    let (end, magic) = (T::splat(simd, T::TAIL_END), T::splat(simd, T::MAGIC));
    let mut t = [end; N];
    for i in 0..N {
        t[i] = T::sizes(simd, T::load(simd, &x[i * lanes..]), end);
    }
    let s = horner(T::TAIL, &t);
    let (mut shifted, mut f) = (t, t);
    for i in 0..N {
        shifted[i] = T::fused(simd, t[i], s[i], magic);
        f[i] = T::fused(simd, t[i], s[i], T::difference(simd, magic, shifted[i]));
    }
    let p = horner(T::POWER, &f);
    for i in 0..N {
        let tail = T::times(simd, p[i], T::powers_of_two(simd, shifted[i]));
        let minus_t = T::times(simd, T::splat(simd, T::ZERO - T::ONE), t[i]);
        let rectified = T::rectified(simd, T::load(simd, &x[i * lanes..]));
        let value = T::fused(simd, minus_t, tail, rectified);
        T::store(simd, &mut x[i * lanes..], value);
        if COPY {
            T::store(simd, &mut copy[i * lanes..], value);
        }
    }
}

#[inline(always)]
fn leaky_relu<T: Real>(x: T) -> T {
    select(x < T::ZERO, T::from_f64(0.01) * x, x)
}

#[inline(always)]
fn elu<T: Real>(x: T) -> T {
    let below = select(x < T::ZERO, x, T::ZERO);
    // The difference of nearly equal numbers would cost digits near 0: there the series of e^x - 1.
    let terms = [10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0];
    let series = terms.into_iter().fold(T::ONE, |sum, k| (below * T::from_f64(1.0 / k)).mul_add(sum, T::ONE)) * below;
    let far = below.exp_nonpositive() - T::ONE;
    select(x < T::ZERO, select(below < T::from_f64(-0.1), far, series), x)
}

/// sqrt(2 / pi) (x + 0.044715 x^3), twice.
#[inline(always)]
fn twice_inner<T: Real>(x: T) -> T {
    const SCALE: f64 = 1.595_769_121_605_730_7;
    x * (x * x).mul_add(T::from_f64(SCALE * 0.044715), T::from_f64(SCALE))
}

#[inline(always)]
fn map<T: Real>(arch: Arch, x: &mut [T], f: impl Fn(T) -> T + Copy) {
    struct Map<'a, T, F>(&'a mut [T], F);
    impl<T: Real, F: Fn(T) -> T> WithSimd for Map<'_, T, F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for v in self.0.iter_mut() {
                *v = (self.1)(*v);
            }
        }
    }
    arch.dispatch(Map(x, f));
}

#[inline(always)]
fn scale<T: Real>(arch: Arch, x: &[T], slope: &mut [T], f: impl Fn(T) -> T + Copy) {
    struct Scale<'a, T, F>(&'a [T], &'a mut [T], F);
    impl<T: Real, F: Fn(T) -> T> WithSimd for Scale<'_, T, F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for (x, s) in self.0.iter().zip(self.1) {
                *s *= (self.2)(*x);
            }
        }
    }
    arch.dispatch(Scale(x, slope, f));
}

impl Activation {
    /// x = f(x), element by element. NaN stays.
    pub fn apply<T: Real>(self, arch: Arch, x: &mut [T]) {
        match self {
            Activation::Identity => {}
            Activation::Relu => map(
                arch,
                x,
                #[inline(always)]
                |v| v.relu(),
            ),
            Activation::Gelu => gelu::<T, false>(arch, x, &mut []),
            Activation::GeluTanh => map(
                arch,
                x,
                #[inline(always)]
                |v| v * sigmoid(twice_inner(v)),
            ),
            Activation::Silu => map(
                arch,
                x,
                #[inline(always)]
                |v| v * sigmoid(v),
            ),
            Activation::Sigmoid => map(
                arch,
                x,
                #[inline(always)]
                |v| sigmoid(v),
            ),
            Activation::Tanh => map(
                arch,
                x,
                #[inline(always)]
                |v| tanh(v),
            ),
            Activation::LeakyRelu => map(
                arch,
                x,
                #[inline(always)]
                |v| leaky_relu(v),
            ),
            Activation::Elu => map(
                arch,
                x,
                #[inline(always)]
                |v| elu(v),
            ),
            Activation::Softplus => {
                for v in x {
                    let e = (-v.abs()).exp_nonpositive();
                    *v = v.relu() + T::from_f64(libm::log1p(e.to_f64()));
                }
            }
        }
    }

    /// The same, also to `copy`, of as many elements.
    pub fn apply_and_copy<T: Real>(self, arch: Arch, x: &mut [T], copy: &mut [T]) {
        if self == Activation::Gelu {
            return gelu::<T, true>(arch, x, copy);
        }
        self.apply(arch, x);
        copy.copy_from_slice(x);
    }

    /// slope *= f'(x), element by element.
    pub fn scale_by_slope<T: Real>(self, arch: Arch, x: &[T], slope: &mut [T]) {
        // A loop for each function: one with the choice inside would not become vectors.
        macro_rules! loops {
            ($($f:ident)*) => {
                match self {
                    $(Activation::$f => scale(
                        arch,
                        x,
                        slope,
                        #[inline(always)]
                        |v| Activation::$f.slope(v),
                    ),)*
                }
            };
        }
        loops!(Identity Relu Gelu GeluTanh Silu Sigmoid Tanh Softplus LeakyRelu Elu);
    }

    /// What no magnitude of f(x) exceeds when that of x is at most `x`.
    pub fn bound(self, x: f64) -> f64 {
        match self {
            Activation::Sigmoid | Activation::Tanh => 1.0,
            // log(1 + e^x) <= x + log 2 for x >= 0.
            Activation::Softplus => x + 0.7,
            _ => x,
        }
    }

    #[inline(always)]
    fn slope<T: Real>(self, x: T) -> T {
        match self {
            Activation::Identity => T::ONE,
            Activation::Relu => select(x > T::ZERO, T::ONE, T::ZERO),
            Activation::Gelu => {
                const DENSITY: f64 = 0.398_942_280_401_432_7;
                let tail = x.abs().normal_tail();
                let density = (T::from_f64(-0.5) * x * x).exp_nonpositive() * T::from_f64(DENSITY);
                x.mul_add(density, select(x < T::ZERO, tail, T::ONE - tail))
            }
            Activation::GeluTanh => {
                const SCALE: f64 = 1.595_769_121_605_730_7;
                let s = sigmoid(twice_inner(x));
                let inner = (x * x).mul_add(T::from_f64(3.0 * SCALE * 0.044715), T::from_f64(SCALE));
                (x * s * (T::ONE - s)).mul_add(inner, s)
            }
            Activation::Silu => {
                let s = sigmoid(x);
                (x * s).mul_add(T::ONE - s, s)
            }
            Activation::Sigmoid => {
                let s = sigmoid(x);
                s * (T::ONE - s)
            }
            Activation::Tanh => {
                let t = tanh(x);
                (T::ZERO - t).mul_add(t, T::ONE)
            }
            Activation::Softplus => sigmoid(x),
            Activation::LeakyRelu => select(x < T::ZERO, T::from_f64(0.01), T::ONE),
            Activation::Elu => select(x < T::ZERO, x, T::ZERO).exp_nonpositive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 10] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::LeakyRelu,
        Activation::Elu,
    ];

    fn exact(f: Activation, x: f64) -> f64 {
        match f {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Gelu => 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2),
            Activation::GeluTanh => {
                0.5 * x * (1.0 + libm::tanh((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)))
            }
            Activation::Silu => x / (1.0 + libm::exp(-x)),
            Activation::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Activation::Tanh => libm::tanh(x),
            Activation::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Activation::LeakyRelu => {
                if x < 0.0 {
                    0.01 * x
                } else {
                    x
                }
            }
            Activation::Elu => {
                if x < 0.0 {
                    libm::expm1(x)
                } else {
                    x
                }
            }
        }
    }

    fn check<T: Real>(eps: f64) {
        let x: Vec<f64> = (-60_000..=60_000).map(|i| i as f64 * 2e-4).collect();
        for f in ALL {
            let rounded: Vec<T> = x.iter().map(|x| T::from_f64(*x)).collect();
            let mut wide = rounded.clone();
            f.apply(Arch::new(), &mut wide);
            for arch in std::iter::once(Arch::new()).chain(crate::kernels::other_archs()) {
                let (mut other, mut copied) = (rounded.clone(), rounded.clone());
                f.apply(arch, &mut other);
                assert_eq!(wide, other, "{f:?}");
                let mut copy = vec![T::ONE; x.len() + 1];
                f.apply_and_copy(arch, &mut copied, &mut copy[..x.len()]);
                assert!(wide == copied && wide == copy[..x.len()] && copy[x.len()] == T::ONE, "{f:?}");
            }
            let mut slope = vec![T::ONE; x.len()];
            f.scale_by_slope(Arch::new(), &rounded, &mut slope);
            for ((v, x), s) in wide.iter().zip(&rounded).zip(&slope) {
                let x = x.to_f64();
                let value = exact(f, x);
                assert!((v.to_f64() - value).abs() <= 2.0 * eps * value.abs().max(1.0), "{f:?}({x}) is {v:?}, {value}");
                if f == Activation::Elu {
                    assert!((v.to_f64() - value).abs() <= 16.0 * eps * value.abs(), "{f:?}({x}) is {v:?}, {value}");
                }
                if x.abs() > 1e-3 {
                    let h = 1e-5;
                    let difference = (exact(f, x + h) - exact(f, x - h)) / (2.0 * h);
                    assert!((s.to_f64() - difference).abs() < 1e-9 + 32.0 * eps, "{f:?}'({x}) is {s:?}, {difference}");
                }
            }
        }
    }

    #[test]
    fn values_and_slopes_are_right_at_every_vector_width() {
        check::<f32>(f32::EPSILON as f64);
        check::<f64>(f64::EPSILON);
    }

    #[test]
    fn extremes_stay_and_nan_passes() {
        for f in ALL {
            let mut x = [f64::NAN, -1e30, 1e30, 0.0, -0.0];
            f.apply(Arch::new(), &mut x);
            assert!(x[0].is_nan() && x[1..].iter().all(|v| v.is_finite()), "{f:?} {x:?}");
            let mut x = [f32::NAN, -1e30, 1e30, 0.0, -0.0];
            f.apply(Arch::new(), &mut x);
            assert!(x[0].is_nan() && x[1..].iter().all(|v| v.is_finite()), "{f:?} {x:?}");
        }
    }
}
