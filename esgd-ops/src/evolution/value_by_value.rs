//! Operations without chance, each value of the result made of the values at its place: products, the step sizes
//! of natural evolution strategies, Adam's step. The loops run the definitions themselves.

use esgd_core::plan::definition;

use crate::{
    isa::{Isa, vectorized},
    tensors::{TensorsMut, assert_shape, for_each_tile, shape},
};

/// Writes a b to `out`.
///
/// # Panics
/// If networks differ in shape.
///
/// ```
/// let mut out = [0.0; 2];
/// esgd_ops::evolution::product(&[&[2.0, 3.0]], &[&[5.0, -1.0]], &mut vec![&mut out[..]]);
/// assert_eq!(out, [10.0, -3.0]);
/// ```
pub fn product(a: &[&[f32]], b: &[&[f32]], out: &mut TensorsMut<'_>) {
    each_tile([a, b], out, |[a, b], out| product_by(Isa::best(), a, b, out));
}

/// Writes a exp(η b) to `out`: SNES's step sizes (Wierstra et al., *Natural Evolution Strategies*, JMLR 15, 2014,
/// algorithm 6).
///
/// # Panics
/// If networks differ in shape.
///
/// ```
/// let mut out = [0.0; 2];
/// esgd_ops::evolution::exponential(&[&[2.0, 3.0]], &[&[0.0, 1.0]], 2f32.ln(), &mut vec![&mut out[..]]);
/// assert!(out[0] == 2.0 && (out[1] - 6.0).abs() < 1e-6);
/// ```
pub fn exponential(a: &[&[f32]], b: &[&[f32]], rate: f32, out: &mut TensorsMut<'_>) {
    each_tile([a, b], out, |[a, b], out| exponential_by(Isa::best(), a, b, rate, out));
}

/// Writes θ + α m / (√v + δ) to `out`, of `networks` θ, m and v: Adam's step (Kingma and Ba, ICLR 2015, algorithm
/// 1) with its corrections in α, the `rate`, and δ, `epsilon`.
///
/// # Panics
/// If networks differ in shape.
///
/// ```
/// let mut out = [0.0];
/// let networks: [&[&[f32]]; 3] = [&[&[1.0]], &[&[3.0]], &[&[4.0]]];
/// esgd_ops::evolution::adaptive_step(networks, -0.5, 1.0, &mut vec![&mut out[..]]);
/// assert_eq!(out, [0.5]);
/// ```
pub fn adaptive_step(networks: [&[&[f32]]; 3], rate: f32, epsilon: f32, out: &mut TensorsMut<'_>) {
    each_tile(networks, out, |from, out| {
        adaptive_step_by(Isa::best(), from, rate, epsilon, out);
    });
}

fn each_tile<const N: usize>(
    networks: [&[&[f32]]; N],
    out: &mut TensorsMut<'_>,
    work: impl Fn([&[f32]; N], &mut [f32]) + Send + Sync,
) {
    let lengths = shape(out);
    networks.iter().for_each(|network| assert_shape("a network", network, &lengths));
    for_each_tile(std::slice::from_mut(out), 1, |mut tile| {
        let from = networks.map(|network| tile.of(network));
        tile.out.iter_mut().for_each(|out| work(from, out));
    });
}

vectorized! {
    fn product_by(a: &[f32], b: &[f32], out: &mut [f32]) {
        for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = definition::product(*a, *b);
        }
    }
}

vectorized! {
    fn exponential_by(a: &[f32], b: &[f32], rate: f32, out: &mut [f32]) {
        for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = definition::exponential(*a, *b, rate);
        }
    }
}

vectorized! {
    fn adaptive_step_by(from: [&[f32]; 3], rate: f32, epsilon: f32, out: &mut [f32]) {
        let [theta, m, v] = from;
        for (out, (theta, (m, v))) in out.iter_mut().zip(theta.iter().zip(m.iter().zip(v))) {
            *out = definition::adaptive_step(*theta, *m, *v, rate, epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of every size, and what is no number.
    fn values() -> Vec<f32> {
        let bits = (0..60_000u32).map(|i| f32::from_bits(i.wrapping_mul(71_569)));
        bits.chain([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 88.0, -104.0]).collect()
    }

    /// That two numbers have the same bits, or are none both.
    fn same(x: f32, y: f32) -> bool {
        x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan()
    }

    #[test]
    fn every_path_is_the_definition() {
        let a = values();
        let b: Vec<f32> = a.iter().map(|x| (x.to_bits() as i32 >> 8) as f32 / 1e4).collect();
        let c: Vec<f32> = a.iter().rev().copied().collect();
        let mut out = vec![0.0; a.len()];
        for isa in Isa::available() {
            product_by(isa, &a, &b, &mut out);
            for (i, x) in out.iter().enumerate() {
                assert!(same(*x, definition::product(a[i], b[i])), "product {i} {isa}");
            }
            exponential_by(isa, &a, &b, 0.1, &mut out);
            for (i, x) in out.iter().enumerate() {
                let expected = definition::exponential(a[i], b[i], 0.1);
                assert!(same(*x, expected), "exponential {i} {isa}: {x}, expected {expected}");
            }
            adaptive_step_by(isa, [&b, &a, &c], -0.3, 0.01, &mut out);
            for (i, x) in out.iter().enumerate() {
                let expected = definition::adaptive_step(b[i], a[i], c[i], -0.3, 0.01);
                assert!(same(*x, expected), "adaptive step {i} {isa}: {x}, expected {expected}");
            }
        }
    }
}
