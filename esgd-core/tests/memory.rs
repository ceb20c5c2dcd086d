//! How many networks are alive at a time: never more for a larger λ.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use esgd_core::{
    Esgd, Executor, Hyperparameters, Objective, Operation, Phase, Problem, Report, Serial,
    Settings, TestFunction, Threads,
    rng::Key,
    settings::{Guarantee, Way},
};

/// The living and the most that ever lived.
#[derive(Debug, Default)]
struct Census {
    alive: AtomicUsize,
    peak: AtomicUsize,
}

/// A network that is counted while it lives.
#[derive(Debug)]
struct Counted {
    loss: f64,
    census: Arc<Census>,
}

impl Counted {
    fn new(loss: f64, census: &Arc<Census>) -> Self {
        let alive = census.alive.fetch_add(1, Ordering::SeqCst) + 1;
        census.peak.fetch_max(alive, Ordering::SeqCst);
        Self { loss, census: Arc::clone(census) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts its networks. Offspring have the mean loss of their parents and `harm`.
#[derive(Debug)]
struct Counting {
    census: Arc<Census>,
    harm: f64,
}

impl Problem for Counting {
    type Genome = Counted;
    type State = ();
    type Error = Infallible;

    fn objective(&self) -> Objective {
        Objective::new("loss")
    }
    fn init(&self, key: Key) -> Result<Counted, Infallible> {
        Ok(Counted::new(key.stream().unit(), &self.census))
    }
    fn fork(&self, theta: &Counted) -> Result<Counted, Infallible> {
        Ok(Counted::new(theta.loss, &self.census))
    }
    fn state(&self, _: &Counted, _: &Hyperparameters) -> Result<(), Infallible> {
        Ok(())
    }
    fn epoch(
        &self,
        theta: &mut Counted,
        (): &mut (),
        _: &Hyperparameters,
        k: Key,
    ) -> Result<(), Infallible> {
        theta.loss += k.stream().unit() - 0.5;
        Ok(())
    }
    fn fitness(&self, theta: &Counted) -> Result<f64, Infallible> {
        Ok(theta.loss)
    }
    fn build(&self, _: &Operation, p: &[&Counted], key: Key) -> Result<Counted, Infallible> {
        let mean = p.iter().map(|parent| parent.loss).sum::<f64>() / p.len() as f64;
        Ok(Counted::new(mean + self.harm + key.stream().unit(), &self.census))
    }
}

struct Newcomers(AtomicUsize);

impl esgd_core::Observer for Newcomers {
    fn phase(&self, report: &Report) {
        let newborn =
            report.individuals.iter().filter(|one| one.id.generation == report.generation);
        if report.phase == Phase::Generation {
            self.0.fetch_max(newborn.count(), Ordering::SeqCst);
        }
    }
}

/// The most networks that lived at a time, and the most newcomers of a generation.
fn peak(settings: &Settings, harm: f64, executor: &dyn Executor) -> (usize, usize) {
    let problem = Counting { census: Arc::default(), harm };
    let newcomers = Newcomers(AtomicUsize::new(0));
    let esgd = Esgd::new(&problem, settings).executor(executor).observer(&newcomers);
    drop(esgd.run().unwrap());
    assert_eq!(problem.census.alive.load(Ordering::SeqCst), 0);
    (problem.census.peak.load(Ordering::SeqCst), newcomers.0.into_inner())
}

fn settings() -> Settings {
    Settings { generations: 3, optimizers: TestFunction::optimizers(), ..Settings::paper() }
}

#[test]
fn scoring_takes_one_network_a_worker_whatever_lambda_is() {
    for lambda in [8, 800] {
        let settings = Settings { lambda, m: settings().mu, ..settings() };
        assert_eq!(peak(&settings, 1e9, &Serial), (settings.mu + 1, 0));
        let (peak, newcomers) = peak(&settings, 1e9, &Threads(2));
        assert_eq!(newcomers, 0);
        assert!(peak <= settings.mu + 2, "{peak} networks for lambda = {lambda}");
    }
}

#[test]
fn newcomers_are_all_that_selection_adds() {
    for (lambda, harm) in [(8, -0.1), (800, -0.1), (800, -10.0)] {
        for workers in [1, 2] {
            let settings = Settings { lambda, ..settings() };
            let (peak, newcomers) = peak(&settings, harm, &Threads(workers));
            let bound = settings.mu + newcomers.max(workers);
            assert!(peak <= bound, "{peak} networks, expected at most {bound}");
        }
    }
}

#[test]
fn an_archive_adds_at_most_m() {
    let guarantee = Guarantee { way: Way::Archive, ..settings().guarantee };
    for lambda in [8, 800] {
        let settings = Settings { lambda, epochs: 3, guarantee: guarantee.clone(), ..settings() };
        let (peak, newcomers) = peak(&settings, -0.1, &Serial);
        let bound = settings.mu + settings.m + newcomers.max(1);
        assert!(peak <= bound, "{peak} networks, expected at most {bound}");
    }
}

#[test]
fn freedom_from_back_off_adds_nothing() {
    let guarantee = Guarantee { p_backoff: 0.0, anchor: true, ..settings().guarantee };
    let settings = Settings { lambda: 0, epochs: 3, guarantee, ..settings() };
    let (peak, _) = peak(&settings, 0.0, &Serial);
    assert!(peak <= settings.mu + 1, "{peak} networks");
}
