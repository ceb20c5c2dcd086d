//! The digits on two processes of the operating system: the bits of one, also after one of them was killed.

use std::{
    env,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use esgd_core::{
    CheckpointError, Checkpointer, Domain, Entry, EpochReport, Error, Esgd, Individual, Observer,
    OptimizerPool, OptimizerSpec, Outcome, Population, Portable, Processes, Settings,
    guarantee::{Origin, PopulationRecord},
    settings::{Guarantee, RecipePolicy, Recipes, Way},
};
use esgd_models::{
    Activation, Genome, Network, OptimizerState, Sockets, Supervised, Workers, data, networks,
};

type PopulationOf = Population<Genome, OptimizerState>;

/// Says to the copy of this test in another process what it is: where its leader is, the guarantee, and after
/// how many epochs it dies.
const PATIENCE: Duration = Duration::from_secs(60);
const JOIN: &str = "ESGD_TEST_JOINS";

fn problem() -> Supervised<Network> {
    let sizes = data::Sizes { train: Some(100), validation: Some(60), ..Default::default() };
    let splits = data::digits(sizes).unwrap();
    let mlp = networks::mlp(64, &[8], 10, Activation::Relu).unwrap();
    Supervised::new(mlp, splits.train, splits.validation).unwrap()
}

fn settings(way: Way) -> Settings {
    let domains = [("lr", Domain::log_uniform(0.05, 0.5)), ("momentum", Domain::fixed(0.9))];
    let sgd = OptimizerSpec {
        kind: "sgd".into(),
        weight: 1.0,
        domains: domains.map(|(name, domain)| (name.to_owned(), domain)).into(),
    };
    Settings {
        generations: 4,
        epochs: 2,
        mu: 5,
        lambda: 7,
        m: 3,
        guarantee: Guarantee { way, ..Settings::paper().guarantee },
        recipes: Recipes { policy: RecipePolicy::Keep, ..Settings::paper().recipes },
        optimizers: OptimizerPool(vec![sgd]),
        ..Settings::paper()
    }
}

/// What a run determines: θ, states, the archive and all that is said of them.
fn digest(problem: &Supervised<Network>, population: &PopulationOf) -> String {
    let write = |theta: &Genome| problem.write_genome(theta).unwrap();
    let state = |one: &Individual<Genome, OptimizerState>| {
        one.state().map(|state| problem.write_state(one.scored().theta(), state).unwrap())
    };
    let individuals = population.individuals().iter();
    let individuals: Vec<_> =
        individuals.map(|one| (write(one.scored().theta()), state(one))).collect();
    let archived: Vec<_> =
        population.archived().iter().map(|one| write(one.scored.theta())).collect();
    let record = serde_json::to_string(&population.record()).unwrap();
    let bytes = format!("{individuals:?} {archived:?}");
    let key = esgd_core::rng::Key::new(1, esgd_core::rng::Purpose::Derived);
    let sum = bytes.bytes().fold(key, |key, byte| key.derive(byte.into()));
    format!("{:?} {record}", sum.block(0))
}

/// A population as files would hold it.
struct Kept {
    record: PopulationRecord,
    networks: Vec<(Origin, Vec<u8>)>,
    states: Vec<(esgd_core::Id, Vec<u8>)>,
}

/// Keeps the last population.
struct Keeper<'a>(&'a Supervised<Network>, Mutex<Option<Kept>>);

impl Checkpointer<Genome, OptimizerState> for Keeper<'_> {
    fn population(&self, population: &PopulationOf) -> Result<(), CheckpointError> {
        let write = |theta: &Genome| self.0.write_genome(theta).unwrap();
        let individuals = population.individuals().iter();
        let mut networks: Vec<_> =
            individuals.map(|one| (one.origin(), write(one.scored().theta()))).collect();
        let archived = population.archived();
        networks.extend(archived.iter().map(|one| (one.origin(), write(one.scored.theta()))));
        let states = population.individuals().iter().filter_map(|one| {
            let state = self.0.write_state(one.scored().theta(), one.state()?).unwrap();
            Some((one.id(), state))
        });
        let kept = Kept { record: population.record(), networks, states: states.collect() };
        *self.1.lock().unwrap() = Some(kept);
        Ok(())
    }

    fn individual(
        &self,
        _: &Individual<Genome, OptimizerState>,
        _: &dyn Fn() -> Vec<Entry<Genome>>,
    ) -> Result<(), CheckpointError> {
        Ok(())
    }
}

