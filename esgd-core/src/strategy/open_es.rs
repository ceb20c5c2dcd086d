//! OpenAI-ES: Salimans et al., *Evolution Strategies as a Scalable Alternative to Reinforcement Learning*
//! (arXiv:1703.03864), algorithm 1 with mirrored sampling and centred ranks (section 2.1), and Adam (Kingma and
//! Ba, ICLR 2015, algorithm 1) on the mean. The mean is the one individual, which may train between steps.

use super::{Accepts, Exit, Heir, Kind, Memo, Needs, Next, Parameter, Strategy, Survivors, View};
use crate::{
    Fitness, Noise, NoiseTerm, Operation, OperationKind, Plan, Scale, Settings, Source, Weights,
    rng::Purpose, settings::SettingsError,
};

/// The row of this strategy.
pub(super) const KIND: Kind = Kind {
    name: "open-es",
    says: "lambda mirrored mutants of the one individual, which takes a step of Adam along their ranks",
    parameters: &[
        Parameter {
            name: "sigma",
            accepts: Accepts::Number { default: 0.02, low: 1e-12, high: 1e12 },
            says: "the standard deviation of the noise, in units of the weights",
        },
        Parameter {
            name: "rate",
            accepts: Accepts::Number { default: 0.01, low: 0.0, high: 1e12 },
            says: "Adam's step size",
        },
        Parameter {
            name: "beta1",
            accepts: Accepts::Number { default: 0.9, low: 0.0, high: 0.999_999 },
            says: "how much of the mean gradient stays",
        },
        Parameter {
            name: "beta2",
            accepts: Accepts::Number { default: 0.999, low: 0.0, high: 0.999_999_9 },
            says: "how much of the mean square stays",
        },
    ],
    make: |values| {
        Box::new(OpenEs {
            sigma: values.number("sigma"),
            rate: values.number("rate"),
            beta1: values.number("beta1"),
            beta2: values.number("beta2"),
        })
    },
};

/// Adam's ε.
const EPSILON: f64 = 1e-8;

/// The moments of the gradient, as they are remembered.
const MOMENTS: [&str; 2] = ["first", "second"];

/// OpenAI-ES.
#[derive(Clone, Copy, Debug)]
pub struct OpenEs {
    /// σ, above 0.
    pub sigma: f64,
    /// α of Adam, at least 0.
    pub rate: f64,
    /// β₁, in `[0, 1)`.
    pub beta1: f64,
    /// β₂, in `[0, 1)`.
    pub beta2: f64,
}

impl Strategy for OpenEs {
    fn name(&self) -> &str {
        KIND.name
    }

    fn needs(&self, settings: &Settings) -> Needs {
        Needs {
            evaluations: settings.lambda + 1,
            networks: MOMENTS.len(),
            operations: vec![
                OperationKind::Combine,
                OperationKind::WeightedNoise,
                OperationKind::Product,
                OperationKind::AdaptiveStep,
            ],
            exit: Exit::Free,
        }
    }

    fn check(&self, settings: &Settings) -> Result<(), SettingsError> {
        let Settings { mu, lambda, .. } = *settings;
        if mu != 1 {
            return Err(SettingsError(format!(
                "mu = {mu}: the mean of {} is its one individual, so set mu, m and rho to 1",
                KIND.name
            )));
        }
        if lambda == 0 || !lambda.is_multiple_of(2) {
            return Err(SettingsError(format!(
                "lambda = {lambda}: {} makes mirrored pairs, so set an even number of at least 2",
                KIND.name
            )));
        }
        Ok(())
    }

    fn begin(&self, view: &View<'_>) -> Memo {
        let mut memo = Memo::default();
        for slot in MOMENTS {
            let zero = Operation::WeightedNoise { terms: vec![] };
            let key = view.key(Purpose::Mutation, 0);
            let made = memo.make(Plan { operation: zero, sources: vec![Source::Parent(0)], key });
            memo.remember(slot, made);
        }
        memo
    }

