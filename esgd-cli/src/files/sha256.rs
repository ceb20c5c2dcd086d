//! SHA-256 of what is read or in memory, in hexadecimal digits.

use std::{
    fmt::Write,
    io::{self, Read},
};

use sha2::{Digest, Sha256};

/// The checksum of bytes.
pub(crate) fn of(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

/// The checksum so far of everything that there is to read, and how many bytes that was.
pub(crate) fn read(mut from: impl Read) -> io::Result<(Sha256, u64)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hash, bytes)),
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// A checksum as text.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
