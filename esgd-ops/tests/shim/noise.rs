//! Numbers of a key, mutation, and sums of noise.

use esgd_core::{
    NoiseTerm, Real,
    plan::definition,
    rng::{Key, Purpose},
};

use crate::{
    networks::{Network, address, assert_bits, pointers, shapes, tensor_of_each},
    shim::{is_there, launch},
    tables::{
        DiagonalMutation, Fill, Layout, Mutation, NoiseSum, RoundKeys, Start, runs_of_one_seed,
    },
};

const KEY: Key = Key::new(42, Purpose::Mutation).generation(8).step(1).individual(9);

/// Blocks in y, threads and order of the k-th case.
fn how(k: usize) -> (u32, u32, u32) {
    (1 + k as u32 % 3, [256, 64, 5][k % 3], k as u32 % 4)
}

fn sigmas(tensors: usize) -> Vec<f32> {
    (0..tensors).map(|t| if t % 3 == 1 { 0.0 } else { 0.02 * (t + 1) as f32 }).collect()
}

#[test]
fn normals_and_uniforms_are_the_definitions() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        for (kernel, number) in [
            ("normals", <f32 as Real>::normal as fn(Key, u64) -> f32),
            ("uniforms", <f32 as Real>::uniform),
        ] {
            let mut out = Network::unwritten(&lengths, k % 4);
            let table = out.addresses();
            let layout_at = pointers(&layout);
            let arguments = Fill { layout: layout_at, out: address(&table), stream: KEY.into() };
            let blocks = (layout.tiles.len() as u32, y, 1);
            // SAFETY: The tables above are the kernel's.
            unsafe { launch(kernel, &arguments, blocks, threads, order) };
            let values = out.values();
            let expected = (0..values.len()).map(|n| number(KEY, offset + n as u64));
            assert_bits(&format!("{kernel} of {lengths:?} after {offset}"), &values, expected);
        }
    }
}

#[test]
fn mutation_in_place_is_the_definitions() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        let mut theta = Network::random(&lengths, k % 4, k);
        let (before, sigma) = (theta.values(), sigmas(lengths.len()));
        let table = theta.addresses();
        let arguments = Mutation {
            layout: pointers(&layout),
            theta: address(&table),
            sigma: address(&sigma),
            stream: KEY.into(),
        };
        let blocks = (layout.tiles.len() as u32, y, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("mutate", &arguments, blocks, threads, order) };
        let tensors = tensor_of_each(&lengths);
        let expected = before
            .iter()
            .enumerate()
            .map(|(n, &x)| definition::mutate(x, sigma[tensors[n]], KEY, offset + n as u64));
        assert_bits(&format!("mutation of {lengths:?}"), &theta.values(), expected);
    }
}

#[test]
fn diagonal_mutation_is_the_definitions() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        let mut theta = Network::random(&lengths, k % 4, k);
        let mut variance = Network::random(&lengths, k % 3, 99);
        variance.map(f32::abs);
        let (before, sigma) = (theta.values(), sigmas(lengths.len()));
        let (table, variances) = (theta.addresses(), variance.addresses());
        let arguments = DiagonalMutation {
            layout: pointers(&layout),
            theta: address(&table),
            variance: address(&variances),
            sigma: address(&sigma),
            stream: KEY.into(),
        };
        let blocks = (layout.tiles.len() as u32, y, 1);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("mutate_diagonal", &arguments, blocks, threads, order) };
        let (tensors, variance) = (tensor_of_each(&lengths), variance.values());
        let expected = before.iter().enumerate().map(|(n, &x)| {
            let (sigma, i) = (sigma[tensors[n]], offset + n as u64);
            definition::mutate_diagonal(x, sigma, variance[n], KEY, i)
        });
        assert_bits(&format!("diagonal mutation of {lengths:?}"), &theta.values(), expected);
    }
}

#[test]
fn sums_of_noise_are_the_definitions() {
    if !is_there() {
        return;
    }
    // The seed changes twice, so the sum takes three launches.
    let other = Key::new(43, Purpose::Mutation);
    let keys = [KEY, KEY.individual(3), other, KEY.generation(1), KEY.step(2)];
    let weights = [0.5, -1.25, 3.0, 0.001, -0.7];
    let term = |(key, weight): (&Key, &f32)| NoiseTerm { key: *key, weight: f64::from(*weight) };
    let terms: Vec<_> = keys.iter().zip(&weights).map(term).collect();
    let sums = [
        ("weighted_noise", definition::weighted_noise as fn(&[NoiseTerm], u64) -> f32),
        ("squared_noise", definition::squared_noise),
    ];
    let shapes = shapes().into_iter().enumerate();
    for ((k, (offset, lengths)), (kernel, sum)) in
        shapes.flat_map(|s| sums.map(|sum| (s.clone(), sum)))
    {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        let mut out = Network::unwritten(&lengths, k % 4);
        let table = out.addresses();
        let mut at = 0;
        for run in runs_of_one_seed(&keys) {
            let starts: Vec<_> = run.iter().map(|&key| Start::from(key)).collect();
            let arguments = NoiseSum {
                layout: pointers(&layout),
                out: address(&table),
                starts: address(&starts),
                weights: address(&weights[at..]),
                count: run.len() as u32,
                goes_on: u32::from(at > 0),
                rounds: RoundKeys::from(run[0]),
            };
            let blocks = (layout.tiles.len() as u32, y, 1);
            // SAFETY: The tables above are the kernel's.
            unsafe { launch(kernel, &arguments, blocks, threads, order) };
            at += run.len();
        }
        let values = out.values();
        let expected = (0..values.len()).map(|n| sum(&terms, offset + n as u64));
        assert_bits(&format!("{kernel} of {lengths:?}"), &values, expected);
    }
}
