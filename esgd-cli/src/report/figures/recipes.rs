//! Which optimizer and learning rate made the best of the population over time.

use std::collections::BTreeMap;

use esgd_core::Phase;

use super::Figure;
use crate::{
    draw::{
        axes::{Axis, Ends},
        chart::Chart,
        detail::Detail,
        scale::number,
        series::Series,
    },
    report::run::Run,
    run::log::Line,
    text::numbers,
};

/// What an individual is that was born in the generation and not trained yet.
const UNTRAINED: &str = "untrained offspring";
/// The most optimizers that a caption counts.
const KINDS: usize = 12;
/// How far the dots of two optimizers stand apart, so that equal ones are both seen.
const APART: f64 = 3.0;

pub(super) fn figure(run: &Run, detail: Detail) -> Option<Figure> {
    let kinds = run.kinds();
    let generations = run.generations();
    // Fine-tuning has one recipe for all, which says nothing on what was selected.
    let lines: Vec<(f64, &Line)> = generations
        .into_iter()
        .zip(&run.lines)
        .filter(|(_, line)| line.report.phase != Phase::FineTune)
        .collect();
    let mut series = vec![];
    for (i, kind) in kinds.iter().enumerate() {
        let points = lines.iter().flat_map(|(k, line)| {
            let rates = rates(line, kind).into_iter().filter(|lr| *lr > 0.0);
            rates.map(|lr| (*k, lr)).collect::<Vec<_>>()
        });
        series.push(Series {
            name: kind.clone(),
            colour: i,
            dots: true,
            shift: APART * (i as f64 - (kinds.len() as f64 - 1.0) / 2.0),
            points: points.collect(),
            tooltip: lines.iter().map(|(k, line)| (*k, tooltip(line, kind))).collect(),
            ..Series::default()
        });
    }
    if series.iter().all(|s| s.points.is_empty()) {
        return None;
    }
    let untrained = |line: &Line| counts(line).get(UNTRAINED).copied().unwrap_or(0);
    if lines.iter().any(|(_, line)| untrained(line) > 0) {
        let tooltip = lines.iter().map(|(k, line)| (*k, untrained(line).to_string())).collect();
        series.push(Series { name: UNTRAINED.into(), dots: true, tooltip, ..Series::default() });
    }
    let m = run.m();
    let chart = Chart {
        title: format!("Optimizers and learning rates of the {m} best of the population"),
        x: Axis::generations(None),
        y: Axis::new("learning rate", "#", Ends::Room),
        series,
    };
    let fine_tuned = match run.fine_tuning() {
        Some(_) => " Fine-tuning, which has a recipe of its own, is left out.",
        None => "",
    };
    let caption = format!(
        "A point for each of the {m} best individuals of the population in a generation: the learning rate that it was \
         last trained with, annealed. Offspring have none before they are trained.{fine_tuned} {}",
        at_the_end(run, lines.last()?.1)
    );
    Figure::of("recipes", &chart, caption, detail)
}

/// The learning rates of an optimizer among the best of a population.
fn rates(line: &Line, kind: &str) -> Vec<f64> {
    let hyper = Run::best_of_population(line).iter().filter_map(|one| one.hyper.as_ref());
    hyper.filter(|hyper| hyper.kind == kind).filter_map(|hyper| hyper.get("lr")).collect()
}

/// How many of the best of a population have which optimizer, or none yet.
fn counts(line: &Line) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for one in Run::best_of_population(line) {
        let kind = one.hyper.as_ref().map_or(UNTRAINED, |hyper| &hyper.kind);
        *counts.entry(kind).or_insert(0) += 1;
    }
    counts
}

/// The tooltip of an optimizer in a generation: how many have it, and with which learning rates.
fn tooltip(line: &Line, kind: &str) -> String {
    let n = counts(line).get(kind).copied().unwrap_or(0);
    let rates = rates(line, kind);
    let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let high = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match n {
        _ if rates.is_empty() => n.to_string(),
        _ if low == high => format!("{n}, learning rate {}", number(low)),
        _ => format!("{n}, learning rates {} to {}", number(low), number(high)),
    }
}

/// The recipes at the end, as `esgd train` prints them where the run is complete.
fn at_the_end(run: &Run, last: &Line) -> String {
    let elite = run.result.as_ref().and_then(|result| result["elite"].as_object());
    let Some(elite) = elite.filter(|elite| !elite.is_empty()) else {
        let counts = counts(last);
        let total = counts.values().sum::<usize>();
        let parts: Vec<_> = counts.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        let after = match last.report.generation {
            0 => "At the start".to_owned(),
            k => format!("After generation {}", numbers::thousands(k as u64)),
        };
        return format!("{after}, of {total}: {}.", parts.join(", "));
    };
    let mut parts: Vec<String> = vec![];
    let mut known = 0;
    for (kind, part) in elite.iter().take(KINDS) {
        let n = part["individuals"].as_u64().unwrap_or(0);
        known = u64::saturating_add(known, n);
        let lr = |i: usize| part["lr"][i].as_f64();
        parts.push(match (lr(0), lr(1)) {
            (Some(low), Some(high)) => {
                format!("{kind} {n} (learning rates {} to {})", short(low), short(high))
            }
            _ => format!("{kind} {n}"),
        });
    }
    let total = run.lines.last().map_or(0, |line| Run::best_of_population(line).len()) as u64;
    if known < total {
        parts.push(format!("{UNTRAINED} {}", total - known));
    }
    format!(
        "At the end, as drawn, before annealing and fine-tuning, of {total}: {}.",
        parts.join(", ")
    )
}

/// Two digits, as many as the program prints.
fn short(rate: f64) -> String {
    number(format!("{rate:.1e}").parse().unwrap_or(rate))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self, individual},
    };

    fn lines() -> [[String; 2]; 2] {
        [
            [
                individual("g0.0#0", &[], 0.6, Some("adam")),
                individual("g0.0#1", &[], 0.7, Some("sgd")),
            ],
            [
                individual("g1.1#0", &["g0.0#0"], 0.5, None),
                individual("g0.0#0", &[], 0.6, Some("adam")),
            ],
        ]
    }

    #[test]
    fn counts_add_up_to_m() {
        let [first, second] = lines();
        let run = example::run(&[&first, &second]);
        let figure = figure(&run, LEVELS[0]).unwrap();
        let end = "After generation 1, of 2: adam 1, untrained offspring 1.";
        assert!(figure.caption.ends_with(end), "{}", figure.caption);
        let values = figure.values.unwrap();
        assert_eq!(values.heads, ["generation", "adam", "sgd", "untrained offspring"]);
        let cells: Vec<_> = values.rows[1].cells.iter().map(|cell| cell.0.as_str()).collect();
        assert_eq!(cells, ["1", "1, learning rate 0.01", "0", "1"]);
        // Equal rates of two optimizers are beside one another.
        let x = |class: &str| {
            let (_, rest) = figure.svg.split_once(&format!("class=\"p {class}\"")).unwrap();
            rest.split_once("d=\"M").unwrap().1.split(' ').next().unwrap().to_owned()
        };
        assert_ne!(x("c0"), x("c1"));
    }

    #[test]
    fn a_complete_run_says_what_the_program_says() {
        let [first, second] = lines();
        let mut run = example::run(&[&first, &second]);
        run.result =
            Some(json!({"elite": {"sgd": {"individuals": 1, "lr": [0.011439, 0.084219]}}}));
        let text = figure(&run, LEVELS[0]).unwrap().caption;
        let end = "of 2: sgd 1 (learning rates 0.011 to 0.084), untrained offspring 1.";
        assert!(text.ends_with(end), "{text}");
    }
}
