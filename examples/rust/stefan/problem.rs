//! The Stefan problem of ProbConserv: u_t = (k(u) u_x)_x on [0, 1], k = 1 where u >= u*, else 0, and u(0, t) = 1.

use std::f64::consts::PI;

use libm::erf;
use pcml::kernels::random::Philox;

/// Duration of the training data.
pub const T_MAX: f64 = 0.1;
/// Context points of a function along each axis.
pub const SIDE: usize = 10;

/// One function: u = 1 - c1 erf(x / (2 sqrt t)) left of the front a sqrt t, 0 right of it.
#[derive(Clone, Copy)]
pub struct Stefan {
    pub u_star: f64,
    a: f64,
    c1: f64,
}

impl Stefan {
    /// a = 2 z with u* erf(z) z exp(z^2) = (1 - u*) / sqrt(pi), by bisection; c1 = (1 - u*) / erf(a / 2).
    pub fn new(u_star: f64) -> Stefan {
        let (mut low, mut high) = (0.0, 10.0);
        for _ in 0..100 {
            let z = 0.5 * (low + high);
            let above = u_star * erf(z) * z * f64::exp(z * z) > (1.0 - u_star) / PI.sqrt();
            *(if above { &mut high } else { &mut low }) = z;
        }
        let a = low + high;
        Stefan { u_star, a, c1: (1.0 - u_star) / erf(0.5 * a) }
    }

    pub fn solution(&self, t: f64, x: f64) -> f64 {
        if x <= self.front(t) { 1.0 - self.c1 * erf(x / (2.0 * t.sqrt())) } else { 0.0 }
    }

    /// b(t), the integral of u over x.
    pub fn mass(&self, t: f64) -> f64 {
        2.0 * self.c1 * (t / PI).sqrt()
    }

    pub fn front(&self, t: f64) -> f64 {
        self.a * t.sqrt()
    }

    /// Context set `index` of a seed: a grid of SIDE x SIDE points (t, x), one t in each interval of the duration, x uniform
    /// and sorted, and u there.
    pub fn context(&self, seed: u64, index: u64) -> (Vec<f64>, Vec<f64>) {
        let random = Philox::new(seed);
        let uniform = |i: usize| (random.word(index, i as u64) as f64 + 0.5) / 4_294_967_296.0;
        let mut x: Vec<f64> = (0..SIDE).map(|i| uniform(SIDE + i)).collect();
        x.sort_by(f64::total_cmp);
        let points: Vec<(f64, f64)> = (0..SIDE)
            .map(|i| T_MAX * (i as f64 + uniform(i)) / SIDE as f64)
            .flat_map(|t| x.iter().map(move |x| (t, *x)))
            .collect();
        (
            points.iter().flat_map(|(t, x)| [*t, *x]).collect(),
            points.iter().map(|(t, x)| self.solution(*t, *x)).collect(),
        )
    }
}
