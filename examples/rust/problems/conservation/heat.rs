//! u = exp(-k t) sin x: heat that decays, its integral zero at all times.

use std::f64::consts::PI;

use super::{Function, Problem};

pub const PROBLEM: Problem = Problem {
    name: "heat",
    title: "Heat equation",
    equation: "u_t = k u_xx",
    parameter: "k",
    range: [1.0, 5.0],
    test: &[1.0, 5.0],
    x: [0.0, 2.0 * PI],
    t_max: 1.0,
    time: 0.5,
    nonnegative: false,
    falling: false,
    soft: true,
    build: |k| Box::new(Heat { k }),
};

struct Heat {
    k: f64,
}

impl Function for Heat {
    fn solution(&self, t: f64, x: f64) -> f64 {
        f64::exp(-self.k * t) * x.sin()
    }

    fn mass(&self, _t: f64) -> f64 {
        0.0
    }
}
