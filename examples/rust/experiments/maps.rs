//! Maps of fields as SVG.

use std::path::Path;

use plotters::prelude::*;

use crate::charts::Drawn;

/// Fields [x, y] on equal cells, side by side, in one scale of colours; y goes up. Each with its title.
pub fn maps(path: &Path, fields: &[(String, Vec<f64>)], side: usize, most: f64) -> Drawn {
    const SIZE: u32 = 190;
    let root = SVGBackend::new(path, (SIZE * fields.len() as u32, SIZE + 24)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (title, field)) in root.split_evenly((1, fields.len())).iter().zip(fields) {
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 14))
            .margin(4)
            .build_cartesian_2d(0.0..side as f64, 0.0..side as f64)?;
        let level = |i: usize, j: usize| ((field[i * side + j] / most).clamp(-1.0, 1.0) * 16.0).round() as i32;
        for j in 0..side {
            let mut i = 0;
            while i < side {
                let (from, shade) = (i, level(i, j));
                while i < side && level(i, j) == shade {
                    i += 1;
                }
                let corners = [(from as f64, j as f64), (i as f64, j as f64 + 1.0)];
                chart.draw_series(std::iter::once(Rectangle::new(corners, diverging(shade).filled())))?;
            }
        }
    }
    root.present()?;
    Ok(())
}

/// Blue below 0, white, red above; 16 shades each.
fn diverging(shade: i32) -> RGBColor {
    let fade = |full: u8| 255 - ((255 - full as i32) * shade.abs() / 16) as u8;
    if shade < 0 { RGBColor(fade(0), fade(84), fade(148)) } else { RGBColor(fade(170), fade(40), fade(0)) }
}
