//! The CUDA kernels give the bits of `esgd_core::plan::definition`: compiled as C++ they run here on the CPU,
//! with the tables that a GPU would get, and every number is compared.
#![cfg(target_os = "linux")]

use esgd_ops::recombine;

#[path = "shim/dynamic.rs"]
mod dynamic;
#[path = "shim/networks.rs"]
mod networks;
#[path = "shim/mod.rs"]
mod shim;
// The tables of the library itself, which is built without them where CUDA is not asked for.
#[allow(dead_code, unreachable_pub, unused_imports)]
#[path = "../src/cuda/tables/mod.rs"]
mod tables;

#[path = "shim/evolution.rs"]
mod evolution;
#[path = "shim/noise.rs"]
mod noise;
#[path = "shim/norm.rs"]
mod norm;
#[path = "shim/offspring.rs"]
mod offspring;
#[path = "shim/proofs.rs"]
mod proofs;
