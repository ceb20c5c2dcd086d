//! Why a file of a run cannot be used: what is damaged, and what only cannot be read now.

use std::{fmt, io};

/// Why a checkpoint cannot be gone on from.
#[derive(Debug, PartialEq)]
pub(crate) enum Unfit {
    /// It is not what was written.
    Damaged(String),
    /// It may be whole: it cannot be read now, or not by this program.
    Unreadable(String),
}

impl Unfit {
    /// What an error of reading a file means.
    pub(crate) fn of(error: &io::Error, what: String) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Self::Damaged(what),
            _ => Self::Unreadable(what),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Damaged(what) | Self::Unreadable(what)) = self;
        f.write_str(what)
    }
}
