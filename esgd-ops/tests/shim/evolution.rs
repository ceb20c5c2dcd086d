//! Trial vectors, velocities of particles, and what is made value by value.

use esgd_core::{
    plan::definition,
    rng::{Key, Purpose},
};

use crate::{
    networks::{Network, address, assert_bits, pointers, shapes},
    shim::{is_there, launch},
    tables::{Layout, Trial, ValueByValue, Velocity},
};

const KEY: Key = Key::new(5, Purpose::Mutation).generation(2);

#[test]
fn trials_are_the_definitions() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let weights = &[1.0, 0.8, -0.8][..1 + k % 3];
        let mut networks: Vec<_> =
            (0..=weights.len()).map(|j| Network::random(&lengths, j % 2 * k, j)).collect();
        let tables: Vec<_> = networks.iter_mut().flat_map(Network::addresses).collect();
        let mut out = Network::unwritten(&lengths, k % 3);
        let to = out.addresses();
        // A parameter of the network, or for an empty one none.
        let forced = offset + lengths.iter().sum::<usize>() as u64 / 2;
        let cr = [0.0, 0.3, 1.0][k % 3];
        let arguments = Trial {
            layout: pointers(&layout),
            networks: address(&tables),
            weights: address(weights),
            out: address(&to),
            forced,
            others: weights.len() as u32,
            tensors: lengths.len() as u32,
            cr,
            stream: KEY.into(),
        };
        let blocks = (layout.tiles.len() as u32, 1 + k as u32 % 2, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("trial", &arguments, blocks, [256, 9][k % 2], k as u32 % 4) };
        let values: Vec<_> = networks.iter().map(Network::values).collect();
        let expected = (0..values[0].len()).map(|n| {
            let others: Vec<_> = values[1..].iter().map(|values| values[n]).collect();
            let mutant = definition::weighted(&others, weights);
            definition::trial(values[0][n], mutant, cr, forced, KEY, offset + n as u64)
        });
        assert_bits(&format!("trial of {lengths:?}"), &out.values(), expected);
    }
}

#[test]
fn velocities_are_the_definitions() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let mut networks: Vec<_> =
            (0..4).map(|j| Network::random(&lengths, (j + k) % 4, j)).collect();
        let tables: Vec<_> = networks.iter_mut().map(Network::addresses).collect();
        let mut out = Network::unwritten(&lengths, k % 3);
        let to = out.addresses();
        let constants = [0.7, 1.4, 1.6];
        let arguments = Velocity {
            layout: pointers(&layout),
            networks: std::array::from_fn(|j| address(&tables[j])),
            out: address(&to),
            constants,
            first: KEY.into(),
            second: definition::second_key(KEY).into(),
        };
        let blocks = (layout.tiles.len() as u32, 1 + k as u32 % 2, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("velocity", &arguments, blocks, [256, 9][k % 2], k as u32 % 4) };
        let values = [0, 1, 2, 3].map(|j: usize| networks[j].values());
        let expected = (0..values[0].len()).map(|n| {
            let here = values.each_ref().map(|values| values[n]);
            definition::velocity(here, constants, KEY, offset + n as u64)
        });
        assert_bits("velocity", &out.values(), expected);
    }
}

/// What `kernel` makes of three networks, compared with `value` of each three values.
fn value_by_value(kernel: &str, scale: f32, value: impl Fn(f32, f32, f32) -> f32) {
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let mut networks: Vec<_> =
            (0..3).map(|j| Network::random(&lengths, (j + k) % 4, j)).collect();
        networks[1].map(|x| scale * x);
        networks[2].map(f32::abs);
        let tables: Vec<_> = networks.iter_mut().map(Network::addresses).collect();
        let mut out = Network::unwritten(&lengths, k % 3);
        let to = out.addresses();
        let arguments = ValueByValue {
            layout: pointers(&layout),
            networks: std::array::from_fn(|j| address(&tables[j])),
            out: address(&to),
            rate: RATE,
            epsilon: EPSILON,
        };
        let blocks = (layout.tiles.len() as u32, 1 + k as u32 % 2, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch(kernel, &arguments, blocks, [256, 9][k % 2], k as u32 % 4) };
        let [a, b, c] = [0, 1, 2].map(|j: usize| networks[j].values());
        let expected = (0..a.len()).map(|n| value(a[n], b[n], c[n]));
        assert_bits(&format!("{kernel} of {lengths:?}"), &out.values(), expected);
    }
}

const RATE: f32 = -0.7;
const EPSILON: f32 = 1e-3;

#[test]
fn what_is_made_value_by_value_is_the_definitions() {
    if !is_there() {
        return;
    }
    value_by_value("product", 1.0, |a, b, _| definition::product(a, b));
    // To where powers are infinite, subnormal and 0.
    for scale in [1.0, 60.0, 1e9] {
        value_by_value("exponential", scale, |a, b, _| definition::exponential(a, b, RATE));
    }
    value_by_value("adaptive_step", 1.0, |a, b, c| {
        definition::adaptive_step(a, b, c, RATE, EPSILON)
    });
}
