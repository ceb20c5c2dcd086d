//! A network before it is built: an operation, the networks that it is made of, and a key. It can be built
//! anywhere, at any time, to the bit, so λ ≫ μ costs no memory.

mod build;
pub mod definition;
mod operation;
mod real;
mod source;

pub use build::{BuildError, build};
pub use operation::{Mutation, Noise, NoiseTerm, Operation, OperationKind, Scale, Weights};
pub use real::Real;
pub use source::{Slot, Source};

use crate::rng::Key;

/// How to build one network.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What becomes of the sources.
    pub operation: Operation,
    /// What it is made of, in the order of the operation. The first gives the shape. One may stand there
    /// twice.
    pub sources: Vec<Source>,
    /// Where its random numbers come from.
    pub key: Key,
}

impl Plan {
    /// Eq. 12: the mean of parents, by their ranks, and noise of `mutation`'s strength.
    ///
    /// ```
    /// use esgd_core::{Mutation, Plan, rng::{Key, Purpose}};
    ///
    /// let key = Key::new(1, Purpose::Mutation);
    /// let plan = Plan::recombination(&[0, 3], Mutation::NONE, key);
    /// assert_eq!(plan.sources.len(), 2);
    /// ```
    #[must_use]
    pub fn recombination(parents: &[usize], mutation: Mutation, key: Key) -> Self {
        let sources = parents.iter().map(|&rank| Source::Parent(rank)).collect();
        Self { operation: Operation::recombination(mutation), sources, key }
    }

    /// The source that it makes an exact copy of, if it does: the only one, without noise.
    pub(crate) fn clones(&self) -> Option<&Source> {
        match (&self.operation, &self.sources[..]) {
            (Operation::Combine { weights: Weights::Equal, noise }, [only]) if noise.is_none() => {
                Some(only)
            }
            _ => None,
        }
    }

    /// The ranks of the parents among its sources, in their order.
    pub(crate) fn parents(&self) -> impl Iterator<Item = usize> + '_ {
        self.sources.iter().filter_map(Source::rank)
    }
}
