//! The transforms between images and the tiles of [`Winograd`]: Bᵀ d B and Aᵀ m A.
//!
//! A vector is neighbouring tiles, in the order in which shuffles within its parts take the even and the
//! odd columns of an image apart; the inverse shuffles put them together again. Its values in the 16
//! matrices are a block, one vector of `lanes` values after the other. Where a row has fewer tiles than
//! that, a narrower vector is transformed, which is a part of the block.

use pulp::{Simd, WithSimd};

use super::{
    planes::Planes,
    winograd::{PRODUCTS, Winograd},
};

impl Winograd {
    /// Bᵀ d B of `rows` rows of tiles, from row `first` on.
    pub(super) fn transform(&self, planes: &[f32], first: usize, rows: usize, v: &mut [f32]) {
        assert!(planes.len() >= self.planes.len(), "planes of another image");
        assert!(v.len() >= self.planes.channels * self.channel, "another strip");
        assert!(first + rows <= self.size.0.div_ceil(2) && rows <= self.rows);
        let isa = self.isa.narrowed_to(self.together);
        match self.isa.lanes() {
            16 => isa.dispatch(Transform::<16> { of: self, planes, first, rows, v }),
            8 => isa.dispatch(Transform::<8> { of: self, planes, first, rows, v }),
            _ => isa.dispatch(Transform::<4> { of: self, planes, first, rows, v }),
        }
    }

    /// Aᵀ m A of `rows` rows of tiles, from row `first` on.
    pub(super) fn finish(&self, m: &[f32], first: usize, rows: usize, y: &mut [f32]) {
        let (height, width) = self.size;
        assert!(m.len() >= self.outputs * self.channel, "another strip");
        assert!(first + rows <= height.div_ceil(2) && rows <= self.rows);
        assert_eq!(y.len(), self.outputs * height * width, "another image");
        let isa = self.isa.narrowed_to(self.together);
        match self.isa.lanes() {
            16 => isa.dispatch(Finish::<16> { of: self, m, first, rows, y }),
            8 => isa.dispatch(Finish::<8> { of: self, m, first, rows, y }),
            _ => isa.dispatch(Finish::<4> { of: self, m, first, rows, y }),
        }
    }

    /// Where a tile is in a channel, whose blocks are of `L` lanes.
    #[inline(always)]
    fn tile<const L: usize>(&self, row: usize, column: usize) -> usize {
        let tile = row * self.row + column;
        tile / L * PRODUCTS * L + tile % L
    }
}

/// Into blocks of vectors of `L` lanes.
struct Transform<'a, const L: usize> {
    of: &'a Winograd,
    planes: &'a [f32],
    first: usize,
    rows: usize,
    v: &'a mut [f32],
}

impl<const L: usize> WithSimd for Transform<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of, planes, first, rows, v } = self;
        let Planes { pitch, plane, .. } = of.planes;
        for (d, v) in planes.chunks_exact(plane).zip(v.chunks_exact_mut(of.channel)) {
            for row in 0..rows {
                for column in (0..of.columns).step_by(S::F32_LANES) {
                    // SAFETY: `Winograd::new` has checked that a plane has all pixels that the vectors
                    // of its tiles read, and v has the blocks of `rows` rows of tiles. These lanes divide
                    // `L` and a row, so that the vector stays within a block.
                    unsafe {
                        let d = d.as_ptr().add(2 * (first + row) * pitch + 2 * column);
                        tiles::<S, L>(
                            simd,
                            d,
                            pitch,
                            v.as_mut_ptr().add(of.tile::<L>(row, column)),
                        );
                    }
                }
            }
        }
    }
}

/// A vector of tiles, of which the first one's first pixel is at `d`, and the next row `pitch` after it.
///
/// # Safety
/// `d` points to four rows that have all pixels of these tiles, and `v` into a block of `L` lanes.
#[inline(always)]
unsafe fn tiles<S: Simd, const L: usize>(simd: S, d: *const f32, pitch: usize, v: *mut f32) {
    // SAFETY: as the function's.
    let [a, b, c, d] = unsafe {
        [
            row_by_b(simd, d),
            row_by_b(simd, d.add(pitch)),
            row_by_b(simd, d.add(2 * pitch)),
            row_by_b(simd, d.add(3 * pitch)),
        ]
    };
    for j in 0..4 {
        for (i, values) in by_b(simd, [a[j], b[j], c[j], d[j]]).into_iter().enumerate() {
            // SAFETY: as the function's.
            unsafe { v.add((4 * i + j) * L).cast::<S::f32s>().write_unaligned(values) };
        }
    }
}

