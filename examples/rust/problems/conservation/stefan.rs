//! The Stefan problem: k = 1 where u >= u*, else 0, and u(0, t) = 1; a front from u* to 0 that moves with the root of time.

use std::f64::consts::PI;

use libm::erf;

use super::{Front, Function, Problem};

pub const PROBLEM: Problem = Problem {
    name: "stefan",
    title: "Stefan problem",
    equation: "u_t = (k(u) u_x)_x, k = 1 where u >= u*, else 0",
    parameter: "u*",
    range: [0.55, 0.7],
    // The second lies outside the range.
    test: &[0.6, 0.5],
    x: [0.0, 1.0],
    t_max: 0.1,
    time: 0.05,
    nonnegative: true,
    falling: true,
    soft: true,
    build: |u_star| Box::new(Stefan::new(u_star)),
};

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
}

impl Function for Stefan {
    fn solution(&self, t: f64, x: f64) -> f64 {
        if x <= self.a * t.sqrt() { 1.0 - self.c1 * erf(x / (2.0 * t.sqrt())) } else { 0.0 }
    }

    fn mass(&self, t: f64) -> f64 {
        2.0 * self.c1 * (t / PI).sqrt()
    }

    fn front(&self, t: f64) -> Option<Front> {
        Some(Front { position: self.a * t.sqrt(), level: 0.5 * self.u_star })
    }
}
