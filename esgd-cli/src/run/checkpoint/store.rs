//! Networks and optimizer states as files that are named by what is in them: SHA.safetensors. Nothing is
//! written twice, and a file that was changed no longer has its name.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use esgd_core::Portable;
use esgd_models::regular_file::{self, Links};
use thiserror::Error;

use super::written::Written;
use crate::{
    files::{atomic_file, sha256},
    run::unfit::Unfit,
};

/// A folder of such files.
#[derive(Debug)]
pub(super) struct Store<G> {
    dir: PathBuf,
    /// What is known to be there whole.
    known: HashSet<String>,
    /// What of that is of networks in memory.
    written: Written<G>,
}

/// Why a network or a state is not there.
#[derive(Debug, Error)]
pub(super) enum PutError<E: std::error::Error> {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Problem(E),
}

impl<G> Store<G> {
    /// The store in `dir`, of which `known` was found to be whole.
    pub(super) fn new(dir: &Path, known: HashSet<String>) -> Self {
        Self { dir: dir.into(), known, written: Written::new() }
    }

    /// Writes what is not there yet; gives its name.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<String> {
        let name = sha256::of(bytes);
        if !self.known.contains(&name) {
            atomic_file::put(&path(&self.dir, &name), bytes)?;
            self.known.insert(name.clone());
        }
        Ok(name)
    }

    /// Writes a network that is not there yet; gives its name.
    pub(super) fn put_network<P: Portable<Genome = G>>(
        &mut self,
        problem: &P,
        theta: &Arc<G>,
    ) -> Result<String, PutError<P::Error>> {
        if let Some(name) = self.written.name(theta) {
            return Ok(name.to_owned());
        }
        let name = self.put(&problem.write_genome(theta).map_err(PutError::Problem)?)?;
        self.written.add(theta, &name);
        Ok(name)
    }

    /// Removes all but these.
    pub(super) fn retain(&mut self, wanted: &HashSet<&String>) -> io::Result<()> {
        self.written.retain(wanted);
        let unwanted: Vec<_> =
            self.known.iter().filter(|name| !wanted.contains(name)).cloned().collect();
        for name in unwanted {
            match fs::remove_file(path(&self.dir, &name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => self.known.remove(&name),
            };
        }
        Ok(())
    }
}

/// Where a file of this name is.
pub(super) fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.safetensors"))
}

/// Reads a file of at most so many bytes, and whether it is the one that its name says.
pub(super) fn get(dir: &Path, name: &str, most: u64) -> Result<Vec<u8>, Unfit> {
    let path = path(dir, name);
    let bytes = regular_file::read(&path, most, Links::Refuse)
        .map_err(|e| Unfit::of(&e, format!("cannot read {}: {e}", path.display())))?;
    if sha256::of(&bytes) == name { Ok(bytes) } else { Err(damaged(&path)) }
}

/// The same without keeping it in memory.
pub(super) fn check(dir: &Path, name: &str) -> Result<(), Unfit> {
    let path = path(dir, name);
    let cannot = |e: io::Error| Unfit::of(&e, format!("cannot read {}: {e}", path.display()));
    let file = regular_file::open(&path, Links::Refuse).map_err(cannot)?;
    let (hash, _) = sha256::read(file).map_err(cannot)?;
    if sha256::hex(hash) == name { Ok(()) } else { Err(damaged(&path)) }
}

fn damaged(path: &Path) -> Unfit {
    Unfit::Damaged(format!("{} is damaged: its checksum is another", path.display()))
}

/// Whether a file may be one of a store's, by its name.
pub(crate) fn is_name(name: &str) -> bool {
    let digits = name.strip_suffix(".safetensors").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
