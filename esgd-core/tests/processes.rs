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
    CheckpointError, Checkpointer, Entry, EpochReport, Error, Esgd, Exchange, ExchangeError,
    Function, Individual, Observer, Population, Processes, Report, Serial, Settings, TestFunction,
    Threads,
    budget::{Cost, Metered, Spent},
    settings::Start,
};
use proptest::prelude::*;
use support::{
    Log, any_settings, digest, guards,
    saboteur::{Method, Saboteur, Told, Trained},
    small,
};

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

/// A process that is gone when this is dropped.
struct Ends<'a>(&'a Board);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().gone = true;
        self.0.changed.notify_all();
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

/// Counts epochs and evaluations.
fn metered(problem: &TestFunction) -> Metered<'_, TestFunction> {
    Metered::new(problem, Cost { train: 1, fitness: 1 }, Spent::default(), &|_| ())
}

/// A run of one process: what it comes to, what it tells and what it spends.
struct Alone {
    digest: String,
    reports: Vec<Report>,
    spent: Spent,
}

fn alone(settings: &Settings) -> Alone {
    let (problem, log, warm) = (problem(), Log::default(), WARM_START.map(|one| one.to_vec()));
    let problem = metered(&problem);
    let run = Esgd::new(&problem, settings).warm_start(&warm).observer(&log).run();
    let digest = digest(&run.map_err(|failure| failure.error).unwrap().population);
    Alone { digest, reports: log.reports(), spent: problem.spent() }
}

/// Runs `f` as each of so many processes.
fn together<R: Send>(size: usize, f: impl Fn(usize, &Board) -> R + Sync) -> Vec<R> {
    let board = Board::new(size);
    thread::scope(|scope| {
        let (board, f) = (&board, &f);
        let one = move |rank| {
            // Nobody waits for one that has ended.
            let _ends = Ends(board);
            f(rank, board)
        };
        let all: Vec<_> = (0..size).map(|rank| scope.spawn(move || one(rank))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    /// And nothing is done twice.
    #[test]
    fn several_processes_have_the_bits_of_one(settings in any_settings(), size in 2usize..4, threads in 1usize..3) {
        let expected = alone(&settings);
        let runs = together(size, |rank, board| {
            let (problem, log) = (problem(), Log::default());
            let problem = metered(&problem);
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: None };
            let (processes, threads) = (Processes::new(&problem, &exchange), Threads(threads));
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm).observer(&log);
            let run = esgd.executor(&threads).processes(&processes).run();
            let digest = digest(&run.map_err(|failure| failure.error).unwrap().population);
            Alone { digest, reports: log.reports(), spent: problem.spent() }
        });
        let mut spent = Spent::default();
        for run in runs {
            prop_assert_eq!(run.digest, expected.digest.as_str());
            prop_assert_eq!(run.reports, expected.reports.as_slice());
            spent.gradient_samples += run.spent.gradient_samples;
            spent.evaluation_samples += run.spent.evaluation_samples;
        }
        prop_assert_eq!(spent, expected.spent);
    }

    /// Whenever one is gone the others end with a whole population, and all go on together from what one of
    /// them has; or they have none, and all begin anew.
    #[test]
    fn a_process_that_is_gone_costs_nothing(settings in any_settings(), lives in 0usize..8) {
        let expected = alone(&settings).digest;
        let ended = together(2, |rank, board| {
            let problem = problem();
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: (rank == 1).then_some(lives) };
            let processes = Processes::new(&problem, &exchange);
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm);
            match esgd.processes(&processes).run() {
                Ok(run) => Some(run.population),
                Err(failure) => {
                    assert!(matches!(failure.error, Error::Processes(_)), "{}", failure.error);
                    failure.population
                }
            }
        });
        let first = ended.into_iter().next().unwrap();
        let runs = together(2, |rank, board| {
            let problem = problem();
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: None };
            let processes = Processes::new(&problem, &exchange);
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm).processes(&processes);
            let run = match &first {
                Some(population) => esgd.resume(copy(population)),
                None => esgd.run(),
            };
            digest(&run.unwrap().population)
        });
        for run in runs {
            prop_assert_eq!(&run, &expected);
        }
    }
}

