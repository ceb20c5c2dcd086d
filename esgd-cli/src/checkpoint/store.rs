//! Networks and optimizer states as files that are named by what is in them: SHA.safetensors. Nothing is
//! written twice, and a file that was changed no longer has its name.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::manifest::Unfit;
use crate::{atomic_file, sha256};

/// A folder of such files.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// What is known to be there whole.
    known: HashSet<String>,
}

impl Store {
    /// The store in `dir`, of which `known` was found to be whole.
    pub fn new(dir: &Path, known: HashSet<String>) -> Self {
        Self { dir: dir.into(), known }
    }

    /// Writes what is not there yet; gives its name.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<String> {
        let name = sha256::of(bytes);
        if !self.known.contains(&name) {
            let mut file = atomic_file::beside(&self.dir)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path(&self.dir, &name))?;
            self.known.insert(name.clone());
        }
        Ok(name)
    }

    /// Removes all but these.
    pub fn retain(&mut self, wanted: &HashSet<&String>) -> io::Result<()> {
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
pub fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.safetensors"))
}

/// Reads a file, and whether it is the one that its name says.
pub fn get(dir: &Path, name: &str) -> Result<Vec<u8>, Unfit> {
    let path = path(dir, name);
    let cannot = |e: io::Error| Unfit::of(&e, format!("cannot read {}: {e}", path.display()));
    let bytes = fs::read(&path).map_err(cannot)?;
    match sha256::of(&bytes) == name {
        true => Ok(bytes),
        false => {
            let shown = path.display();
            Err(Unfit::Damaged(format!("{shown} is damaged: its checksum is another")))
        }
    }
}
