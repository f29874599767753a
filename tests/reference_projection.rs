//! Parity with the published code of ProbConserv (amazon-science/probconserv) on its own Stefan test set.

mod common;

use common::{Tensors, read_tensors, reference_dir};
use pcml::constraint::{Constraints, Posterior, Prior, Projector, ProjectorOptions, Rule, log_density};
use pcml::{View, ViewMut};

const CASES: usize = 100;

struct Stefan {
    cases: Tensors,
    expected: Tensors,
}

impl Stefan {
    fn open() -> Option<Stefan> {
        let dir = reference_dir(CASES)?.join("probconserv_stefan");
        let file = |name: &str| read_tensors(&dir.join(name));
        Some(Stefan { cases: file("cases.safetensors"), expected: file("expected.safetensors") })
    }

    fn projector(&self, prior: Prior, noise: f64) -> Projector {
        let (_, x) = &self.cases["target_x"];
        // Column x of the (t, x) pairs, where it lies.
        let layout = pcml::field::Layout::new("points", &[x.len() / 2], &[2]).unwrap();
        let mut constraints = Constraints::new(x.len() / 2).unwrap();
        let points = View::strided("points", x, 1, layout).unwrap();
        constraints.add_quadrature(Rule::Trapezoid, points, noise).unwrap();
        let options = ProjectorOptions { smoothing: 0.9, ..Default::default() };
        Projector::new(&constraints, prior, &options).unwrap()
    }

    /// Mean and variance of the mixture of 16 latents, and the masses.
    fn prior(&self) -> (Vec<usize>, Vec<f64>, Vec<f64>, Vec<f64>) {
        let (shape, mean) = self.expected["loc_mixture16"].clone();
        let (_, scale) = &self.expected["scale_mixture16"];
        (shape, mean, scale.iter().map(|s| s * s).collect(), self.cases["mass"].1.clone())
    }

    /// 1e-6 of each value, the published code's last rounding to f32; 1e-11 of the slice's largest where a cell nearly cancels.
    fn compare(&self, name: &str, found: &[f64], slice: usize) {
        let (_, expected) = &self.expected[name];
        for (s, (f, e)) in found.chunks(slice).zip(expected.chunks(slice)).enumerate() {
            let size = e.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            for (i, (f, e)) in f.iter().zip(e).enumerate() {
                assert!((f - e).abs() <= 1e-6 * e.abs() + 1e-11 * size, "{name}[{s}, {i}]: {f:e}, expected {e:e}");
            }
        }
    }
}

#[test]
fn probconserv_its_noisy_form_and_its_diffusion() {
    let Some(stefan) = Stefan::open() else { return };
    let (shape, mean, variance, mass) = stefan.prior();
    let (slices, cells) = (shape[0], shape[1]);
    for (name, noise, prior) in [
        ("probconserv", 0.0, Prior::Diagonal),
        ("probconserv_sigma", 1e-3, Prior::Diagonal),
        ("probconserv_diffusion", 1e-8, Prior::Smoothed),
    ] {
        let p = stefan.projector(prior, noise);
        let mut scratch = p.scratch(slices).unwrap();
        let mut report = p.report(slices).unwrap();
        let (mut u, mut v) = (vec![0.0; mean.len()], vec![0.0; mean.len()]);
        let posterior = Posterior {
            mean: ViewMut::new("posterior_mean", &mut u, &shape).unwrap(),
            variance: Some(ViewMut::new("posterior_variance", &mut v, &shape).unwrap()),
        };
        p.project(
            &mut scratch,
            View::new("mean", &mean, &shape).unwrap(),
            Some(View::new("variance", &variance, &shape).unwrap()),
            View::new("b", &mass, &shape[..1]).unwrap(),
            posterior,
            Some(&mut report),
        )
        .unwrap();
        stefan.compare(&format!("{name}_mean"), &u, cells);
        stefan.compare(&format!("{name}_var"), &v, cells);
        if noise == 0.0 {
            for s in 0..slices {
                let row = report.rows(s)[0];
                assert!(row.residual_after.abs() <= row.tolerance && report.slices()[s].repairs == 0);
            }
        }
        let mut first2 = Vec::new();
        for variance in variance.chunks(cells).take(2) {
            let mut covariance = vec![0.0; cells * cells];
            let out = ViewMut::new("covariance", &mut covariance, &[cells, cells]).unwrap();
            p.covariance(&mut scratch, Some(View::new("variance", variance, &[cells]).unwrap()), out).unwrap();
            first2.extend(covariance);
        }
        stefan.compare(&format!("{name}_cov_first2"), &first2, cells * cells);
    }
}

#[test]
fn hardc_leaves_variances_alone() {
    let Some(stefan) = Stefan::open() else { return };
    let (shape, mut mean, variance, mass) = stefan.prior();
    let p = stefan.projector(Prior::Identity, 0.0);
    p.project_in_place(
        &mut p.scratch(shape[0]).unwrap(),
        ViewMut::new("mean", &mut mean, &shape).unwrap(),
        None,
        View::new("b", &mass, &shape[..1]).unwrap(),
        None,
    )
    .unwrap();
    stefan.compare("hardc_mean", &mean, shape[1]);
    stefan.compare("hardc_var", &variance, shape[1]);
}

/// Mean over 50 functions, as the README of the reference data tables it (there with 30 latents, here 16: a looser match).
#[test]
fn published_scores() {
    let Some(stefan) = Stefan::open() else { return };
    let (shape, mean, variance, _) = stefan.prior();
    let (_, truth) = &stefan.cases["truth"];
    let (_, parameter) = &stefan.cases["parameter"];
    let (_, u) = &stefan.expected["probconserv_mean"];
    let (_, v) = &stefan.expected["probconserv_var"];
    let cells = shape[1];
    let score = |mean: &[f64], variance: &[f64], wanted: f64| {
        let mut scores = Vec::new();
        for s in (0..shape[0]).filter(|&s| (parameter[s] - wanted).abs() < 1e-3) {
            let at = s * cells..(s + 1) * cells;
            let view = |x| View::new("x", x, &[cells]).unwrap();
            scores.push(log_density(view(&truth[at.clone()]), view(&mean[at.clone()]), view(&variance[at])).unwrap());
        }
        assert_eq!(scores.len(), 50);
        scores.iter().sum::<f64>() / 50.0
    };
    let prior = score(&mean, &variance, 0.6);
    let posterior = score(u, v, 0.6);
    println!("mean log-density at u* = 0.6: prior {prior:.3}, posterior {posterior:.3}");
    assert!((prior - 3.74).abs() < 0.1 && (posterior - 3.76).abs() < 0.1, "{prior} {posterior}");
}
