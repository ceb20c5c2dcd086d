//! A run's folder: `config.toml`, `metrics.jsonl`, `checkpoints`, `best.safetensors`, `run.json`, and the
//! `lock` of whoever writes them; and what `esgd combine` made of it.

mod abandon;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    atomic_file, checkpoint,
    failure::Failure,
    lock::{self, Lock},
    metrics::{Line, Metrics},
};

pub use abandon::Missing;

/// The folder of one run, locked.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

impl RunFolder {
    /// A new folder: the one named, if it is new or empty, or the next free `runs/NAME-N`.
    pub fn create(asked: Option<&Path>, name: &str) -> Result<Self, Failure> {
        let Some(path) = asked else { return Self::next_free(Path::new("runs"), name) };
        let shown = path.display();
        match fs::create_dir_all(path).and_then(|()| fs::read_dir(path)) {
            Ok(_) => {}
            Err(e) if path.exists() => {
                return Err(Failure::Usage(format!(
                    "{shown} cannot be a run's folder: {e}; name another with --out"
                )));
            }
            Err(e) => return Err(Failure::Failed(format!("cannot make the folder {shown}: {e}"))),
        }
        let occupied = || {
            let entries = fs::read_dir(path).into_iter().flatten();
            let ours = |name: &str| name == lock::NAME || atomic_file::is_left_over(name);
            let foreign = |entry: fs::DirEntry| !entry.file_name().to_str().is_some_and(ours);
            entries.filter_map(Result::ok).any(foreign)
        };
        let refused = || match path.join(checkpoint::DIR).is_dir() {
            true => Failure::Usage(format!(
                "the folder {shown} has a run in it: go on with that by `esgd resume {shown}`, or name a new folder with --out"
            )),
            false => Failure::Usage(format!(
                "the folder {shown} is not empty: name a new one with --out, so that nothing is overwritten"
            )),
        };
        if occupied() && !path.join(lock::NAME).exists() {
            return Err(refused());
        }
        let lock = Lock::take(path)?;
        // Another may have made a run here and ended, meanwhile.
        if occupied() {
            return Err(refused());
        }
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// The folder of a run that is there.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if !path.join("config.toml").is_file() && !path.join(checkpoint::DIR).is_dir() {
            return Err(Failure::Usage(format!(
                "{} has no run in it: name the folder of a run that `esgd train` made",
                path.display()
            )));
        }
        Ok(Self { path: path.into(), _lock: Lock::take(path)? })
    }

    /// `create_dir` fails where the folder exists, so two runs never get the same one.
    fn next_free(parent: &Path, name: &str) -> Result<Self, Failure> {
        let cannot = |e: io::Error| {
            Failure::Failed(format!(
                "cannot make a folder for the run in {}: {e}; name one with --out",
                parent.display()
            ))
        };
        fs::create_dir_all(parent).map_err(cannot)?;
        for n in 1.. {
            let path = parent.join(format!("{name}-{n}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = Lock::take(&path)?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(cannot(e)),
            }
        }
        Err(cannot(io::ErrorKind::AlreadyExists.into()))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all: beside, synced, renamed.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), Failure> {
        atomic_file::write(&self.path.join(name), contents)
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(Failure::Failed(format!("cannot remove {}: {e}", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// Writes a value as JSON.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|e| Failure::Failed(format!("cannot write {name}: {e}")))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Where the log of metrics is.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The log so far.
    pub fn lines(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.metrics()).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Begins the log of metrics.
    pub fn new_metrics(&self) -> Result<Metrics, Failure> {
        let path = self.metrics();
        Metrics::create(&path)
            .map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))
    }
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
        fs::create_dir(path.join(checkpoint::DIR)).unwrap();
        assert!(refused().contains("`esgd resume"), "{}", refused());
        let file = RunFolder::create(Some(&path.join("a")), "digits").unwrap_err().to_string();
        assert!(file.contains("cannot be a run's folder"), "{file}");
    }
}
