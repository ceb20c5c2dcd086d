//! A run: from its start or a checkpoint to what it leaves in its folder.
//!
//! A [`RunFolder`] has the config, the log, the checkpoints and the result of one run. A [`ConfiguredRun`] trains in it,
//! from a start or from the [`Population`](esgd_core::Population) that [`restore`](fn@restore) makes of the checkpoint that
//! [`search`] finds.

pub(crate) mod best_networks;
pub(crate) mod checkpoint;
pub(crate) mod combined_files;
mod configured_run;
pub(crate) mod control;
pub(crate) mod device;
pub(crate) mod folder;
pub(crate) mod forecast;
pub(crate) mod interrupt;
pub(crate) mod known_data;
pub(crate) mod log;
pub(crate) mod metadata;
pub(crate) mod restore;
pub(crate) mod setting;
pub(crate) mod strategy_numbers;
pub(crate) mod summary;
pub(crate) mod tensorboard;
pub(crate) mod time_limit;
pub(crate) mod timer;
mod unfit;
pub(crate) mod verify;
pub(crate) mod watcher;

pub use self::{
    checkpoint::{Found, search},
    configured_run::{Begin, ConfiguredRun, End, Ended},
    folder::RunFolder,
    interrupt::Interrupt,
    log::{Line, Log, LogError, read as read_log},
    restore::restore,
    setting::Setting,
    summary::Summary,
    watcher::{Around, Behind, Of, Training, Watcher},
};
