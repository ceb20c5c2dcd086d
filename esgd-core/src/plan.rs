//! An offspring before it is built: (parents, σ, key). It can be built anywhere, at any time, to
//! the bit, so λ ≫ μ costs no memory.

use serde::{Deserialize, Serialize};

use crate::rng::Key;

/// What σ is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The noise is N(0, σ²), as in the paper.
    Absolute,
    /// The noise is N(0, (σ·r)²), r the root mean square of the offspring's tensor before mutation.
    Relative,
}

/// The strength of mutation: ε of eq. 12.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The standard deviation, at least 0. Zero draws no noise.
    pub sigma: f32,
    /// What it is measured in.
    pub scale: Scale,
}

impl Mutation {
    /// No mutation.
    pub const NONE: Self = Self { sigma: 0.0, scale: Scale::Absolute };
}

/// How to build one offspring.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The parents' places in the ranked population, 0 the best. One may stand there twice.
    pub parents: Vec<usize>,
    /// The noise to add to their mean.
    pub mutation: Mutation,
    /// Where the noise comes from.
    pub key: Key,
}

impl Plan {
    /// The parent that it makes an exact copy of, if it does: the only one, without noise.
    pub(crate) fn clones(&self) -> Option<usize> {
        match self.parents[..] {
            [only] if self.mutation.sigma == 0.0 => Some(only),
            _ => None,
        }
    }
}
