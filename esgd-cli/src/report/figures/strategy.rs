//! The numbers that a strategy remembers, over the generations: a panel for each name.

use std::collections::BTreeMap;

use super::Figure;
use crate::{
    draw::{
        axes::{Axis, Ends},
        chart::Chart,
        detail::Detail,
        panels::{Panel, Panels},
        series::Series,
    },
    report::run::Run,
    run::strategy_numbers,
    text::numbers,
};

/// The most panels, and the most lines of all together.
const PANELS: usize = 8;
const LINES: usize = 24;
/// The height of a panel that is not alone.
const HEIGHT: f64 = 90.0;

pub(super) fn figure(run: &Run, detail: Detail) -> Option<Figure> {
    let (shown, left) = panels(run);
    if shown.is_empty() {
        return None;
    }
    let title = "Numbers of the strategy";
    let x = Axis::generations(run.fine_tuning());
    let axes: Vec<Axis> = shown.iter().map(|series| axis(series)).collect();
    let panels = axes.iter().zip(&shown).map(|(y, series)| Panel { y, series }).collect();
    let height = if shown.len() == 1 { 2.0 * HEIGHT } else { HEIGHT };
    let panels = Panels { title, x: &x, panels, height };
    let series = shown.concat();
    let all =
        Chart { title: title.into(), x: x.clone(), y: Axis::new("value", "#", Ends::Room), series };
    let more = match left {
        0 => String::new(),
        n => format!(" The log has {} more.", numbers::count(n, "number", "numbers")),
    };
    Some(Figure {
        name: "strategy",
        title: title.into(),
        caption: format!(
            "What the strategy remembers from step to step beside networks, at the end of each generation.{more}"
        ),
        svg: panels.svg(&all.description(), detail),
        list: vec![],
        values: Some(all.table(detail)),
    })
}

/// The lines of each panel, and how many have no room.
fn panels(run: &Run) -> (Vec<Vec<Series>>, usize) {
    let mut names: BTreeMap<&str, BTreeMap<Option<usize>, Series>> = BTreeMap::new();
    for (k, line) in run.generations().into_iter().zip(&run.lines) {
        for one in strategy_numbers::of(&line.report.numbers) {
            let lines = names.entry(one.name).or_default();
            let series = lines
                .entry(one.place)
                .or_insert_with(|| Series { name: one.label(), ..Series::default() });
            series.points.push((k, one.value));
        }
    }
    let (mut shown, mut lines, mut left) = (vec![], 0, 0);
    for series in names.into_values() {
        // A single point is no curve.
        let mut series: Vec<_> = series.into_values().filter(|s| s.points.len() > 1).collect();
        series.retain(|series| !is_count(series));
        if series.is_empty() {
            continue;
        }
        if shown.len() == PANELS || lines + series.len() > LINES {
            left += series.len();
            continue;
        }
        lines += series.len();
        for (i, one) in series.iter_mut().enumerate() {
            (one.colour, one.dash) = (i, i);
        }
        shown.push(series);
    }
    (shown, left)
}

/// Whether it only counts steps, which says nothing that the axis does not.
fn is_count(series: &Series) -> bool {
    let steps = series.points.windows(2).map(|pair| pair[1].1 - pair[0].1);
    let (mut steps, mut any) = (steps, false);
    steps.all(|step| {
        any |= step == 1.0;
        step == 0.0 || step == 1.0
    }) && any
}

/// Counts begin at 0; what is no count may be any number.
fn axis(series: &[Series]) -> Axis {
    let mut values = series.iter().flat_map(|s| s.points.iter().map(|p| p.1));
    match values.all(|value| value >= 0.0 && value.fract() == 0.0) {
        true => Axis { whole: true, ..Axis::new("", "#", Ends::Zero) },
        false => Axis::new("", "#", Ends::Room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{draw::detail::LEVELS, report::example};

    /// A run whose strategy remembers such lists, a line each.
    fn run(lines: &[&[(&str, Vec<f64>)]]) -> Run {
        let mut run = example::run(&vec![&[][..]; lines.len()]);
        for (line, numbers) in run.lines.iter_mut().zip(lines) {
            let numbers = numbers.iter().map(|(name, list)| ((*name).to_owned(), list.clone()));
            line.report.numbers = numbers.collect();
        }
        run
    }

    #[test]
    fn each_name_has_a_panel() {
        let line = |k: f64| [("sigma", vec![0.1 / k, 0.2 / k]), ("stall", vec![3.0 * k])];
        let run = run(&[&[], &line(1.0), &line(2.0), &line(3.0)]);
        let figure = figure(&run, LEVELS[0]).unwrap();
        for values in
            ["sigma/0\" data-values=\"1:0.1;2:0.05;", "stall\" data-values=\"1:3;2:6;3:9\""]
        {
            assert!(figure.svg.contains(values), "{}", figure.svg);
        }
        let table = figure.values.unwrap();
        assert_eq!(table.heads, ["generation", "sigma/0", "sigma/1", "stall"]);
        assert_eq!(table.rows[2].cells[3].0, "9");
        assert!(!figure.caption.contains("The log"), "{}", figure.caption);
    }

    #[test]
    fn there_is_none_without_numbers() {
        let once = [("steps", vec![1.0])];
        assert!(figure(&run(&[&[], &[], &[]]), LEVELS[0]).is_none());
        assert!(figure(&run(&[&[], &[], &once]), LEVELS[0]).is_none(), "a point is no curve");
        let steps = |k: f64| [("steps", vec![k])];
        let counted = run(&[&steps(0.0), &steps(1.0), &steps(2.0), &steps(2.0)]);
        assert!(figure(&counted, LEVELS[0]).is_none(), "a count of steps is no news");
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let line: Vec<_> = ["a", "b", "c"].map(|name| (name, vec![0.5; 16])).into();
        let figure = figure(&run(&[&line, &line]), LEVELS[0]).unwrap();
        assert!(figure.caption.ends_with(" The log has 32 numbers more."), "{}", figure.caption);
        assert!(figure.svg.contains("a/15") && !figure.svg.contains("b/0"));
    }

    #[test]
    fn counts_are_whole_and_begin_at_zero() {
        let of = |values: [f64; 2]| {
            let points = values.into_iter().enumerate().map(|(k, v)| (k as f64, v)).collect();
            axis(&[Series { points, ..Series::default() }])
        };
        let count = of([3.0, 500.0]);
        assert_eq!((count.ends, count.whole), (Ends::Zero, true));
        let size = of([0.5, 1.0]);
        assert_eq!((size.ends, size.whole), (Ends::Room, false));
    }
}
