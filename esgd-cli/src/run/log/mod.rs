//! `metrics.jsonl`: a line for each phase of a run, and how much of it a checkpoint vouches for.

mod reading;
mod writer;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use esgd_core::Report;
use esgd_models::regular_file::{self, Links};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    failure::Failure,
    files::{atomic_file, sha256},
    run::unfit::Unfit,
};

#[cfg(test)]
pub(crate) use reading::parse;
pub use reading::{Log, LogError, read};
pub(crate) use writer::Writer;

/// The log's name in a run's folder.
pub(crate) const NAME: &str = "metrics.jsonl";

/// More than a log that can be read can have.
pub(crate) const MOST: u64 = 1 << 30;

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
    /// What happened in the phase, and the population after it.
    pub report: Report,
}

/// A log up to some line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extent {
    pub bytes: u64,
    pub sha256: String,
}

/// The log that is written.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
    bytes: u64,
    hash: Sha256,
    /// What could not be written yet.
    waiting: Vec<u8>,
    /// Whether the last write failed somewhere in the middle.
    torn: bool,
    /// Why a line could not be made at all.
    unwritable: Option<String>,
}

impl Metrics {
    fn on(path: &Path, file: File, bytes: u64, hash: Sha256) -> Self {
        Self {
            path: path.into(),
            file,
            bytes,
            hash,
            waiting: vec![],
            torn: false,
            unwritable: None,
        }
    }

    /// A new log, or one that is gone on with behind what a checkpoint has of it.
    pub(crate) fn open(path: &Path, extent: Option<&Extent>) -> Result<Self, Failure> {
        let made = match extent {
            None => Self::create(path).map_err(|e| format!("cannot write {}: {e}", path.display())),
            Some(extent) => Self::reopen(path, extent),
        };
        made.map_err(Failure::Failed)
    }

    /// A new log. One that is there may be of a start that was cut short, and is nothing else.
    fn create(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = regular_file::open_with(path, &mut options, Links::Refuse)?;
        let mut before = vec![];
        (&mut file).take(MOST).read_to_end(&mut before)?;
        let mut lines = before.split_inclusive(|b| *b == b'\n');
        if !lines.all(|line| is_cut(line) || serde_json::from_slice::<Line>(line).is_ok()) {
            let why =
                "it is not a log that this program wrote: move it away, or name another folder";
            return Err(io::Error::other(why));
        }
        if !before.is_empty() {
            atomic_file::put(path, b"")?;
            file = regular_file::open_with(path, &mut options, Links::Refuse)?;
        }
        atomic_file::sync_folder(atomic_file::folder_of(path))?;
        Ok(Self::on(path, file, 0, Sha256::new()))
    }

    /// A log that is gone on with behind `extent`; what is there behind it is dropped.
    fn reopen(path: &Path, extent: &Extent) -> Result<Self, String> {
        let cannot = |e: io::Error| format!("cannot write {}: {e}", path.display());
        let (mut file, mut hash) = prefix(path, extent, true).map_err(|e| e.to_string())?;
        if is_shared(&file).map_err(cannot)? {
            // A copy of the folder that was made of hard links keeps the log as it was.
            let log = regular_file::read(path, MOST, Links::Refuse).map_err(cannot)?;
            atomic_file::put(path, &log).map_err(cannot)?;
            (file, hash) = prefix(path, extent, true).map_err(|e| e.to_string())?;
        }
        let cut = file.set_len(extent.bytes).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(cannot)?;
        Ok(Self::on(path, file, extent.bytes, hash))
    }

    /// Adds a line. One that cannot be written waits for the next, or for [`extent`](Self::extent), which
    /// tells what is wrong if it still is.
    pub(crate) fn add(&mut self, seconds: f64, report: &Report) {
        match serde_json::to_vec(&NewLine { seconds, report }) {
            Ok(line) => {
                self.waiting.extend(line);
                self.waiting.push(b'\n');
            }
            Err(error) => self.unwritable = Some(error.to_string()),
        }
        let _ = self.write();
    }

    /// Writes what waits, whole or not at all.
    fn write(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if self.torn {
            // Half of a line would stand before the next.
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::Start(self.bytes))?;
        }
        self.torn = true;
        self.file.write_all(&self.waiting)?;
        self.torn = false;
        self.bytes += self.waiting.len() as u64;
        self.hash.update(&self.waiting);
        self.waiting.clear();
        Ok(())
    }

    /// How much is written and on the disk: all that was added.
    pub(crate) fn extent(&mut self) -> Result<Extent, String> {
        let synced = self.write().and_then(|()| self.file.sync_data()).map_err(|e| e.to_string());
        let sound = synced.and_then(|()| self.unwritable.clone().map_or(Ok(()), Err));
        sound.map_err(|e| format!("cannot write {}: {e}", self.path.display()))?;
        Ok(Extent { bytes: self.bytes, sha256: sha256::hex(self.hash.clone()) })
    }
}

/// Whether a line is the beginning of one of ours, which a program that died has left.
pub(crate) fn is_cut(line: &[u8]) -> bool {
    const BEGIN: &[u8] = b"{\"seconds\":";
    let begun = line.len().min(BEGIN.len());
    !line.ends_with(b"\n") && line[..begun] == BEGIN[..begun]
}

/// Whether a file has other names too, by which what is written to it is seen.
fn is_shared(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() > 1)
    }
    #[cfg(not(unix))]
    {
        file.metadata().map(|_| false)
    }
}

/// Whether a log begins as a checkpoint says.
pub(crate) fn check(path: &Path, extent: &Extent) -> Result<(), Unfit> {
    prefix(path, extent, false).map(|_| ())
}

fn prefix(path: &Path, extent: &Extent, write: bool) -> Result<(File, Sha256), Unfit> {
    let cannot = |e: io::Error| Unfit::of(&e, format!("cannot read {}: {e}", path.display()));
    let mut options = File::options();
    let mut file = regular_file::open_with(path, options.read(true).write(write), Links::Refuse)
        .map_err(cannot)?;
    let (hash, read) = sha256::read((&mut file).take(extent.bytes)).map_err(cannot)?;
    if read < extent.bytes || sha256::hex(hash.clone()) != extent.sha256 {
        return Err(Unfit::Damaged(format!("{} was changed since", path.display())));
    }
    Ok((file, hash))
}
