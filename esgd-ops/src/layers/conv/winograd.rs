//! 3 × 3 kernels at stride 1 with 16 products where the definition has 36.
//!
//! F(2 × 2, 3 × 3) of Winograd, *Arithmetic Complexity of Computations*, 1980, in the form of Lavin
//! and Gray (arXiv:1509.09308, section 4.1): Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A turns a tile d of 4 × 4
//! pixels into 2 × 2 outputs. Summed over input channels, each of the 16 products is a product of
//! matrices, channels by tiles, which is a [`Correlation`]. A strip of tiles at a time, so that what
//! is between the transforms stays in the nearest caches. The transforms are in [`tiles`](super::tiles).

use super::{
    correlation::{Correlation, Position},
    planes::Planes,
};
use crate::isa::Isa;

/// Products of a tile.
pub(super) const PRODUCTS: usize = 16;

/// Tiles of a strip, about.
const STRIP: usize = 64;

/// A convolution of 3 × 3 at stride 1.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    /// The padded input.
    pub(super) planes: Planes,
    pub(super) outputs: usize,
    /// Rows and columns of the output.
    pub(super) size: (usize, usize),
    /// Rows of tiles in a strip, and tiles of a row.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// From one row of tiles to the next, and how many are transformed together.
    pub(super) row: usize,
    pub(super) together: usize,
    /// From one channel to the next in the transformed strip.
    pub(super) channel: usize,
    product: Correlation,
    pub(super) isa: Isa,
}

/// A strip between the transforms: for each channel, for each vector of tiles, the vector's values in
/// each of the 16 matrices.
#[derive(Clone, Debug, Default)]
pub(super) struct Strip {
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Strip {
    pub(super) fn values(&self) -> usize {
        self.input.len() + self.output.len()
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
        let (row, together) = row_of(columns, isa.lanes());
        // The zeros behind a row are those before the next. Vectors run on over the ends of rows.
        let shape = (2 * tile_rows + 2, width + padding);
        let planes = Planes::new(image, padding, 1, shape, 2 * isa.lanes());
        let last = (2 * tile_rows + 1) * planes.pitch + 2 * columns.next_multiple_of(together) + 2;
        assert!(last <= planes.plane, "the vectors of {size:?} in {planes:?}");
        let rows = STRIP.div_ceil(columns).min(tile_rows);
        let vectors = (rows * row).div_ceil(isa.lanes());
        let block = PRODUCTS * isa.lanes();
        // Not a power of two, at which all channels would share the same few places of the nearest
        // cache.
        let channel = vectors * block + 16;
        let at = |i: usize| i as u32;
        let taps = (0..channels).map(|c| at(c * channel)).collect();
        let places = (0..vectors).map(|i| at(i * block));
        let positions = places.map(|place| Position { from: place, to: place }).collect();
        let product = Correlation::new(taps, positions, outputs, channel, isa);
        Self { planes, outputs, size, rows, columns, row, together, channel, product, isa }
    }

    /// Memory for a strip.
    pub(super) fn strip(&self) -> Strip {
        Strip {
            input: vec![0.0; self.planes.channels * self.channel],
            output: vec![0.0; self.outputs * self.channel],
        }
    }

    /// How many values all its memory takes.
    pub(super) fn values(&self) -> usize {
        let strip = (self.planes.channels + self.outputs) * self.channel;
        self.planes.len() + self.packed_len() + strip
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
        let tile_rows = self.size.0.div_ceil(2);
        for first in (0..tile_rows).step_by(self.rows) {
            let rows = self.rows.min(tile_rows - first);
            self.transform(planes, first, rows, &mut strip.input);
            for (k, kernel) in packed.chunks_exact(self.product.packed_len()).enumerate() {
                let matrix = k * self.isa.lanes();
                self.product.run(&strip.input[matrix..], kernel, &mut strip.output[matrix..]);
            }
            self.finish(&strip.output, first, rows, y);
        }
    }
}

/// From one row of `columns` tiles to the next, and how many of them make a vector: few and full ones,
/// which may be longer than the row.
fn row_of(columns: usize, lanes: usize) -> (usize, usize) {
    let vectors = [16, 8, 4].into_iter().filter(|n| *n <= lanes);
    let rows = vectors.map(|n| (columns.next_multiple_of(n), n));
    // A vector's transforms take about as long as the products of four tiles.
    rows.min_by_key(|(row, n)| row + 4 * row / n)
        .unwrap_or((columns.next_multiple_of(lanes), lanes))
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
