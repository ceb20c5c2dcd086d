//! Numbers as they are read: bytes, times, large counts.

/// A number of bytes to read.
pub(super) fn size(bytes: u64) -> String {
    match bytes as f64 {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} kB", b / 1e3),
    }
}

/// A time to read.
pub(super) fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 100.0 => format!("{:.0} s", seconds.max(1.0)),
        0..100 => format!("{minutes} min"),
        100..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days {} h", minutes / 1440, minutes / 60 % 24),
    }
}

/// A large number to read.
pub(super) fn count(n: f64) -> String {
    let (factor, name) =
        [(1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
            .into_iter()
            .find(|(factor, _)| n >= *factor)
            .unwrap_or((1.0, ""));
    format!("{:.1} {name}", n / factor).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(21_474_836_480), "21.5 GB");
        assert_eq!(count(269_722.0), "269.7 k");
        assert_eq!(count(3.2e15), "3.2 P");
        assert_eq!(count(7.0), "7.0");
        let times = [0.2, 99.0, 600.0, 9.0 * 3600.0 + 240.0, 50.0 * 3600.0];
        assert_eq!(times.map(duration), ["1 s", "99 s", "10 min", "9 h 4 min", "2 days 2 h"]);
    }
}
