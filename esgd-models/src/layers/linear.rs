//! Fully connected layers: products and bias in one.

use candle_core::{CpuStorage, CustomOp3, Layout, Module, Result, Shape, Tensor};
use candle_nn::VarBuilder;
use esgd_ops::layers::linear as kernel;

use super::{like, stored, suits, values, with_values};

/// A fully connected layer; see [`candle_nn::Linear`].
#[derive(Clone, Debug)]
pub struct Linear(candle_nn::Linear);

/// A layer with tensors `weight` (out, in) and `bias` (out), as [`candle_nn::linear()`] makes it.
///
/// # Errors
/// What candle says.
pub fn linear(inputs: usize, outputs: usize, vb: VarBuilder<'_>) -> Result<Linear> {
    candle_nn::linear(inputs, outputs, vb).map(Linear)
}

/// A layer without bias, as [`candle_nn::linear_no_bias`] makes it.
///
/// # Errors
/// What candle says.
pub fn linear_no_bias(inputs: usize, outputs: usize, vb: VarBuilder<'_>) -> Result<Linear> {
    candle_nn::linear_no_bias(inputs, outputs, vb).map(Linear)
}

impl Linear {
    /// A layer with these tensors.
    #[must_use]
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self(candle_nn::Linear::new(weight, bias))
    }
}

impl Module for Linear {
    /// x is (…, in); the output (…, out).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (self.0.weight(), self.0.bias());
        let fits = |bias: &Tensor| match *weight.dims() {
            [outputs, inputs] => {
                weight.elem_count() > 0
                    && bias.dims() == [outputs]
                    && x.dims().last() == Some(&inputs)
            }
            _ => false,
        };
        match bias {
            Some(bias) if suits(&[x, weight, bias]) && fits(bias) => {
                x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, Op)
            }
            _ => self.0.forward(x),
        }
    }
}

struct Op;

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (outputs, inputs) = w_layout.shape().dims2()?;
        let x = values(x, x_layout)?;
        let mut dims = x_layout.dims().to_vec();
        dims.pop();
        dims.push(outputs);
        let mut y = vec![0.0; x.len() / inputs.max(1) * outputs];
        if !y.is_empty() && inputs > 0 {
            kernel::forward(x, values(w, w_layout)?, Some(values(b, b_layout)?), &mut y, inputs);
        }
        Ok(stored(y, dims))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let inputs = w.dim(1)?;
        let (dx, dw, db) = with_values([x, w, dy], |[x_values, w_values, dy]| {
            let mut dw = vec![0.0; w_values.len()];
            kernel::weight_gradient(dy, x_values, &mut dw, inputs);
            let mut db = vec![0.0; b.elem_count()];
            kernel::bias_gradient(dy, &mut db);
            // Nobody asks for the gradient of the data.
            let dx = x.track_op().then(|| {
                let mut dx = vec![0.0; x_values.len()];
                kernel::input_gradient(dy, w_values, &mut dx, inputs);
                dx
            });
            (dx, dw, db)
        })?;
        let dx = dx.map(|dx| like(dx, x)).transpose()?;
        Ok((dx, Some(like(dw, w)?), Some(like(db, b)?)))
    }
}
