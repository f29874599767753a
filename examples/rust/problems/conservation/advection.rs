//! A step that is carried along, and fed at x = 0.

use super::{Front, Function, Problem};

pub const PROBLEM: Problem = Problem {
    name: "advection",
    title: "Linear advection",
    equation: "u_t + a u_x = 0",
    parameter: "a",
    range: [1.0, 5.0],
    test: &[1.0, 3.0],
    x: [0.0, 1.0],
    t_max: 1.0,
    time: 0.1,
    nonnegative: true,
    falling: true,
    soft: false,
    build: |a| Box::new(Advection { a }),
};

struct Advection {
    a: f64,
}

impl Function for Advection {
    fn solution(&self, t: f64, x: f64) -> f64 {
        if x - self.a * t <= 0.5 { 1.0 } else { 0.0 }
    }

    fn mass(&self, t: f64) -> f64 {
        0.5 + (self.a * t).min(0.5)
    }

    fn front(&self, t: f64) -> Option<Front> {
        let position = 0.5 + self.a * t;
        (position < 1.0).then_some(Front { position, level: 0.5 })
    }
}
