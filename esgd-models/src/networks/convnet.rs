//! The small convolutional network.

use super::{Layer, Network, Size};
use crate::Result;

/// Two 3 × 3 convolutions of 32 filters with batch normalisation and ReLU, each followed by
/// max-pooling by 2, and a fully connected layer: the child network of neural optimizer search (Bello
/// et al., arXiv:1709.07417, section 5.1), which leaves the pooling open.
///
/// # Errors
/// If the image is smaller than 4 × 4.
pub fn convnet(input: Size, classes: usize) -> Result<Network> {
    let conv = |i: usize| Layer::Conv {
        name: format!("conv{i}"),
        outputs: 32,
        kernel: 3,
        stride: 1,
        norm: Some(format!("bn{i}")),
        relu: true,
    };
    let pool = || Layer::MaxPool { size: 2 };
    let linear =
        Layer::Linear { name: "linear".into(), outputs: classes, activation: None, dropout: false };
    Network::new("convnet", input, vec![conv(1), pool(), conv(2), pool(), linear])
}
