//! Why what was asked for was not done.

use esgd_core::settings::SettingsError;
use thiserror::Error;

use crate::text::first_line::first_line;

/// A failure, as one sentence.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was asked for cannot be done.
    #[error("{0}")]
    Usage(String),
    /// It could be asked for and did not work.
    #[error("{0}")]
    Failed(String),
    /// Ctrl-C or SIGTERM, after everything was saved.
    #[error("{message}")]
    Interrupted {
        /// The number of the signal: 2 or 15, or 1 of a terminal that was closed.
        signal: u8,
        /// What there is to say.
        message: String,
    },
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<esgd_models::Error> for Failure {
    fn from(error: esgd_models::Error) -> Self {
        match error {
            // A folder, a number of samples, a recipe: what was asked for.
            esgd_models::Error::Data(_)
            | esgd_models::Error::Read { .. }
            | esgd_models::Error::Recipe(_) => Self::Usage(error.to_string()),
            other => Self::Failed(first_line(&other)),
        }
    }
}
