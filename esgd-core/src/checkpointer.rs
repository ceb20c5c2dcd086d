//! Keeping a run, so that it goes on after the program has died. Core has no files: what is written
//! where, and whether each time, is the checkpointer's.

use std::error::Error;

use crate::{Entry, Individual, Population};

/// What a checkpointer could not do.
pub type CheckpointError = Box<dyn Error + Send + Sync>;

/// Someone who is shown everything that a run must not lose: a [`PopulationRecord`](crate::guarantee::PopulationRecord)
/// and the networks and optimizer states that it names. An error stops the run, with its population.
pub trait Checkpointer<G, S>: Sync {
    /// A population between two steps, or where it was stopped.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn population(&self, population: &Population<G, S>) -> Result<(), CheckpointError>;

    /// An individual that has come back from the SGD step. Called from the threads that train, in any
    /// order. `archived` gives the archive as it is then, best first: it must be asked while no other
    /// individual is being kept, or the archive could lack what one that was kept before has found.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn individual(
        &self,
        individual: &Individual<G, S>,
        archived: &dyn Fn() -> Vec<Entry<G>>,
    ) -> Result<(), CheckpointError>;
}

/// Nothing is kept.
impl<G, S> Checkpointer<G, S> for () {
    fn population(&self, _: &Population<G, S>) -> Result<(), CheckpointError> {
        Ok(())
    }

    fn individual(
        &self,
        _: &Individual<G, S>,
        _: &dyn Fn() -> Vec<Entry<G>>,
    ) -> Result<(), CheckpointError> {
        Ok(())
    }
}
