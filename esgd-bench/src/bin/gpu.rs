//! Everything about the kernels that needs a GPU, in one call: bits first, then speed.

use std::process::ExitCode;

use esgd_bench::{
    Result,
    gpu::{answers, bits, comparison, hardware},
    ops::shape::Shape,
};
use esgd_ops::cuda::Kernels;

const HELP: &str = "\
Compares the kernels' bits on GPU 0 with the CPU's, then times them next to a copy, PyTorch, and
cuRAND with cuBLAS.

Usage: gpu [--quick]

Options:
  --quick     Small sizes, to try it out
  -h, --help  Prints this help

PyTorch runs in a script of the folder esgd-bench/peers, which ESGD_PEERS may name elsewhere.
Exit status: 0 all bits agree, 1 some differ or the GPU fails, 2 the command line is wrong.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["-h" | "--help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        // As a contestant of its own, it only answers lines.
        ["serve"] => answers::answer_all().map(|()| true),
        [] => run(false),
        ["--quick"] => run(true),
        _ => {
            eprintln!("gpu: `{}` is no option, expected `--quick` or none", args.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gpu: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all bits agree.
fn run(quick: bool) -> Result<bool> {
    println!("{}", hardware::describe());
    let kernels = Kernels::on_device(0)?;
    let comparisons = bits::compare_all(&kernels)?;
    drop(kernels);
    let numbers: usize = comparisons.iter().map(|c| c.compared).sum();
    let mut agree = true;
    for c in comparisons.iter().filter(|c| c.different > 0) {
        println!("{} of {} numbers differ: {}", c.different, c.compared, c.what);
        agree = false;
    }
    if agree {
        println!("Bits: all {numbers} numbers of {} comparisons agree.\n", comparisons.len());
    }
    let lengths = if quick { vec![1 << 16] } else { vec![25_000_000] };
    comparison::print(&Shape { parents: 16, offspring: 64, rho: 2, lengths }, 9)?;
    if !quick {
        // A network that a GPU finds small.
        let lengths = esgd_bench::ops::shape::resnet18(40);
        comparison::print(&Shape { parents: 16, offspring: 64, rho: 2, lengths }, 9)?;
        comparison::print(
            &Shape { parents: 16, offspring: 64, rho: 4, lengths: vec![25_000_000] },
            9,
        )?;
    }
    Ok(agree)
}
