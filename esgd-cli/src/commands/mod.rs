//! The command line of the program `esgd`.
//!
//! Exit status: 0 when all is well, 1 for a failure, 2 for a mistake in what was asked, 130 when
//! interrupted, 143 when terminated. Every error is one sentence on stderr.

mod args;
mod combine;
mod compare;
mod comparison_bar;
mod data;
mod download_bar;
mod ended;
mod evaluate;
mod heartbeat;
mod progress;
mod report;
mod resume;
mod terminal;
mod train;
mod verify;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{
    commands::args::{Args, Command, ConfigArgs},
    config::presets,
    failure::Failure,
    text::safe::one_line,
};

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    // One thread an individual: candle's own pools would take the cores from the population. It
    // reads these when the first tensor is made, and no thread is running yet.
    for name in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        std::env::set_var(name, "1");
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Arguments that move nothing are told of in one line each.
            let plain = |arg: OsString| one_line(&arg.to_string_lossy()).into_owned();
            let again = Args::try_parse_from(std::env::args_os().map(plain));
            return explain(&again.err().unwrap_or(error));
        }
    };
    ended(match args.command {
        Command::Train(args) => train::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Combine(args) => combine::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Presets => terminal::print(&presets::listing()),
        Command::Config(ConfigArgs { preset, .. }) => {
            presets::text(preset.as_deref().unwrap_or("default")).and_then(terminal::print)
        }
    })
}

/// Says what went wrong, if something did.
fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::notice(&failure.to_string());
            status(&failure)
        }
    }
}

/// The exit status of a failure.
fn status(failure: &Failure) -> ExitCode {
    ExitCode::from(match failure {
        Failure::Usage(_) => 2,
        Failure::Failed(_) => 1,
        Failure::Interrupted { signal, .. } => 128 + signal,
    })
}

/// Help, the version, or what is wrong with the command line.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        text.lines().for_each(terminal::say);
        return ExitCode::from(2);
    }
    ended(terminal::print(&text))
}
