//! The methods that are compared: a name and the settings, row by row.

use esgd_core::{
    Law, OptimizerPool, OptimizerSpec, Range, Schedule, Settings,
    settings::{FineTune, Guarantee, RecipePolicy, Recipes, Start, Way},
};

use crate::task::Budget;

/// The method that all others are compared with.
pub const REFERENCE: &str = "paper";

/// A row of the experiment.
#[derive(Clone, Debug)]
pub struct Method {
    /// What it is called in the report.
    pub name: &'static str,
    /// What the run is told.
    pub settings: Settings,
    /// The epochs that it spends, all individuals and a shared start together.
    pub epochs: usize,
}

/// Learning rates of single runs, each tuned on validation data for itself.
#[derive(Clone, Copy, Debug)]
pub struct Tuned {
    /// For one individual's epochs.
    pub short: f64,
    /// For the epochs of the whole population.
    pub long: f64,
    /// For μ runs of which the best counts.
    pub best_of: f64,
}

/// All methods, of equal epochs but for the first; most change one thing of one before.
#[must_use]
pub fn methods(budget: Budget, tuned: Tuned) -> Vec<Method> {
    let Budget { mu, lambda, generations, epochs } = budget;
    let paper = Settings {
        generations,
        epochs,
        mu,
        lambda,
        m: (mu * 3).div_ceil(5),
        rho: 2,
        fine_tune: FineTune { epochs: 0, lr: Range::fixed(0.0) },
        optimizers: pool(),
        ..Settings::paper()
    };
    let archive = Settings { guarantee: archive_of(&paper), ..paper.clone() };
    let alone =
        Settings { evolution_steps: 0, recipes: policy(RecipePolicy::Keep), ..archive.clone() };
    let short = single(generations, epochs, tuned.short);
    let long = single(mu * generations, epochs, tuned.long);
    // The shared start costs one generation: half as many candidates, for twice as long.
    let shared = Settings {
        start: Start::Shared { epochs: 2 * epochs, candidates: mu / 2 },
        generations: generations - 1,
        rho: 4,
        ..archive.clone()
    };
    let keep = Settings { recipes: policy(RecipePolicy::Keep), ..shared.clone() };
    let rho_8 = Settings { rho: 8, ..keep.clone() };
    let inherit = Settings { recipes: policy(RecipePolicy::Inherit), ..rho_8.clone() };
    let narrowed = Settings { optimizers: OptimizerPool(vec![sgd()]), ..rho_8.clone() };

    [
        ("single run, one individual's epochs", short),
        ("single run, whole budget", long),
        ("μ single runs, the best of them", best_of(budget, tuned.best_of)),
        ("pool without evolution", alone),
        (REFERENCE, paper),
        ("paper without back-off (archive)", archive),
        ("archive + shared start, ρ 4", shared),
        ("… keep recipes", keep),
        ("… keep recipes, ρ 8", rho_8),
        ("… inherit recipes, ρ 8", inherit),
        ("… keep recipes, ρ 8, SGD only", narrowed),
    ]
    .map(|(name, settings)| Method { name, epochs: cost(&settings), settings })
    .into()
}

/// One network, trained with the tuned recipe. The best epoch on validation data counts.
#[must_use]
pub fn single(generations: usize, epochs: usize, lr: f64) -> Settings {
    let settings = Settings {
        generations,
        epochs,
        evolution_steps: 0,
        mu: 1,
        lambda: 0,
        rho: 1,
        m: 1,
        recipes: policy(RecipePolicy::Keep),
        fine_tune: FineTune { epochs: 0, lr: Range::fixed(0.0) },
        optimizers: tuned_sgd(lr),
        ..Settings::paper()
    };
    Settings { guarantee: archive_of(&settings), ..settings }
}

/// μ such networks side by side, of which the best counts.
#[must_use]
pub fn best_of(budget: Budget, lr: f64) -> Settings {
    Settings { mu: budget.mu, ..single(budget.generations, budget.epochs, lr) }
}

/// The epochs that settings ask for.
fn cost(settings: &Settings) -> usize {
    let start = match settings.start {
        Start::Shared { epochs, candidates } => epochs * candidates,
        Start::Independent | Start::Founders { .. } => 0,
    };
    start + settings.mu * settings.generations * settings.epochs
}

fn archive_of(settings: &Settings) -> Guarantee {
    Guarantee { way: Way::Archive, ..settings.guarantee.clone() }
}

fn policy(policy: RecipePolicy) -> Recipes {
    Recipes { policy, perturb: 0.2, resample: 0.25 }
}

/// The one pool that all populations draw from.
fn pool() -> OptimizerPool {
    OptimizerPool(vec![sgd(), adam()])
}

fn sgd() -> OptimizerSpec {
    let either = |a, b| Range::from(Law::Choice(vec![a, b]));
    optimizer(
        "sgd",
        Range::log_uniform(0.01, 0.5),
        [("momentum", either(0.0, 0.9)), ("nesterov", either(0.0, 1.0))],
    )
}

fn adam() -> OptimizerSpec {
    optimizer("adam", Range::log_uniform(3e-4, 1e-2), [])
}

fn tuned_sgd(lr: f64) -> OptimizerPool {
    let others = [("momentum", Range::fixed(0.9)), ("nesterov", Range::fixed(1.0))];
    OptimizerPool(vec![optimizer("sgd", Range::fixed(lr), others)])
}

fn optimizer<const N: usize>(kind: &str, lr: Range, others: [(&str, Range); N]) -> OptimizerSpec {
    let lr = lr.annealed(Schedule::Cosine { to: 0.01 });
    let ranges = others.into_iter().chain([("lr", lr), ("batch", Range::fixed(32.0))]);
    OptimizerSpec {
        kind: kind.into(),
        weight: 1.0,
        ranges: ranges.map(|(name, range)| (name.to_owned(), range)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_short_run_cost_the_same_and_can_work() {
        let full = Budget { mu: 8, lambda: 32, generations: 20, epochs: 3 };
        for budget in [full, full.small()] {
            for method in methods(budget, Tuned { short: 0.1, long: 0.1, best_of: 0.1 }) {
                assert_eq!(method.settings.check(), Ok(()), "{}", method.name);
                esgd_models::recipe::check(&method.settings).unwrap();
                let share = if method.name.ends_with("one individual's epochs") { 8 } else { 1 };
                assert_eq!(method.epochs * share, budget.total(), "{}", method.name);
            }
        }
    }
}
