//! Files that are written whole or not at all: beside their place, synced, renamed. What stands in that place
//! and is no regular file, such as a link, is somebody else's and stays.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use esgd_models::regular_file;
use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;

const PREFIX: &str = ".esgd-";
const SUFFIX: &str = ".part";

/// Whether a file of this name was left by a program that died while it wrote.
pub(crate) fn is_left_over(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    random.is_some_and(|random| {
        random.len() == 6 && random.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// A temporary file in `dir`, readable for whoever new files are readable for; `persist` renames it to
/// its place, and without that it is removed.
pub(crate) fn beside(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(6);
    // A temporary file is its owner's alone otherwise, and stays so when it is renamed.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes a file whole or not at all, which lasts.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let written = put(path, contents).and_then(|()| sync_folder(folder_of(path)));
    written.map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))
}

/// Writes a file whole or not at all, which lasts from when its folder is synced.
pub(crate) fn put(path: &Path, contents: &[u8]) -> io::Result<()> {
    refuse_others(path)?;
    let mut file = beside(folder_of(path))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Refuses a place in which something stands that is no regular file.
fn refuse_others(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => regular_file::check(metadata.file_type()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Makes a folder, and those that it is in, which last.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if parent != path {
        create_folders(parent)?;
    }
    match fs::create_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(e),
        Ok(()) => sync_folder(parent),
    }
}

/// Makes what was created, renamed or removed in a folder last.
pub(crate) fn sync_folder(dir: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened.
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn others_may_read_what_they_may_read_of_any_new_file() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        beside(dir.path()).unwrap().persist(&ours).unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
        drop(beside(dir.path()).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_regular_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("theirs"), b"important").unwrap();
        symlink(path("theirs"), path("link")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        for name in ["link", "folder"] {
            let refused = write(&path(name), b"ours").unwrap_err().to_string();
            assert!(refused.contains("expected a regular file"), "{refused}");
        }
        assert_eq!(fs::read(path("theirs")).unwrap(), b"important");
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        write(&path("theirs"), b"ours").unwrap();
        assert_eq!(fs::read(path("theirs")).unwrap(), b"ours");
    }

    #[test]
    fn left_overs_have_the_names_that_are_given_here() {
        let dir = tempfile::tempdir().unwrap();
        let file = beside(dir.path()).unwrap();
        assert!(is_left_over(file.path().file_name().unwrap().to_str().unwrap()));
        for name in [".esgd-notes.part", ".esgd-.part", "x.part", ".esgd-../../x.part"] {
            assert!(!is_left_over(name), "{name}");
        }
    }

    #[test]
    fn folders_are_made_where_there_are_none() {
        let dir = tempfile::tempdir().unwrap();
        create_folders(&dir.path().join("a/b/c")).unwrap();
        create_folders(&dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/file"), b"").unwrap();
        create_folders(&dir.path().join("a/file")).unwrap_err();
        create_folders(&dir.path().join("a/file/b")).unwrap_err();
        assert_eq!(folder_of(Path::new("x")), Path::new("."));
    }
}
