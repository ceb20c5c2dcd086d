//! What a run is trained on.

use std::{fmt, path::Path};

use esgd_models::{Score, data::Augmentation};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub name: Source,
    pub dir: String,
    pub train: usize,
    pub validation: usize,
    pub test: usize,
    pub fitness: Part,
    pub score: Score,
    pub crop: usize,
    pub flip: bool,
}

/// Where the data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Digits,
    Idx,
    Cifar10,
}

/// What fitness is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Train,
    Validation,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
        })
    }
}

impl Data {
    pub fn augmentation(&self) -> Augmentation {
        Augmentation { crop: self.crop, flip: self.flip }
    }

    /// Takes the data from a folder.
    pub fn read_from(&mut self, dir: &Path) {
        self.dir = dir.display().to_string();
        if self.name == Source::Digits {
            self.name = Source::Idx;
        }
    }

    pub fn check(&self) -> Result<(), Failure> {
        let usage = |message: &str| Err(Failure::Usage(message.into()));
        if self.fitness == Part::Validation && self.validation == 0 {
            return usage(
                "data.fitness = \"validation\" needs validation samples: set data.validation above 0, or data.fitness = \"train\"",
            );
        }
        if self.crop > 1024 {
            return Err(Failure::Usage(format!(
                "data.crop = {}: expected at most 1024 pixels of border",
                self.crop
            )));
        }
        match self.name {
            Source::Idx if self.dir.is_empty() => usage(
                "data.name = \"idx\" needs a folder: add --data DIR with the four IDX files of MNIST or Fashion-MNIST, which `esgd data fashion-mnist --dir DIR` gets",
            ),
            Source::Cifar10 if self.dir.is_empty() => usage(
                "data.name = \"cifar10\" needs a folder: add --data DIR with the six .bin files of CIFAR-10, which `esgd data cifar10 --dir DIR` gets",
            ),
            _ => Ok(()),
        }
    }
}
