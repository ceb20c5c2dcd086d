//! How a run is run: on what, for how long, and what it leaves.

use std::thread;

use esgd_core::{Settings, settings::Way};
use serde::{Deserialize, Serialize};

use super::MaxTime;
use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub device: String,
    pub threads: usize,
    pub control: bool,
    pub max_time: MaxTime,
    pub patience: usize,
    pub keep_best: usize,
    pub keep: usize,
    pub checkpoint_share: f64,
}

impl Run {
    /// The number of workers.
    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => thread::available_parallelism().map_or(1, Into::into),
            n => n,
        }
    }

    pub(crate) fn check(&self, settings: &Settings) -> Result<(), Failure> {
        let refuse = |what: String| Err(Failure::Usage(what));
        if self.threads > 1024 {
            return refuse(format!(
                "run.threads = {}: expected at most 1024, or 0 for one a core",
                self.threads
            ));
        }
        if self.keep == 0 {
            return refuse("run.keep = 0: expected at least 1 checkpoint to keep".into());
        }
        if !(0.0..=1.0).contains(&self.checkpoint_share) {
            return refuse(format!(
                "run.checkpoint_share = {:?}: expected a share of the time, 0 to 1",
                self.checkpoint_share
            ));
        }
        let (most, of) = match settings.guarantee.way {
            Way::Archive => (settings.m, "m, the size of the archive"),
            Way::BackOff => (settings.mu, "mu, the size of the population"),
        };
        if self.keep_best > most {
            return refuse(format!(
                "run.keep_best = {}, and there are {most} networks to keep ({of}): expected at most {most}",
                self.keep_best
            ));
        }
        Ok(())
    }
}
