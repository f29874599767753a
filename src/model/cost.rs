//! What a self-test may cost. A file's bytes are untrusted, and a small file can describe a large computation: cells of padding, stored points
//! whose kernel matrix has the square of their number, transforms of many points. So loading estimates first, from sizes alone, and
//! refuses what is out of proportion to the file.

use std::iter::Sum;
use std::ops::{Add, Mul};

use crate::error::{Result, fail};

/// Bytes of memory that a self-test may take for each byte of the file, and besides.
const MEMORY: (f64, f64) = (32.0, (128u64 << 20) as f64);

/// Multiply-adds for each byte of the file, and besides: some seconds.
const WORK: (f64, f64) = (4096.0, (1u64 << 34) as f64);

/// An estimate from above, of plan, workspace and one call. Not integers: nothing overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    /// Bytes.
    pub memory: f64,
    /// Multiply-adds, and what takes as long as they.
    pub work: f64,
}

impl Cost {
    /// Of so many values in double precision.
    pub fn values(count: f64) -> Cost {
        Cost { memory: 8.0 * count, work: count }
    }

    pub fn work(work: f64) -> Cost {
        Cost { memory: 0.0, work }
    }

    /// Of a matrix [outputs, inner] packed for products, and of the values it is packed from.
    pub fn packed(outputs: f64, inner: f64) -> Cost {
        Cost::values((outputs + 16.0) * inner + 2.0 * outputs * inner + outputs)
    }

    /// Refuses what is out of proportion to a file of `len` bytes.
    pub fn check(self, len: usize) -> Result<()> {
        for (found, (each, besides), what) in
            [(self.memory, MEMORY, "bytes of memory"), (self.work, WORK, "multiply-adds")]
        {
            let most = each * len as f64 + besides;
            if found.is_nan() || found > most {
                return fail!(
                    TooLarge,
                    "the self-test may take {found:.1e} {what}, expected at most {most:.1e} of a file of {len} bytes"
                );
            }
        }
        Ok(())
    }
}

impl Add for Cost {
    type Output = Cost;
    fn add(self, other: Cost) -> Cost {
        Cost { memory: self.memory + other.memory, work: self.work + other.work }
    }
}

impl Mul<f64> for Cost {
    type Output = Cost;
    fn mul(self, times: f64) -> Cost {
        Cost { memory: times * self.memory, work: times * self.work }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn what_is_out_of_proportion_is_refused() {
        let mib = 1 << 20;
        assert!(Cost::values(20.0 * mib as f64).check(mib).is_ok());
        for (cost, what) in [(Cost::values(21.0 * mib as f64), "memory"), (Cost::work(1e12), "multiply-adds")] {
            let e = cost.check(mib).unwrap_err();
            assert!(e.status() == Status::TooLarge && e.message().contains(what), "{e}");
            assert!(cost.check(1 << 30).is_ok());
        }
        assert!(Cost::values(f64::NAN).check(mib).is_err() && Cost::values(f64::INFINITY).check(mib).is_err());
    }
}
