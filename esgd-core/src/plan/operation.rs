//! The operations that make a network of others: each has a definition for one number
//! ([`definition`](super::definition)), a kernel that is tested against it, and a paper that needs it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rng::Key;

/// What σ is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The noise is N(0, σ²), as in the paper.
    Absolute,
    /// The noise is N(0, (σ·r)²), r the root mean square of the offspring's tensor before mutation.
    Relative,
}

/// The strength of mutation: ε of eq. 12.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// The standard deviation, at least 0. Zero draws no noise.
    pub sigma: f32,
    /// What it is measured in.
    pub scale: Scale,
}

impl Mutation {
    /// No mutation.
    pub const NONE: Self = Self { sigma: 0.0, scale: Scale::Absolute };
}

/// How much each source counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Each 1/ρ: the mean.
    Equal,
    /// One weight a source, used as it is.
    Each(Vec<f64>),
}

impl Weights {
    /// Whether they make a mean, so that what may not be negative in a source is not in the result.
    #[must_use]
    pub fn are_convex(&self) -> bool {
        match self {
            Self::Equal => true,
            Self::Each(weights) => {
                let sum: f64 = weights.iter().sum();
                weights.iter().all(|w| *w >= 0.0) && (sum - 1.0).abs() < 1e-6
            }
        }
    }
}

/// Noise on what the sources have become, drawn from the plan's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// None; nothing is drawn.
    None,
    /// σ ε, the same σ for every value. A negative σ mirrors the noise of a positive one.
    Isotropic {
        /// σ.
        sigma: f64,
        /// What it is measured in.
        scale: Scale,
    },
    /// σ √v ε, with v the values of the last source, which the weights leave out: a diagonal covariance.
    Diagonal {
        /// σ.
        sigma: f64,
    },
    /// A point of the ball whose centre is what the sources have become and which has the last source, which
    /// the weights leave out, on its surface: r R ε/‖ε‖, with R the distance and r uniform in [0, 1).
    Ball,
}

impl Noise {
    /// Whether nothing is drawn.
    #[must_use]
    pub fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Isotropic { sigma, .. } | Self::Diagonal { sigma } => *sigma == 0.0,
            Self::Ball => false,
        }
    }

    /// How many of the last sources it takes for itself.
    #[must_use]
    pub fn sources(&self) -> usize {
        match self {
            Self::None | Self::Isotropic { .. } => 0,
            Self::Diagonal { .. } | Self::Ball => 1,
        }
    }
}

impl From<Mutation> for Noise {
    fn from(mutation: Mutation) -> Self {
        match mutation.sigma {
            0.0 => Self::None,
            sigma => Self::Isotropic { sigma: f64::from(sigma), scale: mutation.scale },
        }
    }
}

/// Noise made anew from its key, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseTerm {
    /// Where the noise comes from.
    pub key: Key,
    /// Its weight.
    pub weight: f64,
}

/// How the sources of a plan become one network, value by value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// A fresh network, of no sources: an initial one, drawn from the key.
    Init,
    /// Σⱼ wⱼ sⱼ and noise: eq. 12, the mean of CMA-ES, θ ± σ ε, x + v.
    Combine {
        /// w.
        weights: Weights,
        /// The noise.
        noise: Noise,
    },
    /// Each value of one source, all equally likely, and noise: uniform crossover.
    Crossover {
        /// The noise.
        noise: Noise,
    },
    /// Differential evolution's trial: the mutant Σⱼ wⱼ sⱼ of the sources after the first with probability
    /// `cr` and at one value for certain, else the first source's own value: binomial crossover.
    Trial {
        /// One weight for each source after the first.
        weights: Vec<f64>,
        /// CR, in [0, 1].
        cr: f64,
    },
    /// The velocity of a particle, of its position x, its velocity v, its own best p and the swarm's g:
    /// w v + c₁ r₁ (p − x) + c₂ r₂ (g − x).
    Velocity {
        /// w, how much of the velocity stays.
        inertia: f64,
        /// c₁, the pull towards its own best.
        own: f64,
        /// c₂, the pull towards the swarm's best.
        social: f64,
    },
    /// Σⱼ wⱼ εⱼ in the shape of the source: the gradient estimate of evolution strategies.
    WeightedNoise {
        /// ε and w.
        terms: Vec<NoiseTerm>,
    },
    /// Σⱼ wⱼ εⱼ² in the shape of the source: what the variance of each value is learned from.
    SquaredNoise {
        /// ε and w.
        terms: Vec<NoiseTerm>,
    },
    /// a b of two sources.
    Product,
    /// a exp(η b) of two sources: the step sizes of natural evolution strategies.
    Exponential {
        /// η.
        rate: f64,
    },
    /// θ + α m/(√v + δ) of three sources: Adam's step against an estimated gradient, with the corrections of its
    /// moments in α and δ.
    AdaptiveStep {
        /// α, below 0 to go down.
        rate: f64,
        /// δ, above 0.
        epsilon: f64,
    },
    /// s ℓ/‖s‖: the source with another length; 0 stays 0.
    Rescale {
        /// ℓ, at least 0.
        length: f64,
        /// Whether a shorter one stays as it is: clipping.
        at_most: bool,
    },
    /// Given values, as many as the source has.
    Values(Vec<f64>),
    /// One that only the problem knows, for genomes that are no tensors.
    Custom {
        /// What it is called.
        name: String,
        /// Its numbers.
        numbers: Vec<f64>,
    },
}

