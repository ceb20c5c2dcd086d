//! What the rivals of a comparison are told beside the config of a run: the table `compare`.

use esgd_core::{OptimizerPool, OptimizerSpec, Schedule};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rivals {
    /// The recipe of the single runs.
    pub single: OptimizerSpec,
    /// The learning rates that tuning tries.
    pub rates: Vec<f64>,
    /// How learning rates that rivals draw from the run's optimizers are annealed.
    pub anneal: Schedule,
}

impl Rivals {
    /// The single run's recipe as a pool to draw it from.
    pub(crate) fn pool(&self) -> OptimizerPool {
        OptimizerPool(vec![OptimizerSpec { weight: 1.0, ..self.single.clone() }])
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        esgd_models::recipe::check_pool(&self.pool())
            .map_err(|e| Failure::Usage(format!("compare.single: {e}")))?;
        self.check_rates("compare.rates")?;
        match self.anneal.fault() {
            Some(fault) => Err(Failure::Usage(format!("compare.anneal: {fault}"))),
            None => Ok(()),
        }
    }

    /// Checks the learning rates, which are called `what`.
    pub(crate) fn check_rates(&self, what: &str) -> Result<(), Failure> {
        let refused = |why: String| Err(Failure::Usage(why));
        if self.rates.is_empty() {
            return refused(format!("{what} is empty: expected at least one learning rate to try"));
        }
        if self.rates.len() > 1000 {
            let n = self.rates.len();
            return refused(format!("{what} has {n} learning rates: expected at most 1000"));
        }
        let mut sorted = self.rates.clone();
        sorted.sort_by(f64::total_cmp);
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return refused(format!("{what} has {:?} twice: expected rates that differ", twice[0]));
        }
        let is_rate = |rate: &f64| *rate > 0.0 && *rate <= f64::from(f32::MAX);
        match self.rates.iter().find(|rate| !is_rate(rate)) {
            Some(rate) => refused(format!(
                "{what} has {rate:?}: expected learning rates above 0, and below 3.4e38"
            )),
            None => Ok(()),
        }
    }
}
