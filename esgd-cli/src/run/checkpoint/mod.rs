//! Checkpoints: what a run needs to go on to the bit after the program has died.
//!
//! A folder `checkpoints` has manifests, numbered, and the files that they name. Every file is written
//! beside its place, synced and renamed, and none is changed after that; so whenever the program dies, the
//! last manifest and all it names are whole. Files that no manifest names any more are removed. What is in the
//! files of networks and states is the problem's to say.

mod left;
mod manifest;
mod numbers;
mod restore;
mod search;
mod store;
mod time_share;
mod written;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use esgd_core::{
    CheckpointError, Checkpointer, Entry, Individual, Memory, Population, Portable,
    guarantee::{GuardRecord, Origin, PopulationRecord},
};
use esgd_models::regular_file;

use self::{
    manifest::{Files, Remembered},
    store::{PutError, Store},
    time_share::TimeShare,
};
use crate::{
    failure::Failure,
    files::{atomic_file, held_folder::HeldFolder},
    run::log::{Metrics, Writer},
};

pub use self::search::{Found, search};
pub(crate) use self::{
    left::Left,
    manifest::{Manifest, OfRun},
    restore::restore,
    search::{DIR, Whole, are_in, is_ours},
    store::is_name as is_network,
};

/// What the checkpointer says when it cannot write.
type Keeping<T> = Result<T, String>;

/// Which checkpoints are kept, and how often there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// How many of the last, at least 1.
    pub keep: usize,
    /// The share of the time that writing them may take, from 0 to 1.
    pub share: f64,
}

/// Writes the checkpoints of a run of a problem.
pub(crate) struct Checkpoints<'a, P: Portable> {
    problem: &'a P,
    dir: HeldFolder,
    of: OfRun,
    /// How many are kept.
    keep: usize,
    /// Seconds of the run before this program began.
    before: f64,
    began: Instant,
    metrics: Arc<Mutex<Metrics>>,
    books: Mutex<Books<P::Genome>>,
}

/// What the last manifest says, but for the files of networks.
struct Last {
    population: PopulationRecord,
    of: OfRun,
}

/// What is on the disk.
struct Books<G> {
    store: Store<G>,
    /// The manifests, oldest first.
    manifests: Vec<Whole>,
    next: u64,
    /// The files of each network that may be written again, and of its optimizer's state.
    files: HashMap<Origin, (String, Option<String>)>,
    /// The files of what the strategy remembers.
    remembered: Remembered,
    /// The last manifest; `None` if the population has gone on without one.
    last: Option<Last>,
    time_share: TimeShare,
}

impl<'a, P: Portable> Checkpoints<'a, P> {
    /// Checkpoints of a run whose log is `log`, in a folder that has none, or behind those that were `found`.
    pub(crate) fn new(
        run: &Path,
        problem: &'a P,
        of: OfRun,
        retention: Retention,
        log: &Writer<'_>,
        found: Option<&Found>,
    ) -> Result<Self, Failure> {
        let made = Self::in_folder(run, problem, of, retention, log.metrics(), found);
        made.map_err(|e| {
            Failure::Failed(format!("cannot keep checkpoints in {}: {e}", run.display()))
        })
    }

    fn in_folder(
        run: &Path,
        problem: &'a P,
        of: OfRun,
        retention: Retention,
        metrics: Arc<Mutex<Metrics>>,
        found: Option<&Found>,
    ) -> io::Result<Self> {
        let dir = folder(run)?;
        search::tidy(&dir, found.map_or(&[], |found| &found.manifests))?;
        let mut books = Books {
            store: Store::new(&dir, HashSet::new()),
            manifests: vec![],
            next: 1,
            files: HashMap::new(),
            remembered: Remembered::default(),
            last: None,
            time_share: TimeShare::new(retention.share),
        };
        if let Some(found) = found {
            books.manifests.clone_from(&found.manifests);
            books.next = found.next;
            let known = found.manifests.iter().flat_map(|one| one.files.iter().cloned());
            books.store = Store::new(&dir, known.collect());
            let manifest = &found.manifest;
            books.remembered =
                Remembered { networks: manifest.memory.clone(), numbers: manifest.numbers.clone() };
            books.last = Some(Last {
                population: manifest.population.clone(),
                of: OfRun { config: manifest.config.clone(), data: manifest.data.clone() },
            });
            let state = |origin: Origin| {
                let one =
                    manifest.population.individuals.iter().find(|one| one.origin() == origin)?;
                manifest.states.get(&one.id.to_string()).cloned()
            };
            books.files = manifest
                .origins()
                .filter_map(|o| {
                    Some((o, (manifest.networks.get(&o.to_string())?.clone(), state(o))))
                })
                .collect();
        }
        let before = found.map_or(0.0, |found| found.manifest.seconds);
        let (began, books) = (Instant::now(), Mutex::new(books));
        let dir = HeldFolder::of(&dir)?;
        Ok(Self { problem, dir, of, keep: retention.keep, before, began, metrics, books })
    }

