//! What the program says: results on stdout, notices on stderr. Text may come from files, names and
//! configs of others, so whatever would move the cursor or turn the line is written as `\u001b`. A closed
//! pipe, a full disk or a closed terminal is no reason to panic; where nobody is left to read a result, a
//! command ends as if it had been read.

#[cfg(unix)]
use std::fs::File;
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;

use crate::failure::Failure;

/// Characters of a line that is printed: what a file has may be longer than anybody reads.
const LONGEST: usize = 4000;

/// Prints a result of several lines, which end where the text has line ends. A result that could be read and
/// cannot be written, as on a full disk, is a failure.
pub fn print(text: &str) -> Result<(), Failure> {
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
pub fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{}\n", short(text, LONGEST)))
}

/// Prints a result as JSON.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::Failed(e.to_string()))?;
    print(&format!("{text}\n"))
}

/// Says a line on stderr. What nobody can hear is not said.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(format!("{}\n", short(text, LONGEST)).as_bytes());
}

/// Says a line on stderr that begins with the program's name, as notices and errors do.
pub fn notice(text: &str) {
    say(&format!("esgd: {text}"));
}

/// Names what was given by a name of before, once each.
pub fn renamed(names: &[(String, String)]) {
    for (i, (old, new)) in names.iter().enumerate() {
        if !names[..i].iter().any(|(before, _)| before == old) {
            notice(&format!("`{old}` is called `{new}` now; the name of before still works"));
        }
    }
}

/// Text in several lines that moves nothing.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, true)
}

/// Text in one line that moves nothing.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, false)
}

/// Text in one line of at most so many characters: if there are more, its beginning and its end.
pub fn short(text: &str, most: usize) -> String {
    let Some((cut, _)) = text.char_indices().nth(most) else { return one_line(text).into_owned() };
    let head: String = text[..cut].chars().take(most / 2).collect();
    let mut tail: Vec<char> = text.chars().rev().take(most - most / 2 - 1).collect();
    tail.reverse();
    one_line(&format!("{head}…{}", tail.into_iter().collect::<String>())).into_owned()
}

/// Control characters, marks of direction and line separators as JSON has them, so that JSON stays JSON.
fn escaped(text: &str, lines: bool) -> Cow<'_, str> {
    let moves = |c: char| moves(c) && !(lines && c == '\n');
    if !text.contains(moves) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match moves(c) {
            // Writing to a string does not fail.
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(safe, "\\u{unit:04x}");
            }),
            false => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a character moves the cursor, changes the direction of its line or ends it, or hides text.
pub fn moves(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                // No characters at all, which XML forbids.
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_printed_moves_the_cursor() {
        assert_eq!(one_line("a µ → 3 % 😀"), "a µ → 3 % 😀");
        assert_eq!(
            one_line("a\u{1b}[31m\r\n\u{202e}b\u{9b}\u{7f}"),
            "a\\u001b[31m\\u000d\\u000a\\u202eb\\u009b\\u007f"
        );
        assert_eq!(escaped("a\nb\u{2028}", true), "a\nb\\u2028");
        assert_eq!(short("sgd", 4), "sgd");
        assert_eq!(short("abcdefghi", 5), "ab…hi");
        assert_eq!(short("a\n\u{202e}", 4), "a\\u000a\\u202e");
        assert!(short(&"\u{1b}é".repeat(1 << 20), 80).len() < 500);
        assert_eq!(one_line("\u{e0041}"), "\\udb40\\udc41");
        let value = serde_json::json!({ "name": "\u{202e}\u{1b}\n\\\u{e0041}" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let back: serde_json::Value = serde_json::from_str(&escaped(&text, true)).unwrap();
        assert_eq!(back, value);
    }
}
