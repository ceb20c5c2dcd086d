//! What a convolution is: its channels, its image, its kernel.

/// A two-dimensional convolution with a square kernel, as PyTorch's `Conv2d` has it.
///
/// ```
/// use esgd_ops::layers::conv::Shape;
///
/// // The first layer of a ResNet for CIFAR-10.
/// let shape = Shape { inputs: 3, outputs: 16, height: 32, width: 32, kernel: 3, stride: 1, padding: 1 };
/// assert_eq!((shape.out_height(), shape.out_width()), (32, 32));
/// assert_eq!(shape.weights(), 16 * 3 * 3 * 3);
/// assert_eq!(shape.macs(), 32 * 32 * 16 * 27);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Pixels from one output to the next.
    pub stride: usize,
    /// Zeros around the input.
    pub padding: usize,
}

impl Shape {
    /// Whether all sizes are at least 1, the kernel fits into the padded input, and neither image nor
    /// kernel has 2³¹ values or more.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let Self { inputs, outputs, height, width, kernel, stride, padding } = *self;
        let product = |factors: &[usize]| {
            let n = factors.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
            n.is_some_and(|n| n < 1 << 31)
        };
        if [height, width, kernel, stride, padding].iter().any(|&n| n >= 1 << 24) {
            return false;
        }
        let (rows, columns) = (height + 2 * padding, width + 2 * padding);
        // At most what the padded image takes in the kernels, which split it by the stride.
        let split = kernel + 3 * stride + 32;
        let channels = inputs.max(outputs);
        [inputs, outputs, height, width, kernel, stride].iter().all(|&n| n >= 1)
            && kernel <= rows.min(columns)
            && product(&[channels, rows + split, columns + split])
            && product(&[channels, stride, stride, padding + 64])
            && product(&[inputs, outputs, kernel, kernel])
    }

    /// Rows of the output.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Columns of the output.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Values of one input image.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one output image.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.outputs * self.out_height() * self.out_width()
    }

    /// Values of the kernel: outputs × inputs × kernel × kernel.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.outputs * self.inputs * self.kernel * self.kernel
    }

    /// Multiplications with additions that one image takes, forwards.
    #[must_use]
    pub fn macs(&self) -> u64 {
        (self.out_height() * self.out_width() * self.weights()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_overflow_is_not_valid() {
        let one =
            Shape { inputs: 1, outputs: 1, height: 4, width: 4, kernel: 3, stride: 1, padding: 0 };
        assert!(one.is_valid());
        let (huge, max) = (1 << 47, usize::MAX);
        for shape in [
            Shape { height: huge, width: 1 << 17, kernel: 1, ..one },
            Shape { padding: max, ..one },
            Shape { padding: max / 2, ..one },
            Shape { inputs: max, ..one },
            Shape { outputs: huge, ..one },
            Shape { stride: max, ..one },
            Shape { kernel: 5, ..one },
            Shape { kernel: 0, ..one },
            Shape { width: 0, padding: 2, ..one },
        ] {
            assert!(!shape.is_valid(), "{shape:?}");
        }
    }
}
