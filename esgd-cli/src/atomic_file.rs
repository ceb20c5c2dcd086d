//! Files that are written whole or not at all: beside their place, synced, renamed.

use std::{
    io::{self, Write},
    path::Path,
};

use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;

const PREFIX: &str = ".esgd-";
const SUFFIX: &str = ".part";

/// Whether a file of this name was left by a program that died while it wrote.
pub fn is_left_over(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// A temporary file in `dir`, readable for whoever new files are readable for; `persist` renames it to
/// its place, and without that it is removed.
pub fn beside(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // A temporary file is its owner's alone otherwise, and stays so when it is renamed.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes a file whole or not at all: beside, synced, renamed.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = beside(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_they_may_read_of_any_new_file() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        beside(dir.path()).unwrap().persist(&ours).unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
        drop(beside(dir.path()).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
