//! `NUMBER.json`: everything about a run at one moment but its networks and optimizer states, which it
//! names by their checksums, as it has one itself.

use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
    path::Path,
    time::Duration,
};

use esgd_core::guarantee::{GuardRecord, Origin, PopulationRecord};
use esgd_models::{
    data::Fingerprint,
    regular_file::{self, Links},
};
use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    files::sha256,
    run::{
        log::{self, Extent},
        unfit::Unfit,
    },
};

/// What a file of this kind says of itself.
const FORMAT: &str = "esgd checkpoint";
const VERSION: u32 = 4;
/// The first that is read: without the fingerprint of the data, and without offspring in the log.
const OLDEST: u32 = 2;

/// More bytes than such a file can have.
const MOST: u64 = 1 << 30;

/// What the checksum is made over has this in its place.
const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const BEFORE_CHECKSUM: &str = "\"sha256\": \"";

/// The files of what a strategy remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Remembered {
    /// Of each network, by its name.
    pub networks: BTreeMap<String, String>,
    /// Of its numbers, where they are many.
    pub numbers: Option<String>,
}

/// The files that a checkpoint names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Files {
    /// Of each network, by its origin.
    pub networks: BTreeMap<String, String>,
    /// Of each optimizer's state, by its individual.
    pub states: BTreeMap<String, String>,
    pub remembered: Remembered,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: String,
    version: u32,
    /// Of this file, with 64 zeros here.
    sha256: String,
    /// The version of the program.
    esgd: String,
    /// The numbers of the checkpoints that are kept beside this one.
    #[serde(default)]
    pub beside: Vec<u64>,
    /// Seconds of the run.
    pub seconds: f64,
    /// The log of metrics as it was.
    pub metrics: Extent,
    /// The config, as TOML.
    pub config: String,
    /// What data the run is trained on; none in manifests of before that was kept.
    #[serde(default)]
    pub data: Option<Fingerprint>,
    /// The file of each network, by its origin.
    pub networks: BTreeMap<String, String>,
    /// The file of each optimizer's state, by its individual.
    pub states: BTreeMap<String, String>,
    /// The file of each network that the strategy remembers, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<String, String>,
    /// The file of the numbers that it remembers, where they are too many to stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<String>,
    #[serde(alias = "ledger")]
    pub population: PopulationRecord,
}

/// What a checkpoint says of its run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OfRun {
    /// The config, as TOML.
    pub config: String,
    /// What data it is trained on, if that is kept.
    pub data: Option<Fingerprint>,
}

