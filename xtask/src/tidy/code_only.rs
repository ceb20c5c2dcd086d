//! Rust source without what is not code: comments and the insides of literals become blanks,
//! so that what is left stands on the lines where it stood.

pub(super) fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = not_code_until(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
            continue;
        }
        let blanks = chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' });
        if chars[at] == '"' && end > at + 1 {
            // The quotes of a plain string stay: that a string stands here is part of the code.
            code.push('"');
            code.extend(blanks.skip(1).take(end - at - 2));
            code.push('"');
        } else {
            code.extend(blanks);
        }
        at = end;
    }
    code
}

/// The line, counted from one, that holds the byte at `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none starts there.
fn not_code_until(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + string(rest),
        ['r', '"' | '#', ..] if raw_may_start(&chars[..at]) => at + raw_string(rest),
        ['\'', '\\', _, after @ ..] => {
            at + 3 + after.iter().position(|c| *c == '\'').map_or(after.len(), |quote| quote + 1)
        }
        ['\'', _, '\'', ..] => at + 3,
        // Anything else behind a quote is a lifetime.
        _ => at,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let step = match rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                2
            }
            ['*', '/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r` starts a raw string unless it ends a name; `br` and `cr` start one as well.
fn raw_may_start(before: &[char]) -> bool {
    let part = |c: &char| c.is_alphanumeric() || *c == '_';
    match before {
        [.., name, 'b' | 'c'] => !part(name),
        ['b' | 'c'] | [] => true,
        [.., last] => !part(last),
    }
}

/// The length of a raw string; zero for a raw name such as `r#type`.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    let body = 2 + hashes;
    if rest.get(body - 1) != Some(&'"') {
        return 0;
    }
    let ends = |at: &usize| {
        rest[*at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (body..rest.len()).find(ends).map_or(rest.len(), |quote| quote + 1 + hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_blanks(source: &str) -> String {
        code_only(source).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_go() {
        assert_eq!(without_blanks("a // b\nc"), "a c");
        assert_eq!(without_blanks("a /* b /* c */ d */ e"), "a e");
        assert_eq!(without_blanks("//! \"a\nb"), "b");
    }

    #[test]
    fn the_insides_of_strings_go() {
        assert_eq!(without_blanks(r#"f("a \" // b", c)"#), r#"f(" ", c)"#);
        assert_eq!(without_blanks("f(r#\"a \" b\"#, c)"), "f( , c)");
        assert_eq!(without_blanks("f(br\"\\\", c)"), "f(b , c)");
        assert_eq!(without_blanks("r#type + bar"), "r#type + bar");
    }

    #[test]
    fn characters_go_and_lifetimes_stay() {
        assert_eq!(without_blanks(r#"f('"', a)"#), "f( , a)");
        assert_eq!(without_blanks(r"f('\'', '\u{7f}', '\\', a)"), "f( , , , a)");
        assert_eq!(without_blanks("fn f<'a, 'b>(x: &'a T)"), "fn f<'a, 'b>(x: &'a T)");
    }

    #[test]
    fn lines_stay_where_they_were() {
        let source = "/* a\nb */ c \"d\n e\" f\n// g\nh";
        let code = code_only(source);
        assert_eq!(code.lines().count(), source.lines().count());
        assert_eq!(line_at(&code, code.find('f').unwrap()), 3);
        assert_eq!(line_at(&code, code.find('h').unwrap()), 5);
    }

    #[test]
    fn what_never_ends_goes_to_the_end() {
        for source in ["a /* b", "a \"b", "a \"b\\", "a r#\"b\"", "a '\\n"] {
            assert!(without_blanks(source).starts_with('a'), "{source}");
            assert!(!without_blanks(source).contains('b'), "{source}");
        }
    }
}
