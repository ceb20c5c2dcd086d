//! Cells of CSV files by RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in
//! front, which keeps it text; numbers are numbers.

use std::borrow::Cow;

use crate::text::safe::one_line;

/// A text of others or of ours.
pub(crate) fn text(text: &str) -> String {
    let safe = one_line(text);
    let is_formula = safe.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let safe = if is_formula { Cow::Owned(format!("'{safe}")) } else { safe };
    match safe.contains([',', '"']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe.into_owned(),
    }
}

/// A number in digits that read back to it; nothing of what is none.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => String::new(),
        // Three hundred digits say no more.
        size if size >= 1e16 || (size < 1e-5 && size > 0.0) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One record, read as RFC 4180 has it.
    fn read(record: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (vec![], String::new(), false);
        let mut chars = record.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if !quoted && cell.is_empty() => quoted = true,
                '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' if quoted => quoted = false,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        cells
    }

    #[test]
    fn a_formula_is_text_and_a_number_a_number() {
        assert_eq!(text("sgd"), "sgd");
        assert_eq!(text("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(text(" +1, \"2\""), "\"' +1, \"\"2\"\"\"");
        assert_eq!(text("a\r\n\t\u{202e}"), "a\\u000d\\u000a\\u0009\\u202e");
        assert_eq!([-0.25, 1e308, -5e-324, 0.0].map(number), ["-0.25", "1e308", "-5e-324", "0"]);
        assert_eq!([f64::NAN, f64::INFINITY].map(number), ["", ""]);
    }

    proptest! {
        #[test]
        fn any_texts_are_as_many_cells(all in prop::collection::vec(any::<String>(), 1..6)) {
            let record: Vec<String> = all.iter().map(|one| text(one)).collect();
            let found = read(&record.join(","));
            prop_assert_eq!(found.len(), all.len());
            for (cell, one) in found.iter().zip(&all) {
                let told = one_line(one);
                prop_assert_eq!(cell.trim_start_matches('\''), told.trim_start_matches('\''));
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{}", cell);
            }
        }

        #[test]
        fn numbers_read_back(value in any::<f64>().prop_filter("a number", |v| v.is_finite())) {
            prop_assert_eq!(number(value).parse::<f64>().unwrap(), value);
            prop_assert!(number(value).len() < 30);
        }
    }
}
