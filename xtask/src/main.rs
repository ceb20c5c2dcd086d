//! The chores of the workspace, as `cargo xtask COMMAND`.

mod bench;
mod failure;
mod figures;
mod gpu;
mod hardware;
mod nearest;
mod process;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use failure::Failure;

const COMMANDS: [&str; 6] = ["test", "bench", "gpu", "soak", "figures", "tidy"];

const HELP: &str = "\
The chores of the workspace.

Usage: cargo xtask COMMAND

Commands:
  test [--ignored] [-- ARGS…]     Runs every test, and the examples of esgd-core
  bench [generation]              Prints the hardware and runs the benches of esgd-bench
  bench ops|train [ARGS…]         Compares the speed of making offspring, or of training, with others'
  gpu [--quick]                   Checks the kernels' bits on a GPU, then their speed
  soak [PART…] [--quick]          Kills, damages and starves runs, and fuzzes the parsers: minutes
  figures [DIR]                   Makes the tables of docs/benchmarks/methods.md and the figures in docs anew: of the
                                  digits, and of Fashion-MNIST and CIFAR-10 if DIR has them: an hour each
  tidy                            Checks the rules of the house

Options:
  --ignored      With test: also runs the tests marked #[ignore]
  -- ARGS…       With test: arguments for `cargo test`, such as `-- philox -- --nocapture`
  -h, --help     Prints this help

Environment:
  ESGD_DATA      Folder with the real data sets (fashion-mnist/*.gz in IDX form);
                 the tests on real data are skipped without it

Exit status: 0 all is well, 1 a check or a program failed, 2 the command line is wrong.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn run(args: &[String]) -> Result<(), Failure> {
    let Some((command, rest)) = args.split_first() else {
        return Err(Failure::Usage(format!("a command is missing\n\n{HELP}")));
    };
    if asks_for_help(command, rest) {
        print!("{HELP}");
        return Ok(());
    }
    match command.as_str() {
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "gpu" => gpu::run(rest),
        "soak" => soak::run(rest),
        "figures" => figures::run(rest),
        "tidy" => tidy::run(rest),
        unknown => Err(nearest::unknown("command", unknown, &COMMANDS)),
    }
}

/// `soak` and `bench ops` have options of their own, so their `--help` goes on to them, as does
/// all after `--`.
fn asks_for_help(command: &str, rest: &[String]) -> bool {
    let is_help = |arg: &str| matches!(arg, "-h" | "--help");
    let has_its_own = match command {
        "gpu" | "soak" => true,
        "bench" => rest.first().is_some_and(|name| bench::PROGRAMS.contains(&name.as_str())),
        _ => false,
    };
    command == "help"
        || is_help(command)
        || (!has_its_own && rest.iter().take_while(|arg| *arg != "--").any(|arg| is_help(arg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn an_unknown_command_names_the_nearest_one() {
        let Err(Failure::Usage(message)) = run(&args("tset")) else {
            panic!("`tset` is no command");
        };
        assert!(message.contains("`test`"), "{message}");
    }

    #[test]
    fn no_command_is_a_wrong_command_line() {
        assert!(matches!(run(&[]), Err(Failure::Usage(_))));
    }

    #[test]
    fn the_help_names_every_command() {
        for command in COMMANDS {
            assert!(HELP.contains(&format!("\n  {command}")), "{command}");
        }
    }

    #[test]
    fn help_is_ours_unless_it_belongs_to_another_program() {
        assert!(asks_for_help("--help", &[]));
        assert!(asks_for_help("bench", &args("--help")));
        assert!(!asks_for_help("test", &args("-- --help")));
        assert!(!asks_for_help("soak", &args("--help")));
        assert!(!asks_for_help("bench", &args("ops --help")));
    }
}
