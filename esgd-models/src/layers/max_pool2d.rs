//! The maximum of squares that do not overlap. candle 0.11's own has a gradient that is divided by the
//! size of the square.

use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};
use esgd_ops::layers::pooling::{self, Plane};

use super::{like, stored, suits, values, with_values};

/// The maximum of each `size` × `size` square of images (batch, channels, rows, columns). Rows and columns
/// that are left over are left out, as in PyTorch.
///
/// # Errors
/// If a square does not fit into the image, or candle fails.
pub fn max_pool2d(x: &Tensor, size: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    if size == 0 || height < size || width < size {
        candle_core::bail!("squares of {size} do not fit into images of {height} × {width}");
    }
    if suits(&[x]) {
        return x.contiguous()?.apply_op1(Op { size });
    }
    let (rows, columns) = (height / size, width / size);
    let x = x.narrow(2, 0, rows * size)?.narrow(3, 0, columns * size)?.contiguous()?;
    // A maximum's gradient would go to each of several that are equal: to the first alone, as in PyTorch.
    let squares = x.reshape(&[n, channels, rows, size, columns, size])?;
    let squares = squares.permute([0, 1, 2, 4, 3, 5])?.contiguous()?;
    let squares = squares.reshape((n, channels, rows, columns, size * size))?;
    let first = squares.detach().argmax_keepdim(D::Minus1)?;
    squares.gather(&first, D::Minus1)?.squeeze(D::Minus1)
}

struct Op {
    size: usize,
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        "max-pool2d"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, channels, height, width) = layout.shape().dims4()?;
        let shape = (n, channels, height / self.size, width / self.size);
        let mut y = vec![0.0; Shape::from(shape).elem_count()];
        pooling::max(values(storage, layout)?, Plane { height, width }, self.size, &mut y);
        Ok(stored(y, shape))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, height, width) = x.dims4()?;
        let dx = with_values([x, y, dy], |[x, y, dy]| {
            let mut dx = vec![0.0; x.len()];
            pooling::max_gradient(x, y, dy, Plane { height, width }, self.size, &mut dx);
            dx
        })?;
        like(dx, x).map(Some)
    }
}
