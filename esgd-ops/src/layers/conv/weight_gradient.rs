//! The gradient of the kernel: for each tap and output channel, the sum over pixels of the tap's
//! input times the channel's gradient.
//!
//! A vector is neighbouring output channels, so the gradient is transposed to have its channels last;
//! taps that are next to each other in memory, a row of the kernel, form a run. A tile of several
//! runs by one or two vectors stays in registers while all pixels of an image are added.

use pulp::{Simd, WithSimd};

use crate::isa::{Isa, vectorized};

/// The runs and pixels of the sum.
#[derive(Clone, Debug)]
pub(super) struct WeightGradient {
    /// The first place of each run.
    runs: Vec<u32>,
    /// Taps of a run: 3 or 1.
    taps: usize,
    rows: usize,
    columns: usize,
    /// From one row of the input to the next.
    pitch: usize,
    /// Output channels, padded to whole vectors.
    channels: usize,
    isa: Isa,
}

impl WeightGradient {
    /// Of taps at `places`, input channel by input channel.
    pub(super) fn new(
        places: &[u32],
        (rows, columns): (usize, usize),
        pitch: usize,
        outputs: usize,
        isa: Isa,
    ) -> Self {
        let in_threes = places.len().is_multiple_of(3)
            && places.chunks(3).all(|run| run[1] == run[0] + 1 && run[2] == run[0] + 2);
        let taps = if in_threes { 3 } else { 1 };
        let runs = places.iter().copied().step_by(taps).collect();
        let channels = padded(outputs, isa);
        Self { runs, taps, rows, columns, pitch, channels, isa }
    }

    /// Values of the sums: taps × channels.
    pub(super) fn sums_len(&self) -> usize {
        self.runs.len() * self.taps * self.channels
    }

    /// Values of a transposed gradient: pixels × channels.
    pub(super) fn transposed_len(&self) -> usize {
        self.rows * self.columns * self.channels
    }

    /// Puts the gradient's channels last. Channels that do not exist stay as they are, zero.
    pub(super) fn transpose(&self, gradient: &[f32], transposed: &mut [f32]) {
        let pixels = self.rows * self.columns;
        transpose(self.isa, gradient, pixels, transposed, self.channels);
    }

    /// Adds one image's sums.
    pub(super) fn add(&self, x: &[f32], transposed: &[f32], sums: &mut [f32]) {
        let last = (self.rows - 1) * self.pitch + self.columns - 1 + self.taps - 1;
        let furthest = self.runs.iter().max().map_or(0, |&run| run as usize);
        assert!(furthest + last < x.len(), "the input of a weight gradient is too short");
        assert_eq!(transposed.len(), self.transposed_len(), "the gradient of another layer");
        assert_eq!(sums.len(), self.sums_len(), "the sums of another layer");
        self.isa.dispatch(Add { of: self, x, transposed, sums });
    }

    /// The gradient (output, tap) from the sums (tap, output).
    pub(super) fn finish(&self, sums: &[f32], gradient: &mut [f32]) {
        let taps = self.runs.len() * self.taps;
        for (c, gradient) in gradient.chunks_exact_mut(taps).enumerate() {
            for (k, g) in gradient.iter_mut().enumerate() {
                *g = sums[k * self.channels + c];
            }
        }
    }
}

/// How many values the sums and a transposed gradient of so many taps, pixels and output channels have.
pub(super) fn values(taps: usize, pixels: usize, outputs: usize, isa: Isa) -> usize {
    (taps + pixels) * padded(outputs, isa)
}

/// Output channels, in whole vectors.
fn padded(outputs: usize, isa: Isa) -> usize {
    outputs.next_multiple_of(isa.lanes())
}

/// Rows and columns of a block that is transposed in registers.
const SIDE: usize = 4;

