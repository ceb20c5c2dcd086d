//! Every dependency comes from crates.io under a permissive licence. (Advisories are not looked up: their
//! list is not here.)

use serde_json::Value;

use super::Violation;
use crate::failure::Failure;
use crate::process::{cargo, read};

const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check_dependencies() -> Result<Vec<Violation>, Failure> {
    let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--all-features"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| {
        Failure::Failed(format!("`cargo metadata` printed no JSON ({error}), update cargo"))
    })?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(packages.iter().filter_map(check).collect())
}

fn check(package: &Value) -> Option<Violation> {
    let name = package["name"].as_str().unwrap_or_default();
    // The workspace's own have no source.
    let source = package["source"].as_str()?;
    let licence = package["license"].as_str().unwrap_or("none");
    let message = if source != CRATES_IO {
        format!("{name} comes from {source}, expected crates.io")
    } else if !is_permissive(licence) {
        format!("{name} has the licence {licence}, expected one of {}", PERMISSIVE.join(", "))
    } else {
        return None;
    };
    Some(Violation::new("Cargo.lock", 1, message))
}

/// Whether an SPDX expression, or the older form with `/` for OR, gives a permissive choice.
fn is_permissive(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    matches!(either(&words), Some((true, [])))
}

/// A part of an expression: whether it is permissive, and what is left behind it.
type Parsed<'a> = Option<(bool, &'a [&'a str])>;

fn either<'a>(words: &'a [&'a str]) -> Parsed<'a> {
    let (mut good, mut rest) = both(words)?;
    while let ["OR", more @ ..] = rest {
        let (other, left) = both(more)?;
        (good, rest) = (good || other, left);
    }
    Some((good, rest))
}

fn both<'a>(words: &'a [&'a str]) -> Parsed<'a> {
    let (mut good, mut rest) = one(words)?;
    while let ["AND", more @ ..] = rest {
        let (other, left) = one(more)?;
        (good, rest) = (good && other, left);
    }
    Some((good, rest))
}

fn one<'a>(words: &'a [&'a str]) -> Parsed<'a> {
    match words {
        ["(", inside @ ..] => match either(inside)? {
            (good, [")", rest @ ..]) => Some((good, rest)),
            _ => None,
        },
        // An exception only adds permissions.
        [name, "WITH", _, rest @ ..] | [name, rest @ ..] => Some((PERMISSIVE.contains(name), rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_permissive_choice_is_enough_and_all_of_an_and_is_needed() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_permissive(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "none", "", "MIT OR", "(MIT", "MIT) OR MIT"] {
            assert!(!is_permissive(bad), "{bad}");
        }
    }

    #[test]
    fn where_it_comes_from_matters_too() {
        let package = |source: &str, licence: &str| json!({ "name": "a", "source": source, "license": licence });
        assert_eq!(check(&package(CRATES_IO, "MIT")), None);
        assert!(check(&package(CRATES_IO, "AGPL-3.0")).is_some());
        assert!(check(&package("git+https://example.org/a", "MIT")).is_some());
        assert_eq!(check(&json!({ "name": "own", "source": null })), None);
    }
}
