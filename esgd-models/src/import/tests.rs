//! Files of others, as they are met.

use std::fs;

use candle_core::Shape;
use esgd_core::laws::corrupted;
use proptest::prelude::*;
use safetensors::{Dtype, tensor::TensorView};

use super::*;
use crate::{Parameter, Role};

/// A network of two tensors.
fn genome() -> Genome {
    let parameter = |name: &str, role: Role, shape: Shape| Parameter {
        name: name.into(),
        role,
        var: variable(vec![1.0; shape.elem_count()], &shape).unwrap(),
    };
    Genome::new(vec![
        parameter("fc.weight", Role::Weight, Shape::from((2, 3))),
        parameter("bn.running_var", Role::Statistic, Shape::from(2)),
    ])
    .unwrap()
}

/// A tensor of a file.
struct Stored(&'static str, Dtype, Vec<usize>, Vec<u8>);

fn f32s(name: &'static str, shape: &[usize], values: &[f32]) -> Stored {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Stored(name, Dtype::F32, shape.to_vec(), bytes)
}

fn f64s(name: &'static str, shape: &[usize], values: &[f64]) -> Stored {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Stored(name, Dtype::F64, shape.to_vec(), bytes)
}

fn file(tensors: &[Stored]) -> Vec<u8> {
    let mut views = vec![];
    for Stored(name, dtype, shape, bytes) in tensors {
        views.push((*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    }
    safetensors::serialize(views, None).unwrap()
}

const SIX: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn error(tensors: &[Stored]) -> String {
    let message = genome().import_bytes(&file(tensors)).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn wrapped_and_converted_networks_are_taken_and_it_is_said() {
    let fitting = [f32s("bn.running_var", &[2], &[0.5, 2.0]), f32s("fc.weight", &[2, 3], &SIX)];
    let import = genome().import_bytes(&file(&fitting)).unwrap();
    assert_eq!(import.changes(), None);
    assert_eq!(import.genome.values().unwrap(), [&[0.5, 2.0][..], &SIX].concat());

    let half = |bits: [u16; 2]| bits.iter().flat_map(|b| b.to_le_bytes()).collect::<Vec<u8>>();
    let ones = [0x3c00, 0x4000]; // 1 and 2 as F16
    let wrapped = [
        Stored("module._orig_mod.bn.running_var", Dtype::F16, vec![2], half(ones)),
        f64s("module._orig_mod.fc.weight", &[2, 3], &SIX.map(f64::from)),
        Stored("module._orig_mod.bn.num_batches_tracked", Dtype::I64, vec![], vec![7; 8]),
    ];
    let import = genome().import_bytes(&file(&wrapped)).unwrap();
    assert_eq!(
        import.changes().unwrap(),
        "`module._orig_mod.` is dropped from the names of its tensors; \
         1 tensor of type F16 is converted to F32; 1 tensor of type F64 is converted to F32"
    );
    assert_eq!(import.genome.values().unwrap(), [&[1.0, 2.0][..], &SIX].concat());

    let brain = [
        Stored("bn.running_var", Dtype::BF16, vec![2], half([0x3f80, 0x4000])),
        f32s("fc.weight", &[2, 3], &SIX),
    ];
    let import = genome().import_bytes(&file(&brain)).unwrap();
    assert_eq!(import.genome.values().unwrap()[..2], [1.0, 2.0]);
}

#[test]
fn what_does_not_fit_is_named_with_what_is_there_instead() {
    let variance = || f32s("bn.running_var", &[2], &[1.0, 1.0]);
    let weight = |values: &[f32; 6]| f32s("fc.weight", &[2, 3], values);
    for (tensors, expected) in [
        (
            vec![variance(), f32s("fc.weights", &[6], &SIX)],
            "no tensor `fc.weight` of shape [2, 3]: it has `fc.weights` of shape [6] instead",
        ),
        (
            vec![variance(), f32s("0.kernel", &[2, 3], &SIX)],
            "it has `0.kernel` of shape [2, 3] instead",
        ),
        (vec![weight(&SIX)], "no tensor `bn.running_var` of shape [2]: its 1 tensors are"),
        (vec![], "no tensors at all"),
        (
            vec![variance(), f32s("fc.weight", &[3, 2], &SIX)],
            "`fc.weight` has shape [3, 2] in the file and [2, 3] in the network: it looks transposed",
        ),
        (
            vec![variance(), f32s("fc.weight", &[6], &SIX)],
            "[6] in the file and [2, 3] in the network",
        ),
        (
            vec![variance(), weight(&SIX), f32s("z", &[1], &[0.0]), f32s("aux", &[1], &[0.0])],
            "the network has no tensor `aux`",
        ),
        (
            vec![variance(), weight(&[1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0])],
            "`fc.weight` has NaN as value 1",
        ),
        (vec![variance(), weight(&[f32::NEG_INFINITY; 6])], "`fc.weight` has -inf as value 0"),
        (
            vec![variance(), f64s("fc.weight", &[2, 3], &[1e39; 6])],
            "1e39 as value 0, which is too large for F32",
        ),
        (
            vec![variance(), f64s("fc.weight", &[2, 3], &[f64::INFINITY; 6])],
            "inf as value 0: expected finite",
        ),
        (
            vec![f32s("bn.running_var", &[2], &[1.0, -1.0]), weight(&SIX)],
            "expected a variance of at least 0",
        ),
        (
            vec![variance(), Stored("fc.weight", Dtype::I8, vec![2, 3], vec![1; 6])],
            "`fc.weight` is of type I8",
        ),
    ] {
        let message = error(&tensors);
        assert!(message.contains(expected), "{message}");
        // Whatever the order in which a table of names gives them.
        (0..8).for_each(|_| assert_eq!(error(&tensors), message));
    }
    let message = genome().import_bytes(b"nonsense").unwrap_err().to_string();
    assert!(message.contains("not a safetensors file"), "{message}");
}

#[test]
fn a_file_is_read_no_further_than_the_network_needs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("network");
    let message = || genome().import(&path).unwrap_err().to_string();
    assert!(message().contains("cannot read"));
    fs::write(&path, b"GGUF").unwrap();
    let sparse = |length: u64| fs::File::options().write(true).open(&path).unwrap().set_len(length);
    sparse(1 << 40).unwrap();
    assert!(message().contains("GGUF"), "{}", message());
    fs::write(&path, b"\x08\0\0\0\0\0\0\0{}      ").unwrap();
    sparse(1 << 40).unwrap();
    let most = 8 * 8 + HEADER;
    assert!(
        message().contains(&format!("expected at most {most}, since the network has 8 values")),
        "{}",
        message()
    );
    fs::write(
        &path,
        file(&[f32s("m.bn.running_var", &[2], &[1.0; 2]), f32s("m.fc.weight", &[2, 3], &SIX)]),
    )
    .unwrap();
    assert_eq!(genome().import(&path).unwrap().dropped, "m.");
    assert!(genome().import(dir.path()).unwrap_err().to_string().contains("folder"));
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(bytes in corrupted(&file(&[
        f32s("m.bn.running_var", &[2], &[1.0; 2]),
        f64s("m.fc.weight", &[2, 3], &[0.5; 6]),
    ]))) {
        if let Ok(import) = genome().import_bytes(&bytes) {
            prop_assert!(import.genome.values().unwrap().iter().all(|v| v.is_finite()));
        }
    }
}
