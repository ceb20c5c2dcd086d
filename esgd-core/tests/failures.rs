//! What stops a run leaves a complete population: μ individuals with their scores, the guarantee
//! intact.

mod support;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use esgd_core::{
    Error, Esgd, Executor, Fitness, Id, Mutation, Observer, Plan, Population, Report, Serial,
    Settings, Strategy, Threads, View,
    rng::Purpose,
    settings::{FineTune, Start, Way},
};
use support::{
    Log,
    audit::{no_elite_mean_rises, ranked},
    guarded_by, guards,
    saboteur::{Fault, Method, Saboteur, Told, Trained},
    small, watch,
};

type PopulationOf = Population<Vec<f32>, Vec<f32>>;

/// That `population` is complete and its guarantee intact, since the last of the reports.
fn is_complete(problem: &Saboteur, settings: &Settings, population: &PopulationOf, log: &Log) {
    let reports = log.reports();
    let last = reports.last().expect("a population before the start was complete");
    let fitness: Vec<_> = population.individuals().iter().map(|one| one.fitness()).collect();
    assert_eq!(fitness.len(), settings.mu);
    assert!(fitness.is_sorted());
    assert!(problem.told_all(population));
    let (before, now) = match settings.guarantee.way {
        Way::Archive => (last.elite.clone(), population.guarded()),
        Way::BackOff if settings.guarantee.anchor => {
            let anchor = &reports[0].individuals[0];
            let there = population.individuals().iter().find(|one| one.id() == anchor.id);
            assert_eq!(there.map(|one| one.fitness()), Some(anchor.fitness));
            (vec![anchor.fitness], fitness)
        }
        Way::BackOff => (ranked(last)[..settings.m].to_vec(), fitness),
    };
    no_elite_mean_rises(&before, &now).unwrap();
}

/// Every call of every method fails once, under every guarantee.
#[test]
fn a_problem_that_breaks_down_costs_nobody() {
    for guarantee in guards() {
        let settings = guarded_by(guarantee, Settings { generations: 2, lambda: 5, ..small() });
        for method in Method::ALL {
            let mut calls = 0;
            loop {
                calls += 1;
                let mut problem = Saboteur::new(Told::Wildly, Trained::Somehow);
                problem.breaks = Some((method, calls));
                let (ended, log) = watch(&problem, &settings, &Serial);
                let Err(failure) = ended else { break };
                let broken = Fault::Broken(method, calls);
                assert!(matches!(failure.error, Error::Problem(fault) if fault == broken));
                match failure.population {
                    Some(population) => is_complete(&problem, &settings, &population, &log),
                    None => assert!(log.reports().is_empty(), "a population was lost"),
                }
            }
            assert!(calls > settings.mu, "{method:?} was never called");
        }
    }
}

#[test]
fn a_run_that_broke_down_can_go_on() {
    for guarantee in guards() {
        let settings = guarded_by(guarantee, small());
        let mut problem = Saboteur::new(Told::Honestly, Trained::Somehow);
        problem.breaks = Some((Method::Epoch, 12));
        let (ended, log) = watch(&problem, &settings, &Threads(2));
        let population = ended.unwrap_err().population.unwrap();
        let rest = Esgd::new(&problem, &settings).observer(&log).resume(population).unwrap();
        assert_eq!(rest.population.generation(), settings.generations);
        is_complete(&problem, &settings, &rest.population, &log);
    }
}

/// Also when a generation is cut short and done again.
#[test]
fn nobody_is_named_twice() {
    for seed in 0..20 {
        let settings = Settings { seed, generations: 1, lambda: 3, m: 4, ..small() };
        let stop = StopInEvolution::default();
        let problem = Saboteur::new(Told::Honestly, Trained::Not);
        let esgd = Esgd::new(&problem, &settings).observer(&stop).stop_when(&stop.0);
        let half = esgd.run().unwrap();
        assert!(half.stopped);
        let rest = Esgd::new(&problem, &settings).resume(half.population).unwrap();
        assert_eq!(names(&rest.population).len(), settings.mu, "of seed {seed}");
    }
}

/// Also when it broke down in the second evolution step, after the first had borne somebody.
#[test]
fn nobody_is_named_twice_after_a_failure() {
    for seed in 0..20 {
        let settings = Settings { seed, generations: 1, lambda: 3, m: 4, ..small() };
        let mut problem = Saboteur::new(Told::Honestly, Trained::Not);
        problem.breaks = Some((Method::Build, 8));
        let population = watch(&problem, &settings, &Serial).0.unwrap_err().population.unwrap();
        let rest = Esgd::new(&problem, &settings).resume(population).unwrap();
        assert_eq!(names(&rest.population).len(), settings.mu, "of seed {seed}");
    }
}

fn names(population: &PopulationOf) -> BTreeSet<Id> {
    population.individuals().iter().map(|one| one.id()).collect()
}

/// Leaves the first of all jobs undone, if there are several.
struct Lazy;

impl Executor for Lazy {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        (usize::from(n > 1)..n).for_each(job);
    }
}

#[test]
fn an_executor_that_leaves_work_undone_costs_nobody() {
    let problem = Saboteur::new(Told::Honestly, Trained::Well);
    let (ended, log) = watch(&problem, &small(), &Lazy);
    is_complete(&problem, &small(), &ended.unwrap().population, &log);
}

