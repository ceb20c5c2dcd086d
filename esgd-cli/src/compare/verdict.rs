//! What a comparison comes to, in plain words.

use super::{
    methods::Method,
    rows::{Against, Difference, Part, Row, Runs, mean},
};
use crate::compare::outcome::Outcome;

/// A p below this is taken for a difference.
const LEVEL: f64 = 0.05;

/// Sentences about what ESGD leaves against what each rival does at the same budget, like with like.
pub(super) fn sentences(rows: &[Row], runs: &[Runs], seeds: usize) -> Vec<String> {
    let is_esgd = |row: &&Row| row.method == Method::Esgd && row.part == Part::Best;
    let Some(esgd) = rows.iter().find(is_esgd) else {
        return vec!["ESGD was not among the methods, so nothing is compared with it.".into()];
    };
    let mut sentences = vec![];
    if seeds < 3 {
        sentences
            .push("One or two seeds say little about the next: compare with at least 3.".into());
    }
    let of_loss: fn(&Against) -> Option<Difference> = |against| against.loss;
    for (metric, of) in [("loss", of_loss), ("error", |against| against.error)] {
        sentences.extend(by(metric, of, rows, Part::Best));
    }
    for part in [Part::Soup, Part::Ensemble] {
        sentences.extend(by("loss", of_loss, rows, part));
    }
    let lowest = |several: bool| {
        let rivals = rows.iter().filter(|row| !row.apart && (row.networks > 1.0) == several);
        let sound = rivals.filter(|row| loss(row).is_finite());
        sound.min_by(|a, b| loss(a).total_cmp(&loss(b)))
    };
    if let Some(row) = lowest(false) {
        let text = match row.title == esgd.title {
            true => {
                format!("No method's network has a lower mean loss than ESGD's, {:.4}.", loss(row))
            }
            false => format!(
                "The lowest mean loss of one network is that of {}, {:.4}; ESGD's is {:.4}.",
                row.title,
                loss(row),
                loss(esgd)
            ),
        };
        sentences.push(text);
    }
    if let Some(row) = lowest(true) {
        sentences.push(format!(
            "Several networks at a time, which take as many evaluations for each answer: {}, {:.4} with {:.1} networks in the mean.",
            row.title,
            loss(row),
            row.networks
        ));
    }
    sentences.extend(runs.iter().filter(|r| r.method.tries_rates()).filter_map(edge));
    sentences
}

/// What is not compared, and why.
pub(super) fn left_out(methods: &[Method], predicts: bool) -> Vec<String> {
    let titles = |of: fn(Method) -> bool| {
        methods.iter().copied().filter(|one| of(*one)).map(Method::title).collect::<Vec<_>>()
    };
    let mut sentences = vec![];
    let tuned = titles(Method::tries_rates);
    if !tuned.is_empty() {
        let tuned = tuned.join(", ");
        sentences.push(format!("Left out, as there are no learning rates to try: {tuned}."));
    }
    if !predicts {
        let averages = titles(Method::averages).into_iter().chain(["ensembles", "soups"]);
        let averages = averages.collect::<Vec<_>>().join(", ");
        sentences.push(format!("Left out, as the problem makes no predictions: {averages}."));
    }
    sentences
}

/// How ESGD's networks, or what is made of them, compare by a metric on test data.
fn by(
    metric: &str,
    of: fn(&Against) -> Option<Difference>,
    rows: &[Row],
    part: Part,
) -> Option<String> {
    let rivals = rows.iter().filter(|row| !row.apart && row.part == part);
    let tested: Vec<_> =
        rivals.filter_map(|row| Some((row.method.title(), of(row.against.as_ref()?)?))).collect();
    let titles = |test: &dyn Fn(&Difference) -> bool| {
        let chosen = tested.iter().filter(|(_, d)| test(d)).map(|(title, _)| *title);
        chosen.collect::<Vec<_>>().join(", ")
    };
    let found = |d: &Difference| d.p < LEVEL;
    let parts = [
        ("beats ", titles(&|d| found(d) && d.is_ahead())),
        ("loses to ", titles(&|d| found(d) && !d.is_ahead())),
        (
            "is ahead, by less than these seeds can show, of ",
            titles(&|d| !found(d) && d.is_ahead()),
        ),
        (
            "is behind or level, by less than they can show, with ",
            titles(&|d| !found(d) && !d.is_ahead()),
        ),
    ];
    let (whose, those_of) = match part {
        Part::Best => ("ESGD", ""),
        Part::Ensemble => ("ESGD's ensemble", "the ensemble of "),
        Part::Soup => ("ESGD's soup", "the soup of "),
    };
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| format!("{what}{those_of}{list}"))
        .collect();
    let on = match rows.iter().all(|row| row.test_loss.is_empty()) {
        true => "the loss to choose by, for want of test data,".to_owned(),
        false => format!("test {metric}"),
    };
    (!parts.is_empty()).then(|| format!("By {on} {whose} {}.", parts.join("; ")))
}

/// That in most seeds the best learning rate is at an end of those tried, so that a better one may lie beyond.
fn edge(runs: &Runs) -> Option<String> {
    let rates = runs.seeds.iter().flatten().filter_map(|outcome| outcome.rate);
    let (low, high) = rates.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), rate| {
        (low.min(rate), high.max(rate))
    });
    let best_of = |of_seed: &Vec<Outcome>| {
        let sound = of_seed.iter().filter(|outcome| outcome.best.fitness.is_finite());
        sound.min_by_key(|outcome| outcome.best.fitness)?.rate
    };
    let best: Vec<f64> = runs.seeds.iter().filter_map(best_of).collect();
    let most = |end: f64| 2 * best.iter().filter(|rate| **rate == end).count() > best.len();
    let (end, rate) = match () {
        () if low >= high => return None,
        () if most(low) => ("smallest", low),
        () if most(high) => ("largest", high),
        () => return None,
    };
    Some(format!(
        "The best learning rate of {} is mostly {rate}, the {end} of compare.rates: a better one may lie beyond.",
        runs.method.title()
    ))
}

/// The loss that a row is ranked by.
fn loss(row: &Row) -> f64 {
    mean(if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss })
}
