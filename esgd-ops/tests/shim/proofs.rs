//! That the harness sees what it should: a missing barrier, a write beside a tensor, a wrong bit; and
//! that the parts of the arithmetic that are arranged otherwise than in Rust are the same.

use esgd_core::{
    Real,
    rng::{Key, Purpose, box_muller},
};

use crate::{
    networks::{Network, address, assert_bits, pointers},
    shim::{ORDERS, is_there, launch},
    tables::{Fill, Layout, SquareRoots},
};

/// The arguments of `pairs.cu`.
#[repr(C)]
struct Pairs {
    first: u32,
    step: u32,
    w1: u32,
    count: u32,
    out: u64,
}

/// The arguments of `missing_barrier.cu`.
#[repr(C)]
struct Reversal {
    out: u64,
}

fn reverses(kernel: &str, order: u32) -> bool {
    let mut out = [0.0f32; 64];
    let arguments = Reversal { out: out.as_mut_ptr() as u64 };
    // SAFETY: The kernel writes one number a thread.
    unsafe { launch(kernel, &arguments, (1, 1, 1), 64, order) };
    out.iter().enumerate().all(|(i, &x)| x == (63 - i) as f32)
}

#[test]
fn a_missing_barrier_is_seen() {
    if !is_there() {
        return;
    }
    for order in ORDERS {
        assert!(reverses("with_barrier", order));
        assert!(!reverses("missing_barrier", order), "order {order}");
    }
}

#[test]
fn a_wrong_number_or_a_write_beside_a_tensor_is_seen() {
    if !is_there() {
        return;
    }
    let key = Key::new(1, Purpose::Mutation);
    let mut out = Network::unwritten(&[16, 16], 0);
    let table = out.addresses();
    // One parameter more than the tensor has.
    let layout = Layout::new(0, &[17, 16]).unwrap();
    let arguments = Fill { layout: pointers(&layout), out: address(&table), stream: key.into() };
    // SAFETY: A margin of eight numbers follows each tensor.
    unsafe { launch("normals", &arguments, (2, 1, 1), 64, 0) };
    assert!(std::panic::catch_unwind(|| out.values()).is_err());
    let other = <f32 as Real>::normal(key, 0);
    let next = f32::from_bits(other.to_bits() + 1);
    let compared = std::panic::catch_unwind(|| assert_bits("", &[other], [next].into_iter()));
    assert!(compared.is_err());
}

/// Compares the pairs of `count` first words, from `first` on in steps of `step`, with Rust's.
fn assert_pairs(first: u32, step: u32, count: u32, w1: u32) {
    let mut out = vec![0.0f32; 2 * count as usize];
    let arguments = Pairs { first, step, w1, count, out: out.as_mut_ptr() as u64 };
    // SAFETY: The kernel writes two numbers a pair.
    unsafe { launch("pairs", &arguments, (1, 1, 1), 1, 0) };
    for (i, pair) in out.as_chunks::<2>().0.iter().enumerate() {
        let w0 = first.wrapping_add(i as u32 * step);
        let (x, y) = box_muller(w0, w1);
        let same = pair[0].to_bits() == x.to_bits() && pair[1].to_bits() == y.to_bits();
        assert!(same, "{w0} {w1}: {pair:?}, expected {x} and {y}");
    }
}

/// With w1 = 0 the first number is the radius itself, which depends on the upper 31 bits of w0. The
/// steps differ where u is near one, which begins at 2 × 1518500161.
#[test]
fn radii_are_the_rust_files() {
    if !is_there() {
        return;
    }
    let near_one = 2 * 1_518_500_161;
    for middle in [10_000, 1 << 24, 1 << 25, near_one, u32::MAX - 10_000] {
        assert_pairs(middle - 10_000, 1, 20_000, 0);
    }
    assert_pairs(0, 65_537, 65_000, 0);
}

#[test]
fn angles_are_the_rust_files() {
    if !is_there() {
        return;
    }
    let turns = (0..40_000u32).map(|i| i.wrapping_mul(107_377));
    for w1 in turns.chain([1, 0x3FFF_FFFF, 0x4000_0000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX]) {
        assert_pairs(w1 ^ 0x1234_5678, 1, 2, w1);
    }
}

#[test]
#[ignore = "tries all 2^31 radii: two minutes"]
fn all_radii_are_the_rust_files() {
    assert!(is_there());
    for first in (0..1u64 << 32).step_by(1 << 24) {
        assert_pairs(first as u32, 2, 1 << 23, 0);
    }
}

#[test]
fn millions_of_normals_are_the_definitions() {
    if !is_there() {
        return;
    }
    let lengths = [1 << 21];
    let layout = Layout::new(0, &lengths).unwrap();
    let mut out = Network::unwritten(&lengths, 0);
    let table = out.addresses();
    let key = Key::new(2018, Purpose::Mutation);
    let arguments = Fill { layout: pointers(&layout), out: address(&table), stream: key.into() };
    // SAFETY: The tables above are the kernel's.
    unsafe { launch("normals", &arguments, (layout.tiles.len() as u32, 1, 1), 8, 0) };
    let values = out.values();
    let mut expected = vec![0.0; values.len()];
    esgd_ops::noise::normals(key, 0, &mut expected);
    assert_bits("normals", &values, expected.into_iter());
}

/// Newton's step from an exactly rounded 1/√x. From one that is a unit off, some roots are wrong: a
/// GPU's are tried when its kernels are made.
#[test]
fn square_roots_are_exact() {
    if !is_there() {
        return;
    }
    let mut wrong = 0u32;
    let first = 1.0f32.to_bits();
    let count = 4.0f32.to_bits() - first;
    let arguments = SquareRoots { first, count, wrong: std::ptr::from_mut(&mut wrong) as u64 };
    // SAFETY: The kernel writes one count.
    unsafe { launch("wrong_square_roots", &arguments, (1, 1, 1), 1, 0) };
    assert_eq!(wrong, 0);
}
