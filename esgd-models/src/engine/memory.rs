//! The memory that an engine will take, by arithmetic on the list of layers: nothing is made for it, and
//! what is too much for a number is the largest.

use esgd_ops::layers::conv;

use super::chain::{Step, steps};
use crate::{
    Error, Result,
    genome::Role,
    networks::{Layer, Network, Size, layer::output_of},
};

/// Values, of 4 bytes, that layers one after another take.
pub(super) struct Memory {
    /// The largest number of values of a sample that goes in, through or out.
    pub(super) largest: u64,
    /// What the layers keep of each sample.
    each: u64,
    /// What they keep whatever the samples.
    once: u64,
    /// Gradients of activations that are there at the same time, each of `largest` values a sample.
    buffers: u64,
}

impl Memory {
    pub(super) fn of(network: &Network) -> Result<Self> {
        Self::of_chain(network.layers(), network.input(), false)
    }

    /// The bytes of an engine for `network`, whose layers these are, with room for so many samples, once it
    /// has trained.
    pub(super) fn bytes(&self, network: &Network, samples: u64, clips: bool) -> u64 {
        let (mut weights, mut statistics, mut longest) = (0u64, 0u64, 0);
        for tensor in network.tensors() {
            let len = tensor.len as u64;
            let sum = if tensor.role == Role::Weight { &mut weights } else { &mut statistics };
            *sum = sum.saturating_add(len);
            longest = len.max(longest);
        }
        let gradients = if clips { weights } else { 0 };
        let theta = weights.saturating_add(statistics).saturating_add(gradients);
        // Input, class, what the layers keep, gradients.
        let sample = (network.input().len() as u64 + 1)
            .saturating_add(self.each)
            .saturating_add(self.buffers.saturating_mul(self.largest));
        let values = theta
            .saturating_add(longest)
            .saturating_add(self.once)
            .saturating_add(sample.saturating_mul(samples));
        values.saturating_mul(4)
    }

    /// Of layers one after another, if the gradient of their input is wanted or not.
    fn of_chain(layers: &[Layer], input: Size, wanted: bool) -> Result<Self> {
        let mut all = Self { largest: input.len() as u64, each: 0, once: 0, buffers: 1 };
        for (i, step) in steps(layers, input)?.iter().enumerate() {
            all.join(Self::of_step(step, wanted || i > 0)?);
        }
        Ok(all)
    }

    fn of_step(step: &Step<'_>, wanted: bool) -> Result<Self> {
        let Step { layer, input, output, .. } = *step;
        match layer {
            Layer::Conv { .. } => Self::of_conv(step, wanted),
            Layer::Residual { body, projection } => {
                Self::of_residual(body, projection.as_deref(), input, output, wanted)
            }
            Layer::Linear { .. } | Layer::Norm { .. } | Layer::MaxPool { .. } | Layer::MeanPool => {
                let (before, after) = (input.len() as u64, output.len() as u64);
                Ok(Self::node(before.max(after), after, 0, wanted))
            }
        }
    }

    fn of_conv(step: &Step<'_>, wanted: bool) -> Result<Self> {
        let (Layer::Conv { norm, .. }, Some(shape)) = (step.layer, step.layer.shape(step.input))
        else {
            return Err(Error::Network("this layer is no convolution".into()));
        };
        let image = shape.output_len() as u64;
        let normalised = if norm.is_some() { image } else { 0 };
        let work = conv::Work::forecast(&shape) as u64;
        // An image's gradient; and with pooling an image before that, and its gradient.
        let (each, once) = match step.pooled {
            Some(_) => (step.output.len() as u64, 3 * image),
            None => (image, image),
        };
        let largest = image.max(shape.input_len() as u64);
        Ok(Self::node(largest, each + normalised, work + once, wanted))
    }

    fn of_residual(
        body: &[Layer],
        projection: Option<&str>,
        input: Size,
        output: Size,
        wanted: bool,
    ) -> Result<Self> {
        let Some((last, before)) = body.split_last() else {
            return Err(Error::Network("a residual block has no layers".into()));
        };
        let between = output_of(before, input).map_err(Error::Network)?;
        let inner = wanted || !before.is_empty();
        let mut all = Self::of_conv(&Step::alone(last, between, output), inner)?;
        let rest = Self::of_chain(before, input, wanted)?;
        // The shortcut's gradient waits for that of the body, and then they are added.
        let buffers = if inner { 1 + rest.buffers } else { 1 };
        all.join(Self { buffers, ..rest });
        match projection {
            Some(name) => {
                let layer = Layer::projection(name, body, output.channels);
                let around = Self::of_conv(&Step::alone(&layer, input, output), wanted)?;
                all.join(Self { buffers: if wanted { 3 } else { 1 }, largest: 0, ..around });
            }
            None if input != output => all.each = all.each.saturating_add(output.len() as u64),
            None => {}
        }
        Ok(all)
    }

    /// Of one layer, that takes another buffer if the gradient of its input is wanted.
    fn node(largest: u64, each: u64, once: u64, wanted: bool) -> Self {
        Self { largest, each, once, buffers: if wanted { 2 } else { 1 } }
    }

    fn join(&mut self, other: Self) {
        self.largest = self.largest.max(other.largest);
        self.each = self.each.saturating_add(other.each);
        self.once = self.once.saturating_add(other.once);
        self.buffers = self.buffers.max(other.buffers);
    }
}
