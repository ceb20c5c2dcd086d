//! Dependencies point one way: core ← ops ← models ← cli, and esgd-core stays free of tensors.

use std::path::Path;

use serde_json::Value;

use super::Violation;
use super::tree::Tree;
use crate::failure::Failure;
use crate::process::{cargo, read};

/// Each crate of the workspace, and the crates of the workspace it may use, also in its tests.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("esgd-core", &[]),
    ("esgd-ops", &["esgd-core"]),
    ("esgd-models", &["esgd-core", "esgd-ops"]),
    ("esgd-cli", &["esgd-core", "esgd-ops", "esgd-models"]),
    ("esgd-bench", &["esgd-core", "esgd-ops", "esgd-models", "esgd-cli"]),
    ("xtask", &[]),
];

const CORE: &str = "esgd-core";
const CORE_MAY_USE: [&str; 6] =
    ["libm", "proptest", "rand_core", "serde", "serde_json", "thiserror"];
const CORE_OPTIONAL: &str = "proptest";
/// How the names of the tensor crates begin.
const TENSORS: [&str; 3] = ["candle", "cudarc", "gemm"];

pub(super) fn check_workspace(tree: &Tree) -> Result<Vec<Violation>, Failure> {
    let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| {
        Failure::Failed(format!("`cargo metadata` printed no JSON ({error}), update cargo"))
    })?;
    let root = Path::new(text(&metadata["workspace_root"]));
    let mut violations = Vec::new();
    for package in list(&metadata["packages"]) {
        let path = Path::new(text(&package["manifest_path"]));
        let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        violations.extend(check(package, &path, &tree.text(&path)?));
    }
    let edges = ["-e", "normal,build", "--prefix", "none", "--all-features"];
    let used = read(cargo(&["tree", "-p", CORE]).args(edges))?;
    violations.extend(check_core_tree(&used));
    Ok(violations)
}

/// Checks one package of `cargo metadata` whose manifest is at `path`.
fn check(package: &Value, path: &str, manifest: &str) -> Vec<Violation> {
    let name = text(&package["name"]);
    let Some((_, may_use)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
        let message = format!("{name} has no place, expected one in {}", file!());
        return vec![Violation::new(path, 1, message)];
    };
    let mut violations = Vec::new();
    for dependency in list(&package["dependencies"]) {
        let used = text(&dependency["name"]);
        let kind = dependency["kind"].as_str();
        let expected = if dependency["path"].is_string() {
            if may_use.contains(&used) {
                continue;
            }
            match may_use.join(", ") {
                none if none.is_empty() => "no crate of the workspace".into(),
                some => format!("of the workspace only {some}"),
            }
        } else if name == CORE && kind != Some("dev") {
            let optional = dependency["optional"].as_bool() == Some(true);
            if CORE_MAY_USE.contains(&used) && (used != CORE_OPTIONAL || optional) {
                continue;
            }
            format!("only {}, and {CORE_OPTIONAL} optional", CORE_MAY_USE.join(", "))
        } else {
            continue;
        };
        let key = dependency["rename"].as_str().unwrap_or(used);
        let line = line_of(manifest, kind, key);
        violations.push(Violation::new(
            path,
            line,
            format!("{name} uses {used}, expected {expected}"),
        ));
    }
    violations
}

/// Checks what `cargo tree` printed, one crate a line.
fn check_core_tree(used: &str) -> Vec<Violation> {
    let mut names: Vec<&str> = used.lines().filter_map(|l| l.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| TENSORS.iter().any(|tensor| name.starts_with(tensor)));
    let path = format!("{CORE}/Cargo.toml");
    let violation = |name| {
        let message = format!("{CORE} reaches {name}, expected no tensor crate in its whole tree");
        Violation::new(&path, 1, message)
    };
    names.into_iter().map(violation).collect()
}

