//! Fitness by individual and generation.

use std::fmt::Write;

use super::Figure;
use crate::report::{
    chart::{WIDTH, escaped, open, thinned},
    run::Run,
    scale::number,
};

/// The most cells of all runs of a page together, and rows of one.
const CELLS: usize = 5000;
const ROWS: usize = 50;
const LEFT: f64 = 66.0;
const TOP: f64 = 10.0;
const HEIGHT: f64 = 260.0;

/// The figure of one of so many runs.
pub fn figure(run: &Run, runs: usize) -> Option<Figure> {
    let columns: Vec<usize> = (0..run.lines.len()).collect();
    let columns = thinned(&columns, (CELLS / ROWS / runs.max(1)).clamp(10, 100));
    let most = run.lines.iter().map(|line| line.report.individuals.len()).max()?;
    if most < 2 || columns.len() < 2 {
        return None;
    }
    let ranks: Vec<usize> = thinned(&(0..most).collect::<Vec<_>>(), ROWS);
    let fitness = |column: usize, rank: usize| {
        let one = run.lines[column].report.individuals.get(rank);
        one.map(|one| one.fitness.get())
    };
    let all = columns.iter().flat_map(|&c| ranks.iter().filter_map(move |&r| fitness(c, r)));
    let mut sorted: Vec<f64> = all.filter(|f| f.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    if sorted.len() < 2 {
        return None;
    }
    let (width, height) =
        ((WIDTH - LEFT - 14.0) / columns.len() as f64, HEIGHT / ranks.len() as f64);
    let generations = run.generations();
    let title = "Fitness by individual";
    let mut svg = open(WIDTH, TOP + HEIGHT + 66.0, title);
    for (i, &column) in columns.iter().enumerate() {
        for (j, &rank) in ranks.iter().enumerate() {
            let Some(value) = fitness(column, rank) else { continue };
            // By rank among all, so that a few that are far off leave shades for the others.
            let shade = match sorted.partition_point(|f| *f < value) {
                _ if !value.is_finite() => "none".to_owned(),
                place => (9 * place / sorted.len()).to_string(),
            };
            let _ = write!(
                svg,
                "<rect class=\"h{shade}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{:.2}\"><title>generation {}, rank {}: {}</title></rect>",
                LEFT + width * i as f64,
                TOP + height * j as f64,
                width + 0.3,
                height + 0.3,
                generations[column],
                rank + 1,
                number(value)
            );
        }
    }
    let bottom = TOP + HEIGHT;
    let text = |svg: &mut String, class: &str, x: f64, y: f64, text: &str| {
        let _ = write!(
            svg,
            "<text class=\"t {class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>",
            escaped(text)
        );
    };
    text(&mut svg, "e", LEFT - 6.0, TOP + 12.0, "best");
    text(&mut svg, "e", LEFT - 6.0, bottom - 2.0, &format!("{most}th"));
    for (i, &column) in columns.iter().enumerate() {
        if i % columns.len().div_ceil(10) == 0 {
            let x = LEFT + width * (i as f64 + 0.5);
            text(&mut svg, "m", x, bottom + 16.0, &number(generations[column]));
        }
    }
    text(&mut svg, "m", (LEFT + WIDTH) / 2.0, bottom + 34.0, "generation");
    for shade in 0..9 {
        let x = LEFT + 26.0 * f64::from(shade);
        let _ = write!(
            svg,
            "<rect class=\"h{shade}\" x=\"{x:.0}\" y=\"{:.0}\" width=\"26\" height=\"10\"/>",
            bottom + 46.0
        );
    }
    let ends = format!("{} to {}", number(sorted[0]), number(sorted[sorted.len() - 1]));
    text(&mut svg, "", LEFT + 26.0 * 9.0 + 8.0, bottom + 55.0, &ends);
    svg.push_str("</svg>");
    Some(Figure {
        name: "heat-map",
        title: title.into(),
        caption: "Each generation is a column, its individuals in order of fitness, the best on top. Shades have equally many values each; what diverged is left out.".into(),
        svg,
    })
}
