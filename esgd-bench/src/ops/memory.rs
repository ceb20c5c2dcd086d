//! The memory of a population, written once before anything is timed.

use esgd_core::rng::{Key, Purpose};
use esgd_ops::{Tensors, TensorsMut};

use super::shape::Shape;

/// The tensors of one individual.
type Network = Vec<Vec<f32>>;

/// A population and its offspring.
pub(super) struct Memory {
    pub(super) shape: Shape,
    pub(super) population: Vec<Network>,
    pub(super) out: Vec<Network>,
    /// As large as all offspring, for the copy; made when it is first wanted.
    source: Vec<Network>,
}

impl Memory {
    pub(super) fn new(shape: Shape) -> Self {
        let individual = |j: usize| -> Network {
            let values = |n: usize| (0..n).map(|i| value(i, j)).collect();
            shape.lengths.iter().map(|&n| values(n)).collect()
        };
        let population = (0..shape.parents).map(individual).collect();
        let blank = || shape.lengths.iter().map(|&n| vec![0.5; n]).collect();
        let out = (0..shape.offspring).map(|_| blank()).collect();
        Self { shape, population, out, source: vec![] }
    }

    /// The source of a plain copy: as many networks as there are offspring.
    pub(super) fn source(&mut self) {
        if self.source.is_empty() {
            self.source = self.out.clone();
        }
    }

    /// Each tensor that a copy reads with the one that it writes: from as much memory, or from the
    /// parents in turn.
    pub(super) fn copies(&mut self, from_parents: bool) -> Vec<(&[f32], &mut [f32])> {
        let from = if from_parents { &self.population } else { &self.source };
        let networks = from.iter().cycle().zip(&mut self.out);
        let tensors = networks.flat_map(|(from, to)| from.iter().zip(to));
        tensors.map(|(from, to)| (&from[..], &mut to[..])).collect()
    }
}

pub(super) fn tables(networks: &[Network]) -> Vec<Tensors<'_>> {
    networks.iter().map(|tensors| tensors.iter().map(|x| &x[..]).collect()).collect()
}

pub(super) fn tables_mut(networks: &mut [Network]) -> Vec<TensorsMut<'_>> {
    networks.iter_mut().map(|tensors| tensors.iter_mut().map(|x| &mut x[..]).collect()).collect()
}

/// The key of offspring `k`.
pub(super) fn key(k: usize) -> Key {
    Key::new(2018, Purpose::Mutation).individual(k)
}

/// Value `i` of parent `j`: no zeros, nothing denormal.
fn value(i: usize, j: usize) -> f32 {
    ((i * 7919 + j * 10_477) % 1009) as f32 / 1000.0 - 0.5031
}
