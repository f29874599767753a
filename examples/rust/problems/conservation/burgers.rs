//! A ramp that steepens into a shock at t = 1 / a.

use super::{Front, Function, Problem};

pub const PROBLEM: Problem = Problem {
    name: "burgers",
    title: "Inviscid Burgers equation",
    equation: "u_t + u u_x = 0",
    parameter: "a",
    range: [1.0, 4.0],
    test: &[1.0, 3.0],
    x: [-1.0, 1.0],
    t_max: 1.0,
    time: 0.5,
    nonnegative: true,
    falling: true,
    soft: false,
    build: |a| Box::new(Burgers { a }),
};

struct Burgers {
    a: f64,
}

impl Burgers {
    /// Of the ramp, and then of the shock.
    fn middle(&self, t: f64) -> f64 {
        0.5 * (self.a * t - 1.0)
    }
}

impl Function for Burgers {
    fn solution(&self, t: f64, x: f64) -> f64 {
        let foot = self.a * t - 1.0;
        if foot >= 0.0 {
            return if x <= self.middle(t) { self.a } else { 0.0 };
        }
        if x <= foot { self.a } else { (self.a * x / foot).max(0.0) }
    }

    fn mass(&self, t: f64) -> f64 {
        // A shock that has left behind it a everywhere.
        self.a * (1.0 + self.middle(t).min(1.0))
    }

    fn front(&self, t: f64) -> Option<Front> {
        let position = self.middle(t);
        (position < 1.0).then_some(Front { position, level: 0.5 * self.a })
    }
}
