//! Operations of other evolution strategies, on networks as tables of tensors.
//!
//! CMA-ES's weighted recombination and uniform crossover are a
//! [`Blend`](crate::recombine::Blend) of [`recombine`](crate::recombine); the rest is here. All run
//! on the threads of rayon's current pool, and give the bits of
//! [`definition`](mod@esgd_core::plan::definition).

mod noise_sums;
mod trial;
mod value_by_value;
mod velocity;

pub use noise_sums::{squared_noise, weighted_noise};
pub use trial::{Trial, trial};
pub use value_by_value::{adaptive_step, exponential, product};
pub use velocity::{Swarm, velocity};
