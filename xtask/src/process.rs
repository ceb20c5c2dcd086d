//! Other programs, run in the root of the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;

/// The folder that holds the workspace's `Cargo.toml`. cargo says at run time where that is: two
/// checkouts that share a target folder share this program, too.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR");
        Path::new(&here.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into())).join("..")
    })
}

/// The cargo that runs this very chore, so that `cargo +1.88 xtask test` tests with 1.88.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

pub(crate) fn git(args: &[&str]) -> Command {
    let mut command = Command::new("git");
    // A checkout mounted into a container often belongs to another user, and git then refuses
    // even to list it; whoever runs this already runs the checkout's code.
    let mut safe = OsString::from("safe.directory=");
    safe.push(root().canonicalize().unwrap_or_else(|_| root().to_path_buf()));
    command.arg("-c").arg(safe).args(args).current_dir(root());
    command
}

/// Runs `command` in plain sight, under a headline with its arguments.
pub(crate) fn show(command: &mut Command) -> Result<(), Failure> {
    let line = line(command);
    eprintln!("\n==> {line}");
    let status = command.status().map_err(|error| cannot_start(&line, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Failed(format!("`{line}` failed ({status}), see its output above")))
    }
}

/// Runs `command` out of sight and returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let line = line(command);
    let output = command.output().map_err(|error| cannot_start(&line, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        return Err(Failure::Failed(format!("`{line}` failed ({}): {said}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::Failed(format!("`{line}` printed text that is not UTF-8")))
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn cannot_start(line: &str, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("`{line}` could not be started ({error}), check that it is installed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn a_headline_names_the_program_without_its_folder() {
        let mut command = Command::new("/some/where/cargo");
        assert_eq!(line(command.args(["test", "--workspace"])), "cargo test --workspace");
    }

    #[test]
    fn a_program_that_is_not_there_is_a_sentence() {
        let failure = read(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failure.to_string().starts_with("`no-such-program` could not be started"));
    }
}
