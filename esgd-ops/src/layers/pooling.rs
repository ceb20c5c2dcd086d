//! Pooling: the mean of each channel, and the maximum of squares that do not overlap.

use super::sums;
use crate::isa::{Isa, vectorized};

/// The mean of each channel of each image: y has one value a plane.
///
/// ```
/// use esgd_ops::layers::pooling;
///
/// let mut y = [0.0; 2];
/// pooling::mean(&[1.0, 2.0, 3.0, 6.0], &mut y);
/// assert_eq!(y, [1.5, 4.5]);
/// ```
///
/// # Panics
/// If x is not a multiple of y.
pub fn mean(x: &[f32], y: &mut [f32]) {
    assert!(x.len().is_multiple_of(y.len()), "planes of another size");
    means(Isa::best(), x, y);
}

vectorized! {
    fn means(x: &[f32], y: &mut [f32]) {
        let plane = x.len() / y.len();
        for (y, x) in y.iter_mut().zip(x.chunks_exact(plane)) {
            *y = sums::of(x, |x| x) / plane as f32;
        }
    }
}

/// The gradient of [`mean`]'s input.
///
/// # Panics
/// If dx is not a multiple of dy.
pub fn mean_gradient(dy: &[f32], dx: &mut [f32]) {
    assert!(dx.len().is_multiple_of(dy.len()), "planes of another size");
    let plane = dx.len() / dy.len();
    for (dx, dy) in dx.chunks_exact_mut(plane).zip(dy) {
        dx.fill(dy / plane as f32);
    }
}

/// The size of a channel's image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
}

/// The maximum of each `size` × `size` square of each `plane` of x. Rows and columns that
/// are left over are left out, as in PyTorch. Of equals the first is taken; a square with a value
/// that is not a number gives that.
///
/// # Panics
/// If lengths do not fit, or `size` is 0 or larger than the plane.
pub fn max(x: &[f32], plane: Plane, size: usize, y: &mut [f32]) {
    let Plane { height, width } = plane;
    let Plane { height: rows, width: columns } = squares_of(x, plane, size, y);
    for (x, y) in x.chunks_exact(height * width).zip(y.chunks_exact_mut(rows * columns)) {
        for (r, y) in y.chunks_exact_mut(columns).enumerate() {
            max_of_rows(Isa::best(), &x[r * size * width..][..size * width], size, y);
        }
    }
}

vectorized! {
    fn max_of_rows(rows: &[f32], size: usize, y: &mut [f32]) {
        let width = rows.len() / size;
        if size == 2 {
            // The usual size, with a loop that becomes vector instructions.
            let (upper, lower) = rows.split_at(width);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            for (y, (a, b)) in y.iter_mut().zip(pairs) {
                *y = greater(greater(a[0], a[1]), greater(b[0], b[1]));
            }
        } else {
            for (c, y) in y.iter_mut().enumerate() {
                let square = rows.chunks_exact(width).flat_map(|row| &row[c * size..][..size]);
                *y = square.fold(f32::NEG_INFINITY, |max, x| greater(max, *x));
            }
        }
    }
}

/// How many squares fit into a plane, below and beside one another.
fn squares_of(x: &[f32], plane: Plane, size: usize, y: &[f32]) -> Plane {
    let Plane { height, width } = plane;
    assert!(size >= 1 && size <= height.min(width), "squares of {size} in {height} × {width}");
    let (rows, columns) = (height / size, width / size);
    let planes = y.len() / (rows * columns);
    assert_eq!(x.len(), planes * height * width, "planes of another size");
    assert_eq!(y.len(), planes * rows * columns, "planes of another size");
    Plane { height: rows, width: columns }
}

/// The greater, the first of equals, or what is not a number.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a >= b || a.is_nan() { a } else { b }
}

/// The gradient of [`max`]'s input: where the maximum was, as x and y say, the first of equals. Of a
/// maximum that is not a number the last pixel gets it.
///
/// # Panics
/// If lengths do not fit, or `size` is 0 or larger than the plane.
pub fn max_gradient(x: &[f32], y: &[f32], dy: &[f32], plane: Plane, size: usize, dx: &mut [f32]) {
    let Plane { height, width } = plane;
    assert!(x.len() == dx.len() && y.len() == dy.len(), "gradients of another size");
    let Plane { height: rows, width: columns } = squares_of(x, plane, size, y);
    if height % size != 0 || width % size != 0 {
        dx.fill(0.0);
    }
    let planes = x.chunks_exact(height * width).zip(dx.chunks_exact_mut(height * width));
    let pooled = y.chunks_exact(rows * columns).zip(dy.chunks_exact(rows * columns));
    for ((x, dx), (y, dy)) in planes.zip(pooled) {
        for r in 0..rows {
            let here = r * size * width..(r + 1) * size * width;
            let there = r * columns..(r + 1) * columns;
            let (x, dx) = (&x[here.clone()], &mut dx[here]);
            let (y, dy) = (&y[there.clone()], &dy[there]);
            if size == 2 {
                let (rows, d_rows) = (x.split_at(width), dx.split_at_mut(width));
                gradient_of_pairs(Isa::best(), rows.0, rows.1, y, dy, d_rows.0, d_rows.1);
            } else {
                gradient_of_rows(x, y, dy, size, dx);
            }
        }
    }
}

