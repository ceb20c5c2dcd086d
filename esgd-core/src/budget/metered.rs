//! A problem that counts what is spent on it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Cost, Spent};
use crate::{
    Hyperparameters, Objective, Operation, OperationKind, Portable, Problem, Settings, rng::Key,
};

/// Told how many forward passes were made since the last time.
type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// A problem that counts every sample that is trained or evaluated on, and tells of it.
///
/// ```
/// use esgd_core::{
///     Esgd, Function, Settings, TestFunction,
///     budget::{Cost, Metered, Spent},
/// };
///
/// let problem = TestFunction::new(Function::Sphere, 5);
/// let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
/// let cost = Cost { train: 1000, fitness: 300 };
/// let metered = Metered::new(&problem, cost, Spent::default(), &|_| ());
/// Esgd::new(&metered, &settings).run().map_err(|failure| failure.error.to_string()).unwrap();
/// assert_eq!(metered.spent().passes(), cost.run(&settings)?);
/// # Ok::<(), esgd_core::settings::SettingsError>(())
/// ```
pub struct Metered<'a, P> {
    inner: &'a P,
    cost: Cost,
    gradient: AtomicU64,
    evaluation: AtomicU64,
    progress: Progress<'a>,
}

impl<P: fmt::Debug> fmt::Debug for Metered<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, cost, gradient, evaluation, progress: _ } = self;
        f.debug_struct("Metered")
            .field("inner", inner)
            .field("cost", cost)
            .field("gradient", gradient)
            .field("evaluation", evaluation)
            .finish_non_exhaustive()
    }
}

impl<'a, P> Metered<'a, P> {
    /// Behind what was spent before. `progress` is told how many forward passes are made, those before first.
    #[must_use]
    pub fn new(inner: &'a P, cost: Cost, before: Spent, progress: Progress<'a>) -> Self {
        progress(before.passes());
        Self {
            inner,
            cost,
            gradient: before.gradient_samples.into(),
            evaluation: before.evaluation_samples.into(),
            progress,
        }
    }

    /// The problem without its meter, to report by.
    #[must_use]
    pub fn inner(&self) -> &'a P {
        self.inner
    }

    /// What was spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            gradient_samples: self.gradient.load(Ordering::Relaxed),
            evaluation_samples: self.evaluation.load(Ordering::Relaxed),
        }
    }

    /// Counts samples that were evaluated otherwise than by their fitness.
    pub fn count_evaluation(&self, samples: usize) {
        self.count(Spent { evaluation_samples: samples as u64, ..Spent::default() });
    }

    fn count(&self, spent: Spent) {
        self.gradient.fetch_add(spent.gradient_samples, Ordering::Relaxed);
        self.evaluation.fetch_add(spent.evaluation_samples, Ordering::Relaxed);
        (self.progress)(spent.passes());
    }
}

impl<P: Problem> Problem for Metered<'_, P> {
    type Genome = P::Genome;
    type State = P::State;
    type Error = P::Error;

    fn objective(&self) -> Objective {
        self.inner.objective()
    }

    fn check(&self, settings: &Settings) -> Result<(), P::Error> {
        self.inner.check(settings)
    }

    fn check_warm_start(&self, theta: &P::Genome) -> Result<(), P::Error> {
        self.inner.check_warm_start(theta)
    }

    fn init(&self, key: Key) -> Result<P::Genome, P::Error> {
        self.inner.init(key)
    }

    fn fork(&self, theta: &P::Genome) -> Result<P::Genome, P::Error> {
        self.inner.fork(theta)
    }

    fn state(&self, theta: &P::Genome, hyper: &Hyperparameters) -> Result<P::State, P::Error> {
        self.inner.state(theta, hyper)
    }

    fn epoch(
        &self,
        theta: &mut P::Genome,
        state: &mut P::State,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), P::Error> {
        self.inner.epoch(theta, state, hyper, key)?;
        self.count(Spent { gradient_samples: self.cost.train, ..Spent::default() });
        Ok(())
    }

    fn fitness(&self, theta: &P::Genome) -> Result<f64, P::Error> {
        let fitness = self.inner.fitness(theta)?;
        self.count(Spent { evaluation_samples: self.cost.fitness, ..Spent::default() });
        Ok(fitness)
    }

    fn build(
        &self,
        operation: &Operation,
        sources: &[&P::Genome],
        key: Key,
    ) -> Result<P::Genome, P::Error> {
        self.inner.build(operation, sources, key)
    }

    fn builds(&self, kind: &OperationKind) -> bool {
        self.inner.builds(kind)
    }

    fn dimension(&self, theta: &P::Genome) -> Option<usize> {
        self.inner.dimension(theta)
    }

    fn norm(&self, theta: &P::Genome) -> Option<f64> {
        self.inner.norm(theta)
    }

    fn values(&self, theta: &P::Genome) -> Option<Vec<f64>> {
        self.inner.values(theta)
    }

    fn diversity(&self, population: &[&P::Genome]) -> Option<f64> {
        self.inner.diversity(population)
    }
}

/// Of several processes each counts what is spent there.
impl<P: Portable> Portable for Metered<'_, P> {
    fn write_genome(&self, theta: &P::Genome) -> Result<Vec<u8>, P::Error> {
        self.inner.write_genome(theta)
    }

    fn read_genome(&self, bytes: &[u8]) -> Result<P::Genome, P::Error> {
        self.inner.read_genome(bytes)
    }

    fn write_state(&self, theta: &P::Genome, state: &P::State) -> Result<Vec<u8>, P::Error> {
        self.inner.write_state(theta, state)
    }

    fn read_state(&self, theta: &P::Genome, bytes: &[u8]) -> Result<P::State, P::Error> {
        self.inner.read_state(theta, bytes)
    }
}
