//! One run of a method, measured.

use std::time::Instant;

use esgd_core::{Esgd, Settings};
use esgd_models::Workers;

use crate::{
    Result,
    methods::{Method, Tuned, best_of, single},
    task::Task,
};

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The best individual's loss on validation data, its fitness.
    pub validation: f64,
    /// Its loss on test data.
    pub test: f64,
    /// The share of test data that it misclassifies.
    pub test_error: f64,
    /// Epochs of gradient steps, of all individuals together.
    pub epochs: usize,
    /// Offspring that were scored.
    pub offspring: usize,
    /// Time on the clock.
    pub seconds: f64,
}

/// Runs `settings` on `task`.
///
/// # Errors
/// What stopped the run.
pub fn measure(task: &Task, settings: &Settings, workers: &Workers) -> Result<Measured> {
    let begin = Instant::now();
    let run = Esgd::new(&task.problem, settings).executor(workers).run();
    let seconds = begin.elapsed().as_secs_f64();
    let outcome = run.map_err(|failure| failure.error)?;
    let best = &outcome.best.scored;
    let test = task.problem.evaluate(best.theta(), &task.test)?;
    let tally = outcome.population.tally();
    Ok(Measured {
        validation: best.fitness().get(),
        test: test.loss,
        test_error: test.error.unwrap_or(f64::NAN),
        epochs: tally.epochs,
        offspring: tally.offspring,
        seconds,
    })
}

/// Runs `method` with `seed` and checks what it spent.
///
/// # Errors
/// What stopped the run.
///
/// # Panics
/// If it spent more or less than it says: then the comparison would not be fair.
pub fn trial(task: &Task, method: &Method, seed: u64, workers: &Workers) -> Result<Measured> {
    let settings = Settings { seed, ..method.settings.clone() };
    let measured = measure(task, &settings, workers)?;
    assert_eq!(measured.epochs, method.epochs, "epochs of {}", method.name);
    Ok(measured)
}

/// Tunes single runs: for each kind the learning rate that is best on validation data, in the mean
/// of seeds that the experiment does not use. The epochs that this takes are not counted.
///
/// # Errors
/// What stopped a run.
pub fn tune(task: &Task, workers: &Workers) -> Result<Tuned> {
    let budget = task.budget;
    Ok(Tuned {
        short: best_rate(task, workers, |lr| single(budget.generations, budget.epochs, lr))?,
        long: best_rate(task, workers, |lr| {
            single(budget.mu * budget.generations, budget.epochs, lr)
        })?,
        best_of: best_rate(task, workers, |lr| best_of(budget, lr))?,
    })
}

fn best_rate(task: &Task, workers: &Workers, settings: impl Fn(f64) -> Settings) -> Result<f64> {
    let mut best = (f64::INFINITY, f64::NAN);
    for lr in [0.01, 0.03, 0.1, 0.3, 0.5] {
        let mut validation = 0.0;
        for seed in (u64::MAX - 2)..=u64::MAX {
            validation += measure(task, &Settings { seed, ..settings(lr) }, workers)?.validation;
        }
        if validation < best.0 {
            best = (validation, lr);
        }
    }
    Ok(best.1)
}
