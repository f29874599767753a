//! The two figures: profiles with their 3-sigma bands, and the mass over time.

use std::error::Error;
use std::path::Path;

use pcml::field::Element;
use plotters::prelude::*;

const COLORS: [RGBColor; 3] = [RGBColor(213, 94, 0), RGBColor(0, 114, 178), RGBColor(0, 158, 115)];

/// One method's profile.
pub struct Band {
    name: &'static str,
    mean: Vec<f64>,
    sigma: Vec<f64>,
}

impl Band {
    pub fn new<T: Element + Into<f64>>(name: &'static str, mean: &[T], variance: &[T]) -> Band {
        Band {
            name,
            mean: mean.iter().map(|v| (*v).into()).collect(),
            sigma: variance.iter().map(|v| (*v).into().sqrt()).collect(),
        }
    }
}

/// One panel a method: truth, mean, and the band of three standard deviations.
pub fn profiles(path: &Path, u_star: f64, x: &[f64], truth: &[f64], bands: &[Band]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1080, 380)).into_drawing_area();
    root.fill(&WHITE)?;
    for ((panel, band), color) in root.split_evenly((1, bands.len())).iter().zip(bands).zip(COLORS) {
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("{}, u* = {u_star}", band.name), ("sans-serif", 17))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..1.0, -0.4..1.3)?;
        chart.configure_mesh().x_desc("x").y_desc("u").light_line_style(WHITE).draw()?;
        let edge = |sign: f64| (0..x.len()).map(move |i| (x[i], band.mean[i] + sign * 3.0 * band.sigma[i]));
        let outline: Vec<(f64, f64)> =
            edge(1.0).chain(edge(-1.0).rev()).map(|(x, u)| (x, u.clamp(-0.4, 1.3))).collect();
        chart.draw_series(std::iter::once(Polygon::new(outline, color.mix(0.25))))?;
        chart
            .draw_series(LineSeries::new(x.iter().copied().zip(truth.iter().copied()), BLACK.stroke_width(2)))?
            .label("truth")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLACK.stroke_width(2)));
        chart
            .draw_series(LineSeries::new(x.iter().copied().zip(band.mean.iter().copied()), color.stroke_width(2)))?
            .label("mean, 3 sigma")
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    }
    root.present()?;
    Ok(())
}

/// Mass over time: (t, exact, [ANP, HardC, ProbConserv]), above, and its error below.
pub fn masses(path: &Path, u_star: f64, masses: &[(f64, f64, [f64; 3])]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1080, 380)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(540);
    let top = masses.iter().flat_map(|m| [m.1, m.2[0]]).fold(0f64, f64::max) * 1.1;
    let error = masses.iter().map(|m| (m.2[0] - m.1).abs()).fold(1e-12f64, f64::max) * 1.2;
    let names = ["ANP", "HardC", "ProbConserv"];
    // The two projected lines coincide: the second is drawn thin on top of the first.
    let widths = [2, 5, 2];
    for (area, title, low, high, relative) in [
        (left, format!("Mass over time, u* = {u_star}"), 0.0, top, false),
        (right, "Mass - exact mass".to_string(), -error, error, true),
    ] {
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 17))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..masses[masses.len() - 1].0, low..high)?;
        chart.configure_mesh().x_desc("t").light_line_style(WHITE).draw()?;
        if !relative {
            chart
                .draw_series(LineSeries::new(masses.iter().map(|m| (m.0, m.1)), BLACK.stroke_width(2)))?
                .label("exact")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLACK.stroke_width(2)));
        }
        for method in 0..3 {
            let style = COLORS[method].stroke_width(widths[method]);
            let line = masses.iter().map(|m| (m.0, m.2[method] - if relative { m.1 } else { 0.0 }));
            chart
                .draw_series(LineSeries::new(line, style))?
                .label(names[method])
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    root.present()?;
    Ok(())
}
