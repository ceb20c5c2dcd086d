//! Statistics are not weights: regression tests for two known mistakes of ESGD implementations,
//! noise on BatchNorm's variances and fitness measured in training mode. And the laws, on a
//! network that has both dropout and BatchNorm.

use candle_core::{Result, Tensor};
use candle_nn::{BatchNorm, Linear, Module, ModuleT, VarBuilder, batch_norm, linear};
use esgd_core::{
    Domain, Hyperparameters, Mutation, Operation, OptimizerPool, OptimizerSpec, Problem,
    Recombination, Scale, laws,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Pass, Role, Supervised, Task, data};

struct Normalised;

impl Task for Normalised {
    type Model = (Linear, BatchNorm, Linear);

    fn build(&self, vb: VarBuilder<'_>) -> Result<Self::Model> {
        let bn = batch_norm(8, 1e-5, vb.pp("bn"))?;
        Ok((linear(64, 8, vb.pp("fc1"))?, bn, linear(8, 10, vb.pp("fc2"))?))
    }

    fn forward(&self, (fc1, bn, fc2): &Self::Model, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let x = bn.forward_t(&fc1.forward(&x.flatten_from(1)?)?, pass.is_training())?;
        fc2.forward(&pass.dropout(&x.relu()?)?)
    }
}

fn problem() -> Supervised<Normalised> {
    let sizes = data::Sizes { train: Some(96), validation: Some(60), test: None };
    let digits = data::digits(sizes).unwrap();
    Supervised::new(Normalised, digits.train, digits.validation).unwrap()
}

fn hyper() -> Hyperparameters {
    let values =
        [("lr", 0.05), ("momentum", 0.9), ("dropout", 0.2), ("batch", 32.0), ("clip", 1.0)];
    Hyperparameters { kind: "sgd".into(), values: values.map(|(n, v)| (n.to_owned(), v)).into() }
}

fn trained(problem: &Supervised<Normalised>, j: usize) -> Genome {
    let mut theta = problem.init(Key::new(4, Purpose::Init).individual(j)).unwrap();
    let mut state = problem.state(&theta, &hyper()).unwrap();
    for s in 0..3 {
        let key = Key::new(4, Purpose::Train).individual(j).step(s);
        problem.epoch(&mut theta, &mut state, &hyper(), key).unwrap();
    }
    theta
}

fn statistics(theta: &Genome) -> Vec<Vec<f32>> {
    let parameters = theta.parameters().iter().filter(|p| p.role == Role::Statistic);
    parameters.map(|p| p.tensor().to_vec1().unwrap()).collect()
}

#[test]
fn training_moves_the_statistics_and_they_are_averaged_without_noise() {
    let problem = problem();
    let (a, b) = (trained(&problem, 0), trained(&problem, 1));
    let (sa, sb) = (statistics(&a), statistics(&b));
    assert!(sa[1].iter().all(|&variance| variance != 1.0), "training left the variance at 1");

    let strong = Mutation { sigma: 10.0, scale: Scale::Absolute };
    let child = problem
        .build(&Operation::recombination(strong), &[&a, &b], Key::new(1, Purpose::Mutation))
        .unwrap();
    let expected: Vec<Vec<f32>> = sa
        .iter()
        .zip(&sb)
        .map(|(x, y)| x.iter().zip(y).map(|(x, y)| (x + y) / 2.0).collect())
        .collect();
    assert_eq!(statistics(&child), expected);
    assert!(statistics(&child)[1].iter().all(|&variance| variance > 0.0));
    assert!(problem.fitness(&child).unwrap().is_finite());
}

#[test]
fn fitness_is_measured_in_evaluation_mode() {
    let problem = problem();
    let theta = trained(&problem, 0);
    let before = theta.values().unwrap();
    let (once, twice) = (problem.fitness(&theta).unwrap(), problem.fitness(&theta).unwrap());
    assert_eq!(once.to_bits(), twice.to_bits());
    assert_eq!(theta.values().unwrap(), before, "measuring moved the running statistics");
}

