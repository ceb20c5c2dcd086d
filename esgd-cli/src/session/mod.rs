//! A run of anybody's problem in a folder: begun, or gone on with where it lies there.

mod result;
mod verify;

use std::{path::PathBuf, sync::atomic::AtomicBool};

use esgd_core::{
    Esgd, Executor, Observer, Outcome, Population, Portable, Serial, Settings, Strategy,
};
use esgd_models::regular_file;

use crate::{
    config::Described,
    error::Error,
    failure::Failure,
    run::{
        checkpoint::{self, Checkpoints, Found, Left, OfRun, Retention},
        folder::{self, RunFolder},
        log::Writer,
        restore,
    },
    text::first_line::first_line,
};

pub use self::verify::{Check, verify};

/// A run of a problem in a folder, with checkpoints, a log and a result.
///
/// Where a run of the same problem and settings lies in the folder, it goes on and ends with the same bits as if it
/// had never stopped, whenever the process died; otherwise it begins. It may go on with more
/// `generations`, if it has not gone over to fine-tuning. Nothing is printed and no signal is listened
/// to: [`stop_when`](Self::stop_when) takes a flag.
///
/// ```
/// use esgd::Session;
/// use esgd_core::{Function, Settings, TestFunction};
///
/// # let dir = tempfile::tempdir()?;
/// # let folder = dir.path().join("mine");
/// let problem = TestFunction::new(Function::Sphere, 5);
/// let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
/// let run = Session::new(&problem, &settings, &folder).run()?;
/// println!("best: {}", run.best.scored.fitness());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session<'a, P: Portable> {
    problem: &'a P,
    settings: &'a Settings,
    folder: PathBuf,
    executor: &'a dyn Executor,
    observer: &'a dyn Observer,
    strategy: Option<&'a dyn Strategy>,
    warm_start: &'a [P::Genome],
    patience: usize,
    retention: Retention,
    stop: Option<&'a AtomicBool>,
    notice: &'a dyn Fn(&str),
}

/// The population of a problem.
type PopulationOf<P> =
    Population<<P as esgd_core::Problem>::Genome, <P as esgd_core::Problem>::State>;

impl<'a, P: Portable> Session<'a, P> {
    /// A run on one thread in this folder, which is made if it is not there. It keeps its last two checkpoints, and
    /// 2 % of the time may go into writing them.
    #[must_use]
    pub fn new(problem: &'a P, settings: &'a Settings, folder: impl Into<PathBuf>) -> Self {
        Self {
            problem,
            settings,
            folder: folder.into(),
            executor: &Serial,
            observer: &(),
            strategy: None,
            warm_start: &[],
            patience: 0,
            retention: Retention { keep: 2, share: 0.02 },
            stop: None,
            notice: &|_| (),
        }
    }

    /// Runs individuals and offspring on `executor`, such as `Workers` of esgd-models. It changes no result.
    #[must_use]
    pub fn executor(self, executor: &'a dyn Executor) -> Self {
        Self { executor, ..self }
    }

    /// Tells `observer` what happens.
    #[must_use]
    pub fn observer(self, observer: &'a dyn Observer) -> Self {
        Self { observer, ..self }
    }

    /// Makes offspring by this strategy, whatever the settings name.
    #[must_use]
    pub fn strategy(self, strategy: &'a dyn Strategy) -> Self {
        Self { strategy: Some(strategy), ..self }
    }

    /// The networks that [`Start::Warm`](esgd_core::settings::Start::Warm) begins from.
    #[must_use]
    pub fn warm_start(self, warm_start: &'a [P::Genome]) -> Self {
        Self { warm_start, ..self }
    }

    /// Ends the generations when so many of them have passed without a better best; 0 never does.
    #[must_use]
    pub fn patience(self, generations: usize) -> Self {
        Self { patience: generations, ..self }
    }

    /// Keeps so many of the last checkpoints; 0 counts as 1.
    #[must_use]
    pub fn keep(self, checkpoints: usize) -> Self {
        Self { retention: Retention { keep: checkpoints, ..self.retention }, ..self }
    }

    /// The share of the time that writing checkpoints may take: from 0, only the first and the last, to 1, every one.
    #[must_use]
    pub fn checkpoint_share(self, share: f64) -> Self {
        Self { retention: Retention { share, ..self.retention }, ..self }
    }