    /// How many were written since the program began, and what they took.
    pub(crate) fn spent(&self) -> (usize, Duration) {
        self.books().time_share.spent()
    }

    /// Whether there is one.
    pub(crate) fn any(&self) -> bool {
        !self.books().manifests.is_empty()
    }

    /// Writes a checkpoint, unless the last one is of the same.
    pub(crate) fn save(&self, population: &Population<P::Genome, P::State>) -> Keeping<()> {
        let record = population.record();
        let mut books = self.books();
        let books = &mut *books;
        let is_last = |last: &Last| last.population == record && last.of == self.of;
        if books.last.as_ref().is_some_and(is_last) {
            return Ok(());
        }
        let begin = Instant::now();
        self.dir.check().map_err(|e| self.cannot(&e))?;
        for one in population.individuals() {
            books.put_individual(self.problem, one).map_err(|e| self.cannot(&e))?;
        }
        for entry in population.archived() {
            books.put(self.problem, &entry).map_err(|e| self.cannot(&e))?;
        }
        books.put_memory(self.problem, population.memory()).map_err(|e| self.cannot(&e))?;
        self.write(books, record)?;
        books.time_share.spend(begin.elapsed());
        Ok(())
    }

    fn save_individual(
        &self,
        individual: &Individual<P::Genome, P::State>,
        archived: &dyn Fn() -> Vec<Entry<P::Genome>>,
    ) -> Keeping<()> {
        let mut books = self.books();
        let books = &mut *books;
        let Some(mut record) = books.last.as_ref().map(|last| last.population.clone()) else {
            return Ok(());
        };
        if !books.time_share.has_for_individual() {
            return Ok(());
        }
        let begin = Instant::now();
        self.dir.check().map_err(|e| self.cannot(&e))?;
        let archived = archived();
        books.put_individual(self.problem, individual).map_err(|e| self.cannot(&e))?;
        for entry in &archived {
            books.put(self.problem, entry).map_err(|e| self.cannot(&e))?;
        }
        let trained = individual.record();
        if let Some(one) = record.individuals.iter_mut().find(|one| one.id == trained.id) {
            *one = trained;
        }
        if let GuardRecord::Archive(entries) = &mut record.guard {
            *entries = archived.iter().map(Entry::record).collect();
        }
        self.write(books, record)?;
        books.time_share.spend(begin.elapsed());
        Ok(())
    }

    /// Writes a manifest, and removes what is too old.
    fn write(&self, books: &mut Books<P::Genome>, record: PopulationRecord) -> Keeping<()> {
        let mut networks = BTreeMap::new();
        let mut states = BTreeMap::new();
        let mut files = HashMap::new();
        let mut name = |origin: Origin| {
            let (network, state) = books.files.get(&origin)?;
            networks.insert(origin.to_string(), network.clone());
            files.insert(origin, (network.clone(), state.clone()));
            state.clone()
        };
        for one in &record.individuals {
            if let (Some(state), true) = (name(one.origin()), one.state) {
                states.insert(one.id.to_string(), state);
            }
        }
        if let GuardRecord::Archive(entries) = &record.guard {
            entries.iter().for_each(|entry| drop(name(entry.origin())));
        }
        let metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner).extent();
        let seconds = self.before + self.began.elapsed().as_secs_f64();
        let beside = books.manifests.iter().rev().take(self.keep.max(1) - 1);
        let beside = beside.map(|one| one.number).collect();
        let remembered = books.remembered.clone();
        let mut written = record.clone();
        if let (Some(memory), Some(_)) = (&mut written.memory, &remembered.numbers) {
            memory.numbers.clear();
        }
        let named = Files { networks, states, remembered };
        let manifest = Manifest::new(beside, seconds, metrics?, self.of.clone(), named, written);
        let bytes = manifest.to_bytes().map_err(|e| self.cannot(&e))?;
        let number = books.next;
        let publish = || -> io::Result<()> {
            // What it names must be there before it is.
            atomic_file::sync_folder(self.dir.path())?;
            self.dir.check()?;
            atomic_file::put(&search::path(self.dir.path(), number), &bytes)?;
            atomic_file::sync_folder(self.dir.path())
        };
        publish().map_err(|e| self.cannot(&e))?;
        books.manifests.push(Whole::of(number, &manifest));
        books.next += 1;
        books.files = files;
        let Manifest { config, data, .. } = manifest;
        books.last = Some(Last { population: record, of: OfRun { config, data } });
        self.prune(books).map_err(|e| self.cannot(&e))
    }

    /// Removes the manifests that are too old, and the files that only they name.
    fn prune(&self, books: &mut Books<P::Genome>) -> io::Result<()> {
        while books.manifests.len() > self.keep.max(1) {
            let path = search::path(self.dir.path(), books.manifests[0].number);
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => drop(books.manifests.remove(0)),
            }
        }
        let named = books.manifests.iter().flat_map(|one| &one.files);
        books.store.retain(&named.collect())
    }

    fn books(&self) -> MutexGuard<'_, Books<P::Genome>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cannot(&self, why: &dyn fmt::Display) -> String {
        format!("cannot write a checkpoint in {}: {why}", self.dir.path().display())
    }
}

