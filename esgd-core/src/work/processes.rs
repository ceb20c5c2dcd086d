//! One run on several processes: all run the same algorithm, each trains and scores its share, and after each
//! step they exchange what came out. So every process has the whole population, the archive included, and
//! the bits are those of one process.
//!
//! What is received is not trusted with a witness: θ and its fitness go through the same back-off as if they had
//! been made here.

use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::message::{self, Header, IndividualHeader, Place};
use crate::{
    Entry, Fitness, Portable, Problem,
    guarantee::{EntryRecord, IndividualRecord},
};

/// What an exchange could not do.
pub type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

/// A way for the processes of a run to give each other bytes: sockets, MPI, a shared folder.
pub trait Exchange: Sync {
    /// Which process this is, from 0.
    fn rank(&self) -> usize;

    /// How many there are, at least 1.
    fn size(&self) -> usize;

    /// Gives `mine` to all, and what all have given, in order of their ranks, `mine` too. Every process calls it
    /// equally often; it waits for the slowest.
    ///
    /// # Errors
    /// If another process has gone.
    fn all_gather(&self, mine: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError>;
}

/// Why a step of several processes did not come to its end.
#[derive(Debug, Error)]
pub(crate) enum ShareError<E: std::error::Error> {
    #[error("{0}")]
    Exchange(ExchangeError),
    #[error("process {rank} failed: {what}")]
    Elsewhere { rank: usize, what: String },
    #[error(transparent)]
    Problem(E),
}

/// An individual after a step, as one process sends it.
pub(crate) struct TrainedShare<G> {
    /// Its place among those taken out for the step.
    pub(crate) place: usize,
    pub(crate) record: IndividualRecord,
    /// Its θ, if that is new or another than before the step.
    pub(crate) theta: Option<G>,
    /// Its optimizer's state, for [`Carrier::read_state`].
    pub(crate) state: Option<Vec<u8>>,
}

/// What a process says beside its results.
pub(crate) struct Said {
    pub(crate) place: Place,
    /// What went wrong there.
    pub(crate) error: Option<String>,
    /// Whether it was asked to stop.
    pub(crate) stop: bool,
}

/// The fitness of the network with a number.
pub(crate) type Numbered = (usize, Fitness);

/// What other processes have trained.
pub(crate) struct OthersTrained<G> {
    pub(crate) individuals: Vec<TrainedShare<G>>,
    /// What their archives keep of it.
    pub(crate) entries: Vec<(EntryRecord, G)>,
}

/// What an exchange gives, or why it gives nothing.
pub(crate) type Shared<P, T> = Result<T, ShareError<<P as Problem>::Error>>;

/// What was trained, as it is sent.
#[derive(Default)]
struct Written {
    individuals: Vec<IndividualHeader>,
    entries: Vec<EntryRecord>,
    blobs: Vec<Vec<u8>>,
}

/// A header and its blobs.
type Read<'a> = (Header, Vec<&'a [u8]>);

/// What the run needs of several processes; [`Processes`] alone, whose problem can be written.
pub(crate) trait Carrier<P: Problem>: Sync {
    /// Whether the `i`-th of the jobs of a step is this process's.
    fn is_own(&self, i: usize) -> bool;

    /// Whether any process was asked to stop, as all know since the last exchange.
    fn stopped(&self) -> bool;

    /// Gives the fitness of networks; returns that of all, in order of their numbers.
    fn fitness(&self, said: Said, mine: Vec<Numbered>) -> Shared<P, Vec<Numbered>>;

    /// Gives individuals that were made or trained, and what the archive keeps of them; returns those of the
    /// others.
    fn trained(
        &self,
        said: Said,
        mine: Vec<Own<'_, P>>,
        archived: &[Entry<P::Genome>],
    ) -> Shared<P, OthersTrained<P::Genome>>;

    /// Reads the state of an optimizer of `theta`.
    fn read_state(&self, theta: &P::Genome, bytes: &[u8]) -> Result<P::State, P::Error>;
}

/// An individual of this process after a step.
pub(crate) struct Own<'a, P: Problem> {
    pub(crate) place: usize,
    pub(crate) record: IndividualRecord,
    pub(crate) theta: &'a P::Genome,
    pub(crate) state: Option<&'a P::State>,
    /// Whether θ is new or another than before the step.
    pub(crate) moved: bool,
}

/// The processes of a run, for [`Esgd::processes`](crate::Esgd::processes). All must have the same problem with the
/// same data, settings and, if they go on, the same population; networks for a warm start as well.
pub struct Processes<'a, P> {
    problem: &'a P,
    exchange: &'a dyn Exchange,
    stopped: AtomicBool,
}

impl<'a, P: Portable> Processes<'a, P> {
    /// The processes that `exchange` connects.
    #[must_use]
    pub fn new(problem: &'a P, exchange: &'a dyn Exchange) -> Self {
        Self { problem, exchange, stopped: AtomicBool::new(false) }
    }

