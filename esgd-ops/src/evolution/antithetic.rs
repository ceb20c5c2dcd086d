//! Antithetic pairs θ ± σε, both from one drawing of ε: mirrored sampling, as in Salimans et al.,
//! *Evolution Strategies as a Scalable Alternative to Reinforcement Learning* (arXiv:1703.03864),
//! section 2.1.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};

/// Makes a pair of networks for each key: θ + σε in `out[2j]` and θ − σε in `out[2j + 1]`, with ε of
/// `keys[j]` and a σ for each tensor. θ is read once for all pairs.
///
/// # Panics
/// If there are not two outputs for each key and one σ for each tensor; if networks differ in shape;
/// or if one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::evolution::antithetic;
///
/// let theta = vec![&[1.0, 2.0][..]];
/// let mut pair = [[0.0; 2]; 2];
/// let mut out: Vec<_> = pair.iter_mut().map(|theta| vec![&mut theta[..]]).collect();
/// antithetic(&theta, &[0.5], &[Key::new(7, Purpose::Mutation)], &mut out);
/// assert!(pair[0] != pair[1] && ((pair[0][1] + pair[1][1]) / 2.0 - 2.0).abs() < 1e-6);
/// ```
pub fn antithetic(theta: &Tensors<'_>, sigma: &[f32], keys: &[Key], out: &mut [TensorsMut<'_>]) {
    antithetic_by(Isa::best(), theta, sigma, keys, out);
}

fn antithetic_by(
    isa: Isa,
    theta: &Tensors<'_>,
    sigma: &[f32],
    keys: &[Key],
    out: &mut [TensorsMut<'_>],
) {
    assert_eq!(out.len(), 2 * keys.len(), "there are not two outputs for each key");
    assert_eq!(sigma.len(), theta.len(), "there is not one sigma for each tensor");
    let lengths = shape(theta);
    out.iter().for_each(|network| assert_shape("an output", network, &lengths));
    for_each_tile(out, 2, |mut tile| {
        let (from, sigma) = (tile.of(theta), sigma[tile.tensor]);
        let keys = &keys[tile.first / 2..];
        for (pair, key) in tile.out.chunks_exact_mut(2).zip(keys) {
            if let [plus, minus] = pair {
                if sigma == 0.0 {
                    plus.copy_from_slice(from);
                    minus.copy_from_slice(from);
                } else {
                    pair_by(isa, from, sigma, key, tile.offset, plus, minus);
                }
            }
        }
    });
}

vectorized! {
    fn pair_by(
        theta: &[f32],
        sigma: f32,
        key: &Key,
        offset: u64,
        plus: &mut [f32],
        minus: &mut [f32],
    ) {
        for piece in group::pieces(offset, theta.len()) {
            piece.prefetch_next(plus);
            piece.prefetch_next(minus);
            let noise = group::normals(key, piece.block);
            let pair = plus[piece.here.clone()].iter_mut().zip(&mut minus[piece.here.clone()]);
            let from = theta[piece.here.clone()].iter().zip(piece.of(&noise));
            for ((plus, minus), (theta, epsilon)) in pair.zip(from) {
                *plus = sigma.mul_add(*epsilon, *theta);
                *minus = (-sigma).mul_add(*epsilon, *theta);
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
            theta in Network::any(),
            pairs in 1..4usize,
            sigma in prop_oneof![Just(0.0), 0.001f32..2.0],
        ) {
            let keys: Vec<_> =
                (0..pairs).map(|j| Key::new(5, Purpose::Mutation).individual(j)).collect();
            for isa in Isa::available() {
                let mut out = vec![theta.zeros(); 2 * pairs];
                let sigmas = vec![sigma; theta.0.len()];
                let mut table: Vec<_> = out.iter_mut().map(Network::tensors_mut).collect();
                antithetic_by(isa, &theta.tensors(), &sigmas, &keys, &mut table);
                for (j, key) in keys.iter().enumerate() {
                    let (plus, minus) = (out[2 * j].values(), out[2 * j + 1].values());
                    for (i, x) in theta.values().into_iter().enumerate() {
                        let pair = reference::antithetic(x, sigma, *key, i as u64);
                        let bits = (plus[i].to_bits(), minus[i].to_bits());
                        prop_assert_eq!(bits, (pair.0.to_bits(), pair.1.to_bits()), "{} {}", i, isa);
                    }
                }
            }
        }
    }
}
