//! Two-dimensional convolution: the output, the gradient of the input and that of the kernel.
//!
//! Images are channels × rows × columns, kernels outputs × inputs × rows × columns, as in PyTorch.
//! One image at a time is put into planes with zeros around it, which stay in the nearest caches while
//! every output channel is made of them; there is no unfolded copy of the input (im2col). What is
//! computed is in [`definition`](super::definition::conv); sums are in another order here, so
//! results agree within rounding. They are the same to the bit for any batch, number of threads and
//! set of vector instructions.

mod correlation;
mod part;
mod pass;
mod planes;
mod shape;
mod tiles;
mod weight_gradient;
mod winograd;

use crate::isa::Isa;
use pass::Pass;
use planes::Planes;
use weight_gradient::WeightGradient;

pub use shape::Shape;

/// A convolution, planned for the vector instructions of this processor.
///
/// ```
/// use esgd_ops::layers::conv::{Conv, Shape};
///
/// let shape = Shape { inputs: 1, outputs: 1, height: 3, width: 3, kernel: 3, stride: 1, padding: 1 };
/// let conv = Conv::new(shape);
/// let mut work = conv.work();
/// let mut y = [0.0; 9];
/// conv.set_weights(&[1.0; 9], &mut work);
/// conv.forward(&[1.0; 9], &mut work, &mut y);
/// assert_eq!(y, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Conv {
    shape: Shape,
    input: Planes,
    forward: Pass,
    backward: Pass,
    weights: WeightGradient,
    isa: Isa,
}

/// The memory that a convolution computes in: one image, its gradient, the weights in the kernels'
/// order, and the gradient of the weights so far.
#[derive(Clone, Debug)]
pub struct Work {
    of: Shape,
    forward: pass::Work,
    backward: pass::Work,
    input: Vec<f32>,
    transposed: Vec<f32>,
    sums: Vec<f32>,
}

impl Work {
    /// How many values of 4 bytes it takes.
    #[must_use]
    pub fn values(&self) -> usize {
        let own = self.input.len() + self.transposed.len() + self.sums.len();
        self.forward.values() + self.backward.values() + own
    }

    /// The same before it is there: how many values the memory of a convolution of this shape will take, by
    /// arithmetic alone.
    ///
    /// # Panics
    /// If the shape is not valid ([`Shape::is_valid`]).
    #[must_use]
    pub fn forecast(shape: &Shape) -> usize {
        Self::forecast_with(shape, Isa::best())
    }

    fn forecast_with(shape: &Shape, isa: Isa) -> usize {
        assert!(shape.is_valid(), "{shape:?} is not a convolution");
        let input = input_planes(shape, isa.lanes());
        let taps = shape.inputs * shape.kernel * shape.kernel;
        let pixels = shape.out_height() * shape.out_width();
        pass::forward_values(shape, input, isa)
            + pass::backward_values(shape, isa)
            + input.len()
            + weight_gradient::values(taps, pixels, shape.outputs, isa)
    }
}