/// Which operation it is, whatever its numbers: what a problem says that it can build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// [`Operation::Init`].
    Init,
    /// [`Operation::Combine`] with any weights, without noise or with isotropic noise.
    Combine,
    /// [`Operation::Combine`] or [`Operation::Crossover`] with [`Noise::Diagonal`].
    DiagonalNoise,
    /// The same with [`Noise::Ball`].
    BallNoise,
    /// [`Operation::Crossover`].
    Crossover,
    /// [`Operation::Trial`].
    Trial,
    /// [`Operation::Velocity`].
    Velocity,
    /// [`Operation::WeightedNoise`].
    WeightedNoise,
    /// [`Operation::SquaredNoise`].
    SquaredNoise,
    /// [`Operation::Product`].
    Product,
    /// [`Operation::Exponential`].
    Exponential,
    /// [`Operation::AdaptiveStep`].
    AdaptiveStep,
    /// [`Operation::Rescale`].
    Rescale,
    /// [`Operation::Values`].
    Values,
    /// [`Operation::Custom`] of this name.
    Custom(String),
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::Combine => "combine",
            Self::DiagonalNoise => "diagonal-noise",
            Self::BallNoise => "ball-noise",
            Self::Crossover => "crossover",
            Self::Trial => "trial",
            Self::Velocity => "velocity",
            Self::WeightedNoise => "weighted-noise",
            Self::SquaredNoise => "squared-noise",
            Self::Product => "product",
            Self::Exponential => "exponential",
            Self::AdaptiveStep => "adaptive-step",
            Self::Rescale => "rescale",
            Self::Values => "values",
            Self::Custom(name) => name,
        })
    }
}

impl Operation {
    /// Eq. 12: the mean, and noise of `mutation`'s strength.
    #[must_use]
    pub fn recombination(mutation: Mutation) -> Self {
        Self::Combine { weights: Weights::Equal, noise: mutation.into() }
    }

    /// The mutation, if it is recombination as [`recombination`](Self::recombination) makes it.
    #[must_use]
    pub fn as_recombination(&self) -> Option<Mutation> {
        let mutation = match self {
            Self::Combine { weights: Weights::Equal, noise: Noise::None } => Mutation::NONE,
            Self::Combine { weights: Weights::Equal, noise: Noise::Isotropic { sigma, scale } } => {
                Mutation { sigma: *sigma as f32, scale: *scale }
            }
            _ => return None,
        };
        (Self::recombination(mutation) == *self).then_some(mutation)
    }

    /// Σⱼ wⱼ sⱼ without noise.
    #[must_use]
    pub fn weighted(weights: impl Into<Vec<f64>>) -> Self {
        Self::Combine { weights: Weights::Each(weights.into()), noise: Noise::None }
    }

