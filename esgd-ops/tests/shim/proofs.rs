//! That the harness sees what it should: a missing barrier, a write beside a tensor, a wrong bit; and
//! that the parts of the arithmetic that are arranged otherwise than in Rust are the same.

use esgd_core::rng::{Key, Purpose};

use crate::{
    networks::{Network, address, assert_bits, pointers},
    reference,
    shim::{ORDERS, is_there, launch},
    tables::{Fill, Layout, SquareRoots},
};

/// The arguments of `logarithm.cu`.
#[repr(C)]
struct Logarithms {
    first: u32,
    count: u32,
    wrong: u64,
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
    let other = reference::normal(key, 0);
    let next = f32::from_bits(other.to_bits() + 1);
    let compared = std::panic::catch_unwind(|| assert_bits("", &[other], [next].into_iter()));
    assert!(compared.is_err());
}

/// How many of `count` arguments from `first` on have another logarithm than in Rust.
fn wrong_logarithms(first: u32, count: u32) -> u32 {
    let mut wrong = 0u32;
    let arguments = Logarithms { first, count, wrong: std::ptr::from_mut(&mut wrong) as u64 };
    // SAFETY: The kernel writes one count.
    unsafe { launch("wrong_logarithms", &arguments, (1, 1, 1), 1, 0) };
    wrong
}

/// The steps are arranged otherwise where u is near one, which begins at 1518500161.
#[test]
fn logarithms_are_the_rust_files() {
    if !is_there() {
        return;
    }
    for first in [0, (1 << 23) - 5000, (1 << 24) - 5000, 1_518_500_161 - 5000, (1 << 31) - 10_000] {
        assert_eq!(wrong_logarithms(first, 10_000), 0, "from {first}");
    }
}

#[test]
#[ignore = "tries all 2^31 arguments: two minutes"]
fn all_logarithms_are_the_rust_files() {
    assert!(is_there());
    assert_eq!(wrong_logarithms(0, 1 << 31), 0);
}

#[test]
fn millions_of_normals_are_the_references() {
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

/// Newton's step from an exactly rounded 1/√x; a GPU's approximation is tried on the GPU.
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
