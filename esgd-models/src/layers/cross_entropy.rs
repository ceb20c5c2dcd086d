//! Softmax and cross-entropy in one.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use esgd_ops::layers::cross_entropy as kernel;

use super::{like, stored, suits, values, with_values};

/// The mean of −ln softmax(logits) at the right classes: logits (batch, classes), `y` (batch) of u32.
///
/// # Errors
/// If shapes do not fit, a class is outside the logits, or candle fails.
pub fn cross_entropy(logits: &Tensor, y: &Tensor) -> Result<Tensor> {
    let (n, width) = logits.dims2()?;
    if !suits(&[logits]) || n == 0 {
        return candle_nn::loss::cross_entropy(logits, y);
    }
    let classes = y.to_vec1::<u32>()?;
    if classes.len() != n {
        candle_core::bail!("{} classes for {n} rows of logits: expected one each", classes.len());
    }
    if let Some(class) = classes.iter().find(|class| **class as usize >= width) {
        candle_core::bail!("class {class} of {width}: expected one below that");
    }
    logits.contiguous()?.apply_op1(Op { classes })
}

struct Op {
    classes: Vec<u32>,
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut logits = values(storage, layout)?.to_vec();
        let (sum, _) = kernel::sum_and_errors(&mut logits, &self.classes);
        Ok(stored(vec![(sum / self.classes.len() as f64) as f32], ()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let gradient = with_values([logits], |[logits]| {
            let mut gradient = logits.to_vec();
            kernel::with_gradient(&mut gradient, &self.classes);
            gradient
        })?;
        like(gradient, logits)?.broadcast_mul(dy).map(Some)
    }
}
