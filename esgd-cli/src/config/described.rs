//! `config.toml` of a run whose problem the program does not know: its settings, and what it is measured with.

use esgd_core::Settings;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::failure::Failure;

/// What the file begins with, which the program knows it by.
const HEADER: &str = "# The settings of a run of a problem of its own.";

/// What a run is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Described {
    /// What fitness is measured with.
    pub objective: String,
    pub patience: usize,
    /// The strategy, where it is another than the settings name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    pub settings: Settings,
}

impl Described {
    pub(crate) fn to_toml(&self) -> Result<String, Failure> {
        let text = toml::to_string(self)
            .map_err(|e| Failure::Usage(format!("the settings cannot be kept as TOML: {e}")))?;
        Ok(format!("{HEADER} It goes on in the program that made it.\n{text}"))
    }

    /// What a file says, whose name is told if it is damaged.
    pub(crate) fn of_toml(text: &str, source: &str) -> Result<Self, Failure> {
        toml::from_str(text)
            .map_err(|e| Failure::Failed(format!("{source} is damaged: {}", e.message())))
    }

    /// Whether a text was written by [`to_toml`](Self::to_toml), and perhaps changed since.
    pub(crate) fn is_one(text: &[u8]) -> bool {
        text.starts_with(HEADER.as_bytes())
    }

    /// The first setting that is another in `other`, in words.
    pub(crate) fn difference(&self, other: &Self) -> Result<Option<String>, Failure> {
        let cannot = |e| Failure::Failed(format!("the settings cannot be compared: {e}"));
        let table = |this| Table::try_from(this).map_err(cannot);
        Ok(between(&table(self)?, &table(other)?))
    }
}

/// The first key by which two tables differ, with both of its values.
fn between(was: &Table, is: &Table) -> Option<String> {
    let shown = |value: Option<&Value>| value.map_or("not set".into(), ToString::to_string);
    was.keys().chain(is.keys()).find_map(|key| match (was.get(key), is.get(key)) {
        (was, is) if was == is => None,
        (Some(Value::Table(was)), Some(Value::Table(is))) => {
            between(was, is).map(|what| format!("{key}.{what}"))
        }
        (was, is) => Some(format!("{key} was {} and is {}", shown(was), shown(is))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(settings: Settings) -> Described {
        Described { objective: "a sphere".into(), patience: 0, strategy: None, settings }
    }

    #[test]
    fn it_survives_a_file_and_names_what_differs() {
        let (was, text) = (described(Settings::paper()), described(Settings::paper()).to_toml());
        let text = text.unwrap();
        assert!(Described::is_one(text.as_bytes()));
        assert_eq!(Described::of_toml(&text, "test").unwrap(), was);
        assert!(Described::of_toml(&text[..text.len() / 2], "test").is_err());
        assert_eq!(was.difference(&described(Settings::paper())).unwrap(), None);
        let seeded = described(Settings { seed: 7, ..Settings::paper() });
        let seed = Settings::paper().seed;
        let told = format!("settings.seed was {seed} and is 7");
        assert_eq!(was.difference(&seeded).unwrap(), Some(told));
        let mut other = described(Settings::paper());
        other.settings.mutation.sigma = 0.25;
        let told = was.difference(&other).unwrap().unwrap();
        assert!(told.starts_with("settings.mutation.sigma was "), "{told}");
        let patient = Described { patience: 3, ..described(Settings::paper()) };
        assert_eq!(was.difference(&patient).unwrap().unwrap(), "patience was 0 and is 3");
    }
}
