//! Several runs in one picture.

use super::{figures::Figure, page::Section, run::Run};
use crate::draw::{
    axes::{Axis, Ends},
    chart::Chart,
    detail::Detail,
    series::Series,
};

/// The section of all runs of a page.
pub(super) fn section(runs: &[&Run], detail: Detail) -> Section {
    let series = |x: &dyn Fn(&Run) -> Vec<f64>| {
        let line = |(i, run): (usize, &&Run)| Series {
            name: run.name.clone(),
            colour: i,
            dash: i,
            points: x(run).into_iter().zip(run.best()).collect(),
            ..Series::default()
        };
        runs.iter().enumerate().map(line).collect::<Vec<_>>()
    };
    let seconds = |run: &Run| run.lines.iter().map(|line| line.seconds).collect();
    let known = runs.iter().all(|run| run.samples.is_some());
    let axis = match known {
        true => Axis::new("samples trained on, by all individuals", "# samples", Ends::Tight),
        false => Axis::new("epochs, of all individuals", "# epochs", Ends::Tight),
    };
    let work = |run: &Run| {
        let scale = run.samples.filter(|_| known).unwrap_or(1.0);
        run.lines.iter().map(|line| line.report.effort.epochs as f64 * scale).collect()
    };
    let figure = |name, title: &str, x, series| {
        let y = Axis::new("fitness (loss)", "loss #", Ends::Room);
        let chart = Chart { title: title.into(), x, y, series };
        let caption =
            "The lowest fitness so far. It compares where runs measured it on the same data.";
        Figure::of(name, &chart, caption.into(), detail)
    };
    let time = Axis::new("seconds", "# s", Ends::Tight);
    let figures = [
        figure("together-by-work", "Fitness against work", axis, series(&work)),
        figure("together-by-time", "Fitness against time", time, series(&seconds)),
    ];
    Section {
        title: "Together".into(),
        figures: figures.into_iter().flatten().collect(),
        ..Section::default()
    }
}
