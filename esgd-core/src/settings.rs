//! What a run is told: the symbols of Algorithm 1 and the choices that the paper leaves open.

mod faults;
mod workload;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use workload::{Work, Workload};

use crate::{
    Domain, Exploration, OptimizerPool, Scale, Schedule, plan::Mutation, strategy::StrategySettings,
};

/// The settings of a run.
///
/// ```
/// use esgd_core::Settings;
///
/// let settings = Settings { mu: 4, m: 9, ..Settings::paper() };
/// let message = settings.check().unwrap_err().to_string();
/// assert!(message.starts_with("m = 9 is more than mu = 4"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What every random number follows from.
    pub seed: u64,
    /// K, the number of generations.
    pub generations: usize,
    /// K_s, epochs of SGD in a generation.
    pub epochs: usize,
    /// K_v, evolution steps in a generation. 0 trains the population without evolution.
    pub evolution_steps: usize,
    /// μ, the number of individuals.
    pub mu: usize,
    /// λ, the number of offspring of an evolution step.
    pub lambda: usize,
    /// ρ, the number of parents of an offspring.
    pub rho: usize,
    /// m, the number of the best that survive for certain.
    pub m: usize,
    /// Who may become a parent.
    pub selection: Selection,
    /// What makes offspring of parents; the paper's recombination if nothing is said.
    #[serde(default)]
    pub strategy: StrategySettings,
    /// How the population begins.
    pub start: Start,
    /// What keeps the elite from getting worse.
    pub guarantee: Guarantee,
    /// The noise on offspring.
    pub mutation: MutationSettings,
    /// Where an individual's recipe comes from in each generation.
    pub recipes: Recipes,
    /// The phase after the last generation (section 4.1).
    pub fine_tune: FineTune,
    /// The optimizers to draw from.
    pub optimizers: OptimizerPool,
}

/// How the parents of an offspring are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Selection {
    /// The better the likelier (section 3.3, item 1); see [`Roulette`](crate::Roulette).
    Roulette,
    /// Each of the best equally likely, as in population-based training.
    Truncation {
        /// The share of the population that may, above 0 to 1.
        best: f64,
    },
}

/// How the population begins (section 3.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Start {
    /// μ independent draws.
    Independent,
    /// The best of `candidates` independent networks after `epochs` epochs each, or more with `halvings`,
    /// cloned μ times. Where recipes are inherited, the clones begin with its recipe, all but the first with it perturbed.
    Shared {
        /// Epochs that each candidate is trained, with a recipe of its own.
        epochs: usize,
        /// How many networks are tried, at least 1.
        candidates: usize,
        /// How often the better half goes on, each time for as long as it has trained; successive halving
        /// (Jamieson and Talwalkar, 2016).
        #[serde(default)]
        halvings: usize,
    },
    /// Existing networks: exact copies first, and the rest of the population perturbed by `sigma`.
    #[serde(alias = "warm_start")]
    Warm {
        /// The standard deviation of the perturbation.
        sigma: f64,
    },
}

/// A rung of a shared start: how many candidates train on, and for how many epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The best of those on the rung before; of the first all.
    pub candidates: usize,
    /// Epochs of each on this rung.
    pub epochs: usize,
}

impl Start {
    /// The rungs of a shared start, lowest first; none of another.
    ///
    /// ```
    /// use esgd_core::settings::{Rung, Start};
    ///
    /// let start = Start::Shared { epochs: 2, candidates: 5, halvings: 2 };
    /// let rung = |candidates, epochs| Rung { candidates, epochs };
    /// assert_eq!(start.rungs(), [rung(5, 2), rung(3, 2), rung(2, 4)]);
    /// ```
    #[must_use]
    pub fn rungs(&self) -> Vec<Rung> {
        let Self::Shared { epochs, candidates, halvings } = *self else { return vec![] };
        let mut rungs = vec![Rung { candidates, epochs }];
        let mut trained = epochs;
        for _ in 0..halvings {
            let candidates = rungs.last().map_or(0, |rung| rung.candidates.div_ceil(2));
            rungs.push(Rung { candidates, epochs: trained });
            trained = trained.saturating_mul(2);
        }
        rungs
    }

    /// Epochs of all candidates of a shared start; 0 of another.
    #[must_use]
    pub fn epochs(&self) -> usize {
        let rungs = self.rungs().into_iter();
        rungs.fold(0, |sum, r| sum.saturating_add(r.candidates.saturating_mul(r.epochs)))
    }
}