    /// θ + σ εⱼ and θ − σ εⱼ.
    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let mutant = |i: usize| {
            let sigma = if i.is_multiple_of(2) { self.sigma } else { -self.sigma };
            let noise = Noise::Isotropic { sigma, scale: Scale::Absolute };
            Plan {
                operation: Operation::Combine { weights: Weights::Equal, noise },
                sources: vec![Source::Parent(0)],
                key: view.key(Purpose::Mutation, i / 2),
            }
        };
        (0..view.settings.lambda).map(mutant).collect()
    }

    fn tell(&self, view: &View<'_>, offspring: &[Fitness]) -> Next {
        let utility = centred_ranks(offspring);
        let scale = 1.0 / (offspring.len() as f64 * self.sigma);
        // Σ uᵢ εᵢ over both of each pair, whose noise differs in its sign.
        let terms = utility.chunks_exact(2).enumerate().map(|(j, pair)| NoiseTerm {
            key: view.key(Purpose::Mutation, j),
            weight: scale * (pair[0] - pair[1]),
        });
        let t = view.number("steps").unwrap_or(0.0) + 1.0;
        let mut memo = Memo::default();
        memo.numbers.insert("steps".into(), vec![t]);
        let key = view.key(Purpose::Mutation, 0);
        let mut make =
            |operation, sources: Vec<Source>| memo.make(Plan { operation, sources, key });
        let [m, v] = MOMENTS.map(Source::memory);
        let terms = Operation::WeightedNoise { terms: terms.collect() };
        let gradient = make(terms, vec![Source::Parent(0)]);
        let square = make(Operation::Product, vec![gradient.clone(), gradient.clone()]);
        let mean = |beta: f64| Operation::weighted([beta, 1.0 - beta]);
        let m = make(mean(self.beta1), vec![m, gradient]);
        let v = make(mean(self.beta2), vec![v, square]);
        // Both corrections of the moments, in the rate and in ε. Utilities grow towards the better: upwards.
        let root = (1.0 - libm::pow(self.beta2, t)).sqrt();
        let rate = self.rate * root / (1.0 - libm::pow(self.beta1, t));
        let step = Operation::AdaptiveStep { rate, epsilon: EPSILON * root };
        let sources = vec![Source::Parent(0), m.clone(), v.clone()];
        let theta = memo.make_scored(Plan { operation: step, sources, key });
        memo.remember(MOMENTS[0], m);
        memo.remember(MOMENTS[1], v);
        Next::of(Survivors::Chosen(vec![Heir { theta, continues: Some(0) }])).with(memo)
    }
}

/// Utilities from ½ of the best to −½ of the worst, by rank; those of equals are their mean, so that a constant
/// says nothing.
fn centred_ranks(fitness: &[Fitness]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..fitness.len()).collect();
    order.sort_by_key(|&i| fitness[i]);
    let mut utility = vec![0.0; fitness.len()];
    let last = (fitness.len().max(2) - 1) as f64;
    let mut first = 0;
    for equals in order.chunk_by(|&a, &b| fitness[a] == fitness[b]) {
        let rank = first as f64 + (equals.len() - 1) as f64 / 2.0;
        equals.iter().for_each(|&i| utility[i] = 0.5 - rank / last);
        first += equals.len();
    }
    utility
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_centred_and_equals_share_theirs() {
        let of = |losses: &[f64]| {
            centred_ranks(&losses.iter().map(|&f| Fitness::new(f)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[3.0, 1.0, 2.0]), [-0.5, 0.5, 0.0]);
        let shared = 0.5 - 0.5 / 3.0;
        assert_eq!(of(&[1.0, 1.0, 5.0, f64::NAN]), [shared, shared, 0.5 - 2.0 / 3.0, -0.5]);
        assert_eq!(of(&[7.0; 4]), [0.0; 4]);
    }
}
