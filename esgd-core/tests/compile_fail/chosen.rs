//! Nobody outside chooses survivors, whatever their fitness, nor by the other exits of the pool.

use esgd_core::{
    guarantee::{Pool, Selected},
    rng::Key,
    strategy::{Heir, Replacement},
};

fn chosen<T>(pool: Pool, heirs: &[Heir], permission: T) -> Selected {
    pool.choose(heirs, permission)
}

fn replaced(pool: Pool, pairs: &[Replacement]) -> Selected {
    pool.replace(pairs)
}

fn elitist(pool: Pool, key: Key) -> Selected {
    pool.select(0, 1, key)
}

fn main() {}
