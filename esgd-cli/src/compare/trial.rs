//! One run of one method with one seed: what it is told, what it came to, and where that is kept.

use std::path::{Path, PathBuf};

use super::{
    kept::{self, Label},
    methods::{Job, Method},
    outcome::Outcome,
};
use crate::{failure::Failure, files::sha256};

/// Goes up with every change of what the same job comes to, so that no result of other rules is taken for
/// one of these.
const RULES: u32 = 2;

/// A run to make.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub method: Method,
    pub seed: u64,
    /// The learning rate, where it is one of several.
    pub rate: Option<f64>,
    pub job: Job,
    /// What it may spend.
    pub budget: u64,
    /// Where it is kept.
    pub folder: PathBuf,
    /// What a result of it says that it is of.
    label: Label,
}

/// What all runs of a comparison train and are scored on.
pub(super) struct Identity {
    /// The fingerprint of the data.
    pub data: String,
    /// The network, how fitness is measured, and the device.
    pub rest: String,
}

impl Trial {
    /// A run of `job`, kept under `dir` by what it is: the same run of the same program on the same
    /// problem has the same folder.
    pub(super) fn new(
        method: Method,
        rate: Option<f64>,
        job: &Job,
        seed: u64,
        budget: u64,
        of: &Identity,
        dir: &Path,
    ) -> Self {
        let job = job.with_seed(seed);
        let (version, name) = (env!("CARGO_PKG_VERSION"), method.name());
        let settings = format!("{job:?}");
        let Identity { data, rest } = of;
        let content = format!("{version}.{RULES}\n{name}\n{settings}\n{data}\n{rest}");
        let hash = sha256::of(content.as_bytes());
        let rate_of = rate.map(|rate| format!("-lr{rate}")).unwrap_or_default();
        let folder = dir.join(format!("{name}{rate_of}-seed{seed}-{}", &hash[..12]));
        let label = Label {
            method,
            seed,
            rate,
            settings: sha256::of(settings.as_bytes()),
            data: data.clone(),
            task: sha256::of(rest.as_bytes()),
            esgd: version.into(),
            rules: RULES,
        };
        Self { method, seed, rate, job, budget, folder, label }
    }

    /// What it came to, if it was run before; or, in a sentence, why what is there is not used.
    pub(super) fn kept(&self) -> Result<Option<Outcome>, String> {
        kept::read(&self.folder, &self.label)
    }

    /// Keeps what it came to.
    pub(super) fn keep(&self, outcome: &Outcome) -> Result<(), Failure> {
        kept::write(&self.folder, &self.label, outcome)
    }

    /// What it is called while it runs.
    pub(super) fn title(&self) -> String {
        let rate = self.rate.map(|rate| format!(" at lr {rate}")).unwrap_or_default();
        format!("{}{rate}, seed {}", self.method.name(), self.seed)
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::Settings;

    use super::*;

    #[test]
    fn a_run_is_found_by_what_it_is() {
        let job = Job::Evolve(Settings::paper());
        let trial = |seed, data: &str| {
            let task = Identity { data: data.into(), rest: "mlp".into() };
            Trial::new(Method::Esgd, None, &job, seed, 10, &task, Path::new("runs"))
        };
        let one = trial(1, "digits");
        assert_eq!(
            (&one.folder, &one.label),
            (&trial(1, "digits").folder, &trial(1, "digits").label)
        );
        for other in [trial(2, "digits"), trial(1, "others")] {
            assert!(one.folder != other.folder && one.label != other.label);
        }
    }
}
