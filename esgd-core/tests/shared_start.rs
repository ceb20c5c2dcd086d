//! A shared start by successive halving, and fine-tuning of the best alone.

mod support;

use std::collections::BTreeMap;

use esgd_core::{
    Domain, Esgd, Fitness, Function, Phase, Settings, TestFunction, Threads,
    settings::{FineTune, Guarantee, Start},
};
use support::{Event, Log, small};

fn settings(halvings: usize) -> Settings {
    Settings {
        mu: 6,
        m: 3,
        start: Start::Shared { epochs: 2, candidates: 5, halvings },
        fine_tune: FineTune { epochs: 3, best: 2, lr: Domain::fixed(1e-3) },
        ..small()
    }
}

/// What each candidate scored on the way, by its number.
fn climbs(log: &Log) -> BTreeMap<usize, Vec<Fitness>> {
    let mut climbs: BTreeMap<usize, Vec<Fitness>> = BTreeMap::new();
    for event in log.events() {
        if let Event::Epoch { k: 0, id, fitness, .. } = event {
            climbs.entry(id.index).or_default().push(fitness);
        }
    }
    climbs
}

#[test]
fn the_better_half_climbs_and_the_best_is_cloned() {
    let problem = TestFunction::new(Function::Rastrigin, 4);
    let (settings, log) = (settings(2), Log::default());
    Esgd::new(&problem, &settings).observer(&log).run().unwrap();
    let climbs = climbs(&log);
    let reached = |rung: usize| -> Vec<usize> {
        climbs.iter().filter(|(_, scores)| scores.len() > rung).map(|(j, _)| *j).collect()
    };
    assert_eq!((reached(0).len(), reached(1).len(), reached(2).len()), (5, 3, 2));
    for rung in 0..2 {
        let score = |j: &usize| climbs[j][rung];
        let went_on = reached(rung + 1);
        let worst = went_on.iter().map(score).max().unwrap();
        let stayed = reached(rung).into_iter().filter(|j| !went_on.contains(j));
        assert!(stayed.map(|j| score(&j)).all(|other| other >= worst), "{climbs:?}");
    }
    let start = &log.reports()[0];
    let best = reached(2).iter().map(|j| climbs[j][2]).min().unwrap();
    assert!(start.individuals.iter().all(|one| one.fitness == best));
    // 5 · 2, then 3 · 2, then 2 · 4.
    assert_eq!((start.phase, start.effort.epochs), (Phase::Start, 24));
    assert_eq!(settings.start.epochs(), 24);
}

/// Training on is the same as training longer, so a winner is what it would have been by itself.
#[test]
fn a_climb_is_a_longer_run() {
    let problem = TestFunction::new(Function::Sphere, 4);
    let scores = |start, threads| {
        let (settings, log) = (Settings { start, ..settings(0) }, Log::default());
        let executor = Threads(threads);
        Esgd::new(&problem, &settings).executor(&executor).observer(&log).run().unwrap();
        climbs(&log)
    };
    let halved = scores(Start::Shared { epochs: 2, candidates: 5, halvings: 2 }, 3);
    let long = scores(Start::Shared { epochs: 8, candidates: 5, halvings: 0 }, 1);
    let reached = halved.iter().filter(|(_, scores)| scores.len() == 3);
    assert!(reached.map(|(j, scores)| scores[2] == long[j][0]).eq([true, true]));
}

#[test]
fn the_best_are_fine_tuned_alone() {
    let problem = TestFunction::new(Function::Sphere, 4);
    let (settings, log) = (settings(0), Log::default());
    let outcome = Esgd::new(&problem, &settings).observer(&log).run().unwrap();
    let reports = log.reports();
    let [.., before, after] = &reports[..] else { panic!("{}", reports.len()) };
    assert_eq!(after.phase, Phase::FineTune);
    assert_eq!(after.effort.epochs - before.effort.epochs, 2 * 3);
    for one in &before.individuals[2..] {
        assert!(after.individuals.iter().any(|now| now.id == one.id && now.fitness == one.fitness));
    }
    assert!(outcome.best.scored.fitness() <= before.best);
}

/// An anchor is not trained, and takes no place of those that are.
#[test]
fn an_anchor_is_none_of_the_best_that_are_fine_tuned() {
    let problem = TestFunction::new(Function::Rastrigin, 4);
    for seed in 0..8 {
        let guarantee = Guarantee { p_backoff: 0.3, anchor: true, ..Settings::paper().guarantee };
        let settings = Settings { seed, guarantee, ..settings(0) };
        let log = Log::default();
        Esgd::new(&problem, &settings).observer(&log).run().unwrap();
        let reports = log.reports();
        let [.., before, after] = &reports[..] else { panic!("{}", reports.len()) };
        assert_eq!(after.effort.epochs - before.effort.epochs, 2 * 3, "seed {seed}");
    }
}