#[test]
fn relative_noise_is_relative_to_each_tensor() {
    let problem = problem();
    let theta = trained(&problem, 0);
    let relative = Mutation { sigma: 0.5, scale: Scale::Relative };
    let child = problem
        .build(&Operation::recombination(relative), &[&theta], Key::new(1, Purpose::Mutation))
        .unwrap();
    for (p, c) in
        theta.parameters().iter().zip(child.parameters()).filter(|(p, _)| p.role == Role::Weight)
    {
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (old, new) = (values(p.tensor()), values(c.tensor()));
        let rms =
            |v: &mut dyn Iterator<Item = f32>| v.map(|x| f64::from(x * x)).sum::<f64>().sqrt();
        let ratio =
            rms(&mut old.iter().zip(&new).map(|(o, n)| n - o)) / rms(&mut old.iter().copied());
        // Five standard deviations of a standard deviation from n values.
        let tolerance = 5.0 * 0.5 / (2.0 * old.len() as f64).sqrt();
        assert!((ratio - 0.5).abs() < tolerance, "{}: {ratio}", p.name);
    }
}

#[test]
fn strategies_see_weights_and_no_statistics() {
    let problem = problem();
    let (a, b) = (trained(&problem, 0), trained(&problem, 1));
    let is_weight = |p: &&esgd_models::Parameter| p.role == Role::Weight;
    let weights: usize =
        a.parameters().iter().filter(is_weight).map(|p| p.tensor().elem_count()).sum();
    assert!(weights < a.len());
    let seen = problem.values(&a).unwrap();
    assert_eq!((seen.len(), problem.dimension(&a)), (weights, Some(weights)));
    let norm = seen.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!((problem.norm(&a).unwrap() - norm).abs() < 1e-9 * norm);
    let key = Key::new(1, Purpose::Mutation);
    let given = problem.build(&Operation::Values(seen), &[&b], key).unwrap();
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for ((new, a), b) in given.parameters().iter().zip(a.parameters()).zip(b.parameters()) {
        let from = if a.role == Role::Weight { a } else { b };
        assert_eq!(values(new.tensor()), values(from.tensor()), "{}", new.name);
    }
    let step = Operation::AdaptiveStep { rate: -0.1, epsilon: 1e-8 };
    let product = problem.build(&Operation::Product, &[&a, &a], key).unwrap();
    let stepped = problem.build(&step, &[&a, &b, &product], key).unwrap();
    assert!(problem.fitness(&stepped).unwrap().is_finite());
    assert!(problem.builds(&step.kind()) && problem.builds(&esgd_core::OperationKind::Init));
    assert!(!problem.builds(&esgd_core::OperationKind::Custom("swap".into())));
}

impl laws::Inspect for Wrapper {
    fn inspect(&self, theta: &Genome) -> Vec<f32> {
        theta.values().unwrap()
    }
}

/// The laws need a type of this file to implement their trait for.
struct Wrapper(Supervised<Normalised>);

impl Problem for Wrapper {
    type Genome = Genome;
    type State = esgd_models::OptimizerState;
    type Error = esgd_models::Error;

    fn objective(&self) -> esgd_core::Objective {
        self.0.objective()
    }
    fn init(&self, key: Key) -> esgd_models::Result<Genome> {
        self.0.init(key)
    }
    fn fork(&self, theta: &Genome) -> esgd_models::Result<Genome> {
        self.0.fork(theta)
    }
    fn state(&self, theta: &Genome, hyper: &Hyperparameters) -> esgd_models::Result<Self::State> {
        self.0.state(theta, hyper)
    }
    fn epoch(
        &self,
        theta: &mut Genome,
        state: &mut Self::State,
        hyper: &Hyperparameters,
        key: Key,
    ) -> esgd_models::Result<()> {
        self.0.epoch(theta, state, hyper, key)
    }
    fn fitness(&self, theta: &Genome) -> esgd_models::Result<f64> {
        self.0.fitness(theta)
    }
    fn build(&self, o: &Operation, s: &[&Genome], key: Key) -> esgd_models::Result<Genome> {
        self.0.build(o, s, key)
    }
}

#[test]
fn candle_obeys_the_laws() {
    let domains = hyper().values.into_iter().map(|(name, value)| (name, Domain::fixed(value)));
    let sgd = OptimizerSpec { kind: "sgd".into(), weight: 1.0, domains: domains.collect() };
    laws::check(&Wrapper(problem()), &Recombination, &OptimizerPool(vec![sgd]), 6).unwrap();
}
