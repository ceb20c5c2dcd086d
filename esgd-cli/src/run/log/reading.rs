//! Reading a log: the lines that are whole, in order, and what stands behind them.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use esgd_core::Phase;
use esgd_models::regular_file::{self, Links};
use thiserror::Error;

use super::Line;

/// A log that was read.
#[derive(Debug, Default)]
pub struct Log {
    /// Those that are whole, in order.
    pub lines: Vec<Line>,
    /// Bytes of these lines.
    pub bytes: u64,
    /// A last line without its end: of a run that goes on, or that was cut off.
    pub cut: Vec<u8>,
}

/// Why a log cannot be read. Lines count from 1.
#[derive(Debug, Error)]
pub enum LogError {
    /// It cannot be opened.
    #[error("{0}")]
    Open(io::Error),
    /// It has more bytes than are read of one.
    #[error("it has {size} bytes: expected at most {most}")]
    TooLarge {
        /// In bytes.
        size: u64,
        /// In bytes.
        most: u64,
    },
    /// It could be opened.
    #[error("line {line} cannot be read: {error}")]
    Read {
        /// Its number.
        line: usize,
        /// Why not.
        error: io::Error,
    },
    /// A line is no report of a run.
    #[error("line {line}: {why}")]
    NoReport {
        /// Its number.
        line: usize,
        /// Why not.
        why: String,
    },
    /// A line does not follow the one before.
    #[error("line {line} {why}")]
    OutOfOrder {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a log of at most so many bytes. Links are refused.
///
/// # Errors
/// That it cannot be opened or read, is too large, or has a whole line that is no report or out of order.
pub fn read(path: &Path, most: u64) -> Result<Log, LogError> {
    let file = regular_file::open(path, Links::Refuse).map_err(LogError::Open)?;
    let size = file.metadata().map_err(LogError::Open)?.len();
    if size > most {
        return Err(LogError::TooLarge { size, most });
    }
    // A run that goes on may write meanwhile.
    parse(BufReader::new(file.take(most)))
}

/// The same of what `text` gives.
pub(crate) fn parse(mut text: impl BufRead) -> Result<Log, LogError> {
    let mut log = Log::default();
    let mut bytes = vec![];
    loop {
        let line = log.lines.len() + 1;
        bytes.clear();
        text.read_until(b'\n', &mut bytes).map_err(|error| LogError::Read { line, error })?;
        if !bytes.ends_with(b"\n") {
            log.cut = bytes;
            return Ok(log);
        }
        let no_report = |e: serde_json::Error| LogError::NoReport { line, why: e.to_string() };
        let read: Line = serde_json::from_slice(&bytes).map_err(no_report)?;
        if let Some(why) = out_of_order(&read, log.lines.last()) {
            return Err(LogError::OutOfOrder { line, why });
        }
        log.bytes += bytes.len() as u64;
        log.lines.push(read);
    }
}

/// What is wrong with a line after the one before: a log goes forward, whatever part of a run it is of.
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

    fn line(generation: usize, seconds: f64) -> String {
        let phase = if generation == 0 { "start" } else { "generation" };
        format!(
            "{{\"seconds\":{seconds},\"phase\":\"{phase}\",\"generation\":{generation},\"best\":0.5,\"elite_mean\":0.5,\"elite\":[0.5],\"elite_offspring\":0,\"m\":1,\"individuals\":[],\"effort\":{{\"epochs\":0,\"backed_off\":0,\"offspring\":0}}}}\n"
        )
    }

    fn log(text: &str) -> Result<(usize, u64, usize), String> {
        let log = parse(text.as_bytes()).map_err(|e| e.to_string())?;
        Ok((log.lines.len(), log.bytes, log.cut.len()))
    }

    #[test]
    fn a_line_without_its_end_is_left_out_and_told() {
        let (first, second) = (line(0, 0.0), line(1, 2.0));
        let whole = [first.clone(), second.clone()].concat();
        assert_eq!(log(&whole), Ok((2, whole.len() as u64, 0)));
        let cut = &whole[..whole.len() - 5];
        assert_eq!(log(cut), Ok((1, first.len() as u64, second.len() - 5)));
        assert_eq!(log(""), Ok((0, 0, 0)));
    }

    #[test]
    fn a_log_goes_forward() {
        let behind = |k, seconds| log(&[line(4, 1.0), line(k, seconds)].concat());
        assert!(behind(5, 1.0).is_ok() && behind(7, 1.5).is_ok());
        let error = |k, seconds| behind(k, seconds).unwrap_err();
        assert_eq!(error(4, 2.0), "line 2 has generation 4, which does not follow generation 4");
        assert!(error(3, 2.0).contains("does not follow generation 4"));
        assert!(error(5, 0.5).contains("has 0.5 seconds"));
        assert!(error(5, -1.0).contains("has -1 seconds, expected a number from 0 on"));
        assert!(log("nonsense\n").unwrap_err().starts_with("line 1: "));
    }

    #[test]
    fn no_more_is_read_than_was_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(super::super::NAME);
        std::fs::write(&path, line(0, 0.0)).unwrap();
        let size = line(0, 0.0).len() as u64;
        assert_eq!(read(&path, size).unwrap().lines.len(), 1);
        let error = read(&path, size - 1).unwrap_err().to_string();
        assert_eq!(error, format!("it has {size} bytes: expected at most {}", size - 1));
    }
}
