//! The control of a run: the same initial recipes without evolution, which evolution has to be better than.

use super::population::archive;
use crate::{
    Settings,
    settings::{RecipePolicy, Recipes, Start},
    strategy::StrategySettings,
};

/// The settings without evolution, for at least as many epochs: those of a shared start become generations.
#[must_use]
pub fn control(with: &Settings) -> Settings {
    let a_generation = with.mu.saturating_mul(with.epochs).max(1);
    let more = with.start.epochs().div_ceil(a_generation);
    Settings {
        generations: with.generations.saturating_add(more),
        evolution_steps: 0,
        strategy: StrategySettings::default(),
        start: Start::Independent,
        guarantee: archive(&with.guarantee),
        recipes: Recipes { policy: RecipePolicy::Keep, ..with.recipes.clone() },
        ..with.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_at_least_as_many_epochs() {
        let epochs = |settings: &Settings| settings.workload().unwrap().total().epochs;
        for (candidates, anchor) in [(5, false), (5, true), (1, true), (40, false)] {
            let start = Start::Shared { epochs: 3, candidates, halvings: 1 };
            let mut with = Settings { start, ..Settings::paper() };
            with.guarantee.anchor = anchor;
            let without = control(&with);
            assert_eq!((without.evolution_steps, without.guarantee.anchor), (0, false));
            let a_generation = (with.mu * with.epochs) as u64;
            let anchored = (with.generations * with.epochs + with.fine_tune.epochs) as u64;
            let most = a_generation + if anchor { anchored } else { 0 };
            let more = epochs(&without) - epochs(&with);
            assert!(more < most, "{more} of {most}");
        }
        let huge = Settings { generations: usize::MAX, mu: usize::MAX, ..Settings::paper() };
        assert_eq!(control(&huge).generations, usize::MAX, "no overflow");
    }
}
