//! One idea a file: each Rust file says its idea in a `//!` header and is named for what it holds.

use super::Violation;

/// Names that say nothing of what a file holds.
const EMPTY_NAMES: [&str; 7] =
    ["utils.rs", "util.rs", "base.rs", "common.rs", "helpers.rs", "helper.rs", "misc.rs"];

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    // Those are samples for the compiler to reject, and its messages quote their lines.
    if path.contains("tests/compile_fail/") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    if !text.starts_with("//!") {
        let message = "the file begins without a header, expected `//!` and the idea of the file";
        violations.push(Violation::new(path, 1, message));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if EMPTY_NAMES.contains(&name) {
        let message = format!("`{name}` says nothing, expected a name for what the file holds");
        violations.push(Violation::new(path, 1, message));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_header_is_fine() {
        assert_eq!(check("esgd-ops/src/noise.rs", "//! Noise.\n"), []);
    }

    #[test]
    fn a_header_is_the_very_first_thing() {
        let found = check("a/src/b.rs", "\n//! Late.\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("a/src/b.rs:1: the file begins without"));
    }

    #[test]
    fn an_empty_name_is_found_in_any_folder() {
        assert_eq!(check("a/src/helpers.rs", "//! Help.\n").len(), 1);
        assert_eq!(check("utils.rs", "//! Help.\n").len(), 1);
        assert_eq!(check("a/src/database.rs", "//! Data.\n"), []);
    }

    #[test]
    fn samples_for_the_compiler_are_left_alone() {
        assert_eq!(check("esgd-core/tests/compile_fail/seal.rs", "fn main() {}\n"), []);
    }
}
