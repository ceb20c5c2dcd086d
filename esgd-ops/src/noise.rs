//! Normal and uniform numbers by address: each is a pure function of (key, index).
//!
//! The words are Philox's ([`Key::block`]); the normals are made of them by the transform of Box
//! and Muller. Block b of a key holds its numbers 4b to 4b + 3, so any piece of the sequence can be
//! had without the rest.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
    recombine,
    tensors::{TensorsMut, assert_shape, for_each_tile, shape},
};

/// Writes standard normal number `offset + i` of `key` to `out[i]`, for every i.
///
/// Words (w₀, w₁) of a block make its first two numbers, (w₂, w₃) the other two
/// ([`Real`](esgd_core::Real) of `f32` has the formula). Each operation is one that
/// IEEE 754 rounds exactly: every processor and every GPU gives the same bits. No number is larger
/// than 6.67 in magnitude.
///
/// # Panics
/// If `offset + out.len()` exceeds 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::normals;
///
/// let key = Key::new(7, Purpose::Mutation);
/// let (mut whole, mut piece) = ([0.0; 10], [0.0; 4]);
/// normals(key, 0, &mut whole);
/// normals(key, 3, &mut piece);
/// assert_eq!(whole[3..7], piece);
/// ```
pub fn normals(key: Key, offset: u64, out: &mut [f32]) {
    normals_by(Isa::best(), &key, offset, out);
}

/// Writes uniform number `offset + i` of `key`, in `[0, 1)`, to `out[i]`, for every i.
///
/// Number n is the upper 24 bits of word n of the key, over 2²⁴: exact in `f32`, and never 1.
///
/// # Panics
/// If `offset + out.len()` exceeds 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::uniforms;
///
/// let mut mask = [0.0; 100];
/// uniforms(Key::new(7, Purpose::Train), 0, &mut mask);
/// assert!(mask.iter().all(|u| (0.0..1.0).contains(u)));
/// ```
pub fn uniforms(key: Key, offset: u64, out: &mut [f32]) {
    uniforms_by(Isa::best(), &key, offset, out);
}

/// Mutates a network where it is: adds `sigma[t]` times standard normal noise to tensor t, on the
/// threads of rayon's current pool. With σ = 0 a tensor stays as it is, to the bit.
///
/// # Panics
/// If there is not one σ for each tensor, or the network has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::mutate;
///
/// let (mut weight, mut variance) = ([1.0; 3], [1.0; 3]);
/// let key = Key::new(7, Purpose::Mutation);
/// mutate(&mut vec![&mut weight[..], &mut variance[..]], &[0.1, 0.0], key);
/// assert_ne!(weight, [1.0; 3]);
/// assert_eq!(variance, [1.0; 3]);
/// ```
pub fn mutate(theta: &mut TensorsMut<'_>, sigma: &[f32], key: Key) {
    assert_eq!(sigma.len(), theta.len(), "there is not one sigma for each tensor");
    for_each_tile(std::slice::from_mut(theta), 1, |tile| {
        let sigma = sigma[tile.tensor];
        for theta in tile.out {
            if sigma != 0.0 {
                mutate_by(Isa::best(), &key, tile.offset, sigma, theta);
            }
        }
    });
}

vectorized! {
    fn mutate_by(key: &Key, offset: u64, sigma: f32, theta: &mut [f32]) {
        for piece in group::pieces(offset, theta.len()) {
            let noise = group::normals(key, piece.block);
            recombine::mutate(&mut theta[piece.here.clone()], sigma, piece.of(&noise));
        }
    }
}

/// Mutates a network where it is, with a variance of its own for each value: adds `sigma[t]` √v ε to tensor t,
/// where v are the values of `variance`. With σ = 0 a tensor stays as it is, to the bit.
///
/// # Panics
/// If there is not one σ for each tensor, networks differ in shape, or one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::mutate_diagonal;
///
/// let (mut theta, variance) = ([1.0; 2], [0.0, 4.0]);
/// let key = Key::new(7, Purpose::Mutation);
/// mutate_diagonal(&mut vec![&mut theta[..]], &[&variance], &[0.1], key);
/// assert!(theta[0] == 1.0 && theta[1] != 1.0);
/// ```
pub fn mutate_diagonal(theta: &mut TensorsMut<'_>, variance: &[&[f32]], sigma: &[f32], key: Key) {
    assert_eq!(sigma.len(), theta.len(), "there is not one sigma for each tensor");
    assert_shape("the variance", variance, &shape(theta));
    for_each_tile(std::slice::from_mut(theta), 1, |mut tile| {
        let (sigma, variance) = (sigma[tile.tensor], tile.of(variance));
        for theta in &mut tile.out {
            if sigma != 0.0 {
                mutate_diagonal_by(Isa::best(), &key, tile.offset, sigma, variance, theta);
            }
        }
    });
}

