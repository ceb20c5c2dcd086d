//! Which optimizer and learning rate made the elite over time.

use super::Figure;
use crate::report::{
    chart::{Chart, Series},
    run::Run,
};

pub fn figure(run: &Run) -> Option<Figure> {
    let kinds = run.kinds();
    let generations = run.generations();
    let rates = |kind: &String| {
        let of = |(k, line)| {
            let elite = Run::elite(line).iter().filter_map(|one| one.hyper.as_ref());
            let rates = elite.filter(|hyper| hyper.kind == *kind).filter_map(|h| h.get("lr"));
            rates.filter(|lr| *lr > 0.0).map(|lr| (k, lr)).collect::<Vec<_>>()
        };
        generations.iter().copied().zip(&run.lines).flat_map(of).collect::<Vec<_>>()
    };
    let mut series = vec![];
    let mut shares = vec![];
    for (i, kind) in kinds.iter().enumerate() {
        let points = rates(kind);
        if let Some(last) = run.lines.last() {
            let elite = Run::elite(last);
            let of = |one: &&esgd_core::IndividualReport| {
                one.hyper.as_ref().is_some_and(|hyper| hyper.kind == *kind)
            };
            shares.push(format!("{kind} {} of {}", elite.iter().filter(of).count(), elite.len()));
        }
        series.push(Series {
            name: kind.clone(),
            colour: i,
            dots: true,
            points,
            ..Series::default()
        });
    }
    if series.iter().all(|s| s.points.is_empty()) {
        return None;
    }
    let chart = Chart {
        title: "Optimizers and learning rates of the elite".into(),
        x: "generation".into(),
        y: "learning rate".into(),
        series,
        ..Chart::default()
    };
    let caption = format!(
        "A point for each of the m best individuals of a generation: what it was last trained with, annealed. At the end: {}.",
        shares.join(", ")
    );
    Some(Figure { name: "recipes", title: chart.title.clone(), caption, svg: chart.svg() })
}
