//! The porous-medium equation: gas that enters at x = 0 spreads behind a front at x = t.

use super::{Front, Function, Problem};

pub const PROBLEM: Problem = Problem {
    name: "pme",
    title: "Porous-medium equation",
    equation: "u_t = (u^m u_x)_x",
    parameter: "m",
    range: [1.0, 6.0],
    test: &[1.0, 3.0, 6.0],
    x: [0.0, 1.0],
    t_max: 1.0,
    time: 0.5,
    nonnegative: true,
    falling: true,
    soft: true,
    build: |m| Box::new(Pme { m }),
};

struct Pme {
    m: f64,
}

impl Function for Pme {
    fn solution(&self, t: f64, x: f64) -> f64 {
        (self.m * (t - x).max(0.0)).powf(1.0 / self.m)
    }

    fn mass(&self, t: f64) -> f64 {
        let power = 1.0 + 1.0 / self.m;
        self.m.powf(power) / (self.m + 1.0) * t.powf(power)
    }

    fn front(&self, t: f64) -> Option<Front> {
        // u^m is linear in x.
        Some(Front { position: t * (1.0 - 0.5f64.powf(self.m)), level: 0.5 * self.solution(t, 0.0) })
    }
}
