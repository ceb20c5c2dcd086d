//! Residual networks for CIFAR-10.

use super::{Layer, Network, Size};
use crate::{Error, Result};

/// A ResNet of 6 n + 2 layers for small images (He et al., *Deep Residual Learning*,
/// arXiv:1512.03385, section 4.2: CIFAR-10's, of 3 × 32 × 32), with shortcuts of option A, which have
/// no weights: every second pixel, and zeros for the new channels, half of them before the others and half
/// behind (8 + 16 + 8, then 16 + 32 + 16), as in the implementations for PyTorch that most checkpoints come
/// from. Others put all zeros behind (16 + 16); the tensors are the same, so such weights load and compute
/// something else.
///
/// Its tensors are named as PyTorch's users name them: `conv1.weight`, `layer1.0.bn1.running_mean`,
/// `linear.bias`.
///
/// # Errors
/// If `depth` is not 6 n + 2 with n ≥ 1.
pub fn resnet(depth: usize, input: Size, classes: usize) -> Result<Network> {
    let n = depth.saturating_sub(2) / 6;
    if n == 0 || depth != 6 * n + 2 {
        return Err(Error::Network(format!(
            "resnet: depth {depth} is not 6 n + 2: expected 20, 32, 44, 56 or the like"
        )));
    }
    let conv = |prefix: &str, i: usize, outputs: usize, stride: usize| Layer::Conv {
        name: format!("{prefix}conv{i}"),
        outputs,
        kernel: 3,
        stride,
        norm: Some(format!("{prefix}bn{i}")),
        relu: true,
    };
    let mut layers = vec![conv("", 1, 16, 1)];
    for (stage, (outputs, stride)) in (1..).zip([(16, 1), (32, 2), (64, 2)]) {
        for i in 0..n {
            let prefix = format!("layer{stage}.{i}.");
            let stride = if i == 0 { stride } else { 1 };
            layers.push(Layer::Residual {
                body: vec![conv(&prefix, 1, outputs, stride), conv(&prefix, 2, outputs, 1)],
                projection: None,
            });
        }
    }
    layers.push(Layer::MeanPool);
    let (name, outputs) = ("linear".into(), classes);
    layers.push(Layer::Linear { name, outputs, activation: None, dropout: false });
    Network::new(&format!("resnet-{depth}"), input, layers)
}
