//! `metrics.jsonl`: a line for each phase of a run, and how much of it a checkpoint vouches for.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use esgd_core::Report;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sha256;

/// A phase of a run.
#[derive(Serialize)]
struct NewLine<'a> {
    seconds: f64,
    #[serde(flatten)]
    report: &'a Report,
}

/// The same, read.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// Seconds of the run, without those in which it was interrupted.
    pub seconds: f64,
    #[serde(flatten)]
    pub report: Report,
}

/// A log up to some line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    pub bytes: u64,
    pub sha256: String,
}

/// The log that is written.
#[derive(Debug)]
pub struct Metrics {
    path: PathBuf,
    file: File,
    bytes: u64,
    hash: Sha256,
    failed: Option<io::Error>,
}

impl Metrics {
    /// A new log.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { path: path.into(), file, bytes: 0, hash: Sha256::new(), failed: None })
    }

    /// A log that is gone on with behind `extent`; what is there behind it is dropped.
    pub fn reopen(path: &Path, extent: &Extent) -> Result<Self, String> {
        let (mut file, hash) = prefix(path, extent, true)?;
        let cut = file.set_len(extent.bytes).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        Ok(Self { path: path.into(), file, bytes: extent.bytes, hash, failed: None })
    }

    /// Adds a line. What goes wrong is told by [`extent`](Self::extent).
    pub fn add(&mut self, seconds: f64, report: &Report) {
        let line = serde_json::to_vec(&NewLine { seconds, report }).map_err(io::Error::from);
        let written = line.and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)?;
            self.bytes += line.len() as u64;
            self.hash.update(&line);
            Ok(())
        });
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    /// How much is written and on the disk.
    pub fn extent(&mut self) -> Result<Extent, String> {
        let synced = match self.failed.take() {
            Some(error) => Err(error),
            None => self.file.sync_data(),
        };
        synced.map_err(|e| format!("cannot write {}: {e}", self.path.display()))?;
        Ok(Extent { bytes: self.bytes, sha256: sha256::hex(self.hash.clone()) })
    }
}

/// Whether a log begins as a checkpoint says.
pub fn check(path: &Path, extent: &Extent) -> Result<(), String> {
    prefix(path, extent, false).map(|_| ())
}

fn prefix(path: &Path, extent: &Extent, write: bool) -> Result<(File, Sha256), String> {
    let cannot = |e: io::Error| format!("cannot read {}: {e}", path.display());
    let mut file = File::options().read(true).write(write).open(path).map_err(cannot)?;
    let (hash, read) = sha256::read((&mut file).take(extent.bytes)).map_err(cannot)?;
    if read < extent.bytes || sha256::hex(hash.clone()) != extent.sha256 {
        return Err(format!("{} was changed since", path.display()));
    }
    Ok((file, hash))
}
