//! Convolutions, images on all threads of rayon's current pool.

use std::{cell::RefCell, collections::HashMap};

use candle_core::{CpuStorage, CustomOp2, Layout, Module, Result, Shape, Tensor};
use candle_nn::{Conv2dConfig, VarBuilder};
use esgd_ops::layers::conv::{self, Conv, Work};
use rayon::prelude::*;

use super::{like, stored, suits, values, with_values};

/// Images whose gradients of the kernel are summed together, before those sums are: the same for any
/// number of threads.
const TOGETHER: usize = 32;

/// Plans and memory that a thread keeps.
const KEPT: usize = 64;

/// A convolution; see [`candle_nn::Conv2d`].
#[derive(Clone, Debug)]
pub struct Conv2d(candle_nn::Conv2d);

/// A convolution with tensors `weight` (out, in, rows, columns) and `bias` (out), as
/// [`candle_nn::conv2d`] makes it.
///
/// # Errors
/// What candle says.
pub fn conv2d(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    candle_nn::conv2d(inputs, outputs, kernel, config, vb).map(Conv2d)
}

/// A convolution without bias, as [`candle_nn::conv2d_no_bias`] makes it.
///
/// # Errors
/// What candle says.
pub fn conv2d_no_bias(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    candle_nn::conv2d_no_bias(inputs, outputs, kernel, config, vb).map(Conv2d)
}

impl Module for Conv2d {
    /// x is (batch, in, rows, columns).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.0.weight();
        let Some(shape) = self.shape(x).filter(|_| suits(&[x, weight])) else {
            return self.0.forward(x);
        };
        let y = x.contiguous()?.apply_op2(&weight.contiguous()?, Op { shape })?;
        match self.0.bias() {
            Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
            None => Ok(y),
        }
    }
}

impl Conv2d {
    /// A convolution with these tensors.
    #[must_use]
    pub fn new(weight: Tensor, bias: Option<Tensor>, config: Conv2dConfig) -> Self {
        Self(candle_nn::Conv2d::new(weight, bias, config))
    }

    /// What the kernels are asked for, if they have it.
    fn shape(&self, x: &Tensor) -> Option<conv::Shape> {
        let &Conv2dConfig { padding, stride, dilation: 1, groups: 1, .. } = self.0.config() else {
            return None;
        };
        let (_, inputs, height, width) = x.dims4().ok()?;
        let (outputs, expected, kernel, columns) = self.0.weight().dims4().ok()?;
        let shape = conv::Shape { inputs, outputs, height, width, kernel, stride, padding };
        (kernel == columns && inputs == expected && shape.is_valid()).then_some(shape)
    }
}

/// Runs `f` with this thread's plan and memory of a convolution, with the kernel `w` set.
fn with_work<R>(shape: conv::Shape, w: &[f32], f: impl FnOnce(&Conv, &mut Work) -> R) -> R {
    thread_local! {
        static IDLE: RefCell<HashMap<conv::Shape, (Conv, Work)>> = RefCell::default();
    }
    let idle = IDLE.with_borrow_mut(|idle| idle.remove(&shape));
    let (conv, mut work) = idle.unwrap_or_else(|| {
        let conv = Conv::new(shape);
        let work = conv.work();
        (conv, work)
    });
    conv.set_weights(w, &mut work);
    let result = f(&conv, &mut work);
    IDLE.with_borrow_mut(|idle| {
        if idle.len() >= KEPT {
            idle.clear();
        }
        idle.insert(shape, (conv, work));
    });
    result
}

struct Op {
    shape: conv::Shape,
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (shape, n) = (self.shape, x_layout.dims()[0]);
        let (x, w) = (values(x, x_layout)?, values(w, w_layout)?);
        let mut y = vec![0.0; n * shape.output_len()];
        let images = share(n);
        let parts = y.par_chunks_mut(images * shape.output_len());
        parts.zip(x.par_chunks(images * shape.input_len())).for_each(|(y, x)| {
            with_work(shape, w, |conv, work| {
                let images = y.chunks_exact_mut(shape.output_len());
                for (y, x) in images.zip(x.chunks_exact(shape.input_len())) {
                    conv.forward(x, work, y);
                }
            });
        });
        Ok(stored(y, (n, shape.outputs, shape.out_height(), shape.out_width())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let shape = self.shape;
        // Nobody asks for the gradient of the data.
        let wanted = x.track_op();
        let (dx, dw) = with_values([x, w, dy], |[x, w, dy]| {
            let mut dx = vec![0.0; if wanted { x.len() } else { 0 }];
            let mut empty: Vec<&mut [f32]> = vec![];
            let parts = if wanted {
                dx.chunks_mut(TOGETHER * shape.input_len()).collect()
            } else {
                empty.resize_with(x.len().div_ceil(TOGETHER * shape.input_len()), Default::default);
                empty
            };
            let sums: Vec<Vec<f32>> = parts
                .into_par_iter()
                .zip(x.par_chunks(TOGETHER * shape.input_len()))
                .zip(dy.par_chunks(TOGETHER * shape.output_len()))
                .map(|((dx, x), dy)| with_work(shape, w, |conv, work| part(conv, work, x, dy, dx)))
                .collect();
            let mut dw = vec![0.0; w.len()];
            for sum in sums {
                dw.iter_mut().zip(sum).for_each(|(dw, x)| *dw += x);
            }
            (dx, dw)
        })?;
        let dx = if wanted { Some(like(dx, x)?) } else { None };
        Ok((dx, Some(like(dw, w)?)))
    }
}

/// The gradient of the kernel over some images, and theirs unless `dx` is empty.
fn part(conv: &Conv, work: &mut Work, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Vec<f32> {
    let shape = conv.shape();
    let pairs = x.chunks_exact(shape.input_len()).zip(dy.chunks_exact(shape.output_len()));
    for (x, dy) in pairs {
        conv.add_weight_gradient(x, dy, work);
    }
    let images = dx.chunks_exact_mut(shape.input_len());
    for (dx, dy) in images.zip(dy.chunks_exact(shape.output_len())) {
        conv.input_gradient(dy, work, dx);
    }
    let mut dw = vec![0.0; shape.weights()];
    conv.take_weight_gradient(work, &mut dw);
    dw
}

/// How many of `n` images each thread takes.
fn share(n: usize) -> usize {
    n.div_ceil(rayon::current_num_threads()).max(1)
}