    /// Stops soon after `stop` becomes true, with all that was done kept; the next run goes on.
    #[must_use]
    pub fn stop_when(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Tells `notice`, in a sentence, that it goes back behind a damaged checkpoint, or that this processor rounds
    /// otherwise than the one that it began on.
    #[must_use]
    pub fn notice(self, notice: &'a dyn Fn(&str)) -> Self {
        Self { notice, ..self }
    }

    /// Runs it to its end, or until it is stopped; a run that is complete gives what it came to. One that is stopped
    /// before its initial population is complete keeps nothing, and begins again.
    ///
    /// # Errors
    /// If the folder is in use or has something else in it, such as a run of other settings or of another problem;
    /// if no checkpoint is whole; or whatever stopped the run, which keeps the last complete population.
    pub fn run(&self) -> Result<Outcome<P>, Error> {
        self.settings.check().map_err(|e| Error::Refused(e.to_string()))?;
        self.problem.check(self.settings).map_err(|e| Error::Refused(first_line(&e)))?;
        let folder = self.open()?;
        folder.check()?;
        let found = checkpoint::search(folder.path())?;
        let config = self.config(found.as_ref())?;
        for damaged in found.iter().flat_map(|found| &found.damaged) {
            (self.notice)(&format!(
                "{} goes back to an earlier checkpoint: {damaged}",
                self.folder.display()
            ));
        }
        let esgd = self.esgd();
        let population = found.as_ref().map(|found| self.restored(found)).transpose()?;
        if let Some(population) = &population {
            esgd.fits(population).map_err(|e| Error::Refused(first_line(&e)))?;
        }
        let population = match population {
            Some(population) if self.is_complete(&population) => {
                return Ok(Outcome { best: population.best(), population, stopped: false });
            }
            other => other,
        };
        if found.is_none() {
            folder.write("config.toml", config.as_bytes())?;
        }
        let log = Writer::new(folder.log(found.as_ref())?, found.as_ref(), self.observer);
        let checkpoints = Checkpoints::new(
            folder.path(),
            self.problem,
            OfRun { config: config.clone(), data: None },
            self.retention,
            &log,
            found.as_ref(),
        )?;
        let esgd = esgd.observer(&log).checkpointer(&checkpoints);
        let outcome = match population {
            None => esgd.warm_start(self.warm_start).run(),
            Some(population) => {
                // It would be that of a shorter run.
                folder.remove("run.json")?;
                folder.write("config.toml", config.as_bytes())?;
                esgd.resume(population)
            }
        };
        let outcome = outcome.map_err(|failure| match checkpoints.keep(*failure) {
            Left { why, refused: true, .. } => Error::Refused(why),
            Left { why, .. } => Error::Failed(why),
        })?;
        if outcome.stopped && !checkpoints.any() {
            return Ok(outcome);
        }
        checkpoints.save(&outcome.population).map_err(Error::Failed)?;
        let bytes = result::to_bytes(&outcome, self.settings.seed, log.elapsed())?;
        folder.write("run.json", &bytes)?;
        Ok(outcome)
    }

    fn esgd(&self) -> Esgd<'a, P> {
        let mut esgd =
            Esgd::new(self.problem, self.settings).executor(self.executor).patience(self.patience);
        if let Some(strategy) = self.strategy {
            esgd = esgd.strategy(strategy);
        }
        match self.stop {
            Some(stop) => esgd.stop_when(stop),
            None => esgd,
        }
    }

    /// The folder, locked, with a run of this kind in it or nothing.
    fn open(&self) -> Result<RunFolder, Failure> {
        let path = &self.folder;
        let shown = path.display();
        let check = || {
            if folder::is_run(path) {
                return Err(Failure::Usage(format!(
                    "{shown} has a run of the program esgd in it: go on with that by `esgd resume {shown}`, or name another folder"
                )));
            }
            match folder::is_of_session(path)
                || checkpoint::are_in(path)
                || !folder::is_occupied(path)
            {
                true => Ok(()),
                false => Err(Failure::Usage(format!(
                    "the folder {shown} is not empty and has no run in it: name a new one, so that nothing is overwritten"
                ))),
            }
        };
        // A folder of somebody else's gets no lock either.
        check()?;
        let folder = RunFolder::at(path)?;
        check()?;
        Ok(folder)
    }

    /// What the run is told, as a file, if that is what it was told when it began.
    fn config(&self, found: Option<&Found>) -> Result<String, Failure> {
        let shown = self.folder.display();
        let is = Described {
            objective: self.problem.objective().to_string(),
            patience: self.patience,
            strategy: self.strategy.map(|strategy| strategy.name().to_owned()),
            settings: self.settings.clone(),
        };
        // Before the first checkpoint there is nothing that other settings could spoil.
        let Some(found) = found else { return is.to_toml() };
        let was = &found.manifest.config;
        let source = format!("the config of checkpoint {} in {shown}", found.number);
        if !Described::is_one(was.as_bytes()) {
            return Err(Failure::Usage(format!(
                "{source} is of a run of the program esgd: name another folder"
            )));
        }
        let mut was = Described::of_toml(was, &source)?;
        if was.objective != is.objective {
            return Err(Failure::Usage(format!(
                "{shown} has a run of another problem, measured with \"{}\" and not with \"{}\": name another folder",
                was.objective, is.objective
            )));
        }
        // It may have more of them.
        was.settings.generations = is.settings.generations;
        match was.difference(&is)? {
            Some(what) => Err(Failure::Usage(format!(
                "{shown} has a run of other settings, {what}: name another folder, or give it the settings that it had"
            ))),
            None => is.to_toml(),
        }
    }

    /// The population of a checkpoint, whose best network must score here as it did there.
    fn restored(&self, found: &Found) -> Result<PopulationOf<P>, Error> {
        let population = restore::of_problem(
            &self.folder,
            found,
            self.problem,
            restore::MOST_OF_A_FILE,
            0.0,
            self.notice,
        );
        population.map_err(|why| {
            let (number, shown) = (found.number, self.folder.display());
            Error::Failed(format!("cannot go on from checkpoint {number} in {shown}: {why}"))
        })
    }

    /// Whether no step is left to do, and the result is there.
    fn is_complete(&self, population: &PopulationOf<P>) -> bool {
        restore::is_done(population, self.settings, self.patience)
            && regular_file::is_there(&self.folder.join("run.json"))
    }
}
