//! A run's folder: `config.toml`, `metrics.jsonl`, `best.safetensors`, `run.json`.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{atomic_file, failure::Failure};

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new folder: the one named, if it is new or empty, or the next free `runs/NAME-N`.
    pub fn create(asked: Option<&Path>, name: &str) -> Result<Self, Failure> {
        let Some(path) = asked else { return Self::next_free(Path::new("runs"), name) };
        let shown = path.display();
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                return Err(Failure::Usage(format!(
                    "the folder {shown} is not empty: name a new one with --out, so that no run is overwritten"
                )));
            }
            Err(e) if path.exists() => {
                return Err(Failure::Usage(format!(
                    "{shown} cannot be a run's folder: {e}; name another with --out"
                )));
            }
            _ => fs::create_dir_all(path)
                .map_err(|e| Failure::Failed(format!("cannot make the folder {shown}: {e}")))?,
        }
        Ok(Self { path: path.into() })
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
                Ok(()) => return Ok(Self { path }),
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
        let write = || -> io::Result<()> {
            let mut file = atomic_file::beside(&self.path)?;
            file.write_all(contents)?;
            file.as_file().sync_all()?;
            file.persist(self.path.join(name))?;
            Ok(())
        };
        write().map_err(|e| {
            Failure::Failed(format!("cannot write {}: {e}", self.path.join(name).display()))
        })
    }

    /// Writes a value as JSON.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|e| Failure::Failed(format!("cannot write {name}: {e}")))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Opens the log of metrics.
    pub fn metrics(&self) -> Result<File, Failure> {
        let path = self.path.join("metrics.jsonl");
        File::create(&path)
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
        assert!(RunFolder::create(Some(one.path()), "digits").is_ok(), "empty is as good as new");
        one.write("a", b"first").unwrap();
        one.write("a", b"second").unwrap();
        assert_eq!(fs::read(one.path().join("a")).unwrap(), b"second");
        let refused = RunFolder::create(Some(one.path()), "digits").unwrap_err().to_string();
        assert!(refused.contains("is not empty"), "{refused}");
        let file =
            RunFolder::create(Some(&one.path().join("a")), "digits").unwrap_err().to_string();
        assert!(file.contains("cannot be a run's folder"), "{file}");
    }
}
