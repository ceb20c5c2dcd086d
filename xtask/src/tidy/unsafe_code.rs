//! `unsafe` lives in esgd-ops alone, and each use of it there says why it is sound.

use super::Violation;
use super::code_only::{code_only, line_at, words};

const HOME: &str = "esgd-ops/";
const REASON: &str = "// SAFETY:";
/// How many lines of code may part a reason from its `unsafe`.
const NEAR: usize = 3;

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let code = code_only(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut violations = Vec::new();
    for at in words(&code, "unsafe") {
        let line = line_at(&code, at);
        if !path.starts_with(HOME) {
            let message = "`unsafe` stands here, expected it only in esgd-ops";
            violations.push(Violation::new(path, line, message));
        } else if needs_reason(&code[at + "unsafe".len()..]) && !has_reason(&lines[..line]) {
            let message = format!(
                "`unsafe` stands without a reason, expected `{REASON}` at most {NEAR} lines above"
            );
            violations.push(Violation::new(path, line, message));
        }
    }
    violations
}

/// A block and an `impl` vouch for something; an `unsafe fn` leaves that to its callers.
fn needs_reason(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with('{') || words(rest, "impl").next() == Some(0)
}

/// Whether a reason begins near the last of `lines`. Lines of comment do not count as distance,
/// or a long reason would be no reason.
fn has_reason(lines: &[&str]) -> bool {
    let mut code_lines = 0;
    for line in lines.iter().rev() {
        if line.contains(REASON) {
            return true;
        }
        if !line.trim_start().starts_with("//") {
            code_lines += 1;
        }
        if code_lines > NEAR {
            break;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPS: &str = "esgd-ops/src/step.rs";

    #[test]
    fn outside_its_home_it_is_a_violation() {
        let found = check("esgd-core/src/lib.rs", "//! Core.\nunsafe fn f() {}\n");
        assert_eq!(
            found,
            [Violation::new(
                "esgd-core/src/lib.rs",
                2,
                "`unsafe` stands here, expected it only in esgd-ops"
            )]
        );
    }

    #[test]
    fn lint_names_comments_and_strings_are_no_use_of_it() {
        let text = "#![forbid(unsafe_code)]\n#![deny(unsafe_op_in_unsafe_fn)]\n\
                    // unsafe { }\nlet a = \"unsafe { }\";\n";
        assert_eq!(check("esgd-core/src/lib.rs", text), []);
    }

    #[test]
    fn a_reason_above_is_enough() {
        assert_eq!(check(OPS, "// SAFETY: i < n.\nlet x = unsafe { *p.add(i) };\n"), []);
        let long = "// SAFETY: a\n// b\n// c\n// d\n// e\nunsafe impl Send for A {}\n";
        assert_eq!(check(OPS, long), []);
    }

    #[test]
    fn no_reason_or_one_far_away_is_not() {
        assert_eq!(check(OPS, "unsafe { f() }\n")[0].line, 1);
        assert_eq!(check(OPS, "unsafe impl Send for A {}\n").len(), 1);
        let far = "// SAFETY: a\nlet a = 1;\nlet b = 2;\nlet c = 3;\nunsafe { f() }\n";
        assert_eq!(check(OPS, far)[0].line, 5);
    }

    #[test]
    fn an_unsafe_function_leaves_the_reason_to_its_callers() {
        assert_eq!(check(OPS, "pub unsafe fn f() {}\n"), []);
    }
}
