//! The trial vector of differential evolution: Storn and Price, *Differential Evolution: A Simple
//! and Efficient Heuristic for Global Optimization over Continuous Spaces* (Journal of Global
//! Optimization 11, 1997), eqs. 2 to 4.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};

/// How a trial is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Differential {
    /// F, the weight of the difference b − c: usually in (0, 2].
    pub f: f32,
    /// CR, the probability that a value comes from the mutant: in [0, 1].
    pub cr: f32,
    /// The parameter that comes from the mutant whatever the draw says, so that a trial differs.
    /// An index behind the last parameter forces none.
    pub forced: u64,
}

/// Writes the trial vector of target `x` to `out`: a + F (b − c) where the draw of `key` says so and
/// at `forced`, else x's own value.
///
/// # Panics
/// If networks differ in shape, or one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::evolution::{Differential, trial};
///
/// let [x, a, b, c] = [[0.0; 2], [1.0; 2], [5.0; 2], [3.0; 2]];
/// let mut out = [9.0; 2];
/// let how = Differential { f: 0.5, cr: 0.0, forced: 1 };
/// let abc = [&vec![&a[..]], &vec![&b[..]], &vec![&c[..]]];
/// trial(&vec![&x[..]], abc, how, Key::new(7, Purpose::Mutation), &mut vec![&mut out[..]]);
/// assert_eq!(out, [0.0, 2.0]);
/// ```
pub fn trial(
    x: &Tensors<'_>,
    abc: [&Tensors<'_>; 3],
    how: Differential,
    key: Key,
    out: &mut TensorsMut<'_>,
) {
    trial_by(Isa::best(), x, abc, how, key, out);
}

fn trial_by(
    isa: Isa,
    x: &Tensors<'_>,
    abc: [&Tensors<'_>; 3],
    how: Differential,
    key: Key,
    out: &mut TensorsMut<'_>,
) {
    let lengths = shape(out);
    [x, abc[0], abc[1], abc[2]]
        .into_iter()
        .for_each(|network| assert_shape("a vector", network, &lengths));
    for_each_tile(std::slice::from_mut(out), 1, |mut tile| {
        let (x, abc) = (tile.of(x), abc.map(|network| tile.of(network)));
        for out in &mut tile.out {
            piece_by(isa, x, abc, how, &key, tile.offset, out);
        }
    });
}

vectorized! {
    fn piece_by(
        x: &[f32],
        abc: [&[f32]; 3],
        how: Differential,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        for piece in group::pieces(offset, out.len()) {
            let uniforms = group::uniforms(key, piece.block);
            let [a, b, c] = abc.map(|parent| &parent[piece.here.clone()]);
            let target = x[piece.here.clone()].iter().zip(piece.of(&uniforms));
            let mutant = a.iter().zip(b).zip(c);
            let out = out[piece.here.clone()].iter_mut();
            for ((out, (x, u)), ((a, b), c)) in out.zip(target).zip(mutant) {
                let mutant = how.f.mul_add(b - c, *a);
                *out = if *u < how.cr { mutant } else { *x };
            }
        }
        if let Some(k) = how.forced.checked_sub(offset).filter(|k| *k < out.len() as u64) {
            let k = k as usize;
            out[k] = how.f.mul_add(abc[1][k] - abc[2][k], abc[0][k]);
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
            [x, a, b, c] in Network::several(),
            f in 0.1f32..2.0,
            cr in prop_oneof![Just(0.0), Just(1.0), 0.0f32..1.0],
            forced in 0..3000u64,
        ) {
            let key = Key::new(5, Purpose::Mutation).individual(3);
            let how = Differential { f, cr, forced };
            for isa in Isa::available() {
                let mut out = x.zeros();
                let abc = [&a.tensors(), &b.tensors(), &c.tensors()];
                trial_by(isa, &x.tensors(), abc, how, key, &mut out.tensors_mut());
                let abc = [&a, &b, &c].map(Network::values);
                for (i, (y, x)) in out.values().into_iter().zip(x.values()).enumerate() {
                    let abc = [abc[0][i], abc[1][i], abc[2][i]];
                    let expected = reference::trial(x, abc, f, cr, forced, key, i as u64);
                    prop_assert_eq!(y.to_bits(), expected.to_bits(), "{} {}", i, isa);
                }
            }
        }
    }
}
