//! Tables in Markdown, and how numbers stand in them.

/// A table whose columns after the first are numbers, aligned to the right.
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(columns);
        let numbers = "---:|".repeat(columns.len().saturating_sub(1));
        table.0 += &format!("|---|{numbers}\n");
        table
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        let cells: Vec<&str> = cells.iter().map(S::as_ref).collect();
        self.0 += &format!("| {} |\n", cells.join(" | "));
    }

    /// A row of something that could not be measured, in a table of `columns` columns.
    pub(crate) fn skipped(&mut self, label: &str, why: &str, columns: usize) {
        let mut cells = vec![label.to_string(), format!("skipped: {why}")];
        cells.resize(columns, "–".into());
        self.row(&cells);
    }

    pub(crate) fn print(&self, headline: &str) {
        println!("{headline}\n\n{}", self.0);
    }
}

/// Three significant digits, in the unit that suits.
pub(crate) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    format!("{} {unit}", significant(value))
}

/// Three significant digits.
pub(crate) fn significant(value: f64) -> String {
    let magnitude = value.abs().max(1e-9).log10().floor() as i32;
    format!("{value:.*}", (2 - magnitude).clamp(0, 9) as usize)
}

/// A count such as of parameters: 1 k, 4 M, 100 M.
pub(crate) fn count(n: usize) -> String {
    let with = |unit: f64, name: &str| {
        let text = format!("{:.2}", n as f64 / unit);
        format!("{} {name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match n {
        1_000_000.. => with(1e6, "M"),
        1000.. => with(1e3, "k"),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(time(1.2345), "1.23 s");
        assert_eq!(time(0.0123), "12.3 ms");
        assert_eq!(time(123.4e-6), "123 µs");
        assert_eq!(time(5e-9), "5.00 ns");
        assert_eq!(significant(0.063_21), "0.0632");
        assert_eq!(count(1 << 22), "4.19 M");
        assert_eq!(count(100_000_000), "100 M");
        assert_eq!(count(1000), "1 k");
        assert_eq!(count(64), "64");
    }

    #[test]
    fn a_skipped_row_is_as_wide_as_the_others() {
        let mut table = Table::new(&["a", "b", "c"]);
        table.skipped("x", "it is not here", 3);
        assert_eq!(
            table.0,
            "| a | b | c |\n|---|---:|---:|\n| x | skipped: it is not here | – |\n"
        );
    }
}
