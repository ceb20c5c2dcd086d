//! Evolution strategies: pure functions of what core shows them. They see identities, fitness and their own
//! memory, never a network, and answer with plans; core builds, scores, keeps and counts. So a step that was
//! cut short is asked again and gives the same, on any number of threads, in any process.
//!
//! A strategy is one file of this folder and one row of [`KINDS`].

mod differential_evolution;
mod memory;
mod nested;
mod next;
mod open_es;
mod recombination;
mod registry;
mod roulette;
mod view;

pub use differential_evolution::DifferentialEvolution;
pub use memory::{Memo, Memory, Numbers};
pub use nested::{Nested, Succession as NestedSuccession};
pub use next::{Heir, Make, Next, Replacement, Survivors};
pub use open_es::OpenEs;
pub use recombination::Recombination;
pub use registry::{Accepts, KINDS, Kind, Parameter, StrategySettings, Value, Values, make};
pub use roulette::Roulette;
pub(crate) use view::Networks;
pub use view::{Parent, View};

use crate::{Fitness, OperationKind, Plan, Settings, settings::SettingsError};

/// How a strategy chooses survivors, which decides the guarantees that it can run under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The m best of parents and offspring: under every guarantee.
    Elitist,
    /// An offspring for a parent that it is not worse than: under every guarantee.
    Replacement,
    /// Anything: where the guarantee rests on an archive or an anchor.
    Free,
}

/// What a strategy takes, for budgets, forecasts and checks before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The most networks that it has scored in a step.
    pub evaluations: usize,
    /// The most networks that it remembers.
    pub networks: usize,
    /// The operations that it uses.
    pub operations: Vec<OperationKind>,
    /// How it chooses survivors.
    pub exit: Exit,
}

/// A way to make a population of another.
///
/// The methods are pure: the same view gives the same answer every time. Random numbers come from
/// [`View::key`]. What is to be known in the next step goes into the memory, which core keeps with the
/// population.
pub trait Strategy: Sync {
    /// What it is called, in settings and messages.
    fn name(&self) -> &str;

    /// What it takes under these settings: λ offspring by recombination and the m best, if it does not say.
    fn needs(&self, settings: &Settings) -> Needs {
        Needs {
            evaluations: settings.lambda,
            networks: 0,
            operations: vec![OperationKind::Combine],
            exit: Exit::Elitist,
        }
    }

    /// How many networks it has scored in the first so many evolution steps of a run: as many as it needs in each,
    /// if it does not say.
    fn evaluations(&self, settings: &Settings, steps: u64) -> u64 {
        steps.saturating_mul(self.needs(settings).evaluations as u64)
    }

    /// Whether it can work with these settings.
    ///
    /// # Errors
    /// One sentence about what it cannot work with.
    fn check(&self, _settings: &Settings) -> Result<(), SettingsError> {
        Ok(())
    }

    /// What it remembers before its first step, and before each as long as it remembers nothing. None of these
    /// networks is scored.
    fn begin(&self, _view: &View<'_>) -> Memo {
        Memo::default()
    }

    /// The offspring to make and score, of parents and of what is remembered.
    fn ask(&self, view: &View<'_>) -> Vec<Plan>;

    /// Who survives and what is remembered, given the fitness of each offspring.
    fn tell(&self, _view: &View<'_>, _offspring: &[Fitness]) -> Next {
        Next::elitist()
    }
}

/// Whether a run under these settings can have this strategy.
pub(crate) fn check(strategy: &dyn Strategy, settings: &Settings) -> Result<(), SettingsError> {
    strategy.check(settings)?;
    let Needs { evaluations, exit, .. } = strategy.needs(settings);
    let guarantee = &settings.guarantee;
    let name = strategy.name();
    if exit == Exit::Free && guarantee.is_strict() {
        // An anchor needs a place beside the elite.
        let or = if settings.mu > 1 { ", or guarantee.anchor = true" } else { "" };
        return Err(SettingsError(format!(
            "strategy {name} chooses survivors freely, which strict back-off does not allow: set guarantee.way = \
             \"archive\"{or}"
        )));
    }
    if settings.epochs == 0 && (evaluations == 0 || settings.evolution_steps == 0) {
        return Err(SettingsError(
            "epochs = 0 and no offspring leave nothing to do: expected epochs of at least 1, or evolution_steps \
             and lambda of at least 1"
                .into(),
        ));
    }
    Ok(())
}
