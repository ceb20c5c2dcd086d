//! What can go wrong with data, weights and recipes, each in one sentence.

use std::{io, path::PathBuf};

use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Error)]
pub enum Error {
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Candle(#[from] candle_core::Error),
    /// A GPU failed, or is not there.
    #[cfg(feature = "cuda")]
    #[error(transparent)]
    Cuda(#[from] esgd_ops::cuda::Error),
    /// A network that cannot be made of others.
    #[error(transparent)]
    Build(#[from] esgd_core::BuildError),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {fault}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, what was expected, what to do.
        fault: String,
    },
    /// A request for data that cannot be met.
    #[error("{0}")]
    Data(String),
    /// A recipe that no optimizer understands.
    #[error("{0}")]
    Recipe(String),
    /// A network that cannot be.
    #[error("{0}")]
    Network(String),
    /// Weights that do not fit the network.
    #[error("the weights do not fit the network: {0}")]
    Weights(String),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
