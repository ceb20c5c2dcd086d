//! The same population without evolution, and one of networks that have nothing to do with one another.

use crate::{
    OptimizerPool, Settings,
    settings::{FineTune, Guarantee, RecipePolicy, Recipes, Start, Way},
    strategy::StrategySettings,
};

/// The same settings without evolution steps.
#[must_use]
pub fn without_evolution(own: &Settings) -> Settings {
    Settings { evolution_steps: 0, lambda: 0, strategy: StrategySettings::default(), ..own.clone() }
}

/// μ networks with recipes of `optimizers` drawn once, that train by themselves, an epoch a generation, so that
/// rates anneal with every epoch. The best ever scored counts.
#[must_use]
pub fn population(own: &Settings, optimizers: OptimizerPool) -> Settings {
    Settings {
        generations: 1,
        epochs: 1,
        rho: 1,
        start: Start::Independent,
        guarantee: archive(&own.guarantee),
        recipes: Recipes { policy: RecipePolicy::Keep, ..own.recipes.clone() },
        fine_tune: FineTune { epochs: 0, best: 0, lr: own.fine_tune.lr.clone() },
        optimizers,
        ..without_evolution(own)
    }
}

/// The best ever scored, and nothing taken back.
pub(super) fn archive(own: &Guarantee) -> Guarantee {
    Guarantee { way: Way::Archive, p_backoff: 1.0, anchor: false, ..own.clone() }
}
