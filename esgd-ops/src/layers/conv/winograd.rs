//! 3 × 3 kernels at stride 1 with 16 products where the definition has 36.
//!
//! F(2 × 2, 3 × 3) of Winograd, *Arithmetic Complexity of Computations*, 1980, in the form of Lavin
//! and Gray (arXiv:1509.09308, section 4.1): Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A turns a tile d of 4 × 4
//! pixels into 2 × 2 outputs. Summed over input channels, each of the 16 products is a product of
//! matrices, channels by tiles, which is a [`Correlation`]. A strip of tiles at a time, so that what
//! is between the transforms stays in the nearest caches.

use super::{
    correlation::{Correlation, Position},
    planes::Planes,
};
use crate::isa::{Isa, vectorized};

/// Products of a tile.
const PRODUCTS: usize = 16;

/// Tiles of a strip, about.
const STRIP: usize = 64;

/// A convolution of 3 × 3 at stride 1.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    /// The padded input, in 2 × 2 phases: a pixel of neighbouring tiles is neighbouring values.
    pub(super) planes: Planes,
    outputs: usize,
    /// Rows and columns of the output.
    size: (usize, usize),
    /// Rows of tiles in a strip, and tiles of a row.
    rows: usize,
    columns: usize,
    /// From one channel to the next in the transformed strip.
    pitch: usize,
    product: Correlation,
    isa: Isa,
}

/// A strip between the transforms: 16 matrices, channels by tiles.
#[derive(Clone, Debug, Default)]
pub(super) struct Strip {
    input: Vec<f32>,
    output: Vec<f32>,
    /// Outputs of one channel and row of tiles, even and odd columns apart.
    lines: Vec<f32>,
}

impl Strip {
    pub(super) fn values(&self) -> usize {
        self.input.len() + self.output.len() + self.lines.len()
    }
}

impl Winograd {
    pub(super) fn new(
        image: (usize, usize, usize),
        outputs: usize,
        padding: usize,
        isa: Isa,
    ) -> Self {
        let (channels, height, width) = image;
        let size = (height + 2 * padding - 2, width + 2 * padding - 2);
        let (tile_rows, columns) = (size.0.div_ceil(2), size.1.div_ceil(2));
        let planes = Planes::new(image, padding, 2, (tile_rows + 1, columns + 1), isa.lanes());
        let rows = STRIP.div_ceil(columns).min(tile_rows);
        let pitch = (rows * columns).next_multiple_of(isa.lanes());
        let at = |i: usize| i as u32;
        let taps = (0..channels).map(|c| at(c * pitch)).collect();
        let places = (0..pitch).step_by(isa.lanes()).map(at);
        let positions = places.map(|place| Position { from: place, to: place }).collect();
        let product = Correlation::new(taps, positions, outputs, pitch, isa);
        Self { planes, outputs, size, rows, columns, pitch, product, isa }
    }

    /// Memory for a strip.
    pub(super) fn strip(&self) -> Strip {
        let matrices = |channels: usize| vec![0.0; PRODUCTS * self.matrix(channels)];
        Strip {
            input: matrices(self.planes.channels),
            output: matrices(self.outputs),
            lines: vec![0.0; 4 * self.columns],
        }
    }

    /// From one matrix to the next: not a power of two, at which all 16 would share the same few
    /// places of the nearest cache.
    fn matrix(&self, channels: usize) -> usize {
        channels * self.pitch + 16
    }

    /// How many values the transformed kernel takes.
    pub(super) fn packed_len(&self) -> usize {
        PRODUCTS * self.product.packed_len()
    }

    /// Transforms the kernel: `weight(output, input)` is its 3 × 3 values, row by row.
    pub(super) fn pack(&self, weight: impl Fn(usize, usize) -> [f32; 9], packed: &mut [f32]) {
        let inputs = self.planes.channels;
        let mut transformed = vec![[0.0; PRODUCTS]; self.outputs * inputs];
        for (i, u) in transformed.iter_mut().enumerate() {
            *u = kernel(weight(i / inputs, i % inputs));
        }
        for (k, packed) in packed.chunks_exact_mut(self.product.packed_len()).enumerate() {
            self.product.pack(|output, input| transformed[output * inputs + input][k], packed);
        }
    }

