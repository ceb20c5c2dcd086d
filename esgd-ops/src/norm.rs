//! Sums of squares in one order, whatever computes them: the norm of a gradient, the scale of a
//! tensor.

use crate::isa::{Isa, vectorized};

/// Values whose squares are summed together.
const TILE: usize = 4096;

/// Partial sums kept side by side in a tile.
const LANES: usize = 256;

/// The sum of the squares of `values`, in `f64`; 0 for no values.
///
/// The order is that of [`definition::squared_norm`](esgd_core::plan::definition::squared_norm).
///
/// ```
/// assert_eq!(esgd_ops::norm::squared_norm(&[3.0, -4.0]), 25.0);
/// ```
#[must_use]
pub fn squared_norm(values: &[f32]) -> f64 {
    squared_norm_by(Isa::best(), values)
}

/// The root mean square of `values`, at least 0, in their units; 0 for no values.
///
/// It gives σ the scale of the tensor that it mutates.
///
/// ```
/// assert_eq!(esgd_ops::norm::rms(&[3.0, -4.0, 0.0, 0.0]), 2.5);
/// ```
#[must_use]
pub fn rms(values: &[f32]) -> f32 {
    rms_of(squared_norm(values), values.len())
}

/// The root mean square of `count` values of this squared norm.
pub(crate) fn rms_of(squared_norm: f64, count: usize) -> f32 {
    (squared_norm / count.max(1) as f64).sqrt() as f32
}

/// The squared norm of `a` − `b`, whose values are rounded to `f32` before they are squared.
///
/// # Panics
/// If they differ in length.
///
/// ```
/// assert_eq!(esgd_ops::norm::squared_distance(&[3.0, 1.0], &[0.0, 5.0]), 25.0);
/// ```
#[must_use]
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    squared_distance_by(Isa::best(), a, b)
}

fn squared_norm_by(isa: Isa, values: &[f32]) -> f64 {
    if values.len() <= TILE {
        return tile_of_squares(isa, values);
    }
    sum_of_tiles(values.chunks(TILE).map(|tile| tile_of_squares(isa, tile)).collect())
}

fn squared_distance_by(isa: Isa, a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "values differ in number");
    let tiles = a.chunks(TILE).zip(b.chunks(TILE));
    sum_of_tiles(tiles.map(|(a, b)| tile_of_distances(isa, a, b)).collect())
}

/// The sum of the tiles' sums, which are cut into tiles in their turn.
fn sum_of_tiles(mut sums: Vec<f64>) -> f64 {
    while sums.len() > 1 {
        sums = sums.chunks(TILE).map(|tile| halve(&partial_sums(tile, |x| x))).collect();
    }
    sums.first().copied().unwrap_or(0.0)
}

vectorized! {
    fn tile_of_squares(tile: &[f32]) -> f64 {
        halve(&partial_sums(tile, |x| f64::from(x) * f64::from(x)))
    }
}

vectorized! {
    fn tile_of_distances(a: &[f32], b: &[f32]) -> f64 {
        let mut apart = [0.0; TILE];
        let apart = &mut apart[..a.len()];
        for (x, (a, b)) in apart.iter_mut().zip(a.iter().zip(b)) {
            *x = a - b;
        }
        halve(&partial_sums(apart, |x| f64::from(x) * f64::from(x)))
    }
}

#[inline(always)]
fn partial_sums<T: Copy>(tile: &[T], term: impl Fn(T) -> f64) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for row in tile.chunks(LANES) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += term(x);
        }
    }
    sums
}

/// Adds the upper half to the lower until one sum is left.
#[inline(always)]
fn halve(sums: &[f64; LANES]) -> f64 {
    let mut sums = *sums;
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            sums[l] += sums[l + half];
        }
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use esgd_core::plan::definition;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_path_is_the_definition() {
        for n in [0, 1, 255, 256, 257, 4095, 4096, 4097, 9000, 4096 * 4096 / 64 + 3] {
            let values: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1009) as f32 - 500.3).collect();
            let expected = definition::squared_norm(&values);
            let others: Vec<f32> = values.iter().rev().map(|x| 0.3 * x).collect();
            let apart: Vec<f32> = values.iter().zip(&others).map(|(a, b)| a - b).collect();
            for isa in Isa::available() {
                assert_eq!(
                    squared_norm_by(isa, &values).to_bits(),
                    expected.to_bits(),
                    "{n} {isa}"
                );
                let (distance, expected) =
                    (squared_distance_by(isa, &values, &others), definition::squared_norm(&apart));
                assert_eq!(distance.to_bits(), expected.to_bits(), "{n} {isa}");
            }
        }
    }

    #[test]
    fn the_rms_of_large_values_does_not_overflow() {
        assert_eq!(rms(&[]), 0.0);
        assert_eq!(rms(&[f32::MAX; 3]), f32::MAX);
        let x = [0.1f32; 100_000];
        assert!((rms(&x) - 0.1).abs() < 1e-8);
        assert!(squared_norm(&[1.0, f32::NAN]).is_nan());
    }

    proptest! {
        #[test]
        fn the_squared_norm_is_the_sum_of_squares(
            values in prop::collection::vec(-1e3f32..1e3, 0..600),
        ) {
            let plain: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
            prop_assert!((squared_norm(&values) - plain).abs() <= 1e-12 * plain);
        }
    }
}
