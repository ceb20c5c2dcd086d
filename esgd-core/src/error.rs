//! What can stop a run, and what is left of it then.

use std::error::Error as StdError;

use thiserror::Error;

use crate::{
    CheckpointError, Objective, Population, Problem, settings::SettingsError, work::ShareError,
};

/// Why a run stopped.
#[derive(Debug, Error)]
pub enum Error<E: StdError> {
    /// The settings contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The problem failed: I/O, a device.
    #[error(transparent)]
    Problem(E),
    /// The run could not be kept.
    #[error("{0}")]
    CheckpointFailed(CheckpointError),
    /// Another process of the run has failed or gone.
    #[error("{0}; resume all processes from the last checkpoint")]
    Processes(String),
    /// Fitness was measured with something else in mid-run.
    #[error(
        "the fitness was measured with \"{was}\" and is now measured with \"{is}\": scores of different objectives do not compare, so keep data and mode fixed during a run"
    )]
    ObjectiveChanged {
        /// The objective that the run began with.
        was: Objective,
        /// The one it met.
        is: Objective,
    },
    /// A strategy asked for what cannot be.
    #[error("the strategy {name} {what}")]
    Strategy {
        /// The strategy.
        name: String,
        /// What it did.
        what: String,
    },
    /// The guarantee was broken, which is a bug in this crate.
    #[error(
        "the mean fitness of the best {m} rose in generation {k}: this is a bug in esgd-core, please report it with the config and seed"
    )]
    GuaranteeBroken {
        /// The generation.
        k: usize,
        /// The smallest m' for which J(m') rose.
        m: usize,
    },
}

impl<E: StdError> Error<E> {
    /// Why a step of several processes did not come to its end.
    pub(crate) fn of_share(error: ShareError<E>) -> Self {
        match error {
            ShareError::Problem(error) => Self::Problem(error),
            other => Self::Processes(other.to_string()),
        }
    }
}

/// A run that stopped: why, and the last complete population, if there was one.
#[derive(Debug)]
pub struct Failure<P: Problem> {
    /// Why.
    pub error: Error<P::Error>,
    /// Every individual scored, trained as far as it got, the guarantee intact. `None` before Ψ(0) was complete.
    pub population: Option<Population<P::Genome, P::State>>,
}
