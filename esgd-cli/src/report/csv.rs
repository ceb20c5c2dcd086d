//! `metrics.csv`: the log for a spreadsheet, a line an individual and generation.

use std::fmt::Write;

use esgd_core::Phase;

use crate::{
    files::own_file::LOG_HEADS,
    run::{log::Line, strategy_numbers},
    text::spreadsheet::{number, text},
};

/// The log as CSV. What diverged has no fitness.
pub(super) fn of(lines: &[Line]) -> String {
    let mut csv = format!("{LOG_HEADS},numbers\n");
    for Line { seconds, report } in lines {
        let phase = match report.phase {
            Phase::Start => "start",
            Phase::Generation => "generation",
            Phase::FineTune => "fine-tune",
        };
        let effort = report.effort;
        let numbers = strategy_numbers::of(&report.numbers);
        let numbers = numbers.map(|one| format!("{}={}", one.label(), number(one.value)));
        let numbers = text(&numbers.collect::<Vec<_>>().join(" "));
        for (rank, one) in report.individuals.iter().enumerate() {
            let parents = one.parents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let values = one.hyper.iter().flat_map(|hyper| &hyper.values);
            let values = values.map(|(name, value)| format!("{name}={}", number(*value)));
            // Writing to a string does not fail.
            let _ = writeln!(
                csv,
                "{phase},{},{},{},{},{},{},{},{},{},{},{parents},{},{},{},{numbers}",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{self, individual};

    #[test]
    fn a_line_ends_with_the_numbers_of_the_strategy() {
        let one = [individual("g0.0#0", &[], 0.5, None)];
        let mut run = example::run(&[&one, &one]);
        let lists = [("steps".to_owned(), vec![2.0]), ("=a".to_owned(), vec![0.5, 1e-9])];
        run.lines[1].report.numbers = lists.into();
        let csv = of(&run.lines);
        let ends: Vec<&str> = csv.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
        assert_eq!(ends, ["numbers", "", "'=a/0=0.5 =a/1=1e-9 steps=2"]);
        let columns = csv.lines().map(|line| line.split(',').count()).collect::<Vec<_>>();
        assert_eq!(columns, [16; 3]);
    }
}
