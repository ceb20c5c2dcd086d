//! A particle's velocity: Shi and Eberhart, *A Modified Particle Swarm Optimizer* (ICEC 1998), eq. 1a,
//! with Clerc and Kennedy's constriction as a choice of its constants. The particle's next place is the sum of
//! its place and its velocity.

use esgd_core::{plan::definition, rng::Key};

use crate::{
    group,
    isa::{Isa, vectorized},
    tensors::{TensorsMut, assert_shape, for_each_tile, shape},
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

/// Writes w v + c₁ r₁ (p − x) + c₂ r₂ (g − x) to `out`, where r₁ and r₂ are drawn for each parameter from `key`
/// and from a key derived from it. `networks` are the place x, the velocity v, the particle's best p and the
/// swarm's g.
///
/// # Panics
/// If networks differ in shape, or one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::evolution::{Swarm, velocity};
///
/// let (best, v, mut next): (&[&[f32]], &[&[f32]], _) = (&[&[0.0; 2]], &[&[1.0; 2]], [9.0; 2]);
/// let swarm = Swarm { inertia: 0.5, own: 1.5, social: 1.5 };
/// let key = Key::new(7, Purpose::Mutation);
/// velocity([best, v, best, best], swarm, key, &mut vec![&mut next[..]]);
/// assert_eq!(next, [0.5; 2]);
/// ```
pub fn velocity(networks: [&[&[f32]]; 4], swarm: Swarm, key: Key, out: &mut TensorsMut<'_>) {
    velocity_by(Isa::best(), networks, swarm, key, out);
}

fn velocity_by(
    isa: Isa,
    networks: [&[&[f32]]; 4],
    swarm: Swarm,
    key: Key,
    out: &mut TensorsMut<'_>,
) {
    let lengths = shape(out);
    for (what, network) in ["the place", "the velocity", "the particle's best", "the swarm's best"]
        .iter()
        .zip(networks)
    {
        assert_shape(what, network, &lengths);
    }
    let second = definition::second_key(key);
    for_each_tile(std::slice::from_mut(out), 1, |mut tile| {
        let from = networks.map(|network| tile.of(network));
        for out in &mut tile.out {
            piece_by(isa, from, swarm, [&key, &second], tile.offset, out);
        }
    });
}

vectorized! {
    fn piece_by(
        from: [&[f32]; 4],
        swarm: Swarm,
        keys: [&Key; 2],
        offset: u64,
        out: &mut [f32],
    ) {
        for piece in group::pieces(offset, out.len()) {
            piece.prefetch_next(out);
            let r1 = group::uniforms(keys[0], piece.block);
            let r2 = group::uniforms(keys[1], piece.block);
            let draws = piece.of(&r1).iter().zip(piece.of(&r2));
            let [x, v, p, g] = from.map(|network| &network[piece.here.clone()]);
            let out = out[piece.here.clone()].iter_mut().zip(v);
            for (((out, v), (x, (p, g))), (r1, r2)) in
                out.zip(x.iter().zip(p.iter().zip(g))).zip(draws)
            {
                let towards_own = (swarm.own * r1).mul_add(p - x, swarm.inertia * v);
                *out = (swarm.social * r2).mul_add(g - x, towards_own);
            }
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
            networks in Network::several(),
            constants in [0f32..1.0, 0f32..3.0, 0f32..3.0],
        ) {
            let key = Key::new(5, Purpose::Mutation).individual(3);
            let [inertia, own, social] = constants;
            let tables = networks.each_ref().map(Network::tensors);
            let values = networks.each_ref().map(Network::values);
            for isa in Isa::available() {
                let mut out = networks[0].zeros();
                let swarm = Swarm { inertia, own, social };
                velocity_by(isa, tables.each_ref().map(Vec::as_slice), swarm, key, &mut out.tensors_mut());
                for (i, v) in out.values().into_iter().enumerate() {
                    let here = values.each_ref().map(|values| values[i]);
                    let expected = definition::velocity(here, constants, key, i as u64);
                    prop_assert_eq!(v.to_bits(), expected.to_bits(), "{} {}", i, isa);
                }
            }
        }
    }
}