vectorized! {
    /// Rows of `width` values into columns of a matrix whose rows are `pitch` apart.
    fn transpose(from: &[f32], width: usize, to: &mut [f32], pitch: usize) {
        let height = from.len() / width;
        let (blocks, columns) = (height / SIDE * SIDE, width / SIDE * SIDE);
        for r in (0..blocks).step_by(SIDE) {
            for c in (0..columns).step_by(SIDE) {
                let mut block = [[0.0; SIDE]; SIDE];
                for (i, row) in block.iter_mut().enumerate() {
                    row.copy_from_slice(&from[(r + i) * width + c..][..SIDE]);
                }
                for i in 0..SIDE {
                    let column: [f32; SIDE] = std::array::from_fn(|k| block[k][i]);
                    to[(c + i) * pitch + r..][..SIDE].copy_from_slice(&column);
                }
            }
        }
        for r in 0..height {
            let rest = if r < blocks { columns } else { 0 };
            for c in rest..width {
                to[c * pitch + r] = from[r * width + c];
            }
        }
    }
}

struct Add<'a> {
    of: &'a WeightGradient,
    x: &'a [f32],
    transposed: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Runs × taps × vectors sums in registers; at least 8 hide an addition's latency.
        match (S::REGISTER_COUNT >= 32, self.of.taps) {
            (true, 3) => self.columns::<S, 4, 8, 3>(simd),
            (true, _) => self.columns::<S, 8, 12, 1>(simd),
            (false, 3) => self.columns::<S, 2, 3, 3>(simd),
            (false, _) => self.columns::<S, 4, 8, 1>(simd),
        }
    }
}

impl Add<'_> {
    /// Two vectors of channels at a time with `R2` runs, and the last alone with `R1`.
    #[inline(always)]
    fn columns<S: Simd, const R2: usize, const R1: usize, const K: usize>(mut self, simd: S) {
        let vectors = self.of.channels / S::F32_LANES;
        let mut v = 0;
        while v < vectors {
            if v + 1 < vectors {
                self.rows::<S, R2, K, 2>(simd, v * S::F32_LANES);
                v += 2;
            } else {
                self.rows::<S, R1, K, 1>(simd, v * S::F32_LANES);
                v += 1;
            }
        }
    }

    #[inline(always)]
    fn rows<S: Simd, const R: usize, const K: usize, const V: usize>(
        &mut self,
        simd: S,
        channel: usize,
    ) {
        let mut run = 0;
        while run + R <= self.of.runs.len() {
            self.tile::<S, R, K, V>(simd, run, channel);
            run += R;
        }
        while run < self.of.runs.len() {
            self.tile::<S, 1, K, V>(simd, run, channel);
            run += 1;
        }
    }

    /// `R` runs of `K` taps from `run` on, by `V` vectors of channels from `channel` on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const K: usize, const V: usize>(
        &mut self,
        simd: S,
        run: usize,
        channel: usize,
    ) {
        let WeightGradient { runs, rows, columns, pitch, channels, .. } = self.of;
        let mut acc = [[[simd.splat_f32s(0.0); V]; K]; R];
        // SAFETY: `add` has checked that the input reaches as far as any run and pixel goes, and
        // that the gradient has `channels` values a pixel and the sums `channels` a tap; `channel`
        // leaves room for V vectors among them.
        unsafe {
            let x: [*const f32; R] =
                std::array::from_fn(|r| self.x.as_ptr().add(runs[run + r] as usize));
            let mut g = self.transposed.as_ptr().add(channel);
            for row in 0..*rows {
                for at in row * pitch..row * pitch + columns {
                    let dy: [S::f32s; V] = std::array::from_fn(|v| {
                        g.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned()
                    });
                    for (x, acc) in x.iter().zip(&mut acc) {
                        for (k, acc) in acc.iter_mut().enumerate() {
                            let x = simd.splat_f32s(*x.add(at + k));
                            for (acc, dy) in acc.iter_mut().zip(dy) {
                                *acc = simd.mul_add_e_f32s(x, dy, *acc);
                            }
                        }
                    }
                    g = g.add(*channels);
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                for (k, acc) in acc.iter().enumerate() {
                    let sum = self.sums.as_mut_ptr().add(((run + r) * K + k) * channels + channel);
                    for (v, acc) in acc.iter().enumerate() {
                        let sum = sum.add(v * S::F32_LANES).cast::<S::f32s>();
                        sum.write_unaligned(simd.add_f32s(sum.read_unaligned(), *acc));
                    }
                }
            }
        }
    }
}
