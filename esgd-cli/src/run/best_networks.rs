//! The best networks of a run as files: `best/1.safetensors`, the best one, and so on.
//!
//! `run.json` lists them before they are written, so whatever is in the folder and not in the list is
//! somebody else's.

use std::{fs, io, path::Path, sync::Arc};

use esgd_core::{Fitness, Population};
use esgd_models::{
    Genome, OptimizerState,
    regular_file::{self, Links},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    files::atomic_file,
    run::folder::{MOST, RunFolder},
};

/// The folder in a run's.
const DIR: &str = "best";

/// A file with a network, as `run.json` lists it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    pub file: String,
    pub id: String,
    pub fitness: Fitness,
}

/// The best networks that there are, best first.
pub(crate) struct BestNetworks {
    pub list: Vec<Listed>,
    networks: Vec<Arc<Genome>>,
}

impl BestNetworks {
    /// So many of the archive, or else of the population.
    pub(crate) fn of(population: &Population<Genome, OptimizerState>, keep: usize) -> Self {
        let archived = population.archived();
        let archived = archived.iter().map(|entry| (entry.id, &entry.scored));
        let last = population.individuals().iter().map(|one| (one.id(), one.scored()));
        let best = archived.chain(last.filter(|_| population.archived().is_empty())).take(keep);
        let (list, networks) = (1..)
            .zip(best)
            .map(|(n, (id, scored))| {
                let (id, fitness) = (id.to_string(), scored.fitness());
                (Listed { file: file(n), id, fitness }, scored.shared())
            })
            .unzip();
        Self { list, networks }
    }

    /// Each network, with its file.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Listed, &Genome)> {
        self.list.iter().zip(self.networks.iter().map(AsRef::as_ref))
    }

    /// Writes the files.
    pub(crate) fn write(
        &self,
        folder: &RunFolder,
        bytes: impl Fn(&Genome, Fitness) -> Result<Vec<u8>, Failure>,
    ) -> Result<(), Failure> {
        if self.list.is_empty() {
            return Ok(());
        }
        let dir = folder.path().join(DIR);
        atomic_file::create_folders(&dir).map_err(|e| {
            Failure::Failed(format!("cannot make the folder {}: {e}", dir.display()))
        })?;
        for (Listed { file, fitness, .. }, theta) in self.each() {
            folder.write(file, &bytes(theta, *fitness)?)?;
        }
        Ok(())
    }
}

fn file(n: usize) -> String {
    format!("{DIR}/{n}.safetensors")
}

/// The files that the `run.json` of a run lists. It may have been changed, so only names that a run gives.
fn listed(run: &Path) -> Vec<String> {
    let read = || {
        let text = regular_file::read(&run.join("run.json"), MOST, Links::Refuse).ok()?;
        let json = serde_json::from_slice::<serde_json::Value>(&text).ok()?;
        let list = json.get("best_networks")?.as_array()?.clone();
        let names = list.iter().filter_map(|one| one.get("file")?.as_str().map(str::to_owned));
        Some(names.collect::<Vec<_>>())
    };
    let ours = |name: &String| {
        let stem = name.strip_prefix(DIR).and_then(|rest| rest.strip_prefix('/'));
        let number = stem.and_then(|rest| rest.strip_suffix(".safetensors"));
        number.and_then(|n| n.parse().ok()).is_some_and(|n| *name == file(n))
    };
    read().unwrap_or_default().into_iter().filter(ours).collect()
}

/// Whether a run lists so many files, and they are there.
pub(crate) fn are_there(run: &Path, n: usize) -> bool {
    let listed = listed(run);
    listed.len() == n && listed.iter().all(|name| regular_file::is_there(&run.join(name)))
}

/// Refuses a folder with something that the run did not write.
pub(crate) fn check(run: &Path, keep: usize) -> Result<(), Failure> {
    let dir = run.join(DIR);
    if keep == 0 || fs::symlink_metadata(&dir).is_err() {
        return Ok(());
    }
    let refuse = |what: &str| {
        Err(Failure::Usage(format!(
            "{} {what}, which the run did not write: move it elsewhere, or go on with --keep-best 0",
            dir.display()
        )))
    };
    if !regular_file::is_folder(&dir) {
        return refuse("is no folder");
    }
    let cannot = |e: io::Error| Failure::Failed(format!("cannot read {}: {e}", dir.display()));
    let listed = listed(run);
    for entry in fs::read_dir(&dir).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = listed.contains(&format!("{DIR}/{name}")) || atomic_file::is_left_over(&name);
        if !ours || !regular_file::is_there(&entry.path()) {
            return refuse(&format!("has {name}"));
        }
    }
    Ok(())
}

/// Removes the files that a run lists, which are those of a shorter one, before it goes on.
pub(crate) fn remove(folder: &RunFolder) -> Result<(), Failure> {
    let listed = listed(folder.path());
    let dir = folder.path().join(DIR);
    if listed.is_empty() || !regular_file::is_folder(&dir) {
        return Ok(());
    }
    for name in listed.iter().filter(|name| regular_file::is_there(&folder.path().join(name))) {
        folder.remove(name)?;
    }
    // If nothing else is in it.
    let _ = fs::remove_dir(dir);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_under_a_name_of_ours_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(Some(&dir.path().join("run")), "run").unwrap();
        let (run, best) = (folder.path().to_owned(), folder.path().join("best"));
        fs::create_dir(&best).unwrap();
        for name in ["1.safetensors", "2.safetensors", "03.safetensors", "mine.safetensors"] {
            fs::write(best.join(name), name).unwrap();
        }
        fs::write(run.join("best.safetensors"), "the best").unwrap();
        let list = [
            "best/1.safetensors",
            "best/03.safetensors",
            "best/mine.safetensors",
            "best.safetensors",
            "best/../best.safetensors",
            "best/9.safetensors",
        ];
        let list = list.map(|file| serde_json::json!({ "file": file }));
        let json = serde_json::json!({ "best_networks": list }).to_string();
        folder.write("run.json", json.as_bytes()).unwrap();
        assert!(!are_there(&run, 2), "the ninth is missing");
        let refused = check(&run, 2).unwrap_err().to_string();
        assert!(refused.contains("which the run did not write"), "{refused}");
        check(&run, 0).unwrap();
        remove(&folder).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&best).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["03.safetensors", "2.safetensors", "mine.safetensors"]);
        assert!(run.join("best.safetensors").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_refused_and_nothing_goes_through_it() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("1.safetensors"), "precious").unwrap();
        let folder = RunFolder::create(Some(&dir.path().join("run")), "run").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("best")).unwrap();
        let list = serde_json::json!([{ "file": "best/1.safetensors" }]);
        let json = serde_json::json!({ "best_networks": list }).to_string();
        folder.write("run.json", json.as_bytes()).unwrap();
        let refused = check(folder.path(), 1).unwrap_err().to_string();
        assert!(refused.contains("is no folder"), "{refused}");
        remove(&folder).unwrap();
        assert!(elsewhere.join("1.safetensors").is_file());
    }
}