vectorized! {
    fn mutate_diagonal_by(
        key: &Key,
        offset: u64,
        sigma: f32,
        variance: &[f32],
        theta: &mut [f32],
    ) {
        for piece in group::pieces(offset, theta.len()) {
            let noise = group::normals(key, piece.block);
            let from = variance[piece.here.clone()].iter().zip(piece.of(&noise));
            for (x, (variance, epsilon)) in theta[piece.here.clone()].iter_mut().zip(from) {
                *x = (sigma * variance.sqrt()).mul_add(*epsilon, *x);
            }
        }
    }
}

vectorized! {
    fn normals_by(key: &Key, offset: u64, out: &mut [f32]) {
        for piece in group::pieces(offset, out.len()) {
            let numbers = group::normals(key, piece.block);
            out[piece.here.clone()].copy_from_slice(piece.of(&numbers));
        }
    }
}

vectorized! {
    fn uniforms_by(key: &Key, offset: u64, out: &mut [f32]) {
        for piece in group::pieces(offset, out.len()) {
            let numbers = group::uniforms(key, piece.block);
            out[piece.here.clone()].copy_from_slice(piece.of(&numbers));
        }
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{Real, plan::definition, rng::Purpose};
    use proptest::prelude::*;

    use super::*;
    use crate::{group::NUMBERS_PER_KEY, tensors::tests::Network};

    const KEY: Key = Key::new(2018, Purpose::Mutation).generation(3).individual(5);

    #[test]
    fn the_last_numbers_of_a_key_can_be_had() {
        let (mut last, mut aligned) = ([0.0; 6], [0.0; 4]);
        normals(KEY, NUMBERS_PER_KEY - 6, &mut last);
        normals(KEY, NUMBERS_PER_KEY - 4, &mut aligned);
        assert_eq!(last[2..], aligned);
        normals(KEY, NUMBERS_PER_KEY, &mut []);
    }

    #[test]
    #[should_panic(expected = "a key has 2^34 numbers")]
    fn a_key_has_no_more_than_its_numbers() {
        uniforms(KEY, NUMBERS_PER_KEY - 3, &mut [0.0; 4]);
    }

    proptest! {
        #[test]
        fn every_path_and_every_piece_is_the_definition(
            seed: u64,
            offset in prop_oneof![0..64u64, 0..NUMBERS_PER_KEY - 400],
            length in 0..400usize,
        ) {
            let key = Key::new(seed, Purpose::Mutation);
            for isa in Isa::available() {
                let mut out = vec![0.0; length];
                normals_by(isa, &key, offset, &mut out);
                for (i, x) in (offset..).zip(&out) {
                    let expected = <f32 as Real>::normal(key, i);
                    prop_assert_eq!(x.to_bits(), expected.to_bits(), "normal {} {}", i, isa);
                }
                uniforms_by(isa, &key, offset, &mut out);
                for (i, x) in (offset..).zip(&out) {
                    prop_assert_eq!(*x, <f32 as Real>::uniform(key, i), "uniform {} {}", i, isa);
                }
            }
        }

        #[test]
        fn mutation_in_place_is_the_definition(theta in Network::any(), sigma in 0.001f32..2.0) {
            let key = Key::new(7, Purpose::Mutation);
            let sigmas: Vec<_> =
                (0..theta.0.len()).map(|t| if t == 1 { 0.0 } else { sigma }).collect();
            let (mut mutated, mut diagonal) = (theta.clone(), theta.clone());
            mutate(&mut mutated.tensors_mut(), &sigmas, key);
            let variance = theta.map(f32::abs);
            mutate_diagonal(&mut diagonal.tensors_mut(), &variance.tensors(), &sigmas, key);
            let (mutated, diagonal) = (mutated.values(), diagonal.values());
            let sigma_of = theta.0.iter().zip(&sigmas).flat_map(|(x, sigma)| vec![*sigma; x.len()]);
            for (i, (x, sigma)) in theta.values().into_iter().zip(sigma_of).enumerate() {
                let expected = definition::mutate(x, sigma, key, i as u64);
                prop_assert_eq!(mutated[i].to_bits(), expected.to_bits());
                let expected = definition::mutate_diagonal(x, sigma, x.abs(), key, i as u64);
                prop_assert_eq!(diagonal[i].to_bits(), expected.to_bits());
            }
        }
    }
}
