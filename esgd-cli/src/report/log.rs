//! A run's log as a page needs it: its lines, checked to go forward, and whether the last is cut off.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use esgd_core::Phase;
use esgd_models::regular_file::{self, Links};

use super::texts::short;
use crate::{failure::Failure, run::log::Line};

/// The largest log, in bytes: what is read of one takes a few times that in memory.
const LARGEST: u64 = 1 << 29;

/// The lines of the log at `path`, and whether a last one is cut off.
pub fn read(path: &Path) -> Result<(Vec<Line>, bool), Failure> {
    let shown = path.display();
    let file = regular_file::open(path, Links::Refuse).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::Usage(format!(
            "cannot read {shown}: {e}; name the folder of a run, or of a comparison"
        )),
        _ => Failure::Failed(format!("cannot read {shown}: {e}")),
    })?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > LARGEST {
        return Err(Failure::Failed(format!(
            "{shown} has {size} bytes, and a report takes at most {LARGEST}: make one of a part of its lines, in another folder"
        )));
    }
    // A run that goes on may write meanwhile.
    parse(path, BufReader::new(file.take(LARGEST)))
}

/// The same of what `text` gives.
pub fn parse(path: &Path, mut text: impl BufRead) -> Result<(Vec<Line>, bool), Failure> {
    let mut lines: Vec<Line> = vec![];
    let mut bytes = vec![];
    loop {
        let wrong = |why: &str| {
            Failure::Failed(format!("{}, line {}, {why}", path.display(), lines.len() + 1))
        };
        bytes.clear();
        let read = text.read_until(b'\n', &mut bytes);
        if read.map_err(|e| wrong(&format!("cannot be read: {e}")))? == 0 {
            return Ok((lines, false));
        }
        let line = match serde_json::from_slice::<Line>(&bytes) {
            Ok(line) => line,
            // A run that goes on, or was cut off, may not have written all of its last line.
            Err(_) if !lines.is_empty() && !bytes.ends_with(b"\n") => return Ok((lines, true)),
            Err(e) => {
                let why = short(&e.to_string(), 200);
                return Err(wrong(&format!("is no report of a run: {why}")));
            }
        };
        if let Some(why) = out_of_order(&line, lines.last()) {
            return Err(wrong(&format!("{why}: the log is damaged, so there is no report")));
        }
        lines.push(line);
    }
}

/// What is wrong with a line, after the one before.
fn out_of_order(now: &Line, before: Option<&Line>) -> Option<String> {
    if !now.seconds.is_finite() || now.seconds < 0.0 {
        return Some(format!("has {} seconds, expected a number from 0 on", now.seconds));
    }
    let before = before?;
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
        let parsed = parse(Path::new("metrics.jsonl"), text.as_bytes());
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
