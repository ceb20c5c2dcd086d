//! The algorithm alone, on Rosenbrock's valley in ten dimensions: no tensor library.
//!
//! `cargo run -p esgd-core --example rosenbrock`

use std::process::ExitCode;

use esgd_core::{Esgd, Function, Observer, Phase, Report, Settings, TestFunction, Threads};

/// Prints a line a generation.
struct Lines;

impl Observer for Lines {
    fn phase(&self, report: &Report) {
        if report.phase == Phase::Generation && report.generation.is_multiple_of(5) {
            println!(
                "generation {:3}   best {:.3e}   J({}) {:.3e}   {} of {} elites are offspring",
                report.generation,
                report.best.get(),
                report.m,
                report.elite_mean.get(),
                report.elite_offspring,
                report.m
            );
        }
    }
}

fn main() -> ExitCode {
    let problem = TestFunction::new(Function::Rosenbrock, 10);
    let settings = Settings {
        generations: 60,
        epochs: 5,
        mu: 16,
        lambda: 64,
        m: 10,
        optimizers: TestFunction::optimizers(),
        ..Settings::paper()
    };
    match Esgd::new(&problem, &settings).executor(&Threads(2)).observer(&Lines).run() {
        Ok(outcome) => {
            println!(
                "minimum found: {:.3e} at {:.3?}",
                outcome.best.scored.fitness().get(),
                outcome.best.scored.theta()
            );
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{}", failure.error);
            ExitCode::FAILURE
        }
    }
}
