//! The noise is standard normal, and no two numbers of it know of each other.
//!
//! Every test is of fixed keys, so it passes or fails for good. A bound of five standard errors is
//! passed by chance in all but one of two million cases.

use esgd_core::rng::{Key, Purpose};
use esgd_ops::noise::{normals, uniforms};

const N: usize = 4_000_000;
const KEY: Key = Key::new(2018, Purpose::Mutation).generation(3).individual(5);

fn drawn(key: Key, numbers: fn(Key, u64, &mut [f32])) -> Vec<f64> {
    let mut out = vec![0.0; N];
    numbers(key, 0, &mut out);
    out.into_iter().map(f64::from).collect()
}

/// The mean of `terms` differs from `expected` by less than five standard errors, where one term
/// has the given variance.
fn assert_mean(what: &str, terms: impl Iterator<Item = f64>, expected: f64, variance: f64) {
    let (count, sum) = terms.fold((0.0, 0.0), |(count, sum), term| (count + 1.0, sum + term));
    let errors = (sum / count - expected).abs() / (variance / count).sqrt();
    assert!(errors < 5.0, "{what}: {errors} standard errors from {expected}");
}

/// The probability that a standard normal number exceeds `x`.
fn upper_tail(x: f64) -> f64 {
    libm::erfc(x / std::f64::consts::SQRT_2) / 2.0
}

/// Kolmogorov and Smirnov's √n · D against the distribution function `cdf`.
fn kolmogorov_smirnov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_unstable_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().map(|(i, &x)| {
        let (below, above) = (i as f64 / n, (i + 1) as f64 / n);
        (cdf(x) - below).max(above - cdf(x))
    });
    distance.fold(0.0, f64::max) * n.sqrt()
}

/// √n · D exceeds 1.95 with probability 2 exp(−2 · 1.95²) = 0.001.
const KS_LIMIT: f64 = 1.95;

#[test]
fn the_moments_are_the_normal_distributions() {
    let x = drawn(KEY, normals);
    // The variance of x^k is E x^2k − (E x^k)².
    assert_mean("mean", x.iter().copied(), 0.0, 1.0);
    assert_mean("second moment", x.iter().map(|x| x.powi(2)), 1.0, 2.0);
    assert_mean("third moment", x.iter().map(|x| x.powi(3)), 0.0, 15.0);
    assert_mean("fourth moment", x.iter().map(|x| x.powi(4)), 3.0, 96.0);
}

#[test]
fn the_distribution_is_normal() {
    let x = drawn(KEY, normals);
    // All, and each of a block's four numbers alone.
    let all = kolmogorov_smirnov(x.clone(), |x| upper_tail(-x));
    assert!(all < KS_LIMIT, "{all}");
    for k in 0..4 {
        let one =
            kolmogorov_smirnov(x.iter().skip(k).step_by(4).copied().collect(), |x| upper_tail(-x));
        assert!(one < KS_LIMIT, "number {k} of a block: {one}");
    }
    // The tests must be able to fail: a scale that is off by one in a hundred shows.
    let off = kolmogorov_smirnov(x.iter().map(|x| x * 1.01).collect(), |x| upper_tail(-x));
    assert!(off > KS_LIMIT, "{off}");
}

#[test]
fn radius_and_angle_of_a_pair_are_independent() {
    let x = drawn(KEY, normals);
    let pairs = || x.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let turn = |(x, y): (f64, f64)| (y.atan2(x) / std::f64::consts::TAU).rem_euclid(1.0);
    let angle = kolmogorov_smirnov(pairs().map(turn).collect(), |u| u);
    assert!(angle < KS_LIMIT, "{angle}");
    // r² / 2 is exponential, so exp(−r²/2) is uniform.
    let radius = |(x, y): (f64, f64)| (-(x * x + y * y) / 2.0).exp();
    let radii = kolmogorov_smirnov(pairs().map(radius).collect(), |u| u);
    assert!(radii < KS_LIMIT, "{radii}");
    let product = pairs().map(|pair| (turn(pair) - 0.5) * (radius(pair) - 0.5));
    assert_mean("radius and angle", product, 0.0, 1.0 / 144.0);
}