impl Conv {
    /// Plans a convolution.
    ///
    /// # Panics
    /// If the shape is not valid ([`Shape::is_valid`]).
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self::with_isa(shape, Isa::best())
    }

    /// Plans a convolution for other vector instructions than the best, to compare them.
    ///
    /// # Panics
    /// If the shape is not valid ([`Shape::is_valid`]).
    #[must_use]
    pub fn with_isa(shape: Shape, isa: Isa) -> Self {
        assert!(shape.is_valid(), "{shape:?} is not a convolution");
        let input = input_planes(&shape, isa.lanes());
        let size = (shape.out_height(), shape.out_width());
        let places: Vec<u32> = (0..shape.inputs)
            .flat_map(|c| kernel_pixels(&shape).map(move |(y, x)| input.place(c, y, x) as u32))
            .collect();
        let weights = WeightGradient::new(&places, size, input.pitch, shape.outputs, isa);
        let forward = Pass::forward(&shape, input, isa);
        let backward = Pass::backward(&shape, isa);
        Self { shape, input, forward, backward, weights, isa }
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The memory that it computes in.
    #[must_use]
    pub fn work(&self) -> Work {
        Work {
            of: self.shape,
            forward: self.forward.work(),
            backward: self.backward.work(),
            input: vec![0.0; self.input.len()],
            transposed: vec![0.0; self.weights.transposed_len()],
            sums: vec![0.0; self.weights.sums_len()],
        }
    }

    /// Sets the kernel.
    ///
    /// # Panics
    /// If `w` has another length than the shape's weights, or `work` is another convolution's.
    pub fn set_weights(&self, w: &[f32], work: &mut Work) {
        let Shape { inputs, kernel, .. } = self.shape;
        assert_eq!(w.len(), self.shape.weights(), "the kernel of another convolution");
        assert_eq!(work.of, self.shape, "the memory of another convolution");
        let at = |o: usize, i: usize, y: usize, x: usize| {
            w[((o * inputs + i) * kernel + y) * kernel + x]
        };
        self.forward.set_weights(at, false, &mut work.forward);
        self.backward.set_weights(|i, o, y, x| at(o, i, y, x), true, &mut work.backward);
    }

    /// The output (outputs × out_height × out_width) of an image x (inputs × height × width).
    ///
    /// # Panics
    /// If `x` or `y` has another length, or `work` is another convolution's.
    pub fn forward(&self, x: &[f32], work: &mut Work, y: &mut [f32]) {
        assert_eq!(x.len(), self.shape.input_len(), "the image of another convolution");
        assert_eq!(y.len(), self.shape.output_len(), "the output of another convolution");
        assert_eq!(work.of, self.shape, "the memory of another convolution");
        self.forward.run(x, &mut work.forward, y);
    }

    /// The gradient of the image from the output's gradient `dy`.
    ///
    /// # Panics
    /// If `dy` or `dx` has another length, or `work` is another convolution's.
    pub fn input_gradient(&self, dy: &[f32], work: &mut Work, dx: &mut [f32]) {
        assert_eq!(dy.len(), self.shape.output_len(), "the gradient of another convolution");
        assert_eq!(dx.len(), self.shape.input_len(), "the image of another convolution");
        assert_eq!(work.of, self.shape, "the memory of another convolution");
        self.backward.run(dy, &mut work.backward, dx);
    }

    /// Adds the part of the kernel's gradient of an image x with the output's gradient `dy`.
    ///
    /// # Panics
    /// If `x` or `dy` has another length, or `work` is another convolution's.
    pub fn add_weight_gradient(&self, x: &[f32], dy: &[f32], work: &mut Work) {
        assert_eq!(x.len(), self.shape.input_len(), "the image of another convolution");
        assert_eq!(dy.len(), self.shape.output_len(), "the gradient of another convolution");
        assert_eq!(work.of, self.shape, "the memory of another convolution");
        self.input.put(self.isa, x, &mut work.input);
        self.weights.transpose(dy, &mut work.transposed);
        self.weights.add(&work.input, &work.transposed, &mut work.sums);
    }

    /// The kernel's gradient over all images added since the last call.
    ///
    /// # Panics
    /// If `dw` has another length than the kernel, or `work` is another convolution's.
    pub fn take_weight_gradient(&self, work: &mut Work, dw: &mut [f32]) {
        assert_eq!(dw.len(), self.shape.weights(), "the kernel of another convolution");
        assert_eq!(work.of, self.shape, "the memory of another convolution");
        self.weights.finish(&work.sums, dw);
        work.sums.fill(0.0);
    }
}

/// The pixels of a kernel, row by row.
fn kernel_pixels(shape: &Shape) -> impl Iterator<Item = (usize, usize)> + use<> {
    let kernel = shape.kernel;
    (0..kernel).flat_map(move |y| (0..kernel).map(move |x| (y, x)))
}

fn input_planes(shape: &Shape, lanes: usize) -> Planes {
    let Shape { inputs, height, width, kernel, stride, padding, .. } = *shape;
    let reach = (kernel - 1) / stride;
    let rows = (shape.out_height() + reach).max((height + 2 * padding).div_ceil(stride));
    // With stride 1 the zeros behind a row are those before the next.
    let pitch = match stride {
        1 => width + padding,
        _ => (shape.out_width() + reach).max((width + 2 * padding).div_ceil(stride)),
    };
    Planes::new((inputs, height, width), padding, stride, (rows, pitch), lanes)
}

#[cfg(test)]
mod tests;
