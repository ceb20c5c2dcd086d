//! A run on several processes has the bits of one, and what one of them does is no surprise to the others.

mod support;

use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use esgd_core::{
    EpochReport, Error, Esgd, Exchange, ExchangeError, Function, Observer, Population, Processes,
    Report, Serial, Settings, TestFunction, Threads,
};
use proptest::prelude::*;
use support::{Log, any_settings, digest, small};

type PopulationOf = Population<Vec<f32>, Vec<f64>>;

/// Processes that are threads, with a board where all put their messages.
struct Board {
    size: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What was given in this round, by rank.
    given: Vec<Option<Vec<u8>>>,
    /// What all have given in the last complete round.
    complete: Vec<Vec<u8>>,
    round: usize,
    gone: bool,
}

impl Board {
    fn new(size: usize) -> Self {
        let state = State { given: vec![None; size], ..State::default() };
        Self { size, state: Mutex::new(state), changed: Condvar::new() }
    }
}

struct Rank<'a> {
    board: &'a Board,
    rank: usize,
    /// After so many exchanges the process is gone.
    lives: Option<usize>,
}

impl Exchange for Rank<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.board.size
    }

    fn all_gather(&self, mine: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let mut state = self.board.state.lock().unwrap();
        state.gone |= self.lives.is_some_and(|lives| state.round >= lives);
        let round = state.round;
        state.given[self.rank] = Some(mine);
        if state.given.iter().all(Option::is_some) {
            state.complete = state.given.iter_mut().filter_map(Option::take).collect();
            state.round += 1;
        }
        self.board.changed.notify_all();
        while state.round == round && !state.gone {
            state = self.board.changed.wait(state).unwrap();
        }
        match state.round > round {
            true => Ok(state.complete.clone()),
            false => Err("another process has gone".into()),
        }
    }
}

fn problem() -> TestFunction {
    TestFunction::new(Function::Rosenbrock, 3)
}

const WARM_START: [[f32; 3]; 1] = [[1.0, -2.0, 0.5]];

fn alone(settings: &Settings) -> (String, Vec<Report>) {
    let (problem, log, warm) = (problem(), Log::default(), WARM_START.map(|one| one.to_vec()));
    let run = Esgd::new(&problem, settings).warm_start(&warm).observer(&log).run().unwrap();
    (digest(&run.population), log.reports())
}

/// Runs `f` as each of so many processes.
fn together<R: Send>(size: usize, f: impl Fn(usize, &Board) -> R + Sync) -> Vec<R> {
    let board = Board::new(size);
    thread::scope(|scope| {
        let (board, f) = (&board, &f);
        let all: Vec<_> = (0..size).map(|rank| scope.spawn(move || f(rank, board))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_processes_have_the_bits_of_one(settings in any_settings(), size in 2usize..4, threads in 1usize..3) {
        let expected = alone(&settings);
        let runs = together(size, |rank, board| {
            let (problem, log) = (problem(), Log::default());
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: None };
            let (processes, threads) = (Processes::new(&problem, &exchange), Threads(threads));
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm).observer(&log);
            let run = esgd.executor(&threads).processes(&processes).run().unwrap();
            (digest(&run.population), log.reports())
        });
        for run in runs {
            prop_assert_eq!(&run, &expected);
        }
    }

    /// Whenever one is gone the others end with a whole population, and all go on together from what one of
    /// them has.
    #[test]
    fn a_process_that_is_gone_costs_nothing(settings in any_settings(), lives in 0usize..8) {
        let (expected, _) = alone(&settings);
        let ended = together(2, |rank, board| {
            let problem = problem();
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: (rank == 1).then_some(lives) };
            let processes = Processes::new(&problem, &exchange);
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm);
            match esgd.processes(&processes).run() {
                Ok(run) => run.population,
                Err(failure) => {
                    assert!(matches!(failure.error, Error::Processes(_)), "{}", failure.error);
                    failure.population.unwrap()
                }
            }
        });
        let first = ended.into_iter().next().unwrap();
        let record = serde_json::to_string(&first.record()).unwrap();
        let runs = together(2, |rank, board| {
            let problem = problem();
            let exchange = Rank { board, rank, lives: None };
            let processes = Processes::new(&problem, &exchange);
            let population = copy(&first, &record);
            let esgd = Esgd::new(&problem, &settings);
            digest(&esgd.processes(&processes).resume(population).unwrap().population)
        });
        for run in runs {
            prop_assert_eq!(&run, &expected);
        }
    }
}

/// The same population, as from a file.
fn copy(population: &PopulationOf, record: &str) -> PopulationOf {
    let find = |origin| {
        let individuals = population.individuals().iter().map(|one| (one.origin(), one.scored()));
        let archived = population.archived();
        let archived = archived.iter().map(|entry| (entry.origin(), &entry.scored));
        let theta = individuals.chain(archived).find(|one| one.0 == origin).unwrap().1.shared();
        Ok::<_, esgd_core::guarantee::RecordError>(theta)
    };
    let state = |id| {
        let one = population.individuals().iter().find(|one| one.id() == id).unwrap();
        Ok(one.state().unwrap().clone())
    };
    let memory = |slot: &String| Ok(population.memory().unwrap().networks[slot].clone());
    Population::restore(serde_json::from_str(record).unwrap(), find, state, memory).unwrap()
}

/// Asks to stop at an epoch.
struct StopAt<'a>(usize, &'a AtomicBool);

impl Observer for StopAt<'_> {
    fn epoch(&self, report: &EpochReport<'_>) {
        if report.k == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn all_stop_where_one_is_asked_to_and_go_on_to_the_same_end() {
    let settings = small();
    let (expected, _) = alone(&settings);
    let runs = together(2, |rank, board| {
        let problem = problem();
        let exchange = Rank { board, rank, lives: None };
        let processes = Processes::new(&problem, &exchange);
        let stop = AtomicBool::new(false);
        let observer = StopAt(if rank == 0 { 2 } else { usize::MAX }, &stop);
        let esgd = Esgd::new(&problem, &settings).executor(&Serial).processes(&processes);
        let stopped = esgd.observer(&observer).stop_when(&stop).run().unwrap();
        assert!(stopped.stopped && stopped.population.generation() < settings.generations);
        let processes = Processes::new(&problem, &exchange);
        let esgd = Esgd::new(&problem, &settings).processes(&processes);
        digest(&esgd.resume(stopped.population).unwrap().population)
    });
    assert_eq!(runs, [expected.clone(), expected]);
}

#[test]
fn processes_that_have_come_apart_notice_it() {
    let settings = small();
    let messages = together(2, |rank, board| {
        let problem = problem();
        let mut settings = settings.clone();
        settings.mutation.sigma += rank as f64;
        let exchange = Rank { board, rank, lives: None };
        let processes = Processes::new(&problem, &exchange);
        let run = Esgd::new(&problem, &settings).processes(&processes).run();
        run.unwrap_err().error.to_string()
    });
    assert!(messages.iter().all(|message| message.contains("the same settings")), "{messages:?}");
}
