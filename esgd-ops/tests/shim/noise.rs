//! Numbers of a key, mutation, antithetic pairs and weighted sums of noise.

use esgd_core::rng::{Key, Purpose};

use crate::{
    networks::{Network, address, assert_bits, pointers, shapes, tensor_of_each},
    reference,
    shim::{is_there, launch},
    tables::{
        Antithetic, Fill, Layout, Mutation, RoundKeys, Start, WeightedNoise, runs_of_one_seed,
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
fn normals_and_uniforms_are_the_references() {
    if !is_there() {
        return;
    }
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        for (kernel, number) in [
            ("normals", reference::normal as fn(Key, u64) -> f32),
            ("uniforms", reference::uniform),
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
fn mutation_in_place_is_the_references() {
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
            .map(|(n, &x)| reference::mutate(x, sigma[tensors[n]], KEY, offset + n as u64));
        assert_bits(&format!("mutation of {lengths:?}"), &theta.values(), expected);
    }
}

#[test]
fn antithetic_pairs_are_the_references() {
    if !is_there() {
        return;
    }
    let keys = [KEY, KEY.individual(3), KEY.generation(0)];
    let starts = keys.map(Start::from);
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        let mut theta = Network::random(&lengths, k % 2, k);
        let mut out: Vec<_> = (0..6).map(|j| Network::unwritten(&lengths, j / 4)).collect();
        let sigma = sigmas(lengths.len());
        let (from, to) = (theta.addresses(), out.iter_mut().flat_map(Network::addresses));
        let to: Vec<_> = to.collect();
        let arguments = Antithetic {
            layout: pointers(&layout),
            theta: address(&from),
            out: address(&to),
            sigma: address(&sigma),
            starts: address(&starts),
            pairs: 3,
            tensors: lengths.len() as u32,
            rounds: RoundKeys::from(KEY),
        };
        let blocks = (layout.tiles.len() as u32, y, 1 + k as u32 % 3);
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("antithetic", &arguments, blocks, threads, order) };
        let (theta, tensors) = (theta.values(), tensor_of_each(&lengths));
        for (j, key) in keys.into_iter().enumerate() {
            let pair = |n: usize| {
                reference::antithetic(theta[n], sigma[tensors[n]], key, offset + n as u64)
            };
            let all = 0..theta.len();
            assert_bits("plus", &out[2 * j].values(), all.clone().map(|n| pair(n).0));
            assert_bits("minus", &out[2 * j + 1].values(), all.map(|n| pair(n).1));
        }
    }
}

#[test]
fn weighted_noise_is_the_references() {
    if !is_there() {
        return;
    }
    // The seed changes twice, so the sum takes three launches.
    let other = Key::new(43, Purpose::Mutation);
    let keys = [KEY, KEY.individual(3), other, KEY.generation(1), KEY.step(2)];
    let weights = [0.5, -1.25, 3.0, 0.001, -0.7];
    for (k, (offset, lengths)) in shapes().into_iter().enumerate() {
        let layout = Layout::new(offset, &lengths).unwrap();
        let (y, threads, order) = how(k);
        let mut out = Network::unwritten(&lengths, k % 4);
        let table = out.addresses();
        let mut at = 0;
        for run in runs_of_one_seed(&keys) {
            let starts: Vec<_> = run.iter().map(|&key| Start::from(key)).collect();
            let arguments = WeightedNoise {
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
            unsafe { launch("weighted_noise", &arguments, blocks, threads, order) };
            at += run.len();
        }
        let values = out.values();
        let expected = (0..values.len())
            .map(|n| reference::weighted_noise(&keys, &weights, offset + n as u64));
        assert_bits(&format!("weighted noise of {lengths:?}"), &values, expected);
    }
}
