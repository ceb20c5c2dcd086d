//! Batch normalisation (Ioffe and Szegedy, arXiv:1502.03167), with what usually follows it: the sum
//! with a shortcut, and max(0, ·).
//!
//! Forwards: [`Moments`] of each channel are gathered image by image, while an image is in the cache;
//! then z = max(0, scale y + shift + shortcut) with scale = γ / √(var + ε). Backwards: the sums that
//! all gradients depend on, then dy = a g + b y + c in each channel, image by image.

use super::sums;
use crate::isa::{Isa, vectorized};

/// The mean and variance of the values seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: f64,
    mean: f64,
    /// Σ (x − mean)²
    squares: f64,
}

impl Moments {
    /// Adds values of one channel (Chan, Golub and LeVeque's update, *The American Statistician*
    /// 37, 1983, eq. 2.1).
    pub fn add(&mut self, values: &[f32]) {
        if values.is_empty() {
            return;
        }
        let (mean, squares) = moments(Isa::best(), values);
        let n = values.len() as f64;
        let (delta, total) = (f64::from(mean) - self.mean, self.count + n);
        self.mean += delta * n / total;
        self.squares += f64::from(squares) + delta * delta * self.count * n / total;
        self.count = total;
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The mean squared distance from the mean: what a batch is normalised by.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.squares / self.count
    }

    /// The same over n − 1: what a running variance is updated with. 0 of a single value.
    #[must_use]
    pub fn unbiased_variance(&self) -> f64 {
        self.squares / (self.count - 1.0).max(1.0)
    }
}

vectorized! {
    /// The mean, and the sum of squared distances from it.
    fn moments(values: &[f32]) -> (f32, f32) {
        let mean = sums::of(values, |x| x) / values.len() as f32;
        (mean, sums::of(values, |x| (x - mean) * (x - mean)))
    }
}

/// What a channel is multiplied by, and what is added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// γ / √(variance + ε)
    pub scale: f32,
    /// β − mean · scale
    pub shift: f32,
}

impl Affine {
    /// That of a channel with this mean and variance.
    #[must_use]
    pub fn new(gamma: f32, beta: f32, mean: f64, variance: f64, epsilon: f64) -> Self {
        let scale = f64::from(gamma) / (variance + epsilon).sqrt();
        Self { scale: scale as f32, shift: (f64::from(beta) - mean * scale) as f32 }
    }
}

/// z = scale y + shift, plus the shortcut if there is one, and max(0, ·) if `relu`: one channel of an
/// image.
///
/// # Panics
/// If lengths differ.
pub fn normalise(y: &[f32], affine: Affine, shortcut: Option<&[f32]>, relu: bool, z: &mut [f32]) {
    assert_eq!(y.len(), z.len());
    // Nothing is below this, so one loop serves both.
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    match shortcut {
        None => scale_and_shift(Isa::best(), y, affine, least, z),
        Some(shortcut) => {
            assert_eq!(y.len(), shortcut.len());
            scale_shift_and_add(Isa::best(), y, affine, shortcut, least, z);
        }
    }
}

/// As [`normalise`] of z itself, in place.
///
/// # Panics
/// If lengths differ.
pub fn normalise_in_place(z: &mut [f32], affine: Affine, shortcut: Option<&[f32]>, relu: bool) {
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    if let Some(shortcut) = shortcut {
        assert_eq!(z.len(), shortcut.len());
    }
    in_place(Isa::best(), z, affine, shortcut.unwrap_or(&[]), least);
}

vectorized! {
    fn scale_and_shift(y: &[f32], affine: Affine, least: f32, z: &mut [f32]) {
        for (z, y) in z.iter_mut().zip(y) {
            *z = at_least(affine.scale * y + affine.shift, least);
        }
    }
}

vectorized! {
    fn scale_shift_and_add(
        y: &[f32],
        affine: Affine,
        shortcut: &[f32],
        least: f32,
        z: &mut [f32],
    ) {
        for ((z, y), s) in z.iter_mut().zip(y).zip(shortcut) {
            *z = at_least(affine.scale * y + affine.shift + s, least);
        }
    }
}

vectorized! {
    fn in_place(z: &mut [f32], affine: Affine, shortcut: &[f32], least: f32) {
        if shortcut.is_empty() {
            for z in z {
                *z = at_least(affine.scale * *z + affine.shift, least);
            }
        } else {
            for (z, s) in z.iter_mut().zip(shortcut) {
                *z = at_least(affine.scale * *z + affine.shift + s, least);
            }
        }
    }
}

/// The greater of two, or x if it is not a number: a network that diverged must not look sound.
#[inline(always)]
fn at_least(x: f32, least: f32) -> f32 {
    if x < least { least } else { x }
}

/// The sums over a channel that its gradients depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GradientSums {
    count: f64,
    /// Σ g: the gradient of β.
    g: f64,
    /// Σ g (y − mean)
    g_y: f64,
}

impl GradientSums {
    /// Adds one channel of an image: its gradient g, and y before it was normalised.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn add(&mut self, g: &[f32], y: &[f32], mean: f64) {
        assert_eq!(g.len(), y.len());
        let (g_sum, g_y) = products(Isa::best(), g, y, mean as f32);
        self.count += g.len() as f64;
        self.g += f64::from(g_sum);
        self.g_y += f64::from(g_y);
    }

    /// The gradients of γ and β.
    #[must_use]
    pub fn of_parameters(&self, variance: f64, epsilon: f64) -> (f32, f32) {
        ((self.g_y / (variance + epsilon).sqrt()) as f32, self.g as f32)
    }

    /// (a, b, c) of dy = a g + b y + c.
    #[must_use]
    pub fn of_input(&self, gamma: f32, mean: f64, variance: f64, epsilon: f64) -> [f32; 3] {
        let a = f64::from(gamma) / (variance + epsilon).sqrt();
        let b = -a * self.g_y / (self.count * (variance + epsilon));
        let c = -a * self.g / self.count - b * mean;
        [a as f32, b as f32, c as f32]
    }
}

vectorized! {
    fn products(g: &[f32], y: &[f32], mean: f32) -> (f32, f32) {
        (sums::of(g, |g| g), sums::of_pairs(g, y, |g, y| g * (y - mean)))
    }
}

/// dy = a g + b y + c: one channel of an image.
///
/// # Panics
/// If lengths differ.
pub fn input_gradient(g: &[f32], y: &[f32], coefficients: [f32; 3], dy: &mut [f32]) {
    assert!(g.len() == y.len() && g.len() == dy.len());
    combine(Isa::best(), g, y, coefficients, dy);
}

vectorized! {
    fn combine(g: &[f32], y: &[f32], coefficients: [f32; 3], dy: &mut [f32]) {
        let [a, b, c] = coefficients;
        for ((dy, g), y) in dy.iter_mut().zip(g).zip(y) {
            *dy = a * g + (b * y + c);
        }
    }
}
