//! A task that counts what is spent on it.

use std::sync::atomic::{AtomicU64, Ordering};

use esgd_core::{
    Hyperparameters, Objective, Operation, OperationKind, Problem, Settings, rng::Key,
};
use esgd_models::{Error, Genome, Network, OptimizerState, Supervised};
use indicatif::ProgressBar;

use super::costs::{STEP, Spent};

/// The task of a run, which counts every sample and shows it on a bar.
pub(crate) struct Metered<'a> {
    inner: &'a Supervised<Network>,
    gradient: AtomicU64,
    evaluation: AtomicU64,
    bar: &'a ProgressBar,
}

impl<'a> Metered<'a> {
    /// Behind what was spent before.
    pub(crate) fn new(inner: &'a Supervised<Network>, before: Spent, bar: &'a ProgressBar) -> Self {
        bar.inc(before.passes());
        Self {
            inner,
            gradient: before.gradient_samples.into(),
            evaluation: before.evaluation_samples.into(),
            bar,
        }
    }

    /// The task without its meter, to report by.
    pub(crate) fn inner(&self) -> &'a Supervised<Network> {
        self.inner
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent {
            gradient_samples: self.gradient.load(Ordering::Relaxed),
            evaluation_samples: self.evaluation.load(Ordering::Relaxed),
        }
    }

    /// Counts samples that were evaluated otherwise than by their fitness.
    pub(crate) fn count_evaluation(&self, samples: usize) {
        self.evaluation.fetch_add(samples as u64, Ordering::Relaxed);
        self.bar.inc(samples as u64);
    }
}

impl Problem for Metered<'_> {
    type Genome = Genome;
    type State = OptimizerState;
    type Error = Error;

    fn objective(&self) -> Objective {
        self.inner.objective()
    }

    fn check(&self, settings: &Settings) -> Result<(), Error> {
        self.inner.check(settings)
    }

    fn init(&self, key: Key) -> Result<Genome, Error> {
        self.inner.init(key)
    }

    fn fork(&self, theta: &Genome) -> Result<Genome, Error> {
        self.inner.fork(theta)
    }

    fn state(&self, theta: &Genome, hyper: &Hyperparameters) -> Result<OptimizerState, Error> {
        self.inner.state(theta, hyper)
    }

    fn epoch(
        &self,
        theta: &mut Genome,
        state: &mut OptimizerState,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), Error> {
        self.inner.epoch(theta, state, hyper, key)?;
        let samples = self.inner.train().len() as u64;
        self.gradient.fetch_add(samples, Ordering::Relaxed);
        self.bar.inc(STEP * samples);
        Ok(())
    }

    fn fitness(&self, theta: &Genome) -> Result<f64, Error> {
        let fitness = self.inner.fitness(theta)?;
        self.count_evaluation(self.inner.fitness_data().len());
        Ok(fitness)
    }

    fn build(&self, operation: &Operation, sources: &[&Genome], key: Key) -> Result<Genome, Error> {
        self.inner.build(operation, sources, key)
    }

    fn builds(&self, kind: &OperationKind) -> bool {
        self.inner.builds(kind)
    }

    fn dimension(&self, theta: &Genome) -> Option<usize> {
        self.inner.dimension(theta)
    }

    fn norm(&self, theta: &Genome) -> Option<f64> {
        self.inner.norm(theta)
    }

    fn values(&self, theta: &Genome) -> Option<Vec<f64>> {
        self.inner.values(theta)
    }

    fn diversity(&self, population: &[&Genome]) -> Option<f64> {
        self.inner.diversity(population)
    }
}
