//! What had another name before: keys of configs, which go on working and name the new one, and fields of
//! results, which are read under both.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::{Table, Value};

/// Keys of sections, by their section.
const KEYS: [(&str, &str, &str); 2] =
    [("run", "contrast", "control"), ("start", "founders", "warm")];

/// Fields of a result.
const FIELDS: [(&str, &str); 2] = [("yardstick", "objective"), ("contrast", "control")];

/// Gives the keys of a config their names of now. Returns those that had others, as `old` and `new` path.
pub(crate) fn in_config(table: &mut Table) -> Vec<(String, String)> {
    let mut renamed = vec![];
    for (section, old, new) in KEYS {
        let found = match table.get_mut(section) {
            Some(Value::Table(inner)) => match inner.remove(old) {
                Some(value) => inner.insert(new.into(), value).is_none(),
                None => false,
            },
            // `start = "founders"`.
            Some(Value::String(word)) if word == old => {
                new.clone_into(word);
                true
            }
            _ => false,
        };
        if found {
            renamed.push((format!("{section}.{old}"), format!("{section}.{new}")));
        }
    }
    renamed
}

/// The same of `--set PATH=VALUE`: the assignment with its names of now.
pub(crate) fn in_assignment(assignment: &str) -> (String, Option<(String, String)>) {
    let (path, text) = assignment.split_once('=').unwrap_or((assignment, ""));
    for (section, old, new) in KEYS {
        let whole = format!("{section}.{old}");
        let rest = path.trim().strip_prefix(&whole);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('.')) {
            let renamed = format!("{section}.{new}");
            return (format!("{renamed}{rest}={text}"), Some((whole, renamed)));
        }
    }
    (assignment.to_owned(), None)
}

/// Gives the fields of run.json their names of now.
pub(crate) fn in_result(result: &mut Json) {
    let Some(fields) = result.as_object_mut() else { return };
    for (old, new) in FIELDS {
        if let Some(value) = fields.remove(old) {
            fields.insert(new.into(), value);
        }
    }
    if let Some(status) = fields.get_mut("status").filter(|status| *status == "contrast missing") {
        *status = "control missing".into();
    }
}

/// Gives what the file of a network says of itself its names of now. Returns whether there was another.
pub(crate) fn in_metadata(said: &mut BTreeMap<String, String>) -> bool {
    let old = said.remove("yardstick");
    let found = old.is_some();
    said.extend(old.map(|value| ("objective".into(), value)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_before_get_their_names_of_now() {
        for (before, now) in [
            ("[run]\ncontrast = false", "[run]\ncontrol = false"),
            ("start = \"founders\"", "start = \"warm\""),
            ("start = { founders = { sigma = 0.1 } }", "start = { warm = { sigma = 0.1 } }"),
        ] {
            let mut table: Table = toml::from_str(before).unwrap();
            assert_eq!(in_config(&mut table).len(), 1, "{before}");
            assert_eq!(table, toml::from_str(now).unwrap());
            assert!(in_config(&mut table).is_empty());
        }
        assert_eq!(in_assignment("run.contrast=false").0, "run.control=false");
        assert_eq!(in_assignment("start.founders.sigma=0.1").0, "start.warm.sigma=0.1");
        assert_eq!(in_assignment("mu=3"), ("mu=3".into(), None));
    }

    #[test]
    fn fields_of_before_get_their_names_of_now() {
        let mut result = serde_json::json!({
            "yardstick": "a loss", "contrast": null, "status": "contrast missing"
        });
        in_result(&mut result);
        let now = serde_json::json!({
            "objective": "a loss", "control": null, "status": "control missing"
        });
        assert_eq!(result, now);
    }
}