impl<G> Books<G> {
    /// Writes an individual's network and its optimizer's state, if they are not there yet.
    fn put_individual<P: Portable<Genome = G>>(
        &mut self,
        problem: &P,
        one: &Individual<G, P::State>,
    ) -> Result<(), PutError<P::Error>> {
        let theta = one.scored().theta();
        let (mut network, mut state) = self.files.remove(&one.origin()).unzip();
        if network.is_none() {
            network = Some(self.store.put_network(problem, &one.scored().shared())?);
        }
        if let (None | Some(None), Some(new)) = (&state, one.state()) {
            let bytes = problem.write_state(theta, new).map_err(PutError::Problem)?;
            state = Some(Some(self.store.put(&bytes)?));
        }
        if let Some(network) = network {
            self.files.insert(one.origin(), (network, state.flatten()));
        }
        Ok(())
    }

    /// Writes what the strategy remembers.
    fn put_memory<P: Portable<Genome = G>>(
        &mut self,
        problem: &P,
        memory: Option<&Memory<G>>,
    ) -> Result<(), PutError<P::Error>> {
        self.remembered = Remembered::default();
        let Some(Memory { numbers, networks, .. }) = memory else { return Ok(()) };
        for (slot, theta) in networks {
            let file = self.store.put_network(problem, theta)?;
            self.remembered.networks.insert(slot.clone(), file);
        }
        if numbers::are_many(numbers) {
            let bytes = numbers::to_bytes(numbers).map_err(io::Error::other)?;
            self.remembered.numbers = Some(self.store.put(&bytes)?);
        }
        Ok(())
    }

    /// Writes an archived network, if it is not there yet.
    fn put<P: Portable<Genome = G>>(
        &mut self,
        problem: &P,
        entry: &Entry<G>,
    ) -> Result<(), PutError<P::Error>> {
        if !self.files.contains_key(&entry.origin()) {
            let network = self.store.put_network(problem, &entry.scored.shared())?;
            self.files.insert(entry.origin(), (network, None));
        }
        Ok(())
    }
}

impl<P: Portable> Checkpointer<P::Genome, P::State> for Checkpoints<'_, P> {
    fn population(
        &self,
        population: &Population<P::Genome, P::State>,
    ) -> Result<(), CheckpointError> {
        let mut books = self.books();
        if !books.time_share.has_for_population() {
            books.last = None;
            return Ok(());
        }
        drop(books);
        Ok(self.save(population)?)
    }

    fn individual(
        &self,
        individual: &Individual<P::Genome, P::State>,
        archived: &dyn Fn() -> Vec<Entry<P::Genome>>,
    ) -> Result<(), CheckpointError> {
        Ok(self.save_individual(individual, archived)?)
    }
}

/// The folder of checkpoints of a run, made if it is not there.
fn folder(run: &Path) -> io::Result<PathBuf> {
    let dir = run.join(DIR);
    match fs::create_dir(&dir) {
        Ok(()) => atomic_file::sync_folder(run)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    match regular_file::is_folder(&dir) {
        true => Ok(dir),
        false => Err(io::Error::other("it is no folder, or a link to one: expected a folder")),
    }
}
