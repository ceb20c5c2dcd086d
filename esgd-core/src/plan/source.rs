//! What a network is made of: a member of the population, an offspring, a remembered network, or one made
//! before it in the same step.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of a network that a strategy remembers, such as `mean` or `velocity/7`.
pub type Slot = String;

/// One network of those that a plan may name.
///
/// Written as a rank, `3`; as `offspring/3`, `made/0` or `memory/mean`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The individual of this rank when the step began, 0 the best.
    Parent(usize),
    /// The offspring of this number, once all are scored.
    Offspring(usize),
    /// The network of this number among those made after the offspring, if it is made before.
    Made(usize),
    /// A network as it was remembered when the step began.
    Memory(Slot),
}

impl Source {
    /// The network remembered as `slot`.
    #[must_use]
    pub fn memory(slot: impl Into<Slot>) -> Self {
        Self::Memory(slot.into())
    }

    /// The number of an offspring.
    #[must_use]
    pub fn offspring(&self) -> Option<usize> {
        match self {
            Self::Offspring(i) => Some(*i),
            _ => None,
        }
    }

    /// The number of what was made after the offspring.
    #[must_use]
    pub fn made(&self) -> Option<usize> {
        match self {
            Self::Made(i) => Some(*i),
            _ => None,
        }
    }

    /// The rank of a parent.
    #[must_use]
    pub fn rank(&self) -> Option<usize> {
        match self {
            Self::Parent(rank) => Some(*rank),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent(rank) => write!(f, "parent/{rank}"),
            Self::Offspring(i) => write!(f, "offspring/{i}"),
            Self::Made(i) => write!(f, "made/{i}"),
            Self::Memory(slot) => write!(f, "memory/{slot}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Nearly all sources of a log are parents.
            Self::Parent(rank) => serializer.serialize_u64(*rank as u64),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Rank(usize),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Rank(rank) => Ok(Self::Parent(rank)),
            Form::Text(text) => read(&text).ok_or_else(|| {
                de::Error::custom(format!(
                    "`{text}` is no source: expected a rank, offspring/N, made/N or memory/NAME"
                ))
            }),
        }
    }
}

fn read(text: &str) -> Option<Source> {
    let (kind, name) = text.split_once('/')?;
    match kind {
        "parent" => name.parse().ok().map(Source::Parent),
        "offspring" => name.parse().ok().map(Source::Offspring),
        "made" => name.parse().ok().map(Source::Made),
        "memory" => Some(Source::memory(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_read_back() {
        let all = [Source::Parent(3), Source::Offspring(0), Source::Made(7), Source::memory("a/b")];
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(text, r#"[3,"offspring/0","made/7","memory/a/b"]"#);
        assert_eq!(serde_json::from_str::<Vec<Source>>(&text).unwrap(), all);
        let error = serde_json::from_str::<Source>("\"child/1\"").unwrap_err().to_string();
        assert!(error.contains("`child/1` is no source"), "{error}");
    }
}
