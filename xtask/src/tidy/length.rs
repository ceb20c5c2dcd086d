//! A file is short, or it holds more than one idea. Its tests do not count: nobody should have to
//! leave one out for the sake of a length.

use std::ops::RangeInclusive;

use super::Violation;
use super::code_only::{code_only, line_at};

const MOST_LINES: usize = 400;

/// How the attribute of a module of tests begins.
const ATTRIBUTES: [&str; 2] = ["#[cfg(test)", "#[cfg(all(test"];

pub(super) fn check(path: &str, text: &str) -> Option<Violation> {
    if path.split('/').any(|part| part == "tests" || part == "tests.rs") {
        return None;
    }
    let tests = test_lines(&code_only(text));
    let mut counted =
        (1..=text.lines().count()).filter(|line| !tests.iter().any(|test| test.contains(line)));
    let lines = counted.clone().count();
    let first_too_many = counted.nth(MOST_LINES)?;
    let message =
        format!("the file has {lines} lines without its tests, expected at most {MOST_LINES}");
    Some(Violation::new(path, first_too_many, message))
}

/// The lines, counted from one, of each module of tests that stands in `code` with its body.
fn test_lines(code: &str) -> Vec<RangeInclusive<usize>> {
    let attributes = ATTRIBUTES.iter().flat_map(|attribute| code.match_indices(attribute));
    attributes
        .filter_map(|(start, attribute)| {
            let end = end_of_module(code, start + attribute.len())?;
            Some(line_at(code, start)..=line_at(code, end))
        })
        .collect()
}

/// Where the body ends of the module whose attribute goes on at `at`, if it is a module with a body.
fn end_of_module(code: &str, at: usize) -> Option<usize> {
    let open = at + code[at..].find(['{', ';'])?;
    let item = code[at..open].rsplit(']').next()?;
    if !item.split_whitespace().any(|word| word == "mod") {
        return None;
    }
    let mut depth = 0;
    for (offset, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            // A `;` instead of a body ends here, without one.
            return (c == '}').then_some(open + offset);
        }
    }
    // The compiler will say that the body never ends.
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "a/src/b.rs";

    /// A file of `lines` lines of code, with `rest` behind them.
    fn file(lines: usize, rest: &str) -> String {
        format!("//! Long.\n{}{rest}", "code();\n".repeat(lines - 1))
    }

    fn too_long(lines: usize, first_too_many: usize) -> Option<Violation> {
        let message = format!("the file has {lines} lines without its tests, expected at most 400");
        Some(Violation::new(FILE, first_too_many, message))
    }

    #[test]
    fn four_hundred_lines_are_not_too_many() {
        assert_eq!(check(FILE, &file(400, "")), None);
        assert_eq!(check(FILE, &file(401, "")), too_long(401, 401));
    }

    #[test]
    fn lines_of_inline_tests_do_not_count() {
        let body = "    fn f() { if a { b() } }\n".repeat(300);
        for head in [
            "#[cfg(test)]\nmod tests {\n",
            "#[cfg(all(test, unix))]\nmod tests {\n",
            "#[cfg(test)]\n#[allow(dead_code)]\npub(crate) mod tests\n{\n",
        ] {
            let tests = format!("{head}{body}}}\n");
            assert_eq!(check(FILE, &file(400, &tests)), None, "{head}");
            assert_eq!(check(FILE, &file(401, &tests)), too_long(401, 401), "{head}");
        }
    }

    #[test]
    fn code_behind_the_tests_counts() {
        let tests = "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
        assert_eq!(check(FILE, &file(300, &format!("{tests}{}", "code();\n".repeat(100)))), None);
        let text = file(300, &format!("{tests}{}", "code();\n".repeat(101)));
        assert_eq!(check(FILE, &text), too_long(401, 405));
    }

    #[test]
    fn braces_in_text_end_no_module() {
        let body = "    let a = \"}\"; // }\n    let b = '}';\n".repeat(200);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{body}}}\n");
        assert_eq!(check(FILE, &file(400, &tests)), None);
    }

    #[test]
    fn what_only_looks_like_tests_counts() {
        let body = "    code();\n".repeat(398);
        for head in [
            "mod tests {\n",
            "#[cfg(not(test))]\nmod tests {\n",
            "// #[cfg(test)]\nmod tests {\n",
            "#[cfg(test)]\nmod tests;\nfn f() {\n",
            "#[cfg(test)]\nfn f() {\n",
        ] {
            assert!(check(FILE, &format!("//! Long.\n{head}{body}}}\n")).is_some(), "{head}");
        }
    }

    #[test]
    fn files_of_tests_may_be_long() {
        for path in ["esgd-cli/tests/compare.rs", "a/tests/support/mod.rs", "a/src/b/tests.rs"] {
            assert_eq!(check(path, &file(500, "")), None, "{path}");
        }
        assert!(check("a/src/contests.rs", &file(500, "")).is_some());
    }
}
