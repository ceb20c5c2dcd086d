//! Population-based training (Jaderberg et al., 2017, arXiv:1711.09846): the worst fifth copies the best fifth,
//! weights and recipe, and explores. As published there is no annealing but what it finds by itself.

use super::population;
use crate::{
    Schedule, Settings,
    settings::{MutationSettings, RecipePolicy, Recipes, Selection},
};

/// Its settings, at the pace of `own`: as many epochs between two steps.
#[must_use]
pub fn population_based(own: &Settings) -> Settings {
    let mut optimizers = own.optimizers.clone();
    for spec in &mut optimizers.0 {
        spec.domains.remove("lr_decay");
        spec.domains.values_mut().for_each(|domain| domain.anneal = Schedule::Constant);
    }
    Settings {
        // One without training has no pace.
        epochs: own.epochs.max(1),
        evolution_steps: 1,
        lambda: own.mu.div_ceil(5),
        m: own.mu,
        selection: Selection::Truncation { best: 0.2 },
        mutation: MutationSettings { sigma: 0.0, ..own.mutation.clone() },
        recipes: Recipes { policy: RecipePolicy::Explore, perturb: 0.2, resample: 0.25 },
        ..population(own, optimizers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Domain, TestFunction};

    #[test]
    fn it_anneals_by_itself() {
        let mut optimizers = TestFunction::optimizers();
        let domains = &mut optimizers.0[0].domains;
        domains.insert("lr_decay".into(), Domain::fixed(0.9));
        let lr = Domain::log_uniform(1e-4, 1e-1).annealed(Schedule::Reciprocal);
        domains.insert("lr".into(), lr);
        let settings = population_based(&Settings { mu: 20, optimizers, ..Settings::paper() });
        assert_eq!(settings.check(), Ok(()));
        for spec in &settings.optimizers.0 {
            assert!(!spec.domains.contains_key("lr_decay"));
            assert!(spec.domains.values().all(|domain| domain.anneal == Schedule::Constant));
        }
        assert_eq!((settings.lambda, settings.rho), (4, 1));
    }
}
