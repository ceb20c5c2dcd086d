//! Sums of squares.

use crate::{
    networks::{Network, address},
    reference,
    shim::{ORDERS, is_there, launch},
    tables::{Squares, Sums, chunks_of_sums, chunks_of_tensors},
};

fn squared_norms(network: &mut Network, lengths: &[usize], threads: u32, order: u32) -> Vec<f64> {
    let tensors = network.addresses();
    let mut chunks = chunks_of_tensors(lengths);
    let mut sums = vec![f64::NAN; chunks.len()];
    let arguments =
        Squares { tensors: address(&tensors), chunks: address(&chunks), sums: address(&sums) };
    let blocks = |count: usize| (count as u32, 1, 1);
    // SAFETY: The tables above are the kernel's.
    unsafe { launch("squares_of_tiles", &arguments, blocks(chunks.len()), threads, order) };
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
fn squared_norms_are_the_references() {
    if !is_there() {
        return;
    }
    let lengths = [0, 1, 3, 127, 128, 129, 255, 256, 257, 4095, 4096, 4097, 12_345];
    let mut network = Network::random(&lengths, 1, 0);
    let values = network.values();
    for order in ORDERS {
        for threads in [256, 100, 1, 512] {
            let norms = squared_norms(&mut network, &lengths, threads, order);
            let mut at = 0;
            for (norm, length) in norms.iter().zip(lengths) {
                let expected = reference::squared_norm(&values[at..at + length]);
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
    let norms = squared_norms(&mut network, &lengths, 16, 1);
    assert_eq!(norms[0].to_bits(), reference::squared_norm(&values[..lengths[0]]).to_bits());
    assert_eq!(norms[1].to_bits(), reference::squared_norm(&values[lengths[0]..]).to_bits());
}
