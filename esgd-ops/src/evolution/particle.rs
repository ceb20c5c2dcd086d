//! One step of a particle: Shi and Eberhart, *A Modified Particle Swarm Optimizer* (ICEC 1998), eqs.
//! 1a and 2, with Clerc and Kennedy's constriction as a choice of its constants.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
    reference::second_key,
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};

/// The constants of a swarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swarm {
    /// w, the inertia: how much of the velocity stays.
    pub inertia: f32,
    /// c₁, the pull towards the best that the particle has seen.
    pub own: f32,
    /// c₂, the pull towards the best that the swarm has seen.
    pub social: f32,
}

/// Moves a particle: v ← w v + c₁ r₁ (p − x) + c₂ r₂ (g − x) and x ← x + v, where r₁ and r₂ are drawn
/// for each parameter from `key` and from a key derived from it. `particle` is [x, v], p
/// is `own_best` and g is `swarm_best`.
///
/// # Panics
/// If networks differ in shape, or one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::evolution::{Swarm, particle};
///
/// let (mut x, mut v, best) = ([0.0; 2], [1.0; 2], [0.0; 2]);
/// let swarm = Swarm { inertia: 0.5, own: 1.5, social: 1.5 };
/// let best = vec![&best[..]];
/// let key = Key::new(7, Purpose::Mutation);
/// particle(&mut [vec![&mut x[..]], vec![&mut v[..]]], &best, &best, swarm, key);
/// assert_eq!((x, v), ([0.5; 2], [0.5; 2]));
/// ```
pub fn particle(
    particle: &mut [TensorsMut<'_>; 2],
    own_best: &Tensors<'_>,
    swarm_best: &Tensors<'_>,
    swarm: Swarm,
    key: Key,
) {
    particle_by(Isa::best(), particle, own_best, swarm_best, swarm, key);
}

fn particle_by(
    isa: Isa,
    particle: &mut [TensorsMut<'_>; 2],
    own_best: &Tensors<'_>,
    swarm_best: &Tensors<'_>,
    swarm: Swarm,
    key: Key,
) {
    let lengths = shape(&particle[0]);
    assert_shape("the velocity", &particle[1], &lengths);
    assert_shape("the particle's best", own_best, &lengths);
    assert_shape("the swarm's best", swarm_best, &lengths);
    let second = second_key(key);
    for_each_tile(particle, 2, |mut tile| {
        let bests = [tile.of(own_best), tile.of(swarm_best)];
        if let [x, v] = &mut tile.out[..] {
            piece_by(isa, x, v, bests, swarm, [&key, &second], tile.offset);
        }
    });
}

vectorized! {
    fn piece_by(
        x: &mut [f32],
        v: &mut [f32],
        bests: [&[f32]; 2],
        swarm: Swarm,
        keys: [&Key; 2],
        offset: u64,
    ) {
        for piece in group::pieces(offset, x.len()) {
            let r1 = group::uniforms(keys[0], piece.block);
            let r2 = group::uniforms(keys[1], piece.block);
            let draws = piece.of(&r1).iter().zip(piece.of(&r2));
            let [p, g] = bests.map(|best| &best[piece.here.clone()]);
            let state = x[piece.here.clone()].iter_mut().zip(&mut v[piece.here.clone()]);
            for (((x, v), (p, g)), (r1, r2)) in state.zip(p.iter().zip(g)).zip(draws) {
                let towards_own = (swarm.own * r1).mul_add(p - *x, swarm.inertia * *v);
                *v = (swarm.social * r2).mul_add(g - *x, towards_own);
                *x += *v;
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
            [x, v, p, g] in Network::several(),
            [inertia, own, social] in [0f32..1.0, 0f32..3.0, 0f32..3.0],
        ) {
            let key = Key::new(5, Purpose::Mutation).individual(3);
            let swarm = Swarm { inertia, own, social };
            for isa in Isa::available() {
                let (mut x1, mut v1) = (x.clone(), v.clone());
                let mut state = [x1.tensors_mut(), v1.tensors_mut()];
                particle_by(isa, &mut state, &p.tensors(), &g.tensors(), swarm, key);
                let [x0, v0, p, g, x1, v1] = [&x, &v, &p, &g, &x1, &v1].map(Network::values);
                for i in 0..x0.len() {
                    let (now, bests) = ((x0[i], v0[i]), (p[i], g[i]));
                    let constants = [inertia, own, social];
                    let next = reference::particle(now, bests, constants, key, i as u64);
                    let bits = (x1[i].to_bits(), v1[i].to_bits());
                    prop_assert_eq!(bits, (next.0.to_bits(), next.1.to_bits()), "{} {}", i, isa);
                }
            }
        }
    }
}
