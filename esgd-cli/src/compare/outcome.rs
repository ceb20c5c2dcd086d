//! What one run of a comparison came to.

use esgd_core::{Fitness, budget::Spent};
use serde::{Deserialize, Serialize};

use super::methods::Method;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    pub method: Method,
    pub seed: u64,
    pub rate: Option<f64>,
    /// What the best network took.
    pub spent: Spent,
    /// Threads that worked on it, and for how many seconds.
    pub threads: usize,
    pub seconds: f64,
    /// What the best network was last trained with.
    pub recipe: Option<String>,
    pub best: Scores,
    /// The networks that are left, together: by their averaged probabilities, and by their averaged
    /// weights.
    pub ensemble: Option<Scores>,
    pub soup: Option<Scores>,
    /// The 15 best networks, or as many as there are.
    pub top: Vec<Scores>,
}

/// One network, or some that answer together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scores {
    /// How many are evaluated for an answer.
    pub networks: usize,
    /// How many are in it: an average of weights is one network.
    pub members: usize,
    /// The loss that choices are made by.
    pub fitness: Fitness,
    /// On test data, if there are any.
    pub test: Option<Test>,
    /// What choosing them took beside training.
    pub chosen_with: Spent,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    pub loss: Fitness,
    /// From 0 to 1.
    pub error: Option<f64>,
}
