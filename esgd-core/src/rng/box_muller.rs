//! The transform of Box and Muller, *A Note on the Generation of Random Normal Deviates* (Annals of
//! Mathematical Statistics 29, 1958), with a logarithm and a sine of its own.
//!
//! Every operation is one that IEEE 754 rounds exactly (+, ×, fused multiply-add, √, conversions)
//! or one on integers, so a processor's vector units and a GPU give the same bits. Arguments are
//! reduced on integers, before anything is rounded. `box_muller.cuh` of esgd-ops is this file in CUDA; a
//! change here is one there. The coefficients come from `esgd-core/tests/golden/polynomials.py`.
//!
//! Against `f64`, over all inputs: `minus_two_ln` is off by at most 2.72 ulp and `sin_cos` by at
//! most 2.38 (`every_input_is_accurate`, an ignored test, tries them all).

use std::f32::consts::{FRAC_PI_4, LN_2};

/// −2 P in ln(1 + f) = f − f²/2 + f³ P(f), for 1 + f in [√½, √2).
const MINUS_TWO_LN: [f32; 8] = [
    -2.0 * 0.333_333_3,
    -2.0 * -0.250_008_23,
    -2.0 * 0.200_012_61,
    -2.0 * -0.166_233_35,
    -2.0 * 0.142_009_88,
    -2.0 * -0.131_490_32,
    -2.0 * 0.127_112_18,
    -2.0 * -0.075_701_57,
];

/// S in sin(πy/4) = y S(y²).
const SIN: [f32; 4] = [FRAC_PI_4, -0.080_745_83, 0.002_491_016_4, -3.660_915e-5];

/// C in cos(πy/4) = 1 + y² C(y²).
const COS: [f32; 3] = [-0.308_424_4, 0.015_850_15, -0.000_318_977_02];

const TWO_POW_MINUS_31: f32 = 1.0 / (1u32 << 31) as f32;

/// The bits of √½, rounded down.
const SQRT_HALF: i32 = 0x3F35_04F3;

/// The exponent of 2³¹ in the bits of an `f32`.
const EXPONENT_31: i32 = 31 << 23;

/// The least a for which (a + ½) / 2³¹, rounded to `f32`, is at least √½.
const FIRST_NEAR_ONE: u32 = 1_518_500_161;

/// Two independent standard normal numbers of two random words, at most 6.67 in magnitude.
///
/// u = (⌊w₀/2⌋ + ½) / 2³¹ gives the radius r = √(−2 ln u). Of w₁ the highest bit is a sign, the
/// next says whether to swap, and the other 30 are an angle πy/4 with y in [−1, 1): the numbers
/// are r (±cos, sin), or the two in the other order. The four cases are the four quarters of the
/// circle.
///
/// ```
/// let (a, b) = esgd_core::rng::box_muller(1 << 31, 0);
/// assert!((a * a + b * b - 2.0 * 2f32.ln()).abs() < 1e-5);
/// ```
#[must_use]
#[inline(always)]
pub fn box_muller(w0: u32, w1: u32) -> (f32, f32) {
    let r = minus_two_ln(w0 >> 1).sqrt();
    let (sin, cos) = sin_cos(w1 << 2);
    let cos = f32::from_bits(cos.to_bits() ^ (w1 & 0x8000_0000));
    let (x, y) = if w1 & 0x4000_0000 == 0 { (cos, sin) } else { (sin, cos) };
    (r * x, r * y)
}

/// −2 ln u with u = (a + ½) / 2³¹, for `a` below 2³¹.
#[inline(always)]
fn minus_two_ln(a: u32) -> f32 {
    // Rounded to f32, a near 2³¹ loses the bits that tell u from 1; what is missing to 2³¹ does not.
    let near_one = a >= FIRST_NEAR_ONE;
    let a = if near_one { a ^ 0x7FFF_FFFF } else { a };
    let x = a as i32 as f32 + 0.5;
    // u = m 2ᵉ with m in [√½, √2) and e ≤ 0, which stays where an f32 has it, times 2²³. Near one e
    // is 0 and f = u − 1 is −x / 2³¹.
    let bits = x.to_bits() as i32 - EXPONENT_31;
    let exponent = if near_one { 0 } else { (bits - SQRT_HALF) & !0x007F_FFFF };
    let m = f32::from_bits((bits - exponent) as u32);
    let f = if near_one { x * -TWO_POW_MINUS_31 } else { m - 1.0 };
    let z = f * f;
    // −2 f + f² + f³ (−2 P): a factor of two rounds nothing.
    let minus_two_ln_m = (f * z).mul_add(polynomial(&MINUS_TWO_LN, f), f.mul_add(-2.0, z));
    (exponent as f32).mul_add(-2.0 * LN_2 / (1 << 23) as f32, minus_two_ln_m)
}

