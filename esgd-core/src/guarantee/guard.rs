//! What the guarantee of a population rests on, and what it permits.

use std::sync::{Mutex, PoisonError};

use super::{Archive, At, Entry, Id, MayWorsen, Scored};
use crate::{Fitness, Hyperparameters};

/// What the guarantee rests on.
#[derive(Debug)]
pub(crate) enum Guard<G> {
    /// Every survivor of the SGD step is [`NotWorse`](super::NotWorse).
    BackOff,
    /// An individual that is always in the population and never changed.
    Anchor(Id, Fitness),
    /// The m best ever scored. The lock is for individuals that train at the same time.
    Archive(Mutex<Archive<G>>),
}

impl<G> Guard<G> {
    /// Permission to let individuals get worse, if the guarantee rests on something else.
    pub(crate) fn may_worsen(&self) -> Option<MayWorsen> {
        match self {
            Self::BackOff => None,
            Self::Anchor(..) | Self::Archive(_) => Some(MayWorsen::given()),
        }
    }

    /// Whether this individual may not be touched.
    pub(crate) fn is_anchor(&self, id: Id) -> bool {
        matches!(self, Self::Anchor(anchor, _) if *anchor == id)
    }

    /// The archive's networks, best first, if there is an archive.
    pub(crate) fn archived(&self) -> Vec<Entry<G>> {
        match self {
            Self::Archive(archive) => {
                archive.lock().unwrap_or_else(PoisonError::into_inner).entries().to_vec()
            }
            Self::BackOff | Self::Anchor(..) => vec![],
        }
    }

    /// What the archive keeps of these individuals since an epoch of generation `k`, for other processes.
    pub(crate) fn archived_of(&self, k: usize, is_own: impl Fn(Id) -> bool) -> Vec<Entry<G>> {
        let mut all = self.archived();
        all.retain(|entry| entry.at.generation == k && entry.at.epoch > 0 && is_own(entry.id));
        all
    }

    /// Offers the archive, if there is one, what that of another process keeps.
    pub(crate) fn offer_returned(&self, entry: Entry<G>) {
        if let Self::Archive(archive) = self {
            archive.lock().unwrap_or_else(PoisonError::into_inner).offer(entry);
        }
    }

    /// Shows the archive, if there is one, what was just scored.
    pub(crate) fn offer_to_archive(
        &self,
        scored: &Scored<G>,
        id: Id,
        at: At,
        hyper: &Hyperparameters,
    ) {
        if let Self::Archive(archive) = self {
            let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            if archive.wants(scored.fitness()) {
                let hyper = Some(hyper.clone());
                archive.offer(Entry { scored: scored.clone(), id, at, hyper });
            }
        }
    }
}
