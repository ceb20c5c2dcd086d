//! What is lent for reading is not written to.

use esgd_core::{Population, Scored};

fn theta(scored: &mut Scored<Vec<f32>>) {
    scored.theta().push(0.0);
}

fn order(population: &mut Population<f32, ()>) {
    population.individuals().reverse();
}

fn main() {}
