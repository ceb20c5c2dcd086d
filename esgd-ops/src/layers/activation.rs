//! What follows a layer: max(0, x), the logistic function, the hyperbolic tangent.
//!
//! Gradients are computed from the output alone, so that the input need not be kept. The exponential
//! is our own, so that it is made of vector instructions.

use crate::isa::{Isa, vectorized};

/// What follows a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// x itself.
    Identity,
    /// max(0, x)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// tanh x
    Tanh,
}

impl Activation {
    /// Applies it in place.
    ///
    /// ```
    /// use esgd_ops::layers::activation::Activation;
    ///
    /// let mut x = [-1.0, 0.0, 2.0];
    /// Activation::Relu.apply(&mut x);
    /// assert_eq!(x, [0.0, 0.0, 2.0]);
    /// ```
    pub fn apply(self, x: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => relu(Isa::best(), x),
            Self::Sigmoid => sigmoid(Isa::best(), x),
            Self::Tanh => tanh(Isa::best(), x),
        }
    }

    /// Turns the gradient of the output y into that of the input, in place.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn gradient(self, y: &[f32], g: &mut [f32]) {
        assert_eq!(y.len(), g.len());
        match self {
            Self::Identity => {}
            Self::Relu => relu_gradient(Isa::best(), y, g),
            Self::Sigmoid => sigmoid_gradient(Isa::best(), y, g),
            Self::Tanh => tanh_gradient(Isa::best(), y, g),
        }
    }
}

vectorized! {
    fn relu(x: &mut [f32]) {
        for x in x {
            // Not a number stays so: a network that diverged must not look sound.
            *x = if *x < 0.0 { 0.0 } else { *x };
        }
    }
}

vectorized! {
    fn sigmoid(x: &mut [f32]) {
        for x in x {
            *x = 1.0 / (1.0 + exp(-*x));
        }
    }
}

vectorized! {
    fn tanh(x: &mut [f32]) {
        for x in x {
            // tanh |x| = (1 − e) / (1 + e) with e = exp(−2|x|), which cannot overflow; near 0, where
            // the difference would cancel, x − x³/3 + 2x⁵/15 − 17x⁷/315 + 62x⁹/2835.
            let e = exp(-2.0 * x.abs());
            let far = ((1.0 - e) / (1.0 + e)).copysign(*x);
            let s = *x * *x;
            let near = *x + *x * s * (-0.333_333_34 + s * (0.133_333_34 + s * (-0.053_968_254 + s * 0.021_869_488)));
            *x = if x.abs() < 0.3 { near } else { far };
        }
    }
}

vectorized! {
    fn relu_gradient(y: &[f32], g: &mut [f32]) {
        for (g, y) in g.iter_mut().zip(y) {
            *g = if *y > 0.0 { *g } else { 0.0 };
        }
    }
}

vectorized! {
    fn sigmoid_gradient(y: &[f32], g: &mut [f32]) {
        for (g, y) in g.iter_mut().zip(y) {
            *g *= y * (1.0 - y);
        }
    }
}

vectorized! {
    fn tanh_gradient(y: &[f32], g: &mut [f32]) {
        for (g, y) in g.iter_mut().zip(y) {
            *g *= 1.0 - y * y;
        }
    }
}

/// eˣ: 0 below −87.3, infinite above 88.7, at most 2 ulp from the truth between.
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2, and eʳ by its Taylor polynomial of degree 7; 2ⁿ is put into the
/// exponent's bits.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts; n times the first, of 9 bits, is exact.
    const LN2: f32 = 0.693_359_4;
    const LN2_REST: f32 = -2.121_944_4e-4;
    /// 1.5 · 2²³: adding it rounds to an integer, which is then in the lower bits.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.4, 88.8);
    let shifted = clamped * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2) - n * LN2_REST;
    let series = 1.0 / 5040.0;
    let series = series * r + 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let e_r = 1.0 + (r + r * r * series);
    // 2ⁿ in two factors, since n may be 128.
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    let y = e_r * power(half) * power(n.wrapping_sub(half));
    let y = if x > 88.722_84 { f32::INFINITY } else { y };
    if x < -87.336_54 { 0.0 } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate() {
        let mut worst: f64 = 0.0;
        for i in 0..2_000_000 {
            let x = -87.3 + 176.0 * (i as f32 / 2_000_000.0);
            let truth = f64::from(x).exp();
            let ulp = truth * f64::from(f32::EPSILON) / 2.0;
            worst = worst.max((f64::from(exp(x)) - truth).abs() / ulp);
        }
        assert!(worst < 4.0, "{worst} half ulps");
        assert_eq!((exp(0.0), exp(-100.0), exp(100.0)), (1.0, 0.0, f32::INFINITY));
        assert!(exp(f32::NAN).is_nan());
        assert_eq!((exp(f32::INFINITY), exp(f32::NEG_INFINITY)), (f32::INFINITY, 0.0));
    }

    #[test]
    fn outputs_and_gradients_are_those_of_the_functions() {
        let x: Vec<f32> = (-300..=300).map(|i| i as f32 / 30.0 + 0.001).collect();
        type Function = fn(f64) -> f64;
        let functions: [(Activation, Function); 4] = [
            (Activation::Identity, |x| x),
            (Activation::Relu, |x| x.max(0.0)),
            (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (Activation::Tanh, f64::tanh),
        ];
        for (activation, f) in functions {
            let mut y = x.clone();
            activation.apply(&mut y);
            let mut g = vec![1.0; x.len()];
            activation.gradient(&y, &mut g);
            for ((x, y), g) in x.iter().zip(&y).zip(&g) {
                let x = f64::from(*x);
                assert!(
                    (f64::from(*y) - f(x)).abs() <= 3e-7 * f(x).abs(),
                    "{activation:?} {x}: {y}"
                );
                let slope = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
                assert!((f64::from(*g) - slope).abs() < 1e-6, "{activation:?} {x}: {g} {slope}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for a in [Activation::Relu, Activation::Sigmoid, Activation::Tanh] {
            let mut x = [f32::NAN; 40];
            a.apply(&mut x);
            assert!(x.iter().all(|x| x.is_nan()), "{a:?}");
        }
    }
}
