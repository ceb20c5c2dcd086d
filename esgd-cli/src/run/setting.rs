//! What a config names, ready to use: the data, the network on its device, the threads.

use std::path::Path;

use esgd_core::budget::Cost;
use esgd_models::{
    Network, Supervised, Workers,
    data::{self, Sizes, Splits},
};

use crate::{
    config::{Config, Data, Part, Source},
    failure::Failure,
    run::{device, forecast::one_network},
};

/// What a population is trained on, and by what.
pub struct Setting {
    /// The data for training, validation and tests.
    pub splits: Splits,
    /// The network with the data that it is trained on and scored by, on its device.
    pub problem: Supervised<Network>,
    /// The threads.
    pub workers: Workers,
}

impl Setting {
    /// What a config names, if the machine can hold one network.
    ///
    /// # Errors
    /// That there is no such device, no such data or not enough of them, or no network for them.
    pub fn of(config: &Config) -> Result<Self, Failure> {
        let setting = Self::unchecked(config)?;
        one_network::check(&setting.problem)?;
        Ok(setting)
    }

    /// The same for a forecast, which checks whether all of it fits.
    pub(crate) fn unchecked(config: &Config) -> Result<Self, Failure> {
        let device = device::named(&config.run.device)?;
        let splits = splits(&config.data)?;
        let problem = problem(config, &splits)?.on(device);
        let workers = Workers::new(config.run.threads())?;
        Ok(Self { splits, problem, workers })
    }
}

/// Loads the data.
fn splits(data: &Data) -> Result<Splits, Failure> {
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

/// What to train. Nothing of the size of a network is made yet.
fn problem(config: &Config, splits: &Splits) -> Result<Supervised<Network>, Failure> {
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

/// What an epoch and an evaluation cost on a network and its data.
pub(crate) fn cost(problem: &Supervised<Network>) -> Cost {
    Cost { train: problem.train().len() as u64, fitness: problem.fitness_data().len() as u64 }
}