    /// Computes all output channels of the image in `planes`.
    pub(super) fn run(&self, planes: &[f32], packed: &[f32], strip: &mut Strip, y: &mut [f32]) {
        let inputs = self.planes.channels;
        let tile_rows = self.size.0.div_ceil(2);
        for first in (0..tile_rows).step_by(self.rows) {
            let rows = self.rows.min(tile_rows - first);
            transform(self.isa, self, planes, first, rows, &mut strip.input);
            let matrices = strip.input.chunks_exact(self.matrix(inputs));
            let products = strip.output.chunks_exact_mut(self.matrix(self.outputs));
            let kernels = packed.chunks_exact(self.product.packed_len());
            for ((input, output), kernel) in matrices.zip(products).zip(kernels) {
                self.product.run(input, kernel, output);
            }
            finish(self.isa, self, &strip.output, first, rows, &mut strip.lines, y);
        }
    }
}

/// G g Gᵀ with G = (1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1).
fn kernel(g: [f32; 9]) -> [f32; PRODUCTS] {
    let by_g = |a: f32, b: f32, c: f32| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let columns: [[f32; 4]; 3] = std::array::from_fn(|j| by_g(g[j], g[3 + j], g[6 + j]));
    let mut u = [0.0; PRODUCTS];
    for (i, row) in u.chunks_exact_mut(4).enumerate() {
        row.copy_from_slice(&by_g(columns[0][i], columns[1][i], columns[2][i]));
    }
    u
}

vectorized! {
    /// Bᵀ d B of `rows` rows of tiles, from row `first` on.
    fn transform(of: &Winograd, planes: &[f32], first: usize, rows: usize, v: &mut [f32]) {
        let channels = of.planes.channels;
        assert!(planes.len() >= of.planes.len() && v.len() >= PRODUCTS * of.matrix(channels));
        assert!(first + rows <= of.size.0.div_ceil(2) && rows <= of.rows);
        for channel in 0..channels {
            for row in 0..rows {
                let mut column = 0;
                while column < of.columns {
                    let at = of.planes.place(channel, 2 * (first + row), 2 * column);
                    let to = channel * of.pitch + row * of.columns + column;
                    // SAFETY: The planes have room for all tiles of the rows and columns asserted,
                    // and v for `pitch` tiles of each channel and product; `n` tiles are left.
                    column += unsafe {
                        let (d, v) = (planes.as_ptr().add(at), v.as_mut_ptr().add(to));
                        match of.columns - column {
                            16.. => tiles::<16>(of, d, v),
                            8.. => tiles::<8>(of, d, v),
                            4.. => tiles::<4>(of, d, v),
                            _ => tiles::<1>(of, d, v),
                        }
                    };
                }
            }
        }
    }
}

vectorized! {
    /// Aᵀ m A of `rows` rows of tiles, from row `first` on. `lines` has room for a row of tiles' outputs:
    /// even and odd columns of the upper row, and of the lower one.
    fn finish(
        of: &Winograd,
        m: &[f32],
        first: usize,
        rows: usize,
        lines: &mut [f32],
        y: &mut [f32],
    ) {
        let (height, width) = of.size;
        assert!(m.len() >= PRODUCTS * of.matrix(of.outputs) && rows <= of.rows);
        assert!(lines.len() >= 4 * of.columns);
        assert_eq!(y.len(), of.outputs * height * width, "another image");
        for (channel, y) in y.chunks_exact_mut(height * width).enumerate() {
            for row in 0..rows {
                let mut column = 0;
                while column < of.columns {
                    let at = channel * of.pitch + row * of.columns + column;
                    // SAFETY: m has `pitch` tiles of each channel and product and `lines` four lines of
                    // `columns`, as asserted; as many tiles as are matched are left in the row.
                    column += unsafe {
                        let (m, to) = (m.as_ptr().add(at), lines.as_mut_ptr().add(column));
                        match of.columns - column {
                            16.. => outputs::<16>(of, m, to),
                            8.. => outputs::<8>(of, m, to),
                            4.. => outputs::<4>(of, m, to),
                            _ => outputs::<1>(of, m, to),
                        }
                    };
                }
                // An odd image's last row and column are half a tile.
                let pairs = lines.chunks_exact(2 * of.columns);
                let begin = 2 * (first + row) * width;
                let end = (begin + 2 * width).min(y.len());
                for (line, pair) in y[begin..end].chunks_exact_mut(width).zip(pairs) {
                    let (even, odd) = pair.split_at(of.columns);
                    interleave(even, odd, line);
                }
            }
        }
    }
}

