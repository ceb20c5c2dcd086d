//! `metrics.csv`: the log for a spreadsheet, a line an individual and generation.

use std::fmt::Write;

use esgd_core::Phase;

use crate::{
    files::own_file::LOG_HEADS,
    run::log::Line,
    text::spreadsheet::{number, text},
};

/// The log as CSV. What diverged has no fitness.
pub(super) fn of(lines: &[Line]) -> String {
    let mut csv = String::from(LOG_HEADS);
    for Line { seconds, report } in lines {
        let phase = match report.phase {
            Phase::Start => "start",
            Phase::Generation => "generation",
            Phase::FineTune => "fine-tune",
        };
        let effort = report.effort;
        for (rank, one) in report.individuals.iter().enumerate() {
            let parents = one.parents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let values = one.hyper.iter().flat_map(|hyper| &hyper.values);
            let values = values.map(|(name, value)| format!("{name}={}", number(*value)));
            // Writing to a string does not fail.
            let _ = writeln!(
                csv,
                "{phase},{},{},{},{},{},{},{},{},{},{},{parents},{},{},{}",
                report.generation,
                number(*seconds),
                effort.epochs,
                effort.backed_off,
                effort.offspring,
                number(report.best.get()),
                number(report.elite_mean.get()),
                report.diversity.map(number).unwrap_or_default(),
                rank + 1,
                one.id,
                number(one.fitness.get()),
                text(one.hyper.as_ref().map(|hyper| hyper.kind.as_str()).unwrap_or_default()),
                text(&values.collect::<Vec<_>>().join(" ")),
            );
        }
    }
    csv
}
