//! μ ∪ λ and its three exits: the m-elitist selection (section 3.3, item 4), one-to-one replacement, and a free
//! choice for those who have permission.

use std::collections::HashSet;

use super::{Individual, MayWorsen, Population, ScoredPlan};
use crate::{
    Fitness, Source,
    rng::Key,
    strategy::{Heir, Replacement},
};

/// A place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Survivor {
    /// A parent, by its rank.
    Parent(usize),
    /// An offspring, by its number.
    Offspring(usize),
    /// One that was chosen to go on from another's θ, by its place among the chosen.
    Heir(usize),
}

/// Who survives. Only a [`Pool`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected(Vec<Survivor>);

impl Selected {
    /// The survivors, in the order of their selection.
    #[must_use]
    pub fn survivors(&self) -> &[Survivor] {
        &self.0
    }
}

/// The parents and offspring of one evolution step.
#[derive(Debug)]
pub struct Pool {
    parents: Vec<Fitness>,
    offspring: Vec<Fitness>,
    anchor: Option<usize>,
}

impl Pool {
    pub(crate) fn new<G, S>(parents: &Population<G, S>, offspring: &[ScoredPlan]) -> Self {
        let mu = parents.individuals().iter().map(Individual::fitness).collect();
        let lambda = offspring.iter().map(ScoredPlan::fitness).collect();
        Self::of(mu, lambda, parents.anchor_rank())
    }

    /// The pool of parents and offspring of these fitness, and the rank of an anchor.
    pub(crate) fn of(
        parents: Vec<Fitness>,
        offspring: Vec<Fitness>,
        anchor: Option<usize>,
    ) -> Self {
        Self { parents, offspring, anchor }
    }

    /// All, best first. Of equals the parents come first: a copy of an elite gains nothing on it.
    fn ranked(&self) -> Vec<Survivor> {
        let mu = self.parents.iter().enumerate().map(|(i, f)| (*f, Survivor::Parent(i)));
        let lambda = self.offspring.iter().enumerate().map(|(i, f)| (*f, Survivor::Offspring(i)));
        let mut ranked: Vec<_> = mu.chain(lambda).collect();
        ranked.sort();
        ranked.into_iter().map(|(_, survivor)| survivor).collect()
    }

    /// The `m` best, and `mu` − `m` of the others, drawn uniformly without replacement.
    ///
    /// The anchor, if there is one, always survives; `m < mu` then.
    pub(crate) fn select(self, m: usize, mu: usize, key: Key) -> Selected {
        let mut survivors = self.ranked();
        let mut rng = key.stream();
        for place in m..mu.min(survivors.len()) {
            let drawn = place + rng.below(survivors.len() - place);
            survivors.swap(place, drawn);
        }
        survivors.truncate(mu);
        Selected(self.with_anchor(survivors, None))
    }

    /// Every parent, or the offspring that replaces it because it is not worse. An offspring replaces at most one
    /// parent; nothing replaces the anchor.
    ///
    /// The kth best of what survives is at most the kth best of the parents, for every k, so no J(m') rises.
    pub(crate) fn replace(self, pairs: &[Replacement]) -> Selected {
        let mut survivors: Vec<_> = (0..self.parents.len()).map(Survivor::Parent).collect();
        let mut used = HashSet::new();
        for &Replacement { parent, offspring } in pairs {
            let (Some(before), Some(now)) =
                (self.parents.get(parent), self.offspring.get(offspring))
            else {
                continue;
            };
            let is_free = survivors[parent] == Survivor::Parent(parent);
            if is_free && self.anchor != Some(parent) && now <= before && used.insert(offspring) {
                survivors[parent] = Survivor::Offspring(offspring);
            }
        }
        Selected(survivors)
    }

    /// These, whatever their fitness.
    pub(crate) fn choose(self, heirs: &[Heir], _: MayWorsen) -> Selected {
        Selected(self.chosen(heirs))
    }

    /// Who survives such a choice: the anchor is put back, for the one that would continue it if there is one, and a
    /// parent that continues itself survives as it is, once.
    pub(crate) fn chosen(&self, heirs: &[Heir]) -> Vec<Survivor> {
        let mut used = HashSet::new();
        let survivor = |(place, heir): (usize, &Heir)| match heir.theta {
            Source::Parent(rank) if heir.continues == Some(rank) && used.insert(rank) => {
                Survivor::Parent(rank)
            }
            _ => Survivor::Heir(place),
        };
        let survivors = heirs.iter().enumerate().map(survivor).collect();
        let continued = self
            .anchor
            .and_then(|anchor| heirs.iter().position(|heir| heir.continues == Some(anchor)));
        self.with_anchor(survivors, continued)
    }

