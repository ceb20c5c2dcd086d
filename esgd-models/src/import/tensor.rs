//! One tensor of a file of others, as values of f32.

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, tensor::TensorView};

use crate::{Parameter, genome::Role};

/// The values for `parameter`, or why they are none.
pub(super) fn values(parameter: &Parameter, found: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let (name, dims) = (&parameter.name, parameter.tensor().dims());
    if found.shape() != dims {
        let turned = found.shape().iter().rev().eq(dims);
        let hint = if turned { ": it looks transposed" } else { "" };
        return Err(format!(
            "`{name}` has shape {:?} in the file and {dims:?} in the network{hint}",
            found.shape()
        ));
    }
    let dtype = match found.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F64 => DType::F64,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        other => {
            return Err(format!("`{name}` is of type {other:?}: expected F32, F64, F16 or BF16"));
        }
    };
    let convert = || -> candle_core::Result<Vec<f32>> {
        Tensor::from_raw_buffer(found.data(), dtype, dims, &Device::Cpu)?
            .to_dtype(DType::F32)?
            .flatten_all()?
            .to_vec1()
    };
    let values = convert().map_err(|e| format!("`{name}` cannot be converted: {e}"))?;
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        let in_file = match dtype {
            DType::F64 => found.data().as_chunks::<8>().0.get(at).map(|b| f64::from_le_bytes(*b)),
            _ => None,
        };
        return Err(match in_file.filter(|v| v.is_finite()) {
            Some(v) => format!("`{name}` has {v:e} as value {at}, which is too large for F32"),
            None => format!("`{name}` has {} as value {at}: expected finite numbers", values[at]),
        });
    }
    let is_variance = parameter.role == Role::Statistic && name.ends_with("running_var");
    match values.iter().position(|v| is_variance && *v < 0.0) {
        Some(at) => Err(format!(
            "`{name}` has {} as value {at}: expected a variance of at least 0",
            values[at]
        )),
        None => Ok(values),
    }
}
