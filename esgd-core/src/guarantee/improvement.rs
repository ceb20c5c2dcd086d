//! When the best last got better, which patience counts from.

use serde::{Deserialize, Serialize};

use super::{Population, Stage};
use crate::Fitness;

/// The lowest fitness that there was after any generation so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    /// The first generation that had it, 0 for the start.
    pub generation: usize,
    /// That fitness.
    pub best: Fitness,
}

impl<G, S> Population<G, S> {
    /// When the best last got better in a generation.
    #[must_use]
    pub fn improved(&self) -> Improvement {
        self.improved
    }

    /// Whether so many generations have passed without a better best; never in the middle of one, nor for
    /// a patience of 0.
    #[must_use]
    pub fn has_stagnated(&self, patience: usize) -> bool {
        let in_the_middle =
            self.evolved > 0 || self.individuals.iter().any(|one| one.progress().is_some());
        let generations = self.generation - self.improved.generation;
        // The progress of fine-tuning is behind the last generation.
        let between = !in_the_middle || self.stage != Stage::Generations;
        patience > 0 && generations >= patience && between
    }
}
