//! What a user of candle brings: a constructor and a forward pass.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::{Pass, networks::Network};

/// The usual loss's name.
pub(crate) const CROSS_ENTROPY: &str = "cross-entropy";

/// A network and its loss on batches of (x, y). Two methods are enough for a classifier.
///
/// `Supervised` turns a task and its data into something to train a population on.
pub trait Task: Sync {
    /// The network, as candle code builds it.
    type Model;

    /// Builds the network from a `VarBuilder`, as any candle model is built.
    ///
    /// # Errors
    /// What candle says.
    fn build(&self, vb: VarBuilder<'_>) -> Result<Self::Model>;

    /// The network's output for a batch `x`: for a classifier, logits (batch, classes).
    ///
    /// # Errors
    /// What candle says.
    fn forward(&self, model: &Self::Model, x: &Tensor, pass: &Pass) -> Result<Tensor>;

    /// The mean loss over the batch, a scalar; cross-entropy unless it is overridden.
    ///
    /// # Errors
    /// What candle says.
    fn loss(&self, output: &Tensor, y: &Tensor) -> Result<Tensor> {
        candle_nn::loss::cross_entropy(output, y)
    }

    /// The loss's name; part of the objective.
    fn loss_name(&self) -> &str {
        CROSS_ENTROPY
    }

    /// The list of layers that this is, if it is one: on the CPU it is then trained and evaluated by
    /// the engine instead of candle, unless [`loss_name`](Self::loss_name) says that the loss is
    /// another than cross-entropy.
    fn network(&self) -> Option<&Network> {
        None
    }

    /// Whether a tensor is a statistic rather than a weight: BatchNorm's running mean and
    /// variance, by the names that candle and PyTorch give them.
    fn is_statistic(&self, name: &str) -> bool {
        ["running_mean", "running_var", "num_batches_tracked"].iter().any(|s| name.ends_with(s))
    }
}
