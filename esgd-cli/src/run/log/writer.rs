//! The log of a run, written while somebody else may watch as well.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use esgd_core::{EpochReport, Fitness, Observer, Report, guarantee::Improvement};

use super::Metrics;
use crate::run::{checkpoint::Found, tensorboard::EventFile};

/// Adds each phase to a log, and passes on all that is told.
pub(crate) struct Writer<'a> {
    metrics: Arc<Mutex<Metrics>>,
    /// A copy for TensorBoard.
    events: Option<Mutex<EventFile>>,
    /// Time of the run before this process.
    before: Duration,
    began: Instant,
    observer: &'a dyn Observer,
}

impl<'a> Writer<'a> {
    /// Of a run that begins, or goes on behind what was `found`; `metrics` is opened there.
    pub(crate) fn new(metrics: Metrics, found: Option<&Found>, observer: &'a dyn Observer) -> Self {
        let before = Duration::from_secs_f64(found.map_or(0.0, |found| found.manifest.seconds));
        let metrics = Arc::new(Mutex::new(metrics));
        Self { metrics, events: None, before, began: Instant::now(), observer }
    }

    /// The same with event files for TensorBoard, if there are some.
    pub(crate) fn events(self, events: Option<EventFile>) -> Self {
        Self { events: events.map(Mutex::new), ..self }
    }

    /// The log itself.
    pub(crate) fn metrics(&self) -> Arc<Mutex<Metrics>> {
        Arc::clone(&self.metrics)
    }

    /// How long the run has taken, without the time in which it was interrupted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
    }
}

impl Observer for Writer<'_> {
    fn epoch(&self, report: &EpochReport<'_>) {
        self.observer.epoch(report);
    }

    fn offspring(&self, fitness: Fitness) {
        self.observer.offspring(fitness);
    }

    fn phase(&self, report: &Report) {
        let seconds = self.elapsed().as_secs_f64();
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).add(seconds, report);
        if let Some(events) = &self.events {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            // A run does not fail for it, and `esgd report` writes it again.
            let _ = events.add(seconds, report);
        }
        self.observer.phase(report);
    }

    fn strategy_ended(&self, k: usize, why: &str) {
        self.observer.strategy_ended(k, why);
    }

    fn stagnation(&self, k: usize, improved: Improvement) {
        self.observer.stagnation(k, improved);
    }
}
