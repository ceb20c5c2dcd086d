//! One run's folder, one writer. The system frees the lock when the process that holds it dies.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
    process,
};

use sysinfo::System;

use crate::failure::Failure;

/// The file that is locked; it says who holds it.
pub const NAME: &str = "lock";

/// A folder's lock, held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`.
    pub fn take(folder: &Path) -> Result<Self, Failure> {
        let shown = folder.display();
        let cannot = |e: io::Error| Failure::Failed(format!("cannot lock {shown}: {e}"));
        // Not truncated: if it is held, it says by whom.
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(folder.join(NAME)).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder, &mut file)),
            Err(TryLockError::Error(e)) => return Err(cannot(e)),
        }
        let host = System::host_name().unwrap_or_else(|| "this machine".into());
        let name = format!("process {} on {host}\n", process::id());
        file.set_len(0).and_then(|()| file.rewind()).map_err(cannot)?;
        file.write_all(name.as_bytes()).map_err(cannot)?;
        Ok(Self { _file: file })
    }

    /// Refuses a folder that somebody writes to, without writing to it.
    pub fn check(folder: &Path) -> Result<(), Failure> {
        let Ok(mut file) = File::open(folder.join(NAME)) else { return Ok(()) };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(in_use(folder, &mut file)),
            // A system without such locks has none that could be held.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }
}

fn in_use(folder: &Path, file: &mut File) -> Failure {
    let mut holder = String::new();
    let read = file.read_to_string(&mut holder);
    let holder = match read {
        Ok(_) if !holder.trim().is_empty() => holder.trim(),
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
}
