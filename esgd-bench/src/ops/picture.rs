//! The growth as a drawing: a panel for each size that grows, all on one logarithmic scale.

use std::ops::Range;

use plotters::{
    coord::Shift,
    prelude::*,
    style::{
        FontDesc, FontFamily, FontStyle, RGBColor,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::growth::{Panel, SERIES};
use crate::{Result, contest::table::count};

/// A line of the drawing.
struct Look {
    colour: RGBColor,
    dashed: bool,
    mark: Mark,
}

/// So that a print in grey, or an eye that does not see red, tells the lines apart.
#[derive(Clone, Copy)]
enum Mark {
    Disc,
    Ring,
    Cross,
}

const OURS: RGBColor = RGBColor(16, 52, 94);
const TORCH: RGBColor = RGBColor(214, 96, 40);
const COPY: RGBColor = RGBColor(120, 128, 138);

/// In the order of [`SERIES`].
const LOOKS: [Look; 5] = [
    Look { colour: OURS, dashed: true, mark: Mark::Ring },
    Look { colour: OURS, dashed: false, mark: Mark::Disc },
    Look { colour: COPY, dashed: false, mark: Mark::Cross },
    Look { colour: TORCH, dashed: false, mark: Mark::Disc },
    Look { colour: TORCH, dashed: true, mark: Mark::Ring },
];

const PANEL: (u32, u32) = (440, 420);
const LEGEND: u32 = 44;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws `panels` as an SVG.
///
/// # Errors
/// If nothing was measured.
pub fn svg(panels: &[Panel]) -> Result<String> {
    let values = || panels.iter().flat_map(|panel| &panel.points).flat_map(|(_, each)| each);
    let (low, high) = values()
        .flatten()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, 0.0_f64), |(low, high), &value| (low.min(value), high.max(value)));
    if low > high {
        return Err("nothing was measured: there is nothing to draw".into());
    }
    let mut text = String::new();
    {
        let size = (PANEL.0 * panels.len() as u32, PANEL.1 + LEGEND);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE)?;
        let (above, below) = area.split_vertically(PANEL.1);
        for (area, panel) in above.split_evenly((1, panels.len())).iter().zip(panels) {
            draw(area, panel, low / 1.3..high * 1.3)?;
        }
        legend(&below)?;
        area.present()?;
    }
    Ok(text)
}

fn draw(area: &Area<'_>, panel: &Panel, heights: Range<f64>) -> Result<()> {
    let xs: Vec<f64> = panel.points.iter().map(|(x, _)| *x as f64).collect();
    let (Some(first), Some(last)) = (xs.first(), xs.last()) else { return Ok(()) };
    // A little room, so that no mark lies on the frame.
    let room = (last / first).powf(0.05);
    let mut chart = ChartBuilder::on(area)
        .caption(format!("as {} grows", panel.axis), font(20))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(62)
        .build_cartesian_2d(
            (first / room..last * room).log_scale().with_key_points(xs.clone()),
            heights.clone().log_scale().with_key_points(ticks(heights.start, heights.end)),
        )?;
    chart
        .configure_mesh()
        .x_desc(description(panel.axis))
        .y_desc("ns a parameter")
        .x_label_formatter(&|x| count(x.round() as usize))
        .y_label_formatter(&|y| format!("{y}"))
        .x_labels(xs.len())
        .y_labels(20)
        .label_style(font(14))
        .axis_desc_style(font(15))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (series, look) in LOOKS.iter().enumerate() {
        let points = panel.points.iter();
        let points: Vec<(f64, f64)> =
            points.filter_map(|(x, each)| Some((*x as f64, (*each.get(series)?)?))).collect();
        let line = look.colour.stroke_width(2);
        if look.dashed {
            chart.draw_series(DashedLineSeries::new(points.iter().copied(), 6, 4, line))?;
        } else {
            chart.draw_series(LineSeries::new(points.iter().copied(), line))?;
        }
        match look.mark {
            Mark::Disc => {
                let disc = |at: &(f64, f64)| Circle::new(*at, 4, look.colour.filled());
                chart.draw_series(points.iter().map(disc))?;
            }
            Mark::Ring => {
                let white = |at: &(f64, f64)| Circle::new(*at, 4, WHITE.filled());
                chart.draw_series(points.iter().map(white))?;
                chart.draw_series(points.iter().map(|at| Circle::new(*at, 4, line)))?;
            }
            Mark::Cross => {
                chart.draw_series(points.iter().map(|at| Cross::new(*at, 4, line)))?;
            }
        }
    }
    Ok(())
}

/// One row below all panels.
fn legend(area: &Area<'_>) -> Result<()> {
    let (width, height) = area.dim_in_pixel();
    let (step, y) = (width as i32 / SERIES.len() as i32, height as i32 / 2 - 4);
    for (i, (name, look)) in SERIES.iter().zip(&LOOKS).enumerate() {
        let (x, line) = (step * i as i32 + 20, look.colour.stroke_width(2));
        let dash = if look.dashed { vec![(0, 11), (23, 34)] } else { vec![(0, 34)] };
        for (from, to) in dash {
            area.draw(&PathElement::new([(x + from, y), (x + to, y)], line))?;
        }
        let at = (x + 17, y);
        match look.mark {
            Mark::Disc => area.draw(&Circle::new(at, 4, look.colour.filled()))?,
            Mark::Ring => area.draw(&Circle::new(at, 4, line))?,
            Mark::Cross => area.draw(&Cross::new(at, 4, line))?,
        }
        let style = font(14).color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(*name, (x + 42, y), style))?;
    }
    Ok(())
}

fn description(axis: &str) -> &'static str {
    match axis {
        "d" => "parameters of a network, d",
        "ρ" => "parents of each offspring, ρ",
        _ => "offspring, λ",
    }
}

/// 1, 2 and 5 in each decade.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let tick = |decade| [1, 2, 5].map(|step| format!("{step}e{decade}").parse().unwrap_or(1.0));
    decades.flat_map(tick).filter(|tick| (low..high).contains(tick)).collect()
}

fn font(size: u32) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(axis: &'static str, value: Option<f64>) -> Panel {
        let points = [1, 10, 100].map(|x| (x, vec![Some(0.5), Some(1.0), value, None, value]));
        Panel { axis, fixed: String::new(), points: points.to_vec() }
    }

    #[test]
    fn every_panel_and_line_is_drawn() {
        let svg = svg(&["d", "ρ", "λ"].map(|axis| panel(axis, Some(20.0)))).unwrap();
        for text in SERIES.into_iter().chain(["as ρ grows", "ns a parameter", "offspring, λ"]) {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn nothing_measured_is_nothing_to_draw() {
        assert!(svg(&[]).is_err());
    }
}
