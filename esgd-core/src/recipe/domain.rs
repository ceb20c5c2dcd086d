//! What a hyper-parameter is drawn from, and how the domain is annealed over generations.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{Exploration, MOST, Schedule};
use crate::rng::Philox;

/// The distribution of a hyper-parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always this value.
    Fixed(f64),
    /// Uniform in `[low, high)`.
    Uniform(f64, f64),
    /// Uniform in the logarithm, both bounds positive.
    LogUniform(f64, f64),
    /// Each equally likely.
    Choice(Vec<f64>),
}

/// A hyper-parameter's distribution with its annealing.
///
/// In a config: `0.1`, `true`, `{ uniform = [0.8, 0.99] }`, `{ log-uniform = [1e-4, 1e-1] }`,
/// `{ choice = [32, 64] }` or `{ fixed = 0.1 }`; the tables may add `anneal`, a [`Schedule`] that
/// multiplies what was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// The distribution before annealing.
    pub law: Distribution,
    /// The factor over generations.
    pub anneal: Schedule,
}

impl Domain {
    /// Always `value`.
    #[must_use]
    pub fn fixed(value: f64) -> Self {
        Distribution::Fixed(value).into()
    }

    /// Uniform in the logarithm between `low` and `high`.
    #[must_use]
    pub fn log_uniform(low: f64, high: f64) -> Self {
        Distribution::LogUniform(low, high).into()
    }

    /// The same distribution, annealed by `schedule`.
    #[must_use]
    pub fn annealed(self, schedule: Schedule) -> Self {
        Self { anneal: schedule, ..self }
    }

    pub(crate) fn draw(&self, rng: &mut Philox) -> f64 {
        match &self.law {
            Distribution::Fixed(value) => *value,
            Distribution::Uniform(low, high) => low + (high - low) * rng.unit(),
            Distribution::LogUniform(low, high) => {
                (low.ln() + (high.ln() - low.ln()) * rng.unit()).exp().clamp(*low, *high)
            }
            Distribution::Choice(values) => {
                values.get(rng.below(values.len())).copied().unwrap_or(0.0)
            }
        }
    }

    /// A value near `value`: scaled by a factor within `exp(±amount)` and kept in the domain; a
    /// choice is drawn anew with probability `amount`.
    pub(crate) fn perturb(&self, value: f64, amount: f64, rng: &mut Philox) -> f64 {
        let u = rng.unit();
        match &self.law {
            Distribution::Fixed(_) => value,
            Distribution::Uniform(low, high) | Distribution::LogUniform(low, high) => {
                (value * (amount * (2.0 * u - 1.0)).exp()).clamp(*low, *high)
            }
            Distribution::Choice(_) if u < amount => self.draw(rng),
            Distribution::Choice(_) => value,
        }
    }

    /// A value to try next: drawn anew with probability `resample`, or else multiplied by 1 − `perturb` or
    /// 1 + `perturb`, and kept in the domain unless it is `free`.
    pub(crate) fn explore(&self, value: f64, by: Exploration, free: bool, rng: &mut Philox) -> f64 {
        let (anew, up) = (rng.unit() < by.resample, rng.unit() < 0.5);
        let factor = if up { 1.0 + by.perturb } else { 1.0 - by.perturb };
        match &self.law {
            _ if anew => self.draw(rng),
            Distribution::Fixed(_) | Distribution::Choice(_) => value,
            Distribution::Uniform(..) | Distribution::LogUniform(..) if free => {
                (value * factor).min(f64::from(f32::MAX))
            }
            Distribution::Uniform(low, high) | Distribution::LogUniform(low, high) => {
                (value * factor).clamp(*low, *high)
            }
        }
    }

    /// Why nothing can be drawn, if nothing can.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let (low, high) = self.bounds();
        // Networks compute in f32.
        let most = f64::from(f32::MAX) / self.anneal.largest().max(1.0);
        let fault = match &self.law {
            Distribution::Fixed(value) => {
                (!value.is_finite()).then_some("a fixed value must be a number")
            }
            Distribution::Uniform(low, high) => (!(low <= high && (high - low).is_finite()))
                .then_some("`uniform` needs two numbers, the lower one first"),
            Distribution::LogUniform(low, high) => {
                (!(0.0 < *low && low <= high && high.is_finite()))
                    .then_some("`log-uniform` needs two numbers above 0, the lower one first")
            }
            Distribution::Choice(values) if values.len() > MOST => {
                Some("`choice` needs at most 1000 numbers")
            }
            Distribution::Choice(values) => (values.is_empty()
                || values.iter().any(|v| !v.is_finite()))
            .then_some("`choice` needs at least one number"),
        };
        fault.or_else(|| self.anneal.fault()).or_else(|| {
            (low < -most || high > most).then_some("its numbers, annealed, must be below 3.4e38")
        })
    }

    /// The median of the distribution before annealing; of a choice the value in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        match &self.law {
            Distribution::Fixed(value) => *value,
            Distribution::Uniform(low, high) => low + (high - low) / 2.0,
            Distribution::LogUniform(low, high) => (low.ln() / 2.0 + high.ln() / 2.0).exp(),
            Distribution::Choice(values) => {
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
            }
        }
    }

    /// The smallest and the largest value before annealing.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        match &self.law {
            Distribution::Fixed(value) => (*value, *value),
            Distribution::Uniform(low, high) | Distribution::LogUniform(low, high) => (*low, *high),
            Distribution::Choice(values) => {
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
                    (low.min(v), high.max(v))
                })
            }
        }
    }
}

