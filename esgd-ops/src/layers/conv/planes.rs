//! One image with zeros around it, in the order in which the kernels read.
//!
//! The padded image is split into stride × stride phases, those pixels whose row and column have the
//! same remainder; within a phase the pixels that an output needs are next to each other. The zeros
//! at the end of a row are those at the beginning of the next one, where the stride allows it.

use pulp::{Simd, WithSimd};

use crate::isa::{Isa, vectorized};

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

    /// Copies an image into the planes, whose zeros stay as they are.
    pub(super) fn put(&self, isa: Isa, image: &[f32], planes: &mut [f32]) {
        assert_eq!(image.len(), self.channels * self.height * self.width, "another image");
        assert!(planes.len() >= self.len(), "planes of another image");
        if self.stride == 1 {
            isa.dispatch(Rows { of: self, image, planes });
        } else {
            for (channel, image) in image.chunks_exact(self.height * self.width).enumerate() {
                phases(isa, self, channel, image, planes);
            }
        }
    }
}

/// Copies the rows of an image. A call of `memcpy` for each would take longer than the copying.
struct Rows<'a> {
    of: &'a Planes,
    image: &'a [f32],
    planes: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Planes { channels, height, width, padding, pitch, plane, .. } = *self.of;
        let vectors = width / S::F32_LANES * S::F32_LANES;
        // SAFETY: `put` has checked that the image has `channels` × `height` rows of `width`, and that
        // there is a plane for each channel, in which each row ends before the next one's beginning.
        unsafe {
            let mut from = self.image.as_ptr();
            for channel in 0..channels {
                let mut to =
                    self.planes.as_mut_ptr().add(channel * plane + padding * pitch + padding);
                for _ in 0..height {
                    let mut x = 0;
                    while x < vectors {
                        let value = from.add(x).cast::<S::f32s>().read_unaligned();
                        to.add(x).cast::<S::f32s>().write_unaligned(value);
                        x += S::F32_LANES;
                    }
                    while x < width {
                        *to.add(x) = *from.add(x);
                        x += 1;
                    }
                    from = from.add(width);
                    to = to.add(pitch);
                }
            }
        }
    }
}

vectorized! {
    /// Deals out the pixels of a channel to its phases.
    fn phases(planes: &Planes, channel: usize, image: &[f32], to: &mut [f32]) {
        let (p, s) = (planes.padding, planes.stride);
        for (y, row) in image.chunks_exact(planes.width).enumerate() {
            if s == 2 {
                // The usual stride, in a way that becomes vector instructions.
                let [even, odd] = [p, p + 1].map(|column| planes.place(channel, y + p, column));
                let (pairs, last) = row.as_chunks::<2>();
                // One check for the row instead of one for each block.
                let (low, high) = to.split_at_mut(even.max(odd));
                let (low, high) = (&mut low[even.min(odd)..][..pairs.len()], &mut high[..pairs.len()]);
                let (evens, odds) = if even < odd { (low, high) } else { (high, low) };
                let blocks = pairs.as_chunks::<8>();
                let evens = evens.as_chunks_mut::<8>();
                let odds = odds.as_chunks_mut::<8>();
                for ((block, even), odd) in blocks.0.iter().zip(evens.0).zip(odds.0) {
                    *even = std::array::from_fn(|k| block[k][0]);
                    *odd = std::array::from_fn(|k| block[k][1]);
                }
                for ((pair, even), odd) in blocks.1.iter().zip(evens.1).zip(odds.1) {
                    (*even, *odd) = (pair[0], pair[1]);
                }
                if let [last] = last {
                    to[even + planes.width / 2] = *last;
                }
                continue;
            }
            for phase in 0..s {
                // The first column whose padded place is in this phase.
                let first = (phase + s - p % s) % s;
                if first >= planes.width {
                    continue;
                }
                let at = planes.place(channel, y + p, first + p);
                for (to, x) in to[at..].iter_mut().zip(row[first..].iter().step_by(s)) {
                    *to = *x;
                }
            }
        }
    }
}
