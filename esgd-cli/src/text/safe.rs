//! Text of files, names and configs of others, made so that it moves nothing where it is printed: whatever
//! would move the cursor or turn the line is written as `\u001b`.

use std::{borrow::Cow, fmt::Write as _};

/// Text in several lines that moves nothing.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, true)
}

/// Text in one line that moves nothing.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, false)
}

/// Text in one line of at most so many characters: if there are more, its beginning and its end.
pub(crate) fn short(text: &str, most: usize) -> String {
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
pub(crate) fn moves(c: char) -> bool {
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
