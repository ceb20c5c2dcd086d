//! The layers that a network is made of, their sizes and their tensors.

use std::{borrow::Cow, fmt};

use esgd_ops::layers::{activation, conv};
use serde::{Deserialize, Serialize};

use crate::genome::Role;

/// What follows a fully connected layer.
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
    pub(crate) fn kernel(self) -> activation::Activation {
        match self {
            Self::Relu => activation::Activation::Relu,
            Self::Sigmoid => activation::Activation::Sigmoid,
            Self::Tanh => activation::Activation::Tanh,
        }
    }
}

/// The size of one sample between two layers; a plain vector has one row and one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Channels, or values of a vector.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} channels of {} × {}", self.channels, self.height, self.width)
    }
}

impl Size {
    /// A vector of `n` values.
    #[must_use]
    pub const fn vector(n: usize) -> Self {
        Self { channels: n, height: 1, width: 1 }
    }

    /// An image.
    #[must_use]
    pub const fn image(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// The number of values.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The number of values, unless it is more than a `usize` or the memory of any machine holds.
    pub(crate) fn checked_len(&self) -> Option<usize> {
        let len = self.channels.checked_mul(self.height)?.checked_mul(self.width)?;
        (len <= u32::MAX as usize).then_some(len)
    }

    /// Whether there are no values.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of values of a channel.
    #[must_use]
    pub const fn plane(&self) -> usize {
        self.height * self.width
    }
}

/// A layer. Names are those of its tensors in a file, as in PyTorch: `NAME.weight`, `NAME.bias`.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Fully connected, on the sample as one vector.
    Linear {
        /// Of its tensors.
        name: String,
        /// The number of its outputs.
        outputs: usize,
        /// What follows, if anything.
        activation: Option<Activation>,
        /// Whether the recipe's dropout applies to its output.
        dropout: bool,
    },
    /// A convolution with as many zeros around the image as keep its size at stride 1.
    Conv {
        /// Of its tensors.
        name: String,
        /// The number of its channels.
        outputs: usize,
        /// Rows and columns of its kernel: an odd number.
        kernel: usize,
        /// Pixels from one output to the next.
        stride: usize,
        /// The name of the batch normalisation that follows; without one the layer has no bias
        /// either, as in pre-activation networks.
        norm: Option<String>,
        /// Whether max(0, ·) follows; at the end of a residual block, after the sum.
        relu: bool,
    },
    /// Batch normalisation and max(0, ·): a pre-activation.
    Norm {
        /// Of its tensors.
        name: String,
        /// Whether the recipe's dropout applies to its output.
        dropout: bool,
    },
    /// The maximum of squares that do not overlap.
    MaxPool {
        /// Rows and columns of a square.
        size: usize,
    },
    /// The mean of each channel.
    MeanPool,
    /// The sum of layers, the last of which is a convolution, and a shortcut around them. The
    /// shortcut is the input itself; where the size changes, a 1 × 1 convolution of this name, or
    /// without one option A of the ResNet paper: pixels are left out, and the new channels are zero, half of
    /// them before the others and half behind, the odd one behind.
    Residual {
        /// The layers that the shortcut goes around.
        body: Vec<Layer>,
        /// The 1 × 1 convolution's name.
        projection: Option<String>,
    },
}

impl Layer {
    /// The convolution that this is, on an input of that size.
    pub(crate) fn shape(&self, size: Size) -> Option<conv::Shape> {
        let Self::Conv { outputs, kernel, stride, .. } = self else { return None };
        Some(conv::Shape {
            inputs: size.channels,
            outputs: *outputs,
            height: size.height,
            width: size.width,
            kernel: *kernel,
            stride: *stride,
            padding: kernel / 2,
        })
    }

    /// The 1 × 1 convolution around the layers of a residual block that give so many channels.
    pub(crate) fn projection(name: &str, body: &[Self], outputs: usize) -> Self {
        let (name, stride) = (name.into(), stride(body));
        Self::Conv { name, outputs, kernel: 1, stride, norm: None, relu: false }
    }

