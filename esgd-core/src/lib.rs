//! The algorithm of Evolutionary Stochastic Gradient Descent, and its guarantee.
//!
//! A population of μ networks takes turns: each trains for some epochs with an optimizer of its
//! own and backs off when its fitness gets worse; then the population recombines, mutates and
//! keeps its m best. The mean fitness of the best never rises, for any m' ≤ m, and types see to
//! that ([`guarantee`]).
//!
//! This crate has no tensors, no GPU and no files: a task is a [`Problem`], with seven small
//! methods. The loop itself is [`Esgd::run`], in `esgd/mod.rs`, in the paper's own terms.
//!
//! ```
//! use esgd_core::{Esgd, Function, OptimizerPool, TestFunction, Settings, Threads};
//!
//! let problem = TestFunction::new(Function::Rosenbrock, 4);
//! let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
//! let outcome = Esgd::new(&problem, &settings)
//!     .executor(&Threads(2)) // any number gives the same bits
//!     .run()
//!     .map_err(|failure| failure.error)?;
//! println!("best: {}", outcome.best.scored.fitness());
//! # Ok::<(), esgd_core::Error<esgd_core::BuildError>>(())
//! ```
#![forbid(unsafe_code)]

mod audit;
pub mod baselines;
pub mod budget;
mod checkpointer;
mod error;
mod esgd;
mod fitness;
pub mod guarantee;
mod halving;
#[cfg(feature = "laws")]
pub mod laws;
pub mod plan;
mod portable;
mod problem;
mod recipe;
mod report;
pub mod rng;
pub mod settings;
pub mod strategy;
mod test_function;
pub mod trace;
mod training;
pub mod work;

pub use audit::Auditor;
pub use checkpointer::{CheckpointError, Checkpointer};
pub use error::{Error, Failure};
pub use esgd::{Esgd, Outcome};
pub use fitness::{EliteMean, Fitness, Objective};
pub use guarantee::{At, Effort, Entry, Id, Individual, NotWorse, Population, Scored};
pub use halving::{Halving, HalvingSettings, Trials};
pub use plan::{
    BuildError, Mutation, Noise, NoiseTerm, Operation, OperationKind, Plan, Real, Scale, Slot,
    Source, Weights, build,
};
pub use portable::Portable;
pub use problem::Problem;
pub use recipe::{
    Distribution, Domain, Exploration, Hyperparameters, OptimizerPool, OptimizerSpec, Recipe,
    Schedule,
};
pub use report::{EpochReport, IndividualReport, Observer, Phase, Report};
pub use settings::Settings;
pub use strategy::{Memo, Memory, Next, Numbers, Recombination, Roulette, Strategy, View};
pub use test_function::{Function, TestFunction};
pub use work::{Exchange, ExchangeError, Executor, Processes, Serial, Threads};
