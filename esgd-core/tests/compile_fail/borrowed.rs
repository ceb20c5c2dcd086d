//! What is lent for reading is not written to.

use esgd_core::{Population, Scored};

fn theta(scored: &mut Scored<Vec<f32>>) {
    scored.theta().push(0.0);
}

fn order(psi: &mut Population<f32, ()>) {
    psi.individuals().reverse();
}

fn main() {}
