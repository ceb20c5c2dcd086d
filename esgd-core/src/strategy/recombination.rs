//! The paper's own strategy: "selection, recombination and mutation" of section 3.3. Its numbers are the
//! symbols of Algorithm 1, so they stand in the settings themselves: λ, ρ, m, selection and mutation.

use super::{Exit, Kind, Needs, Roulette, Strategy, View};
use crate::{OperationKind, Plan, Settings, rng::Philox, rng::Purpose, settings::Selection};

/// The row of this strategy.
pub(super) const KIND: Kind = Kind {
    name: "recombination",
    says: "means of rho parents with noise, and the m best of parents and offspring",
    parameters: &[],
    make: |_| Box::new(Recombination),
};

/// (μ/ρ + λ)-ES: each offspring the mean of ρ parents drawn independently, by roulette or from the best,
/// plus Gaussian noise (eq. 12). With ρ = 1 and σ = 0 it is a clone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recombination;

impl Strategy for Recombination {
    fn name(&self) -> &str {
        KIND.name
    }

    fn needs(&self, settings: &Settings) -> Needs {
        // The fitness of a clone is known.
        let clones = settings.rho == 1 && settings.mutation.sigma == 0.0;
        Needs {
            evaluations: if clones { 0 } else { settings.lambda },
            networks: 0,
            operations: vec![OperationKind::Combine],
            exit: Exit::Elitist,
        }
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let Settings { rho, lambda, generations, selection, .. } = *view.settings;
        let ranked: Vec<_> = view.parents.iter().map(|parent| parent.fitness).collect();
        let roulette = Roulette::new(&ranked);
        let draw = |rng: &mut Philox| match selection {
            Selection::Roulette => roulette.draw(rng),
            Selection::Truncation { best } => rng.below(
                ((best * ranked.len() as f64).ceil() as usize).clamp(1, ranked.len().max(1)),
            ),
        };
        let mutation = view.settings.mutation.at(view.k, generations);
        (0..lambda)
            .map(|i| {
                let mut rng = view.key(Purpose::Parents, i).stream();
                let parents: Vec<_> = (0..rho).map(|_| draw(&mut rng)).collect();
                Plan::recombination(&parents, mutation, view.key(Purpose::Mutation, i))
            })
            .collect()
    }
}