impl Manifest {
    pub(crate) fn new(
        beside: Vec<u64>,
        seconds: f64,
        metrics: Extent,
        of: OfRun,
        files: Files,
        population: PopulationRecord,
    ) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            sha256: NO_CHECKSUM.into(),
            esgd: env!("CARGO_PKG_VERSION").into(),
            beside,
            seconds,
            metrics,
            config: of.config,
            data: of.data,
            networks: files.networks,
            states: files.states,
            memory: files.remembered.networks,
            numbers: files.remembered.numbers,
            population,
        }
    }

    /// The file.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        text.push('\n');
        let sum = sha256::of(text.as_bytes());
        Ok(text.replacen(NO_CHECKSUM, &sum, 1).into_bytes())
    }

    /// Reads a file, and whether it is as it was written.
    pub(crate) fn read(path: &Path) -> Result<Self, Unfit> {
        let bytes = regular_file::read(path, MOST, Links::Refuse);
        Self::of_bytes(&bytes.map_err(|e| Unfit::of(&e, format!("cannot be read: {e}")))?)
    }

    /// Whether a file begins as one, damaged or not.
    pub(crate) fn is_one(path: &Path) -> bool {
        let begin = format!("{{\n  \"format\": \"{FORMAT}\"");
        let mut bytes = vec![];
        let read = regular_file::open(path, Links::Refuse)
            .and_then(|file| file.take(begin.len() as u64).read_to_end(&mut bytes));
        read.is_ok() && bytes == begin.as_bytes()
    }

    /// The same of what is in it.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self, Unfit> {
        let damaged = || Unfit::Damaged("is damaged: its checksum is another".into());
        let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
        let at = text.find(BEFORE_CHECKSUM).ok_or_else(damaged)? + BEFORE_CHECKSUM.len();
        let sum = text.get(at..at + NO_CHECKSUM.len()).ok_or_else(damaged)?;
        if sha256::of(text.replacen(sum, NO_CHECKSUM, 1).as_bytes()) != sum {
            return Err(damaged());
        }
        let version = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|value| value.get("version")?.as_u64());
        if !version.is_some_and(|n| (OLDEST.into()..=VERSION.into()).contains(&n)) {
            return Err(Unfit::Unreadable(format!(
                "is of version {}: this program reads versions {OLDEST} to {VERSION}",
                version.map_or("?".into(), |version| version.to_string())
            )));
        }
        let manifest: Self =
            serde_json::from_str(text).map_err(|e| Unfit::Damaged(format!("is damaged: {e}")))?;
        if Duration::try_from_secs_f64(manifest.seconds).is_err() {
            return Err(Unfit::Damaged(format!("is damaged: {} seconds", manifest.seconds)));
        }
        Ok(Self { sha256: NO_CHECKSUM.into(), ..manifest })
    }

    /// The files that it names.
    pub(crate) fn files(&self) -> HashSet<String> {
        let files = self.networks.values().chain(self.states.values());
        files.chain(self.memory.values()).chain(&self.numbers).cloned().collect()
    }

    /// The names of all networks.
    pub(crate) fn origins(&self) -> impl Iterator<Item = Origin> + '_ {
        let archived = match &self.population.guard {
            GuardRecord::Archive(entries) => &entries[..],
            GuardRecord::BackOff | GuardRecord::Anchor(..) => &[],
        };
        let individuals = self.population.individuals.iter().map(|one| one.origin());
        individuals.chain(archived.iter().map(|entry| entry.origin()))
    }

    /// Whether everything that it names is there as it was written.
    pub(crate) fn check(&self, dir: &Path, log: &Path) -> Result<(), Unfit> {
        log::check(log, &self.metrics)?;
        for origin in self.origins() {
            if !self.networks.contains_key(&origin.to_string()) {
                return Err(Unfit::Damaged(format!(
                    "the file of the network {origin} is not named"
                )));
            }
        }
        for one in self.population.individuals.iter().filter(|one| one.state) {
            if !self.states.contains_key(&one.id.to_string()) {
                let id = one.id;
                return Err(Unfit::Damaged(format!(
                    "the file of the optimizer of {id} is not named"
                )));
            }
        }
        let memory = self.population.memory.iter().flat_map(|memory| &memory.networks);
        if let Some(slot) = memory.into_iter().find(|slot| !self.memory.contains_key(*slot)) {
            return Err(Unfit::Damaged(format!(
                "the file of the remembered network {slot} is not named"
            )));
        }
        self.files().iter().try_for_each(|name| store::check(dir, name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use esgd_core::{
        Esgd, Function, Population, Settings, TestFunction, guarantee::RecordError, laws::corrupted,
    };
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        let problem = TestFunction::new(Function::Sphere, 2);
        let settings = Settings {
            mu: 2,
            m: 1,
            rho: 1,
            generations: 1,
            optimizers: TestFunction::optimizers(),
            ..Settings::paper()
        };
        let population =
            Esgd::new(&problem, &settings).run().map_err(|f| f.error).unwrap().population;
        let networks = BTreeMap::from([("g0.0#1@0.0".to_owned(), "ab".to_owned())]);
        let config = "mu = 2\n".to_owned();
        Manifest::new(
            vec![],
            1.5,
            Extent::default(),
            OfRun { config, data: None },
            Files { networks, ..Files::default() },
            population.record(),
        )
    }

    /// A file that was changed by someone who knows how to write its checksum.
    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let at = text.find(BEFORE_CHECKSUM).map(|at| at + BEFORE_CHECKSUM.len());
        let Some(sum) = at.and_then(|at| text.get(at..at + 64)).map(str::to_owned) else {
            return text.into_bytes();
        };
        let plain = text.replacen(&sum, NO_CHECKSUM, 1);
        let sum = sha256::of(plain.as_bytes());
        plain.replacen(NO_CHECKSUM, &sum, 1).into_bytes()
    }

    #[test]
    fn survives_a_file_and_no_change_of_it() {
        let manifest = manifest();
        let bytes = manifest.to_bytes().unwrap();
        assert_eq!(Manifest::of_bytes(&bytes).unwrap(), manifest);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            Manifest::of_bytes(&damaged).unwrap_err();
            Manifest::of_bytes(&bytes[..at]).unwrap_err();
        }
        let version = |number: u32| format!("\"version\": {number}");
        let newer =
            String::from_utf8(bytes).unwrap().replace(&version(VERSION), &version(VERSION + 1));
        let refused = Manifest::of_bytes(&sealed(newer.as_bytes())).unwrap_err().to_string();
        assert!(refused.contains(&format!("is of version {}", VERSION + 1)), "{refused}");
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(bytes in corrupted(&manifest().to_bytes().unwrap())) {
            let _ = Manifest::of_bytes(&bytes);
            if let Ok(manifest) = Manifest::of_bytes(&sealed(&bytes)) {
                let theta = |_| Ok::<_, RecordError>(Arc::new(()));
                let _ = Population::<(), ()>::restore(manifest.population, theta, |_| Ok(()), |_| Ok(Arc::new(())));
            }
        }
    }
}
