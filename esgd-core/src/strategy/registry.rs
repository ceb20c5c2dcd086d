//! The strategies by name: what each is called, its parameters with defaults and bounds, and how it is made.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Strategy, differential_evolution, nested, open_es, recombination};
use crate::settings::SettingsError;

/// All strategies. A new one is a file and a row here.
pub const KINDS: &[Kind] =
    &[recombination::KIND, nested::KIND, differential_evolution::KIND, open_es::KIND];

/// A strategy of the table.
pub struct Kind {
    /// What it is called in settings.
    pub name: &'static str,
    /// What it does, in a line.
    pub says: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Makes it of values that were checked.
    pub make: fn(&Values) -> Box<dyn Strategy>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A parameter of a strategy.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// What it is called in settings.
    pub name: &'static str,
    /// What it may be, and is by default.
    pub accepts: Accepts,
    /// What it is for, in a line.
    pub says: &'static str,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub enum Accepts {
    /// A number.
    Number {
        /// Without a word about it.
        default: f64,
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
    /// One of some words, the first without a word about it.
    Word(&'static [&'static str]),
    /// A list of whole numbers in order, none without a word about it.
    Counts {
        /// The least of each.
        low: usize,
        /// The most of each.
        high: usize,
    },
}

/// A parameter's value in settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
    /// A list of numbers.
    Numbers(Vec<f64>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(x) => write!(f, "{x}"),
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Numbers(list) => write!(f, "{list:?}"),
        }
    }
}

/// Which strategy makes the evolution steps, with what is not its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategySettings {
    /// One of [`KINDS`].
    pub kind: String,
    /// Its parameters.
    #[serde(flatten)]
    pub values: BTreeMap<String, Value>,
}

impl Default for StrategySettings {
    fn default() -> Self {
        Self { kind: recombination::KIND.name.into(), values: BTreeMap::new() }
    }
}

/// The values of all parameters of a strategy.
#[derive(Clone, Debug)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    /// The number `name`.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(Value::Number(x)) => *x,
            _ => f64::NAN,
        }
    }

    /// The word `name`.
    #[must_use]
    pub fn word(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(Value::Word(word)) => word,
            _ => "",
        }
    }

    /// The counts `name`.
    #[must_use]
    pub fn counts(&self, name: &str) -> Vec<usize> {
        match self.0.get(name) {
            Some(Value::Numbers(list)) => list.iter().map(|x| *x as usize).collect(),
            _ => vec![],
        }
    }
}

/// Makes the strategy that settings name.
///
/// ```
/// use esgd_core::strategy::{StrategySettings, make};
///
/// let named = StrategySettings { kind: "nested".into(), ..Default::default() };
/// assert_eq!(make(&named)?.name(), "nested");
/// # Ok::<(), esgd_core::settings::SettingsError>(())
/// ```
///
/// # Errors
/// If there is no such strategy, or a parameter that it does not have or that is out of bounds.
pub fn make(settings: &StrategySettings) -> Result<Box<dyn Strategy>, SettingsError> {
    let names = || KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    let Some(kind) = KINDS.iter().find(|kind| kind.name == settings.kind) else {
        return Err(SettingsError(format!(
            "strategy.kind = {:?}: expected one of {}",
            settings.kind,
            names()
        )));
    };
    for name in settings.values.keys() {
        if !kind.parameters.iter().any(|parameter| parameter.name == name) {
            let known: Vec<_> = kind.parameters.iter().map(|parameter| parameter.name).collect();
            let known = match &known[..] {
                [] => "none".into(),
                known => known.join(", "),
            };
            return Err(SettingsError(format!(
                "strategy.{name} is no parameter of {}: expected {known}",
                kind.name
            )));
        }
    }
    let values = kind.parameters.iter().map(|parameter| {
        let given = settings.values.get(parameter.name);
        Ok((parameter.name, parameter.value(given)?))
    });
    Ok((kind.make)(&Values(values.collect::<Result<_, SettingsError>>()?)))
}

impl Parameter {
    /// The value that was given, checked, or the default.
    fn value(&self, given: Option<&Value>) -> Result<Value, SettingsError> {
        let refuse = |value: &Value, expected: String| {
            Err(SettingsError(format!("strategy.{} = {value}: expected {expected}", self.name)))
        };
        match (self.accepts, given) {
            (Accepts::Number { default, .. }, None) => Ok(Value::Number(default)),
            (Accepts::Number { low, high, .. }, Some(value)) => match value {
                Value::Number(x) if (low..=high).contains(x) => Ok(value.clone()),
                other => refuse(other, format!("a number from {low} to {high}")),
            },
            (Accepts::Word(words), None) => Ok(Value::Word(words[0].into())),
            (Accepts::Word(words), Some(value)) => match value {
                Value::Word(word) if words.contains(&word.as_str()) => Ok(value.clone()),
                other => refuse(other, format!("one of {}", words.join(", "))),
            },
            (Accepts::Counts { .. }, None) => Ok(Value::Numbers(vec![])),
            (Accepts::Counts { low, high }, Some(value)) => {
                let list = match value {
                    Value::Numbers(list) => list.clone(),
                    Value::Number(one) => vec![*one],
                    Value::Word(_) => vec![f64::NAN],
                };
                let fits = |x: &f64| x.fract() == 0.0 && (low as f64..=high as f64).contains(x);
                let grows = list.windows(2).all(|pair| pair[0] < pair[1]);
                match grows && list.iter().all(fits) {
                    true => Ok(Value::Numbers(list)),
                    false => refuse(
                        value,
                        format!("a list of whole numbers from {low} to {high} that grow"),
                    ),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let settings: StrategySettings = toml::from_str(text).unwrap();
        make(&settings).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(refusal("kind = 'nest'").contains("expected one of recombination, nested"));
        assert!(refusal("kind = 'nested'\nsigma = 1").contains("expected succession, trail"));
        assert!(refusal("kind = 'recombination'\nrho = 1").contains("expected none"));
        assert!(refusal("kind = 'nested'\nsuccession = 'all'").contains("elitist, best"));
        assert!(refusal("kind = 'nested'\ntrail = [6, 3]").contains("[6.0, 3.0]: expected a list"));
        assert!(refusal("kind = 'differential-evolution'\ncr = 2").contains("from 0 to 1"));
        assert_eq!(refusal("kind = 'nested'\ntrail = [3, 6]"), "");
    }

    #[test]
    fn every_kind_is_made_and_has_its_own_name() {
        for kind in KINDS {
            let settings = StrategySettings { kind: kind.name.into(), values: BTreeMap::new() };
            assert_eq!(make(&settings).unwrap().name(), kind.name);
        }
    }
}