#[test]
fn the_tails_reach_five_sigma_as_they_should() {
    const COUNT: usize = 200_000_000;
    let limits = [2.0, 3.0, 4.0, 4.5, 5.0];
    let (mut above, mut below) = ([0u64; 5], [0u64; 5]);
    let mut piece = vec![0f32; 1 << 16];
    for start in (0..COUNT as u64).step_by(piece.len()) {
        normals(KEY, start, &mut piece);
        for x in &piece {
            for (i, limit) in limits.iter().enumerate() {
                above[i] += u64::from(*x > *limit);
                below[i] += u64::from(*x < -*limit);
            }
        }
    }
    let drawn = COUNT.next_multiple_of(piece.len()) as f64;
    for (i, limit) in limits.into_iter().enumerate() {
        let p = upper_tail(f64::from(limit));
        let expected = drawn * p;
        for (side, count) in [("above", above[i]), ("below", below[i])] {
            let errors = (count as f64 - expected).abs() / (expected * (1.0 - p)).sqrt();
            assert!(errors < 5.0, "{count} {side} {limit}, expected {expected}");
        }
    }
}

#[test]
fn neighbours_are_uncorrelated() {
    let x = drawn(KEY, normals);
    for lag in (1..=16).chain([31, 32, 63, 64, 127, 128, 129]) {
        // The squares too: a pair of Box and Muller shares its radius.
        let pairs = || x.iter().zip(&x[lag..]);
        assert_mean(&format!("lag {lag}"), pairs().map(|(a, b)| a * b), 0.0, 1.0);
        let squares = pairs().map(|(a, b)| (a * a - 1.0) * (b * b - 1.0));
        assert_mean(&format!("squares, lag {lag}"), squares, 0.0, 4.0);
    }
}

#[test]
fn offspring_steps_generations_seeds_and_derived_keys_are_uncorrelated() {
    let x = drawn(KEY, normals);
    let others = [
        KEY.individual(6),
        KEY.individual(4),
        KEY.individual(1 << 20 | 5),
        KEY.generation(4),
        KEY.generation(2),
        KEY.step(1),
        KEY.derive(0),
        KEY.derive(1),
        Key::new(2019, Purpose::Mutation).generation(3).individual(5),
        Key::new(2018 | 1 << 32, Purpose::Mutation).generation(3).individual(5),
        Key::new(2018, Purpose::Init).generation(3).individual(5),
    ];
    for other in others {
        let y = drawn(other, normals);
        for lag in 0..4 {
            let pairs = || x.iter().zip(&y[lag..]);
            assert_mean(&format!("{other:?} {lag}"), pairs().map(|(a, b)| a * b), 0.0, 1.0);
            let squares = pairs().map(|(a, b)| (a * a - 1.0) * (b * b - 1.0));
            assert_mean(&format!("squares, {other:?} {lag}"), squares, 0.0, 4.0);
        }
    }
}

#[test]
fn uniforms_are_uniform() {
    let u = drawn(KEY, uniforms);
    assert!(u.iter().all(|u| (0.0..1.0).contains(u)));
    assert_mean("mean", u.iter().copied(), 0.5, 1.0 / 12.0);
    assert_mean("second moment", u.iter().map(|u| u * u), 1.0 / 3.0, 4.0 / 45.0);
    for lag in 1..=8 {
        let lagged = u.iter().zip(&u[lag..]).map(|(a, b)| (a - 0.5) * (b - 0.5));
        assert_mean(&format!("lag {lag}"), lagged, 0.0, 1.0 / 144.0);
    }
    let distance = kolmogorov_smirnov(u, |u| u);
    assert!(distance < KS_LIMIT, "{distance}");
}
