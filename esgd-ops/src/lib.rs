//! The arithmetic of Evolutionary SGD on plain slices of `f32`: noise, offspring, optimizer steps.
//!
//! A network's parameters are tensors, and a tensor is a slice. [`recombine`] makes offspring of
//! several parents, [`noise`] gives Gaussian noise to mutate them with, and [`optimizer`] trains
//! them by the rules of PyTorch; [`evolution`] has what other strategies need. Nothing here keeps
//! state of its own: each result is a pure function of its arguments, to the bit, on every
//! processor and for any number of threads. esgd-core's
//! [`definition`](mod@esgd_core::plan::definition) says in plain words what is computed.
//! [`layers`] train networks; of them only [`layers::linear`] depends on the processor, within
//! rounding.
//!
//! ```
//! use esgd_core::rng::{Key, Purpose};
//! use esgd_ops::{optimizer::Optimizer, recombine};
//!
//! // The offspring of two parents, mutated with σ = 0.01. Its key says which one it is.
//! let parents: [&[f32]; 2] = [&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]];
//! let key = Key::new(7, Purpose::Mutation).generation(1).individual(4);
//! let mut theta = [0.0; 3];
//! recombine::tensor(&parents, recombine::Blend::Mean, 0.01, key, 0, &mut theta);
//! assert!(theta.iter().all(|x| (x - 2.0).abs() < 0.1));
//!
//! // It minimises |θ|², whose gradient is 2θ.
//! let sgd = Optimizer::Sgd { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.0 };
//! let mut slots = vec![vec![0.0; theta.len()]; sgd.slots()];
//! for t in 1..=100 {
//!     let grad = theta.map(|x| 2.0 * x);
//!     sgd.step(t, 1.0, &mut theta, &grad, &mut slots);
//! }
//! assert!(theta.iter().all(|x| x.abs() < 1e-3));
//! ```

mod build;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod evolution;
mod group;
mod isa;
pub mod layers;
pub mod noise;
pub mod norm;
pub mod optimizer;
pub mod recombine;
mod tensors;

pub use build::{build, builds};
pub use isa::Isa;
pub use tensors::{Tensors, TensorsMut};
