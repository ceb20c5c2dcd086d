//! What the program says: results on stdout, notices on stderr. Text may come from files, names and
//! configs of others, so whatever would move the cursor or turn the line is written as `\u001b`. A closed
//! pipe, a full disk or a closed terminal is no reason to panic; where nobody is left to read a result, a
//! command ends as if it had been read.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Write};

use serde::Serialize;

use crate::{
    failure::Failure,
    run::Interrupt,
    text::safe::{lines, short},
};

/// Characters of a line that is printed: what a file has may be longer than anybody reads.
const LONGEST: usize = 4000;

/// Prints a result of several lines, which end where the text has line ends. A result that could be read and
/// cannot be written, as on a full disk, is a failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(lines(text).as_bytes()).and_then(|()| out.flush());
    match written {
        Err(e) if !is_unheard(&e) => Err(Failure::Failed(format!("cannot print the result: {e}"))),
        _ => Ok(()),
    }
}

/// Whether nobody is left to read what could not be printed: a pipe whose reader has ended, such as `head`,
/// or a terminal that was closed.
fn is_unheard(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use std::os::{fd::AsFd, unix::fs::FileTypeExt};
        let is_device = || -> io::Result<bool> {
            let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            Ok(out.metadata()?.file_type().is_char_device())
        };
        // The same error of a file is a broken disk.
        if error.raw_os_error() == Some(libc::EIO) {
            return is_device().unwrap_or(false);
        }
    }
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Prints a result of one line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{}\n", short(text, LONGEST)))
}

/// Prints a result as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Failed(e.to_string()))?;
    print(&format!("{text}\n"))
}

/// Says a line on stderr. What nobody can hear is not said.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(format!("{}\n", short(text, LONGEST)).as_bytes());
}

/// Says a line on stderr that begins with the program's name, as notices and errors do.
pub(super) fn notice(text: &str) {
    say(&format!("esgd: {text}"));
}

/// Listens for signals from here on, and says when one asked to stop.
pub(super) fn interrupt() -> Result<Interrupt, Failure> {
    Interrupt::listen(|| {
        say("");
        notice("stopping after the current epochs; once more to stop at once");
    })
}

/// Names what was given by a name of before, once each.
pub(super) fn renamed(names: &[(String, String)]) {
    for (i, (old, new)) in names.iter().enumerate() {
        if !names[..i].iter().any(|(before, _)| before == old) {
            notice(&format!("`{old}` is called `{new}` now; the name of before still works"));
        }
    }
}
