//! A run's folder: `config.toml`, `metrics.jsonl`, `checkpoints`, `best.safetensors`, `run.json`, and the
//! `lock` of whoever writes them; and what `esgd combine` made of it.

mod abandon;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use esgd_models::regular_file::{self, Links};

use crate::{
    config::{Config, Described},
    failure::Failure,
    files::{
        atomic_file,
        held_folder::{HeldFolder, Identity, identity},
        lock::{self, Lock},
    },
    run::{
        checkpoint::{self, Found},
        log::{self, Line, Metrics},
    },
};

pub(crate) use abandon::Missing;

/// More than the files of a run that are no network and no log can have.
pub(crate) const MOST: u64 = 64 << 20;

/// The folder of one run, locked.
#[derive(Debug)]
pub struct RunFolder {
    held: HeldFolder,
    _lock: Lock,
    /// The files that were written here, which may have been exchanged since.
    written: Mutex<BTreeMap<PathBuf, Option<Identity>>>,
}

impl RunFolder {
    /// A new folder: the one named, if it is new or empty, or the next free `runs/NAME-N`.
    ///
    /// # Errors
    /// That something is in the one named, that it is in use, or that none can be made.
    pub fn create(asked: Option<&Path>, name: &str) -> Result<Self, Failure> {
        let Some(path) = asked else { return Self::next_free(Path::new("runs"), name) };
        let shown = path.display();
        match atomic_file::create_folders(path).and_then(|()| fs::read_dir(path)) {
            Ok(_) => {}
            Err(e) if path.exists() => {
                return Err(Failure::Usage(format!(
                    "{shown} cannot be a run's folder: {e}; name another with --out"
                )));
            }
            Err(e) => return Err(Failure::Failed(format!("cannot make the folder {shown}: {e}"))),
        }
        let refused = || match is_run(path) {
            true => Failure::Usage(format!(
                "the folder {shown} has a run in it: go on with that by `esgd resume {shown}`, or name a new folder with --out"
            )),
            false => Failure::Usage(format!(
                "the folder {shown} is not empty: name a new one with --out, so that nothing is overwritten"
            )),
        };
        if is_occupied(path) && !regular_file::is_there(&path.join(lock::NAME)) {
            return Err(refused());
        }
        let folder = Self::locked(path)?;
        // Another may have made a run here and ended, meanwhile.
        if is_occupied(path) {
            return Err(refused());
        }
        Ok(folder)
    }

    /// The folder of a run that is there.
    ///
    /// # Errors
    /// That there is no run in it, or that it is in use.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if !is_run(path) && !is_of_session(path) && !checkpoint::are_in(path) {
            return Err(Failure::Usage(format!(
                "{} has no run in it: name the folder of a run that `esgd train` made",
                path.display()
            )));
        }
        Self::locked(path)
    }

    /// A folder that is made if it is not there, whatever is in it.
    pub fn at(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        atomic_file::create_folders(path)
            .map_err(|e| Failure::Failed(format!("cannot make the folder {shown}: {e}")))?;
        Self::locked(path)
    }

    fn locked(path: &Path) -> Result<Self, Failure> {
        let cannot = |e| Failure::Failed(format!("cannot lock {}: {e}", path.display()));
        let held = HeldFolder::of(path).map_err(cannot)?;
        let lock = Lock::take(path)?;
        held.check().map_err(cannot)?;
        Ok(Self { held, _lock: lock, written: Mutex::default() })
    }

    /// `create_dir` fails where the folder exists, so two runs never get the same one.
    fn next_free(parent: &Path, name: &str) -> Result<Self, Failure> {
        let cannot = |e: io::Error| {
            Failure::Failed(format!(
                "cannot make a folder for the run in {}: {e}; name one with --out",
                parent.display()
            ))
        };
        atomic_file::create_folders(parent).map_err(cannot)?;
        for n in 1.. {
            let path = parent.join(format!("{name}-{n}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    atomic_file::sync_folder(parent).map_err(cannot)?;
                    return Self::locked(&path);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(cannot(e)),
            }
        }
        Err(cannot(io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.held.path()
    }

    /// Writes a file whole or not at all: beside, synced, renamed.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> Result<(), Failure> {
        let path = self.path().join(name);
        let cannot = |e| Failure::Failed(format!("cannot write {}: {e}", path.display()));
        self.held.check().map_err(cannot)?;
        atomic_file::write(&path, contents)?;
        self.note(path);
        Ok(())
    }

    /// Remembers which file was written.
    fn note(&self, path: PathBuf) {
        if let Ok(id) = identity(&path) {
            self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(path, id);
        }
    }

    /// Whether a file is the one that was written here.
    fn wrote(&self, path: &Path) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let now = identity(path).ok();
        regular_file::is_there(path) && written.get(path).is_some_and(|id| now == Some(*id))
    }

    /// Refuses another folder in the place of this one, and what is no regular file in the places of files
    /// that a run leaves.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let refused = |path: &Path, e: io::Error| {
            Failure::Usage(format!("cannot go on in {}: {e}", path.display()))
        };
        self.held.check().map_err(|e| refused(self.path(), e))?;
        for name in ["config.toml", log::NAME, "best.safetensors", "run.json"] {
            let path = self.path().join(name);
            match fs::symlink_metadata(&path) {
                Ok(metadata) => {
                    regular_file::check(metadata.file_type()).map_err(|e| refused(&path, e))?;
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(refused(&path, e)),
            }
        }
        Ok(())
    }

    /// Removes a regular file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.path().join(name);
        let cannot = |e| Failure::Failed(format!("cannot remove {}: {e}", path.display()));
        self.held.check().map_err(cannot)?;
        match fs::symlink_metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(cannot(e)),
            Ok(metadata) => regular_file::check(metadata.file_type())
                .and_then(|()| fs::remove_file(&path))
                .and_then(|()| atomic_file::sync_folder(atomic_file::folder_of(&path)))
                .map_err(cannot),
        }
    }

    /// Where the log of metrics is.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.path().join(log::NAME)
    }

    /// The log so far.
    pub(crate) fn lines(&self) -> Result<Vec<Line>, Failure> {
        let path = self.metrics();
        let cannot = |e| Failure::Failed(format!("cannot read {}: {e}", path.display()));
        Ok(log::read(&path, log::MOST).map_err(cannot)?.lines)
    }

    /// The log of metrics, to be begun, or gone on with behind what a checkpoint has of it.
    pub(crate) fn log(&self, found: Option<&Found>) -> Result<Metrics, Failure> {
        let path = self.metrics();
        let metrics = Metrics::open(&path, found.map(|found| &found.manifest.metrics))?;
        if found.is_none() {
            self.note(path);
        }
        Ok(metrics)
    }
}

