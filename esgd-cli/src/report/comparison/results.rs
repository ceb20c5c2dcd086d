//! The tables of a comparison: results, and what each method is.

use super::super::table::{Table, TableRow};
use crate::{
    compare::{Against, Comparison, Difference, Method, Row},
    draw::scale::number,
    text::numbers::with_minus,
};

/// The column of operations, whose numbers are written as elsewhere on the page.
const OPERATIONS: usize = 9;

/// The table of results.
pub(super) fn table(comparison: &Comparison) -> Table {
    let row = |row: &Row| {
        let mut texts = row.cells();
        // Of what is not known there is a dash.
        if row.flops > 0.0 {
            texts[OPERATIONS] = number(row.flops);
        }
        let mean = |values: &[esgd_core::Fitness]| {
            values.iter().map(|v| v.get()).sum::<f64>() / values.len() as f64
        };
        let error = row.test_error.iter().sum::<f64>() / row.test_error.len() as f64;
        let difference = |of: fn(&Against) -> Option<Difference>| {
            Some(of(row.against.as_ref()?)?.interval?.mean)
        };
        let by = [
            None,
            Some(mean(&row.fitness)),
            Some(mean(&row.test_loss)),
            Some(error),
            row.top.as_ref().and_then(|top| Some(top.test_error?[0])),
            difference(|against| against.loss),
            difference(|against| against.error),
            Some(row.networks),
            Some(row.share),
            Some(row.flops),
            Some(row.seconds),
        ];
        let class = match row.method {
            _ if row.apart => "apart",
            Method::Esgd => "own",
            _ => "",
        };
        let cells = texts.into_iter().enumerate().zip(by);
        TableRow { class, cells: cells.map(|((i, text), by)| (shown(i, &text), by)).collect() }
    };
    let what = match comparison.seeds.len() {
        1 => "Of one seed.",
        _ => "Mean ± half of the 95 % confidence interval over seeds.",
    };
    let apart = match comparison.rows.iter().any(|row| row.apart) {
        true => {
            " In italics what is no rival: it spends a share of the budget, or more than all of it."
        }
        false => "",
    };
    Table {
        caption: format!("{what} In bold ESGD's.{apart}"),
        heads: crate::compare::HEADS.map(str::to_owned).to_vec(),
        rows: comparison.rows.iter().map(row).collect(),
    }
}

/// A cell: narrow, with signs as they are printed. Methods keep their hyphens.
fn shown(column: usize, text: &str) -> String {
    match column {
        0 => text.to_owned(),
        _ => with_minus(text).replacen(", p", "\np", 1),
    }
}

/// What each method is.
pub(super) fn methods(comparison: &Comparison) -> Table {
    let mut all: Vec<Method> = comparison.rows.iter().map(|row| row.method).collect();
    all.sort();
    all.dedup();
    let row = |method: &Method| TableRow {
        class: "words",
        cells: vec![(method.title().into(), None), (method.what().into(), None)],
    };
    Table {
        caption: if all.len() == 1 { "The method." } else { "The methods." }.into(),
        heads: vec!["method".into(), "what it does".into()],
        rows: all.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn cells_are_narrow_and_have_minus_signs() {
        assert_eq!(shown(0, "no-evolution"), "no-evolution");
        let text = "-0.1000 ± 0.0500, p = 0.010, 2 of 2";
        assert_eq!(shown(5, text), "−0.1000 ± 0.0500\np = 0.010, 2 of 2");
        let table = table(&example::comparison());
        assert!(
            table.rows[1].cells[5].0.starts_with("−0.1000 ± 0.0500\n"),
            "{:?}",
            table.rows[1].cells[5]
        );
        assert_eq!(table.rows[1].cells[5].1, Some(-0.1));
        assert_eq!(table.heads[OPERATIONS], "operations");
        assert_eq!(table.rows[1].cells[OPERATIONS], ("1 × 10⁹".into(), Some(1e9)));
    }
}
