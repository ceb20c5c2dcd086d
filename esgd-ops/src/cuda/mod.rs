//! The kernels on an NVIDIA GPU, to the bits of
//! [`definition`](mod@esgd_core::plan::definition).
//!
//! [`Kernels`] compiles them for a device, once, and then works on tensors that are there already:
//! only small tables go over. Each operation has the name of its twin on the CPU and takes a network
//! as a table of tensors. Launches are asynchronous, on one stream.
//!
//! ```no_run
//! use esgd_core::rng::{Key, Purpose};
//! use esgd_ops::{cuda::Kernels, recombine::{Blend, Offspring}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let kernels = Kernels::on_device(0)?;
//! let stream = kernels.stream().clone();
//! let parents = [stream.clone_htod(&[1.0f32; 1000])?, stream.clone_htod(&[3.0f32; 1000])?];
//! let mut child = stream.alloc_zeros::<f32>(1000)?;
//! let population = [vec![kernels.read(&parents[0])?], vec![kernels.read(&parents[1])?]];
//! let key = Key::new(7, Purpose::Mutation).generation(1).individual(0);
//! let plan = [Offspring { parents: &[0, 1], blend: Blend::Mean, sigma: &[0.01], key }];
//! kernels.offspring(&population, &plan, &mut [vec![kernels.write(&mut child)?]])?;
//! assert!(stream.clone_dtoh(&child)?.iter().all(|x| (x - 2.0).abs() < 0.1));
//! # Ok(())
//! # }
//! ```

mod build;
mod error;
mod evolution;
mod kernels;
mod launch;
mod noise;
mod norm;
mod presence;
mod recombine;
mod source;
mod tables;
mod tensors;

pub use error::Error;
pub use kernels::Kernels;
pub use tables::Invalid;
pub use tensors::{Tensor, TensorMut};