    /// Exchanges a share; returns those of all, in order of ranks.
    fn exchange(&self, header: &Header, blobs: &[Vec<u8>]) -> Shared<P, Vec<Vec<u8>>> {
        let fail = |what: String| ShareError::Exchange(what.into());
        let bytes = message::to_bytes(header, blobs).map_err(fail)?;
        let all = self.exchange.all_gather(bytes).map_err(ShareError::Exchange)?;
        if all.len() != self.exchange.size() {
            let (got, size) = (all.len(), self.exchange.size());
            return Err(fail(format!("{got} messages came from {size} processes")));
        }
        Ok(all)
    }

    /// Writes what was trained here.
    fn write(
        &self,
        mine: Vec<Own<'_, P>>,
        archived: &[Entry<P::Genome>],
    ) -> Result<Written, P::Error> {
        let mut written = Written::default();
        for Own { place, record, theta, state, moved } in mine {
            if moved {
                written.blobs.push(self.problem.write_genome(theta)?);
            }
            if let Some(state) = state {
                written.blobs.push(self.problem.write_state(theta, state)?);
            }
            written.individuals.push(IndividualHeader { place, record, moved });
        }
        for entry in archived {
            written.blobs.push(self.problem.write_genome(entry.scored.theta())?);
            written.entries.push(entry.record());
        }
        Ok(written)
    }

    /// Reads a share, which must be of the same step.
    fn read<'b>(&self, rank: usize, bytes: &'b [u8], place: &Place) -> Shared<P, Read<'b>> {
        let fail = |what: String| ShareError::Exchange(what.into());
        let (header, blobs) = message::of_bytes(bytes).map_err(fail)?;
        if let Some(what) = header.error {
            return Err(ShareError::Elsewhere { rank, what });
        }
        if header.place != *place {
            return Err(fail(format!(
                "process {rank} is elsewhere in the run or in another run: all must run the same problem and settings from the same population"
            )));
        }
        Ok((header, blobs))
    }
}

impl<P: Portable> Carrier<P> for Processes<'_, P> {
    fn is_own(&self, i: usize) -> bool {
        i % self.exchange.size() == self.exchange.rank()
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn fitness(&self, said: Said, mine: Vec<Numbered>) -> Shared<P, Vec<Numbered>> {
        let Said { place, error, stop } = said;
        let header = Header {
            place: place.clone(),
            stop,
            error,
            fitness: mine,
            individuals: vec![],
            entries: vec![],
            blobs: vec![],
        };
        let all = self.exchange(&header, &[])?;
        let mut fitness = vec![];
        for (rank, bytes) in all.iter().enumerate() {
            let (header, _) = self.read(rank, bytes, &place)?;
            fitness.extend(header.fitness);
            self.stopped.fetch_or(header.stop, Ordering::Relaxed);
        }
        fitness.sort_by_key(|(i, _)| *i);
        Ok(fitness)
    }

    fn trained(
        &self,
        said: Said,
        mine: Vec<Own<'_, P>>,
        archived: &[Entry<P::Genome>],
    ) -> Shared<P, OthersTrained<P::Genome>> {
        let place = said.place;
        let (written, error) = match self.write(mine, archived) {
            Ok(written) => (written, None),
            // The others would wait for this process.
            Err(error) => (Written::default(), Some(error)),
        };
        let Written { individuals, entries, blobs } = written;
        let header = Header {
            place: place.clone(),
            stop: said.stop,
            error: error.as_ref().map(ToString::to_string).or(said.error),
            fitness: vec![],
            individuals,
            entries,
            blobs: blobs.iter().map(Vec::len).collect(),
        };
        let all = self.exchange(&header, &blobs);
        if let Some(error) = error {
            return Err(ShareError::Problem(error));
        }
        let (all, problem) = (all?, self.problem);
        let mut others = OthersTrained { individuals: vec![], entries: vec![] };
        for (rank, bytes) in all.iter().enumerate() {
            let (header, blobs) = self.read(rank, bytes, &place)?;
            self.stopped.fetch_or(header.stop, Ordering::Relaxed);
            if rank == self.exchange.rank() {
                continue;
            }
            let mut blobs = blobs.into_iter();
            let mut blob = || {
                let cut = || ShareError::Exchange("a message lacks a network".into());
                blobs.next().ok_or_else(cut)
            };
            for IndividualHeader { place, record, moved } in header.individuals {
                let theta = match moved {
                    true => Some(problem.read_genome(blob()?).map_err(ShareError::Problem)?),
                    false => None,
                };
                let state = match record.state {
                    true => Some(blob()?.to_vec()),
                    false => None,
                };
                others.individuals.push(TrainedShare { place, record, theta, state });
            }
            for record in header.entries {
                let theta = problem.read_genome(blob()?).map_err(ShareError::Problem)?;
                others.entries.push((record, theta));
            }
        }
        Ok(others)
    }

    fn read_state(&self, theta: &P::Genome, bytes: &[u8]) -> Result<P::State, P::Error> {
        self.problem.read_state(theta, bytes)
    }
}
