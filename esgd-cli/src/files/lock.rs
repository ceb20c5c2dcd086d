//! One run's folder, one writer. The system frees the lock when the process that holds it dies.
//!
//! The folder itself is locked, where a system can do that, so that neither removing the file `lock` nor moving
//! the folder lets a second writer in; and the file, which says who holds it.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
    process, thread,
    time::Duration,
};

use esgd_models::regular_file::{self, Links};
use sysinfo::System;

use crate::failure::Failure;

/// The file that is locked; it says who holds it.
pub(crate) const NAME: &str = "lock";

/// More than a line of the file `lock` can have.
const MOST: u64 = 1024;

/// A folder's lock, held as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: Option<File>,
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`.
    pub(crate) fn take(folder: &Path) -> Result<Self, Failure> {
        let shown = folder.display();
        let cannot = |e: io::Error| Failure::Failed(format!("cannot lock {shown}: {e}"));
        let opened = open_folder(folder).map_err(cannot)?;
        let whole = match opened.as_ref().map(lock) {
            Some(Err(TryLockError::WouldBlock)) => return Err(in_use(folder)),
            // A system that locks no folders locks files.
            Some(Err(TryLockError::Error(_))) | None => None,
            Some(Ok(())) => opened,
        };
        // Not truncated: if it is held, it says by whom; and it may be somebody else's file.
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let path = folder.join(NAME);
        let fault =
            |e: io::Error| Failure::Failed(format!("cannot lock {shown}: {}: {e}", path.display()));
        let mut file =
            regular_file::open_with(&path, &mut options, Links::Refuse).map_err(fault)?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder)),
            Err(TryLockError::Error(e)) => return Err(cannot(e)),
        }
        let mut before = vec![];
        (&mut file).take(MOST).read_to_end(&mut before).map_err(fault)?;
        if !(before.is_empty() || before.starts_with(b"process ") && before.len() < MOST as usize) {
            return Err(Failure::Usage(format!(
                "{} is not a lock that this program wrote: move it away, or name another folder",
                path.display()
            )));
        }
        let host = System::host_name().unwrap_or_else(|| "this machine".into());
        let name = format!("process {} on {host}\n", process::id());
        file.set_len(0).and_then(|()| file.rewind()).map_err(fault)?;
        file.write_all(name.as_bytes()).map_err(fault)?;
        Ok(Self { _folder: whole, _file: file })
    }

    /// Refuses a folder that somebody writes to, without writing to it.
    pub(crate) fn check(folder: &Path) -> Result<(), Failure> {
        let file = regular_file::open(&folder.join(NAME), Links::Refuse).ok();
        let locked = [open_folder(folder).ok().flatten(), file];
        for held in locked.iter().flatten() {
            // A system without such locks has none that could be held.
            if let Err(TryLockError::WouldBlock) = held.try_lock_shared() {
                return Err(in_use(folder));
            }
        }
        Ok(())
    }
}

/// A folder to lock, where folders can be opened.
fn open_folder(folder: &Path) -> io::Result<Option<File>> {
    // A pipe would be waited for.
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    if cfg!(unix) { File::open(folder).map(Some) } else { Ok(None) }
}

/// Whether somebody else holds a lock, and goes on holding it: whoever only looks has it for an instant.
fn lock(file: &File) -> Result<(), TryLockError> {
    let mut tried = file.try_lock();
    for _ in 0..20 {
        if !matches!(tried, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        tried = file.try_lock();
    }
    tried
}

fn in_use(folder: &Path) -> Failure {
    let holder = regular_file::read_text(&folder.join(NAME), MOST, Links::Refuse);
    let holder = match &holder {
        Ok(holder) if !holder.trim().is_empty() => holder.trim(),
        _ => "another process",
    };
    let shown = folder.display();
    Failure::Usage(format!(
        "{shown} is in use by {holder}: wait until that has ended, or name another folder"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let refused = Lock::take(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", process::id())), "{refused}");
        let checked = Lock::check(dir.path()).unwrap_err().to_string();
        assert_eq!(checked, refused);
        drop(lock);
        Lock::check(dir.path()).unwrap();
        Lock::take(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn neither_removing_the_file_nor_moving_the_folder_frees_it() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        fs::create_dir(&here).unwrap();
        let _lock = Lock::take(&here).unwrap();
        fs::remove_file(here.join(NAME)).unwrap();
        assert!(Lock::take(&here).unwrap_err().to_string().contains("is in use"));
        assert!(Lock::check(&here).unwrap_err().to_string().contains("is in use"));
        fs::rename(&here, &there).unwrap();
        assert!(Lock::take(&there).unwrap_err().to_string().contains("is in use"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_lock_of_ours_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, lock) = (dir.path().join("theirs"), dir.path().join(NAME));
        fs::write(&theirs, b"important").unwrap();
        for make in [
            |a: &Path, b: &Path| std::os::unix::fs::symlink(a, b),
            |a: &Path, b: &Path| fs::hard_link(a, b),
        ] {
            make(&theirs, &lock).unwrap();
            let refused = Lock::take(dir.path()).unwrap_err().to_string();
            assert!(refused.contains("lock"), "{refused}");
            assert_eq!(fs::read(&theirs).unwrap(), b"important");
            fs::remove_file(&lock).unwrap();
        }
    }
}
