//! What a measurement was made on, and when.

use std::{process::Command, time::SystemTime};

/// The GPU as its driver's tool describes it, and the date.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a log says on which day it was made")]
pub fn describe() -> String {
    let query = "--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem";
    let output = Command::new("nvidia-smi").args([query, "--format=csv,noheader"]).output();
    let gpu = match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().replace('\n', "; ")
        }
        _ => "unknown (`nvidia-smi` does not say)".into(),
    };
    format!("GPU: {gpu}\nDate: {}\n", date(SystemTime::now()))
}

/// The day in UTC, as in 2018-12-03.
fn date(now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // Days to a civil date: years of 365.2425 days that begin in March.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * era + year + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_known_from_the_calendar() {
        let at = |seconds| date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(951_782_400), "2000-02-29");
        assert_eq!(at(951_868_800), "2000-03-01");
        assert_eq!(at(1_543_795_200), "2018-12-03");
    }
}
