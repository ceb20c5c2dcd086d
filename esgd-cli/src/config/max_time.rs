//! How long a process may train: seconds as a number, or text such as `90s`, `30m`, `2h` or `1h30m`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const EXPECTED: &str =
    "seconds as a number, or text such as 90s, 30m, 2h or 1h30m, or \"\" for no limit";

/// A limit, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MaxTime(pub Option<Duration>);

impl MaxTime {
    /// No time at all is no limit.
    fn of_seconds(seconds: f64) -> Option<Self> {
        let time = Duration::try_from_secs_f64(seconds).ok()?;
        Some(Self((!time.is_zero()).then_some(time)))
    }

    /// Numbers, each with a unit; a number alone is of seconds.
    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self(None));
        }
        let mut seconds = 0.0;
        let mut rest = text;
        let mut above = f64::INFINITY;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, behind) = rest.split_at(end);
            let unit = behind.chars().next();
            let of = match unit {
                Some('h') => 3600.0,
                Some('m') => 60.0,
                Some('s') | None => 1.0,
                Some(_) => return None,
            };
            // Hours before minutes before seconds, each once.
            if of >= above || (unit.is_none() && number.len() < text.len()) {
                return None;
            }
            above = of;
            seconds += of * number.parse::<f64>().ok()?;
            rest = &behind[unit.map_or(0, char::len_utf8)..];
        }
        Self::of_seconds(seconds)
    }
}

/// In words: `1 h 30 min`.
pub(crate) fn words(time: Duration) -> String {
    let (seconds, part) = (time.as_secs(), f64::from(time.subsec_nanos()) / 1e9);
    let (h, min, s) = (seconds / 3600, seconds / 60 % 60, (seconds % 60) as f64 + part);
    let named = [(h as f64, "h"), (min as f64, "min"), (s, "s")];
    let parts = named.iter().filter(|(n, _)| *n > 0.0).map(|(n, unit)| format!("{n} {unit}"));
    parts.collect::<Vec<_>>().join(" ")
}

/// What [`MaxTime::of_text`] reads.
impl fmt::Display for MaxTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.map(words).unwrap_or_default();
        f.write_str(&words.replace(" min", "m").replace(' ', ""))
    }
}

impl Serialize for MaxTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MaxTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = MaxTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<MaxTime, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<MaxTime, E> {
        let refused = || E::invalid_value(de::Unexpected::Float(seconds), &EXPECTED);
        MaxTime::of_seconds(seconds).ok_or_else(refused)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<MaxTime, E> {
        let refused = || E::invalid_value(de::Unexpected::Str(text), &EXPECTED);
        MaxTime::of_text(text).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("30m", 1800.0),
            ("2h", 7200.0),
            ("1h30m", 5400.0),
            (" 1h0m1.5s ", 3601.5),
            ("45", 45.0),
        ] {
            let expected = Some(Duration::from_secs_f64(seconds));
            assert_eq!(MaxTime::of_text(text), Some(MaxTime(expected)), "{text}");
        }
        for text in ["", "0", "0s", " "] {
            assert_eq!(MaxTime::of_text(text), Some(MaxTime(None)), "{text:?} is no limit");
        }
        for text in [
            "soon",
            "2 h",
            "1m2h",
            "1m1m",
            "5x",
            "h",
            "-1s",
            "1e3s",
            "1h30",
            "..s",
            "inf",
            "²s",
            "9999999999999999999999h",
        ] {
            assert_eq!(MaxTime::of_text(text), None, "{text}");
        }
        assert_eq!(words(Duration::from_secs(5400)), "1 h 30 min");
        assert_eq!(words(Duration::from_millis(500)), "0.5 s");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in 0u64..10_000_000, nanos in 0u32..1_000_000_000, whole: bool) {
            let nanos = if whole { 0 } else { nanos / 1000 * 1000 };
            let time = Duration::new(seconds, nanos);
            let limit = MaxTime((!time.is_zero()).then_some(time));
            let back = MaxTime::of_text(&limit.to_string()).unwrap();
            let apart = back.0.unwrap_or_default().abs_diff(time);
            prop_assert!(apart < Duration::from_micros(1), "{limit}");
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = MaxTime::of_text(&text);
        }
    }
}
