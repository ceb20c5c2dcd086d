//! Which trial trains next: the rungs R, R/η, R/η² … down to r, and the scores that trials reached them with.

use std::{collections::HashSet, ops::RangeInclusive};

use crate::Fitness;

/// The rungs, lowest first.
pub(super) struct Rungs {
    eta: usize,
    /// The epoch that each ends with.
    ends: Vec<usize>,
    /// The trials that have reached each, with their fitness then, best first.
    reached: Vec<Vec<(Fitness, usize)>>,
    /// The trials that have gone on from each.
    promoted: Vec<HashSet<usize>>,
    /// How many trials have begun.
    begun: usize,
}

impl Rungs {
    /// The rungs from `most` epochs down to no less than `first`, each rounded. From below, the last step
    /// would be of any length, and the first rung as much too long.
    pub(super) fn new(eta: usize, first: usize, most: usize) -> Self {
        let below = |&power: &usize| power.checked_mul(eta).filter(|p| *p <= most);
        let powers = std::iter::successors(Some(1), below);
        let rounded = powers.map(|power| most / power + usize::from(most % power * 2 >= power));
        let mut ends: Vec<_> = rounded.take_while(|end| *end >= first).collect();
        ends.reverse();
        ends.dedup();
        let n = ends.len();
        let (reached, promoted) = (vec![vec![]; n], vec![HashSet::new(); n]);
        Self { eta, ends, reached, promoted, begun: 0 }
    }

    /// The epochs of a trial on its way to `rung`.
    pub(super) fn epochs(&self, rung: usize) -> RangeInclusive<usize> {
        let before = if rung == 0 { 0 } else { self.ends[rung - 1] };
        before + 1..=self.ends[rung]
    }

    /// A trial that reached `rung`.
    pub(super) fn report(&mut self, trial: usize, rung: usize, fitness: Fitness) {
        let score = (fitness, trial);
        let place = self.reached[rung].partition_point(|other| *other < score);
        self.reached[rung].insert(place, score);
    }

    /// The trial to train next and the rung it is to reach: one to promote, from as high as possible, or
    /// a new one; nothing that takes more than `left` epochs.
    pub(super) fn next(&mut self, left: usize) -> Option<(usize, usize)> {
        for rung in (1..self.ends.len()).rev() {
            let below = &self.reached[rung - 1];
            let best = below.iter().take(below.len() / self.eta);
            let mut waiting =
                best.filter(|(f, trial)| f.is_finite() && !self.promoted[rung - 1].contains(trial));
            if self.epochs(rung).count() <= left
                && let Some(&(_, trial)) = waiting.next()
            {
                self.promoted[rung - 1].insert(trial);
                return Some((trial, rung));
            }
        }
        (self.ends[0] <= left).then(|| {
            self.begun += 1;
            (self.begun - 1, 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Key, Purpose};

    #[test]
    fn rungs_end_with_the_most_epochs() {
        assert_eq!(Rungs::new(3, 1, 9).ends, [1, 3, 9]);
        assert_eq!(Rungs::new(3, 2, 20).ends, [2, 7, 20]);
        assert_eq!(Rungs::new(3, 1, 31).ends, [1, 3, 10, 31]);
        assert_eq!(Rungs::new(3, 3, 100).ends, [4, 11, 33, 100]);
        assert_eq!(Rungs::new(4, 5, 5).ends, [5]);
        assert_eq!(Rungs::new(2, 3, usize::MAX).ends.last(), Some(&usize::MAX));
        assert_eq!(Rungs::new(3, 1, 9).epochs(2), 4..=9);
    }

    /// Algorithm 2 of the paper, by hand: with η = 2 one of two goes on, the better one.
    #[test]
    fn the_better_half_is_promoted_from_as_high_as_possible() {
        let mut rungs = Rungs::new(2, 1, 4);
        let fitness = Fitness::new;
        assert_eq!((rungs.next(99), rungs.next(99)), (Some((0, 0)), Some((1, 0))));
        rungs.report(0, 0, fitness(2.0));
        assert_eq!(rungs.next(99), Some((2, 0)), "half of one is none");
        rungs.report(1, 0, fitness(1.0));
        assert_eq!(rungs.next(99), Some((1, 1)));
        assert_eq!(rungs.next(99), Some((3, 0)), "nobody is promoted twice");
        rungs.report(2, 0, fitness(3.0));
        rungs.report(3, 0, fitness(0.5));
        rungs.report(1, 1, fitness(0.9));
        assert_eq!(rungs.next(99), Some((3, 1)));
        rungs.report(3, 1, fitness(0.4));
        assert_eq!(rungs.next(1), Some((4, 0)), "two epochs are too many");
        assert_eq!(rungs.next(2), Some((3, 2)));
        assert_eq!(rungs.next(0), None);
    }

    proptest! {
        /// A quarter of the budget is short enough for somebody to reach the highest rung.
        #[test]
        fn somebody_trains_the_most(budget in 12usize..3000, seed: u64) {
            let most = budget / 4;
            let mut rungs = Rungs::new(3, (most / 27).max(1), most);
            let mut rng = Key::new(seed, Purpose::Init).stream();
            let mut left = budget;
            while let Some((trial, rung)) = rungs.next(left) {
                left -= rungs.epochs(rung).count();
                rungs.report(trial, rung, Fitness::new(rng.unit()));
            }
            prop_assert!(rungs.reached.last().is_some_and(|top| !top.is_empty()), "{:?}", rungs.ends);
        }
    }

    #[test]
    fn what_diverged_does_not_go_on() {
        let mut rungs = Rungs::new(2, 1, 4);
        for _ in 0..2 {
            let (trial, rung) = rungs.next(9).unwrap();
            rungs.report(trial, rung, Fitness::WORST);
        }
        assert_eq!(rungs.next(9), Some((2, 0)));
    }
}
