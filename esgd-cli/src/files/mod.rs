//! Files and folders that are written whole or not at all, and never over what others wrote.

pub(crate) mod atomic_file;
pub(crate) mod held_folder;
pub(crate) mod lock;
pub(crate) mod own_file;
pub(crate) mod sha256;