/// A row of a vector of tiles, whose pixels are from `d` on, by B.
///
/// # Safety
/// `d` points to all pixels of the row.
#[inline(always)]
unsafe fn row_by_b<S: Simd>(simd: S, d: *const f32) -> [S::f32s; 4] {
    // SAFETY: as the function's.
    let (left, right) = unsafe {
        let d = d.cast::<[S::f32s; 2]>();
        (d.read_unaligned(), d.byte_add(2 * size_of::<f32>()).read_unaligned())
    };
    let ([a, b], [c, d]) = (simd.deinterleave_shfl_f32s(left), simd.deinterleave_shfl_f32s(right));
    by_b(simd, [a, b, c, d])
}

/// From blocks of vectors of `L` lanes.
struct Finish<'a, const L: usize> {
    of: &'a Winograd,
    m: &'a [f32],
    first: usize,
    rows: usize,
    y: &'a mut [f32],
}

impl<const L: usize> WithSimd for Finish<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of, m, first, rows, y } = self;
        let (height, width) = of.size;
        for (m, y) in m.chunks_exact(of.channel).zip(y.chunks_exact_mut(height * width)) {
            for (row, y) in y[2 * first * width..].chunks_mut(2 * width).take(rows).enumerate() {
                for column in (0..of.columns).step_by(S::F32_LANES) {
                    // SAFETY: m has the blocks of `rows` rows of tiles, as `finish` asserts.
                    let lines =
                        unsafe { outputs::<S, L>(simd, m.as_ptr().add(of.tile::<L>(row, column))) };
                    // An odd image's last row and column are half a tile.
                    for (line, y) in lines.iter().zip(y.chunks_exact_mut(width)) {
                        let y = &mut y[2 * column..];
                        let count = y.len().min(2 * S::F32_LANES);
                        // SAFETY: y has so many values, and a line is two vectors.
                        unsafe {
                            if count == 2 * S::F32_LANES {
                                y.as_mut_ptr().cast::<[S::f32s; 2]>().write_unaligned(*line);
                            } else {
                                y.as_mut_ptr()
                                    .copy_from_nonoverlapping(line.as_ptr().cast(), count);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The outputs of a vector of tiles: the upper and the lower row.
///
/// # Safety
/// `m` points to these tiles in a block of `L` lanes.
#[inline(always)]
unsafe fn outputs<S: Simd, const L: usize>(simd: S, m: *const f32) -> [[S::f32s; 2]; 2] {
    let [mut upper, mut lower] = [[simd.splat_f32s(0.0); 4]; 2];
    for (j, (upper, lower)) in upper.iter_mut().zip(&mut lower).enumerate() {
        // SAFETY: as the function's.
        let [a, b, c, d] = unsafe {
            let m = m.add(j * L);
            [
                m.cast::<S::f32s>().read_unaligned(),
                m.add(4 * L).cast::<S::f32s>().read_unaligned(),
                m.add(8 * L).cast::<S::f32s>().read_unaligned(),
                m.add(12 * L).cast::<S::f32s>().read_unaligned(),
            ]
        };
        [*upper, *lower] = by_a(simd, [a, b, c, d]);
    }
    [simd.interleave_shfl_f32s(by_a(simd, upper)), simd.interleave_shfl_f32s(by_a(simd, lower))]
}

/// (a − c, b + c, c − b, b − d): a row or column by B = (1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1)ᵀ.
#[inline(always)]
fn by_b<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    let (b_c, b_d) = (simd.add_f32s(b, c), simd.sub_f32s(b, d));
    [simd.sub_f32s(a, c), b_c, simd.sub_f32s(c, b), b_d]
}

/// (a + b + c, b − c − d): a row or column by A = (1 1 1 0; 0 1 −1 −1)ᵀ.
#[inline(always)]
fn by_a<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    let (a_b, b_c) = (simd.add_f32s(a, b), simd.sub_f32s(b, c));
    [simd.add_f32s(a_b, c), simd.sub_f32s(b_c, d)]
}
