//! Trial vectors and steps of particles.

use esgd_core::rng::{Key, Purpose};

use crate::{
    networks::{Network, address, assert_bits, pointers, shapes},
    reference,
    shim::{is_there, launch},
    tables::{Layout, Particle, Trial},
};

const KEY: Key = Key::new(5, Purpose::Mutation).generation(2);

#[test]
fn trials_are_the_references() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let mut networks: Vec<_> =
            (0..4).map(|j| Network::random(&lengths, j % 2 * k, j)).collect();
        let tables: Vec<_> = networks.iter_mut().map(Network::addresses).collect();
        let mut out = Network::unwritten(&lengths, k % 3);
        let to = out.addresses();
        // A parameter of the network, or for an empty one none.
        let forced = offset + lengths.iter().sum::<usize>() as u64 / 2;
        let (f, cr) = (0.8, [0.0, 0.3, 1.0][k % 3]);
        let arguments = Trial {
            layout: pointers(&layout),
            networks: std::array::from_fn(|j| address(&tables[j])),
            out: address(&to),
            forced,
            f,
            cr,
            stream: KEY.into(),
        };
        let blocks = (layout.tiles.len() as u32, 1 + k as u32 % 2, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("trial", &arguments, blocks, [256, 9][k % 2], k as u32 % 4) };
        let [x, a, b, c] = [0, 1, 2, 3].map(|j| networks[j].values());
        let expected = (0..x.len()).map(|n| {
            let abc = [a[n], b[n], c[n]];
            reference::trial(x[n], abc, f, cr, forced, KEY, offset + n as u64)
        });
        assert_bits(&format!("trial of {lengths:?}"), &out.values(), expected);
    }
}

#[test]
fn particles_are_the_references() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let mut networks: Vec<_> =
            (0..4).map(|j| Network::random(&lengths, (j + k) % 4, j)).collect();
        let [x, v, own, swarm] = [0, 1, 2, 3].map(|j: usize| networks[j].values());
        let tables: Vec<_> = networks.iter_mut().map(Network::addresses).collect();
        let constants = [0.7, 1.4, 1.6];
        let arguments = Particle {
            layout: pointers(&layout),
            x: address(&tables[0]),
            v: address(&tables[1]),
            own_best: address(&tables[2]),
            swarm_best: address(&tables[3]),
            constants,
            first: KEY.into(),
            second: reference::second_key(KEY).into(),
        };
        let blocks = (layout.tiles.len() as u32, 1 + k as u32 % 2, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("particle", &arguments, blocks, [256, 9][k % 2], k as u32 % 4) };
        let step = |n: usize| {
            let bests = (own[n], swarm[n]);
            reference::particle((x[n], v[n]), bests, constants, KEY, offset + n as u64)
        };
        assert_bits("place", &networks[0].values(), (0..x.len()).map(|n| step(n).0));
        assert_bits("velocity", &networks[1].values(), (0..x.len()).map(|n| step(n).1));
        networks[2..].iter().for_each(|network| drop(network.values()));
    }
}
