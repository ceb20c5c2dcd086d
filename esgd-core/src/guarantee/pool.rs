//! μ ∪ λ and the m-elitist selection from it (section 3.3, item 4).

use super::{Individual, Population, ScoredPlan};
use crate::{Fitness, rng::Key};

/// A place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Survivor {
    /// A parent, by its rank.
    Parent(usize),
    /// An offspring, by its number.
    Offspring(usize),
}

/// The parents and offspring of one evolution step. The only exit keeps the m best.
#[derive(Debug)]
pub struct Pool {
    ranked: Vec<(Fitness, Survivor)>,
    anchor: Option<Survivor>,
}

impl Pool {
    pub(crate) fn new<G, S>(parents: &Population<G, S>, offspring: &[ScoredPlan]) -> Self {
        let mu: Vec<_> = parents.individuals().iter().map(Individual::fitness).collect();
        let lambda: Vec<_> = offspring.iter().map(ScoredPlan::fitness).collect();
        Self::of(&mu, &lambda, parents.anchor_rank())
    }

    /// The pool of parents and offspring of these fitness, and the rank of an anchor.
    pub(crate) fn of(parents: &[Fitness], offspring: &[Fitness], anchor: Option<usize>) -> Self {
        let mu = parents.iter().enumerate().map(|(i, f)| (*f, Survivor::Parent(i)));
        let lambda = offspring.iter().enumerate().map(|(i, f)| (*f, Survivor::Offspring(i)));
        let mut ranked: Vec<_> = mu.chain(lambda).collect();
        // Of equals the parents come first: a copy of an elite gains nothing on it.
        ranked.sort();
        Self { ranked, anchor: anchor.map(Survivor::Parent) }
    }

    /// The `m` best, and `mu` − `m` of the others, drawn uniformly without replacement.
    ///
    /// The anchor, if there is one, always survives; `m < mu` then.
    pub(crate) fn select(self, m: usize, mu: usize, key: Key) -> Vec<Survivor> {
        let mut survivors: Vec<_> = self.ranked.into_iter().map(|(_, survivor)| survivor).collect();
        let mut rng = key.stream();
        for place in m..mu.min(survivors.len()) {
            let drawn = place + rng.below(survivors.len() - place);
            survivors.swap(place, drawn);
        }
        survivors.truncate(mu);
        if let Some(anchor) = self.anchor
            && !survivors.contains(&anchor)
            && let Some(last) = survivors.last_mut()
        {
            *last = anchor;
        }
        survivors
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::rng::Purpose;

    fn pool(fitness: &[f64], mu: usize) -> Pool {
        let place =
            |i: usize| if i < mu { Survivor::Parent(i) } else { Survivor::Offspring(i - mu) };
        let mut ranked: Vec<_> =
            fitness.iter().enumerate().map(|(i, &f)| (Fitness::new(f), place(i))).collect();
        ranked.sort();
        Pool { ranked, anchor: None }
    }

    proptest! {
        /// The m best survive, and nobody has two places.
        #[test]
        fn keeps_the_m_best_and_draws_without_replacement(
            fitness in prop::collection::vec(prop_oneof![0.0..5.0f64, Just(f64::NAN)], 1..40),
            mu in 1usize..40, m in 1usize..40, seed: u64,
        ) {
            let mu = mu.min(fitness.len());
            let m = m.min(mu);
            let whole = pool(&fitness, mu);
            let best: Vec<_> = whole.ranked.iter().take(m).map(|r| r.1).collect();
            let survivors = whole.select(m, mu, Key::new(seed, Purpose::Survivors));
            prop_assert_eq!(survivors.len(), mu);
            prop_assert_eq!(&survivors[..m], &best[..]);
            prop_assert_eq!(survivors.iter().collect::<HashSet<_>>().len(), mu);
        }
    }

    #[test]
    fn the_others_are_equally_likely() {
        let mut seen: HashMap<Survivor, u32> = HashMap::new();
        for seed in 0..6000 {
            let survivors = pool(&[1.0, 2.0, 3.0, 4.0, 5.0], 2).select(
                1,
                3,
                Key::new(seed, Purpose::Survivors),
            );
            survivors[1..].iter().for_each(|&s| *seen.entry(s).or_default() += 1);
        }
        // Each of four is one of the two drawn half of the time: four standard deviations.
        assert_eq!(seen.len(), 4);
        assert!(seen.values().all(|&n| n.abs_diff(3000) < 155), "{seen:?}");
    }

    #[test]
    fn the_anchor_always_survives() {
        for seed in 0..50 {
            let mut with_anchor = pool(&[1.0, 9.0, 2.0, 3.0, 4.0, 5.0], 2);
            with_anchor.anchor = Some(Survivor::Parent(1));
            let survivors = with_anchor.select(1, 2, Key::new(seed, Purpose::Survivors));
            assert_eq!(survivors, [Survivor::Parent(0), Survivor::Parent(1)]);
        }
    }
}