    /// Which operation it is.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Init => OperationKind::Init,
            Self::Combine { noise: Noise::Diagonal { .. }, .. }
            | Self::Crossover { noise: Noise::Diagonal { .. } } => OperationKind::DiagonalNoise,
            Self::Combine { noise: Noise::Ball, .. } | Self::Crossover { noise: Noise::Ball } => {
                OperationKind::BallNoise
            }
            Self::Combine { .. } => OperationKind::Combine,
            Self::Crossover { .. } => OperationKind::Crossover,
            Self::Trial { .. } => OperationKind::Trial,
            Self::Velocity { .. } => OperationKind::Velocity,
            Self::WeightedNoise { .. } => OperationKind::WeightedNoise,
            Self::SquaredNoise { .. } => OperationKind::SquaredNoise,
            Self::Product => OperationKind::Product,
            Self::Exponential { .. } => OperationKind::Exponential,
            Self::AdaptiveStep { .. } => OperationKind::AdaptiveStep,
            Self::Rescale { .. } => OperationKind::Rescale,
            Self::Values(_) => OperationKind::Values,
            Self::Custom { name, .. } => OperationKind::Custom(name.clone()),
        }
    }

    /// What is wrong with it for so many sources, if something is: one clause, such as
    /// `product takes 2 sources and has 1`.
    #[must_use]
    pub fn fault(&self, sources: usize) -> Option<String> {
        let kind = self.kind();
        let takes = |n: usize| {
            (sources != n).then(|| format!("{kind} takes {n} sources and has {sources}"))
        };
        let blended = |noise: &Noise| sources.saturating_sub(noise.sources());
        let finite = |numbers: &[f64]| {
            let odd = numbers.iter().find(|x| !x.is_finite());
            odd.map(|x| format!("{kind} has the number {x}, expected finite ones"))
        };
        let some = |noise: &Noise| {
            (blended(noise) == 0)
                .then(|| format!("{kind} has nothing to combine: expected a source"))
        };
        let weights_fault = |weights: &[f64], n: usize| {
            if weights.len() != n {
                return Some(format!("{kind} has {} weights for {n} sources", weights.len()));
            }
            finite(weights)
        };
        let noise_fault = |noise: &Noise| match noise {
            Noise::Isotropic { sigma, .. } | Noise::Diagonal { sigma } => finite(&[*sigma]),
            Noise::None | Noise::Ball => None,
        };
        let terms_fault =
            |terms: &[NoiseTerm]| terms.iter().find_map(|term| finite(&[term.weight]));
        match self {
            Self::Init => takes(0),
            Self::Combine { weights, noise } => {
                some(noise).or_else(|| noise_fault(noise)).or_else(|| match weights {
                    Weights::Equal => None,
                    Weights::Each(weights) => weights_fault(weights, blended(noise)),
                })
            }
            Self::Crossover { noise } => some(noise).or_else(|| noise_fault(noise)),
            Self::Trial { weights, cr } => match sources {
                0 | 1 => {
                    Some(format!("{kind} takes a target and others, and has {sources} sources"))
                }
                n => weights_fault(weights, n - 1).or_else(|| {
                    (!(0.0..=1.0).contains(cr)).then(|| format!("cr = {cr}: expected 0 to 1"))
                }),
            },
            Self::Velocity { inertia, own, social } => {
                takes(4).or_else(|| finite(&[*inertia, *own, *social]))
            }
            Self::WeightedNoise { terms } | Self::SquaredNoise { terms } => {
                takes(1).or_else(|| terms_fault(terms))
            }
            Self::Product => takes(2),
            Self::Exponential { rate } => takes(2).or_else(|| finite(&[*rate])),
            Self::AdaptiveStep { rate, epsilon } => {
                takes(3).or_else(|| finite(&[*rate])).or_else(|| {
                    (!(epsilon.is_finite() && *epsilon > 0.0))
                        .then(|| format!("epsilon = {epsilon}: expected above 0"))
                })
            }
            Self::Rescale { length, .. } => takes(1).or_else(|| {
                (!(length.is_finite() && *length >= 0.0))
                    .then(|| format!("length = {length}: expected at least 0"))
            }),
            Self::Values(_) => takes(1),
            Self::Custom { numbers, .. } => finite(numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_number_of_sources_is_named() {
        let mean = Operation::recombination(Mutation::NONE);
        assert_eq!(mean.fault(3), None);
        assert!(mean.fault(0).unwrap().contains("nothing to combine"));
        assert_eq!(Operation::Product.fault(1).unwrap(), "product takes 2 sources and has 1");
        let diagonal = Operation::Combine {
            weights: Weights::Each(vec![1.0]),
            noise: Noise::Diagonal { sigma: 0.1 },
        };
        assert_eq!(diagonal.fault(2), None);
        assert!(diagonal.fault(1).unwrap().contains("nothing to combine"));
        assert!(Operation::weighted([1.0, f64::NAN]).fault(2).unwrap().contains("NaN"));
        let trial = Operation::Trial { weights: vec![1.0, 0.5, -0.5], cr: 1.5 };
        assert_eq!(trial.fault(4).unwrap(), "cr = 1.5: expected 0 to 1");
        assert_eq!(trial.fault(3).unwrap(), "trial has 3 weights for 2 sources");
    }

    #[test]
    fn every_operation_is_read_back() {
        let term =
            NoiseTerm { key: crate::rng::Key::new(1, crate::rng::Purpose::Mutation), weight: 0.5 };
        let all = [
            Operation::Init,
            Operation::recombination(Mutation { sigma: 0.1, scale: Scale::Relative }),
            Operation::Crossover { noise: Noise::Ball },
            Operation::WeightedNoise { terms: vec![term] },
            Operation::Product,
            Operation::Rescale { length: 1.0, at_most: true },
            Operation::Custom { name: "swap".into(), numbers: vec![1.0] },
        ];
        for operation in all {
            let text = serde_json::to_string(&operation).unwrap();
            assert_eq!(serde_json::from_str::<Operation>(&text).unwrap(), operation, "{text}");
        }
    }
}
