//! Networks, tasks, data and trainers on candle: the one adapter between the algorithm and a
//! tensor library.
//!
//! Any candle model trains as a population through two methods, [`Task::build`] and
//! [`Task::forward`]; see `examples/plug_in.rs`, which is 25 lines. [`Supervised`] does the rest:
//! deep copies, optimizers with complete state, in-place updates, recombination that leaves
//! BatchNorm's statistics without noise, fitness in evaluation mode.

mod build;
pub mod data;
mod diversity;
mod engine;
mod ensemble;
mod error;
mod evaluation;
mod forecast;
mod genome;
mod import;
mod initializer;
pub mod layers;
mod metadata;
pub mod names;
pub mod networks;
mod optimizer_state;
mod pass;
mod portable;
pub mod recipe;
pub mod regular_file;
mod running_mean;
mod sockets;
mod statistics;
mod supervised;
mod task;
mod workers;

pub use ensemble::Predictions;
pub use error::{Error, Result};
pub use evaluation::{Evaluation, Score};
pub use forecast::Pace;
pub use genome::{Genome, Parameter, Role};
pub use import::{Converted, Import};
pub use metadata::{Measured, Metadata, metadata_of};
pub use networks::{Activation, Network};
pub use optimizer_state::OptimizerState;
pub use pass::Pass;
pub use recipe::Training;
pub use running_mean::RunningMean;
pub use sockets::Sockets;
pub use supervised::Supervised;
pub use task::Task;
pub use workers::Workers;
