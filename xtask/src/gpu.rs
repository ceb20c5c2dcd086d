//! `cargo xtask gpu`: builds the program `gpu`, which needs no CUDA, and runs it, which does.
//!
//! Where there is a GPU and no cargo, the program alone will do, with `ESGD_PEERS` naming the folder
//! `esgd-bench/peers`.

use crate::failure::Failure;
use crate::hardware;
use crate::process::{cargo, show};

pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    if !options.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        println!("```text\n{}\n```\n", hardware::describe());
    }
    let build =
        ["run", "--release", "-p", "esgd-bench", "--features", "cuda", "--bin", "gpu", "--"];
    show(cargo(&build).args(options))
}
