//! One image with zeros around it, in the order in which the kernels read.
//!
//! The padded image is split into stride × stride phases, those pixels whose row and column have the
//! same remainder; within a phase the pixels that an output needs are next to each other. The zeros
//! at the end of a row are those at the beginning of the next one, where the stride allows it.

/// Where pixels are in the padded planes of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) padding: usize,
    pub(super) stride: usize,
    /// From one row of a phase to the next.
    pub(super) pitch: usize,
    /// From one phase to the next, and `stride`² of them from one channel to the next.
    pub(super) plane: usize,
}

impl Planes {
    /// Planes whose phases have at least `rows` rows, with room for a vector of `lanes` behind.
    pub(super) fn new(
        (channels, height, width): (usize, usize, usize),
        padding: usize,
        stride: usize,
        (rows, pitch): (usize, usize),
        lanes: usize,
    ) -> Self {
        let plane = (rows * pitch + padding + pitch + lanes).next_multiple_of(16);
        Self { channels, height, width, padding, stride, pitch, plane }
    }

    /// How many values the planes take.
    pub(super) fn len(&self) -> usize {
        self.channels * self.stride * self.stride * self.plane
    }

    /// The place of a pixel (row, column) of the padded image.
    pub(super) fn place(&self, channel: usize, row: usize, column: usize) -> usize {
        let s = self.stride;
        let phase = (channel * s + row % s) * s + column % s;
        phase * self.plane + row / s * self.pitch + column / s
    }

    /// Copies channel `channel` of an image into its planes, whose zeros stay as they are.
    #[inline(always)]
    pub(super) fn put(&self, channel: usize, image: &[f32], planes: &mut [f32]) {
        let (p, s) = (self.padding, self.stride);
        for (y, row) in image.chunks_exact(self.width).enumerate() {
            if s == 1 {
                let at = self.place(channel, y + p, p);
                planes[at..at + self.width].copy_from_slice(row);
            } else {
                for phase in 0..s {
                    // The first column whose padded place is in this phase.
                    let first = (phase + s - p % s) % s;
                    if first >= self.width {
                        continue;
                    }
                    let at = self.place(channel, y + p, first + p);
                    let values = row[first..].iter().step_by(s);
                    for (to, x) in planes[at..].iter_mut().zip(values) {
                        *to = *x;
                    }
                }
            }
        }
    }
}
