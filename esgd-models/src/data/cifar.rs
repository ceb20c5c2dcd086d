//! CIFAR-10 and CIFAR-100 as their authors publish them (Krizhevsky, *Learning Multiple Layers of Features
//! from Tiny Images*, 2009; <https://www.cs.toronto.edu/~kriz/cifar.html>, "binary version"): records of
//! classes and 3 × 32 × 32 bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    Dataset, Holds, Sizes, SourceFile, Splits,
    others::{self, Form},
    pixels::Pixels,
};
use crate::{
    Error, Result,
    networks::Size,
    regular_file::{self, Links},
};

const SIZE: Size = Size::image(3, 32, 32);

/// Records of a file: ten times as many as the official files have together.
const MOST_RECORDS: u64 = 600_000;

/// One of the two data sets.
pub(super) struct Cifar {
    name: &'static str,
    form: Form,
    /// The folder in the official archive.
    folder: &'static str,
    training: &'static [&'static str],
    test: &'static str,
    /// What the bytes before an image are, and how many there are of each; the last is learned.
    classes: &'static [(&'static str, u8)],
    /// The channels' mean and standard deviation over the training images, as shares of 255.
    mean: [f32; 3],
    deviation: [f32; 3],
    /// What to do without the files.
    get: &'static str,
}

pub(super) const CIFAR10: Cifar = Cifar {
    name: "cifar10",
    form: Form::Cifar10,
    folder: "cifar-10-batches-bin",
    training: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    classes: &[("class", 10)],
    mean: [0.4914, 0.4822, 0.4465],
    deviation: [0.2470, 0.2435, 0.2616],
    get: "name the folder with the six .bin files of CIFAR-10, or get them with `esgd data cifar10 --dir DIR`",
};

pub(super) const CIFAR100: Cifar = Cifar {
    name: "cifar100",
    form: Form::Cifar100,
    folder: "cifar-100-binary",
    training: &["train.bin"],
    test: "test.bin",
    classes: &[("coarse class", 20), ("fine class", 100)],
    mean: [0.5071, 0.4867, 0.4408],
    deviation: [0.2675, 0.2565, 0.2761],
    get: "name the folder with train.bin and test.bin of CIFAR-100, which are in cifar-100-binary.tar.gz of \
          https://www.cs.toronto.edu/~kriz/cifar.html",
};

/// Reads CIFAR-10, `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, from `dir` or from
/// `cifar-10-batches-bin` in it; without `test_batch.bin` there is no test set. x is (n, 3, 32, 32), each
/// channel with the training images' mean taken off and divided by their standard deviation. Validation is
/// drawn from the training files, by a shuffle that is always the same.
///
/// # Errors
/// If a file of training data is missing, a file is no whole number of records, or has a class above 9; or
/// if there are fewer samples than asked for.
pub fn cifar10(dir: &Path, sizes: Sizes) -> Result<Splits> {
    CIFAR10.splits(dir, sizes)
}

/// Reads CIFAR-100 with its 100 fine classes, `train.bin` and `test.bin`, from `dir` or from
/// `cifar-100-binary` in it, as [`cifar10`] does.
///
/// # Errors
/// As [`cifar10`]'s.
pub fn cifar100(dir: &Path, sizes: Sizes) -> Result<Splits> {
    CIFAR100.splits(dir, sizes)
}

