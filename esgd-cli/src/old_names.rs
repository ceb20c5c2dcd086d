//! What had another name before: keys of configs, which go on working and name the new one, and fields of
//! results, which are read under both.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::failure::Failure;

/// Keys of sections, by their section.
const KEYS: [(&str, &str, &str); 2] =
    [("run", "contrast", "control"), ("start", "founders", "warm")];

/// Fields of a result.
const FIELDS: [(&str, &str); 2] = [("yardstick", "objective"), ("contrast", "control")];

/// An old name and the one of now, as paths.
type Renamed = (String, String);

/// Gives the keys of a config their names of now. Returns those that had others.
///
/// # Errors
/// If one is there under both names.
pub(crate) fn in_config(table: &mut Table) -> Result<Vec<Renamed>, Failure> {
    let mut renamed = vec![];
    for (section, old, new) in KEYS {
        let paths = || (format!("{section}.{old}"), format!("{section}.{new}"));
        let found = match table.get_mut(section) {
            Some(Value::Table(inner)) if inner.contains_key(old) && inner.contains_key(new) => {
                let (old, new) = paths();
                return Err(Failure::Usage(format!(
                    "`{old}` is called `{new}` now, and both are set: leave out the first"
                )));
            }
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
            renamed.push(paths());
        }
    }
    Ok(renamed)
}

/// The same of `--set PATH=VALUE`: the assignment with its names of now.
///
/// # Errors
/// If a value has both names.
pub(crate) fn in_assignment(assignment: &str) -> Result<(String, Option<Renamed>), Failure> {
    let same = || Ok((assignment.to_owned(), None));
    let Some((path, text)) = assignment.split_once('=') else { return same() };
    for (section, old, new) in KEYS {
        let whole = format!("{section}.{old}");
        let rest = path.trim().strip_prefix(&whole);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('.')) {
            let renamed = format!("{section}.{new}");
            return Ok((format!("{renamed}{rest}={text}"), Some((whole, renamed))));
        }
        // The name may be in the value: `start=founders`, `run={ contrast = false }`.
        if path.trim() == section {
            let word = || Value::String(text.trim().to_owned());
            let parsed = toml::from_str::<Table>(&format!("value = {text}"));
            let value = parsed.ok().and_then(|mut table| table.remove("value"));
            let mut table: Table =
                [(section.to_owned(), value.unwrap_or_else(word))].into_iter().collect();
            if let Some(renamed) = in_config(&mut table)?.pop() {
                return Ok((format!("{section}={}", table[section]), Some(renamed)));
            }
        }
    }
    same()
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
            assert_eq!(in_config(&mut table).unwrap().len(), 1, "{before}");
            assert_eq!(table, toml::from_str(now).unwrap());
            assert!(in_config(&mut table).unwrap().is_empty());
        }
        for (before, now) in [
            ("run.contrast=false", "run.control=false"),
            ("start.founders.sigma=0.1", "start.warm.sigma=0.1"),
            ("start=founders", "start=\"warm\""),
            ("run={contrast=false}", "run={ control = false }"),
            ("start={ founders = { sigma = 0.1 } }", "start={ warm = { sigma = 0.1 } }"),
        ] {
            let (assignment, renamed) = in_assignment(before).unwrap();
            assert_eq!(assignment, now);
            assert!(renamed.is_some());
        }
        for same in ["mu=3", "run.contrast", "start=shared", "run.contrasts=1"] {
            assert_eq!(in_assignment(same).unwrap(), (same.into(), None));
        }
        let mut both: Table = toml::from_str("[run]\ncontrast = true\ncontrol = true").unwrap();
        let message = in_config(&mut both).unwrap_err().to_string();
        assert!(message.contains("both are set"), "{message}");
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
