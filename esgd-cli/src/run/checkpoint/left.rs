//! What is left of a run that failed.

use esgd_core::{Error as CoreError, Failure as CoreFailure, Portable, Problem};

use super::Checkpoints;
use crate::text::first_line::first_line;

/// A run that failed.
pub(crate) struct Left {
    /// Why it failed, in a sentence.
    pub why: String,
    /// Whether the settings cannot work, rather than that something went wrong.
    pub refused: bool,
    /// Whether there is a checkpoint to go on from.
    pub goes_on: bool,
}

impl<P: Portable> Checkpoints<'_, P> {
    /// Keeps the last complete population of a run that failed, if there is one and it can be kept.
    pub(crate) fn keep<Q>(&self, failure: CoreFailure<Q>) -> Left
    where
        Q: Problem<Genome = P::Genome, State = P::State>,
    {
        let CoreFailure { error, population } = failure;
        let refused = matches!(error, CoreError::Settings(_) | CoreError::ObjectiveChanged { .. });
        let why = match error {
            // Perhaps there is room again.
            CoreError::CheckpointFailed(e) => e.to_string(),
            other => first_line(&other),
        };
        match population.map(|population| self.save(&population)) {
            Some(Ok(())) => Left { why, refused, goes_on: true },
            Some(Err(e)) if self.any() && e != why => {
                Left { why: format!("{why}; and {e}"), refused, goes_on: true }
            }
            Some(Err(_)) => Left { why, refused, goes_on: self.any() },
            None => Left { why, refused, goes_on: false },
        }
    }
}
