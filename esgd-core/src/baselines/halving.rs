//! Successive halving (Li et al., *A System for Massively Parallel Hyperparameter Tuning*, MLSys 2020) within a
//! budget: many recipes, a third of which goes on each time.

use crate::{HalvingSettings, OptimizerPool};

/// Halves as in the paper on ASHA: one of three goes on.
const ETA: usize = 3;

/// The run that spends so many epochs, all trials together; none if they are too few for a trial to be promoted.
#[must_use]
pub fn successive_halving(
    seed: u64,
    epochs: usize,
    optimizers: OptimizerPool,
) -> Option<HalvingSettings> {
    // A bracket of 27 trials at η = 3 takes three times the epochs of its longest, and who is promoted early some
    // more.
    let most = epochs / 4;
    let first = (most / ETA.pow(3)).max(1);
    // More workers would begin trials where one waits for others to be promoted with, and leave nothing for the
    // last rung.
    let (eta, budget, workers) = (ETA, epochs, 1);
    let settings = HalvingSettings { seed, eta, first, most, budget, workers, optimizers };
    (most >= first).then_some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestFunction;

    #[test]
    fn the_longest_trial_takes_a_quarter() {
        let of = |epochs| successive_halving(1, epochs, TestFunction::optimizers());
        let settings = of(1200).unwrap();
        assert_eq!((settings.most, settings.first, settings.budget), (300, 11, 1200));
        assert_eq!((settings.check(), of(3)), (Ok(()), None));
    }
}
