//! A run that was stopped, or that died and goes on from what a checkpointer has, ends as if it had not: to the
//! bit, at whatever view, on any number of threads.

mod support;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use esgd_core::{
    CheckpointError, Checkpointer, Entry, EpochReport, Error, Esgd, Fitness, Function, Id,
    Individual, Observer, Population, Report, Settings, TestFunction, Threads,
    guarantee::{GuardRecord, Improvement, Origin, PopulationRecord, RecordError, Stage},
};
use proptest::prelude::*;
use support::{Log, any_settings, digest, small};

type PopulationOf = Population<Vec<f32>, Vec<f64>>;

const WARM_START: [[f32; 4]; 2] = [[1.0, -2.0, 0.5, 0.0], [0.1, 0.2, 0.3, 0.4]];

fn problem() -> TestFunction {
    TestFunction::new(Function::Rosenbrock, 4)
}

fn warm_start(settings: &Settings) -> Vec<Vec<f32>> {
    WARM_START.iter().take(settings.mu).map(|network| network.to_vec()).collect()
}

/// What happens last in a run, and what it told of phases.
fn uninterrupted(settings: &Settings, patience: usize) -> (String, Vec<Report>) {
    let (problem, log, warm_start) = (problem(), Log::default(), warm_start(settings));
    let esgd = Esgd::new(&problem, settings).warm_start(&warm_start).patience(patience);
    let run = esgd.observer(&log).run().unwrap();
    (digest(&run.population), log.reports())
}

/// Stops a run after so many events.
struct StopAfter {
    left: AtomicUsize,
    stop: AtomicBool,
}

impl StopAfter {
    fn events(n: usize) -> Self {
        Self { left: AtomicUsize::new(n), stop: AtomicBool::new(n == 0) }
    }

    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Observer for StopAfter {
    fn epoch(&self, _: &EpochReport<'_>) {
        self.count();
    }
    fn offspring(&self, _: Fitness) {
        self.count();
    }
    fn phase(&self, _: &Report) {
        self.count();
    }
}

/// A population as a file might hold it.
#[derive(Clone)]
struct Snapshot {
    record: String,
    networks: HashMap<Origin, Vec<f32>>,
    states: HashMap<Id, Vec<f64>>,
    memory: HashMap<String, Vec<f32>>,
}

impl Snapshot {
    fn of(population: &PopulationOf) -> Self {
        let networks =
            population.individuals().iter().map(|one| (one.origin(), one.scored().theta()));
        let mut all: HashMap<_, _> = networks.map(|(o, theta)| (o, theta.clone())).collect();
        for entry in population.archived() {
            all.insert(entry.origin(), entry.scored.theta().clone());
        }
        let state = |one: &Individual<_, Vec<f64>>| Some((one.id(), one.state()?.clone()));
        Self {
            record: serde_json::to_string(&population.record()).unwrap(),
            networks: all,
            states: population.individuals().iter().filter_map(state).collect(),
            memory: population
                .memory()
                .into_iter()
                .flat_map(|memory| &memory.networks)
                .map(|(slot, theta)| (slot.clone(), theta.to_vec()))
                .collect(),
        }
    }

    fn record(&self) -> PopulationRecord {
        serde_json::from_str(&self.record).unwrap()
    }

    fn restore(&self) -> PopulationOf {
        let theta = |origin| Ok::<_, RecordError>(Arc::new(self.networks[&origin].clone()));
        let state = |id| Ok(self.states[&id].clone());
        let memory = |slot: &String| Ok(Arc::new(self.memory[slot].clone()));
        Population::restore(self.record(), theta, state, memory).unwrap()
    }
}

/// Keeps what it is shown, all of it in order.
#[derive(Default)]
struct Album(Mutex<Vec<Snapshot>>);

impl Checkpointer<Vec<f32>, Vec<f64>> for Album {
    fn population(&self, population: &PopulationOf) -> Result<(), CheckpointError> {
        self.0.lock().unwrap().push(Snapshot::of(population));
        Ok(())
    }

