//! Fitness and what it was measured with: `f(θ)` of Definition 1 and the m-elitist mean `J(m)` of
//! eq. 9. Fitness is a loss: lower is better.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A loss with a total order. NaN and ±∞ are one value, [`Fitness::WORST`], worse than any number.
///
/// ```
/// use esgd_core::Fitness;
///
/// assert!(Fitness::new(0.5) < Fitness::new(2.0));
/// assert!(Fitness::new(1e300) < Fitness::new(f64::NAN));
/// assert_eq!(Fitness::new(f64::NEG_INFINITY), Fitness::WORST);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fitness(f64);

impl Fitness {
    /// What a diverged individual scores.
    pub const WORST: Self = Self(f64::INFINITY);

    /// The fitness of a loss.
    #[must_use]
    pub fn new(loss: f64) -> Self {
        // Adding zero turns −0 into +0, so that equality and order agree.
        if loss.is_finite() { Self(loss + 0.0) } else { Self::WORST }
    }

    /// The loss; +∞ for [`Fitness::WORST`].
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether this is a number, so not [`Fitness::WORST`].
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}

impl Ord for Fitness {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Fitness {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Fitness {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fitness {}

impl fmt::Display for Fitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_finite(), f.width()) {
            (true, _) => fmt::Display::fmt(&self.0, f),
            // A precision would cut the word.
            (false, Some(width)) => write!(f, "{:>width$}", "diverged"),
            (false, None) => f.write_str("diverged"),
        }
    }
}

/// JSON has no infinity: [`Fitness::WORST`] is `null`.
impl Serialize for Fitness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.is_finite().then_some(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fitness {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.map_or(Self::WORST, Self::new))
    }
}

/// What a fitness was measured with: which data, which loss, which mode. Fitness of different
/// objectives does not compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Objective(Arc<str>);

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.into()))
    }
}

impl Objective {
    /// A objective by its description, such as `"digits/train[0..1000]/cross-entropy/eval"`.
    #[must_use]
    pub fn new(description: &str) -> Self {
        Self(description.into())
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `J(m)`, the m-elitist average fitness of eq. 9.
#[derive(Clone, Debug, PartialEq)]
pub struct EliteMean {
    m: usize,
    value: Fitness,
    objective: Objective,
}

impl EliteMean {
    /// The mean of the first `m` of `ranked`, which is in ascending order.
    ///
    /// Each term is divided before it is summed: sums of huge losses would overflow. Rounded
    /// division and addition are monotone, so element-wise `≤` gives `≤` here exactly.
    #[must_use]
    pub fn of(ranked: &[Fitness], m: usize, objective: &Objective) -> Self {
        let mean = ranked.iter().take(m).map(|f| f.get() / m as f64).sum();
        Self { m, value: Fitness::new(mean), objective: objective.clone() }
    }

    /// The mean itself.
    #[must_use]
    pub fn value(&self) -> Fitness {
        self.value
    }
}

/// `None` between different m or different objectives: such means do not compare.
impl PartialOrd for EliteMean {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.m == other.m && self.objective == other.objective)
            .then(|| self.value.cmp(&other.value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whatever_is_not_a_number_is_one_value_and_worst() {
        for odd in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Fitness::new(odd), Fitness::WORST);
            assert!(Fitness::new(f64::MAX) < Fitness::new(odd));
        }
        assert_eq!(Fitness::new(-0.0), Fitness::new(0.0));
    }

    #[test]
    fn what_diverged_is_said_in_full() {
        assert_eq!(format!("{:.4}", Fitness::WORST), "diverged");
        assert_eq!(format!("{:10.4}", Fitness::WORST), "  diverged");
        assert_eq!(format!("{:.2}", Fitness::new(0.123)), "0.12");
    }

    #[test]
    fn means_of_different_yardsticks_do_not_compare() {
        let fitness = [Fitness::new(1.0)];
        let train = EliteMean::of(&fitness, 1, &Objective::new("train"));
        let validation = EliteMean::of(&fitness, 1, &Objective::new("validation"));
        assert_eq!(train.partial_cmp(&validation), None);
        assert_eq!(train.partial_cmp(&train.clone()), Some(Ordering::Equal));
    }

    #[test]
    fn huge_losses_do_not_overflow_the_mean() {
        let huge = [Fitness::new(f64::MAX); 4];
        let mean = EliteMean::of(&huge, 4, &Objective::new("")).value();
        assert_eq!(mean, Fitness::new(f64::MAX));
    }

    proptest! {
        /// Element-wise ≤ gives mean ≤, exactly, for every m.
        #[test]
        fn the_mean_is_monotone(pairs in prop::collection::vec((any::<f64>(), any::<f64>()), 1..20)) {
            let mut low: Vec<_> = pairs.iter().map(|&(a, b)| Fitness::new(a).min(Fitness::new(b))).collect();
            let mut high: Vec<_> = pairs.iter().map(|&(a, b)| Fitness::new(a).max(Fitness::new(b))).collect();
            low.sort();
            high.sort();
            let y = Objective::new("");
            for m in 1..=low.len() {
                prop_assert!(EliteMean::of(&low, m, &y) <= EliteMean::of(&high, m, &y));
            }
        }

        #[test]
        fn fitness_survives_json(loss in any::<f64>()) {
            let fitness = Fitness::new(loss);
            let text = serde_json::to_string(&fitness).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fitness>(&text).unwrap(), fitness);
        }
    }
}
