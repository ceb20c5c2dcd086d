//! Whether a file is the one that it should be.

use std::{io, path::Path};

use esgd_models::regular_file::{self, Links};

use super::Named;
use crate::files::sha256;

/// What is wrong with the file at `path`, or nothing.
pub(super) fn fault(expected: &Named, path: &Path) -> Option<String> {
    let size = match path.metadata() {
        Ok(metadata) => metadata.len(),
        Err(e) => return Some(format!("it cannot be read: {e}")),
    };
    if size != expected.size {
        return Some(format!("it has {size} bytes, expected {}", expected.size));
    }
    match sha256(path) {
        Ok(found) if found == expected.sha256 => None,
        Ok(found) => Some(format!("its SHA-256 is {found}, expected {}", expected.sha256)),
        Err(e) => Some(format!("it cannot be read: {e}")),
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    Ok(sha256::hex(sha256::read(regular_file::open(path, Links::Follow)?)?.0))
}
