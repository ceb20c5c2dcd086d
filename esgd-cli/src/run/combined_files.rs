//! The files of `esgd combine` in a run's folder. `combined.json` tells which of them an earlier one wrote; all
//! others are somebody else's and stay.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::Path,
};

use esgd_models::regular_file::{self, Links};
use serde_json::Value;

use crate::{
    failure::Failure,
    files::atomic_file,
    run::folder::{MOST, RunFolder},
};

/// What was chosen, and which files there are.
const LIST: &str = "combined.json";
/// The averaged network.
pub(crate) const SOUP: &str = "soup.safetensors";
/// The folder of those whose probabilities are averaged.
const ENSEMBLE: &str = "ensemble";

/// The files of an earlier `esgd combine` in a folder.
#[derive(Debug)]
pub(crate) struct CombinedFiles<'a> {
    folder: &'a RunFolder,
    earlier: BTreeSet<String>,
}

impl<'a> CombinedFiles<'a> {
    /// Reads what an earlier one left, and refuses a folder where something of others is in the way.
    pub(crate) fn of(folder: &'a RunFolder) -> Result<Self, Failure> {
        let run = folder.path();
        let earlier = match regular_file::read(&run.join(LIST), MOST, Links::Refuse) {
            Ok(text) => listed(&text).ok_or_else(|| in_the_way(&run.join(LIST)))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(e) => {
                let shown = run.join(LIST);
                return Err(Failure::Usage(format!("cannot read {}: {e}", shown.display())));
            }
        };
        let this = Self { folder, earlier };
        this.check(SOUP)?;
        let dir = run.join(ENSEMBLE);
        match fs::symlink_metadata(&dir) {
            Ok(metadata) if !metadata.is_dir() => return Err(in_the_way(&dir)),
            Ok(_) => {}
            Err(_) => return Ok(this),
        }
        let cannot = |e| Failure::Failed(format!("cannot read {}: {e}", dir.display()));
        for entry in fs::read_dir(&dir).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name().to_string_lossy().into_owned();
            if !atomic_file::is_left_over(&name) {
                this.check(&format!("{ENSEMBLE}/{name}"))?;
            }
        }
        Ok(this)
    }

    /// Refuses a file that is there and was not written by an earlier one.
    fn check(&self, name: &str) -> Result<(), Failure> {
        let path = self.folder.path().join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata)
                if !metadata.is_file() || !self.earlier.contains(name) || !is_network(&path) =>
            {
                Err(in_the_way(&path))
            }
            _ => Ok(()),
        }
    }

    /// Writes the list, and then the files: a program that dies between leaves none that is not listed.
    pub(crate) fn write(
        self,
        list: &[u8],
        soup: &[u8],
        ensemble: impl Iterator<Item = Result<Vec<u8>, Failure>>,
    ) -> Result<(), Failure> {
        for name in &self.earlier {
            self.folder.remove(name)?;
        }
        self.folder.write(LIST, list)?;
        self.folder.write(SOUP, soup)?;
        let dir = self.folder.path().join(ENSEMBLE);
        atomic_file::create_folders(&dir).map_err(|e| {
            Failure::Failed(format!("cannot make the folder {}: {e}", dir.display()))
        })?;
        for (n, network) in (1..).zip(ensemble) {
            self.folder.write(&member(n), &network?)?;
        }
        Ok(())
    }
}

fn member(n: u64) -> String {
    format!("{ENSEMBLE}/{n}.safetensors")
}

/// The files that a list names, if it is one.
fn listed(text: &[u8]) -> Option<BTreeSet<String>> {
    let list: Value = serde_json::from_slice(text).ok()?;
    list.get("soup")?.get("members")?;
    // It may have been changed: no run has a population of a million.
    let networks = list.get("ensemble")?.get("networks")?.as_u64().filter(|n| *n < 1 << 20)?;
    Some((1..=networks).map(member).chain([SOUP.to_owned()]).collect())
}

/// Whether a file begins as a network's does: eight bytes of a length, and a table.
fn is_network(path: &Path) -> bool {
    let mut begin = [0; 9];
    let read = regular_file::open(path, Links::Refuse).and_then(|mut f| f.read_exact(&mut begin));
    read.is_ok() && begin[8] == b'{'
}

fn in_the_way(path: &Path) -> Failure {
    Failure::Usage(format!(
        "{} was not written by `esgd combine`: move it away, so that it is not overwritten",
        path.display()
    ))
}