impl Cifar {
    /// Whether a folder has the first of the files.
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        let has = |dir: &Path| dir.join(self.training[0]).is_file();
        has(dir) || has(&dir.join(self.folder))
    }

    fn splits(&self, dir: &Path, sizes: Sizes) -> Result<Splits> {
        others::check_folder(dir)?;
        let inner = dir.join(self.folder);
        let within = if inner.is_dir() { &inner } else { dir };
        let mut files = vec![];
        for name in self.training {
            if !is_there(&within.join(name)) {
                let shown = within.display();
                let missing = || Error::Data(format!("{shown} has no {name}: {}", self.get));
                return Err(others::instead(dir, self.form).unwrap_or_else(missing));
            }
        }
        let train = self.read(within, self.training, Holds::Training, &mut files)?;
        let test: &[&str] = if is_there(&within.join(self.test)) { &[self.test] } else { &[] };
        let test = self.read(within, test, Holds::Test, &mut files)?;
        Splits::of(&train, &test, files, sizes)
    }

    fn read(
        &self,
        dir: &Path,
        names: &[&str],
        holds: Holds,
        files: &mut Vec<SourceFile>,
    ) -> Result<Dataset> {
        let (mut bytes, mut classes) = (vec![], vec![]);
        let most = MOST_RECORDS * self.record() as u64;
        for name in names {
            let path: PathBuf = dir.join(name);
            let contents = regular_file::read(&path, most, Links::Follow)
                .map_err(|source| Error::Read { path: path.clone(), source })?;
            files.push(SourceFile::new(name, holds, Sha256::new_with_prefix(&contents)));
            self.records(&contents, &mut bytes, &mut classes)
                .map_err(|fault| Error::Malformed { path, fault })?;
        }
        let pixels = Pixels::normalised(&self.mean, &self.deviation);
        Dataset::images(self.name, bytes, SIZE, &classes, pixels)
    }

    /// The bytes of a record.
    const fn record(&self) -> usize {
        self.classes.len() + SIZE.len()
    }

    /// Appends the images and classes of a file's records, or says what is wrong with it.
    fn records(
        &self,
        contents: &[u8],
        bytes: &mut Vec<u8>,
        classes: &mut Vec<u8>,
    ) -> std::result::Result<(), String> {
        let records = contents.chunks_exact(self.record());
        if contents.is_empty() || !records.remainder().is_empty() {
            return Err(format!(
                "{} bytes are no whole number of records of {}: the file is truncated or damaged, get it \
                 again",
                contents.len(),
                self.record()
            ));
        }
        bytes.reserve(records.len() * SIZE.len());
        for (at, record) in records.enumerate() {
            let (labels, image) = record.split_at(self.classes.len());
            for ((what, count), class) in self.classes.iter().zip(labels) {
                if class >= count {
                    let last = count - 1;
                    return Err(format!("image {at} has {what} {class}: expected 0 to {last}"));
                }
            }
            classes.extend(labels.last());
            bytes.extend(image);
        }
        Ok(())
    }
}

