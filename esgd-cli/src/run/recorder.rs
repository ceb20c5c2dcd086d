//! What every run in a folder keeps while it goes on: its log, its checkpoints, and what is left of it if it fails.

use std::{path::Path, time::Duration};

use esgd_core::{Error as CoreError, Failure as CoreFailure, Portable, Problem};

use crate::{
    failure::Failure,
    run::{
        checkpoint::{Checkpoints, Found, OfRun, Retention},
        log::Writer,
    },
};

/// The log and the checkpoints of a run of a problem.
pub(crate) struct Recorder<'a, P: Portable> {
    log: Writer<'a>,
    checkpoints: Checkpoints<'a, P>,
}

/// What is left of a run that failed.
pub(crate) struct Left {
    /// Why it failed, in a sentence.
    pub why: String,
    /// Whether the settings cannot work, rather than that something went wrong.
    pub refused: bool,
    /// Whether there is a checkpoint to go on from.
    pub goes_on: bool,
}

impl<'a, P: Portable> Recorder<'a, P> {
    /// Begins in the folder `run`, or goes on behind what was `found` there.
    pub(crate) fn new(
        run: &Path,
        problem: &'a P,
        of: OfRun,
        retention: Retention,
        log: Writer<'a>,
        found: Option<&Found>,
    ) -> Result<Self, Failure> {
        let cannot =
            |e| Failure::Failed(format!("cannot keep checkpoints in {}: {e}", run.display()));
        let checkpoints = Checkpoints::new(run, problem, of, retention, log.metrics(), found);
        Ok(Self { log, checkpoints: checkpoints.map_err(cannot)? })
    }

    /// What watches the run.
    pub(crate) fn log(&self) -> &Writer<'a> {
        &self.log
    }

    pub(crate) fn checkpoints(&self) -> &Checkpoints<'a, P> {
        &self.checkpoints
    }

    /// How long the run has taken, without the time in which it was interrupted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.log.elapsed()
    }

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
            // candle puts a backtrace behind its first line.
            other => other.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        match population.map(|population| self.checkpoints.save(&population)) {
            Some(Ok(())) => Left { why, refused, goes_on: true },
            Some(Err(e)) if self.checkpoints.any() && e != why => {
                Left { why: format!("{why}; and {e}"), refused, goes_on: true }
            }
            Some(Err(_)) => Left { why, refused, goes_on: self.checkpoints.any() },
            None => Left { why, refused, goes_on: false },
        }
    }
}
