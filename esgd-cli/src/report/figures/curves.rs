//! Figures that are curves over a run: fitness, the share of offspring, diversity.

use super::Figure;
use crate::{
    draw::{
        axes::{Axis, Ends},
        chart::Chart,
        detail::Detail,
        series::Series,
    },
    report::run::Run,
    run::summary::TOP,
    text::numbers,
};

/// The axis of losses.
pub(super) fn losses() -> Axis {
    Axis::new("fitness (loss)", "loss #", Ends::Room)
}

/// The axis of work, and how much of it an epoch is.
pub(super) fn work(samples: Option<f64>) -> (Axis, f64) {
    match samples {
        Some(n) => {
            let name = "samples trained on, by all individuals";
            (Axis::new(name, "# samples", Ends::Tight), n)
        }
        None => (Axis::new("epochs, of all individuals", "# epochs", Ends::Tight), 1.0),
    }
}

/// The axis of time.
pub(super) fn time() -> Axis {
    Axis::new("seconds", "# s", Ends::Tight)
}

/// Figure 1 of the paper.
pub(super) fn fitness(run: &Run, detail: Detail) -> Option<Figure> {
    let axis = Axis::generations(run.fine_tuning());
    let x = run.generations();
    let m = run.guarded();
    let (name, what) = match run.has_archive() {
        true => (
            format!("J({m}): mean of the archive"),
            format!("of the archive, which keeps the {m} best networks ever scored"),
        ),
        false => (
            format!("J({m}): mean of the {m} best"),
            format!("of the {m} best of the population, which is what the run guards"),
        ),
    };
    // The mean of one is the lowest.
    let guarded = if m > 1 { format!(", the mean J({m}) {what}") } else { String::new() };
    let mean = run.lines.iter().map(|line| line.report.elite_mean.get()).collect();
    let n = shown(run);
    let band = match n {
        0 | 1 => String::new(),
        n => format!(
            ", and the band from the best to the {} individual of the population",
            numbers::ordinal(n)
        ),
    };
    let mut caption = format!("The lowest fitness so far{guarded}{band}. Lower is better.");
    if let Some(why) = run.better_than_logged() {
        caption = format!("{caption} {why}");
    }
    let mean = (m > 1).then_some((name, mean));
    curves(run, "fitness", ("Fitness over generations", axis), (x, mean), caption, detail)
}

/// The same against what was trained on.
pub(super) fn by_samples(run: &Run, detail: Detail) -> Option<Figure> {
    let (axis, each) = work(run.samples);
    let x = run.lines.iter().map(|line| line.report.effort.epochs as f64 * each).collect();
    let caption = "The same against the work that it took.".into();
    let title = ("Fitness against work", axis);
    curves(run, "fitness-by-samples", title, (x, None), caption, detail)
}

/// The same against time.
pub(super) fn by_time(run: &Run, detail: Detail) -> Option<Figure> {
    let x = run.lines.iter().map(|line| (100.0 * line.seconds).round() / 100.0).collect();
    let caption = "The same against the time that it took, pauses left out.".into();
    let title = ("Fitness against time", time());
    curves(run, "fitness-by-time", title, (x, None), caption, detail)
}

/// How many individuals the band has.
fn shown(run: &Run) -> usize {
    run.lines.iter().map(|line| line.report.individuals.len()).min().unwrap_or(0).min(TOP)
}

/// A line's name and its values.
type Line = (String, Vec<f64>);

fn curves(
    run: &Run,
    name: &'static str,
    (title, axis): (&str, Axis),
    (x, mean): (Vec<f64>, Option<Line>),
    caption: String,
    detail: Detail,
) -> Option<Figure> {
    let zip = |y: Vec<f64>| x.iter().copied().zip(y).collect::<Vec<_>>();
    let n = shown(run);
    let mut series = vec![];
    if n > 1 {
        let band = run.band(n);
        series.push(Series {
            name: "best of the population".into(),
            edge: format!("{} of the population", numbers::ordinal(n)),
            colour: 1,
            dash: 1,
            band: x.iter().zip(&band).map(|(x, b)| (*x, b.0, b.1)).collect(),
            points: zip(band.iter().map(|b| b.0).collect()),
            ..Series::default()
        });
    }
    if let Some((name, mean)) = mean {
        series.push(Series { name, colour: 2, dash: 3, points: zip(mean), ..Series::default() });
    }
    series.push(Series {
        name: "best so far".into(),
        main: true,
        points: zip(run.best()),
        ..Series::default()
    });
    let chart = Chart { title: title.into(), x: axis, y: losses(), series };
    Figure::of(name, &chart, caption, detail)
}

/// Figure 2 of the paper.
pub(super) fn offspring(run: &Run, detail: Detail) -> Option<Figure> {
    if !run.evolves() {
        return None;
    }
    let share = |line: &crate::run::log::Line| {
        // Tenths of a percent are enough to tell.
        (1000.0 * line.report.elite_offspring as f64 / line.report.m.max(1) as f64).round() / 10.0
    };
    let generations = run.generations().into_iter().zip(&run.lines);
    let points = generations
        .filter(|(_, line)| line.report.phase == esgd_core::Phase::Generation)
        .map(|(k, line)| (k, share(line)))
        .collect();
    let m = run.m();
    let chart = Chart {
        title: format!("Offspring among the {m} best of the population"),
        x: Axis::generations(None),
        y: Axis::new(&format!("% of the {m} best"), "# %", Ends::Percent),
        series: vec![Series {
            name: "born in the generation".into(),
            main: true,
            points,
            ..Series::default()
        }],
    };
    let archive = if run.has_archive() { " The archive is not looked at here." } else { "" };
    let caption = format!(
        "Of the {m} best individuals of the population at the end of each generation, those that were born in it.{archive}"
    );
    Figure::of("offspring", &chart, caption, detail)
}

/// How far apart the population is.
pub(super) fn diversity(run: &Run, detail: Detail) -> Option<Figure> {
    let points = run.generations().into_iter().zip(&run.lines);
    let points = points.filter_map(|(k, line)| Some((k, line.report.diversity?))).collect();
    let chart = Chart {
        title: "Diversity of the population".into(),
        x: Axis::generations(run.fine_tuning()),
        y: Axis::new("pairwise distance / norm", "#", Ends::Zero),
        series: vec![Series {
            name: "distance / norm".into(),
            main: true,
            points,
            ..Series::default()
        }],
    };
    let caption = "The root mean square of the distances between the weights of any two individuals, relative to that of \
                   their norms: 1.41 for independent networks, 0 for copies.";
    Figure::of("diversity", &chart, caption.into(), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self, individual},
    };

    #[test]
    fn what_is_guarded_has_its_own_name() {
        let line = |best: f64| {
            [individual("g0.0#0", &[], best, Some("sgd")), individual("g0.0#1", &[], 0.8, None)]
        };
        // The example's lines guard one network of fitness 0.5, which the population does not have.
        let (first, second) = (line(0.6), line(0.7));
        let run = example::run(&[&first, &second]);
        let figure = fitness(&run, LEVELS[0]).unwrap();
        assert!(figure.caption.contains("the 2 best networks ever scored"), "{}", figure.caption);
        assert!(figure.caption.contains("lower than that of any individual"));
        assert!(figure.svg.contains("mean of the archive"));
        assert!(figure.svg.contains("data-name=\"2nd of the population\""));
        let figure = offspring(&run, LEVELS[0]);
        assert!(figure.is_none(), "one generation is no curve");
    }
}
