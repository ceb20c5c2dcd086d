//! What is compared: each method's name, what it is, and what it runs within a budget.

use esgd_core::{HalvingSettings, OptimizerPool, Settings, baselines, budget::BudgetError};
use serde::{Deserialize, Serialize};

use super::costs::Costs;
use crate::{config::Rivals, failure::Failure};

/// A method of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The config's own run.
    Esgd,
    /// The same without evolution steps, for more generations.
    NoEvolution,
    /// μ networks with recipes drawn once.
    Population,
    /// Population-based training.
    Pbt,
    /// Asynchronous successive halving.
    Asha,
    /// A run for each learning rate, an equal share each.
    Tuned,
    /// μ single runs from other initial weights.
    Restarts,
    /// One run as long as the budget.
    Long,
    /// The same with the weights of its last quarter averaged.
    Swa,
    /// One run with a μ-th of the budget.
    Single,
    /// The best learning rate of full-length runs, of which the others are not paid for.
    Oracle,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Job {
    /// A population, or one network.
    Evolve(Settings),
    /// One network, and the average of its weights after the generations behind `after`.
    Average { settings: Settings, after: usize },
    /// Successive halving.
    Halve(HalvingSettings),
}

impl Job {
    /// The same with another seed.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        let mut job = self.clone();
        match &mut job {
            Self::Evolve(settings) | Self::Average { settings, .. } => settings.seed = seed,
            Self::Halve(halving) => halving.seed = seed,
        }
        job
    }

    /// How many networks train at the same time.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Evolve(settings) | Self::Average { settings, .. } => settings.mu,
            Self::Halve(halving) => halving.workers,
        }
    }
}

