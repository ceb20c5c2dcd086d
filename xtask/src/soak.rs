//! `cargo xtask soak`: runs of the program that are killed, damaged and starved, and parsers that are fed
//! damaged input.

use crate::failure::Failure;
use crate::hardware;
use crate::process::{cargo, root, show};

/// Inputs that each of the parsers' eight tests is fed: over ten million in all.
const INPUTS: usize = 1_300_000;

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let help = args.iter().any(|arg| matches!(arg.as_str(), "-h" | "--help"));
    let parts: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let others = parts.iter().any(|part| *part != "fuzz") || parts.is_empty() || help;
    if !help {
        println!("```text\n{}\n```\n", hardware::describe());
    }
    if others {
        show(&mut cargo(&["build", "--release", "-p", "esgd-cli"]))?;
        let soak = ["run", "--release", "-p", "esgd-bench", "--bin", "soak", "--"];
        let mut command = cargo(&soak);
        // cargo's own variable says where it builds, if that is not here.
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
        command.arg(target.join("release/esgd")).args(args.iter().filter(|arg| *arg != "fuzz"));
        show(&mut command)?;
    }
    if !help && (parts.is_empty() || parts.iter().any(|part| *part == "fuzz")) {
        let inputs = if args.iter().any(|arg| arg == "--quick") { INPUTS / 10 } else { INPUTS };
        let tests = ["test", "--release", "-p", "esgd-models", "-p", "esgd-cli", "no_damage"];
        show(cargo(&tests).env("PROPTEST_CASES", inputs.to_string()))?;
        println!("fuzz       {inputs} damaged inputs to each of eight parsers: no panic");
    }
    Ok(())
}
