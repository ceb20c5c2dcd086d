//! A run as a drawing of two panels, figures 1 and 2 of the paper: fitness over generations, and
//! the share of offspring among the elite.

use plotters::{
    chart::SeriesLabelPosition,
    coord::Shift,
    prelude::*,
    style::{FontDesc, FontFamily, FontStyle, RGBColor},
};

use crate::{Result, metrics::Generation};

// Three steps of lightness, so that a print in grey tells them apart as well.
const DARK: RGBColor = RGBColor(16, 52, 94);
const MIDDLE: RGBColor = RGBColor(214, 96, 40);
const LIGHT: RGBColor = RGBColor(214, 222, 232);

const SIZE: (u32, u32) = (1200, 480);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws `run` as an SVG.
///
/// # Errors
/// If no individual has a fitness.
pub fn svg(run: &[Generation]) -> Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(SIZE.0 / 2);
        fitness(&left, run)?;
        offspring(&right, run)?;
        area.present()?;
    }
    Ok(text)
}

/// Figure 1: the best, J(m), and between which bounds the individuals are.
fn fitness(area: &Area<'_>, run: &[Generation]) -> Result<()> {
    let positive = run.iter().flat_map(|g| g.range).flat_map(|(low, high)| [low, high]);
    let all = positive.chain(run.iter().flat_map(|g| [g.best, g.elite_mean]).flatten());
    let positive: Vec<f64> = all.filter(|&fitness| fitness > 0.0).collect();
    let (Some(low), Some(high)) =
        (positive.iter().copied().reduce(f64::min), positive.iter().copied().reduce(f64::max))
    else {
        return Err("no individual has a fitness above 0: there is nothing to draw".into());
    };
    // What is not above 0 lies on the lower edge of a logarithmic axis.
    let (low, high) = (low / 1.15, high * 1.15);
    let clip = |fitness: f64| fitness.max(low);
    let mut chart = ChartBuilder::on(area)
        .caption("Fitness of the population", font(20))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(76)
        .build_cartesian_2d(
            0.0..last(run),
            (low..high).log_scale().with_key_points(ticks(low, high)),
        )?;
    chart
        .configure_mesh()
        .x_desc("generation")
        .y_desc("fitness (loss)")
        .x_label_formatter(&|k| format!("{k:.0}"))
        .y_label_formatter(&|fitness| significant(*fitness))
        .label_style(font(15))
        .axis_desc_style(font(16))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;

    let at = |g: &Generation| g.k as f64;
    let upper = run.iter().filter_map(|g| Some((at(g), clip(g.range?.1))));
    let lower = run.iter().rev().filter_map(|g| Some((at(g), clip(g.range?.0))));
    let band: Vec<_> = upper.chain(lower).collect();
    chart
        .draw_series([Polygon::new(band, LIGHT)])?
        .label("all individuals")
        .legend(|(x, y)| Rectangle::new([(x, y - 6), (x + 24, y + 6)], LIGHT.filled()));
    let mean = run.iter().filter_map(|g| Some((at(g), clip(g.elite_mean?))));
    chart
        .draw_series(DashedLineSeries::new(mean, 8, 5, MIDDLE.stroke_width(3)))?
        .label("J(m), mean of the elite")
        .legend(|(x, y)| {
            let dashes = [(x, x + 10), (x + 14, x + 24)];
            let dashes = dashes
                .map(|(from, to)| PathElement::new([(from, y), (to, y)], MIDDLE.stroke_width(3)));
            let [first, second] = dashes;
            EmptyElement::at((0, 0)) + first + second
        });
    let best = run.iter().filter_map(|g| Some((at(g), clip(g.best?))));
    chart
        .draw_series(LineSeries::new(best, DARK.stroke_width(3)))?
        .label("best")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 24, y)], DARK.stroke_width(3)));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(34)
        .margin(12)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font(font(15))
        .draw()?;
    Ok(())
}

/// Figure 2: how much of the elite was born in each generation.
fn offspring(area: &Area<'_>, run: &[Generation]) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption("Offspring among the elite", font(20))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(76)
        .build_cartesian_2d(0.4..last(run) + 0.6, 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("generation")
        .y_desc("share of the m best (%)")
        .x_label_formatter(&|k| format!("{k:.0}"))
        .y_label_formatter(&|share| format!("{share:.0}"))
        .label_style(font(15))
        .axis_desc_style(font(16))
        .disable_x_mesh()
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart.draw_series(run.iter().filter(|g| g.k > 0).map(|g| {
        let k = g.k as f64;
        Rectangle::new([(k - 0.35, 0.0), (k + 0.35, g.born)], DARK.filled())
    }))?;
    Ok(())
}

fn last(run: &[Generation]) -> f64 {
    run.iter().map(|g| g.k).max().unwrap_or(0).max(1) as f64
}

fn font(size: u32) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal)
}

/// Where a logarithmic axis is labelled: finely where it is short.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let steps = if high / low < 50.0 { &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0][..] } else { &[1.0] };
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let ticks = decades.flat_map(|decade| steps.iter().map(move |s| s * 10f64.powi(decade)));
    ticks.filter(|tick| (low..high).contains(tick)).collect()
}

/// A number with two significant digits, and no more.
fn significant(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded) { format!("{rounded}") } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Vec<Generation> {
        let fitness = |k: usize| 2.0 / (k + 1) as f64;
        let generation = |k| Generation {
            k,
            best: Some(fitness(k)),
            elite_mean: Some(1.1 * fitness(k)),
            range: (k != 3).then_some((fitness(k), 2.0)),
            born: 20.0,
        };
        (0..9).map(generation).collect()
    }

    #[test]
    fn both_panels_are_drawn() {
        let svg = svg(&run()).unwrap();
        for text in ["J(m), mean of the elite", "share of the m best (%)", "sans-serif"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_population_that_diverged_is_nothing_to_draw() {
        let lost = |g: Generation| Generation { best: None, elite_mean: None, range: None, ..g };
        let lost: Vec<_> = run().into_iter().map(lost).collect();
        assert!(svg(&lost).unwrap_err().to_string().contains("nothing to draw"));
    }
}
