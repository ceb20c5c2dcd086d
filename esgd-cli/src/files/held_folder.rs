//! A folder that must stay where it is while it is written to: one that was moved, with another in its place,
//! has the same path and is not the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder, and which one it is.
#[derive(Debug)]
pub(crate) struct HeldFolder {
    path: PathBuf,
    id: Option<Identity>,
}

/// What a folder or file keeps when it is moved: the numbers of its device and itself.
pub(crate) type Identity = (u64, u64);

impl HeldFolder {
    /// The folder that is at `path` now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.into(), id: identity(path)? })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses another folder in its place.
    pub(crate) fn check(&self) -> io::Result<()> {
        let moved = || {
            io::Error::other(format!(
                "the folder {} was moved or replaced while it was in use",
                self.path.display()
            ))
        };
        match identity(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(moved()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(moved()),
            Err(e) => Err(e),
        }
    }
}

/// Which folder or file is at `path` now, where systems tell.
#[cfg(unix)]
pub(crate) fn identity(path: &Path) -> io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|metadata| Some((metadata.dev(), metadata.ino())))
}

/// Elsewhere folders that are in use cannot be moved.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> io::Result<Option<Identity>> {
    fs::metadata(path).map(|_| None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn another_folder_of_the_same_path_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        fs::create_dir(&here).unwrap();
        let held = HeldFolder::of(&here).unwrap();
        held.check().unwrap();
        fs::rename(&here, &there).unwrap();
        assert!(held.check().unwrap_err().to_string().contains("was moved"));
        fs::create_dir(&here).unwrap();
        assert!(held.check().unwrap_err().to_string().contains("was moved"));
    }
}
