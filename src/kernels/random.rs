//! Counter-based random numbers: a draw is a function of (seed, stream, index), so that the order of evaluation, the batch
//! and the threads do not change it. Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011.

/// The generator of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
}

impl Philox {
    /// Any seed.
    pub fn new(seed: u64) -> Self {
        Philox { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// Four independent words at a counter.
    #[inline]
    pub fn words(&self, counter: [u32; 4]) -> [u32; 4] {
        let (mut c, mut k) = (counter, self.key);
        for _ in 0..10 {
            let p0 = 0xD251_1F53u64 * c[0] as u64;
            let p1 = 0xCD9E_8D57u64 * c[2] as u64;
            c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        c
    }

    /// Fills `out` with independent standard normal draws `first ..` of a stream (Box and Muller, with the portable
    /// logarithm and sine of `libm`: the same bits on every machine). `first` is even.
    pub fn normals(&self, stream: u64, first: u64, out: &mut [f64]) {
        debug_assert!(first.is_multiple_of(2));
        for (pair, out) in out.chunks_mut(2).enumerate() {
            let index = first / 2 + pair as u64;
            let w = self.words([index as u32, (index >> 32) as u32, stream as u32, (stream >> 32) as u32]);
            let uniform = |high: u32, low: u32| {
                let bits = (high as u64) << 21 | (low >> 11) as u64;
                (bits as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
            };
            let radius = (-2.0 * libm::log(uniform(w[0], w[1]))).sqrt();
            let (sine, cosine) = libm::sincos(2.0 * std::f64::consts::PI * uniform(w[2], w[3]));
            out[0] = radius * cosine;
            if let Some(second) = out.get_mut(1) {
                *second = radius * sine;
            }
        }
    }

    /// Hands uniform 32-bit words `first .. first + count` of a stream to `take`, with their place from 0.
    #[inline]
    pub fn words_of(&self, stream: u64, first: u64, count: usize, mut take: impl FnMut(usize, u32)) {
        let mut done = 0;
        while done < count {
            let index = first + done as u64;
            let (block, lane) = (index / 4, (index % 4) as usize);
            // The high bit keeps these counters apart from those of `normals`.
            let high = (block >> 32) as u32 | 1 << 31;
            let words = self.words([block as u32, high, stream as u32, (stream >> 32) as u32]);
            for &word in words[lane..].iter().take(count - done) {
                take(done, word);
                done += 1;
            }
        }
    }

    /// The uniform 32-bit word `index` of a stream.
    #[inline]
    pub fn word(&self, stream: u64, index: u64) -> u32 {
        let mut found = 0;
        self.words_of(stream, index, 1, |_, word| found = word);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The known answers published with Random123 (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(Philox::new(0).words([0; 4]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(Philox::new(u64::MAX).words([u32::MAX; 4]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        let pi = Philox { key: [0xa4093822, 0x299f31d0] };
        assert_eq!(
            pi.words([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn normals_have_the_moments_and_do_not_depend_on_the_call() {
        let n = 200_000;
        let mut x = vec![0.0; n];
        Philox::new(7).normals(3, 0, &mut x);
        let mean = x.iter().sum::<f64>() / n as f64;
        let var = x.iter().map(|v| v * v).sum::<f64>() / n as f64;
        let fourth = x.iter().map(|v| v.powi(4)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01 && (var - 1.0).abs() < 0.015 && (fourth - 3.0).abs() < 0.1, "{mean} {var} {fourth}");
        let mut part = [0.0; 7];
        Philox::new(7).normals(3, 1000, &mut part);
        assert_eq!(part, x[1000..1007]);
        let mut words = [0; 9];
        Philox::new(7).words_of(5, 3, 9, |i, word| words[i] = word);
        assert_eq!(words, std::array::from_fn(|i| Philox::new(7).word(5, 3 + i as u64)));
    }
}
