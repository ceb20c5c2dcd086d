//! What settings say that a run takes, beside what real runs call and count.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};

use esgd_core::{
    BuildError, Effort, Esgd, Function, Hyperparameters, Objective, Operation, OperationKind,
    Problem, Settings, TestFunction, Threads,
    rng::Key,
    settings::{FineTune, Start, Work},
};
use proptest::prelude::*;
use support::{any_settings, small};

/// A test function that counts what is asked of it.
#[derive(Debug)]
struct Counted {
    inner: TestFunction,
    epochs: AtomicU64,
    evaluations: AtomicU64,
}

impl Counted {
    fn new() -> Self {
        let inner = TestFunction::new(Function::Rastrigin, 3);
        Self { inner, epochs: AtomicU64::new(0), evaluations: AtomicU64::new(0) }
    }

    fn work(&self) -> Work {
        Work {
            epochs: self.epochs.load(Ordering::Relaxed),
            evaluations: self.evaluations.load(Ordering::Relaxed),
        }
    }
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
        self.epochs.fetch_add(1, Ordering::Relaxed);
        self.inner.epoch(theta, state, hyper, key)
    }
    fn fitness(&self, theta: &Vec<f32>) -> Result<f64, BuildError> {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
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
    fn builds(&self, kind: &OperationKind) -> bool {
        self.inner.builds(kind)
    }
}

/// What a run calls, and what it says that it has spent.
fn counted(settings: &Settings, patience: usize) -> (Work, Effort) {
    let problem = Counted::new();
    let warm_start = [vec![1.0, -2.0, 0.5], vec![0.5, 0.0, 1.0]];
    let esgd = Esgd::new(&problem, settings).executor(&Threads(2)).patience(patience);
    let run = esgd.warm_start(&warm_start[..settings.mu.min(2)]).run().unwrap();
    (problem.work(), run.population.effort())
}

/// Any settings, with clones, starts of any height and few or many to fine-tune.
fn any_run() -> impl Strategy<Value = Settings> {
    let shared = (1usize..4, 1usize..9, 0usize..4);
    let start = shared.prop_map(|(epochs, candidates, halvings)| Start::Shared {
        epochs,
        candidates,
        halvings,
    });
    (any_settings(), prop::option::of(start), any::<bool>()).prop_map(|(mut s, start, clones)| {
        s.start = start.unwrap_or(s.start);
        if clones {
            (s.rho, s.mutation.sigma) = (1, 0.0);
        }
        s
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// To the last epoch and evaluation, whatever guards the elite and whoever makes offspring.
    #[test]
    fn settings_say_what_a_run_takes(settings in any_run()) {
        let workload = settings.workload().unwrap();
        let (called, effort) = counted(&settings, 0);
        prop_assert_eq!(workload.total(), called);
        prop_assert_eq!(workload.total().epochs, effort.epochs as u64);
        let scored = effort.offspring as u64;
        let clones = settings.rho == 1 && settings.mutation.sigma == 0.0;
        if !clones || settings.strategy.kind != "recombination" {
            let offspring = workload.generations().evaluations - workload.generations().epochs;
            prop_assert_eq!(offspring, scored);
        }
    }

    /// Generations that end early take no more.
    #[test]
    fn a_run_that_ends_early_takes_no_more(settings in any_run(), patience in 1usize..3) {
        let most = settings.workload().unwrap().total();
        let (called, _) = counted(&settings, patience);
        prop_assert!(called.epochs <= most.epochs && called.evaluations <= most.evaluations);
    }
}

/// An anchor does not train, neither in generations nor after them, and takes nobody's place.
#[test]
fn an_anchor_takes_nothing() {
    let mut settings = small();
    settings.guarantee.anchor = true;
    for best in 0..=settings.mu {
        settings.fine_tune = FineTune { best, ..settings.fine_tune };
        assert_eq!(settings.workload().unwrap().total(), counted(&settings, 0).0, "{best}");
    }
}
