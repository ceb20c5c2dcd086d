//! A test that does not run says why: `#[ignore = "reason"]`.

use super::Violation;
use super::code_only::{code_only, line_at};

const IGNORE: &str = "#[ignore";

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let code = code_only(text);
    let mut violations = Vec::new();
    for (at, _) in code.match_indices(IGNORE) {
        if !has_reason(&code[at + IGNORE.len()..]) {
            let message = "a test is ignored without a reason, expected `#[ignore = \"reason\"]`";
            violations.push(Violation::new(path, line_at(&code, at), message));
        }
    }
    violations
}

fn has_reason(rest: &str) -> bool {
    let reason = rest.trim_start().strip_prefix('=').map(str::trim_start);
    reason.is_some_and(|reason| reason.starts_with('"') && !reason.starts_with("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_enough() {
        assert_eq!(check("a.rs", "#[test]\n#[ignore = \"takes an hour\"]\nfn f() {}\n"), []);
    }

    #[test]
    fn none_or_an_empty_one_is_not() {
        for bare in ["#[ignore]", "#[ignore = \"\"]"] {
            let found = check("a.rs", &format!("#[test]\n{bare}\nfn f() {{}}\n"));
            assert_eq!(found.len(), 1, "{bare}");
            assert_eq!(found[0].line, 2);
        }
    }

    #[test]
    fn talk_of_it_is_no_use_of_it() {
        assert_eq!(check("a.rs", "// #[ignore]\nlet a = \"#[ignore]\";\n"), []);
    }
}
