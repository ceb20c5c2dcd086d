//! What a population that evolves is compared with: other methods, as settings of this crate's own loops. Each is
//! made of the settings that it is compared with, and of a budget where it has a length.

mod control;
mod halving;
mod population;
mod population_based;
mod rates;
mod single;

pub use control::control;
pub use halving::successive_halving;
pub use population::{population, without_evolution};
pub use population_based::population_based;
pub use rates::{annealed, at_large_rates, with_rate};
pub use single::single;
