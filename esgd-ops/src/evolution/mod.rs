//! Operations of other evolution strategies, on networks as tables of tensors.
//!
//! CMA-ES's weighted recombination and uniform crossover are a
//! [`Blend`](crate::recombine::Blend) of [`recombine`](crate::recombine); the rest is here. All run
//! on the threads of rayon's current pool, and give the bits of [`reference`](crate::reference).

mod antithetic;
mod differential;
mod particle;
mod weighted_noise;

pub use antithetic::antithetic;
pub use differential::{Differential, trial};
pub use particle::{Swarm, particle};
pub use weighted_noise::weighted_noise;
