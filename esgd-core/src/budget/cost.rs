//! Costs in forward passes of a sample: a gradient step takes three a sample, forwards and backwards, and an
//! evaluation one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Effort, Settings,
    settings::{FineTune, SettingsError, Work},
    strategy,
};

/// Forward passes that training on a sample takes.
pub const STEP: u64 = 3;

/// The samples of a problem, from which its costs follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Samples that an epoch trains on.
    pub train: u64,
    /// Samples that fitness is measured on, at least 1.
    pub fitness: u64,
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// Samples that gradient steps were made on.
    pub gradient_samples: u64,
    /// Samples that networks were evaluated on, to choose by.
    pub evaluation_samples: u64,
}

/// Why there is no run within a budget.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BudgetError {
    /// It is not enough for a generation.
    #[error("a budget of {budget} forward passes is not enough for one generation: give more")]
    TooSmall {
        /// In forward passes of a sample.
        budget: u64,
    },
    /// The settings cannot work, whatever the budget.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Spent {
    /// In forward passes of a sample.
    #[must_use]
    pub fn passes(self) -> u64 {
        STEP.saturating_mul(self.gradient_samples).saturating_add(self.evaluation_samples)
    }
}

impl std::ops::Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            gradient_samples: self.gradient_samples + other.gradient_samples,
            evaluation_samples: self.evaluation_samples + other.evaluation_samples,
        }
    }
}

impl std::ops::Sub for Spent {
    type Output = Self;

    /// What was spent since `other`, which is no more.
    fn sub(self, other: Self) -> Self {
        Self {
            gradient_samples: self.gradient_samples.saturating_sub(other.gradient_samples),
            evaluation_samples: self.evaluation_samples.saturating_sub(other.evaluation_samples),
        }
    }
}

impl Cost {
    /// Epochs and evaluations as samples.
    #[must_use]
    pub fn of(self, work: Work) -> Spent {
        Spent {
            gradient_samples: work.epochs.saturating_mul(self.train),
            evaluation_samples: work.evaluations.saturating_mul(self.fitness),
        }
    }

    /// An epoch with the evaluation after it, in forward passes.
    #[must_use]
    pub fn epoch(self) -> u64 {
        self.of(Work { epochs: 1, evaluations: 1 }).passes()
    }

    /// A run under these settings, in forward passes.
    ///
    /// # Errors
    /// The settings cannot work.
    pub fn run(self, settings: &Settings) -> Result<u64, SettingsError> {
        Ok(self.of(settings.workload()?.total()).passes())
    }

    /// What a run under these settings has spent, from what it tells.
    ///
    /// # Errors
    /// The settings cannot work.
    pub fn spent(self, settings: &Settings, effort: Effort) -> Result<Spent, SettingsError> {
        let strategy = strategy::make(&settings.strategy)?;
        let start = settings.workload_with(&*strategy).start();
        let epochs = effort.epochs as u64;
        // Clones are counted as offspring, and have the fitness of their parents.
        let clones = strategy.needs(settings).evaluations == 0;
        let offspring = if clones { 0 } else { effort.offspring as u64 };
        let evaluations = start.evaluations + epochs.saturating_sub(start.epochs) + offspring;
        Ok(self.of(Work { epochs, evaluations }))
    }

    /// The same settings with as many generations as `budget`, in forward passes, is enough for. What is not enough
    /// for another goes into fine-tuning, of all individuals or of the best.
    ///
    /// # Errors
    /// The budget is not enough for a generation, or the settings cannot work.
    pub fn longest(self, settings: &Settings, budget: u64) -> Result<Settings, BudgetError> {
        settings.check()?;
        let strategy = strategy::make(&settings.strategy)?;
        let workload = Settings { generations: 1, ..settings.clone() }.workload_with(&*strategy);
        let fixed = self.of(workload.start() + workload.fine_tune()).passes();
        // The first generations may take less.
        let offspring = strategy.needs(settings).evaluations as u64;
        let offspring = offspring.saturating_mul(settings.evolution_steps as u64);
        let epochs = workload.epochs_after(0);
        let generation = Work { epochs, evaluations: epochs.saturating_add(offspring) };
        let generation = self.of(generation).passes();
        let too_small = BudgetError::TooSmall { budget };
        let left = budget.checked_sub(fixed).ok_or(too_small.clone())?;
        let generations = left.checked_div(generation).filter(|n| *n > 0).ok_or(too_small)?;
        let mut longest = Settings { generations: generations as usize, ..settings.clone() };
        let spare = left % generation / self.epoch();
        if spare > 0 {
            longest.fine_tune =
                tuned_longer(&settings.fine_tune, settings.trained(), spare as usize);
        }
        Ok(longest)
    }