/// The two ways to a guarantee: Theorem 1 over the population, and the same over an archive, where
/// it holds whatever the population does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// An epoch that makes the fitness worse is taken back, as in the paper.
    BackOff,
    /// Individuals go on from where SGD took them; the m best ever scored are kept beside them.
    Archive,
}

/// How often it is drawn whether an individual backs off (section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// For each individual in each generation.
    Individual,
    /// Once for all in each generation.
    Generation,
}

/// What keeps the elite from getting worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantee {
    /// Back-off or archive.
    pub way: Way,
    /// The probability that an individual backs off; below 1 an anchor is needed.
    pub p_backoff: f64,
    /// How often that is drawn.
    pub p_backoff_per: Per,
    /// Whether the best of the initial population stays in it for good, never changed.
    pub anchor: bool,
}

impl Guarantee {
    /// Whether nothing but back-off holds it, so that no individual may get worse.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.way == Way::BackOff && !self.anchor
    }
}

/// The noise ε of eq. 12.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutationSettings {
    /// σ, the standard deviation before annealing.
    pub sigma: f64,
    /// What σ is measured in.
    pub scale: Scale,
    /// Its annealing over generations.
    pub anneal: Schedule,
}

impl MutationSettings {
    /// The mutation of generation `k` of `of`.
    #[must_use]
    pub fn at(&self, k: usize, of: usize) -> Mutation {
        let sigma = (self.sigma * self.anneal.factor(k, of)) as f32;
        Mutation { sigma, scale: self.scale }
    }
}

/// What happens to recipes from one generation to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipePolicy {
    /// Every individual draws a new recipe in every generation, as in the paper.
    Redraw,
    /// Survivors keep recipe and optimizer state; offspring draw a new recipe.
    Keep,
    /// Survivors keep theirs; offspring take their first parent's, perturbed.
    Inherit,
    /// Survivors keep theirs; offspring take their first parent's and explore from there, as in
    /// population-based training (Jaderberg et al., 2017): each value is drawn anew with probability
    /// `resample`, or else multiplied by 1 − `perturb` or 1 + `perturb`. A clone takes the optimizer's
    /// state as well. All but the learning rate, `lr`, stay in their domains.
    Explore,
}

/// Where recipes come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipes {
    /// Redrawn, kept or inherited.
    pub policy: RecipePolicy,
    /// How much an inherited value changes: a factor within exp(±this), or when exploring 1 ± this.
    pub perturb: f64,
    /// How likely an explored value is drawn anew, from 0 to 1.
    pub resample: f64,
}

impl Recipes {
    /// How offspring explore from a recipe, where they do.
    #[must_use]
    pub fn exploration(&self) -> Exploration {
        Exploration { perturb: self.perturb, resample: self.resample }
    }
}

/// The phase after the last generation: some epochs with a small learning rate, backed off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineTune {
    /// How many; 0 for none.
    pub epochs: usize,
    /// How many individuals, the best first, an anchor not counted; 0 for all.
    #[serde(default)]
    pub best: usize,
    /// The learning rate, `lr` of the recipe.
    pub lr: Domain,
}

impl FineTune {
    /// How many of μ individuals are fine-tuned.
    #[must_use]
    pub fn individuals(&self, mu: usize) -> usize {
        if self.best == 0 { mu } else { self.best.min(mu) }
    }
}

/// Settings that cannot work, as one sentence: what, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

impl Settings {
    /// The paper's choices where it states them (sections 3.3, 4 and 4.1), small enough to try:
    /// back-off, every recipe redrawn, independent start, λ = 4μ, 60 % elite.
    ///
    /// ρ = 2 and σ = 0.01/k are those of a public replication; the paper states neither.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            seed: 1,
            generations: 15,
            epochs: 1,
            evolution_steps: 1,
            mu: 10,
            lambda: 40,
            rho: 2,
            m: 6,
            selection: Selection::Roulette,
            strategy: StrategySettings::default(),
            start: Start::Independent,
            guarantee: Guarantee {
                way: Way::BackOff,
                p_backoff: 1.0,
                p_backoff_per: Per::Individual,
                anchor: false,
            },
            mutation: MutationSettings {
                sigma: 0.01,
                scale: Scale::Absolute,
                anneal: Schedule::Reciprocal,
            },
            recipes: Recipes { policy: RecipePolicy::Redraw, perturb: 0.2, resample: 0.25 },
            fine_tune: FineTune { epochs: 5, best: 0, lr: Domain::fixed(1e-3) },
            optimizers: OptimizerPool::default(),
        }
    }
}
