//! A comparison on anybody's problem.

use std::{collections::BTreeMap, iter, path::PathBuf, sync::atomic::AtomicBool, thread};

use esgd_core::{Distribution, OptimizerSpec, Portable, Schedule, Settings, budget::Cost};
use esgd_models::{Supervised, Task, data::Dataset};

use super::{
    Asked, Comparison, Folder, Method, Watcher, compare,
    costs::Costs,
    of_config::fingerprint,
    predictor::{Predictor, TestedOn},
    subject::{About, Subject},
    trial::Identity,
};
use crate::{
    config::{Described, Rivals},
    error::Error,
    failure::Failure,
    files::sha256,
    run::restore::MOST_OF_A_FILE,
    text::first_line::first_line,
};

/// How many learning rates tuning tries, where none are named.
const RATES: usize = 5;

/// ESGD and other methods on a problem of your own, each with the same budget.
///
/// What each run comes to is kept in the folder, with a table of all: the same comparison goes on where it was stopped,
/// and [`report::write`](crate::report::write) makes its page. Of a problem that makes no predictions the methods that
/// need them are left out, and the verdict names them: averages of weights, ensembles, soups.
///
/// ```
/// use esgd::compare::{Compare, Method};
/// use esgd_core::{Function, Settings, TestFunction};
///
/// # let dir = tempfile::tempdir()?;
/// # let folder = dir.path().join("mine");
/// let problem = TestFunction::new(Function::Rosenbrock, 5);
/// let settings = Settings {
///     generations: 2, mu: 4, m: 2, optimizers: TestFunction::optimizers(), ..Settings::paper()
/// };
/// let methods = [Method::Esgd, Method::Pbt, Method::Swa];
/// let compare = Compare::new("Rosenbrock in 5", &problem, &settings, &folder).seeds(3);
/// let comparison = compare.methods(&methods).run()?;
/// let comparison = comparison.expect("nothing has stopped it");
/// assert!(comparison.verdict().last().is_some_and(|last| last.contains("SWA")));
/// println!("{comparison}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Compare<'a, P: Portable> {
    problem: &'a P,
    settings: &'a Settings,
    folder: PathBuf,
    name: String,
    /// What else results are known by.
    data: String,
    costs: Costs,
    cost: Option<Cost>,
    rivals: Rivals,
    predictor: Option<Box<dyn Predictor<P> + 'a>>,
    test: usize,
    methods: &'a [Method],
    seeds: u64,
    budget: Option<u64>,
    threads: usize,
    watcher: &'a dyn Watcher,
    stop: &'a AtomicBool,
}

/// What never becomes true.
static NEVER: AtomicBool = AtomicBool::new(false);

impl<'a, P: Portable> Compare<'a, P> {
    /// All methods that the problem has what they need for, with three seeds from the settings' on, and as much for each
    /// as ESGD takes under `settings`. An epoch and an evaluation count as one sample each.
    ///
    /// Results are known by the `name` and by what fitness is measured with, so a problem that is changed needs another
    /// name.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        problem: &'a P,
        settings: &'a Settings,
        folder: impl Into<PathBuf>,
    ) -> Self {
        let run = Cost { train: 1, fitness: 1 };
        Self {
            problem,
            settings,
            folder: folder.into(),
            name: name.into(),
            data: String::new(),
            costs: Costs { run, predicts: false, statistics: false },
            cost: None,
            rivals: rivals(settings),
            predictor: None,
            test: 0,
            methods: &Method::ALL,
            seeds: 3,
            budget: None,
            threads: thread::available_parallelism().map_or(1, usize::from),
            watcher: &(),
            stop: &NEVER,
        }
    }

    /// How many samples an epoch trains on, and a network is scored on: both at least 1. That of networks that predict
    /// follows from their data.
    #[must_use]
    pub fn cost(self, cost: Cost) -> Self {
        Self { cost: Some(cost), ..self }
    }

    /// The methods to compare.
    #[must_use]
    pub fn methods(self, methods: &'a [Method]) -> Self {
        Self { methods, ..self }
    }

    /// How many runs of each method, from 1 to 10,000.
    #[must_use]
    pub fn seeds(self, seeds: u64) -> Self {
        Self { seeds, ..self }
    }

    /// What each method may spend, in forward passes of a sample: an epoch takes three a sample.
    #[must_use]
    pub fn budget(self, passes: u64) -> Self {
        Self { budget: Some(passes), ..self }
    }

    /// The learning rates that tuning tries; without any, five over the domain of the first optimizer's `lr`.
    #[must_use]
    pub fn rates(mut self, rates: Vec<f64>) -> Self {
        self.rivals.rates = rates;
        self
    }

    /// How many threads run at the same time; it changes no result.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Tells `watcher` what happens.
    #[must_use]
    pub fn watcher(self, watcher: &'a dyn Watcher) -> Self {
        Self { watcher, ..self }
    }

    /// Stops soon after `stop` becomes true; the next run of the same goes on.
    #[must_use]
    pub fn stop_when(self, stop: &'a AtomicBool) -> Self {
        Self { stop, ..self }
    }

    /// Compares them. `None` if it was stopped.
    ///
    /// # Errors
    /// If the folder is in use or its results are of something else, if the budget is not enough for a method, or
    /// whatever fails on the way.
    pub fn run(&self) -> Result<Option<Comparison>, Error> {
        Ok(self.compare()?)
    }

    fn compare(&self) -> Result<Option<Comparison>, Failure> {
        let Self { problem, settings, threads, watcher, stop, .. } = *self;
        settings.check()?;
        problem.check(settings).map_err(|e| Failure::Usage(first_line(&e)))?;
        let costs = self.costs()?;
        if !self.rivals.rates.is_empty() {
            self.rivals.check_rates("the rates of a comparison")?;
        }
        let objective = problem.objective().to_string();
        let configs = Described {
            objective: objective.clone(),
            patience: 0,
            strategy: None,
            settings: settings.clone(),
        };
        let network = self.name.clone();
        let subject = Subject {
            problem,
            settings,
            rivals: &self.rivals,
            costs,
            identity: Identity {
                data: sha256::of(self.data.as_bytes()),
                rest: format!("{network}\n{objective}\n{:?}", costs.run),
            },
            about: About { network, macs: 0, data: String::new(), test: self.test },
            configs: &configs,
            predictor: self.predictor.as_deref(),
            most_bytes: MOST_OF_A_FILE,
            slack: 0.0,
            checkpoint_share: 0.02,
        };
        let budget = match self.budget {
            Some(budget) => budget,
            None => costs.run.run(settings)? + costs.choosing(settings.mu + 1),
        };
        let (methods, seeds) = (self.methods, self.seeds);
        let asked = Asked { methods, seeds, budget, threads, watcher, stop };
        compare(&subject, &asked, &Folder::open(&self.folder)?)
    }

    fn costs(&self) -> Result<Costs, Failure> {
        let refused = |why: &str| Err(Failure::Usage(why.into()));
        match self.cost {
            None => Ok(self.costs),
            Some(_) if self.costs.predicts => {
                refused("the cost of networks that predict follows from their data: name none")
            }
            Some(Cost { train: 0, .. } | Cost { fitness: 0, .. }) => {
                refused("an epoch and an evaluation must count as at least one sample each")
            }
            Some(run) => Ok(Costs { run, ..self.costs }),
        }
    }
}