/// The line of a manifest that names the dependency `key`, or the first where none does.
fn line_of(manifest: &str, kind: Option<&str>, key: &str) -> usize {
    let section = kind.map_or("dependencies".into(), |kind| format!("{kind}-dependencies"));
    let is = |header: &str, name: &str| header == name || header.ends_with(&format!(".{name}"));
    let mut inside = false;
    for (i, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            let header = line.trim_matches(['[', ']']);
            inside = is(header, &section);
            if is(header, &format!("{section}.{key}")) {
                return i + 1;
            }
        } else if inside && line.strip_prefix(key).is_some_and(|l| l.starts_with([' ', '=', '.'])) {
            return i + 1;
        }
    }
    1
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, dependencies: &Value) -> Value {
        json!({ "name": name, "dependencies": dependencies })
    }

    fn ours(name: &str, kind: Option<&str>) -> Value {
        json!({ "name": name, "kind": kind, "path": "somewhere", "optional": false })
    }

    fn foreign(name: &str, kind: Option<&str>, optional: bool) -> Value {
        json!({ "name": name, "kind": kind, "optional": optional })
    }

    #[test]
    fn the_right_direction_is_fine() {
        let models =
            package("esgd-models", &json!([ours("esgd-core", None), ours("esgd-ops", None)]));
        assert_eq!(check(&models, "esgd-models/Cargo.toml", ""), []);
    }

    #[test]
    fn the_wrong_direction_is_not_even_for_tests() {
        let manifest =
            "[dependencies]\nlibm = \"0.2\"\n\n[dev-dependencies]\nesgd-models.workspace = true\n";
        let ops = package("esgd-ops", &json!([ours("esgd-models", Some("dev"))]));
        assert_eq!(
            check(&ops, "esgd-ops/Cargo.toml", manifest),
            [Violation::new(
                "esgd-ops/Cargo.toml",
                5,
                "esgd-ops uses esgd-models, expected of the workspace only esgd-core"
            )]
        );
        let core = package("esgd-core", &json!([ours("esgd-ops", Some("build"))]));
        assert_eq!(check(&core, "esgd-core/Cargo.toml", "").len(), 1);
        let xtask = package("xtask", &json!([ours("esgd-core", None)]));
        assert_eq!(check(&xtask, "xtask/Cargo.toml", "").len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let found = check(&package("esgd-gpu", &json!([])), "esgd-gpu/Cargo.toml", "");
        assert!(found[0].message.starts_with("esgd-gpu has no place"));
    }

    #[test]
    fn the_core_uses_little() {
        let good = json!([
            foreign("serde", None, false),
            foreign("proptest", None, true),
            foreign("rand", Some("dev"), false)
        ]);
        assert_eq!(check(&package("esgd-core", &good), "esgd-core/Cargo.toml", ""), []);
        let bad = json!([foreign("rayon", None, false), foreign("proptest", None, false)]);
        assert_eq!(check(&package("esgd-core", &bad), "esgd-core/Cargo.toml", "").len(), 2);
        let elsewhere = package("esgd-models", &json!([foreign("rayon", None, false)]));
        assert_eq!(check(&elsewhere, "esgd-models/Cargo.toml", ""), []);
    }

    #[test]
    fn the_core_reaches_no_tensors() {
        assert_eq!(check_core_tree("esgd-core v0.1.0 (/a/b)\nserde v1.0.0\n"), []);
        let found = check_core_tree("serde v1.0.0\ngemm-f32 v0.18.0\ngemm-f32 v0.18.0 (*)\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("reaches gemm-f32"));
    }

    #[test]
    fn the_line_is_that_of_the_right_section() {
        let manifest = "[dependencies]\nrand_core = \"1\"\nrand.workspace = true\n\
                        [dev-dependencies]\nrand = \"1\"\n[target.'cfg(unix)'.dependencies.libc]\n";
        assert_eq!(line_of(manifest, None, "rand"), 3);
        assert_eq!(line_of(manifest, Some("dev"), "rand"), 5);
        assert_eq!(line_of(manifest, None, "libc"), 6);
        assert_eq!(line_of(manifest, None, "absent"), 1);
    }
}
