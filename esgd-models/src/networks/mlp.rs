//! The multi-layer perceptron: fully connected layers of any widths.

use candle_core::{Result, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use serde::{Deserialize, Serialize};

use crate::{Pass, Task};

/// What follows a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// tanh x
    Tanh,
}

impl Activation {
    fn apply(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Relu => x.relu(),
            Self::Sigmoid => candle_nn::ops::sigmoid(x),
            Self::Tanh => x.tanh(),
        }
    }
}

/// A classifier of fully connected layers, with dropout after each hidden one. Its tensors are
/// `fc1.weight` (out, in), `fc1.bias`, `fc2.weight`, …, as in PyTorch.
///
/// ```
/// use esgd_models::{Activation, Genome, Mlp, Supervised, data};
/// use esgd_core::{Problem, rng::{Key, Purpose}};
///
/// let digits = data::digits(data::Sizes { validation: Some(300), ..Default::default() })?;
/// let mlp = Mlp { inputs: 64, hidden: vec![32], classes: 10, activation: Activation::Relu };
/// let problem = Supervised::new(mlp, digits.train, digits.validation)?;
/// let theta: Genome = problem.init(Key::new(1, Purpose::Init))?;
/// assert_eq!(theta.len(), 64 * 32 + 32 + 32 * 10 + 10);
/// # Ok::<(), esgd_models::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mlp {
    /// The number of values of a sample.
    pub inputs: usize,
    /// The widths of the hidden layers; none makes a linear classifier.
    pub hidden: Vec<usize>,
    /// The number of classes.
    pub classes: usize,
    /// What follows a hidden layer.
    pub activation: Activation,
}

impl Task for Mlp {
    type Model = Vec<Linear>;

    fn build(&self, vb: VarBuilder<'_>) -> Result<Vec<Linear>> {
        let widths: Vec<usize> =
            [self.inputs].iter().chain(&self.hidden).chain([&self.classes]).copied().collect();
        let layer =
            |(i, pair): (usize, &[usize])| linear(pair[0], pair[1], vb.pp(format!("fc{}", i + 1)));
        widths.windows(2).enumerate().map(layer).collect()
    }

    fn forward(&self, layers: &Vec<Linear>, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let mut x = x.flatten_from(1)?;
        for (i, layer) in layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if i + 1 < layers.len() {
                x = pass.dropout(&self.activation.apply(&x)?)?;
            }
        }
        Ok(x)
    }
}
