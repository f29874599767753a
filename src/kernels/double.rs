//! Unevaluated sums of two doubles: about 106 bits where 53 are not enough.

/// Running sums side by side: one register of eight doubles, or two of four.
pub(crate) const LANES: usize = 8;
/// The bits of a magnitude: everything but the sign. Ordered as integers they are ordered as numbers, with infinity and NaN last.
pub(crate) const MAGNITUDE: u64 = !(1 << 63);

/// `high + low` with `|low| <= ulp(high) / 2`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Double {
    /// The sum, rounded.
    pub high: f64,
    /// What rounding left out.
    pub low: f64,
}

impl Double {
    /// This plus a double.
    #[inline(always)]
    pub fn plus(self, x: f64) -> Double {
        let (high, error) = two_sum(self.high, x);
        Double::normal(high, self.low + error)
    }

    /// This minus `a b`.
    #[inline(always)]
    pub fn less_product(self, a: Double, b: Double) -> Double {
        let p = a.times(b);
        self + Double { high: -p.high, low: -p.low }
    }

    /// The product of both.
    #[inline(always)]
    pub fn times(self, other: Double) -> Double {
        let (high, error) = two_product(self.high, other.high);
        Double::normal(high, error + (self.high * other.low + self.low * other.high))
    }

    /// The quotient of both: a quotient of doubles, corrected twice by what it leaves.
    #[inline(always)]
    pub fn over(self, other: Double) -> Double {
        let first = self.high / other.high;
        let left = self.less_product(other, Double { high: first, low: 0.0 });
        let second = left.high / other.high;
        let left = left.less_product(other, Double { high: second, low: 0.0 });
        let (high, low) = two_sum(first, second);
        Double::normal(high, low + left.high / other.high)
    }

    /// Brings both parts back into order.
    #[inline(always)]
    pub fn normal(high: f64, low: f64) -> Double {
        let (high, low) = two_sum(high, low);
        Double { high, low }
    }
}

impl std::ops::Add for Double {
    type Output = Double;

    #[inline(always)]
    fn add(self, other: Double) -> Double {
        let (high, error) = two_sum(self.high, other.high);
        Double::normal(high, self.low + other.low + error)
    }
}

/// Sums in twice the precision, one a lane.
#[derive(Clone, Copy)]
pub struct Sum {
    high: [f64; LANES],
    low: [f64; LANES],
}

impl Sum {
    /// Of nothing.
    pub const ZERO: Sum = Sum { high: [0.0; LANES], low: [0.0; LANES] };

    /// Adds a term and its error to a lane.
    #[inline(always)]
    pub fn add(&mut self, lane: usize, x: f64, x_error: f64) {
        let (high, error) = two_sum(self.high[lane], x);
        self.high[lane] = high;
        self.low[lane] += error + x_error;
    }

    /// The sum of all lanes, one after the other.
    pub fn in_order(&self) -> Double {
        let lanes = self.high.iter().zip(&self.low).map(|(high, low)| Double::normal(*high, *low));
        lanes.fold(Double::default(), |total, lane| total + lane)
    }

    /// The sum of all lanes, halves of them side by side: a chain over all would take longer than a short row.
    #[inline(always)]
    pub fn by_halves(self) -> Double {
        let Sum { mut high, mut low } = self;
        for half in [LANES / 2, LANES / 4, LANES / 8] {
            for l in 0..half {
                let (sum, error) = two_sum(high[l], high[l + half]);
                (high[l], low[l]) = (sum, low[l] + low[l + half] + error);
            }
        }
        Double::normal(high[0], low[0])
    }
}

/// `g h v` as an unevaluated sum, good to about twice the precision.
#[inline(always)]
pub fn triple(g: f64, h: f64, v: f64) -> (f64, f64) {
    let (w, w_error) = two_product(g, v);
    let (p, p_error) = two_product(w, h);
    (p, w_error.mul_add(h, p_error))
}

/// `a + b` rounded, and its rounding error (Knuth).
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// `a * b` rounded, and its rounding error.
#[inline(always)]
pub fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn quotients_and_products_undo_each_other(a in 0.1f64..10.0, e in -1e-17f64..1e-17, b in 0.1f64..10.0, f in -1e-17f64..1e-17) {
            let (x, y) = (Double::normal(a, e), Double::normal(b, f));
            let back = x.over(y).times(y);
            let off = back + Double { high: -x.high, low: -x.low };
            prop_assert!(off.high.abs() < 1e-30 * a);
            let third = Double::normal(1.0, 0.0).over(Double::normal(3.0, 0.0));
            prop_assert!((third.times(Double::normal(3.0, 0.0)).plus(-1.0)).high.abs() < 1e-31);
        }
    }
}