vectorized! {
    /// The gradients of squares of 2 × 2 in two rows. Each row is an argument of its own, so that the
    /// compiler knows that they do not overlap.
    fn gradient_of_pairs(
        upper: &[f32],
        lower: &[f32],
        y: &[f32],
        dy: &[f32],
        d_upper: &mut [f32],
        d_lower: &mut [f32],
    ) {
        let squares = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        let gradients = d_upper.as_chunks_mut::<2>().0.iter_mut();
        let gradients = gradients.zip(d_lower.as_chunks_mut::<2>().0.iter_mut());
        for (((a, b), (da, db)), (y, dy)) in squares.zip(gradients).zip(y.iter().zip(dy)) {
            // Each pixel takes what is left, if it is the maximum.
            let (first, left) = if a[0] == *y { (*dy, 0.0) } else { (0.0, *dy) };
            let (second, left) = if a[1] == *y { (left, 0.0) } else { (0.0, left) };
            let (third, left) = if b[0] == *y { (left, 0.0) } else { (0.0, left) };
            *da = [first, second];
            *db = [third, left];
        }
    }
}

/// The gradients of squares of any size in as many rows.
fn gradient_of_rows(x: &[f32], y: &[f32], dy: &[f32], size: usize, dx: &mut [f32]) {
    let width = x.len() / size;
    for (c, (y, dy)) in y.iter().zip(dy).enumerate() {
        let mut left = *dy;
        for (i, k) in (0..size).flat_map(|i| (0..size).map(move |k| (i, k))) {
            let at = i * width + c * size + k;
            let found = x[at] == *y || (i + 1, k + 1) == (size, size);
            dx[at] = if found { left } else { 0.0 };
            left = if found { 0.0 } else { left };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_takes_the_gradient() {
        for (height, width, size) in [(4, 6, 2), (6, 6, 3), (5, 7, 2), (32, 32, 2)] {
            let x: Vec<f32> =
                (0..2 * height * width).map(|i| ((i * 37) % 41) as f32 - 20.0).collect();
            let (rows, columns) = (height / size, width / size);
            let mut y = vec![0.0; 2 * rows * columns];
            max(&x, Plane { height, width }, size, &mut y);
            let dy: Vec<f32> = (0..y.len()).map(|i| i as f32 + 1.0).collect();
            let mut dx = vec![f32::NAN; x.len()];
            max_gradient(&x, &y, &dy, Plane { height, width }, size, &mut dx);
            let mut expected = vec![0.0; x.len()];
            for (i, y) in y.iter().enumerate() {
                let (plane, r, c) = (i / (rows * columns), i / columns % rows, i % columns);
                let square = (0..size * size)
                    .map(|k| (plane * height + r * size + k / size) * width + c * size + k % size);
                let best = square.fold(None, |best: Option<usize>, at| match best {
                    Some(b) if x[b] >= x[at] => Some(b),
                    _ => Some(at),
                });
                assert_eq!(*y, x[best.unwrap()]);
                expected[best.unwrap()] = dy[i];
            }
            assert_eq!(dx, expected, "{height} × {width} by {size}");
        }
    }

    #[test]
    fn a_mean_shares_its_gradient() {
        let x: Vec<f32> = (0..3 * 64).map(|i| i as f32).collect();
        let mut y = [0.0; 3];
        mean(&x, &mut y);
        assert_eq!(y, [31.5, 95.5, 159.5]);
        let mut dx = vec![f32::NAN; x.len()];
        mean_gradient(&[64.0, 128.0, 0.0], &mut dx);
        assert_eq!((dx[0], dx[64], dx[191]), (1.0, 2.0, 0.0));
    }

    #[test]
    fn what_is_not_a_number_is_not_pooled_away() {
        for size in [2, 3] {
            let mut x = vec![1.0; size * size];
            x[1] = f32::NAN;
            let plane = Plane { height: size, width: size };
            let (mut y, mut dx) = ([0.0], vec![9.0; size * size]);
            max(&x, plane, size, &mut y);
            assert!(y[0].is_nan());
            max_gradient(&x, &y, &[5.0], plane, size, &mut dx);
            let (last, rest) = dx.split_last().unwrap();
            assert!(*last == 5.0 && rest.iter().all(|d| *d == 0.0), "{dx:?}");
        }
    }
}
