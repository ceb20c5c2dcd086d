//! Sums in vectors: 32 partial sums, then one after the other.

const LANES: usize = 32;

/// Σ f(a, b).
#[inline(always)]
pub(super) fn of_pairs(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut partial = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            partial[l] += f(a[l], b[l]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| f(*a, *b)).sum();
    partial.iter().sum::<f32>() + rest
}

/// Σ f(a).
#[inline(always)]
pub(super) fn of(a: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    of_pairs(a, a, |a, _| f(a))
}
