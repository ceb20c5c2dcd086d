//! What convolutions compute, in `f64` and one number at a time.
//!
//! Unlike the operations of evolution these are defined up to rounding: a fast kernel adds in another
//! order. In `f64`, because the tests also check gradients against finite differences, which `f32`
//! is too coarse for.

use super::conv::Shape;

/// Convolution as PyTorch's `Conv2d` without bias: y(o, r, c) = Σ x(i, r s + a − p, c s + b − p)
/// w(o, i, a, b) over inputs i and kernel pixels (a, b), with zeros outside the image.
#[must_use]
pub fn conv(shape: &Shape, x: &[f64], w: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; shape.output_len()];
    each_product(shape, |yi, xi, wi| y[yi] += x[xi] * w[wi]);
    y
}

/// The gradients of [`conv`] with respect to x and w, from that with respect to y.
#[must_use]
pub fn conv_gradients(shape: &Shape, x: &[f64], w: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    each_product(shape, |yi, xi, wi| {
        dx[xi] += dy[yi] * w[wi];
        dw[wi] += dy[yi] * x[xi];
    });
    (dx, dw)
}

/// Calls `f` with the indices into y, x and w of each product of a convolution.
fn each_product(shape: &Shape, mut f: impl FnMut(usize, usize, usize)) {
    let Shape { inputs, outputs, height, width, kernel, stride, padding } = *shape;
    let (rows, columns) = (shape.out_height(), shape.out_width());
    for (o, r, c) in triples(outputs, rows, columns) {
        for (i, a, b) in triples(inputs, kernel, kernel) {
            let (y, x) = (r * stride + a, c * stride + b);
            if (padding..padding + height).contains(&y) && (padding..padding + width).contains(&x) {
                f(
                    (o * rows + r) * columns + c,
                    (i * height + y - padding) * width + x - padding,
                    ((o * inputs + i) * kernel + a) * kernel + b,
                );
            }
        }
    }
}

fn triples(n: usize, m: usize, l: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..n).flat_map(move |i| (0..m).flat_map(move |j| (0..l).map(move |k| (i, j, k))))
}
