//! A comparison on anybody's problem.

use std::{collections::BTreeMap, path::PathBuf, sync::atomic::AtomicBool, thread};

use esgd_core::{Distribution, OptimizerSpec, Portable, Schedule, Settings, budget::Cost};
use esgd_models::{Supervised, Task, data::Dataset};

use super::{
    Asked, Comparison, Folder, Method, Watcher, compare,
    costs::Costs,
    predictor::{Predictor, TestedOn},
    subject::{About, Subject},
    trial::Identity,
};
use crate::{
    config::{Described, Rivals},
    error::Error,
    failure::Failure,
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
/// let comparison = Compare::new(&problem, &settings, &folder).methods(&methods).seeds(3).run()?;
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
    data: String,
    costs: Costs,
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
    #[must_use]
    pub fn new(problem: &'a P, settings: &'a Settings, folder: impl Into<PathBuf>) -> Self {
        let run = Cost { train: 1, fitness: 1 };
        Self {
            problem,
            settings,
            folder: folder.into(),
            name: "a problem of its own".into(),
            data: "what it is scored by".into(),
            costs: Costs { run, predicts: false, statistics: false },
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

    /// What the problem and its data are called. Results of other names are not taken for these, so a problem that is
    /// changed needs another.
    #[must_use]
    pub fn named(self, problem: impl Into<String>, data: impl Into<String>) -> Self {
        Self { name: problem.into(), data: data.into(), ..self }
    }

    /// How many samples an epoch trains on, and a network is scored on: both at least 1.
    #[must_use]
    pub fn cost(self, cost: Cost) -> Self {
        Self { costs: Costs { run: cost, ..self.costs }, ..self }
    }

    /// The methods to compare, each once.
    #[must_use]
    pub fn methods(self, methods: &'a [Method]) -> Self {
        Self { methods, ..self }
    }

    /// How many runs of each method, from 1 on.
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
        let Self { problem, settings, costs, threads, watcher, stop, .. } = *self;
        settings.check()?;
        if let Err(error) = problem.check(settings) {
            let why = error.to_string();
            return Err(Failure::Usage(why.lines().next().unwrap_or_default().to_owned()));
        }
        if costs.run.train == 0 || costs.run.fitness == 0 {
            return Err(Failure::Usage(
                "an epoch and an evaluation must count as at least one sample each".into(),
            ));
        }
        if self.seeds == 0 {
            return Err(Failure::Usage("a comparison needs at least one seed".into()));
        }
        let objective = problem.objective().to_string();
        let configs = Described {
            objective: objective.clone(),
            patience: 0,
            strategy: None,
            settings: settings.clone(),
        };
        let (network, data) = (self.name.clone(), self.data.clone());
        let subject = Subject {
            problem,
            settings,
            rivals: &self.rivals,
            costs,
            identity: Identity {
                data: data.clone(),
                rest: format!("{network}\n{objective}\n{:?}", costs.run),
            },
            about: About { network, macs: 0, data, test: self.test },
            configs: &configs,
            predictor: self.predictor.as_deref(),
            most_bytes: 1 << 40,
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
}

impl<'a, T: Task> Compare<'a, Supervised<T>> {
    /// The same of networks that predict, which are tested on `test`, if it has any: an epoch counts as many samples as
    /// there are for training.
    #[must_use]
    pub fn supervised(
        problem: &'a Supervised<T>,
        test: &'a Dataset,
        settings: &'a Settings,
        folder: impl Into<PathBuf>,
    ) -> Self {
        let cost = Cost {
            train: problem.train().len() as u64,
            fitness: problem.fitness_data().len() as u64,
        };
        let statistics = problem.shape().is_ok_and(|shape| shape.has_statistics());
        Self {
            costs: Costs { run: cost, predicts: true, statistics },
            predictor: Some(Box::new(TestedOn(test))),
            test: test.len(),
            ..Self::new(problem, settings, folder)
        }
    }
}

/// What rivals are told by the settings of ESGD: the first optimizer, at rates over its domain.
fn rivals(settings: &Settings) -> Rivals {
    let none = || OptimizerSpec { kind: String::new(), weight: 1.0, domains: BTreeMap::new() };
    let single = settings.optimizers.0.first().cloned().unwrap_or_else(none);
    let rates = match single.domains.get("lr").map(|domain| &domain.law) {
        Some(&Distribution::LogUniform(low, high)) => between(low.ln(), high.ln(), f64::exp),
        Some(&Distribution::Uniform(low, high)) => between(low, high, |rate| rate),
        Some(Distribution::Fixed(rate)) => vec![*rate],
        Some(Distribution::Choice(rates)) => rates.clone(),
        None => vec![],
    };
    Rivals { single, rates, anneal: Schedule::Constant }
}

/// Rates from `low` to `high`, both included, on a scale whose way back is `of`.
fn between(low: f64, high: f64, of: fn(f64) -> f64) -> Vec<f64> {
    let step = (high - low) / (RATES - 1) as f64;
    (0..RATES).map(|i| of(low + step * i as f64)).collect()
}
