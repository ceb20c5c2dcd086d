//! Differential evolution, DE/rand/1/bin: Storn and Price, *Differential Evolution: A Simple and Efficient
//! Heuristic for Global Optimization over Continuous Spaces* (Journal of Global Optimization 11, 1997).

use super::{Accepts, Exit, Kind, Needs, Next, Parameter, Strategy, View};
use crate::{
    Fitness, Operation, OperationKind, Plan, Settings, Source, rng::Purpose,
    settings::SettingsError,
};

/// The row of this strategy.
pub(super) const KIND: Kind = Kind {
    name: "differential-evolution",
    says: "each individual against a trial a + f (b - c) crossed with it, of three others",
    parameters: &[
        Parameter {
            name: "f",
            accepts: Accepts::Number { default: 0.5, low: 0.0, high: 2.0 },
            says: "F, the weight of a difference",
        },
        Parameter {
            name: "cr",
            accepts: Accepts::Number { default: 0.9, low: 0.0, high: 1.0 },
            says: "CR, the probability that a value comes from the mutant",
        },
    ],
    make: |values| {
        Box::new(DifferentialEvolution { f: values.number("f"), cr: values.number("cr") })
    },
};

/// DE/rand/1/bin: the trial of individual i takes its place if it is not worse, so the guarantee holds under
/// strict back-off too.
#[derive(Clone, Copy, Debug)]
pub struct DifferentialEvolution {
    /// F, from 0 to 2.
    pub f: f64,
    /// CR, from 0 to 1.
    pub cr: f64,
}

impl Strategy for DifferentialEvolution {
    fn name(&self) -> &str {
        KIND.name
    }

    fn needs(&self, settings: &Settings) -> Needs {
        Needs {
            evaluations: settings.mu,
            networks: 0,
            operations: vec![OperationKind::Trial],
            exit: Exit::Replacement,
        }
    }

    fn check(&self, settings: &Settings) -> Result<(), SettingsError> {
        if settings.mu < 4 {
            return Err(SettingsError(format!(
                "mu = {}: {} needs each individual and three others, so at least 4",
                settings.mu, KIND.name
            )));
        }
        Ok(())
    }

    /// Eqs. 2 to 4.
    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let n = view.parents.len();
        let trial = |i| {
            // r₁, r₂, r₃: distinct, and other than i.
            let mut others: Vec<_> = (0..n).filter(|j| *j != i).collect();
            let mut rng = view.key(Purpose::Parents, i).stream();
            for place in 0..3.min(others.len()) {
                let drawn = place + rng.below(others.len() - place);
                others.swap(place, drawn);
            }
            others.truncate(3);
            let sources = [i].into_iter().chain(others).map(Source::Parent).collect();
            let operation = Operation::Trial { weights: vec![1.0, self.f, -self.f], cr: self.cr };
            Plan { operation, sources, key: view.key(Purpose::Mutation, i) }
        };
        (0..n).map(trial).collect()
    }

    fn tell(&self, view: &View<'_>, _: &[Fitness]) -> Next {
        Next::one_to_one(view.parents.len())
    }
}
