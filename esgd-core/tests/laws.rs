//! The laws hold for the reference problem, and catch problems that break them.
//!
//! Each law was also tried against this crate with one thing broken at a time; see
//! `tests/guarantee.rs`.

use esgd_core::{
    BuildError, Function, Hyperparameters, Objective, Operation, Plan, Problem, Recombination,
    Strategy, TestFunction, View,
    laws::{self, Inspect},
    rng::{Key, Purpose},
    strategy::{KINDS, make},
};

#[test]
fn the_reference_obeys() {
    for function in [Function::Sphere, Function::Rosenbrock, Function::Rastrigin] {
        let problem = TestFunction::new(function, 3);
        laws::check(&problem, &Recombination, &TestFunction::optimizers(), 60).unwrap();
    }
}

/// The reference problem with one method spoiled.
struct Spoiled {
    inner: TestFunction,
    how: How,
}

#[derive(PartialEq)]
enum How {
    TrainsTheFirstValueOnlySometimes,
    RecombinesWithoutDividing,
    IgnoresTheKey,
}

impl Problem for Spoiled {
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
        self.inner.epoch(theta, state, hyper, key)?;
        if self.how == How::TrainsTheFirstValueOnlySometimes {
            static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
            theta[0] += CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) as f32;
        }
        Ok(())
    }
    fn fitness(&self, theta: &Vec<f32>) -> Result<f64, BuildError> {
        self.inner.fitness(theta)
    }
    fn build(
        &self,
        operation: &Operation,
        sources: &[&Vec<f32>],
        key: Key,
    ) -> Result<Vec<f32>, BuildError> {
        static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let key = match self.how {
            How::IgnoresTheKey => {
                key.individual(CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            }
            _ => key,
        };
        let mut child = self.inner.build(operation, sources, key)?;
        if self.how == How::RecombinesWithoutDividing {
            child.iter_mut().for_each(|x| *x *= 1.0 + sources.len() as f32);
        }
        Ok(child)
    }
}

impl Inspect for Spoiled {
    fn inspect(&self, theta: &Vec<f32>) -> Vec<f32> {
        theta.clone()
    }
}

#[test]
fn a_spoiled_problem_is_named() {
    let cases = [
        (How::TrainsTheFirstValueOnlySometimes, "training is not reproducible"),
        (How::RecombinesWithoutDividing, "not the mean"),
        (How::IgnoresTheKey, "recombination is not reproducible"),
    ];
    for (how, expected) in cases {
        let problem = Spoiled { inner: TestFunction::new(Function::Sphere, 3), how };
        let violation = laws::check(&problem, &Recombination, &TestFunction::optimizers(), 20)
            .unwrap_err()
            .to_string();
        assert!(violation.contains(expected), "{violation}");
    }
}

/// Each of the table, and each way of one that has several.
#[test]
fn every_strategy_obeys() {
    let problem = TestFunction::new(Function::Rosenbrock, 3);
    let kinds = KINDS.iter().map(|kind| format!("kind = '{}'", kind.name));
    let ways = [
        "kind = 'nested'\nsuccession = 'best'",
        "kind = 'nested'\nsuccession = 'best'\ntrail = [2, 3]",
        "kind = 'nested'\ntrail = [2]",
    ];
    for text in kinds.chain(ways.map(String::from)) {
        let strategy = make(&toml::from_str(&text).unwrap()).unwrap();
        laws::check(&problem, &*strategy, &TestFunction::optimizers(), 20)
            .unwrap_or_else(|violation| panic!("{text}: {violation}"));
    }
}

/// Names parents anew each time, of which some are not there.
struct Forgetful(std::sync::atomic::AtomicUsize);

impl Strategy for Forgetful {
    fn name(&self) -> &str {
        "forgetful"
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let calls = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let rank = calls % view.parents.len().max(2);
        let key = view.key(Purpose::Mutation, 0);
        vec![Plan::recombination(&[rank], esgd_core::Mutation::NONE, key)]
    }
}

#[test]
fn a_strategy_with_a_state_of_its_own_is_named() {
    let problem = TestFunction::new(Function::Sphere, 3);
    let strategy = Forgetful(std::sync::atomic::AtomicUsize::new(0));
    let violation = laws::check(&problem, &strategy, &TestFunction::optimizers(), 20).unwrap_err();
    assert!(violation.to_string().contains("plans are not reproducible"), "{violation}");
}
