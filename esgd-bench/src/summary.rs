//! The report: a method a row, means and standard deviations over seeds, in Markdown.

use std::fmt::Write;

use crate::{
    measure::Measured,
    methods::{Method, REFERENCE},
};

/// The table of `rows`, each a method with its runs, one a seed and in the same order of seeds.
/// What depends on the machine comes last.
#[must_use]
pub fn markdown(rows: &[(Method, Vec<Measured>)]) -> String {
    let reference = rows.iter().find(|(method, _)| method.name == REFERENCE);
    let reference = reference.map_or(&[][..], |(_, runs)| runs);
    let mut table = format!(
        "| method | validation loss | test loss | test error (%) | epochs | offspring | \
         lower validation loss than {REFERENCE} | seconds |\n|---|---|---|---|---:|---:|---:|---:|\n"
    );
    for (method, runs) in rows {
        let of = |value: fn(&Measured) -> f64| runs.iter().map(value).collect::<Vec<_>>();
        let wins = if method.name == REFERENCE { "–".into() } else { wins(runs, reference) };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {:.0} | {} | {:.1} |",
            method.name,
            spread(&of(|run| run.validation), 4),
            spread(&of(|run| run.test), 4),
            spread(&of(|run| 100.0 * run.test_error), 2),
            method.epochs,
            mean(&of(|run| run.offspring as f64)),
            wins,
            mean(&of(|run| run.seconds)),
        );
    }
    table
}

/// In how many seeds one method is better than another.
fn wins(runs: &[Measured], reference: &[Measured]) -> String {
    let better = runs.iter().zip(reference).filter(|(a, b)| a.validation < b.validation);
    format!("{} of {}", better.count(), reference.len())
}

/// Mean ± standard deviation.
fn spread(values: &[f64], digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", mean(values), deviation(values))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample; 0 of a single value.
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len().max(2) - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        methods::{Tuned, methods},
        task::Budget,
    };

    #[test]
    fn seeds_are_summed_up_and_compared_in_pairs() {
        let budget = Budget { mu: 8, lambda: 32, generations: 4, epochs: 1 };
        let run = |validation| Measured {
            validation,
            test: 0.5,
            test_error: 0.125,
            epochs: 32,
            offspring: 7,
            seconds: 2.0,
        };
        let rows: Vec<_> = methods(budget, Tuned { short: 0.1, long: 0.1, best_of: 0.1 })
            .into_iter()
            .map(|method| {
                let lead = if method.name == REFERENCE { 0.0 } else { 0.5 };
                (method, vec![run(1.0 - lead), run(3.0 + lead)])
            })
            .collect();
        let table = markdown(&rows);
        assert!(table.contains(
            "| paper | 2.0000 ± 1.4142 | 0.5000 ± 0.0000 | 12.50 ± 0.00 | 32 | 7 | – | 2.0 |"
        ));
        assert_eq!(table.matches("| 1 of 2 |").count(), rows.len() - 1);
    }
}
