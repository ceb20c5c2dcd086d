//! Networks from files of others: as other programs name, store and wrap their tensors. Checkpoints of a
//! run are read by [`Genome::with_safetensors`] instead, which changes nothing and takes what diverged.

mod format;
mod prefix;
mod tensor;

use std::{collections::BTreeSet, path::Path};

use safetensors::SafeTensors;

use crate::{
    Error, Genome, Result,
    genome::{counts_batches, variable},
    names::nearest,
    regular_file::{self, Links},
};

/// What a file may have beside the values that the network needs: names, metadata, counts.
const HEADER: u64 = 16 << 20;

/// A network from a file, and what had to be done for it to fit.
#[derive(Debug)]
pub struct Import {
    /// The network, f32.
    pub genome: Genome,
    /// What the names of all tensors began with and the network's do not, such as `module.`; or nothing.
    pub dropped: String,
    /// How many tensors of each other type, such as F16, were converted to f32.
    pub converted: Vec<Converted>,
}

/// Tensors that were converted to f32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Their type in the file: F64, F16 or BF16.
    pub from: String,
    /// How many there are.
    pub tensors: usize,
}

impl Import {
    /// What was done to the file's tensors, in words; `None` where they fitted as they were.
    #[must_use]
    pub fn changes(&self) -> Option<String> {
        let dropped = (!self.dropped.is_empty())
            .then(|| format!("`{}` is dropped from the names of its tensors", self.dropped));
        let converted = self.converted.iter().map(|Converted { from, tensors }| match tensors {
            1 => format!("1 tensor of type {from} is converted to F32"),
            n => format!("{n} tensors of type {from} are converted to F32"),
        });
        let all: Vec<_> = dropped.into_iter().chain(converted).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

impl Genome {
    /// A genome with the names and shapes of this one and the values of a safetensors file that any
    /// program may have written. A prefix that all names share and the network lacks is dropped; F64, F16
    /// and BF16 become f32. Metadata and PyTorch's `num_batches_tracked` are passed over.
    ///
    /// # Errors
    /// If the file cannot be read, is larger than this network with names could be, or is of another
    /// format, which is named; if it lacks a tensor, has one too many or one of another shape; if a value
    /// is NaN, infinite or too large for f32, or a variance negative.
    pub fn import(&self, path: &Path) -> Result<Import> {
        let unreadable = |source| Error::Read { path: path.into(), source };
        let malformed = |fault: String| Error::Malformed { path: path.into(), fault };
        // Whatever its size: what it is says more than that it is too large.
        let head = format::head(path).map_err(unreadable)?;
        if let Some(fault) = format::foreign(&head) {
            return Err(malformed(fault.into()));
        }
        let most = 8 * self.len() as u64 + HEADER;
        let bytes = regular_file::read(path, most, Links::Follow).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidInput => {
                malformed(format!("{e}, since the network has {} values", self.len()))
            }
            _ => unreadable(e),
        })?;
        self.import_bytes(&bytes).map_err(|e| malformed(e.to_string()))
    }

    /// The same of a file's contents.
    ///
    /// # Errors
    /// As [`import`](Self::import)'s, but of reading.
    pub fn import_bytes(&self, bytes: &[u8]) -> Result<Import> {
        if let Some(fault) = format::foreign(bytes) {
            return Err(Error::Weights(fault.into()));
        }
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| Error::Weights(format!("this is not a safetensors file ({e})")))?;
        let names: BTreeSet<&str> = file.names().into_iter().collect();
        let dropped = prefix::shared(&names, |name| self.has(name));
        let full = |name: &str| format!("{dropped}{name}");
        // In the order of their names, whatever that of the file: the same file gets the same sentence.
        for parameter in self.parameters() {
            if !names.contains(&*full(&parameter.name)) {
                return Err(Error::Weights(self.missing(parameter, &file, &names, &dropped)));
            }
        }
        let short = |name: &&str| name.strip_prefix(&*dropped).unwrap_or(name).to_owned();
        let unknown = |name: &String| !self.has(name) && !counts_batches(name);
        if let Some(name) = names.iter().map(short).find(unknown) {
            return Err(Error::Weights(format!("the network has no tensor `{name}`")));
        }
        let mut converted: Vec<Converted> = vec![];
        let genome = self.with_tensors(|parameter| {
            let found = file
                .tensor(&full(&parameter.name))
                .map_err(|e| Error::Weights(format!("`{}`: {e}", parameter.name)))?;
            let values = tensor::values(parameter, &found).map_err(Error::Weights)?;
            if found.dtype() != safetensors::Dtype::F32 {
                let from = format!("{:?}", found.dtype());
                match converted.iter_mut().find(|c| c.from == from) {
                    Some(same) => same.tensors += 1,
                    None => converted.push(Converted { from, tensors: 1 }),
                }
            }
            variable(values, parameter.tensor().shape())
        })?;
        let genome =
            if self.device().is_cpu() { genome } else { genome.to_device(&self.device())? };
        Ok(Import { genome, dropped, converted })
    }

    /// That a tensor is missing, and what the file has in its place: the name most like it, or else a tensor
    /// of its shape.
    fn missing(
        &self,
        parameter: &crate::Parameter,
        file: &SafeTensors<'_>,
        names: &BTreeSet<&str>,
        dropped: &str,
    ) -> String {
        let (name, dims) = (&parameter.name, parameter.tensor().dims());
        let own = |other: &&&str| other.strip_prefix(dropped).is_some_and(|short| self.has(short));
        let others: Vec<&str> =
            names.iter().filter(|n| !own(n) && !counts_batches(n)).copied().collect();
        let shape =
            |other: &str| file.tensor(other).map(|t| t.shape().to_vec()).unwrap_or_default();
        let same: Vec<&str> = others.iter().filter(|n| shape(n) == dims).copied().collect();
        // Of those that would fit the likest.
        let like =
            nearest(name, same.iter().copied()).or_else(|| nearest(name, others.iter().copied()));
        let instead = match like.or_else(|| same.first().copied()).or(others.first().copied()) {
            Some(other) => format!("it has `{other}` of shape {:?} instead", shape(other)),
            None if names.is_empty() => "it has no tensors at all".into(),
            None => format!("its {} tensors are others of the network's", names.len()),
        };
        format!("the file has no tensor `{name}` of shape {dims:?}: {instead}")
    }
}

#[cfg(test)]
mod tests;
