//! Nothing that bears a score is changed outside.

use esgd_core::{Fitness, Individual, Population, Scored, guarantee::Archive};

fn fitness(scored: &mut Scored<f32>) {
    scored.fitness = Fitness::new(0.0);
}

fn theta(scored: &mut Scored<f32>) -> &mut f32 {
    scored.theta_mut()
}

fn network(individual: &mut Individual<f32, ()>, scored: Scored<f32>) {
    individual.scored = scored;
}

fn population(population: &mut Population<f32, ()>) {
    population.individuals = vec![];
}

fn archive(archive: &mut Archive<f32>) {
    archive.entries = vec![];
}

fn main() {}
