//! Nothing that bears a score is made outside.

use esgd_core::{
    Entry, Fitness, Id, Individual, Population, Scored, Yardstick,
    guarantee::{Pool, Unborn},
};

fn scored(theta: f32, fitness: Fitness, yardstick: Yardstick) -> Scored<f32> {
    Scored { theta: theta.into(), fitness, yardstick }
}

fn entry(theta: f32, fitness: Fitness, yardstick: Yardstick, id: Id) -> Entry<f32> {
    let scored = Scored { theta: theta.into(), fitness, yardstick };
    Entry { scored, id, at: (0, 0), hyper: None }
}

fn individual(scored: Scored<f32>, other: Individual<f32, ()>) -> Individual<f32, ()> {
    Individual { scored, ..other }
}

/// It cannot even be taken apart, which needs the same fields.
fn population(psi: Population<f32, ()>) -> Vec<Individual<f32, ()>> {
    let Population { individuals, .. } = psi;
    individuals
}

fn pool() -> Pool {
    Pool { ranked: vec![], anchor: None }
}

fn unborn(unborn: Unborn) -> Unborn {
    Unborn { fitness: Fitness::new(0.0), ..unborn }
}

fn main() {}