    /// The anchor takes this place if it has none, or the last.
    fn with_anchor(&self, mut survivors: Vec<Survivor>, place: Option<usize>) -> Vec<Survivor> {
        let anchor = self.anchor.map(Survivor::Parent);
        if let Some(anchor) = anchor
            && !survivors.contains(&anchor)
            && let Some(last) = survivors.len().checked_sub(1)
        {
            survivors[place.unwrap_or(last)] = anchor;
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
        let (parents, offspring) = fitness.split_at(mu);
        let all = |of: &[f64]| of.iter().map(|&f| Fitness::new(f)).collect();
        Pool::of(all(parents), all(offspring), None)
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
            let best: Vec<_> = whole.ranked().into_iter().take(m).collect();
            let Selected(survivors) = whole.select(m, mu, Key::new(seed, Purpose::Survivors));
            prop_assert_eq!(survivors.len(), mu);
            prop_assert_eq!(&survivors[..m], &best[..]);
            prop_assert_eq!(survivors.iter().collect::<HashSet<_>>().len(), mu);
        }

        /// The kth best is never worse than before, for every k, whatever is paired with what.
        #[test]
        fn replacement_makes_no_rank_worse(
            fitness in prop::collection::vec(prop_oneof![0.0..5.0f64, Just(f64::NAN)], 2..40),
            mu in 1usize..20,
            pairs in prop::collection::vec((0usize..25, 0usize..45), 0..60),
            anchor in prop::option::of(0usize..20),
        ) {
            let mu = mu.min(fitness.len() - 1);
            let mut whole = pool(&fitness, mu);
            whole.anchor = anchor.filter(|rank| *rank < mu);
            let anchored = whole.anchor;
            let (parents, offspring) = (whole.parents.clone(), whole.offspring.clone());
            let pair = |(parent, offspring)| Replacement { parent, offspring };
            let pairs: Vec<_> = pairs.into_iter().map(pair).collect();
            let Selected(survivors) = whole.replace(&pairs);
            prop_assert_eq!(survivors.iter().collect::<HashSet<_>>().len(), mu);
            prop_assert!(anchored.is_none_or(|rank| survivors[rank] == Survivor::Parent(rank)));
            let fitness = |survivor: &Survivor| match *survivor {
                Survivor::Parent(rank) => parents[rank],
                Survivor::Offspring(i) => offspring[i],
                Survivor::Heir(_) => Fitness::WORST,
            };
            let mut now: Vec<_> = survivors.iter().map(fitness).collect();
            let mut before = parents.clone();
            now.sort();
            before.sort();
            prop_assert!(now.iter().zip(&before).all(|(now, before)| now <= before));
        }
    }

    #[test]
    fn the_others_are_equally_likely() {
        let mut seen: HashMap<Survivor, u32> = HashMap::new();
        for seed in 0..6000 {
            let Selected(survivors) = pool(&[1.0, 2.0, 3.0, 4.0, 5.0], 2).select(
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
    fn a_free_choice_keeps_the_anchor_and_copies_no_individual() {
        let heir = |rank, continues| Heir { theta: Source::Parent(rank), continues };
        let heirs = [heir(0, Some(0)), heir(0, Some(0)), heir(0, Some(1))];
        let mut whole = pool(&[1.0, 2.0, 3.0, 9.0], 3);
        whole.anchor = Some(2);
        let Selected(survivors) = whole.choose(&heirs, MayWorsen::given());
        let expected = [Survivor::Parent(0), Survivor::Heir(1), Survivor::Parent(2)];
        assert_eq!(survivors, expected);

        // Nobody but the one that would continue the anchor gives way to it.
        let heirs = [heir(0, Some(0)), heir(0, Some(2)), heir(0, Some(1))];
        let mut whole = pool(&[1.0, 2.0, 3.0, 9.0], 3);
        whole.anchor = Some(2);
        let expected = [Survivor::Parent(0), Survivor::Parent(2), Survivor::Heir(2)];
        assert_eq!(whole.chosen(&heirs), expected);
    }

    #[test]
    fn the_anchor_always_survives() {
        for seed in 0..50 {
            let mut with_anchor = pool(&[1.0, 9.0, 2.0, 3.0, 4.0, 5.0], 2);
            with_anchor.anchor = Some(1);
            let Selected(survivors) = with_anchor.select(1, 2, Key::new(seed, Purpose::Survivors));
            assert_eq!(survivors, [Survivor::Parent(0), Survivor::Parent(1)]);
        }
    }
}