impl<'a, T: Task> Compare<'a, Supervised<T>> {
    /// The same of networks that predict, which are tested on `test`, if it has any: an epoch counts as many samples as
    /// there are for training. Results are known by the contents of all data and the shapes of the network as well.
    ///
    /// # Errors
    /// If the network cannot be built, or the data cannot be read.
    pub fn supervised(
        name: impl Into<String>,
        problem: &'a Supervised<T>,
        test: &'a Dataset,
        settings: &'a Settings,
        folder: impl Into<PathBuf>,
    ) -> Result<Self, Error> {
        let cost = Cost {
            train: problem.train().len() as u64,
            fitness: problem.fitness_data().len() as u64,
        };
        let shape = problem.shape().map_err(Failure::from)?;
        let tensors =
            shape.parameters().iter().map(|one| (&one.name, one.tensor().dims(), one.role));
        let data = fingerprint([problem.train(), problem.fitness_data(), test])?;
        let statistics = shape.has_statistics();
        Ok(Self {
            data: format!("{data}\n{:?}", tensors.collect::<Vec<_>>()),
            costs: Costs { run: cost, predicts: true, statistics },
            predictor: Some(Box::new(TestedOn(test))),
            test: test.len(),
            ..Self::new(name, problem, settings, folder)
        })
    }
}

/// What rivals are told by the settings of ESGD: the first optimizer, at rates over its domain.
fn rivals(settings: &Settings) -> Rivals {
    let none = || OptimizerSpec { kind: String::new(), weight: 1.0, domains: BTreeMap::new() };
    let single = settings.optimizers.0.first().cloned().unwrap_or_else(none);
    let rates = match single.domains.get("lr").map(|domain| &domain.law) {
        Some(&Distribution::LogUniform(low, high)) => between(low, high, f64::ln, f64::exp),
        Some(&Distribution::Uniform(low, high)) => between(low, high, |x| x, |x| x),
        Some(Distribution::Fixed(rate)) => vec![*rate],
        Some(Distribution::Choice(all)) => {
            let mut rates = all.clone();
            rates.sort_by(f64::total_cmp);
            rates.dedup();
            rates
        }
        None => vec![],
    };
    Rivals { single, rates, anneal: Schedule::Constant }
}

/// Rates from `low` to `high`, both included, evenly on the scale that `to` leads to and `from` leads back from.
fn between(low: f64, high: f64, to: fn(f64) -> f64, from: fn(f64) -> f64) -> Vec<f64> {
    if low == high {
        return vec![low];
    }
    let step = (to(high) - to(low)) / (RATES - 1) as f64;
    let within = (1..RATES - 1).map(|i| from(to(low) + step * i as f64));
    iter::once(low).chain(within).chain([high]).collect()
}
