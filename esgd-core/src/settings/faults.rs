//! Settings that cannot work, or not together, found before a run begins.

use super::{
    FineTune, Guarantee, RecipePolicy, Recipes, Selection, Settings, SettingsError, Start, Way,
};
use crate::{Strategy, strategy};

/// The largest standard deviation of noise: times any annealing it is far from the end of f32.
const LARGEST_NOISE: f64 = 1e30;

/// The largest exponent that a factor is drawn from.
const LARGEST_PERTURBATION: f64 = 100.0;

impl Settings {
    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// One sentence about the first that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.check_with(&*strategy::make(&self.strategy)?)
    }

    /// The same with another strategy than they name.
    pub(crate) fn check_with(&self, strategy: &dyn Strategy) -> Result<(), SettingsError> {
        let fault =
            self.size_fault().or_else(|| self.guarantee_fault()).or_else(|| self.range_fault());
        match fault {
            Some(sentence) => Err(SettingsError(sentence)),
            None => strategy::check(strategy, self),
        }
    }

    fn size_fault(&self) -> Option<String> {
        let Self { generations, epochs, mu, lambda, rho, m, .. } = *self;
        // TOML and most readers of JSON have no larger whole number, so none could be read again.
        if self.seed > i64::MAX as u64 {
            return Some(format!("seed = {}: expected at most {}", self.seed, i64::MAX));
        }
        let at_least_one = [("generations", generations), ("mu", mu), ("m", m)];
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
                "guarantee.p_backoff = {p_backoff:?}: expected a probability from 0 to 1"
            ));
        }
        match way {
            Way::BackOff if p_backoff < 1.0 && !anchor => Some(format!(
                "guarantee.p_backoff = {p_backoff:?} lets the best get worse: set guarantee.anchor = true \
                 to keep the best of the initial population, or guarantee.way = \"archive\""
            )),
            Way::BackOff if anchor && self.m >= self.mu => Some(format!(
                "guarantee.anchor needs a place beside the elite: with mu = {} set m to at most {}",
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
            (!(0.0..=LARGEST_NOISE).contains(&value)).then(|| {
                format!(
                    "{name} = {value:?}: expected a number of at least 0, at most {LARGEST_NOISE:e}"
                )
            })
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
            // A candidate trains at most epochs · 2^halvings.
            Start::Shared { epochs, halvings, .. }
                if halvings >= 24 || epochs << halvings >= 1 << 24 =>
            {
                Some(format!(
                    "start.shared.halvings = {halvings}: each doubles the {epochs} epochs of a candidate, \
                     expected less than {} in the end",
                    1 << 24
                ))
            }
            Start::Shared { .. } => None,
            Start::Warm { sigma } => at_least_zero("start.warm.sigma", sigma),
        };
        let annealing = |name: &str, fault: Option<&str>| fault.map(|f| format!("{name}: {f}"));
        start
            .or_else(|| at_least_zero("mutation.sigma", self.mutation.sigma))
            .or_else(|| annealing("mutation.anneal", self.mutation.anneal.fault()))
            .or_else(|| at_least_zero("recipes.perturb", self.recipes.perturb))
            .or_else(|| match self.recipes {
                Recipes { policy: RecipePolicy::Explore, perturb, .. } if perturb >= 1.0 => {
                    Some(format!(
                        "recipes.perturb = {perturb:?}: exploring multiplies by 1 − perturb, expected less than 1"
                    ))
                }
                // Or else a value of 0 would be multiplied by infinity.
                Recipes { perturb, .. } if perturb > LARGEST_PERTURBATION => Some(format!(
                    "recipes.perturb = {perturb:?}: expected at most {LARGEST_PERTURBATION}"
                )),
                _ => None,
            })
            .or_else(|| {
                let share = self.recipes.resample;
                (!(0.0..=1.0).contains(&share)).then(|| {
                    format!("recipes.resample = {share:?}: expected a probability from 0 to 1")
                })
            })
            .or_else(|| match self.selection {
                Selection::Truncation { best } if !(best > 0.0 && best <= 1.0) => Some(format!(
                    "selection.truncation.best = {best:?}: expected a share above 0, at most 1"
                )),
                Selection::Truncation { .. } | Selection::Roulette => None,
            })
            .or_else(|| {
                let FineTune { best, .. } = self.fine_tune;
                (best > self.mu).then(|| {
                    format!(
                        "fine_tune.best = {best} is more than mu = {}: expected at most that, or 0 for all",
                        self.mu
                    )
                })
            })
            .or_else(|| annealing("fine_tune.lr", self.fine_tune.lr.fault()))
            .or_else(|| self.optimizers.fault())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Domain, OptimizerPool, OptimizerSpec, Schedule};

    fn valid() -> Settings {
        let spec = OptimizerSpec { kind: "sgd".into(), weight: 1.0, domains: Default::default() };
        Settings { optimizers: OptimizerPool(vec![spec]), ..Settings::paper() }
    }

    #[test]
    fn what_cannot_work_is_one_sentence() {
        assert_eq!(valid().check(), Ok(()));
        type Spoil = fn(&mut Settings);
        let cases: [(&str, Spoil); 33] = [
            ("seed = 9223372036854775808: expected at most 9223372036854775807", |s| {
                s.seed = 1 << 63;
            }),
            ("p_backoff = NaN", |s| s.guarantee.p_backoff = f64::NAN),
            ("mutation.sigma = NaN", |s| s.mutation.sigma = f64::NAN),
            ("mutation.sigma = inf", |s| s.mutation.sigma = f64::INFINITY),
            ("mutation.anneal: an annealing factor", |s| {
                s.mutation.anneal = Schedule::Cosine { to: f64::NAN };
            }),
            ("recipes.perturb = NaN", |s| s.recipes.perturb = f64::NAN),
            ("recipes.perturb = 101.0: expected at most 100", |s| s.recipes.perturb = 101.0),
            ("recipes.resample = NaN", |s| s.recipes.resample = f64::NAN),
            ("selection.truncation.best = NaN", |s| {
                s.selection = Selection::Truncation { best: f64::NAN };
            }),
            ("start.warm.sigma = NaN", |s| s.start = Start::Warm { sigma: f64::NAN }),
            ("fine_tune.lr: a fixed value", |s| s.fine_tune.lr = Domain::fixed(f64::NAN)),
            ("optimizers[0].weight", |s| s.optimizers.0[0].weight = f64::NAN),
            ("`optimizers[0].lr` cannot be drawn", |s| {
                let domains = &mut s.optimizers.0[0].domains;
                domains.insert("lr".into(), Domain::fixed(f64::NEG_INFINITY));
            }),
            ("recipes.perturb = 1.0: exploring", |s| {
                s.recipes = Recipes { policy: RecipePolicy::Explore, perturb: 1.0, resample: 0.5 };
            }),
            ("recipes.resample = 2", |s| s.recipes.resample = 2.0),
            ("selection.truncation.best = 0", |s| {
                s.selection = Selection::Truncation { best: 0.0 };
            }),
            ("generations = 0", |s| s.generations = 0),
            ("epochs = 0 and no offspring", |s| (s.epochs, s.evolution_steps) = (0, 0)),
            ("epochs = 0 and no offspring", |s| (s.epochs, s.lambda) = (0, 0)),
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
            ("anchor needs a place", |s| {
                s.guarantee.anchor = true;
                s.m = s.mu;
            }),
            ("mutation.sigma = -1", |s| s.mutation.sigma = -1.0),
            ("start.shared", |s| {
                s.start = Start::Shared { epochs: 0, candidates: 1, halvings: 0 };
            }),
            ("start.shared.halvings = 23: each doubles the 2 epochs", |s| {
                s.start = Start::Shared { epochs: 2, candidates: 1, halvings: 23 };
            }),
            ("fine_tune.best = 11 is more than mu = 10", |s| s.fine_tune.best = 11),
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
