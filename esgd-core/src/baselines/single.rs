//! One network, trained for as long as its budget is enough for.

use super::population;
use crate::{OptimizerPool, Settings};

/// One network with a recipe of `optimizers`, for so many epochs.
#[must_use]
pub fn single(own: &Settings, epochs: usize, optimizers: OptimizerPool) -> Settings {
    Settings { generations: epochs, mu: 1, m: 1, ..population(own, optimizers) }
}
