//! Population-based training (Jaderberg et al., 2017) as settings: the worst fifth becomes copies of the
//! best fifth, which explore.

mod support;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use esgd_core::{
    BuildError, Domain, Esgd, Function, Hyperparameters, Id, IndividualReport, Objective,
    Operation, Phase, Problem, Report, Settings, TestFunction,
    rng::Key,
    settings::{
        FineTune, Guarantee, MutationSettings, RecipePolicy, Recipes, Selection, Start, Way,
    },
};
use support::{Log, small};

/// The reference problem, whose scores are counted.
#[derive(Debug)]
struct Counted {
    inner: TestFunction,
    scores: AtomicUsize,
}

impl Problem for Counted {
    type Genome = Vec<f32>;
    type State = Vec<f64>;
    type Error = BuildError;

    fn objective(&self) -> Objective {
        self.inner.objective()
    }
    fn init(&self, key: Key) -> Result<Vec<f32>, BuildError> {
        self.inner.init(key)
    }
    fn fork(&self, theta: &Vec<f32>) -> Result<Vec<f32>, BuildError> {
        self.inner.fork(theta)
    }
    fn state(&self, theta: &Vec<f32>, hyper: &Hyperparameters) -> Result<Vec<f64>, BuildError> {
        self.inner.state(theta, hyper)
    }
    fn epoch(
        &self,
        theta: &mut Vec<f32>,
        state: &mut Vec<f64>,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<(), BuildError> {
        self.inner.epoch(theta, state, hyper, key)
    }
    fn fitness(&self, theta: &Vec<f32>) -> Result<f64, BuildError> {
        self.scores.fetch_add(1, Ordering::Relaxed);
        self.inner.fitness(theta)
    }
    fn build(
        &self,
        operation: &Operation,
        sources: &[&Vec<f32>],
        key: Key,
    ) -> Result<Vec<f32>, BuildError> {
        self.inner.build(operation, sources, key)
    }
}

fn settings() -> Settings {
    Settings {
        generations: 6,
        epochs: 2,
        evolution_steps: 1,
        mu: 10,
        lambda: 2,
        rho: 1,
        m: 10,
        selection: Selection::Truncation { best: 0.2 },
        guarantee: Guarantee { way: Way::Archive, ..Settings::paper().guarantee },
        mutation: MutationSettings { sigma: 0.0, ..Settings::paper().mutation },
        recipes: Recipes { policy: RecipePolicy::Explore, perturb: 0.2, resample: 0.25 },
        fine_tune: FineTune { epochs: 0, best: 0, lr: Domain::fixed(1.0) },
        ..small()
    }
}

#[test]
fn the_worst_fifth_becomes_copies_of_the_best_fifth_that_explore() {
    let problem =
        Counted { inner: TestFunction::new(Function::Rastrigin, 4), scores: AtomicUsize::new(0) };
    let (log, settings) = (Log::default(), settings());
    Esgd::new(&problem, &settings).observer(&log).run().unwrap();
    let reports = log.reports();
    // The first scores, one an epoch, and none for copies.
    assert_eq!(problem.scores.into_inner(), 10 + 6 * 2 * 10);
    let rates = |report: &Report| -> BTreeMap<Id, f64> {
        let all = report.individuals.iter().chain(&report.departed);
        all.filter_map(|one| Some((one.id, one.hyper.as_ref()?.get("lr")?))).collect()
    };
    let (mut explored, mut drawn_anew) = (0, 0);
    for pair in reports.windows(2) {
        let (report, next) = (&pair[0], &pair[1]);
        if report.phase != Phase::Generation {
            continue;
        }
        let born: Vec<&IndividualReport> = report
            .individuals
            .iter()
            .filter(|one| one.id.generation == report.generation)
            .collect();
        assert_eq!(born.len(), 2);
        for one in born {
            let [parent] = one.parents[..] else { panic!("{:?}", one.parents) };
            let place = report.individuals.iter().position(|other| other.id == parent).unwrap();
            assert_eq!(report.individuals[place].fitness, one.fitness, "not a copy");
            // The two best and their two copies are the first four.
            assert!(place < 4, "{place}");
            // What it was trained with next, against its parent's.
            if let (Some(was), Some(is)) = (rates(report).get(&parent), rates(next).get(&one.id)) {
                let factor = is / was;
                let stepped = [0.8, 1.2].iter().any(|step| (factor - step).abs() < 1e-9);
                explored += usize::from(stepped);
                drawn_anew += usize::from(!stepped);
            }
        }
    }
    assert!(explored > drawn_anew && explored >= 5, "{explored} {drawn_anew}");
}

#[test]
fn clones_of_a_shared_start_inherit_its_recipe() {
    let first = |policy| {
        let problem = TestFunction::new(Function::Sphere, 3);
        let settings = Settings {
            start: Start::Shared { epochs: 2, candidates: 4, halvings: 0 },
            recipes: Recipes { policy, perturb: 0.1, resample: 0.0 },
            evolution_steps: 0,
            ..settings()
        };
        let log = Log::default();
        Esgd::new(&problem, &settings).observer(&log).run().unwrap();
        let report = log.reports().into_iter().find(|r| r.phase == Phase::Generation).unwrap();
        let rate = |one: &IndividualReport| Some((one.id.index, one.hyper.as_ref()?.get("lr")?));
        report.individuals.iter().filter_map(rate).collect::<BTreeMap<_, _>>()
    };
    let spread = |rates: &BTreeMap<usize, f64>| {
        rates.values().map(|rate| (rate / rates[&0]).ln().abs()).fold(0.0, f64::max)
    };
    let inherited = first(RecipePolicy::Inherit);
    assert!(spread(&inherited) > 0.0 && spread(&inherited) <= 0.1 + 1e-9, "{inherited:?}");
    let kept = first(RecipePolicy::Keep);
    assert!(spread(&kept) > 0.5, "{kept:?}");
    assert_eq!(inherited.len(), 10);
}
