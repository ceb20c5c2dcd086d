//! The network and the data that a config names.

use std::path::Path;

use esgd_core::budget::Cost;
use esgd_models::{
    Network, Supervised,
    data::{self, Sizes, Splits},
};

use crate::{
    config::{Config, Data, Part, Source},
    failure::Failure,
    run::forecast,
};

/// Loads the data.
pub fn splits(data: &Data) -> Result<Splits, Failure> {
    let some = |n: usize| (n > 0).then_some(n);
    let sizes =
        Sizes { train: some(data.train), validation: some(data.validation), test: some(data.test) };
    let dir = Path::new(&data.dir);
    let splits = match data.name {
        Source::Digits => data::digits(sizes)?,
        Source::Idx => data::idx(dir, sizes)?,
        Source::Cifar10 => data::cifar10(dir, sizes)?,
        Source::Cifar100 => data::cifar100(dir, sizes)?,
    };
    Ok(Splits { train: splits.train.augmented(data.augmentation())?, ..splits })
}

/// What to train the population on, if the machine can hold one network.
pub fn problem(config: &Config, splits: &Splits) -> Result<Supervised<Network>, Failure> {
    let problem = to_plan(config, splits)?;
    forecast::check_network(&problem)?;
    Ok(problem)
}

/// The same for a [`plan`] to check. Nothing of the size of a network is made yet.
pub fn to_plan(config: &Config, splits: &Splits) -> Result<Supervised<Network>, Failure> {
    // The largest class may be missing from a small part. A network of one class has nothing to learn.
    let classes = [&splits.train, &splits.validation, &splits.test]
        .into_iter()
        .try_fold(2, |most, part| part.classes().map(|n| most.max(n)))?;
    let network = config.network.layers(splits.train.size(), classes)?;
    let fitness = match config.data.fitness {
        Part::Train => &splits.train,
        Part::Validation => &splits.validation,
    };
    let problem = Supervised::new(network, splits.train.clone(), fitness.clone())?;
    Ok(problem.scored_by(config.data.score))
}

/// What an epoch and an evaluation cost on it.
pub fn cost(problem: &Supervised<Network>) -> Cost {
    Cost { train: problem.train().len() as u64, fitness: problem.fitness_data().len() as u64 }
}

/// What a run of this config is called, as a folder's name.
pub fn name(config: &Config) -> String {
    let folder = || {
        let name = Path::new(&config.data.dir).file_name()?.to_str()?;
        let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
        let name: String = name.chars().filter(plain).collect();
        let name = name.trim_start_matches(['-', '.']);
        (!name.is_empty()).then(|| name.to_owned())
    };
    match config.data.name {
        Source::Digits => "digits".into(),
        Source::Cifar10 => "cifar10".into(),
        Source::Cifar100 => "cifar100".into(),
        Source::Idx => folder().unwrap_or_else(|| "idx".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_called_by_what_is_plain_in_its_data_folder_s_name() {
        for (dir, expected) in [
            ("/data/fashion-mnist", "fashion-mnist"),
            ("/data/my data\u{202e}\n(2).v1", "mydata2.v1"),
            ("/data/--..x", "x"),
            ("/data/é", "idx"),
            ("/", "idx"),
        ] {
            let mut config = Config::with_changes("", "test", &[]).unwrap();
            config.data.name = Source::Idx;
            config.data.dir = dir.into();
            assert_eq!(name(&config), expected, "{dir}");
        }
    }
}