/// Whether a run has begun in a folder: its config is one that a run left.
pub(crate) fn is_run(path: &Path) -> bool {
    config(path).is_some_and(|text| Config::is_of_run(&text))
}

/// The same of a run whose problem the program does not know.
pub(crate) fn is_of_session(path: &Path) -> bool {
    config(path).is_some_and(|text| Described::is_one(&text))
}

fn config(path: &Path) -> Option<Vec<u8>> {
    regular_file::read(&path.join("config.toml"), MOST, Links::Refuse).ok()
}

/// Whether there is something in a folder besides the lock and left-overs of ours.
pub(crate) fn is_occupied(path: &Path) -> bool {
    let entries = fs::read_dir(path).into_iter().flatten();
    let ours = |name: &str| name == lock::NAME || atomic_file::is_left_over(name);
    let foreign = |entry: fs::DirEntry| !entry.file_name().to_str().is_some_and(ours);
    entries.filter_map(Result::ok).any(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_and_free_ones_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let one = RunFolder::next_free(dir.path(), "digits").unwrap();
        let two = RunFolder::next_free(dir.path(), "digits").unwrap();
        assert!(one.path().ends_with("digits-1") && two.path().ends_with("digits-2"));
        let in_use = RunFolder::create(Some(one.path()), "digits").unwrap_err().to_string();
        assert!(in_use.contains("is in use by process"), "{in_use}");
        let path = one.path().to_owned();
        drop(one);
        let one = RunFolder::create(Some(&path), "digits").expect("empty is as good as new");
        one.write("a", b"first").unwrap();
        one.write("a", b"second").unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"second");
        drop(one);
        let refused = || RunFolder::create(Some(&path), "digits").unwrap_err().to_string();
        assert!(refused().contains("is not empty"), "{}", refused());
        // Folders and configs of others are no reason to advise `esgd resume`.
        fs::create_dir(path.join(checkpoint::DIR)).unwrap();
        fs::write(path.join("config.toml"), b"seed = 7").unwrap();
        assert!(refused().contains("is not empty"), "{}", refused());
        assert!(RunFolder::open(&path).unwrap_err().to_string().contains("has no run in it"));
        let config = Config::of(&crate::config::Sources::default(), 0).unwrap().to_toml().unwrap();
        fs::write(path.join("config.toml"), config).unwrap();
        assert!(refused().contains("`esgd resume"), "{}", refused());
        let file = RunFolder::create(Some(&path.join("a")), "digits").unwrap_err().to_string();
        assert!(file.contains("cannot be a run's folder"), "{file}");
    }
}
