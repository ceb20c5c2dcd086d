//! What a user brings: how to make, train, score and build a network. Core never looks inside.

use std::error::Error;

use crate::{Hyperparameters, Objective, Operation, OperationKind, Settings, rng::Key};

/// A task to train a population on. Core calls these methods from several threads at once.
///
/// Everything random must be drawn from the key that is handed in: then the same seed gives the
/// same run at any number of threads. The feature `laws` has properties that check an
/// implementation.
pub trait Problem: Sync {
    /// θ: all the parameters of one network.
    type Genome: Send + Sync;
    /// What an optimizer remembers between steps. `Clone` must be deep: back-off restores it.
    type State: Clone + Send + Sync;
    /// What can go wrong: I/O, a device.
    type Error: Error + Send + Sync + 'static;

    /// What [`fitness`](Self::fitness) measures with. It may not change during a run.
    fn objective(&self) -> Objective;

    /// Whether this problem can be trained with these settings, asked before a run begins or goes on: core
    /// knows no optimizer and no hyper-parameter by name.
    ///
    /// # Errors
    /// What it does not understand, such as the name of a hyper-parameter.
    fn check(&self, _settings: &Settings) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Whether a network that somebody brings can be begun from, asked before the first generation.
    ///
    /// # Errors
    /// What is wrong with it, such as values that are no numbers.
    fn check_warm_start(&self, _theta: &Self::Genome) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A new network.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn init(&self, key: Key) -> Result<Self::Genome, Self::Error>;

    /// A deep copy: changing it leaves `theta` as it is.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn fork(&self, theta: &Self::Genome) -> Result<Self::Genome, Self::Error>;

    /// The fresh state of the optimizer that `hyper` names.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn state(
        &self,
        theta: &Self::Genome,
        hyper: &Hyperparameters,
    ) -> Result<Self::State, Self::Error>;

    /// One epoch of training, in place.
    ///
    /// A network that diverges is no error: its fitness is NaN or infinite, and it loses.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn epoch(
        &self,
        theta: &mut Self::Genome,
        state: &mut Self::State,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), Self::Error>;

    /// The loss of a network, lower is better; the same bits for the same θ every time.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn fitness(&self, theta: &Self::Genome) -> Result<f64, Self::Error>;

    /// The network that `operation` makes of `sources`, with random numbers drawn from `key`; the same bits
    /// for the same arguments every time. [`build`](crate::build()) does it for slices of numbers.
    ///
    /// # Errors
    /// Whatever stops the run, such as an operation that this problem does not [build](Self::builds).
    fn build(
        &self,
        operation: &Operation,
        sources: &[&Self::Genome],
        key: Key,
    ) -> Result<Self::Genome, Self::Error>;

    /// Whether it can build this kind of operation. Core asks before a run begins, for all that the strategy
    /// uses, so that none fails in the middle. Recombination, eq. 12, is what every problem can.
    fn builds(&self, kind: &OperationKind) -> bool {
        *kind == OperationKind::Combine
    }

    /// How many values a network has, if it has such: what strategies learn at which rate depends on it.
    fn dimension(&self, _theta: &Self::Genome) -> Option<usize> {
        None
    }

    /// The length ‖θ‖ of a network as a vector, if that is asked for.
    fn norm(&self, _theta: &Self::Genome) -> Option<f64> {
        None
    }

    /// The values of a network, where they are few enough for a strategy to compute with.
    fn values(&self, _theta: &Self::Genome) -> Option<Vec<f64>> {
        None
    }

    /// How far apart networks are, if that is to be reported: the root mean square of their pairwise
    /// distances, relative to that of their norms.
    fn diversity(&self, _population: &[&Self::Genome]) -> Option<f64> {
        None
    }
}
