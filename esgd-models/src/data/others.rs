//! What a folder holds that was expected to hold something else, so that a message can say what to do.

use std::{fs, io, path::Path};

use super::{cifar, idx};
use crate::{Error, Result};

/// The forms of data files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Idx,
    Cifar10,
    Cifar100,
}

impl Form {
    const ALL: [Self; 3] = [Self::Idx, Self::Cifar10, Self::Cifar100];

    fn is_in(self, dir: &Path) -> bool {
        match self {
            Self::Idx => idx::is_there(dir),
            Self::Cifar10 => cifar::CIFAR10.is_in(dir),
            Self::Cifar100 => cifar::CIFAR100.is_in(dir),
        }
    }

    /// What it is, and the setting that reads it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Idx => ("IDX files, as MNIST's are", "idx"),
            Self::Cifar10 => ("CIFAR-10's binary version", "cifar10"),
            Self::Cifar100 => ("CIFAR-100's binary version", "cifar100"),
        }
    }
}

const CIFAR10: &str = "get its binary version with `esgd data cifar10 --dir DIR`";
const CIFAR100: &str = "get its binary version, cifar-100-binary.tar.gz, from \
                        https://www.cs.toronto.edu/~kriz/cifar.html and unpack it";
const CIFAR: &str = "get the binary version of CIFAR-10 with `esgd data cifar10 --dir DIR`, and write other \
                     data as IDX files";
const WRITE: &str = "write the data as IDX files: train-images-idx3-ubyte is the bytes 0 0 8 3, the count, rows \
                     and columns as big-endian u32, then a byte a pixel; train-labels-idx1-ubyte is the bytes \
                     0 0 8 1, the count, then a byte a label";
const UNPACK: &str = "unpack it and name the folder with its files";

/// How a name says what is there.
enum Name {
    Is(&'static str),
    Ends(&'static str),
}

/// Names in lower case, what they are of, and what to do; the first that is there counts.
const OTHERS: [(Name, &str, &str); 31] = [
    (Name::Is("data_batch_1"), "CIFAR-10's Python version", CIFAR10),
    (Name::Is("cifar-10-batches-py"), "CIFAR-10's Python version", CIFAR10),
    (Name::Is("cifar-100-python"), "CIFAR-100's Python version", CIFAR100),
    (Name::Is("cifar-10-batches-mat"), "CIFAR-10's MATLAB version", CIFAR10),
    (Name::Is("cifar-100-matlab"), "CIFAR-100's MATLAB version", CIFAR100),
    (Name::Ends(".tar"), "an archive", UNPACK),
    (Name::Ends(".tar.gz"), "an archive", UNPACK),
    (Name::Ends(".tgz"), "an archive", UNPACK),
    (Name::Ends(".tar.xz"), "an archive", UNPACK),
    (Name::Ends(".tar.bz2"), "an archive", UNPACK),
    (Name::Ends(".zip"), "an archive", UNPACK),
    (Name::Ends(".7z"), "an archive", UNPACK),
    (Name::Ends(".mat"), "MATLAB files", CIFAR),
    (Name::Ends(".npz"), "NumPy arrays", WRITE),
    (Name::Ends(".npy"), "NumPy arrays", WRITE),
    (Name::Ends(".parquet"), "Parquet files", WRITE),
    (Name::Ends(".arrow"), "Arrow files", WRITE),
    (Name::Ends(".csv"), "CSV files", WRITE),
    (Name::Ends(".h5"), "HDF5 files", WRITE),
    (Name::Ends(".hdf5"), "HDF5 files", WRITE),
    (Name::Ends(".tfrecord"), "TensorFlow's records", WRITE),
    (Name::Ends(".pt"), "PyTorch's files", WRITE),
    (Name::Ends(".pth"), "PyTorch's files", WRITE),
    (Name::Ends(".pkl"), "pickles", WRITE),
    (Name::Ends(".pickle"), "pickles", WRITE),
    (Name::Ends(".png"), "PNG images", WRITE),
    (Name::Ends(".jpg"), "JPEG images", WRITE),
    (Name::Ends(".jpeg"), "JPEG images", WRITE),
    (Name::Ends(".bmp"), "BMP images", WRITE),
    (Name::Ends(".tif"), "TIFF images", WRITE),
    (Name::Ends(".pgm"), "PGM images", WRITE),
];

/// Names of a folder that are looked at, and folders in it, and in those.
const MOST: usize = 1000;
const FOLDERS: usize = 20;
const DEPTH: usize = 2;

/// The error for a folder without the files of `wanted`, if it is known what it has instead.
pub(super) fn instead(dir: &Path, wanted: Form) -> Option<Error> {
    let shown = dir.display();
    let (expected, _) = wanted.words();
    if let Some(form) = Form::ALL.into_iter().find(|form| *form != wanted && form.is_in(dir)) {
        let (is, setting) = form.words();
        return Some(Error::Data(format!(
            "{shown} holds {is}, not {expected}: add `--set data.name={setting}`"
        )));
    }
    let (name, is, what_to_do) = search(dir, DEPTH)?;
    Some(Error::Data(format!("{shown} holds {is} ({name}), not {expected}: {what_to_do}")))
}

/// Refuses what is no folder that can be read.
pub(super) fn check_folder(dir: &Path) -> Result<()> {
    let shown = dir.display();
    match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {
            let listed = fs::read_dir(dir).map(|_| ());
            listed.map_err(|source| Error::Read { path: dir.into(), source })
        }
        Ok(_) => {
            let known = dir.file_name().and_then(|name| known(&name.to_string_lossy()));
            let what_to_do = known.map_or("name the folder that it is in", |(_, what)| what);
            Err(Error::Data(format!("{shown} is no folder: {what_to_do}")))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::Data(format!(
            "there is no folder {shown}: name the one that has the data, with --data DIR"
        ))),
        Err(source) => Err(Error::Read { path: dir.into(), source }),
    }
}

/// A name in the folder that is known, what it is of, and what to do.
fn search(dir: &Path, depth: usize) -> Option<(String, &'static str, &'static str)> {
    let entries = fs::read_dir(dir).ok()?.flatten().take(MOST);
    let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    // CIFAR-100's Python files have names that alone say nothing.
    if ["meta", "test", "train"]
        .iter()
        .all(|n| names.iter().any(|m| m == n) && dir.join(n).is_file())
    {
        return Some(("train".into(), "CIFAR-100's Python version", CIFAR100));
    }
    let found =
        names.iter().find_map(|name| known(name).map(|(is, what)| (name.clone(), is, what)));
    if found.is_some() || depth == 0 {
        return found;
    }
    let folders = names.iter().filter(|name| dir.join(name).is_dir()).take(FOLDERS);
    folders.into_iter().find_map(|folder| {
        let (name, is, what) = search(&dir.join(folder), depth - 1)?;
        Some((format!("{folder}/{name}"), is, what))
    })
}

fn known(name: &str) -> Option<(&'static str, &'static str)> {
    let name = name.to_lowercase();
    let found = OTHERS.iter().find(|(known, ..)| match known {
        Name::Is(whole) => name == *whole,
        Name::Ends(end) => name.ends_with(end),
    });
    found.map(|(_, is, what_to_do)| (*is, *what_to_do))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sizes, Splits, cifar10, cifar100, idx};

