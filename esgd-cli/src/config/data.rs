//! What a run is trained on.

use std::{
    fmt, fs,
    path::{self, Path},
};

use esgd_models::{Score, data::Augmentation};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
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
pub(crate) enum Source {
    Digits,
    Idx,
    Cifar10,
    Cifar100,
}

/// What fitness is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
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
    /// What a run on these data is called, as a folder's name.
    pub(crate) fn folder_name(&self) -> String {
        let folder = || {
            let name = Path::new(&self.dir).file_name()?.to_str()?;
            let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
            let name: String = name.chars().filter(plain).collect();
            let name = name.trim_start_matches(['-', '.']);
            (!name.is_empty()).then(|| name.to_owned())
        };
        match self.name {
            Source::Digits => "digits".into(),
            Source::Cifar10 => "cifar10".into(),
            Source::Cifar100 => "cifar100".into(),
            Source::Idx => folder().unwrap_or_else(|| "idx".into()),
        }
    }

    pub(crate) fn augmentation(&self) -> Augmentation {
        Augmentation { crop: self.crop, flip: self.flip }
    }

    /// Takes the data from a folder.
    pub(crate) fn read_from(&mut self, dir: &Path) -> Result<(), Failure> {
        self.dir = absolute(dir)?;
        if self.name == Source::Digits {
            self.name = Source::Idx;
        }
        Ok(())
    }

    /// Names the folder so that it is found from anywhere.
    pub(crate) fn make_absolute(&mut self) -> Result<(), Failure> {
        if !self.dir.is_empty() {
            self.dir = absolute(Path::new(&self.dir))?;
        }
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
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
            Source::Cifar100 if self.dir.is_empty() => usage(
                "data.name = \"cifar100\" needs a folder: add --data DIR with train.bin and test.bin of CIFAR-100, which are in cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html",
            ),
            Source::Cifar10 if self.dir.is_empty() => usage(
                "data.name = \"cifar10\" needs a folder: add --data DIR with the six .bin files of CIFAR-10, which `esgd data cifar10 --dir DIR` gets",
            ),
            _ => Ok(()),
        }
    }
}

/// A folder's path from the root, without links where it is there.
fn absolute(dir: &Path) -> Result<String, Failure> {
    let shown = dir.display();
    let found = fs::canonicalize(dir).or_else(|_| path::absolute(dir)).map_err(|e| {
        Failure::Usage(format!(
            "the data folder `{shown}` cannot be found: {e}; name it with --data DIR"
        ))
    })?;
    found.into_os_string().into_string().map_err(|found| {
        Failure::Usage(format!(
            "the data folder {} has a name that is not UTF-8, which a config cannot hold: rename it, or \
             name a folder elsewhere that has the files or links to them",
            found.display()
        ))
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::{env, ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;
    use crate::config::Config;

    fn data() -> Data {
        Config::with_changes("", "test", &[]).unwrap().data
    }

    #[test]
    fn a_folder_is_named_from_the_root() {
        let mut data = data();
        let here = env::current_dir().unwrap();
        data.read_from(Path::new("src")).unwrap();
        assert_eq!((Path::new(&data.dir), data.name), (&*here.join("src"), Source::Idx));
        // What is not there is named where it would be.
        let sets = ["data.dir=src/../none".into(), "data.name=cifar10".into()];
        let data = Config::with_changes("", "test", &sets).unwrap().data;
        assert_eq!(Path::new(&data.dir), here.join("src/../none"));
    }

    #[test]
    fn what_is_no_path_for_a_config_is_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"d\xff"));
        fs::create_dir(&odd).unwrap();
        for (dir, expected) in [(&*odd, "is not UTF-8"), (Path::new(""), "`` cannot be found")] {
            let message = data().read_from(dir).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn a_run_is_called_by_what_is_plain_in_its_data_folder_s_name() {
        for (dir, expected) in [
            ("/data/fashion-mnist", "fashion-mnist"),
            ("/data/my data\u{202e}\n(2).v1", "mydata2.v1"),
            ("/data/--..x", "x"),
            ("/data/é", "idx"),
            ("/", "idx"),
        ] {
            let mut config = Config::with_changes("", "test", &[]).unwrap();
            config.data.name = Source::Idx;
            config.data.dir = dir.into();
            assert_eq!(config.data.folder_name(), expected, "{dir}");
        }
    }
}
