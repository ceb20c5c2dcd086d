//! Figures that are curves over a run: fitness, the share of offspring, diversity.

use super::Figure;
use crate::report::{
    chart::{Chart, Series},
    run::Run,
};

/// As many of the best as the bands of the paper's figure 1 show.
const TOP: usize = 15;

fn figure(name: &'static str, chart: Chart, caption: String) -> Option<Figure> {
    (!chart.is_empty()).then(|| Figure {
        name,
        title: chart.title.clone(),
        caption,
        svg: chart.svg(),
    })
}

/// Figure 1 of the paper.
pub fn fitness(run: &Run) -> Option<Figure> {
    let x = run.generations();
    let caption = "The lowest fitness so far, J(m) of the elite that is guarded, and the band from the best to the 15th \
                   individual of the population, or the last if there are fewer. Lower is better.";
    let mean = run.lines.iter().map(|line| line.report.elite_mean.get()).collect();
    curves(run, "fitness", ("Fitness over generations", "generation"), x, Some(mean), caption)
}

/// The same against what was trained on.
pub fn by_samples(run: &Run) -> Option<Figure> {
    let (axis, x) = run.epochs();
    let caption = "The same against the work that it took.";
    curves(run, "fitness-by-samples", ("Fitness against work", axis), x, None, caption)
}

/// The same against time.
pub fn by_time(run: &Run) -> Option<Figure> {
    let x = run.lines.iter().map(|line| line.seconds).collect();
    let caption = "The same against the time that it took, pauses left out.";
    curves(run, "fitness-by-time", ("Fitness against time", "seconds"), x, None, caption)
}

fn curves(
    run: &Run,
    name: &'static str,
    (title, axis): (&str, &str),
    x: Vec<f64>,
    mean: Option<Vec<f64>>,
    caption: &str,
) -> Option<Figure> {
    let zip = |y: Vec<f64>| x.iter().copied().zip(y).collect();
    let n = run.lines.iter().map(|line| line.report.individuals.len()).min().unwrap_or(0).min(TOP);
    let band = run.band(TOP);
    let mut series = vec![];
    if n > 1 {
        series.push(Series {
            name: format!("top {n}"),
            colour: 1,
            band: x.iter().zip(&band).map(|(x, b)| (*x, b.0, b.1)).collect(),
            points: zip(band.iter().map(|b| b.0).collect()),
            dashed: true,
            ..Series::default()
        });
    }
    if let Some(mean) = mean {
        let points = zip(mean);
        series.push(Series { name: "J(m)".into(), colour: 2, points, ..Series::default() });
    }
    series.push(Series {
        name: "best so far".into(),
        colour: 0,
        points: zip(run.best()),
        ..Series::default()
    });
    let chart = Chart {
        title: title.into(),
        x: axis.into(),
        y: "fitness (loss)".into(),
        series,
        ..Chart::default()
    };
    figure(name, chart, caption.into())
}

/// Figure 2 of the paper.
pub fn offspring(run: &Run) -> Option<Figure> {
    if !run.evolves() {
        return None;
    }
    let share = |line: &crate::metrics::Line| {
        100.0 * line.report.elite_offspring as f64 / line.report.m.max(1) as f64
    };
    let generations = run.generations().into_iter().zip(&run.lines);
    let points = generations
        .filter(|(_, line)| line.report.phase == esgd_core::Phase::Generation)
        .map(|(k, line)| (k, share(line)));
    let chart = Chart {
        title: "Offspring in the elite".into(),
        x: "generation".into(),
        y: "percent of the m best".into(),
        from_zero: true,
        series: vec![Series { points: points.collect(), ..Series::default() }],
    };
    figure(
        "offspring",
        chart,
        "Of the m best individuals those that were born in the generation.".into(),
    )
}

/// How far apart the population is.
pub fn diversity(run: &Run) -> Option<Figure> {
    let points = run.generations().into_iter().zip(&run.lines);
    let points = points.filter_map(|(k, line)| Some((k, line.report.diversity?)));
    let chart = Chart {
        title: "Diversity of the population".into(),
        x: "generation".into(),
        y: "pairwise distance / norm".into(),
        from_zero: true,
        series: vec![Series { points: points.collect(), ..Series::default() }],
    };
    let caption = "The root mean square of the distances between the weights of any two individuals, relative to that of \
                   their norms: 1.41 for independent networks, 0 for copies.";
    figure("diversity", chart, caption.into())
}
