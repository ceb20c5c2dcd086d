//! Σⱼ wⱼ εⱼ and Σⱼ wⱼ εⱼ² from keys alone: the sums in the gradient estimates of OpenAI-ES (Salimans et al.,
//! arXiv:1703.03864, algorithm 1), of PEPG (Sehnke et al., *Parameter-exploring Policy
//! Gradients*, Neural Networks 23, 2010), of sep-CMA-ES and of SNES. Noise is made anew, never stored.

use esgd_core::NoiseTerm;

use crate::{
    group::{self, NUMBERS},
    isa::{Isa, vectorized},
    tensors::{TensorsMut, for_each_tile},
};

/// Writes Σⱼ wⱼ εⱼ to `out`, where εⱼ is the noise of term j's key over the whole network; 0 for no terms.
///
/// # Panics
/// If the network has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::{NoiseTerm, rng::{Key, Purpose}};
/// use esgd_ops::{evolution::weighted_noise, noise::normals};
///
/// let key = Key::new(7, Purpose::Mutation);
/// let (mut sum, mut noise) = ([0.0; 3], [0.0; 3]);
/// let terms = [1.5, -0.5].map(|weight| NoiseTerm { key, weight });
/// weighted_noise(&terms, &mut vec![&mut sum[..]]);
/// normals(key, 0, &mut noise);
/// assert!((sum[2] - noise[2]).abs() < 1e-6);
/// ```
pub fn weighted_noise(terms: &[NoiseTerm], out: &mut TensorsMut<'_>) {
    sums_by(Isa::best(), terms, false, out);
}

/// Writes Σⱼ wⱼ εⱼ² to `out`, as [`weighted_noise`] writes the sum of the noise itself.
///
/// # Panics
/// If the network has more than 2³⁴ parameters.
pub fn squared_noise(terms: &[NoiseTerm], out: &mut TensorsMut<'_>) {
    sums_by(Isa::best(), terms, true, out);
}

fn sums_by(isa: Isa, terms: &[NoiseTerm], squared: bool, out: &mut TensorsMut<'_>) {
    for_each_tile(std::slice::from_mut(out), 1, |tile| {
        for out in tile.out {
            match squared {
                false => sum_by(isa, terms, tile.offset, out),
                true => squared_sum_by(isa, terms, tile.offset, out),
            }
        }
    });
}

vectorized! {
    fn sum_by(terms: &[NoiseTerm], offset: u64, out: &mut [f32]) {
        sum::<false>(terms, offset, out);
    }
}

vectorized! {
    fn squared_sum_by(terms: &[NoiseTerm], offset: u64, out: &mut [f32]) {
        sum::<true>(terms, offset, out);
    }
}

#[inline(always)]
fn sum<const SQUARED: bool>(terms: &[NoiseTerm], offset: u64, out: &mut [f32]) {
    // Piece by piece, so that the sum stays in the first-level cache over all keys.
    for (k, out) in out.chunks_mut(8 * NUMBERS).enumerate() {
        let offset = offset + (k * 8 * NUMBERS) as u64;
        out.fill(0.0);
        for term in terms {
            let w = term.weight as f32;
            for piece in group::pieces(offset, out.len()) {
                let noise = group::normals(&term.key, piece.block);
                for (sum, epsilon) in out[piece.here.clone()].iter_mut().zip(piece.of(&noise)) {
                    let factor = if SQUARED { w * epsilon } else { w };
                    *sum = factor.mul_add(*epsilon, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{
        plan::definition,
        rng::{Key, Purpose},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::tensors::tests::Network;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_path_is_the_definition(
            mut out in Network::any(),
            weights in prop::collection::vec(-2f64..2.0, 0..5),
        ) {
            let key = |j| Key::new(5, Purpose::Mutation).individual(j);
            let term = |(j, &weight)| NoiseTerm { key: key(j), weight };
            let terms: Vec<_> = weights.iter().enumerate().map(term).collect();
            for (isa, squared) in Isa::available().into_iter().flat_map(|i| [(i, false), (i, true)]) {
                sums_by(isa, &terms, squared, &mut out.tensors_mut());
                for (i, x) in (0..).zip(out.values()) {
                    let expected: f32 = match squared {
                        false => definition::weighted_noise(&terms, i),
                        true => definition::squared_noise(&terms, i),
                    };
                    prop_assert_eq!(x.to_bits(), expected.to_bits(), "{} {} {}", i, isa, squared);
                }
            }
        }
    }
}
