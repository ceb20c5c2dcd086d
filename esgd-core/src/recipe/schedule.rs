//! Annealing over generations, of the learning rate's range and of σ (section 3.3).

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::MOST;

/// What a schedule may multiply by.
const LARGEST: f64 = 1e6;

/// A factor that changes with the generation k = 1 … K.
///
/// ```
/// use esgd_core::Schedule;
///
/// assert_eq!(Schedule::Reciprocal.factor(4, 10), 0.25);
/// let cosine = Schedule::Cosine { to: 0.0 };
/// assert_eq!(cosine.factor(1, 11), 1.0);
/// assert!((cosine.factor(6, 11) - 0.5).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// Multiplied by `factor` from each generation named in `at` on.
    Step {
        /// Generations, from 1.
        at: Vec<usize>,
        /// What each of them multiplies by.
        factor: f64,
    },
    /// Half a cosine from 1 in the first generation to `to` in the last.
    Cosine {
        /// The factor in generation K.
        to: f64,
    },
    /// 1/k.
    #[serde(rename = "1/k")]
    Reciprocal,
}

impl Schedule {
    /// The factor in generation `k` of `of`. Generations past the end keep the last factor.
    #[must_use]
    pub fn factor(&self, k: usize, of: usize) -> f64 {
        let k = k.clamp(1, of.max(1));
        match self {
            Self::Constant => 1.0,
            Self::Step { at, factor } => {
                factor.powi(at.iter().filter(|&&start| start <= k).count() as i32)
            }
            Self::Cosine { to } => {
                let t = (k - 1) as f64 / (of.max(2) - 1) as f64;
                to + (1.0 - to) * 0.5 * (1.0 + (PI * t).cos())
            }
            Self::Reciprocal => 1.0 / k as f64,
        }
    }

    /// No factor is larger.
    #[must_use]
    pub fn largest(&self) -> f64 {
        match self {
            Self::Step { at, factor } => factor.powi(at.len() as i32).max(1.0),
            Self::Cosine { to } => to.max(1.0),
            Self::Constant | Self::Reciprocal => 1.0,
        }
    }

    /// Why the schedule makes no sense, if it does not.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let factor = match self {
            Self::Step { at, .. } if at.len() > MOST => {
                return Some("a schedule has at most 1000 steps");
            }
            Self::Step { factor, .. } => *factor,
            Self::Cosine { to } => *to,
            Self::Constant | Self::Reciprocal => 1.0,
        };
        if !factor.is_finite() || factor < 0.0 {
            return Some("an annealing factor must be a number of at least 0");
        }
        (self.largest() > LARGEST).then_some("annealing must not multiply by more than 1e6")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_multiply() {
        let step = Schedule::Step { at: vec![4, 6], factor: 0.1 };
        let factors: Vec<f64> = (1..=8).map(|k| step.factor(k, 8)).collect();
        assert_eq!(factors[..3], [1.0; 3]);
        assert_eq!(factors[3..5], [0.1; 2]);
        assert!(factors[5..].iter().all(|f| (f - 0.01).abs() < 1e-15));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let step = |at: Vec<usize>, factor| Schedule::Step { at, factor };
        for (schedule, expected) in [
            (step(vec![2], f64::NAN), "at least 0"),
            (step(vec![2], -1.0), "at least 0"),
            (step(vec![2, 3, 4], 1e3), "more than 1e6"),
            (step(vec![2; 1001], 0.5), "at most 1000 steps"),
            (Schedule::Cosine { to: f64::INFINITY }, "at least 0"),
            (Schedule::Cosine { to: 1e7 }, "more than 1e6"),
        ] {
            assert!(schedule.fault().unwrap().contains(expected), "{schedule:?}");
        }
        assert_eq!(step(vec![2, 3], 10.0).fault(), None);
        assert_eq!(step(vec![2, 3], 10.0).largest(), 100.0);
    }

    #[test]
    fn one_generation_is_the_first() {
        assert_eq!(Schedule::Cosine { to: 0.0 }.factor(1, 1), 1.0);
    }

    #[test]
    fn reads_as_written_in_a_config() {
        #[derive(Deserialize)]
        struct Table {
            anneal: Schedule,
        }
        let read = |text: &str| toml::from_str::<Table>(text).map(|t| t.anneal);
        assert_eq!(read("anneal = '1/k'").unwrap(), Schedule::Reciprocal);
        assert_eq!(
            read("anneal = { cosine = { to = 0.1 } }").unwrap(),
            Schedule::Cosine { to: 0.1 }
        );
        assert!(read("anneal = 'cosinus'").is_err());
    }
}
