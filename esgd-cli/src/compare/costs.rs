//! What a comparison's runs cost on a problem, and what choosing from their networks does.

use esgd_core::budget::{Cost, STEP};
use esgd_models::{Network, Supervised};

use crate::{failure::Failure, run::setting};

/// What follows from a problem and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Costs {
    /// Of a run.
    pub run: Cost,
    /// Whether networks predict, so that ensembles and averages can be made of them.
    pub predicts: bool,
    /// Whether averaged weights need their statistics estimated anew.
    pub statistics: bool,
}

impl Costs {
    pub(crate) fn of(problem: &Supervised<Network>) -> Self {
        let network = problem.task();
        Self {
            run: setting::cost(problem),
            predicts: true,
            statistics: network.bytes() > 4 * network.parameters() as u64,
        }
    }

    /// Choosing an ensemble and a soup from so many networks.
    pub(crate) fn choosing(self, networks: usize) -> u64 {
        match self.predicts {
            true => 2 * networks as u64 * self.run.fitness + self.averaging(),
            false => 0,
        }
    }

    /// Scoring averaged weights, and once more with statistics estimated anew where there are any.
    pub(crate) fn averaging(self) -> u64 {
        let Cost { train, fitness } = self.run;
        fitness + if self.statistics { train + fitness } else { 0 }
    }

    /// A budget as it is written: a number of epochs, or of samples.
    pub(crate) fn parse(self, text: &str) -> Result<u64, Failure> {
        let (number, samples) = match text.strip_suffix("samples") {
            Some(number) => (number.trim(), 1),
            None => (text.strip_suffix("epochs").unwrap_or(text).trim(), self.run.train),
        };
        let passes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(STEP * samples));
        passes.filter(|passes| *passes > 0).ok_or_else(|| {
            Failure::Usage(format!(
                "--budget {}: expected a number of epochs such as 96, or of samples such as 500000samples",
                text.escape_debug()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_epochs_or_samples() {
        let costs =
            Costs { run: Cost { train: 1000, fitness: 300 }, predicts: true, statistics: false };
        for (text, passes) in
            [("96", 288_000), ("96epochs", 288_000), ("96 epochs", 288_000), ("500samples", 1500)]
        {
            assert_eq!(costs.parse(text).unwrap(), passes);
        }
        for text in ["", "0", "-1", "1.5", "many", "99999999999999999999", "18446744073709551615"] {
            let message = costs.parse(text).unwrap_err().to_string();
            assert!(message.contains("--budget") && !message.contains('\n'), "{message}");
        }
    }
}
