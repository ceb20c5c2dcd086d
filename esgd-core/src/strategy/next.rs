//! A strategy's answer to what its offspring came to: who survives, what is made besides, what is
//! remembered, and whether the run is over.

use serde::{Deserialize, Serialize};

use super::Memo;
use crate::{Plan, Source};

/// A network to make after the offspring.
#[derive(Clone, Debug, PartialEq)]
pub struct Make {
    /// How.
    pub plan: Plan,
    /// Whether it is scored: counted, given an identity and offered to the archive.
    pub scored: bool,
}

/// An offspring that may take the place of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The parent's rank.
    pub parent: usize,
    /// The offspring's number.
    pub offspring: usize,
}

/// A survivor of a free choice: whose θ it has, and whose recipe and optimizer state it continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heir {
    /// A parent, an offspring, or a network that was made and scored.
    pub theta: Source,
    /// The rank of the parent whose recipe and optimizer state it goes on with; none draws or inherits a
    /// recipe as offspring do. A parent that continues itself survives as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<usize>,
}

/// Who survives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// The m best of parents and offspring, and others drawn from the rest, as many as there were or
    /// [`Next::mu`] (section 3.3, item 4).
    Elitist,
    /// Each offspring takes the place of its parent where it is not worse. An offspring replaces at most one
    /// parent, and nothing replaces an anchor. Every kth best is at most what it was, so Theorem 1 holds.
    Replace(Vec<Replacement>),
    /// These, from m to as many as there are. Only where an archive or an anchor holds the guarantee;
    /// an anchor is put back.
    Chosen(Vec<Heir>),
}

/// What follows from a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// Who survives.
    pub survivors: Survivors,
    /// How many survive an elitist choice, from m on, where that is not as many as there are: a population may
    /// shrink.
    pub mu: Option<usize>,
    /// What is made and remembered.
    pub memo: Memo,
    /// Why the generations end here, if they do.
    pub end: Option<String>,
}

impl Next {
    /// The m best survive; nothing is remembered.
    #[must_use]
    pub fn elitist() -> Self {
        Self::of(Survivors::Elitist)
    }

    /// These survive; nothing is remembered.
    #[must_use]
    pub fn of(survivors: Survivors) -> Self {
        Self { survivors, mu: None, memo: Memo::default(), end: None }
    }

    /// Offspring i replaces parent i where it is not worse, for the first `n`; nothing is remembered.
    #[must_use]
    pub fn one_to_one(n: usize) -> Self {
        let pair = |i| Replacement { parent: i, offspring: i };
        Self::of(Survivors::Replace((0..n).map(pair).collect()))
    }

    /// The same, and this is remembered.
    #[must_use]
    pub fn with(self, memo: Memo) -> Self {
        Self { memo, ..self }
    }
}
