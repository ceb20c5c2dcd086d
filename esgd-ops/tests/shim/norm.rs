//! Sums of squares.

use esgd_core::plan::definition;

use crate::{
    networks::{Network, address},
    shim::{ORDERS, is_there, launch},
    tables::{Squares, Sums, chunks_of_sums, chunks_of_tensors},
};

/// The squared norms of the network's tensors, or of their differences from the other's.
fn squared_norms(
    network: &mut Network,
    other: Option<&mut Network>,
    lengths: &[usize],
    threads: u32,
    order: u32,
) -> Vec<f64> {
    let tensors = network.addresses();
    let others = other.map(Network::addresses);
    let mut chunks = chunks_of_tensors(lengths);
    let mut sums = vec![f64::NAN; chunks.len()];
    let kernel = if others.is_some() { "distances_of_tiles" } else { "squares_of_tiles" };
    let arguments = Squares {
        tensors: address(&tensors),
        others: others.as_deref().map_or(0, address),
        chunks: address(&chunks),
        sums: address(&sums),
    };
    let blocks = |count: usize| (count as u32, 1, 1);
    // SAFETY: The tables above are the kernel's.
    unsafe { launch(kernel, &arguments, blocks(chunks.len()), threads, order) };
    while let Some(next) = chunks_of_sums(&chunks) {
        let terms = std::mem::replace(&mut sums, vec![f64::NAN; next.len()]);
        let arguments =
            Sums { terms: address(&terms), chunks: address(&next), sums: address(&sums) };
        // SAFETY: The tables above are the kernel's.
        unsafe { launch("sums_of_tiles", &arguments, blocks(next.len()), threads, order) };
        chunks = next;
    }
    sums
}

#[test]
fn squared_norms_are_the_definitions() {
    if !is_there() {
        return;
    }
    let lengths = [0, 1, 3, 127, 128, 129, 255, 256, 257, 4095, 4096, 4097, 12_345];
    let mut network = Network::random(&lengths, 1, 0);
    let values = network.values();
    for order in ORDERS {
        for threads in [256, 100, 1, 512] {
            let norms = squared_norms(&mut network, None, &lengths, threads, order);
            let mut at = 0;
            for (norm, length) in norms.iter().zip(lengths) {
                let expected = definition::squared_norm(&values[at..at + length]);
                assert_eq!(norm.to_bits(), expected.to_bits(), "{length} values");
                at += length;
            }
        }
    }
}

#[test]
fn a_tensor_of_more_than_a_tile_of_tiles() {
    if !is_there() {
        return;
    }
    let lengths = [4096 * 4096 + 5, 7];
    let mut network = Network::random(&lengths, 0, 1);
    let values = network.values();
    let norms = squared_norms(&mut network, None, &lengths, 16, 1);
    assert_eq!(norms[0].to_bits(), definition::squared_norm(&values[..lengths[0]]).to_bits());
    assert_eq!(norms[1].to_bits(), definition::squared_norm(&values[lengths[0]..]).to_bits());
}

#[test]
fn squared_distances_are_the_norms_of_differences() {
    if !is_there() {
        return;
    }
    let lengths = [3, 0, 4097, 300];
    let (mut a, mut b) = (Network::random(&lengths, 1, 0), Network::random(&lengths, 2, 1));
    let pairs = a.values().into_iter().zip(b.values());
    let apart: Vec<f32> = pairs.map(|(a, b)| a - b).collect();
    let distances = squared_norms(&mut a, Some(&mut b), &lengths, 100, 2);
    let mut at = 0;
    for (distance, length) in distances.iter().zip(lengths) {
        let expected = definition::squared_norm(&apart[at..at + length]);
        assert_eq!(distance.to_bits(), expected.to_bits(), "{length} values");
        at += length;
    }
}
