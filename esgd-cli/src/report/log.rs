//! What is said of a log that a page cannot be made of.

use std::{io, path::Path};

use super::texts::short;
use crate::{
    failure::Failure,
    run::log::{self, Line, Log, LogError},
};

/// The largest log, in bytes: what is read of one takes a few times that in memory.
const LARGEST: u64 = 1 << 29;

/// The log at `path`.
pub(super) fn read(path: &Path) -> Result<Log, Failure> {
    log::read(path, LARGEST).and_then(begun).map_err(|error| {
        let shown = path.display();
        let wrong = |line, why: &str| Failure::Failed(format!("{shown}, line {line}, {why}"));
        match error {
            LogError::Open(e) => match e.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::Usage(format!(
                    "cannot read {shown}: {e}; name the folder of a run, or of a comparison"
                )),
                _ => Failure::Failed(format!("cannot read {shown}: {e}")),
            },
            LogError::TooLarge { size, most } => Failure::Failed(format!(
                "{shown} has {size} bytes, and a report takes at most {most}: make one of a part of its lines, in another folder"
            )),
            LogError::Read { line, error } => wrong(line, &format!("cannot be read: {error}")),
            LogError::NoReport { line, why } => {
                wrong(line, &format!("is no report of a run: {}", short(&why, 200)))
            }
            LogError::OutOfOrder { line, why } => {
                wrong(line, &format!("{why}: the log is damaged, so there is no report"))
            }
        }
    })
}

/// A log of a cut line alone has nothing to show that it is one.
fn begun(log: Log) -> Result<Log, LogError> {
    match serde_json::from_slice::<Line>(&log.cut) {
        Err(e) if log.lines.is_empty() && !log.cut.is_empty() => {
            Err(LogError::NoReport { line: 1, why: e.to_string() })
        }
        _ => Ok(log),
    }
}
