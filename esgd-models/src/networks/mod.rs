//! Networks that come with the crate, each described once: as a list of layers.
//!
//! A [`Network`] is data. candle builds and runs it on any device ([`Task`](crate::Task)); on the
//! CPU an engine of its own runs the same list with its own kernels, in memory that is
//! allocated once; and what it costs is read off it before it runs.

mod convnet;
pub(crate) mod layer;
mod mlp;
mod on_candle;
mod resnet;
mod wide_resnet;
mod words;

pub use convnet::convnet;
pub use layer::{Activation, Layer, Size};
pub use mlp::{bn50, mlp};
pub use resnet::resnet;
pub use wide_resnet::wide_resnet;

use std::borrow::Cow;

use crate::{Error, Result, genome::Role};
use layer::Named;

/// A classifier: the size of its input, and its layers.
///
/// ```
/// use esgd_models::networks::{self, Size};
///
/// let resnet20 = networks::resnet(20, Size::image(3, 32, 32), 10)?;
/// assert_eq!(resnet20.parameters(), 269_722);
/// assert_eq!(resnet20.macs(), 40_551_040);
/// # Ok::<(), esgd_models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    input: Size,
    layers: Vec<Layer>,
    output: Size,
}

impl Network {
    /// A network of these layers, the last of which gives logits.
    ///
    /// # Errors
    /// If there are no layers, one does not fit onto what comes before it, or two have the same name.
    pub fn new(name: &str, input: Size, layers: Vec<Layer>) -> Result<Self> {
        let refused = |why: String| Error::Network(format!("{name}: {why}"));
        if layers.is_empty() {
            return Err(refused("there are no layers: expected at least one".into()));
        }
        let output = layer::output_of(&layers, input).map_err(refused)?;
        let network = Self { name: name.into(), input, layers, output };
        let mut names: Vec<_> = network.tensors().into_iter().map(|tensor| tensor.name).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Network(format!(
                "{name}: two layers are called `{}`: expected names that differ",
                twice[0]
            )));
        }
        Ok(network)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size of a sample.
    #[must_use]
    pub fn input(&self) -> Size {
        self.input
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.output.len()
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The number of weights, without statistics.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let tensors = self.tensors();
        let weights = tensors.iter().filter(|t| t.role == Role::Weight).map(|t| t.len);
        weights.fold(0, usize::saturating_add)
    }

    /// The bytes of its weights and statistics.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let values = self.tensors().iter().map(|t| t.len as u64).fold(0, u64::saturating_add);
        values.saturating_mul(4)
    }

    /// Multiplications with additions of one sample's forward pass, of the convolutions and fully
    /// connected layers. Training takes about three times as many.
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.visit().map(|(layer, size)| layer.macs(size)).fold(0, u64::saturating_add)
    }

    /// Its tensors.
    pub(crate) fn tensors(&self) -> Vec<Named> {
        self.visit().flat_map(|(layer, size)| layer.tensors(size)).collect()
    }

    /// All layers, those of residual blocks and their projections included, with the size of their
    /// input.
    fn visit(&self) -> impl Iterator<Item = (Cow<'_, Layer>, Size)> {
        let mut all = vec![];
        layer::visit(&self.layers, self.input, &mut all);
        all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIFAR: Size = Size::image(3, 32, 32);

    #[test]
    fn published_sizes() {
        // He et al., table 6, and Zagoruyko and Komodakis, tables 4 and 9, in millions.
        for (depth, millions) in [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)] {
            let n = resnet(depth, CIFAR, 10).unwrap().parameters() as f64 / 1e6;
            assert!((n - millions).abs() < 0.05 * millions, "{depth}: {n}");
        }
        for ((depth, width), millions) in [((16, 4), 2.75), ((28, 10), 36.48), ((40, 4), 8.95)] {
            let n = wide_resnet(depth, width, CIFAR, 10).unwrap().parameters() as f64 / 1e6;
            assert!((n - millions).abs() < 0.01, "{depth}-{width}: {n}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let conv = |name: &str, stride| Layer::Conv {
            name: name.into(),
            outputs: 2,
            kernel: 1,
            stride,
            norm: None,
            relu: false,
        };
        let refused = |layers: Vec<Layer>| Network::new("x", Size::image(2, 5, 5), layers).is_err();
        let block = |body: Vec<Layer>, projection: Option<&str>| Layer::Residual {
            body,
            projection: projection.map(String::from),
        };
        assert!(refused(vec![]));
        assert!(refused(vec![conv("a", 0)]));
        assert!(refused(vec![conv("a", 1), conv("a", 1)]));
        assert!(refused(vec![block(vec![], None)]));
        assert!(refused(vec![block(vec![conv("a", 1), Layer::MeanPool], None)]));
        // A projection of the same name as the convolution would share its tensor.
        assert!(refused(vec![block(vec![conv("a", 2)], Some("a"))]));
        assert!(!refused(vec![block(vec![conv("a", 2)], Some("b"))]));
        assert!(mlp(64, &[0], 10, Activation::Relu).is_err());
        assert!(mlp(0, &[8], 10, Activation::Relu).is_err());
        assert!(mlp(64, &[8], 0, Activation::Relu).is_err());
        assert!(mlp(64, &[usize::MAX], 10, Activation::Relu).is_err());
        assert_eq!(
            convnet(Size::image(1, 3, 28), 10).unwrap_err().to_string(),
            "convnet: squares of 2 do not fit into 32 channels of 1 × 14"
        );
        assert!(convnet(Size::image(1, usize::MAX, 28), 10).is_err());
        assert!(resnet(21, CIFAR, 10).is_err() && wide_resnet(28, 0, CIFAR, 10).is_err());
    }
}