#[test]
fn settings_that_the_guarantee_was_not_founded_on_are_an_error() {
    let problem = Saboteur::new(Told::AtRandom, Trained::Well);
    let one = Settings { generations: 1, ..small() };
    let others = [
        Settings { m: 1, lambda: 50, ..small() },
        Settings { mu: 2, m: 2, ..small() },
        Settings { mu: 0, m: 0, ..small() },
        Settings { rho: 5, ..small() },
        guarded_by(guards()[4].clone(), small()),
    ];
    for settings in others {
        let population = watch(&problem, &one, &Serial).0.unwrap().population;
        let resumed = Esgd::new(&problem, &settings).resume(population);
        let error = resumed.expect_err("resumed").error;
        assert!(matches!(error, Error::Settings(_)), "{error}");
    }
}

#[derive(Default)]
struct StopInEvolution(AtomicBool);

impl Observer for StopInEvolution {
    fn offspring(&self, _: Fitness) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_run_that_is_told_to_stop_leaves_a_complete_population() {
    for guarantee in guards() {
        let settings = guarded_by(guarantee, small());
        let problem = Saboteur::new(Told::Wildly, Trained::Somehow);
        let (watched, stop) = (Log::default(), StopInEvolution::default());
        let both = Both(&watched, &stop);
        let esgd = Esgd::new(&problem, &settings).observer(&both).stop_when(&stop.0);
        let outcome = esgd.run().unwrap();
        assert!(outcome.stopped);
        is_complete(&problem, &settings, &outcome.population, &watched);
    }
}

struct Both<'a>(&'a Log, &'a StopInEvolution);

impl Observer for Both<'_> {
    fn offspring(&self, fitness: Fitness) {
        self.1.offspring(fitness);
    }
    fn phase(&self, report: &Report) {
        self.0.phase(report);
    }
}

#[test]
fn a_yardstick_that_moves_stops_the_run() {
    for guarantee in guards() {
        let settings = guarded_by(guarantee, small());
        for asked in [0, 1, 3, 4, 5, 10, 15, 30, 50] {
            let mut problem = Saboteur::new(Told::Sinking, Trained::Well);
            problem.objective_changes_after = asked;
            let (ended, log) = watch(&problem, &settings, &Serial);
            let failure = ended.expect_err("scores of two objectives were compared");
            let Error::ObjectiveChanged { was, is } = failure.error else {
                panic!("{}", failure.error)
            };
            assert_eq!((was.to_string(), is.to_string()), ("feet".into(), "metres".into()));
            assert_eq!(failure.population.is_some(), asked >= settings.mu);
            if let Some(population) = failure.population {
                is_complete(&problem, &settings, &population, &log);
                // What was measured with the other objective would be better, and is not there.
                let sum =
                    |theta: &Vec<f32>| theta.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                for one in population.individuals() {
                    let age = sum(one.scored().theta()) - one.fitness().get();
                    assert!(age <= asked as f64 + 1e-6, "scored after the objective had moved");
                }
            }
        }
    }
}

#[test]
fn a_population_of_another_yardstick_is_not_resumed() {
    let settings = Settings { generations: 2, ..small() };
    let (ended, _) = watch(&Saboteur::new(Told::Honestly, Trained::Well), &settings, &Serial);
    let mut other = Saboteur::new(Told::Honestly, Trained::Well);
    other.objective_changes_after = 0;
    other.objective_has_changed();
    let failure = Esgd::new(&other, &settings).resume(ended.unwrap().population).unwrap_err();
    assert!(matches!(failure.error, Error::ObjectiveChanged { .. }));
    assert_eq!(failure.population.unwrap().individuals().len(), settings.mu);
}

/// Plans offspring from these parents.
struct From(Vec<usize>);

impl Strategy for From {
    fn name(&self) -> &str {
        "from"
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let key = view.key(Purpose::Mutation, 0);
        vec![Plan::recombination(&self.0, Mutation::NONE, key)]
    }
}

#[test]
fn parents_that_are_not_there_stop_the_run() {
    let settings = small();
    for parents in [vec![], vec![4], vec![0, usize::MAX]] {
        let problem = Saboteur::new(Told::Honestly, Trained::Well);
        let log = Log::default();
        let strategy = From(parents.clone());
        let run = Esgd::new(&problem, &settings).strategy(&strategy).observer(&log).run();
        let failure = run.unwrap_err();
        let Error::Strategy { name, what } = &failure.error else { panic!("{}", failure.error) };
        let expected = if parents.is_empty() { "nothing to combine" } else { "which is not there" };
        assert!(name == "from" && what.contains(expected), "{what}");
        is_complete(&problem, &settings, &failure.population.unwrap(), &log);
    }
    let problem = Saboteur::new(Told::Honestly, Trained::Well);
    let strategy = From(vec![3, 3, 0]);
    Esgd::new(&problem, &settings).strategy(&strategy).run().unwrap();
}

#[test]
fn too_few_or_too_many_networks_are_an_error_that_says_so() {
    let settings = Settings {
        start: Start::Warm { sigma: 0.0 },
        fine_tune: FineTune { epochs: 0, ..small().fine_tune },
        ..small()
    };
    let problem = Saboteur::new(Told::Honestly, Trained::Well);
    for (warm_start, sentence) in
        [(0, "none was given"), (5, "5 networks to begin from do not fit")]
    {
        let warm_start = vec![vec![1.0; 3]; warm_start];
        let failure = Esgd::new(&problem, &settings).warm_start(&warm_start).run().unwrap_err();
        assert!(failure.error.to_string().contains(sentence), "{}", failure.error);
        assert!(failure.population.is_none());
    }
}
