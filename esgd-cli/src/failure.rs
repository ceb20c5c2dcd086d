//! Why the program ends with something other than success.

use std::process::ExitCode;

use thiserror::Error;

/// A failure, as one sentence, with its exit status.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was asked for cannot be done: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// It could be asked for and did not work: exit status 1.
    #[error("{0}")]
    Failed(String),
    /// Ctrl-C or SIGTERM, after everything was saved: exit status 130 or 143.
    #[error("{message}")]
    Interrupted { signal: u8, message: String },
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
            Self::Interrupted { signal, .. } => 128 + signal,
        })
    }
}

impl From<esgd_models::Error> for Failure {
    fn from(error: esgd_models::Error) -> Self {
        match error {
            // A folder, a number of samples, a recipe: what was asked for.
            esgd_models::Error::Data(_)
            | esgd_models::Error::Read { .. }
            | esgd_models::Error::Recipe(_) => Self::Usage(error.to_string()),
            // candle puts a backtrace behind its first line.
            other => Self::Failed(other.to_string().lines().next().unwrap_or_default().to_owned()),
        }
    }
}
