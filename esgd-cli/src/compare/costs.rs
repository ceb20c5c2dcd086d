//! What training and evaluating cost, in forward passes of a sample: a gradient step takes three a
//! sample, forwards and backwards, and an evaluation one.

use esgd_core::{
    Effort, Settings,
    settings::{FineTune, Rung, Start},
};
use esgd_models::{Network, Supervised};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Forward passes that training on a sample takes.
pub(crate) const STEP: u64 = 3;

/// The samples of a task, from which everything follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Samples that an epoch trains on.
    pub train: u64,
    /// Samples that fitness is measured on.
    pub fitness: u64,
    /// Whether averaged weights need their statistics estimated anew.
    pub statistics: bool,
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spent {
    /// Samples that gradient steps were made on.
    pub gradient_samples: u64,
    /// Samples that networks were evaluated on, to choose by.
    pub evaluation_samples: u64,
}

impl Spent {
    /// In forward passes.
    pub(crate) fn passes(self) -> u64 {
        STEP * self.gradient_samples + self.evaluation_samples
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

impl Cost {
    pub(crate) fn of(problem: &Supervised<Network>) -> Self {
        let network = problem.task();
        Self {
            train: problem.train().len() as u64,
            fitness: problem.fitness_data().len() as u64,
            statistics: network.bytes() > 4 * network.parameters() as u64,
        }
    }

    /// An epoch with the evaluation after it.
    pub(crate) fn epoch(self) -> u64 {
        STEP * self.train + self.fitness
    }

    /// Choosing an ensemble and a soup from so many networks.
    pub(crate) fn choosing(self, networks: usize) -> u64 {
        2 * networks as u64 * self.fitness + self.averaging()
    }

    /// Scoring averaged weights, and once more with statistics estimated anew where there are any.
    pub(crate) fn averaging(self) -> u64 {
        self.fitness + if self.statistics { self.train + self.fitness } else { 0 }
    }

    /// What a run under these settings has spent, from what it tells.
    pub(crate) fn spent(self, s: &Settings, effort: Effort) -> Spent {
        let (scored, unscored) = match s.start {
            Start::Shared { .. } => {
                (s.start.rungs().iter().map(|rung| rung.candidates).sum(), s.start.epochs())
            }
            Start::Independent | Start::Warm { .. } => (s.mu, 0),
        };
        let offspring = if clones(s) { 0 } else { effort.offspring };
        let evaluations = scored + effort.epochs.saturating_sub(unscored) + offspring;
        Spent {
            gradient_samples: effort.epochs as u64 * self.train,
            evaluation_samples: evaluations as u64 * self.fitness,
        }
    }

    /// A run under these settings: what it takes before, in and after its generations.
    fn parts(self, s: &Settings) -> (u64, u64) {
        let mu = s.mu as u64;
        let start = match s.start {
            Start::Shared { .. } => {
                let rung = |rung: Rung| {
                    rung.candidates as u64 * (rung.epochs as u64 * STEP * self.train + self.fitness)
                };
                s.start.rungs().into_iter().map(rung).sum()
            }
            Start::Independent | Start::Warm { .. } => mu * self.fitness,
        };
        // An anchor is never trained.
        let trained = mu - u64::from(s.guarantee.anchor);
        let tuned = trained.min(s.fine_tune.individuals(s.mu) as u64);
        let end = tuned * s.fine_tune.epochs as u64 * self.epoch();
        let offspring = if clones(s) { 0 } else { (s.evolution_steps * s.lambda) as u64 };
        let generation = trained * s.epochs as u64 * self.epoch() + offspring * self.fitness;
        (start + end, generation)
    }

    /// A run under these settings.
    pub(crate) fn run(self, settings: &Settings) -> u64 {
        let (fixed, generation) = self.parts(settings);
        fixed.saturating_add(generation.saturating_mul(settings.generations as u64))
    }

    /// The same settings with as many generations as `budget` is enough for. What is not enough for another
    /// goes into fine-tuning, of all individuals or of the best.
    pub(crate) fn longest(self, settings: &Settings, budget: u64) -> Option<Settings> {
        let (fixed, generation) = self.parts(settings);
        let left = budget.checked_sub(fixed)?;
        let generations = left / generation;
        let mut longest = Settings { generations: generations as usize, ..settings.clone() };
        let spare = left % generation / self.epoch();
        if spare > 0 {
            let trained = settings.mu - usize::from(settings.guarantee.anchor);
            longest.fine_tune = tuned_longer(&settings.fine_tune, trained, spare as usize);
        }
        (generations > 0).then_some(longest)
    }

    /// How many epochs, each with an evaluation, `budget` is enough for, after evaluating once.
    pub(crate) fn epochs(self, budget: u64) -> usize {
        (budget.saturating_sub(self.fitness) / self.epoch()) as usize
    }

    /// The epochs of each of `n` runs that share a budget; some have one more than others.
    pub(crate) fn shares(self, budget: u64, n: usize) -> Vec<usize> {
        let total = (budget.saturating_sub(n as u64 * self.fitness) / self.epoch()) as usize;
        (0..n).map(|i| total / n + usize::from(i < total % n)).collect()
    }

    /// A budget as it is written: a number of epochs, or of samples.
    pub(crate) fn parse(self, text: &str) -> Result<u64, Failure> {
        let (number, samples) = match text.strip_suffix("samples") {
            Some(number) => (number.trim(), 1),
            None => (text.strip_suffix("epochs").unwrap_or(text).trim(), self.train),
        };
        let passes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(STEP * samples));
        passes.filter(|passes| *passes > 0).ok_or_else(|| {
            Failure::Usage(format!(
                "--budget {}: expected a number of epochs such as 96, or of samples such as 500000samples",
                text.escape_debug()
            ))
        })
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

/// Whether offspring are copies, whose fitness is known.
fn clones(s: &Settings) -> bool {
    s.rho == 1 && s.mutation.sigma == 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COSTS: Cost = Cost { train: 1000, fitness: 300, statistics: false };

    #[test]
    fn a_run_costs_what_it_trains_and_evaluates() {
        let mut settings = Settings::paper();
        (settings.mu, settings.lambda, settings.generations, settings.epochs) = (4, 8, 5, 2);
        settings.fine_tune.epochs = 3;
        let expected = 4 * 300 + 5 * (4 * 2 * 3300 + 8 * 300) + 4 * 3 * 3300;
        assert_eq!(COSTS.run(&settings), expected);
        let longest = |budget| COSTS.longest(&settings, budget).map(|s| s.generations);
        assert_eq!((longest(expected), longest(expected - 1)), (Some(5), Some(4)));
        let cut = COSTS.longest(&settings, expected - 1).unwrap();
        assert_eq!(cut.fine_tune.epochs, 3 + 2, "what was left of a generation");
        assert_eq!(cut.fine_tune.individuals(4), 4);
        assert!(COSTS.run(&cut) < expected);
        assert_eq!(longest(4 * 300 + 4 * 3 * 3300), None);
        assert_eq!(COSTS.shares(3 * 300 + 8 * 3300, 3), [3, 3, 2]);
        assert_eq!(COSTS.shares(3 * 300 + 8 * 3300 - 1, 3), [3, 2, 2]);
        assert_eq!(COSTS.shares(1, 2), [0, 0]);
        settings.start = Start::Shared { epochs: 2, candidates: 3, halvings: 0 };
        assert_eq!(COSTS.run(&settings), expected - 4 * 300 + 3 * (2 * 3000 + 300));
        settings.start = Start::Shared { epochs: 2, candidates: 3, halvings: 1 };
        let climbed = 2 * (2 * 3000 + 300);
        assert_eq!(COSTS.run(&settings), expected - 4 * 300 + 3 * (2 * 3000 + 300) + climbed);
    }

    proptest! {
        /// What a run stops short by is less than an epoch of one network for each that it fine-tunes.
        #[test]
        fn little_is_left(
            mu in 1usize..12, epochs in 1usize..4, tune in 0usize..4, lambda in 0usize..9,
            best in 0usize..12, extra in 0u64..500_000, anchor: bool,
        ) {
            let mut settings = Settings::paper();
            (settings.mu, settings.epochs, settings.lambda) = (mu, epochs, lambda);
            settings.fine_tune.epochs = tune;
            settings.fine_tune.best = best.min(mu);
            settings.generations = 1;
            settings.guarantee.anchor = anchor && mu > 1;
            let budget = COSTS.run(&settings) + extra;
            let longest = COSTS.longest(&settings, budget).unwrap();
            let left = budget - COSTS.run(&longest);
            prop_assert!(longest.fine_tune.epochs >= tune);
            prop_assert!(left < longest.fine_tune.individuals(mu).max(1) as u64 * COSTS.epoch() + lambda as u64 * 300, "{left}");
        }
    }

    #[test]
    fn budgets_are_epochs_or_samples() {
        for (text, passes) in
            [("96", 288_000), ("96epochs", 288_000), ("96 epochs", 288_000), ("500samples", 1500)]
        {
            assert_eq!(COSTS.parse(text).unwrap(), passes);
        }
        for text in ["", "0", "-1", "1.5", "many", "99999999999999999999", "18446744073709551615"] {
            let message = COSTS.parse(text).unwrap_err().to_string();
            assert!(message.contains("--budget") && !message.contains('\n'), "{message}");
        }
    }
}
