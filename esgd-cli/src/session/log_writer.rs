//! The log of a run, written while somebody else may watch as well.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use esgd_core::{EpochReport, Fitness, Observer, Report, guarantee::Improvement};

use crate::run::log::Metrics;

/// Adds each phase to a log, and passes on all that is told.
pub(crate) struct LogWriter<'a> {
    metrics: &'a Mutex<Metrics>,
    /// Time of the run before this process.
    before: Duration,
    began: Instant,
    observer: &'a dyn Observer,
}

impl<'a> LogWriter<'a> {
    pub(crate) fn new(
        metrics: &'a Mutex<Metrics>,
        before: Duration,
        observer: &'a dyn Observer,
    ) -> Self {
        Self { metrics, before, began: Instant::now(), observer }
    }

    /// How long the run has taken, without the time in which it was interrupted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
    }
}

impl Observer for LogWriter<'_> {
    fn epoch(&self, report: &EpochReport<'_>) {
        self.observer.epoch(report);
    }

    fn offspring(&self, fitness: Fitness) {
        self.observer.offspring(fitness);
    }

    fn phase(&self, report: &Report) {
        let seconds = self.elapsed().as_secs_f64();
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).add(seconds, report);
        self.observer.phase(report);
    }

    fn strategy_ended(&self, k: usize, why: &str) {
        self.observer.strategy_ended(k, why);
    }

    fn stagnation(&self, k: usize, improved: Improvement) {
        self.observer.stagnation(k, improved);
    }
}
