//! Wide residual networks.

use super::{Layer, Network, Size};
use crate::{Error, Result};

/// A WRN-depth-width for small images such as CIFAR-10's of 3 × 32 × 32 (Zagoruyko and Komodakis, *Wide Residual Networks*,
/// arXiv:1605.07146, table 1): pre-activation blocks, dropout between their convolutions, a 1 × 1
/// convolution as the shortcut where the number of channels changes.
///
/// # Errors
/// If `depth` is not 6 n + 4 with n ≥ 1, or `width` is 0.
pub fn wide_resnet(depth: usize, width: usize, input: Size, classes: usize) -> Result<Network> {
    let n = depth.saturating_sub(4) / 6;
    if n == 0 || depth != 6 * n + 4 || width == 0 {
        return Err(Error::Network(format!(
            "wide-resnet: depth {depth} and width {width}: expected a depth of 6 n + 4, such as 16, \
             22 or 28, and a width of at least 1"
        )));
    }
    let conv = |name: String, outputs: usize, stride: usize| {
        let (kernel, norm, relu) = (3, None, false);
        Layer::Conv { name, outputs, kernel, stride, norm, relu }
    };
    let mut layers = vec![conv("conv1".into(), 16, 1)];
    let mut inputs = 16;
    for (stage, (outputs, stride)) in (1..).zip([(16, 1), (32, 2), (64, 2)]) {
        let outputs = width.saturating_mul(outputs);
        for i in 0..n {
            let prefix = format!("layer{stage}.{i}.");
            let stride = if i == 0 { stride } else { 1 };
            let first = Layer::Norm { name: format!("{prefix}bn1"), dropout: false };
            let rest = vec![
                conv(format!("{prefix}conv1"), outputs, stride),
                Layer::Norm { name: format!("{prefix}bn2"), dropout: true },
                conv(format!("{prefix}conv2"), outputs, 1),
            ];
            if inputs == outputs && stride == 1 {
                let body = [first].into_iter().chain(rest).collect();
                layers.push(Layer::Residual { body, projection: None });
            } else {
                // Both ways begin with the normalised input.
                let projection = Some(format!("{prefix}shortcut"));
                layers.extend([first, Layer::Residual { body: rest, projection }]);
            }
            inputs = outputs;
        }
    }
    layers.push(Layer::Norm { name: "bn".into(), dropout: false });
    layers.push(Layer::MeanPool);
    let (name, outputs) = ("linear".into(), classes);
    layers.push(Layer::Linear { name, outputs, activation: None, dropout: false });
    Network::new(&format!("wide-resnet-{depth}-{width}"), input, layers)
}
