//! The CUDA kernels compile, for every GPU from sm_75 on, and nothing in what they compile to can be
//! rounded otherwise than they say. NVRTC does this without a GPU; of the Python package
//! nvidia-cuda-nvrtc the test finds it, or under the folder that `ESGD_CUDA_DIR` or `CUDA_HOME` names.
#![cfg(target_os = "linux")]

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
};

#[path = "shim/dynamic.rs"]
mod dynamic;
#[path = "shim/nvrtc.rs"]
mod nvrtc;
#[path = "../src/cuda/source.rs"]
mod source;

use dynamic::Library;

/// NVRTC, or a line, once, that says it is missing.
fn compiler() -> Option<Library> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let found = nvrtc::find();
    if found.is_none() && !TOLD.swap(true, Ordering::Relaxed) {
        // Not by a macro, whose output a test that passes would hide.
        let line = "SKIPPED: no NVRTC, install it to compile the CUDA kernels: \
                    pip install nvidia-cuda-nvrtc==13.0.88";
        writeln!(std::io::stderr(), "{line}").expect("standard error can be written");
    }
    found
}

/// The instructions of a PTX, without their operands.
fn instructions(ptx: &str) -> impl Iterator<Item = &str> {
    ptx.lines().filter_map(|line| {
        let line = line.trim();
        let line = if line.starts_with('@') { line.split_once(' ')?.1.trim() } else { line };
        let name = line.split([' ', '\t', ';']).next()?;
        name.contains('.').then_some(name).filter(|name| !name.starts_with('.'))
    })
}

/// An instruction on floating-point numbers that rounds, and does not say that it rounds exactly.
fn is_loose(instruction: &str) -> bool {
    let operation = instruction.split('.').next().unwrap_or_default();
    let rounds = [
        "add", "sub", "mul", "mad", "fma", "div", "sqrt", "rcp", "rsqrt", "sin", "cos", "lg2",
        "ex2",
    ];
    let floats = instruction.ends_with(".f32") || instruction.ends_with(".f64");
    let exact = instruction.contains(".rn") && !instruction.contains(".ftz");
    floats && rounds.contains(&operation) && !exact
}

#[test]
fn the_kernels_compile_for_every_gpu() {
    let Some(nvrtc) = compiler() else { return };
    for arch in ["compute_75", "compute_80", "compute_90", "compute_100", "compute_120"] {
        let option = format!("--gpu-architecture={arch}");
        let ptx = nvrtc::ptx(nvrtc, &source::source(), &["--std=c++17", "--fmad=false", &option]);
        for name in source::NAMES {
            assert!(ptx.contains(&format!(".visible .entry {name}(")), "{name} for {arch}");
        }
    }
}

#[test]
fn every_operation_is_rounded_exactly() {
    let Some(nvrtc) = compiler() else { return };
    let with = |fmad| nvrtc::ptx(nvrtc, &source::source(), &["--std=c++17", fmad]);
    let ptx = with("--fmad=false");
    let mut loose: Vec<_> = instructions(&ptx).filter(|name| is_loose(name)).collect();
    loose.dedup();
    // What is made of this one is tried on each GPU before it is used.
    assert_eq!(loose, ["rsqrt.approx.ftz.f32"]);
    for exact in ["fma.rn.f32", "add.rn.f32", "mul.rn.f32", "div.rn.f32", "mul.rn.f64"] {
        assert!(instructions(&ptx).any(|name| name == exact), "{exact}");
    }
    // Nothing is left to fuse: each product and sum says how it is rounded.
    assert_eq!(ptx, with("--fmad=true"));
}

#[test]
fn what_the_test_looks_for_it_finds() {
    let ptx = "\t@%p1 bra \t$L;\n\tadd.f32 \t%f1, %f2, %f3;\n\t@%p2 mul.rn.f32 %f1, %f1;\n";
    let found: Vec<_> = instructions(ptx).collect();
    assert_eq!(found, ["add.f32", "mul.rn.f32"]);
    let loose = ["add.f32", "mul.ftz.f32", "add.rn.ftz.f32", "sqrt.approx.f32", "sin.approx.f32"];
    assert!(loose.into_iter().all(is_loose));
    assert!(!["add.s32", "add.rn.f32", "mov.f32", "mul.wide.u32"].into_iter().any(is_loose));
    let Some(nvrtc) = compiler() else { return };
    let source = "extern \"C\" __global__ void k(float* x) { *x = *x * *x + 1.0f; }";
    let [kept, fused] = ["--fmad=false", "--fmad=true"].map(|o| nvrtc::ptx(nvrtc, source, &[o]));
    assert!(kept != fused && instructions(&fused).any(|name| name == "fma.rn.f32"));
}
