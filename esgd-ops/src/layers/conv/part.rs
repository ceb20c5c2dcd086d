//! Part of an image by one correlation: all of an output, or those pixels of an input whose rows and
//! columns have the same remainder by the stride.

use super::correlation::{Correlation, Position};
use crate::isa::Isa;

/// A grid of pixels: which the correlation reads, and which it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Where the first pixel is read, and from there to the next row.
    pub(super) from: usize,
    pub(super) pitch: usize,
    /// Row and column of the first pixel in the image that is made.
    pub(super) first: (usize, usize),
    /// From one row or column to the next in that image.
    pub(super) step: usize,
    /// Height and width of that image.
    pub(super) image: (usize, usize),
}

/// A correlation and the pixels it makes.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) correlation: Correlation,
    grid: Grid,
    /// From one channel to the next in a buffer, where vectors do not fit the image's rows.
    buffer: Option<usize>,
}

impl Part {
    pub(super) fn new(grid: Grid, taps: Vec<u32>, channels: usize, isa: Isa) -> Self {
        let lanes = isa.lanes();
        let (height, width) = grid.image;
        // Rows of whole vectors that are next to each other go straight to the image.
        if grid.step == 1 && grid.columns == width && width.is_multiple_of(lanes) {
            let positions = (0..grid.rows * width).step_by(lanes).map(|to| {
                let from = grid.from + to / width * grid.pitch + to % width;
                Position { from: from as u32, to: to as u32 }
            });
            let correlation =
                Correlation::new(taps, positions.collect(), channels, height * width, isa);
            return Self { correlation, grid, buffer: None };
        }
        // Otherwise vectors run on over the ends of rows, and what they make there is left out.
        let length = ((grid.rows - 1) * grid.pitch + grid.columns).next_multiple_of(lanes);
        let positions = (0..length)
            .step_by(lanes)
            .map(|to| Position { from: (grid.from + to) as u32, to: to as u32 });
        let correlation = Correlation::new(taps, positions.collect(), channels, length, isa);
        Self { correlation, grid, buffer: Some(length) }
    }

    /// The number of pixels it makes of each channel.
    pub(super) fn pixels(&self) -> usize {
        self.grid.rows * self.grid.columns
    }

    /// Values that the buffer must hold.
    pub(super) fn buffer_len(&self) -> usize {
        self.buffer.map_or(0, |_| self.correlation.reach().1)
    }

    /// Makes its pixels of all channels of `image`.
    pub(super) fn run(&self, x: &[f32], packed: &[f32], buffer: &mut [f32], image: &mut [f32]) {
        let Some(plane) = self.buffer else { return self.correlation.run(x, packed, image) };
        self.correlation.run(x, packed, buffer);
        let Grid { rows, columns, pitch, first, step, image: (height, width), .. } = self.grid;
        for (image, made) in image.chunks_exact_mut(height * width).zip(buffer.chunks(plane)) {
            for r in 0..rows {
                let made = &made[r * pitch..][..columns];
                let row = &mut image[(first.0 + r * step) * width..][..width];
                if step == 1 {
                    row[first.1..first.1 + columns].copy_from_slice(made);
                } else {
                    for (x, made) in row[first.1..].iter_mut().step_by(step).zip(made) {
                        *x = *made;
                    }
                }
            }
        }
    }
}