/// Puts even and odd columns into a line.
#[inline(always)]
fn interleave(even: &[f32], odd: &[f32], line: &mut [f32]) {
    let (blocks, rest) = line.as_chunks_mut::<16>();
    let done = 8 * blocks.len();
    for ((line, even), odd) in
        blocks.iter_mut().zip(even.as_chunks::<8>().0).zip(odd.as_chunks::<8>().0)
    {
        *line = std::array::from_fn(|i| if i % 2 == 0 { even[i / 2] } else { odd[i / 2] });
    }
    for (i, x) in rest.iter_mut().enumerate() {
        *x = if i % 2 == 0 { even[done + i / 2] } else { odd[done + i / 2] };
    }
}

/// Neighbouring tiles' values.
type Lane<const N: usize> = [f32; N];

#[inline(always)]
fn add<const N: usize>(a: &Lane<N>, b: &Lane<N>) -> Lane<N> {
    std::array::from_fn(|i| a[i] + b[i])
}

#[inline(always)]
fn subtract<const N: usize>(a: &Lane<N>, b: &Lane<N>) -> Lane<N> {
    std::array::from_fn(|i| a[i] - b[i])
}

/// (a − c, b + c, c − b, b − d): a row or column by B = (1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1)ᵀ.
#[inline(always)]
fn by_b<const N: usize>([a, b, c, d]: [&Lane<N>; 4]) -> [Lane<N>; 4] {
    [subtract(a, c), add(b, c), subtract(c, b), subtract(b, d)]
}

/// (a + b + c, b − c − d): a row or column by A = (1 1 1 0; 0 1 −1 −1)ᵀ.
#[inline(always)]
fn by_a<const N: usize>([a, b, c, d]: [&Lane<N>; 4]) -> [Lane<N>; 2] {
    [add(&add(a, b), c), subtract(&subtract(b, c), d)]
}

/// `N` neighbouring tiles, whose first pixel `d` points to.
///
/// # Safety
/// `d` points into planes that have all pixels of `N` tiles from there, and `v` to room for `N` values
/// in each of the matrices.
#[inline(always)]
unsafe fn tiles<const N: usize>(of: &Winograd, d: *const f32, v: *mut f32) -> usize {
    let Planes { plane, pitch, channels, .. } = of.planes;
    let mut columns = [[[0.0; N]; 4]; 4];
    for (j, column) in columns.iter_mut().enumerate() {
        // Pixel (i, j) of a tile is in phase (i mod 2, j mod 2), at (i / 2, j / 2) of it.
        let [a, b, c, e]: [Lane<N>; 4] = std::array::from_fn(|i| {
            let at = (2 * (i % 2) + j % 2) * plane + i / 2 * pitch + j / 2;
            // SAFETY: as the function's.
            unsafe { d.add(at).cast::<Lane<N>>().read_unaligned() }
        });
        *column = by_b([&a, &b, &c, &e]);
    }
    let matrix = of.matrix(channels);
    let [a, b, c, e] = &columns;
    for (i, (((a, b), c), e)) in a.iter().zip(b).zip(c).zip(e).enumerate() {
        let row = by_b([a, b, c, e]);
        for (j, values) in row.iter().enumerate() {
            // SAFETY: as the function's.
            unsafe { v.add((4 * i + j) * matrix).cast::<Lane<N>>().write_unaligned(*values) };
        }
    }
    N
}

/// The outputs of `N` neighbouring tiles, into four lines of `columns`.
///
/// # Safety
/// `m` points to `N` values in each of the matrices, and `to` to room for `N` in each of the lines.
#[inline(always)]
unsafe fn outputs<const N: usize>(of: &Winograd, m: *const f32, to: *mut f32) -> usize {
    let matrix = of.matrix(of.outputs);
    let product = |i: usize, j: usize| -> Lane<N> {
        // SAFETY: as the function's.
        unsafe { m.add((4 * i + j) * matrix).cast::<Lane<N>>().read_unaligned() }
    };
    let column = |j: usize| by_a([&product(0, j), &product(1, j), &product(2, j), &product(3, j)]);
    let [a, b, c, d] = [column(0), column(1), column(2), column(3)];
    for i in 0..2 {
        for (j, values) in by_a([&a[i], &b[i], &c[i], &d[i]]).iter().enumerate() {
            // SAFETY: as the function's.
            unsafe { to.add((2 * i + j) * of.columns).cast::<Lane<N>>().write_unaligned(*values) };
        }
    }
    N
}
