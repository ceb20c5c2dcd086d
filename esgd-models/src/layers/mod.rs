//! Layers for any candle model, in place of candle-nn's: the same constructors, the same names of tensors,
//! and on the CPU the kernels of [`esgd_ops::layers`]. Elsewhere, and for what the kernels do not have
//! (groups, dilation, other types than f32), they are candle's own.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use candle_nn::{Conv2dConfig, Module, ModuleT, VarBuilder, VarMap};
//! use esgd_models::layers::{batch_norm, conv2d_no_bias, cross_entropy, linear, max_pool2d, relu};
//!
//! # fn main() -> candle_core::Result<()> {
//! let (map, same) = (VarMap::new(), Conv2dConfig { padding: 1, ..Default::default() });
//! let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
//! let conv = conv2d_no_bias(3, 8, 3, same, vb.pp("conv"))?;
//! let norm = batch_norm(8, 1e-5, vb.pp("bn"))?;
//! let last = linear(8 * 4 * 4, 10, vb.pp("last"))?;
//!
//! let x = Tensor::zeros((2, 3, 8, 8), DType::F32, &Device::Cpu)?;
//! let x = relu(&norm.forward_t(&conv.forward(&x)?, true)?)?;
//! let logits = last.forward(&max_pool2d(&x, 2)?.flatten_from(1)?)?;
//! let loss = cross_entropy(&logits, &Tensor::new(&[3u32, 7], &Device::Cpu)?)?;
//! let gradients = loss.backward()?;
//! assert!(map.all_vars().iter().filter(|var| gradients.get(var).is_some()).count() == 5);
//! # Ok(())
//! # }
//! ```

mod activation;
mod batch_norm;
mod conv2d;
mod cross_entropy;
mod linear;
mod max_pool2d;

pub use activation::{relu, sigmoid, tanh};
pub use batch_norm::{BatchNorm, batch_norm};
pub use conv2d::{Conv2d, conv2d, conv2d_no_bias};
pub use cross_entropy::cross_entropy;
pub use linear::{Linear, linear, linear_no_bias};
pub use max_pool2d::max_pool2d;

use candle_core::{CpuStorage, DType, Layout, Result, Shape, Storage, Tensor};

/// Whether the kernels can compute with these tensors.
fn suits(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.device().is_cpu() && t.dtype() == DType::F32)
}

/// The values of a contiguous tensor, as an operation of candle's gets it.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("a layer expects contiguous tensors"),
    }
}

/// Runs `f` on the values of contiguous tensors, as a backward pass has them.
fn with_values<R, const N: usize>(
    tensors: [&Tensor; N],
    f: impl FnOnce([&[f32]; N]) -> R,
) -> Result<R> {
    let contiguous = tensors.map(Tensor::contiguous);
    let mut all = vec![];
    for tensor in contiguous {
        all.push(tensor?);
    }
    let locks: Vec<_> = all.iter().map(Tensor::storage_and_layout).collect();
    let mut slices = [&[][..]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&locks) {
        let Storage::Cpu(storage) = &**storage else {
            candle_core::bail!("a layer of the CPU expects tensors there");
        };
        *slice = values(storage, layout)?;
    }
    Ok(f(slices))
}

fn stored(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// A tensor shaped like another.
fn like(values: Vec<f32>, other: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, other.shape(), other.device())
}

#[cfg(test)]
mod tests;
