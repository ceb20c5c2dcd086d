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

impl Grid {
    /// Whether rows are whole vectors next to each other, which go straight to the image.
    fn is_whole(&self, lanes: usize) -> bool {
        let width = self.image.1;
        self.step == 1 && self.columns == width && width.is_multiple_of(lanes)
    }

    /// Values of a channel where vectors run on over the ends of rows.
    fn length(&self, lanes: usize) -> usize {
        ((self.rows - 1) * self.pitch + self.columns).next_multiple_of(lanes)
    }

    /// How many values a part reads from, if its last tap is at that place, and how many its buffer has,
    /// without planning it.
    pub(super) fn memory(&self, last: usize, channels: usize, lanes: usize) -> (usize, usize) {
        if self.is_whole(lanes) {
            return (self.from + (self.rows - 1) * self.pitch + self.columns + last, 0);
        }
        let length = self.length(lanes);
        (self.from + length + last, channels * length)
    }
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
        if grid.is_whole(lanes) {
            let positions = (0..grid.rows * width).step_by(lanes).map(|to| {
                let from = grid.from + to / width * grid.pitch + to % width;
                Position { from: from as u32, to: to as u32 }
            });
            let correlation =
                Correlation::new(taps, positions.collect(), channels, height * width, isa);
            return Self { correlation, grid, buffer: None };
        }
        // Otherwise vectors run on over the ends of rows, and what they make there is left out.
        let length = grid.length(lanes);
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
