//! Settings that hold several others, given as the one word or number that they are about: `start=shared`,
//! `network=resnet`, `optimizers=adam`.

use toml::{Table, Value};

use super::presets;
use crate::failure::Failure;

/// What `value` means as the new value of `key`, which is `old`.
pub(super) fn meant(key: &str, old: &Value, value: Value, source: &str) -> Result<Value, Failure> {
    match (key, &value) {
        ("start" | "selection", Value::String(word)) => {
            Ok(choice(key, word, old)?.unwrap_or(value))
        }
        ("optimizers", Value::String(kind)) => {
            let one = optimizer(kind)?.ok_or_else(|| {
                Failure::Usage(format!(
                    "{source}: there is no optimizer `{kind}` to draw from: expected one of {}, or a list such as {EXAMPLE}",
                    KINDS.join(", ")
                ))
            })?;
            Ok(Value::Array(vec![one]))
        }
        ("optimizers", Value::Table(_)) => Ok(Value::Array(vec![value])),
        // Its parameters stay where the kind does.
        ("strategy", Value::String(_)) => match old.get("kind") == Some(&value) {
            true => Ok(old.clone()),
            false => Ok(single("kind", value)),
        },
        // The parameters of one strategy are none of another's.
        ("strategy", Value::Table(over)) => {
            let same = over.get("kind").is_none_or(|kind| old.get("kind") == Some(kind));
            let mut merged = old.as_table().filter(|_| same).cloned().unwrap_or_default();
            merged.extend(over.clone());
            Ok(Value::Table(merged))
        }
        (_, Value::Table(_)) => Ok(value),
        _ if is_section(key, old) => match field(key, &value) {
            Some(name) => Ok(single(name, value)),
            None => Err(Failure::Usage(format!(
                "{source}: `{key}` holds several settings: set one of them, such as {}",
                example(key)
            ))),
        },
        _ => Ok(value),
    }
}

/// Whether `value`, that of `key`, is a section.
pub(super) fn is_section(key: &str, value: &Value) -> bool {
    value.is_table() && !["start", "selection", "strategy"].contains(&key)
}

/// The table of a start or a selection that has numbers: as it is, or else as in the defaults; `None` of a
/// word without any.
pub(super) fn choice(key: &str, word: &str, old: &Value) -> Result<Option<Value>, Failure> {
    let has = |value: &Value| value.get(word).is_some_and(Value::is_table);
    if has(old) {
        return Ok(Some(old.clone()));
    }
    let default = defaults()?.remove(key).filter(has);
    let others = only(word);
    Ok(default.or_else(|| others.map(|(name, number)| single(word, single(name, number.into())))))
}

/// The one number that a start or a selection has, and one to begin with.
fn only(word: &str) -> Option<(&'static str, f64)> {
    match word {
        "warm" => Some(("sigma", 0.01)),
        "truncation" => Some(("best", 0.2)),
        _ => None,
    }
}

/// What `value` means as the numbers of a start or a selection: a number is the only one that there is.
pub(super) fn numbers(word: &str, value: Value) -> Value {
    match (only(word), &value) {
        (Some((name, _)), Value::Integer(_) | Value::Float(_)) => single(name, value),
        _ => value,
    }
}

/// What an optimizer's own table is like.
const EXAMPLE: &str = "[{ kind = \"sgd\", lr = 0.1 }]";

const KINDS: [&str; 4] = ["sgd", "adam", "adamw", "rmsprop"];

/// The default's optimizer of this kind; those that it lacks draw what its Adam does.
fn optimizer(kind: &str) -> Result<Option<Value>, Failure> {
    if !KINDS.contains(&kind) {
        return Ok(None);
    }
    let like = if kind == "sgd" { "sgd" } else { "adam" };
    let Some(Value::Array(all)) = defaults()?.remove("optimizers") else { return Ok(None) };
    let mut found =
        all.into_iter().find(|one| one.get("kind").and_then(Value::as_str) == Some(like));
    if let Some(Value::Table(table)) = &mut found {
        table.insert("kind".into(), kind.into());
    }
    Ok(found)
}

