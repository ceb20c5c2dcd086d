//! Two-dimensional convolution: the output, the gradient of the input and that of the kernel.
//!
//! Images are channels × rows × columns, kernels outputs × inputs × rows × columns, as in PyTorch.
//! One image at a time is put into planes with zeros around it ([`Conv::load`]), which stay in the
//! nearest caches while every output channel is made of them; there is no unfolded copy of the input
//! (im2col). What is computed is in [`reference`](crate::reference::layers::conv); sums are in another order
//! here, so results agree within rounding. They are the same for any batch and number of threads.

mod correlation;
mod part;
mod planes;
mod shape;
mod weight_gradient;

use crate::isa::Isa;
use part::{Grid, Part};
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
/// conv.load(&[1.0; 9], &mut work);
/// conv.forward(&mut work, &mut y);
/// assert_eq!(y, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Conv {
    shape: Shape,
    input: Planes,
    gradient: Planes,
    forward: Part,
    /// For each part of the input that has taps, those taps: (row, column) of the kernel.
    backward: Vec<(Part, Vec<(usize, usize)>)>,
    weights: WeightGradient,
    isa: Isa,
}

/// The memory that a convolution computes in: one image, its gradient, the weights in the kernel's
/// order, and the gradient of the weights so far.
#[derive(Clone, Debug)]
pub struct Work {
    input: Vec<f32>,
    gradient: Vec<f32>,
    transposed: Vec<f32>,
    buffer: Vec<f32>,
    forward: Vec<f32>,
    backward: Vec<Vec<f32>>,
    sums: Vec<f32>,
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
        let gradient = gradient_planes(&shape, isa.lanes());
        let (rows, columns) = (shape.out_height(), shape.out_width());
        let places: Vec<u32> = (0..shape.inputs)
            .flat_map(|c| kernel_pixels(&shape).map(move |(y, x)| input.place(c, y, x) as u32))
            .collect();
        let grid = Grid {
            rows,
            columns,
            from: 0,
            pitch: input.pitch,
            first: (0, 0),
            step: 1,
            image: (rows, columns),
        };
        let weights =
            WeightGradient::new(&places, (rows, columns), input.pitch, shape.outputs, isa);
        let forward = Part::new(grid, places, shape.outputs, isa);
        let backward = backward_parts(&shape, &gradient, isa);
        Self { shape, input, gradient, forward, backward, weights, isa }
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The memory that it computes in.
    #[must_use]
    pub fn work(&self) -> Work {
        let parts = self.backward.iter().map(|(part, _)| part);
        let buffer = parts.clone().chain([&self.forward]).map(Part::buffer_len).max();
        let reach = parts.map(|part| part.correlation.reach().0).max();
        Work {
            input: vec![0.0; self.input.len().max(self.forward.correlation.reach().0)],
            gradient: vec![0.0; self.gradient.len().max(reach.unwrap_or(0))],
            transposed: vec![0.0; self.weights.transposed_len()],
            buffer: vec![0.0; buffer.unwrap_or(0)],
            forward: vec![0.0; self.forward.correlation.packed_len()],
            backward: self
                .backward
                .iter()
                .map(|(part, _)| vec![0.0; part.correlation.packed_len()])
                .collect(),
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
        let area = kernel * kernel;
        let taps = inputs * area;
        self.forward.correlation.pack(|output, k| w[output * taps + k], &mut work.forward);
        for ((part, pixels), packed) in self.backward.iter().zip(&mut work.backward) {
            let weight = |input: usize, k: usize| {
                let (output, (y, x)) = (k / pixels.len(), pixels[k % pixels.len()]);
                w[output * taps + input * area + y * kernel + x]
            };
            part.correlation.pack(weight, packed);
        }
    }

    /// Takes up an image: inputs × height × width.
    ///
    /// # Panics
    /// If it has another length.
    pub fn load(&self, x: &[f32], work: &mut Work) {
        assert_eq!(x.len(), self.shape.input_len(), "the image of another convolution");
        self.input.put(self.isa, x, &mut work.input);
    }

    /// The output of the image: outputs × out_height × out_width.
    ///
    /// # Panics
    /// If `y` has another length.
    pub fn forward(&self, work: &mut Work, y: &mut [f32]) {
        assert_eq!(y.len(), self.shape.output_len(), "the output of another convolution");
        self.forward.run(&work.input, &work.forward, &mut work.buffer, y);
    }

    /// The gradient of the image from the output's gradient `dy`.
    ///
    /// # Panics
    /// If `dy` or `dx` has another length.
    pub fn input_gradient(&self, dy: &[f32], work: &mut Work, dx: &mut [f32]) {
        assert_eq!(dy.len(), self.shape.output_len(), "the gradient of another convolution");
        assert_eq!(dx.len(), self.shape.input_len(), "the image of another convolution");
        self.gradient.put(self.isa, dy, &mut work.gradient);
        if self.backward.len() < self.shape.stride * self.shape.stride {
            dx.fill(0.0); // Some pixels are read by no output.
        }
        for ((part, _), packed) in self.backward.iter().zip(&work.backward) {
            part.run(&work.gradient, packed, &mut work.buffer, dx);
        }
    }

    /// Adds the image's part of the kernel's gradient, from the output's gradient `dy`.
    ///
    /// # Panics
    /// If `dy` has another length.
    pub fn add_weight_gradient(&self, dy: &[f32], work: &mut Work) {
        assert_eq!(dy.len(), self.shape.output_len(), "the gradient of another convolution");
        self.weights.transpose(dy, &mut work.transposed);
        self.weights.add(&work.input, &work.transposed, &mut work.sums);
    }

    /// The kernel's gradient over all images added since the last call.
    ///
    /// # Panics
    /// If `dw` has another length than the kernel.
    pub fn take_weight_gradient(&self, work: &mut Work, dw: &mut [f32]) {
        assert_eq!(dw.len(), self.shape.weights(), "the kernel of another convolution");
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

/// The output's gradient with as many zeros around it as the taps of a part reach.
fn gradient_planes(shape: &Shape, lanes: usize) -> Planes {
    let Shape { outputs, height, width, kernel, stride, padding, .. } = *shape;
    let reach = kernel.div_ceil(stride) - 1;
    let (last_row, last_column) = ((height - 1 + padding) / stride, (width - 1 + padding) / stride);
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let size = (last_row.max(rows - 1 + reach) + reach + 1, (columns + reach).max(last_column + 1));
    Planes::new((outputs, rows, columns), reach, 1, size, lanes)
}

/// The parts of the input, one for each remainder of row and column by the stride.
fn backward_parts(shape: &Shape, gradient: &Planes, isa: Isa) -> Vec<(Part, Vec<(usize, usize)>)> {
    let Shape { inputs, outputs, height, width, stride, padding, .. } = *shape;
    // Of the padded rows (or columns) with remainder a: the first one that is not padding, and how
    // many there are.
    let span = |a: usize, length: usize| {
        let first = padding.saturating_sub(a).div_ceil(stride);
        let end = (padding + length).saturating_sub(a).div_ceil(stride);
        (first, end.saturating_sub(first))
    };
    let mut parts = vec![];
    for (a, b) in (0..stride).flat_map(|a| (0..stride).map(move |b| (a, b))) {
        let pixels: Vec<_> =
            kernel_pixels(shape).filter(|(y, x)| (y % stride, x % stride) == (a, b)).collect();
        let ((row, rows), (column, columns)) = (span(a, height), span(b, width));
        if pixels.is_empty() || rows == 0 || columns == 0 {
            continue;
        }
        let reach = gradient.padding;
        let tap = |output: usize, (y, x): (usize, usize)| {
            gradient.place(output, reach - y / stride, reach - x / stride) as u32
        };
        let tap = &tap;
        let taps =
            (0..outputs).flat_map(|c| pixels.iter().map(move |&pixel| tap(c, pixel))).collect();
        let grid = Grid {
            rows,
            columns,
            from: row * gradient.pitch + column,
            pitch: gradient.pitch,
            first: (row * stride + a - padding, column * stride + b - padding),
            step: stride,
            image: (height, width),
        };
        parts.push((Part::new(grid, taps, inputs, isa), pixels));
    }
    parts
}

#[cfg(test)]
mod tests;
