//! `cargo xtask bench`: the benches, under the hardware and the commit they ran on.
//!
//! `ops` and `train` are programs with options of their own: their contestants run in turn, which
//! criterion's benches, one after the other, cannot.

use crate::failure::Failure;
use crate::process::{cargo, show};
use crate::{hardware, nearest};

const BENCHES: [&str; 1] = ["generation"];
pub(crate) const PROGRAMS: [&str; 2] = ["ops", "train"];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut command = cargo(&["bench", "-p", "esgd-bench"]);
    match args {
        [name, options @ ..] if PROGRAMS.contains(&name.as_str()) => return program(name, options),
        [] => {}
        [name] if BENCHES.contains(&name.as_str()) => {
            command.args(["--bench", name]);
        }
        [name] => {
            let known: Vec<&str> = BENCHES.into_iter().chain(PROGRAMS).collect();
            return Err(nearest::unknown("bench", name, &known));
        }
        _ => {
            let known = BENCHES.join("` or `");
            return Err(Failure::Usage(format!(
                "`cargo xtask bench` takes one bench, expected `{known}`, or none to run all, or \
                 `ops` or `train` and its options"
            )));
        }
    }
    eprintln!("{}", hardware::describe());
    show(&mut command)
}

/// Tables go to the standard output, so the hardware does too.
fn program(name: &str, options: &[String]) -> Result<(), Failure> {
    let help = options.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help"));
    if !help {
        println!("```text\n{}\n```\n", hardware::describe());
    }
    let mut command = cargo(&["run", "--release", "-p", "esgd-bench", "--bin", name, "--"]);
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
