//! What a run is told: the symbols of Algorithm 1 and the choices that the paper leaves open.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{OptimizerPool, Range, Scale, Schedule, plan::Mutation};

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
    /// The best of `candidates` independent networks after `epochs` epochs each, cloned μ times. Where
    /// recipes are inherited, the clones begin with its recipe, all but the first with it perturbed.
    Shared {
        /// Epochs that each candidate is trained, with a recipe of its own.
        epochs: usize,
        /// How many networks are tried, at least 1.
        candidates: usize,
    },
    /// Existing networks: exact copies first, and the rest of the population perturbed by `sigma`.
    Founders {
        /// The standard deviation of the perturbation.
        sigma: f64,
    },
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
    /// state as well.
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

/// The phase after the last generation: some epochs with a small learning rate, backed off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineTune {
    /// How many; 0 for none.
    pub epochs: usize,
    /// The learning rate, `lr` of the recipe.
    pub lr: Range,
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
            fine_tune: FineTune { epochs: 5, lr: Range::fixed(1e-3) },
            optimizers: OptimizerPool::default(),
        }
    }

    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// One sentence about the first that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        let fault =
            self.size_fault().or_else(|| self.guarantee_fault()).or_else(|| self.range_fault());
        fault.map_or(Ok(()), |sentence| Err(SettingsError(sentence)))
    }

    fn size_fault(&self) -> Option<String> {
        let Self { generations, epochs, mu, lambda, rho, m, .. } = *self;
        let at_least_one = [("generations", generations), ("epochs", epochs), ("mu", mu), ("m", m)];
        if let Some((name, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Some(format!("{name} = 0: expected at least 1"));
        }
        if m > mu {
            return Some(format!(
                "m = {m} is more than mu = {mu}: the elite is part of the population, so set m to at most {mu}"
            ));
        }
        if rho == 0 || rho > mu {
            return Some(format!(
                "rho = {rho} parents cannot be chosen from mu = {mu} individuals: expected 1 to {mu}"
            ));
        }
        // The address of a random number holds 24 bits of step and 32 of generation and individual;
        // a population of a million is not meant.
        let too_large = [
            ("epochs", epochs, 1 << 24),
            ("evolution_steps", self.evolution_steps, 1 << 24),
            ("fine_tune.epochs", self.fine_tune.epochs, 1 << 24),
            ("generations", generations, u32::MAX as usize - 1),
            ("mu", mu, 1 << 20),
            ("lambda", lambda, 1 << 30),
        ]
        .into_iter()
        .find(|(_, value, limit)| value >= limit);
        too_large
            .map(|(name, value, limit)| format!("{name} = {value}: expected less than {limit}"))
    }

    fn guarantee_fault(&self) -> Option<String> {
        let Guarantee { way, p_backoff, anchor, .. } = self.guarantee;
        if !(0.0..=1.0).contains(&p_backoff) {
            return Some(format!(
                "guarantee.p_backoff = {p_backoff}: expected a probability from 0 to 1"
            ));
        }
        match way {
            Way::BackOff if p_backoff < 1.0 && !anchor => Some(format!(
                "guarantee.p_backoff = {p_backoff} lets the best get worse: set guarantee.anchor = true \
                 to keep the best of the initial population, or guarantee.way = \"archive\""
            )),
            Way::BackOff if anchor && self.m >= self.mu => Some(format!(
                "guarantee.anchor needs a seat beside the elite: with mu = {} set m to at most {}",
                self.mu,
                self.mu - 1
            )),
            Way::Archive if anchor || p_backoff < 1.0 => Some(
                "guarantee.way = \"archive\" backs nothing off: leave p_backoff at 1 and anchor at false, \
                 or set guarantee.way = \"back-off\""
                    .into(),
            ),
            Way::BackOff | Way::Archive => None,
        }
    }

    fn range_fault(&self) -> Option<String> {
        let at_least_zero = |name: &str, value: f64| {
            // Beyond f32 the noise itself would be infinite.
            (!(0.0..=f64::from(f32::MAX)).contains(&value))
                .then(|| format!("{name} = {value}: expected a number of at least 0"))
        };
        let start = match self.start {
            Start::Independent => None,
            Start::Shared { epochs: 0, .. } | Start::Shared { candidates: 0, .. } => {
                Some("start.shared: expected epochs and candidates of at least 1".into())
            }
            Start::Shared { candidates, .. } if candidates > 1 << 20 => Some(format!(
                "start.shared.candidates = {candidates}: expected at most {}",
                1 << 20
            )),
            Start::Shared { epochs, .. } if epochs >= 1 << 24 => {
                Some(format!("start.shared.epochs = {epochs}: expected less than {}", 1 << 24))
            }
            Start::Shared { .. } => None,
            Start::Founders { sigma } => at_least_zero("start.founders.sigma", sigma),
        };
        let annealing = |name: &str, fault: Option<&str>| fault.map(|f| format!("{name}: {f}"));
        start
            .or_else(|| at_least_zero("mutation.sigma", self.mutation.sigma))
            .or_else(|| annealing("mutation.anneal", self.mutation.anneal.fault()))
            .or_else(|| at_least_zero("recipes.perturb", self.recipes.perturb))
            .or_else(|| {
                let share = self.recipes.resample;
                (!(0.0..=1.0).contains(&share)).then(|| {
                    format!("recipes.resample = {share}: expected a probability from 0 to 1")
                })
            })
            .or_else(|| match self.selection {
                Selection::Truncation { best } if !(best > 0.0 && best <= 1.0) => Some(format!(
                    "selection.truncation.best = {best}: expected a share above 0, at most 1"
                )),
                Selection::Truncation { .. } | Selection::Roulette => None,
            })
            .or_else(|| annealing("fine_tune.lr", self.fine_tune.lr.fault()))
            .or_else(|| self.optimizers.fault())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptimizerSpec;

    fn valid() -> Settings {
        let spec = OptimizerSpec { kind: "sgd".into(), weight: 1.0, ranges: Default::default() };
        Settings { optimizers: OptimizerPool(vec![spec]), ..Settings::paper() }
    }

    #[test]
    fn what_cannot_work_is_one_sentence() {
        assert_eq!(valid().check(), Ok(()));
        type Spoil = fn(&mut Settings);
        let cases: [(&str, Spoil); 16] = [
            ("recipes.resample = 2", |s| s.recipes.resample = 2.0),
            ("selection.truncation.best = 0", |s| {
                s.selection = Selection::Truncation { best: 0.0 };
            }),
            ("generations = 0", |s| s.generations = 0),
            ("epochs = 0", |s| s.epochs = 0),
            ("mu = 0", |s| s.mu = 0),
            ("m = 0", |s| s.m = 0),
            ("m = 11 is more than mu = 10", |s| s.m = 11),
            ("rho = 0", |s| s.rho = 0),
            ("rho = 11", |s| s.rho = 11),
            ("p_backoff = 1.5", |s| s.guarantee.p_backoff = 1.5),
            ("p_backoff = 0.7 lets the best get worse", |s| s.guarantee.p_backoff = 0.7),
            ("archive", |s| {
                s.guarantee.way = Way::Archive;
                s.guarantee.anchor = true;
            }),
            ("anchor needs a seat", |s| {
                s.guarantee.anchor = true;
                s.m = s.mu;
            }),
            ("mutation.sigma = -1", |s| s.mutation.sigma = -1.0),
            ("start.shared", |s| s.start = Start::Shared { epochs: 0, candidates: 1 }),
            ("optimizers", |s| s.optimizers.0.clear()),
        ];
        for (expected, spoil) in cases {
            let mut settings = valid();
            spoil(&mut settings);
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains('\n'));
        }
    }
}
