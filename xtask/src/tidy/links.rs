//! What the documents and the pages in `docs` name exists: relative links, and the paths in backticks of
//! ARCHITECTURE.md.

use super::Violation;
use super::tree::Tree;
use crate::failure::Failure;

const MAP: &str = "ARCHITECTURE.md";
const DOCUMENTS: [&str; 5] = [MAP, "README.md", "CONTRIBUTING.md", "BENCHMARKS.md", "CHANGELOG.md"];

/// Endings of names that are taken for files.
const ENDINGS: [&str; 5] = [".rs", ".md", ".toml", ".py", ".svg"];

pub(super) fn check_documents(tree: &Tree) -> Result<Vec<Violation>, Failure> {
    let files = tree.files();
    let mut violations = Vec::new();
    for path in DOCUMENTS {
        if !is_there(files, path) {
            let message = "there is no such file, expected this document of the project";
            violations.push(Violation::new(path, 1, message));
            continue;
        }
        let text = tree.text(path)?;
        violations.extend(check_links(path, &text, files));
        if path == MAP {
            violations.extend(check_paths(path, &text, files));
        }
    }
    for page in files.iter().filter(|path| path.starts_with("docs/") && path.ends_with(".md")) {
        violations.extend(check_links(page, &tree.text(page)?, files));
    }
    Ok(violations)
}

fn check_links(path: &str, text: &str, files: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in prose(text) {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let target = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !elsewhere && !is_there(files, &from_root(path, target)) {
                let message =
                    format!("the link to `{target}` is dead, expected a path of the repository");
                violations.push(Violation::new(path, number, message));
            }
        }
    }
    violations
}

/// The path from the root of what `page` calls `target`; one that leaves the repository keeps its `..`.
fn from_root(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn check_paths(path: &str, text: &str, files: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in prose(text) {
        for token in line.split('`').skip(1).step_by(2) {
            if is_dead(token, files) {
                let message = format!(
                    "`{token}` is not there, expected a path of the repository (write a file of \
                     a run as `<run>/NAME`)"
                );
                violations.push(Violation::new(path, number, message));
            }
        }
    }
    violations
}

/// The lines outside fenced blocks, each with its number from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(i, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((i + 1, line))
    })
}

/// Whether `token` looks like a path of the repository and is none. A path from the root must be
/// there as it stands; a file named shortly, such as `src/lib.rs`, may lie in any folder.
fn is_dead(token: &str, files: &[String]) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !token.chars().all(plain) || token.starts_with('/') {
        return false;
    }
    if let Some((folder, _)) = token.split_once('/') {
        let folder = format!("{folder}/");
        if files.iter().any(|file| file.starts_with(&folder)) {
            return !is_there(files, token);
        }
    }
    let name = token.rsplit('/').next().unwrap_or(token);
    let is_file = ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending));
    let tail = format!("/{token}");
    is_file && !files.iter().any(|file| file == token || file.ends_with(&tail))
}

/// Whether `path` is one of `files`, or a folder with some of them.
fn is_there(files: &[String], path: &str) -> bool {
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let folder = format!("{path}/");
    files.iter().any(|file| file == path || file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<String> {
        ["README.md", "esgd-core/src/lib.rs", "esgd-core/src/rng/key.rs"].map(String::from).into()
    }

    fn dead_paths(text: &str) -> Vec<String> {
        let found = check_paths(MAP, text, &files());
        found.into_iter().map(|violation| violation.to_string()).collect()
    }

    fn dead_links(text: &str) -> Vec<usize> {
        let found = check_links("README.md", text, &files());
        found.into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn paths_that_are_there_are_fine() {
        let text = "`esgd-core/src/rng/` holds `key.rs`, see `esgd-core/src/lib.rs`\n\
                    and `src/lib.rs`, `README.md`, `esgd-core`\n";
        assert_eq!(dead_paths(text), Vec::<String>::new());
    }

    #[test]
    fn paths_that_are_gone_are_named_with_their_line() {
        let found = dead_paths("Hm.\n`esgd-core/src/gone.rs` and `esgd-core/tests`\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("ARCHITECTURE.md:2: `esgd-core/src/gone.rs` is not there"));
        assert_eq!(dead_paths("`philox.rs`, `run.toml`").len(), 2);
    }

    #[test]
    fn other_code_is_no_path() {
        let text = "`x/y`, `Key::new`, `cargo test -p a/b.rs`, `<run>/a.toml`, `src/*.rs`, `.rs`, \
                    `/proc/a.md`\n```\n`esgd-core/gone.rs`\n```\n";
        assert_eq!(dead_paths(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_found() {
        let text =
            "[a](README.md) [b](gone.md)\n[c](./esgd-core/src#here) ![d](docs/d.svg \"D\")\n";
        assert_eq!(dead_links(text), [1, 2]);
    }

    #[test]
    fn a_link_begins_in_the_folder_of_its_page() {
        let text = "[a](key.rs) [b](../lib.rs) [c](../../../README.md)\n[d](README.md)\n\
                    [e](../../../../README.md)\n";
        let found = check_links("esgd-core/src/rng/page.md", text, &files());
        assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn links_to_elsewhere_are_not_ours_to_check() {
        let text = "[a](https://example.org/a.md) [b](#below) [c](mailto:a@example.org)\n";
        assert_eq!(dead_links(text), Vec::<usize>::new());
    }
}
