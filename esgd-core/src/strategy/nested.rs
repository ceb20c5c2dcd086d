//! Nested averaging: offspring are the means of the best 2, 3, … μ, weight averages of distinct networks as in
//! model soups (Wortsman et al., ICML 2022) and PAPA (Jolicoeur-Martineau et al., TMLR 2024). A mean of n
//! distinct parents has 1/n of the variance that draws with replacement leave larger.

use super::{Accepts, Exit, Heir, Kind, Memo, Needs, Next, Parameter, Strategy, Survivors, View};
use crate::{
    Fitness, Operation, OperationKind, Plan, Settings, Source,
    plan::Mutation,
    rng::Purpose,
    settings::{SettingsError, Way},
};

/// The row of this strategy.
pub(super) const KIND: Kind = Kind {
    name: "nested",
    says: "means of the best 2, 3, … mu",
    parameters: &[
        Parameter {
            name: "succession",
            accepts: Accepts::Word(&["elitist", "best"]),
            says: "elitist: the m best survive; best: all go on from the best, each with its own recipe",
        },
        Parameter {
            name: "trail",
            accepts: Accepts::Counts { low: 2, high: 1000 },
            says: "means of the best offspring of so many last steps, which are scored and archived",
        },
    ],
    make: |values| {
        let succession = match values.word("succession") {
            "best" => Succession::Best,
            _ => Succession::Elitist,
        };
        Box::new(Nested { succession, trail: values.counts("trail") })
    },
};

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// The m best of parents and offspring, and others drawn.
    Elitist,
    /// Every individual, with its own recipe and optimizer state, from the θ of the best.
    Best,
}

/// Means of the best 2, 3, … μ.
#[derive(Clone, Debug)]
pub struct Nested {
    /// Who goes on.
    pub succession: Succession,
    /// Over how many last steps the best offspring are averaged, in growing order.
    pub trail: Vec<usize>,
}

impl Nested {
    fn longest(&self) -> usize {
        self.trail.last().copied().unwrap_or(0)
    }
}

fn slot(i: usize) -> String {
    format!("trail/{i}")
}

impl Strategy for Nested {
    fn name(&self) -> &str {
        KIND.name
    }

    fn needs(&self, settings: &Settings) -> Needs {
        let means = settings.mu.saturating_sub(1);
        Needs {
            // One individual has no means, and so no trail.
            evaluations: if means == 0 { 0 } else { means + self.trail.len() },
            networks: self.longest(),
            operations: vec![OperationKind::Combine],
            exit: match self.succession {
                Succession::Elitist => Exit::Elitist,
                Succession::Best => Exit::Free,
            },
        }
    }

    /// A mean over the last n steps waits for n of them.
    fn evaluations(&self, settings: &Settings, steps: u64) -> u64 {
        if settings.mu < 2 {
            return 0;
        }
        let means = steps.saturating_mul(settings.mu as u64 - 1);
        let trails =
            self.trail.iter().map(|&last| steps.saturating_sub(last.saturating_sub(1) as u64));
        trails.fold(means, u64::saturating_add)
    }

    fn check(&self, settings: &Settings) -> Result<(), SettingsError> {
        if !self.trail.is_empty() && settings.guarantee.way != Way::Archive {
            return Err(SettingsError(
                "strategy.trail makes networks that only an archive keeps: set guarantee.way = \"archive\""
                    .into(),
            ));
        }
        Ok(())
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let mean = |(i, best)| {
            let ranks: Vec<_> = (0..best).collect();
            Plan::recombination(&ranks, Mutation::NONE, view.key(Purpose::Mutation, i))
        };
        (2..=view.parents.len()).enumerate().map(mean).collect()
    }

    fn tell(&self, view: &View<'_>, offspring: &[Fitness]) -> Next {
        // Of equals the one of fewer parents.
        let Some(best) = (0..offspring.len()).min_by_key(|&i| offspring[i]) else {
            return Next::elitist();
        };
        let mut memo = Memo::default();
        // The best offspring of the last steps, oldest first.
        let mut trail: Vec<Source> = view.numbers.get("trail").map_or(vec![], |length| {
            (0..length.first().map_or(0, |n| *n as usize))
                .map(|i| Source::memory(slot(i)))
                .collect()
        });
        trail.push(Source::Offspring(best));
        for &last in self.trail.iter().filter(|last| **last <= trail.len()) {
            let sources = trail[trail.len() - last..].to_vec();
            let operation = Operation::recombination(Mutation::NONE);
            memo.make_scored(Plan { operation, sources, key: view.key(Purpose::Mutation, 0) });
        }
        let kept = &trail[trail.len().saturating_sub(self.longest())..];
        for (i, source) in kept.iter().enumerate() {
            memo.remember(slot(i), source.clone());
        }
        if !kept.is_empty() {
            memo.numbers.insert("trail".into(), vec![kept.len() as f64]);
        }
        let survivors = match self.succession {
            Succession::Elitist => Survivors::Elitist,
            Succession::Best => {
                let theta = match view.parents.first() {
                    Some(parent) if parent.fitness <= offspring[best] => Source::Parent(0),
                    _ => Source::Offspring(best),
                };
                let heir = |j| Heir { theta: theta.clone(), continues: Some(j) };
                Survivors::Chosen((0..view.parents.len()).map(heir).collect())
            }
        };
        Next::of(survivors).with(memo)
    }
}
