//! A network on candle: any device, and gradients by candle's graph.

use candle_core::{D, Result, Tensor, Var};
use candle_nn::{
    BatchNorm, Conv2d, Conv2dConfig, Linear, Module, ModuleT, VarBuilder, batch_norm,
    conv2d_no_bias, linear,
};

use super::{Activation, Layer, Network, Size, layer::stride};
use crate::{Pass, Task};

/// A layer with its tensors. What goes from one to the next is (batch, channels, rows, columns).
#[derive(Debug)]
pub enum Built {
    /// Fully connected.
    #[doc(hidden)]
    Linear(Linear, Option<Activation>, bool),
    /// A convolution, its normalisation, and whether max(0, ·) follows.
    #[doc(hidden)]
    Conv(Conv2d, Option<BatchNorm>, bool),
    /// A pre-activation.
    #[doc(hidden)]
    Norm(BatchNorm, bool),
    /// The maximum of squares.
    #[doc(hidden)]
    MaxPool(usize),
    /// The mean of each channel.
    #[doc(hidden)]
    MeanPool,
    /// A residual block, with its projection.
    #[doc(hidden)]
    Residual(Vec<Built>, Around),
}

/// A residual block's shortcut.
#[derive(Debug)]
#[doc(hidden)]
pub enum Around {
    Projection(Box<Built>),
    OptionA { stride: usize, to: Size },
}

impl Task for Network {
    type Model = Vec<Built>;

    fn build(&self, vb: VarBuilder<'_>) -> Result<Vec<Built>> {
        build(&self.layers, self.input, &vb)
    }

    fn forward(&self, model: &Vec<Built>, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let (n, Size { channels, height, width }) = (x.dim(0)?, self.input);
        forward(model, &x.reshape((n, channels, height, width))?, pass)?.flatten_from(1)
    }

    fn network(&self) -> Option<&Network> {
        Some(self)
    }
}

fn build(layers: &[Layer], input: Size, vb: &VarBuilder<'_>) -> Result<Vec<Built>> {
    let mut size = input;
    let mut all = vec![];
    for layer in layers {
        all.push(built(layer, size, vb)?);
        size = layer.output(size).map_err(candle_core::Error::msg)?;
    }
    Ok(all)
}

fn built(layer: &Layer, size: Size, vb: &VarBuilder<'_>) -> Result<Built> {
    let norm = |name: &str, channels: usize| batch_norm(channels, 1e-5, vb.pp(name));
    Ok(match layer {
        Layer::Linear { name, outputs, activation, dropout } => {
            Built::Linear(linear(size.len(), *outputs, vb.pp(name))?, *activation, *dropout)
        }
        Layer::Conv { name, outputs, kernel, stride, norm: after, relu } => {
            let config =
                Conv2dConfig { padding: kernel / 2, stride: *stride, ..Default::default() };
            let conv = conv2d_no_bias(size.channels, *outputs, *kernel, config, vb.pp(name))?;
            let after = after.as_deref().map(|name| norm(name, *outputs)).transpose()?;
            Built::Conv(conv, after, *relu)
        }
        Layer::Norm { name, dropout } => Built::Norm(norm(name, size.channels)?, *dropout),
        Layer::MaxPool { size } => Built::MaxPool(*size),
        Layer::MeanPool => Built::MeanPool,
        Layer::Residual { body, projection } => {
            let to = layer.output(size).map_err(candle_core::Error::msg)?;
            let around = match projection {
                Some(name) => {
                    let layer = Layer::projection(name, body, to.channels);
                    Around::Projection(Box::new(built(&layer, size, vb)?))
                }
                None => Around::OptionA { stride: stride(body), to },
            };
            Built::Residual(build(body, size, vb)?, around)
        }
    })
}

fn forward(layers: &[Built], x: &Tensor, pass: &Pass) -> Result<Tensor> {
    let mut x = x.clone();
    for layer in layers {
        x = apply(layer, &x, None, pass)?;
    }
    Ok(x)
}

