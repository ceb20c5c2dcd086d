//! The folder of a comparison.

use std::path::Path;

use crate::{
    failure::Failure,
    files::{
        atomic_file,
        held_folder::HeldFolder,
        lock::Lock,
        own_file::{self, Kind},
    },
};

/// What a comparison comes to.
pub(super) const JSON: (&str, Kind) = ("comparison.json", Kind::Json);
pub(super) const MARKDOWN: (&str, Kind) = ("table.md", Kind::Markdown);
pub(super) const CSV: (&str, Kind) = ("table.csv", Kind::Csv);

/// The folder of a comparison, locked as long as this lives.
#[derive(Debug)]
pub struct Folder {
    pub(crate) held: HeldFolder,
    _lock: Lock,
}

impl Folder {
    /// Locks a folder, which is made if it is not there. Files of others in the places of results are
    /// refused now, and not after all has run.
    ///
    /// # Errors
    /// That it cannot be made, is in use, or has files of others.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        atomic_file::create_folders(path)
            .map_err(|e| Failure::Failed(format!("cannot make the folder {shown}: {e}")))?;
        let lock = Lock::take(path)?;
        let held = HeldFolder::of(path)
            .map_err(|e| Failure::Failed(format!("cannot use {shown}: {e}")))?;
        for (name, kind) in [JSON, MARKDOWN, CSV] {
            own_file::check(&path.join(name), kind)?;
        }
        Ok(Self { held, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.held.path()
    }

    /// Writes one of the results.
    pub(crate) fn write(&self, (name, kind): (&str, Kind), text: &str) -> Result<(), Failure> {
        own_file::write(&self.path().join(name), text.as_bytes(), kind)
    }
}
