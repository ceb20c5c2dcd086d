//! All runs of a comparison: each method with each seed, as many side by side as there are threads for.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use esgd_models::Workers;

use super::{
    comparison::Run,
    costs::Costs,
    methods::{Job, Method},
    outcome::Outcome,
    rows::Runs,
    running::Context,
    trial::{Task, Trial},
};
use crate::{failure::Failure, terminal, text::safe::one_line};

/// All runs of a comparison.
pub(super) struct Grid<'a> {
    pub bench: Context<'a>,
    pub threads: usize,
    /// Whether a line is printed for each run.
    pub lines: bool,
    pub out: &'a Path,
    pub budget: u64,
    pub task: Task,
}

impl Grid<'_> {
    /// Makes the runs that are missing, and gives what all came to.
    pub(super) fn run(
        &self,
        methods: &[Method],
        seeds: &[u64],
        costs: Costs,
    ) -> Result<(Vec<Runs>, Vec<Run>), Failure> {
        let dir = self.out.join("runs");
        let mut trials: Vec<(Trial, Option<Outcome>)> = vec![];
        let mut unused = vec![];
        for &method in methods {
            let jobs = method.jobs(self.bench.config, costs, self.budget)?;
            let rates = &self.bench.config.compare.rates;
            for &seed in seeds {
                for (i, job) in jobs.iter().enumerate() {
                    let rate = method.tries_rates().then(|| rates[i]);
                    let budget = match (method, job) {
                        (Method::Tuned, Job::Evolve(settings)) => costs.run.run(settings)?,
                        _ => self.budget,
                    };
                    let trial = Trial::new(method, rate, job, seed, budget, &self.task, &dir);
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
        Ok((runs, trials.into_iter().map(folder).collect()))
    }

    /// Runs what was not run before, narrow runs first: as many side by side as have a thread for each of
    /// their networks.
    fn run_missing(&self, trials: &mut [(Trial, Option<Outcome>)]) -> Result<(), Failure> {
        let mut by_width: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (trial, outcome) in trials.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            self.bench.bar.inc_length(trial.budget);
            by_width.entry(trial.job.width()).or_default().push((&*trial, outcome));
        }
        for (width, trials) in by_width {
            self.run_side_by_side(trials, width)?;
            self.interrupted()?;
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
                        if failed().is_some() || self.bench.interrupt.is_raised() {
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
        self.bench.bar.set_message(trial.title());
        let outcome = self.bench.run(trial, workers)?;
        if let (Some(outcome), true) = (&outcome, self.lines) {
            let test = outcome.best.test;
            let test = test.map_or(String::new(), |test| format!(", test {:.4}", test.loss));
            let line = format!(
                "{}: loss {:.4}{test}, {:.1} s",
                trial.title(),
                outcome.best.fitness,
                outcome.seconds
            );
            match self.bench.bar.is_hidden() {
                true => terminal::say(&line),
                false => self.bench.bar.println(one_line(&line)),
            }
        }
        Ok(outcome)
    }

    fn interrupted(&self) -> Result<(), Failure> {
        let message = || "interrupted; the same command goes on".to_owned();
        self.bench.interrupt.failure(message).map_or(Ok(()), Err)
    }
}
