//! A run: from its start or a checkpoint to what it leaves in its folder.
//!
//! A [`RunFolder`] has the config, the log, the checkpoints and the result of one run. A [`Session`] trains in it,
//! from a start or from the [`Population`](esgd_core::Population) that [`restore`](fn@restore) makes of the checkpoint that
//! [`search`] finds.

pub(crate) mod best_networks;
pub(crate) mod checkpoint;
pub(crate) mod combined_files;
pub(crate) mod control;
pub(crate) mod device;
pub(crate) mod folder;
pub(crate) mod forecast;
pub(crate) mod heartbeat;
pub(crate) mod interrupt;
pub(crate) mod known_data;
pub(crate) mod log;
pub(crate) mod metadata;
pub(crate) mod progress;
pub(crate) mod restore;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod summary;
pub(crate) mod tensorboard;
pub(crate) mod time_limit;
mod timer;
mod unfit;
pub(crate) mod verify;

pub use self::{
    checkpoint::{Found, search},
    folder::RunFolder,
    interrupt::Interrupt,
    log::{Line, Log, LogError, read as read_log},
    restore::restore,
    session::{Begin, End, Ended, Session, Shown},
    setting::Setting,
    summary::Summary,
};