fn restored(problem: &Supervised<Network>, kept: &Kept) -> PopulationOf {
    let read = |origin| {
        let bytes = &kept.networks.iter().find(|one| one.0 == origin).unwrap().1;
        Ok::<_, esgd_core::guarantee::RecordError>(problem.read_genome(bytes).unwrap().into())
    };
    let state = |id| {
        let bytes = &kept.states.iter().find(|one| one.0 == id).unwrap().1;
        Ok(problem.read_state(problem.shape().unwrap(), bytes).unwrap())
    };
    Population::restore(kept.record.clone(), read, state, |_| unreachable!()).unwrap()
}

/// Kills this process after so many epochs.
struct Killer(AtomicUsize);

impl Observer for Killer {
    fn epoch(&self, _: &EpochReport<'_>) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}

/// The second process. It has no checkpoint of its own: what it goes on from comes over a pipe.
fn join(told: &str) {
    let [address, way, dies] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let way = if way == "archive" { Way::Archive } else { Way::BackOff };
    let (problem, settings) = (problem(), settings(way));
    let sockets = Sockets::join(address, 1, 2, PATIENCE).unwrap();
    let processes = Processes::new(&problem, &sockets);
    let killer = Killer(AtomicUsize::new(dies.parse().unwrap()));
    let workers = Workers::new(2).unwrap();
    let esgd = Esgd::new(&problem, &settings).executor(&workers).observer(&killer);
    // Both begin from the start, whose end is what the other has kept if it goes on.
    let ended = esgd.processes(&processes).run();
    let ended = ended.map_err(|failure| failure.error.to_string()).unwrap();
    println!("\ndigest: {}", digest(&problem, &ended.population));
}

fn second(address: &str, way: &str, dies: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "two_processes_have_the_bits_of_one", "--nocapture"])
        .env(JOIN, format!("{address} {way} {dies}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn alone(problem: &Supervised<Network>, settings: &Settings) -> Outcome<Supervised<Network>> {
    Esgd::new(problem, settings).run().map_err(|failure| failure.error).unwrap()
}

#[test]
fn two_processes_have_the_bits_of_one() {
    if let Ok(told) = env::var(JOIN) {
        return join(&told);
    }
    let problem = problem();
    for (name, way) in [("archive", Way::Archive), ("back-off", Way::BackOff)] {
        let settings = settings(way);
        let expected = digest(&problem, &alone(&problem, &settings).population);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = second(&listener.local_addr().unwrap().to_string(), name, 0);
        let sockets = Sockets::lead(&listener, 2, PATIENCE).unwrap();
        let processes = Processes::new(&problem, &sockets);
        let run = Esgd::new(&problem, &settings).processes(&processes).run();
        let here = run.map_err(|failure| failure.error.to_string()).unwrap().population;
        assert_eq!(digest(&problem, &here), expected, "{name}");
        let output = String::from_utf8(other.wait_with_output().unwrap().stdout).unwrap();
        let there = output.lines().find_map(|line| line.strip_prefix("digest: "));
        assert_eq!(there, Some(expected.as_str()), "{name}");
    }
}

#[test]
fn a_run_whose_second_process_was_killed_goes_on_to_the_same_bits() {
    let problem = problem();
    for (name, way) in [("archive", Way::Archive), ("back-off", Way::BackOff)] {
        let settings = settings(way);
        let expected = digest(&problem, &alone(&problem, &settings).population);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // In its second generation.
        let mut other = second(&listener.local_addr().unwrap().to_string(), name, 7);
        let sockets = Sockets::lead(&listener, 2, PATIENCE).unwrap();
        let processes = Processes::new(&problem, &sockets);
        let keeper = Keeper(&problem, Mutex::new(None));
        let run = Esgd::new(&problem, &settings).processes(&processes).checkpointer(&keeper).run();
        let error = run.map(|_| ()).unwrap_err().error;
        assert!(matches!(&error, Error::Processes(what) if what.contains("has gone")), "{error}");
        assert!(!other.wait().unwrap().success());

        // Both go on from what the first has kept, here two threads with a socket between them.
        let kept = keeper.1.into_inner().unwrap().unwrap();
        assert!(kept.record.generation > 0, "it was killed too early to show anything");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let go_on = |sockets: Sockets| {
            let processes = Processes::new(&problem, &sockets);
            let esgd = Esgd::new(&problem, &settings).processes(&processes);
            let run = esgd.resume(restored(&problem, &kept));
            digest(&problem, &run.map_err(|failure| failure.error).unwrap().population)
        };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| go_on(Sockets::join(address, 1, 2, PATIENCE).unwrap()));
            assert_eq!(go_on(Sockets::lead(&listener, 2, PATIENCE).unwrap()), expected, "{name}");
            assert_eq!(second.join().unwrap(), expected, "{name}");
        });
    }
}
