//! Unevaluated sums of two doubles: about 106 bits where 53 are not enough.

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
