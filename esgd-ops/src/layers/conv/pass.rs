//! One direction of a convolution: from input to output, or from the output's gradient to the
//! input's. Both are weighted sums of shifted pixels; they differ in which.

use super::{
    Shape,
    correlation::packed_len,
    kernel_pixels,
    part::{Grid, Part},
    planes::Planes,
    winograd::{Strip, Winograd},
};
use crate::isa::Isa;

/// Channels from which on the transforms of [`Winograd`] cost less than the products they save.
const WORTH: usize = 8;

/// A direction, planned.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    planes: Planes,
    method: Method,
    /// Channels of the images that are made.
    made: usize,
    isa: Isa,
}

#[derive(Clone, Debug)]
enum Method {
    /// Parts of the image, each with the pixels of the kernel that reach it.
    Direct(Vec<(Part, Vec<(usize, usize)>)>),
    Winograd(Box<Winograd>),
}

/// The memory of a direction: the image it reads, and the kernel in its order.
#[derive(Clone, Debug)]
pub(super) struct Work {
    planes: Vec<f32>,
    packed: Vec<Vec<f32>>,
    buffer: Vec<f32>,
    strip: Strip,
}

impl Work {
    pub(super) fn values(&self) -> usize {
        let packed = self.packed.iter().map(Vec::len).sum::<usize>();
        self.planes.len() + packed + self.buffer.len() + self.strip.values()
    }
}

impl Pass {
    /// From input to output.
    pub(super) fn forward(shape: &Shape, input: Planes, isa: Isa) -> Self {
        let Shape { inputs, outputs, .. } = *shape;
        if pays(shape) {
            return Self::winograd(straight(shape, isa), outputs, isa);
        }
        let pixels: Vec<_> = kernel_pixels(shape).collect();
        let place = |channel: usize, (y, x): (usize, usize)| input.place(channel, y, x);
        let part = Part::new(grid(shape, &input), taps(inputs, &pixels, place), outputs, isa);
        Self { planes: input, method: Method::Direct(vec![(part, pixels)]), made: outputs, isa }
    }

    /// From the output's gradient to the input's.
    pub(super) fn backward(shape: &Shape, isa: Isa) -> Self {
        let Shape { inputs, outputs, .. } = *shape;
        if pays(shape) {
            return Self::winograd(turned(shape, isa), inputs, isa);
        }
        let planes = gradient_planes(shape, isa.lanes());
        let place = gradient_place(shape, planes);
        let part = |(grid, pixels): (Grid, Vec<_>)| {
            (Part::new(grid, taps(outputs, &pixels, &place), inputs, isa), pixels)
        };
        let parts = gradient_grids(shape, planes).map(part).collect();
        Self { planes, method: Method::Direct(parts), made: inputs, isa }
    }

    fn winograd(winograd: Winograd, made: usize, isa: Isa) -> Self {
        let planes = winograd.planes;
        Self { planes, method: Method::Winograd(Box::new(winograd)), made, isa }
    }

    pub(super) fn work(&self) -> Work {
        let mut planes = self.planes.len();
        let (packed, buffer, strip) = match &self.method {
            Method::Direct(parts) => {
                let reaches = parts.iter().map(|(part, _)| part.correlation.reach().0);
                planes = planes.max(reaches.max().unwrap_or(0));
                let packed = parts.iter().map(|(part, _)| part.correlation.packed_len());
                let buffer = parts.iter().map(|(part, _)| part.buffer_len()).max();
                (packed.collect(), buffer.unwrap_or(0), Strip::default())
            }
            Method::Winograd(winograd) => (vec![winograd.packed_len()], 0, winograd.strip()),
        };
        Work {
            planes: vec![0.0; planes],
            packed: packed.into_iter().map(|n| vec![0.0; n]).collect(),
            buffer: vec![0.0; buffer],
            strip,
        }
    }

    /// Sets the kernel: `weight(made, read, y, x)` is that from a channel read to a channel made, at
    /// pixel (y, x) of the kernel.
    pub(super) fn set_weights(
        &self,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
        turned: bool,
        work: &mut Work,
    ) {
        match &self.method {
            Method::Direct(parts) => {
                for ((part, pixels), packed) in parts.iter().zip(&mut work.packed) {
                    let n = pixels.len();
                    let weight = |made: usize, k: usize| {
                        let (y, x) = pixels[k % n];
                        weight(made, k / n, y, x)
                    };
                    part.correlation.pack(weight, packed);
                }
            }
            Method::Winograd(winograd) => {
                let pixel = |i: usize| if turned { (2 - i / 3, 2 - i % 3) } else { (i / 3, i % 3) };
                let weight = |made: usize, read: usize| {
                    std::array::from_fn(|i| weight(made, read, pixel(i).0, pixel(i).1))
                };
                winograd.pack(weight, &mut work.packed[0]);
            }
        }
    }

