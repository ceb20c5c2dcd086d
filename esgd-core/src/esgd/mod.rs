//! Algorithm 1 of Cui, Zhang, Tüske and Picheny, *Evolutionary Stochastic Gradient Descent for
//! Optimization of Deep Neural Networks* (NeurIPS 2018), with section 3.3.

mod building;
mod evolution_step;
mod sgd_step;
mod sharing;
mod start;
mod succession;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Checkpointer, Entry, Error, Executor, Failure, Observer, Phase, Population, Portable, Problem,
    Report, Serial, Settings, Strategy,
    guarantee::{Evaluator, Stage},
    strategy,
    work::{Carrier, Processes},
};

/// A run of Evolutionary Stochastic Gradient Descent.
///
/// ```
/// use esgd_core::{Esgd, Function, OptimizerPool, TestFunction, Settings};
///
/// let problem = TestFunction::new(Function::Sphere, 5);
/// let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
/// let outcome = Esgd::new(&problem, &settings).run().map_err(|failure| failure.error)?;
/// assert!(outcome.best.scored.fitness().get() < 1e-3);
/// # Ok::<(), esgd_core::Error<esgd_core::BuildError>>(())
/// ```
pub struct Esgd<'a, P: Problem> {
    pub(crate) evaluator: Evaluator<'a, P>,
    pub(crate) settings: &'a Settings,
    /// Another one than the settings name.
    strategy: Option<&'a dyn Strategy>,
    pub(crate) executor: &'a dyn Executor,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) checkpointer: &'a dyn Checkpointer<P::Genome, P::State>,
    pub(crate) warm_start: &'a [P::Genome],
    patience: usize,
    processes: Option<&'a dyn Carrier<P>>,
    stop: Option<&'a AtomicBool>,
}

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome<P: Problem> {
    /// The final model, θ_{1:μ}.
    pub best: Entry<P::Genome>,
    /// The final population.
    pub population: Population<P::Genome, P::State>,
    /// Whether it was asked to stop before it was done.
    pub stopped: bool,
}

/// The population of a problem, Ψ.
pub(crate) type PopulationOf<P> = Population<<P as Problem>::Genome, <P as Problem>::State>;

/// A step's result: the next population, or why there is none and the last complete one.
pub(crate) type Step<P> = Result<PopulationOf<P>, Box<Failure<P>>>;

impl<'a, P: Problem> Esgd<'a, P> {
    /// A run on one thread, unobserved.
    #[must_use]
    pub fn new(problem: &'a P, settings: &'a Settings) -> Self {
        Self {
            evaluator: Evaluator::new(problem),
            settings,
            strategy: None,
            executor: &Serial,
            observer: &(),
            checkpointer: &(),
            warm_start: &[],
            patience: 0,
            processes: None,
            stop: None,
        }
    }

    /// Makes offspring by this strategy, whatever the settings name.
    #[must_use]
    pub fn strategy(self, strategy: &'a dyn Strategy) -> Self {
        Self { strategy: Some(strategy), ..self }
    }

    /// Runs individuals and offspring on `executor`. It changes no result.
    #[must_use]
    pub fn executor(self, executor: &'a dyn Executor) -> Self {
        Self { executor, ..self }
    }

    /// Tells `observer` what happens.
    #[must_use]
    pub fn observer(self, observer: &'a dyn Observer) -> Self {
        Self { observer, ..self }
    }

    /// Shows `checkpointer` what must not be lost.
    #[must_use]
    pub fn checkpointer(self, checkpointer: &'a dyn Checkpointer<P::Genome, P::State>) -> Self {
        Self { checkpointer, ..self }
    }

    /// The networks that [`Start::Warm`](crate::settings::Start::Warm) begins from.
    #[must_use]
    pub fn warm_start(self, warm_start: &'a [P::Genome]) -> Self {
        Self { warm_start, ..self }
    }

    /// Ends the generations when so many of them have passed without a better best, strictly lower than any
    /// before; 0 never does. What follows the last generation follows then.
    #[must_use]
    pub fn patience(self, generations: usize) -> Self {
        Self { patience: generations, ..self }
    }

    /// Makes, trains and scores only this process's share of each step, the start included, and exchanges results
    /// with the others; all are to stop soon after one is. Every process has the same settings, and the observer of
    /// each is told of its own epochs and offspring, and of all phases.
    #[must_use]
    pub fn processes(self, processes: &'a Processes<'_, P>) -> Self
    where
        P: Portable,
    {
        Self { processes: Some(processes), ..self }
    }

