//! Figures as SVG: rows of panels with lines and areas.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

pub const COLORS: [RGBColor; 4] =
    [RGBColor(213, 94, 0), RGBColor(0, 114, 178), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

pub type Drawn = Result<(), Box<dyn Error>>;

pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub color: RGBColor,
    pub width: u32,
}

/// One set of axes.
#[derive(Default)]
pub struct Panel {
    pub title: String,
    pub labels: [&'static str; 2],
    /// What is given is not taken from the lines.
    pub range: Option<Range<f64>>,
    pub areas: Vec<(Vec<(f64, f64)>, RGBColor)>,
    pub lines: Vec<Line>,
}

impl Line {
    pub fn new(name: &str, x: &[f64], y: &[f64], color: RGBColor) -> Line {
        Line { name: name.into(), points: x.iter().copied().zip(y.iter().copied()).collect(), color, width: 2 }
    }
}

impl Panel {
    fn ranges(&self) -> (Range<f64>, Range<f64>) {
        let points = || self.lines.iter().flat_map(|line| &line.points).chain(self.areas.iter().flat_map(|a| &a.0));
        let span = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (left, right) = span(&mut points().map(|p| p.0));
        let (low, high) = span(&mut points().map(|p| p.1));
        let margin = (0.08 * (high - low)).max(1e-12);
        (left..right, self.range.clone().unwrap_or(low - margin..high + margin))
    }

    fn draw(&self, area: &DrawingArea<SVGBackend, Shift>) -> Drawn {
        let (across, up) = self.ranges();
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 17))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(across, up.clone())?;
        chart.configure_mesh().x_desc(self.labels[0]).y_desc(self.labels[1]).light_line_style(WHITE).draw()?;
        for (outline, color) in &self.areas {
            let inside: Vec<_> = outline.iter().map(|(x, y)| (*x, y.clamp(up.start, up.end))).collect();
            chart.draw_series(std::iter::once(Polygon::new(inside, color.mix(0.25))))?;
        }
        for line in &self.lines {
            let style = line.color.stroke_width(line.width);
            let series = chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            if !line.name.is_empty() {
                series.label(&line.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            }
        }
        if self.lines.iter().any(|line| !line.name.is_empty()) {
            chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
        }
        Ok(())
    }
}

/// Panels side by side.
pub fn row(path: &Path, panels: &[Panel]) -> Drawn {
    let root = SVGBackend::new(path, (360 * panels.len().max(2) as u32, 380)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((1, panels.len())).iter().zip(panels) {
        panel.draw(area)?;
    }
    root.present()?;
    Ok(())
}

/// A profile with its variances.
pub struct Band {
    pub name: String,
    pub mean: Vec<f64>,
    sigma: Vec<f64>,
}

impl Band {
    pub fn new<T: Copy + Into<f64>>(name: &str, mean: &[T], variance: &[T]) -> Band {
        Band {
            name: name.into(),
            mean: mean.iter().map(|v| (*v).into()).collect(),
            sigma: variance.iter().map(|v| (*v).into().sqrt()).collect(),
        }
    }
}

/// A panel for each band: truth, mean, and three standard deviations around it.
pub fn profiles(path: &Path, title: &str, x: &[f64], truth: &[f64], bands: &[Band]) -> Drawn {
    let (low, high) = truth.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), u| (a.min(*u), b.max(*u)));
    let margin = 0.35 * (high - low);
    let panel = |(band, color): (&Band, RGBColor)| {
        let edge = |sign: f64| (0..x.len()).map(move |i| (x[i], band.mean[i] + sign * 3.0 * band.sigma[i]));
        Panel {
            title: format!("{}, {title}", band.name),
            labels: ["x", "u"],
            range: Some(low - margin..high + margin),
            areas: vec![(edge(1.0).chain(edge(-1.0).rev()).collect(), color)],
            lines: vec![Line::new("truth", x, truth, BLACK), Line::new("mean, 3 sigma", x, &band.mean, color)],
        }
    };
    row(path, &bands.iter().zip(COLORS.into_iter().cycle()).map(panel).collect::<Vec<_>>())
}

/// The mass of a prediction at one time, as it should be and as methods have it.
pub struct Mass {
    pub t: f64,
    pub exact: f64,
    pub found: [f64; 3],
}

/// Mass over time, and what it is off.
pub fn masses(path: &Path, title: &str, masses: &[Mass]) -> Drawn {
    let t: Vec<f64> = masses.iter().map(|m| m.t).collect();
    let of = |value: &dyn Fn(&Mass) -> f64| masses.iter().map(value).collect::<Vec<_>>();
    let methods = |off: bool| -> Vec<Line> {
        // The two projected lines coincide: the second is drawn thin on top of the first.
        let styles = ["ANP", "HardC", "ProbConserv"].into_iter().zip([2, 5, 2]).enumerate();
        let line = |(i, (name, width)): (usize, (&str, u32))| {
            let y = of(&|m| m.found[i] - if off { m.exact } else { 0.0 });
            Line { width, ..Line::new(name, &t, &y, COLORS[i]) }
        };
        styles.map(line).collect()
    };
    let exact = Line::new("exact", &t, &of(&|m| m.exact), BLACK);
    let panel = |title: String, lines| Panel { title, labels: ["t", ""], lines, ..Panel::default() };
    row(
        path,
        &[
            panel(format!("Mass over time, {title}"), std::iter::once(exact).chain(methods(false)).collect()),
            panel("Mass - exact mass".into(), methods(true)),
        ],
    )
}
