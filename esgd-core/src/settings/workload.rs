//! What a run takes, from its settings alone: how many epochs are trained and how many networks are scored.
//! Forecasts, progress and budgets all count by this.

use std::ops::Add;

use super::{Settings, SettingsError, Start};
use crate::strategy::{self, Strategy};

/// Epochs and evaluations. What is too much for a number is as good as the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Epochs of SGD, of all networks together.
    pub epochs: u64,
    /// Networks whose fitness is measured. That of a clone is known.
    pub evaluations: u64,
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            epochs: self.epochs.saturating_add(other.epochs),
            evaluations: self.evaluations.saturating_add(other.evaluations),
        }
    }
}

/// Networks that train side by side, each for so many epochs.
#[derive(Clone, Copy, Debug)]
struct Training {
    networks: usize,
    epochs: u64,
}

impl Training {
    fn of(networks: usize, epochs: usize) -> Self {
        Self { networks, epochs: epochs as u64 }
    }

    fn epochs(self) -> u64 {
        self.epochs.saturating_mul(self.networks as u64)
    }

    /// Each epoch is scored.
    fn work(self) -> Work {
        Work { epochs: self.epochs(), evaluations: self.epochs() }
    }

    fn rounds(self, threads: usize) -> u64 {
        self.epochs.saturating_mul(self.networks.div_ceil(threads.max(1)) as u64)
    }
}

/// What a run takes before, in and after its generations.
///
/// This is what a run comes to exactly, but for three ways to end up with less: the generations may end early
/// (patience, or a strategy that ends them), a strategy may let μ shrink, and clones may come up where only some
/// offspring are such (ρ = 1 and noise that is annealed to nothing).
///
/// ```
/// use esgd_core::{Settings, TestFunction, settings::{Start, Work}};
///
/// let start = Start::Shared { epochs: 5, candidates: 4, halvings: 1 };
/// let settings = Settings { start, optimizers: TestFunction::optimizers(), ..Settings::paper() };
/// let workload = settings.workload()?;
/// // Four candidates and then the better two, each scored once on each rung.
/// assert_eq!(workload.start(), Work { epochs: 4 * 5 + 2 * 5, evaluations: 4 + 2 });
/// // mu = 10 and lambda = 40, for 15 generations of one epoch.
/// assert_eq!(workload.generations(), Work { epochs: 150, evaluations: 150 + 600 });
/// assert_eq!(workload.fine_tune(), Work { epochs: 50, evaluations: 50 });
/// # Ok::<(), esgd_core::settings::SettingsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Workload {
    /// The rungs of a shared start; each of its candidates is scored once on each.
    rungs: Vec<Training>,
    /// Networks of the initial population that are scored untrained.
    founders: u64,
    generations: u64,
    /// The SGD step of a generation.
    sgd_step: Training,
    /// Networks that are scored in all evolution steps.
    offspring: u64,
    fine_tune: Training,
}

impl Settings {
    /// What a run under these settings takes.
    ///
    /// # Errors
    /// There is no such strategy, or not with these parameters.
    pub fn workload(&self) -> Result<Workload, SettingsError> {
        Ok(self.workload_with(&*strategy::make(&self.strategy)?))
    }

    /// What a run under these settings takes with this strategy, whatever the settings name.
    #[must_use]
    pub fn workload_with(&self, strategy: &dyn Strategy) -> Workload {
        let generations = self.generations as u64;
        let rungs = self.start.rungs().into_iter();
        let steps = generations.saturating_mul(self.evolution_steps as u64);
        let trained = self.trained();
        let tuned = trained.min(self.fine_tune.individuals(self.mu));
        Workload {
            rungs: rungs.map(|rung| Training::of(rung.candidates, rung.epochs)).collect(),
            founders: match self.start {
                Start::Shared { .. } => 0,
                Start::Independent | Start::Warm { .. } => self.mu as u64,
            },
            generations,
            sgd_step: Training::of(trained, self.epochs),
            offspring: strategy.evaluations(self, steps),
            fine_tune: Training::of(tuned, self.fine_tune.epochs),
        }
    }

    /// How many individuals train in a generation: all but an anchor.
    #[must_use]
    pub fn trained(&self) -> usize {
        self.mu - usize::from(self.guarantee.anchor && self.mu > 0)
    }
}

impl Workload {
    /// Of the initial population.
    #[must_use]
    pub fn start(&self) -> Work {
        let founders = Work { epochs: 0, evaluations: self.founders };
        let rungs = self.rungs.iter();
        rungs
            .map(|rung| Work { epochs: rung.epochs(), evaluations: rung.networks as u64 })
            .fold(founders, Add::add)
    }

    /// Of all generations.
    #[must_use]
    pub fn generations(&self) -> Work {
        let epochs = self.epochs_after(0);
        Work { epochs, evaluations: epochs.saturating_add(self.offspring) }
    }

    /// Epochs of the generations after the `k`-th.
    #[must_use]
    pub fn epochs_after(&self, k: usize) -> u64 {
        let generations = self.generations.saturating_sub(k as u64);
        self.sgd_step.epochs().saturating_mul(generations)
    }

    /// Of fine-tuning.
    #[must_use]
    pub fn fine_tune(&self) -> Work {
        self.fine_tune.work()
    }

    /// Of the whole run.
    #[must_use]
    pub fn total(&self) -> Work {
        self.start() + self.generations() + self.fine_tune()
    }

    /// How many epochs follow one another on so many threads, each of which trains a network at a time.
    #[must_use]
    pub fn rounds(&self, threads: usize) -> u64 {
        let generations = self.sgd_step.rounds(threads).saturating_mul(self.generations);
        let others = self.rungs.iter().chain([&self.fine_tune]);
        others.map(|training| training.rounds(threads)).fold(generations, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FineTune;

    /// A thread has no half of a network.
    #[test]
    fn threads_without_a_network_wait() {
        let fine_tune = FineTune { epochs: 5, best: 3, ..Settings::paper().fine_tune };
        let start = Start::Shared { epochs: 2, candidates: 5, halvings: 1 };
        let settings =
            Settings { mu: 7, m: 1, generations: 3, fine_tune, start, ..Settings::paper() };
        let rounds = |threads| settings.workload().unwrap().rounds(threads);
        assert_eq!(rounds(1), settings.workload().unwrap().total().epochs);
        assert_eq!(rounds(2), (3 * 2 + 2 * 2) + 3 * 4 + 2 * 5);
        assert_eq!((rounds(100), rounds(0)), (2 + 2 + 3 + 5, rounds(1)));
    }

    #[test]
    fn what_is_too_much_is_the_largest_number() {
        let (mu, generations, epochs, lambda) = (usize::MAX, usize::MAX, usize::MAX, usize::MAX);
        let settings = Settings { mu, generations, epochs, lambda, ..Settings::paper() };
        let workload = settings.workload().unwrap();
        assert_eq!(workload.total(), Work { epochs: u64::MAX, evaluations: u64::MAX });
        assert_eq!(workload.rounds(2), u64::MAX);
    }
}