    type Read = fn(&Path, Sizes) -> Result<Splits>;

    /// What is said of a folder with an empty file of that name.
    fn said(read: Read, file: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        let message = read(dir.path(), Sizes::default()).unwrap_err().to_string();
        assert!(!message.contains('\n'), "{message}");
        message
    }

    #[test]
    fn data_in_another_form_are_named_with_what_to_do() {
        for (file, is, what_to_do) in [
            ("data_batch_1", "CIFAR-10's Python version", "esgd data cifar10"),
            ("cifar-10-batches-py/data_batch_1", "CIFAR-10's Python version", "esgd data cifar10"),
            ("cifar-100-python/train", "CIFAR-100's Python version", "cifar-100-binary.tar.gz"),
            ("cifar-10-batches-mat/x.mat", "CIFAR-10's MATLAB version", "esgd data cifar10"),
            ("train_32x32.mat", "MATLAB files", "IDX files"),
            ("cifar-10-binary.tar.gz", "an archive", "unpack it"),
            ("mnist.npz", "NumPy arrays", "IDX files"),
            ("train/cat/1.PNG", "PNG images (train/cat/1.PNG)", "IDX files"),
        ] {
            for read in [idx as Read, cifar10, cifar100] {
                let message = said(read, file);
                assert!(message.contains(is) && message.contains(what_to_do), "{message}");
            }
        }
    }

    #[test]
    fn data_that_another_setting_reads_are_named_with_it() {
        let readers = [(idx as Read, "idx"), (cifar10, "cifar10"), (cifar100, "cifar100")];
        for (file, name) in [
            ("train-images-idx3-ubyte", "idx"),
            ("MNIST/raw/train-images-idx3-ubyte.gz", "idx"),
            ("data_batch_1.bin", "cifar10"),
            ("cifar-10-batches-bin/data_batch_1.bin", "cifar10"),
            ("train.bin", "cifar100"),
            ("cifar-100-binary/train.bin", "cifar100"),
        ] {
            for (read, its) in readers {
                let message = said(read, file);
                let setting = format!("add `--set data.name={name}`");
                assert_eq!(message.contains(&setting), name != its, "{message}");
            }
        }
    }

    #[test]
    fn what_is_no_folder_is_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("train-images-idx3-ubyte.gz");
        let archive = dir.path().join("cifar-10-binary.tar.gz");
        fs::write(&file, "").unwrap();
        fs::write(&archive, "").unwrap();
        for (path, expected) in [
            (&file, "is no folder: name the folder that it is in"),
            (&archive, "is no folder: unpack it"),
            (&dir.path().join("none"), "there is no folder"),
        ] {
            for read in [idx as Read, cifar10, cifar100] {
                let message = read(path, Sizes::default()).unwrap_err().to_string();
                assert!(message.contains(expected) && !message.contains('\n'), "{message}");
            }
        }
    }
}
