//! What a comparison comes to, in plain words.

use super::methods::Method;
use super::rows::{Against, Difference, Part, Row, mean};

/// A p below this is taken for a difference.
const LEVEL: f64 = 0.05;

/// Sentences about ESGD's best network against everything that got the same budget.
pub fn sentences(rows: &[Row], seeds: usize) -> Vec<String> {
    let Some(esgd) = rows.iter().find(|r| r.method == Method::Esgd && r.part == Part::Best) else {
        return vec!["ESGD was not among the methods, so nothing is compared with it.".into()];
    };
    let mut sentences = vec![];
    if seeds < 2 {
        sentences.push("One seed says nothing about the next: compare with at least 3.".into());
    }
    let metrics: [(&str, fn(&Against) -> Option<Difference>); 2] =
        [("loss", |against| against.loss), ("error", |against| against.error)];
    for (metric, of) in metrics {
        let others = || rows.iter().filter(|row| !row.apart && row.against.is_some());
        let tested: Vec<_> =
            others().filter_map(|row| Some((row, of(row.against.as_ref()?)?))).collect();
        if tested.is_empty() {
            continue;
        }
        let titles = |test: &dyn Fn(&Difference) -> bool| {
            let list: Vec<_> =
                tested.iter().filter(|(_, d)| test(d)).map(|(row, _)| row.title.as_str()).collect();
            list.join("; ")
        };
        let found = |d: &Difference| d.p < LEVEL;
        let better = titles(&|d| found(d) && d.mean < 0.0);
        let worse = titles(&|d| found(d) && d.mean > 0.0);
        let ahead = titles(&|d| !found(d) && d.mean < 0.0);
        let behind = titles(&|d| !found(d) && d.mean >= 0.0);
        let mut parts = vec![];
        for (what, list) in [
            ("ESGD beats", better),
            ("ESGD loses to", worse),
            ("it is ahead of, by less than these seeds can show,", ahead),
            ("it is behind or level with, by less than these seeds can show,", behind),
        ] {
            if !list.is_empty() {
                parts.push(format!("{what} {list}"));
            }
        }
        let mut text = format!("By test {metric}: {}.", parts.join(". "));
        // Each part is a sentence of its own.
        text =
            text.replace(". it ", ". It ").replace(": it ", ": ESGD ").replace(": It ", ": ESGD ");
        sentences.push(text);
    }
    let best = |one: bool| {
        let candidates = rows.iter().filter(|r| !r.apart && (r.networks <= 1.0) == one);
        candidates.min_by(|a, b| lowest(a).total_cmp(&lowest(b)))
    };
    if let Some(row) = best(true) {
        let own = if row.title == esgd.title { " (the network that ESGD gives)" } else { "" };
        sentences.push(format!(
            "The lowest mean loss of one network: {}{own}, {:.4}.",
            row.title,
            lowest(row)
        ));
    }
    if let Some(row) = best(false) {
        sentences.push(format!(
            "Of several networks at a time, which cost as many evaluations for each answer: {}, {:.4} with {:.1} networks.",
            row.title,
            lowest(row),
            row.networks
        ));
    }
    sentences
}

/// The loss that a row is ranked by.
fn lowest(row: &Row) -> f64 {
    mean(if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss })
}