    fn individual(
        &self,
        individual: &Individual<Vec<f32>, Vec<f64>>,
        archived: &dyn Fn() -> Vec<Entry<Vec<f32>>>,
    ) -> Result<(), CheckpointError> {
        let mut album = self.0.lock().unwrap();
        let archived = archived();
        let mut next = album.last().unwrap().clone();
        let mut record = next.record();
        let one = individual.record();
        let old = record.individuals.iter_mut().find(|old| old.id == one.id);
        *old.unwrap() = one;
        next.networks.insert(individual.origin(), individual.scored().theta().clone());
        next.states.extend(individual.state().map(|state| (individual.id(), state.clone())));
        if let GuardRecord::Archive(entries) = &mut record.guard {
            *entries = archived.iter().map(Entry::record).collect();
        }
        for entry in &archived {
            next.networks.insert(entry.origin(), entry.scored.theta().clone());
        }
        next.record = serde_json::to_string(&record).unwrap();
        album.push(next);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Stopped after any number of events, one after the other until it is done.
    #[test]
    fn a_run_that_is_stopped_ends_as_if_it_had_not(settings in any_settings(), every in 1usize..40, threads in 1usize..4, patience in 0usize..3) {
        let (whole, reports) = uninterrupted(&settings, patience);
        let (problem, warm_start, threads) = (problem(), warm_start(&settings), Threads(threads));
        // A start that is cut short is another one; so the first stop comes after it.
        let stop = StopAfter::events(usize::MAX);
        let fresh = Esgd::new(&problem, &settings).warm_start(&warm_start).executor(&threads);
        let album = Album::default();
        let log = Log::default();
        fresh.patience(patience).checkpointer(&album).observer(&stop).run().unwrap();
        let mut population = album.0.lock().unwrap()[0].restore();
        for n in 0.. {
            // More each time: an evolution step that is stopped before its end begins again.
            let stop = StopAfter::events(every + n);
            let esgd = Esgd::new(&problem, &settings).patience(patience).executor(&threads);
            let both = Both(&stop, &log);
            let outcome = esgd.observer(&both).stop_when(&stop.stop).resume(population).unwrap();
            population = outcome.population;
            if !outcome.stopped {
                break;
            }
            // Every other time through a file.
            if every % 2 == 0 {
                population = Snapshot::of(&population).restore();
            }
        }
        prop_assert_eq!(digest(&population), whole);
        prop_assert_eq!(log.reports(), &reports[1..]);
    }

    /// From whatever a checkpointer was shown last when the program died.
    #[test]
    fn a_run_that_died_ends_as_if_it_had_not(settings in any_settings(), threads in 1usize..4, patience in 0usize..3) {
        let (whole, _) = uninterrupted(&settings, patience);
        let (problem, warm_start, album) = (problem(), warm_start(&settings), Album::default());
        let fresh = Esgd::new(&problem, &settings).warm_start(&warm_start).patience(patience);
        fresh.executor(&Threads(threads)).checkpointer(&album).run().unwrap();
        for snapshot in album.0.into_inner().unwrap() {
            let esgd = Esgd::new(&problem, &settings).patience(patience);
            let outcome = esgd.executor(&Threads(2)).resume(snapshot.restore()).unwrap();
            prop_assert_eq!(digest(&outcome.population), whole.clone());
        }
    }
}

/// Two observers.
struct Both<'a>(&'a dyn Observer, &'a dyn Observer);

impl Observer for Both<'_> {
    fn epoch(&self, report: &EpochReport<'_>) {
        self.0.epoch(report);
        self.1.epoch(report);
    }
    fn offspring(&self, fitness: Fitness) {
        self.0.offspring(fitness);
        self.1.offspring(fitness);
    }
    fn phase(&self, report: &Report) {
        self.0.phase(report);
        self.1.phase(report);
    }
}

#[test]
fn generations_can_be_added_but_not_behind_fine_tuning() {
    let problem = problem();
    let without = small().fine_tune;
    let settings = Settings {
        generations: 2,
        fine_tune: esgd_core::settings::FineTune { epochs: 0, ..without },
        ..small()
    };
    let population = Esgd::new(&problem, &settings).run().unwrap().population;
    let more = Settings { generations: 4, ..settings.clone() };
    let population = Esgd::new(&problem, &more).resume(population).unwrap().population;
    assert_eq!(population.generation(), 4);
    let fewer = Settings { generations: 3, ..settings };
    let failure = Esgd::new(&problem, &fewer).resume(population).unwrap_err();
    assert!(failure.error.to_string().contains("4 are complete"), "{}", failure.error);

    let tuned = Esgd::new(&problem, &small()).run().unwrap().population;
    assert_eq!(tuned.stage(), Stage::FineTuned);
    let (done, spent) = (digest(&tuned), tuned.effort());
    let again = Esgd::new(&problem, &small()).resume(tuned).unwrap().population;
    assert_eq!((digest(&again), again.effort()), (done, spent), "nothing is left to do");
    let more = Settings { generations: 9, ..small() };
    let failure = Esgd::new(&problem, &more).resume(again).unwrap_err();
    assert!(failure.error.to_string().contains("fine-tuning"), "{}", failure.error);
}

/// A checkpointer whose disk is full after a while.
struct Full(AtomicUsize);

impl Full {
    fn write(&self) -> Result<(), CheckpointError> {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        left.map(|_| ()).map_err(|_| "the disk is full".into())
    }
}

impl Checkpointer<Vec<f32>, Vec<f64>> for Full {
    fn population(&self, _: &PopulationOf) -> Result<(), CheckpointError> {
        self.write()
    }
    fn individual(
        &self,
        _: &Individual<Vec<f32>, Vec<f64>>,
        _: &dyn Fn() -> Vec<Entry<Vec<f32>>>,
    ) -> Result<(), CheckpointError> {
        self.write()
    }
}

#[test]
fn a_keeper_that_fails_costs_nothing_either() {
    let (whole, _) = uninterrupted(&small(), 0);
    let problem = problem();
    let mut failed = 0;
    for writes in 0.. {
        let full = Full(AtomicUsize::new(writes));
        let run = Esgd::new(&problem, &small()).executor(&Threads(2)).checkpointer(&full).run();
        let Err(failure) = run else { break };
        assert!(matches!(failure.error, Error::CheckpointFailed(_)), "{}", failure.error);
        assert_eq!(failure.error.to_string(), "the disk is full");
        let population = failure.population.unwrap();
        let outcome = Esgd::new(&problem, &small()).resume(population).unwrap();
        assert_eq!(digest(&outcome.population), whole, "after {writes} writes");
        failed += 1;
    }
    assert!(failed > 20, "{failed}");
}

/// What a record cannot be is said in one sentence.
#[test]
fn a_record_that_contradicts_itself_is_refused() {
    type Spoil = fn(&mut PopulationRecord);
    let cases: [(&str, Spoil); 9] = [
        ("same name", |l| l.individuals[1].id = l.individuals[0].id),
        ("cannot guard", |l| l.m = 99),
        ("cannot guard", |l| l.individuals.clear()),
        ("above its bound", |l| l.bound[0] = Fitness::new(-1.0)),
        ("above its bound", |l| {
            for one in &mut l.individuals {
                one.fitness = Fitness::WORST;
            }
        }),
        ("not complete", |l| {
            l.improved = Some(Improvement { generation: 4, best: l.bound[0] });
        }),
        ("was for more", |l| l.bound.push(Fitness::WORST)),
        ("same position", |l| {
            let progress =
                esgd_core::guarantee::Progress { position: 99, epochs: 0, backed_off: 0 };
            l.individuals[0].progress = Some(progress);
        }),
        ("without hyper", |l| {
            let progress = esgd_core::guarantee::Progress { position: 0, epochs: 1, backed_off: 0 };
            l.individuals[0].progress = Some(progress);
            l.individuals[0].hyper = None;
        }),
    ];
    let problem = problem();
    let population = Esgd::new(&problem, &small()).run().unwrap().population;
    let snapshot = Snapshot::of(&population);
    for (expected, spoil) in cases {
        let mut record = population.record();
        spoil(&mut record);
        let theta = |origin| Ok::<_, RecordError>(Arc::new(snapshot.networks[&origin].clone()));
        let restored = Population::restore(record, theta, |_| Ok(vec![0.0; 4]), |_| unreachable!());
        let message = restored.unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{expected}: {message}");
    }
}

/// An error in any epoch costs nothing either, also in the first one of an individual that has no recipe
/// yet, which draws it again.
#[test]
fn a_problem_that_breaks_down_once_leaves_the_same_run() {
    use esgd_core::settings::{RecipePolicy, Recipes};
    use support::saboteur::{Method, Saboteur, Told, Trained};

    for policy in
        [RecipePolicy::Redraw, RecipePolicy::Keep, RecipePolicy::Inherit, RecipePolicy::Explore]
    {
        let settings =
            Settings { recipes: Recipes { policy, perturb: 0.2, resample: 0.25 }, ..small() };
        let sound = Saboteur::new(Told::Honestly, Trained::Well);
        let whole = Esgd::new(&sound, &settings).run().unwrap().population;
        let digest = |population: &Population<Vec<f32>, _>| {
            format!("{:?} {:?}", population.record(), population.effort())
        };
        for call in 1.. {
            let mut broken = Saboteur::new(Told::Honestly, Trained::Well);
            broken.breaks = Some((Method::Epoch, call));
            let Err(failure) = Esgd::new(&broken, &settings).run() else { break };
            let Some(population) = failure.population else { continue };
            let rest = Esgd::new(&sound, &settings).resume(population).unwrap().population;
            assert_eq!(digest(&rest), digest(&whole), "{policy:?}, call {call}");
        }
    }
}
