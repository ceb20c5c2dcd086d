//! A run that was refused or stopped before anything was saved leaves no folder behind.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use esgd_models::regular_file;

use super::RunFolder;
use crate::{
    files::{atomic_file, lock},
    run::{checkpoint, log, tensorboard},
};

/// The folders that a new run has to make, as they are looked for before it does.
#[derive(Debug)]
pub struct Missing {
    /// From the innermost outwards.
    folders: Vec<PathBuf>,
    /// Whether the run's own will be the next free one.
    counted: bool,
}

impl Missing {
    /// Of the folder that was asked for, or else of `runs`.
    pub fn of(asked: Option<&Path>) -> Self {
        let way = asked.unwrap_or(Path::new("runs")).ancestors();
        let named = way.filter(|path| !path.as_os_str().is_empty());
        let folders = named.filter(|path| fs::symlink_metadata(path).is_err()).map(Into::into);
        Self { folders: folders.collect(), counted: asked.is_none() }
    }
}

impl RunFolder {
    /// Gives up the folder of a run that this process began, if no checkpoint is in it: removes what it
    /// wrote there, and of the folders that were missing before those that are empty now.
    pub fn abandon(self, missing: &Missing) {
        // What cannot be removed stays, and the run's failure is what there is to say.
        let _ = self.remove_all(missing);
    }

    fn remove_all(&self, missing: &Missing) -> io::Result<()> {
        self.held.check()?;
        let checkpoints = self.path().join(checkpoint::DIR);
        if regular_file::is_folder(&checkpoints) {
            let files: Vec<_> = fs::read_dir(&checkpoints)?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?;
            // Networks that no manifest names are left where the disk was full.
            if !files.iter().all(|path| is_network(path) || is_left_over(path)) {
                return Ok(());
            }
            files.iter().try_for_each(fs::remove_file)?;
            fs::remove_dir(checkpoints)?;
        }
        let left_over = fs::read_dir(self.path())?.filter_map(|entry| Some(entry.ok()?.path()));
        let left_over = left_over.filter(|path| is_left_over(path));
        let events = self.path().join(tensorboard::DIR);
        let written = ["config.toml", log::NAME].map(|name| self.path().join(name));
        let written = written.into_iter().filter(|path| self.wrote(path));
        let others = [self.path().join(lock::NAME), events.join(tensorboard::FILE)];
        let others = others.into_iter().chain(left_over);
        let others = others.filter(|path| regular_file::is_there(path));
        for path in written.chain(others) {
            fs::remove_file(path)?;
        }
        // A folder with something else in it cannot be removed, and need not be.
        let _ = fs::remove_dir(events);
        if missing.counted {
            fs::remove_dir(self.path())?;
        }
        missing.folders.iter().try_for_each(fs::remove_dir)
    }
}

fn is_left_over(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(atomic_file::is_left_over)
}

fn is_network(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    regular_file::is_there(path) && name.is_some_and(checkpoint::is_network)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that began in a folder within another, both new.
    fn begun(dir: &Path) -> (RunFolder, Missing) {
        let path = dir.join("new/run");
        let missing = Missing::of(Some(&path));
        let folder = RunFolder::create(Some(&path), "run").unwrap();
        folder.write("config.toml", b"seed = 1").unwrap();
        folder.log(None).unwrap();
        fs::create_dir(path.join("checkpoints")).unwrap();
        (folder, missing)
    }

    #[test]
    fn what_was_made_for_nothing_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, missing) = begun(dir.path());
        folder.write(&format!("checkpoints/{}.safetensors", "a1".repeat(32)), b"").unwrap();
        folder.write(".esgd-x1y2z3.part", b"").unwrap();
        fs::create_dir(folder.path().join("tensorboard")).unwrap();
        folder.write("tensorboard/events.out.tfevents.esgd", b"").unwrap();
        folder.abandon(&missing);
        assert!(!dir.path().join("new").exists());
    }

    #[test]
    fn what_others_put_there_stays_and_so_do_folders_that_were_there() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, missing) = begun(dir.path());
        let run = folder.path().to_owned();
        fs::write(run.join("notes.txt"), "mine").unwrap();
        folder.abandon(&missing);
        let left: Vec<_> = fs::read_dir(&run).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.txt"]);

        // A file that was put in the place of the run's, and a folder in the place of its own.
        let other = dir.path().join("other");
        let (folder, missing) = begun(&other);
        let run = folder.path().to_owned();
        fs::rename(run.join("config.toml"), run.join("aside")).unwrap();
        fs::write(run.join("config.toml"), "mine = 1").unwrap();
        folder.abandon(&missing);
        assert_eq!(fs::read_to_string(run.join("config.toml")).unwrap(), "mine = 1");
        let (folder, missing) = begun(&dir.path().join("third"));
        let run = folder.path().to_owned();
        fs::rename(&run, dir.path().join("moved")).unwrap();
        fs::create_dir(&run).unwrap();
        folder.abandon(&missing);
        assert!(run.is_dir() && dir.path().join("moved/config.toml").is_file());

        let (there, missing) = (dir.path().join("there"), Missing::of(Some(dir.path())));
        fs::create_dir(&there).unwrap();
        let folder = RunFolder::create(Some(&there), "run").unwrap();
        folder.abandon(&missing);
        assert_eq!(fs::read_dir(&there).unwrap().count(), 0);
    }

    #[test]
    fn a_checkpoint_or_a_file_among_them_keeps_the_folder_as_it_is() {
        for name in ["000001.json", "model.safetensors", "notes.txt"] {
            let dir = tempfile::tempdir().unwrap();
            let (folder, missing) = begun(dir.path());
            let run = folder.path().to_owned();
            fs::write(run.join("checkpoints").join(name), "").unwrap();
            folder.abandon(&missing);
            assert!(run.join("checkpoints").join(name).is_file(), "{name}");
            assert!(run.join("config.toml").is_file(), "{name}");
        }
    }
}
