//! The numbers that networks are made of: f32 as the kernels have it, and f64 for black-box search.

use std::ops::{Add, Div, Mul, Sub};

use crate::rng::{Key, box_muller};

/// A number of a network. Every operation of both is one that IEEE 754 rounds exactly, or is made of such, so
/// that all machines have the same bits.
pub trait Real:
    Copy
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// The nearest number to `x`.
    fn of(x: f64) -> Self;
    /// The number in f64, exact.
    fn to_f64(self) -> f64;
    /// self · `a` + `b`, rounded once.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// √self.
    #[must_use]
    fn sqrt(self) -> Self;
    /// e to the power of self.
    #[must_use]
    fn exp(self) -> Self;
    /// Normal number `i` of `key`, standard normal.
    fn normal(key: Key, i: u64) -> Self;
    /// Uniform number `i` of `key`, in `[0, 1)`.
    fn uniform(key: Key, i: u64) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32::mul_add(self, a, b)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    /// 2ᵏ e^r with |r| ≤ ln 2 / 2, and eight terms of e^r's series, whose rest is below 2⁻²⁷ of it.
    #[inline(always)]
    fn exp(self) -> Self {
        /// ln 2 in two parts, the first with few enough bits for k of it to be exact.
        const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
        /// The powers of r, the highest first: 1/7! to 1/0!.
        const SERIES: [f32; 8] =
            [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
        /// Added to a small number it leaves no bits behind the point, and the integer in the lowest ones.
        const ROUNDS: f32 = 12_582_912.0;
        // Beyond these the result is 0 or infinite anyway. `clamp` leaves what is not a number.
        let x = self.clamp(-104.0, 89.0);
        let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUNDS);
        let k = rounded - ROUNDS;
        let r = k.mul_add(-LN_2[1], k.mul_add(-LN_2[0], x));
        let mut series = SERIES[0];
        for term in &SERIES[1..] {
            series = series.mul_add(r, *term);
        }
        // In two steps, as 2ᵏ alone may have no bits.
        let k = (rounded.to_bits() as i32).wrapping_sub(ROUNDS.to_bits() as i32);
        let half = k >> 1;
        series * power_of_two(half) * power_of_two(k.wrapping_sub(half))
    }

    /// Philox gives block ⌊i/4⌋ four words. (w₀, w₁) make its numbers 0 and 1, (w₂, w₃) 2 and 3: with
    /// u = (⌊w₀/2⌋ + ½) / 2³¹ and r = √(−2 ln u), Box and Muller's numbers are r cos φ and r sin φ. φ
    /// is made of w₁: its lower 30 bits are the angle within a quarter of the circle, its upper two
    /// which quarter.
    fn normal(key: Key, i: u64) -> Self {
        let [w0, w1, w2, w3] = key.block((i / 4) as u32);
        let (a, b) = box_muller(w0, w1);
        let (c, d) = box_muller(w2, w3);
        [a, b, c, d][(i % 4) as usize]
    }

    /// The upper 24 bits of word `i`, over 2²⁴.
    fn uniform(key: Key, i: u64) -> Self {
        (word(key, i) >> 8) as f32 / (1u32 << 24) as f32
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn exp(self) -> Self {
        // The one of the system differs from machine to machine.
        libm::exp(self)
    }

    /// Block ⌊i/2⌋ gives two numbers, of a radius and an angle of two words each.
    fn normal(key: Key, i: u64) -> Self {
        let [a, b] = pair(key, i / 2);
        // In (0, 1], so that its logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - a)).sqrt();
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * b);
        radius * if i.is_multiple_of(2) { cos } else { sin }
    }

    /// 53 bits of half a block.
    fn uniform(key: Key, i: u64) -> Self {
        pair(key, i / 2)[(i % 2) as usize]
    }
}

/// 2ᵏ for k from −126 to 127.
#[inline(always)]
fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

/// Two uniform numbers in `[0, 1)` with 53 bits, of a block's four words.
fn pair(key: Key, block: u64) -> [f64; 2] {
    let [w0, w1, w2, w3] = key.block(block as u32);
    [(w0, w1), (w2, w3)].map(|(high, low)| {
        let bits = (u64::from(high) << 32) | u64::from(low);
        (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    })
}

/// Word `i` of `key`.
pub(super) fn word(key: Key, i: u64) -> u32 {
    key.block((i / 4) as u32)[(i % 4) as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn the_ends_of_exp_are_those_of_f32() {
        let exp = <f32 as Real>::exp;
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-104.0), 0.0);
        assert!(exp(-103.0) > 0.0 && exp(88.7).is_finite() && exp(f32::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn exp_is_accurate(x in -87.0f32..88.0) {
            let exact = f64::from(x).exp();
            let error = (f64::from(<f32 as Real>::exp(x)) - exact).abs() / exact;
            prop_assert!(error < 1.3e-7, "{error}");
        }
    }

    /// Mean, variance, skewness and kurtosis of 200,000 numbers, at four standard errors.
    #[test]
    fn normal_numbers_are_normal() {
        fn moments<V: Real>() -> [f64; 4] {
            let n = 200_000;
            let key = Key::new(3, Purpose::Mutation);
            let all: Vec<f64> = (0..n).map(|i| V::normal(key, i).to_f64()).collect();
            [1, 2, 3, 4].map(|p| all.iter().map(|x| x.powi(p)).sum::<f64>() / n as f64)
        }
        for found in [moments::<f32>(), moments::<f64>()] {
            let expected = [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)];
            for (x, (mean, variance)) in found.into_iter().zip(expected) {
                let error = (variance / 200_000f64).sqrt();
                assert!((x - mean).abs() < 4.0 * error, "{found:?}");
            }
        }
    }
}
