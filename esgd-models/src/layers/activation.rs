//! max(0, x), the logistic function and tanh.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use esgd_ops::layers::activation::Activation;

use super::{like, stored, suits, values, with_values};

/// max(0, x). A NaN stays one.
///
/// # Errors
/// What candle says.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if suits(&[x]) { x.contiguous()?.apply_op1(Op(Activation::Relu)) } else { x.relu() }
}

/// 1 / (1 + e⁻ˣ).
///
/// # Errors
/// What candle says.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    if suits(&[x]) {
        x.contiguous()?.apply_op1(Op(Activation::Sigmoid))
    } else {
        candle_nn::ops::sigmoid(x)
    }
}

/// tanh x.
///
/// # Errors
/// What candle says.
pub fn tanh(x: &Tensor) -> Result<Tensor> {
    if suits(&[x]) { x.contiguous()?.apply_op1(Op(Activation::Tanh)) } else { x.tanh() }
}

struct Op(Activation);

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut y = values(storage, layout)?.to_vec();
        self.0.apply(&mut y);
        Ok(stored(y, layout.shape()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_values([y, dy], |[y, dy]| {
            let mut dx = dy.to_vec();
            self.0.gradient(y, &mut dx);
            dx
        })?;
        like(dx, y).map(Some)
    }
}
