//! The kernel that the forward pass and the gradient of the input share: outputs that are weighted
//! sums of shifted inputs.
//!
//! Output channel c at position p is Σ_k w(c, k) x(p + tap(k)): a tap is the place of an input
//! channel and of a pixel of the kernel in memory, so nothing here knows rows, strides or padding.
//! A vector is neighbouring positions of one channel. A tile of 4 to 8 channels by 2 or 3 vectors
//! stays in registers while all taps are added; only then it is written.

use pulp::{Simd, WithSimd};

use crate::isa::Isa;

/// Where a vector is read, relative to the taps, and where it is written in each output channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) from: u32,
    pub(super) to: u32,
}

/// The taps and positions of one correlation.
#[derive(Clone, Debug)]
pub(super) struct Correlation {
    taps: Vec<u32>,
    positions: Vec<Position>,
    /// Output channels.
    channels: usize,
    /// From one output channel to the next.
    plane: usize,
    /// One more than the last place read, and written.
    reach: (usize, usize),
    isa: Isa,
}

impl Correlation {
    pub(super) fn new(
        taps: Vec<u32>,
        positions: Vec<Position>,
        channels: usize,
        plane: usize,
        isa: Isa,
    ) -> Self {
        let lanes = isa.lanes();
        let furthest = |places: &mut dyn Iterator<Item = u32>| places.max().unwrap_or(0) as usize;
        let from = furthest(&mut positions.iter().map(|p| p.from));
        let tap = furthest(&mut taps.iter().copied());
        let to = furthest(&mut positions.iter().map(|p| p.to));
        let reach = (from + tap + lanes, (channels - 1) * plane + to + lanes);
        Self { taps, positions, channels, plane, reach, isa }
    }

    /// How many values [`Self::run`] reads from and writes to, at the least.
    pub(super) fn reach(&self) -> (usize, usize) {
        self.reach
    }

    /// Channels of a tile.
    fn block(&self) -> usize {
        block(self.isa.registers())
    }

    /// How many values the weights take when they are packed.
    pub(super) fn packed_len(&self) -> usize {
        packed_len(self.channels, self.taps.len(), self.isa)
    }

    /// Puts `weight(channel, tap)` in the order in which the kernel reads it: for each block of
    /// channels, for each tap, the block's values.
    pub(super) fn pack(&self, weight: impl Fn(usize, usize) -> f32, packed: &mut [f32]) {
        let block = self.block();
        let rows = self.taps.len() * block;
        if rows == 0 {
            return;
        }
        for (b, values) in packed.chunks_mut(rows).enumerate() {
            for (k, values) in values.chunks_mut(block).enumerate() {
                for (c, value) in values.iter_mut().enumerate() {
                    let channel = b * block + c;
                    *value = if channel < self.channels { weight(channel, k) } else { 0.0 };
                }
            }
        }
    }

    /// Computes all output channels of one image.
    pub(super) fn run(&self, x: &[f32], packed: &[f32], y: &mut [f32]) {
        assert!(x.len() >= self.reach.0, "the input of a correlation is too short");
        assert!(y.len() >= self.reach.1, "the output of a correlation is too short");
        assert_eq!(packed.len(), self.packed_len(), "weights of another correlation");
        self.isa.dispatch(Run { of: self, x, packed, y });
    }
}

/// How many values the weights of so many output channels and taps take when they are packed.
pub(super) const fn packed_len(channels: usize, taps: usize, isa: Isa) -> usize {
    channels.next_multiple_of(block(isa.registers())) * taps
}

const fn block(registers: usize) -> usize {
    if registers >= 32 { 8 } else { 4 }
}

struct Run<'a> {
    of: &'a Correlation,
    x: &'a [f32],
    packed: &'a [f32],
    y: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.tiles::<S, 8, 3>(simd);
        } else {
            self.tiles::<S, 4, 2>(simd);
        }
    }
}

impl Run<'_> {
    /// All tiles, of `C` channels by at most `V` vectors.
    #[inline(always)]
    fn tiles<S: Simd, const C: usize, const V: usize>(self, simd: S) {
        let Correlation { taps, positions, channels, plane, .. } = self.of;
        let y = self.y.as_mut_ptr();
        // As few tiles as can be, and as even as can be.
        let width = positions.len().div_ceil(positions.len().div_ceil(V).max(1)).max(1);
        for positions in positions.chunks(width) {
            for first in (0..*channels).step_by(C) {
                let rows = C.min(channels - first);
                // SAFETY: `run` has checked that x and y reach as far as any tap and position
                // goes, and that there are weights for each block of channels; `rows` keeps the
                // last block from writing channels that do not exist.
                unsafe {
                    let x = self.x.as_ptr();
                    let w = self.packed.as_ptr().add(first * taps.len());
                    let y = y.add(first * plane);
                    match positions.len() {
                        n if n == V => {
                            tile::<S, C, V>(simd, x, taps, w, positions, y, *plane, rows)
                        }
                        2 => tile::<S, C, 2>(simd, x, taps, w, positions, y, *plane, rows),
                        _ => tile::<S, C, 1>(simd, x, taps, w, positions, y, *plane, rows),
                    }
                }
            }
        }
    }
}

/// `C` channels by `V` vectors, of which the first `rows` channels are written.
///
/// # Safety
/// From `x`, each position and tap together with a vector's length is readable; from `y`, each
/// position of `rows` planes is writable; from `w`, `C` values for each tap are readable; there are
/// `V` positions.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn tile<S: Simd, const C: usize, const V: usize>(
    simd: S,
    x: *const f32,
    taps: &[u32],
    w: *const f32,
    positions: &[Position],
    y: *mut f32,
    plane: usize,
    rows: usize,
) {
    let from: [usize; V] = std::array::from_fn(|v| positions[v].from as usize);
    let mut sums = [[simd.splat_f32s(0.0); V]; C];
    let mut w = w;
    for &tap in taps {
        // SAFETY: as the function's.
        unsafe {
            let x = x.add(tap as usize);
            let x: [S::f32s; V] =
                std::array::from_fn(|v| x.add(from[v]).cast::<S::f32s>().read_unaligned());
            for (c, sums) in sums.iter_mut().enumerate() {
                let w = simd.splat_f32s(*w.add(c));
                for v in 0..V {
                    sums[v] = simd.mul_add_e_f32s(w, x[v], sums[v]);
                }
            }
            w = w.add(C);
        }
    }
    for (c, sums) in sums.iter().enumerate().take(rows) {
        for v in 0..V {
            // SAFETY: as the function's.
            unsafe {
                let y = y.add(c * plane + positions[v].to as usize);
                y.cast::<S::f32s>().write_unaligned(sums[v]);
            }
        }
    }
}