/// The same population, as from a file.
fn copy(population: &PopulationOf) -> PopulationOf {
    let record = serde_json::to_string(&population.record()).unwrap();
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
    Population::restore(serde_json::from_str(&record).unwrap(), find, state, memory).unwrap()
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
    let expected = alone(&settings).digest;
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
    for (sigma, dimension) in [(1.0, 0), (0.0, 1)] {
        let messages = together(2, |rank, board| {
            let problem = TestFunction::new(Function::Rosenbrock, 3 + rank * dimension);
            let mut settings = small();
            settings.mutation.sigma += rank as f64 * sigma;
            let exchange = Rank { board, rank, lives: None };
            let processes = Processes::new(&problem, &exchange);
            let failure = Esgd::new(&problem, &settings).processes(&processes).run().unwrap_err();
            assert!(failure.population.is_none());
            failure.error.to_string()
        });
        let says = |message: &String| message.contains("the same problem and settings");
        assert!(messages.iter().all(says), "{messages:?}");
    }
}

/// How a run starts in each way.
fn starts() -> [Start; 3] {
    let shared = Start::Shared { epochs: 2, candidates: 5, halvings: 2 };
    [Start::Independent, shared, Start::Warm { sigma: 0.5 }]
}

/// Is shown nothing.
struct Nothing;

impl Checkpointer<Vec<f32>, Vec<f64>> for Nothing {
    fn population(&self, _: &PopulationOf) -> Result<(), CheckpointError> {
        Err("it was shown a population".into())
    }
    fn individual(
        &self,
        _: &Individual<Vec<f32>, Vec<f64>>,
        _: &dyn Fn() -> Vec<Entry<Vec<f32>>>,
    ) -> Result<(), CheckpointError> {
        Err("it was shown an individual".into())
    }
}

impl Observer for Nothing {
    fn phase(&self, report: &Report) {
        panic!("it was told of {:?}", report.phase);
    }
}

/// Two observers.
struct Both<'a>(StopAt<'a>, Nothing);

impl Observer for Both<'_> {
    fn epoch(&self, report: &EpochReport<'_>) {
        self.0.epoch(report);
    }
    fn phase(&self, report: &Report) {
        self.1.phase(report);
    }
}

#[test]
fn all_stop_in_the_start_where_one_is_asked_to_and_keep_nothing() {
    for start in starts() {
        // A start without training is stopped as it begins.
        let trains = start.epochs() > 0;
        let settings = Settings { start, ..small() };
        let runs = together(3, |rank, board| {
            let problem = problem();
            let warm = WARM_START.map(|one| one.to_vec());
            let exchange = Rank { board, rank, lives: None };
            let processes = Processes::new(&problem, &exchange);
            let stop = AtomicBool::new(rank == 1 && !trains);
            let observer = Both(StopAt(if rank == 1 { 0 } else { usize::MAX }, &stop), Nothing);
            let esgd = Esgd::new(&problem, &settings).warm_start(&warm).processes(&processes);
            let esgd = esgd.observer(&observer).checkpointer(&Nothing).stop_when(&stop);
            let run = esgd.run().map_err(|failure| failure.error).unwrap();
            assert!(run.stopped, "{:?}", settings.start);
            digest(&run.population)
        });
        assert!(runs[1..].iter().all(|run| *run == runs[0]), "{:?}", settings.start);
    }
}

/// Wherever one breaks down the others end as well, and all have a population or none has.
#[test]
fn all_end_where_one_fails_in_the_start_or_after() {
    let mut populations = [0, 0];
    for start in starts() {
        for (method, call) in Method::ALL.into_iter().flat_map(|m| [1, 2, 5, 9].map(|n| (m, n))) {
            let archive = guards().into_iter().last().unwrap();
            let settings = Settings { start: start.clone(), guarantee: archive, ..small() };
            let ends = together(2, |rank, board| {
                let mut problem = Saboteur::new(Told::Honestly, Trained::Well);
                problem.breaks = (rank == 1).then_some((method, call));
                let warm = WARM_START.map(|one| one.to_vec());
                let exchange = Rank { board, rank, lives: None };
                let processes = Processes::new(&problem, &exchange);
                let esgd = Esgd::new(&problem, &settings).warm_start(&warm);
                match esgd.processes(&processes).run() {
                    Ok(_) => None,
                    Err(failure) => Some((failure.error.to_string(), failure.population.is_some())),
                }
            });
            let [there, here] = ends.try_into().unwrap();
            let (Some(there), Some(here)) = (&there, &here) else {
                assert_eq!(there, here, "one has failed and the other has not");
                continue;
            };
            let why = format!("call {call} of {method:?} breaks down");
            assert_eq!(here.0, why);
            assert_eq!(there.1, here.1);
            // Between two exchanges it goes without a word.
            let heard = there.0.starts_with(&format!("process 1 failed: {why}"));
            let gone = there.0.starts_with("another process has gone") && there.1;
            assert!(heard || gone, "{}", there.0);
            populations[usize::from(here.1)] += 1;
        }
    }
    assert!(populations.iter().all(|n| *n > 9), "{populations:?}");
}
