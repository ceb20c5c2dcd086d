//! The layers that a network is made of, their sizes and their weights.

use esgd_ops::layers::{activation, conv};
use serde::{Deserialize, Serialize};

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
    /// without one option A of the ResNet paper: pixels are left out, channels are zero.
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

    /// The 1 × 1 convolution around a residual block from and to these sizes.
    pub(crate) fn projection(name: &str, from: Size, to: Size) -> Self {
        Self::Conv {
            name: name.into(),
            outputs: to.channels,
            kernel: 1,
            stride: from.height.div_ceil(to.height.max(1)),
            norm: None,
            relu: false,
        }
    }

    /// The size of its output.
    pub(crate) fn output(&self, size: Size) -> Result<Size, String> {
        match self {
            Self::Linear { outputs, .. } => Ok(Size::vector(*outputs)),
            Self::Norm { .. } => Ok(size),
            Self::MeanPool => Ok(Size::vector(size.channels)),
            Self::Conv { name, kernel, .. } => {
                let shape = self.shape(size).filter(conv::Shape::is_valid);
                let shape = shape.filter(|_| kernel % 2 == 1).ok_or_else(|| {
                    format!("`{name}` does not fit onto {size:?}: expected an odd kernel and sizes of at least 1")
                })?;
                Ok(Size::image(shape.outputs, shape.out_height(), shape.out_width()))
            }
            Self::MaxPool { size: side } => {
                if *side == 0 || size.height < *side || size.width < *side {
                    return Err(format!("squares of {side} do not fit into {size:?}"));
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
                    Some(name) => Self::projection(name, size, to).output(size)?,
                    None if to.height <= size.height && to.channels >= size.channels => {
                        let stride = size.height.div_ceil(to.height);
                        let left = |n: usize| n.div_ceil(stride);
                        Size::image(to.channels, left(size.height), left(size.width))
                    }
                    None => size,
                };
                if around == to {
                    return Ok(to);
                }
                Err(format!("a shortcut gives {around:?} and its block {to:?}: expected the same"))
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

    /// The names and lengths of its weights, without those of layers within.
    pub(super) fn weights(&self, size: Size) -> Vec<(String, usize)> {
        let pair = |name: &str, weight: usize, bias: usize| {
            vec![(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]
        };
        match self {
            Self::Linear { name, outputs, .. } => pair(name, size.len() * outputs, *outputs),
            Self::Norm { name, .. } => pair(name, size.channels, size.channels),
            Self::Conv { name, outputs, norm, .. } => {
                let n = self.shape(size).map_or(0, |shape| shape.weights());
                let mut all = vec![(format!("{name}.weight"), n)];
                all.extend(norm.iter().flat_map(|norm| pair(norm, *outputs, *outputs)));
                all
            }
            Self::MaxPool { .. } | Self::MeanPool | Self::Residual { .. } => vec![],
        }
    }
}

/// The size that layers make of an input's, or why they cannot.
pub(super) fn output_of(layers: &[Layer], input: Size) -> Result<Size, String> {
    layers.iter().try_fold(input, |size, layer| layer.output(size))
}

/// Appends all layers with the size of their input, a residual block's after itself. The sizes have
/// been checked before.
pub(super) fn visit<'a>(layers: &'a [Layer], input: Size, all: &mut Vec<(&'a Layer, Size)>) {
    let mut size = input;
    for layer in layers {
        all.push((layer, size));
        if let Layer::Residual { body, .. } = layer {
            visit(body, size, all);
        }
        size = layer.output(size).unwrap_or(size);
    }
}