impl From<Distribution> for Domain {
    fn from(law: Distribution) -> Self {
        Self { law, anneal: Schedule::Constant }
    }
}

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (Distribution::Fixed(value), Schedule::Constant) = (&self.law, &self.anneal) {
            return serializer.serialize_f64(*value);
        }
        let mut map = serializer.serialize_map(None)?;
        match &self.law {
            Distribution::Fixed(value) => map.serialize_entry("fixed", value)?,
            Distribution::Uniform(low, high) => map.serialize_entry("uniform", &[low, high])?,
            Distribution::LogUniform(low, high) => {
                map.serialize_entry("log-uniform", &[low, high])?
            }
            Distribution::Choice(values) => map.serialize_entry("choice", values)?,
        }
        if self.anneal != Schedule::Constant {
            map.serialize_entry("anneal", &self.anneal)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

/// Written out rather than derived: an untagged enum would answer every mistake with "did not
/// match any variant".
struct RangeVisitor;

impl<'de> Visitor<'de> for RangeVisitor {
    type Value = Domain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a number, true or false, or a table with one of `fixed`, `uniform`, `log-uniform`, \
             `choice`, and perhaps `anneal`",
        )
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Domain, E> {
        Ok(Domain::fixed(f64::from(u8::from(value))))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Domain, E> {
        Ok(Domain::fixed(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Domain, E> {
        Ok(Domain::fixed(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Domain, E> {
        Ok(Domain::fixed(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Domain, A::Error> {
        let mut law = None;
        let mut anneal = Schedule::Constant;
        while let Some(key) = map.next_key::<String>()? {
            let next = match key.as_str() {
                "anneal" => {
                    anneal = map.next_value()?;
                    continue;
                }
                "fixed" => Distribution::Fixed(map.next_value()?),
                "uniform" => map
                    .next_value()
                    .map(|[low, high]: [f64; 2]| Distribution::Uniform(low, high))?,
                "log-uniform" => map
                    .next_value()
                    .map(|[low, high]: [f64; 2]| Distribution::LogUniform(low, high))?,
                "choice" => Distribution::Choice(map.next_value()?),
                other => {
                    let known = &["fixed", "uniform", "log-uniform", "choice", "anneal"];
                    return Err(de::Error::unknown_field(other, known));
                }
            };
            if law.replace(next).is_some() {
                return Err(de::Error::custom(
                    "a domain has only one of `fixed`, `uniform`, `log-uniform`, `choice`",
                ));
            }
        }
        let law = law.ok_or_else(|| {
            de::Error::custom("a domain needs one of `fixed`, `uniform`, `log-uniform`, `choice`")
        })?;
        Ok(Domain { law, anneal })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Key, Purpose};

    fn read(text: &str) -> Result<Domain, toml::de::Error> {
        toml::from_str::<BTreeMap<String, Domain>>(&format!("x = {text}"))
            .map(|mut t| t.remove("x").unwrap())
    }

    #[test]
    fn reads_as_written_in_a_config() {
        assert_eq!(read("0.1").unwrap(), Domain::fixed(0.1));
        assert_eq!(read("64").unwrap(), Domain::fixed(64.0));
        assert_eq!(read("true").unwrap(), Domain::fixed(1.0));
        assert_eq!(read("{ choice = [1, 2] }").unwrap().law, Distribution::Choice(vec![1.0, 2.0]));
        let annealed = read("{ log-uniform = [1e-3, 1e-1], anneal = '1/k' }").unwrap();
        assert_eq!(annealed, Domain::log_uniform(1e-3, 1e-1).annealed(Schedule::Reciprocal));
    }

    #[test]
    fn half_of_what_is_drawn_is_below_the_median() {
        let choice = Domain::from(Distribution::Choice(vec![5.0, 1.0, 3.0]));
        assert_eq!((choice.median(), Domain::fixed(2.0).median()), (3.0, 2.0));
        for law in [Distribution::Uniform(2.0, 4.0), Distribution::LogUniform(1e-4, 1e-2)] {
            let domain = Domain::from(law);
            let mut rng = Key::new(3, Purpose::Recipe).stream();
            let below = (0..4000).filter(|_| domain.draw(&mut rng) < domain.median()).count();
            assert!(below.abs_diff(2000) < 127, "{below} of 4000"); // four standard deviations
        }
    }

    #[test]
    fn says_what_it_wants() {
        for text in ["'big'", "{ uniform = [1, 2], choice = [3] }", "{}", "{ loguniform = [1, 2] }"]
        {
            let message = read(text).unwrap_err().message().to_owned();
            assert!(message.contains("log-uniform"), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_drawn_or_perturbed_stays_in_bounds(
            low in 1e-6..1.0f64, span in 0.0..10.0f64, amount in 0.0..2.0f64, seed: u64,
        ) {
            let mut rng = Key::new(seed, Purpose::Recipe).stream();
            let high = low + span;
            for law in [Distribution::Uniform(low, high), Distribution::LogUniform(low, high), Distribution::Choice(vec![low, high])] {
                let domain = Domain::from(law);
                prop_assert!(domain.fault().is_none());
                let value = domain.draw(&mut rng);
                let near = domain.perturb(value, amount, &mut rng);
                prop_assert!((low..=high).contains(&value) && (low..=high).contains(&near));
            }
        }

        #[test]
        fn survives_a_round_trip(low in 1e-6..1.0f64, high in 1.0..10.0f64) {
            for law in [Distribution::Fixed(low), Distribution::Uniform(low, high), Distribution::LogUniform(low, high), Distribution::Choice(vec![low])] {
                let domain = Domain::from(law).annealed(Schedule::Cosine { to: 0.5 });
                let text = toml::to_string(&BTreeMap::from([("x", &domain)])).unwrap();
                let back: BTreeMap<String, Domain> = toml::from_str(&text).unwrap();
                prop_assert_eq!(&back["x"], &domain);
            }
        }
    }
}
