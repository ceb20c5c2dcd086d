//! Files for users: a network's tensors with all that is needed to use it elsewhere. Checkpoints have none of
//! it: they are named by what is in them.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use serde::Serialize;

use crate::{Error, Genome, Network, Result, data::Normalisation};

/// What a file says of its network.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    /// The program that writes it, with its version.
    pub program: String,
    /// The network that the tensors are of.
    pub network: &'a Network,
    /// What becomes of its input before.
    pub normalisation: Option<Normalisation>,
    /// What its classes are called, class 0 first, where that is known.
    pub class_names: Vec<String>,
    /// How good it is.
    pub measured: Option<Measured>,
}

/// A fitness, and what it was measured with.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The loss, lower is better.
    pub fitness: f64,
    /// Loss and data.
    pub objective: String,
}

impl Metadata<'_> {
    /// The network as a safetensors file, the same bytes for the same arguments. Its metadata are words,
    /// numbers, and lists as JSON has them: `format` ("pt": tensors are named and laid out as PyTorch's),
    /// `program`, `network`, `layers`, `input_shape` (channels, rows, columns), `classes`, and where it is
    /// known `class_names`, `input_divisor`, `input_mean`, `input_std`, `fitness`, `objective`.
    ///
    /// # Errors
    /// If candle cannot read the values.
    pub fn file(&self, theta: &Genome) -> Result<Vec<u8>> {
        let size = self.network.input();
        let mut all: BTreeMap<&str, String> = [
            ("format", "pt".into()),
            ("program", self.program.clone()),
            ("network", self.network.name().into()),
            ("layers", self.network.in_words()),
            ("input_shape", json(&[size.channels, size.height, size.width])?),
            ("classes", self.network.classes().to_string()),
        ]
        .into();
        if !self.class_names.is_empty() {
            all.insert("class_names", json(&self.class_names)?);
        }
        if let Some(Normalisation { divisor, mean, deviation }) = &self.normalisation {
            all.insert("input_divisor", divisor.to_string());
            all.insert("input_mean", json(mean)?);
            all.insert("input_std", json(deviation)?);
        }
        if let Some(Measured { fitness, objective }) = &self.measured {
            all.insert("fitness", fitness.to_string());
            all.insert("objective", objective.clone());
        }
        with_header(&theta.to_safetensors()?, &json(&all)?)
    }
}

/// What a safetensors file says of its network, as [`Metadata::file`] writes it; nothing of a file that is
/// none, or says nothing.
#[must_use]
pub fn metadata_of(file: &[u8]) -> BTreeMap<String, String> {
    let header = SafeTensors::read_metadata(file).ok();
    let said = header.and_then(|(_, header)| header.metadata().clone());
    said.unwrap_or_default().into_iter().collect()
}

/// A safetensors file without metadata, with these. The library keeps them in a table without an order, so
/// they are put into the header here.
fn with_header(file: &[u8], metadata: &str) -> Result<Vec<u8>> {
    let broken = || Error::Weights("a safetensors file has no header".into());
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, tensors) = rest.split_at_checked(length).ok_or_else(broken)?;
    let inner = header.trim_ascii_end().strip_prefix(b"{").ok_or_else(broken)?;
    let comma = if inner == b"}" { "" } else { "," };
    let mut header = format!("{{\"__metadata__\":{metadata}{comma}").into_bytes();
    header.extend(inner);
    // Tensors begin at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes()[..], &header, tensors].concat())
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Weights(format!("metadata: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Supervised, data, networks::mlp};
    use esgd_core::{
        Problem,
        rng::{Key, Purpose},
    };

    #[test]
    fn a_file_says_what_it_is_and_is_the_same_each_time() {
        let splits = data::digits(data::Sizes { train: Some(10), ..Default::default() }).unwrap();
        let network = mlp(64, &[3], 10, Activation::Tanh).unwrap();
        let problem = Supervised::new(network.clone(), splits.train.clone(), splits.train).unwrap();
        let theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
        let metadata = Metadata {
            program: "esgd 1".into(),
            network: &network,
            normalisation: Some(Normalisation::plain(16.0, 1)),
            class_names: vec!["\"zero\"\n".into(), "eins – ein".into()],
            measured: Some(Measured { fitness: 0.25, objective: "a loss".into() }),
        };
        let file = metadata.file(&theta).unwrap();
        assert_eq!(metadata.file(&theta).unwrap(), file);
        let (length, header) = SafeTensors::read_metadata(&file).unwrap();
        assert_eq!(length % 8, 0);
        let said = header.metadata().as_ref().unwrap();
        for (key, expected) in [
            ("format", "pt"),
            ("network", "mlp"),
            ("layers", "fc1: linear 64 -> 3, tanh, dropout; fc2: linear 3 -> 10"),
            ("input_shape", "[64,1,1]"),
            ("classes", "10"),
            ("class_names", r#"["\"zero\"\n","eins – ein"]"#),
            ("input_divisor", "16"),
            ("input_mean", "[0.0]"),
            ("fitness", "0.25"),
            ("objective", "a loss"),
        ] {
            assert_eq!(said[key], expected, "{key}");
        }
        assert_eq!(said.len(), 12);
        // The tensors are those of a checkpoint, to the byte.
        let plain = theta.to_safetensors().unwrap();
        let values = 4 * theta.len();
        assert!(file.ends_with(&plain[plain.len() - values..]));
        let back = theta.with_safetensors(&file).unwrap();
        assert_eq!(back.values().unwrap(), theta.values().unwrap());
        let unmeasured =
            Metadata { measured: None, class_names: vec![], normalisation: None, ..metadata };
        let file = unmeasured.file(&theta).unwrap();
        assert_eq!(
            SafeTensors::read_metadata(&file).unwrap().1.metadata().as_ref().unwrap().len(),
            6
        );
    }
}
