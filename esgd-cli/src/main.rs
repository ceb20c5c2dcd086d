//! The program `esgd`: trains a population of networks with Evolutionary Stochastic Gradient Descent.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    esgd::commands::run()
}