    /// How many epochs, each with an evaluation, `budget` is enough for, after evaluating once.
    #[must_use]
    pub fn epochs(self, budget: u64) -> usize {
        (budget.saturating_sub(self.fitness) / self.epoch()) as usize
    }

    /// The epochs of each of `n` runs that share a budget; some have one more than others.
    #[must_use]
    pub fn shares(self, budget: u64, n: usize) -> Vec<usize> {
        let total = (budget.saturating_sub(n as u64 * self.fitness) / self.epoch()) as usize;
        (0..n).map(|i| total / n + usize::from(i < total % n)).collect()
    }
}

/// Fine-tuning with `spare` more epochs, for no fewer than half of the individuals that it was for where
/// there is as much to give.
fn tuned_longer(own: &FineTune, trained: usize, spare: usize) -> FineTune {
    let tuned = own.individuals(trained);
    let total = tuned * own.epochs + spare;
    let shares = (tuned.div_ceil(2)..=tuned).map(|best| (best, total / best));
    let longer = shares.filter(|(_, epochs)| *epochs >= own.epochs.max(1));
    let most = longer.max_by_key(|(best, epochs)| (best * epochs, *best));
    let (best, epochs) = most.unwrap_or((total, 1));
    FineTune { epochs, best, lr: own.lr.clone() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{TestFunction, settings::Start};

    const COST: Cost = Cost { train: 1000, fitness: 300 };

    fn paper() -> Settings {
        Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() }
    }

    #[test]
    fn a_run_costs_what_it_trains_and_evaluates() {
        let mut settings = paper();
        (settings.mu, settings.lambda, settings.generations, settings.epochs) = (4, 8, 5, 2);
        settings.m = 2;
        settings.fine_tune.epochs = 3;
        let run = |settings: &Settings| COST.run(settings).unwrap();
        let expected = 4 * 300 + 5 * (4 * 2 * 3300 + 8 * 300) + 4 * 3 * 3300;
        assert_eq!(run(&settings), expected);
        let longest = |budget| COST.longest(&settings, budget).map(|s| s.generations);
        assert_eq!((longest(expected), longest(expected - 1)), (Ok(5), Ok(4)));
        let cut = COST.longest(&settings, expected - 1).unwrap();
        assert_eq!(cut.fine_tune.epochs, 3 + 2, "what was left of a generation");
        assert_eq!(cut.fine_tune.individuals(4), 4);
        assert!(run(&cut) < expected);
        let budget = 4 * 300 + 4 * 3 * 3300;
        assert_eq!(longest(budget), Err(BudgetError::TooSmall { budget }));
        assert_eq!(COST.shares(3 * 300 + 8 * 3300, 3), [3, 3, 2]);
        assert_eq!(COST.shares(3 * 300 + 8 * 3300 - 1, 3), [3, 2, 2]);
        assert_eq!(COST.shares(1, 2), [0, 0]);
        settings.start = Start::Shared { epochs: 2, candidates: 3, halvings: 0 };
        assert_eq!(run(&settings), expected - 4 * 300 + 3 * (2 * 3000 + 300));
        settings.start = Start::Shared { epochs: 2, candidates: 3, halvings: 1 };
        let climbed = 2 * (2 * 3000 + 300);
        assert_eq!(run(&settings), expected - 4 * 300 + 3 * (2 * 3000 + 300) + climbed);
    }

    /// No number of generations that do nothing spends a budget.
    #[test]
    fn what_does_nothing_has_no_longest_run() {
        let idle = Settings { epochs: 0, lambda: 0, ..paper() };
        let error = COST.longest(&idle, 1_000_000).unwrap_err().to_string();
        assert!(error.contains("nothing to do"), "{error}");
    }

    proptest! {
        /// What a run stops short by is less than an epoch of one network for each that it fine-tunes.
        #[test]
        fn little_is_left(
            mu in 1usize..12, epochs in 1usize..4, tune in 0usize..4, lambda in 0usize..9,
            best in 0usize..12, extra in 0u64..500_000, anchor: bool,
        ) {
            let mut settings = paper();
            (settings.mu, settings.epochs, settings.lambda) = (mu, epochs, lambda);
            (settings.m, settings.rho) = (1, 1);
            settings.fine_tune.epochs = tune;
            settings.fine_tune.best = best.min(mu);
            settings.generations = 1;
            settings.guarantee.anchor = anchor && mu > 1;
            let budget = COST.run(&settings).unwrap() + extra;
            let longest = COST.longest(&settings, budget).unwrap();
            let left = budget - COST.run(&longest).unwrap();
            prop_assert!(longest.fine_tune.epochs >= tune);
            prop_assert!(left < longest.fine_tune.individuals(mu).max(1) as u64 * COST.epoch() + lambda as u64 * 300, "{left}");
        }
    }
}
