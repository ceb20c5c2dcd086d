//! Nothing that bears a score is made outside.

use esgd_core::{
    Entry, Fitness, Id, Individual, Population, Scored, Objective,
    guarantee::{At, Pool, ScoredPlan},
};

fn scored(theta: f32, fitness: Fitness, objective: Objective) -> Scored<f32> {
    Scored { theta: theta.into(), fitness, objective }
}

fn entry(theta: f32, fitness: Fitness, objective: Objective, id: Id) -> Entry<f32> {
    let scored = Scored { theta: theta.into(), fitness, objective };
    Entry { scored, id, at: At::birth(0), hyper: None }
}

fn individual(scored: Scored<f32>, other: Individual<f32, ()>) -> Individual<f32, ()> {
    Individual { scored, ..other }
}

/// It cannot even be taken apart, which needs the same fields.
fn population(population: Population<f32, ()>) -> Vec<Individual<f32, ()>> {
    let Population { individuals, .. } = population;
    individuals
}

fn pool() -> Pool {
    Pool { parents: vec![], offspring: vec![], anchor: None }
}

fn scored_plan(scored_plan: ScoredPlan) -> ScoredPlan {
    ScoredPlan { fitness: Fitness::new(0.0), ..scored_plan }
}

fn main() {}
