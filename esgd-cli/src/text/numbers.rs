//! Numbers in sentences: with their noun, and with commas between thousands.

/// `1 epoch`, `2,700 epochs`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
}

/// With commas between thousands.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many decimals; or a power of ten, where digits would fill the line.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".into(),
        size if size >= 1e9 => format!("{value:.2e}"),
        _ => format!("{value:.digits$}"),
    }
}

/// The same with a sign in any case.
pub(crate) fn signed(value: f64, digits: usize) -> String {
    let sign = if value.is_finite() && !value.is_sign_negative() { "+" } else { "" };
    format!("{sign}{}", fixed(value, digits))
}

/// A time, with a decimal where it is short.
pub(crate) fn seconds(t: f64) -> String {
    match t {
        t if t < 0.05 => "less than 0.1 s".into(),
        t if t < 10.0 => format!("{t:.1} s"),
        t => format!("{} s", thousands(t.round() as u64)),
    }
}

/// `1st`, `2nd`, `15th`.
pub(crate) fn ordinal(n: usize) -> String {
    let end = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{end}", thousands(n as u64))
}

/// A minus sign instead of a hyphen, in a cell that is a number.
pub(crate) fn with_minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "epoch", "epochs"), "1 epoch");
        assert_eq!(count(2_700_000, "pass", "passes"), "2,700,000 passes");
        assert_eq!([100, 1000].map(thousands), ["100", "1,000"]);
        assert_eq!([0.01, 2.36, 1234.4].map(seconds), ["less than 0.1 s", "2.4 s", "1,234 s"]);
        assert_eq!([1, 2, 12, 15, 103].map(ordinal), ["1st", "2nd", "12th", "15th", "103rd"]);
        assert_eq!([0.25, 1e308, f64::NAN].map(|v| fixed(v, 3)), ["0.250", "1.00e308", "–"]);
        assert_eq!([0.25, -1e10, f64::INFINITY].map(|v| signed(v, 1)), ["+0.2", "-1.00e10", "–"]);
        assert_eq!(with_minus("-0.2 ± 0.1"), "−0.2 ± 0.1");
    }
}