/// (sin πy/4, cos πy/4) where y is `turn` as a signed fraction: −1 for 0x8000_0000, 0 for 0.
#[inline(always)]
fn sin_cos(turn: u32) -> (f32, f32) {
    let y = turn as i32 as f32 * TWO_POW_MINUS_31;
    let z = y * y;
    (y * polynomial(&SIN, z), polynomial(&COS, z).mul_add(z, 1.0))
}

/// c₀ + c₁ x + c₂ x² + …, by Horner's scheme.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f32; N], x: f32) -> f32 {
    let mut sum = c[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum.mul_add(x, c[k]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    const LN_ULP: f64 = 2.72;
    const SIN_COS_ULP: f64 = 2.38;

    /// How far `x` is from `exact`, in units of the last place of an `f32` there.
    fn ulp(x: f32, exact: f64) -> f64 {
        let exponent = ((exact as f32).to_bits() >> 23 & 0xFF) as i32;
        (f64::from(x) - exact).abs() / 2f64.powi(exponent - 127 - 23)
    }

    fn error_of_ln(a: u32) -> f64 {
        let u = (f64::from(a) + 0.5) / f64::from(1u32 << 31);
        // Near one u is exact and so is 1 − u; the logarithm of it is not accurate, `ln_1p` is.
        let exact = if u > 0.5 { -2.0 * (u - 1.0).ln_1p() } else { -2.0 * u.ln() };
        ulp(minus_two_ln(a), exact)
    }

    fn error_of_sin_cos(turn: u32) -> f64 {
        let y = f64::from(turn as i32) / f64::from(1u32 << 31);
        let (sin, cos) = (std::f64::consts::FRAC_PI_4 * y).sin_cos();
        let (s, c) = sin_cos(turn);
        if turn == 0 {
            assert_eq!((s, c), (0.0, 1.0));
            return 0.0;
        }
        ulp(s, sin).max(ulp(c, cos))
    }

    fn worst(inputs: impl ParallelIterator<Item = u32>, error: fn(u32) -> f64) -> f64 {
        inputs.map(error).reduce(|| 0.0, f64::max)
    }

    #[test]
    fn a_sample_of_the_inputs_is_accurate() {
        let ends = |n: u32| (0..n / 2000).map(move |k| k * 2000).chain(n - 5000..n);
        let (ln, turns) = (ends(1 << 31), ends(1 << 30));
        let ln = worst(ln.collect::<Vec<_>>().into_par_iter(), error_of_ln);
        let turns =
            worst(turns.map(|t| t << 2).collect::<Vec<_>>().into_par_iter(), error_of_sin_cos);
        assert!(ln <= LN_ULP && turns <= SIN_COS_ULP, "{ln} {turns}");
    }

    #[test]
    #[ignore = "tries all 2^31 and 2^30 inputs: two minutes"]
    fn every_input_is_accurate() {
        let ln = worst((0..1u32 << 31).into_par_iter(), error_of_ln);
        let turns = worst((0..1u32 << 30).into_par_iter().map(|t| t << 2), error_of_sin_cos);
        println!("minus_two_ln {ln:.3} ulp, sin_cos {turns:.3} ulp");
        assert!(ln <= LN_ULP && turns <= SIN_COS_ULP, "{ln} {turns}");
    }

    #[test]
    fn the_four_quarters_make_the_circle() {
        // The angle of the pair over all of w₁'s upper bits, w₀ fixed: each arc has its share.
        let mut arcs = [0u32; 64];
        for w1 in (0..1u32 << 16).map(|k| k << 16 | 0x8000) {
            let (x, y) = box_muller(1 << 30, w1);
            let turn = (f64::from(y).atan2(f64::from(x)) / std::f64::consts::TAU).rem_euclid(1.0);
            arcs[(turn * 64.0) as usize] += 1;
        }
        assert!(arcs.iter().all(|&n| n.abs_diff(1024) <= 2), "{arcs:?}");
    }

    #[test]
    fn the_extreme_words_make_finite_numbers() {
        for w0 in [0, 1, 2, u32::MAX - 1, u32::MAX] {
            for w1 in [0, 1 << 30, 1 << 31, 3 << 30, u32::MAX] {
                let (a, b) = box_muller(w0, w1);
                assert!(a.abs() < 6.67 && b.abs() < 6.67, "{w0} {w1}: {a} {b}");
                assert!(a != 0.0 || b != 0.0);
            }
        }
    }
}
