//! Finding the checkpoint to go on from: the newest that is whole.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use esgd_models::regular_file;

use super::{manifest::Manifest, store};
use crate::{
    failure::Failure,
    files::atomic_file,
    run::{log, unfit::Unfit},
};

/// The folder of checkpoints in a run's.
pub(crate) const DIR: &str = "checkpoints";

/// A checkpoint that is whole, and what else is there.
#[derive(Debug)]
pub struct Found {
    pub(crate) number: u64,
    pub(crate) manifest: Manifest,
    /// Those that are whole, oldest first.
    pub(crate) manifests: Vec<Whole>,
    /// The number of the next.
    pub(crate) next: u64,
    /// What is wrong with newer ones, and with older ones.
    pub(crate) damaged: Vec<String>,
    pub(crate) older_damaged: Vec<String>,
}

/// A checkpoint that is whole.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub number: u64,
    /// The files that it names.
    pub files: HashSet<String>,
}

impl Whole {
    pub(crate) fn of(number: u64, manifest: &Manifest) -> Self {
        Self { number, files: manifest.files() }
    }
}

/// Removes what was written here and does not belong to these, of which a program that died may have left
/// some. Where no manifest says that this is a folder of checkpoints, everything may be somebody else's.
pub(super) fn tidy(dir: &Path, manifests: &[Whole]) -> io::Result<()> {
    if manifests.is_empty() {
        return Ok(());
    }
    let mut wanted = HashSet::new();
    for Whole { number, files, .. } in manifests {
        wanted.insert(path(dir, *number));
        wanted.extend(files.iter().map(|name| store::path(dir, name)));
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let unwanted = is_ours(&path) && entry.file_type()?.is_file() && !wanted.contains(&path);
        if unwanted && is_as_we_write(dir, &path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Whether a name is one that checkpoints have.
pub(crate) fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    number(path).is_some() || store::is_name(name) || atomic_file::is_left_over(name)
}

/// Whether a file is what its name says: somebody may have given another that name.
fn is_as_we_write(dir: &Path, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name.strip_suffix(".safetensors") {
        Some(sum) => store::check(dir, sum).is_ok(),
        None => number(path).is_none() || Manifest::is_one(path),
    }
}

/// Whether there are checkpoints in a run's folder, whole or not.
pub(crate) fn are_in(run: &Path) -> bool {
    let dir = run.join(DIR);
    let entries = || fs::read_dir(&dir).ok();
    let has = |entry: fs::DirEntry| number(&entry.path()).is_some();
    regular_file::is_folder(&dir) && entries().into_iter().flatten().filter_map(Result::ok).any(has)
}

/// Where a manifest of this number is.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.json"))
}

/// The newest checkpoint of a run that is whole. `None` if there never was one.
///
/// # Errors
/// That there are some and none is whole, or that one cannot be read now or not by this version.
pub fn search(run: &Path) -> Result<Option<Found>, Failure> {
    let (dir, log) = (run.join(DIR), run.join(log::NAME));
    let list = || {
        if fs::symlink_metadata(&dir)?.is_symlink() {
            return Err(io::Error::other("it is a link: expected a folder"));
        }
        fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()
    };
    let paths = match list() {
        Ok(paths) => paths,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // What cannot be listed is not the same as what is not there.
        Err(e) => return Err(Failure::Failed(format!("cannot read {}: {e}", dir.display()))),
    };
    let mut numbers: Vec<u64> = paths.iter().filter_map(|path| number(path)).collect();
    numbers.sort_unstable();
    let mut found: Option<Found> = None;
    let mut damaged = vec![];
    for &number in numbers.iter().rev() {
        let read = || {
            let manifest = Manifest::read(&path(&dir, number))?;
            manifest.check(&dir, &log).map(|()| manifest)
        };
        match (read(), &mut found) {
            (Ok(manifest), Some(found)) => {
                found.manifests.insert(0, Whole::of(number, &manifest));
            }
            (Ok(manifest), None) => {
                let manifests = vec![Whole::of(number, &manifest)];
                let next = numbers.last().map_or(1, |last| last + 1);
                let damaged = std::mem::take(&mut damaged);
                let older_damaged = vec![];
                found = Some(Found { number, manifest, manifests, next, damaged, older_damaged });
            }
            // It may be whole, and would be removed for older ones.
            (Err(Unfit::Unreadable(why)), _) => {
                return Err(Failure::Failed(format!(
                    "{}: {why}; when that is mended, go on as before",
                    path(&dir, number).display()
                )));
            }
            (Err(Unfit::Damaged(why)), found) => {
                let list = found.as_mut().map_or(&mut damaged, |found| &mut found.older_damaged);
                list.push(format!("{}: {why}", path(&dir, number).display()));
            }
        }
    }
    match (found, damaged.first()) {
        (None, Some(first)) => Err(Failure::Failed(format!(
            "no checkpoint in {} is whole, so the run cannot go on: {first}",
            dir.display()
        ))),
        (found, _) => Ok(found),
    }
}

/// The number of a manifest with this path. The last number has no next.
fn number(at: &Path) -> Option<u64> {
    let name = at.file_name()?.to_str()?.strip_suffix(".json")?;
    let number = name.parse().ok().filter(|n| (1..u64::MAX).contains(n))?;
    (at == path(at.parent()?, number)).then_some(number)
}
