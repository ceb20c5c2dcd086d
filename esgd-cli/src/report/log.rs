//! A run's log as a page needs it: its lines, checked to go forward, and whether the last is cut off.

use std::path::Path;

use esgd_core::Phase;

use crate::{failure::Failure, metrics::Line};

/// The lines of the log at `path`, whose content is `text`, and whether a last one is cut off.
pub fn parse(path: &Path, text: &str) -> Result<(Vec<Line>, bool), Failure> {
    let mut lines = vec![];
    let mut cut = false;
    let n = text.lines().count();
    for (i, line) in text.lines().enumerate() {
        match serde_json::from_str::<Line>(line) {
            Ok(line) => lines.push(line),
            // A run that goes on, or was cut off, may not have written all of its last line.
            Err(_) if i > 0 && i + 1 == n && !text.ends_with('\n') => cut = true,
            Err(e) => {
                return Err(Failure::Failed(format!(
                    "{}, line {}, is no report of a run: {e}",
                    path.display(),
                    i + 1
                )));
            }
        }
    }
    for i in 0..lines.len() {
        if let Some(why) = out_of_order(&lines[..=i]) {
            return Err(Failure::Failed(format!(
                "{}, line {}, {why}: the log is damaged, so there is no report",
                path.display(),
                i + 1
            )));
        }
    }
    Ok((lines, cut))
}

/// What is wrong with the last line, after those before.
fn out_of_order(lines: &[Line]) -> Option<String> {
    let (now, before) = lines.split_last()?;
    if !now.seconds.is_finite() || now.seconds < 0.0 {
        return Some(format!("has {} seconds, expected a number from 0 on", now.seconds));
    }
    let before = before.last()?;
    if now.seconds < before.seconds {
        return Some(format!(
            "has {} seconds, expected no fewer than the {} of the line before",
            now.seconds, before.seconds
        ));
    }
    let (k, last) = (now.report.generation, before.report.generation);
    let follows = match now.report.phase {
        Phase::Start => false,
        Phase::Generation => k > last && before.report.phase != Phase::FineTune,
        Phase::FineTune => k >= last && before.report.phase != Phase::FineTune,
    };
    (!follows).then(|| format!("has generation {k}, which does not follow generation {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn read(text: &str) -> Result<(usize, bool), String> {
        let parsed = parse(Path::new("metrics.jsonl"), text);
        parsed.map(|(lines, cut)| (lines.len(), cut)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_line_that_is_cut_off_is_left_out_and_told() {
        let whole = [example::line(0, 0.0, "[]"), example::line(1, 2.0, "[]")].concat();
        assert_eq!(read(&whole), Ok((2, false)));
        assert_eq!(read(&whole[..whole.len() - 5]), Ok((1, true)));
    }

    #[test]
    fn a_log_goes_forward() {
        let log = |second: (usize, f64)| {
            [example::line(4, 1.0, "[]"), example::line(second.0, second.1, "[]")].concat()
        };
        assert_eq!(read(&log((5, 1.0))), Ok((2, false)));
        let error = |second| read(&log(second)).unwrap_err();
        let same = error((4, 2.0));
        assert!(same.contains("metrics.jsonl, line 2, has generation 4"), "{same}");
        assert!(error((3, 2.0)).contains("does not follow generation 4"));
        assert!(error((5, 0.5)).contains("has 0.5 seconds"));
        assert!(error((5, -1.0)).contains("has -1 seconds, expected a number from 0 on"));
    }
}
