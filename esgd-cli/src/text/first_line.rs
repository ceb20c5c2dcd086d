//! What an error says in one line: candle puts a backtrace behind its first.

use std::fmt::Display;

/// The first line of what `error` says.
pub(crate) fn first_line(error: &impl Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_left_out() {
        assert_eq!(first_line(&"shapes differ\n   0: candle_core::…"), "shapes differ");
        assert_eq!(first_line(&""), "");
    }
}
