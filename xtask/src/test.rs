//! `cargo xtask test`: every test of the workspace, and the examples of esgd-core.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process::{cargo, show};

const DATA: &str = "ESGD_DATA";

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let extra = cargo_test_args(args)?;
    let data = data_folder()?;
    report_data(data.as_deref());
    let step = |args: &[&str], extra: &[String]| {
        let mut command = cargo(args);
        command.args(extra);
        pass_data(&mut command, data.as_deref());
        show(&mut command)
    };
    // Alone, esgd-core cannot borrow a feature that another crate switched on.
    step(&["build", "-p", "esgd-core"], &[])?;
    step(&["test", "--workspace"], &extra)?;
    step(&["test", "-p", "esgd-core", "--features", "laws"], &extra)?;
    let example = ["run", "-q", "-p", "esgd-core", "--example"];
    step(&[&example[..], &["rosenbrock"]].concat(), &[])?;
    step(&[&example[..], &["outsider", "--features", "laws"]].concat(), &[])?;
    // Once more, for the first time has scrolled away by now.
    report_data(data.as_deref());
    Ok(())
}

/// What goes to `cargo test` after our own arguments: all that follows `--`, and
/// `--include-ignored` behind the `--` that parts cargo's arguments from the tests' own.
fn cargo_test_args(args: &[String]) -> Result<Vec<String>, Failure> {
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (own, extra) = args.split_at(split);
    let mut extra = extra.iter().skip(1).cloned().collect::<Vec<_>>();
    let mut ignored = false;
    for arg in own {
        if arg != "--ignored" {
            return Err(Failure::Usage(format!(
                "`cargo xtask test` has no argument `{arg}`, expected `--ignored`, or `--` and then \
                 the arguments of `cargo test`"
            )));
        }
        ignored = true;
    }
    if ignored {
        if !extra.iter().any(|arg| arg == "--") {
            extra.push("--".into());
        }
        extra.push("--include-ignored".into());
    }
    Ok(extra)
}

/// The folder with the real data, made absolute because each test runs in its crate's folder.
fn data_folder() -> Result<Option<PathBuf>, Failure> {
    let Some(value) = env::var_os(DATA).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let folder = Path::new(&value).canonicalize().ok().filter(|folder| folder.is_dir());
    let Some(folder) = folder else {
        let value = value.display();
        return Err(Failure::Failed(format!(
            "{DATA} is `{value}`, expected a folder with the real data; correct or unset it"
        )));
    };
    Ok(Some(folder))
}

fn report_data(data: Option<&Path>) {
    match data {
        Some(folder) => {
            eprintln!("{DATA} is {}: the tests on real data run", folder.display());
        }
        None => eprintln!("{DATA} is not set: the tests on real data are SKIPPED"),
    }
}

fn pass_data(command: &mut Command, data: Option<&Path>) {
    match data {
        Some(folder) => command.env(DATA, folder),
        None => command.env_remove(DATA),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(line: &str) -> Result<String, Failure> {
        let args: Vec<String> = line.split_whitespace().map(String::from).collect();
        cargo_test_args(&args).map(|extra| extra.join(" "))
    }

    #[test]
    fn what_follows_the_dashes_goes_to_cargo_test() {
        assert_eq!(extra("").unwrap(), "");
        assert_eq!(extra("-- philox -- --nocapture").unwrap(), "philox -- --nocapture");
    }

    #[test]
    fn ignored_tests_join_behind_the_dashes_of_cargo_test() {
        assert_eq!(extra("--ignored").unwrap(), "-- --include-ignored");
        assert_eq!(extra("--ignored -- philox").unwrap(), "philox -- --include-ignored");
        assert_eq!(
            extra("--ignored -- philox -- --nocapture").unwrap(),
            "philox -- --nocapture --include-ignored"
        );
    }

    #[test]
    fn an_argument_before_the_dashes_must_be_known() {
        assert!(matches!(extra("--ignore"), Err(Failure::Usage(_))));
        assert!(matches!(extra("philox"), Err(Failure::Usage(_))));
    }
}
