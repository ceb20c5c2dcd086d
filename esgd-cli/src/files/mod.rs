//! Files and folders that are written whole or not at all, and never over what others wrote.

pub mod atomic_file;
pub mod held_folder;
pub mod lock;
pub mod own_file;
pub mod sha256;
