//! Optimizers and their hyper-parameters: the pool that an individual draws its recipe from
//! (Algorithm 1, "Pick an optimizer π", "Select hyper-parameters of π and set a learning
//! schedule").
//!
//! Core knows no optimizer by name: a recipe is a kind and named numbers, and what they mean is
//! for the [`Problem`](crate::Problem) to say.

mod domain;
mod exploration;
mod pool;
mod schedule;

/// The longest list that makes sense: of optimizers, values to choose from, steps.
const MOST: usize = 1000;

pub use domain::{Distribution, Domain};
pub use exploration::Exploration;
pub use pool::{Hyperparameters, OptimizerPool, OptimizerSpec, Recipe};
pub use schedule::Schedule;
