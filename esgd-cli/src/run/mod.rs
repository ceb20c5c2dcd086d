//! A run: from its start or a checkpoint to what it leaves in its folder.

pub mod best_networks;
pub mod checkpoint;
pub mod combined_files;
pub mod control;
pub mod device;
pub mod folder;
pub mod forecast;
pub mod heartbeat;
pub mod interrupt;
pub mod known_data;
pub mod log;
pub mod metadata;
pub mod progress;
pub mod restore;
pub mod session;
pub mod summary;
pub mod task;
pub mod tensorboard;
pub mod time_limit;
mod timer;
mod unfit;
pub mod verify;
