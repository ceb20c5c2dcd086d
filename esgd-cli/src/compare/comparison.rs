//! The result of a comparison.

use std::path::PathBuf;

use esgd_core::budget::STEP;
use serde::{Deserialize, Serialize};

use super::{methods::Method, rows::Row};
use crate::{
    failure::Failure,
    text::{
        numbers::{count, thousands},
        safe::{lines, one_line},
    },
};

/// The result of a comparison, as `comparison.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub(crate) network: String,
    /// Multiplications with additions of one sample's forward pass.
    pub(crate) macs: u64,
    pub(crate) data: String,
    pub(crate) train: usize,
    pub(crate) fitness: usize,
    pub(crate) test: usize,
    /// In forward passes of a sample.
    pub(crate) budget: u64,
    pub(crate) seeds: Vec<u64>,
    pub(crate) rows: Vec<Row>,
    pub(crate) verdict: Vec<String>,
    /// The folders of the runs, each with its log.
    pub(crate) runs: Vec<Run>,
}

/// Where the log of a run is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub method: Method,
    pub seed: u64,
    pub rate: Option<f64>,
    pub folder: PathBuf,
}

impl Comparison {
    /// What it comes to, in sentences.
    pub fn verdict(&self) -> &[String] {
        &self.verdict
    }

    /// What was trained, and on what if that has a name.
    pub(crate) fn name(&self) -> String {
        let network = one_line(&self.network);
        match self.data.is_empty() {
            true => network.into_owned(),
            false => format!("{network} on {}", one_line(&self.data)),
        }
    }

    /// The same with how many samples there were, if a problem has some.
    pub(crate) fn on_what(&self) -> String {
        match self.data.is_empty() && self.train == 1 && self.fitness == 1 {
            true => self.name(),
            false => format!("{}: {}", self.name(), self.samples()),
        }
    }

    fn samples(&self) -> String {
        let of = |n: usize| thousands(n as u64);
        let train = count(self.train, "sample", "samples");
        format!("{train} to train, {} to choose by, {} to test", of(self.fitness), of(self.test))
    }

    /// The budget in epochs of gradient steps.
    pub(crate) fn epochs(&self) -> f64 {
        self.budget as f64 / (STEP as f64 * self.train as f64)
    }

    /// As `comparison.json`.
    ///
    /// # Errors
    /// None that is known: every number can be written.
    pub fn to_json(&self) -> Result<String, Failure> {
        let json =
            serde_json::to_string_pretty(self).map_err(|e| Failure::Failed(e.to_string()))?;
        Ok(lines(&json).into_owned())
    }
}
