//! What a config is laid together from.

use std::path::PathBuf;

/// Everything that a config is laid together from, the later over the earlier.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Presets, laid over one another.
    pub presets: Vec<String>,
    /// A config file (TOML); it names only what differs from the defaults.
    pub file: Option<PathBuf>,
    /// Settings, each as `KEY=VALUE`.
    pub sets: Vec<String>,
    /// What every random number follows from.
    pub seed: Option<u64>,
    /// The folder with the data.
    pub data: Option<PathBuf>,
    /// Where to train: `cpu`, or `cuda:N`.
    pub device: Option<String>,
}
