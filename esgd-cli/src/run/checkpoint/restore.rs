//! The population of a checkpoint, made again of the files that it names.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use esgd_core::{
    Id, Population, Portable, Problem, Slot,
    guarantee::{Origin, RecordError},
};
use thiserror::Error;

use super::{DIR, Manifest, numbers, store};

/// More bytes than the numbers of a strategy have: a covariance of 10,000 values.
const MOST_NUMBERS: u64 = 1 << 31;

/// Why a population cannot be made of a checkpoint.
#[derive(Debug, Error)]
pub(crate) enum RestoreError<E: std::error::Error> {
    #[error("{0}")]
    Record(#[from] RecordError),
    #[error("{0}")]
    File(String),
    #[error(transparent)]
    Problem(E),
}

/// What a run goes on from.
type Restored<P> = Result<
    Population<<P as Problem>::Genome, <P as Problem>::State>,
    RestoreError<<P as Problem>::Error>,
>;

/// The population of a checkpoint, of networks whose files and whose states' have at most so many bytes each.
pub(crate) fn restore<P: Portable>(
    run: &Path,
    manifest: &Manifest,
    problem: &P,
    most: u64,
) -> Restored<P> {
    let dir = run.join(DIR);
    let named = |names: &BTreeMap<String, String>, key: String| {
        let name = names.get(&key).cloned();
        name.ok_or_else(|| RestoreError::File(format!("the file of {key} is not named")))
    };
    let get =
        |name: &str| store::get(&dir, name, most).map_err(|e| RestoreError::File(e.to_string()));
    // Networks that are the same, as those of a shared start, share their memory again.
    let loaded: RefCell<HashMap<String, Arc<P::Genome>>> = RefCell::default();
    let theta = |origin: Origin| {
        let name = named(&manifest.networks, origin.to_string())?;
        if let Some(theta) = loaded.borrow().get(&name) {
            return Ok(Arc::clone(theta));
        }
        let theta = Arc::new(problem.read_genome(&get(&name)?).map_err(RestoreError::Problem)?);
        loaded.borrow_mut().insert(name, Arc::clone(&theta));
        Ok(theta)
    };
    let individuals = &manifest.population.individuals;
    let state = |id: Id| {
        let bytes = get(&named(&manifest.states, id.to_string())?)?;
        let one = individuals.iter().find(|one| one.id == id);
        let of = one.ok_or_else(|| RestoreError::File(format!("{id} is not in the population")))?;
        let theta = theta(of.origin())?;
        problem.read_state(&theta, &bytes).map_err(RestoreError::Problem)
    };
    let memory = |slot: &Slot| {
        let bytes = get(&named(&manifest.memory, slot.clone())?)?;
        Ok(Arc::new(problem.read_genome(&bytes).map_err(RestoreError::Problem)?))
    };
    let mut record = manifest.population.clone();
    if let (Some(memory), Some(name)) = (&mut record.memory, &manifest.numbers) {
        let bytes = store::get(&dir, name, MOST_NUMBERS);
        let read = bytes.map_err(|e| e.to_string()).and_then(|bytes| numbers::of_bytes(&bytes));
        memory.numbers = read.map_err(RestoreError::File)?;
    }
    Population::restore(record, theta, state, memory)
}