    /// Stops soon after `stop` becomes true, with a complete population.
    #[must_use]
    pub fn stop_when(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Runs the algorithm from its start.
    ///
    /// # Errors
    /// What stopped it, and the last complete population.
    pub fn run(&self) -> Result<Outcome<P>, Box<Failure<P>>> {
        let fail = |error| Box::new(Failure { error, population: None });
        self.check().map_err(fail)?;
        let mut population = self.start().map_err(fail)?;
        if self.stopped() {
            // A start that was cut short is not the start of the run that was asked for.
            return Ok(Outcome { best: population.best(), population, stopped: true });
        }
        self.report(&mut population, Phase::Start);
        self.resume(self.checkpoint(population)?)
    }

    /// Goes on from a population, which ends as if it had not stopped, wherever it did, under the same
    /// settings.
    ///
    /// # Errors
    /// What stopped it, and the last complete population.
    pub fn resume(&self, mut population: PopulationOf<P>) -> Result<Outcome<P>, Box<Failure<P>>> {
        let Settings { epochs, evolution_steps, .. } = *self.settings;
        let fits = self.fits(&population).and_then(|()| self.named());
        let named = match fits {
            Ok(named) => named,
            Err(error) => return Err(Box::new(Failure { error, population: Some(population) })),
        };
        let strategy = self.strategy.unwrap_or(&*named);
        while !self.is_over(&population) {
            let k = population.generation() + 1;
            if population.evolved() == 0 {
                population = self.sgd_step(population, k, epochs)?;
            }
            for v in population.evolved() + 1..=evolution_steps {
                if self.stopped() {
                    return self.stop(population);
                }
                population = self.evolution_step(strategy, population, k, v)?;
                if population.evolved() == v && v < evolution_steps {
                    population = self.checkpoint(population)?;
                }
            }
            if self.stopped() {
                return self.stop(population);
            }
            population = self.complete(population, k)?;
            self.report(&mut population, Phase::Generation);
            if let Some(why) = population.ended() {
                self.observer.strategy_ended(k, why);
            } else if self.is_over(&population) && k < self.settings.generations {
                self.observer.stagnation(k, population.improved());
            }
            population = self.checkpoint(population)?;
        }
        if self.settings.fine_tune.epochs > 0 && population.stage() != Stage::FineTuned {
            if population.stage() == Stage::Generations {
                population.set_stage(Stage::FineTuning);
                population = self.checkpoint(population)?;
            }
            population = self.fine_tune(population)?;
            if self.stopped() {
                return self.stop(population);
            }
            let k = population.generation();
            population = self.complete(population, k)?;
            population.set_stage(Stage::FineTuned);
            self.report(&mut population, Phase::FineTune);
            population = self.checkpoint(population)?;
        }
        Ok(Outcome { best: population.best(), population, stopped: false })
    }

    /// Ends the run where it was asked to stop.
    fn stop(&self, population: PopulationOf<P>) -> Result<Outcome<P>, Box<Failure<P>>> {
        let population = self.checkpoint(population)?;
        Ok(Outcome { best: population.best(), population, stopped: true })
    }

    /// Tells the observer that a phase is complete.
    fn report(&self, population: &mut PopulationOf<P>, phase: Phase) {
        let report = Report::of(population, phase, self.settings.m, self.evaluator.problem());
        self.observer.phase(&report);
        population.clear_trace();
    }

    /// Shows the checkpointer a population.
    fn checkpoint(&self, population: PopulationOf<P>) -> Step<P> {
        match self.checkpointer.population(&population) {
            Ok(()) => Ok(population),
            Err(error) => Err(Box::new(Failure {
                error: Error::CheckpointFailed(error),
                population: Some(population),
            })),
        }
    }

    /// Whether a population can go on under these settings without losing its guarantee.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn fits(&self, population: &PopulationOf<P>) -> Result<(), Error<P::Error>> {
        self.check()?;
        if population.objective() != self.evaluator.objective() {
            let (was, is) = (population.objective().clone(), self.evaluator.objective().clone());
            return Err(Error::ObjectiveChanged { was, is });
        }
        Ok(population.founded_on(self.settings, self.patience)?)
    }

    /// Whether the generations are over: all that were asked for, as many as patience lasts, or as many as the
    /// strategy goes on.
    fn is_over(&self, population: &PopulationOf<P>) -> bool {
        population.generation() >= self.settings.generations
            || population.has_stagnated(self.patience)
            // The generation in which the strategy said so comes to its end.
            || population.ended().is_some() && population.evolved() == 0
    }

    /// Whether a run can be made with these settings at all.
    fn check(&self) -> Result<(), Error<P::Error>> {
        let named;
        let strategy = match self.strategy {
            Some(strategy) => strategy,
            None => {
                named = self.named()?;
                &*named
            }
        };
        self.settings.check_with(strategy)?;
        self.can_build(strategy)?;
        self.evaluator.problem().check(self.settings).map_err(Error::Problem)
    }

    /// The strategy that the settings name.
    fn named(&self) -> Result<Box<dyn Strategy>, Error<P::Error>> {
        Ok(strategy::make(&self.settings.strategy)?)
    }

    /// Theorem 1, checked.
    fn complete(&self, mut population: PopulationOf<P>, k: usize) -> Step<P> {
        match population.complete(k) {
            Ok(()) => Ok(population),
            Err(m) => {
                let error = Error::GuaranteeBroken { k, m };
                Err(Box::new(Failure { error, population: Some(population) }))
            }
        }
    }

    /// Whether the run is to stop, as all processes know.
    pub(crate) fn stopped(&self) -> bool {
        match self.processes {
            Some(processes) => processes.stopped(),
            None => self.interrupted(),
        }
    }

    /// Whether this process was asked to stop.
    pub(crate) fn interrupted(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Whether the `i`-th job of a step is this process's.
    pub(crate) fn is_own(&self, i: usize) -> bool {
        self.processes.is_none_or(|processes| processes.is_own(i))
    }
}
