//! `metrics.csv`: the log for a spreadsheet, a line an individual and generation.

use std::fmt::Write;

use esgd_core::Phase;

use crate::metrics::Line;

/// The log as CSV. What diverged has no fitness.
pub fn of(lines: &[Line]) -> String {
    let mut text = String::from(
        "phase,generation,seconds,epochs,backed_off,offspring,best,elite_mean,diversity,rank,individual,parents,fitness,optimizer,hyper\n",
    );
    for Line { seconds, report } in lines {
        let phase = match report.phase {
            Phase::Start => "start",
            Phase::Generation => "generation",
            Phase::FineTune => "fine-tune",
        };
        let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let tally = report.tally;
        for (rank, one) in report.individuals.iter().enumerate() {
            let parents = one.parents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let values = one.hyper.iter().flat_map(|hyper| &hyper.values);
            let values = values.map(|(name, value)| format!("{name}={value}"));
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{phase},{},{seconds},{},{},{},{},{},{},{},{},{parents},{},{},{}",
                report.generation,
                tally.epochs,
                tally.backed_off,
                tally.offspring,
                number(report.best.get()),
                number(report.elite_mean.get()),
                report.diversity.map(number).unwrap_or_default(),
                rank + 1,
                one.id,
                number(one.fitness.get()),
                one.hyper.as_ref().map(|hyper| hyper.kind.as_str()).unwrap_or_default(),
                values.collect::<Vec<_>>().join(" "),
            );
        }
    }
    text
}
