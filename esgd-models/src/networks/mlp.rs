//! Multi-layer perceptrons: fully connected layers of any widths.

use super::{Activation, Layer, Network, Size};
use crate::Result;

/// A classifier of fully connected layers, with dropout after each hidden one. Its tensors are
/// `fc1.weight` (out, in), `fc1.bias`, `fc2.weight`, …
///
/// ```
/// use esgd_models::{Activation, Genome, Supervised, data, networks};
/// use esgd_core::{Problem, rng::{Key, Purpose}};
///
/// let digits = data::digits(data::Sizes { validation: Some(300), ..Default::default() })?;
/// let mlp = networks::mlp(64, &[32], 10, Activation::Relu)?;
/// let problem = Supervised::new(mlp, digits.train, digits.validation)?;
/// let theta: Genome = problem.init(Key::new(1, Purpose::Init))?;
/// assert_eq!(theta.len(), 64 * 32 + 32 + 32 * 10 + 10);
/// # Ok::<(), esgd_models::Error>(())
/// ```
///
/// # Errors
/// If a width is 0.
pub fn mlp(
    inputs: usize,
    hidden: &[usize],
    classes: usize,
    activation: Activation,
) -> Result<Network> {
    let widths = hidden.iter().map(|&width| (width, Some(activation)));
    let layers = widths.chain([(classes, None)]).enumerate().map(|(i, (outputs, activation))| {
        let name = format!("fc{}", i + 1);
        Layer::Linear { name, outputs, activation, dropout: activation.is_some() }
    });
    Network::new("mlp", Size::vector(inputs), layers.collect())
}

/// The acoustic model of the ESGD paper's section 4.1: 9 frames of 40 features, five hidden layers of
/// 1,024 and one of 512, 5,000 states. Half of the paper's population has ReLU, half the logistic
/// function.
///
/// # Errors
/// None: the widths are fixed.
pub fn bn50(activation: Activation) -> Result<Network> {
    mlp(360, &[1024, 1024, 1024, 1024, 1024, 512], 5000, activation)
}