impl Method {
    /// All, as they stand in tables.
    pub const ALL: [Self; 11] = [
        Self::Esgd,
        Self::NoEvolution,
        Self::Population,
        Self::Pbt,
        Self::Asha,
        Self::Tuned,
        Self::Restarts,
        Self::Long,
        Self::Swa,
        Self::Single,
        Self::Oracle,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Esgd => "esgd",
            Self::NoEvolution => "no-evolution",
            Self::Population => "population",
            Self::Pbt => "pbt",
            Self::Asha => "asha",
            Self::Tuned => "tuned",
            Self::Restarts => "restarts",
            Self::Long => "long",
            Self::Swa => "swa",
            Self::Single => "single",
            Self::Oracle => "oracle",
        }
    }

    /// The method of that name.
    ///
    /// # Errors
    /// That there is none, with those that there are.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = crate::config::nearest::did_you_mean(name, names.into_iter());
            Failure::Usage(format!(
                "there is no method `{}`: expected some of {}{hint}",
                name.escape_debug(),
                names.join(", ")
            ))
        })
    }

    /// What it is called in a table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Esgd => "ESGD",
            Self::NoEvolution => "ESGD without evolution",
            Self::Population => "population of random recipes",
            Self::Pbt => "population-based training",
            Self::Asha => "successive halving (ASHA)",
            Self::Tuned => "tuned single run",
            Self::Restarts => "restarted single run",
            Self::Long => "long single run",
            Self::Swa => "single run with SWA",
            Self::Single => "short single run",
            Self::Oracle => "single run at the best rate",
        }
    }

    /// What it is, in one line.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Esgd => "the run of these settings",
            Self::NoEvolution => "the same without evolution steps, for more generations",
            Self::Population => {
                "mu networks with recipes drawn once, annealed as compare.anneal says; the best counts"
            }
            Self::Pbt => {
                "the worst fifth copies the best fifth, weights and recipe, and explores (Jaderberg et al., 2017)"
            }
            Self::Asha => {
                "many recipes, annealed so too, a third of which goes on each time (Li et al., 2020)"
            }
            Self::Tuned => {
                "a run for each learning rate in compare.rates, an equal share each; the best counts"
            }
            Self::Restarts => {
                "mu runs of compare.single from other initial weights; the best counts"
            }
            Self::Long => "one run of compare.single as long as the budget",
            Self::Swa => {
                "the same at a large learning rate, the weights of its last quarter averaged (Izmailov et al., 2018)"
            }
            Self::Single => "one run of compare.single with a mu-th of the budget",
            Self::Oracle => {
                "a run for each learning rate in compare.rates, each as long as the budget; the best counts, and the others are not paid for"
            }
        }
    }

    /// Whether it spends less than the budget, or more, and so is no rival.
    pub(crate) fn is_apart(self) -> bool {
        matches!(self, Self::Single | Self::Oracle)
    }

    /// Whether it leaves networks to make an ensemble of.
    pub(crate) fn leaves_many(self) -> bool {
        matches!(
            self,
            Self::Esgd | Self::NoEvolution | Self::Population | Self::Pbt | Self::Restarts
        )
    }

    /// Whether it averages the weights of networks.
    pub(crate) fn averages(self) -> bool {
        self == Self::Swa
    }

    /// What it needs at least, told where a budget is too small.
    fn too_small(self) -> Failure {
        Failure::Usage(format!(
            "the budget is too small for `{}`: give more, leave the method out, or make mu, lambda, the start or fine_tune.epochs smaller",
            self.name()
        ))
    }

    /// Whether it has a run for each learning rate of `compare.rates`.
    pub(crate) fn tries_rates(self) -> bool {
        matches!(self, Self::Tuned | Self::Oracle)
    }

    /// What it runs within `budget`: one job, or one for each learning rate.
    pub(crate) fn jobs(
        self,
        own: &Settings,
        rivals: &Rivals,
        costs: Costs,
        budget: u64,
    ) -> Result<Vec<Job>, Failure> {
        let cost = costs.run;
        let choosing = if self.leaves_many() { costs.choosing(own.mu + 1) } else { 0 };
        let for_training = budget.checked_sub(choosing).ok_or_else(|| self.too_small())?;
        let single = |epochs: usize, pool: OptimizerPool| match epochs {
            0 => Err(self.too_small()),
            _ => Ok(baselines::single(own, epochs, pool)),
        };
        let pool = rivals.pool();
        let drawn = baselines::annealed(&own.optimizers, &rivals.anneal);
        let longest = |settings: &Settings| {
            cost.longest(settings, for_training).map_err(|error| match error {
                BudgetError::TooSmall { .. } => self.too_small(),
                BudgetError::Settings(fault) => {
                    Failure::Usage(format!("`{}`: {fault}", self.name()))
                }
            })
        };
        let settings = match self {
            Self::Esgd => longest(own)?,
            Self::NoEvolution => longest(&baselines::without_evolution(own))?,
            Self::Population => longest(&baselines::population(own, drawn))?,
            Self::Restarts => longest(&baselines::population(own, pool))?,
            Self::Pbt => longest(&baselines::population_based(own))?,
            Self::Long => single(cost.epochs(budget), pool)?,
            Self::Single => single(cost.epochs(budget) / own.mu, pool)?,
            Self::Tuned | Self::Oracle => {
                let rates = &rivals.rates;
                let shares = match self {
                    Self::Oracle => vec![cost.epochs(budget); rates.len()],
                    _ => cost.shares(budget, rates.len()),
                };
                let run = |(&rate, epochs): (&f64, usize)| {
                    single(epochs, baselines::with_rate(&pool, rate)).map(Job::Evolve)
                };
                return rates.iter().zip(shares).map(run).collect();
            }
            Self::Swa => {
                let left = budget.checked_sub(costs.averaging()).ok_or_else(|| self.too_small())?;
                let epochs = cost.epochs(left);
                let settings = single(epochs, baselines::at_large_rates(&pool, epochs))?;
                return Ok(vec![Job::Average { settings, after: epochs - epochs.div_ceil(4) }]);
            }
            Self::Asha => {
                let epochs = (budget / cost.epoch()) as usize;
                let halving = baselines::successive_halving(own.seed, epochs, drawn);
                return Ok(vec![Job::Halve(halving.ok_or_else(|| self.too_small())?)]);
            }
        };
        Ok(vec![Job::Evolve(settings)])
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{Distribution, budget::Cost};

    use super::*;
    use crate::config::Config;

    const COSTS: Costs =
        Costs { run: Cost { train: 1000, fitness: 300 }, predicts: true, statistics: false };
    /// Of training with evaluations.
    const EPOCHS: u64 = 1200;

    fn jobs(method: Method, changes: &[&str]) -> Vec<Job> {
        let changes: Vec<String> = changes.iter().map(|&change| change.to_owned()).collect();
        let config = Config::with_changes("", "a test", &changes).unwrap();
        method.jobs(&config.settings, &config.compare, COSTS, EPOCHS * COSTS.run.epoch()).unwrap()
    }

    fn settings(job: &Job) -> &Settings {
        match job {
            Job::Evolve(settings) | Job::Average { settings, .. } => settings,
            Job::Halve(_) => panic!("{job:?} is no population"),
        }
    }

    #[test]
    fn tuning_shares_the_budget_and_what_is_not_paid_for_does_not() {
        let rates = ["compare.rates=[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]"];
        let epochs = |method| -> Vec<usize> {
            jobs(method, &rates).iter().map(|job| settings(job).generations).collect()
        };
        // Each of the seven runs scores a network before it begins.
        assert_eq!(epochs(Method::Tuned), [172, 172, 171, 171, 171, 171, 171]);
        assert_eq!(epochs(Method::Oracle), [1199; 7]);
        let rate = |job: &Job| settings(job).optimizers.0[0].domains["lr"].law.clone();
        let found: Vec<_> = jobs(Method::Tuned, &rates).iter().map(rate).collect();
        assert_eq!((&found[0], &found[6]), (&Distribution::Fixed(0.01), &Distribution::Fixed(1.0)));
    }

    /// With all that is chosen after training. What a config says of its own fine-tuning is nothing to others.
    #[test]
    fn every_method_can_run_and_plans_to_spend_no_more_than_the_budget() {
        let changes = ["fine_tune.best=2".to_owned()];
        let config = Config::with_changes("", "a test", &changes).unwrap();
        for statistics in [false, true] {
            let costs = Costs { statistics, ..COSTS };
            let budget = EPOCHS * costs.run.epoch() + 17;
            for method in Method::ALL {
                let jobs = method.jobs(&config.settings, &config.compare, costs, budget).unwrap();
                let run = |settings: &Settings| costs.run.run(settings).unwrap();
                let cost = |job: &Job| match job {
                    Job::Halve(halving) => halving.budget as u64 * costs.run.epoch(),
                    Job::Average { settings, .. } => run(settings) + costs.averaging(),
                    Job::Evolve(settings) if method.leaves_many() => {
                        run(settings) + costs.choosing(settings.mu + 1)
                    }
                    Job::Evolve(settings) => run(settings),
                };
                let check = |job: &Job| match job {
                    Job::Halve(halving) => halving.check(),
                    other => settings(other).check(),
                };
                assert!(jobs.iter().all(|job| check(job) == Ok(())), "{method:?}");
                let runs = if method == Method::Oracle { jobs.len() as u64 } else { 1 };
                assert!(jobs.iter().map(cost).sum::<u64>() <= runs * budget, "{method:?}");
            }
        }
    }
}