/// Whether there is anything: what is no file shall be told.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use esgd_core::laws::corrupted;
    use proptest::prelude::*;

    use super::*;

    const RECORD: usize = CIFAR10.record();

    /// A folder whose files have `n` records, of classes 0, 1, …
    fn folder(n: u8) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (k, name) in CIFAR10.training.iter().chain([&CIFAR10.test]).enumerate() {
            let record = |i: u8| {
                let mut record = vec![k as u8 * 40 + i; RECORD];
                record[0] = i;
                record
            };
            fs::write(dir.path().join(name), (0..n).flat_map(record).collect::<Vec<_>>()).unwrap();
        }
        dir
    }

    #[test]
    fn reads_the_records() {
        let dir = folder(4);
        let sizes = Sizes { validation: Some(3), ..Sizes::default() };
        let splits = cifar10(dir.path(), sizes).unwrap();
        assert_eq!((splits.train.len(), splits.validation.len(), splits.test.len()), (17, 3, 4));
        let (x, y) = splits.test.slice(1, 1).unwrap();
        assert_eq!(y.to_vec1::<u32>().unwrap(), [1]);
        assert_eq!(x.dims(), [1, 3, 32, 32]);
        let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (c, channel) in values.chunks_exact(1024).enumerate() {
            let expected = (201.0 / 255.0 - CIFAR10.mean[c]) / CIFAR10.deviation[c];
            assert!(channel.iter().all(|x| *x == expected));
        }
        fs::remove_file(dir.path().join("test_batch.bin")).unwrap();
        let without = cifar10(dir.path(), sizes).unwrap();
        assert_eq!((without.train.len(), without.test.len()), (17, 0));
        let (was, is) = (splits.fingerprint().unwrap(), without.fingerprint().unwrap());
        let difference = was.difference(&is).unwrap();
        assert!(
            difference.starts_with("the test data are") && difference.contains("test_batch.bin")
        );
    }

    #[test]
    fn of_cifar100_the_fine_classes_are_learned() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("cifar-100-binary");
        fs::create_dir(&inner).unwrap();
        let record = |coarse: u8, fine: u8| [vec![coarse, fine], vec![255; SIZE.len()]].concat();
        fs::write(inner.join("train.bin"), [record(19, 99), record(0, 20)].concat()).unwrap();
        fs::write(inner.join("test.bin"), record(3, 7)).unwrap();
        let splits = cifar100(dir.path(), Sizes::default()).unwrap();
        assert_eq!(splits.train.classes().unwrap(), 100);
        let (x, y) = splits.test.slice(0, 1).unwrap();
        assert_eq!(y.to_vec1::<u32>().unwrap(), [7]);
        let first = x.flatten_all().unwrap().to_vec1::<f32>().unwrap()[0];
        assert_eq!(first, (1.0 - CIFAR100.mean[0]) / CIFAR100.deviation[0]);
        for (wrong, expected) in [
            (record(20, 0), "coarse class 20: expected 0 to 19"),
            (record(0, 100), "fine class 100"),
        ] {
            fs::write(inner.join("test.bin"), wrong).unwrap();
            let message = cifar100(dir.path(), Sizes::default()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn malformed_files_are_refused_in_one_sentence() {
        for (contents, expected) in [
            (vec![], "0 bytes are no whole number"),
            (vec![0; RECORD - 1], "truncated"),
            (vec![0; RECORD + 1], "truncated"),
            ([vec![0; RECORD], vec![10; RECORD]].concat(), "image 1 has class 10: expected 0 to 9"),
        ] {
            let dir = folder(1);
            fs::write(dir.path().join("data_batch_3.bin"), contents).unwrap();
            let message = cifar10(dir.path(), Sizes::default()).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("data_batch_3"), "{message}");
        }
        let empty = tempfile::tempdir().unwrap();
        let message = cifar10(empty.path(), Sizes::default()).unwrap_err().to_string();
        assert!(message.contains("has no data_batch_1.bin"), "{message}");
        let dir = folder(1);
        fs::remove_file(dir.path().join("data_batch_3.bin")).unwrap();
        let message = cifar10(dir.path(), Sizes::default()).unwrap_err().to_string();
        assert!(message.contains("has no data_batch_3.bin"), "{message}");
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused_in_one_sentence() {
        let dir = folder(1);
        let path = dir.path().join("test_batch.bin");
        let file = fs::File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let message = cifar10(dir.path(), Sizes::default()).unwrap_err().to_string();
        assert!(
            message.contains("test_batch.bin") && message.contains("expected at most"),
            "{message}"
        );
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let message = cifar10(dir.path(), Sizes::default()).unwrap_err().to_string();
        assert!(message.contains("it is a folder"), "{message}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            n in 0usize..4,
            rest in prop::collection::vec(any::<u8>(), 0..40),
            class in any::<u8>(),
        ) {
            let mut contents = vec![class; n * RECORD];
            contents.extend(rest);
            let _ = CIFAR10.records(&contents, &mut vec![], &mut vec![]);
            let _ = CIFAR100.records(&contents, &mut vec![], &mut vec![]);
        }

        #[test]
        fn no_damage_makes_it_panic(contents in corrupted(&[1; 2 * RECORD])) {
            let (mut bytes, mut classes) = (vec![], vec![]);
            if CIFAR10.records(&contents, &mut bytes, &mut classes).is_ok() {
                prop_assert_eq!(bytes.len(), classes.len() * SIZE.len());
            }
        }
    }
}
