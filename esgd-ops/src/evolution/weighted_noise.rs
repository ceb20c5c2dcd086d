//! Σⱼ wⱼ εⱼ from keys alone: the sum in the gradient estimates of OpenAI-ES (Salimans et al.,
//! arXiv:1703.03864, algorithm 1) and of PEPG (Sehnke et al., *Parameter-exploring Policy
//! Gradients*, Neural Networks 23, 2010). Noise is made anew, never stored.

use esgd_core::rng::Key;

use crate::{
    group::{self, NUMBERS},
    isa::{Isa, vectorized},
    recombine::mutate,
    tensors::{TensorsMut, for_each_tile},
};

/// Writes Σⱼ `weights[j]` εⱼ to `out`, where εⱼ is the noise of `keys[j]` over the whole network; 0
/// for no keys.
///
/// # Panics
/// If there is not one weight for each key, or the network has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::{evolution::weighted_noise, noise::normals};
///
/// let key = Key::new(7, Purpose::Mutation);
/// let (mut sum, mut noise) = ([0.0; 3], [0.0; 3]);
/// weighted_noise(&[key, key], &[1.5, -0.5], &mut vec![&mut sum[..]]);
/// normals(key, 0, &mut noise);
/// assert!((sum[2] - noise[2]).abs() < 1e-6);
/// ```
pub fn weighted_noise(keys: &[Key], weights: &[f32], out: &mut TensorsMut<'_>) {
    weighted_noise_by(Isa::best(), keys, weights, out);
}

fn weighted_noise_by(isa: Isa, keys: &[Key], weights: &[f32], out: &mut TensorsMut<'_>) {
    assert_eq!(keys.len(), weights.len(), "there is not one weight for each key");
    for_each_tile(std::slice::from_mut(out), 1, |tile| {
        for out in tile.out {
            sum_by(isa, keys, weights, tile.offset, out);
        }
    });
}

vectorized! {
    fn sum_by(keys: &[Key], weights: &[f32], offset: u64, out: &mut [f32]) {
        // Piece by piece, so that the sum stays in the first-level cache over all keys.
        for (k, out) in out.chunks_mut(8 * NUMBERS).enumerate() {
            let offset = offset + (k * 8 * NUMBERS) as u64;
            out.fill(0.0);
            for (key, &w) in keys.iter().zip(weights) {
                for piece in group::pieces(offset, out.len()) {
                    let noise = group::normals(key, piece.block);
                    mutate(&mut out[piece.here.clone()], w, piece.of(&noise));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;
    use proptest::prelude::*;

    use super::*;
    use crate::{reference, tensors::tests::Network};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_path_is_the_reference(
            mut out in Network::any(),
            weights in prop::collection::vec(-2f32..2.0, 0..5),
        ) {
            let keys: Vec<_> =
                (0..weights.len()).map(|j| Key::new(5, Purpose::Mutation).individual(j)).collect();
            for isa in Isa::available() {
                weighted_noise_by(isa, &keys, &weights, &mut out.tensors_mut());
                for (i, x) in out.values().into_iter().enumerate() {
                    let expected = reference::weighted_noise(&keys, &weights, i as u64);
                    prop_assert_eq!(x.to_bits(), expected.to_bits(), "{} {}", i, isa);
                }
            }
        }
    }
}
