//! The network and the data that a config names.

use std::path::Path;

use esgd_models::{
    Network, Supervised,
    data::{self, Sizes, Splits},
};

use crate::{
    config::{Config, Data, Part, Source},
    failure::Failure,
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
    };
    Ok(Splits { train: splits.train.augmented(data.augmentation())?, ..splits })
}

/// What to train the population on.
pub fn problem(config: &Config, splits: &Splits) -> Result<Supervised<Network>, Failure> {
    // The largest class may be missing from a small part.
    let classes = [&splits.train, &splits.validation, &splits.test]
        .into_iter()
        .try_fold(0, |most, part| part.classes().map(|n| most.max(n)))?;
    let network = config.network.layers(splits.train.size(), classes)?;
    let fitness = match config.data.fitness {
        Part::Train => &splits.train,
        Part::Validation => &splits.validation,
    };
    let problem = Supervised::new(network, splits.train.clone(), fitness.clone())?;
    Ok(problem.scored_by(config.data.score))
}

/// What a run of this config is called.
pub fn name(config: &Config) -> String {
    match config.data.name {
        Source::Digits => "digits".into(),
        Source::Cifar10 => "cifar10".into(),
        Source::Idx => Path::new(&config.data.dir)
            .file_name()
            .map_or_else(|| "idx".into(), |name| name.to_string_lossy().into_owned()),
    }
}
