//! One direction of a convolution: from input to output, or from the output's gradient to the
//! input's. Both are weighted sums of shifted pixels; they differ in which.

use super::{
    Shape, kernel_pixels,
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
        let Shape { inputs, outputs, height, width, padding, .. } = *shape;
        if pays(shape) {
            let winograd = Winograd::new((inputs, height, width), outputs, padding, isa);
            return Self::winograd(winograd, outputs, isa);
        }
        let size = (shape.out_height(), shape.out_width());
        let pixels: Vec<_> = kernel_pixels(shape).collect();
        let grid = Grid {
            rows: size.0,
            columns: size.1,
            from: 0,
            pitch: input.pitch,
            first: (0, 0),
            step: 1,
            image: size,
        };
        let place = |channel: usize, (y, x): (usize, usize)| input.place(channel, y, x);
        let part = Part::new(grid, taps(inputs, &pixels, place), outputs, isa);
        Self { planes: input, method: Method::Direct(vec![(part, pixels)]), made: outputs, isa }
    }

    /// From the output's gradient to the input's.
    pub(super) fn backward(shape: &Shape, isa: Isa) -> Self {
        let Shape { inputs, outputs, height, width, stride, padding, .. } = *shape;
        if pays(shape) {
            // The kernel turned round, over as many zeros as let it reach every pixel.
            let image = (outputs, shape.out_height(), shape.out_width());
            return Self::winograd(Winograd::new(image, inputs, 2 - padding, isa), inputs, isa);
        }
        let planes = gradient_planes(shape, isa.lanes());
        // Of the padded rows (or columns) with remainder a: the first one that is not padding, and
        // how many there are.
        let span = |a: usize, length: usize| {
            let first = padding.saturating_sub(a).div_ceil(stride);
            let end = (padding + length).saturating_sub(a).div_ceil(stride);
            (first, end.saturating_sub(first))
        };
        let reach = planes.padding;
        let place = |channel: usize, (y, x): (usize, usize)| {
            planes.place(channel, reach - y / stride, reach - x / stride)
        };
        let mut parts = vec![];
        for (a, b) in (0..stride).flat_map(|a| (0..stride).map(move |b| (a, b))) {
            let pixels: Vec<_> =
                kernel_pixels(shape).filter(|(y, x)| (y % stride, x % stride) == (a, b)).collect();
            let ((row, rows), (column, columns)) = (span(a, height), span(b, width));
            if pixels.is_empty() || rows == 0 || columns == 0 {
                continue;
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
            parts.push((Part::new(grid, taps(outputs, &pixels, place), inputs, isa), pixels));
        }
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
