//! The program, a small run of it, and what that leaves.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::Result;

/// A population that trains for a second or so.
const SETTINGS: [&str; 9] = [
    "generations=4",
    "epochs=2",
    "evolution_steps=2",
    "mu=6",
    "lambda=12",
    "rho=2",
    "m=4",
    "run.control=false",
    "run.checkpoint_share=1",
];

/// `esgd`.
#[derive(Clone, Debug)]
pub struct Program(pub PathBuf);

/// What a run left: its best network, and its log without the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    best: Vec<u8>,
    metrics: Vec<String>,
}

impl Program {
    /// `esgd train` of the small run.
    #[must_use]
    pub fn train(&self, out: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["train", "--quiet", "--out"]).arg(out);
        for set in SETTINGS.iter().chain(more) {
            command.args(["--set", set]);
        }
        command
    }

    /// `esgd resume`.
    #[must_use]
    pub fn resume(&self, run: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.arg("resume").arg(run).arg("--quiet");
        for set in more {
            command.args(["--set", set]);
        }
        command
    }

    /// Resumes a run, or begins it again if it was stopped before there was one; it must succeed.
    ///
    /// # Errors
    /// What the program says.
    pub fn finish(&self, run: &Path, more: &[&str]) -> Result<Left> {
        let begun = run.join("config.toml").is_file();
        let command = if begun { self.resume(run, &[]) } else { self.train(run, more) };
        succeed(command)?;
        left(run)
    }

    /// That `esgd verify` finds nothing wrong.
    ///
    /// # Errors
    /// What it finds.
    pub fn verify(&self, run: &Path) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.arg("verify").arg(run);
        succeed(command).map(|_| ())
    }
}

/// Runs a command that must succeed.
///
/// # Errors
/// What it says.
pub fn succeed(mut command: Command) -> Result<Output> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!(
            "{command:?}: {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
}

/// What a run that is complete has left.
///
/// # Errors
/// If a file cannot be read.
pub fn left(run: &Path) -> Result<Left> {
    let metrics = fs::read_to_string(run.join("metrics.jsonl"))?;
    let without_clock = |line: &str| line.split_once(',').map(|(_, rest)| rest.to_owned());
    Ok(Left {
        best: fs::read(run.join("best.safetensors"))?,
        metrics: metrics.lines().filter_map(without_clock).collect(),
    })
}

/// That a program which failed said so in one sentence, and did not panic.
///
/// # Errors
/// What it said instead.
pub fn failed_in_order(output: &Output) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let sentences = said.lines().filter(|line| line.starts_with("esgd: ")).count();
    if said.contains("panicked") || sentences == 0 {
        return Err(format!("{}: {said}", output.status).into());
    }
    Ok(())
}