    /// Makes an image of the one `read`.
    pub(super) fn run(&self, read: &[f32], work: &mut Work, image: &mut [f32]) {
        let Work { planes, packed, buffer, strip } = work;
        self.planes.put(self.isa, read, planes);
        match &self.method {
            Method::Winograd(winograd) => winograd.run(planes, &packed[0], strip, image),
            Method::Direct(parts) => {
                let made: usize = parts.iter().map(|(part, _)| part.pixels()).sum();
                if made * self.made < image.len() {
                    image.fill(0.0); // Some pixels are reached by none of the kernel's.
                }
                for ((part, _), packed) in parts.iter().zip(packed) {
                    part.run(planes, packed, buffer, image);
                }
            }
        }
    }
}

/// How many values [`Pass::forward`]'s memory has, without planning it.
pub(super) fn forward_values(shape: &Shape, input: Planes, isa: Isa) -> usize {
    if pays(shape) {
        return straight(shape, isa).values();
    }
    let pixels: Vec<_> = kernel_pixels(shape).collect();
    let last = pixels.iter().map(|&(y, x)| input.place(shape.inputs - 1, y, x)).max();
    let (read, buffer) = grid(shape, &input).memory(last.unwrap_or(0), shape.outputs, isa.lanes());
    input.len().max(read) + buffer + packed_len(shape.outputs, shape.inputs * pixels.len(), isa)
}

/// The same of [`Pass::backward`]'s.
pub(super) fn backward_values(shape: &Shape, isa: Isa) -> usize {
    if pays(shape) {
        return turned(shape, isa).values();
    }
    let planes = gradient_planes(shape, isa.lanes());
    let place = gradient_place(shape, planes);
    let (mut most, mut largest, mut packed) = (planes.len(), 0, 0);
    for (grid, pixels) in gradient_grids(shape, planes) {
        let last = pixels.iter().map(|&pixel| place(shape.outputs - 1, pixel)).max();
        let (read, buffer) = grid.memory(last.unwrap_or(0), shape.inputs, isa.lanes());
        (most, largest) = (most.max(read), largest.max(buffer));
        packed += packed_len(shape.inputs, shape.outputs * pixels.len(), isa);
    }
    most + largest + packed
}

fn straight(shape: &Shape, isa: Isa) -> Winograd {
    let Shape { inputs, outputs, height, width, padding, .. } = *shape;
    Winograd::new((inputs, height, width), outputs, padding, isa)
}

/// The kernel turned round, over as many zeros as let it reach every pixel.
fn turned(shape: &Shape, isa: Isa) -> Winograd {
    let image = (shape.outputs, shape.out_height(), shape.out_width());
    Winograd::new(image, shape.inputs, 2 - shape.padding, isa)
}

/// All pixels of the output.
fn grid(shape: &Shape, input: &Planes) -> Grid {
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let (first, image) = ((0, 0), (rows, columns));
    Grid { rows, columns, from: 0, pitch: input.pitch, first, step: 1, image }
}

/// The parts of the input's gradient, each with the pixels of the kernel that reach it.
fn gradient_grids(
    shape: &Shape,
    planes: Planes,
) -> impl Iterator<Item = (Grid, Vec<(usize, usize)>)> {
    let shape = *shape;
    let Shape { height, width, stride, padding, .. } = shape;
    // Of the padded rows (or columns) with remainder a: the first one that is not padding, and
    // how many there are.
    let span = move |a: usize, length: usize| {
        let first = padding.saturating_sub(a).div_ceil(stride);
        let end = (padding + length).saturating_sub(a).div_ceil(stride);
        (first, end.saturating_sub(first))
    };
    let phases = (0..stride).flat_map(move |a| (0..stride).map(move |b| (a, b)));
    phases.filter_map(move |(a, b)| {
        let pixels: Vec<_> =
            kernel_pixels(&shape).filter(|(y, x)| (y % stride, x % stride) == (a, b)).collect();
        let ((row, rows), (column, columns)) = (span(a, height), span(b, width));
        if pixels.is_empty() || rows == 0 || columns == 0 {
            return None;
        }
        let grid = Grid {
            rows,
            columns,
            from: row * planes.pitch + column,
            pitch: planes.pitch,
            first: (row * stride + a - padding, column * stride + b - padding),
            step: stride,
            image: (height, width),
        };
        Some((grid, pixels))
    })
}

/// Where the output's gradient is that a pixel of the kernel takes to the input's.
fn gradient_place(shape: &Shape, planes: Planes) -> impl Fn(usize, (usize, usize)) -> usize {
    let (stride, reach) = (shape.stride, planes.padding);
    move |channel, (y, x)| planes.place(channel, reach - y / stride, reach - x / stride)
}

fn pays(shape: &Shape) -> bool {
    let Shape { kernel, stride, padding, .. } = *shape;
    let padded = padding <= 2 && shape.out_height() > 1 && shape.out_width() > 1;
    kernel == 3 && stride == 1 && padded && shape.inputs.min(shape.outputs) >= WORTH
}

/// The places of taps: channel by channel, pixel by pixel.
fn taps(
    channels: usize,
    pixels: &[(usize, usize)],
    place: impl Fn(usize, (usize, usize)) -> usize,
) -> Vec<u32> {
    let place = &place;
    (0..channels).flat_map(|c| pixels.iter().map(move |&pixel| place(c, pixel) as u32)).collect()
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
