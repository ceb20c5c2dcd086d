//! What a strategy remembers from step to step: named numbers and named networks. Core keeps it inside the
//! population, so it is in checkpoints, logs and reports.

use std::{collections::BTreeMap, sync::Arc};

use super::Make;
use crate::{Slot, Source};

/// Numbers by name: a step size, a count, a covariance row by row. All finite.
pub type Numbers = BTreeMap<String, Vec<f64>>;

/// What is to be remembered. It takes the place of everything that was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memo {
    /// The numbers.
    pub numbers: Numbers,
    /// Networks to make, in order: each may be made of those before it.
    pub make: Vec<Make>,
    /// The networks, by name. [`Source::Memory`] names one as it was when the step began.
    pub remember: Vec<(Slot, Source)>,
}

impl Memo {
    /// Adds a network to make that is not scored; returns it as a source.
    pub fn make(&mut self, plan: crate::Plan) -> Source {
        self.make.push(Make { plan, scored: false });
        Source::Made(self.make.len() - 1)
    }

    /// Adds a network to make that is scored and offered to the archive; returns it as a source.
    pub fn make_scored(&mut self, plan: crate::Plan) -> Source {
        self.make.push(Make { plan, scored: true });
        Source::Made(self.make.len() - 1)
    }

    /// Remembers a network as `slot`.
    pub fn remember(&mut self, slot: impl Into<Slot>, source: Source) {
        self.remember.push((slot.into(), source));
    }
}

/// What a strategy remembers.
#[derive(Debug)]
pub struct Memory<G> {
    /// Whose memory it is: another strategy begins anew.
    pub strategy: String,
    /// The numbers.
    pub numbers: Numbers,
    /// The networks, which have no fitness.
    pub networks: BTreeMap<Slot, Arc<G>>,
}

impl<G> Memory<G> {
    /// The memory of a strategy that remembers nothing.
    pub(crate) fn new(strategy: &str) -> Self {
        let (numbers, networks) = (Numbers::new(), BTreeMap::new());
        Self { strategy: strategy.into(), numbers, networks }
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.networks.is_empty()
    }
}

impl<G> Clone for Memory<G> {
    fn clone(&self) -> Self {
        Self {
            strategy: self.strategy.clone(),
            numbers: self.numbers.clone(),
            networks: self.networks.clone(),
        }
    }
}
