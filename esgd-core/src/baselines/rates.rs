//! Recipes with other learning rates, `lr`.

use crate::{Distribution, Domain, OptimizerPool, Schedule};

/// The same recipes at another learning rate, annealed as they were.
#[must_use]
pub fn with_rate(pool: &OptimizerPool, rate: f64) -> OptimizerPool {
    let mut pool = pool.clone();
    for spec in &mut pool.0 {
        let domain = spec.domains.entry("lr".into()).or_insert_with(|| Domain::fixed(rate));
        domain.law = Distribution::Fixed(rate);
    }
    pool
}

/// The same recipes at their learning rate for half of the epochs, then at half of it, and at a quarter in the last
/// quarter, while weights are averaged (SWA: Izmailov et al., 2018).
#[must_use]
pub fn at_large_rates(pool: &OptimizerPool, epochs: usize) -> OptimizerPool {
    let at = vec![epochs / 2 + 1, epochs - epochs.div_ceil(4) + 1];
    annealed(pool, &Schedule::Step { at, factor: 0.5 })
}

/// The same recipes, their learning rates annealed by `schedule`.
#[must_use]
pub fn annealed(pool: &OptimizerPool, schedule: &Schedule) -> OptimizerPool {
    let mut pool = pool.clone();
    for domain in pool.0.iter_mut().filter_map(|spec| spec.domains.get_mut("lr")) {
        domain.anneal = schedule.clone();
    }
    pool
}
