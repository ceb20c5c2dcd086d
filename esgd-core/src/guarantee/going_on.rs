//! Whether a population can go on under settings without losing what it was founded on.

use super::{Guard, Population, Stage};
use crate::settings::{Settings, SettingsError, Way};

impl<G, S> Population<G, S> {
    /// Whether the settings are those that the guarantee was founded on: μ, m and the way.
    pub(crate) fn founded_on(
        &self,
        settings: &Settings,
        patience: usize,
    ) -> Result<(), SettingsError> {
        let Settings { mu, m, generations, ref guarantee, .. } = *settings;
        let refuse = |what: String| {
            Err(SettingsError(format!(
                "{what}: a run goes on with the mu, m and guarantee that it began with"
            )))
        };
        if generations < self.generation {
            return Err(SettingsError(format!(
                "generations = {generations}, and {} are complete: expected at least as many",
                self.generation
            )));
        }
        let has_begun = self.evolved > 0
            || self.individuals.iter().any(|one| one.progress().is_some_and(|p| p.epochs > 0));
        if generations == self.generation && has_begun && self.stage == Stage::Generations {
            return Err(SettingsError(format!(
                "generations = {generations}, and generation {} has begun: expected at least that",
                self.generation + 1
            )));
        }
        if generations > self.generation
            && self.stage != Stage::Generations
            && !self.has_stagnated(patience)
            && self.ended.is_none()
        {
            return Err(SettingsError(format!(
                "generations = {generations}, and the run has gone over to fine-tuning after {}: fine-tuned networks do not go back to large learning rates, so begin a new run from the best of this one",
                self.generation
            )));
        }
        if mu != self.mu {
            return refuse(format!("mu = {mu} and the population began with {}", self.mu));
        }
        if m != self.m {
            return refuse(format!("m = {m} and the population guards its best {}", self.m));
        }
        match (&self.guard, guarantee.way, guarantee.anchor) {
            (Guard::Archive(_), Way::Archive, _)
            | (Guard::BackOff, Way::BackOff, false)
            | (Guard::Anchor(..), Way::BackOff, true) => Ok(()),
            _ => refuse("the guarantee is another".into()),
        }
    }
}
