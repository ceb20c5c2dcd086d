//! What each layer of the engine can do.

use std::cell::Cell;

use esgd_core::rng::Key;

use super::{Buffers, Parameters};
use crate::{Error, Result};

/// Where a node is made: the genome's names, and the samples to make room for.
pub(super) struct Site<'a> {
    pub(super) names: &'a [String],
    pub(super) capacity: usize,
}

impl Site<'_> {
    /// The place of a tensor in the genome.
    pub(super) fn tensor(&self, layer: &str, tensor: &str) -> Result<usize> {
        let name = format!("{layer}.{tensor}");
        let place = self.names.iter().position(|n| *n == name);
        place.ok_or_else(|| Error::Weights(format!("there is no tensor `{name}`")))
    }
}

/// Which pass it is.
pub(super) enum Mode {
    /// Dropout with this probability, from this key; and how many layers have drawn from it.
    Training { dropout: f32, key: Key, drawn: Cell<u64> },
    /// Nothing is dropped. `first` after θ has changed.
    Evaluation { first: bool },
    /// Normalised by the batch, whose statistics join the mean of `before` others. Nothing is dropped.
    Statistics { before: usize },
}

/// The share of a batch in the running statistics: PyTorch's.
const MOMENTUM: f64 = 0.1;

impl Mode {
    pub(super) fn training(dropout: f32, key: Key) -> Self {
        Self::Training { dropout, key, drawn: Cell::new(0) }
    }

    /// The share of the batch in the running statistics, where it normalises by the batch.
    pub(super) fn share(&self) -> Option<f64> {
        match self {
            Self::Training { .. } => Some(MOMENTUM),
            Self::Statistics { before } => Some(1.0 / (before + 1) as f64),
            Self::Evaluation { .. } => None,
        }
    }

    /// What the next layer with dropout draws with, as [`Pass::dropout`](crate::Pass) has it.
    pub(super) fn dropout(&self) -> Option<(f32, Key)> {
        match self {
            Self::Training { dropout, key, drawn } if *dropout > 0.0 => {
                Some((*dropout, key.derive(drawn.replace(drawn.get() + 1))))
            }
            _ => None,
        }
    }
}

/// A layer: `n` samples at a time, one after another in each slice. `values` are the tensors of
/// θ.
pub(super) trait Node: Send {
    /// Computes the output, and in training what the backward pass needs and the running statistics.
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode);

    /// The last output.
    fn output(&self) -> &[f32];

    /// The last output, to be used up.
    fn output_mut(&mut self) -> &mut [f32];

    /// The gradients from that of the output, `dz`, which is used up: those of θ go to `parameters`,
    /// that of x into the buffer returned, if it is wanted.
    fn backward(
        &mut self,
        x: &[f32],
        n: usize,
        dz: Vec<f32>,
        wanted: bool,
        parameters: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>>;

    /// How many values it keeps.
    #[cfg(test)]
    fn values(&self) -> usize;
}
