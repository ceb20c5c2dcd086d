//! What a comparison is of: a problem, what its methods are told and cost, and what is written of them.

use std::path::Path;

use esgd_core::{Portable, Settings};
use esgd_models::regular_file::{self, Links};

use super::{costs::Costs, methods::Method, predictor::Predictor, trial::Identity};
use crate::{
    config::{Config, Described, Rivals},
    failure::Failure,
    run::folder::MOST,
};

/// Everything that all runs of a comparison have in common.
pub(super) struct Subject<'a, P: Portable> {
    pub problem: &'a P,
    /// Those of ESGD's own run.
    pub settings: &'a Settings,
    pub rivals: &'a Rivals,
    pub costs: Costs,
    pub about: About,
    /// What a result is known by.
    pub identity: Identity,
    pub configs: &'a dyn Configs,
    pub predictor: Option<&'a dyn Predictor<P>>,
    /// More bytes than a network, or what an optimizer remembers of one, has as a file.
    pub most_bytes: u64,
    /// By how much fitness may differ on another processor, where that is more than a rounding.
    pub slack: f64,
    /// The share of the time that writing checkpoints may take.
    pub checkpoint_share: f64,
}

impl<P: Portable> Subject<'_, P> {
    /// Whether there is all that a method needs.
    pub(super) fn has(&self, method: Method) -> bool {
        (self.costs.predicts || !method.averages())
            && (!self.rivals.rates.is_empty() || !method.tries_rates())
    }
}

/// What is told of a problem.
pub(super) struct About {
    /// What it is called.
    pub network: String,
    /// Multiplications with additions of one sample's forward pass; 0 where it is not known.
    pub macs: u64,
    pub data: String,
    pub test: usize,
}

/// How the config of a run is written and read.
pub(super) trait Configs: Sync {
    /// The config of a run with these settings.
    fn to_toml(&self, settings: &Settings) -> Result<String, Failure>;

    /// What a config that was written so says; `source` is named in errors.
    fn settings(&self, text: &str, source: &str) -> Result<Settings, Failure>;
}

impl Configs for Config {
    fn to_toml(&self, settings: &Settings) -> Result<String, Failure> {
        Self { settings: settings.clone(), ..self.clone() }.to_toml()
    }

    fn settings(&self, text: &str, source: &str) -> Result<Settings, Failure> {
        Ok(Self::with_changes(text, source, &[])?.settings)
    }
}

/// Of a problem that the program does not know.
impl Configs for Described {
    fn to_toml(&self, settings: &Settings) -> Result<String, Failure> {
        Self { settings: settings.clone(), ..self.clone() }.to_toml()
    }

    fn settings(&self, text: &str, source: &str) -> Result<Settings, Failure> {
        Ok(Self::of_toml(text, source)?.settings)
    }
}

impl dyn Configs + '_ {
    /// The settings of a run's folder, if it has a config.
    pub(super) fn of_file(&self, path: &Path) -> Option<Settings> {
        let text = regular_file::read_text(path, MOST, Links::Refuse).ok()?;
        self.settings(&text, "the config").ok()
    }
}
