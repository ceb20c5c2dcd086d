//! What comes back from another process: θ, its fitness and what it was trained with. It goes through the same
//! back-off as what was trained here; nothing that is read makes a witness.

use super::{AfterTraining, Individual, IndividualRecord, MayWorsen, Scored};
use crate::{Entry, Objective, guarantee::EntryRecord};

impl<G, S> Individual<G, S> {
    /// The individual as another process trained it; or as it is, and that what came contradicts what is known of it
    /// here: it is another, or has got worse without permission.
    pub(crate) fn returned(
        self,
        record: IndividualRecord,
        theta: Option<G>,
        state: Option<S>,
        may_worsen: Option<MayWorsen>,
    ) -> (Self, bool) {
        if record.id != self.id() || theta.is_none() && record.origin() != self.origin() {
            return (self, false);
        }
        let objective = self.scored().objective().clone();
        let (mut meta, held) = self.into_parts();
        let mut trained = AfterTraining::NotWorse(held);
        if let Some(theta) = theta {
            let candidate = Scored::restored(theta.into(), record.fitness, objective);
            let backed_off;
            (trained, backed_off) = trained.advance(candidate, may_worsen);
            if backed_off {
                return (meta.into_individual(trained), false);
            }
        }
        meta.recipe = record.recipe;
        meta.hyper = record.hyper;
        meta.state = state;
        meta.at = record.at;
        meta.progress = record.progress;
        meta.epochs = record.epochs;
        (meta.into_individual(trained), true)
    }
}

impl<G> Entry<G> {
    /// What the archive of another process keeps.
    pub(crate) fn returned(record: EntryRecord, theta: G, objective: &Objective) -> Self {
        let EntryRecord { id, at, fitness, hyper } = record;
        let scored = Scored::restored(theta.into(), fitness, objective.clone());
        Self { scored, id, at, hyper }
    }
}
