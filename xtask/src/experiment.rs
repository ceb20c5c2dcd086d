//! `cargo xtask evidence` and `figure`: the experiment behind BENCHMARKS.md, and its drawing.

use crate::failure::Failure;
use crate::process::{cargo, show};

pub(crate) fn evidence(args: &[String]) -> Result<(), Failure> {
    run("evidence", args)
}

pub(crate) fn figure(args: &[String]) -> Result<(), Failure> {
    if args.len() != 2 {
        return Err(Failure::Usage(format!(
            "`cargo xtask figure` got {} arguments, expected two: the folder of a run and the \
             .svg file to write",
            args.len()
        )));
    }
    run("figure", args)
}

/// Experiments run optimised: an unoptimised one would take hours.
fn run(program: &str, args: &[String]) -> Result<(), Failure> {
    let mut command = cargo(&["run", "--release", "-p", "esgd-bench", "--bin", program, "--"]);
    // The paths among `args` are relative to where the caller stands, not to the root.
    show(command.args(args).current_dir("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_needs_a_run_and_a_file() {
        assert!(matches!(figure(&["run".into()]), Err(Failure::Usage(_))));
    }
}
