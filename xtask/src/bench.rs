//! `cargo xtask bench`: the benches, under the hardware and the commit they ran on.

use crate::failure::Failure;
use crate::process::{cargo, show};
use crate::{hardware, nearest};

const BENCHES: [&str; 2] = ["evolution", "generation"];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut command = cargo(&["bench", "-p", "esgd-bench"]);
    match args {
        [] => {}
        [name] if BENCHES.contains(&name.as_str()) => {
            command.args(["--bench", name]);
        }
        [name] => return Err(nearest::unknown("bench", name, &BENCHES)),
        _ => {
            let known = BENCHES.join("` or `");
            return Err(Failure::Usage(format!(
                "`cargo xtask bench` takes one bench, expected `{known}`, or none to run all"
            )));
        }
    }
    eprintln!("{}", hardware::describe());
    show(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_that_is_not_there_is_a_wrong_command_line() {
        assert!(matches!(run(&["generatoin".into()]), Err(Failure::Usage(_))));
        let both = BENCHES.map(String::from);
        assert!(matches!(run(&both), Err(Failure::Usage(_))));
    }
}
