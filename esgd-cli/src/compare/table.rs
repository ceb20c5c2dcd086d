//! The table of a comparison: to read in a terminal, as Markdown, and as CSV.

use std::fmt::{self, Write};

use esgd_core::Fitness;

use super::{
    comparison::Comparison,
    rows::{Difference, Row, Top},
    statistics::{self, Interval},
};
use crate::text::{
    numbers::{fixed, signed},
    spreadsheet,
};

/// The columns.
pub(crate) const HEADS: [&str; 11] = [
    "method",
    "loss to choose by",
    "test loss",
    "test error %",
    "test error % of the top",
    "ESGD minus it, loss",
    "ESGD minus it, error %",
    "networks",
    "budget",
    "operations",
    "core s",
];

impl Row {
    /// Its cells as text.
    pub(crate) fn cells(&self) -> [String; 11] {
        let numbers = |values: &[Fitness]| values.iter().map(|v| v.get()).collect::<Vec<_>>();
        let percent: Vec<f64> = self.test_error.iter().map(|e| 100.0 * e).collect();
        let (loss, error) = self.against.map_or((None, None), |a| (a.loss, a.error));
        let seeds = self.fitness.len();
        [
            self.title.clone(),
            interval(&numbers(&self.fitness), 4),
            interval(&numbers(&self.test_loss), 4),
            interval(&percent, 2),
            self.top.as_ref().map_or_else(String::new, top),
            loss.map_or_else(String::new, |d| difference(&d, seeds, LOSS)),
            error.map_or_else(String::new, |d| difference(&d, seeds, PERCENT)),
            match self.networks {
                n if n == n.round() => fixed(n, 0),
                n => fixed(n, 1),
            },
            format!("{} %", fixed(100.0 * self.share, 1)),
            match self.flops {
                0.0 => "–".to_owned(),
                flops => format!("{flops:.2e}"),
            },
            fixed(self.seconds, 1),
        ]
    }
}

/// Mean ± half of the 95 % confidence interval.
fn interval(values: &[f64], digits: usize) -> String {
    if values.is_empty() {
        return "–".into();
    }
    if values.iter().any(|value| !value.is_finite()) {
        return "diverged".into();
    }
    match statistics::mean(values) {
        (mean, None) => fixed(mean, digits),
        (mean, Some(half)) => format!("{} ± {}", fixed(mean, digits), fixed(half, digits)),
    }
}

fn top(top: &Top) -> String {
    match top.test_error {
        Some([low, high]) => {
            format!("{}–{} ({})", fixed(100.0 * low, 2), fixed(100.0 * high, 2), top.count)
        }
        None => String::new(),
    }
}

/// What numbers are printed in: times `scale`, with so many digits.
#[derive(Clone, Copy)]
struct Unit {
    scale: f64,
    digits: usize,
}

const LOSS: Unit = Unit { scale: 1.0, digits: 4 };
const PERCENT: Unit = Unit { scale: 100.0, digits: 2 };

/// A difference and how sure it is.
fn difference(d: &Difference, seeds: usize, unit: Unit) -> String {
    let p = if d.p < 0.001 { "p < .001".to_owned() } else { format!("p = {}", fixed(d.p, 3)) };
    let Unit { scale, digits } = unit;
    let by = match d.interval {
        Some(Interval { mean, half }) => {
            format!("{} ± {}", signed(scale * mean, digits), fixed(scale * half, digits))
        }
        None => "by signs".to_owned(),
    };
    format!("{by}, {p}, {} of {seeds}", d.lower)
}

impl Comparison {
    /// The table as Markdown, with what was measured above and what it comes to below.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", plain(&self.heading()));
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} |", HEADS.join(" | "));
        let _ = writeln!(text, "|---|---|---|---|---|---|---|---:|---:|---:|---:|");
        for row in &self.rows {
            let mut cells = row.cells();
            if row.apart {
                cells[0] = format!("*{}*", cells[0]);
            }
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if self.rows.iter().any(|row| row.apart) {
            let _ = writeln!(text, "\n{APART}");
        }
        for sentence in &self.verdict {
            let _ = write!(text, "\n- {sentence}");
        }
        text + "\n"
    }

    /// A line a row and seed.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "method,part,apart,seed,fitness,test_loss,test_error,networks,members,budget_share,gradient_samples,evaluation_samples,flops,seconds,core_seconds\n",
        );
        for row in &self.rows {
            let part = serde_json::to_value(row.part).unwrap_or_default();
            for (i, each) in row.each.iter().enumerate() {
                let number = |value: f64| spreadsheet::number(value);
                let some = |value: Option<f64>| value.map(number).unwrap_or_default();
                let passes = each.spent.passes() as f64;
                let _ = writeln!(
                    text,
                    "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                    row.method.name(),
                    part.as_str().unwrap_or_default(),
                    row.apart,
                    self.seeds[i],
                    number(row.fitness[i].get()),
                    some(row.test_loss.get(i).map(|f| f.get())),
                    some(row.test_error.get(i).copied()),
                    each.networks,
                    each.members,
                    number(passes / self.budget as f64),
                    each.spent.gradient_samples,
                    each.spent.evaluation_samples,
                    number(passes * 2.0 * self.macs as f64),
                    number(each.seconds),
                    number(each.core_seconds)
                );
            }
        }
        text
    }

    /// What was compared, in one paragraph.
    pub(crate) fn heading(&self) -> String {
        let operations = match self.macs {
            0 => String::new(),
            macs => format!(
                ", {:.2e} floating-point operations",
                self.budget as f64 * 2.0 * macs as f64
            ),
        };
        format!(
            "{}. A budget of {:.1} epochs for each \
             method, evaluations counted as a third of a gradient step: {} forward passes{operations}. \
             {} seed{}, paired; mean ± 95 % confidence interval; p of paired t-tests of like with like, \
             or of signs where there is no mean, corrected by Holm, of losses and of errors each.",
            self.on_what(),
            self.epochs(),
            self.budget,
            self.seeds.len(),
            if self.seeds.len() == 1 { "" } else { "s" }
        )
    }
}

/// A line that Markdown shows as it is.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

const APART: &str =
    "In italics what is no rival: it spends a share of the budget, or more than all of it.";

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.rows.iter().map(|row| (row.apart, row.cells())).collect();
        let width = |i: usize| {
            let cells = rows.iter().map(|(_, cells)| cells[i].chars().count());
            cells.max().unwrap_or(0).max(HEADS[i].chars().count())
        };
        // The top and the seconds are in the files; a terminal is not as wide.
        let shown = match self.test {
            0 => vec![0, 1, 5, 7, 8],
            _ => vec![0, 2, 3, 5, 7, 8],
        };
        let line = |cells: &[String]| {
            let padded = shown.iter().map(|&i| {
                let (cell, width) = (&cells[i], width(i));
                match i {
                    0 => format!("{cell:width$}"),
                    _ => format!("{cell:>width$}"),
                }
            });
            padded.collect::<Vec<_>>().join("  ")
        };
        writeln!(f, "{}", line(&HEADS.map(str::to_owned)))?;
        let mut apart = false;
        for (is_apart, cells) in &rows {
            if *is_apart && !apart {
                writeln!(f, "no rivals: a share of the budget, or more than all of it")?;
                apart = true;
            }
            writeln!(f, "{}", line(cells))?;
        }
        writeln!(f)?;
        for sentence in &self.verdict {
            writeln!(f, "{sentence}")?;
        }
        Ok(())
    }
}
