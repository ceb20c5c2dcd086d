//! Networks that come with the crate, each described once: as a list of layers.
//!
//! A [`Network`] is data. candle builds and runs it on any device ([`Task`](crate::Task)); on the
//! CPU an engine of its own runs the same list with its own kernels, in memory that is
//! allocated once; and what it costs is read off it before it runs.

mod convnet;
mod layer;
mod mlp;
mod on_candle;
mod resnet;
mod wide_resnet;

pub use convnet::convnet;
pub use layer::{Activation, Layer, Size};
pub use mlp::{bn50, mlp};
pub use resnet::resnet;
pub use wide_resnet::wide_resnet;

use crate::{Error, Result};

/// A classifier: the size of its input, and its layers.
///
/// ```
/// use esgd_models::networks;
///
/// let resnet20 = networks::resnet(20, 10)?;
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
    /// If a layer does not fit onto what comes before it, or two have the same name.
    pub fn new(name: &str, input: Size, layers: Vec<Layer>) -> Result<Self> {
        let output = layer::output_of(&layers, input)
            .map_err(|why| Error::Network(format!("{name}: {why}")))?;
        let network = Self { name: name.into(), input, layers, output };
        let mut names: Vec<_> = network.weights().into_iter().map(|(name, _)| name).collect();
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
        self.weights().into_iter().map(|(_, n)| n).sum()
    }

    /// Multiplications with additions of one sample's forward pass, of the convolutions and fully
    /// connected layers. Training takes about three times as many.
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.visit().map(|(layer, size)| layer.macs(size)).sum()
    }

    /// The names and lengths of the weights.
    fn weights(&self) -> Vec<(String, usize)> {
        self.visit().flat_map(|(layer, size)| layer.weights(size)).collect()
    }

    /// All layers, those of residual blocks included, with the size of their input.
    fn visit(&self) -> impl Iterator<Item = (&Layer, Size)> {
        let mut all = vec![];
        layer::visit(&self.layers, self.input, &mut all);
        all.into_iter()
    }
}