/// Applies a layer; a convolution at the end of a residual block gets the block's shortcut.
fn apply(layer: &Built, x: &Tensor, shortcut: Option<&Tensor>, pass: &Pass) -> Result<Tensor> {
    let dropout = |x: Tensor, dropout: bool| if dropout { pass.dropout(&x) } else { Ok(x) };
    match layer {
        Built::Linear(linear, activation, dropped) => {
            let x = linear.forward(&x.flatten_from(1)?)?.unsqueeze(2)?.unsqueeze(3)?;
            let x = match activation {
                Some(Activation::Relu) => x.relu()?,
                Some(Activation::Sigmoid) => candle_nn::ops::sigmoid(&x)?,
                Some(Activation::Tanh) => x.tanh()?,
                None => x,
            };
            dropout(x, *dropped)
        }
        Built::Conv(conv, norm, relu) => {
            let mut x = conv.forward(x)?;
            if let Some(norm) = norm {
                x = normalise(norm, &x, pass)?;
            }
            if let Some(shortcut) = shortcut {
                x = (x + shortcut)?;
            }
            if *relu { x.relu() } else { Ok(x) }
        }
        Built::Norm(norm, dropped) => dropout(normalise(norm, x, pass)?.relu()?, *dropped),
        Built::MaxPool(size) => max_pool(x, *size),
        Built::MeanPool => x.mean_keepdim((2, 3)),
        Built::Residual(body, around) => {
            let around = match around {
                Around::Projection(layer) => apply(layer, x, None, pass)?,
                Around::OptionA { stride, to } => option_a(x, *stride, *to)?,
            };
            let Some((last, before)) = body.split_last() else { return Ok(around) };
            apply(last, &forward(before, x, pass)?, Some(&around), pass)
        }
    }
}

/// Batch normalisation. One value a channel has no variance, and candle's running variance would be no
/// number from then on: as in the engine it is 0.
fn normalise(norm: &BatchNorm, x: &Tensor, pass: &Pass) -> Result<Tensor> {
    let channels = x.dim(1)?;
    let (Some((gamma, beta)), true) =
        (norm.weight_and_bias(), pass.is_training() && x.elem_count() == channels)
    else {
        return norm.forward_t(x, pass.is_training());
    };
    let values = x.detach().flatten_all()?;
    let towards = |old: &Tensor, new: &Tensor| (old.detach() * 0.9)? + (new * 0.1)?;
    let (mean, variance) = (norm.running_mean(), norm.running_var());
    for (old, new) in [(mean, values.clone()), (variance, values.zeros_like()?)] {
        Var::from_tensor(old)?.set(&towards(old, &new)?)?;
    }
    let shape = (1, channels, 1, 1);
    let scaled = x.zeros_like()?.broadcast_mul(&gamma.reshape(shape)?)?;
    scaled.broadcast_add(&beta.reshape(shape)?)
}

/// candle 0.11's own `max_pool2d` multiplies the gradient by the share of a square that is its
/// maximum, a quarter where PyTorch has one.
fn max_pool(x: &Tensor, side: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let (rows, columns) = (height / side, width / side);
    let x = x.narrow(2, 0, rows * side)?.narrow(3, 0, columns * side)?.contiguous()?;
    // A maximum's gradient would go to each of several that are equal: to the first alone, as in PyTorch.
    let squares = x.reshape(&[n, channels, rows, side, columns, side])?;
    let squares = squares.permute([0, 1, 2, 4, 3, 5])?.contiguous()?;
    let squares = squares.reshape((n, channels, rows, columns, side * side))?;
    let first = squares.detach().argmax_keepdim(D::Minus1)?;
    squares.gather(&first, D::Minus1)?.squeeze(D::Minus1)
}

/// The shortcut without weights: every so manieth pixel, and channels of zeros on both sides.
fn option_a(x: &Tensor, stride: usize, to: Size) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let mut x = x.clone();
    if stride > 1 {
        let every = |n: usize| Tensor::arange_step(0u32, n as u32, stride as u32, x.device());
        x = x.index_select(&every(height)?, 2)?.index_select(&every(width)?, 3)?;
    }
    let (before, missing) = ((to.channels - channels) / 2, to.channels - channels);
    if missing == 0 {
        return Ok(x);
    }
    let zeros = |channels| Tensor::zeros((n, channels, to.height, to.width), x.dtype(), x.device());
    Tensor::cat(&[&zeros(before)?, &x, &zeros(missing - before)?], 1)
}
