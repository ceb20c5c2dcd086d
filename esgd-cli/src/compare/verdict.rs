//! What a comparison comes to, in plain words.

use super::{
    methods::Method,
    rows::{Against, Difference, Part, Row, mean},
};

/// A p below this is taken for a difference.
const LEVEL: f64 = 0.05;

/// Sentences about ESGD's best network against each rival's at the same budget.
pub fn sentences(rows: &[Row], seeds: usize) -> Vec<String> {
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
        sentences.extend(by(metric, of, rows));
    }
    let lowest = |several: bool| {
        let rivals = rows.iter().filter(|row| !row.apart && (row.networks > 1.0) == several);
        rivals.min_by(|a, b| loss(a).total_cmp(&loss(b)))
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
    sentences
}

/// How ESGD compares by a metric on test data.
fn by(metric: &str, of: fn(&Against) -> Option<Difference>, rows: &[Row]) -> Option<String> {
    let rivals = rows.iter().filter(|row| !row.apart && row.part == Part::Best);
    let tested: Vec<_> =
        rivals.filter_map(|row| Some((&row.title, of(row.against.as_ref()?)?))).collect();
    let titles = |test: &dyn Fn(&Difference) -> bool| {
        let chosen = tested.iter().filter(|(_, d)| test(d)).map(|(title, _)| title.as_str());
        chosen.collect::<Vec<_>>().join(", ")
    };
    let found = |d: &Difference| d.p < LEVEL;
    let parts = [
        ("beats ", titles(&|d| found(d) && d.mean < 0.0)),
        ("loses to ", titles(&|d| found(d) && d.mean > 0.0)),
        (
            "is ahead, by less than these seeds can show, of ",
            titles(&|d| !found(d) && d.mean < 0.0),
        ),
        (
            "is behind or level, by less than they can show, with ",
            titles(&|d| !found(d) && d.mean >= 0.0),
        ),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| format!("{what}{list}"))
        .collect();
    let on = match rows.iter().all(|row| row.test_loss.is_empty()) {
        true => "the loss to choose by, for want of test data,".to_owned(),
        false => format!("test {metric}"),
    };
    (!parts.is_empty()).then(|| format!("By {on} ESGD {}.", parts.join("; ")))
}

/// The loss that a row is ranked by.
fn loss(row: &Row) -> f64 {
    mean(if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss })
}
