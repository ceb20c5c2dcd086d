//! The pool of optimizers, a recipe drawn from it, and the recipe's values in one generation.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Domain, Exploration, MOST, Schedule};
use crate::{rng::Philox, settings::SettingsError};

/// One optimizer of the pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSpec {
    /// Its kind, such as `"sgd"` or `"adam"`.
    pub kind: String,
    /// How often it is drawn, relative to the others.
    #[serde(default = "one")]
    pub weight: f64,
    /// What each hyper-parameter is drawn from.
    #[serde(flatten)]
    pub domains: BTreeMap<String, Domain>,
}

fn one() -> f64 {
    1.0
}

/// The optimizers that individuals draw from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OptimizerPool(pub Vec<OptimizerSpec>);

/// A hyper-parameter as drawn, with the annealing of its domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Drawn {
    value: f64,
    anneal: Schedule,
}

/// An optimizer with the hyper-parameters that an individual drew: π of Algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Its place in the pool.
    spec: usize,
    kind: String,
    drawn: BTreeMap<String, Drawn>,
}

/// A recipe's values in one generation, annealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// The optimizer's kind.
    pub kind: String,
    /// The hyper-parameters by name.
    pub values: BTreeMap<String, f64>,
}

impl Hyperparameters {
    /// A hyper-parameter by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }
}

impl fmt::Display for Hyperparameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        for (name, value) in &self.values {
            // Four significant digits are enough to read; Rust's shortest form drops the rest.
            let digits = format!("{value:.3e}").parse().unwrap_or(*value);
            write!(f, " {name}={digits}")?;
        }
        Ok(())
    }
}

impl Recipe {
    /// The values in generation `k` of `of`.
    #[must_use]
    pub fn at(&self, k: usize, of: usize) -> Hyperparameters {
        let annealed = |d: &Drawn| d.value * d.anneal.factor(k, of);
        Hyperparameters {
            kind: self.kind.clone(),
            values: self.drawn.iter().map(|(name, d)| (name.clone(), annealed(d))).collect(),
        }
    }

    /// The same recipe with `name` drawn from `domain` instead.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, domain: &Domain, rng: &mut Philox) -> Self {
        let drawn = Drawn { value: domain.draw(rng), anneal: domain.anneal.clone() };
        self.drawn.insert(name.to_owned(), drawn);
        self
    }
}

impl OptimizerPool {
    /// Draws an optimizer by weight, then each of its hyper-parameters.
    pub(crate) fn draw(&self, rng: &mut Philox) -> Recipe {
        let total: f64 = self.0.iter().map(|spec| spec.weight).sum();
        let mut left = rng.unit() * total;
        let chosen = self.0.iter().position(|spec| {
            left -= spec.weight;
            left < 0.0
        });
        // Rounding can leave a last crumb of the total: it belongs to the last that has a weight.
        let spec = chosen
            .or_else(|| self.0.iter().rposition(|spec| spec.weight > 0.0))
            .unwrap_or_default();
        let (kind, domains) = match self.0.get(spec) {
            Some(found) => (found.kind.clone(), &found.domains),
            None => (String::new(), &BTreeMap::new()),
        };
        let drawn = domains
            .iter()
            .map(|(name, domain)| {
                (name.clone(), Drawn { value: domain.draw(rng), anneal: domain.anneal.clone() })
            })
            .collect();
        Recipe { spec, kind, drawn }
    }

    /// A recipe near `recipe`: every value perturbed within its domain by `amount`.
    pub(crate) fn perturb(&self, recipe: &Recipe, amount: f64, rng: &mut Philox) -> Recipe {
        let mut near = recipe.clone();
        if let Some(spec) = self.0.get(recipe.spec) {
            for (name, drawn) in &mut near.drawn {
                if let Some(domain) = spec.domains.get(name) {
                    drawn.value = domain.perturb(drawn.value, amount, rng);
                }
            }
        }
        near
    }

    /// A recipe to try after `recipe`, of the same kind; see [`Domain::explore`]. Its learning rate is free,
    /// so that it can go on falling; a dropout beyond its domain could be beyond sense.
    pub(crate) fn explore(&self, recipe: &Recipe, by: Exploration, rng: &mut Philox) -> Recipe {
        let mut next = recipe.clone();
        if let Some(spec) = self.0.get(recipe.spec) {
            for (name, drawn) in &mut next.drawn {
                if let Some(domain) = spec.domains.get(name) {
                    drawn.value = domain.explore(drawn.value, by, name == "lr", rng);
                }
            }
        }
        next
    }