    /// The size of its output.
    pub(crate) fn output(&self, size: Size) -> Result<Size, String> {
        if size.checked_len().is_none_or(|n| n == 0) {
            return Err(format!(
                "{size} go in: expected sizes of at least 1, and less than 2^32 values"
            ));
        }
        match self {
            Self::Linear { name, outputs: 0, .. } => {
                Err(format!("`{name}` has no outputs: expected at least 1"))
            }
            Self::Linear { name, outputs, .. }
                if size.len().checked_mul(*outputs).is_none_or(|n| n >= 1 << 48) =>
            {
                Err(format!("`{name}` has 2⁴⁸ weights or more: expected fewer outputs"))
            }
            Self::Linear { outputs, .. } => Ok(Size::vector(*outputs)),
            Self::Norm { .. } => Ok(size),
            Self::MeanPool => Ok(Size::vector(size.channels)),
            Self::Conv { name, kernel, .. } => {
                let shape = self.shape(size).filter(conv::Shape::is_valid);
                let shape = shape.filter(|_| kernel % 2 == 1).ok_or_else(|| {
                    format!("`{name}` does not fit onto {size}: expected an odd kernel, sizes of at least 1 and less than 2^31 weights")
                })?;
                Ok(Size::image(shape.outputs, shape.out_height(), shape.out_width()))
            }
            Self::MaxPool { size: side } => {
                if *side == 0 || size.height < *side || size.width < *side {
                    return Err(format!("squares of {side} do not fit into {size}"));
                }
                Ok(Size::image(size.channels, size.height / side, size.width / side))
            }
            Self::Residual { body, projection } => {
                let Some(Self::Conv { .. }) = body.last() else {
                    return Err(
                        "a residual block ends with something else: expected a convolution".into(),
                    );
                };
                let to = output_of(body, size)?;
                let around = match projection {
                    Some(name) => Self::projection(name, body, to.channels).output(size)?,
                    None if to.channels >= size.channels => {
                        let stride = stride(body);
                        let left = |n: usize| n.div_ceil(stride);
                        Size::image(to.channels, left(size.height), left(size.width))
                    }
                    None => size,
                };
                if around == to {
                    return Ok(to);
                }
                Err(format!("a shortcut gives {around} and its block {to}: expected the same"))
            }
        }
    }

    /// Multiplications with additions of one sample, without those of layers within.
    pub(super) fn macs(&self, size: Size) -> u64 {
        match self {
            Self::Linear { outputs, .. } => (size.len() * outputs) as u64,
            Self::Conv { .. } => self.shape(size).map_or(0, |shape| shape.macs()),
            _ => 0,
        }
    }

    /// Its tensors, without those of layers within.
    pub(super) fn tensors(&self, size: Size) -> Vec<Named> {
        let tensor = |layer: &str, name: &str, len: usize, role: Role| Named {
            name: format!("{layer}.{name}"),
            len,
            role,
        };
        let weight = |layer: &str, len: usize| tensor(layer, "weight", len, Role::Weight);
        let bias = |layer: &str, len: usize| tensor(layer, "bias", len, Role::Weight);
        let norm = |layer: &str, len: usize| {
            let statistic = |name: &str| tensor(layer, name, len, Role::Statistic);
            let statistics = ["running_mean", "running_var"].map(statistic);
            [weight(layer, len), bias(layer, len)].into_iter().chain(statistics).collect::<Vec<_>>()
        };
        match self {
            Self::Linear { name, outputs, .. } => {
                vec![weight(name, size.len() * outputs), bias(name, *outputs)]
            }
            Self::Norm { name, .. } => norm(name, size.channels),
            Self::Conv { name, outputs, norm: after, .. } => {
                let n = self.shape(size).map_or(0, |shape| shape.weights());
                let mut all = vec![weight(name, n)];
                all.extend(after.iter().flat_map(|after| norm(after, *outputs)));
                all
            }
            Self::MaxPool { .. } | Self::MeanPool | Self::Residual { .. } => vec![],
        }
    }
}

/// The size that layers make of an input's, or why they cannot.
pub(crate) fn output_of(layers: &[Layer], input: Size) -> Result<Size, String> {
    layers.iter().try_fold(input, |size, layer| layer.output(size))
}

/// A tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) len: usize,
    pub(crate) role: Role,
}

/// Pixels of the input from one of the output to the next, after all of `layers`.
pub(crate) fn stride(layers: &[Layer]) -> usize {
    let of = |layer: &Layer| match layer {
        Layer::Conv { stride, .. } => *stride,
        Layer::MaxPool { size } => *size,
        Layer::Residual { body, .. } => stride(body),
        Layer::Linear { .. } | Layer::Norm { .. } | Layer::MeanPool => 1,
    };
    layers.iter().map(of).fold(1, usize::saturating_mul)
}

/// Appends all layers with the size of their input; after a residual block its layers and its
/// projection. The sizes have been checked before.
pub(super) fn visit<'a>(layers: &'a [Layer], input: Size, all: &mut Vec<(Cow<'a, Layer>, Size)>) {
    let mut size = input;
    for layer in layers {
        let output = layer.output(size).unwrap_or(size);
        all.push((Cow::Borrowed(layer), size));
        if let Layer::Residual { body, projection } = layer {
            visit(body, size, all);
            let around =
                projection.iter().map(|name| Layer::projection(name, body, output.channels));
            all.extend(around.map(|layer| (Cow::Owned(layer), size)));
        }
        size = output;
    }
}
