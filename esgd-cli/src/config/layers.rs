//! Laying configs over one another, and naming the keys that do not exist.

use toml::{Table, Value};

use super::{nearest::did_you_mean, words};
use crate::failure::Failure;

/// Lays `over` on `under`: keys replace keys, sections are merged. `source` is named in errors.
pub(crate) fn lay(under: &mut Table, over: Table, source: &str) -> Result<(), Failure> {
    for (key, value) in over {
        let Some(old) = under.get_mut(&key) else {
            return Err(unknown(&key, under, "", source));
        };
        let value = words::meant(&key, old, value, source)?;
        match (section(&key, old), value) {
            (Some(section), Value::Table(table)) => {
                for (name, value) in table {
                    if !section.contains_key(&name) {
                        return Err(unknown(&name, section, &format!("{key}."), source));
                    }
                    section.insert(name, value);
                }
            }
            (_, value) => *old = value,
        }
    }
    Ok(())
}

/// Sets one key by its path, such as `guarantee.way` or `optimizers.0.lr`. A value that is not
/// TOML is taken as text, so that words need no quotes.
pub(crate) fn set(config: &mut Table, assignment: &str) -> Result<(), Failure> {
    let Some((path, text)) = assignment.split_once('=') else {
        return Err(Failure::Usage(format!(
            "--set {} has no value: write --set KEY=VALUE, such as --set mu=32",
            assignment.escape_debug()
        )));
    };
    let (path, text) = (path.trim(), text.trim());
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    if let (Err(e), Some('{' | '[')) = (&parsed, text.chars().next()) {
        let what = e.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let (path, text) = (path.escape_debug(), text.escape_debug());
        return Err(Failure::Usage(format!("--set {path}: {text} is not TOML: {what}")));
    }
    if parsed.is_err() && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::Usage(format!(
            "--set {}: {text} is too large: expected at most {}",
            path.escape_debug(),
            i64::MAX
        )));
    }
    let value = parsed.ok().and_then(|mut table| table.remove("value"));
    let value = value.unwrap_or_else(|| Value::String(text.to_owned()));

    let mut names: Vec<&str> = path.split('.').collect();
    let last = names.pop().unwrap_or_default();
    let value = if names == ["start"] || names == ["selection"] {
        words::numbers(last, value)
    } else {
        value
    };
    match names[..] {
        // Another strategy has other parameters.
        ["strategy"] if last == "kind" => {
            return lay(config, [("strategy".to_owned(), value)].into_iter().collect(), "--set");
        }
        [] => return lay(config, [(last.to_owned(), value)].into_iter().collect(), "--set"),
        // Numbers of a start or a selection that is another so far.
        [key @ ("start" | "selection"), ..] if config.contains_key(key) => {
            let word = names.get(1).copied().unwrap_or(last);
            if let Some(chosen) = words::choice(key, word, &config[key])? {
                config[key] = chosen;
            }
        }
        _ => {}
    }
    let (first, rest) = (names[0], &names[1..]);
    if !config.contains_key(first) {
        return Err(unknown(first, config, "", "--set"));
    }
    let mut place = &mut config[first];
    if let (Some(section), []) = (section(first, place), rest) {
        if !section.contains_key(last) {
            return Err(unknown(last, section, &format!("{first}."), "--set"));
        }
    }
    for name in rest {
        place = child(place, name, path)?;
    }
    *child(place, last, path)? = value;
    Ok(())
}

/// The value `name` inside a table, made if it is not there, or element `name` of a list.
fn child<'a>(place: &'a mut Value, name: &str, path: &str) -> Result<&'a mut Value, Failure> {
    let fault = |what: String| Failure::Usage(format!("--set {}: {what}", path.escape_debug()));
    let shown = name.escape_debug();
    match place {
        Value::Array(list) => {
            let n = list.len();
            let index = name.parse::<usize>().ok().filter(|i| *i < n);
            let index = index.ok_or_else(|| {
                fault(format!(
                    "`{shown}` is no place in a list of {n}: expected 0 to {}",
                    n.max(1) - 1
                ))
            })?;
            Ok(&mut list[index])
        }
        Value::Table(table) => Ok(table.entry(name).or_insert(Value::Boolean(false))),
        other => Err(fault(format!(
            "`{shown}` is asked for inside a value of type {}, which holds nothing",
            other.type_str()
        ))),
    }
}

/// A section, whose keys are fixed; not a value that happens to be a table: `start`, `selection` and `strategy`.
fn section<'a>(key: &str, value: &'a mut Value) -> Option<&'a mut Table> {
    if words::is_section(key, value) { value.as_table_mut() } else { None }
}

fn unknown(key: &str, known: &Table, prefix: &str, source: &str) -> Failure {
    let hint = did_you_mean(key, known.keys().map(String::as_str));
    let hint = if hint.is_empty() {
        format!(": expected one of {}", known.keys().cloned().collect::<Vec<_>>().join(", "))
    } else {
        hint
    };
    Failure::Usage(format!("{source}: there is no setting `{prefix}{}`{hint}", key.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Table {
        let text = "mu = 16\nstart = { shared = { epochs = 5 } }\n[guarantee]\nway = 'archive'\n[[optimizers]]\nkind = 'sgd'\nlr = 0.1";
        toml::from_str(text).unwrap()
    }

    #[test]
    fn keys_replace_keys_and_sections_are_merged() {
        let mut under = config();
        let over =
            toml::from_str("mu = 4\nstart = 'independent'\n[guarantee]\nway = 'back-off'").unwrap();
        lay(&mut under, over, "test").unwrap();
        assert_eq!(under["mu"].as_integer(), Some(4));
        assert_eq!(under["start"].as_str(), Some("independent"));
        assert_eq!(under["guarantee"]["way"].as_str(), Some("back-off"));
    }

    #[test]
    fn set_reaches_everywhere() {
        let mut table = config();
        for assignment in [
            "mu=8",
            "guarantee.way=back-off",
            "start.shared.epochs=2",
            "optimizers.0.lr={ uniform = [0.1, 0.2] }",
            "optimizers.0.clip = 1",
        ] {
            set(&mut table, assignment).unwrap();
        }
        assert_eq!(table["mu"].as_integer(), Some(8));
        assert_eq!(table["guarantee"]["way"].as_str(), Some("back-off"));
        assert_eq!(table["start"]["shared"]["epochs"].as_integer(), Some(2));
        assert!(table["optimizers"][0]["lr"]["uniform"].is_array());
        assert_eq!(table["optimizers"][0]["clip"].as_integer(), Some(1));
    }

    #[test]
    fn a_mistyped_key_is_named_with_the_nearest() {
        let message = |assignment| set(&mut config(), assignment).unwrap_err().to_string();
        assert_eq!(message("mo=8"), "--set: there is no setting `mo` (did you mean `mu`?)");
        assert_eq!(
            message("guarantee.wey=x"),
            "--set: there is no setting `guarantee.wey` (did you mean `way`?)"
        );
        assert!(message("guarante.way=x").contains("`guarantee`"));
        assert!(message("optimizers.3.lr=1").contains("expected 0 to 0"));
        assert!(message("mu.x=1").contains("inside a value of type integer"));
        assert!(message("mu").contains("KEY=VALUE"));
        assert!(message("mu=9223372036854775808").contains("expected at most 9223372036854775807"));
        let over = toml::from_str("[guarantee]\nanker = true").unwrap();
        let error = lay(&mut config(), over, "run.toml").unwrap_err().to_string();
        assert!(error.starts_with("run.toml: there is no setting `guarantee.anker`"), "{error}");
    }
}