    /// Checks that something can be drawn, and that it is a number.
    ///
    /// # Errors
    /// One sentence about the first that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.fault().map_or(Ok(()), |sentence| Err(SettingsError(sentence)))
    }

    /// Why nothing can be drawn, if nothing can, as one sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some("`optimizers` is empty: name at least one optimizer to draw from".into());
        }
        if self.0.len() > MOST {
            return Some(format!(
                "`optimizers` has {} of them: expected at most {MOST}",
                self.0.len()
            ));
        }
        for (i, spec) in self.0.iter().enumerate() {
            // So that the sum of all is a number.
            if !(0.0..=f64::from(f32::MAX)).contains(&spec.weight) {
                return Some(format!(
                    "`optimizers[{i}].weight` is {:?}: expected a number of at least 0, below 3.4e38",
                    spec.weight
                ));
            }
            for (name, domain) in &spec.domains {
                if let Some(fault) = domain.fault() {
                    return Some(format!("`optimizers[{i}].{name}` cannot be drawn: {fault}"));
                }
            }
        }
        (!self.0.iter().any(|spec| spec.weight > 0.0))
            .then(|| "every `weight` in `optimizers` is 0: give one a positive weight".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Distribution,
        rng::{Key, Purpose},
    };

    fn pool() -> OptimizerPool {
        let sgd = BTreeMap::from([
            ("lr".into(), Domain::log_uniform(1e-3, 1.0).annealed(Schedule::Reciprocal)),
            ("momentum".into(), Domain::fixed(0.9)),
        ]);
        let adam = BTreeMap::from([("lr".into(), Domain::fixed(1e-3))]);
        OptimizerPool(vec![
            OptimizerSpec { kind: "sgd".into(), weight: 3.0, domains: sgd },
            OptimizerSpec { kind: "adam".into(), weight: 1.0, domains: adam },
        ])
    }

    #[test]
    fn weights_say_how_often() {
        let mut rng = Key::new(5, Purpose::Recipe).stream();
        let sgd = (0..4000).filter(|_| pool().draw(&mut rng).kind == "sgd").count();
        assert!(sgd.abs_diff(3000) < 110, "{sgd} of 4000"); // four standard deviations
    }

    #[test]
    fn annealing_scales_what_was_drawn() {
        let mut sgd = pool();
        sgd.0.truncate(1);
        let recipe = sgd.draw(&mut Key::new(1, Purpose::Recipe).stream());
        let (first, fourth) = (recipe.at(1, 8), recipe.at(4, 8));
        assert_eq!(fourth.get("lr").unwrap(), first.get("lr").unwrap() / 4.0);
        assert_eq!(fourth.get("momentum"), Some(0.9));
    }

    #[test]
    fn faults_are_named() {
        assert!(OptimizerPool::default().fault().unwrap().contains("empty"));
        let mut bad = pool();
        bad.0[0].domains.insert("lr".into(), Domain::log_uniform(0.0, 1.0));
        assert!(bad.fault().unwrap().contains("optimizers[0].lr"));
        let mut idle = pool();
        idle.0.iter_mut().for_each(|spec| spec.weight = 0.0);
        assert!(idle.fault().is_some());
        for weight in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            let mut odd = pool();
            odd.0[0].weight = weight;
            assert!(odd.fault().unwrap().contains("weight"), "{weight}");
        }
        for law in [
            Distribution::Fixed(f64::NAN),
            Distribution::Fixed(1e39),
            Distribution::Uniform(f64::NEG_INFINITY, 1.0),
            Distribution::Uniform(-1e39, 1.0),
            Distribution::LogUniform(1e-3, f64::INFINITY),
            Distribution::Choice(vec![0.1, f64::NAN]),
            Distribution::Choice(vec![0.1; 1001]),
        ] {
            let mut odd = pool();
            odd.0[1].domains.insert("lr".into(), law.clone().into());
            assert!(odd.fault().unwrap().contains("optimizers[1].lr"), "{law:?}");
        }
        let many = OptimizerPool(vec![pool().0[0].clone(); 1001]);
        assert!(many.fault().unwrap().contains("has 1001 of them: expected at most 1000"));
        assert_eq!(pool().fault(), None);
    }
}
