//! What a comparison's runs cost on a network and data, and what choosing from their networks does.

pub(crate) use esgd_core::budget::Spent;
use esgd_core::budget::{self, Cost, STEP};
use esgd_models::{Network, Supervised};

use crate::{failure::Failure, run::setting};

/// The task of a run, which counts every sample.
pub(crate) type Metered<'a> = budget::Metered<'a, Supervised<Network>>;

/// What follows from a network and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Costs {
    /// Of a run.
    pub run: Cost,
    /// Whether averaged weights need their statistics estimated anew.
    pub statistics: bool,
}

impl Costs {
    pub(crate) fn of(problem: &Supervised<Network>) -> Self {
        let network = problem.task();
        Self {
            run: setting::cost(problem),
            statistics: network.bytes() > 4 * network.parameters() as u64,
        }
    }

    /// Choosing an ensemble and a soup from so many networks.
    pub(crate) fn choosing(self, networks: usize) -> u64 {
        2 * networks as u64 * self.run.fitness + self.averaging()
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
    use crate::{
        compare::methods::{Job, Method},
        config::{Config, presets},
        run::{
            forecast::{Forecast, Work},
            heartbeat::Pulse,
            setting::Setting,
        },
    };

    #[test]
    fn budgets_are_epochs_or_samples() {
        let costs = Costs { run: Cost { train: 1000, fitness: 300 }, statistics: false };
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

    /// What is planned, what progress counts up to, and what a comparison gives to each.
    #[test]
    fn all_say_the_same_of_every_preset() {
        // A small network on small data, as these change nothing.
        let small = [
            "data.name=digits",
            "data.train=100",
            "data.validation=50",
            "data.test=50",
            "network.kind=mlp",
            "network.hidden=[4]",
        ];
        for preset in presets::names() {
            let text = presets::text(preset).unwrap();
            let config = Config::with_changes(text, preset, &small.map(str::to_owned)).unwrap();
            let setting = Setting::of(&config).unwrap();
            let costs = Costs::of(&setting.problem);

            let planned = Forecast::of(&config, &setting, 0).unwrap().work;
            let Work { epochs, evaluations, .. } = planned;
            let compared = costs.run.run(&config.settings).unwrap();
            let fitness = setting.problem.fitness_data().len() as u64;
            assert_eq!(compared, STEP * 100 * epochs + fitness * evaluations, "{preset}");
            if preset == "default" {
                assert_eq!((epochs, evaluations), (4360, 4938));
            }

            let workload = config.settings.workload().unwrap();
            let shown = Pulse::new("ESGD", &config.settings, &workload).all_epochs();
            assert_eq!(shown as u64 + workload.start().epochs, epochs, "{preset}");

            let budget = compared + costs.choosing(config.settings.mu + 1);
            let jobs = Method::Esgd.jobs(&config, costs, budget).unwrap();
            assert_eq!(jobs, [Job::Evolve(config.settings.clone())], "{preset}");
        }
    }
}