/// The setting of a section that a word or a number by itself is for.
fn field(section: &str, value: &Value) -> Option<&'static str> {
    match (section, value) {
        ("data", Value::String(_)) => Some("name"),
        ("network", Value::String(_)) => Some("kind"),
        ("guarantee", Value::String(_)) => Some("way"),
        ("recipes", Value::String(_)) => Some("policy"),
        ("mutation", Value::Integer(_) | Value::Float(_)) => Some("sigma"),
        ("mutation", Value::String(word)) if word == "absolute" || word == "relative" => {
            Some("scale")
        }
        ("fine_tune", Value::Integer(_)) => Some("epochs"),
        _ => None,
    }
}

/// How a setting, or one of a section's, is set.
pub(super) fn example(path: &str) -> &'static str {
    let examples = [
        ("data.fitness", "data.fitness=validation"),
        ("data", "data.name=digits"),
        ("network.activation", "network.activation=relu"),
        ("network", "network.kind=mlp"),
        ("guarantee.p_backoff_per", "guarantee.p_backoff_per=individual"),
        ("guarantee", "guarantee.way=archive"),
        ("mutation.scale", "mutation.scale=absolute"),
        ("mutation.anneal", "mutation.anneal=1/k or mutation.anneal=cosine"),
        ("mutation", "mutation.sigma=0.01"),
        ("recipes", "recipes.policy=keep"),
        ("fine_tune.lr", "fine_tune.lr=0.001"),
        ("fine_tune", "fine_tune.epochs=5"),
        ("run", "run.threads=2"),
        ("strategy", "strategy=nested or strategy={ kind = \"nested\", trail = [3, 6] }"),
        ("start", "start=shared or start.shared.epochs=5"),
        ("selection", "selection=roulette or selection.truncation.best=0.2"),
        ("optimizers", "optimizers=sgd or optimizers.0.lr=0.1"),
        ("compare.single", "compare.single.lr=0.1"),
        ("compare.anneal", "compare.anneal=cosine"),
        ("compare", "compare.rates=[0.01, 0.1]"),
    ];
    let found = examples.iter().find(|(prefix, _)| path.starts_with(prefix));
    found.map_or("mu=20", |(_, example)| example)
}

/// Gives the schedules that are named by a word, wherever one is, the numbers that the defaults have.
pub(super) fn schedules(table: &mut Table, path: &str) -> Result<(), Failure> {
    for (name, value) in table {
        let here = format!("{path}{name}");
        match value {
            Value::String(word) if name == "anneal" && word == "cosine" => {
                *value = single("cosine", single("to", 0.01.into()));
            }
            Value::String(word) if name == "anneal" && word == "step" => {
                return Err(Failure::Usage(format!(
                    "the setting `{here}`: a step needs its generations and a factor, such as {{ step = {{ at = [4, 6], factor = 0.1 }} }}"
                )));
            }
            Value::Table(inner) => schedules(inner, &format!("{here}."))?,
            Value::Array(list) => {
                for (i, one) in list.iter_mut().enumerate() {
                    if let Value::Table(inner) = one {
                        schedules(inner, &format!("{here}[{i}]."))?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A table with one value.
fn single(name: &str, value: Value) -> Value {
    Value::Table([(name.to_owned(), value)].into_iter().collect())
}

/// Refuses true and false where a number is drawn: only Nesterov's momentum is on or off.
pub(super) fn no_switches(config: &Table) -> Result<(), Failure> {
    let refuse = |path: String| {
        Err(Failure::Usage(format!(
            "the setting `{path}`: expected a number or a range, and only nesterov takes true or false"
        )))
    };
    let list = config.get("optimizers").and_then(Value::as_array);
    let pool =
        list.into_iter().flatten().enumerate().map(|(i, one)| (format!("optimizers[{i}]"), one));
    let single = config.get("compare").and_then(|compare| compare.get("single"));
    let all = pool.chain(single.map(|one| ("compare.single".to_owned(), one)));
    for (path, one) in all {
        let switch = |(name, value): &(&String, &Value)| value.is_bool() && *name != "nesterov";
        if let Some((name, _)) = one.as_table().and_then(|table| table.iter().find(switch)) {
            return refuse(format!("{path}.{name}"));
        }
    }
    match config.get("fine_tune").and_then(|section| section.get("lr")) {
        Some(Value::Boolean(_)) => refuse("fine_tune.lr".into()),
        _ => Ok(()),
    }
}

fn defaults() -> Result<Table, Failure> {
    super::parse(presets::text("default")?, "the default config")
}
