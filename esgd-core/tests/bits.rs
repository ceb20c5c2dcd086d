//! The same bits from any number of threads, and from another process.

mod support;

use std::{env, process::Command};

use esgd_core::{Esgd, Function, Settings, TestFunction, Threads};
use support::{Log, guarded_by, guards, saboteur::bits, small};

/// Everything that a run determines: θ and fitness to the bit, the best, the reports.
fn digest(settings: &Settings, workers: usize) -> String {
    let problem = TestFunction::new(Function::Rosenbrock, 5);
    let (executor, log) = (Threads(workers), Log::default());
    let esgd = Esgd::new(&problem, settings).executor(&executor).observer(&log);
    let outcome = esgd.run().unwrap();
    let individuals = outcome.population.individuals().iter().map(|one| one.scored());
    let networks: Vec<_> = individuals
        .chain([&outcome.best.scored])
        .map(|scored| (bits(scored.theta()), scored.fitness().get().to_bits()))
        .collect();
    let best = (outcome.best.id, outcome.best.at, outcome.best.hyper);
    format!("{networks:?} {best:?} {}", serde_json::to_string(&log.reports()).unwrap())
}

fn every_guarantee() -> impl Iterator<Item = Settings> {
    guards().into_iter().map(|guarantee| {
        guarded_by(guarantee, Settings { mu: 9, m: 5, lambda: 20, epochs: 3, ..small() })
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for settings in every_guarantee() {
        let one = digest(&settings, 1);
        for workers in [2, 7] {
            assert_eq!(digest(&settings, workers), one, "with {workers} workers");
        }
        assert_ne!(digest(&Settings { seed: 2, ..settings.clone() }, 1), one);
    }
}

/// Says to the copy of this test in another process that it shall only print.
const PRINT: &str = "ESGD_TEST_PRINTS_ITS_DIGEST";

#[test]
fn another_process_gives_the_same_bits() {
    let here: String = every_guarantee().map(|settings| digest(&settings, 2)).collect();
    if env::var_os(PRINT).is_some() {
        println!("\ndigest: {here}");
        return;
    }
    let there = Command::new(env::current_exe().unwrap())
        .args(["--exact", "another_process_gives_the_same_bits", "--nocapture"])
        .env(PRINT, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(there.stdout).unwrap();
    let there = printed.lines().find_map(|line| line.strip_prefix("digest: "));
    assert_eq!(there, Some(here.as_str()));
}
