//! What users of the library are told when something was not done.

use thiserror::Error;

use crate::failure::Failure;

/// Why something was not done, as one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be done as it was asked for: other settings, another problem, a folder that is in use.
    #[error("{0}")]
    Refused(String),
    /// It could be asked for and did not work: a full disk, a damaged file, a problem that failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Usage(why) => Self::Refused(why),
            Failure::Failed(why) | Failure::Interrupted { message: why, .. } => Self::Failed(why),
        }
    }
}
