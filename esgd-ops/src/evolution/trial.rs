//! The trial vector of differential evolution: Storn and Price, *Differential Evolution: A Simple
//! and Efficient Heuristic for Global Optimization over Continuous Spaces* (Journal of Global
//! Optimization 11, 1997), eqs. 2 to 4.

use esgd_core::{plan::definition, rng::Key};

use crate::{
    group::{self, NUMBERS},
    isa::{Isa, vectorized},
    recombine::weighted_at,
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};

/// How a trial is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial<'a> {
    /// The weights that make the mutant of the others, one each: 1, F and −F of a + F (b − c).
    pub weights: &'a [f32],
    /// CR, the probability that a value comes from the mutant: in [0, 1].
    pub cr: f32,
    /// The parameter that comes from the mutant whatever the draw says, so that a trial differs.
    /// An index behind the last parameter forces none.
    pub forced: u64,
}

/// Writes the trial vector of target `x` to `out`: the mutant, the weighted sum of `others`, where the draw of
/// `key` says so and at `forced`, else x's own value.
///
/// # Panics
/// If there are no others, or not one weight for each; if networks differ in shape, or one has more than
/// 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::evolution::{Trial, trial};
///
/// let [x, a, b, c] = [[0.0; 2], [1.0; 2], [5.0; 2], [3.0; 2]];
/// let mut out = [9.0; 2];
/// let how = Trial { weights: &[1.0, 0.5, -0.5], cr: 0.0, forced: 1 };
/// let others = [&a, &b, &c].map(|network| vec![&network[..]]);
/// trial(&[&x], &others, how, Key::new(7, Purpose::Mutation), &mut vec![&mut out[..]]);
/// assert_eq!(out, [0.0, 2.0]);
/// ```
pub fn trial(
    x: &[&[f32]],
    others: &[Tensors<'_>],
    how: Trial<'_>,
    key: Key,
    out: &mut TensorsMut<'_>,
) {
    trial_by(Isa::best(), x, others, how, key, out);
}

fn trial_by(
    isa: Isa,
    x: &[&[f32]],
    others: &[Tensors<'_>],
    how: Trial<'_>,
    key: Key,
    out: &mut TensorsMut<'_>,
) {
    assert!(!others.is_empty(), "a trial needs at least one other network");
    assert_eq!(how.weights.len(), others.len(), "there is not one weight for each other network");
    let lengths = shape(out);
    assert_shape("the target", x, &lengths);
    others.iter().for_each(|network| assert_shape("another network", network, &lengths));
    for_each_tile(std::slice::from_mut(out), 1, |mut tile| {
        let x = tile.of(x);
        let others: Vec<_> = others.iter().map(|network| tile.of(network)).collect();
        for out in &mut tile.out {
            piece_by(isa, x, &others, how, &key, tile.offset, out);
        }
    });
}

vectorized! {
    fn piece_by(
        x: &[f32],
        others: &[&[f32]],
        how: Trial<'_>,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        for piece in group::pieces(offset, out.len()) {
            piece.prefetch_next(out);
            let uniforms = group::uniforms(key, piece.block);
            let target = x[piece.here.clone()].iter().zip(piece.of(&uniforms));
            let out = &mut out[piece.here.clone()];
            // The mutants of the paper, a + F (b − c), stay in registers.
            if let ([a, b, c], [of_a, of_b, of_c]) = (others, how.weights) {
                let [a, b, c] = [a, b, c].map(|network| &network[piece.here.clone()]);
                for (((out, (x, u)), a), (b, c)) in
                    out.iter_mut().zip(target).zip(a).zip(b.iter().zip(c))
                {
                    let mutant = of_c.mul_add(*c, of_b.mul_add(*b, of_a * a));
                    *out = if *u < how.cr { mutant } else { *x };
                }
                continue;
            }
            let mut mutant = [0.0; NUMBERS];
            let mutant = &mut mutant[..out.len()];
            weighted_at(others, how.weights, piece.here.start, mutant);
            for ((out, (x, u)), mutant) in out.iter_mut().zip(target).zip(mutant) {
                *out = if *u < how.cr { *mutant } else { *x };
            }
        }
        if let Some(k) = how.forced.checked_sub(offset).filter(|k| *k < out.len() as u64) {
            let k = k as usize;
            let values: Vec<f32> = others.iter().map(|network| network[k]).collect();
            out[k] = definition::weighted(&values, how.weights);
        }
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;
    use proptest::prelude::*;

    use super::*;
    use crate::tensors::tests::Network;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_path_is_the_definition(
            [x, a, b, c] in Network::several(),
            weights in prop::collection::vec(-2f32..2.0, 1..4),
            cr in prop_oneof![Just(0.0), Just(1.0), 0.0f32..1.0],
            forced in 0..3000u64,
        ) {
            let key = Key::new(5, Purpose::Mutation).individual(3);
            let others = &[&a, &b, &c][..weights.len()];
            let tables: Vec<_> = others.iter().map(|network| network.tensors()).collect();
            let values: Vec<_> = others.iter().map(|network| network.values()).collect();
            for isa in Isa::available() {
                let mut out = x.zeros();
                let how = Trial { weights: &weights, cr, forced };
                trial_by(isa, &x.tensors(), &tables, how, key, &mut out.tensors_mut());
                for (i, (y, x)) in out.values().into_iter().zip(x.values()).enumerate() {
                    let others: Vec<_> = values.iter().map(|values| values[i]).collect();
                    let mutant = definition::weighted(&others, &weights);
                    let expected = definition::trial(x, mutant, cr, forced, key, i as u64);
                    prop_assert_eq!(y.to_bits(), expected.to_bits(), "{} {}", i, isa);
                }
            }
        }
    }
}
