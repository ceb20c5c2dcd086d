//! `cargo xtask bench`: the benches, under the hardware and the commit they ran on.
//!
//! `ops` is a program with options of its own: its contestants run in turn, which criterion's
//! benches, one after the other, cannot.

use crate::failure::Failure;
use crate::process::{cargo, show};
use crate::{hardware, nearest};

const BENCHES: [&str; 1] = ["generation"];
pub(crate) const PROGRAM: &str = "ops";

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut command = cargo(&["bench", "-p", "esgd-bench"]);
    match args {
        [name, options @ ..] if name == PROGRAM => return ops(options),
        [] => {}
        [name] if BENCHES.contains(&name.as_str()) => {
            command.args(["--bench", name]);
        }
        [name] => {
            let known: Vec<&str> = BENCHES.into_iter().chain([PROGRAM]).collect();
            return Err(nearest::unknown("bench", name, &known));
        }
        _ => {
            let known = BENCHES.join("` or `");
            return Err(Failure::Usage(format!(
                "`cargo xtask bench` takes one bench, expected `{known}`, or none to run all, or \
                 `ops` and its options"
            )));
        }
    }
    eprintln!("{}", hardware::describe());
    show(&mut command)
}

/// Tables go to the standard output, so the hardware does too.
fn ops(options: &[String]) -> Result<(), Failure> {
    let help = options.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help"));
    if !help {
        println!("```text\n{}\n```\n", hardware::describe());
    }
    let mut command = cargo(&["run", "--release", "-p", "esgd-bench", "--bin", PROGRAM, "--"]);
    // The path of a figure is relative to where the caller stands, not to the root.
    show(command.args(options).current_dir("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_that_is_not_there_is_a_wrong_command_line() {
        assert!(matches!(run(&["generatoin".into()]), Err(Failure::Usage(_))));
        let two = ["generation", "generation"].map(String::from);
        assert!(matches!(run(&two), Err(Failure::Usage(_))));
    }
}
