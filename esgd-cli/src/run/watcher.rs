//! Who is told of a run while it goes on. The library itself says nothing.

use esgd_core::{Fitness, Observer, Settings, guarantee::Stage, settings::SettingsError};

use super::interrupt::Interrupt;

/// Training that is watched by itself: that of the run, or of its control.
#[derive(Clone, Debug)]
pub struct Training<'a> {
    /// What it is called, such as "ESGD".
    pub title: &'static str,
    /// What it is told.
    pub settings: &'a Settings,
    /// What it is of a run.
    pub of: Of,
    /// Where it goes on, if it does.
    pub behind: Option<Behind>,
}

/// What is trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The population of the run.
    Run {
        /// What is lowest in the best, such as "validation loss".
        fitness: String,
    },
    /// The same without evolution.
    Control,
}

/// How far a run was that goes on.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// Epochs behind the start.
    pub epochs: usize,
    /// Generations that are complete.
    pub generation: usize,
    /// The best so far.
    pub best: Fitness,
    /// Which part of the run it is in.
    pub stage: Stage,
}

/// Somebody who watches runs.
pub trait Watcher: Sync {
    /// Watches training that begins now and ends when the observer is dropped.
    ///
    /// # Errors
    /// That the settings cannot work.
    fn watch<'a>(&'a self, training: Training<'a>)
    -> Result<Box<dyn Observer + 'a>, SettingsError>;

    /// Is told something in a sentence.
    fn notice(&self, text: &str);
}

/// Nobody.
impl Watcher for () {
    fn watch<'a>(&'a self, _: Training<'a>) -> Result<Box<dyn Observer + 'a>, SettingsError> {
        Ok(Box::new(()))
    }

    fn notice(&self, _: &str) {}
}

/// What goes on around a run.
pub struct Around<'a> {
    /// Who is told of it.
    pub watcher: &'a dyn Watcher,
    /// What stops it.
    pub interrupt: Interrupt,
    /// Whether TensorBoard's event files are written.
    pub tensorboard: bool,
}
