//! The laws hold for the reference problem, and catch problems that break them.
//!
//! Each law was also tried against this crate with one thing broken at a time; see
//! `tests/guarantee.rs`.

use esgd_core::{
    BuildError, Function, Hyperparameters, Objective, Operation, Problem, Recombination,
    TestFunction,
    laws::{self, Inspect},
    rng::Key,
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
