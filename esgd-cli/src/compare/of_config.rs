//! A comparison on the network and the data of a config.

use std::sync::atomic::AtomicBool;

use esgd_core::Problem;
use esgd_models::data::Dataset;
use sha2::{Digest, Sha256};

use super::{
    Asked, Comparison, Folder, Method, Watcher, compare,
    costs::Costs,
    predictor::TestedOn,
    subject::{About, Subject},
    trial::Identity,
};
use crate::{
    config::Config,
    failure::Failure,
    files::sha256,
    run::{Setting, restore},
};

/// A comparison to make.
pub struct Request<'a> {
    /// Whose settings are ESGD's, and the other methods' as far as they have them.
    pub config: &'a Config,
    /// What it names.
    pub setting: &'a Setting,
    /// The methods to compare.
    pub methods: Vec<Method>,
    /// How many runs of each method, with seeds from the config's on.
    pub seeds: u64,
    /// What each method may spend, in forward passes of a sample.
    pub budget: u64,
    /// Who is told of it; `&()` is nobody.
    pub watcher: &'a dyn Watcher,
    /// What stops it; the same request goes on.
    pub stop: &'a AtomicBool,
}

/// Compares methods. The results are left in the folder, and each run's own in a folder in it; runs that are
/// there already are not made again. `None` if it was stopped.
///
/// # Errors
/// That a seed is too large, that the budget is not enough for a method, that results in the folder are of something
/// else, or whatever fails on the way.
pub fn run(request: &Request<'_>, folder: &Folder) -> Result<Option<Comparison>, Failure> {
    let Request { config, seeds, budget, watcher, stop, .. } = *request;
    let Setting { splits, problem, .. } = request.setting;
    let network = problem.task();
    let subject = Subject {
        problem,
        settings: &config.settings,
        rivals: &config.compare,
        costs: Costs::of(problem),
        about: About {
            network: network.name().to_owned(),
            macs: network.macs(),
            data: config.data.folder_name(),
            test: splits.test.len(),
        },
        identity: Identity {
            data: fingerprint([&splits.train, &splits.validation, &splits.test])?,
            rest: format!("{network:?}\n{}\n{}", problem.objective(), config.run.device),
        },
        configs: config,
        predictor: Some(&TestedOn(&splits.test)),
        most_bytes: restore::most_bytes(problem.shape()?),
        slack: restore::slack(problem),
        checkpoint_share: config.run.checkpoint_share,
    };
    let (methods, threads) = (&request.methods[..], config.run.threads());
    compare(&subject, &Asked { methods, seeds, budget, threads, watcher, stop }, folder)
}

/// What the data are, so that results on others are not taken for theirs.
pub(super) fn fingerprint(parts: [&Dataset; 3]) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for part in parts {
        part.visit_contents(|bytes| hash.update(bytes))?;
    }
    Ok(sha256::hex(hash))
}
