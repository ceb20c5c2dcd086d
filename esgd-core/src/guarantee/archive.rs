//! The archive: the m best (θ, fitness) ever scored, kept beside the population.
//!
//! The second way to Theorem 1. Individuals go on from wherever SGD takes them; J(m') over the
//! archive cannot rise, because the only thing that can be done to it is to offer it more.

use super::{At, Id, Scored};
use crate::{Fitness, Hyperparameters};

/// A network in the archive, and where it came from. A clone shares θ, as [`Scored`]'s does.
#[derive(Debug)]
pub struct Entry<G> {
    /// θ and its fitness.
    pub scored: Scored<G>,
    /// The individual it was.
    pub id: Id,
    /// The generation and epoch when it was scored; epoch 0 at birth.
    pub at: At,
    /// The hyper-parameters it had been trained with.
    pub hyper: Option<Hyperparameters>,
}

/// What entries are in order of: a strict total order.
pub(crate) type EntryRank = (Fitness, At, Id);

impl<G> Clone for Entry<G> {
    fn clone(&self) -> Self {
        Self { scored: self.scored.clone(), hyper: self.hyper.clone(), ..*self }
    }
}

impl<G> Entry<G> {
    /// A strict total order, so that the archive does not depend on the order of offers.
    pub(crate) fn rank(&self) -> EntryRank {
        (self.scored.fitness(), self.at, self.id)
    }
}

/// The m best ever scored, best first.
#[derive(Debug)]
pub struct Archive<G> {
    m: usize,
    entries: Vec<Entry<G>>,
}

impl<G> Archive<G> {
    pub(super) fn new(m: usize) -> Self {
        Self { m, entries: Vec::with_capacity(m + 1) }
    }

    /// Whether a network of this fitness might be kept.
    pub(crate) fn wants(&self, fitness: Fitness) -> bool {
        self.entries.len() < self.m
            || self.entries.last().is_some_and(|last| fitness <= last.scored.fitness())
    }

    /// Of offers of these ranks the numbers of those that would be kept.
    pub(crate) fn wanted(&self, offers: impl Iterator<Item = EntryRank>) -> Vec<usize> {
        let known = self.entries.iter().map(|entry| (entry.rank(), None));
        let new = offers.enumerate().map(|(i, rank)| (rank, Some(i)));
        let mut all: Vec<_> = known.chain(new).collect();
        all.sort();
        all.truncate(self.m);
        all.into_iter().filter_map(|(_, offer)| offer).collect()
    }

    /// Keeps `entry` if it is among the m best. One that is there already, because a step is taken again
    /// after a stop, is not kept twice.
    pub(crate) fn offer(&mut self, entry: Entry<G>) {
        let place = self.entries.partition_point(|other| other.rank() < entry.rank());
        let known = self.entries.get(place).is_some_and(|other| other.rank() == entry.rank());
        if place < self.m && !known {
            self.entries.insert(place, entry);
            self.entries.truncate(self.m);
        }
    }

    /// The networks kept, best first.
    #[must_use]
    pub fn entries(&self) -> &[Entry<G>] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Function, TestFunction,
        guarantee::{Evaluator, Unscored},
    };

    fn archive_of(losses: &[(usize, f32)], m: usize) -> Vec<(Fitness, Id)> {
        let problem = TestFunction::new(Function::Sphere, 1);
        let evaluator = Evaluator::new(&problem);
        let mut archive = Archive::new(m);
        for &(index, loss) in losses {
            let scored = evaluator.score(Unscored::new(vec![loss.sqrt()])).unwrap();
            let id = Id { generation: 0, step: 0, index };
            archive.offer(Entry { scored, id, at: At::birth(0), hyper: None });
        }
        archive.entries.iter().map(|e| (e.scored.fitness(), e.id)).collect()
    }

    proptest! {
        #[test]
        fn keeps_the_m_best_in_whatever_order_they_come(
            losses in prop::collection::vec(0u8..10, 1..30), m in 1usize..8, seed: u64,
        ) {
            let mut offers: Vec<_> = losses.iter().map(|&l| f32::from(l)).enumerate().collect();
            let first = archive_of(&offers, m);
            let mut sorted = first.clone();
            sorted.sort();
            prop_assert_eq!(&first, &sorted);
            prop_assert_eq!(first.len(), m.min(losses.len()));
            crate::rng::Key::new(seed, crate::rng::Purpose::Shuffle).stream().shuffle(&mut offers);
            prop_assert_eq!(archive_of(&offers, m), first);
        }
    }
}
