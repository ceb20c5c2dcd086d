//! Random settings that laws are checked on.

use proptest::prelude::{Just, Strategy as _, prop_oneof};

use crate::{
    OptimizerPool, Scale, Schedule, Settings, Strategy,
    settings::{Guarantee, MutationSettings, Per, RecipePolicy, Recipes, Selection, Start, Way},
    strategy,
};

/// Small random settings that are valid: every way, start, policy and edge (λ = 0, μ = 1, m = μ,
/// ρ = μ).
pub fn any_settings(
    optimizers: OptimizerPool,
) -> impl proptest::strategy::Strategy<Value = Settings> {
    let sizes = (1usize..7, 0usize..9, 0usize..100, 0usize..100);
    let loops = (1usize..5, 1usize..4, 0usize..3);
    let choices = (0usize..5, 0usize..2, 0usize..4, prop_oneof![Just(0.0), 0.0..2.0f64]);
    (0..=i64::MAX as u64, sizes, loops, choices).prop_map(
        move |(seed, (mu, lambda, rho, m), (generations, epochs, evolution_steps), chosen)| {
            let (way, start, policy, sigma) = chosen;
            // An anchor needs a place beside the elite.
            let way = if mu == 1 && way > 1 { 0 } else { way };
            let relaxed = way > 2;
            Settings {
                seed,
                generations,
                epochs,
                evolution_steps,
                mu,
                lambda,
                rho: 1 + rho % mu,
                m: 1 + m % if way > 1 { mu - 1 } else { mu },
                selection: match seed % 2 {
                    0 => Selection::Roulette,
                    _ => Selection::Truncation { best: 0.4 },
                },
                start: match start {
                    0 => Start::Independent,
                    _ => Start::Shared { epochs: 1, candidates: 2, halvings: 0 },
                },
                guarantee: Guarantee {
                    way: if way == 0 { Way::Archive } else { Way::BackOff },
                    p_backoff: if relaxed { 0.3 } else { 1.0 },
                    p_backoff_per: if way == 3 { Per::Individual } else { Per::Generation },
                    anchor: way > 1,
                },
                mutation: MutationSettings {
                    sigma,
                    scale: if sigma > 1.0 { Scale::Relative } else { Scale::Absolute },
                    anneal: Schedule::Reciprocal,
                },
                recipes: Recipes {
                    policy: [
                        RecipePolicy::Redraw,
                        RecipePolicy::Keep,
                        RecipePolicy::Inherit,
                        RecipePolicy::Explore,
                    ][policy],
                    perturb: 0.2,
                    resample: 0.25,
                },
                optimizers: optimizers.clone(),
                ..Settings::paper()
            }
        },
    )
}

/// The settings, changed as little as the strategy needs; `None` if it works with nothing near them.
pub(super) fn fitting(strategy: &dyn Strategy, settings: Settings) -> Option<Settings> {
    let archive = Guarantee {
        way: Way::Archive,
        p_backoff: 1.0,
        anchor: false,
        ..settings.guarantee.clone()
    };
    let sizes = [settings.mu, settings.mu + 3, 1].into_iter();
    let mut near = sizes.flat_map(|mu| {
        let guarantees = [&settings.guarantee, &archive].into_iter();
        let (m, rho) = (settings.m.min(mu), settings.rho.min(mu));
        let lambdas = [settings.lambda, 2 + 2 * (settings.lambda / 2)].into_iter();
        guarantees.flat_map(move |guarantee| {
            lambdas.clone().map(move |lambda| (mu, m, rho, lambda, guarantee.clone()))
        })
    });
    near.find_map(|(mu, m, rho, lambda, guarantee)| {
        let one = Settings { mu, m, rho, lambda, guarantee, ..settings.clone() };
        (one.check().is_ok() && strategy::check(strategy, &one).is_ok()).then_some(one)
    })
}
