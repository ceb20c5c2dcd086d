//! One run of one method with one seed: what it is told, what it came to, and where that is kept.

use std::{fs, path::PathBuf};

use esgd_core::Fitness;
use serde::{Deserialize, Serialize};

use super::{
    costs::Spent,
    methods::{Job, Method},
};
use crate::{atomic_file, failure::Failure, sha256};

/// Goes up with every change of what the same job comes to, so that no result of other rules is taken for
/// one of these.
const RULES: u32 = 2;

/// A run to make.
#[derive(Clone, Debug)]
pub struct Cell {
    pub method: Method,
    pub seed: u64,
    /// The learning rate, where it is one of several.
    pub rate: Option<f64>,
    pub job: Job,
    /// What it may spend.
    pub budget: u64,
    /// Where it is kept.
    pub folder: PathBuf,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub method: Method,
    pub seed: u64,
    pub rate: Option<f64>,
    /// What the best network took.
    pub spent: Spent,
    /// Threads that worked on it, and for how many seconds.
    pub threads: usize,
    pub seconds: f64,
    /// What the best network was last trained with.
    pub recipe: Option<String>,
    pub best: Scores,
    /// The networks that are left, together: by their averaged probabilities, and by their averaged
    /// weights.
    pub ensemble: Option<Scores>,
    pub soup: Option<Scores>,
    /// The 15 best networks, or as many as there are.
    pub top: Vec<Scores>,
}

/// One network, or some that answer together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// How many are evaluated for an answer.
    pub networks: usize,
    /// How many are in it: an average of weights is one network.
    pub members: usize,
    /// The loss that choices are made by.
    pub fitness: Fitness,
    /// On test data, if there are any.
    pub test: Option<Test>,
    /// What choosing them took beside training.
    pub chosen_with: Spent,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub loss: Fitness,
    /// From 0 to 1.
    pub error: Option<f64>,
}

impl Cell {
    /// A run of `job`, kept under `dir` by what it is: the same run of the same program on the same
    /// `task` has the same folder.
    pub fn new(
        (method, rate): (Method, Option<f64>),
        job: &Job,
        seed: u64,
        budget: u64,
        task: &str,
        dir: &std::path::Path,
    ) -> Self {
        let job = job.with_seed(seed);
        let (version, name) = (env!("CARGO_PKG_VERSION"), method.name());
        let content = format!("{version}.{RULES}\n{name}\n{job:?}\n{task}");
        let hash = sha256::of(content.as_bytes());
        let rate_of = rate.map(|rate| format!("-lr{rate}")).unwrap_or_default();
        let folder = dir.join(format!("{name}{rate_of}-seed{seed}-{}", &hash[..12]));
        Self { method, seed, rate, job, budget, folder }
    }

    /// What it came to, if it was run before.
    pub fn kept(&self) -> Option<Outcome> {
        serde_json::from_slice(&fs::read(self.folder.join("result.json")).ok()?).ok()
    }

    /// Keeps what it came to.
    pub fn keep(&self, outcome: &Outcome) -> Result<(), Failure> {
        let mut text =
            serde_json::to_vec_pretty(outcome).map_err(|e| Failure::Failed(e.to_string()))?;
        text.push(b'\n');
        atomic_file::write(&self.folder.join("result.json"), &text)
    }

    /// What it is called while it runs.
    pub fn title(&self) -> String {
        let rate = self.rate.map(|rate| format!(" at lr {rate}")).unwrap_or_default();
        format!("{}{rate}, seed {}", self.method.name(), self.seed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use esgd_core::Settings;

    use super::*;

    #[test]
    fn a_run_is_found_again_by_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let job = Job::Evolve(Settings::paper());
        let cell = |seed, task: &str, dir: &Path| {
            Cell::new((Method::Esgd, None), &job, seed, 10, task, dir)
        };
        let one = cell(1, "digits", dir.path());
        for other in [cell(2, "digits", dir.path()), cell(1, "others", dir.path())] {
            assert_ne!(one.folder, other.folder);
        }
        assert!(one.kept().is_none());
        let scores = Scores {
            networks: 1,
            members: 1,
            fitness: Fitness::WORST,
            test: Some(Test { loss: Fitness::WORST, error: None }),
            chosen_with: Spent::default(),
        };
        let outcome = Outcome {
            method: Method::Esgd,
            seed: 1,
            rate: None,
            spent: Spent { gradient_samples: 5, evaluation_samples: 7 },
            threads: 2,
            seconds: 0.25,
            recipe: None,
            best: scores.clone(),
            ensemble: None,
            soup: Some(scores),
            top: vec![],
        };
        fs::create_dir_all(&one.folder).unwrap();
        one.keep(&outcome).unwrap();
        assert_eq!(cell(1, "digits", dir.path()).kept(), Some(outcome));
        fs::write(one.folder.join("result.json"), "{").unwrap();
        assert!(one.kept().is_none(), "what is damaged is run again");
    }
}
