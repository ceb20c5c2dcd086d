//! Algorithm 1 of Cui, Zhang, Tüske and Picheny, *Evolutionary Stochastic Gradient Descent for
//! Optimization of Deep Neural Networks* (NeurIPS 2018), with section 3.3.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Entry, Error, Executor, Failure, Keeper, Observer, Phase, Population, Problem, Recombination,
    Report, Serial, Settings, Strategy,
    guarantee::{Judge, Stage},
};

/// A run of Evolutionary Stochastic Gradient Descent.
///
/// ```
/// use esgd_core::{Esgd, Function, OptimizerPool, Reference, Settings};
///
/// let problem = Reference::new(Function::Sphere, 5);
/// let settings = Settings { optimizers: Reference::optimizers(), ..Settings::paper() };
/// let outcome = Esgd::new(&problem, &settings).run().map_err(|failure| failure.error)?;
/// assert!(outcome.best.scored.fitness().get() < 1e-3);
/// # Ok::<(), esgd_core::Error<std::convert::Infallible>>(())
/// ```
pub struct Esgd<'a, P: Problem> {
    pub(crate) judge: Judge<'a, P>,
    pub(crate) settings: &'a Settings,
    pub(crate) strategy: &'a dyn Strategy,
    pub(crate) executor: &'a dyn Executor,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) keeper: &'a dyn Keeper<P::Genome, P::State>,
    pub(crate) founders: &'a [P::Genome],
    patience: usize,
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
pub(crate) type Psi<P> = Population<<P as Problem>::Genome, <P as Problem>::State>;

/// A step's result: the next population, or why there is none and the last complete one.
pub(crate) type Step<P> = Result<Psi<P>, Box<Failure<P>>>;

impl<'a, P: Problem> Esgd<'a, P> {
    /// A run on one thread, unobserved.
    #[must_use]
    pub fn new(problem: &'a P, settings: &'a Settings) -> Self {
        Self {
            judge: Judge::new(problem),
            settings,
            strategy: &Recombination,
            executor: &Serial,
            observer: &(),
            keeper: &(),
            founders: &[],
            patience: 0,
            stop: None,
        }
    }

    /// Makes offspring by another strategy.
    #[must_use]
    pub fn strategy(self, strategy: &'a dyn Strategy) -> Self {
        Self { strategy, ..self }
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

    /// Shows `keeper` what must not be lost.
    #[must_use]
    pub fn keeper(self, keeper: &'a dyn Keeper<P::Genome, P::State>) -> Self {
        Self { keeper, ..self }
    }

    /// The networks that [`Start::Founders`](crate::settings::Start::Founders) begins from.
    #[must_use]
    pub fn founders(self, founders: &'a [P::Genome]) -> Self {
        Self { founders, ..self }
    }

    /// Ends the generations when so many of them have passed without a better best, strictly lower than any
    /// before; 0 never does. What follows the last generation follows then.
    #[must_use]
    pub fn patience(self, generations: usize) -> Self {
        Self { patience: generations, ..self }
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
        let mut psi = self.start().map_err(fail)?;
        if self.stopped() {
            // A start that was cut short is not the start of the run that was asked for.
            return Ok(Outcome { best: psi.best(), population: psi, stopped: true });
        }
        self.tell(&mut psi, Phase::Start);
        self.resume(self.keep(psi)?)
    }

    /// Goes on from a population, which ends as if it had not stopped, wherever it did, under the same
    /// settings.
    ///
    /// # Errors
    /// What stopped it, and the last complete population.
    pub fn resume(&self, mut psi: Psi<P>) -> Result<Outcome<P>, Box<Failure<P>>> {
        let Settings { epochs, evolution_steps, .. } = *self.settings;
        if let Err(error) = self.fits(&psi) {
            return Err(Box::new(Failure { error, population: Some(psi) }));
        }
        while !self.is_over(&psi) {
            let k = psi.generation() + 1;
            if psi.evolved() == 0 {
                psi = self.sgd_step(psi, k, epochs)?;
            }
            for v in psi.evolved() + 1..=evolution_steps {
                if self.stopped() {
                    return self.stop(psi);
                }
                psi = self.evolution_step(psi, k, v)?;
                if psi.evolved() == v && v < evolution_steps {
                    psi = self.keep(psi)?;
                }
            }
            if self.stopped() {
                return self.stop(psi);
            }
            psi = self.complete(psi, k)?;
            self.tell(&mut psi, Phase::Generation);
            if self.is_over(&psi) && k < self.settings.generations {
                self.observer.stagnation(k, psi.improved());
            }
            psi = self.keep(psi)?;
        }
        if self.settings.fine_tune.epochs > 0 && psi.stage() != Stage::FineTuned {
            if psi.stage() == Stage::Generations {
                psi.enter(Stage::FineTuning);
                psi = self.keep(psi)?;
            }
            psi = self.fine_tune(psi)?;
            if self.stopped() {
                return self.stop(psi);
            }
            let k = psi.generation();
            psi = self.complete(psi, k)?;
            psi.enter(Stage::FineTuned);
            self.tell(&mut psi, Phase::FineTune);
            psi = self.keep(psi)?;
        }
        Ok(Outcome { best: psi.best(), population: psi, stopped: false })
    }

    /// Ends the run where it was asked to stop.
    fn stop(&self, psi: Psi<P>) -> Result<Outcome<P>, Box<Failure<P>>> {
        let psi = self.keep(psi)?;
        Ok(Outcome { best: psi.best(), population: psi, stopped: true })
    }

    /// Tells the observer that a phase is complete.
    fn tell(&self, psi: &mut Psi<P>, phase: Phase) {
        let report = Report::of(psi, phase, self.settings.m, self.judge.problem());
        self.observer.phase(&report);
        psi.forget();
    }

    /// Shows the keeper a population.
    fn keep(&self, psi: Psi<P>) -> Step<P> {
        match self.keeper.population(&psi) {
            Ok(()) => Ok(psi),
            Err(error) => {
                Err(Box::new(Failure { error: Error::NotKept(error), population: Some(psi) }))
            }
        }
    }

    /// Whether a population can go on under these settings without losing its guarantee.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn fits(&self, psi: &Psi<P>) -> Result<(), Error<P::Error>> {
        self.check()?;
        if psi.yardstick() != self.judge.yardstick() {
            let (was, is) = (psi.yardstick().clone(), self.judge.yardstick().clone());
            return Err(Error::YardstickMoved { was, is });
        }
        Ok(psi.founded_on(self.settings, self.patience)?)
    }

    /// Whether the generations are over: all that were asked for, or as many as patience lasts.
    fn is_over(&self, psi: &Psi<P>) -> bool {
        psi.generation() >= self.settings.generations || psi.has_stagnated(self.patience)
    }

    /// Whether a run can be made with these settings at all.
    fn check(&self) -> Result<(), Error<P::Error>> {
        self.settings.check()?;
        self.judge.problem().check(self.settings).map_err(Error::Problem)
    }

    /// Theorem 1, checked.
    fn complete(&self, mut psi: Psi<P>, k: usize) -> Step<P> {
        match psi.complete(k) {
            Ok(()) => Ok(psi),
            Err(m) => {
                let error = Error::GuaranteeBroken { k, m };
                Err(Box::new(Failure { error, population: Some(psi) }))
            }
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}
