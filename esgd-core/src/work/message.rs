//! What processes tell each other, as bytes: a header in JSON, whose floating-point numbers are read back to the
//! bit, and behind it networks and states as their problem writes them.

use serde::{Deserialize, Serialize};

use crate::{
    Fitness,
    guarantee::{EntryRecord, IndividualRecord},
};

/// Where in a run a message belongs: processes that have come apart notice it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The step.
    pub(crate) step: Step,
    /// Of what the step begins with: the settings, the objective and the population. Of other processes with other
    /// ones it is another.
    pub(crate) digest: u64,
}

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The start; of a shared one this rung.
    Start(usize),
    /// The SGD step of a generation, or fine-tuning as the one after the last.
    Training(usize),
    /// Offspring of an evolution step (k, v).
    Offspring(usize, usize),
    /// What its strategy makes after them.
    Made(usize, usize),
}

/// A process's share of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) place: Place,
    /// Whether it was asked to stop.
    pub(super) stop: bool,
    /// What went wrong there.
    pub(super) error: Option<String>,
    /// Offspring, or what was made after them, by their numbers.
    pub(super) fitness: Vec<(usize, Fitness)>,
    /// Individuals by their positions.
    pub(super) individuals: Vec<IndividualHeader>,
    /// What the archive there keeps of the share; one blob each.
    pub(super) entries: Vec<EntryRecord>,
    /// The lengths of the blobs: of each individual θ and the state if they are sent, then of entries.
    pub(super) blobs: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IndividualHeader {
    pub(super) place: usize,
    pub(super) record: IndividualRecord,
    /// Whether its θ is another than before, so that it is sent.
    pub(super) moved: bool,
}

/// The header and what stands behind it.
pub(super) fn to_bytes(header: &Header, blobs: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec(header).map_err(|e| e.to_string())?;
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    blobs.iter().for_each(|blob| bytes.extend(blob));
    Ok(bytes)
}

/// Reads them.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<(Header, Vec<&[u8]>), String> {
    let cut = || "a message of another process is cut off".to_owned();
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    let (json, mut rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header: Header = serde_json::from_slice(json)
        .map_err(|e| format!("a message of another process cannot be read: {e}"))?;
    let mut blobs = vec![];
    for &length in &header.blobs {
        let (blob, more) = rest.split_at_checked(length).ok_or_else(cut)?;
        blobs.push(blob);
        rest = more;
    }
    Ok((header, blobs))
}
