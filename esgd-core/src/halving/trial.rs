//! A trial of successive halving, and what is done to it.

use std::ops::RangeInclusive;

use super::Halving;
use crate::{
    Entry, EpochReport, Error, Id, Problem, Recipe,
    guarantee::At,
    rng::Purpose,
    training::{Begin, train},
};

/// A trial between two jobs.
pub(super) struct Trial<G, S> {
    pub(super) recipe: Recipe,
    pub(super) now: Option<(Entry<G>, S)>,
}

/// A job of one trial: to train it up to some epoch.
pub(super) struct Job<G, S> {
    pub(super) trial: usize,
    pub(super) rung: usize,
    /// When it is done, in epochs since the run began.
    pub(super) end: usize,
    pub(super) epochs: RangeInclusive<usize>,
    /// What it came to, once it has run: the trial, and its best epoch.
    pub(super) done: Option<Trained<G, S>>,
}

/// What a job makes: the trial's network and state after it, and the best network on the way.
pub(super) struct Trained<G, S> {
    pub(super) last: Entry<G>,
    pub(super) state: S,
    pub(super) best: Entry<G>,
}

pub(super) type JobOf<P> = Job<<P as Problem>::Genome, <P as Problem>::State>;
pub(super) type Held<P> = (Entry<<P as Problem>::Genome>, <P as Problem>::State);
pub(super) type TrialOf<P> = Trial<<P as Problem>::Genome, <P as Problem>::State>;
pub(super) type TrainedOf<P> = Trained<<P as Problem>::Genome, <P as Problem>::State>;

impl<P: Problem> Halving<'_, P> {
    /// Trains a trial for some epochs; `None` if the run is stopped before they are done.
    pub(super) fn train(
        &self,
        trial: usize,
        recipe: &Recipe,
        epochs: RangeInclusive<usize>,
        mut now: Option<Held<P>>,
    ) -> Result<Option<TrainedOf<P>>, Error<P::Error>> {
        let id = Id { generation: 0, step: 0, index: trial };
        let mut best: Option<Entry<P::Genome>> = None;
        for k in epochs {
            if self.stopped() {
                return Ok(None);
            }
            let hyper = recipe.at(k, self.settings.most);
            let (last, state) = now.take().unzip();
            let begin = match &last {
                Some(entry) => Begin::From(entry.scored.theta()),
                None => Begin::New(self.key(Purpose::Init, trial)),
            };
            let epoch = [self.key(Purpose::Train, trial).step(k)].into_iter();
            let (scored, state) = train(&self.evaluator, begin, state, &hyper, epoch)?;
            let (fitness, backed_off) = (scored.fitness(), false);
            self.observer.epoch(&EpochReport { k, s: 1, id, hyper: &hyper, fitness, backed_off });
            let entry =
                Entry { scored, id, at: At { generation: 0, epoch: k }, hyper: Some(hyper) };
            if best.as_ref().is_none_or(|old| entry.rank() < old.rank()) {
                best = Some(entry.clone());
            }
            now = Some((entry, state));
        }
        Ok(now.zip(best).map(|((last, state), best)| Trained { last, state, best }))
    }
}
