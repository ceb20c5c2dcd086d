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

fn population(psi: Population<f32, ()>) -> Population<f32, ()> {
    Population { individuals: vec![], ..psi }
}

fn pool() -> Pool {
    Pool { ranked: vec![], anchor: None }
}

fn unborn(unborn: Unborn) -> Unborn {
    Unborn { fitness: Fitness::new(0.0), ..unborn }
}

fn main() {}
