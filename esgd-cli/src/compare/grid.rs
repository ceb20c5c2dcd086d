//! All runs of a comparison: each method with each seed, as many side by side as there are threads for.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError, atomic::Ordering},
    thread,
};

use esgd_core::Portable;
use esgd_models::Workers;

use super::{
    comparison::Run,
    methods::{Job, Method},
    outcome::Outcome,
    rows::Runs,
    running::Context,
    trial::Trial,
};
use crate::failure::Failure;

/// All runs of a comparison.
pub(super) struct Grid<'a, P: Portable> {
    pub context: Context<'a, P>,
    pub threads: usize,
    pub out: &'a Path,
    pub budget: u64,
}

/// What all runs came to, and where they are.
pub(super) struct Done {
    pub runs: Vec<Runs>,
    pub folders: Vec<Run>,
}

impl<P: Portable> Grid<'_, P> {
    /// Makes the runs that are missing, and gives what all came to; `None` if it was interrupted.
    pub(super) fn run(&self, methods: &[Method], seeds: &[u64]) -> Result<Option<Done>, Failure> {
        let subject = self.context.subject;
        let (costs, rates) = (subject.costs, &subject.rivals.rates);
        let dir = self.out.join("runs");
        let mut trials: Vec<(Trial, Option<Outcome>)> = vec![];
        let mut unused = vec![];
        for &method in methods {
            let jobs = method.jobs(subject.settings, subject.rivals, costs, self.budget)?;
            for &seed in seeds {
                for (i, job) in jobs.iter().enumerate() {
                    let rate = method.tries_rates().then(|| rates[i]);
                    let budget = match (method, job) {
                        (Method::Tuned, Job::Evolve(settings)) => costs.run.run(settings)?,
                        _ => self.budget,
                    };
                    let trial =
                        Trial::new(method, rate, job, seed, budget, &subject.identity, &dir);
                    match trial.kept() {
                        Ok(kept) => trials.push((trial, kept)),
                        Err(why) => unused.push(why),
                    }
                }
            }
        }
        if let Some(first) = unused.first() {
            let others = match unused.len() {
                1 => String::new(),
                n => format!("; nor are {} more", n - 1),
            };
            return Err(Failure::Failed(format!("{first}{others}")));
        }
        self.run_missing(&mut trials)?;
        if self.is_stopped() && trials.iter().any(|(_, outcome)| outcome.is_none()) {
            return Ok(None);
        }
        let of_method = |&method: &Method| {
            let of_seed = |seed: &u64| {
                let of = |(trial, _): &&(Trial, Option<Outcome>)| {
                    trial.method == method && trial.seed == *seed
                };
                trials.iter().filter(of).filter_map(|(_, outcome)| outcome.clone()).collect()
            };
            Runs { method, seeds: seeds.iter().map(of_seed).collect() }
        };
        let runs = methods.iter().map(of_method).collect();
        let folder = |(trial, _): (Trial, Option<Outcome>)| Run {
            method: trial.method,
            seed: trial.seed,
            rate: trial.rate,
            folder: trial.folder.strip_prefix(self.out).unwrap_or(&trial.folder).into(),
        };
        Ok(Some(Done { runs, folders: trials.into_iter().map(folder).collect() }))
    }

    /// Runs what was not run before, narrow runs first: as many side by side as have a thread for each of
    /// their networks.
    fn run_missing(&self, trials: &mut [(Trial, Option<Outcome>)]) -> Result<(), Failure> {
        let mut by_width: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (trial, outcome) in trials.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            self.context.watcher.more(trial.budget);
            by_width.entry(trial.job.width()).or_default().push((&*trial, outcome));
        }
        for (width, trials) in by_width {
            self.run_side_by_side(trials, width)?;
        }
        Ok(())
    }

    fn run_side_by_side(
        &self,
        trials: Vec<(&Trial, &mut Option<Outcome>)>,
        width: usize,
    ) -> Result<(), Failure> {
        let lanes = (self.threads / width).clamp(1, trials.len().max(1));
        let workers = (0..lanes)
            .map(|i| Workers::new(self.threads / lanes + usize::from(i < self.threads % lanes)))
            .collect::<Result<Vec<_>, _>>()?;
        let queue = Mutex::new(trials.into_iter());
        let failure = Mutex::new(None);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let failed = || failure.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            for workers in &workers {
                scope.spawn(|| {
                    while let Some((trial, outcome)) = next() {
                        if failed().is_some() || self.is_stopped() {
                            return;
                        }
                        match self.run_one(trial, workers) {
                            Ok(done) => *outcome = done,
                            Err(why) => *failed() = Some(why),
                        }
                    }
                });
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn run_one(&self, trial: &Trial, workers: &Workers) -> Result<Option<Outcome>, Failure> {
        let watcher = self.context.watcher;
        watcher.begin(&trial.title());
        let outcome = self.context.run(trial, workers)?;
        if let Some(outcome) = &outcome {
            let test = outcome.best.test;
            let test = test.map_or(String::new(), |test| format!(", test {:.4}", test.loss));
            watcher.end(&format!(
                "{}: loss {:.4}{test}, {:.1} s",
                trial.title(),
                outcome.best.fitness,
                outcome.seconds
            ));
        }
        Ok(outcome)
    }

    fn is_stopped(&self) -> bool {
        self.context.stop.load(Ordering::Relaxed)
    }
}
